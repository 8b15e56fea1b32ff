//! The header by which a gRPC caller says how long it waits.

use std::time::Duration;

/// Name of the header.
pub const GRPC_TIMEOUT_HEADER: &str = "grpc-timeout";
/// Most digits. Source: gRPC over HTTP/2, "Timeout".
const DIGITS_MAX: usize = 8;

/// Reads the value of `grpc-timeout`: one to eight digits and a unit, such as `500m`; `None` for anything else.
pub fn parse_grpc_timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    let plain = digits.iter().all(u8::is_ascii_digit);
    if !plain || !(1..=DIGITS_MAX).contains(&digits.len()) {
        return None;
    }
    let digit = |amount: u64, digit: &u8| amount * 10 + u64::from(digit - b'0');
    let amount = digits.iter().fold(0, digit);
    match unit {
        b'H' => Some(Duration::from_hours(amount)),
        b'M' => Some(Duration::from_mins(amount)),
        b'S' => Some(Duration::from_secs(amount)),
        b'm' => Some(Duration::from_millis(amount)),
        b'u' => Some(Duration::from_micros(amount)),
        b'n' => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_have_digits_and_a_unit() {
        let good = [
            ("2H", Duration::from_hours(2)),
            ("3M", Duration::from_mins(3)),
            ("5S", Duration::from_secs(5)),
            ("500m", Duration::from_millis(500)),
            ("7u", Duration::from_micros(7)),
            ("99999999n", Duration::from_nanos(99_999_999)),
            ("0S", Duration::ZERO),
        ];
        for (text, expected) in good {
            assert_eq!(
                parse_grpc_timeout(text.as_bytes()),
                Some(expected),
                "{text}"
            );
        }
        let bad = [
            "",
            "S",
            "5",
            "5s",
            "-5S",
            "+5S",
            "5 S",
            "100000000S",
            "1.5S",
            "5SS",
            "5ẩ",
        ];
        for text in bad {
            assert_eq!(parse_grpc_timeout(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn what_tonic_writes_is_read() {
        let mut request = tonic::Request::new(());
        request.set_timeout(Duration::from_millis(1_500));
        let value = request.metadata().get(GRPC_TIMEOUT_HEADER).unwrap();
        let read = parse_grpc_timeout(value.as_bytes());
        assert_eq!(read, Some(Duration::from_millis(1_500)));
    }
}
