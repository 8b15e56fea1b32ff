//! A citizen's record, as the population database tells it. Every part may be missing.

use std::fmt;

use crate::identity::birth::BirthDate;
use crate::identity::field::{Field, FieldSet};
use crate::identity::number::{CitizenNumber, OldNumber, Sex};
use crate::text::{Private, Text};

/// Text of a record; never printed.
pub type RecordText = Private<Text<250>>;

/// A code of one of the database's lists, kept as it was written.
pub type ListCode = Text<10>;

/// A citizen's record. `Debug` names the fields that are present and shows no value.
#[derive(Clone, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_field_names,
    missing_docs,
    reason = "each is described at `Field` and in the contract"
)]
pub struct Citizen {
    pub citizen_number: Option<CitizenNumber>,
    pub old_number: Option<OldNumber>,
    /// As recorded: a record may hold a name that [`FullName`](crate::identity::FullName) would refuse.
    pub full_name: Option<RecordText>,
    pub birth_date: Option<BirthDate>,
    pub sex: Option<Sex>,
    pub ethnicity: Option<ListCode>,
    pub religion: Option<ListCode>,
    pub marital_status: Option<ListCode>,
    pub blood_group: Option<ListCode>,
    pub nationality: Option<ListCode>,
    pub birth_registration: Option<Place>,
    pub home_town: Option<Place>,
    pub permanent_residence: Option<Place>,
    pub current_residence: Option<Place>,
    pub father: Option<Relative>,
    pub mother: Option<Relative>,
    pub spouse: Option<Relative>,
    pub representative: Option<Relative>,
    pub household_head: Option<Relative>,
    pub household_number: Option<RecordText>,
}

/// A place of a record.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// `MaTinhThanh`.
    pub province: Option<ListCode>,
    /// `MaQuanHuyen`; old records only.
    pub district: Option<ListCode>,
    /// `MaPhuongXa`.
    pub commune: Option<ListCode>,
    /// `ChiTiet`.
    pub detail: Option<RecordText>,
    /// `QuocGia`.
    pub country: Option<ListCode>,
}

/// A person named in another's record.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Relative {
    /// `HoVaTen`.
    pub full_name: Option<RecordText>,
    /// `SoDinhDanh`.
    pub citizen_number: Option<CitizenNumber>,
    /// `SoCMND`.
    pub old_number: Option<OldNumber>,
    /// `QuocTich`.
    pub nationality: Option<ListCode>,
    /// `QuanHe`, of a head of household.
    pub relation: Option<ListCode>,
}

impl Citizen {
    /// The record with the fields of `shown` only.
    #[must_use]
    pub fn masked(mut self, shown: FieldSet) -> Self {
        for field in FieldSet::all().without(shown).iter() {
            self.clear(field);
        }
        self
    }

    fn clear(&mut self, field: Field) {
        match field {
            Field::CitizenNumber => self.citizen_number = None,
            Field::OldNumber => self.old_number = None,
            Field::FullName => self.full_name = None,
            Field::BirthDate => self.birth_date = None,
            Field::Sex => self.sex = None,
            Field::Ethnicity => self.ethnicity = None,
            Field::Religion => self.religion = None,
            Field::MaritalStatus => self.marital_status = None,
            Field::BloodGroup => self.blood_group = None,
            Field::Nationality => self.nationality = None,
            Field::BirthRegistration => self.birth_registration = None,
            Field::HomeTown => self.home_town = None,
            Field::PermanentResidence => self.permanent_residence = None,
            Field::CurrentResidence => self.current_residence = None,
            Field::Father => self.father = None,
            Field::Mother => self.mother = None,
            Field::Spouse => self.spouse = None,
            Field::Representative => self.representative = None,
            Field::HouseholdHead => self.household_head = None,
            Field::HouseholdNumber => self.household_number = None,
        }
    }

    /// The fields that are present.
    pub fn fields(&self) -> FieldSet {
        let present = [
            (Field::CitizenNumber, self.citizen_number.is_some()),
            (Field::OldNumber, self.old_number.is_some()),
            (Field::FullName, self.full_name.is_some()),
            (Field::BirthDate, self.birth_date.is_some()),
            (Field::Sex, self.sex.is_some()),
            (Field::Ethnicity, self.ethnicity.is_some()),
            (Field::Religion, self.religion.is_some()),
            (Field::MaritalStatus, self.marital_status.is_some()),
            (Field::BloodGroup, self.blood_group.is_some()),
            (Field::Nationality, self.nationality.is_some()),
            (Field::BirthRegistration, self.birth_registration.is_some()),
            (Field::HomeTown, self.home_town.is_some()),
            (
                Field::PermanentResidence,
                self.permanent_residence.is_some(),
            ),
            (Field::CurrentResidence, self.current_residence.is_some()),
            (Field::Father, self.father.is_some()),
            (Field::Mother, self.mother.is_some()),
            (Field::Spouse, self.spouse.is_some()),
            (Field::Representative, self.representative.is_some()),
            (Field::HouseholdHead, self.household_head.is_some()),
            (Field::HouseholdNumber, self.household_number.is_some()),
        ];
        let present = present.into_iter().filter(|(_, present)| *present);
        present.map(|(field, _)| field).collect()
    }

    /// The relatives that are present, with the field each stands in.
    pub fn relatives(&self) -> impl Iterator<Item = (Field, &Relative)> {
        [
            (Field::Father, &self.father),
            (Field::Mother, &self.mother),
            (Field::Spouse, &self.spouse),
            (Field::Representative, &self.representative),
            (Field::HouseholdHead, &self.household_head),
        ]
        .into_iter()
        .filter_map(|(field, relative)| Some((field, relative.as_ref()?)))
    }
}

impl fmt::Debug for Citizen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Citizen({})", self.fields())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place(***)")
    }
}

impl fmt::Debug for Relative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Relative(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Citizen {
        let text = |text: &str| Some(RecordText::new(Text::parse(text).unwrap()));
        let code = |code: &str| Some(ListCode::parse(code).unwrap());
        let place = || Some(Place::default());
        let relative = || Some(Relative::default());
        Citizen {
            citizen_number: CitizenNumber::parse("038091012345").ok(),
            old_number: OldNumber::parse("171234567").ok(),
            full_name: text("LÊ THỊ HOÀ"),
            birth_date: BirthDate::parse("1991-04-30").ok(),
            sex: Some(Sex::Female),
            ethnicity: code("01"),
            religion: code("00"),
            marital_status: code("1"),
            blood_group: code("O"),
            nationality: code("VN"),
            birth_registration: place(),
            home_town: place(),
            permanent_residence: place(),
            current_residence: place(),
            father: relative(),
            mother: relative(),
            spouse: relative(),
            representative: relative(),
            household_head: relative(),
            household_number: text("380123456"),
        }
    }

    #[test]
    fn a_mask_leaves_exactly_its_fields() {
        assert_eq!(full().fields(), FieldSet::all());
        for field in Field::ALL {
            let only = FieldSet::from_iter([field]);
            assert_eq!(full().masked(only).fields(), only);
        }
        assert_eq!(full().masked(FieldSet::EMPTY), Citizen::default());
        assert_eq!(full().relatives().count(), 5);
    }

    #[test]
    fn a_record_prints_the_names_of_its_fields_only() {
        let shown = format!("{:?}", full().masked(FieldSet::KEY));
        assert_eq!(shown, "Citizen(citizen_number, full_name, birth_date)");
    }
}
