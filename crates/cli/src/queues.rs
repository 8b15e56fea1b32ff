//! `queues`: what the store holds for each destination and what lies in the broker, side by side.

use lienthong_proto::admin::v1::queue_service_client::QueueServiceClient;
use lienthong_proto::admin::v1::{Broker, ListQueuesRequest, Queue, StateCounts};
use tonic::transport::Channel;

use crate::connection::unary;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::instant::{shown, shown_length};
use crate::messages;
use crate::output::Output;
use crate::output::table::{Table, harmless};

/// Shows the queues.
///
/// # Errors
/// A refusal of the gateway, or no answer.
pub(crate) async fn run(channel: Channel, output: &Output) -> Result<Exit, CliError> {
    let mut client = QueueServiceClient::new(channel);
    let answer = client
        .list_queues(unary(ListQueuesRequest {}))
        .await?
        .into_inner();
    if output.is_json() {
        let name = "lienthong.admin.v1.ListQueuesResponse";
        output.json(&messages::to_json(name, &answer))?;
        return Ok(Exit::Ok);
    }
    output.table(&queue_table(&answer.queues))?;
    for queue in &answer.queues {
        if !queue.difference_vi.is_empty() {
            output.text(&told_difference(queue))?;
        }
    }
    if let Some(broker) = &answer.broker {
        output.say(&told_broker(broker));
    }
    Ok(Exit::Ok)
}

/// Store to the left, broker to the right; `?` where the broker cannot be asked.
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
        ">unacked",
        ">consumers",
        ">redelivered",
    ]);
    for queue in queues {
        let counts: StateCounts = queue.counts.unwrap_or_default();
        table.row([
            queue.destination.clone(),
            counts.queued.to_string(),
            counts.ready.to_string(),
            counts.sent.to_string(),
            counts.calling.to_string(),
            counts.parked.to_string(),
            counts.delivered.to_string(),
            shown_length(queue.oldest_waiting_age.as_ref()),
            queue.oldest_dossier_code.clone(),
            known(queue.broker_depth),
            known(queue.broker_unacknowledged),
            known(queue.broker_consumers),
            known(queue.broker_redelivered),
        ]);
    }
    table
}

fn known(figure: Option<impl ToString>) -> String {
    figure.map_or_else(|| "?".to_owned(), |figure| figure.to_string())
}

fn told_difference(queue: &Queue) -> String {
    format!(
        "\n{}: {}\n  {}",
        harmless(&queue.destination),
        harmless(&queue.difference_vi),
        harmless(&queue.difference_en)
    )
}

fn told_broker(broker: &Broker) -> String {
    let state = match (broker.connected, &broker.blocked_since) {
        (false, _) => {
            "chưa kết nối, các lượt gửi chờ trong kho / not connected; deliveries wait in the store"
                .to_owned()
        }
        (true, None) => "đã kết nối / connected".to_owned(),
        (true, since) => format!(
            "bị chặn từ {since} / blocked since {since}",
            since = shown(since.as_ref())
        ),
    };
    let why = match broker.last_error.as_str() {
        error if !broker.connected && !error.is_empty() => format!("\n  {}", harmless(error)),
        _ => String::new(),
    };
    format!("broker {}: {state}{why}", harmless(&broker.kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_and_broker_stand_side_by_side() {
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
            broker_depth: Some(3),
            ..Queue::default()
        };
        let expected = "\
destination  queued  ready  sent  calling  parked  delivered   oldest  oldest dossier      in broker  unacked  consumers  redelivered
dvcqg            12      0     0        0       1          0  2 m 5 s  H56.14-240823-0001          3        ?          ?            ?";
        assert_eq!(queue_table(&[queue]).render(false), expected);
    }

    #[test]
    fn a_broker_that_is_gone_says_why() {
        let broker = Broker {
            kind: "rabbitmq".into(),
            last_error: "Connection refused".into(),
            ..Broker::default()
        };
        assert!(told_broker(&broker).ends_with("\n  Connection refused"));
        let blocked = Broker {
            connected: true,
            blocked_since: Some(prost_types::Timestamp {
                seconds: 1_795_138_200,
                nanos: 0,
            }),
            ..broker
        };
        assert!(told_broker(&blocked).contains("bị chặn từ 20/11/2026 08:30:00"));
    }
}
