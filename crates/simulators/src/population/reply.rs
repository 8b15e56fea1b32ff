//! What the database says, and the many ways in which its proxies lay the same answer out.

mod pen;

use self::pen::Pen;
use super::citizen::{Citizen, HouseholdHead, MaritalStatus, Place, Relative, Sex};
use super::register::draw::{Draw, Purpose};

/// One answer, before it is laid out.
#[derive(Debug)]
pub(crate) enum Answer {
    /// 037: the citizen, or none.
    Person(Option<Box<Citizen>>),
    /// 003.
    Exists(bool),
    /// A SOAP fault: who is to blame, and a sentence.
    Fault(Blame, String),
}

/// `faultcode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blame {
    Client,
    Server,
}

/// How the names of the answer's elements are bound to namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// A default namespace on the payload.
    Default,
    /// A prefix declared on the payload.
    Prefixed,
    /// A prefix declared on the envelope.
    OnEnvelope,
    /// Only the payload's outermost element has a namespace.
    Unqualified,
    /// The namespace of requests in place of that of answers.
    OfRequest,
    /// No namespace at all in the payload.
    Absent,
}

/// Which parts of a date or entry are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// Everything that is known.
    Whole,
    /// `Nam` without `NgayThangNam`, everything else.
    YearOnly,
    /// Number, name, sex and birth date only.
    Sparse,
}

/// How one answer is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Prefix of the envelope; empty for a default namespace.
    pub envelope_prefix: &'static str,
    /// Namespaces of the payload.
    pub namespaces: Namespaces,
    /// `Ho`, `ChuDem` and `Ten`, or everything in `Ten`.
    pub is_name_split: bool,
    /// Names in upper case, or as people write them.
    pub is_name_upper: bool,
    /// Line breaks and indents between the elements.
    pub is_indented: bool,
    /// What is told.
    pub completeness: Completeness,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            envelope_prefix: "soap",
            namespaces: Namespaces::Default,
            is_name_split: true,
            is_name_upper: true,
            is_indented: false,
            completeness: Completeness::Whole,
        }
    }
}

/// How the layout of each answer is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LayoutChoice {
    /// From the seed and the number of the call; everything known is told.
    #[default]
    AnyForm,
    /// Like `AnyForm`, and optional fields are missing now and then.
    Any,
    /// Always the same.
    Fixed(Layout),
}

impl LayoutChoice {
    pub(crate) fn layout(self, seed: u64, call: u64) -> Layout {
        let mut draw = Draw::new(seed, Purpose::Layout, call);
        let form = match self {
            Self::Fixed(layout) => return layout,
            Self::AnyForm | Self::Any => Layout {
                envelope_prefix: draw.pick(&["soap", "soapenv", "S", "SOAP-ENV", ""]),
                namespaces: draw.pick(&[
                    Namespaces::Default,
                    Namespaces::Prefixed,
                    Namespaces::OnEnvelope,
                    Namespaces::Unqualified,
                    Namespaces::OfRequest,
                    Namespaces::Absent,
                ]),
                is_name_split: draw.permille(500),
                is_name_upper: draw.permille(700),
                is_indented: draw.permille(300),
                completeness: Completeness::Whole,
            },
        };
        if self == Self::AnyForm {
            return form;
        }
        Layout {
            completeness: draw.pick(&[
                Completeness::Whole,
                Completeness::Whole,
                Completeness::YearOnly,
                Completeness::Sparse,
            ]),
            ..form
        }
    }
}

impl Answer {
    /// The XML text of the answer.
    pub(crate) fn to_xml(&self, layout: Layout) -> String {
        let mut pen = Pen::open_envelope(layout);
        match self {
            Self::Fault(blame, sentence) => pen.fault(*blame, sentence),
            Self::Exists(exists) => pen.payload("KetQuaXacThuc", |pen| {
                pen.leaf("TonTai", if *exists { "true" } else { "false" });
            }),
            Self::Person(citizen) => pen.payload("CongdanCollection", |pen| {
                if let Some(citizen) = citizen {
                    pen.group("CongDan", |pen| write_citizen(pen, citizen));
                }
            }),
        }
        pen.close_envelope()
    }
}

fn write_citizen(pen: &mut Pen, citizen: &Citizen) {
    let completeness = pen.layout().completeness;
    let is_sparse = completeness == Completeness::Sparse;
    pen.leaf("SoDinhDanh", &citizen.number);
    pen.leaf_if(
        "SoCMND",
        citizen.old_number.as_deref().filter(|_| !is_sparse),
    );
    pen.name(&citizen.name);
    pen.leaf(
        "GioiTinh",
        match citizen.sex {
            Sex::Male => "1",
            Sex::Female => "2",
        },
    );
    if !is_sparse {
        write_traits(pen, citizen);
    }
    pen.group("NgayThangNamSinh", |pen| {
        pen.leaf("Nam", &citizen.birth.year.to_string());
        let date = citizen.birth.date();
        pen.leaf_if(
            "NgayThangNam",
            date.as_deref()
                .filter(|_| completeness != Completeness::YearOnly),
        );
    });
    if !is_sparse {
        write_places_and_family(pen, citizen);
    }
}

fn write_traits(pen: &mut Pen, citizen: &Citizen) {
    pen.leaf("DanToc", citizen.ethnicity);
    pen.leaf_if("TonGiao", citizen.religion);
    let status = citizen.marital_status.map(|status| match status {
        MaritalStatus::Single => "1",
        MaritalStatus::Married => "2",
        MaritalStatus::Apart => "3",
    });
    pen.leaf_if("TinhTrangHonNhan", status);
    pen.leaf_if("NhomMau", citizen.blood_type);
}

fn write_places_and_family(pen: &mut Pen, citizen: &Citizen) {
    for (name, place) in [
        ("NoiDangKyKhaiSinh", &citizen.birth_registration),
        ("QueQuan", &citizen.home_town),
        ("ThuongTru", &citizen.permanent_residence),
        ("NoiOHienTai", &citizen.current_residence),
    ] {
        if let Some(place) = place {
            pen.group(name, |pen| write_place(pen, place));
        }
    }
    pen.leaf("QuocTich", "VN");
    for (name, relative) in [
        ("Cha", &citizen.father),
        ("Me", &citizen.mother),
        ("VoChong", &citizen.spouse),
    ] {
        if let Some(relative) = relative {
            pen.group(name, |pen| write_relative(pen, relative));
        }
    }
    if let Some(HouseholdHead { relation, person }) = &citizen.household_head {
        pen.group("ChuHo", |pen| {
            pen.leaf("QuanHe", relation);
            write_relative(pen, person);
        });
    }
    pen.leaf_if("SoSoHoKhau", citizen.household_number.as_deref());
}

fn write_place(pen: &mut Pen, place: &Place) {
    pen.leaf("MaTinhThanh", &place.province);
    pen.leaf_if("MaQuanHuyen", place.district.as_deref());
    pen.leaf("MaPhuongXa", &place.commune);
    pen.leaf_if("ChiTiet", place.detail.as_deref());
    pen.leaf("QuocGia", "VN");
}

fn write_relative(pen: &mut Pen, relative: &Relative) {
    pen.name(&relative.name);
    pen.leaf("QuocTich", "VN");
    pen.leaf_if("SoDinhDanh", relative.number.as_deref());
    pen.leaf_if("SoCMND", relative.old_number.as_deref());
}

/// The same document with every namespace replaced by one that nobody knows.
pub(crate) fn with_wrong_namespaces(xml: &str) -> String {
    let wrong = "urn:example:khong-phai-dan-cu";
    [pen::SOAP, pen::RESPONSE, pen::REQUEST]
        .into_iter()
        .fold(xml.to_owned(), |xml, namespace| {
            xml.replace(namespace, wrong)
        })
}

#[cfg(test)]
mod tests;
