//! Purposes: why somebody may ask about a citizen, and whether a dossier must be named.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::code::ProcedureCode;
use crate::fault::Reason;

/// Longest purpose code, in characters.
const CODE_CHARS_MAX: usize = 40;

/// A purpose's code: `A-Z`, `0-9` and `_`, 2 to 40 characters, such as `CIVIL_STATUS`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PurposeCode(String);

impl PurposeCode {
    /// Reads a code.
    ///
    /// # Errors
    /// [`Reason::Missing`], or [`Reason::BadForm`].
    pub fn parse(text: &str) -> Result<Self, Reason> {
        let code = text.trim();
        if code.is_empty() {
            return Err(Reason::Missing);
        }
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let starts = code.starts_with(|first: char| first.is_ascii_uppercase());
        if !starts || !(2..=CODE_CHARS_MAX).contains(&code.len()) || !code.bytes().all(allowed) {
            return Err(Reason::BadForm {
                expected: "CIVIL_STATUS",
            });
        }
        Ok(Self(code.to_owned()))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PurposeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PurposeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a purpose wants to know of the dossier a question serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
    /// An open dossier that the participant holds here, of a procedure that permits the purpose.
    #[default]
    Required,
    /// A dossier code, written down and not looked up: its dossiers do not pass through this gateway.
    Recorded,
    /// None: work for a whole ministry.
    NotNeeded,
}

/// Why somebody may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// Its code.
    pub code: PurposeCode,
    /// Its name, for people.
    pub name: String,
    /// The law it rests on, for people.
    pub legal_basis: String,
    /// What it wants to know of the dossier.
    pub binding: Binding,
    /// The procedures it may serve; empty means any.
    pub procedures: Vec<ProcedureCode>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_upper_snake() {
        for good in ["CIVIL_STATUS", "X1", " LAND_2026 "] {
            assert_eq!(PurposeCode::parse(good).unwrap().as_str(), good.trim());
        }
        assert_eq!(PurposeCode::parse(" "), Err(Reason::Missing));
        let long = "A".repeat(CODE_CHARS_MAX + 1);
        for bad in ["A", "civil_status", "HỘ_TỊCH", "1A", "_A", "A-B", &long] {
            assert!(PurposeCode::parse(bad).is_err(), "{bad}");
        }
    }
}
