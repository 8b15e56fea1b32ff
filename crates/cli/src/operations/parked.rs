//! Parked deliveries: list, replay, discard. Nothing is changed without a plan that was seen.

use std::io::{self, BufRead as _, IsTerminal as _};

use jiff::Timestamp;
use lienthong_proto::admin::v1::delivery_selection::Selection;
use lienthong_proto::admin::v1::delivery_service_client::DeliveryServiceClient;
use lienthong_proto::admin::v1::{
    DeliveryIdList, DeliveryReference, DeliverySelection, DiscardDeliveriesRequest,
    DiscardDeliveriesResponse, ListParkedDeliveriesRequest, ParkedDelivery, ParkedFilter,
    ReplayDeliveriesRequest, ReplayDeliveriesResponse,
};
use tonic::transport::Channel;

use crate::connection::unary;
use crate::errors::CliError;
use crate::instant::{parse, shown, to_wire};
use crate::messages;
use crate::output::Output;
use crate::output::table::Table;

/// Deliveries per page.
const PAGE_SIZE: u32 = 200;

/// What to do with parked deliveries.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum ParkedCommand {
    /// List parked deliveries, the one parked longest first
    #[command(
        after_help = "Example:\n  lienthong parked list --province H56 --error-group REJECTED/-1"
    )]
    List {
        #[command(flatten)]
        filter: FilterArgs,
        /// At most so many
        #[arg(long, default_value_t = 200)]
        limit: usize,
    },
    /// Send parked deliveries again; shows the plan first
    #[command(after_help = "Examples:
  lienthong parked replay --error-group REJECTED/-1 --reason 'đã sửa danh mục'
  lienthong parked replay --id 42 --id 43 --reason 'thử lại' --yes")]
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
    /// Give parked deliveries up for good; shows the plan first
    #[command(after_help = "Example:
  lienthong parked discard --id 42 --reason 'hồ sơ thử nghiệm' --dry-run")]
    Discard {
        #[command(flatten)]
        change: ChangeArgs,
    },
}

/// Which deliveries; all conditions must hold.
#[derive(Debug, Clone, clap::Args)]
pub struct FilterArgs {
    /// Name of the destination
    #[arg(long)]
    destination: Option<String>,
    /// Root code of the province, H01..H63
    #[arg(long, value_name = "CODE")]
    province: Option<String>,
    /// Code of the procedure
    #[arg(long, value_name = "CODE")]
    procedure: Option<String>,
    /// Group of like errors, as the list shows it
    #[arg(long, value_name = "GROUP")]
    error_group: Option<String>,
    /// Parked at or after (2026-09-14, 2026-09-14T08:00 in +07, or RFC 3339)
    #[arg(long, value_parser = parse, value_name = "TIME")]
    after: Option<Timestamp>,
    /// Parked before
    #[arg(long, value_parser = parse, value_name = "TIME")]
    before: Option<Timestamp>,
}

/// Which deliveries to change, why, and whether to do it.
#[derive(Debug, Clone, clap::Args)]
pub struct ChangeArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Exactly this delivery; may be repeated, and stands instead of a filter
    #[arg(long = "id", value_name = "ID", conflicts_with_all = ["destination", "province", "procedure", "error_group", "after", "before", "all"])]
    ids: Vec<i64>,
    /// All parked deliveries, when no filter and no id is given
    #[arg(long)]
    all: bool,
    /// Why; goes into the audit trail, without personal data
    #[arg(long)]
    reason: String,
    /// Only show the plan
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Carry the plan out without asking
    #[arg(long)]
    yes: bool,
}

impl FilterArgs {
    fn message(&self) -> ParkedFilter {
        ParkedFilter {
            destination: self.destination.clone().unwrap_or_default(),
            province_code: self.province.clone().unwrap_or_default(),
            procedure_code: self.procedure.clone().unwrap_or_default(),
            error_group: self.error_group.clone().unwrap_or_default(),
            parked_after: self.after.map(to_wire),
            parked_before: self.before.map(to_wire),
        }
    }
}

impl ChangeArgs {
    /// # Errors
    /// Nothing is selected: everything must be asked for by name.
    fn selection(&self) -> Result<DeliverySelection, CliError> {
        let filter = self.filter.message();
        let selection = if !self.ids.is_empty() {
            Selection::Ids(DeliveryIdList {
                delivery_ids: self.ids.clone(),
            })
        } else if self.all || filter != ParkedFilter::default() {
            Selection::Filter(filter)
        } else {
            let told = "name deliveries with --id or a filter, or all of them with --all";
            return Err(CliError::Usage(told.to_owned()));
        };
        Ok(DeliverySelection {
            selection: Some(selection),
        })
    }

    /// Whether the plan that was just shown is to be carried out.
    fn is_agreed(&self, output: &Output) -> io::Result<bool> {
        if self.dry_run || self.yes {
            return Ok(self.yes);
        }
        if !io::stdin().is_terminal() {
            output.say("nothing was changed; --yes carries the plan out");
            return Ok(false);
        }
        output.say("carry this out? type yes:");
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(answer.trim() == "yes")
    }
}

/// Lists, replays or discards.
pub(crate) async fn run(
    command: &ParkedCommand,
    channel: Channel,
    output: &Output,
) -> Result<(), CliError> {
    let client = DeliveryServiceClient::new(channel);
    match command {
        ParkedCommand::List { filter, limit } => list(client, filter, *limit, output).await,
        ParkedCommand::Replay {
            change,
            rate,
            allow_out_of_order,
        } => {
            let request = ReplayDeliveriesRequest {
                selection: Some(change.selection()?),
                reason: change.reason.clone(),
                dry_run: true,
                rate_per_second: *rate,
                allow_out_of_order: *allow_out_of_order,
            };
            replay(client, change, request, output).await
        }
        ParkedCommand::Discard { change } => {
            let request = DiscardDeliveriesRequest {
                selection: Some(change.selection()?),
                reason: change.reason.clone(),
                dry_run: true,
            };
            discard(client, change, request, output).await
        }
    }
}

async fn list(
    mut client: DeliveryServiceClient<Channel>,
    filter: &FilterArgs,
    limit: usize,
    output: &Output,
) -> Result<(), CliError> {
    let mut request = ListParkedDeliveriesRequest {
        filter: Some(filter.message()),
        page_size: PAGE_SIZE,
        page_token: String::new(),
    };
    let mut found = Vec::new();
    while found.len() < limit {
        let answer = client
            .list_parked_deliveries(unary(request.clone()))
            .await?
            .into_inner();
        found.extend(answer.deliveries);
        request.page_token = answer.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    found.truncate(limit);
    if output.is_json() {
        for delivery in &found {
            output.json(&messages::to_json(
                "lienthong.admin.v1.ParkedDelivery",
                delivery,
            ))?;
        }
    } else {
        output.table(&parked_table(&found))?;
        if !request.page_token.is_empty() {
            output.say("there are more; --limit shows them");
        }
    }
    Ok(())
}

async fn replay(
    mut client: DeliveryServiceClient<Channel>,
    change: &ChangeArgs,
    mut request: ReplayDeliveriesRequest,
    output: &Output,
) -> Result<(), CliError> {
    let planned = client
        .replay_deliveries(unary(request.clone()))
        .await?
        .into_inner();
    if change.yes || show_replay(&planned, output).and_then(|()| change.is_agreed(output))? {
        request.dry_run = false;
        let done = client.replay_deliveries(unary(request)).await?.into_inner();
        show_replay(&done, output)?;
    }
    Ok(())
}

async fn discard(
    mut client: DeliveryServiceClient<Channel>,
    change: &ChangeArgs,
    mut request: DiscardDeliveriesRequest,
    output: &Output,
) -> Result<(), CliError> {
    let planned = client
        .discard_deliveries(unary(request.clone()))
        .await?
        .into_inner();
    if change.yes || show_discard(&planned, output).and_then(|()| change.is_agreed(output))? {
        request.dry_run = false;
        let done = client
            .discard_deliveries(unary(request))
            .await?
            .into_inner();
        show_discard(&done, output)?;
    }
    Ok(())
}

fn show_replay(answer: &ReplayDeliveriesResponse, output: &Output) -> io::Result<()> {
    if output.is_json() {
        let name = "lienthong.admin.v1.ReplayDeliveriesResponse";
        return output.json(&messages::to_json(name, answer));
    }
    let plan = answer.plan.clone().unwrap_or_default();
    let mut table = Table::new(&[
        ">id",
        "destination",
        "dossier",
        ">sequence",
        "seen twice",
        "overtaken",
    ]);
    for item in &plan.items {
        let [id, destination, dossier, sequence] = reference(item.delivery.as_ref());
        let (repeats, reorders) = (mark(item.repeats), mark(item.reorders));
        table.row([id, destination, dossier, sequence, repeats, reorders]);
    }
    output.table(&table)?;
    let verb = if answer.carried_out {
        "are being sent again"
    } else {
        "would be sent again"
    };
    output.say(&format!(
        "{} {verb}; {} may be seen twice by the destination, {} were overtaken by a later event",
        plan.would_replay, plan.would_repeat, plan.would_reorder
    ));
    Ok(())
}

fn show_discard(answer: &DiscardDeliveriesResponse, output: &Output) -> io::Result<()> {
    if output.is_json() {
        let name = "lienthong.admin.v1.DiscardDeliveriesResponse";
        return output.json(&messages::to_json(name, answer));
    }
    let mut table = Table::new(&[">id", "destination", "dossier", ">sequence"]);
    for item in &answer.items {
        table.row(reference(Some(item)));
    }
    output.table(&table)?;
    let verb = if answer.carried_out {
        "were"
    } else {
        "would be"
    };
    output.say(&format!(
        "{} {verb} given up, {} lanes go on",
        answer.would_discard, answer.would_release
    ));
    Ok(())
}

fn parked_table(deliveries: &[ParkedDelivery]) -> Table {
    let heading = [
        ">id",
        "destination",
        "dossier",
        ">sequence",
        "parked",
        "error group",
        ">attempts",
        ">behind",
        "said",
    ];
    let mut table = Table::new(&heading);
    for parked in deliveries {
        let [id, destination, dossier, sequence] = reference(parked.delivery.as_ref());
        let said = parked
            .last_attempt
            .as_ref()
            .map(|attempt| attempt.message.clone());
        table.row([
            id,
            destination,
            dossier,
            sequence,
            shown(parked.parked_at.as_ref()),
            parked.error_group.clone(),
            parked.attempts_counted.to_string(),
            parked.waiting_behind.to_string(),
            said.unwrap_or_default(),
        ]);
    }
    table
}

fn reference(delivery: Option<&DeliveryReference>) -> [String; 4] {
    let delivery = delivery.cloned().unwrap_or_default();
    [
        delivery.delivery_id.to_string(),
        delivery.destination,
        delivery.dossier_code,
        delivery.dossier_sequence.to_string(),
    ]
}

fn mark(is_so: bool) -> String {
    if is_so { "yes" } else { "" }.to_owned()
}
