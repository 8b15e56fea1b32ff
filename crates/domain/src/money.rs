//! Amounts of fees in đồng, which has no smaller unit.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::fault::Reason;

/// An amount in đồng, 0..=[`Vnd::MAX`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Vnd(i64);

impl Vnd {
    /// Largest amount, ten thousand billion đồng: far above any fee, and exact in a JSON number.
    pub const MAX: i64 = 10_000_000_000_000;

    /// An amount within bounds.
    ///
    /// # Errors
    ///
    /// [`Reason::OutOfRange`].
    pub const fn new(dong: i64) -> Result<Self, Reason> {
        if 0 <= dong && dong <= Self::MAX {
            Ok(Self(dong))
        } else {
            Err(Reason::OutOfRange {
                min: 0,
                max: Self::MAX,
            })
        }
    }

    /// Reads ASCII digits without sign, separator or unit: `1.000` may mean one or a thousand.
    ///
    /// # Errors
    ///
    /// [`Reason::Missing`] if empty, [`Reason::NotDigits`], [`Reason::OutOfRange`].
    pub fn parse(text: &str) -> Result<Self, Reason> {
        if text.is_empty() {
            return Err(Reason::Missing);
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Reason::NotDigits);
        }
        // Digits fail to parse only when there are too many of them.
        Self::new(text.parse().unwrap_or(i64::MAX))
    }

    /// The amount in đồng.
    pub const fn dong(self) -> i64 {
        self.0
    }
}

/// Digits only, as [`Vnd::parse`] reads them.
impl fmt::Display for Vnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Vnd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(i64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OUT_OF_RANGE: Reason = Reason::OutOfRange {
        min: 0,
        max: Vnd::MAX,
    };

    #[test]
    fn digits_alone_are_an_amount() {
        assert_eq!(Vnd::parse("75000").map(Vnd::dong), Ok(75_000));
        assert_eq!(Vnd::parse("0").map(Vnd::dong), Ok(0));
        for text in ["-1", "+1", "1.000", "1,000", "75000 đ", " 1", "1e3", "７５"] {
            assert_eq!(Vnd::parse(text), Err(Reason::NotDigits), "{text}");
        }
        assert_eq!(Vnd::parse(""), Err(Reason::Missing));
    }

    #[test]
    fn amounts_have_bounds() {
        assert_eq!(Vnd::parse("10000000000000").map(Vnd::dong), Ok(Vnd::MAX));
        assert_eq!(Vnd::parse("10000000000001"), Err(OUT_OF_RANGE));
        assert_eq!(Vnd::parse(&"9".repeat(40)), Err(OUT_OF_RANGE));
        assert_eq!(Vnd::new(-1), Err(OUT_OF_RANGE));
        assert!(serde_json::from_str::<Vnd>("-1").is_err());
    }

    proptest! {
        #[test]
        fn every_amount_reads_back_from_print_and_store(dong in 0..=Vnd::MAX) {
            let amount = Vnd::new(dong).unwrap();
            prop_assert_eq!(Vnd::parse(&amount.to_string()), Ok(amount));
            let stored = serde_json::to_string(&amount).unwrap();
            prop_assert_eq!(&stored, &dong.to_string());
            prop_assert_eq!(serde_json::from_str::<Vnd>(&stored).unwrap(), amount);
        }
    }
}
