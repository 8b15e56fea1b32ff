//! Records.

use lienthong_domain::identity::citizen::{ListCode, RecordText};
use lienthong_domain::identity::{BirthDate, Citizen, CitizenNumber, OldNumber, Place, Relative};
use lienthong_domain::{Faults, Private, Reason, Text};
use lienthong_proto::identity::v1 as proto;

use super::{given, sex_from_proto, sex_to_proto};

/// The record in the contract's form.
pub fn citizen_to_proto(citizen: &Citizen) -> proto::Citizen {
    let place = |place: &Option<Place>| place.as_ref().map(place_to_proto);
    let relative = |relative: &Option<Relative>| relative.as_ref().map(relative_to_proto);
    let number = citizen
        .citizen_number
        .map(|number| number.as_str().to_owned());
    let old_number = citizen.old_number.map(|number| number.as_str().to_owned());
    proto::Citizen {
        citizen_number: number.unwrap_or_default(),
        old_number: old_number.unwrap_or_default(),
        full_name: shown(citizen.full_name.as_ref()),
        birth_date: citizen.birth_date.map(BirthDate::iso).unwrap_or_default(),
        sex: sex_to_proto(citizen.sex),
        ethnicity_code: code(citizen.ethnicity.as_ref()),
        religion_code: code(citizen.religion.as_ref()),
        marital_status_code: code(citizen.marital_status.as_ref()),
        blood_group_code: code(citizen.blood_group.as_ref()),
        nationality_code: code(citizen.nationality.as_ref()),
        birth_registration: place(&citizen.birth_registration),
        home_town: place(&citizen.home_town),
        permanent_residence: place(&citizen.permanent_residence),
        current_residence: place(&citizen.current_residence),
        father: relative(&citizen.father),
        mother: relative(&citizen.mother),
        spouse: relative(&citizen.spouse),
        representative: relative(&citizen.representative),
        household_head: relative(&citizen.household_head),
        household_number: shown(citizen.household_number.as_ref()),
    }
}

fn place_to_proto(place: &Place) -> proto::Place {
    proto::Place {
        province_code: code(place.province.as_ref()),
        district_code: code(place.district.as_ref()),
        commune_code: code(place.commune.as_ref()),
        detail: shown(place.detail.as_ref()),
        country_code: code(place.country.as_ref()),
    }
}

fn relative_to_proto(relative: &Relative) -> proto::Relative {
    let number = relative
        .citizen_number
        .map(|number| number.as_str().to_owned());
    let old_number = relative.old_number.map(|number| number.as_str().to_owned());
    proto::Relative {
        full_name: shown(relative.full_name.as_ref()),
        citizen_number: number.unwrap_or_default(),
        old_number: old_number.unwrap_or_default(),
        nationality_code: code(relative.nationality.as_ref()),
        relation_code: code(relative.relation.as_ref()),
    }
}

fn shown(text: Option<&RecordText>) -> String {
    text.map_or_else(String::new, |text| text.expose().as_str().to_owned())
}

fn code(code: Option<&ListCode>) -> String {
    code.map(ToString::to_string).unwrap_or_default()
}

/// The record that an adapter gave.
///
/// # Errors
/// Every fault, by the contract's names of the fields.
pub fn citizen_from_proto(message: &proto::Citizen) -> Result<Citizen, Faults> {
    let mut reader = Reader::default();
    let sex = reader.0.check("sex", sex_from_proto(message.sex));
    let citizen = Citizen {
        citizen_number: reader.parse(
            "citizen_number",
            &message.citizen_number,
            CitizenNumber::parse,
        ),
        old_number: reader.parse("old_number", &message.old_number, OldNumber::parse),
        full_name: reader.parse("full_name", &message.full_name, private),
        birth_date: reader.parse("birth_date", &message.birth_date, BirthDate::parse),
        sex: sex.flatten(),
        ethnicity: reader.parse("ethnicity_code", &message.ethnicity_code, Text::parse),
        religion: reader.parse("religion_code", &message.religion_code, Text::parse),
        marital_status: reader.parse(
            "marital_status_code",
            &message.marital_status_code,
            Text::parse,
        ),
        blood_group: reader.parse("blood_group_code", &message.blood_group_code, Text::parse),
        nationality: reader.parse("nationality_code", &message.nationality_code, Text::parse),
        birth_registration: reader.place("birth_registration", message.birth_registration.as_ref()),
        home_town: reader.place("home_town", message.home_town.as_ref()),
        permanent_residence: reader
            .place("permanent_residence", message.permanent_residence.as_ref()),
        current_residence: reader.place("current_residence", message.current_residence.as_ref()),
        father: reader.relative("father", message.father.as_ref()),
        mother: reader.relative("mother", message.mother.as_ref()),
        spouse: reader.relative("spouse", message.spouse.as_ref()),
        representative: reader.relative("representative", message.representative.as_ref()),
        household_head: reader.relative("household_head", message.household_head.as_ref()),
        household_number: reader.parse("household_number", &message.household_number, private),
    };
    reader.0.into_result(citizen)
}

fn private(text: &str) -> Result<RecordText, Reason> {
    Text::parse(text).map(Private::new)
}

/// Gathers faults while it reads.
#[derive(Default)]
struct Reader(Faults);

impl Reader {
    fn parse<T>(
        &mut self,
        field: &str,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, Reason>,
    ) -> Option<T> {
        let parsed = given(text).map(parse).transpose();
        self.0.check(field, parsed).flatten()
    }

    fn part<T>(&mut self, field: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let mut inner = Self::default();
        let part = read(&mut inner);
        self.0.extend_under(field, inner.0);
        part
    }

    fn place(&mut self, field: &str, message: Option<&proto::Place>) -> Option<Place> {
        let message = message?;
        Some(self.part(field, |reader| Place {
            province: reader.parse("province_code", &message.province_code, Text::parse),
            district: reader.parse("district_code", &message.district_code, Text::parse),
            commune: reader.parse("commune_code", &message.commune_code, Text::parse),
            detail: reader.parse("detail", &message.detail, private),
            country: reader.parse("country_code", &message.country_code, Text::parse),
        }))
    }

    fn relative(&mut self, field: &str, message: Option<&proto::Relative>) -> Option<Relative> {
        let message = message?;
        Some(self.part(field, |reader| Relative {
            full_name: reader.parse("full_name", &message.full_name, private),
            citizen_number: reader.parse(
                "citizen_number",
                &message.citizen_number,
                CitizenNumber::parse,
            ),
            old_number: reader.parse("old_number", &message.old_number, OldNumber::parse),
            nationality: reader.parse("nationality_code", &message.nationality_code, Text::parse),
            relation: reader.parse("relation_code", &message.relation_code, Text::parse),
        }))
    }
}
