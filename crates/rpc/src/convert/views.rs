//! What the store shows of dossiers, in the contract's form; and the filter of a listing.

use lienthong_domain::timeline::Warning;
use lienthong_domain::{DeliveryState, DossierStatus, Faults, Reason};
use lienthong_ports::store::{
    AttemptView, Change, DeliveryView, DossierFilter, DossierView, LaneView, Receipt, TimelineEntry,
};
use lienthong_proto::dossier::v1 as proto;

use super::{agency, details, event, instant, instant_to_proto, listed, span_to_proto};

/// A receipt.
pub(crate) fn receipt_to_proto(receipt: &Receipt) -> proto::Receipt {
    proto::Receipt {
        event_id: receipt.event_id.to_string(),
        dossier_code: receipt.dossier.to_string(),
        dossier_sequence: receipt.sequence,
        accepted_at: Some(instant_to_proto(receipt.accepted_at)),
        duplicate: receipt.duplicate,
        late: receipt.late,
        warnings: receipt
            .warnings
            .iter()
            .copied()
            .map(warning_to_proto)
            .collect(),
    }
}

fn warning_to_proto(warning: Warning) -> proto::Warning {
    let (code, field) = match warning {
        Warning::Late => ("LATE", "occurred_at"),
        Warning::TransitionOutsideTable => ("TRANSITION_OUTSIDE_TABLE", "status"),
        Warning::ProcedureUnknown => ("PROCEDURE_UNKNOWN", "details.procedure_code"),
    };
    proto::Warning {
        code: code.to_owned(),
        field: field.to_owned(),
        message_vi: warning.vi().to_owned(),
        message_en: warning.en().to_owned(),
    }
}

/// A dossier with its details.
pub(crate) fn dossier_to_proto(view: &DossierView) -> proto::Dossier {
    proto::Dossier {
        details: Some(details::to_proto(&view.details)),
        ..listed_dossier_to_proto(view)
    }
}

/// A dossier as a listing shows it: without details.
pub(crate) fn listed_dossier_to_proto(view: &DossierView) -> proto::Dossier {
    proto::Dossier {
        code: view.code.to_string(),
        agency_code: view.code.agency().to_string(),
        participant: view.participant.to_string(),
        status: view.status.code(),
        occurred_at: Some(instant_to_proto(view.occurred_at)),
        last_sequence: view.last_sequence,
        first_accepted_at: Some(instant_to_proto(view.first_accepted_at)),
        updated_at: Some(instant_to_proto(view.updated_at)),
        details: None,
        deliveries: view.lanes.iter().map(summary_to_proto).collect(),
        erased_at: view.erased_at.map(instant_to_proto),
    }
}

fn summary_to_proto(lane: &LaneView) -> proto::DeliverySummary {
    let head = lane
        .head
        .as_ref()
        .map_or(DeliveryState::Done, |head| head.state);
    proto::DeliverySummary {
        destination: lane.destination.to_string(),
        delivered_sequence: lane.delivered_sequence,
        waiting: i64::try_from(lane.waiting).unwrap_or(i64::MAX),
        parked: i64::try_from(lane.parked).unwrap_or(i64::MAX),
        state: state_to_proto(head).into(),
    }
}

fn state_to_proto(state: DeliveryState) -> proto::DeliveryState {
    use proto::DeliveryState as S;
    match state {
        DeliveryState::Queued => S::Queued,
        DeliveryState::Ready => S::Ready,
        DeliveryState::Sent => S::Sent,
        DeliveryState::Calling => S::Calling,
        DeliveryState::Done => S::Done,
        DeliveryState::Parked => S::Parked,
        DeliveryState::Superseded => S::Superseded,
        DeliveryState::Discarded => S::Discarded,
    }
}

/// One event of a timeline.
pub(crate) fn entry_to_proto(entry: &TimelineEntry) -> proto::TimelineEntry {
    proto::TimelineEntry {
        event_id: entry.event_id.to_string(),
        dossier_sequence: entry.sequence,
        status: entry.status.code(),
        occurred_at: Some(instant_to_proto(entry.occurred_at)),
        accepted_at: Some(instant_to_proto(entry.accepted_at)),
        late: entry.late,
        system: entry.system.clone(),
        progress: entry.progress.as_ref().map(event::progress_to_proto),
        deliveries: entry.deliveries.iter().map(delivery_to_proto).collect(),
    }
}

/// A delivery with its attempts.
pub(crate) fn delivery_to_proto(view: &DeliveryView) -> proto::Delivery {
    let due = view
        .next_attempt_at
        .filter(|_| view.state == DeliveryState::Ready);
    let parked = view.parked.filter(|_| view.state == DeliveryState::Parked);
    proto::Delivery {
        destination: view.destination.to_string(),
        state: state_to_proto(view.state).into(),
        attempts: view.attempts.iter().map(attempt_to_proto).collect(),
        attempts_counted: view.attempts_counted,
        next_attempt_at: due.map(instant_to_proto),
        parked_reason: parked
            .map(|reason| upper(reason.name()))
            .unwrap_or_default(),
    }
}

fn attempt_to_proto(attempt: &AttemptView) -> proto::Attempt {
    proto::Attempt {
        number: attempt.number,
        started_at: Some(instant_to_proto(attempt.started_at)),
        duration: Some(span_to_proto(attempt.took)),
        outcome: outcome_to_proto(attempt.outcome).into(),
        answer_code: attempt.code.clone(),
        http_status: attempt.http_status.map(u32::from),
        message: attempt.message.clone(),
    }
}

/// The outcome with this name in the store.
fn outcome_to_proto(name: &str) -> proto::AttemptOutcome {
    use proto::AttemptOutcome as O;
    match name {
        "delivered" => O::Delivered,
        "advanced" => O::Advanced,
        "retry" => O::Retry,
        "overloaded" => O::Overloaded,
        "rejected" => O::Rejected,
        "lease_expired" => O::LeaseExpired,
        _ => O::Unspecified,
    }
}

/// The contract's form of a stable name.
pub(crate) fn upper(name: &str) -> String {
    name.to_ascii_uppercase()
}

/// One change, as a watcher sees it.
pub(crate) fn change_to_proto(change: &Change) -> proto::watch_status_response::Change {
    use proto::watch_status_response::Change as C;
    match change {
        Change::Accepted(entry) => C::Accepted(proto::StatusAccepted {
            dossier_code: entry.dossier.to_string(),
            entry: Some(entry_to_proto(entry)),
        }),
        Change::Attempted { dossier, delivery } => C::DeliveryChanged(proto::DeliveryChanged {
            dossier_code: dossier.to_string(),
            event_id: String::new(),
            dossier_sequence: delivery.sequence,
            delivery: Some(delivery_to_proto(delivery)),
        }),
    }
}

/// Reads the filter of a listing; an absent one lists everything.
///
/// # Errors
/// Every fault, by its path within the request.
pub(crate) fn filter_from_proto(
    filter: Option<&proto::DossierFilter>,
) -> Result<DossierFilter, Faults> {
    let Some(filter) = filter else {
        return Ok(DossierFilter::default());
    };
    let mut faults = Faults::new();
    let agency = agency(&mut faults, "agency_code", &filter.agency_code);
    let status: Option<DossierStatus> = listed(&mut faults, "status", filter.status, 0);
    let since = instant(&mut faults, "updated_since", filter.updated_since.as_ref());
    let until = instant(&mut faults, "updated_until", filter.updated_until.as_ref());
    if since.zip(until).is_some_and(|(since, until)| until < since) {
        let other = "filter.updated_since";
        faults.push("updated_until", Reason::BeforeOther { other });
    }
    let read = DossierFilter {
        roots: Vec::new(),
        agency_prefix: agency.map(|agency| agency.to_string()),
        status,
        updated_since: since,
        updated_until: until,
        only_waiting: filter.only_waiting,
        only_parked: filter.only_parked,
    };
    let mut placed = Faults::new();
    placed.extend_under("filter", faults);
    placed.into_result(read)
}

#[cfg(test)]
mod tests {
    use lienthong_domain::Outcome;
    use lienthong_domain::delivery::RetryCause;

    use super::*;

    #[test]
    fn every_state_and_outcome_has_its_counterpart() {
        for state in DeliveryState::ALL {
            let name = format!("DELIVERY_STATE_{}", upper(state.name()));
            assert_eq!(state_to_proto(state).as_str_name(), name);
        }
        let (after, cause) = (None, RetryCause::Answer);
        let outcomes = [
            Outcome::Delivered,
            Outcome::Advanced { step: 1 },
            Outcome::Retry { cause, after },
            Outcome::Overloaded { after },
            Outcome::Rejected,
        ];
        for name in outcomes
            .map(Outcome::name)
            .into_iter()
            .chain(["lease_expired"])
        {
            let expected = format!("ATTEMPT_OUTCOME_{}", upper(name));
            assert_eq!(outcome_to_proto(name).as_str_name(), expected);
        }
    }

    #[test]
    fn statuses_have_the_contracts_numbers() {
        for status in DossierStatus::ALL {
            let found = proto::DossierStatus::try_from(status.code()).unwrap();
            assert_eq!(
                found.as_str_name(),
                format!("DOSSIER_STATUS_{}", status.name())
            );
        }
    }

    #[test]
    fn a_filter_names_all_its_faults() {
        let stamp = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let filter = proto::DossierFilter {
            agency_code: "h21".into(),
            status: 11,
            updated_since: stamp(1_750_000_000),
            updated_until: stamp(1_740_000_000),
            ..proto::DossierFilter::default()
        };
        let faults = filter_from_proto(Some(&filter)).unwrap_err();
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "filter.agency_code",
                "filter.status",
                "filter.updated_until"
            ]
        );
    }
}
