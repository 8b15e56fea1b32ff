//! A population that is computed, never stored: index to citizen and number to citizen, both from
//! the seed and one small table.
//!
//! All citizens stand in one row, bucket after bucket (province, sex, birth year); `place` is the
//! position in that row. An index is a shuffled place, and the last six digits of a number are the
//! shuffled rank within the bucket. So a number belongs to somebody exactly if its rank exists.

mod buckets;
mod details;
pub(crate) mod draw;
mod families;
mod name_tables;
mod names;
mod permutation;
mod provinces;

use self::buckets::{Bucket, Buckets};
use self::draw::{Draw, Purpose, key};
use self::names::Lineage;
use self::permutation::Permutation;
use self::provinces::PROVINCES;
use super::{Birth, Citizen, Name, Sex};
use crate::error::SimulatorError;

/// Citizens that one population can have; the fullest bucket then holds about 60,000.
const CITIZENS_MAX: u32 = 50_000_000;
/// Numbers that end in six digits.
const SUFFIXES: u64 = 1_000_000;
/// Numbers of nine digits.
const OLD_NUMBERS: u64 = 1_000_000_000;
/// Citizens born later never had a nine-digit number.
const OLD_NUMBER_YEAR_MAX: u16 = 2001;

/// Invented citizens; the same seed and count give the same ones on every machine.
#[derive(Debug)]
pub struct Population {
    seed: u64,
    citizens: u32,
    buckets: Buckets,
    shuffle: Permutation,
    old_numbers: Permutation,
}

/// Where a citizen stands; everything else follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seat {
    place: u32,
    bucket: Bucket,
    rank: u32,
}

/// What a match needs, which is much less to compute than a whole citizen.
pub(crate) struct Person {
    pub(crate) name: Name,
    pub(crate) birth: Birth,
    seat: Seat,
}

impl Population {
    /// A population of `citizens`, at most 50,000,000.
    ///
    /// # Errors
    /// The count is 0 or too large.
    pub fn new(seed: u64, citizens: u32) -> Result<Self, SimulatorError> {
        if !(1..=CITIZENS_MAX).contains(&citizens) {
            return Err(SimulatorError::Citizens(citizens));
        }
        Ok(Self {
            seed,
            citizens,
            buckets: Buckets::new(seed, citizens),
            shuffle: Permutation::new(u64::from(citizens), key(seed, Purpose::Shuffle, 0)),
            old_numbers: Permutation::new(OLD_NUMBERS, key(seed, Purpose::OldNumbers, 0)),
        })
    }

    /// How many citizens there are.
    #[expect(clippy::len_without_is_empty, reason = "a population is never empty")]
    pub fn len(&self) -> u32 {
        self.citizens
    }

    /// The citizen with this index; after the last the count starts over.
    pub fn citizen(&self, index: u32) -> Citizen {
        let place = self.shuffle.forward(u64::from(index % self.citizens));
        self.whole(&self.seat(as_place(place)))
    }

    /// The citizen with this number of twelve digits.
    pub fn find(&self, number: &str) -> Option<Citizen> {
        self.seat_of_number(number).map(|seat| self.whole(&seat))
    }

    /// The citizen with this old number of nine digits.
    pub fn find_old(&self, number: &str) -> Option<Citizen> {
        self.seat_of_old_number(number)
            .map(|seat| self.whole(&seat))
    }

    pub(crate) fn person(&self, number: &str) -> Option<Person> {
        self.seat_of_number(number)
            .map(|seat| self.person_at(&seat))
    }

    pub(crate) fn person_by_old_number(&self, number: &str) -> Option<Person> {
        self.seat_of_old_number(number)
            .map(|seat| self.person_at(&seat))
    }

    /// Everything about a person.
    pub(crate) fn complete(&self, person: &Person) -> Citizen {
        self.whole(&person.seat)
    }

    /// Somebody else: the next citizen by index.
    pub(crate) fn neighbour(&self, citizen: &Citizen) -> Citizen {
        self.citizen(citizen.index + 1)
    }

    fn person_at(&self, seat: &Seat) -> Person {
        Person {
            name: self.name(seat),
            birth: self.birth(seat),
            seat: *seat,
        }
    }

    fn seat(&self, place: u32) -> Seat {
        let (bucket, rank) = self.buckets.locate(place);
        Seat {
            place,
            bucket,
            rank,
        }
    }

    fn seat_in(&self, bucket: Bucket, rank: u32) -> Option<Seat> {
        let place = self.buckets.place(bucket, rank)?;
        Some(Seat {
            place,
            bucket,
            rank,
        })
    }

    fn index(&self, seat: &Seat) -> u32 {
        as_place(self.shuffle.backward(u64::from(seat.place)))
    }

    fn suffixes(&self, bucket: Bucket) -> Permutation {
        let subject = u64::try_from(bucket.id()).expect("there are some 12,000 buckets");
        Permutation::new(SUFFIXES, key(self.seed, Purpose::Suffix, subject))
    }

    fn number(&self, seat: &Seat) -> String {
        let Bucket {
            province,
            sex,
            year,
        } = seat.bucket;
        let century_and_sex = (year / 100 - 19) * 2 + u16::from(sex == Sex::Female);
        let suffix = self.suffixes(seat.bucket).forward(u64::from(seat.rank));
        let prefix = PROVINCES[province].prefix;
        format!("{prefix:03}{century_and_sex}{:02}{suffix:06}", year % 100)
    }

    fn seat_of_number(&self, number: &str) -> Option<Seat> {
        let number = digits(number, 12)?;
        let prefix = u16::try_from(number / 1_000_000_000).ok()?;
        let century_and_sex = u16::try_from(number / 100_000_000 % 10).ok()?;
        let year = u16::try_from(number / 1_000_000 % 100).ok()?;
        let sex = if century_and_sex.is_multiple_of(2) {
            Sex::Male
        } else {
            Sex::Female
        };
        let province = provinces::with_prefix(prefix)?;
        let bucket = Bucket::new(province, sex, 1900 + century_and_sex / 2 * 100 + year)?;
        let rank = self.suffixes(bucket).backward(number % SUFFIXES);
        self.seat_in(bucket, as_place(rank))
    }

    fn old_number(&self, seat: &Seat) -> Option<String> {
        if seat.bucket.year > OLD_NUMBER_YEAR_MAX
            || !self.draw(Purpose::HasOldNumber, seat).permille(620)
        {
            return None;
        }
        let number = self.old_numbers.forward(u64::from(seat.place));
        Some(format!("{number:09}"))
    }

    fn seat_of_old_number(&self, number: &str) -> Option<Seat> {
        let place = as_place(self.old_numbers.backward(digits(number, 9)?));
        let seat = (place < self.citizens).then(|| self.seat(place))?;
        self.old_number(&seat).map(|_| seat)
    }

    fn draw(&self, purpose: Purpose, seat: &Seat) -> Draw {
        Draw::new(self.seed, purpose, u64::from(seat.place))
    }

    fn name(&self, seat: &Seat) -> Name {
        let lineage = self.lineage(seat);
        let Bucket { sex, year, .. } = seat.bucket;
        names::name(&mut self.draw(Purpose::Name, seat), lineage, sex, year)
    }

    /// People and family name come from the oldest known forefather.
    fn lineage(&self, seat: &Seat) -> Lineage {
        let root = self.forefather(seat);
        let region = PROVINCES[root.bucket.province].region;
        names::lineage(&mut self.draw(Purpose::Lineage, &root), region)
    }

    fn birth(&self, seat: &Seat) -> Birth {
        let mut draw = self.draw(Purpose::Birthday, seat);
        let year = seat.bucket.year;
        let is_day_known = !draw.permille(20);
        let month = 1 + draw.below(12);
        let day = 1 + draw.below(days_in_month(year, month));
        let month_day = u8::try_from(month).ok().zip(u8::try_from(day).ok());
        Birth {
            year,
            month_day: month_day.filter(|_| is_day_known),
        }
    }
}

fn days_in_month(year: u16, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The number that `text` writes with exactly `count` digits.
fn digits(text: &str, count: usize) -> Option<u64> {
    let is_digits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten()
}

fn as_place(number: u64) -> u32 {
    u32::try_from(number).expect("the permutations stay below 2^32")
}

#[cfg(test)]
mod tests;
