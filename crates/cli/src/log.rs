//! `log`: what the running gateway logs, changed for a while.

use std::time::Duration;

use lienthong_proto::admin::v1::SetLogFilterRequest;
use lienthong_proto::admin::v1::overview_service_client::OverviewServiceClient;
use serde_json::json;
use tonic::transport::Channel;

use crate::connection::unary;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::instant::{delay, parse_length};
use crate::output::Output;
use crate::output::table::harmless;

/// Longest time for a filter. Source: `SetLogFilterRequest` of the contract.
const MINUTES_MAX: u128 = 1_440;

/// Which filter, for how long, and why.
#[derive(Debug, Clone, clap::Args)]
pub struct LogArgs {
    /// A filter such as `debug` or `info,lienthong_delivery=trace`; `configured` goes back to the configured one
    filter: String,
    /// After this the configured filter returns: whole minutes up to 24h; 0m keeps it until the next start
    #[arg(long = "for", default_value = "10m", value_parser = parse_length, value_name = "LENGTH")]
    lasting: Duration,
    /// Why; goes into the audit trail, without personal data
    #[arg(long)]
    reason: String,
}

impl LogArgs {
    fn request(&self) -> Result<SetLogFilterRequest, CliError> {
        // Rounded up, for no minutes are no end.
        let minutes = self.lasting.as_millis().div_ceil(60_000);
        if minutes > MINUTES_MAX {
            return Err(CliError::Usage("--for: at most 24h".to_owned()));
        }
        let filter = match self.filter.as_str() {
            "configured" => "",
            filter => filter,
        };
        Ok(SetLogFilterRequest {
            filter: filter.to_owned(),
            minutes: u32::try_from(minutes).expect("the bound is small"),
            reason: self.reason.clone(),
        })
    }
}

/// Sets the filter.
///
/// # Errors
/// A refusal of the gateway, no answer, or too long a time.
pub(crate) async fn run(
    args: &LogArgs,
    channel: Channel,
    output: &Output,
) -> Result<Exit, CliError> {
    let mut client = OverviewServiceClient::new(channel);
    let request = args.request()?;
    let minutes = request.minutes;
    let answer = client.set_log_filter(unary(request)).await?.into_inner();
    if output.is_json() {
        output.json(&json!({ "former_filter": answer.former_filter, "minutes": minutes }))?;
        return Ok(Exit::Ok);
    }
    let lasts = match minutes {
        0 => "cho đến lần khởi động sau / until the next start".to_owned(),
        minutes => {
            let length = delay(Duration::from_secs(u64::from(minutes) * 60));
            format!("trong {length} / for {length}")
        }
    };
    output.text(&format!(
        "{} {lasts}; trước đó / before: {}",
        harmless(&args.filter),
        harmless(&answer.former_filter)
    ))?;
    Ok(Exit::Ok)
}
