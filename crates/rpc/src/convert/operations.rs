//! Operations, what they would do, and what operators did, in the contract's form.

use std::collections::HashMap;

use lienthong_domain::Faults;
use lienthong_ports::operators::{ActionFilter, Operation, OperationKind, OperationState, Preview};
use lienthong_ports::store::{Action, Parked, ReplayItem};
use lienthong_proto::admin::v1 as proto;

use super::admin::{reference, selection_to_proto};
use super::{instant, instant_to_proto, text};

/// Most items an answer about a replay or a discard shows.
pub(crate) const ITEMS_SHOWN_MAX: usize = 200;
/// Longest text by which actions are chosen, in characters.
const ACTION_TEXT_CHARS_MAX: usize = 200;

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

/// What an operation over a selection would do, and what came of asking for it.
pub(crate) struct Planned {
    /// Counts, and the first deliveries.
    pub(crate) preview: Preview,
    /// The same deliveries, as they are parked.
    pub(crate) parked: Vec<Parked>,
    /// The operation that carries it out; none after a dry run, and where nothing matches.
    pub(crate) operation: Option<Operation>,
    /// Whether it awaits a second person, or would.
    pub(crate) needs_approval: bool,
}

impl Planned {
    /// The first deliveries that are still parked.
    fn items(&self) -> impl Iterator<Item = (&ReplayItem, proto::DeliveryReference)> {
        let parked = self.parked.iter().map(|parked| (parked.id, parked));
        let parked = parked.collect::<HashMap<_, _>>();
        let shown = self.preview.items.iter().take(ITEMS_SHOWN_MAX);
        shown.filter_map(move |item| Some((item, reference(parked.get(&item.id)?))))
    }

    const fn has_more_items(&self) -> bool {
        self.preview.matches > ITEMS_SHOWN_MAX as u64
    }
}

/// What a replay does or would do.
pub(crate) fn replay_to_proto(
    planned: &Planned,
    allow_out_of_order: bool,
) -> proto::ReplayDeliveriesResponse {
    let preview = &planned.preview;
    let left = if allow_out_of_order {
        0
    } else {
        preview.reorders
    };
    let items = planned.items().map(|(item, delivery)| proto::ReplayItem {
        delivery: Some(delivery),
        repeats: item.repeats,
        reorders: item.reorders,
    });
    let plan = proto::ReplayPlan {
        would_replay: preview.matches.saturating_sub(left),
        would_repeat: preview.repeats,
        would_reorder: preview.reorders,
        items: items.collect(),
        items_truncated: planned.has_more_items(),
    };
    proto::ReplayDeliveriesResponse {
        plan: Some(plan),
        carried_out: planned.operation.is_some(),
        operation: planned.operation.as_ref().map(operation_to_proto),
        needs_approval: planned.needs_approval,
    }
}

/// What a discard does or would do.
pub(crate) fn discard_to_proto(planned: &Planned) -> proto::DiscardDeliveriesResponse {
    proto::DiscardDeliveriesResponse {
        would_discard: planned.preview.matches,
        would_release: planned.preview.behind,
        items: planned.items().map(|(_, delivery)| delivery).collect(),
        items_truncated: planned.has_more_items(),
        carried_out: planned.operation.is_some(),
        operation: planned.operation.as_ref().map(operation_to_proto),
        needs_approval: planned.needs_approval,
    }
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
        let read = text::<ACTION_TEXT_CHARS_MAX>(&mut faults, field, raw);
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
