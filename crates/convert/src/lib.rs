#![doc = include_str!("../README.md")]

mod citizen;
mod claims;
mod fields;
mod verification;

pub use citizen::{citizen_from_proto, citizen_to_proto};
pub use claims::{claims_from_proto, claims_to_proto};
pub use fields::{fields_from_proto, fields_to_proto};
pub use verification::{verification_from_proto, verification_to_proto};

use lienthong_domain::Reason;
use lienthong_domain::identity::Sex;
use lienthong_proto::identity::v1 as proto;

/// A blank text is an absent one.
pub fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.trim().is_empty())
}

fn sex_to_proto(sex: Option<Sex>) -> i32 {
    let sex = match sex {
        None => proto::Sex::Unspecified,
        Some(Sex::Male) => proto::Sex::Male,
        Some(Sex::Female) => proto::Sex::Female,
    };
    sex.into()
}

fn sex_from_proto(number: i32) -> Result<Option<Sex>, Reason> {
    match proto::Sex::try_from(number) {
        Ok(proto::Sex::Unspecified) => Ok(None),
        Ok(proto::Sex::Male) => Ok(Some(Sex::Male)),
        Ok(proto::Sex::Female) => Ok(Some(Sex::Female)),
        Err(_) => Err(Reason::UnknownCode { what: "Sex" }),
    }
}

#[cfg(test)]
mod tests;
