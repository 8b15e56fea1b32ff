//! The gateway's eye on itself: every few seconds it hands what only the process knows to the use case that looks at the
//! queues, shows what came of it as metrics, and keeps the figures of each full minute for charts.

mod gauges;
mod past;

use std::sync::Arc;

use lienthong_domain::identity::JobState;
use lienthong_domain::{Clock, DestinationName, Timestamp};
use lienthong_identity::{GuardLevel, GuardView, Identity};
use lienthong_ports::{Broker, IdentityStore, OperatorStore, Store};
use lienthong_services::overview::{LOOK_INTERVAL, Overview, ProcessFigures};
use lienthong_services::{Services, samples};
use lienthong_telemetry::metrics::Metrics;
use lienthong_transport::ServerTls;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use self::past::Past;

/// Seconds of a minute.
const MINUTE_SECONDS: i64 = 60;
/// Jobs looked at for the figures of jobs: the newest ones. Older ones that are not finished are rare.
const JOBS_MAX: usize = 500;

/// What the observer looks at.
pub(super) struct Observer {
    pub(super) services: Arc<Services>,
    pub(super) store: Arc<dyn Store>,
    pub(super) operators: Arc<dyn OperatorStore>,
    pub(super) jobs: Arc<dyn IdentityStore>,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) tls: Arc<ServerTls>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) clock: Clock,
    pub(super) destinations: Vec<DestinationName>,
    pub(super) reserve_bytes: u64,
}

impl Observer {
    /// Looks until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut past = Past::default();
        let mut minute = None;
        let mut tick = tokio::time::interval(LOOK_INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            let figures = self.figures(&mut past);
            let overview = match self.services.observe(figures).await {
                Ok(overview) => overview,
                Err(error) => {
                    tracing::warn!(error.code = %error.code, "the gateway could not look at its queues");
                    continue;
                }
            };
            self.show(&overview).await;
            let now = minute_of(overview.measured_at);
            if minute.replace(now).is_some_and(|before| before != now) {
                self.keep(&overview, now).await;
                self.show_jobs().await;
            }
        }
    }

    /// What only the process knows.
    fn figures(&self, past: &mut Past) -> ProcessFigures {
        let now = self.clock.now();
        let (delivery, names) = (&self.metrics.delivery, &self.destinations);
        let disk_free_bytes = self.store.disk_free_bytes();
        if let Some(free) = disk_free_bytes {
            past.disk.note(now, free);
        }
        past.accepts
            .note(now, self.metrics.intake.accept_seconds.snapshot());
        past.questions.note(now, self.metrics.identity.totals());
        let offsets = names
            .iter()
            .filter_map(|name| delivery.clock_offset(name.as_str()));
        let refused = names
            .iter()
            .filter(|name| delivery.credentials_refused(name.as_str()));
        let guards = self.guards();
        let stopped = guards
            .iter()
            .filter(|guard| guard.level != GuardLevel::Slow);
        let database = self.identity.as_ref().map(|identity| identity.database());
        ProcessFigures {
            accept_ms: past.accept_ms(),
            disk_free_bytes,
            disk_reserve_bytes: self.reserve_bytes,
            disk_hours_left: past.disk_hours_left(self.reserve_bytes),
            certificate_ends_at: Some(self.tls.not_after()),
            clock_offset_seconds: offsets.max_by(|one, other| one.abs().total_cmp(&other.abs())),
            credentials_refused: refused.cloned().collect(),
            population_down_since: database.and_then(|database| database.down_since),
            guards_blocked: u32::try_from(stopped.count()).unwrap_or(u32::MAX),
            identity_per_minute: self.identity.as_ref().and_then(|_| past.questions()),
            ..ProcessFigures::default()
        }
    }

    fn guards(&self) -> Vec<GuardView> {
        let guards = self.identity.as_ref().map(|identity| identity.guards());
        guards.unwrap_or_default()
    }

    /// Shows a look as metrics.
    async fn show(&self, overview: &Overview) {
        gauges::show_delivery(&self.metrics.delivery, overview);
        gauges::show_broker(&self.metrics.broker, &overview.queues);
        gauges::show_gateway(&self.metrics, overview);
        let Some(identity) = &self.identity else {
            return;
        };
        gauges::show_identity(
            &self.metrics.identity,
            &identity.guards(),
            identity.database(),
        );
        // A broker that cannot be asked is told by its own figures.
        let depths = self
            .broker
            .depths(&[lienthong_ports::identity::queue()])
            .await;
        let depths = depths.unwrap_or_default();
        gauges::show_depths(&self.metrics.broker, &depths);
    }

    /// Keeps the figures of the minute that ended with `now`.
    async fn keep(&self, overview: &Overview, now: Timestamp) {
        let ended = now - std::time::Duration::from_secs(MINUTE_SECONDS.unsigned_abs());
        let kept = self.operators.keep_samples(ended, samples::of(overview));
        if let Err(error) = kept.await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "the figures of a minute could not be kept; charts show a gap"
            );
        }
    }

    /// Counts the jobs that are not finished.
    async fn show_jobs(&self) {
        if self.identity.is_none() {
            return;
        }
        // As good as it was a minute ago, if the store cannot be asked.
        let Ok(jobs) = self.jobs.jobs(None, None, JOBS_MAX).await else {
            return;
        };
        let open = |state| {
            matches!(
                state,
                JobState::Uploading | JobState::Running | JobState::Paused
            )
        };
        let open = jobs.iter().filter(|job| open(job.state));
        let (mut count, mut waiting) = (0_u32, 0_u32);
        for job in open {
            count += 1;
            let left = job.items_total.saturating_sub(job.items_answered());
            waiting = waiting.saturating_add(left);
        }
        self.metrics.identity.jobs_open.set(count.into());
        self.metrics.identity.job_items_waiting.set(waiting.into());
    }
}

/// The start of the minute.
fn minute_of(at: Timestamp) -> Timestamp {
    let seconds = at.as_second();
    let start = seconds - seconds.rem_euclid(MINUTE_SECONDS);
    Timestamp::from_second(start).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_begins_at_its_first_second() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let start = at("2025-11-22T02:07:00Z");
        assert_eq!(minute_of(at("2025-11-22T02:07:59.9Z")), start);
        assert_eq!(minute_of(start), start);
        assert_eq!(
            minute_of(at("1969-12-31T23:59:30Z")),
            at("1969-12-31T23:59:00Z")
        );
    }
}
