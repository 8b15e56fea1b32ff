//! The text of a key file: reading it with all its faults at once, and writing it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lienthong_domain::Timestamp;
use toml::{Table, Value};
use zeroize::Zeroizing;

use super::{KEYS_MAX, Key, KeyId, KeyRing};
use crate::error::KeyFileFaults;
use crate::secret::Secret;

/// What the owner of the file reads first.
const HEAD: &str = "\
# Keys of the gateway's store. Whoever has this file and the database reads everything in it; without
# this file nobody does. Keep a copy, but never beside a copy of the database.
# The key with the highest id is current; the others open what is not wrapped anew yet.
";

pub(super) fn write(ring: &KeyRing) -> Zeroizing<String> {
    // Room for everything beforehand: text that grows leaves its former self in memory.
    let mut text = Zeroizing::new(String::with_capacity(512 + 256 * ring.keys.len()));
    text.push_str(HEAD);
    push_secret(&mut text, "index_key", &ring.index_key);
    for (id, key) in &ring.keys {
        write!(text, "\n[[key]]\nid = {id}\ncreated = {}\n", key.created)
            .expect("writing to a string does not fail");
        push_secret(&mut text, "secret", &key.secret);
    }
    text
}

fn push_secret(text: &mut String, name: &str, secret: &Secret) {
    let value = Zeroizing::new(STANDARD.encode(secret.expose()));
    for part in [name, " = \"", value.as_str(), "\"\n"] {
        text.push_str(part);
    }
}

pub(super) fn parse(text: &str) -> Result<KeyRing, KeyFileFaults> {
    let mut faults = KeyFileFaults::default();
    let table = text.parse::<Table>().map_err(|error| {
        // The error's own words quote the line, which may hold a key.
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| before.matches('\n').count() + 1);
        KeyFileFaults(vec![format!("line {line}: not TOML")])
    })?;
    let mut fields = Fields::of("the file", table);
    let index_key = fields.secret("index_key", &mut faults);
    let keys = match fields.take("key") {
        Some(Value::Array(entries)) if (1..=KEYS_MAX).contains(&entries.len()) => {
            parse_keys(entries, &mut faults)
        }
        _ => {
            faults
                .0
                .push(format!("`[[key]]` must stand there 1 to {KEYS_MAX} times"));
            BTreeMap::new()
        }
    };
    fields.refuse_others(&mut faults);
    match index_key {
        Some(index_key) if faults.0.is_empty() => Ok(KeyRing { keys, index_key }),
        _ => Err(faults),
    }
}

fn parse_keys(entries: Vec<Value>, faults: &mut KeyFileFaults) -> BTreeMap<KeyId, Key> {
    let mut keys = BTreeMap::new();
    for (entry, number) in entries.into_iter().zip(1..) {
        let place = format!("key entry {number}");
        let Value::Table(table) = entry else {
            faults.0.push(format!("{place} is not a table"));
            continue;
        };
        let mut fields = Fields::of(&place, table);
        let id = fields.id(faults);
        let created = fields.created(faults);
        let secret = fields.secret("secret", faults);
        fields.refuse_others(faults);
        let (Some(id), Some(created), Some(secret)) = (id, created, secret) else {
            continue;
        };
        if keys.insert(id, Key { created, secret }).is_some() {
            faults
                .0
                .push(format!("{place}: `id` {id} stands there twice"));
        }
    }
    keys
}

/// The fields of a table that are still to be read.
struct Fields<'a> {
    place: &'a str,
    table: Table,
}

impl<'a> Fields<'a> {
    fn of(place: &'a str, table: Table) -> Self {
        Self { place, table }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.table.remove(name)
    }

    fn fault(&self, name: &str, expected: &str, faults: &mut KeyFileFaults) {
        let place = self.place;
        faults
            .0
            .push(format!("{place}: `{name}` must be {expected}"));
    }

    fn id(&mut self, faults: &mut KeyFileFaults) -> Option<KeyId> {
        let id = self.take("id").and_then(|value| value.as_integer());
        let id = id.and_then(|id| u32::try_from(id).ok());
        let id = id.filter(|id| *id > 0).map(KeyId);
        if id.is_none() {
            self.fault("id", "a number from 1 to 4294967295", faults);
        }
        id
    }

    fn created(&mut self, faults: &mut KeyFileFaults) -> Option<Timestamp> {
        let created = match self.take("created") {
            Some(Value::Datetime(created)) => created.to_string().parse().ok(),
            _ => None,
        };
        if created.is_none() {
            self.fault("created", "an instant like 2026-11-22T08:00:00Z", faults);
        }
        created
    }

    fn secret(&mut self, name: &str, faults: &mut KeyFileFaults) -> Option<Secret> {
        let secret = match self.take(name) {
            Some(Value::String(text)) => {
                let text = Zeroizing::new(text);
                let bytes = STANDARD.decode(text.as_bytes()).ok().map(Zeroizing::new);
                bytes.and_then(|bytes| Secret::from_slice(&bytes))
            }
            _ => None,
        };
        if secret.is_none() {
            self.fault(name, "the base64 of 32 bytes, in quotes", faults);
        }
        secret
    }

    /// An unknown field is not named: it may be a value at the wrong place.
    fn refuse_others(self, faults: &mut KeyFileFaults) {
        if !self.table.is_empty() {
            let (place, count) = (self.place, self.table.len());
            faults.0.push(format!("{place}: unknown fields ({count})"));
        }
    }
}
