//! The destinations a database knows: those of the configuration and those of the past.

use lienthong_domain::DestinationName;
use lienthong_domain::delivery::LanePolicy;
use lienthong_ports::store::DestinationSpec;
use rusqlite::{Connection, params};

use crate::config::DESTINATIONS_MAX;
use crate::error::Failure;
use crate::rows::{Cells, all, execute};

/// A destination's number in the database, below [`DESTINATIONS_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DestinationId(pub(crate) i64);

/// What is fixed about a destination while the store is open.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) id: DestinationId,
    pub(crate) name: DestinationName,
    pub(crate) lane: LanePolicy,
    /// Whether it is configured now, so that new events go there.
    pub(crate) active: bool,
}

/// All destinations, by number.
#[derive(Clone, Debug)]
pub(crate) struct Destinations(Vec<Known>);

/// The destinations, and those whose lane policy is another one than before.
pub(crate) struct Synchronised {
    pub(crate) destinations: Destinations,
    pub(crate) changed: Vec<DestinationId>,
}

impl Destinations {
    /// Writes the configured destinations into the database and reads them all back; `None` when
    /// there would be too many.
    pub(crate) fn synchronise(
        connection: &Connection,
        specs: &[DestinationSpec],
    ) -> Result<Option<Synchronised>, Failure> {
        let before = Self::read(connection, specs)?;
        let mut changed = Vec::new();
        for spec in specs {
            let lane = lane_code(spec.lane);
            match before.by_name(&spec.name) {
                Some(known) if known.lane == spec.lane => {}
                Some(known) => {
                    execute(
                        connection,
                        "UPDATE destination SET lane = ?2 WHERE id = ?1",
                        params![known.id.0, lane],
                    )?;
                    changed.push(known.id);
                }
                None if Self::read(connection, specs)?.0.len() >= DESTINATIONS_MAX => {
                    return Ok(None);
                }
                None => {
                    execute(
                        connection,
                        "INSERT INTO destination (id, name, lane)
                         SELECT count(*), ?1, ?2 FROM destination",
                        params![spec.name.as_str(), lane],
                    )?;
                }
            }
        }
        Ok(Some(Synchronised {
            destinations: Self::read(connection, specs)?,
            changed,
        }))
    }

    fn read(connection: &Connection, specs: &[DestinationSpec]) -> Result<Self, Failure> {
        let mut next_id = 0;
        all(
            connection,
            "SELECT id, name, lane FROM destination ORDER BY id",
            [],
            |row| {
                let cells = Cells::of("destination", row)?;
                if cells.id() != next_id {
                    return Err(cells.corrupt("id", "leaves a gap"));
                }
                next_id += 1;
                let name = cells.parsed(1, "name", DestinationName::parse)?;
                Ok(Known {
                    id: DestinationId(cells.id()),
                    active: specs.iter().any(|spec| spec.name == name),
                    name,
                    lane: cells.decoded(2, "lane", lane_from_code)?,
                })
            },
        )
        .map(Self)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Known> {
        self.0.iter()
    }

    pub(crate) fn by_name(&self, name: &DestinationName) -> Option<&Known> {
        self.0.iter().find(|known| known.name == *name)
    }

    pub(crate) fn by_id(&self, id: i64) -> Option<&Known> {
        usize::try_from(id).ok().and_then(|index| self.0.get(index))
    }

    /// The destination named in a cell of a row.
    pub(crate) fn of_cell(&self, cells: &Cells<'_>, index: usize) -> Result<&Known, Failure> {
        cells.decoded(index, "destination", |id| self.by_id(id))
    }
}

fn lane_code(lane: LanePolicy) -> i64 {
    match lane {
        LanePolicy::Hold => 0,
        LanePolicy::Skip => 1,
        LanePolicy::Latest => 2,
    }
}

fn lane_from_code(code: i64) -> Option<LanePolicy> {
    [LanePolicy::Hold, LanePolicy::Skip, LanePolicy::Latest]
        .into_iter()
        .find(|lane| lane_code(*lane) == code)
}
