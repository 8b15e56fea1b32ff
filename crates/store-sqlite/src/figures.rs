//! What happens on a day: kept in memory over a transaction, added to the database with its commit.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use lienthong_ports::operators::DelayHistogram;
use rusqlite::{Connection, params};

use crate::days::day_of;
use crate::destinations::DestinationId;
use crate::error::Failure;
use crate::rows::{execute, one};

/// Slow dossiers kept of each day, destination and root.
pub(crate) const SLOW_KEPT_MAX: usize = 20;

/// Days, destinations and roots of which is remembered what is slow; beyond that the memory starts anew.
const FLOORS_REMEMBERED_MAX: usize = 10_000;

/// Whose figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    day: i64,
    destination: i64,
    root: i64,
}

/// What is counted of a delivery.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Accepted,
    Parked,
    Retried,
    GivenUp,
}

/// What a transaction has added so far.
#[derive(Clone, Debug, Default)]
struct Added {
    accepted: i64,
    delivered: i64,
    parked: i64,
    retried: i64,
    given_up: i64,
    delays: HashMap<usize, i64>,
    slow: Vec<Slow>,
}

#[derive(Clone, Copy, Debug)]
struct Slow {
    dossier: i64,
    sequence: i64,
    delay: i64,
}

/// What was delivered, when, and how long after its acceptance in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivered {
    pub(crate) at: i64,
    pub(crate) delay: i64,
    pub(crate) dossier: i64,
    pub(crate) sequence: i64,
}

/// The figures of the open transaction.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    added: HashMap<Key, Added>,
    /// The delay of the last slow dossier that is kept, where as many are kept as may be.
    floors: HashMap<Key, i64>,
}

impl Figures {
    pub(crate) fn count(
        &mut self,
        event: Event,
        at: i64,
        destination: DestinationId,
        root: i64,
        deliveries: i64,
    ) {
        let added = self.added.entry(key(at, destination, root)).or_default();
        let count = match event {
            Event::Accepted => &mut added.accepted,
            Event::Parked => &mut added.parked,
            Event::Retried => &mut added.retried,
            Event::GivenUp => &mut added.given_up,
        };
        *count += deliveries;
    }

    pub(crate) fn delivered(&mut self, destination: DestinationId, root: i64, what: Delivered) {
        let key = key(what.at, destination, root);
        let delay = what.delay.max(0);
        let added = self.added.entry(key).or_default();
        added.delivered += 1;
        let bucket = DelayHistogram::bucket(Duration::from_micros(delay.unsigned_abs()));
        *added.delays.entry(bucket).or_default() += 1;
        if self.floors.get(&key).is_none_or(|floor| delay > *floor) {
            added.slow.push(Slow {
                dossier: what.dossier,
                sequence: what.sequence,
                delay,
            });
        }
    }

    /// Forgets what was added, because the transaction is undone.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Writes what was added, as part of the same transaction.
    pub(crate) fn write(&mut self, connection: &Connection) -> Result<(), Failure> {
        if self.floors.len() >= FLOORS_REMEMBERED_MAX {
            self.floors.clear();
        }
        for (key, added) in std::mem::take(&mut self.added) {
            write_flow(connection, key, &added)?;
            for (bucket, deliveries) in &added.delays {
                let bucket = i64::try_from(*bucket).expect("buckets are few");
                write_delays(connection, key, bucket, *deliveries)?;
            }
            let slow = slowest(added.slow);
            if !slow.is_empty()
                && let Some(floor) = write_slow(connection, key, &slow)?
            {
                self.floors.insert(key, floor);
            }
        }
        Ok(())
    }
}

fn key(at: i64, destination: DestinationId, root: i64) -> Key {
    Key {
        day: day_of(at),
        destination: destination.0,
        root,
    }
}

fn write_flow(connection: &Connection, key: Key, added: &Added) -> Result<(), Failure> {
    execute(
        connection,
        "INSERT INTO day_flow (day, destination, root, accepted, delivered, parked, retried, given_up)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET accepted = accepted + excluded.accepted,
             delivered = delivered + excluded.delivered, parked = parked + excluded.parked,
             retried = retried + excluded.retried, given_up = given_up + excluded.given_up",
        params![
            key.day,
            key.destination,
            key.root,
            added.accepted,
            added.delivered,
            added.parked,
            added.retried,
            added.given_up,
        ],
    )?;
    Ok(())
}

fn write_delays(
    connection: &Connection,
    key: Key,
    bucket: i64,
    deliveries: i64,
) -> Result<(), Failure> {
    execute(
        connection,
        "INSERT INTO day_delay (day, destination, root, bucket, deliveries) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET deliveries = deliveries + excluded.deliveries",
        params![key.day, key.destination, key.root, bucket, deliveries],
    )?;
    Ok(())
}

/// The slowest, each dossier once, no more than are kept.
fn slowest(mut slow: Vec<Slow>) -> Vec<Slow> {
    slow.sort_unstable_by_key(|slow| Reverse(slow.delay));
    let mut kept: Vec<Slow> = Vec::with_capacity(SLOW_KEPT_MAX);
    for slow in slow {
        if kept.len() < SLOW_KEPT_MAX && kept.iter().all(|kept| kept.dossier != slow.dossier) {
            kept.push(slow);
        }
    }
    kept
}

/// Keeps the slowest of what is there and what is new; the delay that a further one must exceed, if all places
/// are taken.
fn write_slow(connection: &Connection, key: Key, slow: &[Slow]) -> Result<Option<i64>, Failure> {
    for slow in slow {
        execute(
            connection,
            "INSERT INTO day_slow (day, destination, root, dossier, sequence, delay)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET sequence = excluded.sequence, delay = excluded.delay
             WHERE excluded.delay > delay",
            params![
                key.day,
                key.destination,
                key.root,
                slow.dossier,
                slow.sequence,
                slow.delay
            ],
        )?;
    }
    let kept = i64::try_from(SLOW_KEPT_MAX).expect("a small number");
    execute(
        connection,
        "DELETE FROM day_slow WHERE day = ?1 AND destination = ?2 AND root = ?3 AND dossier IN (
             SELECT dossier FROM day_slow WHERE day = ?1 AND destination = ?2 AND root = ?3
             ORDER BY delay DESC, dossier LIMIT -1 OFFSET ?4)",
        params![key.day, key.destination, key.root, kept],
    )?;
    one(
        connection,
        "SELECT delay FROM day_slow WHERE day = ?1 AND destination = ?2 AND root = ?3
         ORDER BY delay DESC LIMIT 1 OFFSET ?4",
        params![key.day, key.destination, key.root, kept - 1],
        |row| Ok(row.get(0)?),
    )
}
