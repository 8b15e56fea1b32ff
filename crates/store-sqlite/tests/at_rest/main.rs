//! Nothing personal lies in the files: not of what is accepted now, not of what was accepted before the
//! database was sealed; and what becomes of it when keys rotate or are destroyed.

mod old;
mod planted;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use lienthong_domain::Clock;
use lienthong_domain::delivery::LanePolicy;
use lienthong_ports::Store;
use lienthong_ports::conformance::store::{at, code, destination};
use lienthong_ports::store::{Actor, DestinationSpec};
use lienthong_store_sqlite::{Config, OpenError, SqliteStore};
use lienthong_vault::{KeyId, KeyRing, Vault};
use rusqlite::Connection;

use old::make_old_database;
use planted::{DOSSIERS, Person, assert_readable, files, find, found_in_files, plant};

fn config(folder: &Path, vault: &Arc<Vault>) -> Config {
    let spec = DestinationSpec {
        name: destination("dvcqg"),
        lane: LanePolicy::Hold,
    };
    Config {
        reserve_bytes: 0,
        ..Config::new(folder.join("gateway.db"), vec![spec], Arc::clone(vault))
    }
}

#[tokio::test]
async fn no_file_holds_what_was_planted() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&config(folder.path(), &Arc::new(Vault::for_tests(1)))).unwrap();
    plant(&store).await;
    let log = fs::read(folder.path().join("gateway.db-wal")).unwrap();
    assert!(
        !find(&log, [code(7).as_str().as_bytes()].into_iter()).is_empty(),
        "the log is looked into while it holds rows"
    );
    assert_eq!(found_in_files(folder.path()), [""; 0]);
    assert_readable(&store).await;
    store.close().await;
    assert_eq!(found_in_files(folder.path()), [""; 0]);
}

#[tokio::test]
async fn an_old_database_is_sealed_when_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    make_old_database(&folder.path().join("gateway.db")).unwrap();
    let planted = 5 * DOSSIERS as usize;
    assert!(
        found_in_files(folder.path()).len() >= planted,
        "the scan finds what is there"
    );

    let vault = Arc::new(Vault::for_tests(1));
    let store = SqliteStore::open(&config(folder.path(), &vault)).unwrap();
    assert_eq!(found_in_files(folder.path()), [""; 0]);
    assert_readable(&store).await;
    // The blinded hash still tells the same event from another one.
    for dossier in 0..DOSSIERS {
        let [same, mut other] = Person::of(dossier).offers(dossier);
        let answers = store.accept(vec![same]).await.unwrap();
        assert!(answers[0].as_ref().unwrap().duplicate);
        other.content_hash.0[0] ^= 1;
        assert!(store.accept(vec![other]).await.unwrap()[0].is_err());
    }
    store.close().await;
    let store = SqliteStore::open(&config(folder.path(), &vault)).unwrap();
    assert_readable(&store).await;
    assert_eq!(
        store.counts().await.unwrap()[0].waiting(),
        2 * u64::from(DOSSIERS)
    );
}

#[tokio::test]
async fn hashes_of_contents_are_not_stored_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&config(folder.path(), &Arc::new(Vault::for_tests(1)))).unwrap();
    plant(&store).await;
    let hashes: Vec<_> = (0..DOSSIERS)
        .flat_map(|dossier| Person::of(dossier).offers(dossier))
        .map(|offer| offer.content_hash.0)
        .collect();
    for bytes in files(folder.path()) {
        let found = find(&bytes, hashes.iter().map(<[u8; 32]>::as_slice));
        assert!(found.is_empty());
    }
}

#[tokio::test]
async fn after_a_rotation_every_key_is_wrapped_anew_in_batches() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::from_fn(|| at(0));
    let mut ring = KeyRing::generate(&clock);
    let vault = |ring: &KeyRing| Arc::new(Vault::new(ring));
    let store = SqliteStore::open(&config(folder.path(), &vault(&ring))).unwrap();
    plant(&store).await;
    assert_eq!(store.rewrap_keys(1_000).await.unwrap(), 0);
    drop(store);

    let before = ring.clone();
    let new = ring.rotate(&clock).unwrap();
    let store = SqliteStore::open(&config(folder.path(), &vault(&ring))).unwrap();
    assert_readable(&store).await;
    let mut wrapped = Vec::new();
    loop {
        let count = store.rewrap_keys(150).await.unwrap();
        wrapped.push(count);
        if count == 0 {
            break;
        }
        let in_use = store.keys_in_use().await.unwrap();
        assert_eq!(in_use.iter().map(|(_, count)| count).sum::<u64>(), 200);
    }
    assert_eq!(wrapped, [150, 50, 0]);
    assert_eq!(store.keys_in_use().await.unwrap(), [(new, 200)]);
    assert_readable(&store).await;
    drop(store);

    ring.retire(KeyId(1)).unwrap();
    let store = SqliteStore::open(&config(folder.path(), &vault(&ring))).unwrap();
    assert_readable(&store).await;
    drop(store);
    let refused = SqliteStore::open(&config(folder.path(), &vault(&before))).unwrap_err();
    assert!(
        matches!(refused, OpenError::MissingKey { key, .. } if key == new),
        "{refused}"
    );
}

#[tokio::test]
async fn another_key_file_is_refused_when_the_store_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let open = |seed| SqliteStore::open(&config(folder.path(), &Arc::new(Vault::for_tests(seed))));
    plant(&open(1).unwrap()).await;
    let refused = open(2).unwrap_err();
    assert!(
        matches!(&refused, OpenError::OtherKeyFile { .. }),
        "{refused}"
    );
    assert_readable(&open(1).unwrap()).await;
}

/// The wrapped keys of a folder's database, as its rows hold them.
fn wrapped_keys(folder: &Path) -> rusqlite::Result<Vec<Vec<u8>>> {
    let connection = Connection::open(folder.join("gateway.db"))?;
    let mut statement =
        connection.prepare("SELECT data_key FROM dossier WHERE data_key IS NOT NULL")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

#[tokio::test]
async fn a_destroyed_or_replaced_key_is_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::from_fn(|| at(0));
    let mut ring = KeyRing::generate(&clock);
    // Without a destination every delivery is final from the start.
    let config = |ring: &KeyRing| Config {
        destinations: Vec::new(),
        ..config(folder.path(), &Arc::new(Vault::new(ring)))
    };
    let store = SqliteStore::open(&config(&ring)).unwrap();
    plant(&store).await;
    let keys = wrapped_keys(folder.path()).unwrap();
    assert_eq!(keys.len(), 200);
    let in_files = |keys: &[Vec<u8>]| {
        let found = files(folder.path()).into_iter();
        let found = found.flat_map(|bytes| find(&bytes, keys.iter().map(Vec::as_slice)));
        found.collect::<BTreeSet<_>>().len()
    };
    assert_eq!(in_files(&keys), 200);
    for dossier in 0..10 {
        let actor = Actor {
            by: "H21/console".into(),
            reason: "hết thời hạn lưu trữ".into(),
            now: at(9),
        };
        store.erase_dossier(&code(dossier), actor).await.unwrap();
    }
    // The log is emptied after the answer; the next write waits for it.
    store.newest_cursor().await.unwrap();
    store.rewrap_keys(1).await.unwrap();
    assert_eq!(in_files(&keys), 190);
    drop(store);

    ring.rotate(&clock).unwrap();
    let store = SqliteStore::open(&config(&ring)).unwrap();
    assert_eq!(store.rewrap_keys(1_000).await.unwrap(), 190);
    store.close().await;
    assert_eq!(in_files(&keys), 0);
}
