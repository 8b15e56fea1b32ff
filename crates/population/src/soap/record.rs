//! A record as service 037 lays it out. Source: domain.md §3.2: all optional, matched by local names.

use lienthong_domain::identity::citizen::{ListCode, RecordText};
use lienthong_domain::identity::{
    BirthDate, Citizen, CitizenNumber, OldNumber, Place, Relative, Sex,
};
use lienthong_domain::{Private, Reason, Text};

use super::xml::Element;

/// Reads `CongDan`. A field that cannot be read is left out, since the rest may be what was asked for; number, name
/// and birth date decide whose record it is, so they must be readable where they are told.
///
/// # Errors
/// Which of them is not.
pub(super) fn read(person: &Element) -> Result<Citizen, &'static str> {
    let key = |result: Option<Result<_, Reason>>, fault| result.transpose().map_err(|_| fault);
    let number = person.child_text("SoDinhDanh").map(CitizenNumber::parse);
    let old_number = person.child_text("SoCMND").map(OldNumber::parse);
    let name = person.child("HoVaTen").and_then(name);
    let birth = person.child("NgayThangNamSinh").and_then(birth);
    Ok(Citizen {
        citizen_number: number
            .transpose()
            .map_err(|_| "SoDinhDanh is no citizen number")?,
        old_number: old_number
            .transpose()
            .map_err(|_| "SoCMND is no old number")?,
        full_name: key(name.map(|name| record_text(&name)), "HoVaTen is no name")?,
        birth_date: birth
            .transpose()
            .map_err(|_| "NgayThangNamSinh is no birth date")?,
        sex: person.child_text("GioiTinh").and_then(sex),
        ethnicity: code(person, "DanToc"),
        religion: code(person, "TonGiao"),
        marital_status: code(person, "TinhTrangHonNhan"),
        blood_group: code(person, "NhomMau"),
        nationality: code(person, "QuocTich"),
        birth_registration: place(person, "NoiDangKyKhaiSinh"),
        home_town: place(person, "QueQuan"),
        permanent_residence: place(person, "ThuongTru"),
        current_residence: place(person, "NoiOHienTai"),
        father: relative(person, "Cha"),
        mother: relative(person, "Me"),
        spouse: relative(person, "VoChong"),
        representative: relative(person, "NguoiDaiDien"),
        household_head: relative(person, "ChuHo"),
        household_number: text(person, "SoSoHoKhau"),
    })
}

/// `Ho`, `ChuDem` and `Ten` as far as they are told, often everything in `Ten`; or plain text.
fn name(element: &Element) -> Option<String> {
    let parts = ["Ho", "ChuDem", "Ten"].map(|part| element.child_text(part));
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return element.text().map(str::to_owned);
    }
    Some(parts.join(" "))
}

fn birth(element: &Element) -> Option<Result<BirthDate, Reason>> {
    let told = element
        .child_text("NgayThangNam")
        .or_else(|| element.child_text("Nam"))
        .or_else(|| element.text())?;
    Some(BirthDate::parse_compact(told))
}

fn sex(text: &str) -> Option<Sex> {
    readable("GioiTinh", text.parse().ok().and_then(Sex::from_code))
}

fn code(parent: &Element, name: &'static str) -> Option<ListCode> {
    let told = parent.child_text(name)?;
    readable(name, ListCode::parse(told).ok())
}

fn text(parent: &Element, name: &'static str) -> Option<RecordText> {
    let told = parent.child_text(name)?;
    readable(name, record_text(told).ok())
}

fn record_text(told: &str) -> Result<RecordText, Reason> {
    // Long addresses come with line breaks, which a record does not need.
    let line = told.split_whitespace().collect::<Vec<_>>().join(" ");
    Text::parse(&line).map(Private::new)
}

fn place(person: &Element, name: &'static str) -> Option<Place> {
    let element = person.child(name)?;
    let place = Place {
        province: code(element, "MaTinhThanh"),
        district: code(element, "MaQuanHuyen"),
        commune: code(element, "MaPhuongXa"),
        detail: text(element, "ChiTiet"),
        country: code(element, "QuocGia"),
    };
    (place != Place::default()).then_some(place)
}

fn relative(person: &Element, field: &'static str) -> Option<Relative> {
    let element = person.child(field)?;
    let told = element.child("HoVaTen").and_then(name);
    let full_name = told.and_then(|told| readable("HoVaTen", record_text(&told).ok()));
    let number = element.child_text("SoDinhDanh");
    let old_number = element.child_text("SoCMND");
    let relative = Relative {
        full_name,
        citizen_number: number.and_then(|told| readable(field, CitizenNumber::parse(told).ok())),
        old_number: old_number.and_then(|told| readable(field, OldNumber::parse(told).ok())),
        nationality: code(element, "QuocTich"),
        relation: code(element, "QuanHe"),
    };
    (relative != Relative::default()).then_some(relative)
}

/// Passes on what was read; names the field of what was not, and never its value.
fn readable<T>(field: &'static str, read: Option<T>) -> Option<T> {
    if read.is_none() {
        tracing::debug!(
            record.field = field,
            "a field of a record cannot be read and is left out"
        );
    }
    read
}

#[cfg(test)]
mod tests;
