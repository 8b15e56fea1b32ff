//! The subcommands of operators.

use lienthong_domain::{Clock, Random};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::actions::{self, ActionsArgs};
use crate::destinations::{self, DestinationCommand};
use crate::errors::CliError;
use crate::exit::Exit;
use crate::figures::{self, FiguresArgs};
use crate::log::{self, LogArgs};
use crate::operations::{self, OperationCommand};
use crate::output::Output;
use crate::overview::{self, OverviewArgs};
use crate::parked::{self, ParkedCommand};
use crate::queues;
use crate::report::{self, ReportCommand};
use crate::top::{self, TopArgs};

/// Commands of operators. Reading needs the role viewer, changing operator, approving approver.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum OperatorCommand {
    /// Say whether statuses flow, where they wait and what to do next
    #[command(visible_alias = "status", after_help = OVERVIEW_HELP)]
    Overview(OverviewArgs),
    /// Watch the gateway live in the terminal
    #[command(after_help = "Example:
  lienthong top

Keys: q quit, Tab and arrows move, Enter explains, p pauses or resumes a destination, r refreshes, ? help.
Programs use `lienthong overview --json`.")]
    Top(TopArgs),
    /// Show how much waits where: store and broker side by side
    #[command(after_help = "Example:\n  lienthong queues --json")]
    Queues,
    /// Show, replay or discard parked deliveries
    #[command(subcommand)]
    Parked(ParkedCommand),
    /// List, follow, approve or cancel replays and discards
    #[command(subcommand)]
    Operations(OperationCommand),
    /// List, pause or resume destinations
    #[command(subcommand)]
    Destinations(DestinationCommand),
    /// Report on a day or a month, per destination and province
    #[command(subcommand)]
    Report(ReportCommand),
    /// Show what operators did, when and why
    #[command(after_help = "Examples:
  lienthong actions --since 2026-11-01
  lienthong actions --by BCA/truc --kind pause --json")]
    Actions(ActionsArgs),
    /// Show figures over the last hours
    #[command(after_help = FIGURES_HELP)]
    Figures(FiguresArgs),
    /// Change what the running gateway logs, for a while
    #[command(after_help = "Examples:
  lienthong log info,lienthong_delivery=debug --for 10m --reason 'xem vì sao DVCQG chậm'
  lienthong log configured --reason 'xong'")]
    Log(LogArgs),
}

const OVERVIEW_HELP: &str = "Examples:
  lienthong overview
  lienthong status --json
  */5 * * * * lienthong overview --check --json > /var/tmp/lienthong.json || notify-duty

Exit codes: 0 answered. With --check: 0 nothing needs a person, 1 something needs a look, 2 statuses do not flow or soon will not,
69 gateway not reachable, 78 certificate or role wrong";

const FIGURES_HELP: &str = "Examples:
  lienthong figures accept_ms_p99 disk_free_bytes
  lienthong figures delivered_per_minute:dvcqg oldest_age_seconds:dvcqg --last 24h --json
  lienthong figures province_oldest_age_seconds:dvcqg/H56

Names. Of a destination: accepted_per_minute, delivered_per_minute, parked_per_minute, retried_per_minute, waiting, parked,
oldest_age_seconds, end_to_end_ms_p50, end_to_end_ms_p99. Of a destination/province: province_oldest_age_seconds,
province_accepted_per_minute. Of the gateway: accept_ms_p50, accept_ms_p99, disk_free_bytes, identity_answered,
identity_refused, identity_failed. They are kept by minute for 30 days.";

/// Runs one command to its end, or until `stop`.
///
/// # Errors
/// What went wrong, not yet told.
pub(super) async fn run(
    command: OperatorCommand,
    channel: Channel,
    clock: &Clock,
    output: &Output,
    stop: &CancellationToken,
) -> Result<Exit, CliError> {
    match command {
        OperatorCommand::Overview(args) => overview::run(&args, channel, output).await,
        OperatorCommand::Top(args) => top::run(&args, channel, clock, output, stop).await,
        OperatorCommand::Queues => queues::run(channel, output).await,
        OperatorCommand::Destinations(command) => {
            destinations::run(&command, channel, output).await
        }
        OperatorCommand::Parked(command) => {
            let random = Random::system();
            parked::run(&command, channel, (clock, &random), output, stop).await
        }
        OperatorCommand::Operations(command) => {
            operations::run(&command, channel, output, stop).await
        }
        OperatorCommand::Report(command) => report::run(&command, channel, clock, output).await,
        OperatorCommand::Actions(args) => actions::run(&args, channel, output).await,
        OperatorCommand::Figures(args) => figures::run(&args, channel, clock, output).await,
        OperatorCommand::Log(args) => log::run(&args, channel, output).await,
    }
}
