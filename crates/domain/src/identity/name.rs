//! A person's full name, and how nearly two spellings of one agree.
//!
//! Vietnamese names reach us in several encodings, in two conventions for the place of the tone
//! mark (hoà, hòa) and often without any marks. [`level`] tells these apart; who asks decides what
//! each level is worth. `i` and `y` (Lý, Lí) are different letters here: some families insist on
//! theirs, so only a grant could permit the exchange.

pub(super) mod spelling;

use std::fmt;

use serde::{Deserialize, Serialize};

use self::spelling::ToneStyle;
use crate::fault::Reason;
use crate::text::Text;

/// Longest name, in Unicode scalar values after normalisation.
pub const NAME_CHARS_MAX: usize = 100;

/// Most combining marks after one letter that has no composed form, as in the `ơ̆` of the Jrai.
const MARKS_MAX: usize = 2;

/// A full name: Latin letters in NFC, `'`, `-`, `.` and single spaces. Personal: it never prints
/// itself.
///
/// The letters of minorities and foreigners are welcome; those that only look like the Vietnamese
/// `Đ` (`Ð` eth, `Ɖ` African d) become it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FullName(String);

impl FullName {
    /// Reads a name of at most [`NAME_CHARS_MAX`] characters, in any normal form.
    ///
    /// # Errors
    ///
    /// As [`Text::parse`], and [`Reason::ForeignScript`] for digits, for letters that are not
    /// Latin and for other signs, [`Reason::BadForm`] if there is no letter.
    pub fn parse(raw: &str) -> Result<Self, Reason> {
        let text = Text::<NAME_CHARS_MAX>::parse(raw)?.into_string();
        let name: String = text.chars().map(same_sign).collect();
        refuse_foreign(&name)?;
        if name.chars().any(is_latin_letter) {
            Ok(Self(name))
        } else {
            Err(Reason::BadForm {
                expected: "Nguyễn Văn A",
            })
        }
    }

    /// The name, for the one place that must send, store or compare it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in upper case with its diacritics, as the population database holds it.
    pub fn upper(&self) -> String {
        spelling::upper(&self.0)
    }
}

impl fmt::Debug for FullName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FullName(***)")
    }
}

/// How nearly two names agree, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameLevel {
    /// The same, but for upper and lower case.
    Exact,
    /// The same, but for the vowel that carries a tone mark: hoà and hòa.
    ToneStyle,
    /// The same, where syllables without any diacritics stand for any: Hoa for Hoà. It says little:
    /// Hoa is also a name of its own.
    NoDiacritics,
    /// Different names.
    Different,
}

impl NameLevel {
    /// Every level, best first.
    pub const ALL: &'static [Self] = &[
        Self::Exact,
        Self::ToneStyle,
        Self::NoDiacritics,
        Self::Different,
    ];

    /// Stable name for programs, `lower_snake`; also the stored form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::ToneStyle => "tone_style",
            Self::NoDiacritics => "no_diacritics",
            Self::Different => "different",
        }
    }
}

/// How nearly the `claimed` name agrees with the `recorded` one; the order does not matter.
///
/// Syllables are compared one by one, and signs and blanks between them must be the same. One that
/// carries a diacritic on both sides and differs makes the names different, however the others
/// agree.
pub fn level(claimed: &FullName, recorded: &FullName) -> NameLevel {
    let (claimed, recorded) = (spelling::upper(&claimed.0), spelling::upper(&recorded.0));
    if claimed == recorded {
        return NameLevel::Exact;
    }
    let mut syllables = (spelling::pieces(&claimed), spelling::pieces(&recorded));
    let mut worst = NameLevel::Exact;
    loop {
        worst = match (syllables.0.next(), syllables.1.next()) {
            (Some(one), Some(other)) => worst.max(syllable_level(one, other)),
            (None, None) => return worst,
            _ => return NameLevel::Different,
        };
    }
}

/// As [`level`], for a syllable or what stands between two, in upper case.
fn syllable_level(one: &str, other: &str) -> NameLevel {
    if one == other {
        return NameLevel::Exact;
    }
    let styled = |syllable| spelling::restyle(syllable, ToneStyle::New);
    if styled(one) == styled(other) {
        return NameLevel::ToneStyle;
    }
    let (bare_one, bare_other) = (spelling::bare(one), spelling::bare(other));
    let is_one_bare = bare_one == one || bare_other == other;
    if is_one_bare && bare_one == bare_other {
        NameLevel::NoDiacritics
    } else {
        NameLevel::Different
    }
}

/// The same name with every tone mark placed in the old style, and in the new style, as far as they
/// differ from it and from each other: none to two names, for a database that compares exactly.
pub fn tone_variants(name: &FullName) -> Vec<FullName> {
    let mut variants = Vec::new();
    for style in [ToneStyle::Old, ToneStyle::New] {
        let variant = FullName(spelling::restyle(&name.0, style));
        if variant != *name && !variants.contains(&variant) {
            variants.push(variant);
        }
    }
    variants
}

/// One sign for those that people and word processors use for the same thing.
const fn same_sign(found: char) -> char {
    match found {
        '\u{D0}' | '\u{189}' => 'Đ',
        '\u{F0}' | '\u{256}' => 'đ',
        '\u{2018}' | '\u{2019}' | '\u{2BC}' => '\'',
        '\u{2010}' | '\u{2011}' => '-',
        other => other,
    }
}

fn refuse_foreign(name: &str) -> Result<(), Reason> {
    // A mark needs a letter before it; at the start there is none.
    let mut marks = MARKS_MAX;
    for found in name.chars() {
        marks = match found {
            ' ' | '\'' | '-' | '.' => MARKS_MAX,
            _ if is_latin_letter(found) => 0,
            _ if is_mark(found) && marks < MARKS_MAX => marks + 1,
            // Phones add these to choose a glyph; in a name they would only hide a difference.
            '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' => {
                return Err(Reason::InvisibleCharacter);
            }
            _ => return Err(Reason::ForeignScript),
        };
    }
    Ok(())
}

/// Letters of Latin alphabets in use. The phonetic alphabet, which repeats `a` and `g` in another
/// shape, is let in only as the small letters of African alphabets.
fn is_latin_letter(found: char) -> bool {
    match found {
        // Signs of multiplication and division, `n` with an apostrophe, and click letters, which
        // look like strokes.
        '\u{D7}' | '\u{F7}' | '\u{149}' | '\u{1C0}'..='\u{1C3}' => false,
        'A'..='Z' | 'a'..='z' | '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' => true,
        '\u{250}'..='\u{2AF}' | '\u{2C60}'..='\u{2C7F}' => found
            .to_uppercase()
            .all(|upper| ('\u{180}'..='\u{24F}').contains(&upper)),
        _ => false,
    }
}

/// Combining marks that some Latin alphabet puts above or below a letter.
const fn is_mark(found: char) -> bool {
    matches!(found, '\u{300}'..='\u{331}')
}

#[cfg(test)]
mod tests;
