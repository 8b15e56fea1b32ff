//! Bare SQLite: the rows that a gateway has written, inserted by plain prepared statements.
//!
//! It runs in a process of its own and keeps freed memory. Inside the load generator glibc gave the heap's end
//! back and took it again at every commit, which made SQLite half as fast as it is and the gateway look good.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context as _;
use rusqlite::types::Value;
use rusqlite::{Connection, Statement, params_from_iter};

use super::figure;

/// The writer's settings of the gateway's store.
const PRAGMAS: &str =
    "PRAGMA journal_mode = wal; PRAGMA synchronous = FULL; PRAGMA cache_size = -49152;
    PRAGMA foreign_keys = 0; PRAGMA wal_autocheckpoint = 4096;";

/// glibc: give no memory back, and take it in large pieces.
const KEEP_MEMORY: [(&str, &str); 2] = [
    ("MALLOC_TRIM_THRESHOLD_", "1073741824"),
    ("MALLOC_TOP_PAD_", "67108864"),
];

type Row = Vec<Value>;

/// Runs [`copy`] in a process of its own.
pub(super) fn events_per_second(store: &Path, group: usize, warm_up: usize) -> anyhow::Result<f64> {
    let output = Command::new(std::env::current_exe()?)
        .arg("bare-sqlite")
        .arg(store)
        .args([group.to_string(), warm_up.to_string()])
        .envs(KEEP_MEMORY)
        .stderr(Stdio::inherit())
        .output()?;
    anyhow::ensure!(
        output.status.success(),
        "bare SQLite ended with {}",
        output.status
    );
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// Inserts the rows of `store` into a new file beside it; events a second.
pub(super) fn copy(store: &Path, group: usize, warm_up: usize) -> anyhow::Result<f64> {
    let target = store.with_file_name(format!("bare-{group}.db"));
    Rows::read(store)?.insert(&target, group, warm_up)
}

/// What an accepted event leaves behind.
struct Rows {
    schema: String,
    dossiers: Vec<Row>,
    events: Vec<Row>,
    deliveries: Vec<Row>,
}

impl Rows {
    /// Reads the store of a gateway that has stopped.
    fn read(store: &Path) -> anyhow::Result<Self> {
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

    /// Inserts all rows into a new file in transactions of `group` events; events a second after the
    /// first `warm_up` events, which the gateway's clock does not count either.
    fn insert(&self, path: &Path, group: usize, warm_up: usize) -> anyhow::Result<f64> {
        let connection = Connection::open(path)?;
        connection.execute_batch(PRAGMAS)?;
        connection.execute_batch(&self.schema)?;
        let mut inserts = Inserts {
            dossier: insert_into(&connection, "dossier", &self.dossiers)?,
            event: insert_into(&connection, "event", &self.events)?,
            delivery: insert_into(&connection, "delivery", &self.deliveries)?,
        };
        let mut dossiers = self.dossiers.iter().peekable();
        anyhow::ensure!(
            self.events.len() == self.deliveries.len(),
            "one destination, so one delivery an event"
        );
        let mut began = Instant::now();
        let mut counted = 0;
        for (start, size) in groups(self.events.len(), group, warm_up) {
            if start == warm_up {
                began = Instant::now();
            }
            connection.execute_batch("BEGIN IMMEDIATE")?;
            let part = start..start + size;
            for (event, delivery) in self.events[part.clone()].iter().zip(&self.deliveries[part]) {
                let dossier = event.get(1).context("an event names its dossier")?;
                if let Some(new) = dossiers.next_if(|row| row.first() == Some(dossier)) {
                    inserts.dossier.execute(params_from_iter(new))?;
                }
                inserts.event.execute(params_from_iter(event))?;
                inserts.delivery.execute(params_from_iter(delivery))?;
            }
            connection.execute_batch("COMMIT")?;
            counted += if start >= warm_up { size } else { 0 };
        }
        Ok(figure(counted as u64) / began.elapsed().as_secs_f64())
    }
}

/// The three statements, prepared once.
struct Inserts<'connection> {
    dossier: Statement<'connection>,
    event: Statement<'connection>,
    delivery: Statement<'connection>,
}

fn insert_into<'connection>(
    connection: &'connection Connection,
    table: &str,
    rows: &[Row],
) -> anyhow::Result<Statement<'connection>> {
    let columns = rows.first().context("the gateway wrote no rows")?.len();
    let marks = vec!["?"; columns].join(",");
    Ok(connection.prepare(&format!("INSERT INTO {table} VALUES ({marks})"))?)
}

/// Start and size of each transaction; one begins exactly where the warm-up ends.
fn groups(events: usize, group: usize, warm_up: usize) -> impl Iterator<Item = (usize, usize)> {
    let (group, warm_up) = (group.max(1), warm_up.min(events));
    let parts = [(0, warm_up), (warm_up, events)];
    parts.into_iter().flat_map(move |(from, to)| {
        (from..to)
            .step_by(group)
            .map(move |start| (start, group.min(to - start)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_cover_every_event_once_and_none_crosses_the_warm_up() {
        for (events, group, warm_up) in [(10, 3, 4), (10, 100, 0), (7, 1, 7), (9, 4, 8)] {
            let made = groups(events, group, warm_up).collect::<Vec<_>>();
            let mut next = 0;
            for (start, size) in made {
                assert_eq!(start, next);
                assert!((1..=group).contains(&size));
                assert!(start >= warm_up || start + size <= warm_up);
                next = start + size;
            }
            assert_eq!(next, events);
        }
    }
}
