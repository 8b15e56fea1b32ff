//! What is sent: the elements in the order that the services want. Source: domain.md §3.1.

use lienthong_domain::identity::{BirthDate, FullName, IdNumber};
use lienthong_ports::Question;
use quick_xml::escape::escape;
use serde_json::{Map, Value};

use crate::config::{Filled, Form, Service, SoapConfig};
use crate::request_id::extended;

const ENVELOPE_BEGIN: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
    <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>";
const ENVELOPE_END: &str = "</soapenv:Body></soapenv:Envelope>";

/// One call: which service is asked about whom, on whose behalf.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) service: &'a Service,
    pub(crate) question: &'a Question,
    /// Position of the call among those of the question, from 1.
    pub(crate) call: u8,
    pub(crate) number: &'a IdNumber,
    pub(crate) name: &'a FullName,
    pub(crate) birth: BirthDate,
}

impl Ask<'_> {
    /// The body of the call.
    pub(crate) fn body(&self, config: &SoapConfig) -> String {
        match config.form {
            Form::Soap => self.envelope(config),
            Form::Json => self.json(config),
        }
    }

    /// `MaYeuCau`: the question's id, with the position of the call from the second on.
    fn request_id(&self) -> String {
        let id = &self.question.request_id;
        if self.call < 2 {
            return id.clone();
        }
        extended(id, &format!("-{}", self.call))
    }

    fn procedure<'b>(&'b self, config: &'b SoapConfig) -> &'b str {
        let procedure = self.question.procedure.as_ref();
        procedure.map_or(config.default_procedure.as_str(), |code| code.as_str())
    }

    fn filled<'b>(&'b self, filled: &'b Filled) -> Option<&'b str> {
        match filled {
            Filled::Nothing => None,
            Filled::Participant => Some(self.question.participant.as_str()),
            Filled::Official => Some(self.question.official.as_str()),
            Filled::Fixed(text) => Some(text.as_str()),
        }
    }

    fn envelope(&self, config: &SoapConfig) -> String {
        let number = match self.number {
            IdNumber::Citizen(_) => "SoDinhDanh",
            IdNumber::Old(_) => "SoCMND",
        };
        let birth = match self.birth {
            BirthDate::Full(_) => "NgayThangNam",
            BirthDate::Year(_) => "Nam",
        };
        let element = &self.service.element;
        let mut pen = Pen(ENVELOPE_BEGIN.to_owned());
        let namespace = escape(&config.namespace);
        pen.write(&["<", element, " xmlns=\"", &namespace, "\">"]);
        pen.leaf("MaYeuCau", &self.request_id());
        pen.leaf("MaDVC", self.procedure(config));
        pen.leaf("MaTichHop", &self.service.code);
        pen.leaf("MaCanBo", self.question.official.as_str());
        let newer = [
            ("MaDonVi", &config.unit),
            ("TaiKhoan", &config.account),
            ("SoDienThoai", &config.phone),
        ];
        for (name, filled) in newer {
            if let Some(text) = self.filled(filled) {
                pen.leaf(name, text);
            }
        }
        pen.leaf(number, self.number.as_str());
        pen.leaf("HoVaTen", &self.name.upper());
        pen.write(&["<NgayThangNamSinh>"]);
        pen.leaf(birth, &self.birth.compact());
        pen.write(&["</NgayThangNamSinh></", element, ">", ENVELOPE_END]);
        pen.0
    }

    /// The names are those of the one JSON facade that was seen (variant C); `maTichHop` and the newer ones are a
    /// guess.
    fn json(&self, config: &SoapConfig) -> String {
        let number = match self.number {
            IdNumber::Citizen(_) => "soDinhDanh",
            IdNumber::Old(_) => "soCMND",
        };
        let fields = [
            ("maYeuCau", Some(self.request_id())),
            ("maDVC", Some(self.procedure(config).to_owned())),
            ("maTichHop", Some(self.service.code.clone())),
            ("maCanBo", Some(self.question.official.to_string())),
            ("maDonVi", self.filled(&config.unit).map(str::to_owned)),
            (
                "userNameService",
                self.filled(&config.account).map(str::to_owned),
            ),
            ("soDienThoai", self.filled(&config.phone).map(str::to_owned)),
            (number, Some(self.number.as_str().to_owned())),
            ("hoVaTen", Some(self.name.upper())),
            ("ngayThangNam", Some(self.birth.compact())),
        ];
        let fields = fields.into_iter();
        let object: Map<String, Value> = fields
            .filter_map(|(name, text)| Some((name.to_owned(), Value::String(text?))))
            .collect();
        Value::Object(object).to_string()
    }
}

/// A call that asks about nobody.
pub(crate) fn empty_body(form: Form) -> String {
    match form {
        Form::Soap => format!("{ENVELOPE_BEGIN}{ENVELOPE_END}"),
        Form::Json => "{}".to_owned(),
    }
}

struct Pen(String);

impl Pen {
    fn write(&mut self, parts: &[&str]) {
        self.0.extend(parts.iter().copied());
    }

    fn leaf(&mut self, name: &str, text: &str) {
        self.write(&["<", name, ">", &escape(text), "</", name, ">"]);
    }
}

#[cfg(test)]
mod tests {
    use lienthong_domain::ProcedureCode;
    use lienthong_domain::identity::OfficialId;
    use lienthong_domain::participant::ParticipantId;

    use super::*;

    fn question() -> Question {
        Question {
            request_id: "0197-a".to_owned(),
            participant: ParticipantId::parse("H21").unwrap(),
            official: OfficialId::parse("hoa.tuphap").unwrap(),
            procedure: Some(ProcedureCode::parse("1.001193").unwrap()),
            trace: None,
        }
    }

    fn body(config: &SoapConfig, call: u8, number: &str, name: &str, birth: &str) -> String {
        let ask = Ask {
            service: &config.look_up,
            question: &question(),
            call,
            number: &IdNumber::parse(number).unwrap(),
            name: &FullName::parse(name).unwrap(),
            birth: BirthDate::parse(birth).unwrap(),
        };
        ask.body(config)
    }

    #[test]
    fn the_elements_come_in_order() {
        let config = SoapConfig::default();
        let xml = body(&config, 1, "052185012345", "H'Hen Niê", "1985-02-28");
        assert_eq!(
            xml,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">\
             <soapenv:Body><TraCuuThongTinCongDan xmlns=\"http://dancuquocgia.bca\"><MaYeuCau>0197-a</MaYeuCau>\
             <MaDVC>1.001193</MaDVC><MaTichHop>037</MaTichHop><MaCanBo>hoa.tuphap</MaCanBo><SoDinhDanh>052185012345</SoDinhDanh>\
             <HoVaTen>H&apos;HEN NIÊ</HoVaTen><NgayThangNamSinh><NgayThangNam>19850228</NgayThangNam></NgayThangNamSinh>\
             </TraCuuThongTinCongDan></soapenv:Body></soapenv:Envelope>"
        );
    }

    #[test]
    fn newer_elements_old_numbers_and_years_have_their_places() {
        let config = SoapConfig {
            unit: Filled::Participant,
            account: Filled::Official,
            phone: Filled::Fixed("<0912>&".to_owned()),
            ..SoapConfig::default()
        };
        let xml = body(&config, 2, "211234567", "Lê Thị Hoà", "1931");
        let wanted = "<MaYeuCau>0197-a-2</MaYeuCau><MaDVC>1.001193</MaDVC><MaTichHop>037</MaTichHop>\
            <MaCanBo>hoa.tuphap</MaCanBo><MaDonVi>H21</MaDonVi><TaiKhoan>hoa.tuphap</TaiKhoan>\
            <SoDienThoai>&lt;0912&gt;&amp;</SoDienThoai><SoCMND>211234567</SoCMND><HoVaTen>LÊ THỊ HOÀ</HoVaTen>\
            <NgayThangNamSinh><Nam>1931</Nam></NgayThangNamSinh>";
        assert!(xml.contains(wanted), "{xml}");
    }

    #[test]
    fn the_json_facade_takes_the_same_facts() {
        let config = SoapConfig {
            form: Form::Json,
            account: Filled::Official,
            ..SoapConfig::default()
        };
        let json = body(&config, 1, "052185012345", "Lê Thị Hoà", "1985-02-28");
        let json: Value = serde_json::from_str(&json).unwrap();
        let wanted = serde_json::json!({
            "maYeuCau": "0197-a", "maDVC": "1.001193", "maTichHop": "037", "maCanBo": "hoa.tuphap",
            "userNameService": "hoa.tuphap", "soDinhDanh": "052185012345", "hoVaTen": "LÊ THỊ HOÀ",
            "ngayThangNam": "19850228",
        });
        assert_eq!(json, wanted);
    }
}
