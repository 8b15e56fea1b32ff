//! The suite of the [`OperatorStore`] seam: one function per promise, each on an empty database.
//!
//! A test crate names its subject once: `lienthong_ports::operators_conformance!(subject())`, where the
//! expression makes a [`Subject`]. Times are arguments of the seam, so no promise waits for a clock.

mod actions;
mod approvals;
mod days;
mod decisions;
mod due;
mod fixture;
mod lanes;
mod previews;
mod samples;
mod steps;
mod waiting;

use std::sync::Arc;

use async_trait::async_trait;

use crate::operators::OperatorStore;
use crate::store::{DestinationSpec, Store};

pub use actions::*;
pub use approvals::*;
pub use days::*;
pub use decisions::*;
pub use due::*;
pub use fixture::{Desk, new_operation, operator, step_terms};
pub use lanes::*;
pub use previews::*;
pub use samples::*;
pub use steps::*;
pub use waiting::*;

/// The two sides of one database.
#[derive(Clone)]
pub struct Opened {
    /// Operations and figures.
    pub operators: Arc<dyn OperatorStore>,
    /// Dossiers, deliveries and actions.
    pub store: Arc<dyn Store>,
}

/// One database under test, empty at first.
#[async_trait]
pub trait Subject: Send + Sync {
    /// Opens the database with these destinations. Opened again, after the store before was closed or
    /// simply forgotten, it holds what was answered before.
    async fn open(&self, destinations: Vec<DestinationSpec>) -> Opened;
}

/// One `#[tokio::test]` per promise of the seam, for the subject that the expression makes.
#[macro_export]
macro_rules! operators_conformance {
    ($subject:expr) => {
        $crate::operators_conformance! { @each $subject;
            an_operation_is_asked_for_once_per_key
            an_operation_over_nothing_is_not_written_down
            many_deliveries_need_a_second_person
            small_operations_of_one_person_count_together
            approved_and_unmoved_operations_do_not_count
            another_way_in_is_not_another_person
            a_cancellation_keeps_the_approver
            nobody_is_waited_for_longer_than_a_week
            a_cancelled_operation_moves_no_more
            an_ended_operation_is_not_decided_again
            operations_are_listed_newest_first
            operations_leave_their_actions
            an_operation_moves_what_was_parked_when_it_was_asked_for
            what_left_before_its_turn_is_left_alone
            nothing_is_moved_that_did_not_match
            what_parks_again_is_not_moved_again
            a_replay_starts_anew
            a_replayed_head_goes_before_its_successors
            a_replay_keeps_the_order
            an_operation_reorders_only_with_leave
            a_discard_releases_lanes
            steps_are_no_faster_than_the_rate
            a_step_has_a_bound
            a_long_pause_is_no_burst
            operations_have_their_turns
            an_operation_goes_on_after_reopening
            a_preview_says_what_would_happen
            a_preview_of_a_discard_breaks_no_order
            parked_deliveries_are_grouped_by_cause
            parked_deliveries_follow_the_procedure
            the_oldest_waiting_is_told_by_province
            what_is_parked_waits_for_nobody
            days_are_those_of_vietnam
            every_outcome_is_counted_on_its_day
            what_stores_nothing_counts_nothing
            days_outlive_the_store
            concurrent_events_are_counted_once_each
            the_slowest_dossiers_are_kept
            due_dossiers_are_told_until_delivered
            a_due_instant_follows_the_details
            due_dossiers_are_told_by_province
            figures_of_a_minute_are_kept_and_overwritten
            figures_are_thinned_to_points
            figures_are_forgotten_after_thirty_days
            actions_are_found_by_each_filter
        }
    };
    (@each $subject:expr; $($promise:ident)+) => {
        $(
            #[tokio::test]
            async fn $promise() {
                $crate::conformance::operators::$promise(&$subject).await;
            }
        )+
    };
}
