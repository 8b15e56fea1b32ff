//! `parked`: what waits for an operator, by cause or one by one; replay and discard.

mod change;
mod selection;

use lienthong_domain::{Clock, Random};
use lienthong_proto::admin::v1::delivery_service_client::DeliveryServiceClient;
use lienthong_proto::admin::v1::{
    DeliveryReference, ListParkedDeliveriesRequest, ListParkedGroupsRequest, ParkedDelivery,
    ParkedGroup,
};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use self::change::Change;
use self::selection::{ChangeArgs, FilterArgs};
use crate::connection::unary;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::instant::shown;
use crate::listing;
use crate::output::Output;
use crate::output::table::Table;

/// Deliveries per page.
const PAGE_SIZE: u32 = 200;

/// What to do with parked deliveries.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum ParkedCommand {
    /// Show what is parked by cause: destination, province and error group, most deliveries first
    #[command(after_help = "Examples:
  lienthong parked groups
  lienthong parked groups --province H56 --older-than 2h --json")]
    Groups {
        #[command(flatten)]
        filter: FilterArgs,
    },
    /// List parked deliveries, the one parked longest first
    #[command(after_help = "Examples:
  lienthong parked list --province H56 --error-group REJECTED/-1
  lienthong parked list --since 2026-09-14 --procedure 1.001193 --json")]
    List {
        #[command(flatten)]
        filter: FilterArgs,
        /// At most so many
        #[arg(long, default_value_t = 200)]
        limit: usize,
    },
    /// Send parked deliveries again; shows the plan first, then follows the operation
    ///
    /// The gateway carries it out in the background, at its rate and across restarts. Ctrl-C ends
    /// the watching only.
    #[command(after_help = REPLAY_HELP)]
    Replay {
        #[command(flatten)]
        change: ChangeArgs,
        /// Deliveries made ready per second, 1..1000; 0 leaves it to the gateway
        #[arg(long, default_value_t = 0)]
        rate: u32,
        /// Also send those that a later event of their dossier has overtaken
        #[arg(long)]
        allow_out_of_order: bool,
    },
    /// Give parked deliveries up for good; shows the plan first, then follows the operation
    #[command(after_help = DISCARD_HELP)]
    Discard {
        #[command(flatten)]
        change: ChangeArgs,
    },
}

const REPLAY_HELP: &str = "Examples:
  lienthong parked replay --error-group REJECTED/-1 --dry-run
  lienthong parked replay --error-group REJECTED/-1 --reason 'đã sửa danh mục'
  lienthong parked replay --id 42 --id 43 --reason 'thử lại' --yes --no-wait

Repeating a command whose outcome is not known is harmless with the same --operation-key.

Exit codes: 0 carried out (or planned), 1 cancelled by somebody, 75 a second person must approve, 130 interrupted: the operation goes on";
const DISCARD_HELP: &str = "Examples:
  lienthong parked discard --id 42 --dry-run
  lienthong parked discard --province H56 --older-than 30d --reason 'hồ sơ đã huỷ ở tỉnh'

Exit codes: 0 carried out (or planned), 1 cancelled by somebody, 75 a second person must approve, 130 interrupted: the operation goes on";

/// Shows, replays or discards.
///
/// # Errors
/// A refusal of the gateway, no answer, or a command line that selects nothing.
pub(crate) async fn run(
    command: &ParkedCommand,
    channel: Channel,
    (clock, random): (&Clock, &Random),
    output: &Output,
    stop: &CancellationToken,
) -> Result<Exit, CliError> {
    let now = clock.now();
    let change = match command {
        ParkedCommand::Groups { filter } => {
            let request = ListParkedGroupsRequest {
                filter: Some(filter.message(now)),
            };
            return groups(DeliveryServiceClient::new(channel), request, output).await;
        }
        ParkedCommand::List { filter, limit } => {
            let request = ListParkedDeliveriesRequest {
                filter: Some(filter.message(now)),
                page_size: PAGE_SIZE,
                page_token: String::new(),
            };
            return list(DeliveryServiceClient::new(channel), request, *limit, output).await;
        }
        ParkedCommand::Replay {
            change,
            rate,
            allow_out_of_order,
        } => Change::replay(change, (*rate, *allow_out_of_order), (now, random))?,
        ParkedCommand::Discard { change } => Change::discard(change, (now, random))?,
    };
    change::run(change, channel, output, stop).await
}

async fn groups(
    mut client: DeliveryServiceClient<Channel>,
    request: ListParkedGroupsRequest,
    output: &Output,
) -> Result<Exit, CliError> {
    let answer = client.list_parked_groups(unary(request)).await?;
    let groups = answer.into_inner().groups;
    listing::show(
        &groups,
        "lienthong.admin.v1.ParkedGroup",
        output,
        group_table,
    )?;
    if output.is_json() {
        return Ok(Exit::Ok);
    }
    let total: u64 = groups.iter().map(|group| group.deliveries).sum();
    output.say(&match total {
        0 => "không có gì bị tạm giữ / nothing is parked".to_owned(),
        total => format!(
            "{total} lượt gửi bị tạm giữ / deliveries are parked; see one: lienthong parked list --error-group GROUP"
        ),
    });
    Ok(Exit::Ok)
}

pub(crate) fn group_table(groups: &[ParkedGroup]) -> Table {
    let heading = [
        "destination",
        "province",
        "error group",
        ">deliveries",
        "oldest",
        "newest",
    ];
    let mut table = Table::new(&heading);
    for group in groups {
        table.row([
            group.destination.clone(),
            group.province_code.clone(),
            group.error_group.clone(),
            group.deliveries.to_string(),
            shown(group.oldest_parked_at.as_ref()),
            shown(group.newest_parked_at.as_ref()),
        ]);
    }
    table
}

async fn list(
    mut client: DeliveryServiceClient<Channel>,
    request: ListParkedDeliveriesRequest,
    limit: usize,
    output: &Output,
) -> Result<Exit, CliError> {
    let listing = listing::fetch(limit, async |page_token| {
        let request = ListParkedDeliveriesRequest {
            page_token,
            ..request.clone()
        };
        let answer = client.list_parked_deliveries(unary(request)).await?;
        let answer = answer.into_inner();
        Ok((answer.deliveries, answer.next_page_token))
    });
    let listing = listing.await?;
    listing.show("lienthong.admin.v1.ParkedDelivery", output, parked_table)?;
    Ok(Exit::Ok)
}

fn parked_table(deliveries: &[ParkedDelivery]) -> Table {
    let heading = [
        ">id",
        "destination",
        "dossier",
        ">sequence",
        "procedure",
        "parked",
        "error group",
        ">attempts",
        ">behind",
        "said",
    ];
    let mut table = Table::new(&heading);
    for parked in deliveries {
        let [id, destination, dossier, sequence] = reference(parked.delivery.as_ref());
        let last = parked.last_attempt.as_ref();
        let said = last.map(|attempt| attempt.message.clone());
        table.row([
            id,
            destination,
            dossier,
            sequence,
            parked.procedure_code.clone(),
            shown(parked.parked_at.as_ref()),
            parked.error_group.clone(),
            parked.attempts_counted.to_string(),
            parked.waiting_behind.to_string(),
            said.unwrap_or_default(),
        ]);
    }
    table
}

/// Id, destination, dossier and sequence.
fn reference(delivery: Option<&DeliveryReference>) -> [String; 4] {
    let delivery = delivery.cloned().unwrap_or_default();
    [
        delivery.delivery_id.to_string(),
        delivery.destination,
        delivery.dossier_code,
        delivery.dossier_sequence.to_string(),
    ]
}

#[cfg(test)]
mod tests;
