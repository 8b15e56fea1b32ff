//! No question or act of an operator costs more the more waits or has been. The cost is counted in steps of SQLite's
//! machine, which are the same on every computer however busy it is.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::delivery::{LanePolicy, ParkReason};
use lienthong_domain::{DeliveryId, ProcedureCode};
use lienthong_ports::conformance::operators::{new_operation, operator, step_terms};
use lienthong_ports::conformance::store::{at, code, destination, offer, status};
use lienthong_ports::operators::{
    ActionFilter, NewOperation, OperationKind, Sample, SampleKey, Span,
};
use lienthong_ports::store::{ClaimTerms, DestinationSpec, DossierFilter, ParkedFilter};
use lienthong_ports::{OperatorStore, Store};
use lienthong_vault::Vault;
use rusqlite::Connection;

use crate::config::Config;
use crate::rows::{all, steps};
use crate::store::SqliteStore;

/// What a database holds.
#[derive(Clone, Copy)]
struct Size {
    /// Dossiers that wait.
    waiting: i64,
    /// Dossiers with a parked delivery and one behind it.
    parked: i64,
    /// Dossiers that were delivered, actions, and minutes and days with figures.
    past: i64,
}

/// Large enough that each list is as long as was asked for.
const SMALL: Size = Size {
    waiting: 4_000,
    parked: 500,
    past: 1_000,
};
/// How many times as much a larger database holds.
const GROWTH: i64 = 4;
/// Deliveries accepted before the database is filled.
const ACCEPTED: u32 = 2;
/// The longest list that is asked for.
const LIST_MAX: usize = 10;
/// A question that reads every event, so that it is seen that one would be found.
const READS_ALL: &str = "SELECT id, dossier FROM event";

fn config(folder: &Path) -> Config {
    let spec = DestinationSpec {
        name: destination("dvcqg"),
        lane: LanePolicy::Hold,
    };
    Config {
        reserve_bytes: 0,
        ..Config::new(
            folder.join("growth.db"),
            vec![spec],
            Arc::new(Vault::for_tests(1)),
        )
    }
}

/// A database with some real events and `fill.sql` on top of them.
async fn fill(config: &Config, size: Size) -> SqliteStore {
    let store = SqliteStore::open_inline(config).unwrap();
    let offers =
        (1..=ACCEPTED).map(|number| offer(&format!("{number}"), &code(number), status(4), 0));
    store.accept(offers.collect()).await.unwrap();
    store.close().await;
    drop(store);
    let Size {
        waiting,
        parked,
        past,
    } = size;
    let (now, script) = (at(0).as_microsecond(), include_str!("growth/fill.sql"));
    let script = format!(
        "CREATE TEMP TABLE size AS SELECT {waiting} AS waiting, {parked} AS parked, {past} AS past, {now} AS now;
         BEGIN; {script}; COMMIT"
    );
    let connection = Connection::open(&config.path).unwrap();
    connection.execute_batch(&script).unwrap();
    drop(connection);
    SqliteStore::open_inline(config).unwrap()
}

/// The most steps that any run of each statement takes, in a database of this size.
async fn steps_of_everything(size: Size) -> BTreeMap<String, i32> {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let store = fill(&config, size).await;
    steps::start();
    park_the_accepted(&store).await;
    ask_of_parked(&store, size).await;
    ask_of_figures(&store).await;
    ask_of_actions(&store, size).await;
    operate(&store).await;
    let connection = Connection::open(&config.path).unwrap();
    all(&connection, READS_ALL, [], |_| Ok(())).unwrap();
    steps::take()
}

async fn park_the_accepted(store: &SqliteStore) {
    let terms = ClaimTerms {
        now: at(1),
        lease: Duration::from_mins(1),
        window: 10,
        batch: ACCEPTED,
    };
    let messages = store.claim(&destination("dvcqg"), terms).await.unwrap();
    let parked = store.bury(&messages, at(2)).await.unwrap();
    assert_eq!(parked, u64::from(ACCEPTED));
}

async fn ask_of_parked(store: &SqliteStore, size: Size) {
    let narrow = ParkedFilter {
        destination: Some(destination("dvcqg")),
        root: Some("H05".into()),
        procedure: ProcedureCode::parse("1.000003").ok(),
        reason: Some(ParkReason::Rejected),
        code: Some("-4".into()),
        ..ParkedFilter::default()
    };
    for (filter, matches) in [
        (
            ParkedFilter::default(),
            size.parked.unsigned_abs() + u64::from(ACCEPTED),
        ),
        (narrow, 0),
    ] {
        let first = DeliveryId(0);
        store.parked(filter.clone(), first, LIST_MAX).await.unwrap();
        store.parked_groups(filter.clone()).await.unwrap();
        for kind in [OperationKind::Replay, OperationKind::Discard] {
            let preview = store.preview(kind, filter.clone(), false, LIST_MAX).await;
            assert!(preview.unwrap().matches >= matches);
        }
    }
    let filter = DossierFilter {
        roots: vec!["H33".into()],
        only_parked: true,
        ..DossierFilter::default()
    };
    store.dossiers(filter, None, LIST_MAX).await.unwrap();
}

async fn ask_of_figures(store: &SqliteStore) {
    store.counts().await.unwrap();
    assert!(store.oldest_waiting().await.unwrap().len() >= 34);
    for root in [None, Some("H05".to_owned())] {
        let found = store.overdue_dossiers(at(3_600), root, LIST_MAX).await;
        assert_eq!(found.unwrap().len(), LIST_MAX);
    }
    let days = Span {
        first: "2025-05-01".parse().unwrap(),
        last: "2025-05-31".parse().unwrap(),
    };
    assert_eq!(store.day_flows(days).await.unwrap().len(), 31);
    let slow = store.slow_dossiers(days, None, LIST_MAX).await.unwrap();
    assert_eq!(slow.len(), 31);
    let key = SampleKey {
        name: "waiting".into(),
        about: "dvcqg".into(),
    };
    let sample = Sample {
        key: key.clone(),
        value: 1.0,
    };
    store.keep_samples(at(0), vec![sample]).await.unwrap();
    let read = store
        .samples(vec![key], at(-7_200), at(-3_600), LIST_MAX)
        .await;
    assert_eq!(read.unwrap()[0].1.len(), LIST_MAX);
}

async fn ask_of_actions(store: &SqliteStore, size: Size) {
    let some = |text: &str| Some(text.to_owned());
    let newest = at(0) + Duration::from_micros(size.past.unsigned_abs());
    let any = ActionFilter::default;
    let filters = [
        any(),
        ActionFilter {
            by: some("account:1"),
            ..any()
        },
        ActionFilter {
            kind: some("pause"),
            ..any()
        },
        ActionFilter {
            subject: some("640"),
            ..any()
        },
        ActionFilter {
            since: Some(newest),
            ..any()
        },
    ];
    for filter in filters {
        let found = store.actions_matching(filter, None, LIST_MAX).await;
        assert!(!found.unwrap().is_empty());
    }
    let noted = store.note_action("sign_in", "x".into(), operator("account:hanh", 1));
    noted.await.unwrap();
}

/// A replay and a discard of everything parked, and a step of both.
async fn operate(store: &SqliteStore) {
    let replay = NewOperation {
        per_second: 1,
        approval_above: u64::MAX,
        ..new_operation("replay", 10)
    };
    let discard = NewOperation {
        kind: OperationKind::Discard,
        approval_above: u64::MAX,
        ..new_operation("discard", 10)
    };
    for new in [replay, discard] {
        store.request_operation(new).await.unwrap();
    }
    let terms = step_terms(10);
    let stepped = store.step_operations(terms).await.unwrap();
    let moved: Vec<_> = stepped.iter().map(|one| one.moved).collect();
    assert_eq!(moved, [1, 1], "each begins with one");
    for only_open in [false, true] {
        let listed = store.operations(only_open, None, LIST_MAX).await.unwrap();
        assert_eq!(listed.len(), 2);
    }
}

/// The statements that cost more than `times` as much as in the smaller database.
fn grown(small: &BTreeMap<String, i32>, large: &BTreeMap<String, i32>, times: i32) -> Vec<String> {
    let costs_more = |(sql, taken): &(&String, &i32)| {
        let before = small.get(*sql).copied().unwrap_or(0) * times;
        // A quarter more, and some: lists do not end at the same row.
        **taken > before + before / 4 + 100
    };
    let grown = large.iter().filter(costs_more);
    grown.map(|(sql, _)| sql.clone()).collect()
}

#[tokio::test]
async fn no_question_of_an_operator_costs_more_the_more_is_stored() {
    let small = steps_of_everything(SMALL).await;
    assert!(small.len() > 40, "{} statements were seen", small.len());
    let waiting = Size {
        waiting: GROWTH * SMALL.waiting,
        ..SMALL
    };
    let large = steps_of_everything(waiting).await;
    assert_eq!(grown(&small, &large, 1), [READS_ALL], "with what waits");
    let past = Size {
        past: GROWTH * SMALL.past,
        ..SMALL
    };
    let large = steps_of_everything(past).await;
    assert_eq!(grown(&small, &large, 1), [READS_ALL], "with what has been");
    let parked = Size {
        parked: GROWTH * SMALL.parked,
        ..SMALL
    };
    let large = steps_of_everything(parked).await;
    let none: [String; 0] = [];
    let times = i32::try_from(GROWTH).unwrap();
    // Groups and counts are read from what is parked, but not more than once.
    assert_eq!(grown(&small, &large, times), none, "with what is parked");
}
