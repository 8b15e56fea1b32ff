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

/// Writes a usage record of a database before links: a look that showed somebody, or that look `again`.
fn add_look(connection: &Connection, id: i64, subject: u8, again: bool, block: bool, request: i64) {
    connection
        .execute(
            "INSERT INTO usage (id, at, at_latest, participant, system, official, subject, block, purpose, kind,
                 outcome, asked, shown, as_relative, request_id)
             VALUES (?1, 0, 0, 1, 1, 1, ?2, ?3, 'CIVIL_STATUS', 2, 4, 0, 0, ?4, 'yeu-cau-' || ?5)",
            params![id, [subject; 16], block.then_some([0_u8; 16]), again, request],
        )
        .unwrap();
}

#[test]
fn what_was_told_before_links_is_linked() {
    let connection = Connection::open_in_memory().unwrap();
    let path = Path::new("x");
    applied(&connection, path).unwrap();
    for (index, migration) in MIGRATIONS.iter().enumerate().take(4) {
        begin(&connection, migration, index + 1).unwrap();
        if let Some(rewrite) = &migration.rewrite {
            end(&connection, rewrite, index + 1, false).unwrap();
        }
    }
    // Told twice, the second time the other way round; a relative; another request; an own look.
    add_look(&connection, 1, 7, false, true, 1);
    add_look(&connection, 2, 3, true, true, 1);
    add_look(&connection, 3, 3, false, true, 2);
    add_look(&connection, 4, 7, true, true, 2);
    add_look(&connection, 5, 7, false, true, 3);
    add_look(&connection, 6, 4, true, false, 3);
    add_look(&connection, 7, 5, true, true, 4);
    add_look(&connection, 8, 6, false, true, 5);
    add_look(&connection, 9, 8, false, true, 5);
    migrate(&connection, path, &vault()).unwrap();
    let linked: Vec<(i64, [u8; 16], [u8; 16])> = connection
        .prepare("SELECT id, one, other FROM subject_link")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(linked, [(1, [3; 16], [7; 16])]);
}

/// A database as the program before 0007 left it: two dossiers of two provinces, one with a parked event that a
/// later one overtook and one behind, one with a ready event; and a third where all is delivered. The first two are due.
fn before_operators() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    applied(&connection, Path::new("x")).unwrap();
    for (index, migration) in MIGRATIONS.iter().enumerate().take(6) {
        begin(&connection, migration, index + 1).unwrap();
        if let Some(rewrite) = &migration.rewrite {
            key_check::check(&connection, Path::new("x"), &vault()).unwrap();
            end(&connection, rewrite, index + 1, false).unwrap();
        }
    }
    let codes = [
        "H21.17-250701-0001",
        "H24.1-250701-0002",
        "H21.17-250701-0003",
    ];
    for (dossier, code) in (1..).zip(codes) {
        add_dossier(&connection, dossier, code);
    }
    // dossier, sequence, state, park reason
    let events = [
        (1, 1, 5, Some(0)),
        (1, 2, 4, None),
        (1, 3, 0, None),
        (2, 1, 1, None),
        (3, 1, 4, None),
    ];
    for (event, (dossier, sequence, state, reason)) in (1_i64..).zip(events) {
        connection
            .execute(
                "INSERT INTO delivery (id, destination, dossier, sequence, state, next_at, attempts_made, ended_at,
                     park_reason)
                 VALUES (?1 * 64, 0, ?2, ?3, ?4, 0, ?5 IS NOT NULL, iif(?5 IS NULL, NULL, 77), ?5)",
                params![event, dossier, sequence, state, reason],
            )
            .unwrap();
        if sequence > 1 {
            connection
                .execute(
                    "INSERT INTO event (id, dossier, sequence, participant, key, system, event_id, content_hash,
                         status, occurred_at, accepted_at, late, details_sequence)
                     VALUES (?1, ?2, ?3, 1, 'k' || ?1, 1, x'00', x'00', 4, 0, 0, 0, 1)",
                    params![event, dossier, sequence],
                )
                .unwrap();
        }
    }
    let attempt = "INSERT INTO attempt (delivery, number, after_event, started_at, took, outcome, code, message)
         VALUES (64, 1, 1, 0, 0, 4, ?1, '')";
    for code in ["HTTP_503", "-1"] {
        connection.execute(attempt, [code]).unwrap();
    }
    connection
}

/// A dossier with its first event, whose details say when it is due.
fn add_dossier(connection: &Connection, dossier: i64, code: &str) {
    let key = lienthong_vault::DataKey::generate();
    let wrapped = vault().wrap(&key, &crate::sealed::owner(code));
    connection
        .execute(
            "INSERT INTO dossier (id, root, code, procedure, participant, status, occurred_at, last_sequence,
                 details_sequence, first_accepted_at, updated_at, data_key, kek)
             VALUES (?1, substr(?2, 1, 3), ?2, '1.001193', 1, 4, 0, 3, 1, 0, 0, ?3, ?4)",
            params![dossier, code, wrapped.as_bytes(), wrapped.key_id().0],
        )
        .unwrap();
    let event = [1, 4, 5][usize::try_from(dossier - 1).unwrap()];
    let details = format!(r#"{{"due_at":"2025-07-{:02}T10:00:00Z"}}"#, 10 + dossier);
    let sealed = crate::sealed::Column::Offered.seal(&key, event, details.as_bytes());
    connection
        .execute(
            "INSERT INTO event (id, dossier, sequence, participant, key, system, event_id, content_hash, status,
                 occurred_at, accepted_at, late, details_sequence, offered)
             VALUES (?1, ?2, 1, 1, 'k' || ?1, 1, x'00', x'00', 4, 0, 0, 0, 1, ?3)",
            params![event, dossier, sealed],
        )
        .unwrap();
}

fn due(connection: &Connection) -> Vec<(i64, Option<String>)> {
    let sql = "SELECT id, strftime('%Y-%m-%d', due_open_at / 1000000, 'unixepoch') FROM dossier ORDER BY id";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// The columns of `parked` but for its numbers of root, destination and parking.
type ParkedRow = (i64, i64, i64, String, i64, String, i64, bool, bool);

fn assert_fit_for_operators(connection: &Connection) {
    let day = |text: &str| Some(text.to_owned());
    assert_eq!(
        due(connection),
        [(1, day("2025-07-11")), (2, day("2025-07-12")), (3, None)]
    );
    let roots: Vec<(i64, Option<String>)> = connection
        .prepare("SELECT d.id / 64, r.code FROM delivery d LEFT JOIN root r ON r.id = d.root ORDER BY d.id")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let expected = [
        (1, day("H21")),
        (2, None),
        (3, day("H21")),
        (4, day("H24")),
        (5, None),
    ];
    assert_eq!(roots, expected);
    let parked: Vec<ParkedRow> = connection
        .prepare(
            "SELECT delivery, dossier, sequence, procedure, reason, code, parked_at, repeats, overtaken FROM parked",
        )
        .unwrap()
        .query_map([], |row| row.try_into())
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let expected = (64, 1, 1, "1.001193".into(), 0, "-1".into(), 77, true, true);
    assert_eq!(parked, [expected]);
}

#[test]
fn what_was_there_is_made_fit_for_operators() {
    let connection = before_operators();
    migrate(&connection, Path::new("x"), &vault()).unwrap();
    assert_fit_for_operators(&connection);
}

#[test]
fn a_kill_while_due_instants_are_read_is_harmless() {
    for batches in 0..3 {
        let connection = before_operators();
        begin(&connection, &MIGRATIONS[6], 7).unwrap();
        for _ in 0..batches {
            assert!(due::read_batch(&connection, &vault(), 1).unwrap());
        }
        assert_eq!(pragma(&connection, "user_version"), Ok(6));
        migrate(&connection, Path::new("x"), &vault()).unwrap();
        assert_fit_for_operators(&connection);
    }
}

#[test]
fn details_that_cannot_be_read_have_no_due_instant() {
    let connection = before_operators();
    connection
        .execute("UPDATE event SET offered = x'00' WHERE id = 1", [])
        .unwrap();
    migrate(&connection, Path::new("x"), &vault()).unwrap();
    assert_eq!(
        due(&connection)[..2],
        [(1, None), (2, Some("2025-07-12".into()))]
    );
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
