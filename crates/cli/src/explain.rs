//! `explain`: the page of an error code, or why a dossier waits.

use lienthong_domain::{DossierCode, ErrorCode};
use lienthong_proto::admin::v1::delivery_service_client::DeliveryServiceClient;
use lienthong_proto::admin::v1::{ExplainDossierRequest, ExplainDossierResponse};
use serde_json::json;
use tonic::transport::Channel;

use crate::connection::unary;
use crate::errors::CliError;
use crate::instant::shown;
use crate::messages;
use crate::output::Output;
use crate::output::table::harmless;

/// What to explain.
#[derive(Debug, Clone, clap::Args)]
pub struct ExplainArgs {
    /// An error code such as `IDEMPOTENCY_KEY_REUSED`, or a dossier code
    code: String,
}

/// Explains. The gateway is asked only about a dossier.
pub(crate) async fn run(
    args: &ExplainArgs,
    channel: impl Fn() -> Result<Channel, CliError>,
    output: &Output,
) -> Result<(), CliError> {
    if let Ok(code) = args.code.parse::<ErrorCode>() {
        return page(code, output);
    }
    if DossierCode::parse(&args.code).is_err() {
        return Err(CliError::NothingToExplain(args.code.clone()));
    }
    let request = ExplainDossierRequest {
        dossier_code: args.code.clone(),
    };
    let mut client = DeliveryServiceClient::new(channel()?);
    let answer = client.explain_dossier(unary(request)).await?.into_inner();
    if output.is_json() {
        let name = "lienthong.admin.v1.ExplainDossierResponse";
        output.json(&messages::to_json(name, &answer))?;
    } else {
        output.text(&told(&answer))?;
    }
    Ok(())
}

fn page(code: ErrorCode, output: &Output) -> Result<(), CliError> {
    if output.is_json() {
        let value = json!({
            "code": code.name(), "message_vi": code.vi(), "message_en": code.en(), "page": code.page(),
        });
        output.json(&value)?;
    } else {
        output.text(&format!("{}\n\n{}", code.name(), code.page()))?;
    }
    Ok(())
}

fn told(answer: &ExplainDossierResponse) -> String {
    let mut lines = vec![answer.dossier_code.clone()];
    for lane in &answer.lanes {
        lines.push(format!(
            "\n{}: {}",
            lane.destination,
            harmless(&lane.explanation_vi)
        ));
        lines.push(format!("  {}", harmless(&lane.explanation_en)));
        if lane.waiting > 0 {
            let since = shown(lane.waiting_since.as_ref());
            lines.push(format!(
                "  waiting: {}, the first since {since}",
                lane.waiting
            ));
        }
        for attempt in lane
            .head_delivery
            .iter()
            .flat_map(|delivery| &delivery.attempts)
        {
            let at = shown(attempt.started_at.as_ref());
            let message = harmless(&attempt.message);
            lines.push(format!("  attempt {} at {at}: {message}", attempt.number));
        }
    }
    lines.join("\n")
}
