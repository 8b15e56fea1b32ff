//! Small numbers for the texts that nearly every row repeats: participants, systems, officials and roots.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use crate::error::Failure;
use crate::rows::{execute, one};

/// Names remembered of each kind; beyond that the memory starts anew.
const NAMES_REMEMBERED_MAX: usize = 10_000;

/// What has been looked up. Only a memory: the tables are the truth.
#[derive(Debug, Default)]
pub(super) struct Names {
    participants: HashMap<String, i64>,
    systems: HashMap<String, i64>,
    officials: HashMap<String, i64>,
    roots: HashMap<String, i64>,
}

impl Names {
    /// Forgets everything, because a rollback may have undone an insertion.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The number of a participant that has pushed before.
    pub(super) fn participant(
        &mut self,
        connection: &Connection,
        code: &str,
    ) -> Result<Option<i64>, Failure> {
        find(
            &mut self.participants,
            connection,
            "SELECT id FROM participant WHERE code = ?1",
            code,
        )
    }

    /// The number of a participant, given now if need be.
    pub(super) fn participant_made(
        &mut self,
        connection: &Connection,
        code: &str,
    ) -> Result<i64, Failure> {
        if let Some(id) = self.participant(connection, code)? {
            return Ok(id);
        }
        let insert = "INSERT INTO participant (code) VALUES (?1)";
        make(&mut self.participants, connection, insert, code)
    }

    /// The number of a system, given now if need be.
    pub(super) fn system_made(
        &mut self,
        connection: &Connection,
        name: &str,
    ) -> Result<i64, Failure> {
        let select = "SELECT id FROM system WHERE name = ?1";
        if let Some(id) = find(&mut self.systems, connection, select, name)? {
            return Ok(id);
        }
        make(
            &mut self.systems,
            connection,
            "INSERT INTO system (name) VALUES (?1)",
            name,
        )
    }

    /// The number of an official, given now if need be.
    pub(super) fn official_made(
        &mut self,
        connection: &Connection,
        name: &str,
    ) -> Result<i64, Failure> {
        let select = "SELECT id FROM official WHERE name = ?1";
        if let Some(id) = find(&mut self.officials, connection, select, name)? {
            return Ok(id);
        }
        let insert = "INSERT INTO official (name) VALUES (?1)";
        make(&mut self.officials, connection, insert, name)
    }

    /// The number of a root of agency codes, given now if need be.
    pub(super) fn root_made(
        &mut self,
        connection: &Connection,
        code: &str,
    ) -> Result<i64, Failure> {
        let select = "SELECT id FROM root WHERE code = ?1";
        if let Some(id) = find(&mut self.roots, connection, select, code)? {
            return Ok(id);
        }
        let insert = "INSERT INTO root (code) VALUES (?1)";
        make(&mut self.roots, connection, insert, code)
    }
}

fn find(
    remembered: &mut HashMap<String, i64>,
    connection: &Connection,
    select: &str,
    name: &str,
) -> Result<Option<i64>, Failure> {
    if let Some(id) = remembered.get(name) {
        return Ok(Some(*id));
    }
    let found = one(connection, select, params![name], |row| Ok(row.get(0)?))?;
    if let Some(id) = found {
        remember(remembered, name, id);
    }
    Ok(found)
}

fn make(
    remembered: &mut HashMap<String, i64>,
    connection: &Connection,
    insert: &str,
    name: &str,
) -> Result<i64, Failure> {
    execute(connection, insert, params![name])?;
    let id = connection.last_insert_rowid();
    remember(remembered, name, id);
    Ok(id)
}

fn remember(remembered: &mut HashMap<String, i64>, name: &str, id: i64) {
    if remembered.len() >= NAMES_REMEMBERED_MAX {
        remembered.clear();
    }
    remembered.insert(name.to_owned(), id);
}
