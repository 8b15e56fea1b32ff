//! The benchmark: what the gateway does, beside what the same machine does without it.
//!
//! Machines differ by more than releases do, so every figure has its counterpart from the same run, and
//! the ratio is what to compare. An aim that is missed is printed, and the run still succeeds.

mod bare_broker;
mod bare_sqlite;
mod delivery;
mod empty_server;
mod gateway;
mod identity;
mod intake;
mod latency;
mod load;
mod null_destination;
mod operators;
mod process;
mod report;
mod unary;
mod waiting;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use lienthong_transport::install_crypto_provider;

use report::{Report, Section};

/// What to measure and how to show it.
#[derive(Debug, clap::Parser)]
#[command(
    name = "tests/bench",
    about = "Measures the gateway beside what this machine could do without it"
)]
pub struct Options {
    /// Fewer and shorter repetitions: a first impression within two minutes
    #[arg(long)]
    quick: bool,
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
    /// Measure only this; may be given several times
    #[arg(long, value_enum, value_name = "NAME")]
    only: Vec<Measurement>,
    #[command(subcommand)]
    helper: Option<Helper>,
}

/// What the benchmark starts itself as: a counterpart in a process of its own, as the gateway is.
#[derive(Debug, clap::Subcommand)]
enum Helper {
    /// The empty gRPC server.
    #[command(hide = true)]
    EmptyServer {
        address: SocketAddr,
        folder: PathBuf,
    },
    /// The population adapter that knows every answer at once.
    #[command(hide = true)]
    FixedAdapter {
        address: SocketAddr,
        folder: PathBuf,
        seen_file: PathBuf,
    },
    /// Bare SQLite; prints events a second.
    #[command(hide = true)]
    BareSqlite {
        store: PathBuf,
        group: usize,
        warm_up: usize,
    },
}

/// One comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Measurement {
    /// Durable stream intake beside bare SQLite.
    Intake,
    /// From push to the portal beside a bare broker.
    Delivery,
    /// Latency of one push beside an empty handler.
    Unary,
    /// A million events that wait.
    Waiting,
    /// An operator at work on a full store.
    Operators,
    /// One verification beside nginx and the adapter itself.
    Identity,
    /// The same over SOAP to the simulated database.
    IdentitySoap,
    /// The same with the adapter in the gateway's own process.
    IdentityInside,
}

impl Measurement {
    const ALL: [Self; 8] = [
        Self::Intake,
        Self::Delivery,
        Self::Unary,
        Self::Waiting,
        Self::Operators,
        Self::Identity,
        Self::IdentitySoap,
        Self::IdentityInside,
    ];

    async fn take(self, quick: bool) -> anyhow::Result<Section> {
        match self {
            Self::Intake => intake::measure(quick).await,
            Self::Delivery => delivery::measure(quick).await,
            Self::Unary => unary::measure(quick).await,
            Self::Waiting => waiting::measure(quick).await,
            Self::Operators => operators::measure(quick).await,
            Self::Identity => identity::measure(quick).await,
            Self::IdentitySoap => identity::measure_over_soap(quick).await,
            Self::IdentityInside => identity::measure_inside(quick).await,
        }
    }
}

/// Measures and prints.
///
/// # Errors
/// Something could not be started, or the gateway refused what it should take; never a missed aim.
pub async fn run(options: Options) -> anyhow::Result<()> {
    install_crypto_provider();
    match options.helper {
        Some(Helper::EmptyServer { address, folder }) => {
            return empty_server::serve(address, &folder).await;
        }
        Some(Helper::FixedAdapter {
            address,
            folder,
            seen_file,
        }) => {
            return identity::fixed_adapter::serve(address, &folder, &seen_file).await;
        }
        Some(Helper::BareSqlite {
            store,
            group,
            warm_up,
        }) => {
            let rate = bare_sqlite::copy(&store, group, warm_up)?;
            return Ok(writeln!(std::io::stdout(), "{rate}")?);
        }
        None => {}
    }
    let mut report = Report::new(options.quick);
    for measurement in Measurement::ALL {
        if options.only.is_empty() || options.only.contains(&measurement) {
            report
                .sections
                .push(Box::pin(measurement.take(options.quick)).await?);
        }
    }
    let text = if options.json {
        report.json()
    } else {
        report.table()
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// Tells a watching person what is going on.
fn progress(text: &str) {
    // Nobody may be watching.
    writeln!(std::io::stderr(), "bench: {text}").ok();
}

/// The middle of some figures; of an even number the lower one of the two.
fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures = figures.into_iter().collect::<Vec<_>>();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len().saturating_sub(1) / 2;
    figures.get(middle).copied().unwrap_or(f64::NAN)
}

/// A count as a figure; counts here are far below 2^52.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a benchmark are far below 2^52"
)]
fn figure(count: u64) -> f64 {
    count as f64
}
