//! A process that accepts is killed with SIGKILL at an arbitrary moment: what it has acknowledged
//! is there, and nothing is there twice.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use lienthong_domain::DossierStatus;
use lienthong_domain::delivery::LanePolicy;
use lienthong_ports::Store;
use lienthong_ports::conformance::store::{code, destination, offer};
use lienthong_ports::store::{ChangeCursor, DestinationSpec, Offer};
use lienthong_store_sqlite::{Config, OpenError, SqliteStore};
use lienthong_vault::Vault;

/// The variable that tells the child where its database is.
const FOLDER: &str = "LIENTHONG_KILL_TEST_FOLDER";
/// Rounds of kill and reopen on one database.
const ROUNDS: usize = 5;
/// Events of one call.
const GROUP: u32 = 7;
/// Events after which the child ends by itself, should nobody kill it.
const EVENTS_MAX: u32 = 7_000;

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

fn event(key: &str) -> Offer {
    let number: u32 = key
        .rsplit('-')
        .next()
        .and_then(|text| text.parse().ok())
        .expect("a key of this test");
    offer(
        key,
        &code(number % 500),
        DossierStatus::Processing,
        i64::from(number % 500),
    )
}

/// Runs only as the child of the other test.
#[tokio::test]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let store = SqliteStore::open(&config(Path::new(&folder))).unwrap();
    let round = std::process::id();
    for first in (0..EVENTS_MAX).step_by(GROUP as usize) {
        let keys: Vec<_> = (first..first + GROUP)
            .map(|number| format!("{round}-{number}"))
            .collect();
        let answers = store
            .accept(keys.iter().map(|key| event(key)).collect())
            .await
            .unwrap();
        let mut told = Vec::new();
        for (key, answer) in keys.iter().zip(answers) {
            writeln!(told, "acknowledged {key} {}", answer.unwrap().sequence).unwrap();
        }
        std::io::stdout().lock().write_all(&told).unwrap();
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_sigkill() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 1..=ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut killed = false;
        let before = acknowledged.len();
        for line in lines {
            let line = line.unwrap();
            let Some(told) = line.strip_prefix("acknowledged ") else {
                continue;
            };
            let (key, sequence) = told.split_once(' ').unwrap();
            acknowledged.push((key.to_owned(), sequence.parse::<i64>().unwrap()));
            if !killed && acknowledged.len() - before >= 100 * round {
                child.kill().unwrap();
                killed = true;
            }
        }
        child.wait().unwrap();
        assert!(killed, "the child was killed while it worked");
        verify(folder.path(), &acknowledged).await;
    }
}

async fn verify(folder: &Path, acknowledged: &[(String, i64)]) {
    let store = SqliteStore::open(&config(folder)).expect("the store opens after a kill");
    for (key, sequence) in acknowledged {
        let answer = store
            .accept(vec![event(key)])
            .await
            .expect("accept")
            .remove(0);
        let receipt = answer.expect("the same event as before");
        assert!(
            receipt.duplicate && receipt.sequence == *sequence,
            "{key}: {receipt:?}"
        );
    }
    let (mut cursor, mut events) = (ChangeCursor::default(), 0);
    loop {
        let (changes, next) = store.changes(cursor, 1_000).await.expect("changes");
        if changes.is_empty() {
            break;
        }
        events += changes.len();
        cursor = next;
    }
    let counts = store.counts().await.expect("counts");
    assert_eq!(counts[0].waiting(), events as u64, "one delivery per event");
    assert!(events >= acknowledged.len());
}

/// Two processes never write to one database.
#[test]
fn a_second_store_is_kept_out_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let first = SqliteStore::open(&config(folder.path())).unwrap();
    let refused = SqliteStore::open_inline(&config(folder.path())).unwrap_err();
    assert!(matches!(&refused, OpenError::InUse { .. }));
    assert!(refused.to_string().contains("kill.db"), "{refused}");
    drop(first);
    SqliteStore::open_inline(&config(folder.path())).unwrap();
}
