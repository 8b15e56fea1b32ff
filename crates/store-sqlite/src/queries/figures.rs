//! Reports: what happened on days, what was slow, what is due.

use std::collections::BTreeMap;
use std::time::Duration;

use lienthong_domain::time::local_date;
use lienthong_domain::{DossierCode, ProcedureCode, Timestamp};
use lienthong_ports::operators::{DayFlow, DelayHistogram, Lag, OverdueDossier, SlowDossier, Span};
use lienthong_ports::store::ITEMS_MAX;
use rusqlite::{Row, params};

use super::Queries;
use crate::days::{days_of, noon_of};
use crate::error::Failure;
use crate::rows::{Cells, all, limit, micros};

/// A day, a destination and a root, as numbers.
type Key = (i64, i64, i64);

/// A dossier of which something is not final.
struct Due {
    dossier: i64,
    overdue: OverdueDossier,
}

impl Queries<'_> {
    pub(crate) fn day_flows(&self, days: Span) -> Result<Vec<DayFlow>, Failure> {
        let (first, last) = days_of(days);
        let mut delays = self.day_delays(first, last)?;
        all(
            self.connection,
            "SELECT f.day, f.destination, f.root, r.code, f.accepted, f.delivered, f.parked, f.retried, f.given_up
             FROM day_flow f JOIN root r ON r.id = f.root
             WHERE f.day BETWEEN ?1 AND ?2 ORDER BY f.day, f.destination, r.code",
            params![first, last],
            |row| {
                let cells = Cells::of("day_flow", row)?;
                let key = (cells.id(), cells.get(1, "destination")?, cells.get(2, "root")?);
                Ok(DayFlow {
                    day: local_date(cells.decoded(0, "day", noon_of)?),
                    destination: self.destinations.of_cell(&cells, 1)?.name.clone(),
                    root: cells.get(3, "code")?,
                    accepted: cells.count(4, "accepted")?,
                    delivered: cells.count(5, "delivered")?,
                    parked: cells.count(6, "parked")?,
                    retried: cells.count(7, "retried")?,
                    given_up: cells.count(8, "given_up")?,
                    delays: delays.remove(&key).unwrap_or_default(),
                })
            },
        )
    }

    fn day_delays(&self, first: i64, last: i64) -> Result<BTreeMap<Key, DelayHistogram>, Failure> {
        let rows = all(
            self.connection,
            "SELECT day, destination, root, bucket, deliveries FROM day_delay WHERE day BETWEEN ?1 AND ?2",
            params![first, last],
            |row| {
                let cells = Cells::of("day_delay", row)?;
                let key: Key = (
                    cells.id(),
                    cells.get(1, "destination")?,
                    cells.get(2, "root")?,
                );
                let bucket = cells.decoded(3, "bucket", |bucket| usize::try_from(bucket).ok())?;
                let count = cells.count(4, "deliveries")?;
                Ok((key, bucket, count))
            },
        )?;
        let mut delays = BTreeMap::<Key, DelayHistogram>::new();
        for (key, bucket, count) in rows {
            delays.entry(key).or_default().add(bucket, count);
        }
        Ok(delays)
    }

    pub(crate) fn slow_dossiers(
        &self,
        days: Span,
        root: Option<&str>,
        items: usize,
    ) -> Result<Vec<SlowDossier>, Failure> {
        let (first, last) = days_of(days);
        all(
            self.connection,
            "SELECT s.dossier, s.day, s.destination, o.code, s.sequence, s.delay
             FROM (SELECT *, row_number() OVER (PARTITION BY root ORDER BY delay DESC, dossier) AS place
                   FROM day_slow WHERE day BETWEEN ?1 AND ?2
                       AND (?3 IS NULL OR root = (SELECT id FROM root WHERE code = ?3))) s
                 JOIN dossier o ON o.id = s.dossier
             WHERE s.place <= ?4 ORDER BY s.delay DESC, s.dossier LIMIT ?5",
            params![first, last, root, limit(items), limit(ITEMS_MAX)],
            |row| {
                let cells = Cells::of("day_slow", row)?;
                Ok(SlowDossier {
                    day: local_date(cells.decoded(1, "day", noon_of)?),
                    destination: self.destinations.of_cell(&cells, 2)?.name.clone(),
                    dossier: cells.parsed(3, "dossier", DossierCode::parse)?,
                    sequence: cells.get(4, "sequence")?,
                    delay: Duration::from_micros(cells.count(5, "delay")?),
                })
            },
        )
    }

    pub(crate) fn overdue_dossiers(
        &self,
        until: Timestamp,
        root: Option<&str>,
        items: usize,
    ) -> Result<Vec<OverdueDossier>, Failure> {
        let roots = match root {
            Some(root) => vec![root.to_owned()],
            None => self.root_codes()?,
        };
        let mut found = Vec::new();
        for root in roots {
            found.extend(self.due_of_root(&root, until, items)?);
        }
        found.sort_unstable_by_key(|due| (due.overdue.due_at, due.dossier));
        found.truncate(items.min(ITEMS_MAX));
        found.into_iter().map(|due| self.with_lags(due)).collect()
    }

    fn root_codes(&self) -> Result<Vec<String>, Failure> {
        all(self.connection, "SELECT r.code FROM root r", [], |row| {
            Ok(row.get(0)?)
        })
    }

    fn due_of_root(&self, root: &str, until: Timestamp, items: usize) -> Result<Vec<Due>, Failure> {
        all(
            self.connection,
            "SELECT id, code, procedure, due_open_at FROM dossier INDEXED BY dossier_due
             WHERE root = ?1 AND due_open_at < ?2 ORDER BY due_open_at, id LIMIT ?3",
            params![root, micros(until), limit(items)],
            read_due,
        )
    }

    fn with_lags(&self, due: Due) -> Result<OverdueDossier, Failure> {
        let mut lanes = Vec::new();
        for known in self.destinations.iter() {
            let (waiting, parked) = self.lane_counts(due.dossier, known.id.0)?;
            if waiting + parked > 0 {
                lanes.push(Lag {
                    destination: known.name.clone(),
                    undelivered: waiting + parked,
                    parked,
                });
            }
        }
        Ok(OverdueDossier {
            lanes,
            ..due.overdue
        })
    }
}

fn read_due(row: &Row<'_>) -> Result<Due, Failure> {
    let cells = Cells::of("dossier", row)?;
    Ok(Due {
        dossier: cells.id(),
        overdue: OverdueDossier {
            dossier: cells.parsed(1, "code", DossierCode::parse)?,
            procedure: cells.parsed_maybe(2, "procedure", ProcedureCode::parse)?,
            due_at: cells.time(3, "due_open_at")?,
            lanes: Vec::new(),
        },
    })
}
