//! A process that answers items of a job is killed with SIGKILL at an arbitrary moment: no item is lost,
//! none is asked again once its answer was acknowledged, and each answer has exactly one usage record.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::Timestamp;
use lienthong_domain::identity::JobState::{Done, Running};
use lienthong_domain::identity::{JobId, UsageId, Verdict};
use lienthong_ports::conformance::identity::{claims, draft, usage_draft, verification};
use lienthong_ports::conformance::store::at;
use lienthong_ports::identity::{Finished, ItemDraft, ItemFinish, ItemNext};
use lienthong_ports::store::ClaimTerms;
use lienthong_ports::{IdentityStore, Store};
use lienthong_store_sqlite::{Config, SqliteStore};
use lienthong_vault::Vault;

/// The variables that tell the child where its database is, and what time it is.
const FOLDER: &str = "LIENTHONG_KILL_JOBS_FOLDER";
const SECONDS: &str = "LIENTHONG_KILL_JOBS_SECONDS";
/// Rounds of kill and reopen on one database.
const ROUNDS: u32 = 4;
const ITEMS: u32 = 4_000;
/// Items of one call.
const GROUP: u32 = 5;

fn config(folder: &Path) -> Config {
    Config {
        reserve_bytes: 0,
        ..Config::new(
            folder.join("kill.db"),
            Vec::new(),
            Arc::new(Vault::for_tests(1)),
        )
    }
}

/// Runs only as the child of the other test: asks and answers until nothing is due.
#[tokio::test]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let seconds = std::env::var_os(SECONDS).unwrap();
    let now = at(seconds.to_str().unwrap().parse().unwrap());
    let store = SqliteStore::open(&config(Path::new(&folder))).unwrap();
    store.recover_items(now).await.unwrap();
    store.expire_items(now, 1_000).await.unwrap();
    while answer_some(&store, now).await {}
}

/// Tells what is asked before the answer is written, and what is answered after.
async fn answer_some(store: &SqliteStore, now: Timestamp) -> bool {
    let terms = ClaimTerms {
        now,
        lease: Duration::from_mins(1),
        window: 100,
        batch: GROUP,
    };
    let messages = store.claim_items(terms).await.expect("claim");
    let begun = store.begin_items(&messages, now, now + Duration::from_mins(1));
    let begun = begun.await.expect("begin");
    let works: Vec<_> = begun.into_iter().flatten().collect();
    let tell = |what: &str| {
        let mut told = Vec::new();
        for work in &works {
            writeln!(told, "{what} {}", work.position).expect("a vector takes all");
        }
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(&told).expect("the parent listens");
    };
    tell("asked");
    let finishes = works.iter().map(|work| ItemFinish {
        message: work.message,
        next: ItemNext::Answered(verification(Verdict::Match)),
        usage: Some(usage_draft(1, 1)),
        misses_percent_max: 30,
        now,
    });
    let finished = store.finish_items(finishes.collect()).await;
    let finished = finished.expect("finish");
    assert!(finished.iter().all(|end| *end == Finished::Kept));
    tell("answered");
    !messages.is_empty()
}

#[tokio::test]
async fn no_item_is_lost_and_none_is_answered_twice() {
    let folder = tempfile::tempdir().unwrap();
    let job = upload(folder.path()).await;
    let mut answered = BTreeSet::new();
    for round in 1..=ROUNDS {
        // Every lease of the round before has run out.
        let seconds = i64::from(round) * 1_000;
        let more = run_child(folder.path(), seconds, &answered, Some(150));
        assert!(!more.is_empty(), "the child was killed while it worked");
        answered.extend(more);
        verify(folder.path(), job, &answered).await;
    }
    let seconds = i64::from(ROUNDS + 1) * 1_000;
    answered.extend(run_child(folder.path(), seconds, &answered, None));
    verify(folder.path(), job, &answered).await;
    let store = SqliteStore::open(&config(folder.path())).unwrap();
    let row = store.job(job).await.unwrap().unwrap();
    assert_eq!((row.state, row.items_matched), (Done, ITEMS));
}

async fn upload(folder: &Path) -> JobId {
    let store = SqliteStore::open(&config(folder)).expect("the store opens");
    let opened = store.open_job(draft("kill", ITEMS)).await.expect("open");
    let job = opened.expect("a new job").id;
    for first in (1..=ITEMS).step_by(1_000) {
        let items = (first..first + 1_000).map(|number| ItemDraft {
            claims: Ok(claims(number)),
        });
        let added = store.add_items(job, first, items.collect(), at(1)).await;
        added.expect("add").expect("room");
    }
    let row = store.job(job).await.expect("job").expect("it was opened");
    assert_eq!(row.state, Running);
    store.close().await;
    job
}

/// What a child acknowledged as answered until it ended, or was killed after `kill_after` answers.
fn run_child(
    folder: &Path,
    seconds: i64,
    answered_before: &BTreeSet<u32>,
    kill_after: Option<usize>,
) -> BTreeSet<u32> {
    let this = std::env::current_exe().expect("a path");
    let mut child = Command::new(this)
        .args(["--exact", "child", "--nocapture"])
        .env(FOLDER, folder)
        .env(SECONDS, seconds.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let stdout = child.stdout.take().expect("it is piped");
    let mut answered = BTreeSet::new();
    let mut killed = false;
    for line in BufReader::new(stdout).lines() {
        let line = line.expect("text");
        if let Some(position) = line.strip_prefix("asked ") {
            let position = position.parse().expect("a position");
            let known = answered_before.contains(&position) || answered.contains(&position);
            assert!(!known, "{position} was answered and is asked again");
        } else if let Some(position) = line.strip_prefix("answered ") {
            answered.insert(position.parse().expect("a position"));
        }
        if !killed && kill_after.is_some_and(|most| answered.len() >= most) {
            child.kill().expect("it runs");
            killed = true;
        }
    }
    child.wait().expect("it ends");
    assert_eq!(killed, kill_after.is_some());
    answered
}

async fn verify(folder: &Path, job: JobId, acknowledged: &BTreeSet<u32>) {
    let store = SqliteStore::open(&config(folder)).expect("the store opens after a kill");
    let row = store.job(job).await.expect("job").expect("it is there");
    let answered = row.items_answered() as usize;
    assert!(answered >= acknowledged.len());
    assert!(answered <= acknowledged.len() + (GROUP * ROUNDS) as usize);
    let (mut usage, mut after) = (0, UsageId(0));
    loop {
        let page = store.usage_since(at(0), after, 1_000).await;
        let page = page.expect("usage");
        let Some(last) = page.last() else { break };
        (usage, after) = (usage + page.len(), last.id);
    }
    assert_eq!(usage, answered, "one usage record per answer");
    store.close().await;
}
