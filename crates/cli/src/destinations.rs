//! `destinations`: how they are doing; pause and resume.

use lienthong_proto::admin::v1::destination_service_client::DestinationServiceClient;
use lienthong_proto::admin::v1::{
    Destination, ListDestinationsRequest, PauseDestinationRequest, ResumeDestinationRequest,
};
use tonic::transport::Channel;

use crate::connection::unary;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::instant::{shown, shown_length};
use crate::listing;
use crate::messages::word;
use crate::output::Output;
use crate::output::table::Table;

/// What to do with destinations.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum DestinationCommand {
    /// List the destinations and how they are doing
    #[command(after_help = "Example:\n  lienthong destinations list")]
    List,
    /// Stop new attempts to a destination; intake goes on
    #[command(
        after_help = "Example:\n  lienthong destinations pause dvcqg --reason 'bảo trì 22:00-24:00'"
    )]
    Pause(SteerArgs),
    /// Let attempts go on
    #[command(
        after_help = "Example:\n  lienthong destinations resume dvcqg --reason 'hết bảo trì'"
    )]
    Resume(SteerArgs),
}

/// Which destination and why.
#[derive(Debug, Clone, clap::Args)]
pub struct SteerArgs {
    /// Name of the destination
    destination: String,
    /// Why; goes into the audit trail, without personal data
    #[arg(long)]
    reason: String,
}

/// Lists or steers destinations.
pub(crate) async fn run(
    command: &DestinationCommand,
    channel: Channel,
    output: &Output,
) -> Result<Exit, CliError> {
    let mut client = DestinationServiceClient::new(channel);
    let shown = match command.clone() {
        DestinationCommand::List => {
            let request = unary(ListDestinationsRequest {});
            client
                .list_destinations(request)
                .await?
                .into_inner()
                .destinations
        }
        DestinationCommand::Pause(SteerArgs {
            destination,
            reason,
        }) => {
            let request = unary(PauseDestinationRequest {
                destination,
                reason,
            });
            let answer = client.pause_destination(request).await?.into_inner();
            answer.destination.into_iter().collect()
        }
        DestinationCommand::Resume(SteerArgs {
            destination,
            reason,
        }) => {
            let request = unary(ResumeDestinationRequest {
                destination,
                reason,
            });
            let answer = client.resume_destination(request).await?.into_inner();
            answer.destination.into_iter().collect()
        }
    };
    let name = "lienthong.admin.v1.Destination";
    listing::show(&shown, name, output, destination_table)?;
    Ok(Exit::Ok)
}

fn destination_table(destinations: &[Destination]) -> Table {
    let heading = [
        "destination",
        "state",
        "breaker",
        "next probe",
        ">calls",
        ">limit",
        ">delivered/min",
        ">drained in",
        "parked lanes",
        "paused",
    ];
    let mut table = Table::new(&heading);
    for destination in destinations {
        let pause = destination.pause.as_ref().map(|pause| {
            let at = shown(pause.paused_at.as_ref());
            format!("{at} {}: {}", pause.paused_by, pause.reason)
        });
        table.row([
            destination.name.clone(),
            word(destination.state().as_str_name(), "DESTINATION_STATE_"),
            word(destination.breaker_state().as_str_name(), "BREAKER_STATE_"),
            shown(destination.next_probe_at.as_ref()),
            destination.calls_in_flight.to_string(),
            destination.concurrency_limit.to_string(),
            format!("{:.0}", destination.delivered_per_minute),
            shown_length(destination.drained_in.as_ref()),
            word(
                destination.parked_lane_policy().as_str_name(),
                "PARKED_LANE_POLICY_",
            ),
            pause.unwrap_or_default(),
        ]);
    }
    table
}
