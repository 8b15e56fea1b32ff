//! A request of one of the two services, read as strictly as its order of elements allows.

use serde::{Deserialize, Serialize};
use unicode_normalization::is_nfc;

use super::xml::{self, Element, Namespace};

const REQUEST_ID_CHARS_MAX: usize = 64;
const FIELD_CHARS_MAX: usize = 150;

/// The services that the simulator knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Service {
    /// `TraCuuThongTinCongDan`, 037: everything about a citizen.
    #[serde(rename = "TraCuuThongTinCongDan")]
    LookUp,
    /// `XacThucThongTinCongDan`, 003: whether there is such a citizen.
    #[serde(rename = "XacThucThongTinCongDan")]
    Match,
    /// A token of an LGSP.
    #[serde(rename = "token")]
    Token,
}

impl Service {
    /// The SOAP service with this element in its body, and its `MaTichHop`.
    fn of_element(name: &str) -> Option<(Self, &'static str)> {
        match name {
            "TraCuuThongTinCongDan" => Some((Self::LookUp, "037")),
            "XacThucThongTinCongDan" => Some((Self::Match, "003")),
            _ => None,
        }
    }
}

/// Whom a request is about.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// `SoDinhDanh`.
    Number(String),
    /// `SoCMND`.
    OldNumber(String),
}

/// The birth date that a request claims.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum BirthClaim {
    /// `NgayThangNam`, `yyyyMMdd`.
    Date(String),
    /// `Nam`.
    Year(u16),
}

#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) service: Service,
    /// `MaYeuCau`.
    pub(crate) id: String,
    /// `MaDVC`.
    pub(crate) procedure: String,
    /// `MaCanBo`.
    pub(crate) official: String,
    pub(crate) subject: Subject,
    pub(crate) name: String,
    pub(crate) birth: BirthClaim,
}

/// Why a request could not be read, with the service if that much could be seen.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) service: Option<Service>,
    pub(crate) reason: String,
}

type Reading<T> = Result<T, String>;

impl Request {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let unknown = |reason: &str| Refusal {
            service: None,
            reason: reason.to_owned(),
        };
        let text = std::str::from_utf8(bytes).map_err(|_| unknown("Không phải UTF-8"))?;
        let envelope = xml::parse(text).map_err(unknown)?;
        let call = body_of(&envelope).map_err(unknown)?;
        let (service, integration_code) = Service::of_element(&call.name)
            .filter(|_| call.namespace == Namespace::Request)
            .ok_or_else(|| unknown("Dịch vụ không được hỗ trợ"))?;
        read_call(service, integration_code, call).map_err(|reason| Refusal {
            service: Some(service),
            reason,
        })
    }
}

/// The one element in the body of the envelope.
fn body_of(envelope: &Element) -> Result<&Element, &'static str> {
    if (envelope.namespace, envelope.name.as_str()) != (Namespace::Soap, "Envelope") {
        return Err("Phần tử gốc phải là Envelope của SOAP 1.1");
    }
    let parts = match envelope.children.as_slice() {
        [header, rest @ ..] if header.name == "Header" => rest,
        parts => parts,
    };
    let [body] = parts else {
        return Err("Envelope phải có đúng một Body");
    };
    if (body.namespace, body.name.as_str()) != (Namespace::Soap, "Body") {
        return Err("Envelope phải có đúng một Body");
    }
    let is_plain = is_blank(envelope) && is_blank(body);
    match body.children.as_slice() {
        [call] if is_plain => Ok(call),
        _ => Err("Body phải có đúng một phần tử"),
    }
}

fn read_call(service: Service, integration_code: &str, call: &Element) -> Reading<Request> {
    let mut fields = Fields::of(call)?;
    let id = fields.text("MaYeuCau")?.to_owned();
    if id.len() > REQUEST_ID_CHARS_MAX || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("Giá trị không hợp lệ: MaYeuCau".to_owned());
    }
    let procedure = fields.text("MaDVC")?.to_owned();
    if fields.text("MaTichHop")? != integration_code {
        return Err(format!("MaTichHop của dịch vụ này là {integration_code}"));
    }
    let official = fields.text("MaCanBo")?.to_owned();
    for newer in ["MaDonVi", "TaiKhoan", "SoDienThoai"] {
        if fields.has(newer) {
            fields.text(newer)?;
        }
    }
    let subject = if fields.has("SoCMND") {
        Subject::OldNumber(fields.digits("SoCMND", 9)?)
    } else {
        Subject::Number(fields.digits("SoDinhDanh", 12)?)
    };
    let name = fields.text("HoVaTen")?.to_owned();
    if !is_nfc(&name) || name != name.to_uppercase() {
        return Err("HoVaTen phải viết hoa, Unicode dựng sẵn (NFC)".to_owned());
    }
    let birth = read_birth(fields.take("NgayThangNamSinh")?)?;
    fields.end()?;
    Ok(Request {
        service,
        id,
        procedure,
        official,
        subject,
        name,
        birth,
    })
}

fn read_birth(element: &Element) -> Reading<BirthClaim> {
    let mut fields = Fields::of(element)?;
    let claim = if fields.has("Nam") {
        BirthClaim::Year(real_year(&fields.digits("Nam", 4)?)?)
    } else {
        let date = fields.digits("NgayThangNam", 8)?;
        check_date(&date)?;
        BirthClaim::Date(date)
    };
    fields.end()?;
    Ok(claim)
}

fn check_date(date: &str) -> Reading<()> {
    let number: u32 = date.parse().map_err(|_| wrong("NgayThangNam"))?;
    let year = u16::try_from(number / 10_000).map_err(|_| wrong("NgayThangNam"))?;
    let (month, day) = (number / 100 % 100, number % 100);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    if (1800..=2100).contains(&year) && (1..=days).contains(&day) {
        Ok(())
    } else {
        Err(wrong("NgayThangNam"))
    }
}

fn real_year(digits: &str) -> Reading<u16> {
    digits
        .parse()
        .ok()
        .filter(|year| (1800..=2100).contains(year))
        .ok_or_else(|| wrong("Nam"))
}

fn wrong(name: &str) -> String {
    format!("Giá trị không hợp lệ: {name}")
}

fn is_blank(element: &Element) -> bool {
    element.text.trim().is_empty()
}

/// The children of an element, taken in their order.
struct Fields<'a> {
    left: std::slice::Iter<'a, Element>,
}

impl<'a> Fields<'a> {
    fn of(element: &'a Element) -> Reading<Self> {
        if is_blank(element) {
            Ok(Self {
                left: element.children.iter(),
            })
        } else {
            Err(wrong(&element.name))
        }
    }

    fn has(&self, name: &str) -> bool {
        self.left
            .as_slice()
            .first()
            .is_some_and(|next| next.name == name)
    }

    fn take(&mut self, name: &str) -> Reading<&'a Element> {
        match self.left.next() {
            Some(next) if next.namespace == Namespace::Request && next.name == name => Ok(next),
            _ => Err(format!("Thiếu phần tử hoặc sai thứ tự: {name}")),
        }
    }

    fn text(&mut self, name: &str) -> Reading<&'a str> {
        let element = self.take(name)?;
        let text = element.text.as_str();
        let is_good = element.children.is_empty()
            && !text.is_empty()
            && text == text.trim()
            && text.chars().count() <= FIELD_CHARS_MAX
            && !text.chars().any(char::is_control);
        if is_good { Ok(text) } else { Err(wrong(name)) }
    }

    fn digits(&mut self, name: &str, count: usize) -> Reading<String> {
        let text = self.text(name)?;
        if text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(text.to_owned())
        } else {
            Err(wrong(name))
        }
    }

    fn end(mut self) -> Reading<()> {
        match self.left.next() {
            None => Ok(()),
            // A name out of a request goes back to its sender only, and cut.
            Some(extra) => Err(format!("Phần tử thừa hoặc sai thứ tự: {:.40}", extra.name)),
        }
    }
}

#[cfg(test)]
mod tests;
