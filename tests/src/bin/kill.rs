//! `tests/kill`: the fault harness as a program.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use lienthong_testkit::rabbitmq::PrivateRabbit;
use lienthong_tests::kill::replay::{self, ReplayPlan};
use lienthong_tests::kill::report::{Outcome, json_report, table};
use lienthong_tests::kill::rig::{Setup, WINDOW};
use lienthong_tests::kill::run::{RunPlan, run};
use lienthong_tests::kill::scenario::{Broker, Scenario};
use tokio::signal::unix::{SignalKind, signal};

/// Breaks things under load and checks that nothing acknowledged is lost or reordered.
#[derive(Debug, Parser)]
#[command(
    name = "tests/kill",
    after_help = "Example: tests/kill --rounds 10 --rabbitmq --only broker-wipe"
)]
struct Arguments {
    /// Kills of the gateway; the other scenarios take a tenth as many rounds.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rounds: u32,
    /// With a private RabbitMQ instead of the embedded broker.
    #[arg(long)]
    rabbitmq: bool,
    /// One scenario only; `replay` is played only when it is asked for.
    #[arg(long)]
    only: Option<Scenario>,
    /// Parked deliveries of `replay`, and how many of them are made ready a second.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=29_000))]
    parked: u32,
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    replay_rate: u32,
    /// Decides events, moments and faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Events a second that the provinces aim at.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Keep the folders with logs and records, and name them.
    #[arg(long)]
    keep: bool,
    /// The binary to break; by default the one beside this program.
    #[arg(long)]
    program: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return told(&error.into()),
    };
    // An interrupted run is dropped here, and with it every process and folder.
    let result = runtime.block_on(async {
        tokio::select! {
            result = run_all(&arguments) => result,
            interrupted = interrupted() => interrupted,
        }
    });
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => told(&error),
    }
}

fn told(error: &anyhow::Error) -> ExitCode {
    // When stderr is closed there is nobody to tell.
    drop(writeln!(std::io::stderr(), "tests/kill: {error:#}"));
    ExitCode::FAILURE
}

async fn interrupted() -> anyhow::Result<bool> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        interrupt = tokio::signal::ctrl_c() => interrupt?,
    }
    anyhow::bail!("interrupted")
}

async fn run_all(arguments: &Arguments) -> anyhow::Result<bool> {
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => std::env::current_exe()?.with_file_name("lienthong"),
    };
    anyhow::ensure!(
        program.exists(),
        "{} does not exist: build it first",
        program.display()
    );
    let scenarios = scenarios(arguments)?;
    let rounds = |scenario: &Scenario| u64::from(scenario.rounds(arguments.rounds));
    let progress = progress_bar(scenarios.iter().map(rounds).sum());
    let rabbit = arguments
        .rabbitmq
        .then(|| tokio::task::block_in_place(PrivateRabbit::start))
        .transpose()?;
    let mut broker = rabbit.map(|rabbit| Broker {
        rabbit,
        vhost: String::new(),
    });

    let mut outcomes = Vec::new();
    for scenario in scenarios {
        progress.set_message(scenario.name());
        let outcome = run_one(arguments, &program, scenario, broker.as_mut(), &progress).await;
        let outcome = outcome.with_context(|| format!("scenario {}", scenario.name()))?;
        if arguments.keep {
            progress.suspend(|| {
                writeln!(std::io::stderr(), "{}: {}", scenario.name(), outcome.folder)
            })?;
        }
        outcomes.push(outcome);
    }
    progress.finish_and_clear();
    let name = if arguments.rabbitmq {
        "rabbitmq"
    } else {
        "embedded"
    };
    let text = if arguments.json {
        format!("{}\n", json_report(name, arguments.seed, &outcomes))
    } else {
        table(name, arguments.seed, &outcomes)
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(outcomes.iter().all(Outcome::is_good))
}

fn scenarios(arguments: &Arguments) -> anyhow::Result<Vec<Scenario>> {
    match arguments.only {
        Some(only) if only.needs_rabbitmq() && !arguments.rabbitmq => {
            anyhow::bail!("{} needs --rabbitmq", only.name())
        }
        Some(only) => Ok(vec![only]),
        None => {
            let all = Scenario::ALL.into_iter();
            Ok(all
                .filter(|scenario| arguments.rabbitmq || !scenario.needs_rabbitmq())
                .collect())
        }
    }
}

async fn run_one(
    arguments: &Arguments,
    program: &std::path::Path,
    scenario: Scenario,
    mut broker: Option<&mut Broker>,
    progress: &ProgressBar,
) -> anyhow::Result<Outcome> {
    let rabbitmq_url = match broker.as_deref_mut() {
        Some(broker) => {
            broker.vhost = tokio::task::block_in_place(|| broker.rabbit.node().fresh_vhost())?;
            Some(broker.rabbit.node().amqp_url(&broker.vhost))
        }
        None => None,
    };
    let setup = Setup {
        program: program.to_owned(),
        rabbitmq_url,
        short_schedule: scenario.has_short_schedule(),
        window: WINDOW,
        keep: arguments.keep,
    };
    if scenario == Scenario::Replay {
        let plan = ReplayPlan {
            setup: Setup {
                window: replay::WINDOW,
                ..setup
            },
            seed: arguments.seed,
            dossiers: arguments.parked,
            per_second: arguments.replay_rate,
        };
        return replay::run(&plan).await;
    }
    let plan = RunPlan {
        setup,
        seed: arguments.seed,
        rate: arguments.rate,
        rounds: scenario.rounds(arguments.rounds),
    };
    run(scenario, &plan, broker, &|| progress.inc(1)).await
}

/// Hidden by itself where stderr is no terminal.
fn progress_bar(rounds: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:<13} {wide_bar} {pos}/{len} {elapsed}")
        .expect("the template is a constant");
    let progress = ProgressBar::new(rounds).with_style(style);
    progress.enable_steady_tick(Duration::from_millis(200));
    progress
}
