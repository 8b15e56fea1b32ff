//! The fields of a citizen's record, and sets of them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One field of a citizen's record. The numbers are those of the contract and of stored rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[expect(
    missing_docs,
    reason = "each is described in the contract, identity/v1/citizen.proto"
)]
pub enum Field {
    CitizenNumber = 1,
    OldNumber = 2,
    FullName = 3,
    BirthDate = 4,
    Sex = 5,
    Ethnicity = 6,
    Religion = 7,
    MaritalStatus = 8,
    BloodGroup = 9,
    Nationality = 10,
    BirthRegistration = 11,
    HomeTown = 12,
    PermanentResidence = 13,
    CurrentResidence = 14,
    Father = 15,
    Mother = 16,
    Spouse = 17,
    Representative = 18,
    HouseholdHead = 19,
    HouseholdNumber = 20,
}

impl Field {
    /// Every field, in the order of the numbers.
    pub const ALL: [Self; 20] = [
        Self::CitizenNumber,
        Self::OldNumber,
        Self::FullName,
        Self::BirthDate,
        Self::Sex,
        Self::Ethnicity,
        Self::Religion,
        Self::MaritalStatus,
        Self::BloodGroup,
        Self::Nationality,
        Self::BirthRegistration,
        Self::HomeTown,
        Self::PermanentResidence,
        Self::CurrentResidence,
        Self::Father,
        Self::Mother,
        Self::Spouse,
        Self::Representative,
        Self::HouseholdHead,
        Self::HouseholdNumber,
    ];

    /// Its number in the contract.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The field with a number of the contract.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|field| i32::from(field.code()) == code)
    }

    /// Its name in files and on the command line: `permanent_residence`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CitizenNumber => "citizen_number",
            Self::OldNumber => "old_number",
            Self::FullName => "full_name",
            Self::BirthDate => "birth_date",
            Self::Sex => "sex",
            Self::Ethnicity => "ethnicity",
            Self::Religion => "religion",
            Self::MaritalStatus => "marital_status",
            Self::BloodGroup => "blood_group",
            Self::Nationality => "nationality",
            Self::BirthRegistration => "birth_registration",
            Self::HomeTown => "home_town",
            Self::PermanentResidence => "permanent_residence",
            Self::CurrentResidence => "current_residence",
            Self::Father => "father",
            Self::Mother => "mother",
            Self::Spouse => "spouse",
            Self::Representative => "representative",
            Self::HouseholdHead => "household_head",
            Self::HouseholdNumber => "household_number",
        }
    }

    /// The field of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

/// A set of fields: one bit each, at the field's number.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldSet(u32);

impl FieldSet {
    /// No field.
    pub const EMPTY: Self = Self(0);
    /// Number, name and birth date: what every question about a person begins with.
    pub const KEY: Self = Self(
        1 << Field::CitizenNumber.code()
            | 1 << Field::FullName.code()
            | 1 << Field::BirthDate.code(),
    );

    /// Every field.
    pub fn all() -> Self {
        Field::ALL.into_iter().collect()
    }

    /// The set as stored.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// A stored set; `None` when a bit means no field.
    pub fn from_bits(bits: u32) -> Option<Self> {
        (bits & !Self::all().0 == 0).then_some(Self(bits))
    }

    /// Whether `field` is in it.
    pub const fn contains(self, field: Field) -> bool {
        self.0 & (1 << field.code()) != 0
    }

    /// Adds a field.
    pub fn insert(&mut self, field: Field) {
        self.0 |= 1 << field.code();
    }

    /// The fields of both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The fields of either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The fields of this that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The fields, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Field> {
        Field::ALL
            .into_iter()
            .filter(move |field| self.contains(*field))
    }
}

impl FromIterator<Field> for FieldSet {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        let mut set = Self::EMPTY;
        for field in fields {
            set.insert(field);
        }
        set
    }
}

impl fmt::Debug for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Names with commas between them.
impl fmt::Display for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, field) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            f.write_str(field.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_lead_back_to_the_field() {
        for (index, field) in Field::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(field.code()), index + 1);
            assert_eq!(Field::from_name(field.name()), Some(field));
            assert_eq!(Field::from_code(i32::from(field.code())), Some(field));
            let json = serde_json::to_string(&field).unwrap();
            assert_eq!(json, format!("{:?}", field.name()));
        }
        assert_eq!(Field::from_code(0), None);
        assert_eq!(Field::from_code(21), None);
    }

    #[test]
    fn sets_do_what_sets_do() {
        let some: FieldSet = [Field::Sex, Field::HomeTown].into_iter().collect();
        assert_eq!(some.to_string(), "sex, home_town");
        assert_eq!(FieldSet::from_bits(some.bits()), Some(some));
        assert_eq!(FieldSet::from_bits(1), None);
        assert_eq!(FieldSet::from_bits(1 << 21), None);
        assert_eq!(FieldSet::all().without(some).union(some), FieldSet::all());
        assert!(some.intersection(FieldSet::KEY).is_empty());
        assert_eq!(FieldSet::KEY.iter().count(), 3);
    }
}
