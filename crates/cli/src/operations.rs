//! `operations`: replays and discards of many deliveries, which the gateway carries out in the background.

mod follow;

use lienthong_proto::admin::v1::delivery_selection::Selection;
use lienthong_proto::admin::v1::operation_service_client::OperationServiceClient;
use lienthong_proto::admin::v1::{
    ApproveOperationRequest, CancelOperationRequest, DeliverySelection, GetOperationRequest,
    ListOperationsRequest, Operation, ParkedFilter,
};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

pub(crate) use self::follow::{Follow, follow};
use crate::connection::unary;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::instant::shown;
use crate::listing;
use crate::messages::{self, word};
use crate::output::Output;
use crate::output::table::{Table, harmless};

/// Operations per page.
const PAGE_SIZE: u32 = 100;
const NAME: &str = "lienthong.admin.v1.Operation";

/// What to do with operations.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum OperationCommand {
    /// List operations, newest first
    #[command(after_help = "Examples:
  lienthong operations list --open
  lienthong operations list --limit 20 --json")]
    List {
        /// Only those that await approval or run
        #[arg(long)]
        open: bool,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Show one operation: who asked for what, why, and how far it came
    #[command(after_help = "Examples:
  lienthong operations show 17
  lienthong operations show 17 --follow

Exit codes with --follow: 0 done, 1 cancelled, 75 a second person must approve, 130 interrupted")]
    Show {
        /// Number of the operation
        operation: i64,
        /// Show its progress until it ends
        #[arg(long)]
        follow: bool,
    },
    /// Approve an operation that somebody else asked for; needs the role approver
    #[command(
        after_help = "Example:\n  lienthong operations approve 17 --reason 'đã kiểm tra 3 hồ sơ mẫu'"
    )]
    Approve(DecideArgs),
    /// End an operation; what was moved stays moved
    #[command(after_help = "Example:\n  lienthong operations cancel 17 --reason 'chọn nhầm tỉnh'")]
    Cancel(DecideArgs),
}

/// Which operation and why.
#[derive(Debug, Clone, clap::Args)]
pub struct DecideArgs {
    /// Number of the operation
    operation: i64,
    /// Why; goes into the audit trail, without personal data
    #[arg(long)]
    reason: String,
}

/// Lists, shows or decides.
///
/// # Errors
/// A refusal of the gateway, or no answer.
pub(crate) async fn run(
    command: &OperationCommand,
    channel: Channel,
    output: &Output,
    stop: &CancellationToken,
) -> Result<Exit, CliError> {
    let mut client = OperationServiceClient::new(channel);
    let found = match command {
        OperationCommand::List { open, limit } => {
            return list(client, *open, *limit, output).await;
        }
        OperationCommand::Show { operation, follow } => {
            let request = GetOperationRequest {
                operation_id: *operation,
            };
            let answer = client.get_operation(unary(request)).await?.into_inner();
            if *follow {
                return followed(client, answer.operation, output, stop).await;
            }
            answer.operation
        }
        OperationCommand::Approve(args) => {
            let request = ApproveOperationRequest {
                operation_id: args.operation,
                reason: args.reason.clone(),
            };
            let answer = client.approve_operation(unary(request)).await?;
            answer.into_inner().operation
        }
        OperationCommand::Cancel(args) => {
            let request = CancelOperationRequest {
                operation_id: args.operation,
                reason: args.reason.clone(),
            };
            let answer = client.cancel_operation(unary(request)).await?;
            answer.into_inner().operation
        }
    };
    tell(&found.unwrap_or_default(), output)?;
    Ok(Exit::Ok)
}

async fn followed(
    client: OperationServiceClient<Channel>,
    found: Option<Operation>,
    output: &Output,
    stop: &CancellationToken,
) -> Result<Exit, CliError> {
    let found = found.unwrap_or_default();
    let (last, exit) = follow(client, found, Follow::Yes, output, stop).await?;
    tell(&last, output)?;
    Ok(exit)
}

async fn list(
    mut client: OperationServiceClient<Channel>,
    only_open: bool,
    limit: usize,
    output: &Output,
) -> Result<Exit, CliError> {
    let listing = listing::fetch(limit, async |page_token| {
        let request = ListOperationsRequest {
            only_open,
            page_size: PAGE_SIZE,
            page_token,
        };
        let answer = client.list_operations(unary(request)).await?.into_inner();
        Ok((answer.operations, answer.next_page_token))
    });
    listing.await?.show(NAME, output, operation_table)?;
    Ok(Exit::Ok)
}

pub(crate) fn operation_table(operations: &[Operation]) -> Table {
    let heading = [
        ">operation",
        "what",
        "state",
        ">matched",
        ">moved",
        ">left alone",
        "asked by",
        "asked at",
        "reason",
    ];
    let mut table = Table::new(&heading);
    for operation in operations {
        table.row([
            operation.operation_id.to_string(),
            kind(operation),
            state(operation),
            operation.matched.to_string(),
            operation.moved.to_string(),
            operation.left_alone.to_string(),
            operation.requested_by.clone(),
            shown(operation.requested_at.as_ref()),
            operation.reason.clone(),
        ]);
    }
    table
}

/// `replay` or `discard`.
pub(crate) fn kind(operation: &Operation) -> String {
    word(operation.kind().as_str_name(), "OPERATION_KIND_")
}

/// `running`, `awaiting approval`, ...
pub(crate) fn state(operation: &Operation) -> String {
    word(operation.state().as_str_name(), "OPERATION_STATE_")
}

/// One operation: a JSON object, or a line for each fact.
fn tell(operation: &Operation, output: &Output) -> Result<(), CliError> {
    if output.is_json() {
        return Ok(output.json(&messages::to_json(NAME, operation))?);
    }
    let asked = format!(
        "{} {}: {}",
        shown(operation.requested_at.as_ref()),
        operation.requested_by,
        operation.reason
    );
    let mut lines = vec![
        format!("operation    {}", operation.operation_id),
        format!("what         {} {}", kind(operation), selected(operation)),
        format!("state        {}", state(operation)),
        format!(
            "progress     {} of {}, {} left alone, {} a second",
            operation.moved, operation.matched, operation.left_alone, operation.rate_per_second
        ),
        format!("asked        {asked}"),
    ];
    if !operation.decided_by.is_empty() {
        let at = shown(operation.decided_at.as_ref());
        let (by, why) = (&operation.decided_by, &operation.decided_reason);
        lines.push(format!("decided      {at} {by}: {why}"));
    }
    if operation.ended_at.is_some() {
        lines.push(format!(
            "ended        {}",
            shown(operation.ended_at.as_ref())
        ));
    }
    let lines: Vec<_> = lines.iter().map(|line| harmless(line)).collect();
    Ok(output.text(&lines.join("\n"))?)
}

/// The selection, as the options that name it.
fn selected(operation: &Operation) -> String {
    let DeliverySelection { selection } = operation.selection.clone().unwrap_or_default();
    let filter = match selection {
        None => return String::new(),
        Some(Selection::Ids(ids)) => {
            let ids = ids.delivery_ids.iter().map(|id| format!("--id {id}"));
            return ids.collect::<Vec<_>>().join(" ");
        }
        Some(Selection::Filter(filter)) if filter == ParkedFilter::default() => {
            return "--all".to_owned();
        }
        Some(Selection::Filter(filter)) => filter,
    };
    let time =
        |at: Option<&prost_types::Timestamp>| at.map(|at| shown(Some(at))).unwrap_or_default();
    let parts = [
        ("--destination", filter.destination),
        ("--province", filter.province_code),
        ("--procedure", filter.procedure_code),
        ("--error-group", filter.error_group),
        ("--since", time(filter.parked_after.as_ref())),
        ("--before", time(filter.parked_before.as_ref())),
    ];
    let parts = parts.iter().filter(|(_, value)| !value.is_empty());
    let parts = parts.map(|(name, value)| format!("{name} {value}"));
    parts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
