//! Identifiers and randomness, from one generator that is handed in.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Names one accepted status event: a `UUIDv7`, so ids sort by acceptance time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(Uuid);

impl EventId {
    /// The id with these sixteen bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The sixteen bytes, as the stores keep them.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for EventId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::from_str(text).map(Self)
    }
}

/// The source of ids and jitter. Clones share one stream, so a seed decides everything drawn.
#[derive(Clone)]
pub struct Random(Arc<Mutex<ChaCha8Rng>>);

impl Random {
    /// Seeded by the operating system.
    pub fn system() -> Self {
        Self::from_generator(ChaCha8Rng::from_rng(&mut rand::rng()))
    }

    /// The same draws for the same seed, on every machine.
    pub fn seeded(seed: u64) -> Self {
        Self::from_generator(ChaCha8Rng::seed_from_u64(seed))
    }

    fn from_generator(generator: ChaCha8Rng) -> Self {
        Self(Arc::new(Mutex::new(generator)))
    }

    /// A new event id for an event accepted at `now`.
    pub fn event_id(&self, now: Timestamp) -> EventId {
        let mut random = [0; 10];
        self.with(|generator| generator.fill_bytes(&mut random));
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        EventId(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// A number in `0.0 .. 1.0`.
    pub fn unit(&self) -> f64 {
        self.with(RngExt::random)
    }

    /// A number in `0 .. bound`; 0 when `bound` is 0.
    pub fn below(&self, bound: u64) -> u64 {
        if bound == 0 {
            0
        } else {
            self.with(|generator| generator.random_range(0..bound))
        }
    }

    fn with<T>(&self, draw: impl FnOnce(&mut ChaCha8Rng) -> T) -> T {
        // A panic while drawing leaves a usable generator behind, so poison is not a reason to stop.
        let mut generator = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        draw(&mut generator)
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_repeat_by_seed() {
        let (one, two) = (Random::seeded(7), Random::seeded(7));
        let early = Timestamp::from_second(1_700_000_000).unwrap();
        let late = Timestamp::from_second(1_700_000_001).unwrap();
        let first = one.event_id(early);
        assert_eq!(first, two.event_id(early));
        assert!(first < one.event_id(late));
        assert_eq!(first.to_string().parse::<EventId>().unwrap(), first);
    }
}
