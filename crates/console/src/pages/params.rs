//! What a query or a form says: names and values, in order, some of them several times.

use std::fmt::Write as _;

use serde::Deserialize;

/// Pairs that are read of one query or form; more are left out.
const PAIRS_MAX: usize = 1_200;

/// The pairs of a query or a form.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// The pairs.
    #[cfg(test)]
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self(pairs.iter().map(owned).collect())
    }

    /// The first value of that name without blanks around it; empty for none.
    pub(crate) fn get(&self, name: &str) -> &str {
        let mut pairs = self.0.iter().take(PAIRS_MAX);
        let found = pairs.find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// [`Params::get`], to keep.
    pub(crate) fn text(&self, name: &str) -> String {
        self.get(name).to_owned()
    }

    /// The first value of that name as one line: a reason is written into records of one line, and people type or
    /// paste several.
    pub(crate) fn line(&self, name: &str) -> String {
        let lines = self.get(name).lines().map(str::trim);
        let filled = lines.filter(|line| !line.is_empty());
        filled.collect::<Vec<_>>().join(" ")
    }

    /// Every value of that name, without blanks around them.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .take(PAIRS_MAX)
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.trim())
    }

    /// Whether a box of that name is ticked.
    pub(crate) fn has(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }

    /// A number; `None` where there is none or it cannot be read.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name).parse().ok()
    }
}

/// An address with a query; pairs without a value are left out.
pub(crate) fn address<'a>(
    path: &str,
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut address = path.to_owned();
    let mut joint = '?';
    for (name, value) in pairs {
        if !value.is_empty() {
            address.push(joint);
            address.push_str(&encoded(name));
            address.push('=');
            address.push_str(&encoded(value));
            joint = '&';
        }
    }
    address
}

/// A text as a part of an address.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a text takes whatever is written");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_come_several_times() {
        let params = Params::of(&[
            ("id", "1"),
            ("reason", " lỗi mạng "),
            ("id", "2"),
            ("n", "x"),
        ]);
        assert_eq!(params.all("id").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(params.get("reason"), "lỗi mạng");
        assert_eq!(params.get("none"), "");
        assert_eq!(params.number::<u32>("n"), None);
        assert!(params.has("n") && !params.has("none"));
    }

    #[test]
    fn several_lines_are_read_as_one() {
        let line = |text| Params::of(&[("reason", text)]).line("reason");
        assert_eq!(
            line("cổng đã sửa\r\n\r\n  lúc 14:00 \n"),
            "cổng đã sửa lúc 14:00"
        );
        assert_eq!(line("lỗi  mạng"), "lỗi  mạng");
        assert_eq!(line(" \n "), "");
    }

    #[test]
    fn addresses_carry_any_text() {
        let address = address(
            "/parked",
            [("code", "-1 & lỗi"), ("root", ""), ("p", "1.0")],
        );
        assert_eq!(address, "/parked?code=-1%20%26%20l%E1%BB%97i&p=1.0");
    }
}
