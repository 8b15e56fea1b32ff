//! Parked deliveries, by filter.

use lienthong_domain::delivery::ParkReason;
use lienthong_domain::{DeliveryId, DossierCode, ProcedureCode};
use lienthong_ports::store::{Parked, ParkedFilter};
use rusqlite::{Row, named_params};

use super::{Queries, status_from_code};
use crate::error::Failure;
use crate::rows::{Cells, all, limit, micros};

/// A query over parked deliveries: `$columns` of those that the filter means, by id.
macro_rules! parked {
    ($columns:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM delivery d INDEXED BY delivery_parked JOIN dossier o ON o.id = d.dossier
                 JOIN event e ON e.id = d.id / 64
                 LEFT JOIN attempt a ON a.id = (SELECT max(id) FROM attempt WHERE delivery = d.id)
             WHERE d.state = 5 AND d.id > :after
                 AND (:ids IS NULL OR d.id IN (SELECT value FROM json_each(:ids)))
                 AND (:destination IS NULL OR d.destination = :destination)
                 AND (:root IS NULL OR o.root = :root)
                 AND (:procedure IS NULL OR o.procedure = :procedure)
                 AND (:reason IS NULL OR d.park_reason = :reason)
                 AND (:code IS NULL OR coalesce(a.code, '') = :code)
                 AND (:since IS NULL OR d.ended_at >= :since)
                 AND (:until IS NULL OR d.ended_at < :until)
             ORDER BY d.id LIMIT :limit"
        )
    };
}

impl Queries<'_> {
    pub(crate) fn parked(
        &self,
        filter: &ParkedFilter,
        after: DeliveryId,
        items: usize,
    ) -> Result<Vec<Parked>, Failure> {
        let sql = parked!(
            "d.id, d.destination, o.code, d.sequence, e.status, o.procedure, d.park_reason, d.ended_at,
             d.attempts_made, coalesce(a.code, ''), coalesce(a.message, ''),
             (SELECT count(*) FROM delivery b INDEXED BY delivery_lane
              WHERE b.dossier = d.dossier AND b.destination = d.destination
                  AND b.state IN (0, 1, 2, 3, 5) AND b.state <> 5 AND b.sequence > d.sequence)"
        );
        self.select_parked(sql, filter, after, items, |row| self.read_parked(row))
    }

    pub(crate) fn parked_ids(
        &self,
        filter: &ParkedFilter,
        after: DeliveryId,
        items: usize,
    ) -> Result<Vec<DeliveryId>, Failure> {
        self.select_parked(parked!("d.id"), filter, after, items, |row| {
            Ok(DeliveryId(row.get(0)?))
        })
    }

    fn select_parked<T>(
        &self,
        sql: &str,
        filter: &ParkedFilter,
        after: DeliveryId,
        items: usize,
        read: impl FnMut(&Row<'_>) -> Result<T, Failure>,
    ) -> Result<Vec<T>, Failure> {
        let destination = match &filter.destination {
            None => None,
            Some(name) => match self.destinations.by_name(name) {
                Some(known) => Some(known.id.0),
                None => return Ok(Vec::new()),
            },
        };
        let ids = (!filter.ids.is_empty())
            .then(|| serde_json::to_string(&filter.ids).expect("numbers always serialise"));
        all(
            self.connection,
            sql,
            named_params! {
                ":after": after.0,
                ":ids": ids,
                ":destination": destination,
                ":root": filter.root,
                ":procedure": filter.procedure.as_ref().map(ProcedureCode::as_str),
                ":reason": filter.reason.map(ParkReason::code),
                ":code": filter.code,
                ":since": filter.parked_since.map(micros),
                ":until": filter.parked_until.map(micros),
                ":limit": limit(items),
            },
            read,
        )
    }

    fn read_parked(&self, row: &Row<'_>) -> Result<Parked, Failure> {
        let cells = Cells::of("delivery", row)?;
        let procedure: Option<String> = cells.get(5, "procedure")?;
        Ok(Parked {
            id: DeliveryId(cells.id()),
            destination: self.destinations.of_cell(&cells, 1)?.name.clone(),
            dossier: cells.parsed(2, "dossier", DossierCode::parse)?,
            sequence: cells.get(3, "sequence")?,
            status: cells.decoded(4, "status", status_from_code)?,
            procedure: procedure
                .map(|_| cells.parsed(5, "procedure", ProcedureCode::parse))
                .transpose()?,
            reason: cells.decoded(6, "park_reason", ParkReason::from_code)?,
            parked_at: cells.time(7, "ended_at")?,
            attempts: cells.get(8, "attempts_made")?,
            code: cells.get(9, "code")?,
            message: cells.get(10, "message")?,
            behind: cells.decoded(11, "behind", |count| u64::try_from(count).ok())?,
        })
    }
}
