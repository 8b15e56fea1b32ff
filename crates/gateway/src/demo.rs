//! `demo`: the whole product on one machine, nothing to set up. Gateway, portal simulator and provinces run
//! in this process, but talk over real sockets: gRPC with mutual TLS on one side, the portal's HTTP on the other.
//!
//! Read [`run`] first. The proof at the end is the ledger's: what was acknowledged against what was recorded.

mod args;
mod board;
mod citizens;
mod faults;
mod folder;
mod ledger;
mod message;
mod people;
mod province;
mod record;
mod stage;
mod summary;
mod traffic;
mod view;

use std::io::Write;
use std::time::Duration;

use lienthong_domain::Random;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

pub use args::DemoArgs;
pub use faults::Faults;

use crate::exit::Exit;
use stage::Stage;
use summary::Summary;
use view::{Phase, Screen};

/// How long the gateway may go on delivering after the provinces stopped.
const DRAIN_MAX: Duration = Duration::from_mins(1);
/// A duration far longer than anybody watches: without `--for` the demo ends by Ctrl-C.
const FOREVER: Duration = Duration::from_hours(10 * 365 * 24);
/// Seeds drawn when none is given; small, so that they can be typed again.
const SEEDS: u64 = 1_000_000;

/// Runs the demo: push, drain, compare, report.
///
/// # Errors
/// A part could not be started, or a file not be written or read.
pub async fn run(args: DemoArgs) -> anyhow::Result<Exit> {
    let seed = args.seed.unwrap_or_else(|| Random::system().below(SEEDS));
    let mut interrupts = Interrupts::listen()?;
    let mut screen = Screen::stderr();
    let mut stage = Stage::set(&args, seed).await?;
    screen.say(&stage.introduction())?;

    let started = Instant::now();
    let end = started + args.duration.unwrap_or(FOREVER);
    push(
        &mut stage,
        &mut screen,
        &mut interrupts,
        (end, args.duration),
    )
    .await?;
    let push_seconds = started.elapsed().as_secs_f64();
    stage.stop_pushing().await;

    let drain_started = Instant::now();
    drain(&mut stage, &mut screen, &mut interrupts).await?;
    let drain_seconds = drain_started.elapsed().as_secs_f64();
    let summary = stage.strike((push_seconds, drain_seconds)).await?;

    report(&summary, args.json, &mut screen)?;
    Ok(if summary.is_good() {
        Exit::OK
    } else {
        Exit::Failed
    })
}

/// Lets the provinces push until the end, or until somebody asks to stop.
async fn push(
    stage: &mut Stage,
    screen: &mut Screen,
    interrupts: &mut Interrupts,
    (end, planned): (Instant, Option<Duration>),
) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut tick = ticks();
    loop {
        tokio::select! {
            _ = tick.tick() => {
                let frame = stage.look(Phase::Pushing, started.elapsed(), planned).await?;
                screen.show(&frame)?;
            }
            () = sleep_until(end) => return Ok(()),
            () = interrupts.next() => return Ok(()),
        }
    }
}

/// Lets the gateway deliver until nothing is on its way, within [`DRAIN_MAX`]; interrupted once more, it
/// ends at once.
async fn drain(
    stage: &mut Stage,
    screen: &mut Screen,
    interrupts: &mut Interrupts,
) -> anyhow::Result<()> {
    let started = Instant::now();
    let phase = Phase::Draining { bound: DRAIN_MAX };
    let mut tick = ticks();
    loop {
        tokio::select! {
            _ = tick.tick() => {
                let frame = stage.look(phase, started.elapsed(), None).await?;
                screen.show(&frame)?;
                if stage.is_at_rest() {
                    return Ok(());
                }
            }
            () = sleep_until(started + DRAIN_MAX) => return Ok(()),
            () = interrupts.next() => return Ok(()),
        }
    }
}

fn ticks() -> tokio::time::Interval {
    let mut tick = interval(view::REDRAW);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    tick
}

/// The table is data unless JSON is asked for; JSON is the last line of stdout.
fn report(summary: &Summary, json: bool, screen: &mut Screen) -> anyhow::Result<()> {
    let verdict = if summary.is_good() {
        "Không mất, không sai thứ tự · nothing lost, nothing out of order"
    } else if summary.record_complete {
        "CÓ LỖI · A PROMISE WAS BROKEN: see lost, out of order, conflicts and mismatches"
    } else {
        "KHÔNG RÕ · UNKNOWN: the portal's record is incomplete, so a loss cannot be excluded"
    };
    let table = format!("\n{}\n  {verdict}", summary.table());
    let mut stdout = std::io::stdout().lock();
    if json {
        screen.say(&table)?;
        writeln!(stdout, "{}", summary.json())?;
    } else {
        writeln!(stdout, "{table}")?;
    }
    stdout.flush()?;
    Ok(())
}

/// Ctrl-C and SIGTERM.
struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
