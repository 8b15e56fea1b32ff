//! Bare SQLite: the rows that a gateway has written, inserted by plain prepared statements.

use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::figure;

/// The writer's settings of the gateway's store.
const PRAGMAS: &str =
    "PRAGMA journal_mode = wal; PRAGMA synchronous = FULL; PRAGMA cache_size = -49152;
    PRAGMA foreign_keys = 0; PRAGMA wal_autocheckpoint = 4096;";

type Row = Vec<Value>;

/// What an accepted event leaves behind.
pub(super) struct Rows {
    schema: String,
    dossiers: Vec<Row>,
    events: Vec<Row>,
    deliveries: Vec<Row>,
}

impl Rows {
    /// Reads the store of a gateway that has stopped.
    pub(super) fn read(store: &Path) -> anyhow::Result<Self> {
        let connection = Connection::open(store)?;
        let read = |table: &str| -> rusqlite::Result<Vec<Row>> {
            let mut statement =
                connection.prepare(&format!("SELECT * FROM {table} ORDER BY id"))?;
            let columns = statement.column_count();
            statement
                .query_map([], |row| (0..columns).map(|index| row.get(index)).collect())?
                .collect()
        };
        let mut statement = connection.prepare(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
        )?;
        let schema = statement
            .query_map([], |row| row.get::<_, String>(0))?
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            schema: schema.join(";\n"),
            dossiers: read("dossier")?,
            events: read("event")?,
            deliveries: read("delivery")?,
        })
    }

    /// Bytes of the content of an event's rows, on average.
    pub(super) fn event_bytes_mean(&self) -> f64 {
        let bytes = |value: &Value| match value {
            Value::Null => 0,
            Value::Integer(_) | Value::Real(_) => 8,
            Value::Text(text) => text.len(),
            Value::Blob(blob) => blob.len(),
        };
        let rows = self
            .dossiers
            .iter()
            .chain(&self.events)
            .chain(&self.deliveries);
        let sum: usize = rows.flatten().map(bytes).sum();
        figure(sum as u64) / figure(self.events.len() as u64)
    }

    /// Inserts all rows into a new file in transactions of `group` events; events a second.
    pub(super) fn insert(&self, path: &Path, group: usize) -> anyhow::Result<f64> {
        let connection = Connection::open(path)?;
        connection.execute_batch(PRAGMAS)?;
        connection.execute_batch(&self.schema)?;
        let insert = |table: &str, row: &Row| -> rusqlite::Result<usize> {
            let marks = vec!["?"; row.len()].join(",");
            connection
                .prepare_cached(&format!("INSERT INTO {table} VALUES ({marks})"))?
                .execute(params_from_iter(row))
        };
        let began = Instant::now();
        let mut dossiers = self.dossiers.iter().peekable();
        for (events, deliveries) in self.events.chunks(group).zip(self.deliveries.chunks(group)) {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            for (event, delivery) in events.iter().zip(deliveries) {
                let dossier = event.get(1).context("an event names its dossier")?;
                if let Some(new) = dossiers.next_if(|row| row.first() == Some(dossier)) {
                    insert("dossier", new)?;
                }
                insert("event", event)?;
                insert("delivery", delivery)?;
            }
            connection.execute_batch("COMMIT")?;
        }
        Ok(figure(self.events.len() as u64) / began.elapsed().as_secs_f64())
    }
}
