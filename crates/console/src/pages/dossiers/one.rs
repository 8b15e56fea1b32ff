//! One dossier: how it stands, why it waits at each destination, its timeline, and what operators did about it.

use lienthong_domain::{DossierCode, OperatorRole};
use lienthong_ports::operators::ActionFilter;
use lienthong_ports::store::{Action, DossierView, TimelineEntry};
use lienthong_services::explain::Explanation;
use maud::{Markup, html};

use super::{lanes, timeline};
use crate::Shared;
use crate::fault::PageError;
use crate::frame::{Frame, Tone};
use crate::layout::{self, Button, live};
use crate::pages::form::{self, Faulty, Field};
use crate::pages::params::{address, encoded};
use crate::pages::{actions, parts, words};

/// Events of one page of the timeline.
const PAGE: i64 = 50;
/// Actions shown about the dossier, and about each delivery.
const ACTIONS: usize = 20;
/// Deliveries whose actions are looked up; the newest first.
const DELIVERIES: usize = 20;

/// What the page shows.
pub(super) struct Data {
    pub(super) dossier: DossierView,
    pub(super) lanes: Vec<Explanation>,
    /// Newest first.
    pub(super) events: Vec<TimelineEntry>,
    /// Newest first.
    pub(super) actions: Vec<Action>,
    /// The sequence below which the next page begins.
    pub(super) next: Option<i64>,
}

impl Data {
    pub(super) async fn read(
        console: &Shared,
        frame: &Frame,
        code: &DossierCode,
        before: Option<i64>,
    ) -> Result<Self, PageError> {
        let (services, operator) = (&console.services, &frame.operator);
        let dossier = services.any_dossier(operator, code).await?;
        let lanes = services.explain(operator, code).await?;
        let newest = dossier.last_sequence;
        let last = before.map_or(newest, |before| before.saturating_sub(1).min(newest));
        let after = last.saturating_sub(PAGE).max(0);
        let limit = usize::try_from(last.saturating_sub(after)).unwrap_or(0);
        let mut events = services.any_timeline(operator, code, after, limit).await?;
        events.reverse();
        let mut data = Self {
            dossier,
            lanes,
            events,
            actions: Vec::new(),
            next: (after > 0).then_some(after + 1),
        };
        for subject in data.subjects(code) {
            let filter = ActionFilter {
                subject: Some(subject),
                ..ActionFilter::default()
            };
            data.actions
                .extend(services.actions(operator, filter, None, ACTIONS).await?);
        }
        data.actions
            .sort_by_key(|action| std::cmp::Reverse(action.id));
        data.actions.truncate(ACTIONS);
        Ok(data)
    }

    /// The dossier and its newest deliveries, as actions name them.
    fn subjects(&self, code: &DossierCode) -> Vec<String> {
        let deliveries = self.events.iter().flat_map(|event| &event.deliveries);
        let deliveries = deliveries.map(|delivery| delivery.id.to_string());
        std::iter::once(code.to_string())
            .chain(deliveries.take(DELIVERIES))
            .collect()
    }
}

pub(super) fn title(frame: &Frame, code: &DossierCode) -> String {
    format!("{} {code}", frame.t("Hồ sơ", "Dossier"))
}

pub(super) fn view(frame: &Frame, data: &Data, reason: &str, faulty: &Faulty) -> Markup {
    let code = encoded(data.dossier.code.as_str());
    let older = data.next.map(|before| before.to_string());
    let older =
        older.map(|before| address(&format!("/dossiers/{code}"), [("before", before.as_str())]));
    html! {
        (form::told(frame, faulty))
        (live("dossier", html! {
            (facts(frame, &data.dossier))
            (layout::section(frame.t("Vì sao đang chờ?", "Why does it wait?"), lanes::view(frame, data)))
        }))
        (layout::section(frame.t("Diễn biến", "Timeline"), html! {
            (live("timeline", timeline::view(frame, &data.events)))
            (layout::older(frame, older.as_deref()))
        }))
        (layout::section(frame.t("Thao tác đã làm", "What operators did"), actions::table(frame, &data.actions, frame.t(
            "Chưa ai thao tác gì trên hồ sơ này.", "No operator has acted on this dossier."))))
        (erasure(frame, data, reason, faulty))
    }
}

fn facts(frame: &Frame, dossier: &DossierView) -> Markup {
    let participant = &dossier.participant;
    layout::definition(&[
        (
            frame.t("Trạng thái hiện tại", "Present status"),
            html! { strong { (words::status(frame, dossier.status)) } },
        ),
        (
            frame.t("Có từ", "Came about"),
            parts::moment(frame, dossier.occurred_at),
        ),
        (
            frame.t("Đơn vị gửi", "Sent by"),
            html! {
                (parts::place(&participant.root().to_string()))
                @if participant.as_str() != participant.root().as_str() { " " span.fine { (participant) } }
            },
        ),
        (
            frame.t("Thủ tục", "Procedure"),
            html! {
                @match &dossier.details.procedure_code {
                    Some(procedure) => (procedure),
                    None => (parts::NONE),
                }
            },
        ),
        (
            frame.t("Hạn trả kết quả", "Result due"),
            parts::maybe_moment(frame, dossier.details.due_at),
        ),
        (
            frame.t("Số trạng thái đã nhận", "Statuses accepted"),
            html! { (dossier.last_sequence) },
        ),
        (
            frame.t("Nhận lần đầu", "First accepted"),
            parts::moment(frame, dossier.first_accepted_at),
        ),
        (
            frame.t("Nhận gần nhất", "Last accepted"),
            parts::moment(frame, dossier.updated_at),
        ),
        (
            frame.t("Dữ liệu cá nhân", "Personal data"),
            html! {
                @match dossier.erased_at {
                    Some(at) => { (frame.t("đã xóa", "erased")) " " (parts::moment(frame, at)) },
                    None => (frame.t("được mã hóa trong kho, không hiện ở đây", "sealed in the store, not shown here")),
                }
            },
        ),
    ])
}

fn erasure(frame: &Frame, data: &Data, reason: &str, faulty: &Faulty) -> Markup {
    if !frame.may(OperatorRole::Operator) {
        return html! {};
    }
    let dossier = &data.dossier;
    let is_open = dossier
        .lanes
        .iter()
        .any(|lane| lane.waiting + lane.parked > 0);
    let body = if is_open {
        layout::note(
            Tone::Neutral,
            html! { (frame.t(
            "Chưa xóa được: hồ sơ còn trạng thái đang chờ hoặc tạm giữ. Hãy gửi xong hoặc hủy bỏ trước.",
            "Not yet possible: statuses of this dossier wait or are parked. Deliver or discard them first.")) },
        )
    } else {
        let hint = frame.t(
            "Ví dụ: hết thời hạn lưu theo quy định. Không lấy lại được.",
            "Such as: its time of keeping is over. This cannot be taken back.",
        );
        let field = Field::new("reason", frame.t("Lý do", "Reason"), reason)
            .hint(hint)
            .required();
        let action = format!("/dossiers/{}/erase", encoded(dossier.code.as_str()));
        html! {
            p { (frame.t("Xóa vĩnh viễn thông tin chủ hồ sơ và nội dung xử lý. Trạng thái, ngày giờ và lịch sử gửi vẫn còn.",
                "Destroys the owner's data and the progress notes for good. Statuses, dates and deliveries stay.")) }
            (layout::post(frame, &action, html! {
                (field.reason(frame, faulty))
                (layout::actions(layout::button(Button::Danger, frame.t("Xóa dữ liệu cá nhân", "Erase personal data"))))
            }))
        }
    };
    html! {
        details.no-print open[!faulty.is_empty()] {
            summary { (frame.t("Xóa dữ liệu cá nhân của hồ sơ", "Erase this dossier's personal data")) }
            (body)
        }
    }
}
