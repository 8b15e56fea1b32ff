//! The suite of the [`Store`](crate::Store) seam: one function per promise, each on an empty database.
//!
//! A test crate names its subject once: `lienthong_ports::store_conformance!(subject())`, where the
//! expression makes a [`Subject`]. Times are arguments of the seam, so no promise waits for a clock.

mod erasure;
mod filters;
mod fixture;
mod halts;
mod intake;
mod lanes;
mod leases;
mod reading;
mod traces;

use std::sync::Arc;

use async_trait::async_trait;

use crate::store::{DestinationSpec, Store};

pub use erasure::*;
pub use filters::*;
pub use fixture::{Lane, at, code, destination, details, offer, status};
pub use halts::*;
pub use intake::*;
pub use lanes::*;
pub use leases::*;
pub(super) use reading::recount;
pub use reading::*;
pub use traces::*;

/// One database under test, empty at first.
#[async_trait]
pub trait Subject: Send + Sync {
    /// Opens the database with these destinations. Opened again, after the store before was closed or
    /// simply forgotten, it holds what was answered before.
    async fn open(&self, destinations: Vec<DestinationSpec>) -> Arc<dyn Store>;
}

/// One `#[tokio::test]` per promise of the seam, for the subject that the expression makes.
#[macro_export]
macro_rules! store_conformance {
    ($subject:expr) => {
        $crate::store_conformance! { @each $subject;
            a_repeated_offer_gets_the_same_receipt
            a_reused_key_is_refused_and_stores_nothing
            keys_belong_to_their_participant
            a_forbidden_transition_stores_nothing
            a_warned_transition_is_kept_with_its_warning
            missing_details_store_nothing
            a_late_event_is_kept_and_moves_nothing
            details_hold_from_their_sequence_on
            a_batch_sees_its_own_earlier_offers
            sequences_have_no_gaps_under_concurrency
            hold_waits_for_the_operator
            skip_goes_on_after_a_parked_one
            latest_leaves_out_all_but_the_newest
            only_the_head_is_claimed_in_order
            lanes_do_not_wait_for_each_other
            a_claim_respects_batch_window_and_due_time
            unclaimed_work_is_ready_at_the_given_time
            stale_messages_do_nothing
            retries_count_only_when_told
            every_destination_gets_its_own_delivery
            a_lost_message_is_ready_after_its_lease
            a_vanished_worker_is_a_crash_and_the_last_one_parks
            advancing_keeps_the_step_and_the_lease
            recovery_frees_what_was_sent_only
            a_buried_message_parks_unless_stale
            a_paused_destination_is_not_claimed
            an_open_dossier_is_not_erased
            an_erased_dossier_shows_its_rows_only
            an_erased_dossier_goes_on_with_details_of_its_own
            the_breaker_is_remembered
            parked_filters_mean_what_they_say
            dossier_filters_mean_what_they_say
            pages_are_complete_and_in_order
            changes_miss_nothing_and_keep_their_order
            attempts_are_shown_with_their_evidence
            counts_equal_a_recount
            a_trace_goes_with_its_event
            a_repeated_offer_keeps_the_first_trace
            reopening_keeps_everything
            wakeups_tell_of_new_work
            a_closed_store_says_so
        }
    };
    (@each $subject:expr; $($promise:ident)+) => {
        $(
            #[tokio::test]
            async fn $promise() {
                $crate::conformance::store::$promise(&$subject).await;
            }
        )+
    };
}
