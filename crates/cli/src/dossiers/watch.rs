//! Follows what happens, across lost connections, by the cursor of the last message.

use std::time::Duration;

use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use lienthong_proto::dossier::v1::watch_status_response::Change;
use lienthong_proto::dossier::v1::{WatchStatusRequest, WatchStatusResponse};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::status;
use crate::errors::{CliError, tell};
use crate::instant::shown;
use crate::messages;
use crate::messages::word;
use crate::output::Output;

/// Pause before the next try after a lost connection.
const PAUSE: Duration = Duration::from_secs(1);
/// Tries without any message in between.
const TRIES_MAX: u32 = 60;

/// What to follow.
#[derive(Debug, Clone, clap::Args)]
pub struct WatchArgs {
    /// Agency code, with everything below it
    #[arg(long, value_name = "CODE")]
    agency: Option<String>,
    /// Go on after this cursor (--json shows them); without it, from now on
    #[arg(long)]
    cursor: Option<String>,
}

/// Follows until `stop`.
pub(super) async fn run(
    mut client: DossierServiceClient<Channel>,
    args: &WatchArgs,
    output: &Output,
    stop: &CancellationToken,
) -> Result<(), CliError> {
    let mut cursor = args.cursor.clone().unwrap_or_default();
    let mut tries = 0;
    loop {
        let request = WatchStatusRequest {
            cursor: cursor.clone(),
            agency_code: args.agency.clone(),
        };
        let watched = async {
            let mut messages = client.watch_status(request).await?.into_inner();
            while let Some(message) = messages.message().await? {
                tries = 0;
                show(&message, output)?;
                cursor = message.cursor;
            }
            Err(CliError::from(Status::unavailable("the stream ended")))
        };
        let lost: Result<(), CliError> = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            lost = watched => lost,
        };
        match lost {
            Err(CliError::Gateway(status)) if may_return(status.code()) && tries < TRIES_MAX => {
                if tries == 0 {
                    output.say(&format!(
                        "the gateway is gone, trying again\n{}",
                        tell(&status)
                    ));
                }
                tries += 1;
            }
            other => return other,
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = sleep(PAUSE) => {}
        }
    }
}

fn may_return(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown
    )
}

fn show(message: &WatchStatusResponse, output: &Output) -> Result<(), CliError> {
    let line = match &message.change {
        None | Some(Change::Heartbeat(_)) => return Ok(()),
        Some(_) if output.is_json() => {
            let name = "lienthong.dossier.v1.WatchStatusResponse";
            return Ok(output.json(&messages::to_json(name, message))?);
        }
        Some(Change::Accepted(accepted)) => {
            let entry = accepted.entry.clone().unwrap_or_default();
            let (at, sequence) = (shown(entry.accepted_at.as_ref()), entry.dossier_sequence);
            format!(
                "{at}  {} #{sequence}  {}",
                accepted.dossier_code,
                status(entry.status)
            )
        }
        Some(Change::DeliveryChanged(changed)) => {
            let delivery = changed.delivery.clone().unwrap_or_default();
            let state = word(delivery.state().as_str_name(), "DELIVERY_STATE_");
            let (code, sequence) = (&changed.dossier_code, changed.dossier_sequence);
            let reason = delivery.parked_reason;
            format!(
                "{:19}  {code} #{sequence}  {} {state} {reason}",
                "", delivery.destination
            )
        }
    };
    Ok(output.text(line.trim_end())?)
}
