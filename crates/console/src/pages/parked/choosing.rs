//! What is asked for on the way: the deliveries, what is to happen to them, how fast and why.

use lienthong_domain::{Reason, Timestamp};
use lienthong_ports::operators::OperationKind;
use lienthong_services::operations::{PER_SECOND_DEFAULT, PER_SECOND_MAX};
use lienthong_services::operators::reason_of;
use maud::{Markup, html};

use super::Selection;
use crate::frame::Frame;
use crate::layout;
use crate::pages::form::Faulty;
use crate::pages::params::Params;

/// The state of the form that travels from page to page.
#[derive(Clone, Debug)]
pub(super) struct Choosing {
    pub(super) kind: OperationKind,
    pub(super) selection: Selection,
    pub(super) allow_out_of_order: bool,
    /// As typed.
    pub(super) per_second: String,
    pub(super) reason: String,
    /// Makes a double click one operation; empty before the last step.
    pub(super) key: String,
}

impl Choosing {
    pub(super) fn read(params: &Params, now: Timestamp) -> Self {
        let per_second = match params.get("per_second") {
            "" => PER_SECOND_DEFAULT.to_string(),
            typed => typed.to_owned(),
        };
        Self {
            kind: match params.get("kind") {
                "discard" => OperationKind::Discard,
                _ => OperationKind::Replay,
            },
            selection: Selection::read(params).until(now),
            allow_out_of_order: params.has("out_of_order"),
            per_second,
            reason: params.line("reason"),
            key: params.get("key").to_owned(),
        }
    }

    /// Deliveries a second, if it can be read and is permitted.
    pub(super) fn per_second(&self) -> Option<u32> {
        let read = self.per_second.parse().ok();
        read.filter(|rate| (1..=PER_SECOND_MAX).contains(rate))
    }

    /// What is wrong with rate and reason.
    pub(super) fn faults(&self) -> Faulty {
        let reason = reason_of(&self.reason).err();
        let mut faults = reason.map(|error| error.faults).unwrap_or_default();
        if self.per_second().is_none() {
            let max = PER_SECOND_MAX.into();
            faults.push("per_second", Reason::OutOfRange { min: 1, max });
        }
        Faulty::of(&faults)
    }

    /// `Chuyển lại: chạy thử`.
    pub(super) fn title(&self, frame: &Frame, step: &str) -> String {
        format!(
            "{}: {step}",
            crate::pages::words::operation_kind(frame, self.kind)
        )
    }

    /// Everything but reason and rate, as hidden fields.
    pub(super) fn hidden(&self) -> Markup {
        html! { (layout::hidden("kind", self.kind.name())) (self.selection.hidden()) }
    }

    /// Everything, as hidden fields.
    pub(super) fn all_hidden(&self, key: &str) -> Markup {
        html! {
            (self.hidden())
            (layout::hidden("per_second", &self.per_second))
            (layout::hidden("reason", &self.reason))
            @if self.allow_out_of_order { (layout::hidden("out_of_order", "on")) }
            (layout::hidden("key", key))
        }
    }
}
