//! Decides whether a body is a well-formed call, naming the first wrong field.

use serde_json::{Map, Value};

use super::answer::Answer;
use super::call::{Call, Service, text};
use super::fields::{DOSSIER, ENVELOPE, FIND, Field, Kind, LOGIN, PROGRESS, SYNC};
use super::record::PortalTime;

/// Dossiers or progress lines in one call; the clients seen send at most ten.
const ITEMS_MAX: usize = 100;
/// The date of acceptance.
const ACCEPTANCE: &str = "NgayTiepNhan";

/// A well-formed call.
#[derive(Debug)]
pub(crate) enum Order {
    Login,
    Sync { updating: bool, dossiers: Vec<Item> },
    Progress { lines: Vec<Item> },
    Find { dossier: String },
}

/// What the simulator keeps of a dossier or a progress line: nothing personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) dossier: String,
    pub(crate) status: u8,
    pub(crate) occurred: Option<PortalTime>,
}

/// Judges the form of a call; sessions and known dossiers are the desk's business.
pub(crate) fn judge(call: &Call, unknown_allowed: bool) -> Result<Order, Answer> {
    let body = call.body.as_ref().map_err(Clone::clone)?;
    let service = call
        .service
        .ok_or_else(|| Answer::refused("Dịch vụ không được hỗ trợ: service"))?;
    all_strings(body)?;
    let judge = Judge { unknown_allowed };
    match service {
        Service::Login => judge.object(body, &[LOGIN], &[]).map(|()| Order::Login),
        Service::SyncDossier => {
            judge.object(body, &[ENVELOPE, SYNC], &["data"])?;
            let updating = matches!(text(body, "isUpdating"), Some("True" | "1"));
            Ok(Order::Sync {
                updating,
                dossiers: judge.items(body, DOSSIER, "TrangThaiHoSo")?,
            })
        }
        Service::UpdateProgress => {
            judge.object(body, &[ENVELOPE], &["data"])?;
            Ok(Order::Progress {
                lines: judge.items(body, PROGRESS, "TrangThai")?,
            })
        }
        Service::FindDossier => {
            judge.object(body, &[ENVELOPE, FIND], &[])?;
            let dossier = text(body, "mahoso")
                .expect("a required field was found")
                .to_owned();
            Ok(Order::Find { dossier })
        }
    }
}

/// Refuses any leaf that is not a JSON string. The depth is bounded by the parser.
fn all_strings(object: &Map<String, Value>) -> Result<(), Answer> {
    object
        .iter()
        .try_for_each(|(name, value)| string_leaves(name, value))
}

fn string_leaves(name: &str, value: &Value) -> Result<(), Answer> {
    match value {
        Value::String(_) => Ok(()),
        Value::Object(object) => all_strings(object),
        Value::Array(items) => items.iter().try_for_each(|item| string_leaves(name, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Err(Answer::refused(format!(
            "Giá trị phải là chuỗi ký tự: {name}"
        ))),
    }
}

struct Judge {
    unknown_allowed: bool,
}

impl Judge {
    /// Judges one object against its tables; fields named in `besides` are judged elsewhere.
    fn object(
        &self,
        object: &Map<String, Value>,
        tables: &[&[Field]],
        besides: &[&str],
    ) -> Result<(), Answer> {
        for field in tables.iter().copied().flatten() {
            self.field(field, object.get(field.name))?;
        }
        let known = |name: &str| {
            besides.contains(&name)
                || tables
                    .iter()
                    .copied()
                    .flatten()
                    .any(|field| field.name == name)
        };
        match object.keys().find(|name| !known(name)) {
            Some(name) if !self.unknown_allowed => {
                let name: String = name.chars().take(50).collect();
                Err(Answer::refused(format!(
                    "Trường không được định nghĩa: {name}"
                )))
            }
            _ => Ok(()),
        }
    }

    fn field(&self, field: &Field, value: Option<&Value>) -> Result<(), Answer> {
        let name = field.name;
        match (field.kind, value) {
            (Kind::List(table), Some(Value::Array(items))) => {
                items.iter().try_for_each(|item| match item {
                    Value::Object(object) => self.object(object, &[table], &[]),
                    _ => Err(wrong(name)),
                })
            }
            (Kind::AnyList, Some(Value::Array(_))) => Ok(()),
            (Kind::List(_) | Kind::AnyList, Some(_)) => Err(wrong(name)),
            (kind, Some(Value::String(text))) if !text.trim().is_empty() => {
                judge_text(name, kind, text)
            }
            (_, None | Some(Value::String(_))) if field.required => {
                Err(Answer::refused(format!("Thiếu trường bắt buộc: {name}")))
            }
            (_, None | Some(Value::String(_))) => Ok(()),
            (_, Some(_)) => Err(Answer::refused(format!(
                "Giá trị phải là chuỗi ký tự: {name}"
            ))),
        }
    }

    fn items(
        &self,
        body: &Map<String, Value>,
        table: &[Field],
        status: &str,
    ) -> Result<Vec<Item>, Answer> {
        let Some(data) = body.get("data") else {
            return Err(Answer::refused("Thiếu trường bắt buộc: data"));
        };
        let items = data.as_array().ok_or_else(|| wrong("data"))?;
        if items.is_empty() || items.len() > ITEMS_MAX {
            return Err(wrong("data"));
        }
        items
            .iter()
            .map(|item| {
                let object = item.as_object().ok_or_else(|| wrong("data"))?;
                self.object(object, &[table], &[])?;
                let item = read_item(object, status);
                accepted_once_received(&item, object, status)?;
                Ok(item)
            })
            .collect()
    }
}

/// A dossier has an acceptance date from its acceptance on: not while it is registered (1), and never
/// when it is refused at intake (3). The clients' table marks the date as required without saying so.
fn accepted_once_received(
    item: &Item,
    object: &Map<String, Value>,
    status: &str,
) -> Result<(), Answer> {
    let whole_dossier = status == "TrangThaiHoSo";
    let dated = text(object, ACCEPTANCE).is_some_and(|date| !date.trim().is_empty());
    if whole_dossier && !dated && !matches!(item.status, 1 | 3) {
        return Err(Answer::refused(format!(
            "Thiếu trường bắt buộc: {ACCEPTANCE}"
        )));
    }
    Ok(())
}

fn read_item(object: &Map<String, Value>, status: &str) -> Item {
    let required = |name| text(object, name).expect("a required field was found");
    Item {
        dossier: required("MaHoSo").to_owned(),
        status: required(status)
            .parse()
            .expect("a status is one of ten numbers"),
        occurred: text(object, "ThoiDiemXuLy").and_then(|text| text.parse().ok()),
    }
}

fn wrong(name: &str) -> Answer {
    Answer::refused(format!("Giá trị không hợp lệ: {name}"))
}

fn judge_text(name: &str, kind: Kind, text: &str) -> Result<(), Answer> {
    let fits = match kind {
        Kind::Text(chars_max) => {
            if text.chars().count() > chars_max {
                return Err(Answer::refused(format!(
                    "Giá trị dài quá {chars_max} ký tự: {name}"
                )));
            }
            true
        }
        Kind::Time => {
            if text.parse::<PortalTime>().is_err() {
                return Err(Answer::refused(format!(
                    "Thời gian không đúng định dạng yyyyMMddHHmmss: {name}"
                )));
            }
            true
        }
        Kind::Flag => ["True", "False", "0", "1"].contains(&text),
        Kind::OneOf(words) => words.contains(&text),
        Kind::DossierCode => is_dossier_code(text),
        Kind::List(_) | Kind::AnyList => false,
    };
    if fits { Ok(()) } else { Err(wrong(name)) }
}

/// `000.17.22.H56-210531-0001` or `H56.14-240823-0001`, with four or five digits at the end.
fn is_dossier_code(code: &str) -> bool {
    let parts: Vec<&str> = code.split('-').collect();
    let [agency, day, number] = parts.as_slice() else {
        return false;
    };
    is_agency_code(agency) && digits(day, 6..=6) && digits(number, 4..=5)
}

fn is_agency_code(code: &str) -> bool {
    let parts: Vec<&str> = code.split('.').collect();
    match parts.as_slice() {
        [a, b, c, head] if digits(a, 3..=3) => {
            digits(b, 2..=2) && digits(c, 2..=2) && is_agency_head(head)
        }
        [head, tail @ ..] => {
            is_agency_head(head) && tail.len() <= 3 && tail.iter().all(|part| digits(part, 1..=3))
        }
        [] => false,
    }
}

fn is_agency_head(head: &str) -> bool {
    head.strip_prefix(|first: char| first.is_ascii_uppercase())
        .is_some_and(|number| digits(number, 2..=2))
}

fn digits(text: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
