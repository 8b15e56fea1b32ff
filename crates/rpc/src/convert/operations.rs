//! Operations, what they would do, and what operators did, in the contract's form.

use std::collections::HashMap;

use lienthong_domain::{DeliveryId, Faults};
use lienthong_ports::operators::{ActionFilter, Operation, OperationKind, OperationState, Preview};
use lienthong_ports::store::{Action, Parked};
use lienthong_proto::admin::v1 as proto;

use super::admin::{reference, selection_to_proto};
use super::{instant, instant_to_proto, text};

/// Most items an answer about a replay or a discard shows.
pub(crate) const ITEMS_SHOWN_MAX: usize = 200;

/// An operation as it stands.
pub(crate) fn operation_to_proto(operation: &Operation) -> proto::Operation {
    let kind = match operation.kind {
        OperationKind::Replay => proto::OperationKind::Replay,
        OperationKind::Discard => proto::OperationKind::Discard,
    };
    let state = match operation.state {
        OperationState::AwaitingApproval => proto::OperationState::AwaitingApproval,
        OperationState::Running => proto::OperationState::Running,
        OperationState::Done => proto::OperationState::Done,
        OperationState::Cancelled => proto::OperationState::Cancelled,
    };
    proto::Operation {
        operation_id: operation.id.0,
        kind: kind.into(),
        selection: Some(selection_to_proto(&operation.filter)),
        allow_out_of_order: operation.allow_out_of_order,
        rate_per_second: operation.per_second,
        state: state.into(),
        matched: operation.matched,
        moved: operation.moved,
        left_alone: operation.left_alone,
        requested_by: operation.requested_by.clone(),
        reason: operation.reason.clone(),
        requested_at: Some(instant_to_proto(operation.requested_at)),
        decided_by: operation.decided_by.clone().unwrap_or_default(),
        decided_reason: operation.decided_reason.clone().unwrap_or_default(),
        decided_at: operation.decided_at.map(instant_to_proto),
        ended_at: operation.ended_at.map(instant_to_proto),
    }
}

/// What a replay would do. `parked` are the first of the selected deliveries; they know the destination.
pub(crate) fn plan_to_proto(
    preview: &Preview,
    parked: &[Parked],
    allow_out_of_order: bool,
) -> proto::ReplayPlan {
    let by_id = by_id(parked);
    let items = preview.items.iter().take(ITEMS_SHOWN_MAX);
    let items = items.map(|item| proto::ReplayItem {
        delivery: Some(proto::DeliveryReference {
            delivery_id: item.id.0,
            destination: by_id
                .get(&item.id)
                .map(|parked| parked.destination.to_string())
                .unwrap_or_default(),
            dossier_code: item.dossier.to_string(),
            dossier_sequence: item.sequence,
            event_id: String::new(),
        }),
        repeats: item.repeats,
        reorders: item.reorders,
    });
    let left = if allow_out_of_order {
        0
    } else {
        preview.reorders
    };
    proto::ReplayPlan {
        would_replay: preview.matches.saturating_sub(left),
        would_repeat: preview.repeats,
        would_reorder: preview.reorders,
        items: items.collect(),
        items_truncated: preview.matches > ITEMS_SHOWN_MAX as u64,
    }
}

/// What a discard would do, and the operation that does it.
pub(crate) fn discard_to_proto(
    preview: &Preview,
    parked: &[Parked],
    operation: Option<&Operation>,
) -> proto::DiscardDeliveriesResponse {
    let by_id = by_id(parked);
    let items = preview.items.iter().take(ITEMS_SHOWN_MAX);
    let items = items.filter_map(|item| by_id.get(&item.id).map(|parked| reference(parked)));
    proto::DiscardDeliveriesResponse {
        would_discard: preview.matches,
        would_release: preview.behind,
        items: items.collect(),
        items_truncated: preview.matches > ITEMS_SHOWN_MAX as u64,
        carried_out: operation.is_some(),
        operation: operation.map(operation_to_proto),
    }
}

fn by_id(parked: &[Parked]) -> HashMap<DeliveryId, &Parked> {
    parked.iter().map(|parked| (parked.id, parked)).collect()
}

/// Reads which actions are asked for.
///
/// # Errors
/// Every fault, by its field.
pub(crate) fn actions_from_proto(
    asked: &proto::ListActionsRequest,
) -> Result<ActionFilter, Faults> {
    let mut faults = Faults::new();
    let mut line = |field, raw: &str| {
        let read = text::<200>(&mut faults, field, raw);
        read.map(lienthong_domain::Text::into_string)
    };
    let (by, kind) = (line("by", &asked.by), line("kind", &asked.kind));
    let subject = line("subject", &asked.subject);
    let filter = ActionFilter {
        by,
        kind,
        subject,
        since: instant(&mut faults, "since", asked.since.as_ref()),
        until: instant(&mut faults, "until", asked.until.as_ref()),
    };
    faults.into_result(filter)
}

/// What an operator did.
pub(crate) fn action_to_proto(action: &Action) -> proto::Action {
    proto::Action {
        action_id: action.id,
        at: Some(instant_to_proto(action.at)),
        by: action.by.clone(),
        kind: action.kind.clone(),
        subject: action.subject.clone(),
        reason: action.reason.clone(),
    }
}
