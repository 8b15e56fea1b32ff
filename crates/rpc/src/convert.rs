//! From the contract's messages to the domain and back: free functions `from_proto` and `to_proto` per noun.
//!
//! Reading notes every fault against the field's path and goes on, so that a sender sees all of them at once.
//! Paths are relative to the message read, as `details.fees[2].amount_vnd`; no path is written before there is a fault.

pub(crate) mod admin;
pub(crate) mod details;
pub(crate) mod event;
pub(crate) mod identity;
pub(crate) mod operations;
pub(crate) mod overview;
pub(crate) mod report;
pub(crate) mod views;

use std::time::Duration;

use lienthong_domain::time::{YEAR_MAX, YEAR_MIN};
use lienthong_domain::{AgencyCode, DossierCode, Faults, Private, Reason, Text, Timestamp};

/// 1990-01-01T00:00:00+07:00, the first second of [`YEAR_MIN`] in Vietnam.
const SECOND_MIN: i64 = 631_126_800;
/// 2101-01-01T00:00:00+07:00, the second after the last of [`YEAR_MAX`] in Vietnam.
const SECOND_END: i64 = 4_133_955_600;
const NANOS_PER_MICRO: i32 = 1_000;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// Reads a part of a message and puts its faults under the part's place.
pub(crate) fn under<T>(
    faults: &mut Faults,
    place: impl FnOnce() -> String,
    read: impl FnOnce(&mut Faults) -> T,
) -> T {
    let mut own = Faults::new();
    let value = read(&mut own);
    if !own.is_empty() {
        faults.extend_under(&place(), own);
    }
    value
}

/// Reads the items of a list of at most `count_max`; a longer list is one fault and none of its items is read.
fn items<P, D>(
    faults: &mut Faults,
    field: &'static str,
    found: &[P],
    count_max: usize,
    read: impl Fn(&P, &mut Faults) -> Option<D>,
) -> Vec<D> {
    if found.len() > count_max {
        let (max, actual) = (count_max, found.len());
        faults.push(field, Reason::TooMany { max, actual });
        return Vec::new();
    }
    let mut values = Vec::with_capacity(found.len());
    for (index, item) in found.iter().enumerate() {
        let value = under(
            faults,
            || format!("{field}[{index}]"),
            |own| read(item, own),
        );
        values.extend(value);
    }
    values
}

/// One line of text; blank means absent.
pub(crate) fn text<const MAX: usize>(
    faults: &mut Faults,
    field: &'static str,
    raw: &str,
) -> Option<Text<MAX>> {
    let present = !raw.trim().is_empty();
    present.then(|| faults.check(field, Text::parse(raw)))?
}

/// As [`text`], for what may name a person.
fn private<const MAX: usize>(
    faults: &mut Faults,
    field: &'static str,
    raw: &str,
) -> Option<Private<Text<MAX>>> {
    text(faults, field, raw).map(Private::new)
}

/// As [`private`], for free text that may have several lines.
fn private_lines<const MAX: usize>(
    faults: &mut Faults,
    field: &'static str,
    raw: &str,
) -> Option<Private<Text<MAX>>> {
    let present = !raw.trim().is_empty();
    present.then(|| faults.check(field, Text::parse_multiline(raw).map(Private::new)))?
}

/// An absolute address of `http` or `https`; blank means absent.
fn url<const MAX: usize>(
    faults: &mut Faults,
    field: &'static str,
    raw: &str,
) -> Option<Private<Text<MAX>>> {
    let address = private(faults, field, raw)?;
    if is_web_address(address.expose().as_str()) {
        Some(address)
    } else {
        faults.push(field, Reason::NotUrl);
        None
    }
}

/// Whether the scheme is right and a host follows; what the address leads to is the portal's business.
fn is_web_address(address: &str) -> bool {
    let rest = ["https://", "http://"].iter().find_map(|scheme| {
        let head = address.get(..scheme.len())?;
        head.eq_ignore_ascii_case(scheme)
            .then(|| address.get(scheme.len()..))?
    });
    let has_host = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#']));
    has_host && !address.contains(char::is_whitespace)
}

/// A value of an official list whose number is the contract's minus `shift`; 0 means absent.
fn listed<D: TryFrom<i32, Error = Reason>>(
    faults: &mut Faults,
    field: &'static str,
    number: i32,
    shift: i32,
) -> Option<D> {
    let present = number != 0;
    present.then(|| faults.check(field, D::try_from(number.saturating_sub(shift))))?
}

/// An instant of the years that a business time may lie in; parts below a microsecond are cut, as the store does.
pub(crate) fn instant(
    faults: &mut Faults,
    field: &'static str,
    raw: Option<&prost_types::Timestamp>,
) -> Option<Timestamp> {
    raw.and_then(|raw| faults.check(field, instant_from_proto(raw)))
}

fn instant_from_proto(raw: &prost_types::Timestamp) -> Result<Timestamp, Reason> {
    if !(0..1_000_000_000).contains(&raw.nanos) {
        return Err(Reason::NotADate);
    }
    if !(SECOND_MIN..SECOND_END).contains(&raw.seconds) {
        return Err(Reason::OutOfRange {
            min: YEAR_MIN.into(),
            max: YEAR_MAX.into(),
        });
    }
    let nanos = raw.nanos - raw.nanos % NANOS_PER_MICRO;
    Timestamp::new(raw.seconds, nanos).map_err(|_| Reason::NotADate)
}

/// The contract's form of an instant.
pub(crate) fn instant_to_proto(at: Timestamp) -> prost_types::Timestamp {
    let micros = at.as_microsecond();
    let below_second = micros.rem_euclid(MICROS_PER_SECOND);
    prost_types::Timestamp {
        seconds: micros.div_euclid(MICROS_PER_SECOND),
        nanos: i32::try_from(below_second).unwrap_or(0) * NANOS_PER_MICRO,
    }
}

/// The contract's form of a span of time, cut at what protobuf can hold.
pub(crate) fn span_to_proto(span: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(span.subsec_nanos()).unwrap_or(0),
    }
}

/// Reads a dossier code that a request names.
///
/// # Errors
/// The fault of `dossier_code`.
pub(crate) fn dossier_code(raw: &str) -> Result<DossierCode, Faults> {
    DossierCode::parse(raw).map_err(|reason| Faults::one("dossier_code", reason))
}

/// Reads an agency code that narrows a request; empty means all.
fn agency(faults: &mut Faults, field: &'static str, raw: &str) -> Option<AgencyCode> {
    let present = !raw.is_empty();
    present.then(|| faults.check(field, AgencyCode::parse(raw)))?
}

/// Reads the agency code of a watch.
///
/// # Errors
/// The fault of `agency_code`.
pub(crate) fn watched_agency(raw: Option<&str>) -> Result<Option<AgencyCode>, Faults> {
    let mut faults = Faults::new();
    let code = agency(&mut faults, "agency_code", raw.unwrap_or_default());
    faults.into_result(code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64, nanos: i32) -> prost_types::Timestamp {
        prost_types::Timestamp { seconds, nanos }
    }

    #[test]
    fn instants_lie_in_their_years_and_are_whole() {
        let years = Reason::OutOfRange {
            min: 1990,
            max: 2100,
        };
        let refused = [
            (at(SECOND_MIN - 1, 0), years),
            (at(SECOND_END, 0), years),
            (at(i64::MIN, 0), years),
            (at(i64::MAX, 0), years),
            (at(SECOND_MIN, -1), Reason::NotADate),
            (at(SECOND_MIN, 1_000_000_000), Reason::NotADate),
        ];
        for (raw, reason) in refused {
            assert_eq!(instant_from_proto(&raw), Err(reason), "{raw:?}");
        }
        let first = instant_from_proto(&at(SECOND_MIN, 0)).unwrap();
        assert_eq!(first.to_string(), "1989-12-31T17:00:00Z");
        let last = instant_from_proto(&at(SECOND_END - 1, 999_999_999)).unwrap();
        assert_eq!(last.to_string(), "2100-12-31T16:59:59.999999Z");
    }

    #[test]
    fn addresses_are_absolute() {
        let good = [
            "https://motcua.gialai.gov.vn/tep/1",
            "HTTP://10.0.0.1/a?b=c",
            "http://a",
        ];
        let bad = [
            "",
            "ftp://a",
            "https://",
            "https:///x",
            "//a/b",
            "/tep/1",
            "http://a b",
            "ht",
        ];
        for address in good {
            assert!(is_web_address(address), "{address}");
        }
        for address in bad {
            assert!(!is_web_address(address), "{address}");
        }
    }

    #[test]
    fn blank_text_is_absent_and_bad_text_a_fault() {
        let mut faults = Faults::new();
        assert_eq!(text::<5>(&mut faults, "a", " \u{a0} "), None);
        assert!(faults.is_empty());
        assert_eq!(text::<5>(&mut faults, "b", "Gia Lai"), None);
        assert_eq!(text::<5>(&mut faults, "c", "\u{200b}"), None);
        let names: Vec<_> = faults
            .iter()
            .map(|fault| (fault.field.as_str(), fault.reason.name()))
            .collect();
        assert_eq!(names, [("b", "TOO_LONG"), ("c", "INVISIBLE_CHARACTER")]);
    }

    proptest! {
        #[test]
        fn every_instant_reads_back(micros in SECOND_MIN * MICROS_PER_SECOND..SECOND_END * MICROS_PER_SECOND) {
            let at = Timestamp::from_microsecond(micros).unwrap();
            prop_assert_eq!(instant_from_proto(&instant_to_proto(at)), Ok(at));
        }
    }
}
