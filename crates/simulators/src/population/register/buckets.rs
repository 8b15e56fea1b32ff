//! How many citizens share a province, a sex and a birth year: the only table of a population.

use super::draw::{Draw, Purpose};
use super::provinces::PROVINCES;
use crate::population::Sex;

pub(crate) const YEAR_FIRST: u16 = 1930;
pub(crate) const YEAR_LAST: u16 = 2025;
const YEARS: usize = (YEAR_LAST - YEAR_FIRST + 1) as usize;

/// Citizens whose numbers differ in the last six digits only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// Position in [`PROVINCES`].
    pub(crate) province: usize,
    pub(crate) sex: Sex,
    /// From [`YEAR_FIRST`] to [`YEAR_LAST`].
    pub(crate) year: u16,
}

impl Bucket {
    /// None for a year that has no citizens.
    pub(crate) fn new(province: usize, sex: Sex, year: u16) -> Option<Self> {
        (YEAR_FIRST..=YEAR_LAST).contains(&year).then_some(Self {
            province,
            sex,
            year,
        })
    }

    pub(crate) fn id(self) -> usize {
        let sex = usize::from(self.sex == Sex::Female);
        (self.province * 2 + sex) * YEARS + usize::from(self.year - YEAR_FIRST)
    }

    fn of_id(id: usize) -> Self {
        let year = u16::try_from(id % YEARS).expect("a remainder below 96 fits");
        Self {
            province: id / YEARS / 2,
            sex: if (id / YEARS).is_multiple_of(2) {
                Sex::Male
            } else {
                Sex::Female
            },
            year: YEAR_FIRST + year,
        }
    }
}

/// Where each bucket starts when all citizens stand in one row.
#[derive(Debug)]
pub(crate) struct Buckets {
    /// One more than there are buckets; the last is the number of citizens.
    starts: Vec<u32>,
}

impl Buckets {
    pub(crate) fn new(seed: u64, citizens: u32) -> Self {
        let count = PROVINCES.len() * 2 * YEARS;
        let weights = (0..count).map(|id| weight(seed, id)).collect::<Vec<_>>();
        let total: u64 = weights.iter().sum();
        let mut before = 0;
        let starts = std::iter::once(0).chain(weights.into_iter().map(|weight| {
            before += weight;
            let share = u128::from(before) * u128::from(citizens) / u128::from(total);
            u32::try_from(share).expect("a share of the citizens is at most all of them")
        }));
        Self {
            starts: starts.collect(),
        }
    }

    /// The bucket and the rank in it of the citizen at a place of the row.
    pub(crate) fn locate(&self, place: u32) -> (Bucket, u32) {
        let id = self.starts.partition_point(|start| *start <= place) - 1;
        (Bucket::of_id(id), place - self.starts[id])
    }

    pub(crate) fn population(&self, bucket: Bucket) -> u32 {
        let id = bucket.id();
        self.starts[id + 1] - self.starts[id]
    }

    /// The place in the row, if the bucket has that rank.
    pub(crate) fn place(&self, bucket: Bucket, rank: u32) -> Option<u32> {
        (rank < self.population(bucket)).then(|| self.starts[bucket.id()] + rank)
    }
}

/// Province, age pyramid and sex ratio, moved by a tenth either way so that no two seeds agree.
fn weight(seed: u64, id: usize) -> u64 {
    let bucket = Bucket::of_id(id);
    let by_year: u32 = match bucket.year {
        ..1940 => 14,
        1940..1950 => 32,
        1950..1960 => 64,
        1960..1970 => 95,
        1970..1980 => 120,
        1980..1995 => 138,
        1995..2005 => 112,
        2005.. => 121,
    };
    let men_of_a_thousand = match bucket.year {
        ..1960 => 420,
        1960..1995 => 497,
        1995.. => 526,
    };
    let by_sex = match bucket.sex {
        Sex::Male => men_of_a_thousand,
        Sex::Female => 1_000 - men_of_a_thousand,
    };
    let subject = u64::try_from(id).expect("there are some 12,000 buckets");
    let luck = 900 + Draw::new(seed, Purpose::Bucket, subject).below(201);
    let product = [PROVINCES[bucket.province].weight, by_year, by_sex, luck];
    product.into_iter().map(u64::from).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_places_go_both_ways() {
        let buckets = Buckets::new(3, 200_000);
        let count = PROVINCES.len() * 2 * YEARS;
        assert_eq!(buckets.starts.len(), count + 1);
        assert_eq!(buckets.starts[count], 200_000);
        for id in 0..count {
            assert_eq!(Bucket::of_id(id).id(), id);
        }
        for place in (0..200_000).step_by(7) {
            let (bucket, rank) = buckets.locate(place);
            assert_eq!(buckets.place(bucket, rank), Some(place));
            assert_eq!(buckets.place(bucket, buckets.population(bucket)), None);
        }
    }
}
