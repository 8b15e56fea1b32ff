//! One invented citizen, as the database knows them. Nothing here prints itself.

use std::fmt;

/// `GioiTinh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sex {
    /// `1`.
    Male,
    /// `2`.
    Female,
}

/// A name in NFC as people write it: `Lê Thị Ngọc Ánh`, `H'Hen Niê`.
#[derive(Clone, PartialEq, Eq)]
pub struct Name {
    /// `Ho`; absent where the custom of a people has none before the given name.
    pub family: Option<String>,
    /// `ChuDem`; absent in names of two syllables.
    pub middle: Option<String>,
    /// `Ten`.
    pub given: String,
}

impl Name {
    /// All parts, separated by single spaces.
    pub fn full(&self) -> String {
        let parts = [
            self.family.as_deref(),
            self.middle.as_deref(),
            Some(self.given.as_str()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// The form that requests carry: upper case with diacritics.
    pub fn upper(&self) -> String {
        self.full().to_uppercase()
    }
}

/// A birth date of which the day may be unknown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Birth {
    /// The year, which the number carries too.
    pub year: u16,
    /// Month and day, both from 1.
    pub month_day: Option<(u8, u8)>,
}

impl Birth {
    /// `yyyyMMdd`, or `None` for a citizen of whom only the year is known.
    pub fn date(self) -> Option<String> {
        let (month, day) = self.month_day?;
        Some(format!("{:04}{month:02}{day:02}", self.year))
    }
}

/// `TinhTrangHonNhan`; the codes are a guess from client code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaritalStatus {
    /// `1`: never married.
    Single,
    /// `2`.
    Married,
    /// `3`: divorced or widowed.
    Apart,
}

/// An address or a place of origin.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    /// `MaTinhThanh`, two digits, of the 34 provinces since July 2025.
    pub province: String,
    /// `MaQuanHuyen`; absent for nearly all, as there are no districts any more.
    pub district: Option<String>,
    /// `MaPhuongXa`, five digits.
    pub commune: String,
    /// `ChiTiet`.
    pub detail: Option<String>,
}

/// Another person as one citizen's entry names them.
#[derive(Clone, PartialEq, Eq)]
pub struct Relative {
    /// The relative's name.
    pub name: Name,
    /// Twelve digits, of a citizen of the same population.
    pub number: Option<String>,
    /// Nine digits, of the same citizen.
    pub old_number: Option<String>,
}

/// `ChuHo`.
#[derive(Clone, PartialEq, Eq)]
pub struct HouseholdHead {
    /// `QuanHe`: what the citizen is to the head, as a word.
    pub relation: &'static str,
    /// The head; the citizen's own entry for `Chủ hộ`.
    pub person: Relative,
}

/// One citizen; fields that are absent here are absent from every answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Citizen {
    /// Position in the population, from 0.
    pub index: u32,
    /// `SoDinhDanh`, twelve digits.
    pub number: String,
    /// `SoCMND`, nine digits.
    pub old_number: Option<String>,
    /// `HoVaTen`.
    pub name: Name,
    /// `GioiTinh`, which the number carries too.
    pub sex: Sex,
    /// `NgayThangNamSinh`.
    pub birth: Birth,
    /// `DanToc`, two digits.
    pub ethnicity: &'static str,
    /// `TonGiao`, two digits.
    pub religion: Option<&'static str>,
    /// `TinhTrangHonNhan`.
    pub marital_status: Option<MaritalStatus>,
    /// `NhomMau`.
    pub blood_type: Option<&'static str>,
    /// `NoiDangKyKhaiSinh`.
    pub birth_registration: Option<Place>,
    /// `QueQuan`.
    pub home_town: Option<Place>,
    /// `ThuongTru`; erased when a citizen dies.
    pub permanent_residence: Option<Place>,
    /// `NoiOHienTai`; erased when a citizen dies.
    pub current_residence: Option<Place>,
    /// `Cha`.
    pub father: Option<Relative>,
    /// `Me`.
    pub mother: Option<Relative>,
    /// `VoChong`, if living; mutual among the living.
    pub spouse: Option<Relative>,
    /// `ChuHo`.
    pub household_head: Option<HouseholdHead>,
    /// `SoSoHoKhau`, nine digits.
    pub household_number: Option<String>,
    /// The database still answers about the dead, with less.
    pub is_dead: bool,
}

impl fmt::Debug for Citizen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Citizen")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for Birth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for Relative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for HouseholdHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
