//! What operators do: look at queues, steer destinations, deal with parked deliveries.

mod parked;

use lienthong_proto::admin::v1::destination_service_client::DestinationServiceClient;
use lienthong_proto::admin::v1::queue_service_client::QueueServiceClient;
use lienthong_proto::admin::v1::{
    Destination, ListDestinationsRequest, ListQueuesRequest, PauseDestinationRequest, Queue,
    ResumeDestinationRequest, StateCounts,
};
use tonic::transport::Channel;

pub(crate) use self::parked::{ParkedCommand, run as parked};
use crate::connection::unary;
use crate::errors::CliError;
use crate::instant::{age, shown};
use crate::messages;
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

/// Shows the queues.
pub(crate) async fn queues(channel: Channel, output: &Output) -> Result<(), CliError> {
    let mut client = QueueServiceClient::new(channel);
    let answer = client
        .list_queues(unary(ListQueuesRequest {}))
        .await?
        .into_inner();
    if output.is_json() {
        let name = "lienthong.admin.v1.ListQueuesResponse";
        return Ok(output.json(&messages::to_json(name, &answer))?);
    }
    output.table(&queue_table(&answer.queues))?;
    if let Some(broker) = answer.broker {
        let state = match (broker.connected, &broker.blocked_since) {
            (false, _) => "not connected; deliveries wait in the store".to_owned(),
            (true, None) => "connected".to_owned(),
            (true, since) => format!("blocked since {}", shown(since.as_ref())),
        };
        output.say(&format!("broker {}: {state}", broker.kind));
    }
    Ok(())
}

fn queue_table(queues: &[Queue]) -> Table {
    let mut table = Table::new(&[
        "destination",
        ">queued",
        ">ready",
        ">sent",
        ">calling",
        ">parked",
        ">delivered",
        ">oldest",
        "oldest dossier",
        ">in broker",
    ]);
    for queue in queues {
        let counts: StateCounts = queue.counts.unwrap_or_default();
        let oldest = queue.oldest_waiting_age.as_ref();
        table.row([
            queue.destination.clone(),
            counts.queued.to_string(),
            counts.ready.to_string(),
            counts.sent.to_string(),
            counts.calling.to_string(),
            counts.parked.to_string(),
            counts.delivered.to_string(),
            oldest.map_or_else(|| "-".to_owned(), |oldest| age(oldest.seconds)),
            queue.oldest_dossier_code.clone(),
            queue
                .broker_depth
                .map_or_else(|| "?".to_owned(), |depth| depth.to_string()),
        ]);
    }
    table
}

/// Lists or steers destinations.
pub(crate) async fn destinations(
    command: &DestinationCommand,
    channel: Channel,
    output: &Output,
) -> Result<(), CliError> {
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
    if output.is_json() {
        let name = "lienthong.admin.v1.Destination";
        for destination in &shown {
            output.json(&messages::to_json(name, destination))?;
        }
        return Ok(());
    }
    Ok(output.table(&destination_table(&shown))?)
}

fn destination_table(destinations: &[Destination]) -> Table {
    let heading = [
        "destination",
        "state",
        "breaker",
        ">calls",
        ">limit",
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
            destination.calls_in_flight.to_string(),
            destination.concurrency_limit.to_string(),
            word(
                destination.parked_lane_policy().as_str_name(),
                "PARKED_LANE_POLICY_",
            ),
            pause.unwrap_or_default(),
        ]);
    }
    table
}

/// `half open` from `BREAKER_STATE_HALF_OPEN`.
pub(crate) fn word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix)
        .unwrap_or(name)
        .to_lowercase()
        .replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_told_in_one_table() {
        let queue = Queue {
            destination: "dvcqg".into(),
            counts: Some(StateCounts {
                queued: 12,
                parked: 1,
                ..StateCounts::default()
            }),
            oldest_waiting_age: Some(prost_types::Duration {
                seconds: 125,
                nanos: 0,
            }),
            oldest_dossier_code: "H56.14-240823-0001".into(),
            ..Queue::default()
        };
        let expected = "\
destination  queued  ready  sent  calling  parked  delivered   oldest  oldest dossier      in broker
dvcqg            12      0     0        0       1          0  2 m 5 s  H56.14-240823-0001          ?";
        assert_eq!(queue_table(&[queue]).render(false), expected);
    }

    #[test]
    fn words_are_read_from_names_of_the_contract() {
        assert_eq!(
            word("BREAKER_STATE_HALF_OPEN", "BREAKER_STATE_"),
            "half open"
        );
    }
}
