//! The offices of a province that take dossiers in, under codes of the old and the new form, those of
//! merged provinces included. Names and numbers of units are invented.

use lienthong_domain::province::Province;

/// Provinces that are cities under the central government.
const CITIES: [&str; 6] = ["H13", "H17", "H24", "H26", "H29", "H57"];
/// Names that many communes bear.
const COMMUNES: [&str; 8] = [
    "Tân Lập",
    "An Bình",
    "Hòa Phú",
    "Đông Sơn",
    "Phú Thịnh",
    "Ia Krêl",
    "Vĩnh Lộc",
    "Bình Minh",
];

/// One office.
pub(super) struct Office {
    /// Its agency code, as dossier codes begin with it.
    pub(super) agency: String,
    /// Its name.
    pub(super) name: String,
}

/// The province's title and name, such as `Tỉnh Gia Lai`.
pub(in crate::demo) fn title(province: &Province) -> String {
    let name = province.name();
    if name.starts_with("Thành phố") {
        name.to_owned()
    } else if CITIES.contains(&province.code().as_str()) {
        format!("Thành phố {name}")
    } else {
        format!("Tỉnh {name}")
    }
}

/// The offices of a province and of those merged into it.
pub(super) fn of_province(province: &'static Province) -> Vec<Office> {
    let title = title(province);
    let root = province.code();
    let mut offices = vec![
        Office {
            agency: format!("{root}.01"),
            name: format!("Trung tâm Phục vụ hành chính công {title}"),
        },
        Office {
            agency: format!("000.00.12.{root}"),
            name: format!("Sở Xây dựng {title}"),
        },
    ];
    for (number, commune) in (14..).zip(COMMUNES) {
        offices.push(Office {
            agency: format!("{root}.{number}"),
            name: format!("Ủy ban nhân dân xã {commune}"),
        });
    }
    // Dossiers opened before the mergers keep the code of the province that is no more.
    for merged in province.absorbed() {
        let root = merged.code();
        let name = format!(
            "Trung tâm Phục vụ hành chính công {title} (cơ sở {})",
            merged.name()
        );
        offices.push(Office {
            agency: format!("{root}.12"),
            name: name.clone(),
        });
        offices.push(Office {
            agency: format!("000.12.30.{root}"),
            name,
        });
    }
    offices
}
