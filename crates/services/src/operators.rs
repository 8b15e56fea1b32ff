//! Use cases of operators: see the queues, halt a destination, replay or discard what is parked.

use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::participant::{Caller, Role};
use lienthong_domain::{
    DeliveryId, DestinationName, DossierCode, ErrorCode, Faults, Reason, Timestamp,
};
use lienthong_ports::broker::{BrokerState, QueueDepth};
use lienthong_ports::store::{
    Action, Actor, Counts, DestinationRow, Erasure, ITEMS_MAX, LaneView, Parked, ParkedFilter,
    ReplayItem, ReplayTerms,
};

use crate::Services;
use crate::error::Error;
use crate::explain::{self, Explanation};
use crate::registry::Registry;

/// Deliveries one replay or discard acts on at most.
pub const ACTION_DELIVERIES_MAX: u32 = 1_000;
/// Longest reason of an action, in characters.
pub const REASON_CHARS_MAX: usize = 500;
/// Replayed deliveries that become due per second, unless the request says otherwise.
pub const REPLAY_PER_SECOND_DEFAULT: u32 = 20;
/// Fastest replay that may be asked for.
pub const REPLAY_PER_SECOND_MAX: u32 = 1_000;

/// The queues as store and broker see them.
#[derive(Clone, Debug)]
pub struct QueueState {
    /// Per destination, from the store: the truth.
    pub counts: Vec<Counts>,
    /// The broker's connection.
    pub broker: BrokerState,
    /// The broker's own counts; empty when it cannot be asked.
    pub depths: Vec<QueueDepth>,
    /// Our clock, for ages.
    pub now: Timestamp,
}

/// A destination with its live figures.
#[derive(Clone, Debug)]
pub struct DestinationState {
    /// Pause and breaker as the store keeps them.
    pub row: DestinationRow,
    /// Calls that may be under way at once.
    pub concurrency_limit: u32,
    /// Calls under way.
    pub in_flight: u32,
    /// Our clock.
    pub now: Timestamp,
}

/// What to replay and how.
#[derive(Clone, Debug)]
pub struct ReplayRequest {
    /// Which.
    pub filter: ParkedFilter,
    /// Only say what would happen.
    pub dry_run: bool,
    /// Also those whose successors were delivered.
    pub allow_out_of_order: bool,
    /// How many become due per second; 0 takes the default.
    pub per_second: u32,
    /// Why.
    pub reason: String,
}

impl Services {
    /// The participants as they are now.
    ///
    /// # Errors
    /// `NOT_OPERATOR`.
    pub fn participants(&self, caller: &Caller) -> Result<Arc<Registry>, Error> {
        operator(caller)?;
        Ok(self.registry())
    }

    /// The queues.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, or those of the store. A broker that cannot be asked is part of the answer.
    pub async fn queues(&self, caller: &Caller) -> Result<QueueState, Error> {
        operator(caller)?;
        let counts = self.store.counts().await?;
        let names = counts
            .iter()
            .map(|count| count.destination.clone())
            .collect::<Vec<_>>();
        let depths = self.broker.depths(&names).await.unwrap_or_default();
        Ok(QueueState {
            counts,
            broker: self.broker.state(),
            depths,
            now: self.clock.now(),
        })
    }

    /// The destinations.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, or those of the store.
    pub async fn destinations(&self, caller: &Caller) -> Result<Vec<DestinationState>, Error> {
        operator(caller)?;
        let rows = self.store.destinations().await?;
        let with_gauge = |row: DestinationRow| {
            let gauge = self.gauges.iter().find(|(name, _)| *name == row.name);
            DestinationState {
                concurrency_limit: gauge.map_or(0, |(_, gauge)| gauge.concurrency_limit()),
                in_flight: gauge.map_or(0, |(_, gauge)| gauge.in_flight()),
                now: self.clock.now(),
                row,
            }
        };
        Ok(rows.into_iter().map(with_gauge).collect())
    }

    /// Halts a destination or lets it go on.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, `INVALID_FIELDS` without a reason, `DESTINATION_UNKNOWN`, or those of the store.
    pub async fn set_paused(
        &self,
        caller: &Caller,
        destination: &DestinationName,
        paused: bool,
        reason: &str,
    ) -> Result<(), Error> {
        let actor = self.actor(caller, reason)?;
        if self.store.set_paused(destination, paused, actor).await? {
            Ok(())
        } else {
            Err(Error::new(ErrorCode::DestinationUnknown))
        }
    }

    /// Parked deliveries, by id, after `after`.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, or those of the store.
    pub async fn parked(
        &self,
        caller: &Caller,
        filter: ParkedFilter,
        after: DeliveryId,
        limit: usize,
    ) -> Result<Vec<Parked>, Error> {
        operator(caller)?;
        Ok(self
            .store
            .parked(filter, after, limit.min(ITEMS_MAX))
            .await?)
    }

    /// Replays parked deliveries, at most [`ACTION_DELIVERIES_MAX`] a call.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, `INVALID_FIELDS` without a reason, or those of the store.
    pub async fn replay(
        &self,
        caller: &Caller,
        request: ReplayRequest,
    ) -> Result<Vec<ReplayItem>, Error> {
        let actor = self.actor(caller, &request.reason)?;
        let per_second = match request.per_second {
            0 => REPLAY_PER_SECOND_DEFAULT,
            asked => asked.min(REPLAY_PER_SECOND_MAX),
        };
        let terms = ReplayTerms {
            dry_run: request.dry_run,
            allow_out_of_order: request.allow_out_of_order,
            spacing: Duration::from_secs(1) / per_second,
            limit: ACTION_DELIVERIES_MAX,
        };
        Ok(self.store.replay(request.filter, terms, actor).await?)
    }

    /// Gives parked deliveries up, at most [`ACTION_DELIVERIES_MAX`] a call.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, `INVALID_FIELDS` without a reason, or those of the store.
    pub async fn discard(
        &self,
        caller: &Caller,
        filter: ParkedFilter,
        dry_run: bool,
        reason: &str,
    ) -> Result<Vec<DeliveryId>, Error> {
        let actor = self.actor(caller, reason)?;
        Ok(self
            .store
            .discard(filter, dry_run, ACTION_DELIVERIES_MAX, actor)
            .await?)
    }

    /// Erases the personal data of a dossier whose deliveries have all ended. Doing it twice is harmless.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, `INVALID_FIELDS` without a reason, `DOSSIER_NOT_FOUND`, `DOSSIER_STILL_OPEN`, or those of
    /// the store.
    pub async fn erase_dossier(
        &self,
        caller: &Caller,
        code: &DossierCode,
        reason: &str,
    ) -> Result<(), Error> {
        let actor = self.actor(caller, reason)?;
        match self.store.erase_dossier(code, actor).await? {
            Erasure::Done => Ok(()),
            Erasure::NotFound => Err(Error::new(ErrorCode::DossierNotFound)),
            Erasure::StillOpen => Err(Error::new(ErrorCode::DossierStillOpen)),
        }
    }

    /// Operators' actions after `after`, oldest first.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, or those of the store.
    pub async fn actions(
        &self,
        caller: &Caller,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Action>, Error> {
        operator(caller)?;
        Ok(self.store.actions(after, limit.min(ITEMS_MAX)).await?)
    }

    /// Why a dossier waits, per destination.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, `DOSSIER_NOT_FOUND`, or those of the store.
    pub async fn explain(
        &self,
        caller: &Caller,
        code: &DossierCode,
    ) -> Result<Vec<Explanation>, Error> {
        operator(caller)?;
        let view = self.dossier(caller, code).await?;
        let rows = self.store.destinations().await?;
        let (broker, now) = (self.broker.state(), self.clock.now());
        let of_lane = |lane: &LaneView| {
            let row = rows.iter().find(|row| row.name == lane.destination);
            explain::lane(lane, row, &broker, now)
        };
        Ok(view.lanes.iter().map(of_lane).collect())
    }

    fn actor(&self, caller: &Caller, reason: &str) -> Result<Actor, Error> {
        operator(caller)?;
        let reason = reason.trim();
        let length = reason.chars().count();
        let fault = match length {
            0 => Some(Reason::Missing),
            1..=REASON_CHARS_MAX => None,
            actual => Some(Reason::TooLong {
                max: REASON_CHARS_MAX,
                actual,
            }),
        };
        if let Some(fault) = fault {
            let mut faults = Faults::default();
            faults.push("reason", fault);
            return Err(Error::with_faults(ErrorCode::InvalidFields, faults));
        }
        let by = format!("{}/{}", caller.participant.id, caller.system);
        Ok(Actor {
            by,
            reason: reason.to_owned(),
            now: self.clock.now(),
        })
    }
}

fn operator(caller: &Caller) -> Result<(), Error> {
    match caller.role {
        Role::Operator => Ok(()),
        Role::Push | Role::Identity => Err(Error::new(ErrorCode::NotOperator)),
    }
}
