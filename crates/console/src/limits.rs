//! Slows down whoever guesses passwords: buckets of tries that empty with time.
//!
//! A password at the door takes a try of three buckets: a strict one of the name from this address, and looser ones of
//! the name from everywhere and of the address for all names. The strict one stops a guesser; the loose ones bound many
//! addresses on one name, and many names from one address. They are that loose so that one guesser cannot keep the
//! person whose name it is outside from elsewhere: filling the name's bucket takes six addresses at full pace, and even
//! then each moment that a try is free lets the right password in. Whoever unlocks a session has its bucket alone, which
//! nobody else can fill.
//!
//! A name that nobody has is counted like any other, so waiting tells nothing about it. A try is taken before the
//! password is looked at and given back when it was right, so people who share an address do not use up each other's
//! tries. (The crate `governor`, used elsewhere, cannot give back.)

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::secret::{Secret, SecretHash};

/// Buckets remembered at once; above it everybody new waits.
const KEYS_MAX: usize = 20_000;
/// How long everybody new waits then.
const CROWDED_WAIT: Duration = Duration::from_secs(12);

/// Wrong tries before waiting begins, and a further try every so often.
#[derive(Clone, Copy)]
struct Pace {
    tries: u32,
    every: Duration,
}

/// One person who does not remember: five a minute.
const STRICT: Pace = Pace {
    tries: 5,
    every: Duration::from_secs(12),
};
/// One name from everywhere: thirty a minute.
const OF_NAME: Pace = Pace {
    tries: 30,
    every: Duration::from_secs(2),
};
/// One address, which may be that of a whole office: twenty a minute.
const OF_ADDRESS: Pace = Pace {
    tries: 20,
    every: Duration::from_secs(3),
};

/// Whose tries are counted. A network is an address, or the first half of an IPv6 address: its last half is the
/// sender's to choose. A name is kept as its keyed hash: what was typed may be a password.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// A name, from one network.
    NameFrom(SecretHash, IpAddr),
    /// A name, from everywhere.
    Name(SecretHash),
    /// A network, with any name.
    Network(IpAddr),
    /// A network, coming back from the identity provider. Apart from passwords: any site can send a browser there.
    Callback(IpAddr),
    /// A locked session.
    Session(SecretHash),
}

impl Key {
    /// The key of those who come back from the identity provider.
    pub(crate) fn callback(from: IpAddr) -> Self {
        Self::Callback(network(from))
    }

    /// The key of a session that shall be unlocked.
    pub(crate) fn session(id: &Secret) -> Self {
        Self::Session(id.hash())
    }

    fn pace(&self) -> Pace {
        match self {
            Self::NameFrom(..) | Self::Session(_) => STRICT,
            Self::Name(_) => OF_NAME,
            Self::Network(_) | Self::Callback(_) => OF_ADDRESS,
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
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

/// All buckets, and the secret that hashes names.
pub(crate) struct Limits {
    buckets: Mutex<HashMap<Key, Bucket>>,
    naming: Secret,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            buckets: Mutex::default(),
            naming: Secret::draw(),
        }
    }
}

impl Limits {
    /// The keys of a name that was typed at the door, whether or not somebody has it. The strict one is first: where
    /// several are used up, it is the one that is told.
    pub(crate) fn at_the_door(&self, name: &str, from: IpAddr) -> Vec<Key> {
        let (name, from) = (self.naming.keyed_hash(name.as_bytes()), network(from));
        vec![
            Key::NameFrom(name, from),
            Key::Name(name),
            Key::Network(from),
        ]
    }

    /// Takes a try of each key, or of none.
    pub(crate) fn take(&self, keys: &[Key], now: Timestamp) -> Result<(), TooMany> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() + keys.len() > KEYS_MAX {
            buckets.retain(|_, bucket| !bucket.used_at(now).is_zero());
        }
        if buckets.len() + keys.len() > KEYS_MAX {
            return Err(TooMany {
                wait: CROWDED_WAIT,
                is_first: false,
            });
        }
        for key in keys {
            let Some(bucket) = buckets.get_mut(key) else {
                continue;
            };
            let Pace { tries, every } = key.pace();
            let (used, full) = (bucket.used_at(now), every * tries);
            if used + every > full {
                let is_first = !std::mem::replace(&mut bucket.is_told, true);
                let wait = (used + every).saturating_sub(full);
                return Err(TooMany { wait, is_first });
            }
        }
        for key in keys {
            let used = buckets
                .get(key)
                .map_or(Duration::ZERO, |bucket| bucket.used_at(now));
            let bucket = Bucket {
                used: used + key.pace().every,
                at: now,
                is_told: false,
            };
            buckets.insert(key.clone(), bucket);
        }
        Ok(())
    }

    /// Gives the try back: the password was right.
    pub(crate) fn give_back(&self, keys: &[Key]) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            if let Some(bucket) = buckets.get_mut(key) {
                bucket.used = bucket.used.saturating_sub(key.pace().every);
            }
        }
    }
}

#[cfg(test)]
mod tests;
