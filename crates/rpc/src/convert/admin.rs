//! Queues, destinations and parked deliveries, in the contract's form.

use std::time::Duration;

use lienthong_domain::code::RootCode;
use lienthong_domain::delivery::{LanePolicy, ParkReason};
use lienthong_domain::{
    DeliveryId, DeliveryState, DestinationName, Faults, ProcedureCode, Reason, Timestamp,
};
use lienthong_ports::operators::ParkedGroup;
use lienthong_ports::store::{Counts, Parked, ParkedFilter, Pause};
use lienthong_proto::admin::v1 as proto;
use lienthong_services::difference::Difference;
use lienthong_services::explain::Cause;
use lienthong_services::operations::SELECTED_IDS_MAX;
use lienthong_services::overview::DestinationFlow;
use lienthong_services::{DestinationState, QueueState};

use super::{instant, instant_to_proto, span_to_proto, under, views};

/// Longest error group, in characters.
const ERROR_GROUP_CHARS_MAX: usize = 200;

/// The filter of an operation as it was asked for.
pub(crate) fn selection_to_proto(filter: &ParkedFilter) -> proto::DeliverySelection {
    use proto::delivery_selection::Selection;
    let text = |text: Option<String>| text.unwrap_or_default();
    let selection = if filter.ids.is_empty() {
        Selection::Filter(proto::ParkedFilter {
            destination: text(filter.destination.as_ref().map(ToString::to_string)),
            province_code: text(filter.root.clone()),
            procedure_code: text(filter.procedure.as_ref().map(ToString::to_string)),
            error_group: match (filter.reason, &filter.code) {
                (Some(reason), Some(code)) => error_group(reason, code),
                (Some(reason), None) => views::upper(reason.name()),
                (None, code) => text(code.as_ref().map(|code| format!("/{code}"))),
            },
            parked_after: filter.parked_since.map(instant_to_proto),
            parked_before: filter.parked_until.map(instant_to_proto),
        })
    } else {
        let delivery_ids = filter.ids.iter().map(|id| id.0).collect();
        Selection::Ids(proto::DeliveryIdList { delivery_ids })
    };
    proto::DeliverySelection {
        selection: Some(selection),
    }
}

/// Reads which deliveries an operation is about.
///
/// # Errors
/// Every fault, by its path within the request.
pub(crate) fn selection_from_proto(
    selection: Option<&proto::DeliverySelection>,
) -> Result<ParkedFilter, Faults> {
    use proto::delivery_selection::Selection;
    let mut faults = Faults::new();
    let filter = match selection.and_then(|selection| selection.selection.as_ref()) {
        None => faults.check("selection", Err(Reason::Missing)),
        Some(Selection::Filter(filter)) => {
            let read = |own: &mut Faults| read_filter(filter, own);
            Some(under(&mut faults, || "selection.filter".into(), read))
        }
        Some(Selection::Ids(list)) => faults
            .check("selection.ids.delivery_ids", ids(&list.delivery_ids))
            .map(|ids| ParkedFilter {
                ids,
                ..ParkedFilter::default()
            }),
    };
    match filter {
        Some(filter) => faults.into_result(filter),
        None => Err(faults),
    }
}

fn ids(found: &[i64]) -> Result<Vec<DeliveryId>, Reason> {
    match found.len() {
        // An empty list would mean everything to the store.
        0 => Err(Reason::Missing),
        1..=SELECTED_IDS_MAX => Ok(found.iter().copied().map(DeliveryId).collect()),
        actual => Err(Reason::TooMany {
            max: SELECTED_IDS_MAX,
            actual,
        }),
    }
}

/// Reads the filter of a listing; an absent one lists all that is parked.
///
/// # Errors
/// Every fault, by its path within the request.
pub(crate) fn filter_from_proto(
    filter: Option<&proto::ParkedFilter>,
) -> Result<ParkedFilter, Faults> {
    let Some(filter) = filter else {
        return Ok(ParkedFilter::default());
    };
    let mut faults = Faults::new();
    let read = under(
        &mut faults,
        || "filter".into(),
        |own| read_filter(filter, own),
    );
    faults.into_result(read)
}

fn read_filter(filter: &proto::ParkedFilter, faults: &mut Faults) -> ParkedFilter {
    let group = read_error_group(&filter.error_group, faults);
    let since = instant(faults, "parked_after", filter.parked_after.as_ref());
    let until = instant(faults, "parked_before", filter.parked_before.as_ref());
    ParkedFilter {
        ids: Vec::new(),
        destination: given(&filter.destination)
            .and_then(|name| faults.check("destination", DestinationName::parse(name))),
        root: given(&filter.province_code)
            .and_then(|code| faults.check("province_code", RootCode::parse(code)))
            .map(|root| root.as_str().to_owned()),
        procedure: given(&filter.procedure_code)
            .and_then(|code| faults.check("procedure_code", ProcedureCode::parse(code))),
        reason: group.as_ref().map(|(reason, _)| *reason),
        code: group.and_then(|(_, code)| code),
        parked_since: since,
        parked_until: until,
    }
}

fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// `REASON` or `REASON/answer code`, as [`parked_to_proto`] writes it.
fn read_error_group(group: &str, faults: &mut Faults) -> Option<(ParkReason, Option<String>)> {
    let group = given(group)?;
    let actual = group.chars().count();
    if actual > ERROR_GROUP_CHARS_MAX {
        let max = ERROR_GROUP_CHARS_MAX;
        return faults.check("error_group", Err(Reason::TooLong { max, actual }));
    }
    let (name, code) = match group.split_once('/') {
        Some((name, code)) => (name, Some(code.to_owned())),
        None => (group, None),
    };
    let reason = ParkReason::ALL
        .into_iter()
        .find(|reason| views::upper(reason.name()) == name);
    let expected = "REJECTED/-1";
    let reason = faults.check("error_group", reason.ok_or(Reason::BadForm { expected }))?;
    Some((reason, code))
}

/// A group of like errors, as [`read_error_group`] reads it.
fn error_group(reason: ParkReason, code: &str) -> String {
    format!("{}/{code}", views::upper(reason.name()))
}

/// Parked deliveries with the same cause.
pub(crate) fn group_to_proto(group: &ParkedGroup) -> proto::ParkedGroup {
    proto::ParkedGroup {
        destination: group.destination.to_string(),
        province_code: group.root.clone(),
        parked_reason: views::upper(group.reason.name()),
        error_group: error_group(group.reason, &group.code),
        deliveries: group.deliveries,
        oldest_parked_at: Some(instant_to_proto(group.oldest_parked_at)),
        newest_parked_at: Some(instant_to_proto(group.newest_parked_at)),
    }
}

/// A parked delivery.
pub(crate) fn parked_to_proto(parked: &Parked) -> proto::ParkedDelivery {
    let root = parked.dossier.agency().root();
    proto::ParkedDelivery {
        delivery: Some(reference(parked)),
        status: parked.status.code(),
        procedure_code: parked
            .procedure
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        province_code: if root.is_province() {
            root.to_string()
        } else {
            String::new()
        },
        parked_at: Some(instant_to_proto(parked.parked_at)),
        error_group: error_group(parked.reason, &parked.code),
        parked_reason: views::upper(parked.reason.name()),
        last_attempt: last_attempt(parked),
        attempts_counted: parked.attempts,
        waiting_behind: parked.behind,
    }
}

/// What a listing knows of the last attempt: its number and the destination's answer.
fn last_attempt(parked: &Parked) -> Option<lienthong_proto::dossier::v1::Attempt> {
    (parked.attempts > 0).then(|| lienthong_proto::dossier::v1::Attempt {
        number: parked.attempts,
        answer_code: parked.code.clone(),
        message: parked.message.clone(),
        ..lienthong_proto::dossier::v1::Attempt::default()
    })
}

/// Names a parked delivery.
pub(crate) fn reference(parked: &Parked) -> proto::DeliveryReference {
    proto::DeliveryReference {
        delivery_id: parked.id.0,
        destination: parked.destination.to_string(),
        dossier_code: parked.dossier.to_string(),
        dossier_sequence: parked.sequence,
        event_id: String::new(),
    }
}

/// The queues.
pub(crate) fn queues_to_proto(state: &QueueState) -> proto::ListQueuesResponse {
    let broker = &state.broker;
    let last_error = state.topology_fault.as_ref().or(broker.last_error.as_ref());
    proto::ListQueuesResponse {
        queues: state
            .counts
            .iter()
            .map(|counts| queue_to_proto(counts, state))
            .collect(),
        broker: Some(proto::Broker {
            kind: broker.name.to_owned(),
            connected: broker.connected,
            blocked_since: broker.blocked_since.map(instant_to_proto),
            reconnects: broker.reconnects,
            unknown_confirms: broker.unknown_confirms,
            last_error: last_error.cloned().unwrap_or_default(),
        }),
        measured_at: Some(instant_to_proto(state.now)),
    }
}

fn queue_to_proto(counts: &Counts, state: &QueueState) -> proto::Queue {
    let depth = state.depth(&counts.destination);
    let difference = state.difference(counts);
    let oldest = counts.oldest_waiting.as_ref();
    proto::Queue {
        destination: counts.destination.to_string(),
        counts: Some(proto::StateCounts {
            queued: counts.of(DeliveryState::Queued),
            ready: counts.of(DeliveryState::Ready),
            sent: counts.of(DeliveryState::Sent),
            calling: counts.of(DeliveryState::Calling),
            parked: counts.of(DeliveryState::Parked),
            delivered: counts.of(DeliveryState::Done),
            superseded: counts.of(DeliveryState::Superseded),
            discarded: counts.of(DeliveryState::Discarded),
        }),
        oldest_waiting_age: counts
            .oldest_waiting_since
            .map(|since| age_to_proto(state.now, since)),
        oldest_dossier_code: oldest.map(ToString::to_string).unwrap_or_default(),
        broker_depth: depth.map(|depth| depth.messages),
        broker_consumers: depth.map(|depth| u32::try_from(depth.consumers).unwrap_or(u32::MAX)),
        broker_unacknowledged: depth.map(|depth| depth.unacknowledged),
        broker_redelivered: depth.map(|depth| depth.redelivered),
        difference_vi: difference.map(Difference::vi).unwrap_or_default(),
        difference_en: difference.map(Difference::en).unwrap_or_default(),
    }
}

/// How long ago an instant was; zero for one ahead.
pub(crate) fn age_to_proto(now: Timestamp, since: Timestamp) -> prost_types::Duration {
    span_to_proto(Duration::try_from(now.duration_since(since)).unwrap_or_default())
}

/// A destination, with its rates where they are known.
pub(crate) fn destination_to_proto(
    destination: &DestinationState,
    flow: Option<&DestinationFlow>,
) -> proto::Destination {
    use proto::DestinationState as S;
    let row = &destination.row;
    let state = if row.paused.is_some() {
        S::Paused
    } else {
        S::Running
    };
    let probe = row
        .breaker
        .open_until
        .filter(|until| *until > destination.now);
    let breaker = match (row.breaker.open_until, probe) {
        (None, _) => proto::BreakerState::Closed,
        (Some(_), Some(_)) => proto::BreakerState::Open,
        (Some(_), None) => proto::BreakerState::HalfOpen,
    };
    proto::Destination {
        name: row.name.to_string(),
        state: state.into(),
        pause: row.paused.as_ref().map(pause_to_proto),
        breaker_state: breaker.into(),
        next_probe_at: probe.map(instant_to_proto),
        concurrency_limit: destination.concurrency_limit,
        calls_in_flight: destination.in_flight,
        parked_lane_policy: lane_to_proto(row.lane).into(),
        delivered_per_minute: flow.map_or(0.0, |flow| flow.delivered_per_minute),
        drained_in: flow.and_then(|flow| flow.drained_in).map(span_to_proto),
    }
}

fn pause_to_proto(pause: &Pause) -> proto::Pause {
    proto::Pause {
        paused_by: pause.by.clone(),
        reason: pause.reason.clone(),
        paused_at: Some(instant_to_proto(pause.at)),
    }
}

fn lane_to_proto(lane: LanePolicy) -> proto::ParkedLanePolicy {
    match lane {
        LanePolicy::Hold => proto::ParkedLanePolicy::Hold,
        LanePolicy::Skip => proto::ParkedLanePolicy::Skip,
        LanePolicy::Latest => proto::ParkedLanePolicy::Latest,
    }
}

/// Why a lane waits.
pub(crate) fn cause_to_proto(cause: Cause) -> proto::WaitCause {
    use proto::WaitCause as W;
    match cause {
        Cause::Delivered => W::NothingWaits,
        Cause::UnderWay => W::InFlight,
        Cause::Due => W::Due,
        Cause::RetryScheduled => W::RetryScheduled,
        Cause::BreakerOpen => W::BreakerOpen,
        Cause::Paused => W::DestinationPaused,
        Cause::BrokerDown => W::BrokerUnavailable,
        Cause::ParkedRejected | Cause::ParkedExhausted | Cause::ParkedSuspect => W::HeadParked,
    }
}
