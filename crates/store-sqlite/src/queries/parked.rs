//! Parked deliveries: pages, groups and counts of those that a filter means.

use lienthong_domain::delivery::ParkReason;
use lienthong_domain::{DeliveryId, DossierCode, EventId, ProcedureCode};
use lienthong_ports::operators::{OperationKind, ParkedGroup, Preview};
use lienthong_ports::store::{ITEMS_MAX, Parked, ParkedFilter, ReplayItem};
use rusqlite::{Row, named_params, params};

use super::{Queries, status_from_code};
use crate::error::Failure;
use crate::rows::{Cells, all, corrupt, limit, micros, one};

/// A query over parked deliveries `p`: `$start`, those that the filter means, `$end`.
macro_rules! parked {
    ($start:literal, $end:literal) => {
        concat!(
            $start,
            " WHERE (:ids IS NULL OR p.delivery IN (SELECT value FROM json_each(:ids)))
                 AND (:destination IS NULL OR p.destination = :destination)
                 AND (:root IS NULL OR p.root = :root)
                 AND (:procedure IS NULL OR p.procedure = :procedure)
                 AND (:reason IS NULL OR p.reason = :reason)
                 AND (:code IS NULL OR p.code = :code)
                 AND (:since IS NULL OR p.parked_at >= :since)
                 AND (:until IS NULL OR p.parked_at < :until)
                 AND p.parking <= :parking ",
            $end
        )
    };
}

/// Which parked deliveries are meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chosen<'a> {
    filter: &'a ParkedFilter,
    /// Only those that were parked until this parking.
    parking: i64,
}

impl<'a> Chosen<'a> {
    /// What the filter means of what is parked now.
    pub(crate) fn of(filter: &'a ParkedFilter) -> Self {
        Self {
            filter,
            parking: i64::MAX,
        }
    }

    /// What the filter meant when that parking was the newest.
    pub(crate) fn until(filter: &'a ParkedFilter, parking: i64) -> Self {
        Self { filter, parking }
    }
}

/// The names of a filter as numbers.
struct Numbers {
    destination: Option<i64>,
    root: Option<i64>,
}

/// What an operation would meet.
#[derive(Default)]
struct Sums {
    matches: u64,
    repeats: u64,
    reorders: u64,
}

impl Queries<'_> {
    pub(crate) fn parked(
        &self,
        filter: &ParkedFilter,
        after: DeliveryId,
        items: usize,
    ) -> Result<Vec<Parked>, Failure> {
        let sql = parked!(
            "SELECT p.delivery, p.destination, o.code, p.sequence, e.status, p.procedure, p.reason,
                 p.parked_at, d.attempts_made, p.code, coalesce(a.message, ''),
                 (SELECT count(*) FROM delivery b INDEXED BY delivery_lane
                  WHERE b.dossier = p.dossier AND b.destination = p.destination
                      AND b.state IN (0, 1, 2, 3, 5) AND b.state <> 5 AND b.sequence > p.sequence),
                 e.event_id
             FROM parked p CROSS JOIN delivery d ON d.id = p.delivery JOIN dossier o ON o.id = p.dossier
                 JOIN event e ON e.id = p.delivery / 64
                 LEFT JOIN attempt a ON a.id = (SELECT max(id) FROM attempt WHERE delivery = p.delivery)",
            "AND p.delivery > :after ORDER BY p.delivery LIMIT :limit"
        );
        let chosen = Chosen::of(filter);
        self.select_parked(sql, &chosen, Page { after, items }, |row| {
            self.read_parked(row)
        })
    }

    pub(crate) fn parked_ids(
        &self,
        chosen: &Chosen<'_>,
        after: DeliveryId,
        items: usize,
    ) -> Result<Vec<DeliveryId>, Failure> {
        let sql = parked!(
            "SELECT p.delivery FROM parked p",
            "AND p.delivery > :after ORDER BY p.delivery LIMIT :limit"
        );
        self.select_parked(sql, chosen, Page { after, items }, |row| {
            Ok(DeliveryId(row.get(0)?))
        })
    }

    /// How many are meant.
    pub(crate) fn parked_count(&self, chosen: &Chosen<'_>) -> Result<u64, Failure> {
        let sql = parked!(
            "SELECT 0, count(*) FROM parked p",
            "AND p.delivery > :after LIMIT :limit"
        );
        let counted = self.select_parked(sql, chosen, Page::FIRST, |row| {
            Cells::of("parked", row)?.count(1, "count")
        })?;
        Ok(counted.first().copied().unwrap_or(0))
    }

    pub(crate) fn parked_groups(&self, filter: &ParkedFilter) -> Result<Vec<ParkedGroup>, Failure> {
        let sql = parked!(
            "SELECT 0, p.destination, coalesce((SELECT code FROM root WHERE id = p.root), ''), p.reason, p.code,
                 count(*), min(p.parked_at), max(p.parked_at)
             FROM parked p INDEXED BY parked_group",
            "AND p.delivery > :after GROUP BY p.destination, p.root, p.reason, p.code
             ORDER BY 6 DESC, 2, 3, 4, 5 LIMIT :limit"
        );
        self.select_parked(sql, &Chosen::of(filter), Page::FIRST, |row| {
            self.read_group(row)
        })
    }

    /// What an operation over the filter would do.
    pub(crate) fn preview(
        &self,
        kind: OperationKind,
        filter: &ParkedFilter,
        allow_out_of_order: bool,
        items_max: usize,
    ) -> Result<Preview, Failure> {
        let chosen = Chosen::of(filter);
        let sums = self.parked_sums(&chosen)?;
        // A discard cannot break the order of a lane.
        let in_order = kind == OperationKind::Discard;
        let items = self
            .parked_ids(&chosen, DeliveryId(0), items_max)?
            .into_iter()
            .map(|id| {
                let item = self.replay_item(id, allow_out_of_order)?;
                Ok(if in_order {
                    ReplayItem {
                        reorders: false,
                        replayed: true,
                        ..item
                    }
                } else {
                    item
                })
            })
            .collect::<Result<_, Failure>>()?;
        Ok(Preview {
            matches: sums.matches,
            repeats: sums.repeats,
            reorders: if in_order { 0 } else { sums.reorders },
            behind: self.waiting_behind(&chosen)?,
            items,
        })
    }

    fn parked_sums(&self, chosen: &Chosen<'_>) -> Result<Sums, Failure> {
        // Few are being called at a time, so what they overtake is looked up from their side.
        let sql = parked!(
            "WITH called (parked) AS MATERIALIZED (
                 SELECT ahead.delivery FROM delivery c INDEXED BY delivery_leased
                     CROSS JOIN parked ahead INDEXED BY parked_lane
                         ON ahead.dossier = c.dossier AND ahead.destination = c.destination
                             AND ahead.sequence < c.sequence
                 WHERE c.state IN (2, 3) AND c.state = 3)
             SELECT 0, count(*), coalesce(sum(p.repeats), 0),
                 coalesce(sum(p.overtaken OR p.delivery IN (SELECT parked FROM called)), 0)
             FROM parked p",
            "AND p.delivery > :after LIMIT :limit"
        );
        let sums = self.select_parked(sql, chosen, Page::FIRST, |row| {
            let cells = Cells::of("parked", row)?;
            Ok(Sums {
                matches: cells.count(1, "count")?,
                repeats: cells.count(2, "count")?,
                reorders: cells.count(3, "count")?,
            })
        })?;
        Ok(sums.into_iter().next().unwrap_or_default())
    }

    /// Deliveries that wait in the lanes of those that are meant, behind the first of them.
    fn waiting_behind(&self, chosen: &Chosen<'_>) -> Result<u64, Failure> {
        // What of a lane is not final is counted in its index; what of that is parked, in the other one.
        let sql = parked!(
            "SELECT 0, coalesce(sum(
                 (SELECT count(*) FROM delivery d INDEXED BY delivery_lane
                  WHERE d.dossier = lane.dossier AND d.destination = lane.destination
                      AND d.sequence > lane.first AND d.state IN (0, 1, 2, 3, 5))
                 - (SELECT count(*) FROM parked other INDEXED BY parked_lane
                  WHERE other.dossier = lane.dossier AND other.destination = lane.destination
                      AND other.sequence > lane.first)), 0)
             FROM (SELECT p.dossier, p.destination, min(p.sequence) AS first FROM parked p",
            "AND p.delivery > :after GROUP BY p.dossier, p.destination) lane LIMIT :limit"
        );
        let counted = self.select_parked(sql, chosen, Page::FIRST, |row| {
            Cells::of("parked", row)?.count(1, "count")
        })?;
        Ok(counted.first().copied().unwrap_or(0))
    }

    /// What a replay of a parked delivery would mean.
    pub(crate) fn replay_item(
        &self,
        id: DeliveryId,
        allow_out_of_order: bool,
    ) -> Result<ReplayItem, Failure> {
        let read = one(
            self.connection,
            "SELECT p.delivery, o.code, p.sequence, p.repeats, p.dossier, p.destination
             FROM parked p JOIN dossier o ON o.id = p.dossier WHERE p.delivery = ?1",
            params![id.0],
            |row| {
                let cells = Cells::of("parked", row)?;
                let sequence = cells.get(2, "sequence")?;
                let (dossier, destination) =
                    (cells.get(4, "dossier")?, cells.get(5, "destination")?);
                let reorders = self.delivered_after(dossier, destination, sequence, true)?;
                Ok(ReplayItem {
                    id,
                    dossier: cells.parsed(1, "dossier", DossierCode::parse)?,
                    sequence,
                    repeats: cells.get(3, "repeats")?,
                    reorders,
                    replayed: allow_out_of_order || !reorders,
                })
            },
        )?;
        read.ok_or_else(|| corrupt("parked", "dossier", id.0, "names no dossier"))
    }

    /// Whether a later event of the lane has reached the destination, or (`or_called`) is being called right now.
    pub(crate) fn delivered_after(
        &self,
        dossier: i64,
        destination: i64,
        sequence: i64,
        or_called: bool,
    ) -> Result<bool, Failure> {
        let found = one(
            self.connection,
            "SELECT 1 FROM event e CROSS JOIN delivery d ON d.id = e.id * 64 + ?2
             WHERE e.dossier = ?1 AND e.sequence > ?3 AND (d.state = 4 OR (?4 AND d.state = 3)) LIMIT 1",
            params![dossier, destination, sequence, or_called],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// The numbers of the names in a filter; `None` when nothing can match.
    fn numbers(&self, filter: &ParkedFilter) -> Result<Option<Numbers>, Failure> {
        let destination = match &filter.destination {
            None => None,
            Some(name) => match self.destinations.by_name(name) {
                Some(known) => Some(known.id.0),
                None => return Ok(None),
            },
        };
        let root = match &filter.root {
            None => None,
            Some(code) => match self.root_id(code)? {
                Some(id) => Some(id),
                None => return Ok(None),
            },
        };
        Ok(Some(Numbers { destination, root }))
    }

    fn select_parked<T>(
        &self,
        sql: &str,
        chosen: &Chosen<'_>,
        page: Page,
        read: impl FnMut(&Row<'_>) -> Result<T, Failure>,
    ) -> Result<Vec<T>, Failure> {
        let filter = chosen.filter;
        let Some(numbers) = self.numbers(filter)? else {
            return Ok(Vec::new());
        };
        let ids = (!filter.ids.is_empty())
            .then(|| serde_json::to_string(&filter.ids).expect("numbers always serialise"));
        all(
            self.connection,
            sql,
            named_params! {
                ":after": page.after.0,
                ":ids": ids,
                ":destination": numbers.destination,
                ":root": numbers.root,
                ":procedure": filter.procedure.as_ref().map(ProcedureCode::as_str),
                ":reason": filter.reason.map(ParkReason::code),
                ":code": filter.code,
                ":since": filter.parked_since.map(micros),
                ":until": filter.parked_until.map(micros),
                ":parking": chosen.parking,
                ":limit": limit(page.items),
            },
            read,
        )
    }

    fn read_parked(&self, row: &Row<'_>) -> Result<Parked, Failure> {
        let cells = Cells::of("parked", row)?;
        Ok(Parked {
            id: DeliveryId(cells.id()),
            destination: self.destinations.of_cell(&cells, 1)?.name.clone(),
            dossier: cells.parsed(2, "dossier", DossierCode::parse)?,
            event_id: EventId::from_bytes(cells.get(12, "event_id")?),
            sequence: cells.get(3, "sequence")?,
            status: cells.decoded(4, "status", status_from_code)?,
            procedure: cells.parsed_maybe(5, "procedure", ProcedureCode::parse)?,
            reason: cells.decoded(6, "reason", ParkReason::from_code)?,
            parked_at: cells.time(7, "parked_at")?,
            attempts: cells.get(8, "attempts_made")?,
            code: cells.get(9, "code")?,
            message: cells.get(10, "message")?,
            behind: cells.count(11, "count")?,
        })
    }

    fn read_group(&self, row: &Row<'_>) -> Result<ParkedGroup, Failure> {
        let cells = Cells::of("parked", row)?;
        Ok(ParkedGroup {
            destination: self.destinations.of_cell(&cells, 1)?.name.clone(),
            root: cells.get(2, "root")?,
            reason: cells.decoded(3, "reason", ParkReason::from_code)?,
            code: cells.get(4, "code")?,
            deliveries: cells.count(5, "count")?,
            oldest_parked_at: cells.time(6, "parked_at")?,
            newest_parked_at: cells.time(7, "parked_at")?,
        })
    }
}

/// A part of a list by id.
#[derive(Clone, Copy)]
struct Page {
    after: DeliveryId,
    items: usize,
}

impl Page {
    /// From the beginning on.
    const FIRST: Self = Self {
        after: DeliveryId(0),
        items: ITEMS_MAX,
    };
}
