//! Reading rows: every value is checked, and a bad one is named by table, column and row.

use std::fmt::Display;
use std::time::Duration;

use lienthong_domain::{DeliveryState, Timestamp};
use rusqlite::types::{FromSql, FromSqlError};
use rusqlite::{Connection, Params, Row};
use serde::de::DeserializeOwned;

use crate::error::Failure;

/// The row of a query, and the row of a table it tells of.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'row> {
    row: &'row Row<'row>,
    table: &'static str,
    id: i64,
}

impl<'row> Cells<'row> {
    /// The cells of `row`, whose first column is the id of a row of `table`.
    pub(crate) fn of(table: &'static str, row: &'row Row<'row>) -> Result<Self, Failure> {
        Ok(Self {
            row,
            table,
            id: row.get(0)?,
        })
    }

    pub(crate) fn id(&self) -> i64 {
        self.id
    }

    /// The same row, where it tells of row `id` of a joined table.
    pub(crate) fn joined(self, table: &'static str, id: i64) -> Self {
        Self { table, id, ..self }
    }

    pub(crate) fn get<T: FromSql>(&self, index: usize, column: &'static str) -> Result<T, Failure> {
        let value = self.row.get_ref(index)?;
        T::column_result(value).map_err(|error| {
            self.corrupt(
                column,
                match error {
                    FromSqlError::InvalidType => "has the wrong type",
                    FromSqlError::OutOfRange(_) => "is out of range",
                    _ => "has the wrong form",
                },
            )
        })
    }

    /// A text that `parse` understands.
    pub(crate) fn parsed<T, E>(
        &self,
        index: usize,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Failure> {
        let text = self.row.get_ref(index)?.as_str();
        let text = text.map_err(|_| self.corrupt(column, "has the wrong type"))?;
        parse(text).map_err(|_| self.corrupt(column, "has the wrong form"))
    }

    /// A text that `parse` understands, or none.
    pub(crate) fn parsed_maybe<T, E>(
        &self,
        index: usize,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Failure> {
        self.get::<Option<String>>(index, column)?
            .map(|_| self.parsed(index, column, parse))
            .transpose()
    }

    /// A number that is never negative: a count, or a time in microseconds.
    pub(crate) fn count(&self, index: usize, column: &'static str) -> Result<u64, Failure> {
        self.decoded(index, column, |count| u64::try_from(count).ok())
    }

    /// A number that `decode` knows.
    pub(crate) fn decoded<T>(
        &self,
        index: usize,
        column: &'static str,
        decode: impl FnOnce(i64) -> Option<T>,
    ) -> Result<T, Failure> {
        let number = self.get::<i64>(index, column)?;
        decode(number).ok_or_else(|| self.corrupt(column, "has no meaning"))
    }

    pub(crate) fn state(&self, index: usize) -> Result<DeliveryState, Failure> {
        self.decoded(index, "state", DeliveryState::from_code)
    }

    pub(crate) fn time(&self, index: usize, column: &'static str) -> Result<Timestamp, Failure> {
        self.decoded(index, column, |number| {
            Timestamp::from_microsecond(number).ok()
        })
    }

    pub(crate) fn time_maybe(
        &self,
        index: usize,
        column: &'static str,
    ) -> Result<Option<Timestamp>, Failure> {
        self.get::<Option<i64>>(index, column)?
            .map(|_| self.time(index, column))
            .transpose()
    }

    pub(crate) fn json_maybe<T: DeserializeOwned>(
        &self,
        index: usize,
        column: &'static str,
    ) -> Result<Option<T>, Failure> {
        let Some(text) = self.get::<Option<String>>(index, column)? else {
            return Ok(None);
        };
        from_json(text.as_bytes())
            .map(Some)
            .map_err(|fault| self.corrupt(column, fault))
    }

    pub(crate) fn corrupt(&self, column: &'static str, fault: impl Display) -> Failure {
        corrupt(self.table, column, self.id, fault)
    }
}

/// A bad value; `fault` must not quote it.
pub(crate) fn corrupt(
    table: &'static str,
    column: &'static str,
    row: i64,
    fault: impl Display,
) -> Failure {
    Failure::Corrupt {
        table,
        column,
        row,
        fault: fault.to_string(),
    }
}

/// Reads stored JSON; the fault tells the place only, because serde may quote the value.
pub(crate) fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, String> {
    serde_json::from_slice(json).map_err(|error| {
        format!(
            "is not readable at line {}, column {}",
            error.line(),
            error.column()
        )
    })
}

/// The first row of a query, if there is one.
pub(crate) fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let found = rows.next()?.map(read).transpose();
    drop(rows);
    #[cfg(test)]
    steps::note(sql, &statement);
    found
}

/// Every row of a query; the caller bounds it.
pub(crate) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    drop(rows);
    #[cfg(test)]
    steps::note(sql, &statement);
    Ok(found)
}

/// Runs a statement; how many rows it changed.
pub(crate) fn execute(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<usize, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let changed = statement.execute(params)?;
    #[cfg(test)]
    steps::note(sql, &statement);
    Ok(changed)
}

/// A list of the filter as a bound for SQL.
pub(crate) fn limit(limit: usize) -> i64 {
    let bounded = limit.min(lienthong_ports::store::ITEMS_MAX);
    i64::try_from(bounded).expect("ITEMS_MAX is small")
}

/// An instant as stored: microseconds, parts of them cut.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// An instant with the precision it is stored with.
pub(crate) fn stored(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).expect("cutting an instant keeps it in range")
}

/// The instant `after` later; the last instant there is, where that is too late.
pub(crate) fn micros_after(at: Timestamp, after: Duration) -> i64 {
    micros(at)
        .saturating_add(duration_micros(after))
        .min(Timestamp::MAX.as_microsecond())
}

/// A duration as stored: microseconds.
pub(crate) fn duration_micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// The steps of SQLite's machine that statements take which a test runs on its thread.
#[cfg(test)]
pub(crate) mod steps {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use rusqlite::{Statement, StatementStatus};

    thread_local! {
        static MOST: RefCell<Option<BTreeMap<String, i32>>> = const { RefCell::new(None) };
    }

    pub(crate) fn start() {
        MOST.set(Some(BTreeMap::new()));
    }

    /// The most of each statement since the start.
    pub(crate) fn take() -> BTreeMap<String, i32> {
        MOST.take().unwrap_or_default()
    }

    pub(super) fn note(sql: &str, statement: &Statement<'_>) {
        let taken = statement.reset_status(StatementStatus::VmStep);
        MOST.with_borrow_mut(|most| {
            if let Some(most) = most {
                let most = most.entry(sql.to_owned()).or_default();
                *most = taken.max(*most);
            }
        });
    }
}
