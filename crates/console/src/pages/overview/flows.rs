//! What flows: a card for each destination, one for the gateway, one for identity; a line for each province.

use std::cmp::Reverse;

use lienthong_services::overview::{DestinationFlow, Overview, ProvinceFlow};
use lienthong_services::problems::ProblemKind;
use maud::{Markup, html};

use super::problems::tone_of;
use crate::format;
use crate::frame::{Frame, Tone};
use crate::layout::{self, Column, figure};
use crate::pages::params::{address, encoded};
use crate::pages::{parts, words};

/// One destination.
pub(super) fn destination(frame: &Frame, overview: &Overview, flow: &DestinationFlow) -> Markup {
    let row = &flow.state.row;
    let path = format!("/destinations/{}", encoded(row.name.as_str()));
    let (breaker_tone, breaker) = words::breaker(frame, row.breaker);
    let parked_tone = tone_of(overview, ProblemKind::DeliveriesParked, row.name.as_str());
    let parked_path = address("/parked", [("destination", row.name.as_str())]);
    let body = html! {
        p {
            (layout::badge(breaker_tone, format!("{}: {breaker}", frame.t("Bộ ngắt", "Breaker"))))
            @if row.paused.is_some() {
                " " (layout::badge(Tone::Warning, frame.t("Đang tạm dừng", "Paused")))
            }
        }
        (layout::figures(html! {
            (figure(Tone::Neutral, frame.t("Đang chờ", "Waiting"), format::number(frame.language, flow.waiting)))
            (figure(Tone::Neutral, frame.t("Chờ lâu nhất", "Oldest waits"), oldest(frame, flow)))
            (figure(Tone::Neutral, frame.t("Tiếp nhận", "Accepted"), parts::per_minute(frame, flow.accepted_per_minute)))
            (figure(Tone::Neutral, frame.t("Đã gửi", "Delivered"), parts::per_minute(frame, flow.delivered_per_minute)))
            (figure(Tone::Neutral, frame.t("Gửi hết sau", "Drained in"), drained(frame, flow)))
            (figure(parked_tone, frame.t("Tạm giữ", "Parked"), html! {
                @if flow.parked > 0 {
                    a href=(parked_path) { (format::number(frame.language, flow.parked)) }
                } @else { "0" }
            }))
        }))
        p { a href=(path) { (frame.t("Chi tiết nơi nhận", "About this destination")) " " (row.name) } }
    };
    layout::card(
        format!("{} {}", frame.t("Nơi nhận", "Destination"), row.name),
        body,
    )
}

fn oldest(frame: &Frame, flow: &DestinationFlow) -> Markup {
    html! {
        @match &flow.oldest {
            Some((code, since)) => {
                a href=(parts::dossier_path(code)) title=(code.as_str()) { (parts::lasted(frame, *since)) }
            },
            None => (frame.t("không có", "none")),
        }
    }
}

fn drained(frame: &Frame, flow: &DestinationFlow) -> String {
    match flow.drained_in {
        _ if flow.waiting == 0 => frame.t("đã hết", "nothing waits").to_owned(),
        Some(left) => format::duration(frame.language, left),
        None => frame.t("chưa giảm", "not shrinking").to_owned(),
    }
}

/// The gateway itself.
pub(super) fn gateway(frame: &Frame, overview: &Overview) -> Markup {
    let (language, process) = (frame.language, &overview.process);
    let tone = |kind| tone_of(overview, kind, "");
    let accept = process.accept_ms.map(|(median, high)| {
        let ms = |value: f64| format!("{} ms", format::decimal(language, value));
        format!("{} / {}", ms(median), ms(high))
    });
    let certificate = process.certificate_ends_at.map(|ends| {
        let days = u64::try_from(parts::days_until(frame, ends));
        parts::things(frame, days.unwrap_or(0), "ngày", "day", "days")
    });
    let body = layout::figures(html! {
        (figure(Tone::Neutral, frame.t("Thời gian tiếp nhận, trung vị / p99", "To accept, median / p99"),
            accept.unwrap_or_else(|| frame.t("chưa có", "no calls").to_owned())))
        @if let Some(free) = process.disk_free_bytes {
            (figure(tone(ProblemKind::DiskFull), frame.t("Đĩa còn trống", "Disk free"), format::bytes(language, free)))
        }
        @if let Some(hours) = process.disk_hours_left {
            (figure(tone(ProblemKind::DiskFilling), frame.t("Đĩa đầy sau", "Disk full in"),
                format!("{} {}", format::decimal(language, hours), frame.t("giờ", "h"))))
        }
        @if let Some(days) = certificate {
            (figure(tone(ProblemKind::CertificateEnding), frame.t("Chứng thư còn", "Certificate ends in"), days))
        }
    });
    layout::card(frame.t("Trục liên thông", "The gateway"), body)
}

/// Questions about citizens.
pub(super) fn identity(frame: &Frame, overview: &Overview) -> Markup {
    let process = &overview.process;
    let (answered, refused, failed) = process.identity_per_minute.unwrap_or_default();
    let count = |value: u64| {
        format!(
            "{}{}",
            format::number(frame.language, value),
            frame.t("/phút", "/min")
        )
    };
    let guards_tone = tone_of(overview, ProblemKind::GuardBlocked, "");
    let body = html! {
        @if let Some(since) = process.population_down_since {
            p { (layout::badge(Tone::Bad, frame.t("CSDL dân cư không trả lời", "The population database does not answer")))
                " " (parts::moment(frame, since)) }
        }
        (layout::figures(html! {
            (figure(Tone::Neutral, frame.t("Đã trả lời", "Answered"), count(answered)))
            (figure(Tone::Neutral, frame.t("Từ chối", "Refused"), count(refused)))
            (figure(if failed > 0 { Tone::Warning } else { Tone::Neutral }, frame.t("Không có trả lời", "No answer"), count(failed)))
            (figure(guards_tone, frame.t("Đang bị chặn", "Held or blocked"), html! {
                a href="/participants#guards" { (format::number(frame.language, process.guards_blocked.into())) }
            }))
        }))
        p { a href="/usage" { (frame.t("Xem bản ghi khai thác", "See usage records")) } }
    };
    layout::card(frame.t("Hỏi về công dân", "Questions about citizens"), body)
}

/// Every province with traffic, whose oldest status waits longest first.
pub(super) fn provinces(frame: &Frame, flows: &[ProvinceFlow]) -> Markup {
    let mut flows = flows.iter().collect::<Vec<_>>();
    flows.sort_by_key(|flow| {
        let since = flow.oldest.as_ref().map(|(_, since)| *since);
        (since.is_none(), since, Reverse(flow.accepted_today))
    });
    let row = |flow: &&ProvinceFlow| {
        let root = flow.root.as_str();
        let parked = address(
            "/parked",
            [("destination", flow.destination.as_str()), ("root", root)],
        );
        vec![
            html! { (parts::place(root)) },
            html! { (flow.destination) },
            html! {
                @match &flow.oldest {
                    Some((_, since)) => (parts::lasted(frame, *since)),
                    None => (frame.t("không chờ", "nothing waits")),
                }
            },
            html! {
                @match &flow.oldest { Some((code, _)) => (parts::dossier(code)), None => (parts::NONE) }
            },
            parts::number(frame, flow.accepted_today),
            parts::number(frame, flow.delivered_today),
            html! {
                @if flow.parked_today > 0 {
                    a href=(parked) { (format::number(frame.language, flow.parked_today)) }
                } @else { "0" }
            },
        ]
    };
    let caption = frame.t(
        "Tỉnh, bộ ngành có trạng thái hôm nay; chờ lâu nhất ở trên",
        "Provinces with statuses today, the longest wait first",
    );
    let columns = [
        Column::text(frame.t("Tỉnh, bộ ngành", "Province")),
        Column::narrow(frame.t("Nơi nhận", "Destination")),
        Column::number(frame.t("Chờ lâu nhất", "Oldest waits")),
        Column::narrow(frame.t("Hồ sơ", "Dossier")),
        Column::number(frame.t("Tiếp nhận hôm nay", "Accepted today")),
        Column::number(frame.t("Đã gửi hôm nay", "Delivered today")),
        Column::number(frame.t("Tạm giữ hôm nay", "Parked today")),
    ];
    let rows = flows.iter().map(row).collect::<Vec<_>>();
    let empty = frame.t(
        "Hôm nay chưa có trạng thái nào được tiếp nhận và không có trạng thái nào đang chờ.",
        "No status was accepted today and none waits.",
    );
    layout::section(
        frame.t("Theo tỉnh", "By province"),
        layout::table(caption, &columns, &rows, empty),
    )
}
