//! Whom a guard slows, holds or blocks, and the form that lifts it.

use lienthong_domain::OperatorRole;
use lienthong_domain::identity::OfficialId;
use lienthong_domain::participant::ParticipantId;
use lienthong_identity::{GuardTarget, GuardView};
use maud::{Markup, html};

use crate::fault::PageError;
use crate::format;
use crate::frame::Frame;
use crate::layout::{self, Button};
use crate::pages::form::{self, Faulty, Field};
use crate::pages::params::Params;
use crate::pages::{parts, words};

/// A form that was refused.
pub(super) struct Typed {
    pub(super) target: GuardTarget,
    pub(super) reason: String,
    pub(super) faulty: Faulty,
}

/// Whose guard a form lifts.
pub(super) fn target(form: &Params) -> Result<GuardTarget, PageError> {
    let unreadable = |_| {
        PageError::faulty(
            "Không đọc được đối tượng cần gỡ chặn. Hãy mở lại trang Đơn vị tham gia.",
            "Whose guard is meant cannot be read. Open the page Participants again.",
        )
    };
    let official = match form.get("official") {
        "" => None,
        official => Some(OfficialId::parse(official).map_err(unreadable)?),
    };
    Ok(GuardTarget {
        participant: ParticipantId::parse(form.get("participant")).map_err(unreadable)?,
        system: form.get("system").into(),
        official,
    })
}

pub(super) fn section(frame: &Frame, guards: &[GuardView], typed: Option<&Typed>) -> Markup {
    let body = html! {
        @if let Some(typed) = typed { (form::told(frame, &typed.faulty)) }
        @if guards.is_empty() {
            p.empty { (frame.t(
                "Không ai bị làm chậm hay bị chặn. Chốt chặn tự bật khi có người dò số định danh.",
                "Nobody is slowed or held. A guard acts by itself when somebody guesses numbers.")) }
        }
        @for (index, guard) in guards.iter().enumerate() { (one(frame, index, guard, typed)) }
    };
    html! {
        div #guards { (layout::section(frame.t("Đang bị chặn", "Held by a guard"), body)) }
    }
}

fn one(frame: &Frame, index: usize, guard: &GuardView, typed: Option<&Typed>) -> Markup {
    let target = &guard.target;
    let (tone, level) = words::guard_level(frame, guard.level);
    let who = match &target.official {
        Some(official) => format!(
            "{}/{}, {} {official}",
            target.participant,
            target.system,
            frame.t("cán bộ", "official")
        ),
        None => format!(
            "{}/{}, {}",
            target.participant,
            target.system,
            frame.t("cả hệ thống", "the whole system")
        ),
    };
    let count = |value: usize| html! { (format::number(frame.language, value as u64)) };
    let body = html! {
        (layout::definition(&[
            (frame.t("Mức", "Level"), layout::badge(tone, level)),
            (frame.t("Vì", "Because"), html! {
                @match guard.reason {
                    Some(code) => { (frame.t(code.vi(), code.en())) " " (layout::code(code.name())) },
                    None => (frame.t("nhiều câu hỏi không khớp gần đây", "many recent questions missed")),
                }
            }),
            (frame.t("Từ", "Since"), parts::moment(frame, guard.since)),
            (frame.t("Số lần sai còn tính", "Misses that count"), html! { (format::decimal(frame.language, guard.misses_net)) }),
            (frame.t("Công dân khác nhau, 1 giờ / 24 giờ", "Different citizens, 1 h / 24 h"), html! {
                (count(guard.subjects_last_hour)) " / " (count(guard.subjects_last_day))
            }),
        ]))
        @if frame.may(OperatorRole::Operator) { (lift(frame, index, guard, typed)) }
    };
    layout::callout(tone, who, body)
}

fn lift(frame: &Frame, index: usize, guard: &GuardView, typed: Option<&Typed>) -> Markup {
    let target = &guard.target;
    let none = Faulty::default();
    let typed = typed.filter(|typed| typed.target == *target);
    let (reason, faulty) =
        typed.map_or(("", &none), |typed| (typed.reason.as_str(), &typed.faulty));
    let hint = frame.t(
        "Ví dụ: đã gọi cho đơn vị, cán bộ nhập nhầm danh sách. Ghi lại lâu dài.",
        "Such as: called them, a wrong list was used. It is kept.",
    );
    let prefix = format!("lift-{index}");
    let field = Field::new(
        "reason",
        frame.t("Lý do gỡ chặn", "Reason to lift it"),
        reason,
    )
    .within(&prefix)
    .hint(hint)
    .required();
    let official = target.official.as_ref().map_or("", OfficialId::as_str);
    layout::post(
        frame,
        "/participants/lift",
        html! {
            (layout::hidden("participant", target.participant.as_str()))
            (layout::hidden("system", &target.system))
            (layout::hidden("official", official))
            (field.reason(frame, faulty))
            (layout::actions(layout::button(Button::Danger, frame.t("Gỡ chặn", "Lift"))))
        },
    )
}
