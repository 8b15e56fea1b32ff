//! Figures by minute: kept for 30 days.

use lienthong_domain::Timestamp;
use lienthong_ports::operators::{Sample, SampleKey};
use rusqlite::params;

use super::Core;
use crate::error::Failure;
use crate::queries::samples::minute_of;
use crate::rows::{all, execute};

/// Minutes that a figure is kept for.
const MINUTES_KEPT: i64 = 30 * 24 * 60;

/// Old figures of a key that are forgotten with one call: more than come with one, so that a backlog goes, too.
const FORGOTTEN_MAX: i64 = 100;

impl Core {
    pub(crate) fn keep_samples(
        &mut self,
        minute: Timestamp,
        samples: &[Sample],
    ) -> Result<(), Failure> {
        let minute = minute_of(minute);
        // A figure that is no number says nothing, and would be no value to the database.
        for sample in samples.iter().filter(|sample| sample.value.is_finite()) {
            let key = self.sample_key_made(&sample.key)?;
            execute(
                &self.connection,
                "INSERT INTO sample (key, minute, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET value = excluded.value",
                params![key, minute, sample.value],
            )?;
        }
        self.forget_samples(minute - MINUTES_KEPT)
    }

    fn forget_samples(&self, before: i64) -> Result<(), Failure> {
        let keys = all(&self.connection, "SELECT id FROM sample_key", [], |row| {
            Ok(row.get::<_, i64>(0)?)
        })?;
        for key in keys {
            execute(
                &self.connection,
                "DELETE FROM sample WHERE key = ?1 AND minute IN (
                     SELECT minute FROM sample WHERE key = ?1 AND minute < ?2 ORDER BY minute LIMIT ?3)",
                params![key, before, FORGOTTEN_MAX],
            )?;
        }
        Ok(())
    }

    fn sample_key_made(&self, key: &SampleKey) -> Result<i64, Failure> {
        if let Some(id) = self.queries().sample_key(key)? {
            return Ok(id);
        }
        execute(
            &self.connection,
            "INSERT INTO sample_key (name, about) VALUES (?1, ?2)",
            params![key.name, key.about],
        )?;
        Ok(self.connection.last_insert_rowid())
    }
}
