//! The suites of the three seams, on each way to run this store.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lienthong_domain::delivery::LanePolicy;
use lienthong_ports::Store;
use lienthong_ports::conformance::store::{Subject, destination};
use lienthong_ports::conformance::{identity, operators};
use lienthong_ports::store::DestinationSpec;
use lienthong_store_sqlite::{Config, MEMORY, SqliteStore};
use lienthong_vault::Vault;
use tempfile::TempDir;

/// A database in a folder of its own, or in memory.
struct Database {
    folder: Option<TempDir>,
    inline: bool,
    last: Mutex<Option<Arc<SqliteStore>>>,
}

impl Database {
    fn new(in_memory: bool, inline: bool) -> Self {
        let folder = (!in_memory).then(|| tempfile::tempdir().expect("a private folder"));
        Self {
            folder,
            inline,
            last: Mutex::new(None),
        }
    }

    async fn reopen(&self, destinations: Vec<DestinationSpec>) -> Arc<SqliteStore> {
        let path = self.folder.as_ref().map_or_else(
            || PathBuf::from(MEMORY),
            |folder| folder.path().join("s.db"),
        );
        let config = Config {
            reserve_bytes: 0,
            ..Config::new(path, destinations, Arc::new(Vault::for_tests(1)))
        };
        let last = self
            .last
            .lock()
            .expect("no test thread panicked here")
            .take();
        let store = match last {
            Some(last) if self.inline => last.reopen_inline(&config),
            Some(last) => {
                last.close().await;
                SqliteStore::open(&config)
            }
            None if self.inline => SqliteStore::open_inline(&config),
            None => SqliteStore::open(&config),
        };
        let store = Arc::new(store.expect("the store opens"));
        *self.last.lock().expect("no test thread panicked here") = Some(Arc::clone(&store));
        store
    }
}

#[async_trait]
impl Subject for Database {
    async fn open(&self, destinations: Vec<DestinationSpec>) -> Arc<dyn Store> {
        self.reopen(destinations).await
    }
}

#[async_trait]
impl identity::Subject for Database {
    async fn open(&self) -> identity::Opened {
        let spec = DestinationSpec {
            name: destination("dvcqg"),
            lane: LanePolicy::Hold,
        };
        let store = self.reopen(vec![spec]).await;
        identity::Opened {
            identity: Arc::clone(&store) as _,
            store,
        }
    }
}

#[async_trait]
impl operators::Subject for Database {
    async fn open(&self, destinations: Vec<DestinationSpec>) -> operators::Opened {
        let store = self.reopen(destinations).await;
        operators::Opened {
            operators: Arc::clone(&store) as _,
            store,
        }
    }
}

mod threads_and_file {
    lienthong_ports::store_conformance!(super::Database::new(false, false));
    lienthong_ports::identity_conformance!(super::Database::new(false, false));
    lienthong_ports::operators_conformance!(super::Database::new(false, false));
}

mod inline_and_file {
    lienthong_ports::store_conformance!(super::Database::new(false, true));
    lienthong_ports::identity_conformance!(super::Database::new(false, true));
    lienthong_ports::operators_conformance!(super::Database::new(false, true));
}

mod inline_and_memory {
    lienthong_ports::store_conformance!(super::Database::new(true, true));
    lienthong_ports::identity_conformance!(super::Database::new(true, true));
    lienthong_ports::operators_conformance!(super::Database::new(true, true));
}

/// A database in memory ends with its threads, so the promises about reopening are left out.
mod threads_and_memory {
    lienthong_ports::store_conformance! { @each super::Database::new(true, false);
        a_repeated_offer_gets_the_same_receipt
        sequences_have_no_gaps_under_concurrency
        hold_waits_for_the_operator
        stale_messages_do_nothing
        changes_miss_nothing_and_keep_their_order
        dossier_filters_mean_what_they_say
        wakeups_tell_of_new_work
        a_closed_store_says_so
    }
    lienthong_ports::identity_conformance! { @each super::Database::new(true, false);
        usage_is_found_by_citizen_participant_and_time
        concurrent_usage_is_kept_once_each
        jobs_take_turns
        the_last_answer_finishes_the_job
        a_cancelled_job_asks_no_more_and_keeps_its_answers
        large_jobs_are_erased_whole
        a_closed_store_says_so_of_identity
    }
    lienthong_ports::operators_conformance! { @each super::Database::new(true, false);
        an_operation_is_asked_for_once_per_key
        steps_are_no_faster_than_the_rate
        a_preview_says_what_would_happen
        every_outcome_is_counted_on_its_day
        concurrent_events_are_counted_once_each
        figures_are_thinned_to_points
    }
}
