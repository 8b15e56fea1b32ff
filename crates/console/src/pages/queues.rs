//! The queues: what the store holds, what lies with the broker, and why the two differ.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use lienthong_domain::DeliveryState;
use lienthong_ports::broker::BrokerState;
use lienthong_ports::store::Counts;
use lienthong_services::QueueState;
use maud::{Markup, html};

use super::params::{address, encoded};
use super::{parts, words};
use crate::Shared;
use crate::fault::PageError;
use crate::format;
use crate::frame::{Frame, Tone};
use crate::layout::{self, Column, live};

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/queues", get(show))
}

async fn show(State(console): State<Shared>, frame: Frame) -> Result<Response, PageError> {
    let queues = console.services.queues(&frame.operator).await?;
    let title = frame.t("Hàng đợi", "Queues");
    Ok(layout::page(&frame, title, view(&frame, &queues)))
}

fn view(frame: &Frame, queues: &QueueState) -> Markup {
    html! {
        p.prose { (frame.t(
            "Kho giữ mọi trạng thái và là nơi duy nhất quyết định. Hàng đợi trung chuyển chỉ mang số hiệu lượt gửi đến tiến trình gửi; mất hàng đợi thì không mất trạng thái nào.",
            "The store holds every status and alone decides. The broker only carries delivery numbers to the workers; if it is lost, no status is lost.")) }
        (live("queues", html! {
            @if let Some(fault) = &queues.topology_fault {
                (layout::callout(Tone::Bad, frame.t("Hàng đợi trung chuyển bị thiếu hoặc cấu hình sai", "A queue of the broker is missing or wrong"), html! {
                    p { (fault) }
                    p { (frame.t("Chạy ", "Run ")) code { "lienthong doctor" } (frame.t(" để biết cách sửa.", " to learn how to mend it.")) }
                }))
            }
            (layout::section(frame.t("Hàng đợi trung chuyển", "The broker"), broker(frame, &queues.broker)))
            (layout::section(frame.t("Kho và hàng đợi, cạnh nhau", "Store and broker, side by side"), side_by_side(frame, queues)))
            (layout::section(frame.t("Kho theo tình trạng", "The store by state"), states(frame, &queues.counts)))
        }))
    }
}

fn broker(frame: &Frame, broker: &BrokerState) -> Markup {
    // A broker that blocks takes no messages either, and is connected all the same.
    let (tone, state) = if broker.blocked_since.is_some() {
        (
            Tone::Bad,
            frame.t(
                "Đã nối nhưng đang chặn gửi",
                "Connected, but it blocks publishing",
            ),
        )
    } else if !broker.connected {
        (
            Tone::Bad,
            frame.t(
                "Mất kết nối, đang tự nối lại",
                "Not connected, reconnecting by itself",
            ),
        )
    } else {
        (Tone::Good, frame.t("Đã kết nối", "Connected"))
    };
    let kind = match broker.name {
        "embedded" => frame.t("Hàng đợi trong tiến trình", "In this process"),
        other => other,
    };
    let number = |value: u64| html! { (format::number(frame.language, value)) };
    layout::definition(&[
        (frame.t("Loại", "Kind"), html! { (kind) }),
        (frame.t("Tình trạng", "State"), layout::badge(tone, state)),
        (
            frame.t("Chặn gửi từ", "Blocked since"),
            parts::maybe_moment(frame, broker.blocked_since),
        ),
        (
            frame.t("Tổng thời gian bị chặn", "Blocked in all"),
            html! { (format::duration(frame.language, broker.blocked_total)) },
        ),
        (
            frame.t("Số lần nối lại", "Reconnections"),
            number(broker.reconnects),
        ),
        (
            frame.t("Lần gửi không có xác nhận", "Publishes without a confirm"),
            number(broker.unknown_confirms),
        ),
        (
            frame.t("Lỗi gần nhất", "Last failure"),
            parts::text(broker.last_error.as_deref().unwrap_or_default()),
        ),
    ])
}

fn side_by_side(frame: &Frame, queues: &QueueState) -> Markup {
    let columns = [
        Column::narrow(frame.t("Nơi nhận", "Destination")),
        Column::number(frame.t("Kho: đã vào hàng đợi", "Store: with the broker")),
        Column::number(frame.t("Kho: đang gửi", "Store: being delivered")),
        Column::number(frame.t("Hàng đợi: số tin", "Broker: messages")),
        Column::number(frame.t("Chưa xác nhận", "Unacknowledged")),
        Column::number(frame.t("Tiến trình nhận", "Consumers")),
        Column::number(frame.t("Nhận lại", "Redelivered")),
        Column::text(frame.t("Giải thích", "Explanation")),
    ];
    let row = |counts: &Counts| {
        let depth = queues.depth(&counts.destination);
        let figure = |figure: Option<u64>| {
            html! {
                @match figure { Some(figure) => (format::number(frame.language, figure)), None => (parts::NONE) }
            }
        };
        let explanation = match queues.difference(counts) {
            Some(difference) => frame.t(difference.vi(), difference.en()),
            None if depth.is_none() => frame
                .t(
                    "Hiện không hỏi được hàng đợi.",
                    "The broker cannot be asked now.",
                )
                .to_owned(),
            None => frame.t("Khớp nhau.", "They agree.").to_owned(),
        };
        vec![
            html! { a href=(format!("/destinations/{}", encoded(counts.destination.as_str()))) { (counts.destination) } },
            parts::number(frame, counts.of(DeliveryState::Sent)),
            parts::number(frame, counts.of(DeliveryState::Calling)),
            figure(depth.map(|depth| depth.messages)),
            figure(depth.map(|depth| depth.unacknowledged)),
            figure(depth.map(|depth| depth.consumers)),
            figure(depth.map(|depth| depth.redelivered)),
            html! { (explanation) },
        ]
    };
    let rows = queues.counts.iter().map(row).collect::<Vec<_>>();
    let caption = frame.t(
        "Số lượt gửi trong kho và số tin trong hàng đợi trung chuyển",
        "Deliveries in the store and messages with the broker",
    );
    layout::table(caption, &columns, &rows, no_destination(frame))
}

fn states(frame: &Frame, counts: &[Counts]) -> Markup {
    let names = DeliveryState::ALL.map(|state| words::delivery_state(frame, state));
    let mut columns = vec![Column::narrow(frame.t("Nơi nhận", "Destination"))];
    columns.extend(names.iter().map(|name| Column::number(name)));
    columns.push(Column::number(frame.t("Chờ lâu nhất", "Oldest waits")));
    let row = |counts: &Counts| {
        let mut cells = vec![html! { (counts.destination) }];
        cells.extend(DeliveryState::ALL.map(|state| state_count(frame, counts, state)));
        cells.push(html! {
            @match (counts.oldest_waiting_since, &counts.oldest_waiting) {
                (Some(since), Some(code)) => a href=(parts::dossier_path(code)) { (parts::lasted(frame, since)) },
                (Some(since), None) => (parts::lasted(frame, since)),
                (None, _) => (frame.t("không chờ", "nothing waits")),
            }
        });
        cells
    };
    let rows = counts.iter().map(row).collect::<Vec<_>>();
    let caption = frame.t(
        "Lượt gửi trong kho, theo tình trạng",
        "Deliveries in the store, by state",
    );
    layout::table(caption, &columns, &rows, no_destination(frame))
}

fn state_count(frame: &Frame, counts: &Counts, state: DeliveryState) -> Markup {
    let count = counts.of(state);
    let parked = address("/parked", [("destination", counts.destination.as_str())]);
    html! {
        @if state == DeliveryState::Parked && count > 0 {
            a href=(parked) { (format::number(frame.language, count)) }
        } @else {
            (format::number(frame.language, count))
        }
    }
}

fn no_destination(frame: &Frame) -> &'static str {
    frame.t(
        "Chưa cấu hình nơi nhận nào, nên không có hàng đợi.",
        "No destination is configured, so there is no queue.",
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lienthong_domain::{DestinationName, OperatorRole};
    use lienthong_ports::broker::QueueDepth;

    use super::*;
    use crate::pages::sample::{self, LANGUAGES, ago, has, is_harmless};

    fn queues() -> QueueState {
        QueueState {
            counts: vec![Counts {
                destination: DestinationName::parse("dvcqg").unwrap(),
                by_state: [5, 1_234, 3, 2, 9, 7, 0, 1],
                oldest_waiting_since: Some(ago(200)),
                oldest_waiting: None,
            }],
            broker: BrokerState {
                name: "rabbitmq",
                connected: false,
                blocked_since: None,
                reconnects: 4,
                last_error: Some(sample::HOSTILE.to_owned()),
                unknown_confirms: 2,
                blocked_total: Duration::from_secs(90),
            },
            topology_fault: None,
            depths: vec![QueueDepth {
                queue: "work.dvcqg".to_owned(),
                messages: 3,
                consumers: 2,
                unacknowledged: 1,
                redelivered: 0,
            }],
            now: sample::now(),
        }
    }

    #[test]
    fn store_and_broker_stand_side_by_side() {
        for language in LANGUAGES {
            let frame = sample::frame(language, OperatorRole::Viewer);
            let html = view(&frame, &queues()).into_string();
            is_harmless(&html);
            let (thousand, lost, oldest) = language.t(
                ("1.234", "Mất kết nối", "3 phút 20 giây"),
                ("1,234", "Not connected", "3 min 20 s"),
            );
            has(
                &html,
                &[
                    "dvcqg",
                    thousand,
                    lost,
                    oldest,
                    "href=\"/parked?destination=dvcqg\"",
                ],
            );
        }
    }

    #[test]
    fn a_broker_that_blocks_is_not_called_lost() {
        let mut queues = queues();
        queues.broker.blocked_since = Some(ago(30));
        for language in LANGUAGES {
            let frame = sample::frame(language, OperatorRole::Viewer);
            let html = view(&frame, &queues).into_string();
            let blocked = language.t("đang chặn gửi", "it blocks publishing");
            has(&html, &[blocked]);
        }
    }

    #[test]
    fn without_destinations_the_page_says_why_it_is_empty() {
        let frame = sample::frame(LANGUAGES[0], OperatorRole::Viewer);
        let empty = QueueState {
            counts: Vec::new(),
            ..queues()
        };
        has(
            &view(&frame, &empty).into_string(),
            &["Chưa cấu hình nơi nhận"],
        );
    }
}
