//! `explain`: the page of an error code or a problem, or why a dossier waits.

mod problems;

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
    /// An error code such as `IDEMPOTENCY_KEY_REUSED`, a problem or alert such as `BREAKER_OPEN`, an error group of
    /// parked deliveries such as `REJECTED/-1`, or a dossier code
    code: String,
}

/// Explains. The gateway is asked only about a dossier.
pub(crate) async fn run(
    args: &ExplainArgs,
    channel: impl Fn() -> Result<Channel, CliError>,
    output: &Output,
) -> Result<(), CliError> {
    if let Some(page) = page(&args.code) {
        return page.show(output);
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

/// What there is to know about a code, whoever asks.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    code: String,
    /// One sentence.
    vi: String,
    en: String,
    /// What it means and what to do.
    text: String,
}

/// The page of an error code, of a problem, or of why deliveries are parked.
fn page(code: &str) -> Option<Page> {
    let reason = code.split_once('/').map_or(code, |(reason, _)| reason);
    let error = code.parse::<ErrorCode>();
    let error = error.or_else(|()| format!("DELIVERY_{reason}").parse());
    error.map_or_else(|()| problems::page(code), |code| Some(Page::of(code)))
}

impl Page {
    fn of(code: ErrorCode) -> Self {
        Self {
            code: code.name().to_owned(),
            vi: code.vi().to_owned(),
            en: code.en().to_owned(),
            text: code.page().to_owned(),
        }
    }

    fn show(&self, output: &Output) -> Result<(), CliError> {
        let Self { code, vi, en, text } = self;
        if output.is_json() {
            let value = json!({ "code": code, "message_vi": vi, "message_en": en, "page": text });
            return Ok(output.json(&value)?);
        }
        // The page of an error code begins with its sentences.
        let sentences = if text.starts_with(en.as_str()) {
            String::new()
        } else {
            format!("{vi}\n{en}\n\n")
        };
        Ok(output.text(&format!("{code}\n\n{sentences}{text}"))?)
    }
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

#[cfg(test)]
mod tests {
    use crate::exit::Exit;
    use crate::fake::FakeGateway;

    #[tokio::test]
    async fn each_kind_of_code_has_its_page_and_an_unknown_one_is_said_to_be_unknown() {
        let gateway = FakeGateway::kind().await;
        let table = [
            ("STORE_FULL", "STORE_FULL", "**What to do**"),
            ("breaker_open", "BREAKER_OPEN", "Do: "),
            ("REJECTED/-1", "DELIVERY_REJECTED", "**What to do**"),
            ("CRASH_SUSPECT", "DELIVERY_CRASH_SUSPECT", "**What to do**"),
        ];
        for (asked, code, advice) in table {
            let told = gateway.run(&["explain", asked]).await;
            assert_eq!(told.exit, Exit::Ok, "{}", told.talk);
            assert!(told.data.starts_with(code), "{}", told.data);
            assert!(told.data.contains(advice), "{}", told.data);
            let page = gateway.run(&["explain", asked, "--json"]).await.object();
            assert_eq!(page["code"], code);
            assert!(told.data.contains(page["message_vi"].as_str().unwrap()));
        }
        let unknown = gateway.run(&["explain", "BREAKER_OPENED"]).await;
        assert_eq!(unknown.exit, Exit::DataRefused);
        assert!(unknown.talk.contains("no problem"), "{}", unknown.talk);
        let dossier = gateway.run(&["explain", "H56.14-240823-0001"]).await;
        assert_eq!(dossier.data, "H56.14-240823-0001\n");
    }
}
