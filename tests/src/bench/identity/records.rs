//! Usage records alone: the gateway's store on the same disk, and nothing before it.

use std::path::Path;
use std::sync::Arc;

use lienthong_domain::Clock;
use lienthong_domain::delivery::LanePolicy;
use lienthong_domain::identity::{OfficialId, Pseudonym, PurposeCode, UsageKind};
use lienthong_ports::conformance::identity::{asker, usage_draft};
use lienthong_ports::conformance::store::destination;
use lienthong_ports::identity::{Asker, UsageDraft};
use lienthong_ports::store::DestinationSpec;
use lienthong_ports::{IdentityStore, Store as _};
use lienthong_store_sqlite::SqliteStore;
use lienthong_vault::Vault;

use super::Load;
use super::questions::official;
use super::stage::{MINISTRY, PURPOSE};
use crate::bench::latency::{Latency, of_callers};

/// Writes one record at a time for each of the load's callers, after its warm-up.
pub(super) async fn measure(folder: &Path, loads: &[Load]) -> anyhow::Result<Vec<Latency>> {
    let spec = DestinationSpec {
        name: destination("null"),
        lane: LanePolicy::Hold,
    };
    let vault = Arc::new(Vault::for_tests(1));
    let config =
        lienthong_store_sqlite::Config::new(folder.join("records.db"), vec![spec], vault.clone());
    let store = Arc::new(SqliteStore::open(&config)?);
    let count = loads.last().map_or(0, |load| load.counted.end);
    let drafts = (0..count).map(|place| draft(&vault, loads, place));
    let drafts = Arc::new(drafts.collect::<anyhow::Result<Vec<_>>>()?);
    let write = {
        let store = store.clone();
        move |_caller, place: usize| {
            let (store, drafts) = (store.clone(), drafts.clone());
            async move {
                store.record_usage(vec![drafts[place].clone()]).await?;
                Ok(())
            }
        }
    };
    let mut taken = Vec::new();
    for load in loads {
        of_callers(load.callers, load.warm_up.clone(), write.clone()).await?;
        taken.push(of_callers(load.callers, load.counted.clone(), write.clone()).await?);
    }
    store.close().await;
    Ok(taken)
}

/// A record as the gateway writes it: the same askers, another citizen each time.
fn draft(vault: &Vault, loads: &[Load], place: usize) -> anyhow::Result<UsageDraft> {
    let load = loads.iter().find(|load| place < load.counted.end);
    let caller = place % load.map_or(1, |load| load.callers);
    // The block is the number without its last six digits.
    let (block, rest) = (place / 1_000_000, place % 1_000_000);
    let (block, rest) = (format!("{block:06}"), format!("{rest:06}"));
    let number = format!("{block}{rest}");
    let pseudonym = |domain, text: &str| Pseudonym(vault.pseudonym(domain, text).0);
    let invalid = |what| move |reason| anyhow::anyhow!("{what}: {reason:?}");
    Ok(UsageDraft {
        at: Clock::system().now(),
        asker: Asker {
            official: OfficialId::parse(&official(caller)).map_err(invalid("official"))?,
            system: MINISTRY.1.into(),
            ..asker(MINISTRY.0)
        },
        subject: Some(pseudonym("citizen number", &number)),
        block: Some(pseudonym("citizen number block", &block)),
        purpose: PurposeCode::parse(PURPOSE).map_err(invalid("purpose"))?,
        dossier: None,
        kind: UsageKind::Verify,
        request_id: format!("01900000-0000-7000-8000-{number}"),
        ..usage_draft(0, 0)
    })
}
