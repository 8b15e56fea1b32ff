//! Reads the values of one portal object: strings that hold dates, codes and flags.
//!
//! `null` and empty text are absent. A whole number or a JSON boolean stands for its text, since
//! some systems write `"TrangThai": 4`.

use lienthong_domain::details::LIST_ENTRIES_MAX;
use lienthong_domain::fault::{Faults, Reason};
use lienthong_domain::text::Text;
use lienthong_domain::time::local_from_portal;
use serde_json::{Map, Value};

use super::UnknownKeys;
use crate::instant;

/// What was found wrong or unknown in one line.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) faults: Faults,
    pub(super) unknown: UnknownKeys,
}

/// One object, its place, and the keys asked for so far.
pub(super) struct Fields<'a> {
    object: &'a Map<String, Value>,
    path: String,
    asked: Vec<&'static str>,
    findings: &'a mut Findings,
}

impl<'a> Fields<'a> {
    pub(super) fn new(
        object: &'a Map<String, Value>,
        path: String,
        findings: &'a mut Findings,
    ) -> Self {
        Self {
            object,
            path,
            asked: Vec::new(),
            findings,
        }
    }

    /// The place of this object in the line.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Notes a fault of the field `name`.
    pub(super) fn fault(&mut self, name: &str, reason: Reason) {
        self.findings
            .faults
            .extend_under(&self.path, Faults::one(name, reason));
    }

    /// What `parse` makes of the field `name`; `None` if it is absent or was refused.
    pub(super) fn parsed<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Reason>,
    ) -> Option<T> {
        let result = match self.value(name)? {
            Value::String(text) => parse(text),
            Value::Number(number) if number.is_u64() => parse(&number.to_string()),
            Value::Bool(flag) => parse(if *flag { "True" } else { "False" }),
            _ => Err(Reason::BadForm {
                expected: "\"...\"",
            }),
        };
        result.map_err(|reason| self.fault(name, reason)).ok()
    }

    /// As [`Self::parsed`], and absent is a fault.
    pub(super) fn required<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Reason>,
    ) -> Option<T> {
        if self.value(name).is_none() {
            self.fault(name, Reason::Missing);
        }
        self.parsed(name, parse)
    }

    /// One line of text, normalised.
    pub(super) fn text<const MAX: usize>(&mut self, name: &'static str) -> Option<String> {
        self.parsed(name, |raw| Text::<MAX>::parse(raw).map(Text::into_string))
    }

    /// Text of several lines, normalised.
    pub(super) fn lines<const MAX: usize>(&mut self, name: &'static str) -> Option<String> {
        self.parsed(name, |raw| {
            Text::<MAX>::parse_multiline(raw).map(Text::into_string)
        })
    }

    /// `yyyyMMddHHmmss` in +07.
    pub(super) fn time(&mut self, name: &'static str) -> Option<prost_types::Timestamp> {
        self.parsed(name, |raw| local_from_portal(raw).map(instant::to_wire))
    }

    /// `True`/`False` or `1`/`0`.
    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.parsed(name, |raw| match raw {
            "True" | "true" | "1" => Ok(true),
            "False" | "false" | "0" => Ok(false),
            _ => Err(Reason::BadForm {
                expected: "True | False | 1 | 0",
            }),
        })
    }

    /// A code of the list `name`, `first..=last`.
    pub(super) fn code(&mut self, name: &'static str, first: u32, last: u32) -> Option<u32> {
        self.parsed(name, |raw| {
            digits(raw)
                .filter(|code| (first..=last).contains(code))
                .ok_or(Reason::UnknownCode { what: name })
        })
    }

    /// The contract's enumeration value of a code: there the first one is 1, and absent is 0.
    pub(super) fn choice(&mut self, name: &'static str, first: u32, last: u32) -> i32 {
        let position = self.code(name, first, last).map(|code| code - first + 1);
        position.map_or(0, |position| {
            i32::try_from(position).expect("lists of the portal have ten codes at most")
        })
    }

    /// A count, `0..=max`.
    pub(super) fn count(&mut self, name: &'static str, max: u32) -> Option<u32> {
        self.parsed(name, |raw| match digits(raw) {
            Some(count) if count <= max => Ok(count),
            Some(_) => Err(Reason::OutOfRange {
                min: 0,
                max: max.into(),
            }),
            None => Err(Reason::NotDigits),
        })
    }

    /// A list of objects, each read by `read`.
    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&mut Fields<'_>) -> T,
    ) -> Option<Vec<T>> {
        let Value::Array(entries) = self.value(name)? else {
            self.fault(name, Reason::BadForm { expected: "[...]" });
            return None;
        };
        if entries.len() > LIST_ENTRIES_MAX {
            let (max, actual) = (LIST_ENTRIES_MAX, entries.len());
            self.fault(name, Reason::TooMany { max, actual });
            return None;
        }
        let mut items = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            let path = join(&self.path, &format!("{name}[{index}]"));
            if let Value::Object(object) = entry {
                let mut fields = Fields::new(object, path, self.findings);
                items.push(read(&mut fields));
                fields.finish();
            } else {
                let reason = Reason::BadForm { expected: "{...}" };
                self.findings.faults.push(path, reason);
            }
        }
        Some(items)
    }

    /// Notes the keys that nobody asked for.
    pub(super) fn finish(self) {
        for key in self.object.keys() {
            if !self.asked.contains(&key.as_str()) {
                self.findings.unknown.push(join(&self.path, key));
            }
        }
    }

    fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.asked.push(name);
        match self.object.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.is_empty() => None,
            present => present,
        }
    }
}

fn digits(raw: &str) -> Option<u32> {
    let all = !raw.is_empty() && raw.bytes().all(|byte| byte.is_ascii_digit());
    // Digits fail to parse only when there are too many of them.
    all.then(|| raw.parse().unwrap_or(u32::MAX))
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
