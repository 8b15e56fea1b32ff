//! How long the caller waits: the header `grpc-timeout`.

use std::time::Duration;

use lienthong_domain::Reason;
use tonic::metadata::MetadataMap;

const TIMEOUT_HEADER: &str = "grpc-timeout";
/// Most digits. Source: gRPC over HTTP/2, "Timeout".
const DIGITS_MAX: usize = 8;

/// The time the caller gives; `None` when it gives no bound.
///
/// # Errors
/// [`Reason::BadForm`] when it is not one to eight digits and a unit.
pub(super) fn read(metadata: &MetadataMap) -> Result<Option<Duration>, Reason> {
    let malformed = Reason::BadForm {
        expected: "5S, 500m",
    };
    let Some(value) = metadata.get(TIMEOUT_HEADER) else {
        return Ok(None);
    };
    let (digits, unit) = value
        .as_bytes()
        .split_last()
        .map_or((&[][..], b' '), |(unit, digits)| (digits, *unit));
    let plain = digits.iter().all(u8::is_ascii_digit);
    if !plain || !(1..=DIGITS_MAX).contains(&digits.len()) {
        return Err(malformed);
    }
    let amount = digits
        .iter()
        .fold(0_u64, |amount, digit| amount * 10 + u64::from(digit - b'0'));
    let timeout = match unit {
        b'H' => Duration::from_hours(amount),
        b'M' => Duration::from_mins(amount),
        b'S' => Duration::from_secs(amount),
        b'm' => Duration::from_millis(amount),
        b'u' => Duration::from_micros(amount),
        b'n' => Duration::from_nanos(amount),
        _ => return Err(malformed),
    };
    Ok(Some(timeout))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Result<Option<Duration>, Reason> {
        let mut metadata = MetadataMap::new();
        metadata.insert(TIMEOUT_HEADER, text.parse().unwrap());
        read(&metadata)
    }

    #[test]
    fn timeouts_have_digits_and_a_unit() {
        let good = [
            ("2H", Duration::from_hours(2)),
            ("3M", Duration::from_mins(3)),
            ("5S", Duration::from_secs(5)),
            ("500m", Duration::from_millis(500)),
            ("7u", Duration::from_micros(7)),
            ("99999999n", Duration::from_nanos(99_999_999)),
        ];
        for (text, expected) in good {
            assert_eq!(said(text), Ok(Some(expected)), "{text}");
        }
        for text in [
            "",
            "S",
            "5",
            "5s",
            "-5S",
            "5 S",
            "100000000S",
            "1.5S",
            "5SS",
        ] {
            assert!(said(text).is_err(), "{text:?}");
        }
        assert_eq!(read(&MetadataMap::new()), Ok(None));
    }

    #[test]
    fn what_our_client_writes_is_read() {
        let mut request = tonic::Request::new(());
        request.set_timeout(Duration::from_millis(1_500));
        let read = read(request.metadata()).unwrap().unwrap();
        assert_eq!(read.as_millis(), 1_500);
    }
}
