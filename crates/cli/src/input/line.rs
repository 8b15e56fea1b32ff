//! One line of input to the items in it: a call of the portal, a bare object of one, or our own form.

use lienthong_domain::fault::Reason;
use serde_json::{Map, Value};

use super::fields::{Fields, Findings};
use super::{Fault, Item, UnknownKeys, dossier, faults_of, own, progress};

/// Longest line, in bytes. A call may hold many dossiers, each an event of its own, so a line may be
/// longer than one message to the gateway; that bound is kept for each event by the push's reader.
pub(crate) const LINE_BYTES_MAX: usize = 4 << 20;

/// Reads one line without its end. It is taken as a whole or refused as a whole.
///
/// # Errors
/// Every fault of the line.
pub(crate) fn read(raw: &[u8]) -> Result<(Vec<Item>, UnknownKeys), Vec<Fault>> {
    if raw.len() > LINE_BYTES_MAX {
        let vi = "Dòng dài hơn 4 MiB.";
        return Err(vec![Fault::of_line(
            "TOO_LONG",
            vi,
            "The line is longer than 4 MiB.",
        )]);
    }
    let text = std::str::from_utf8(raw).map_err(|_invalid| {
        let vi = "Dòng không phải UTF-8; hãy lưu tệp theo bảng mã UTF-8.";
        let en = "The line is not UTF-8; save the file as UTF-8.";
        vec![Fault::of_line("NOT_UTF8", vi, en)]
    })?;
    let object = match serde_json::from_str(text) {
        Ok(Value::Object(object)) => object,
        Ok(_other) => {
            let vi = "Dòng phải là một đối tượng JSON {...}.";
            let en = "The line must be one JSON object {...}.";
            return Err(vec![Fault::of_line("NOT_OBJECT", vi, en)]);
        }
        Err(error) => {
            let column = error.column();
            let vi = format!("Dòng không phải JSON (ký tự thứ {column}).");
            let en = format!("The line is not JSON (at byte {column}).");
            return Err(vec![Fault::of_line("NOT_JSON", &vi, &en)]);
        }
    };
    if has_any(&object, &own::TELLING_KEYS) {
        return own::read(object).map(|item| (vec![item], UnknownKeys::new()));
    }
    portal(&object)
}

type Reader = fn(&mut Fields<'_>) -> Item;

fn portal(object: &Map<String, Value>) -> Result<(Vec<Item>, UnknownKeys), Vec<Fault>> {
    let mut findings = Findings::default();
    let items = if object.contains_key("service") || object.contains_key("data") {
        call(object, &mut findings)
    } else {
        let read = bare_reader(object).ok_or_else(|| {
            let vi = "Dòng không phải hồ sơ, dòng tiến độ hay StatusEvent.";
            let en = "The line is neither a dossier nor a progress line nor a StatusEvent.";
            vec![Fault::of_line("UNKNOWN_KIND", vi, en)]
        })?;
        let mut fields = Fields::new(object, String::new(), &mut findings);
        let item = read(&mut fields);
        fields.finish();
        vec![item]
    };
    if findings.faults.is_empty() {
        Ok((items, findings.unknown))
    } else {
        Err(faults_of(&findings.faults))
    }
}

fn bare_reader(object: &Map<String, Value>) -> Option<Reader> {
    if has_any(object, &dossier::TELLING_KEYS) {
        Some(dossier::read)
    } else if has_any(object, &progress::TELLING_KEYS) {
        Some(progress::read)
    } else {
        None
    }
}

fn call(object: &Map<String, Value>, findings: &mut Findings) -> Vec<Item> {
    let mut envelope = Fields::new(object, String::new(), findings);
    let read: Option<Reader> = envelope.required("service", |name| match name {
        "DongBoHoSoMC" => Ok(dossier::read as Reader),
        "CapNhatTienDoHoSoMC" => Ok(progress::read as Reader),
        _ => Err(Reason::UnknownCode { what: "service" }),
    });
    // The session is the old system's own, the agency is known from the certificate, and whether a
    // dossier is new is for the gateway to find out.
    for ignored in ["session", "madonvi"] {
        envelope.parsed(ignored, |_any| Ok(()));
    }
    envelope.flag("isUpdating");
    // An empty call says nothing; taken for a success, it would hide a fault of the export.
    let empty = object
        .get("data")
        .is_none_or(|data| data.is_null() || data.as_array().is_some_and(Vec::is_empty));
    if empty {
        envelope.fault("data", Reason::Missing);
    }
    let Some(read) = read else {
        return Vec::new();
    };
    let items = envelope.list("data", read);
    envelope.finish();
    items.unwrap_or_default()
}

fn has_any(object: &Map<String, Value>, keys: &[&str]) -> bool {
    keys.iter().any(|key| object.contains_key(*key))
}
