//! What is broken, and how: one function per scenario, each a round of fault, healing and recovery.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use lienthong_domain::{Clock, Timestamp};
use lienthong_proto::dossier::v1::Attempt;
use lienthong_simulators::portal::{Fault, FaultRule, FaultScript, When, WrongBody};
use lienthong_testkit::rabbitmq::PrivateRabbit;
use nix::sys::signal::Signal;
use rand::RngExt;

use super::rig::{LEASE, SCHEDULE};
use super::run::Run;

/// How long the portal stays away, in lengths of the short retry schedule.
const OUTAGE_SCHEDULES: u32 = 4;
/// When the breaker is open for certain: the first calls of an outage have run into their time-out by then.
const OPEN_AFTER: Duration = Duration::from_secs(5);
/// Attempts after that which must be found, or the outage was none.
const PROBES_MIN: usize = 3;
/// Timelines looked at after an outage.
const TIMELINES_MAX: usize = 5_000;
/// How long a faulty portal is kept up.
const FAULTY: Duration = Duration::from_secs(4);
/// The most load before a fault.
const LOAD_MS: std::ops::Range<u64> = 100..1_000;

/// A thing that breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// SIGKILL of the gateway at a random moment, also while it starts.
    Kill,
    /// The broker is stopped in good order and started.
    BrokerStop,
    /// SIGKILL of the broker.
    BrokerKill,
    /// The broker loses its data folder, its users' rights and all queues.
    BrokerWipe,
    /// The portal is away for several times the retry schedule.
    PortalDown,
    /// The gateway is frozen for longer than a lease.
    Freeze,
    /// The portal is slow, fails, resets and repeats.
    PortalFaults,
    /// The gateway is killed while it replays what a mended portal had rejected. It has a course of its own.
    Replay,
}

impl Scenario {
    /// All that are played under the same load; those of the broker need RabbitMQ.
    pub const ALL: [Self; 7] = [
        Self::Kill,
        Self::BrokerStop,
        Self::BrokerKill,
        Self::BrokerWipe,
        Self::PortalDown,
        Self::Freeze,
        Self::PortalFaults,
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::BrokerStop => "broker-stop",
            Self::BrokerKill => "broker-kill",
            Self::BrokerWipe => "broker-wipe",
            Self::PortalDown => "portal-down",
            Self::Freeze => "freeze",
            Self::PortalFaults => "portal-faults",
            Self::Replay => "replay",
        }
    }

    /// Whether it breaks the broker.
    pub fn needs_rabbitmq(self) -> bool {
        matches!(self, Self::BrokerStop | Self::BrokerKill | Self::BrokerWipe)
    }

    /// Whether attempts must run out if they are counted wrongly.
    pub fn has_short_schedule(self) -> bool {
        self == Self::PortalDown
    }

    /// Whether a delivery may be parked for having been interrupted too often.
    pub fn may_park_suspects(self) -> bool {
        matches!(self, Self::Kill | Self::Freeze)
    }

    /// Rounds when so many kills are asked for: the others take ten times as long.
    pub fn rounds(self, kills: u32) -> u32 {
        match self {
            Self::Kill => kills,
            Self::PortalDown | Self::Replay => 1,
            Self::BrokerStop
            | Self::BrokerKill
            | Self::BrokerWipe
            | Self::Freeze
            | Self::PortalFaults => kills.div_ceil(10),
        }
    }
}

/// One round: some load, the fault, the healing. Returns the instant of the healing.
pub(super) async fn round(
    scenario: Scenario,
    run: &mut Run,
    broker: Option<&mut Broker>,
) -> anyhow::Result<Instant> {
    run.load_for(LOAD_MS).await?;
    let broker = || broker.context("this scenario needs RabbitMQ");
    match scenario {
        Scenario::Kill => kill(run).await,
        Scenario::BrokerStop => broker_away(run, broker()?, PrivateRabbit::stop).await,
        Scenario::BrokerKill => broker_away(run, broker()?, PrivateRabbit::kill).await,
        Scenario::BrokerWipe => broker_wipe(run, broker()?),
        Scenario::PortalDown => portal_down(run).await,
        Scenario::Freeze => freeze(run).await,
        Scenario::PortalFaults => portal_faults(run).await,
        Scenario::Replay => anyhow::bail!("a replay has no rounds"),
    }
}

async fn kill(run: &mut Run) -> anyhow::Result<Instant> {
    run.rig.gateway()?;
    run.rig.kill_gateway();
    // Dying while it starts is a moment like any other.
    while run.random.random_bool(0.25) {
        run.rig.start_gateway()?;
        let ms = run.random.random_range(0..400);
        tokio::time::sleep(Duration::from_millis(ms)).await;
        run.rig.kill_gateway();
    }
    run.rig.start_gateway()?;
    Ok(Instant::now())
}

/// A broker of our own and the vhost of the scenario.
#[derive(Debug)]
pub struct Broker {
    /// The node.
    pub rabbit: PrivateRabbit,
    /// The vhost.
    pub vhost: String,
}

async fn broker_away(
    run: &mut Run,
    broker: &mut Broker,
    end: impl FnOnce(&mut PrivateRabbit) -> anyhow::Result<()>,
) -> anyhow::Result<Instant> {
    tokio::task::block_in_place(|| end(&mut broker.rabbit))?;
    let before = run.checker.lock().tally().acknowledged;
    let away_ms = run.random.random_range(1_000..3_000);
    run.pause(Duration::from_millis(away_ms)).await?;
    if run.checker.lock().tally().acknowledged == before {
        run.fault("the intake stood still while the broker was away");
    }
    tokio::task::block_in_place(|| broker.rabbit.start_again())?;
    Ok(Instant::now())
}

fn broker_wipe(run: &mut Run, broker: &mut Broker) -> anyhow::Result<Instant> {
    tokio::task::block_in_place(|| {
        broker.rabbit.wipe()?;
        broker
            .rabbit
            .node()
            .create_vhosts(std::slice::from_ref(&broker.vhost))
    })?;
    run.rig.gateway()?;
    Ok(Instant::now())
}

/// Half of the time the portal takes connections and says nothing, half of the time it cuts them.
async fn portal_down(run: &mut Run) -> anyhow::Result<Instant> {
    let half = SCHEDULE * OUTAGE_SCHEDULES / 2;
    let open = Clock::system().now() + OPEN_AFTER;
    run.rig.portal().signal(Signal::SIGSTOP)?;
    run.pause(half).await?;
    run.rig.portal().signal(Signal::SIGCONT)?;
    run.rig
        .set_faults(&FaultScript::always(Fault::Down))
        .await?;
    run.pause(half).await?;
    check_outage(run, open).await?;
    run.rig.set_faults(&FaultScript::default()).await?;
    Ok(Instant::now())
}

/// Nothing is parked, and no attempt counts that was made when the breaker was `open` already.
async fn check_outage(run: &mut Run, open: Timestamp) -> anyhow::Result<()> {
    let parked = run.operator.parked().await?;
    if let Some(first) = parked.first() {
        run.fault(&format!(
            "an outage parked {} deliveries, such as {first:?}",
            parked.len()
        ));
    }
    let mut waiting: Vec<_> = run
        .checker
        .lock()
        .missing()
        .map(|(dossier, _)| dossier.to_owned())
        .collect();
    waiting.dedup();
    let mut probes = 0;
    for dossier in waiting.iter().take(TIMELINES_MAX) {
        let entries = run.operator.timeline(dossier).await?;
        for delivery in entries.into_iter().flat_map(|entry| entry.deliveries) {
            let began = |attempt: &Attempt| attempt.started_at.map_or(0, |at| at.seconds);
            let late = delivery
                .attempts
                .iter()
                .filter(|attempt| began(attempt) > open.as_second());
            let (late, all) = (late.count(), delivery.attempts.len());
            probes += late;
            if late > 0 && delivery.attempts_counted as usize > all - late {
                run.fault(&format!(
                    "{dossier}: an attempt in an outage was counted: {delivery:?}"
                ));
            }
        }
    }
    anyhow::ensure!(
        probes >= PROBES_MIN,
        "only {probes} attempts were made in the outage: it did not happen"
    );
    Ok(())
}

async fn freeze(run: &mut Run) -> anyhow::Result<Instant> {
    run.rig.gateway()?.signal(Signal::SIGSTOP)?;
    let extra_ms = run.random.random_range(200..1_500);
    run.pause(LEASE + Duration::from_millis(extra_ms)).await?;
    run.rig.gateway()?.signal(Signal::SIGCONT)?;
    Ok(Instant::now())
}

async fn portal_faults(run: &mut Run) -> anyhow::Result<Instant> {
    let seed = run.random.random();
    run.rig.set_faults(&faulty(seed)).await?;
    run.pause(FAULTY).await?;
    run.rig.set_faults(&FaultScript::default()).await?;
    Ok(Instant::now())
}

/// About one call in six goes wrong; the slowest answers come after the call's time-out.
fn faulty(seed: u64) -> FaultScript {
    let rule = |fault, share| FaultRule {
        when: When::Probability(share),
        ..FaultRule::always(fault)
    };
    let rules = vec![
        rule(
            Fault::Delay {
                ms_min: 1,
                ms_max: 300,
            },
            0.2,
        ),
        rule(
            Fault::DelayAnswer {
                ms_min: 1_000,
                ms_max: 2_500,
            },
            0.02,
        ),
        rule(Fault::ResetAfter, 0.05),
        rule(Fault::ResetBefore, 0.02),
        rule(Fault::Status { code: 503 }, 0.04),
        rule(
            Fault::WrongBody {
                body: WrongBody::Html,
                applied: true,
            },
            0.02,
        ),
        rule(
            Fault::WrongBody {
                body: WrongBody::Truncated,
                applied: true,
            },
            0.02,
        ),
        rule(Fault::TooManyRequests { retry_after_s: 1 }, 0.01),
        rule(Fault::ExpireSession, 0.01),
    ];
    FaultScript { seed, rules }
}
