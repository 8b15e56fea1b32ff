//! Pages and cursors: opaque texts that hold a place in a list. Anything else is `PAGE_TOKEN_INVALID`.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lienthong_domain::{ErrorCode, Faults, Reason};
use lienthong_ports::store::ChangeCursor;
use lienthong_services::Error;

/// Entries of a page when the request names none.
pub(crate) const PAGE_SIZE_DEFAULT: u32 = 100;
/// Most entries of a page.
pub(crate) const PAGE_SIZE_MAX: u32 = 500;
/// Longest token or cursor, in characters.
const TOKEN_CHARS_MAX: usize = 200;
/// First byte of every token; grows when the layout changes.
const VERSION: u8 = 1;

/// Which list a token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    /// Dossiers by code.
    Dossiers = b'd' as isize,
    /// The events of one dossier by sequence.
    Timeline = b't' as isize,
    /// Parked deliveries by id.
    Parked = b'p' as isize,
    /// Verification jobs by id, newest first.
    Jobs = b'j' as isize,
    /// Usage records by id, newest first.
    Usage = b'u' as isize,
    /// Operations by number, newest first.
    Operations = b'o' as isize,
    /// Actions by number, newest first.
    Actions = b'a' as isize,
}

/// A bound for one page.
///
/// # Errors
/// `INVALID_FIELDS` above [`PAGE_SIZE_MAX`].
pub(crate) fn page_size(asked: u32) -> Result<usize, Faults> {
    let size = match asked {
        0 => PAGE_SIZE_DEFAULT,
        1..=PAGE_SIZE_MAX => asked,
        _ => {
            let (min, max) = (0, PAGE_SIZE_MAX.into());
            return Err(Faults::one("page_size", Reason::OutOfRange { min, max }));
        }
    };
    Ok(size as usize)
}

/// The token after `last` of a list narrowed by `filter`, or an empty one when the page was not full.
pub(crate) fn next_token(
    list: List,
    filter: &impl std::fmt::Debug,
    page: (usize, usize),
    last: Option<String>,
) -> String {
    let (found, size) = page;
    let Some(last) = last.filter(|_| found >= size) else {
        return String::new();
    };
    let mut bytes = vec![VERSION, list as u8];
    bytes.extend(fingerprint(filter).to_be_bytes());
    bytes.extend(last.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place a token holds; `None` for the empty token, which is the start.
///
/// # Errors
/// `PAGE_TOKEN_INVALID`, also for a token of another list or another filter.
pub(crate) fn after(
    list: List,
    filter: &impl std::fmt::Debug,
    token: &str,
) -> Result<Option<String>, Error> {
    if token.is_empty() {
        return Ok(None);
    }
    let bytes = decode(token)?;
    let rest = bytes
        .strip_prefix(&[VERSION, list as u8])
        .and_then(|rest| rest.strip_prefix(&fingerprint(filter).to_be_bytes()))
        .ok_or_else(invalid)?;
    let last = std::str::from_utf8(rest).map_err(|_| invalid())?;
    Ok(Some(last.to_owned()))
}

/// As [`after`], for lists ordered by a number; 0 is the start.
///
/// # Errors
/// As [`after`].
pub(crate) fn after_number(
    list: List,
    filter: &impl std::fmt::Debug,
    token: &str,
) -> Result<i64, Error> {
    match after(list, filter, token)? {
        None => Ok(0),
        Some(number) => number.parse().map_err(|_| invalid()),
    }
}

/// As [`after_number`], for lists with the newest first; `None` is the start.
///
/// # Errors
/// As [`after`].
pub(crate) fn before_number(
    list: List,
    filter: &impl std::fmt::Debug,
    token: &str,
) -> Result<Option<i64>, Error> {
    let number = after(list, filter, token)?;
    number
        .map(|number| number.parse().map_err(|_| invalid()))
        .transpose()
}

/// Writes a watch cursor.
pub(crate) fn cursor_to_text(cursor: ChangeCursor) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(cursor.event.to_be_bytes());
    bytes.extend(cursor.attempt.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a watch cursor; `None` for the empty one, which means from now on.
///
/// # Errors
/// `PAGE_TOKEN_INVALID`.
pub(crate) fn cursor_from_text(text: &str) -> Result<Option<ChangeCursor>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let bytes: [u8; 17] = decode(text)?.try_into().map_err(|_| invalid())?;
    let [VERSION, numbers @ ..] = bytes else {
        return Err(invalid());
    };
    let (event, attempt) = numbers.split_at(8);
    let number = |bytes: &[u8]| {
        let number = bytes.try_into().map_or(-1, i64::from_be_bytes);
        if number < 0 {
            Err(invalid())
        } else {
            Ok(number)
        }
    };
    Ok(Some(ChangeCursor {
        event: number(event)?,
        attempt: number(attempt)?,
    }))
}

fn decode(text: &str) -> Result<Vec<u8>, Error> {
    if text.len() > TOKEN_CHARS_MAX {
        return Err(invalid());
    }
    URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())
}

fn invalid() -> Error {
    Error::new(ErrorCode::PageTokenInvalid)
}

/// Tells filters apart. A collision only pages through the wrong list of the same caller, and a
/// token that another version of the program made may be refused: both are harmless.
fn fingerprint(filter: &impl std::fmt::Debug) -> u32 {
    let mut hasher = DefaultHasher::new();
    format!("{filter:?}").hash(&mut hasher);
    u32::try_from(hasher.finish() >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_is_good_for_its_own_list_and_filter_only() {
        let token = next_token(
            List::Dossiers,
            &"H21",
            (2, 2),
            Some("H21.17-240823-0001".into()),
        );
        let found = after(List::Dossiers, &"H21", &token).unwrap();
        assert_eq!(found.as_deref(), Some("H21.17-240823-0001"));
        assert!(after(List::Dossiers, &"H56", &token).is_err());
        assert!(after(List::Timeline, &"H21", &token).is_err());
        assert!(after_number(List::Dossiers, &"H21", &token).is_err());
        assert_eq!(after(List::Dossiers, &"H56", "").unwrap(), None);
        let last_page = next_token(List::Dossiers, &"H21", (1, 2), Some("x".into()));
        assert_eq!(last_page, "");
    }

    #[test]
    fn pages_have_bounds() {
        assert_eq!(page_size(0), Ok(100));
        assert_eq!(page_size(500), Ok(500));
        assert!(page_size(501).is_err());
    }

    proptest! {
        #[test]
        fn every_cursor_reads_back(event in 0..i64::MAX, attempt in 0..i64::MAX) {
            let cursor = ChangeCursor { event, attempt };
            let text = cursor_to_text(cursor);
            prop_assert_eq!(cursor_from_text(&text).unwrap(), Some(cursor));
        }

        #[test]
        fn any_text_is_answered(text in "[A-Za-z0-9_-]{0,40}|.*") {
            if let Ok(Some(cursor)) = cursor_from_text(&text) {
                prop_assert_eq!(cursor_to_text(cursor), text.clone());
            }
            if let Err(error) = after(List::Parked, &(), &text) {
                prop_assert_eq!(error.code, ErrorCode::PageTokenInvalid);
            }
        }
    }
}
