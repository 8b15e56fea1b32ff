use std::path::Path;

use lienthong_vault::Vault;
use rusqlite::Connection;

use super::*;

fn vault() -> Vault {
    Vault::for_tests(1)
}

fn migrated() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    migrate(&connection, Path::new("x"), &vault()).unwrap();
    connection
}

/// A database as the program before the vault left it, with `events` events of three dossiers.
fn unsealed(events: i64) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    applied(&connection, Path::new("x")).unwrap();
    begin(&connection, &MIGRATIONS[0], 1).unwrap();
    for dossier in 0..3 {
        connection
            .execute(
                "INSERT INTO dossier (id, root, code, participant, status, occurred_at, last_sequence,
                     details_sequence, first_accepted_at, updated_at)
                 VALUES (?1, 'H21', ?2, 1, 4, 0, 0, 0, 0, 0)",
                params![dossier, format!("H21.17-250701-000{dossier}")],
            )
            .unwrap();
    }
    for event in 1..=events {
        add_event(&connection, event);
    }
    connection
}

fn add_event(connection: &Connection, event: i64) {
    connection
        .execute(
            "INSERT INTO event (id, dossier, sequence, participant, key, system, event_id, content_hash,
                 status, occurred_at, accepted_at, late, details_sequence, progress, offered, merged)
             VALUES (?1, ?1 % 3, ?1, 1, 'k' || ?1, 1, x'00', ?2, 4, 0, 0, 0, ?1, ?3, ?4, ?5)",
            params![
                event,
                hash(event),
                (event % 2 == 0).then(|| format!("progress {event}")),
                format!("offered {event}"),
                (event % 5 == 0).then(|| format!("merged {event}")),
            ],
        )
        .unwrap();
}

fn hash(event: i64) -> [u8; 32] {
    Sha256::digest(event.to_be_bytes()).into()
}

/// What the three columns of sealed texts hold.
type Texts = [Option<Vec<u8>>; 3];

/// Every event's texts come back, and its hash is blinded.
fn assert_sealed(connection: &Connection, events: i64) {
    let mut statement = connection
        .prepare(
            "SELECT o.code, o.data_key, e.content_hash, e.progress, e.offered, e.merged
             FROM event e JOIN dossier o ON o.id = e.dossier WHERE e.id = ?1",
        )
        .unwrap();
    for event in 1..=events {
        let (code, wrapped, blinded, texts): (String, Vec<u8>, [u8; 32], Texts) = statement
            .query_row([event], |row| {
                let texts = [row.get(3)?, row.get(4)?, row.get(5)?];
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, texts))
            })
            .unwrap();
        assert_eq!(blinded, vault().blind(&hash(event)));
        let wrapped = lienthong_vault::WrappedKey::from_bytes(&wrapped).unwrap();
        let key = vault()
            .unwrap(&wrapped, &format!("dossier/{code}"))
            .unwrap();
        let opened = ["progress", "offered", "merged"]
            .into_iter()
            .zip(texts)
            .map(|(column, sealed)| {
                let place = lienthong_vault::Aad {
                    table: "event",
                    column,
                    row: event,
                };
                let opened = key.open(place, &sealed?).unwrap();
                Some(String::from_utf8(opened.to_vec()).unwrap())
            })
            .collect::<Vec<_>>();
        let expected = [
            (event % 2 == 0).then(|| format!("progress {event}")),
            Some(format!("offered {event}")),
            (event % 5 == 0).then(|| format!("merged {event}")),
        ];
        assert_eq!(opened, expected);
    }
    let count =
        "SELECT count(*), count(DISTINCT data_key) FROM event e JOIN dossier o ON o.id = e.dossier";
    let counted: (i64, i64) = connection
        .query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(counted, (events, 3), "every event once, a key per dossier");
}

#[test]
fn twice_is_harmless() {
    let connection = migrated();
    migrate(&connection, Path::new("x"), &vault()).unwrap();
    let newest = i64::try_from(MIGRATIONS.len()).unwrap();
    assert_eq!(pragma(&connection, "user_version"), Ok(newest));
}

#[test]
fn what_was_there_is_sealed() {
    let connection = unsealed(20);
    migrate(&connection, Path::new("x"), &vault()).unwrap();
    assert_sealed(&connection, 20);
}

#[test]
fn a_kill_between_any_two_steps_is_harmless() {
    for batches in 0..5 {
        let connection = unsealed(20);
        begin(&connection, &MIGRATIONS[1], 2).unwrap();
        key_check::check(&connection, Path::new("x"), &vault()).unwrap();
        for _ in 0..batches {
            assert!(sealing::seal_batch(&connection, &vault(), 6).unwrap() || batches > 3);
        }
        // The program before may have been started again meanwhile.
        assert_eq!(pragma(&connection, "user_version"), Ok(1));
        add_event(&connection, 21);
        migrate(&connection, Path::new("x"), &vault()).unwrap();
        assert_sealed(&connection, 21);
    }
}

#[test]
fn a_kill_before_the_compaction_leaves_it_due() {
    let connection = unsealed(20);
    begin(&connection, &MIGRATIONS[1], 2).unwrap();
    while sealing::seal_batch(&connection, &vault(), 6).unwrap() {}
    let rewrite = MIGRATIONS[1].rewrite.as_ref().unwrap();
    end(&connection, rewrite, 2, true).unwrap();
    let due = || {
        let sql = "SELECT count(*) FROM migration WHERE name = ?1";
        connection.query_row(sql, [COMPACTION_DUE], |row| row.get::<_, i64>(0))
    };
    assert_eq!(due(), Ok(1));
    migrate(&connection, Path::new("x"), &vault()).unwrap();
    assert_eq!(due(), Ok(0));
    assert_eq!(pragma(&connection, "freelist_count"), Ok(0));
    assert_sealed(&connection, 20);
}

#[test]
fn another_key_file_seals_nothing_more() {
    let connection = unsealed(20);
    begin(&connection, &MIGRATIONS[1], 2).unwrap();
    key_check::check(&connection, Path::new("x"), &vault()).unwrap();
    sealing::seal_batch(&connection, &vault(), 6).unwrap();
    let other = Vault::for_tests(2);
    let refused = migrate(&connection, Path::new("x"), &other).unwrap_err();
    assert!(matches!(refused, OpenError::OtherKeyFile { .. }));
    migrate(&connection, Path::new("x"), &vault()).unwrap();
    assert_sealed(&connection, 20);
}

#[test]
fn a_newer_schema_is_refused_with_both_versions() {
    let connection = migrated();
    connection.pragma_update(None, "user_version", 99).unwrap();
    let text = migrate(&connection, Path::new("gateway.db"), &vault())
        .unwrap_err()
        .to_string();
    assert!(text.contains("gateway.db") && text.contains("99"), "{text}");
}

#[test]
fn a_changed_migration_is_refused_by_name() {
    let connection = migrated();
    connection
        .execute("UPDATE migration SET hash = 'x'", [])
        .unwrap();
    let text = migrate(&connection, Path::new("gateway.db"), &vault())
        .unwrap_err()
        .to_string();
    assert!(text.contains("0001_base"), "{text}");
}

#[test]
fn a_foreign_database_is_left_alone() {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch("CREATE TABLE theirs (id INTEGER)")
        .unwrap();
    assert!(matches!(
        migrate(&connection, Path::new("x"), &vault()),
        Err(OpenError::Foreign { found: 0, .. })
    ));
}
