//! Nothing of a citizen can be read in the files: not the claims of jobs, not whom usage records are about.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::identity::{
    BirthDate, Claims, FullName, IdNumber, JobId, OldNumber, Pseudonym, UsageId, Verdict,
};
use lienthong_domain::{Clock, ErrorCode, Fence};
use lienthong_domain::{Private, Text};
use lienthong_ports::conformance::identity::{draft, usage_draft, verification};
use lienthong_ports::conformance::store::at;
use lienthong_ports::identity::{Finished, ItemDraft, ItemFinish, ItemId, ItemNext, JobCommand};
use lienthong_ports::store::ClaimTerms;
use lienthong_ports::{IdentityStore, Message, Store};
use lienthong_store_sqlite::{Config, SqliteStore};
use lienthong_vault::{KeyRing, Vault};

/// Items of each job.
const ITEMS: u32 = 60;

fn open(folder: &Path, vault: &Arc<Vault>) -> SqliteStore {
    let path = folder.join("rest.db");
    let config = Config {
        reserve_bytes: 0,
        ..Config::new(path, Vec::new(), Arc::clone(vault))
    };
    SqliteStore::open(&config).expect("the store opens")
}

/// A citizen of whom every value is a canary.
fn citizen(number: u32) -> Claims {
    let place = |text: &str| Some(Private::new(Text::parse(text).expect("a place")));
    Claims {
        old_number: Some(OldNumber::parse("238811994").expect("an old number")),
        home_town: place("Làng Kép, xã Ia Mơ Nông"),
        permanent_residence: place("Hẻm 58 Wừu, phường Pleiku"),
        ..Claims::key(
            IdNumber::parse(&format!("064191{number:06}")).expect("a citizen number"),
            FullName::parse("Rơ Châm H'Yưk").expect("a name"),
            BirthDate::parse("1991-11-23").expect("a date"),
        )
    }
}

fn canaries() -> Vec<Vec<u8>> {
    let mut texts: Vec<String> = ["Rơ Châm", "H'Yưk", "1991-11-23", "19911123", "238811994"]
        .into_iter()
        .chain(["Ia Mơ Nông", "58 Wừu", "no_match", "full_name"])
        .map(Into::into)
        .collect();
    texts.extend((0..ITEMS).map(|number| format!("064191{number:06}")));
    texts.into_iter().map(String::into_bytes).collect()
}

/// Everything that lies in the folder, the write-ahead log too.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            (
                path.display().to_string(),
                std::fs::read(&path).expect("a readable file"),
            )
        })
        .collect()
}

fn assert_no_canary(folder: &Path, when: &str) {
    for (name, bytes) in files(folder) {
        for canary in canaries() {
            let found = bytes.windows(canary.len()).any(|window| window == canary);
            let canary = String::from_utf8_lossy(&canary);
            assert!(!found, "{canary} lies in {name} {when}");
        }
    }
}

/// A job of canaries: some answered, some being asked, some waiting.
async fn fill(store: &SqliteStore, vault: &Vault) -> JobId {
    let opened = store.open_job(draft("canary", ITEMS)).await.expect("open");
    let job = opened.expect("a new job").id;
    let items = (0..ITEMS)
        .map(|number| ItemDraft {
            claims: Ok(citizen(number)),
        })
        .collect();
    let added = store.add_items(job, 1, items, at(1)).await;
    added.expect("add").expect("room");
    let terms = ClaimTerms {
        now: at(2),
        lease: Duration::from_mins(1),
        window: 100,
        batch: 40,
    };
    let messages = store.claim_items(terms).await.expect("claim");
    let works = store.begin_items(&messages, at(2), at(62)).await;
    let works = works.expect("begin");
    let finishes = works.iter().flatten().take(20).map(|work| {
        let number = vault.pseudonym("citizen number", work.claims.number.as_str());
        let mut usage = usage_draft(0, 3);
        usage.subject = Some(Pseudonym(number.0));
        ItemFinish {
            message: work.message,
            next: ItemNext::Answered(verification(Verdict::NoMatch)),
            usage: Some(usage),
            misses_percent_max: 100,
            now: at(3),
        }
    });
    let finishes: Vec<_> = finishes.collect();
    assert_eq!(finishes.len(), 20);
    store.finish_items(finishes).await.expect("finish");
    job
}

#[tokio::test]
async fn no_claim_and_no_answer_can_be_read_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Arc::new(Vault::for_tests(1));
    let store = open(folder.path(), &vault);
    let job = fill(&store, &vault).await;
    assert_no_canary(folder.path(), "while it runs");
    store
        .command_job(job, JobCommand::Cancel, None, at(4))
        .await
        .unwrap()
        .unwrap();
    store.close().await;
    assert_no_canary(folder.path(), "after it was closed");

    // The search itself finds what is there.
    let name = b"nguyenvana.tuphap".as_slice();
    let found = files(folder.path())
        .iter()
        .any(|(_, bytes)| bytes.windows(name.len()).any(|window| window == name));
    assert!(found, "the official's account is kept in the clear");
}

#[tokio::test]
async fn the_keys_of_jobs_are_rotated_and_missed() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let mut ring = KeyRing::generate(&clock);
    let old = ring.current();
    let vault = Arc::new(Vault::new(&ring));
    let store = open(folder.path(), &vault);
    let job = fill(&store, &vault).await;
    store.close().await;

    let new = ring.rotate(&clock).unwrap();
    let store = open(folder.path(), &Arc::new(Vault::new(&ring)));
    assert_eq!(store.keys_in_use().await.unwrap(), [(old, 1)]);
    assert_eq!(store.rewrap_keys(10).await.unwrap(), 1);
    assert_eq!(store.rewrap_keys(10).await.unwrap(), 0);
    assert_eq!(store.keys_in_use().await.unwrap(), [(new, 1)]);
    store.close().await;

    ring.retire(old).unwrap();
    let store = open(folder.path(), &Arc::new(Vault::new(&ring)));
    let answers = store.answers(job, 0, 100).await.unwrap();
    assert_eq!(answers.len(), 20);
    assert_eq!(answers[0].result, Ok(verification(Verdict::NoMatch)));
    store.close().await;

    let other = Config::new(
        folder.path().join("rest.db"),
        Vec::new(),
        Arc::new(Vault::new(&KeyRing::generate(&clock))),
    );
    assert!(SqliteStore::open(&other).is_err());
}

#[tokio::test]
async fn an_erased_job_leaves_no_sealed_byte() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Arc::new(Vault::for_tests(1));
    let store = open(folder.path(), &vault);
    let job = fill(&store, &vault).await;
    store
        .command_job(job, JobCommand::Pause(None), None, at(4))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(store.erase_jobs(at(10_000), 10).await.unwrap(), 1);
    store.close().await;
    let database = raw(folder.path());
    let count = |sql| {
        database
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(count("SELECT count(*) FROM job_item"), 0);
    assert_eq!(
        count("SELECT count(*) FROM job WHERE data_key IS NOT NULL"),
        0
    );
    assert_eq!(count("SELECT count(*) FROM usage"), 20);
}

/// The database without the store around it.
fn raw(folder: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(folder.join("rest.db")).expect("a database")
}

#[tokio::test]
async fn an_item_that_was_tampered_with_is_given_up_alone() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Arc::new(Vault::for_tests(1));
    let store = open(folder.path(), &vault);
    let job = fill(&store, &vault).await;
    store.close().await;
    // A waiting item gets the claims of its neighbour, which are sealed for another place.
    let changed = raw(folder.path()).execute(
        "UPDATE job_item SET claims = (SELECT claims FROM job_item other WHERE other.id = job_item.id + 1)
         WHERE id = (SELECT min(id) FROM job_item WHERE state = 1)",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
    let store = open(folder.path(), &vault);
    let terms = ClaimTerms {
        now: at(5),
        lease: Duration::from_mins(1),
        window: 100,
        batch: 100,
    };
    let messages = store.claim_items(terms).await.unwrap();
    let begun = store.begin_items(&messages, at(5), at(65)).await.unwrap();
    assert_eq!(messages.len(), 20);
    assert!(begun[0].is_none(), "its claims belong to another place");
    assert!(begun[1..].iter().all(Option::is_some));
    assert_eq!(store.job(job).await.unwrap().unwrap().items_failed, 1);
    let finishes = begun[1..].iter().flatten().map(|work| ItemFinish {
        message: work.message,
        next: ItemNext::Failed(ErrorCode::PopulationBusy),
        usage: None,
        misses_percent_max: 100,
        now: at(6),
    });
    let finished = store.finish_items(finishes.collect()).await.unwrap();
    assert_eq!(finished, [Finished::Kept; 19]);
}

#[tokio::test]
async fn what_a_crash_left_of_a_cancelled_job_is_deleted_by_the_next_sweep() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Arc::new(Vault::for_tests(1));
    let store = open(folder.path(), &vault);
    let job = fill(&store, &vault).await;
    store.close().await;
    // As the first transaction of a cancellation leaves it.
    let cancelled = "UPDATE job SET state = 5, due_at = NULL, untidy = 1, finished_at = created_at";
    assert_eq!(raw(folder.path()).execute(cancelled, []).unwrap(), 1);
    let store = open(folder.path(), &vault);
    assert_eq!(store.erase_jobs(at(5), 10).await.unwrap(), 0);
    assert_eq!(store.answers(job, 0, 100).await.unwrap().len(), 20);
    store.close().await;
    let sql = "SELECT count(*) FROM job_item WHERE state IN (1, 2)";
    let left: i64 = raw(folder.path())
        .query_row(sql, [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0, "only what is being asked, and what is answered");
}

#[tokio::test]
async fn an_answer_for_a_half_erased_job_is_stale_and_its_look_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Arc::new(Vault::for_tests(1));
    let store = open(folder.path(), &vault);
    let job = fill(&store, &vault).await;
    store.close().await;
    // As the first transaction of an erasure leaves it; item 21 is being asked.
    let erased = "UPDATE job SET state = 6, due_at = NULL, data_key = NULL, kek = NULL, untidy = 1";
    assert_eq!(raw(folder.path()).execute(erased, []).unwrap(), 1);
    let store = open(folder.path(), &vault);
    let finish = |next| ItemFinish {
        message: Message {
            delivery: ItemId((job.0 << 20) + 21).as_delivery(),
            fence: Fence(1),
            trace: None,
        },
        next,
        usage: Some(usage_draft(1, 5)),
        misses_percent_max: 100,
        now: at(5),
    };
    let answer = ItemNext::Answered(verification(Verdict::Match));
    let again = ItemNext::Retry {
        at: at(6),
        counted: true,
    };
    let finishes = vec![finish(answer), finish(again)];
    assert_eq!(
        store.finish_items(finishes).await.unwrap(),
        [Finished::Stale; 2]
    );
    let usage = store.usage_since(at(5), UsageId(0), 10).await.unwrap();
    assert_eq!(usage.len(), 2);
    assert!(store.answers(job, 0, 10).await.unwrap().is_empty());
}
