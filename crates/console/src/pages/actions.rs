//! The record of actions: who did what, when, to what, and why.

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use jiff::SignedDuration;
use lienthong_domain::{DossierCode, Faults, Reason, Timestamp};
use lienthong_ports::operators::ActionFilter;
use lienthong_ports::store::Action;
use maud::{Markup, html};

use super::form::{self, Faulty, Field};
use super::params::{Params, address, encoded};
use super::{parts, words};
use crate::Shared;
use crate::fault::PageError;
use crate::frame::Frame;
use crate::layout::{self, Button, Column};

/// Actions of one page.
const PAGE: usize = 100;
/// The kinds to choose from.
const KINDS: [&str; 21] = [
    "replay",
    "discard",
    "request_operation",
    "approve_operation",
    "cancel_operation",
    "end_operation",
    "pause",
    "resume",
    "erase",
    "pause_job",
    "resume_job",
    "cancel_job",
    "clear_misses",
    "lift_guard",
    "read_usage",
    "log_filter",
    "sign_in",
    "sign_in_refused",
    "unlock",
    "unlock_refused",
    "sign_out",
];

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/actions", get(show))
}

async fn show(
    State(console): State<Shared>,
    frame: Frame,
    Query(params): Query<Params>,
) -> Result<Response, PageError> {
    let data = Data::read(&console, &frame, &params).await?;
    let title = frame.t("Nhật ký thao tác", "Actions");
    let body = view(&frame, &data);
    Ok(layout::page_with(data.faulty.status(), &frame, title, body))
}

/// A filter as typed.
#[derive(Clone, Debug, Default)]
struct Typed {
    by: String,
    kind: String,
    subject: String,
    since: String,
    until: String,
}

impl Typed {
    fn read(params: &Params) -> Self {
        Self {
            by: params.text("by"),
            kind: params.text("kind"),
            subject: params.text("subject"),
            since: params.text("since"),
            until: params.text("until"),
        }
    }

    /// The filter. The last day belongs to it.
    fn filter(&self) -> Result<ActionFilter, Faults> {
        let mut faults = Faults::new();
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let filter = ActionFilter {
            by: text(&self.by),
            kind: text(&self.kind),
            subject: text(&self.subject),
            since: form::optional(&mut faults, "since", &self.since, form::midnight),
            until: form::optional(&mut faults, "until", &self.until, end_of_day),
        };
        faults.into_result(filter)
    }

    fn pairs(&self) -> [(&str, &str); 5] {
        [
            ("by", &self.by),
            ("kind", &self.kind),
            ("subject", &self.subject),
            ("since", &self.since),
            ("until", &self.until),
        ]
    }
}

/// The beginning of the next day in Vietnam, which has no summer time.
fn end_of_day(text: &str) -> Result<Timestamp, Reason> {
    let day = form::midnight(text)?;
    day.checked_add(SignedDuration::from_hours(24))
        .map_err(|_| Reason::NotADate)
}

/// What the page shows.
struct Data {
    typed: Typed,
    faulty: Faulty,
    actions: Vec<Action>,
    next: Option<i64>,
}

impl Data {
    async fn read(console: &Shared, frame: &Frame, params: &Params) -> Result<Self, PageError> {
        let mut data = Self {
            typed: Typed::read(params),
            faulty: Faulty::default(),
            actions: Vec::new(),
            next: None,
        };
        let filter = match data.typed.filter() {
            Ok(filter) => filter,
            Err(faults) => {
                data.faulty = Faulty::of(&faults);
                return Ok(data);
            }
        };
        let before = params.number("before");
        let services = &console.services;
        data.actions = services
            .actions(&frame.operator, filter, before, PAGE + 1)
            .await?;
        data.next = parts::cut(&mut data.actions, PAGE, |action| action.id);
        Ok(data)
    }
}

fn view(frame: &Frame, data: &Data) -> Markup {
    let next = data.next.map(|id| id.to_string());
    let next = next.map(|before| {
        let pairs = data.typed.pairs().into_iter();
        address("/actions", pairs.chain([("before", before.as_str())]))
    });
    let empty = frame.t(
        "Không có thao tác nào khớp. Mỗi lần tạm dừng, chuyển lại, hủy bỏ, phê duyệt, xóa hay đăng nhập đều được ghi ở đây.",
        "No action matches. Every pause, replay, discard, approval, erasure and sign-in is recorded here.",
    );
    html! {
        (form::told(frame, &data.faulty))
        (filter(frame, data))
        (table(frame, &data.actions, empty))
        (layout::older(frame, next.as_deref()))
    }
}

fn filter(frame: &Frame, data: &Data) -> Markup {
    let (typed, faulty) = (&data.typed, &data.faulty);
    let kinds = KINDS.map(|kind| (kind, words::action_kind(frame, kind)));
    let kinds = std::iter::once(("", frame.t("Tất cả", "All"))).chain(kinds);
    let subject_hint = frame.t(
        "Mã hồ sơ, tên nơi nhận, operation:12, hoặc số của lượt gửi",
        "A dossier code, a destination, operation:12, or a delivery's number",
    );
    layout::filter(
        "/actions",
        html! {
            (Field::new("kind", frame.t("Thao tác", "Action"), &typed.kind).choice(frame, faulty, kinds))
            (Field::new("by", frame.t("Người làm", "By"), &typed.by).hint(frame.t("Ví dụ: account:lan", "Such as account:lan")).line(frame, faulty))
            (Field::new("subject", frame.t("Đối tượng", "About"), &typed.subject).hint(subject_hint).line(frame, faulty))
            (Field::new("since", frame.t("Từ ngày", "From"), &typed.since).day(frame, faulty))
            (Field::new("until", frame.t("Đến hết ngày", "Until the end of"), &typed.until).day(frame, faulty))
            (layout::actions(html! {
                (layout::button(Button::Main, frame.t("Lọc", "Filter")))
                (layout::link_button(Button::Quiet, "/actions", frame.t("Bỏ lọc", "Clear")))
            }))
        },
    )
}

/// Actions as a table; the dossier's page has one too.
pub(crate) fn table(frame: &Frame, actions: &[Action], empty: &str) -> Markup {
    let row = |action: &Action| {
        vec![
            parts::moment(frame, action.at),
            html! { (words::action_kind(frame, &action.kind)) },
            subject(frame, &action.subject),
            html! { (action.by) },
            parts::text(&action.reason),
        ]
    };
    let columns = [
        Column::narrow(frame.t("Lúc", "When")),
        Column::text(frame.t("Thao tác", "Action")),
        Column::text(frame.t("Đối tượng", "About")),
        Column::text(frame.t("Người làm", "By")),
        Column::text(frame.t("Lý do", "Reason")),
    ];
    let rows = actions.iter().map(row).collect::<Vec<_>>();
    let caption = frame.t("Thao tác, mới nhất ở trên", "Actions, the newest first");
    layout::table(caption, &columns, &rows, empty)
}

/// What an action was about, leading there where there is a page.
fn subject(frame: &Frame, subject: &str) -> Markup {
    if let Ok(code) = DossierCode::parse(subject) {
        return parts::dossier(&code);
    }
    match subject.split_once(':') {
        Some(("operation", id)) => html! {
            a href=(format!("/operations/{}", encoded(id))) { (frame.t("Đợt số", "Operation no.")) " " (id) }
        },
        _ if subject.parse::<i64>().is_ok() => {
            html! { (frame.t("Lượt gửi", "Delivery")) " " (subject) }
        }
        _ => parts::text(subject),
    }
}

#[cfg(test)]
mod tests {
    use lienthong_domain::OperatorRole;

    use super::*;
    use crate::pages::sample::{self, HOSTILE, LANGUAGES, ago, has, is_harmless};

    fn action(id: i64, kind: &str, subject: &str) -> Action {
        Action {
            id,
            at: ago(200),
            by: "account:hùng".to_owned(),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            reason: HOSTILE.to_owned(),
        }
    }

    #[test]
    fn actions_lead_to_what_they_were_about() {
        let data = Data {
            typed: Typed {
                by: HOSTILE.to_owned(),
                ..Typed::default()
            },
            faulty: Faulty::default(),
            actions: vec![
                action(3, "erase", "H56.14-240823-0001"),
                action(2, "approve_operation", "operation:12"),
                action(1, "something_new", "dvcqg"),
            ],
            next: Some(1),
        };
        for language in LANGUAGES {
            let frame = sample::frame(language, OperatorRole::Viewer);
            let html = view(&frame, &data).into_string();
            is_harmless(&html);
            let erased = language.t("Xóa dữ liệu cá nhân", "Personal data erased");
            has(
                &html,
                &[
                    erased,
                    "href=\"/dossiers/H56.14-240823-0001\"",
                    "href=\"/operations/12\"",
                    "something_new",
                    "account:hùng",
                    "&amp;before=1",
                ],
            );
        }
    }

    #[test]
    fn every_kind_to_choose_has_words_of_its_own() {
        for language in LANGUAGES {
            let frame = sample::frame(language, OperatorRole::Viewer);
            let words = KINDS.map(|kind| words::action_kind(&frame, kind));
            for (kind, word) in KINDS.iter().zip(words) {
                assert_ne!(*kind, word);
            }
            let different = words.iter().collect::<std::collections::BTreeSet<_>>();
            assert_eq!(different.len(), KINDS.len());
        }
    }

    #[test]
    fn the_last_day_belongs_to_the_filter_and_a_wrong_day_is_told() {
        let typed = |since: &str, until: &str| Typed {
            since: since.to_owned(),
            until: until.to_owned(),
            ..Typed::default()
        };
        let filter = typed("2026-11-20", "2026-11-21").filter().unwrap();
        assert_eq!(filter.since.unwrap().to_string(), "2026-11-19T17:00:00Z");
        assert_eq!(filter.until.unwrap().to_string(), "2026-11-21T17:00:00Z");
        let faults = typed("hôm qua", "").filter().expect_err("no day");
        assert_eq!(faults.iter().next().unwrap().field, "since");
    }
}
