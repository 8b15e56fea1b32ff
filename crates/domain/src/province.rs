//! The 63 provinces and the mergers of 1 July 2025, which left 34.
//!
//! A merged province's codes stay in use on its old dossiers; its successor answers for them.
//! Source: NQ 202/2025/QH15 and domain.md §2.2, as data in `data/provinces.csv`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::code::RootCode;

static PROVINCES: LazyLock<Vec<Province>> = LazyLock::new(|| {
    csv::Reader::from_reader(include_str!("../data/provinces.csv").as_bytes())
        .into_deserialize()
        .collect::<Result<_, _>>()
        .expect("the table is compiled in and a test reads it")
});

/// One of the 63 provinces that had an agency code before the mergers.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Province {
    agency_code: RootCode,
    name: String,
    citizen_number_prefix: String,
    merged_into_agency_code: Option<RootCode>,
    #[serde(rename = "province_code_2025")]
    code_2025: Option<String>,
}

impl Province {
    /// All 63, in the order of their codes.
    pub fn all() -> &'static [Self] {
        &PROVINCES
    }

    /// The province with the agency code `code`, such as `H08`; merged ones are found too.
    pub fn by_code(code: &str) -> Option<&'static Self> {
        Self::by_root(RootCode::parse(code).ok()?)
    }

    /// As [`Province::by_code`], for a code already read.
    pub fn by_root(root: RootCode) -> Option<&'static Self> {
        PROVINCES
            .iter()
            .find(|province| province.agency_code == root)
    }

    /// Agency code, `H01` to `H63`.
    pub const fn code(&self) -> RootCode {
        self.agency_code
    }

    /// Name before the mergers, without "tỉnh" or (mostly) "thành phố".
    pub fn name(&self) -> &str {
        &self.name
    }

    /// First three digits of the citizen numbers whose births were registered here. They never
    /// change, whatever merges; never read an address from them.
    pub fn citizen_number_prefix(&self) -> &str {
        &self.citizen_number_prefix
    }

    /// Two-digit administrative code since July 2025 (QĐ 19/2025/QĐ-TTg); `None` once merged.
    pub fn province_code_2025(&self) -> Option<&str> {
        self.code_2025.as_deref()
    }

    /// Whether it was merged into another province.
    pub const fn is_merged(&self) -> bool {
        self.merged_into_agency_code.is_some()
    }

    /// The province that answers for it today: the one it was merged into, or itself.
    pub fn successor(&'static self) -> &'static Self {
        self.merged_into_agency_code.map_or(self, |root| {
            Self::by_root(root).expect("a test checks that every successor is in the table")
        })
    }

    /// The provinces that were merged into this one, none for most.
    pub fn absorbed(&self) -> impl Iterator<Item = &'static Self> {
        let successor = Some(self.agency_code);
        PROVINCES
            .iter()
            .filter(move |province| province.merged_into_agency_code == successor)
    }
}

/// Whether a participant answers for an agency: the same root, or a province merged into the
/// participant's.
pub fn covers(participant: RootCode, agency: RootCode) -> bool {
    participant == agency
        || Province::by_root(agency)
            .is_some_and(|province| province.merged_into_agency_code == Some(participant))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn root(code: &str) -> RootCode {
        RootCode::parse(code).unwrap()
    }

    #[test]
    fn the_table_has_its_shape() {
        let all = Province::all();
        let codes: Vec<_> = all
            .iter()
            .map(|province| province.code().to_string())
            .collect();
        let expected: Vec<_> = (1..=63).map(|number| format!("H{number:02}")).collect();
        assert_eq!(codes, expected);

        let distinct = |part: fn(&Province) -> Option<&str>| {
            all.iter().filter_map(part).collect::<BTreeSet<_>>().len()
        };
        assert_eq!(distinct(|province| Some(province.name())), 63);
        assert_eq!(
            distinct(|province| Some(province.citizen_number_prefix())),
            63
        );
        assert_eq!(distinct(Province::province_code_2025), 34);
        assert_eq!(
            all.iter().filter(|province| !province.is_merged()).count(),
            34
        );

        for province in all {
            assert!(!province.successor().is_merged(), "{}", province.name());
            assert_ne!(
                province.is_merged(),
                province.province_code_2025().is_some()
            );
            assert_eq!(province.citizen_number_prefix().len(), 3);
            assert!(
                province
                    .citizen_number_prefix()
                    .bytes()
                    .all(|byte| byte.is_ascii_digit())
            );
        }
    }

    #[test]
    fn a_merged_province_leads_to_its_successor_and_back() {
        let binh_dinh = Province::by_code("H08").unwrap();
        let gia_lai = Province::by_code("H21").unwrap();
        assert_eq!((binh_dinh.name(), gia_lai.name()), ("Bình Định", "Gia Lai"));
        assert_eq!(binh_dinh.successor(), gia_lai);
        assert_eq!(gia_lai.successor(), gia_lai);
        assert_eq!(gia_lai.province_code_2025(), Some("52"));

        let ho_chi_minh = Province::by_code("H29").unwrap();
        let absorbed: Vec<_> = ho_chi_minh.absorbed().map(Province::name).collect();
        assert_eq!(absorbed, ["Bà Rịa - Vũng Tàu", "Bình Dương"]);
        assert_eq!(binh_dinh.absorbed().count(), 0);
        for unknown in ["H64", "H00", "G22", "h08", "", "H08.01"] {
            assert_eq!(Province::by_code(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_participant_covers_itself_and_what_merged_into_it() {
        assert!(covers(root("H21"), root("H21")));
        assert!(covers(root("H21"), root("H08")));
        assert!(
            !covers(root("H08"), root("H21")),
            "the merged one does not cover its successor"
        );
        assert!(!covers(root("H21"), root("H56")));
        assert!(
            !covers(root("H06"), root("H09")),
            "two merged into the same one stay strangers"
        );
        assert!(covers(root("G22"), root("G22")) && !covers(root("G22"), root("H21")));
    }
}
