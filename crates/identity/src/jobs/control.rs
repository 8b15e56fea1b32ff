//! What the dispatcher and the worker share: the pace, and what is known of each asker's misses.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lienthong_domain::identity::JobId;
use lienthong_domain::participant::ParticipantId;
use lienthong_ports::identity::Asker;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::Config;
use super::misses::Misses;
use super::pace::Pace;

/// A system of a participant. There are as many as the participants file names.
type System = (ParticipantId, Arc<str>);

/// Shared state. Its locks are held for a few instructions, never over an await.
pub(super) struct Control {
    config: Arc<Config>,
    pace: Mutex<Pace>,
    misses: Mutex<HashMap<System, Slate>>,
    /// Wakes the dispatcher: an item ended, so there is room in the window.
    pub(super) changed: Notify,
}

/// An asker's misses, and the jobs that were paused for them.
#[derive(Default)]
struct Slate {
    misses: Misses,
    paused: HashMap<JobId, Instant>,
}

/// Most paused jobs remembered of one asker. A forgotten one that is resumed does not clean the slate.
const PAUSED_MAX: usize = 1_000;

impl Control {
    pub(super) fn new(config: Arc<Config>) -> Self {
        Self {
            pace: Mutex::new(Pace::new(config.per_second_max, Instant::now())),
            misses: Mutex::default(),
            changed: Notify::new(),
            config,
        }
    }

    /// How long until the next item may be asked, as far as the pace goes.
    pub(super) fn turn(&self) -> Duration {
        self.pace()
            .ready_at()
            .saturating_duration_since(Instant::now())
    }

    /// How long the database still wants to hear nothing.
    pub(super) fn held(&self) -> Option<Duration> {
        let now = Instant::now();
        self.pace().held_until(now).map(|until| until - now)
    }

    /// Takes the slot of one item.
    pub(super) fn take_slot(&self) {
        self.pace().take(Instant::now());
    }

    /// The database answered.
    pub(super) fn answered(&self) {
        self.pace().answered();
    }

    /// The database asked for fewer questions.
    pub(super) fn busy(&self, asked_at: Instant, hold: Duration) {
        self.pace().busy(asked_at, Instant::now(), hold);
    }

    /// Items that may be claimed and not finished: what can be asked in half a lease, so that leases do
    /// not run out only because the pace is slow.
    pub(super) fn window(&self) -> u32 {
        let half = self.config.lease() / 2;
        self.pace().items_within(half, self.config.window)
    }

    /// Takes note of an answer. `true`: the job is to pause. A hit never pauses, so that a job of good data is not
    /// held for the answers of another.
    pub(super) fn note_answer(&self, asker: &Asker, missed: bool) -> bool {
        let mut slates = self.slates();
        let misses = &mut slates.entry(system(asker)).or_default().misses;
        misses.note(missed);
        missed && misses.too_many(self.config.misses_percent_max)
    }

    /// The job is paused for its asker's misses.
    pub(super) fn note_pause(&self, asker: &Asker, job: JobId) {
        let mut slates = self.slates();
        let paused = &mut slates.entry(system(asker)).or_default().paused;
        if paused.len() < PAUSED_MAX {
            paused.insert(job, Instant::now());
        }
    }

    /// An item of the job was begun by a request that was made at `at`. If the job had been paused for misses by
    /// then, an operator has looked at it and let it go on: the slate is clean.
    pub(super) fn note_begun(&self, asker: &Asker, job: JobId, at: Instant) {
        let mut slates = self.slates();
        let Some(slate) = slates.get_mut(&system(asker)) else {
            return;
        };
        if slate.paused.get(&job).is_some_and(|paused| at > *paused) {
            *slate = Slate::default();
        }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        // Each change is a few plain assignments; a panic cannot leave them half done.
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slates(&self) -> MutexGuard<'_, HashMap<System, Slate>> {
        self.misses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn system(asker: &Asker) -> System {
    (asker.participant.clone(), asker.system.clone())
}

#[cfg(test)]
mod tests {
    use lienthong_domain::identity::OfficialId;

    use super::*;

    fn asker(system: &str) -> Asker {
        Asker {
            participant: ParticipantId::parse("G15").unwrap(),
            system: system.into(),
            official: OfficialId::parse("nguyenvana.tuphap").unwrap(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn misses_of_small_jobs_add_up_and_only_an_operators_resumption_forgives() {
        let control = Control::new(Arc::default());
        let guesser = asker("hotich");
        let noted = (0..100)
            .map(|_| control.note_answer(&guesser, true))
            .collect::<Vec<_>>();
        assert_eq!(noted.iter().position(|pauses| *pauses), Some(99));
        assert!(
            !control.note_answer(&asker("khac"), true),
            "another system has its own slate"
        );
        assert!(!control.note_answer(&guesser, false), "a hit never pauses");

        let before = Instant::now();
        tokio::time::advance(Duration::from_millis(5)).await;
        control.note_pause(&guesser, JobId(1));
        control.note_begun(&guesser, JobId(1), before);
        control.note_begun(&guesser, JobId(2), Instant::now() + Duration::from_secs(1));
        assert!(
            control.note_answer(&guesser, true),
            "a request made before the pause proves nothing"
        );

        tokio::time::advance(Duration::from_millis(5)).await;
        control.note_begun(&guesser, JobId(1), Instant::now());
        assert!(!control.note_answer(&guesser, true), "it was resumed");
    }
}
