//! Who is whose father, mother, wife or husband: relations between places of the row, both ways.

use super::buckets::{Bucket, YEAR_FIRST};
use super::draw::{Draw, Purpose};
use super::{Population, Seat};
use crate::population::{MaritalStatus, Sex};

/// By how many years a wife is younger, picked by the rank that both have in their buckets.
const YOUNGER_BY: [i16; 6] = [0, 1, 2, 3, 5, -1];
/// Nobody born later is married.
const ADULT_YEAR_MAX: u16 = 2003;
/// Youngest age of a father, and how many ages from there on occur.
const FATHER_AGES: (u16, u32) = (22, 17);

impl Population {
    /// The father, if he was born late enough to be in the population.
    pub(super) fn father(&self, child: &Seat) -> Option<Seat> {
        let mut draw = self.draw(Purpose::Father, child);
        let ages = u16::try_from(draw.below(FATHER_AGES.1)).expect("a number below 17 fits");
        let year = child.bucket.year.checked_sub(FATHER_AGES.0 + ages)?;
        let bucket = Bucket::new(child.bucket.province, Sex::Male, year)?;
        let rank = draw.below(self.buckets.population(bucket));
        self.seat_in(bucket, rank)
    }

    /// The father's partner, so that brothers and sisters have one mother.
    pub(super) fn mother(&self, child: &Seat) -> Option<Seat> {
        self.father(child).and_then(|father| self.partner(&father))
    }

    /// The oldest forefather in the population, the citizen if there is none. The walk is short:
    /// each step goes back 22 years at least, and nobody is born before 1930.
    pub(super) fn forefather(&self, seat: &Seat) -> Seat {
        let mut root = *seat;
        while root.bucket.year >= YEAR_FIRST + FATHER_AGES.0
            && let Some(father) = self.father(&root)
        {
            root = father;
        }
        root
    }

    /// The only person whom this one may be married to. It is mutual: the rank stays, and the rank
    /// alone says how the years differ.
    pub(super) fn partner(&self, seat: &Seat) -> Option<Seat> {
        let younger_by = YOUNGER_BY[seat.rank as usize % YOUNGER_BY.len()];
        let (sex, year) = match seat.bucket.sex {
            Sex::Male => (Sex::Female, seat.bucket.year.checked_add_signed(younger_by)),
            Sex::Female => (Sex::Male, seat.bucket.year.checked_add_signed(-younger_by)),
        };
        self.seat_in(Bucket::new(seat.bucket.province, sex, year?)?, seat.rank)
    }

    /// The marital status, and the living spouse of those who are married.
    pub(super) fn marriage(&self, seat: &Seat) -> (MaritalStatus, Option<Seat>) {
        if !is_adult(seat) {
            return (MaritalStatus::Single, None);
        }
        match self.partner(seat).filter(is_adult) {
            Some(partner) if self.is_couple(seat, &partner) => {
                if self.is_dead(&partner) {
                    (MaritalStatus::Apart, None)
                } else {
                    (MaritalStatus::Married, Some(partner))
                }
            }
            _ if self.draw(Purpose::Alone, seat).permille(180) => (MaritalStatus::Apart, None),
            _ => (MaritalStatus::Single, None),
        }
    }

    pub(super) fn is_dead(&self, seat: &Seat) -> bool {
        let share = match seat.bucket.year {
            ..1940 => 560,
            1940..1950 => 280,
            1950..1960 => 110,
            1960..1980 => 35,
            1980.. => 6,
        };
        self.draw(Purpose::Death, seat).permille(share)
    }

    fn is_couple(&self, one: &Seat, other: &Seat) -> bool {
        let subject = u64::from(one.place.min(other.place));
        Draw::new(self.seed, Purpose::Couple, subject).permille(780)
    }
}

fn is_adult(seat: &Seat) -> bool {
    seat.bucket.year <= ADULT_YEAR_MAX
}
