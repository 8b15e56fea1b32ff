//! Slows down whoever guesses passwords: a bucket of tries per account and per address.
//!
//! A try is taken before the password is looked at and given back when it was right, so people who share an address
//! do not use up each other's tries. (The crate `governor`, used elsewhere, cannot give back.)

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// Wrong tries before waiting begins.
const TRIES: u32 = 5;
/// A further try every so often; five a minute.
const TRY_EVERY: Duration = Duration::from_secs(12);
/// Accounts and addresses remembered at once; above it everybody new waits.
const KEYS_MAX: usize = 20_000;

/// Whose tries are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// An account, whether or not there is one of that name.
    Account(String),
    /// An address, or the network of an IPv6 address: its last half is the reader's to choose.
    Address(IpAddr),
}

impl Key {
    /// The key of an address.
    pub(crate) fn address(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => Self::Address(IpAddr::V6((v6.to_bits() >> 64 << 64).into())),
            v4 @ IpAddr::V4(_) => Self::Address(v4),
        }
    }
}

/// No try is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    /// Until the next.
    pub(crate) wait: Duration,
    /// The first refusal since a try was taken, which is worth a line; the ones after it are not.
    pub(crate) is_first: bool,
}

/// What was used of a bucket, and when that was true. It empties with time.
struct Bucket {
    used: Duration,
    at: Timestamp,
    is_told: bool,
}

impl Bucket {
    fn used_at(&self, now: Timestamp) -> Duration {
        // A clock set back lets no time pass.
        let passed = Duration::try_from(now.duration_since(self.at)).unwrap_or_default();
        self.used.saturating_sub(passed)
    }
}

/// All buckets.
#[derive(Default)]
pub(crate) struct Limits(Mutex<HashMap<Key, Bucket>>);

impl Limits {
    /// Takes a try of each key, or of none.
    pub(crate) fn take(&self, keys: &[Key], now: Timestamp) -> Result<(), TooMany> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() + keys.len() > KEYS_MAX {
            buckets.retain(|_, bucket| !bucket.used_at(now).is_zero());
        }
        if buckets.len() + keys.len() > KEYS_MAX {
            return Err(TooMany {
                wait: TRY_EVERY,
                is_first: false,
            });
        }
        let full = TRY_EVERY * TRIES;
        for key in keys {
            let Some(bucket) = buckets.get_mut(key) else {
                continue;
            };
            let used = bucket.used_at(now);
            if used + TRY_EVERY > full {
                let is_first = !std::mem::replace(&mut bucket.is_told, true);
                let wait = (used + TRY_EVERY).saturating_sub(full);
                return Err(TooMany { wait, is_first });
            }
        }
        for key in keys {
            let used = buckets
                .get(key)
                .map_or(Duration::ZERO, |bucket| bucket.used_at(now));
            let bucket = Bucket {
                used: used + TRY_EVERY,
                at: now,
                is_told: false,
            };
            buckets.insert(key.clone(), bucket);
        }
        Ok(())
    }

    /// Gives the try back: the password was right.
    pub(crate) fn give_back(&self, keys: &[Key]) {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            if let Some(bucket) = buckets.get_mut(key) {
                bucket.used = bucket.used.saturating_sub(TRY_EVERY);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn account(name: &str) -> Vec<Key> {
        vec![Key::Account(name.to_owned())]
    }

    #[test]
    fn the_sixth_try_waits_and_says_how_long() {
        let limits = Limits::default();
        for _ in 0..5 {
            assert_eq!(limits.take(&account("lan"), at(0)), Ok(()));
        }
        let refused = limits.take(&account("lan"), at(2)).unwrap_err();
        assert_eq!(refused.wait, Duration::from_secs(10));
        assert!(refused.is_first);
        assert!(!limits.take(&account("lan"), at(2)).unwrap_err().is_first);
        assert_eq!(limits.take(&account("hoa"), at(2)), Ok(()));
        assert_eq!(limits.take(&account("lan"), at(12)), Ok(()));
        assert!(limits.take(&account("lan"), at(12)).is_err());
    }

    #[test]
    fn right_passwords_use_nothing_up() {
        let limits = Limits::default();
        for _ in 0..100 {
            assert_eq!(limits.take(&account("lan"), at(0)), Ok(()));
            limits.give_back(&account("lan"));
        }
    }

    #[test]
    fn a_refusal_for_one_key_takes_nothing_of_the_other() {
        let limits = Limits::default();
        let address = Key::address("10.0.0.5".parse().unwrap());
        for _ in 0..5 {
            limits.take(&account("lan"), at(0)).unwrap();
        }
        let both = [address.clone(), Key::Account("lan".to_owned())];
        for _ in 0..20 {
            assert!(limits.take(&both, at(0)).is_err());
        }
        assert_eq!(limits.take(&[address], at(0)), Ok(()));
    }

    #[test]
    fn neighbours_in_one_ipv6_network_are_one() {
        let key = |text: &str| Key::address(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:10.0.0.5"), key("10.0.0.5"));
        assert_ne!(key("10.0.0.5"), key("10.0.0.6"));
    }

    #[test]
    fn memory_has_a_bound_and_old_names_make_room() {
        let limits = Limits::default();
        for number in 0..KEYS_MAX {
            limits.take(&account(&number.to_string()), at(0)).unwrap();
        }
        assert!(limits.take(&account("new"), at(0)).is_err());
        assert_eq!(limits.take(&account("new"), at(13)), Ok(()));
        assert!(limits.0.lock().unwrap().len() < 10);
    }
}
