//! A database as the program before the vault left it.

use std::path::Path;

use lienthong_domain::DossierDetails;
use lienthong_ports::conformance::store::{at, code};
use rusqlite::{Connection, params};

use crate::planted::{DOSSIERS, Person};

/// The schema that the program before the vault made.
const OLD_SCHEMA: &str = include_str!("../../migrations/0001_base.sql");

/// A database of the program before the vault, written by hand.
pub(crate) fn make_old_database(path: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = wal;
             CREATE TABLE migration (name TEXT PRIMARY KEY, hash TEXT NOT NULL) STRICT;
             {OLD_SCHEMA};
             PRAGMA application_id = 0x4c54484f;
             PRAGMA user_version = 1;
             INSERT INTO participant (code) VALUES ('H21');
             INSERT INTO system (name) VALUES ('igate');
             INSERT INTO destination (id, name, lane) VALUES (0, 'dvcqg', 0);
             INSERT INTO tally (destination, state, deliveries) VALUES (0, 1, {DOSSIERS}), (0, 0, {DOSSIERS});"
        ))?;
    // The SHA-256 of the released 0001_base.sql, which the program before wrote into its databases.
    let hash = "76efdde9352195b17ebca62f4ef4e2d283774cad96e1024041fc0a49fa33903a";
    let insert = "INSERT INTO migration (name, hash) VALUES ('0001_base', ?1)";
    connection.execute(insert, [hash])?;
    for dossier in 0..DOSSIERS {
        insert_old(&connection, dossier)?;
    }
    Ok(())
}

fn insert_old(connection: &Connection, dossier: u32) -> rusqlite::Result<()> {
    let code = code(dossier);
    let insert = "INSERT INTO dossier (id, root, code, procedure, participant, status, occurred_at,
             last_sequence, details_sequence, first_accepted_at, updated_at)
         VALUES (?1, 'H21', ?2, '1.001193', 1, 4, ?4, 2, 2, ?3, ?4)";
    let (first, last) = (at(0).as_microsecond(), at(1).as_microsecond());
    connection.execute(insert, params![dossier + 1, code.as_str(), first, last])?;
    let mut before = DossierDetails::default();
    for (offer, sequence) in Person::of(dossier).offers(dossier).into_iter().zip(1..) {
        let event = &offer.event;
        let offered = event.details.as_ref().expect("planted");
        before = before.merged_with(offered);
        let merged = (sequence == 2).then(|| json(&before));
        let id = dossier * 2 + sequence;
        let insert = "INSERT INTO event (id, dossier, sequence, participant, key, system, event_id,
                 content_hash, status, occurred_at, accepted_at, late, details_sequence, progress, offered,
                 merged)
             VALUES (?1, ?2, ?3, 1, ?4, 1, ?5, ?6, 4, ?7, ?7, 0, ?3, ?8, ?9, ?10)";
        let row = params![
            id,
            dossier + 1,
            sequence,
            event.key.as_str(),
            offer.event_id.as_bytes(),
            offer.content_hash.0,
            event.occurred_at.as_microsecond(),
            json(&event.progress),
            json(offered),
            merged,
        ];
        connection.execute(insert, row)?;
        let insert = "INSERT INTO delivery (id, destination, dossier, sequence, state, next_at)
             VALUES (64 * ?1, 0, ?2, ?3, ?4, 0)";
        let row = params![id, dossier + 1, sequence, u32::from(sequence == 1)];
        connection.execute(insert, row)?;
    }
    Ok(())
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("strings, numbers and lists always serialise")
}
