//! How many usage records a second the store keeps, one per call as questions come, and how many items of a
//! job it takes through claim, begin and finish.
//!
//! `cargo run --release -p lienthong-store-sqlite --example identity_speed -- [records] [items]`

use std::sync::Arc;
use std::time::{Duration, Instant};

use lienthong_domain::identity::Verdict;
use lienthong_ports::conformance::identity::{claims, draft, usage_draft, verification};
use lienthong_ports::conformance::store::at;
use lienthong_ports::identity::{ItemDraft, ItemFinish, ItemNext};
use lienthong_ports::store::ClaimTerms;
use lienthong_ports::{IdentityStore, Store};
use lienthong_store_sqlite::{Config, SqliteStore};
use lienthong_vault::Vault;

/// Questions that wait for their record at the same time.
const CALLERS: [usize; 3] = [1, 32, 256];

#[expect(clippy::print_stdout, reason = "its output is what the example is for")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u32>());
    let records = arguments.next().transpose()?.unwrap_or(20_000);
    let items = arguments.next().transpose()?.unwrap_or(20_000);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()?;
    let folder = tempfile::tempdir_in(".")?;
    let vault = Arc::new(Vault::for_tests(1));
    let config = Config::new(folder.path().join("identity.db"), Vec::new(), vault);
    let store = Arc::new(SqliteStore::open(&config)?);
    for callers in CALLERS {
        let begun = Instant::now();
        runtime.block_on(record(&store, records, callers));
        let rate = f64::from(records) / begun.elapsed().as_secs_f64();
        println!("usage, {callers:3} callers: {rate:8.0} records/s");
    }
    let begun = Instant::now();
    runtime.block_on(upload(&store, items))?;
    let uploaded = begun.elapsed();
    let begun = Instant::now();
    runtime.block_on(answer_all(&store))?;
    let rate = |took: Duration| f64::from(items) / took.as_secs_f64();
    println!("items added:        {:8.0} /s", rate(uploaded));
    println!("items answered:     {:8.0} /s", rate(begun.elapsed()));
    runtime.block_on(store.close());
    Ok(())
}

async fn record(store: &Arc<SqliteStore>, records: u32, callers: usize) {
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..callers {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            for number in (0..records).skip(caller).step_by(callers) {
                let subject = number.to_le_bytes()[0];
                let draft = usage_draft(subject, i64::from(number));
                store.record_usage(vec![draft]).await.expect("record");
            }
        });
    }
    tasks.join_all().await;
}

async fn upload(store: &SqliteStore, items: u32) -> Result<(), Box<dyn std::error::Error>> {
    let job = store.open_job(draft("speed", items)).await?;
    let job = job.expect("a new job").id;
    for first in (1..=items).step_by(1_000) {
        let last = items.min(first + 999);
        let part = (first..=last).map(|number| ItemDraft {
            claims: Ok(claims(number % 1_000_000)),
        });
        let added = store.add_items(job, first, part.collect(), at(1)).await?;
        added.expect("no gap");
    }
    Ok(())
}

async fn answer_all(store: &SqliteStore) -> Result<(), Box<dyn std::error::Error>> {
    let terms = ClaimTerms {
        now: at(2),
        lease: Duration::from_mins(1),
        window: 256,
        batch: 100,
    };
    loop {
        let messages = store.claim_items(terms).await?;
        if messages.is_empty() {
            return Ok(());
        }
        let begun = store.begin_items(&messages, at(2), at(62)).await?;
        let finishes = begun.into_iter().flatten().map(|work| ItemFinish {
            message: work.message,
            next: ItemNext::Answered(verification(Verdict::Match)),
            usage: Some(usage_draft(1, 3)),
            misses_percent_max: 30,
            now: at(3),
        });
        store.finish_items(finishes.collect()).await?;
    }
}
