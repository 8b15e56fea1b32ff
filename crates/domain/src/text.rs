//! Vietnamese text in one form, whatever keyboard or system typed it, and the wrapper that keeps
//! personal data from printing itself.
//!
//! The same word reaches us precomposed (NFC), decomposed (NFD) or half and half (Windows-1258:
//! `ê` plus a combining tone). All become NFC here, so equal words are equal bytes.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_public_assigned;

use crate::fault::Reason;

/// Non-empty text of at most `MAX` Unicode scalar values: NFC, no blanks at either end, single
/// spaces inside, nothing invisible.
///
/// It prints itself: wrap names of people and other personal data in [`Private`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MAX: usize>(String);

/// Which control characters a text keeps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    /// None.
    One,
    /// Line feed and tab.
    Many,
}

impl Lines {
    fn keep(self, found: char) -> bool {
        self == Self::Many && matches!(found, '\n' | '\t')
    }
}

impl<const MAX: usize> Text<MAX> {
    /// Reads one line.
    ///
    /// # Errors
    ///
    /// [`Reason::Missing`] if there are only blanks, [`Reason::TooLong`] (counted after
    /// normalisation), or why the first refused character was refused:
    /// [`Reason::ControlCharacter`], [`Reason::BidiControl`], [`Reason::InvisibleCharacter`],
    /// [`Reason::UnassignedCharacter`].
    pub fn parse(raw: &str) -> Result<Self, Reason> {
        normalise(raw, Lines::One, MAX).map(Self)
    }

    /// Reads text that may hold line feeds and tabs; a Windows line end becomes a line feed.
    ///
    /// # Errors
    ///
    /// As [`Text::parse`].
    pub fn parse_multiline(raw: &str) -> Result<Self, Reason> {
        if raw.contains("\r\n") {
            normalise(&raw.replace("\r\n", "\n"), Lines::Many, MAX).map(Self)
        } else {
            normalise(raw, Lines::Many, MAX).map(Self)
        }
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The normalised text, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

fn normalise(raw: &str, lines: Lines, chars_max: usize) -> Result<String, Reason> {
    // Nearly all text arrives as it shall be kept, and every accepted event holds dozens of texts.
    let trimmed = raw.trim_matches(|found| found == ' ' || lines.keep(found));
    match chars_if_normal(trimmed, lines) {
        Some(0) => Err(Reason::Missing),
        Some(chars) => refuse_longer(chars, chars_max).map(|()| trimmed.to_owned()),
        None => normalise_any(raw, lines, chars_max),
    }
}

/// The length of `trimmed` if one look tells that normalising would change and refuse nothing.
fn chars_if_normal(trimmed: &str, lines: Lines) -> Option<usize> {
    let mut chars = 0;
    let mut is_after_blank = false;
    for found in trimmed.chars() {
        let is_blank = found == ' ';
        if !(is_plain(found) || lines.keep(found)) || (is_blank && is_after_blank) {
            return None;
        }
        is_after_blank = is_blank;
        chars += 1;
    }
    Some(chars)
}

/// Whether `found` is the space or a visible character that NFC keeps whatever stands before it:
/// ASCII, the Latin letters of Vietnamese and their neighbours, and common punctuation.
const fn is_plain(found: char) -> bool {
    matches!(
        found,
        ' '..='~'
            | '\u{A1}'..='\u{AC}'
            | '\u{AE}'..='\u{24F}'
            | '\u{1E00}'..='\u{1EFF}'
            | '\u{2010}'..='\u{2027}'
    )
}

/// As [`normalise`], for text of any kind.
fn normalise_any(raw: &str, lines: Lines, chars_max: usize) -> Result<String, Reason> {
    let mut text = String::with_capacity(raw.len());
    for found in raw.nfc() {
        if is_blank(found) {
            if !text.ends_with(' ') {
                text.push(' ');
            }
        } else {
            if !is_plain(found) {
                refuse_hidden(found, lines)?;
            }
            text.push(found);
        }
    }
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(Reason::Missing);
    }
    refuse_longer(trimmed.chars().count(), chars_max)?;
    Ok(trimmed.to_owned())
}

const fn refuse_longer(actual: usize, max: usize) -> Result<(), Reason> {
    if actual > max {
        Err(Reason::TooLong { max, actual })
    } else {
        Ok(())
    }
}

/// Whether `found` is some width of space, the no-break space of word processors included.
pub(crate) fn is_blank(found: char) -> bool {
    found.is_whitespace() && !is_line_control(found)
}

/// Controls, and the two separators that Unicode added beside them.
fn is_line_control(found: char) -> bool {
    found.is_control() || matches!(found, '\u{2028}' | '\u{2029}')
}

fn refuse_hidden(found: char, lines: Lines) -> Result<(), Reason> {
    match found {
        _ if lines.keep(found) => Ok(()),
        _ if is_line_control(found) => Err(Reason::ControlCharacter),
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            Err(Reason::BidiControl)
        }
        // Variation selectors are let through: they only choose a glyph, and phones add them.
        '\u{00AD}' // soft hyphen
        | '\u{034F}' // combining grapheme joiner
        | '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' // Hangul fillers
        | '\u{180E}' // Mongolian vowel separator
        | '\u{200B}'..='\u{200D}' // zero-width space, non-joiner, joiner
        | '\u{2060}'..='\u{2064}' // word joiner, invisible operators
        | '\u{206A}'..='\u{206F}' // deprecated shaping controls
        | '\u{FEFF}' // byte order mark
        | '\u{E0000}'..='\u{E007F}' // tags
        => Err(Reason::InvisibleCharacter),
        _ if !is_public_assigned(found) => Err(Reason::UnassignedCharacter),
        _ => Ok(()),
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> AsRef<str> for Text<MAX> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// A plain string.
impl<const MAX: usize> Serialize for Text<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A plain string of one or many lines, checked again: the type does not say which it was.
impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse_multiline(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Personal data: `Debug` prints `Private(***)`, there is no `Display`, and a value that cannot be
/// read is not quoted in the error.
///
/// ```
/// use lienthong_domain::{Private, Text};
///
/// let owner = Private::new(Text::<200>::parse("Nguyễn Thị Ánh")?);
/// assert_eq!(format!("{owner:?}"), "Private(***)");
/// assert_eq!(owner.expose().as_str(), "Nguyễn Thị Ánh");
/// # Ok::<(), lienthong_domain::Reason>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Private<T>(T);

impl<T> Private<T> {
    /// Marks `value` as personal.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the one place that must send, store or compare it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private(***)")
    }
}

/// As the value itself: what is serialised leaves for the store or the destination, not for a log.
impl<T: Serialize> Serialize for Private<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// As the value itself.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Private<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // serde quotes a value of the wrong type in its message; that message may reach a log.
        let value = T::deserialize(deserializer)
            .map_err(|_quoting| D::Error::custom("a private value has the wrong type or form"))?;
        Ok(Self(value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::char::canonical_combining_class;
    use unicode_normalization::{IsNormalized, is_nfc_quick};

    use super::*;

    const NAME: &str = "Nguyễn Thị Ánh Tuyết, xã Ia Grai, tỉnh Gia Lai";
    const VOWELS: &str = "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY";
    const TONES: [&str; 6] = ["", "\u{300}", "\u{301}", "\u{303}", "\u{309}", "\u{323}"];

    fn parse(raw: &str) -> Result<String, Reason> {
        Text::<1000>::parse(raw).map(Text::into_string)
    }

    /// Precomposed base letter and combining tone, as Windows-1258 writes it.
    fn windows_1258(tone: &str, vowel: char) -> String {
        format!("t{vowel}{tone}ng")
    }

    #[test]
    fn every_vietnamese_vowel_has_one_form() {
        for vowel in VOWELS.chars() {
            for tone in TONES {
                let mixed = windows_1258(tone, vowel);
                let composed: String = mixed.nfc().collect();
                let decomposed: String = mixed.nfd().collect();
                assert_eq!(
                    composed.chars().count(),
                    4,
                    "{composed} is not one letter per vowel"
                );
                for form in [&mixed, &composed, &decomposed] {
                    assert_eq!(parse(form), Ok(composed.clone()));
                }
            }
        }
    }

    #[test]
    fn deprecated_tone_marks_are_the_plain_ones() {
        assert_eq!(parse("ê\u{340}"), Ok("ề".to_owned()));
        assert_eq!(parse("ê\u{341}"), Ok("ế".to_owned()));
    }

    #[test]
    fn blanks_are_trimmed_and_collapsed() {
        assert_eq!(
            parse(" \u{A0}Đăng  ký\u{3000}\u{A0}khai sinh "),
            Ok("Đăng ký khai sinh".into())
        );
        for blank in ["", "   ", "\u{A0}"] {
            assert_eq!(parse(blank), Err(Reason::Missing));
        }
    }

    #[test]
    fn hidden_characters_are_refused_by_kind() {
        let cases = [
            ("\u{0}", Reason::ControlCharacter),
            ("\u{7F}", Reason::ControlCharacter),
            ("\u{85}", Reason::ControlCharacter),
            ("\u{2028}", Reason::ControlCharacter),
            ("\n", Reason::ControlCharacter),
            ("\t", Reason::ControlCharacter),
            ("\u{202E}", Reason::BidiControl),
            ("\u{2066}", Reason::BidiControl),
            ("\u{200B}", Reason::InvisibleCharacter),
            ("\u{AD}", Reason::InvisibleCharacter),
            ("\u{FEFF}", Reason::InvisibleCharacter),
            ("\u{E000}", Reason::UnassignedCharacter),
            ("\u{378}", Reason::UnassignedCharacter),
            ("\u{FFFF}", Reason::UnassignedCharacter),
        ];
        for (hidden, reason) in cases {
            assert_eq!(
                parse(&format!("Thanh{hidden}Hóa")),
                Err(reason),
                "{hidden:?}"
            );
        }
    }

    #[test]
    fn lines_are_kept_only_where_they_are_allowed() {
        let note = Text::<100>::parse_multiline("\r\nThiếu:\r\n\t- bản sao  CMND\n").unwrap();
        assert_eq!(note.as_str(), "Thiếu:\n\t- bản sao CMND");
        let stray = Text::<100>::parse_multiline("một\rhai");
        assert_eq!(stray, Err(Reason::ControlCharacter));
    }

    #[test]
    fn length_counts_letters_after_normalisation() {
        let decomposed: String = "Huế".nfd().collect();
        assert_eq!(decomposed.chars().count(), 5);
        assert_eq!(Text::<3>::parse(&decomposed).unwrap().as_str(), "Huế");
        assert_eq!(
            Text::<2>::parse(&decomposed),
            Err(Reason::TooLong { max: 2, actual: 3 })
        );
    }

    #[test]
    fn stored_text_is_a_plain_string_and_is_checked_again() {
        let text = Text::<100>::parse_multiline("Dòng một\nDòng hai").unwrap();
        let json = serde_json::to_string(&text).unwrap();
        assert_eq!(json, r#""Dòng một\nDòng hai""#);
        assert_eq!(serde_json::from_str::<Text<100>>(&json).unwrap(), text);
        assert!(serde_json::from_str::<Text<5>>(&json).is_err());
    }

    #[test]
    fn private_values_never_print() {
        let owner = Private::new(Text::<100>::parse(NAME).unwrap());
        assert_eq!(
            format!("{owner:?} {:?}", Some(&owner)),
            "Private(***) Some(Private(***))"
        );
        let json = serde_json::to_string(&owner).unwrap();
        assert_eq!(json, format!("\"{NAME}\""));
        assert_eq!(
            serde_json::from_str::<Private<Text<100>>>(&json).unwrap(),
            owner
        );

        let error = serde_json::from_str::<Private<Text<100>>>("38091012345").unwrap_err();
        assert!(!error.to_string().contains("38091012345"), "{error}");
    }

    #[test]
    fn plain_characters_need_no_tables() {
        for found in ('\0'..=char::MAX).filter(|found| is_plain(*found)) {
            assert_eq!(
                is_nfc_quick(std::iter::once(found)),
                IsNormalized::Yes,
                "{found:?}"
            );
            assert_eq!(canonical_combining_class(found), 0, "{found:?}");
            assert_eq!(refuse_hidden(found, Lines::One), Ok(()), "{found:?}");
            assert!(!is_blank(found) || found == ' ', "{found:?}");
        }
        assert!(NAME.chars().all(is_plain));
        assert!(VOWELS.chars().chain("đĐ–—“”‘’…".chars()).all(is_plain));
    }

    proptest! {
        #[test]
        fn the_short_way_leads_to_the_same_text(
            raw in any::<String>().boxed().prop_union(
                "[a-cĐđêÊộớ \u{A0}\u{AD}\u{301}\u{323}\u{202E}\u{2028}\u{2010}\u{1100}\u{378}\n\t°]{0,12}".boxed()
            ),
            chars_max in 1_usize..20,
        ) {
            for lines in [Lines::One, Lines::Many] {
                prop_assert_eq!(
                    normalise(&raw, lines, chars_max),
                    normalise_any(&raw, lines, chars_max)
                );
            }
        }

        #[test]
        fn composed_and_decomposed_text_are_equal(raw in "[a-zA-ZăâđêôơưạảấầẩẫậắằẳẵặẹẻẽềếểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹĐƠƯ ,.0-9]{0,60}") {
            let composed: String = raw.nfc().collect();
            let decomposed: String = raw.nfd().collect();
            prop_assert_eq!(parse(&composed), parse(&decomposed));
        }

        #[test]
        fn parsing_twice_changes_nothing(raw in any::<String>()) {
            for read in [Text::<40>::parse, Text::<40>::parse_multiline] {
                if let Ok(text) = read(&raw) {
                    prop_assert!(text.as_str().chars().count() <= 40);
                    prop_assert_eq!(read(text.as_str()), Ok(text.clone()));
                    let stored = serde_json::to_string(&text).unwrap();
                    prop_assert_eq!(serde_json::from_str::<Text<40>>(&stored).unwrap(), text);
                }
            }
        }
    }
}
