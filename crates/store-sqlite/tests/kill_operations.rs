//! A process that steps through an operation is killed with SIGKILL at an arbitrary moment: no delivery is moved
//! twice, none is left out, and the operation's counts and cursor say what was done.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::delivery::LanePolicy;
use lienthong_domain::{DeliveryId, DeliveryState};
use lienthong_ports::conformance::operators::new_operation;
use lienthong_ports::conformance::store::{at, code, destination, offer, status};
use lienthong_ports::operators::{
    NewOperation, Operation, OperationId, OperationState, Requested, StepTerms,
};
use lienthong_ports::store::{ClaimTerms, DestinationSpec, ParkedFilter};
use lienthong_ports::{OperatorStore, Store};
use lienthong_store_sqlite::{Config, SqliteStore};
use lienthong_vault::Vault;

/// The variables that tell the child where its database is, and what time it is.
const FOLDER: &str = "LIENTHONG_KILL_OPERATIONS_FOLDER";
const SECONDS: &str = "LIENTHONG_KILL_OPERATIONS_SECONDS";
/// Rounds of kill and reopen on one database.
const ROUNDS: u32 = 4;
const DELIVERIES: u32 = 3_000;
/// Deliveries of one step.
const STEP: u32 = 7;

fn config(folder: &Path) -> Config {
    let spec = DestinationSpec {
        name: destination("dvcqg"),
        lane: LanePolicy::Hold,
    };
    let vault = Arc::new(Vault::for_tests(1));
    Config {
        reserve_bytes: 0,
        ..Config::new(folder.join("kill.db"), vec![spec], vault)
    }
}

/// Runs only as the child of the other test: steps until nothing runs, and tells of each step.
#[tokio::test]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let seconds = std::env::var_os(SECONDS).unwrap();
    let terms = StepTerms {
        now: at(seconds.to_str().unwrap().parse().unwrap()),
        limit: STEP,
        catch_up_max: Duration::from_mins(1),
    };
    let store = SqliteStore::open(&config(Path::new(&folder))).unwrap();
    loop {
        let stepped = store.step_operations(terms).await.unwrap();
        let Some(stepped) = stepped.first() else {
            return;
        };
        let told = format!("stepped {}\n", stepped.moved);
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(told.as_bytes()).unwrap();
    }
}

#[tokio::test]
async fn no_delivery_is_moved_twice() {
    let folder = tempfile::tempdir().unwrap();
    let id = prepare(folder.path()).await;
    let mut acknowledged = 0;
    for round in 1..=ROUNDS {
        // Enough time has passed for the rate to permit all of it.
        let more = run_child(folder.path(), round * 100, Some(150));
        assert!(more >= 150, "the child was killed while it worked");
        acknowledged += more;
        let operation = verify(folder.path(), id).await;
        assert_eq!(operation.state, OperationState::Running);
        let most = u64::from(acknowledged + round * STEP);
        assert!((u64::from(acknowledged)..=most).contains(&operation.moved));
    }
    run_child(folder.path(), (ROUNDS + 1) * 100, None);
    let operation = verify(folder.path(), id).await;
    assert_eq!(operation.state, OperationState::Done);
    assert_eq!(operation.moved, u64::from(DELIVERIES));
    assert_eq!(operation.left_alone, 0);
}

/// Parked deliveries, and an operation that replays them.
async fn prepare(folder: &Path) -> OperationId {
    let store = SqliteStore::open(&config(folder)).expect("the store opens");
    for first in (1..=DELIVERIES).step_by(500) {
        let offers = (first..first + 500)
            .map(|number| offer(&format!("k{number}"), &code(number), status(4), 0));
        store.accept(offers.collect()).await.expect("accept");
        let terms = ClaimTerms {
            now: at(1),
            lease: Duration::from_mins(1),
            window: 1_000,
            batch: 1_000,
        };
        let claimed = store.claim(&destination("dvcqg"), terms).await;
        let buried = store.bury(&claimed.expect("claim"), at(1)).await;
        assert_eq!(buried.expect("bury"), 500);
    }
    let new = NewOperation {
        approval_above: u64::MAX,
        ..new_operation("kill", 2)
    };
    let requested = store.request_operation(new).await.expect("request");
    assert!(
        matches!(&requested, Requested::New(operation) if operation.matched == u64::from(DELIVERIES))
    );
    let newest = store.operations(true, None, 1).await.expect("operations");
    store.close().await;
    newest[0].id
}

/// How many a child acknowledged as moved until it ended, or was killed after `kill_after`.
fn run_child(folder: &Path, seconds: u32, kill_after: Option<u32>) -> u32 {
    let mut child = Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "child", "--nocapture"])
        .env(FOLDER, folder)
        .env(SECONDS, seconds.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let stdout = child.stdout.take().expect("it is piped");
    let (mut moved, mut killed) = (0, false);
    for line in BufReader::new(stdout).lines() {
        let line = line.expect("text");
        if let Some(more) = line.strip_prefix("stepped ") {
            moved += more.parse::<u32>().expect("a number");
        }
        if !killed && kill_after.is_some_and(|most| moved >= most) {
            child.kill().expect("it runs");
            killed = true;
        }
    }
    child.wait().expect("it ends");
    assert_eq!(killed, kill_after.is_some());
    moved
}

/// Each moved delivery has one action and is ready; every other one is parked; the counts agree.
async fn verify(folder: &Path, id: OperationId) -> Operation {
    let store = SqliteStore::open(&config(folder)).expect("the store opens after a kill");
    let operation = store.operation(id).await.expect("operation");
    let operation = operation.expect("it is there");
    let mut actions = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = store.actions(after, 1_000).await.expect("actions");
        let Some(last) = page.last() else { break };
        after = last.id;
        for action in page.into_iter().filter(|action| action.kind == "replay") {
            *actions.entry(action.subject).or_insert(0) += 1;
        }
    }
    assert!(actions.values().all(|times| *times == 1), "moved twice");
    assert_eq!(actions.len() as u64, operation.moved);
    let counts = store.counts().await.expect("counts").remove(0);
    assert_eq!(counts.of(DeliveryState::Ready), operation.moved);
    let parked = u64::from(DELIVERIES) - operation.moved;
    assert_eq!(counts.of(DeliveryState::Parked), parked);
    let groups = store.parked_groups(ParkedFilter::default()).await;
    let grouped: u64 = groups
        .expect("groups")
        .iter()
        .map(|group| group.deliveries)
        .sum();
    assert_eq!(grouped, parked);
    let first = store
        .parked(ParkedFilter::default(), DeliveryId(0), 1)
        .await;
    if let Some(first) = first.expect("parked").first() {
        assert!(
            !actions.contains_key(&first.id.to_string()),
            "moved and parked"
        );
    }
    store.close().await;
    operation
}
