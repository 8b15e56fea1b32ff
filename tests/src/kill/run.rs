//! One scenario from start to verdict: load, rounds of faults, healing, draining, checking.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use lienthong_domain::Clock;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::load::{Load, LoadPlan, SharedChecker, repeat_everything};
use super::operator::{Operator, is_suspect};
use super::report::Outcome;
use super::rig::{Rig, Setup};
use super::scenario::{self, Broker, Scenario};
use super::tail::Tail;

/// How often the record is read.
const LOOK: Duration = Duration::from_millis(20);
/// How often the queues are asked while draining.
const ASK: Duration = Duration::from_millis(500);
/// Longest time from healing to the delivery of something accepted after it.
const RECOVERY_MAX: Duration = Duration::from_secs(90);
/// Longest time from the end of the load to empty queues.
const DRAIN_MAX: Duration = Duration::from_mins(4);
/// Calls that repeated receipts may cause are waited for so long; there should be none.
const QUIET: Duration = Duration::from_secs(1);
/// Deliveries of the epoch that prove recovery.
const RECOVERED: u64 = 3;
/// Missing events that are explained.
const EXPLAINED_MAX: usize = 5;
/// The first dossiers are this old, so that no step lies in the future.
const BASE_DAYS_AGO: i64 = 60;

/// What a run needs to know beside its scenario.
#[derive(Clone, Debug)]
pub struct RunPlan {
    /// Processes and broker.
    pub setup: Setup,
    /// Decides the events and the moments of the faults.
    pub seed: u64,
    /// Events a second aimed at.
    pub rate: u32,
    /// How often the fault comes.
    pub rounds: u32,
}

/// A scenario under way.
pub(super) struct Run {
    pub(super) rig: Rig,
    pub(super) checker: SharedChecker,
    pub(super) operator: Operator,
    pub(super) random: ChaCha8Rng,
    tail: Tail,
    faults: u64,
    replayed: u64,
    longest_recovery: Duration,
}

/// Runs a scenario to its verdict; `tick` is told after every round.
///
/// # Errors
/// The scenario could not be carried out: what was to be shown is not shown.
pub async fn run(
    scenario: Scenario,
    plan: &RunPlan,
    mut broker: Option<&mut Broker>,
    tick: &(dyn Fn() + Sync),
) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let now = Clock::system().now();
    let base = now - jiff::SignedDuration::from_hours(24 * BASE_DAYS_AGO);
    let base = lienthong_domain::Timestamp::from_second(base.as_second())?;
    let load_plan = LoadPlan {
        seed: plan.seed,
        base,
        rate: plan.rate,
    };
    let mut run = Run::start(plan).await?;
    let load = Load::start(&run.rig, load_plan, &run.checker)?;
    run.recover(Instant::now())
        .await
        .context("the load did not get going")?;
    run.longest_recovery = Duration::ZERO;
    for round in 1..=plan.rounds {
        let healed = scenario::round(scenario, &mut run, broker.as_deref_mut()).await;
        let healed = healed.with_context(|| format!("round {round}"))?;
        run.recover(healed)
            .await
            .with_context(|| format!("round {round}"))?;
        tick();
    }
    let opened = load.stop().await?;
    run.drain(scenario).await?;
    run.repeat(load_plan, &opened).await?;
    run.rig.stop_gateway().await?;
    run.read()?;
    Ok(run.outcome(scenario, plan.rounds, started.elapsed()))
}

impl Run {
    async fn start(plan: &RunPlan) -> anyhow::Result<Self> {
        let mut rig = Rig::start(&plan.setup).await?;
        rig.start_gateway()?;
        Ok(Self {
            operator: Operator::new(rig.operator()?),
            tail: Tail::open(&rig.record())?,
            rig,
            checker: SharedChecker::default(),
            random: ChaCha8Rng::seed_from_u64(plan.seed),
            faults: 0,
            replayed: 0,
            longest_recovery: Duration::ZERO,
        })
    }

    /// Notes a fault that is none of an event.
    pub(super) fn fault(&mut self, text: &str) {
        self.faults += 1;
        self.checker.lock().fault(text.to_owned());
    }

    /// Goes on under load for a random while.
    pub(super) async fn load_for(&mut self, ms: std::ops::Range<u64>) -> anyhow::Result<()> {
        let ms = self.random.random_range(ms);
        self.pause(Duration::from_millis(ms)).await
    }

    /// Waits, and reads the record meanwhile.
    pub(super) async fn pause(&mut self, length: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + length;
        loop {
            self.read()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            tokio::time::sleep(left.min(LOOK)).await;
        }
    }

    /// Reads what the portal recorded since the last time.
    fn read(&mut self) -> anyhow::Result<()> {
        loop {
            let entries = self.tail.read()?;
            if entries.is_empty() {
                return Ok(());
            }
            let mut checker = self.checker.lock();
            for entry in &entries {
                checker.recorded(entry);
            }
        }
    }

    /// Waits until events accepted from now on are delivered, too.
    async fn recover(&mut self, healed: Instant) -> anyhow::Result<()> {
        self.checker.lock().begin_epoch();
        while self.checker.lock().delivered_of_epoch() < RECOVERED {
            anyhow::ensure!(
                healed.elapsed() < RECOVERY_MAX,
                "nothing accepted after the healing was delivered within {RECOVERY_MAX:?}: {:?}",
                self.checker.lock().tally()
            );
            self.rig.gateway()?;
            self.pause(LOOK).await?;
        }
        self.longest_recovery = self.longest_recovery.max(healed.elapsed());
        Ok(())
    }

    /// Waits until everything acknowledged has arrived and no delivery is left open.
    async fn drain(&mut self, scenario: Scenario) -> anyhow::Result<()> {
        let end = Instant::now() + DRAIN_MAX;
        loop {
            self.pause(ASK).await?;
            self.rig.gateway()?;
            let parked = self.operator.parked().await?;
            if let Some(stuck) = parked
                .iter()
                .find(|parked| !(scenario.may_park_suspects() && is_suspect(parked)))
            {
                let text = format!("parked without a cause that the scenario has: {stuck:?}");
                self.fault(&text);
                return Ok(());
            }
            self.replayed += self.operator.replay_suspects(&parked).await?;
            if self.operator.open_deliveries().await? == 0 {
                return self.read();
            }
            if Instant::now() > end {
                let open = self.operator.open_deliveries().await?;
                let text = format!("{open} deliveries are still open {DRAIN_MAX:?} after the load");
                self.fault(&text);
                return Ok(());
            }
        }
    }

    /// Offers everything once more: the receipts must be the same, and nothing may be called again.
    async fn repeat(&mut self, plan: LoadPlan, opened: &[(usize, u32)]) -> anyhow::Result<()> {
        self.read()?;
        self.explain_missing().await;
        let before = self.checker.lock().tally().applied;
        repeat_everything(&self.rig, plan, opened, &self.checker).await?;
        self.pause(QUIET).await?;
        let after = self.checker.lock().tally().applied;
        let clean = self.faults == 0;
        if clean && after != before {
            self.fault(&format!(
                "repeating acknowledged events caused {} calls",
                after - before
            ));
        }
        Ok(())
    }

    async fn explain_missing(&mut self) {
        let missing: Vec<_> = self
            .checker
            .lock()
            .missing()
            .take(EXPLAINED_MAX)
            .map(|(dossier, place)| (dossier.to_owned(), place))
            .collect();
        for (dossier, place) in missing {
            let explanation = self.operator.explain(&dossier).await;
            self.checker
                .lock()
                .fault(format!("{dossier}/{place} is missing: {explanation}"));
        }
    }

    fn outcome(&self, scenario: Scenario, rounds: u32, took: Duration) -> Outcome {
        let checker = self.checker.lock();
        Outcome {
            scenario: scenario.name(),
            rounds,
            tally: checker.tally(),
            lost: checker.missing().count(),
            other_faults: self.faults,
            replayed_suspects: self.replayed,
            longest_recovery_seconds: self.longest_recovery.as_secs_f64(),
            took_seconds: took.as_secs_f64(),
            evidence: checker.faults().to_vec(),
            folder: self.rig.folder().display().to_string(),
            replayed: None,
        }
    }
}
