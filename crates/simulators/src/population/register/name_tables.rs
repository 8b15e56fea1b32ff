//! Syllables of which names are made, and how often peoples and families occur in a region.
//!
//! Source: QĐ 121-TCTK/PPCĐ (codes of the peoples); frequencies are rounded common knowledge.

use super::provinces::Region;

/// How a people forms a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Custom {
    Viet,
    Mong,
    Ede,
    Jarai,
    Koho,
}

#[derive(Debug)]
pub(super) struct Ethnicity {
    /// `DanToc`.
    pub(super) code: &'static str,
    pub(super) custom: Custom,
    pub(super) families: &'static [(&'static str, u32)],
}

const fn people(
    code: &'static str,
    custom: Custom,
    families: &'static [(&'static str, u32)],
) -> Ethnicity {
    Ethnicity {
        code,
        custom,
        families,
    }
}

#[rustfmt::skip]
static KINH: Ethnicity = people("01", Custom::Viet, &[
    ("Nguyễn", 384), ("Trần", 121), ("Lê", 95), ("Phạm", 70), ("Hoàng", 40), ("Huỳnh", 24),
    ("Phan", 45), ("Vũ", 27), ("Võ", 23), ("Đặng", 21), ("Bùi", 20), ("Đỗ", 19), ("Trương", 18),
    ("Hồ", 13), ("Ngô", 13), ("Dương", 10), ("Đinh", 9), ("Lý", 5), ("Đoàn", 6), ("Mai", 5),
    ("Trịnh", 5), ("Đào", 5), ("Hà", 4), ("Cao", 4), ("Lâm", 4), ("Lương", 4), ("Tạ", 3),
    ("Châu", 3), ("Tô", 3), ("Thái", 3), ("Phùng", 3), ("Chu", 2), ("Kiều", 2), ("Từ", 2),
    ("Lưu", 2), ("Vương", 2), ("Nghiêm", 1), ("Khổng", 1), ("Doãn", 1), ("Tống", 1), ("Lại", 1),
    ("Quách", 1), ("Âu", 1),
]);
#[rustfmt::skip]
static TAY: Ethnicity = people("02", Custom::Viet, &[
    ("Nông", 30), ("Hoàng", 25), ("Lương", 10), ("Ma", 10), ("Hứa", 6), ("Bế", 6), ("Đàm", 6),
    ("Vi", 5), ("Lục", 3),
]);
#[rustfmt::skip]
static THAI: Ethnicity = people("03", Custom::Viet, &[
    ("Lò", 35), ("Cầm", 12), ("Quàng", 14), ("Hà", 8), ("Lường", 10), ("Cà", 7), ("Tòng", 7),
    ("Bạc", 4), ("Vi", 5), ("Đèo", 2),
]);
static HOA: Ethnicity = people(
    "04",
    Custom::Viet,
    &[
        ("Trần", 20),
        ("Lâm", 20),
        ("Lý", 15),
        ("Quách", 8),
        ("Vương", 6),
        ("Tiêu", 5),
    ],
);
static KHMER: Ethnicity = people(
    "05",
    Custom::Viet,
    &[
        ("Thạch", 30),
        ("Sơn", 15),
        ("Kim", 15),
        ("Danh", 20),
        ("Châu", 8),
        ("Lâm", 6),
    ],
);
static MUONG: Ethnicity = people(
    "06",
    Custom::Viet,
    &[
        ("Bùi", 45),
        ("Quách", 15),
        ("Đinh", 15),
        ("Hà", 10),
        ("Bạch", 5),
        ("Phạm", 5),
    ],
);
static NUNG: Ethnicity = people(
    "07",
    Custom::Viet,
    &[
        ("Nông", 30),
        ("Hoàng", 15),
        ("Lý", 10),
        ("Vi", 10),
        ("Lăng", 5),
        ("Phùng", 5),
    ],
);
#[rustfmt::skip]
static MONG: Ethnicity = people("08", Custom::Mong, &[
    ("Giàng", 25), ("Vàng", 22), ("Sùng", 15), ("Thào", 12), ("Lầu", 8), ("Hờ", 6), ("Mùa", 6),
    ("Lý", 6),
]);
static DAO: Ethnicity = people(
    "09",
    Custom::Viet,
    &[
        ("Triệu", 30),
        ("Bàn", 20),
        ("Đặng", 20),
        ("Lý", 12),
        ("Phàn", 12),
        ("Chảo", 6),
    ],
);
#[rustfmt::skip]
static JARAI: Ethnicity = people("10", Custom::Jarai, &[
    ("Siu", 25), ("Rơ Châm", 15), ("Ksor", 15), ("Kpă", 10), ("Nay", 10), ("Rmah", 10),
    ("Rơ Mah", 5), ("Rahlan", 3),
]);
#[rustfmt::skip]
static EDE: Ethnicity = people("12", Custom::Ede, &[
    ("Niê", 35), ("Mlô", 18), ("Êban", 14), ("Ayŭn", 6), ("Kbuôr", 6), ("Niê Kđăm", 6),
    ("Byă", 8), ("Ênuôl", 4),
]);
static KOHO: Ethnicity = people("16", Custom::Koho, &[("", 1)]);

type Shares = &'static [(&'static Ethnicity, u32)];

/// The peoples of each region, in shares that need not add up to anything.
pub(super) static ETHNICITIES_BY_REGION: [(Region, Shares); 7] = [
    (
        Region::NorthernMountains,
        &[
            (&KINH, 45),
            (&TAY, 13),
            (&THAI, 12),
            (&MUONG, 8),
            (&NUNG, 7),
            (&MONG, 9),
            (&DAO, 6),
        ],
    ),
    (
        Region::RedRiver,
        &[(&KINH, 97), (&MUONG, 1), (&TAY, 1), (&DAO, 1)],
    ),
    (
        Region::NorthCentral,
        &[(&KINH, 88), (&THAI, 7), (&MUONG, 5)],
    ),
    (Region::SouthCentral, &[(&KINH, 97), (&HOA, 1), (&EDE, 1)]),
    (
        Region::Highlands,
        &[
            (&KINH, 62),
            (&JARAI, 11),
            (&EDE, 10),
            (&KOHO, 6),
            (&TAY, 3),
            (&NUNG, 3),
            (&MONG, 2),
        ],
    ),
    (Region::SouthEast, &[(&KINH, 94), (&HOA, 4), (&KHMER, 2)]),
    (Region::Mekong, &[(&KINH, 92), (&KHMER, 7), (&HOA, 1)]),
];

#[rustfmt::skip]
pub(super) const GIVEN_MALE: &[&str] = &[
    "Hùng", "Dũng", "Cường", "Tuấn", "Anh", "Minh", "Long", "Nam", "Sơn", "Hải", "Quân", "Đức",
    "Thắng", "Hòa", "Bình", "Khoa", "Huy", "Phúc", "Khang", "Bảo", "Trung", "Kiên", "Tùng",
    "Phong", "Vinh", "Quang", "Tiến", "Hiếu", "Nghĩa", "Thịnh", "Tài", "Lộc", "Đạt", "Thành",
    "Trí", "Duy", "Khánh", "Nhật", "Hưng", "Việt", "Tâm", "Hậu", "Lâm", "Quý", "Thái", "Toàn",
    "Thuận", "Tân", "Trường", "Vũ", "Giang", "Hoàng", "Đông", "Hóa", "Tuyên", "Ngọc", "Luân",
    "Dương", "Ước", "Sỹ", "Kỳ", "Thủy", "Điệp", "Khôi", "Nguyên", "Phát", "Lợi", "Chiến", "Mạnh",
    "Trọng", "Tú", "Quyết", "Thụy", "Ân", "Triều", "Ích", "Ẩn",
];
#[rustfmt::skip]
pub(super) const GIVEN_FEMALE: &[&str] = &[
    "Lan", "Hoa", "Hương", "Mai", "Hồng", "Thúy", "Thủy", "Thùy", "Hòa", "Hằng", "Hạnh", "Nga",
    "Ngọc", "Phương", "Linh", "Trang", "Thảo", "Yến", "Oanh", "Nhung", "Huyền", "Dung", "Vân",
    "Anh", "Ánh", "Hà", "Liên", "Loan", "Tuyết", "Xuân", "Quyên", "Quỳnh", "Chi", "My", "Vy",
    "Thư", "Trâm", "Ngân", "Như", "Nhi", "Uyên", "Diệp", "Tiên", "Trúc", "Đào", "Cúc", "Bích",
    "Hiền", "Thơm", "Thêu", "Nguyệt", "Hường", "Thu", "Thanh", "Tâm", "Phượng", "Giang", "Châu",
    "Ý", "Duyên", "Khuê", "Lụa", "Tỵ", "Thỏa", "Ngà", "Mỹ", "Diễm", "Hân", "Ngoãn", "Sương",
];
#[rustfmt::skip]
pub(super) const MIDDLE_MALE: &[&str] = &[
    "Đức", "Hữu", "Quang", "Minh", "Thanh", "Ngọc", "Xuân", "Đình", "Công", "Quốc", "Hoàng",
    "Duy", "Gia", "Bá", "Viết", "Trọng", "Tuấn", "Anh", "Nhật", "Khắc", "Thế", "Mạnh", "Trung",
    "Tiến", "Thái", "Hòa",
];
#[rustfmt::skip]
pub(super) const MIDDLE_FEMALE: &[&str] = &[
    "Ngọc", "Thanh", "Thu", "Kim", "Bích", "Minh", "Phương", "Mỹ", "Hồng", "Diệu", "Khánh",
    "Bảo", "Quỳnh", "Như", "Thùy", "Thúy", "Hoài", "Tuyết", "Ánh", "Xuân", "Cẩm", "Lệ", "Thủy",
    "Hải", "Tường",
];
pub(super) const MONG_MALE: &[&str] = &[
    "Páo", "Sính", "Chứ", "Dính", "Lử", "Sử", "Tủa", "Nhìa", "Vừ", "Dơ",
];
pub(super) const MONG_FEMALE: &[&str] = &[
    "Mỷ", "Mai", "Dợ", "Súa", "Mo", "Chư", "Pà", "Sua", "Dê", "Xay",
];
pub(super) const HIGHLAND_MALE: &[&str] = &[
    "Brôi", "Blô", "Blik", "Thuôn", "Wăn", "Krông", "Tuyên", "Đun", "Săm", "Phi", "Jôn", "Mơl",
];
pub(super) const HIGHLAND_FEMALE: &[&str] = &[
    "Hen", "Yéo", "Lan", "Bia", "Duyên", "Rế", "Nhuân", "Mơ", "Linh", "Djuên", "Wŏn", "Ân",
];

/// Endings of open syllables in the new style, and in the old one.
#[rustfmt::skip]
pub(super) const NEW_AND_OLD_TONES: [(&str, &str); 15] = [
    ("òa", "oà"), ("óa", "oá"), ("ỏa", "oả"), ("õa", "oã"), ("ọa", "oạ"),
    ("òe", "oè"), ("óe", "oé"), ("ỏe", "oẻ"), ("õe", "oẽ"), ("ọe", "oẹ"),
    ("ùy", "uỳ"), ("úy", "uý"), ("ủy", "uỷ"), ("ũy", "uỹ"), ("ụy", "uỵ"),
];
