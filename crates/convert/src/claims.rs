//! Claims.

use lienthong_domain::identity::citizen::RecordText;
use lienthong_domain::identity::{BirthDate, Claims, FullName, IdNumber, OldNumber};
use lienthong_domain::{Faults, Private, Reason, Text};
use lienthong_proto::identity::v1 as proto;

use super::{given, sex_from_proto, sex_to_proto};

/// The claims in the contract's form.
pub fn claims_to_proto(claims: &Claims) -> proto::Claims {
    let text = |text: Option<&RecordText>| {
        text.map_or_else(String::new, |text| text.expose().as_str().to_owned())
    };
    let ethnicity = claims.ethnicity.as_ref().map(ToString::to_string);
    proto::Claims {
        number: claims.number.as_str().to_owned(),
        full_name: claims.name.as_str().to_owned(),
        birth_date: claims.birth.iso(),
        sex: sex_to_proto(claims.sex),
        ethnicity_code: ethnicity.unwrap_or_default(),
        old_number: claims
            .old_number
            .map_or_else(String::new, |number| number.as_str().to_owned()),
        home_town: text(claims.home_town.as_ref()),
        permanent_residence: text(claims.permanent_residence.as_ref()),
    }
}

/// The claims of a request.
///
/// # Errors
/// Every fault, by the contract's names of the fields.
pub fn claims_from_proto(message: &proto::Claims) -> Result<Claims, Faults> {
    let mut faults = Faults::new();
    let number = faults.check("number", IdNumber::parse(&message.number));
    let name = faults.check("full_name", FullName::parse(&message.full_name));
    let birth = faults.check("birth_date", BirthDate::parse(&message.birth_date));
    let sex = faults.check("sex", sex_from_proto(message.sex));
    let ethnicity = given(&message.ethnicity_code).map(Text::parse).transpose();
    let ethnicity = faults.check("ethnicity_code", ethnicity);
    let old_number = given(&message.old_number).map(OldNumber::parse).transpose();
    let old_number = faults.check("old_number", old_number);
    let home_town = faults.check("home_town", place(&message.home_town));
    let residence = place(&message.permanent_residence);
    let residence = faults.check("permanent_residence", residence);
    if let (Some(IdNumber::Old(_)), Some(Some(_))) = (number, old_number) {
        // The key already holds a number of this kind.
        faults.push("old_number", Reason::Conflict { with: "number" });
    }
    let (Some(number), Some(name), Some(birth)) = (number, name, birth) else {
        return Err(faults);
    };
    faults.into_result(Claims {
        number,
        name,
        birth,
        sex: sex.flatten(),
        ethnicity: ethnicity.flatten(),
        old_number: old_number.flatten(),
        home_town: home_town.flatten(),
        permanent_residence: residence.flatten(),
    })
}

fn place(text: &str) -> Result<Option<RecordText>, Reason> {
    let text = given(text).map(Text::parse).transpose()?;
    Ok(text.map(Private::new))
}
