//! Dossiers: one, or a page of them by code.

use std::sync::Arc;

use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{AgencyCode, DossierCode, DossierDetails};
use lienthong_ports::store::{DossierFilter, DossierView, LaneView};
use rusqlite::{Row, ToSql, named_params, params};

use super::{Queries, details_at, status_from_code};
use crate::error::Failure;
use crate::rows::{Cells, all, limit, micros, one};
use crate::sealed::{StoredKey, open_maybe};

/// The columns that [`read_dossier`] reads, up to the condition.
macro_rules! dossiers {
    ($rest:literal) => {
        concat!(
            "SELECT o.id, o.code, p.code, o.status, o.occurred_at, o.last_sequence, o.details_sequence,
                 o.first_accepted_at, o.updated_at, o.erased_at, o.id, o.code, o.data_key
             FROM dossier o JOIN participant p ON p.id = o.participant ",
            $rest
        )
    };
}

/// A dossier without its lanes and details.
struct Plain {
    details_sequence: i64,
    key: StoredKey,
    view: DossierView,
}

impl Queries<'_> {
    pub(crate) fn dossier(&self, code: &DossierCode) -> Result<Option<DossierView>, Failure> {
        let plain = one(
            self.connection,
            dossiers!("WHERE o.root = ?1 AND o.code = ?2"),
            params![code.agency().root().as_str(), code.as_str()],
            read_dossier,
        )?;
        let Some(plain) = plain else { return Ok(None) };
        let sealed = details_at(self.connection, plain.key.dossier, plain.details_sequence)?;
        let details = open_maybe(sealed.as_ref(), &plain.key, self.vault)?;
        Ok(Some(DossierView {
            details: details.map(Arc::new).unwrap_or_default(),
            ..self.with_lanes(plain)?
        }))
    }

    pub(crate) fn dossiers(
        &self,
        filter: &DossierFilter,
        after: Option<&str>,
        items: usize,
    ) -> Result<Vec<DossierView>, Failure> {
        // The index is by root and code, so each root gives its codes in order; the pages of all
        // roots are merged.
        let roots = self.roots(filter)?;
        let mut found = Vec::new();
        for root in roots {
            found.extend(self.dossiers_of_root(&root, filter, after, items)?);
            found.sort_unstable_by(|one, other| {
                one.view.code.as_str().cmp(other.view.code.as_str())
            });
            found.truncate(items.min(lienthong_ports::store::ITEMS_MAX));
        }
        found
            .into_iter()
            .map(|plain| self.with_lanes(plain))
            .collect()
    }

    /// The roots that the filter leaves.
    fn roots(&self, filter: &DossierFilter) -> Result<Vec<String>, Failure> {
        let mut roots = if filter.roots.is_empty() {
            // One look into the index per root, however many dossiers there are.
            all(
                self.connection,
                "WITH RECURSIVE roots (root) AS (
                     SELECT min(root) FROM dossier
                     UNION ALL
                     SELECT (SELECT min(root) FROM dossier WHERE root > roots.root) FROM roots
                     WHERE roots.root IS NOT NULL)
                 SELECT root FROM roots WHERE root IS NOT NULL",
                [],
                |row| Ok(row.get::<_, String>(0)?),
            )?
        } else {
            filter.roots.clone()
        };
        let prefix = filter
            .agency_prefix
            .as_deref()
            .and_then(|text| AgencyCode::parse(text).ok());
        if let Some(agency) = prefix {
            roots.retain(|root| root == agency.root().as_str());
        }
        if filter.only_parked {
            let parked = self.roots_with_parked()?;
            roots.retain(|root| parked.contains(root));
        }
        roots.sort_unstable();
        roots.dedup();
        Ok(roots)
    }

    fn roots_with_parked(&self) -> Result<Vec<String>, Failure> {
        all(
            self.connection,
            "SELECT r.code FROM root r
             WHERE EXISTS (SELECT 1 FROM parked p INDEXED BY parked_root WHERE p.root = r.id)",
            [],
            |row| Ok(row.get(0)?),
        )
    }

    fn dossiers_of_root(
        &self,
        root: &str,
        filter: &DossierFilter,
        after: Option<&str>,
        items: usize,
    ) -> Result<Vec<Plain>, Failure> {
        // `-` and `.` end an agency code and `/` comes after both, so `H56.1` does not mean `H56.14`.
        let prefix = filter.agency_prefix.as_deref();
        let bounds = prefix.map(|prefix| (format!("{prefix}-"), format!("{prefix}/")));
        let (from, to) = bounds.unzip();
        let given: &[(&str, &dyn ToSql)] = named_params! {
            ":root": root,
            ":after": after.unwrap_or(""),
            ":from": from.as_deref().unwrap_or(""),
            ":to": to,
            ":status": filter.status.map(lienthong_domain::DossierStatus::code),
            ":since": filter.updated_since.map(micros),
            ":until": filter.updated_until.map(micros),
            ":waiting": filter.only_waiting,
            ":parked": filter.only_parked,
            ":limit": limit(items),
        };
        all(
            self.connection,
            dossiers!(
                "WHERE o.root = :root AND o.code > :after AND o.code >= :from
                     AND (:to IS NULL OR o.code < :to)
                     AND (:status IS NULL OR o.status = :status)
                     AND (:since IS NULL OR o.updated_at >= :since)
                     AND (:until IS NULL OR o.updated_at < :until)
                     AND (NOT :waiting OR EXISTS (SELECT 1 FROM delivery d INDEXED BY delivery_lane
                         WHERE d.dossier = o.id AND d.state IN (0, 1, 2, 3, 5) AND d.state <> 5))
                     AND (NOT :parked OR o.id IN (SELECT dossier FROM parked INDEXED BY parked_root
                         WHERE root = (SELECT id FROM root WHERE code = :root)))
                 ORDER BY o.code LIMIT :limit"
            ),
            given,
            read_dossier,
        )
    }

    fn with_lanes(&self, plain: Plain) -> Result<DossierView, Failure> {
        let lanes = self
            .destinations
            .iter()
            .map(|known| {
                let dossier = plain.key.dossier;
                let (waiting, parked) = self.lane_counts(dossier, known.id.0)?;
                Ok(LaneView {
                    destination: known.name.clone(),
                    delivered_sequence: self.delivered_sequence(dossier, known.id.0)?,
                    waiting,
                    parked,
                    head: self.lane_head(dossier, known.id.0)?,
                })
            })
            .collect::<Result<_, Failure>>()?;
        Ok(DossierView {
            lanes,
            ..plain.view
        })
    }

    pub(super) fn lane_counts(
        &self,
        dossier: i64,
        destination: i64,
    ) -> Result<(u64, u64), Failure> {
        let counts = one(
            self.connection,
            "SELECT ?1, coalesce(sum(state <> 5), 0), coalesce(sum(state = 5), 0)
             FROM delivery INDEXED BY delivery_lane
             WHERE dossier = ?1 AND destination = ?2 AND state IN (0, 1, 2, 3, 5)",
            params![dossier, destination],
            |row| {
                let cells = Cells::of("delivery", row)?;
                Ok((cells.count(1, "state")?, cells.count(2, "state")?))
            },
        )?;
        Ok(counts.unwrap_or_default())
    }

    fn delivered_sequence(&self, dossier: i64, destination: i64) -> Result<i64, Failure> {
        let sequence = one(
            self.connection,
            "SELECT e.sequence FROM event e CROSS JOIN delivery d ON d.id = e.id * 64 + ?2
             WHERE e.dossier = ?1 AND d.state = 4 ORDER BY e.sequence DESC LIMIT 1",
            params![dossier, destination],
            |row| Ok(row.get(0)?),
        )?;
        Ok(sequence.unwrap_or(0))
    }
}

fn read_dossier(row: &Row<'_>) -> Result<Plain, Failure> {
    let cells = Cells::of("dossier", row)?;
    Ok(Plain {
        key: StoredKey::read(&cells, 10)?,
        details_sequence: cells.get(6, "details_sequence")?,
        view: DossierView {
            code: cells.parsed(1, "code", DossierCode::parse)?,
            participant: cells.parsed(2, "participant", ParticipantId::parse)?,
            status: cells.decoded(3, "status", status_from_code)?,
            occurred_at: cells.time(4, "occurred_at")?,
            last_sequence: cells.get(5, "last_sequence")?,
            first_accepted_at: cells.time(7, "first_accepted_at")?,
            updated_at: cells.time(8, "updated_at")?,
            erased_at: cells.time_maybe(9, "erased_at")?,
            details: Arc::new(DossierDetails::default()),
            lanes: Vec::new(),
        },
    })
}
