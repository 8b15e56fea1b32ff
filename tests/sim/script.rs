//! A run's script, all of it drawn from the seed: who pushes what and when, and what goes wrong.

use std::time::Duration;

use lienthong_delivery::{Config, breaker};
use lienthong_domain::delivery::LanePolicy;
use lienthong_domain::{DestinationName, StatusEvent};

use crate::drafts;
use crate::draw::Draw;

/// How a destination behaves for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    Fine,
    /// Every kind of failure now and then.
    Flaky,
    /// Asks for less traffic.
    Overloaded,
    /// Nobody answers.
    Outage,
}

/// How the broker behaves for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Fine,
    /// Loses, refuses, forgets to confirm, repeats late.
    Flaky,
    Disconnected,
}

/// One thing that goes wrong, or that an operator does.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// The gateway dies and comes back.
    Crash(Crash),
    /// The broker forgets every message it has not handed out.
    Wipe,
    Pause {
        lane: usize,
        paused: bool,
    },
    Replay,
    Discard,
}

/// How a dead gateway comes back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crash {
    pub down: Duration,
    /// The broker lives on, as a broker outside the process does.
    pub keep_broker: bool,
    /// The new gateway takes its claims back at once; else it leaves them to their leases.
    pub recover: bool,
}

/// The writes at which a gateway may be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    Accept,
    Claim,
    Unclaim,
    Begin,
    Advance,
    Finish,
    Expire,
    Bury,
    Operator,
    Read,
}

/// "Die at the `count`-th `call`, before or after it was committed."
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeathAt {
    pub call: Call,
    pub count: u64,
    pub committed: bool,
    pub crash: Crash,
}

/// One destination of the run.
#[derive(Clone, Debug)]
pub(crate) struct LaneScript {
    pub name: DestinationName,
    pub policy: LanePolicy,
    pub steps: u8,
    /// Dossier events it refuses, in a thousand.
    pub poison_permille: u64,
    pub weather: Vec<(u64, Weather)>,
}

/// One push of a province, retried with the same keys until the answer is definite.
#[derive(Clone, Debug)]
pub(crate) struct Push {
    pub at_ms: u64,
    pub participant: &'static str,
    pub events: Vec<StatusEvent>,
    /// Sent so many times at once: a duplicate storm.
    pub copies: u64,
}

/// Everything that one seed decides before the run.
pub(crate) struct Script {
    pub seed: u64,
    pub delivery: Config,
    pub lanes: Vec<LaneScript>,
    pub pushes: Vec<Push>,
    pub troubles: Vec<(u64, Trouble)>,
    pub deaths: Vec<DeathAt>,
    pub broker: Vec<(u64, Transport)>,
    /// Store calls that fail, in a thousand; half of them after their commit.
    pub store_fault_permille: u64,
    /// Attempts whose worker freezes past its lease, in a thousand.
    pub freeze_permille: u64,
    /// Unanswered calls whose packets arrive after their lease, in a thousand: only the receiver can drop
    /// those.
    pub ghost_permille: u64,
    /// A long time without any answer of the first destination.
    pub outage: Option<(u64, u64)>,
    /// From here on all is well.
    pub heal_ms: u64,
}

impl Script {
    /// The script of `seed`.
    pub(crate) fn of(seed: u64) -> Self {
        let draw = Draw::new(seed, 1);
        let mut heal_ms = draw.between(60, 600) * 1_000;
        let outage = draw.chance(150).then(|| {
            let (from, length) = (draw.between(10, 60) * 1_000, draw.between(60, 180) * 60_000);
            heal_ms = from + length + draw.between(10, 60) * 1_000;
            (from, from + length)
        });
        let busy_ms = heal_ms.min(600_000);
        let lanes = lanes(&draw, heal_ms, outage);
        let troubles = troubles(&draw, busy_ms, lanes.len());
        Self {
            seed,
            delivery: delivery(&draw, outage.is_some()),
            pushes: drafts::pushes(seed, busy_ms),
            troubles,
            deaths: (0..draw.below(4)).map(|_| death(&draw)).collect(),
            broker: spells(
                &draw,
                heal_ms,
                &[Transport::Fine, Transport::Flaky, Transport::Disconnected],
            ),
            store_fault_permille: *draw.pick(&[0, 5, 30]),
            freeze_permille: *draw.pick(&[0, 0, 10, 40]),
            ghost_permille: *draw.pick(&[0, 0, 50, 300]),
            outage,
            heal_ms,
            lanes,
        }
    }
}

fn lanes(draw: &Draw, heal_ms: u64, outage: Option<(u64, u64)>) -> Vec<LaneScript> {
    let policies = [
        LanePolicy::Hold,
        LanePolicy::Hold,
        LanePolicy::Skip,
        LanePolicy::Latest,
    ];
    let names = ["dvcqg", "bo-xay-dung"]
        .into_iter()
        .take(usize::from(draw.chance(300)) + 1);
    let kinds = [
        Weather::Fine,
        Weather::Flaky,
        Weather::Flaky,
        Weather::Overloaded,
        Weather::Outage,
    ];
    let lane = |(index, name)| LaneScript {
        name: DestinationName::parse(name).expect("it has the form of a name"),
        policy: *draw.pick(&policies),
        steps: *draw.pick(&[1, 2]),
        poison_permille: *draw.pick(&[0, 0, 60, 200]),
        weather: match outage {
            Some((from, to)) if index == 0 => {
                vec![
                    (0, *draw.pick(&kinds)),
                    (from, Weather::Outage),
                    (to, Weather::Fine),
                ]
            }
            _ => spells(draw, heal_ms, &kinds),
        },
    };
    names.enumerate().map(lane).collect()
}

fn spells<T: Copy>(draw: &Draw, heal_ms: u64, kinds: &[T]) -> Vec<(u64, T)> {
    let mut from_ms = 0;
    let mut spells = Vec::new();
    while from_ms < heal_ms && spells.len() < 12 {
        spells.push((from_ms, *draw.pick(kinds)));
        from_ms += draw.between(5, 120) * 1_000;
    }
    spells
}

fn crash(draw: &Draw) -> Crash {
    Crash {
        down: Duration::from_millis(draw.between(1, 20_000)),
        keep_broker: draw.chance(500),
        recover: draw.chance(700),
    }
}

fn death(draw: &Draw) -> DeathAt {
    use Call::{Accept, Advance, Begin, Bury, Claim, Expire, Finish, Operator, Unclaim};
    let calls = [
        Accept, Accept, Claim, Begin, Begin, Finish, Finish, Finish, Advance, Unclaim, Expire,
        Bury, Operator,
    ];
    DeathAt {
        call: *draw.pick(&calls),
        count: draw.between(1, 20),
        committed: draw.chance(600),
        crash: crash(draw),
    }
}

fn troubles(draw: &Draw, busy_ms: u64, lanes: usize) -> Vec<(u64, Trouble)> {
    let mut troubles = Vec::new();
    for _ in 0..draw.between(2, 8) {
        let at_ms = draw.below(busy_ms);
        let lane = usize::try_from(draw.below(lanes as u64)).expect("an index fits");
        match draw.below(10) {
            0 | 1 => troubles.push((at_ms, Trouble::Crash(crash(draw)))),
            2 | 3 => troubles.push((at_ms, Trouble::Wipe)),
            4 | 5 => {
                troubles.push((at_ms, Trouble::Pause { lane, paused: true }));
                let until_ms = at_ms + draw.between(1, 90) * 1_000;
                troubles.push((
                    until_ms,
                    Trouble::Pause {
                        lane,
                        paused: false,
                    },
                ));
            }
            6 | 7 => troubles.push((at_ms, Trouble::Replay)),
            8 => troubles.push((at_ms, Trouble::Discard)),
            _ => {
                // A double click of the operator must do no harm.
                troubles.extend([
                    (at_ms, Trouble::Replay),
                    (at_ms + draw.below(3), Trouble::Replay),
                ]);
            }
        }
    }
    troubles.sort_by_key(|(at_ms, _)| *at_ms);
    troubles
}

fn delivery(draw: &Draw, outage: bool) -> Config {
    let lease_ms = *draw.pick(&[20_000, 60_000, 120_000]);
    let concurrency_max = *draw.pick(&[1, 3, 8]);
    Config {
        // A long outage must not come near the end of a schedule by its first few failures alone.
        retry_delays_seconds: if outage || draw.chance(600) {
            vec![5, 30, 120, 600]
        } else {
            vec![5, 20]
        },
        retry_last_times: if outage { 12 } else { *draw.pick(&[1, 4]) },
        retry_after_seconds_max: 300,
        lease_ms,
        call_timeout_ms: lease_ms / 2,
        concurrency_max,
        concurrency_start: concurrency_max.min(2),
        window: *draw.pick(&[1, 4, 16]),
        claim_batch_max: *draw.pick(&[1, 3, 16]),
        sweep_ms: if outage {
            20_000
        } else {
            *draw.pick(&[1_000, 5_000])
        },
        idle_ms: if outage {
            30_000
        } else {
            *draw.pick(&[1_000, 20_000])
        },
        breaker: breaker::Config {
            calls_min: 8,
            unanswered_in_a_row: 4,
            open_seconds: 30,
            open_seconds_max: 240,
            probe_stages: vec![1, 3],
            ..breaker::Config::default()
        },
        ..Config::default()
    }
}
