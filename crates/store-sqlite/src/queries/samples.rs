//! Figures by minute, thinned for charts.

use lienthong_domain::Timestamp;
use lienthong_ports::operators::{SampleKey, SamplePoint};
use lienthong_ports::store::ITEMS_MAX;
use rusqlite::params;

use super::Queries;
use crate::error::Failure;
use crate::rows::{Cells, all, micros, one};

const MINUTE_MICROS: i64 = 60 * 1_000_000;

/// The number of the minute that an instant lies in.
pub(crate) fn minute_of(at: Timestamp) -> i64 {
    micros(at).div_euclid(MINUTE_MICROS)
}

/// The number of the first minute that begins at an instant or later.
fn minute_from(at: Timestamp) -> i64 {
    minute_of(at) + i64::from(micros(at).rem_euclid(MINUTE_MICROS) > 0)
}

impl Queries<'_> {
    pub(crate) fn samples(
        &self,
        keys: Vec<SampleKey>,
        since: Timestamp,
        until: Timestamp,
        points_max: usize,
    ) -> Result<Vec<(SampleKey, Vec<SamplePoint>)>, Failure> {
        let (first, end) = (minute_from(since), minute_from(until));
        let points_max = i64::try_from(points_max).unwrap_or(i64::MAX).max(1);
        // Rounded up, so that there are never more points than asked for.
        let width = ((end - first).max(1) + points_max - 1) / points_max;
        keys.into_iter()
            .take(ITEMS_MAX)
            .map(|key| {
                let points = self.points(&key, first, end, width)?;
                Ok((key, points))
            })
            .collect()
    }

    fn points(
        &self,
        key: &SampleKey,
        first: i64,
        end: i64,
        width: i64,
    ) -> Result<Vec<SamplePoint>, Failure> {
        let Some(id) = self.sample_key(key)? else {
            return Ok(Vec::new());
        };
        all(
            self.connection,
            "SELECT min(minute) * 60000000, avg(value), max(value) FROM sample
             WHERE key = ?1 AND minute >= ?2 AND minute < ?3
             GROUP BY (minute - ?2) / ?4 ORDER BY 1",
            params![id, first, end, width],
            |row| {
                let cells = Cells::of("sample", row)?;
                Ok(SamplePoint {
                    at: cells.time(0, "minute")?,
                    value: cells.get(1, "value")?,
                    max: cells.get(2, "value")?,
                })
            },
        )
    }

    pub(crate) fn sample_key(&self, key: &SampleKey) -> Result<Option<i64>, Failure> {
        one(
            self.connection,
            "SELECT id FROM sample_key WHERE name = ?1 AND about = ?2",
            params![key.name, key.about],
            |row| Ok(row.get(0)?),
        )
    }
}
