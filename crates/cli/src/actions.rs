//! `actions`: what operators did, when and why.

use jiff::Timestamp;
use lienthong_proto::admin::v1::audit_service_client::AuditServiceClient;
use lienthong_proto::admin::v1::{Action, ListActionsRequest};
use tonic::transport::Channel;

use crate::connection::unary;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::instant::{parse, shown, to_wire};
use crate::listing;
use crate::output::Output;
use crate::output::table::Table;

/// Most actions of one page. Source: `ListActionsRequest` of the contract.
const PAGE_SIZE_MAX: usize = 500;

/// Which actions.
#[derive(Debug, Clone, clap::Args)]
pub struct ActionsArgs {
    /// By whom: participant/system, account:NAME or openid:NAME#ID
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// Of this kind, such as pause, replay or `sign_in`
    #[arg(long)]
    kind: Option<String>,
    /// About this, such as a destination's name or an operation's number
    #[arg(long)]
    subject: Option<String>,
    /// At or after (2026-09-14, 2026-09-14T08:00 in +07, or RFC 3339)
    #[arg(long, value_parser = parse, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Before
    #[arg(long, value_parser = parse, value_name = "TIME")]
    until: Option<Timestamp>,
    /// At most so many
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

/// Shows the actions, newest first.
///
/// # Errors
/// A refusal of the gateway, or no answer.
pub(crate) async fn run(
    args: &ActionsArgs,
    channel: Channel,
    output: &Output,
) -> Result<Exit, CliError> {
    let mut client = AuditServiceClient::new(channel);
    let page_size = args.limit.clamp(1, PAGE_SIZE_MAX);
    let request = ListActionsRequest {
        by: args.by.clone().unwrap_or_default(),
        kind: args.kind.clone().unwrap_or_default(),
        subject: args.subject.clone().unwrap_or_default(),
        since: args.since.map(to_wire),
        until: args.until.map(to_wire),
        page_size: u32::try_from(page_size).expect("the bound is small"),
        page_token: String::new(),
    };
    let listing = listing::fetch(args.limit, async |page_token| {
        let request = ListActionsRequest {
            page_token,
            ..request.clone()
        };
        let answer = client.list_actions(unary(request)).await?.into_inner();
        Ok((answer.actions, answer.next_page_token))
    });
    let listing = listing.await?;
    listing.show("lienthong.admin.v1.Action", output, action_table)?;
    Ok(Exit::Ok)
}

fn action_table(actions: &[Action]) -> Table {
    let mut table = Table::new(&["at", "by", "kind", "subject", "reason"]);
    for action in actions {
        table.row([
            shown(action.at.as_ref()),
            action.by.clone(),
            action.kind.clone(),
            action.subject.clone(),
            action.reason.clone(),
        ]);
    }
    table
}
