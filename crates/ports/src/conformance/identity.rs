//! The suite of the [`IdentityStore`] seam: one function per promise, each on an empty database.
//!
//! A test crate names its subject once: `lienthong_ports::identity_conformance!(subject())`, where the
//! expression makes a [`Subject`]. Times are arguments of the seam, so no promise waits for a clock.

mod answers;
mod commands;
mod erasing;
mod fixture;
mod leases;
mod links;
mod misses;
mod opening;
mod usage;

use std::sync::Arc;

use async_trait::async_trait;

use crate::identity::IdentityStore;
use crate::store::Store;

pub use answers::*;
pub use commands::*;
pub use erasing::*;
pub use fixture::{Desk, asker, claims, draft, full_claims, inquiry, usage_draft, verification};
pub use leases::*;
pub use links::*;
pub use misses::*;
pub use opening::*;
pub use usage::*;

/// The two sides of one database.
#[derive(Clone)]
pub struct Opened {
    /// Usage records, guards and jobs.
    pub identity: Arc<dyn IdentityStore>,
    /// Dossiers, deliveries and actions.
    pub store: Arc<dyn Store>,
}

/// One database under test, empty at first.
#[async_trait]
pub trait Subject: Send + Sync {
    /// Opens the database. Opened again, after the store before was closed or simply forgotten, it holds
    /// what was answered before.
    async fn open(&self) -> Opened;
}

/// One `#[tokio::test]` per promise of the seam, for the subject that the expression makes.
#[macro_export]
macro_rules! identity_conformance {
    ($subject:expr) => {
        $crate::identity_conformance! { @each $subject;
            usage_is_read_as_it_was_written
            usage_is_found_by_citizen_participant_and_time
            usage_pages_are_complete_and_newest_first
            a_clock_set_back_hides_no_usage
            concurrent_usage_is_kept_once_each
            a_told_number_links_a_citizen_for_good
            nothing_but_a_told_number_links
            links_are_told_in_order_and_bounded
            usage_of_a_citizen_is_told_once_under_all_numbers
            guard_actions_are_kept_in_order
            a_job_is_opened_once_per_key
            keys_belong_to_their_participant_and_system
            a_reused_job_key_is_refused
            a_job_has_a_bound
            open_jobs_are_bounded
            items_leave_no_gap
            items_added_twice_are_skipped
            items_beyond_the_announced_are_refused
            a_job_runs_once_it_is_complete
            a_job_that_cannot_be_asked_is_done_at_once
            jobs_are_listed_newest_first
            claims_come_back_as_they_were_added
            an_item_claim_respects_batch_window_and_due_time
            jobs_take_turns
            a_small_job_is_not_starved_by_a_large_one
            stale_item_messages_do_nothing_but_leave_usage
            unclaimed_items_are_ready_at_the_given_time
            an_item_retry_counts_only_when_told
            a_lost_item_message_is_ready_after_its_lease
            a_vanished_worker_counts_as_an_attempt
            an_item_that_kills_its_workers_is_given_up
            recovery_frees_sent_items_only
            items_and_deliveries_are_never_mixed_up
            wakeups_tell_of_due_and_answered_items
            answers_come_in_order_up_to_the_first_open_item
            the_last_answer_finishes_the_job
            answers_name_their_usage_record
            a_paused_job_is_not_asked
            a_paused_job_still_takes_its_last_answer
            job_commands_follow_the_states
            a_cancelled_job_asks_no_more_and_keeps_its_answers
            commands_leave_their_actions
            the_gateways_reason_is_kept_until_it_runs_again
            misses_override_any_other_reason
            misses_of_small_jobs_hold_the_whole_system
            a_hold_pauses_every_job_of_the_system
            a_hold_stops_what_is_on_its_way
            a_wrong_optional_claim_is_a_miss
            slates_survive_a_restart
            only_an_operator_lifts_a_hold
            answers_are_erased_up_to_a_position
            open_items_are_never_erased
            a_finished_job_without_answers_is_erased
            a_job_is_erased_when_its_time_comes
            an_erased_job_takes_nothing_more
            the_row_of_an_erased_job_has_an_end_too
            large_jobs_are_erased_whole
            reopening_keeps_jobs_and_usage
            a_closed_store_says_so_of_identity
        }
    };
    (@each $subject:expr; $($promise:ident)+) => {
        $(
            #[tokio::test]
            async fn $promise() {
                $crate::conformance::identity::$promise(&$subject).await;
            }
        )+
    };
}
