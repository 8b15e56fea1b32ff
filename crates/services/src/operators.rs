//! Use cases of operators: see queues, destinations, dossiers and participants; halt a destination; erase.
//!
//! Every method takes who asks and checks the role itself: viewers read, operators act, approvers approve. Only
//! [`Services::note_action`] asks for no role: it records what has happened already.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use lienthong_domain::participant::Caller;
use lienthong_domain::{
    DestinationName, DossierCode, ErrorCode, Faults, Operator, OperatorRole, Reason, Timestamp,
    WorkingCalendar,
};
use lienthong_ports::broker::{BrokerState, QueueDepth};
use lienthong_ports::operators::{ActionFilter, OperationKind};
use lienthong_ports::store::{
    Action, Actor, Counts, DestinationRow, DossierFilter, DossierView, Erasure, ITEMS_MAX,
    LaneView, TimelineEntry,
};
use lienthong_ports::{BrokerError, Queue};
use lienthong_telemetry::log;
use serde::Deserialize;

use crate::Services;
use crate::difference::{self, Difference};
use crate::error::Error;
use crate::explain::{self, Explanation};
use crate::seen::ParticipantState;

/// Longest reason of an action, in characters.
pub const REASON_CHARS_MAX: usize = 500;
/// Longest time for which the log's filter may be changed.
const LOG_FILTER_LASTS_MAX: Duration = Duration::from_hours(24);
/// Most announced holidays.
const HOLIDAYS_MAX: usize = 1_000;

/// Changes what is logged: the filter (empty: the configured one) and after how long the configured one returns (`None`:
/// not before the next start). Returns the filter before, or what is wrong with the new one.
pub type LogControl = Arc<dyn Fn(&str, Option<Duration>) -> Result<String, String> + Send + Sync>;

/// The rules operators work under.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Deliveries of one discard, or of several of one person within 24 hours, above which a second person must approve.
    pub approval_above: u64,
    /// Deliveries of one replay, or of several of one person within 24 hours, above which a second person must approve.
    pub replay_approval_above: u64,
    /// Holidays as announced, beside those that the law fixes: Tết, the Hùng kings' day, the day beside 2 September.
    pub holidays: Vec<Date>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            approval_above: 100,
            replay_approval_above: 1_000,
            holidays: Vec::new(),
        }
    }
}

impl Config {
    /// What is wrong with these rules, as `(key, what would be right)`.
    pub fn check(&self) -> Vec<(&'static str, &'static str)> {
        let mut faults = Vec::new();
        if self.holidays.len() > HOLIDAYS_MAX {
            faults.push(("holidays", "at most 1000 days"));
        }
        faults
    }

    /// Deliveries that one person may have moved within 24 hours without a second one.
    pub(crate) const fn needs_nobody_up_to(&self, kind: OperationKind) -> u64 {
        match kind {
            OperationKind::Replay => self.replay_approval_above,
            OperationKind::Discard => self.approval_above,
        }
    }

    /// The days on which offices work.
    pub(crate) fn calendar(&self) -> WorkingCalendar {
        WorkingCalendar::new(self.holidays.iter().copied())
    }
}

/// The queues as store and broker see them.
#[derive(Clone, Debug)]
pub struct QueueState {
    /// Per destination, from the store: the truth.
    pub counts: Vec<Counts>,
    /// The broker's connection.
    pub broker: BrokerState,
    /// The broker's own counts; empty when it cannot be asked.
    pub depths: Vec<QueueDepth>,
    /// What is wrong with the broker's queues, if it said so; for people.
    pub topology_fault: Option<String>,
    /// Our clock, for ages.
    pub now: Timestamp,
}

impl QueueState {
    /// The broker's queue of a destination, if it could be asked.
    pub fn depth(&self, destination: &DestinationName) -> Option<&QueueDepth> {
        let queue = Queue::Work(destination.clone()).to_string();
        self.depths.iter().find(|depth| depth.queue == queue)
    }

    /// Why store and broker differ about a destination; `None` when they agree.
    pub fn difference(&self, counts: &Counts) -> Option<Difference> {
        difference::of(counts, self.depth(&counts.destination), &self.broker)
    }
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

impl Services {
    /// The participants as they are registered and as they were seen since the start, by id.
    ///
    /// # Errors
    /// `NOT_OPERATOR`.
    pub fn participants(&self, operator: &Operator) -> Result<Vec<ParticipantState>, Error> {
        require(operator, OperatorRole::Viewer)?;
        let now = self.clock.now();
        Ok(self.registry().states(now).collect())
    }

    /// The queues.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, or those of the store. A broker that cannot be asked is part of the answer.
    pub async fn queues(&self, operator: &Operator) -> Result<QueueState, Error> {
        require(operator, OperatorRole::Viewer)?;
        self.queue_state().await
    }

    pub(crate) async fn queue_state(&self) -> Result<QueueState, Error> {
        let counts = self.store.counts().await?;
        let names = counts.iter().map(|count| count.destination.clone());
        let names = names.collect::<Vec<_>>();
        let (depths, topology_fault) = match self.broker.depths(&names).await {
            Ok(depths) => (depths, None),
            Err(BrokerError::Topology(fault)) => (Vec::new(), Some(fault)),
            Err(BrokerError::NotConnected(_) | BrokerError::Stopping) => (Vec::new(), None),
        };
        Ok(QueueState {
            counts,
            broker: self.broker.state(),
            depths,
            topology_fault,
            now: self.clock.now(),
        })
    }

    /// The destinations.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, or those of the store.
    pub async fn destinations(&self, operator: &Operator) -> Result<Vec<DestinationState>, Error> {
        require(operator, OperatorRole::Viewer)?;
        self.destination_states().await
    }

    pub(crate) async fn destination_states(&self) -> Result<Vec<DestinationState>, Error> {
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

    /// Halts a destination or lets it go on. Doing it twice is harmless: the first person and reason stay, and the second
    /// time leaves no action.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, `INVALID_FIELDS` without a reason, `DESTINATION_UNKNOWN`, or those of the store.
    pub async fn set_paused(
        &self,
        operator: &Operator,
        destination: &DestinationName,
        paused: bool,
        reason: &str,
    ) -> Result<(), Error> {
        let actor = self.actor(operator, OperatorRole::Operator, reason)?;
        if self.store.set_paused(destination, paused, actor).await? {
            Ok(())
        } else {
            Err(Error::new(ErrorCode::DestinationUnknown))
        }
    }

    /// Erases the personal data of a dossier whose deliveries have all ended. Doing it twice is harmless.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, `INVALID_FIELDS` without a reason, `DOSSIER_NOT_FOUND`, `DOSSIER_STILL_OPEN`, or those of
    /// the store.
    pub async fn erase_dossier(
        &self,
        operator: &Operator,
        code: &DossierCode,
        reason: &str,
    ) -> Result<(), Error> {
        let actor = self.actor(operator, OperatorRole::Operator, reason)?;
        match self.store.erase_dossier(code, actor).await? {
            Erasure::Done => Ok(()),
            Erasure::NotFound => Err(Error::new(ErrorCode::DossierNotFound)),
            Erasure::StillOpen => Err(Error::new(ErrorCode::DossierStillOpen)),
        }
    }

    /// Any dossier, as it stands.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, `DOSSIER_NOT_FOUND`, or those of the store.
    pub async fn any_dossier(
        &self,
        operator: &Operator,
        code: &DossierCode,
    ) -> Result<DossierView, Error> {
        require(operator, OperatorRole::Viewer)?;
        let found = self.store.dossier(code).await?;
        found.ok_or_else(|| Error::new(ErrorCode::DossierNotFound))
    }

    /// Any dossier's events above `after_sequence`; none for a dossier that does not exist.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, or those of the store.
    pub async fn any_timeline(
        &self,
        operator: &Operator,
        code: &DossierCode,
        after_sequence: i64,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, Error> {
        require(operator, OperatorRole::Viewer)?;
        let limit = limit.min(ITEMS_MAX);
        Ok(self.store.timeline(code, after_sequence, limit).await?)
    }

    /// Dossiers of everybody by code, after `after`.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, or those of the store.
    pub async fn any_dossiers(
        &self,
        operator: &Operator,
        filter: DossierFilter,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<DossierView>, Error> {
        require(operator, OperatorRole::Viewer)?;
        let limit = limit.min(ITEMS_MAX);
        Ok(self.store.dossiers(filter, after, limit).await?)
    }

    /// Why a dossier waits, per destination.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, `DOSSIER_NOT_FOUND`, or those of the store.
    pub async fn explain(
        &self,
        operator: &Operator,
        code: &DossierCode,
    ) -> Result<Vec<Explanation>, Error> {
        let view = self.any_dossier(operator, code).await?;
        let rows = self.store.destinations().await?;
        let (broker, now) = (self.broker.state(), self.clock.now());
        let of_lane = |lane: &LaneView| {
            let row = rows.iter().find(|row| row.name == lane.destination);
            explain::lane(lane, row, &broker, now)
        };
        Ok(view.lanes.iter().map(of_lane).collect())
    }

    /// What operators did, newest first, older than `before`.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, or those of the store.
    pub async fn actions(
        &self,
        operator: &Operator,
        filter: ActionFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Action>, Error> {
        require(operator, OperatorRole::Viewer)?;
        let limit = limit.min(ITEMS_MAX);
        let found = self.operators.actions_matching(filter, before, limit);
        Ok(found.await?)
    }

    /// Records what has happened outside the store, such as a sign-in. The reason may be empty, and no role is asked for,
    /// since it has happened already.
    ///
    /// # Errors
    /// `INVALID_FIELDS` for a reason that is too long, or those of the store.
    pub async fn note_action(
        &self,
        operator: &Operator,
        kind: &'static str,
        subject: String,
        reason: &str,
    ) -> Result<(), Error> {
        let actor = Actor {
            by: operator.by.to_string(),
            reason: text("reason", reason, 0, REASON_CHARS_MAX)?,
            now: self.clock.now(),
        };
        Ok(self.operators.note_action(kind, subject, actor).await?)
    }

    /// Changes what is logged, for at most `lasting` or until the next start; returns the filter before. Recorded
    /// before it is done.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, `INVALID_FIELDS` for a filter that cannot be read or a missing reason, or those of the store.
    pub async fn set_log_filter(
        &self,
        operator: &Operator,
        filter: &str,
        lasting: Option<Duration>,
        reason: &str,
    ) -> Result<String, Error> {
        let actor = self.actor(operator, OperatorRole::Operator, reason)?;
        let filter = text("filter", filter, 0, log::FILTER_CHARS_MAX)?;
        let expected = "info,lienthong_delivery=debug";
        log::check(&filter).map_err(|_| invalid("filter", Reason::BadForm { expected }))?;
        if lasting.is_some_and(|lasting| lasting > LOG_FILTER_LASTS_MAX) {
            let (min, max) = (0, (LOG_FILTER_LASTS_MAX.as_secs() / 60).cast_signed());
            return Err(invalid("minutes", Reason::OutOfRange { min, max }));
        }
        let control = self.log_control.as_ref();
        let control = control.ok_or_else(|| Error::new(ErrorCode::Internal))?;
        let subject = if filter.is_empty() {
            "default".to_owned()
        } else {
            filter.clone()
        };
        self.operators
            .note_action("log_filter", subject, actor)
            .await?;
        control(&filter, lasting).map_err(|_| Error::new(ErrorCode::Internal))
    }

    /// Who acts, once role and reason are as they must be.
    pub(crate) fn actor(
        &self,
        operator: &Operator,
        needed: OperatorRole,
        reason: &str,
    ) -> Result<Actor, Error> {
        require(operator, needed)?;
        Ok(Actor {
            by: operator.by.to_string(),
            reason: reason_of(reason)?,
            now: self.clock.now(),
        })
    }
}

/// The operator behind a certificate.
///
/// # Errors
/// `NOT_OPERATOR` for a participant's own systems.
pub fn of_caller(caller: &Caller) -> Result<Operator, Error> {
    let role = caller.role.operator();
    let role = role.ok_or_else(|| Error::new(ErrorCode::NotOperator))?;
    let by = format!("{}/{}", caller.participant.id, caller.system);
    Ok(Operator {
        by: by.into(),
        role,
    })
}

/// Whether a role reaches so far.
///
/// # Errors
/// `NOT_APPROVER` where an approver is needed, else `NOT_OPERATOR`.
pub fn require(operator: &Operator, needed: OperatorRole) -> Result<(), Error> {
    if operator.role >= needed {
        return Ok(());
    }
    Err(Error::new(match needed {
        OperatorRole::Approver => ErrorCode::NotApprover,
        OperatorRole::Viewer | OperatorRole::Operator => ErrorCode::NotOperator,
    }))
}

/// The reason of an action without the blanks around it, 1 to [`REASON_CHARS_MAX`] characters on one line.
///
/// # Errors
/// `INVALID_FIELDS`.
pub fn reason_of(raw: &str) -> Result<String, Error> {
    text("reason", raw, 1, REASON_CHARS_MAX)
}

/// Text of an operator without the blanks around it, `min` to `max` characters.
pub(crate) fn text(
    field: &'static str,
    raw: &str,
    min: usize,
    max: usize,
) -> Result<String, Error> {
    let text = raw.trim();
    let actual = text.chars().count();
    if actual < min {
        return Err(invalid(field, Reason::Missing));
    }
    if actual > max {
        return Err(invalid(field, Reason::TooLong { max, actual }));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid(field, Reason::ControlCharacter));
    }
    Ok(text.to_owned())
}

pub(crate) fn invalid(field: impl Into<String>, reason: Reason) -> Error {
    let mut faults = Faults::default();
    faults.push(field, reason);
    Error::with_faults(ErrorCode::InvalidFields, faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_reach_as_far_as_they_say() {
        use OperatorRole as R;
        let table = [
            (R::Viewer, R::Viewer, None),
            (R::Viewer, R::Operator, Some(ErrorCode::NotOperator)),
            (R::Viewer, R::Approver, Some(ErrorCode::NotApprover)),
            (R::Operator, R::Viewer, None),
            (R::Operator, R::Operator, None),
            (R::Operator, R::Approver, Some(ErrorCode::NotApprover)),
            (R::Approver, R::Viewer, None),
            (R::Approver, R::Operator, None),
            (R::Approver, R::Approver, None),
        ];
        for (role, needed, refused) in table {
            let operator = Operator {
                by: "account:lan".into(),
                role,
            };
            let found = require(&operator, needed).err().map(|error| error.code);
            assert_eq!(found, refused, "{role} for {needed}");
        }
    }

    #[test]
    fn reasons_are_bounded_and_one_line() {
        let read = |raw: &str| text("reason", raw, 1, 10).map_err(|error| error.code);
        assert_eq!(
            read("  Cổng đã sửa ").as_deref(),
            Err(&ErrorCode::InvalidFields)
        );
        assert_eq!(read("  đã sửa ").as_deref(), Ok("đã sửa"));
        for bad in ["", " \u{a0} ", "12345678901", "a\nb"] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
