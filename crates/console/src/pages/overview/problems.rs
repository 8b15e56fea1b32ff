//! The problems, each with its meaning, since when, the next step, and the page where that step is taken.

use lienthong_services::overview::Overview;
use lienthong_services::problems::{Problem, ProblemKind, Severity};
use maud::{Markup, html};

use crate::frame::{Frame, Tone};
use crate::layout::{self, Button};
use crate::pages::params::{address, encoded};
use crate::pages::parts;

/// All problems, the worst first; nothing where there is none.
pub(super) fn section(frame: &Frame, overview: &Overview) -> Markup {
    if overview.problems.is_empty() {
        return html! {};
    }
    let body = html! {
        @for problem in &overview.problems { (one(frame, overview, problem)) }
    };
    layout::section(frame.t("Cần xử lý", "What needs you"), body)
}

fn one(frame: &Frame, overview: &Overview, problem: &Problem) -> Markup {
    let meaning = frame.t(problem.meaning_vi(), problem.meaning_en());
    let body = html! {
        p { (with_commands(&frame.t(problem.action_vi(), problem.action_en()))) }
        @if let Some(since) = problem.since {
            p.fine { (frame.t("Từ", "Since")) " " (parts::moment(frame, since)) }
        }
        @if let Some((href, text)) = step(frame, overview, problem) {
            (layout::actions(layout::link_button(Button::Main, &href, text)))
        }
    };
    layout::callout(tone(problem.severity), meaning, body)
}

/// The tone of a figure: that of the problem it causes, if it does.
pub(super) fn tone_of(overview: &Overview, kind: ProblemKind, about: &str) -> Tone {
    let mut problems = overview.problems.iter();
    let problem = problems.find(|problem| problem.kind == kind && problem.about == about);
    problem.map_or(Tone::Neutral, |problem| tone(problem.severity))
}

fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Critical => Tone::Bad,
        Severity::Warning => Tone::Warning,
    }
}

/// A sentence whose commands stand in backticks.
fn with_commands(sentence: &str) -> Markup {
    html! {
        @for (index, part) in sentence.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// Where the next step is taken, and what its button says.
fn step(frame: &Frame, overview: &Overview, problem: &Problem) -> Option<(String, &'static str)> {
    use ProblemKind as Kind;
    let about = problem.about.as_str();
    let destination = || format!("/destinations/{}", encoded(about));
    match problem.kind {
        Kind::BrokerDisconnected | Kind::BrokerBlocked | Kind::BrokerTopology => Some((
            "/queues".to_owned(),
            frame.t("Xem hàng đợi", "See the queues"),
        )),
        Kind::BreakerOpen | Kind::CredentialsRefused | Kind::DestinationPaused => Some((
            destination(),
            frame.t("Xem nơi nhận", "See the destination"),
        )),
        Kind::StatusesLate => {
            let flow = overview
                .destinations
                .iter()
                .find(|flow| flow.state.row.name.as_str() == about);
            match flow.and_then(|flow| flow.oldest.as_ref()) {
                Some((code, _)) => Some((
                    parts::dossier_path(code),
                    frame.t(
                        "Vì sao hồ sơ lâu nhất còn chờ?",
                        "Why does the oldest dossier wait?",
                    ),
                )),
                None => Some((
                    destination(),
                    frame.t("Xem nơi nhận", "See the destination"),
                )),
            }
        }
        Kind::DeliveriesParked => Some((
            address("/parked", [("destination", about)]),
            frame.t("Xem lý do và chuyển lại", "See why and replay"),
        )),
        Kind::PoisonDossier => Some((
            address("/parked", [("parked", "crash_suspect")]),
            frame.t("Xem hồ sơ bị nghi", "See the suspects"),
        )),
        Kind::ApprovalAwaited => Some(match about {
            "" => (
                "/operations?open=yes".to_owned(),
                frame.t("Xem các đợt", "See the operations"),
            ),
            id => (
                format!("/operations/{}", encoded(id)),
                frame.t("Xem đợt chờ phê duyệt", "See the operation"),
            ),
        }),
        Kind::GuardBlocked => Some((
            "/participants#guards".to_owned(),
            frame.t("Xem ai bị chặn", "See who is held"),
        )),
        Kind::ProvinceLate => Some((
            address("/reports", [("root", about)]),
            frame.t("Xem báo cáo của tỉnh", "See the province's report"),
        )),
        Kind::PopulationDown => Some((
            "/usage".to_owned(),
            frame.t("Xem bản ghi khai thác", "See usage records"),
        )),
        Kind::DiskFull | Kind::DiskFilling | Kind::CertificateEnding | Kind::ClockWrong => None,
    }
}
