//! The first page: do statuses flow, where do they wait, why, and what to do about it.

mod flows;
mod history;
mod problems;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use lienthong_services::overview::Overview;
use lienthong_services::problems::Severity;
use maud::{Markup, html};

use self::history::History;
use super::params::Params;
use super::parts;
use crate::Shared;
use crate::fault::PageError;
use crate::format;
use crate::frame::{Frame, Tone};
use crate::layout::{self, live};

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/", get(show))
}

async fn show(
    State(console): State<Shared>,
    frame: Frame,
    Query(params): Query<Params>,
) -> Result<Response, PageError> {
    let data = Data::read(&console, &frame, &params).await?;
    let title = frame.t("Tổng quan", "Overview");
    Ok(layout::page(&frame, title, view(&frame, &data)))
}

/// What the page shows.
struct Data {
    overview: Arc<Overview>,
    history: History,
}

impl Data {
    async fn read(console: &Shared, frame: &Frame, params: &Params) -> Result<Self, PageError> {
        let services = &console.services;
        let overview = services.overview(&frame.operator).await?;
        let history = History::read(services, frame, &overview, params).await?;
        Ok(Self { overview, history })
    }
}

fn view(frame: &Frame, data: &Data) -> Markup {
    let Data { overview, history } = data;
    html! {
        (live("flow", html! {
            (verdict(frame, overview))
            (problems::section(frame, overview))
            div.grid {
                @for flow in &overview.destinations { (flows::destination(frame, overview, flow)) }
                (flows::gateway(frame, overview))
                @if overview.process.identity_per_minute.is_some() {
                    (flows::identity(frame, overview))
                }
            }
        }))
        (live("history", history.section(frame, overview)))
        (live("provinces", flows::provinces(frame, &overview.provinces)))
    }
}

/// One sentence: all is well, or how much is not.
fn verdict(frame: &Frame, overview: &Overview) -> Markup {
    let problems = &overview.problems;
    let critical = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Critical)
        .count();
    let tone = match (problems.is_empty(), critical) {
        (true, _) => Tone::Good,
        (false, 0) => Tone::Warning,
        (false, _) => Tone::Bad,
    };
    let count = parts::count_of(problems);
    let sentence = match tone {
        Tone::Good => frame
            .t("Trạng thái đang được gửi đi bình thường.", "Statuses flow.")
            .to_owned(),
        Tone::Warning => frame.t(
            format!("Trạng thái vẫn được gửi đi; có {count} việc cần để ý."),
            parts::things(
                frame,
                count,
                "",
                "thing needs a look; statuses flow.",
                "things need a look; statuses flow.",
            ),
        ),
        _ => frame.t(
            format!("Có {count} vấn đề, trong đó {critical} vấn đề cần xử lý ngay."),
            format!(
                "{}, {critical} of them to be dealt with now.",
                parts::things(frame, count, "", "problem", "problems")
            ),
        ),
    };
    html! {
        div.verdict.(tone.class()) {
            p { span.sign aria-hidden="true" { (tone.sign()) } " " strong data-announce { (sentence) } }
            p { (totals(frame, overview)) }
        }
    }
}

/// What flows and what waits, over all destinations, in one sentence.
fn totals(frame: &Frame, overview: &Overview) -> String {
    let flows = &overview.destinations;
    let waiting = flows.iter().map(|flow| flow.waiting).sum::<u64>();
    let parked = flows.iter().map(|flow| flow.parked).sum::<u64>();
    let delivered = flows.iter().map(|flow| flow.delivered_per_minute).sum();
    let oldest = flows
        .iter()
        .filter_map(|flow| flow.oldest.as_ref().map(|(_, since)| *since))
        .min();
    let oldest = match oldest {
        None => String::new(),
        Some(since) => {
            let lasted = parts::lasted(frame, since);
            frame.t(
                format!(", lâu nhất đã {lasted}"),
                format!(", the oldest for {lasted}"),
            )
        }
    };
    let rate = parts::per_minute(frame, delivered);
    let waiting = parts::deliveries(frame, waiting);
    let parked = format::number(frame.language, parked);
    frame.t(
        format!("Đang gửi {rate}; {waiting} đang chờ{oldest}; {parked} tạm giữ."),
        format!("Delivering {rate}; {waiting} waiting{oldest}; {parked} parked."),
    )
}

#[cfg(test)]
mod tests;
