//! How many events a second the store accepts, beside bare SQLite that inserts the same rows in the
//! same groups, sealed already.
//!
//! `cargo run --release -p lienthong-store-sqlite --example intake_speed -- [events] [preloaded]`

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use lienthong_domain::delivery::LanePolicy;
use lienthong_ports::Store;
use lienthong_ports::conformance::store::{destination, offer, status};
use lienthong_ports::store::{DestinationSpec, Offer};
use lienthong_store_sqlite::{Config, SqliteStore};
use lienthong_vault::Vault;
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

/// Callers whose groups wait at the same time, so that the writer is never idle.
const CALLERS: usize = 3;

/// Events of a dossier that follow each other in the load.
const EVENTS_PER_DOSSIER: usize = 4;

#[expect(clippy::print_stdout, reason = "its output is what the example is for")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let events = arguments.next().transpose()?.unwrap_or(100_000);
    let preloaded = arguments.next().transpose()?.unwrap_or(0);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()?;
    let folder = tempfile::tempdir_in(".")?;
    for group in [100, 1_000] {
        let path = folder.path().join(format!("store-{group}.db"));
        let config = Config {
            group_items_max: group,
            ..Config::new(
                &path,
                vec![DestinationSpec {
                    name: destination("dvcqg"),
                    lane: LanePolicy::Hold,
                }],
                Arc::new(Vault::for_tests(1)),
            )
        };
        if preloaded > 0 {
            let store = Arc::new(SqliteStore::open(&config)?);
            runtime.block_on(accept(&store, 0, preloaded, 1_000))?;
            runtime.block_on(store.close());
        }
        let opening = Instant::now();
        let store = Arc::new(SqliteStore::open(&config)?);
        let opened = opening.elapsed();
        let rate = runtime.block_on(accept(&store, preloaded, events, group))?;
        runtime.block_on(store.close());
        let resident = resident_kib_max().unwrap_or(0) / 1024;
        let bare = bare(
            &path,
            &folder.path().join(format!("bare-{group}.db")),
            preloaded,
            group,
        )?;
        println!(
            "group {group:>5}: store {rate:>7.0}/s, bare {bare:>7.0}/s, ratio {:.2}; {preloaded} preloaded, opened in {opened:.1?}, {resident} MiB resident at most, with the load",
            rate / bare,
        );
    }
    Ok(())
}

/// The load: dossiers of a thousand agencies, each with a few statuses after another.
fn load(from: usize, count: usize) -> Vec<Offer> {
    (from..from + count)
        .map(|number| {
            let dossier = number / EVENTS_PER_DOSSIER;
            let agency = dossier % 1_000;
            let (day, of_day) = (dossier / 1_000 / 9_000, dossier / 1_000 % 9_000);
            let code = format!(
                "H{:02}.{}-25{:02}{:02}-{of_day:04}",
                agency % 60 + 1,
                agency,
                day / 28 % 12 + 1,
                day % 28 + 1
            );
            let code =
                lienthong_domain::DossierCode::parse(&code).expect("a code is built as codes are");
            let seconds = i64::try_from(number % EVENTS_PER_DOSSIER).expect("small");
            let mut offer = offer(&format!("{code}/{seconds}"), &code, status(4), seconds);
            if seconds > 0 {
                offer.event.details = None;
            }
            offer
        })
        .collect()
}

/// Accepts events in groups from several callers; events a second.
async fn accept(
    store: &Arc<SqliteStore>,
    from: usize,
    count: usize,
    group: usize,
) -> Result<f64, Box<dyn std::error::Error>> {
    const CHUNK: usize = 6_000;
    let mut seconds = 0.0;
    for start in (from..from + count).step_by(CHUNK) {
        // The load is made before the clock runs: a real one comes from other machines.
        let offers = load(start, CHUNK.min(from + count - start));
        let mut lists: Vec<Vec<Vec<Offer>>> = vec![Vec::new(); CALLERS];
        for (number, chunk) in offers.chunks(group).enumerate() {
            lists[number % CALLERS].push(chunk.to_vec());
        }
        let began = Instant::now();
        let mut callers = tokio::task::JoinSet::new();
        for list in lists {
            let store = Arc::clone(store);
            callers.spawn(async move {
                for chunk in list {
                    for answer in store.accept(chunk).await? {
                        assert!(answer.is_ok_and(|receipt| !receipt.duplicate), "accepted");
                    }
                }
                Ok::<_, lienthong_ports::StoreError>(())
            });
        }
        while let Some(ended) = callers.join_next().await {
            ended??;
        }
        seconds += began.elapsed().as_secs_f64();
    }
    Ok(f64::from(u32::try_from(count)?) / seconds)
}

/// Inserts the rows that the store has written, from `preloaded` on, with plain statements.
fn bare(from: &Path, to: &Path, preloaded: usize, group: usize) -> rusqlite::Result<f64> {
    let connection = Connection::open(to)?;
    connection.execute_batch(
        "PRAGMA journal_mode = wal; PRAGMA synchronous = FULL; PRAGMA cache_size = -49152;
         PRAGMA foreign_keys = 0; PRAGMA wal_autocheckpoint = 4096;",
    )?;
    connection.execute("ATTACH ?1 AS made", params![from.display().to_string()])?;
    let schema: String = connection.query_row(
        "SELECT group_concat(sql, ';') FROM made.sqlite_schema WHERE sql IS NOT NULL",
        [],
        |row| row.get(0),
    )?;
    connection.execute_batch(&schema)?;
    let split = i64::try_from(preloaded).unwrap_or(i64::MAX);
    let copy = |table: &str, rows: &str| {
        connection.execute_batch(&format!(
            "INSERT INTO main.{table} SELECT * FROM made.{table} {rows}"
        ))
    };
    copy(
        "dossier",
        &format!("WHERE id IN (SELECT dossier FROM made.event WHERE id <= {split})"),
    )?;
    copy("event", &format!("WHERE id <= {split}"))?;
    copy("delivery", &format!("WHERE id / 64 <= {split}"))?;
    let read = |table: &str, rows: String| -> rusqlite::Result<Vec<Vec<Value>>> {
        let mut statement = connection.prepare(&format!("SELECT * FROM made.{table} {rows}"))?;
        let columns = statement.column_count();
        statement
            .query_map([], |row| (0..columns).map(|index| row.get(index)).collect())?
            .collect()
    };
    let dossiers = read(
        "dossier",
        "WHERE id NOT IN (SELECT id FROM main.dossier) ORDER BY id".into(),
    )?;
    let events = read("event", format!("WHERE id > {split} ORDER BY id"))?;
    let deliveries = read("delivery", format!("WHERE id / 64 > {split} ORDER BY id"))?;
    let began = Instant::now();
    let mut dossiers = dossiers.into_iter().peekable();
    for (events, deliveries) in events.chunks(group).zip(deliveries.chunks(group)) {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let insert = |table: &str, row: &[Value]| {
            let marks = vec!["?"; row.len()].join(",");
            let mut statement =
                connection.prepare_cached(&format!("INSERT INTO main.{table} VALUES ({marks})"))?;
            statement.execute(params_from_iter(row))
        };
        for (event, delivery) in events.iter().zip(deliveries) {
            let is_new = dossiers
                .peek()
                .is_some_and(|dossier| dossier[0] == event[1]);
            if let Some(dossier) = dossiers.next_if(|_| is_new) {
                insert("dossier", &dossier)?;
            }
            insert("event", event)?;
            insert("delivery", delivery)?;
        }
        connection.execute_batch("COMMIT")?;
    }
    let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}

/// The most memory this process has held, from the kernel.
fn resident_kib_max() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
