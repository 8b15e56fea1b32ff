//! Lifelike dossiers of one province, invented from a seed: which one moves next, and what is said of it.
//!
//! The number of open dossiers is bounded, and of one dossier only one event is under way at a time, as a
//! case system does it. Times lie in the past months, so that a dossier's weeks fit into a demo's seconds.

mod case;
mod office;

use std::collections::HashMap;

use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use lienthong_domain::province::Province;
use lienthong_domain::{DossierCode, StatusEvent, Timestamp};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use case::Case;
use office::Office;

pub(super) use office::title;

/// Share of steps that open a new dossier, while there is room.
const OPEN_CHANCE: f64 = 0.2;
/// Seconds a dossier was opened before now: long enough for all its steps.
const SECONDS_AGO: std::ops::Range<i64> = case::SECONDS_MAX..case::SECONDS_MAX + 1_200;
/// Largest number of a dossier within an agency and a day, as its code allows.
const DAILY_NUMBER_MAX: u32 = 99_999;

/// The dossiers of one province.
pub(super) struct Traffic {
    random: ChaCha8Rng,
    province: &'static Province,
    offices: Vec<Office>,
    /// The last number given out, per office and day.
    numbers: HashMap<(usize, Date), u32>,
    /// Open dossiers by slot; `None` is free.
    cases: Vec<Option<Case>>,
    /// Slots with a case of which no event is under way.
    idle: Vec<usize>,
    /// Slots without a case.
    free: Vec<usize>,
}

/// The next event of a dossier.
pub(super) struct Move {
    /// Names the dossier in [`Traffic::taken`] and [`Traffic::given_up`].
    pub(super) slot: usize,
    /// What to send.
    pub(super) event: StatusEvent,
}

impl Traffic {
    /// Dossiers of `province` and of those merged into it; the same ones for the same seed and clock.
    pub(super) fn new(province: &'static Province, seed: u64, open_max: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(u64::from(
            province
                .code()
                .as_str()
                .bytes()
                .fold(0_u32, |sum, byte| sum * 256 + u32::from(byte)),
        ));
        Self {
            offices: office::of_province(province),
            random,
            province,
            numbers: HashMap::new(),
            cases: (0..open_max).map(|_| None).collect(),
            idle: Vec::with_capacity(open_max),
            free: (0..open_max).collect(),
        }
    }

    /// The next event; `None` while every dossier that may be open has one under way.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<Move> {
        let opens = self.idle.is_empty() || self.random.random_bool(OPEN_CHANCE);
        let opened = opens.then(|| self.open(now)).flatten();
        let slot = opened.or_else(|| self.any_idle())?;
        let case = self.cases[slot].as_ref()?;
        Some(Move {
            slot,
            event: case.event(),
        })
    }

    /// The event under way was acknowledged. `true` when it was the dossier's last.
    pub(super) fn taken(&mut self, slot: usize) -> bool {
        let goes_on = self.cases[slot].as_mut().is_some_and(Case::advance);
        if goes_on {
            self.idle.push(slot);
        } else {
            self.given_up(slot);
        }
        !goes_on
    }

    /// Nothing more will be sent of this dossier.
    pub(super) fn given_up(&mut self, slot: usize) {
        if self.cases[slot].take().is_some() {
            self.free.push(slot);
        }
    }

    fn any_idle(&mut self) -> Option<usize> {
        let count = self.idle.len();
        (count > 0).then(|| self.idle.swap_remove(self.random.random_range(0..count)))
    }

    /// Opens a dossier; `None` without room, or when all numbers of the day drawn are used up.
    fn open(&mut self, now: Timestamp) -> Option<usize> {
        if self.free.is_empty() {
            return None;
        }
        let seconds = self.random.random_range(SECONDS_AGO);
        // Whole seconds, as the portal keeps them.
        let opened_at = Timestamp::from_second(now.as_second() - seconds).ok()?;
        let index = self.random.random_range(0..self.offices.len());
        let day = opened_at
            .to_zoned(TimeZone::fixed(lienthong_domain::time::OFFSET))
            .date();
        let number = self.numbers.entry((index, day)).or_default();
        if *number == DAILY_NUMBER_MAX {
            return None;
        }
        *number += 1;
        let office = &self.offices[index];
        let code = format!("{}-{}-{number:04}", office.agency, day.strftime("%y%m%d"));
        let code =
            DossierCode::parse(&code).expect("agency, day and number are of the code's form");
        let slot = self.free.pop()?;
        let prefix = self.province.citizen_number_prefix();
        self.cases[slot] = Some(Case::open(
            &mut self.random,
            code,
            office,
            prefix,
            opened_at,
        ));
        Some(slot)
    }
}

/// The instant `seconds` later.
fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at + SignedDuration::from_secs(seconds)
}

#[cfg(test)]
mod tests;
