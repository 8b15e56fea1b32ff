//! The 63 provinces whose prefixes citizen numbers carry, and where they lie since July 2025.
//!
//! Source: TT 07/2016/TT-BCA (prefixes), QĐ 19/2025/QĐ-TTg (codes of addresses).

/// Decides which ethnicities, and so which names, are common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Region {
    NorthernMountains,
    RedRiver,
    NorthCentral,
    SouthCentral,
    Highlands,
    SouthEast,
    Mekong,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Province {
    /// First three digits of the numbers registered there; no merger changes them.
    pub(crate) prefix: u16,
    /// Code of the province that the territory belongs to since 1 July 2025.
    pub(crate) code: u8,
    pub(crate) region: Region,
    /// Inhabitants in units of ten thousand, roughly.
    pub(crate) weight: u32,
}

const fn province(prefix: u16, code: u8, region: Region, weight: u32) -> Province {
    Province {
        prefix,
        code,
        region,
        weight,
    }
}

/// Sorted by prefix.
pub(crate) const PROVINCES: [Province; 63] = [
    province(1, 1, Region::RedRiver, 850),
    province(2, 8, Region::NorthernMountains, 89),
    province(4, 4, Region::NorthernMountains, 54),
    province(6, 19, Region::NorthernMountains, 33),
    province(8, 8, Region::NorthernMountains, 80),
    province(10, 15, Region::NorthernMountains, 77),
    province(11, 11, Region::NorthernMountains, 63),
    province(12, 12, Region::NorthernMountains, 48),
    province(14, 14, Region::NorthernMountains, 130),
    province(15, 15, Region::NorthernMountains, 85),
    province(17, 25, Region::NorthernMountains, 87),
    province(19, 19, Region::NorthernMountains, 133),
    province(20, 20, Region::NorthernMountains, 80),
    province(22, 22, Region::RedRiver, 137),
    province(24, 24, Region::RedRiver, 190),
    province(25, 25, Region::RedRiver, 150),
    province(26, 25, Region::RedRiver, 120),
    province(27, 24, Region::RedRiver, 149),
    province(30, 31, Region::RedRiver, 195),
    province(31, 31, Region::RedRiver, 210),
    province(33, 33, Region::RedRiver, 130),
    province(34, 33, Region::RedRiver, 188),
    province(35, 37, Region::RedRiver, 88),
    province(36, 37, Region::RedRiver, 187),
    province(37, 37, Region::RedRiver, 101),
    province(38, 38, Region::NorthCentral, 372),
    province(40, 40, Region::NorthCentral, 344),
    province(42, 42, Region::NorthCentral, 132),
    province(44, 44, Region::NorthCentral, 92),
    province(45, 44, Region::NorthCentral, 65),
    province(46, 46, Region::NorthCentral, 117),
    province(48, 48, Region::SouthCentral, 124),
    province(49, 48, Region::SouthCentral, 152),
    province(51, 51, Region::SouthCentral, 125),
    province(52, 52, Region::SouthCentral, 150),
    province(54, 66, Region::SouthCentral, 88),
    province(56, 56, Region::SouthCentral, 126),
    province(58, 56, Region::SouthCentral, 60),
    province(60, 68, Region::SouthCentral, 126),
    province(62, 51, Region::Highlands, 59),
    province(64, 52, Region::Highlands, 161),
    province(66, 66, Region::Highlands, 193),
    province(67, 68, Region::Highlands, 68),
    province(68, 68, Region::Highlands, 134),
    province(70, 75, Region::SouthEast, 105),
    province(72, 80, Region::SouthEast, 119),
    province(74, 79, Region::SouthEast, 282),
    province(75, 75, Region::SouthEast, 331),
    province(77, 79, Region::SouthEast, 118),
    province(79, 79, Region::SouthEast, 946),
    province(80, 80, Region::Mekong, 174),
    province(82, 82, Region::Mekong, 179),
    province(83, 86, Region::Mekong, 130),
    province(84, 86, Region::Mekong, 102),
    province(86, 86, Region::Mekong, 103),
    province(87, 82, Region::Mekong, 160),
    province(89, 91, Region::Mekong, 191),
    province(91, 91, Region::Mekong, 176),
    province(92, 92, Region::Mekong, 126),
    province(93, 92, Region::Mekong, 73),
    province(94, 92, Region::Mekong, 121),
    province(95, 96, Region::Mekong, 93),
    province(96, 96, Region::Mekong, 121),
];

/// The position in [`PROVINCES`] of the province with this prefix.
pub(crate) fn with_prefix(prefix: u16) -> Option<usize> {
    PROVINCES
        .binary_search_by_key(&prefix, |province| province.prefix)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prefix_is_found_and_the_34_codes_are_used() {
        for (position, province) in PROVINCES.iter().enumerate() {
            assert_eq!(with_prefix(province.prefix), Some(position));
        }
        assert_eq!(with_prefix(3), None);
        let mut codes: Vec<_> = PROVINCES.iter().map(|province| province.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), 34);
    }
}
