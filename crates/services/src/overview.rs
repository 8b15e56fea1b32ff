//! The gateway at a glance: what flows, what waits, and every problem with what to do about it.
//!
//! A look is taken every few seconds by [`crate::Services::observe`] and kept; pages and calls read the kept one, so
//! no number of readers costs the store anything.

use std::time::Duration;

use lienthong_domain::{DestinationName, DossierCode, Timestamp};
use lienthong_ports::operators::{DelayHistogram, Operation, ParkedGroup};

use crate::operators::{DestinationState, QueueState};
use crate::problems::Problem;

/// How old a kept look may be.
pub const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// How old the groups of what is parked may be.
pub const GROUPS_INTERVAL: Duration = Duration::from_secs(15);
/// Most operations of one look.
pub const OPERATIONS_SHOWN_MAX: usize = 50;

/// The gateway at one moment.
#[derive(Clone, Debug)]
pub struct Overview {
    /// When it was looked at.
    pub measured_at: Timestamp,
    /// The worst first.
    pub problems: Vec<Problem>,
    /// Each destination, by name.
    pub destinations: Vec<DestinationFlow>,
    /// Each destination and province with traffic today or something waiting.
    pub provinces: Vec<ProvinceFlow>,
    /// The queues, store and broker.
    pub queues: QueueState,
    /// Operations that await a second person or run, newest first; at most [`OPERATIONS_SHOWN_MAX`].
    pub operations: Vec<Operation>,
    /// What is parked, by cause; older than the rest by up to [`GROUPS_INTERVAL`].
    pub parked_groups: Vec<ParkedGroup>,
    /// What only the process knows, and hands in with each look.
    pub process: ProcessFigures,
}

/// The flow to one destination.
#[derive(Clone, Debug)]
pub struct DestinationFlow {
    /// Pause, breaker, room.
    pub state: DestinationState,
    /// Not final and not parked.
    pub waiting: u64,
    /// Parked.
    pub parked: u64,
    /// The oldest that waits: its dossier, and since when.
    pub oldest: Option<(DossierCode, Timestamp)>,
    /// Events a minute, over the last minute.
    pub accepted_per_minute: f64,
    /// Deliveries a minute.
    pub delivered_per_minute: f64,
    /// Parkings a minute.
    pub parked_per_minute: f64,
    /// Attempts put off a minute.
    pub retried_per_minute: f64,
    /// At these rates, what comes in included, until nothing waits; `None` when it does not shrink.
    pub drained_in: Option<Duration>,
    /// Delays of what was delivered in the last minute.
    pub delays: DelayHistogram,
}

/// The flow of one province to one destination.
#[derive(Clone, Debug, PartialEq)]
pub struct ProvinceFlow {
    /// The destination.
    pub destination: DestinationName,
    /// The agency's root code.
    pub root: String,
    /// Events a minute, over the last minute.
    pub accepted_per_minute: f64,
    /// Accepted today (+07).
    pub accepted_today: u64,
    /// Delivered today.
    pub delivered_today: u64,
    /// Parked today.
    pub parked_today: u64,
    /// The oldest that waits: its dossier, and since when.
    pub oldest: Option<(DossierCode, Timestamp)>,
}

/// Figures that the store does not know; the wiring hands them in with each look.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProcessFigures {
    /// Milliseconds from call to receipt over the last minute: median and 99th percentile.
    pub accept_ms: Option<(f64, f64)>,
    /// Free bytes on the store's disk.
    pub disk_free_bytes: Option<u64>,
    /// Free bytes below which intake stops.
    pub disk_reserve_bytes: u64,
    /// Hours until the disk is full at the rate of the last hour.
    pub disk_hours_left: Option<f64>,
    /// When the gateway's certificate ends.
    pub certificate_ends_at: Option<Timestamp>,
    /// The clock of a destination less ours, in seconds, by its newest answer that told a time.
    pub clock_offset_seconds: Option<f64>,
    /// Destinations that refused our credentials at their newest answer.
    pub credentials_refused: Vec<DestinationName>,
    /// Provinces (participants' root codes) whose statuses of the last hour came late, and how late at the median;
    /// filled in by the look itself.
    pub late_provinces: Vec<(String, Duration)>,
    /// Since when the population database cannot be asked; `None` while it can, and where none is configured.
    pub population_down_since: Option<Timestamp>,
    /// Officials and systems blocked or awaiting approval by the guard.
    pub guards_blocked: u32,
    /// Questions about citizens over the last minute: answered, refused, not answered because of the database.
    pub identity_per_minute: Option<(u64, u64, u64)>,
}
