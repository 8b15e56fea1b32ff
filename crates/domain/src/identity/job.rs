//! Verification jobs: many persons, asked when the database has time.

use std::fmt;
use std::str::FromStr;

use crate::identity::usage::coded;

/// Most items of one job.
pub const ITEMS_MAX: u32 = 200_000;

/// The number of a job; `J-17` in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub i64);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "J-{}", self.0)
    }
}

impl FromStr for JobId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.strip_prefix("J-").ok_or(())?;
        let canonical = !digits.starts_with(['0', '+', '-']);
        let number = digits.parse().map_err(|_| ())?;
        canonical.then_some(Self(number)).ok_or(())
    }
}

coded! {
    /// Where a job stands. The numbers are those of the contract.
    JobState {
        /// Items are still coming.
        Uploading = 1, "uploading";
        /// Items are being asked.
        Running = 2, "running";
        /// Nothing is asked until it is resumed.
        Paused = 3, "paused";
        /// Every item is answered.
        Done = 4, "done";
        /// Nothing more is asked.
        Cancelled = 5, "cancelled";
        /// Its answers are erased.
        Erased = 6, "erased";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_written_and_in_no_other_form() {
        assert_eq!("J-17".parse(), Ok(JobId(17)));
        assert_eq!(JobId(17).to_string(), "J-17");
        for bad in [
            "17",
            "J-",
            "J-017",
            "J--1",
            "J-+1",
            "j-1",
            "J-1 ",
            "J-99999999999999999999",
        ] {
            assert_eq!(bad.parse::<JobId>(), Err(()), "{bad}");
        }
    }
}
