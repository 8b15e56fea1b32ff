use std::path::Path;
use std::sync::Arc;

use lienthong_domain::delivery::LanePolicy;
use lienthong_domain::{DeliveryId, DossierStatus};
use lienthong_ports::Store;
use lienthong_ports::conformance::operators::{new_operation, step_terms};
use lienthong_ports::conformance::store::{at, code, destination, offer};
use lienthong_ports::operators::{NewOperation, OperationState};
use lienthong_ports::store::{ClaimTerms, DestinationSpec};
use lienthong_vault::Vault;
use rusqlite::Connection;

use super::*;
use crate::config::Config;

fn open(path: &Path) -> SqliteStore {
    let spec = DestinationSpec {
        name: destination("dvcqg"),
        lane: LanePolicy::Hold,
    };
    let config = Config {
        reserve_bytes: 0,
        ..Config::new(path, vec![spec], Arc::new(Vault::for_tests(1)))
    };
    SqliteStore::open(&config).unwrap()
}

/// Parks a delivery of each of so many dossiers.
async fn park(store: &SqliteStore, dossiers: u32) -> Vec<DeliveryId> {
    let offers = (1..=dossiers).map(|number| {
        offer(
            &format!("{number}"),
            &code(number),
            DossierStatus::Processing,
            0,
        )
    });
    store.accept(offers.collect()).await.unwrap();
    let terms = ClaimTerms {
        now: at(1),
        lease: std::time::Duration::from_mins(1),
        window: 10,
        batch: 10,
    };
    let messages = store.claim(&destination("dvcqg"), terms).await.unwrap();
    store.bury(&messages, at(2)).await.unwrap();
    messages.iter().map(|message| message.delivery).collect()
}

#[tokio::test]
async fn a_bad_row_ends_its_own_operation_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.db");
    let store = open(&path);
    let parked = park(&store, 3).await;
    for (number, id) in parked.iter().enumerate() {
        let new = NewOperation {
            filter: ParkedFilter {
                ids: vec![*id],
                ..ParkedFilter::default()
            },
            ..new_operation(&format!("{number}"), 10)
        };
        store.request_operation(new).await.unwrap();
    }
    store.close().await;
    // The first operation itself cannot be read, the second meets a delivery that is gone.
    let disk = Connection::open(&path).unwrap();
    disk.execute("UPDATE operation SET filter = 'x' WHERE id = 1", [])
        .unwrap();
    disk.execute("DELETE FROM delivery WHERE id = ?1", [parked[1].0])
        .unwrap();
    drop(disk);

    let store = open(&path);
    let stepped = store.step_operations(step_terms(20)).await.unwrap();
    let told = stepped.iter().map(|step| (step.operation.id.0, step.moved));
    assert_eq!(told.collect::<Vec<_>>(), [(3, 1)]);
    let second = store.operation(OperationId(2)).await.unwrap().unwrap();
    assert_eq!(second.state, OperationState::Cancelled);
    let reason = second.decided_reason.unwrap();
    assert!(reason.contains("parked"), "{reason}");
    assert!(
        store
            .step_operations(step_terms(30))
            .await
            .unwrap()
            .is_empty()
    );
    let cancelled = ActionFilter {
        kind: Some("cancel_operation".into()),
        ..ActionFilter::default()
    };
    let cancelled = store.actions_matching(cancelled, None, 10).await.unwrap();
    let subjects: Vec<_> = cancelled
        .iter()
        .map(|action| action.subject.as_str())
        .collect();
    assert_eq!(subjects, ["operation:2", "operation:1"]);
    store.close().await;
}
