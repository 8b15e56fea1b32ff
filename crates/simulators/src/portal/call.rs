//! One call as it came in: its service, its JSON body, and the two headers of an adapter.

use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::answer::Answer;
use super::record::BodyHash;
use crate::trace;

const KEY_BYTES_MAX: usize = 200;

/// Fields that say how or for whom a call is made, not what it tells. `isUpdating` is one of them:
/// an insert whose answer was lost is rightly repeated as an update of the same content.
const FIELDS_NOT_HASHED: [&str; 2] = ["session", "isUpdating"];

/// The services that the simulator knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Service {
    /// `mapi/login`.
    #[serde(rename = "login")]
    Login,
    /// Insert or update of whole dossiers.
    #[serde(rename = "DongBoHoSoMC")]
    SyncDossier,
    /// New progress lines of known dossiers.
    #[serde(rename = "CapNhatTienDoHoSoMC")]
    UpdateProgress,
    /// Whether a dossier is known.
    #[serde(rename = "TraCuuHoSo")]
    FindDossier,
}

impl Service {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::SyncDossier => "DongBoHoSoMC",
            Self::UpdateProgress => "CapNhatTienDoHoSoMC",
            Self::FindDossier => "TraCuuHoSo",
        }
    }

    fn of_data_call(name: &str) -> Option<Self> {
        [Self::SyncDossier, Self::UpdateProgress, Self::FindDossier]
            .into_iter()
            .find(|service| service.name() == name)
    }
}

/// Which of the two addresses was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Login,
    Data,
}

/// `Idempotency-Key` and `Dossier-Sequence`, which the real portal ignores and a judge wants.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    pub(crate) key: Option<Box<str>>,
    pub(crate) sequence: Option<u64>,
    /// `traceparent`, as it came.
    pub(crate) trace: Option<Box<str>>,
}

/// A call whose body is a JSON object, or what to say when it is not.
pub(crate) struct Call {
    pub(crate) service: Option<Service>,
    pub(crate) body: Result<Map<String, Value>, Answer>,
    pub(crate) marks: Marks,
    pub(crate) hash: BodyHash,
}

impl Call {
    pub(crate) fn read(door: Door, headers: &HeaderMap, bytes: &[u8]) -> Self {
        let (marks, mut body) = match read_marks(headers) {
            Ok(marks) => (marks, read_object(bytes)),
            Err(refusal) => (Marks::default(), Err(refusal)),
        };
        let hash = BodyHash(body.as_ref().map(canonical_hash).unwrap_or_default());
        let service = match door {
            Door::Login => Some(Service::Login),
            Door::Data => {
                let name = body.as_ref().ok().and_then(|body| text(body, "service"));
                let service = name.and_then(Service::of_data_call);
                if body.is_ok() && service.is_none() {
                    body = Err(Answer::refused("Dịch vụ không được hỗ trợ: service"));
                }
                service
            }
        };
        Self {
            service,
            body,
            marks,
            hash,
        }
    }

    /// The dossier codes that the call names, before anything is judged.
    pub(crate) fn dossier_codes(&self) -> Vec<&str> {
        let Ok(body) = &self.body else {
            return Vec::new();
        };
        let listed = body
            .get("data")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let listed = listed.filter_map(|item| item.get("MaHoSo").and_then(Value::as_str));
        listed.chain(text(body, "mahoso")).collect()
    }

    /// The session that the call claims.
    pub(crate) fn session(&self) -> Option<&str> {
        self.body
            .as_ref()
            .ok()
            .and_then(|body| text(body, "session"))
    }
}

pub(crate) fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

fn read_object(bytes: &[u8]) -> Result<Map<String, Value>, Answer> {
    serde_json::from_slice(bytes).map_err(|_| Answer::refused("Nội dung không phải đối tượng JSON"))
}

fn read_marks(headers: &HeaderMap) -> Result<Marks, Answer> {
    let refuse = |name| Answer::refused(format!("Giá trị không hợp lệ: {name}"));
    let header = |name: &'static str| match headers.get(name) {
        None => Ok(None),
        Some(value) => value.to_str().map(Some).map_err(|_| refuse(name)),
    };
    let key = header("Idempotency-Key")?;
    if key.is_some_and(|key| key.is_empty() || key.len() > KEY_BYTES_MAX) {
        return Err(refuse("Idempotency-Key"));
    }
    let sequence = header("Dossier-Sequence")?
        .map(|text| text.parse().map_err(|_| refuse("Dossier-Sequence")))
        .transpose()?;
    Ok(Marks {
        key: key.map(Into::into),
        sequence,
        trace: trace::read(headers),
    })
}

fn canonical_hash(body: &Map<String, Value>) -> [u8; 32] {
    let mut told = body.clone();
    told.retain(|name, _| !FIELDS_NOT_HASHED.contains(&name.as_str()));
    let mut hasher = Sha256::new();
    feed(&mut hasher, &Value::Object(told));
    hasher.finalize().into()
}

/// Feeds JSON without spaces and with sorted names, whatever order the sender chose. The depth is
/// bounded by the parser, which refuses more than 128 levels.
fn feed(hasher: &mut Sha256, value: &Value) {
    match value {
        Value::Object(object) => {
            let mut fields: Vec<_> = object.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            hasher.update("{");
            for (name, value) in fields {
                feed(hasher, &Value::String(name.clone()));
                hasher.update(":");
                feed(hasher, value);
                hasher.update(",");
            }
            hasher.update("}");
        }
        Value::Array(items) => {
            hasher.update("[");
            for item in items {
                feed(hasher, item);
                hasher.update(",");
            }
            hasher.update("]");
        }
        leaf => hasher.update(leaf.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Call {
        Call::read(Door::Data, &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn the_hash_sees_content_and_neither_order_nor_session() {
        let first = read(r#"{"service":"TraCuuHoSo","session":"a","mahoso":"x"}"#);
        let same = read(r#"{ "mahoso":"x", "session":"b", "service":"TraCuuHoSo" }"#);
        let other = read(r#"{"service":"TraCuuHoSo","session":"a","mahoso":"y"}"#);
        assert_eq!(first.hash, same.hash);
        assert_ne!(first.hash, other.hash);
        let nested = |data: &str| read(&format!(r#"{{"service":"DongBoHoSoMC","data":{data}}}"#));
        assert_eq!(
            nested(r#"[{"a":"1","b":"2"}]"#).hash,
            nested(r#"[{"b":"2","a":"1"}]"#).hash
        );
        assert_ne!(nested(r#"["a","b"]"#).hash, nested(r#"["b","a"]"#).hash);
    }

    #[test]
    fn codes_are_found_before_anything_is_judged() {
        let call = read(r#"{"service":"DongBoHoSoMC","data":[{"MaHoSo":"a"},7,{"MaHoSo":"b"}]}"#);
        assert_eq!(call.dossier_codes(), ["a", "b"]);
        let found = read(r#"{"service":"TraCuuHoSo","mahoso":"c"}"#);
        assert_eq!(found.dossier_codes(), ["c"]);
    }

    #[test]
    fn a_body_that_is_no_known_call_is_refused() {
        for body in [
            "",
            "[]",
            "{",
            "\"x\"",
            r#"{"service":"LayThuTuc"}"#,
            r#"{"service":1}"#,
        ] {
            let call = read(body);
            assert!(
                call.body.is_err() && call.service.is_none(),
                "{body} passed"
            );
        }
    }

    #[test]
    fn a_sequence_must_be_a_number_and_a_key_bounded() {
        for (name, value) in [
            ("Dossier-Sequence", "one"),
            ("Idempotency-Key", ""),
            ("Dossier-Sequence", "-1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("plain text is a header value"));
            let call = Call::read(Door::Data, &headers, b"{}");
            let refusal = call.body.expect_err("the header is wrong");
            assert!(refusal.message.contains(name), "{}", refusal.message);
        }
    }
}
