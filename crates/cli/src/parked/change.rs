//! Replay and discard: the plan first, then one operation, written down once, which is followed.

use std::io;

use jiff::Timestamp;
use lienthong_domain::Random;
use lienthong_proto::admin::v1::delivery_service_client::DeliveryServiceClient;
use lienthong_proto::admin::v1::operation_service_client::OperationServiceClient;
use lienthong_proto::admin::v1::{
    DiscardDeliveriesRequest, DiscardDeliveriesResponse, Operation, ReplayDeliveriesRequest,
    ReplayDeliveriesResponse,
};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::transport::Channel;

use super::reference;
use super::selection::ChangeArgs;
use crate::connection::unary;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::messages;
use crate::operations::{Follow, follow};
use crate::output::Output;
use crate::output::table::Table;
use crate::patience::may_pass;

/// A change that was asked for and is not carried out yet.
pub(super) struct Change<'a> {
    args: &'a ChangeArgs,
    key: String,
    request: Request,
}

/// Its dry run.
#[derive(Clone)]
enum Request {
    Replay(ReplayDeliveriesRequest),
    Discard(DiscardDeliveriesRequest),
}

/// What the gateway said to it.
enum Answer {
    Replay(ReplayDeliveriesResponse),
    Discard(DiscardDeliveriesResponse),
}

impl<'a> Change<'a> {
    /// # Errors
    /// Nothing is selected.
    pub(super) fn replay(
        args: &'a ChangeArgs,
        (rate_per_second, allow_out_of_order): (u32, bool),
        (now, random): (Timestamp, &Random),
    ) -> Result<Self, CliError> {
        let key = args.key(now, random);
        let request = ReplayDeliveriesRequest {
            selection: Some(args.selection(now)?),
            reason: args.reason(),
            dry_run: true,
            rate_per_second,
            allow_out_of_order,
            idempotency_key: key.clone(),
        };
        let request = Request::Replay(request);
        Ok(Self { args, key, request })
    }

    /// # Errors
    /// Nothing is selected.
    pub(super) fn discard(
        args: &'a ChangeArgs,
        (now, random): (Timestamp, &Random),
    ) -> Result<Self, CliError> {
        let key = args.key(now, random);
        let request = DiscardDeliveriesRequest {
            selection: Some(args.selection(now)?),
            reason: args.reason(),
            dry_run: true,
            idempotency_key: key.clone(),
        };
        let request = Request::Discard(request);
        Ok(Self { args, key, request })
    }
}

impl Request {
    fn for_good(mut self) -> Self {
        match &mut self {
            Self::Replay(request) => request.dry_run = false,
            Self::Discard(request) => request.dry_run = false,
        }
        self
    }

    async fn ask(self, client: &mut DeliveryServiceClient<Channel>) -> Result<Answer, Status> {
        Ok(match self {
            Self::Replay(request) => {
                let answer = client.replay_deliveries(unary(request)).await?;
                Answer::Replay(answer.into_inner())
            }
            Self::Discard(request) => {
                let answer = client.discard_deliveries(unary(request)).await?;
                Answer::Discard(answer.into_inner())
            }
        })
    }
}

/// Shows the plan, has it agreed to, writes the operation down and follows it.
pub(super) async fn run(
    change: Change<'_>,
    channel: Channel,
    output: &Output,
    stop: &CancellationToken,
) -> Result<Exit, CliError> {
    let mut client = DeliveryServiceClient::new(channel.clone());
    if !change.args.is_certain() {
        let planned = change.request.clone().ask(&mut client).await?;
        planned.show(output)?;
        if planned.selected() == 0 || !change.args.is_agreed(output)? {
            return Ok(Exit::Ok);
        }
    }
    let asked = change.request.for_good().ask(&mut client).await;
    let mut done = asked.inspect_err(|status| {
        if may_pass(status.code()) {
            output.say(&format!(
                "chưa rõ kết quả; gọi lại với --operation-key {key} sẽ không làm hai lần / \
                 the outcome is not known; repeated with --operation-key {key} it is not done twice",
                key = change.key
            ));
        }
    })?;
    let Some(operation) = done.operation().cloned() else {
        output.say("không có gì phù hợp / nothing matches");
        return done.finish(None, output).map(|()| Exit::Ok);
    };
    let wait = if change.args.no_wait {
        Follow::No
    } else {
        Follow::Yes
    };
    let client = OperationServiceClient::new(channel);
    let (last, exit) = follow(client, operation, wait, output, stop).await?;
    done.finish(Some(last), output)?;
    Ok(exit)
}

impl Answer {
    fn operation(&self) -> Option<&Operation> {
        match self {
            Self::Replay(answer) => answer.operation.as_ref(),
            Self::Discard(answer) => answer.operation.as_ref(),
        }
    }

    /// How many deliveries the plan is about.
    fn selected(&self) -> u64 {
        match self {
            Self::Replay(answer) => {
                let plan = answer.plan.as_ref();
                plan.map_or(0, |plan| plan.would_replay.max(plan.would_reorder))
            }
            Self::Discard(answer) => answer.would_discard,
        }
    }

    fn show(&self, output: &Output) -> io::Result<()> {
        if output.is_json() {
            return output.json(&self.json());
        }
        match self {
            Self::Replay(answer) => show_replay(answer, output),
            Self::Discard(answer) => show_discard(answer, output),
        }
    }

    /// The last word for programs: the answer, with the operation as it was seen last.
    fn finish(&mut self, last: Option<Operation>, output: &Output) -> Result<(), CliError> {
        match self {
            Self::Replay(answer) => answer.operation = last,
            Self::Discard(answer) => answer.operation = last,
        }
        if output.is_json() {
            output.json(&self.json())?;
        }
        Ok(())
    }

    fn json(&self) -> serde_json::Value {
        match self {
            Self::Replay(answer) => {
                messages::to_json("lienthong.admin.v1.ReplayDeliveriesResponse", answer)
            }
            Self::Discard(answer) => {
                messages::to_json("lienthong.admin.v1.DiscardDeliveriesResponse", answer)
            }
        }
    }
}

fn show_replay(answer: &ReplayDeliveriesResponse, output: &Output) -> io::Result<()> {
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
    say_cut(plan.items_truncated, plan.items.len(), output);
    output.say(&format!(
        "{} sẽ được chuyển lại; nơi nhận có thể thấy hai lần {}, bị lượt sau vượt {}",
        plan.would_replay, plan.would_repeat, plan.would_reorder
    ));
    output.say(&format!(
        "{} would be sent again; {} may be seen twice by the destination, {} were overtaken by a later event",
        plan.would_replay, plan.would_repeat, plan.would_reorder
    ));
    say_approval(answer.needs_approval, output);
    Ok(())
}

fn show_discard(answer: &DiscardDeliveriesResponse, output: &Output) -> io::Result<()> {
    let mut table = Table::new(&[">id", "destination", "dossier", ">sequence"]);
    for item in &answer.items {
        table.row(reference(Some(item)));
    }
    output.table(&table)?;
    say_cut(answer.items_truncated, answer.items.len(), output);
    output.say(&format!(
        "{} sẽ bị bỏ hẳn, {} lượt sau được đi tiếp / {} would be given up, {} lanes go on",
        answer.would_discard, answer.would_release, answer.would_discard, answer.would_release
    ));
    say_approval(answer.needs_approval, output);
    Ok(())
}

fn say_cut(is_cut: bool, shown: usize, output: &Output) {
    if is_cut {
        output.say(&format!(
            "chỉ {shown} lượt đầu / only the first {shown} are shown"
        ));
    }
}

fn say_approval(is_needed: bool, output: &Output) {
    if is_needed {
        output.say("sẽ phải có người thứ hai phê duyệt / a second person, an approver, would have to approve it");
    }
}

fn mark(is_so: bool) -> String {
    if is_so { "yes" } else { "" }.to_owned()
}
