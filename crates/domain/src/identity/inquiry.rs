//! A question about a person: why it is asked, and what is claimed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::code::DossierCode;
use crate::fault::Reason;
use crate::identity::birth::BirthDate;
use crate::identity::field::{Field, FieldSet};
use crate::identity::matching::Verdict;
use crate::identity::name::{FullName, NameLevel};
use crate::identity::number::{IdNumber, OldNumber, Sex};
use crate::identity::purpose::PurposeCode;
use crate::text::{Private, Text};

/// Longest official id, in characters.
const OFFICIAL_CHARS_MAX: usize = 64;

/// An official, as the participant names them: an account, not a person's name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct OfficialId(String);

impl OfficialId {
    /// Reads an id: 1 to 64 of `A-Z a-z 0-9 . _ - @ /`, without a citizen number in it.
    ///
    /// # Errors
    /// [`Reason::Missing`], [`Reason::TooLong`] or [`Reason::BadForm`].
    pub fn parse(text: &str) -> Result<Self, Reason> {
        let id = text.trim();
        if id.is_empty() {
            return Err(Reason::Missing);
        }
        let actual = id.chars().count();
        if actual > OFFICIAL_CHARS_MAX {
            return Err(Reason::TooLong {
                max: OFFICIAL_CHARS_MAX,
                actual,
            });
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@/".contains(&byte);
        // An official's id is kept in the clear, so no citizen number may hide in it.
        if !id.bytes().all(allowed) || IdNumber::stands_in(id) {
            return Err(Reason::BadForm {
                expected: "nguyenvana.tuphap",
            });
        }
        Ok(Self(id.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id in lower case, under which a guard counts: the other case of a letter makes nobody else.
    #[must_use]
    pub fn folded(&self) -> Self {
        Self(self.0.to_ascii_lowercase())
    }
}

impl fmt::Display for OfficialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for OfficialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a question is asked. Participant and system come from the certificate, never from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// The purpose.
    pub purpose: PurposeCode,
    /// Who asks.
    pub official: OfficialId,
    /// The dossier it serves, if one is named.
    pub dossier: Option<DossierCode>,
}

/// What is claimed of a person. Number, name and birth date are the key; the rest is optional.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Claims {
    /// The number.
    pub number: IdNumber,
    /// The name.
    pub name: FullName,
    /// The birth date.
    pub birth: BirthDate,
    /// The sex.
    pub sex: Option<Sex>,
    /// Code of the ethnic group.
    pub ethnicity: Option<Text<10>>,
    /// The old number beside a citizen number.
    pub old_number: Option<OldNumber>,
    /// Home town in words.
    pub home_town: Option<Private<Text<250>>>,
    /// Permanent residence in words.
    pub permanent_residence: Option<Private<Text<250>>>,
}

impl Claims {
    /// Claims with the key only.
    pub fn key(number: IdNumber, name: FullName, birth: BirthDate) -> Self {
        Self {
            number,
            name,
            birth,
            sex: None,
            ethnicity: None,
            old_number: None,
            home_town: None,
            permanent_residence: None,
        }
    }

    /// The claimed fields beyond the key; a grant must permit each.
    pub fn optional_fields(&self) -> FieldSet {
        let claimed = [
            (Field::Sex, self.sex.is_some()),
            (Field::Ethnicity, self.ethnicity.is_some()),
            (Field::OldNumber, self.old_number.is_some()),
            (Field::HomeTown, self.home_town.is_some()),
            (
                Field::PermanentResidence,
                self.permanent_residence.is_some(),
            ),
        ];
        let present = claimed.into_iter().filter(|(_, present)| *present);
        present.map(|(field, _)| field).collect()
    }

    /// Every claimed field. A 9-digit number is claimed as the old number.
    pub fn fields(&self) -> FieldSet {
        let number = match self.number {
            IdNumber::Citizen(_) => Field::CitizenNumber,
            IdNumber::Old(_) => Field::OldNumber,
        };
        let key = [number, Field::FullName, Field::BirthDate];
        key.into_iter()
            .collect::<FieldSet>()
            .union(self.optional_fields())
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claims({})", self.fields())
    }
}

/// What came of comparing claims with a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The verdict on the person: number, name and birth date together.
    pub verdict: Verdict,
    /// How the name matched; `None` where the person is not matched, so that nothing leaks.
    pub name_level: Option<NameLevel>,
    /// One verdict per claimed field, in the order of the fields. No field matches where the person does not.
    pub fields: Vec<(Field, Verdict)>,
}

impl Verification {
    /// The verdict on everything that was claimed: a wrong claim beyond the key is a wrong claim. Beyond the key
    /// a silent record says nothing against anybody.
    pub fn claims_verdict(&self) -> Verdict {
        let any_wrong = self
            .fields
            .iter()
            .any(|(_, verdict)| *verdict == Verdict::NoMatch);
        if any_wrong {
            Verdict::NoMatch
        } else {
            self.verdict
        }
    }

    /// The answer for an unknown person and for a wrong claim alike: no field tells which was wrong.
    pub fn no_match(claims: &Claims) -> Self {
        let fields = claims.fields().iter();
        Self {
            verdict: Verdict::NoMatch,
            name_level: None,
            fields: fields.map(|field| (field, Verdict::NoMatch)).collect(),
        }
    }

    /// The answer where only the key was compared, with `verdict` other than no match.
    /// Optional claims are undecided.
    pub fn of_key(claims: &Claims, verdict: Verdict, name_level: NameLevel) -> Self {
        if verdict == Verdict::NoMatch {
            return Self::no_match(claims);
        }
        let key = claims.fields().without(claims.optional_fields());
        let fields = claims.fields().iter();
        Self {
            verdict,
            name_level: Some(name_level),
            fields: fields
                .map(|field| match field {
                    field if key.contains(field) => (field, verdict),
                    field => (field, Verdict::Undecided),
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_official_is_named_without_a_citizen_number() {
        let good = ["nguyenvana.tuphap", "CB-2026/17@gialai", "canbo0905123456"];
        for id in good {
            assert!(OfficialId::parse(id).is_ok(), "{id}");
        }
        let numbers = [
            "052185012345",
            "cb-052185012345",
            "a211234567",
            "x/211234567@h21",
        ];
        for id in numbers {
            let refused = OfficialId::parse(id).map_err(Reason::name);
            assert_eq!(refused, Err("BAD_FORM"), "{id}");
        }
    }

    #[test]
    fn case_tells_no_officials_apart_for_a_guard() {
        let written = OfficialId::parse("NguyenVanA.TuPhap").unwrap();
        assert_eq!(written.folded().as_str(), "nguyenvana.tuphap");
        assert_eq!(written.as_str(), "NguyenVanA.TuPhap");
    }

    #[test]
    fn a_wrong_claim_beyond_the_key_is_a_wrong_claim() {
        use Verdict::{Match, NoMatch, Undecided};
        let cases = [
            (Match, [Match, Match], Match),
            (Match, [Match, Undecided], Match),
            (Match, [NoMatch, Match], NoMatch),
            (Match, [Undecided, NoMatch], NoMatch),
            (Undecided, [Undecided, Undecided], Undecided),
            (NoMatch, [NoMatch, NoMatch], NoMatch),
        ];
        for (verdict, [town, residence], expected) in cases {
            let fields = vec![
                (Field::CitizenNumber, verdict),
                (Field::HomeTown, town),
                (Field::PermanentResidence, residence),
            ];
            let verification = Verification {
                verdict,
                name_level: None,
                fields,
            };
            assert_eq!(verification.claims_verdict(), expected, "{verification:?}");
        }
    }
}
