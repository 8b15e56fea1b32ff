//! Usage records: who looked at whom, why, and what they were shown. Whom is a keyed pseudonym.

use std::fmt;

/// The number of a usage record; ascending in the order they were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageId(pub i64);

/// A citizen number under a key: equal numbers are equal, and without the key nothing leads back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym(pub [u8; 16]);

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Names and numbers of a small closed set, for rows and the contract.
macro_rules! coded {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal, $text:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its number in rows and in the contract.
            pub const fn code(self) -> i64 {
                match self { $(Self::$variant => $code),* }
            }

            /// The value with this number.
            pub fn from_code(code: i64) -> Option<Self> {
                Self::ALL.iter().find(|value| value.code() == code).copied()
            }

            /// Its name for people and programs.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
    };
}
pub(crate) use coded;

coded! {
    /// What was asked about a citizen.
    UsageKind {
        /// Whether claims are right.
        Verify = 1, "verify";
        /// Fields of the record.
        Disclose = 2, "disclose";
        /// Whether claims are right, by a job.
        Job = 3, "job";
        /// Who looked at the citizen.
        ListUsage = 4, "list_usage";
    }
}

coded! {
    /// What came of it.
    UsageOutcome {
        /// The claims match, as far as the record tells what was claimed beyond the key.
        Matched = 1, "matched";
        /// One of them does not, beyond a right key too, or there is no such person.
        NotMatched = 2, "not_matched";
        /// Nobody can tell.
        Undecided = 3, "undecided";
        /// Fields, or usage records, were shown.
        Disclosed = 4, "disclosed";
        /// Refused: nothing was asked of the database.
        Refused = 5, "refused";
        /// The database gave no usable answer.
        Failed = 6, "failed";
        /// Put off: a job asks later.
        Deferred = 7, "deferred";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back() {
        for kind in UsageKind::ALL {
            assert_eq!(UsageKind::from_code(kind.code()), Some(*kind));
        }
        for outcome in UsageOutcome::ALL {
            assert_eq!(UsageOutcome::from_code(outcome.code()), Some(*outcome));
        }
        assert_eq!(UsageOutcome::from_code(0), None);
    }
}
