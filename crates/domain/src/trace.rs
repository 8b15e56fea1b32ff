//! The W3C trace context of a status event: which trace its spans belong to, from the caller's call to the last attempt.
//!
//! Source: W3C Trace Context, `traceparent` version 00.

use std::fmt;

/// A span and its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// The trace; never all zero.
    pub trace_id: [u8; 16],
    /// The span that later ones are children of; never all zero.
    pub span_id: [u8; 8],
    /// Whether somebody records this trace.
    pub sampled: bool,
}

impl TraceContext {
    /// The name of the header and of the metadata that carry it.
    pub const HEADER: &str = "traceparent";

    /// Bytes of [`TraceContext::to_bytes`].
    pub const BYTES: usize = 25;

    /// Reads a `traceparent` header. Unknown versions are read as version 00, as the standard asks; anything
    /// malformed is `None`: a bad header starts a new trace and is no fault of the request.
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.trim().split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let version = byte(version)?;
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        let context = Self {
            trace_id: bytes(trace)?,
            span_id: bytes(span)?,
            sampled: byte(flags)? & 1 == 1,
        };
        (context.trace_id != [0; 16] && context.span_id != [0; 8]).then_some(context)
    }

    /// The stored form: trace, span, flags.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut all = [0; Self::BYTES];
        all[..16].copy_from_slice(&self.trace_id);
        all[16..24].copy_from_slice(&self.span_id);
        all[24] = u8::from(self.sampled);
        all
    }

    /// The inverse of [`TraceContext::to_bytes`]; `None` for anything else.
    pub fn from_bytes(all: &[u8]) -> Option<Self> {
        let all: &[u8; Self::BYTES] = all.try_into().ok()?;
        let (trace_id, rest) = all.split_first_chunk::<16>()?;
        let (span_id, flags) = rest.split_first_chunk::<8>()?;
        Some(Self {
            trace_id: *trace_id,
            span_id: *span_id,
            sampled: flags == [1],
        })
    }

    /// The trace as 32 lower-case hexadecimal digits, as in logs.
    pub fn trace_hex(&self) -> String {
        hex::encode(self.trace_id)
    }

    /// The span as 16 lower-case hexadecimal digits, as in logs.
    pub fn span_hex(&self) -> String {
        hex::encode(self.span_id)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace, span) = (self.trace_hex(), self.span_hex());
        write!(f, "00-{trace}-{span}-{:02x}", u8::from(self.sampled))
    }
}

fn byte(text: &str) -> Option<u8> {
    bytes::<1>(text).map(|[byte]| byte)
}

/// Exactly `N` bytes of lower-case hexadecimal digits.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.bytes().any(|digit| digit.is_ascii_uppercase()) {
        return None;
    }
    let mut read = [0; N];
    hex::decode_to_slice(text, &mut read).ok()?;
    Some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_header_is_read_and_written_alike() {
        let context = TraceContext::parse(HEADER).expect("it is well formed");
        assert!(context.sampled);
        assert_eq!(context.to_string(), HEADER);
        assert_eq!(TraceContext::from_bytes(&context.to_bytes()), Some(context));
    }

    #[test]
    fn malformed_headers_are_none() {
        for header in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(header), None, "{header:?}");
        }
    }

    #[test]
    fn a_later_version_may_carry_more() {
        let header = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-more";
        let context = TraceContext::parse(header).expect("read as version 00");
        assert!(!context.sampled);
    }
}
