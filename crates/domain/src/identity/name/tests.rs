//! The table of name pairs (`data/name_pairs.csv`), and what holds for all names.

use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization as _;

use super::*;

const PAIRS_MIN: usize = 170;

/// Letters of a syllable: every group whose tone mark wanders, consonants around it, and marks.
const SYLLABLE: &str = "(H|Ng|Qu|Gi|Đ|Th|h|đ|ð|)(oa|òa|oà|óa|oá|ọa|oạ|oe|ỏe|oẻ|ũy|uỹ|uy|úy|uý|ý|a|ả|ế|ươ|ễ|é|ü|ß|İ|ı|ơ\u{306}|ê)(ng|n|i|t||)";

fn any_name() -> impl Strategy<Value = FullName> {
    let text = proptest::string::string_regex(&format!("{SYLLABLE}([ '.-]{SYLLABLE}){{0,4}}"));
    text.unwrap()
        .prop_map(|text| FullName::parse(&text).unwrap())
}

/// The text with each `\u{..}` as the character it stands for, so that the table shows what an
/// editor would hide.
fn unescape(text: &str) -> String {
    let mut parts = text.split("\\u{");
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('}').unwrap();
        plain.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
        plain.push_str(rest);
    }
    plain
}

/// Claimed name, recorded name, level, note; escapes resolved.
fn pairs() -> Vec<[String; 4]> {
    csv::Reader::from_reader(include_str!("../../../data/name_pairs.csv").as_bytes())
        .into_deserialize()
        .map(|row| {
            let fields: [String; 4] = row.unwrap();
            fields.map(|field| unescape(&field))
        })
        .collect()
}

#[test]
fn every_pair_of_the_table_has_its_level() {
    let pairs = pairs();
    assert!(pairs.len() >= PAIRS_MIN, "{} pairs", pairs.len());
    let mut wrong = Vec::new();
    for [claimed, recorded, expected, note] in &pairs {
        let recorded_name = FullName::parse(recorded).unwrap();
        let found = match FullName::parse(claimed) {
            Ok(claimed_name) => {
                let found = level(&claimed_name, &recorded_name);
                let reverse = level(&recorded_name, &claimed_name);
                assert_eq!(found, reverse, "not symmetric: {note}");
                found.name()
            }
            Err(_) => "refused",
        };
        if found != expected {
            wrong.push(format!(
                "{claimed} / {recorded}: {found}, not {expected} ({note})"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_pairs_of_every_level() {
    let pairs = pairs();
    let names = NameLevel::ALL.iter().map(|level| level.name());
    for name in names.chain(["refused"]) {
        let found = pairs.iter().filter(|[_, _, level, _]| level == name);
        assert!(found.count() >= 10, "{name}");
    }
}

#[test]
fn a_name_is_refused_by_kind() {
    let cases = [
        ("", Reason::Missing),
        (" \u{A0} ", Reason::Missing),
        ("An\n", Reason::ControlCharacter),
        ("An\u{202E}", Reason::BidiControl),
        ("A\u{200D}n", Reason::InvisibleCharacter),
        ("An\u{FE0F}", Reason::InvisibleCharacter),
        ("An\u{E000}", Reason::UnassignedCharacter),
        ("Аn", Reason::ForeignScript),
        ("An 2", Reason::ForeignScript),
        ("ｎam", Reason::ForeignScript),
        ("A\u{D7}n", Reason::ForeignScript),
        ("- \u{301}", Reason::ForeignScript),
        ("ơ\u{306}\u{308}\u{30A}", Reason::ForeignScript),
        (
            "-.'",
            Reason::BadForm {
                expected: "Nguyễn Văn A",
            },
        ),
    ];
    for (text, reason) in cases {
        assert_eq!(FullName::parse(text).err(), Some(reason), "{text:?}");
    }
}

#[test]
fn variants_are_the_two_styles_of_the_whole_name() {
    let cases: [(&str, &[&str]); 11] = [
        ("Nguyễn Văn An", &[]),
        ("Trần Thị Hòa", &["Trần Thị Hoà"]),
        ("Trần Thị Hoà", &["Trần Thị Hòa"]),
        ("Hòa Thuý", &["Hòa Thúy", "Hoà Thuý"]),
        ("LÊ THỊ THÚY", &["LÊ THỊ THUÝ"]),
        ("Hùynh Quý", &["Huỳnh Quý"]),
        ("Lê Thị Qúy", &["Lê Thị Quý"]),
        ("Gìa Hoà", &["Già Hòa", "Già Hoà"]),
        ("Hoa Thuy", &[]),
        ("Ngũyên", &[]),
        ("Khuê Nghĩa Quyết Giường", &[]),
    ];
    for (name, expected) in cases {
        let found = tone_variants(&FullName::parse(name).unwrap());
        let found: Vec<_> = found.iter().map(FullName::as_str).collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn upper_case_keeps_the_marks() {
    let upper = |name: &str| FullName::parse(name).unwrap().upper();
    assert_eq!(upper("Đặng Thị Thuỳ"), "ĐẶNG THỊ THUỲ");
    assert_eq!(upper("h’hen niê"), "H'HEN NIÊ");
    assert_eq!(upper("Groß"), "GROSS");
}

#[test]
fn levels_are_stored_by_name() {
    for level in NameLevel::ALL {
        let stored = serde_json::to_string(level).unwrap();
        assert_eq!(stored, format!("{:?}", level.name()));
        assert_eq!(serde_json::from_str::<NameLevel>(&stored).unwrap(), *level);
    }
}

#[test]
fn names_never_print() {
    let name = FullName::parse("Nguyễn Thị Ánh").unwrap();
    assert_eq!(
        format!("{name:?} {:?}", Some(&name)),
        "FullName(***) Some(FullName(***))"
    );
}

proptest! {
    #[test]
    fn a_level_does_not_depend_on_the_order(one in any_name(), other in any_name()) {
        prop_assert_eq!(level(&one, &other), level(&other, &one));
    }

    #[test]
    fn case_and_normal_form_never_change_a_level(one in any_name(), other in any_name()) {
        let before = level(&one, &other);
        let forms = [
            one.upper(),
            one.as_str().to_lowercase(),
            one.as_str().nfd().collect(),
            one.upper().nfd().collect(),
        ];
        for form in forms {
            let form = FullName::parse(&form).unwrap();
            prop_assert_eq!(level(&form, &one), NameLevel::Exact);
            prop_assert_eq!(level(&form, &other), before);
        }
    }

    #[test]
    fn a_bare_name_decides_nothing(name in any_name()) {
        let bare = FullName::parse(&spelling::bare(&name.upper())).unwrap();
        let expected = if bare.upper() == name.upper() {
            NameLevel::Exact
        } else {
            NameLevel::NoDiacritics
        };
        prop_assert_eq!(level(&bare, &name), expected);
    }

    #[test]
    fn variants_differ_only_in_style(name in any_name()) {
        let variants = tone_variants(&name);
        prop_assert!(variants.len() <= 2);
        for variant in &variants {
            prop_assert_eq!(level(variant, &name), NameLevel::ToneStyle);
            prop_assert_eq!(FullName::parse(variant.as_str()), Ok(variant.clone()));
        }
    }

    #[test]
    fn any_text_is_answered_and_read_back(text in any::<String>(), name in any_name()) {
        for name in FullName::parse(&text).into_iter().chain([name]) {
            prop_assert!(name.as_str().chars().count() <= NAME_CHARS_MAX);
            prop_assert_eq!(FullName::parse(name.as_str()), Ok(name.clone()));
            prop_assert_eq!(level(&name, &name), NameLevel::Exact);
        }
    }

    #[test]
    fn latin_text_is_answered_and_read_back(text in "[A-Za-zÀ-ɏḀ-ỿɐ-ʯ\u{300}-\u{345} '’.-]{1,12}") {
        if let Ok(name) = FullName::parse(&text) {
            prop_assert_eq!(FullName::parse(name.as_str()), Ok(name.clone()));
            let decomposed: String = name.as_str().nfd().collect();
            prop_assert_eq!(FullName::parse(&decomposed), Ok(name.clone()));
            for variant in tone_variants(&name) {
                prop_assert_eq!(FullName::parse(variant.as_str()), Ok(variant.clone()));
                prop_assert_eq!(level(&variant, &name), NameLevel::ToneStyle);
            }
        }
    }
}
