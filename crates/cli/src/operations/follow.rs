//! Follows an operation to its end. It lives in the gateway: whoever stops looking stops nothing.

use std::time::Duration;

use lienthong_proto::admin::v1::operation_service_client::OperationServiceClient;
use lienthong_proto::admin::v1::{GetOperationRequest, Operation, OperationState};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use super::kind;
use crate::connection::unary;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::output::meter::Meter;
use crate::patience::Patience;

/// How often the gateway is asked how far it came.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// How long the gateway may be away, as during a restart, before the watching ends.
const PATIENCE: Duration = Duration::from_mins(1);

/// Whether to stay until the operation ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    Yes,
    No,
}

/// Shows the progress of `operation` until it ends, awaits a second person, or `stop`; returns it as seen last.
///
/// # Errors
/// No answer for a minute, or a refusal. The operation goes on all the same, and that is said.
pub(crate) async fn follow(
    mut client: OperationServiceClient<Channel>,
    mut operation: Operation,
    wait: Follow,
    output: &Output,
    stop: &CancellationToken,
) -> Result<(Operation, Exit), CliError> {
    let id = operation.operation_id;
    let mut meter = None;
    let mut patience = Patience::new(PATIENCE);
    loop {
        if let Some(exit) = ended(&operation, wait) {
            drop(meter);
            output.say(&told(&operation));
            return Ok((operation, exit));
        }
        let bar =
            meter.get_or_insert_with(|| Meter::start(output, name(&operation), operation.matched));
        bar.show(operation.moved + operation.left_alone, "");
        let request = unary(GetOperationRequest { operation_id: id });
        let next = async {
            sleep(LOOK_INTERVAL).await;
            client.get_operation(request).await
        };
        let next = tokio::select! {
            () = stop.cancelled() => None,
            next = next => Some(next),
        };
        match next {
            None => {
                drop(meter);
                say_leaving(id, output);
                return Ok((operation, Exit::Interrupted));
            }
            Some(Ok(answer)) => {
                patience.forward();
                operation = answer.into_inner().operation.unwrap_or(operation);
            }
            Some(Err(status)) => {
                let rested = patience.rest(status, stop).await;
                rested.inspect_err(|_| say_leaving(id, output))?;
            }
        }
    }
}

fn name(operation: &Operation) -> &'static str {
    if kind(operation) == "discard" {
        "bỏ / discard"
    } else {
        "chuyển lại / replay"
    }
}

/// How the command ends when the operation stands so; `None` while it is worth waiting.
fn ended(operation: &Operation, wait: Follow) -> Option<Exit> {
    match operation.state() {
        OperationState::AwaitingApproval => Some(Exit::Later),
        OperationState::Cancelled => Some(Exit::NotSo),
        OperationState::Done => Some(Exit::Ok),
        OperationState::Running | OperationState::Unspecified => {
            (wait == Follow::No).then_some(Exit::Ok)
        }
    }
}

/// Where the operation stands, and what to do next.
fn told(operation: &Operation) -> String {
    let Operation {
        operation_id: id,
        matched,
        moved,
        left_alone,
        ..
    } = operation;
    match operation.state() {
        OperationState::AwaitingApproval => format!(
            "đợt {id} ({matched} lượt gửi) phải có người thứ hai phê duyệt / operation {id} ({matched} deliveries) awaits a second person, an approver:\
             \n  lienthong operations approve {id} --reason ...\
             \n  lienthong operations show {id} --follow"
        ),
        OperationState::Cancelled => format!(
            "đợt {id} đã bị huỷ sau {moved} lượt / operation {id} was cancelled after {moved} deliveries: {} ({})",
            operation.decided_reason, operation.decided_by
        ),
        OperationState::Done => {
            let mut told = format!(
                "đợt {id} xong: {moved} lượt đã xử lý, {left_alone} để nguyên / operation {id} is done: {moved} moved, {left_alone} left alone"
            );
            if *left_alone > 0 {
                told.push_str(
                    "\n  để nguyên: không còn bị tạm giữ, hoặc sẽ sai thứ tự / left alone: no longer parked, or out of order (--allow-out-of-order)",
                );
            }
            told
        }
        OperationState::Running | OperationState::Unspecified => {
            format!(
                "đợt {id} đang chạy / operation {id} is under way: lienthong operations show {id} --follow"
            )
        }
    }
}

fn say_leaving(id: i64, output: &Output) {
    output.say(&format!(
        "đợt {id} vẫn chạy tiếp ở cổng / operation {id} goes on in the gateway:\
         \n  lienthong operations show {id} --follow\
         \n  lienthong operations cancel {id} --reason ..."
    ));
}
