//! Writes the XML of an answer element by element, in one layout.

use super::{Blame, Layout, Namespaces};
use crate::population::citizen::Name;

pub(super) const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
pub(super) const RESPONSE: &str = "http://www.mic.gov.vn/dancu/1.0";
pub(super) const REQUEST: &str = "http://dancuquocgia.bca";

/// Bytes of an ordinary answer, so that the text grows once.
const ANSWER_BYTES: usize = 4_096;
/// Prefix of payloads that have one.
const PREFIX: &str = "ns2:";

pub(super) struct Pen {
    out: String,
    layout: Layout,
    depth: usize,
    /// Before the names inside the payload; empty or with its colon.
    prefix: &'static str,
}

impl Pen {
    pub(super) fn open_envelope(layout: Layout) -> Self {
        let mut pen = Self {
            out: String::with_capacity(ANSWER_BYTES),
            layout,
            depth: 0,
            prefix: match layout.namespaces {
                Namespaces::Prefixed | Namespaces::OnEnvelope => PREFIX,
                _ => "",
            },
        };
        pen.out
            .push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        let soap = if layout.envelope_prefix.is_empty() {
            format!(" xmlns=\"{SOAP}\"")
        } else {
            format!(" xmlns:{}=\"{SOAP}\"", layout.envelope_prefix)
        };
        let payload = match layout.namespaces {
            Namespaces::OnEnvelope => format!(" xmlns:ns2=\"{RESPONSE}\""),
            _ => String::new(),
        };
        pen.open_soap("Envelope", &format!("{soap}{payload}"));
        pen.open_soap("Body", "");
        pen
    }

    pub(super) fn close_envelope(mut self) -> String {
        self.close_soap("Body");
        self.close_soap("Envelope");
        self.out
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    pub(super) fn fault(&mut self, blame: Blame, sentence: &str) {
        self.open_soap("Fault", "");
        let colon = if self.layout.envelope_prefix.is_empty() {
            ""
        } else {
            ":"
        };
        let code = format!("{}{colon}{blame:?}", self.layout.envelope_prefix);
        // SOAP 1.1 wants these two without a namespace.
        self.prefix = "";
        let unbound = if colon.is_empty() { " xmlns=\"\"" } else { "" };
        self.leaf_with("faultcode", unbound, &code);
        self.leaf_with("faultstring", unbound, sentence);
        self.close_soap("Fault");
    }

    /// The outermost element of an answer, with the namespace that the layout gives it.
    pub(super) fn payload(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        let (prefix, declared) = match self.layout.namespaces {
            Namespaces::Default => ("", format!(" xmlns=\"{RESPONSE}\"")),
            Namespaces::OfRequest => ("", format!(" xmlns=\"{REQUEST}\"")),
            Namespaces::Absent => ("", " xmlns=\"\"".to_owned()),
            Namespaces::OnEnvelope => (PREFIX, String::new()),
            Namespaces::Prefixed => (PREFIX, format!(" xmlns:ns2=\"{RESPONSE}\"")),
            // The default namespace is taken back, or the children would inherit the envelope's.
            Namespaces::Unqualified => (PREFIX, format!(" xmlns=\"\" xmlns:ns2=\"{RESPONSE}\"")),
        };
        self.tag("<", prefix, name, &declared);
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.tag("</", prefix, name, "");
    }

    pub(super) fn group(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.tag("<", self.prefix, name, "");
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.tag("</", self.prefix, name, "");
    }

    pub(super) fn leaf(&mut self, name: &str, text: &str) {
        self.leaf_with(name, "", text);
    }

    pub(super) fn leaf_if(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.leaf(name, text);
        }
    }

    pub(super) fn name(&mut self, name: &Name) {
        let is_upper = self.layout.is_name_upper;
        let cased = |text: &str| {
            if is_upper {
                text.to_uppercase()
            } else {
                text.to_owned()
            }
        };
        let is_split = self.layout.is_name_split;
        self.group("HoVaTen", |pen| {
            if is_split {
                pen.leaf_if("Ho", name.family.as_deref().map(cased).as_deref());
                pen.leaf_if("ChuDem", name.middle.as_deref().map(cased).as_deref());
                pen.leaf("Ten", &cased(&name.given));
            } else {
                pen.leaf("Ten", &cased(&name.full()));
            }
        });
    }

    fn leaf_with(&mut self, name: &str, declared: &str, text: &str) {
        self.tag("<", self.prefix, name, declared);
        self.push_escaped(text);
        for part in ["</", self.prefix, name, ">"] {
            self.out.push_str(part);
        }
    }

    fn open_soap(&mut self, name: &str, declared: &str) {
        let name = self.soap_name(name);
        self.tag("<", "", &name, declared);
        self.depth += 1;
    }

    fn close_soap(&mut self, name: &str) {
        self.depth -= 1;
        let name = self.soap_name(name);
        self.tag("</", "", &name, "");
    }

    fn soap_name(&self, name: &str) -> String {
        match self.layout.envelope_prefix {
            "" => name.to_owned(),
            prefix => format!("{prefix}:{name}"),
        }
    }

    fn tag(&mut self, bracket: &str, prefix: &str, name: &str, declared: &str) {
        if self.layout.is_indented {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", self.depth));
        }
        for part in [bracket, prefix, name, declared, ">"] {
            self.out.push_str(part);
        }
    }

    fn push_escaped(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '&' => self.out.push_str("&amp;"),
                // Real proxies escape the apostrophe of H'Hen, and a reader must cope.
                '\'' => self.out.push_str("&apos;"),
                letter => self.out.push(letter),
            }
        }
    }
}
