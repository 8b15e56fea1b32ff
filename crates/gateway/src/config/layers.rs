//! Lays file and environment over the default, checking each key and type on the way.

use std::path::Path;

use toml::{Table, Value};

use super::{Config, ConfigFault, DEFAULT};

/// Variables that begin so set a key; two underscores separate its parts.
const ENVIRONMENT_PREFIX: &str = "LIENTHONG__";

/// Keys whose empty text means "none".
const OPTIONAL: [&str; 15] = [
    "broker.rabbitmq.ca",
    "broker.rabbitmq.client_certificate",
    "broker.rabbitmq.client_key",
    "console.accounts_file",
    "console.address",
    "console.certificate",
    "console.key",
    "console.openid.ca_file",
    "metrics.address",
    "portal.ca_file",
    "population.remote.server_name",
    "population.soap.ca_file",
    "population.soap.certificate",
    "population.soap.key",
    "traces.ca",
];

/// Keys that take values of several types; serde judges them.
const ANY_TYPE: [&str; 4] = [
    "portal.agency",
    "population.soap.unit",
    "population.soap.account",
    "population.soap.phone",
];

/// Tables that take any key.
const FREE_TABLES: [&str; 4] = [
    "portal.headers",
    "portal.cuts",
    "population.soap.access",
    "population.soap.headers",
];

/// A configuration file may be this large.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads the layers.
pub(super) fn read(
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Config, Vec<ConfigFault>> {
    let default: Table = DEFAULT
        .parse()
        .expect("the compiled-in default is TOML; a test reads it");
    let mut merged = default.clone();
    let mut layers = Layers {
        faults: Vec::new(),
        origin: String::new(),
    };
    if let Some(path) = file {
        layers.origin = path.display().to_string();
        if let Some(table) = layers.parse_file(path) {
            layers.lay("", &default, table, &mut merged);
        }
    }
    "environment".clone_into(&mut layers.origin);
    for (name, text) in environment {
        if let Some(path) = name.strip_prefix(ENVIRONMENT_PREFIX) {
            layers.lay_variable(&name, path, &text, &default, &mut merged);
        }
    }
    if !layers.faults.is_empty() {
        return Err(layers.faults);
    }
    drop_empty_options(&mut merged);
    typed_config(&merged, default)
}

struct Layers {
    faults: Vec<ConfigFault>,
    origin: String,
}

impl Layers {
    fn fault(&mut self, key: &str, text: impl Into<String>) {
        let fault = ConfigFault {
            origin: self.origin.clone(),
            key: key.to_owned(),
            text: text.into(),
        };
        self.faults.push(fault);
    }

    fn parse_file(&mut self, path: &Path) -> Option<Table> {
        let size = std::fs::metadata(path).map(|data| data.len());
        if size.is_ok_and(|size| size > FILE_BYTES_MAX) {
            self.fault("-", "larger than 1 MiB: is this the right file?");
            return None;
        }
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                self.fault("-", format!("cannot be read: {error}"));
                return None;
            }
        };
        match text.parse::<Table>() {
            Ok(table) => Some(table),
            Err(error) => {
                self.fault("-", format!("is not TOML: {}", error.message()));
                None
            }
        }
    }

    /// Lays `over` upon `merged`, where `default` says what may be there.
    fn lay(&mut self, path: &str, default: &Table, over: Table, merged: &mut Table) {
        for (key, value) in over {
            let full = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            match (default.get(&key), value) {
                (_, value) if FREE_TABLES.contains(&full.as_str()) => {
                    merged.insert(key, value);
                }
                (Some(Value::Table(inner)), Value::Table(value)) => {
                    if let Some(Value::Table(target)) = merged.get_mut(&key) {
                        self.lay(&full, inner, value, target);
                    }
                }
                (None, _) => {
                    self.fault(&full, format!("is not a setting{}", nearest(&key, default)));
                }
                (Some(known), value) if same_type(&full, known, &value) => {
                    merged.insert(key, value);
                }
                (Some(known), value) => {
                    let text = format!("must be {}, not {}", known.type_str(), value.type_str());
                    self.fault(&full, text);
                }
            }
        }
    }

    /// Lays one variable: its text is read as the type that the default has.
    fn lay_variable(
        &mut self,
        name: &str,
        path: &str,
        text: &str,
        default: &Table,
        merged: &mut Table,
    ) {
        let parts = path.split("__").map(str::to_lowercase).collect::<Vec<_>>();
        let Some((last, tables)) = parts.split_last() else {
            return;
        };
        let mut known = default;
        let mut target = merged;
        for table in tables {
            let (Some(Value::Table(inner)), Some(Value::Table(inner_target))) =
                (known.get(table), target.get_mut(table))
            else {
                return self.fault(name, "is not a setting");
            };
            (known, target) = (inner, inner_target);
        }
        let value = match known.get(last) {
            None if FREE_TABLES.contains(&tables.join(".").as_str()) => {
                Some(Value::String(text.to_owned()))
            }
            None => return self.fault(name, format!("is not a setting{}", nearest(last, known))),
            Some(Value::String(_)) => Some(Value::String(text.to_owned())),
            Some(known) => typed(text).filter(|value| value.same_type(known)),
        };
        match (value, known.get(last)) {
            (Some(value), _) => {
                target.insert(last.clone(), value);
            }
            (None, Some(known)) => self.fault(name, format!("must be {}", known.type_str())),
            (None, None) => {}
        }
    }
}

/// Reads text as a TOML value: `8`, `true`, `["a"]`.
fn typed(text: &str) -> Option<Value> {
    let table = format!("value = {text}").parse::<Table>().ok()?;
    table.get("value").cloned()
}

fn same_type(path: &str, known: &Value, value: &Value) -> bool {
    ANY_TYPE.contains(&path) || known.same_type(value)
}

/// A hint at the key that was probably meant.
fn nearest(key: &str, table: &Table) -> String {
    let close = |known: &&String| {
        known.starts_with(key)
            || key.starts_with(known.as_str())
            || known.replace('_', "") == key.replace('_', "")
    };
    table
        .keys()
        .find(close)
        .map_or_else(String::new, |known| format!("; did you mean `{known}`?"))
}

fn drop_empty_options(merged: &mut Table) {
    for path in OPTIONAL {
        let Some((tables, key)) = path.rsplit_once('.') else {
            continue;
        };
        let table = tables.split('.').try_fold(&mut *merged, |table, part| {
            table.get_mut(part).and_then(Value::as_table_mut)
        });
        if let Some(table) = table
            && table
                .get(key)
                .and_then(Value::as_str)
                .is_some_and(str::is_empty)
        {
            table.remove(key);
        }
    }
}

/// Reads the values by the types of the settings. When that fails, each section is tried alone among the defaults, so
/// that every one with a fault is named.
fn typed_config(merged: &Table, mut default: Table) -> Result<Config, Vec<ConfigFault>> {
    merged.clone().try_into().map_err(|_faulty| {
        drop_empty_options(&mut default);
        let faults = merged.iter().filter_map(|(name, section)| {
            let mut alone = default.clone();
            alone.insert(name.clone(), section.clone());
            let error = alone.try_into::<Config>().err()?;
            Some(ConfigFault {
                origin: "configuration".to_owned(),
                key: name.clone(),
                text: without_value(&error),
            })
        });
        faults.collect()
    })
}

/// The error in one line.
fn without_value(error: &toml::de::Error) -> String {
    error.message().lines().collect::<Vec<_>>().join(" ")
}
