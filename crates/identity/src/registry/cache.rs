//! Matches remembered for seconds, when configured: under a keyed hash of the claims, without a value.

use std::collections::{HashMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::{hmac, rand};
use lienthong_domain::identity::{Claims, Verdict, Verification};
use tokio::time::Instant;

use crate::config::Config;

/// Claims under the key of this process; nothing leads back, and nothing is the same after a restart.
type Key = [u8; 32];

/// Full matches only: an answer that says no may be true no more in a moment, when a clerk corrects the record.
pub(super) struct Cache {
    key: hmac::Key,
    keep: Duration,
    entries_max: usize,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    matches: HashMap<Key, (Instant, Verification)>,
    /// By ascending time.
    order: VecDeque<(Instant, Key)>,
}

impl Cache {
    /// A cache, where one is configured.
    pub(super) fn new(config: &Config) -> Option<Self> {
        if config.cache_seconds == 0 {
            return None;
        }
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new());
        Some(Self {
            key: key.expect("aws-lc ends the process rather than go on without randomness"),
            keep: Duration::from_secs(config.cache_seconds),
            entries_max: config.cache_entries_max as usize,
            entries: Mutex::default(),
        })
    }

    pub(super) fn get(&self, claims: &Claims) -> Option<Verification> {
        let (key, now) = (self.key_of(claims), Instant::now());
        self.with(|entries| {
            let (until, found) = entries.matches.get(&key)?;
            (now < *until).then(|| found.clone())
        })
    }

    /// Remembers an answer if it is a full match.
    pub(super) fn put(&self, claims: &Claims, answer: &Verification) {
        let all_match = answer
            .fields
            .iter()
            .all(|(_, verdict)| *verdict == Verdict::Match);
        if answer.verdict != Verdict::Match || !all_match {
            return;
        }
        let (key, now) = (self.key_of(claims), Instant::now());
        let until = now + self.keep;
        self.with(|entries| {
            while entries.order.len() >= self.entries_max
                || entries
                    .order
                    .front()
                    .is_some_and(|(until, _)| *until <= now)
            {
                entries.forget_oldest();
            }
            entries.matches.insert(key, (until, answer.clone()));
            entries.order.push_back((until, key));
        });
    }

    fn key_of(&self, claims: &Claims) -> Key {
        let mut signing = Signing(hmac::Context::with_key(&self.key));
        claims.hash(&mut signing);
        let tag = signing.0.sign();
        tag.as_ref()
            .try_into()
            .expect("HMAC-SHA-256 gives 32 bytes")
    }

    fn with<T>(&self, act: impl FnOnce(&mut Entries) -> T) -> T {
        act(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Entries {
    fn forget_oldest(&mut self) {
        if let Some((until, key)) = self.order.pop_front()
            && self
                .matches
                .get(&key)
                .is_some_and(|(newest, _)| *newest == until)
        {
            self.matches.remove(&key);
        }
    }
}

/// Feeds what `Hash` tells of the claims, which keeps their parts apart, into the keyed hash.
struct Signing(hmac::Context);

impl Hasher for Signing {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Not used: the whole tag is the key.
    fn finish(&self) -> u64 {
        0
    }
}
