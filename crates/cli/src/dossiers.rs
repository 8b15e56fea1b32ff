//! `dossier`: show one with its timeline, list many, follow what happens.

mod timeline;
mod watch;

use jiff::Timestamp;
use lienthong_domain::DossierStatus as Status;
use lienthong_proto::admin::v1::EraseDossierRequest;
use lienthong_proto::admin::v1::delivery_service_client::DeliveryServiceClient;
use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use lienthong_proto::dossier::v1::{
    Dossier, DossierFilter, GetDossierRequest, ListDossiersRequest, ListStatusEventsRequest,
    TimelineEntry,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::connection::unary;
use crate::errors::CliError;
use crate::instant::{parse, shown, to_wire};
use crate::listing;
use crate::messages;
use crate::messages::word;
use crate::output::Output;
use crate::output::table::Table;

/// Entries per page.
const PAGE_SIZE: u32 = 200;
/// Timeline entries shown of one dossier.
const ENTRIES_MAX: usize = 10_000;

/// What to do with dossiers.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum DossierCommand {
    /// Show one dossier: where it stands, its timeline, every delivery attempt
    #[command(after_help = "Example:\n  lienthong dossier show H56.14-240823-0001")]
    Show {
        /// Dossier code
        code: String,
    },
    /// List dossiers, the one changed last first
    #[command(after_help = "Example:\n  lienthong dossier list --agency H56.14 --parked")]
    List(ListArgs),
    /// Erase the personal data of a dossier for good; statuses, times and codes stay
    #[command(
        after_help = "Example:\n  lienthong dossier erase H56.14-240823-0001 --reason 'công dân yêu cầu, hết hạn lưu'"
    )]
    Erase {
        /// Dossier code; all its deliveries must have ended
        code: String,
        /// Why; kept with the action, without personal data
        #[arg(long)]
        reason: String,
    },
    /// Follow accepted events and changed deliveries until Ctrl-C
    #[command(after_help = "Examples:
  lienthong dossier watch --agency H56
  lienthong dossier watch --json | jq .delivery_changed")]
    Watch(watch::WatchArgs),
}

/// Which dossiers; all conditions must hold.
#[derive(Debug, Clone, clap::Args)]
pub struct ListArgs {
    /// Agency code, with everything below it
    #[arg(long, value_name = "CODE")]
    agency: Option<String>,
    /// Current status, 1..10
    #[arg(long, value_parser = clap::value_parser!(i32).range(1..=10))]
    status: Option<i32>,
    /// Changed at or after (2026-09-14, 2026-09-14T08:00 in +07, or RFC 3339)
    #[arg(long, value_parser = parse, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Changed before
    #[arg(long, value_parser = parse, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Only with an event that is neither delivered nor given up
    #[arg(long)]
    waiting: bool,
    /// Only with a parked delivery
    #[arg(long)]
    parked: bool,
    /// At most so many
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

/// Shows, lists or follows.
pub(crate) async fn run(
    command: &DossierCommand,
    channel: Channel,
    output: &Output,
    stop: &CancellationToken,
) -> Result<(), CliError> {
    let client = DossierServiceClient::new(channel.clone());
    match command {
        DossierCommand::Show { code } => show(client, code, output).await,
        DossierCommand::List(args) => list(client, args, output).await,
        DossierCommand::Erase { code, reason } => erase(channel, code, reason, output).await,
        DossierCommand::Watch(args) => watch::run(client, args, output, stop).await,
    }
}

async fn erase(
    channel: Channel,
    code: &str,
    reason: &str,
    output: &Output,
) -> Result<(), CliError> {
    let request = EraseDossierRequest {
        dossier_code: code.to_owned(),
        reason: reason.to_owned(),
    };
    DeliveryServiceClient::new(channel)
        .erase_dossier(unary(request))
        .await?;
    if output.is_json() {
        output.json(&json!({ "dossier_code": code, "erased": true }))?;
    } else {
        output.say(&format!(
            "{code}: đã xóa dữ liệu cá nhân · personal data erased"
        ));
    }
    Ok(())
}

async fn show(
    mut client: DossierServiceClient<Channel>,
    code: &str,
    output: &Output,
) -> Result<(), CliError> {
    let request = GetDossierRequest {
        dossier_code: code.to_owned(),
    };
    let answer = client.get_dossier(unary(request)).await?.into_inner();
    let dossier = answer.dossier.unwrap_or_default();
    let entries = entries(&mut client, code).await?;
    if output.is_json() {
        let timeline: Vec<_> = entries
            .iter()
            .map(|entry| messages::to_json("lienthong.dossier.v1.TimelineEntry", entry))
            .collect();
        let dossier = messages::to_json("lienthong.dossier.v1.Dossier", &dossier);
        return Ok(output.json(&json!({"dossier": dossier, "timeline": timeline}))?);
    }
    output.text(&timeline::told(&dossier, &entries))?;
    Ok(())
}

async fn entries(
    client: &mut DossierServiceClient<Channel>,
    code: &str,
) -> Result<Vec<TimelineEntry>, CliError> {
    let listing = listing::fetch(ENTRIES_MAX, async |page_token| {
        let request = ListStatusEventsRequest {
            dossier_code: code.to_owned(),
            page_size: PAGE_SIZE,
            page_token,
        };
        let answer = client.list_status_events(unary(request)).await?;
        let answer = answer.into_inner();
        Ok((answer.entries, answer.next_page_token))
    });
    Ok(listing.await?.into_items())
}

async fn list(
    mut client: DossierServiceClient<Channel>,
    args: &ListArgs,
    output: &Output,
) -> Result<(), CliError> {
    let filter = DossierFilter {
        agency_code: args.agency.clone().unwrap_or_default(),
        status: args.status.unwrap_or_default(),
        updated_since: args.since.map(to_wire),
        updated_until: args.until.map(to_wire),
        only_waiting: args.waiting,
        only_parked: args.parked,
    };
    let listing = listing::fetch(args.limit, async |page_token| {
        let request = ListDossiersRequest {
            filter: Some(filter.clone()),
            page_size: PAGE_SIZE,
            page_token,
        };
        let answer = client.list_dossiers(unary(request)).await?.into_inner();
        Ok((answer.dossiers, answer.next_page_token))
    });
    let listing = listing.await?;
    Ok(listing.show("lienthong.dossier.v1.Dossier", output, dossier_table)?)
}

fn dossier_table(dossiers: &[Dossier]) -> Table {
    let heading = [
        "dossier",
        "status",
        "since",
        ">events",
        "changed",
        "deliveries",
    ];
    let mut table = Table::new(&heading);
    for dossier in dossiers {
        let deliveries = dossier.deliveries.iter().map(|delivery| {
            let state = word(delivery.state().as_str_name(), "DELIVERY_STATE_");
            let waiting = delivery.waiting + delivery.parked;
            match waiting {
                0 => format!("{} {state}", delivery.destination),
                _ => format!("{} {state} ({waiting} waiting)", delivery.destination),
            }
        });
        table.row([
            dossier.code.clone(),
            status(dossier.status),
            shown(dossier.occurred_at.as_ref()),
            dossier.last_sequence.to_string(),
            shown(dossier.updated_at.as_ref()),
            deliveries.collect::<Vec<_>>().join(", "),
        ]);
    }
    table
}

/// `2 Được tiếp nhận`.
fn status(code: i32) -> String {
    let name = Status::from_code(code).map_or("?", Status::name_vi);
    format!("{code} {name}")
}
