//! Vietnamese spelling as far as comparing needs it: case, bare letters, and the place of the tone
//! mark.
//!
//! A tone belongs to the whole syllable. In oa, oe and uy that end their syllable the old style
//! writes the mark on the first vowel (hòa, khỏe, thúy), the new one on the second (hoà, khoẻ,
//! thuý); before a consonant both write it on the second (hoàng, huỳnh). The u of qu and the i of gi
//! are part of the consonant and never carry it (quý, già). Marks on the wrong one of two such
//! letters (hòang, qúy, gìa) come from old keyboards, name no other word, and count as a style too.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Where the tone mark stands in open oa, oe and uy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::identity) enum ToneStyle {
    /// On the first vowel: hòa.
    Old,
    /// On the second vowel: hoà.
    New,
}

/// `text` in upper case and NFC. Names and texts that differ only in case are equal in this form,
/// also where lower case has more letters (ß and SS, ı and I).
pub(in crate::identity) fn upper(text: &str) -> String {
    // By way of lower case, because `ẞ` has an upper case (itself) other than that of `ß`.
    text.to_lowercase().to_uppercase().nfc().collect()
}

/// Upper case `text` without diacritics, strokes included: Đ becomes D.
pub(in crate::identity) fn bare(text: &str) -> String {
    text.nfd()
        .filter(|found| !is_combining_mark(*found))
        .map(|found| match found {
            'Đ' => 'D',
            'Ł' => 'L',
            'Ø' => 'O',
            'Ƀ' => 'B',
            other => other,
        })
        .collect()
}

/// Cuts `text` into syllables (letters and their marks) and what stands between them.
pub(in crate::identity) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is_syllable = is_letter(rest.chars().next()?);
        let end = rest
            .find(|found| is_letter(found) != is_syllable)
            .unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

fn is_letter(found: char) -> bool {
    found.is_alphabetic() || is_combining_mark(found)
}

/// Whether `found` is a letter, one of its marks or a digit.
pub(in crate::identity) fn is_of_a_word(found: char) -> bool {
    is_letter(found) || found.is_numeric()
}

/// `text`, in NFC, with the tone mark of every syllable where `style` puts it.
pub(in crate::identity) fn restyle(text: &str, style: ToneStyle) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut styled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match move_tone(piece, style) {
            Some(moved) => styled.push_str(&moved),
            None => styled.push_str(piece),
        }
    }
    styled
}

/// The syllable with its tone mark where `style` puts it; `None` if it stays where it is.
fn move_tone(syllable: &str, style: ToneStyle) -> Option<String> {
    let mut letters: Vec<_> = syllable.chars().map(Letter::read).collect();
    let mut toned = letters
        .iter()
        .enumerate()
        .filter(|(_, letter)| letter.tone.is_some());
    let (from, _) = toned.next()?;
    if toned.next().is_some() {
        return None;
    }
    let to = tone_place(&letters, from, style)?;
    if from == to {
        return None;
    }
    letters[to].tone = letters[from].tone.take();
    Some(letters.into_iter().flat_map(Letter::write).nfc().collect())
}

/// The letter that carries the tone, if it is one of two between which usage wavers and the mark
/// now stands on either.
fn tone_place(letters: &[Letter], from: usize, style: ToneStyle) -> Option<usize> {
    let upper = |index: usize| letters.get(index).map(|letter| letter.upper);
    let first = letters.iter().position(|letter| is_vowel(letter.upper))?;
    let second = first + 1;
    if from != first && from != second {
        return None;
    }
    let onset = first.checked_sub(1).and_then(upper);
    let next = upper(second + 1);
    match (onset, upper(first)?, upper(second)?) {
        // Before two vowels (quyết, giường) it is more than a choice between neighbours.
        (Some('Q'), 'U', vowel) | (Some('G'), 'I', vowel) if first == 1 => {
            (is_vowel(vowel) && !next.is_some_and(is_vowel)).then_some(second)
        }
        (_, 'O', 'A' | 'E') | (_, 'U', 'Y') => match next {
            None if style == ToneStyle::Old => Some(first),
            // In uyê (nguyễn) the third vowel carries the mark.
            Some('Ê') => None,
            _ => Some(second),
        },
        _ => None,
    }
}

const fn is_vowel(upper: char) -> bool {
    matches!(
        upper,
        'A' | 'Ă' | 'Â' | 'E' | 'Ê' | 'I' | 'O' | 'Ô' | 'Ơ' | 'U' | 'Ư' | 'Y'
    )
}

/// One letter, taken apart.
struct Letter {
    /// In its case, without the tone mark but with circumflex, breve or horn.
    plain: char,
    /// `plain` in upper case, for comparing.
    upper: char,
    /// One of the five combining tone marks.
    tone: Option<char>,
}

impl Letter {
    fn read(letter: char) -> Self {
        let mut tone = None;
        let mut plain = std::iter::once(letter)
            .nfd()
            .filter(|part| {
                let is_first_tone = tone.is_none() && is_tone(*part);
                if is_first_tone {
                    tone = Some(*part);
                }
                !is_first_tone
            })
            .nfc();
        match (plain.next(), plain.next()) {
            (Some(plain), None) => Self {
                plain,
                upper: upper_char(plain),
                tone,
            },
            // A bare tone mark, or letters with more marks than Vietnamese has: left whole.
            _ => Self {
                plain: letter,
                upper: letter,
                tone: None,
            },
        }
    }

    fn write(self) -> impl Iterator<Item = char> {
        std::iter::once(self.plain).chain(self.tone)
    }
}

const fn is_tone(part: char) -> bool {
    matches!(
        part,
        '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}'
    )
}

fn upper_char(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => letter,
    }
}
