//! Which keys of the key file the data keys are wrapped under.

use lienthong_vault::KeyId;
use rusqlite::Connection;

use super::Queries;
use crate::error::Failure;
use crate::rows::{Cells, all};

impl Queries<'_> {
    /// How many data keys are wrapped under each key, by key: reads an entry of an index per
    /// dossier and job.
    pub(crate) fn keys_in_use(&self) -> Result<Vec<(KeyId, u64)>, Failure> {
        all(
            self.connection,
            "SELECT kek, sum(keys) FROM
                 (SELECT kek, count(*) AS keys FROM dossier INDEXED BY dossier_kek WHERE kek IS NOT NULL
                  GROUP BY kek
                  UNION ALL
                  SELECT kek, count(*) FROM job INDEXED BY job_kek WHERE kek IS NOT NULL GROUP BY kek)
             GROUP BY kek ORDER BY kek",
            [],
            |row| {
                let cells = Cells::of("dossier", row)?;
                Ok((KeyId(cells.get(0, "kek")?), cells.count(1, "kek")?))
            },
        )
    }
}

/// The keys in use by the rows of `$source`, a table and its index: one look into it per key, however many
/// rows there are.
macro_rules! ids_in_use_sql {
    ($source:literal) => {
        concat!(
            "WITH RECURSIVE used (kek) AS (
                 SELECT (SELECT min(kek) FROM ",
            $source,
            " WHERE kek > 0)
                 UNION ALL
                 SELECT (SELECT min(kek) FROM ",
            $source,
            " WHERE kek > used.kek)
                 FROM used WHERE used.kek IS NOT NULL)
             SELECT kek FROM used WHERE kek IS NOT NULL"
        )
    };
}

/// The keys that data keys of dossiers are wrapped under.
pub(crate) fn ids_in_use(connection: &Connection) -> Result<Vec<KeyId>, Failure> {
    let sql = ids_in_use_sql!("dossier INDEXED BY dossier_kek");
    all(connection, sql, [], |row| {
        Ok(KeyId(Cells::of("dossier", row)?.get(0, "kek")?))
    })
}

/// The keys that data keys of jobs are wrapped under.
pub(crate) fn job_ids_in_use(connection: &Connection) -> Result<Vec<KeyId>, Failure> {
    let sql = ids_in_use_sql!("job INDEXED BY job_kek");
    all(connection, sql, [], |row| {
        Ok(KeyId(Cells::of("job", row)?.get(0, "kek")?))
    })
}
