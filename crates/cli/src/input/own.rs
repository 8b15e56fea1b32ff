//! Our own form: `lienthong.dossier.v1.StatusEvent` in protobuf's JSON form.

use lienthong_domain::code::DossierCode;
use lienthong_domain::event::IdempotencyKey;
use lienthong_domain::fault::{Faults, Reason};
use lienthong_proto::dossier::v1::{DossierStatus, StatusEvent};
use serde_json::{Map, Value};

use super::{Fault, Item, faults_of};
use crate::messages;

/// Keys that tell our own form from the portal's.
pub(super) const TELLING_KEYS: [&str; 3] = ["idempotency_key", "dossier_code", "occurred_at"];

const STATUS_PREFIX: &str = "DOSSIER_STATUS_";

/// Reads one event.
///
/// # Errors
/// The first fault of form, else every missing or malformed required field.
pub(super) fn read(mut object: Map<String, Value>) -> Result<Item, Vec<Fault>> {
    if let Some(Value::String(name)) = object.get_mut("status")
        && !name.starts_with(STATUS_PREFIX)
    {
        name.insert_str(0, STATUS_PREFIX);
    }
    let event: StatusEvent =
        messages::from_json("lienthong.dossier.v1.StatusEvent", Value::Object(object))
            .map_err(|error| vec![misfit(&error.to_string())])?;

    let mut faults = Faults::new();
    faults.check(
        "idempotency_key",
        IdempotencyKey::parse(&event.idempotency_key),
    );
    faults.check("dossier_code", DossierCode::parse(&event.dossier_code));
    if event.status == 0 {
        faults.push("status", Reason::Missing);
    } else if DossierStatus::try_from(event.status).is_err() {
        faults.push(
            "status",
            Reason::UnknownCode {
                what: "TrangThaiHoSo",
            },
        );
    }
    if event.occurred_at.is_none() {
        faults.push("occurred_at", Reason::Missing);
    }
    match faults.into_result(event) {
        Ok(event) => Ok(Item::Own(event)),
        Err(faults) => Err(faults_of(&faults)),
    }
}

fn misfit(error: &str) -> Fault {
    let told = without_values(error);
    Fault::of_line(
        "BAD_FORM",
        &format!("Dòng không đúng cấu trúc StatusEvent: {told}."),
        &format!("The line does not have the form of a StatusEvent: {told}."),
    )
}

/// The parser's sentence up to where it may begin to quote the line: a quote of any kind or a digit.
/// Quotes cannot be paired, since a quoted value may hold quotes itself.
fn without_values(sentence: &str) -> String {
    let may_quote = |found: char| matches!(found, '"' | '\'' | '`') || found.is_ascii_digit();
    match sentence.split_once(may_quote) {
        Some((own_words, _)) => format!("{own_words}…"),
        None => sentence.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_json(value: Value) -> Result<Item, Vec<Fault>> {
        let Value::Object(object) = value else {
            panic!("tests write objects")
        };
        read(object)
    }

    #[test]
    fn a_status_is_a_number_or_a_name() {
        for status in [
            json!(2),
            json!("ACCEPTED"),
            json!("DOSSIER_STATUS_ACCEPTED"),
        ] {
            let item = read_json(json!({
                "idempotency_key": "H56/1", "dossier_code": "H56.14-240823-0001",
                "status": status, "occurred_at": "2024-08-23T08:00:00+07:00",
            }));
            let Ok(Item::Own(event)) = item else {
                panic!("{status} was refused")
            };
            assert_eq!(event.status(), DossierStatus::Accepted);
            assert_eq!(event.occurred_at.unwrap().seconds, 1_724_374_800);
        }
    }

    #[test]
    fn all_required_fields_are_named_at_once() {
        let faults = read_json(json!({"dossier_code": "H56"})).unwrap_err();
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(
            fields,
            ["idempotency_key", "dossier_code", "status", "occurred_at"]
        );
    }

    #[test]
    fn a_misfit_quotes_nothing_personal() {
        for bad in [
            json!({"occurred_at": "Nguyễn Thị Hoà"}),
            json!({"details": {"applicant": {"identities": {"items": [{"number": 38_170_000_123_u64}]}}}}),
            json!({"progress": "Nguyễn Thị Hoà"}),
            json!({"progress": "\" Nguyễn Thị Hoà \" 038170000123"}),
            json!({"progress": "' Nguyễn Thị Hoà"}),
            json!({"status": "Nguyễn Thị Hoà"}),
            json!({"status": "\"' Nguyễn Thị Hoà '\""}),
            json!({"Nguyễn Thị Hoà": "x"}),
            json!({"details": {"applicant": {"Nguyễn \" Thị Hoà": "x"}}}),
            json!({"occurred_at": 38_170_000_123_u64}),
            json!({"source_sequence": 38_170_000_123.5_f64}),
            json!({"source_sequence": "038170000123x"}),
        ] {
            let faults = read_json(bad).unwrap_err();
            assert_eq!(faults.len(), 1);
            assert_eq!(faults[0].reason, "BAD_FORM");
            for told in [&faults[0].vi, &faults[0].en] {
                let is_clean = ["Nguyễn", "Thị", "Hoà", "38170", "0123"]
                    .iter()
                    .all(|personal| !told.contains(personal));
                assert!(is_clean, "{told}");
            }
        }
    }
}
