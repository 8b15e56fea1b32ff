//! No question of an operator reads a whole table that grows with the years: the plans say so.

use std::sync::Arc;

use lienthong_domain::DeliveryId;
use lienthong_domain::delivery::LanePolicy;
use lienthong_ports::conformance::operators::{new_operation, operator, step_terms};
use lienthong_ports::conformance::store::{at, code, destination, offer, status};
use lienthong_ports::operators::{
    ActionFilter, NewOperation, OperationKind, Sample, SampleKey, Span,
};
use lienthong_ports::store::{ClaimTerms, DestinationSpec, ParkedFilter};
use lienthong_ports::{OperatorStore, Store};
use lienthong_vault::Vault;
use rusqlite::Connection;

use crate::config::{Config, MEMORY};
use crate::migrate::migrate;
use crate::rows::statements;
use crate::store::SqliteStore;

/// What may be read from end to end, because it is small, or because an index holds the few rows that are meant.
const BOUNDED: [&str; 11] = [
    // The people who ask for operations.
    "person",
    // What is in flight; the operations that are open.
    "c USING INDEX delivery_leased",
    "operation USING INDEX operation_open",
    // What is parked, and which of it is being overtaken.
    "called",
    "p",
    "lane",
    // The provinces and ministries; the names of figures.
    "r",
    "sample_key",
    // What was read before, of the days asked for.
    "s",
    "(subquery",
    "json_each",
];

fn config() -> Config {
    let spec = DestinationSpec {
        name: destination("dvcqg"),
        lane: LanePolicy::Hold,
    };
    Config::new(MEMORY, vec![spec], Arc::new(Vault::for_tests(1)))
}

/// Every question and act of an operator, once.
async fn ask_everything(store: &SqliteStore) {
    let filter = ParkedFilter::default;
    store.parked(filter(), DeliveryId(0), 10).await.unwrap();
    store.parked_groups(filter()).await.unwrap();
    let preview = store.preview(OperationKind::Replay, filter(), false, 10);
    assert_eq!(preview.await.unwrap().matches, 2);
    let replay = NewOperation {
        per_second: 1,
        ..new_operation("replay", 10)
    };
    let discard = NewOperation {
        kind: OperationKind::Discard,
        ..new_operation("discard", 10)
    };
    for new in [replay, discard] {
        store.request_operation(new).await.unwrap();
    }
    let stepped = store.step_operations(step_terms(20)).await.unwrap();
    assert_eq!(stepped.iter().map(|one| one.moved).sum::<u32>(), 2);
    for only_open in [false, true] {
        store.operations(only_open, None, 10).await.unwrap();
    }
    store.counts().await.unwrap();
    store.oldest_waiting().await.unwrap();
    let days = Span {
        first: "2025-07-01".parse().unwrap(),
        last: "2025-07-01".parse().unwrap(),
    };
    assert_eq!(store.day_flows(days).await.unwrap().len(), 1);
    store.slow_dossiers(days, None, 10).await.unwrap();
    store.overdue_dossiers(at(0), None, 10).await.unwrap();
    let key = SampleKey {
        name: "waiting".into(),
        about: "dvcqg".into(),
    };
    let sample = Sample {
        key: key.clone(),
        value: 1.0,
    };
    store.keep_samples(at(0), vec![sample]).await.unwrap();
    store.samples(vec![key], at(0), at(600), 5).await.unwrap();
    let some = || Some(String::from("x"));
    let filters = [
        ActionFilter::default(),
        ActionFilter {
            by: some(),
            ..ActionFilter::default()
        },
        ActionFilter {
            kind: some(),
            ..ActionFilter::default()
        },
        ActionFilter {
            subject: some(),
            ..ActionFilter::default()
        },
        ActionFilter {
            since: Some(at(0)),
            ..ActionFilter::default()
        },
    ];
    for filter in filters {
        store.actions_matching(filter, None, 10).await.unwrap();
    }
    store
        .note_action("sign_in", "x".into(), operator("account:hanh", 1))
        .await
        .unwrap();
}

#[tokio::test]
async fn no_question_of_an_operator_reads_a_whole_table() {
    let store = SqliteStore::open_inline(&config()).unwrap();
    for number in 1..=2 {
        let offered = offer(&format!("{number}"), &code(number), status(4), 0);
        store.accept(vec![offered]).await.unwrap();
    }
    let terms = ClaimTerms {
        now: at(1),
        lease: std::time::Duration::from_mins(1),
        window: 10,
        batch: 10,
    };
    let messages = store.claim(&destination("dvcqg"), terms).await.unwrap();
    statements::start();
    store.bury(&messages, at(2)).await.unwrap();
    ask_everything(&store).await;
    let seen = statements::take();
    assert!(seen.len() > 40, "{} statements were seen", seen.len());
    let connection = Connection::open_in_memory().unwrap();
    migrate(&connection, std::path::Path::new("x"), &Vault::for_tests(1)).unwrap();
    let mut whole = Vec::new();
    for sql in seen {
        for line in plan(&connection, &sql) {
            let scanned = line.strip_prefix("SCAN ");
            if scanned.is_some_and(|what| !is_bounded(what)) {
                whole.push(format!("{line}: {sql}"));
            }
        }
    }
    assert!(whole.is_empty(), "{whole:#?}");
}

/// Whether the scan is one of [`BOUNDED`]: of its whole name, or by its index.
fn is_bounded(scan: &str) -> bool {
    let table = scan.split(' ').next().unwrap_or(scan);
    BOUNDED.iter().any(|known| match known.split_once(' ') {
        Some(_) => scan.starts_with(known),
        None => table == *known || (known.starts_with('(') && table.starts_with(known)),
    })
}

fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut explained = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    let mut rows = explained.raw_query();
    let mut lines = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        lines.push(row.get(3).unwrap());
    }
    lines
}
