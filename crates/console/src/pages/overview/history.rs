//! Charts of the last hours: rates, ages and latencies, from the figures that the store keeps by the minute.

use std::collections::BTreeMap;
use std::time::Duration;

use lienthong_domain::Timestamp;
use lienthong_ports::operators::{SampleKey, SamplePoint};
use lienthong_services::Services;
use lienthong_services::overview::{DestinationFlow, Overview};
use maud::{Markup, html};

use crate::charts::{Chart, Line, Unit};
use crate::fault::PageError;
use crate::frame::Frame;
use crate::layout;
use crate::pages::params::{Params, address};
use crate::pages::parts;

/// The spans to choose from, in hours.
const HOURS: [u16; 3] = [1, 6, 24];
/// Points of a curve at most.
const POINTS_MAX: u32 = 180;

/// The figures of the charts.
pub(super) struct History {
    pub(super) hours: u16,
    /// The destination they are about; empty where there is none.
    pub(super) destination: String,
    pub(super) until: Timestamp,
    pub(super) figures: BTreeMap<SampleKey, Vec<SamplePoint>>,
}

impl History {
    pub(super) async fn read(
        services: &Services,
        frame: &Frame,
        overview: &Overview,
        params: &Params,
    ) -> Result<Self, PageError> {
        let mut history = Self {
            hours: params
                .number("hours")
                .filter(|hours| HOURS.contains(hours))
                .unwrap_or(HOURS[0]),
            destination: chosen(overview, params.get("destination")),
            until: frame.now,
            figures: BTreeMap::new(),
        };
        let (keys, since) = (history.keys(), history.since());
        let figures = services
            .figures(&frame.operator, keys, since, frame.now, POINTS_MAX)
            .await?;
        history.figures = figures.into_iter().collect();
        Ok(history)
    }

    fn since(&self) -> Timestamp {
        self.until - Duration::from_secs(3_600 * u64::from(self.hours))
    }

    fn keys(&self) -> Vec<SampleKey> {
        let of_destination = [
            "accepted_per_minute",
            "delivered_per_minute",
            "parked_per_minute",
            "oldest_age_seconds",
            "end_to_end_ms_p50",
            "end_to_end_ms_p99",
        ];
        let of_gateway = ["accept_ms_p50", "accept_ms_p99"];
        let destination = of_destination.map(|name| key(name, &self.destination));
        let gateway = of_gateway.map(|name| key(name, ""));
        destination.into_iter().chain(gateway).collect()
    }

    fn points(&self, name: &str, about: &str) -> &[SamplePoint] {
        self.figures
            .get(&key(name, about))
            .map_or(&[], Vec::as_slice)
    }

    /// The charts with the choice of hours and destination.
    pub(super) fn section(&self, frame: &Frame, overview: &Overview) -> Markup {
        let body = html! {
            (parts::tabs(frame.t("Khoảng thời gian", "Span of time"), &self.spans(frame)))
            @if overview.destinations.len() > 1 {
                (parts::tabs(frame.t("Nơi nhận của biểu đồ", "Destination of the charts"), &self.destinations(overview)))
            }
            div.grid.charts { @for chart in self.charts(frame) { (chart.render(frame.language)) } }
        };
        layout::section(frame.t("Diễn biến", "Over time"), body)
    }

    fn spans(&self, frame: &Frame) -> Vec<(String, String, bool)> {
        let tab = |hours: u16| {
            let text = hours.to_string();
            let href = address(
                "/",
                [("hours", text.as_str()), ("destination", &self.destination)],
            );
            let name = frame.t(format!("{hours} giờ qua"), format!("Last {hours} h"));
            (href, name, hours == self.hours)
        };
        HOURS.map(tab).to_vec()
    }

    fn destinations(&self, overview: &Overview) -> Vec<(String, String, bool)> {
        let hours = self.hours.to_string();
        let tab = |name: &str| {
            let href = address("/", [("hours", hours.as_str()), ("destination", name)]);
            (href, name.to_owned(), name == self.destination)
        };
        let names = overview.destinations.iter();
        names
            .map(|flow| tab(flow.state.row.name.as_str()))
            .collect()
    }

    fn charts(&self, frame: &Frame) -> [Chart; 4] {
        let to = &self.destination;
        let mean = |vi, en, name| Line::mean(frame.t(vi, en), self.points(name, to));
        let largest =
            |vi, en, name, about: &str| Line::largest(frame.t(vi, en), self.points(name, about));
        let rates = vec![
            mean("Tiếp nhận", "Accepted", "accepted_per_minute"),
            mean("Đã gửi", "Delivered", "delivered_per_minute"),
            mean("Tạm giữ", "Parked", "parked_per_minute"),
        ];
        let ages = largest("Chờ lâu nhất", "Oldest waits", "oldest_age_seconds", to);
        let delays = vec![
            mean("Trung vị", "Median", "end_to_end_ms_p50"),
            largest("p99", "p99", "end_to_end_ms_p99", to),
        ];
        let median = self.points("accept_ms_p50", "");
        let accept = vec![
            Line::mean(frame.t("Trung vị", "Median"), median),
            largest("p99", "p99", "accept_ms_p99", ""),
        ];
        let per_minute = frame.t("Trạng thái mỗi phút", "Statuses a minute");
        let age = frame.t("Trạng thái chờ lâu nhất", "Age of the oldest status");
        let delay = frame.t(
            "Từ tiếp nhận đến khi gửi xong",
            "From acceptance to delivery",
        );
        let time = frame.t("Thời gian tiếp nhận", "Time to accept");
        [
            self.chart(frame, ("rates", per_minute), Unit::PerMinute, rates),
            self.chart(frame, ("ages", age), Unit::Seconds, vec![ages]),
            self.chart(frame, ("delays", delay), Unit::Milliseconds, delays),
            self.chart(frame, ("accept", time), Unit::Milliseconds, accept),
        ]
    }

    fn chart(
        &self,
        frame: &Frame,
        (id, title): (&str, &str),
        unit: Unit,
        lines: Vec<Line>,
    ) -> Chart {
        let span = Duration::from_secs(3_600 * u64::from(self.hours));
        let empty = frame.t(
            "Chưa có số liệu: mỗi phút hệ thống ghi một lần, và chỉ khi có trạng thái qua lại.",
            "No figures yet: they are kept once a minute, and only while something flows.",
        );
        Chart {
            id: format!("chart-{id}"),
            title: title.to_owned(),
            unit,
            since: self.since(),
            until: self.until,
            interval: (span / POINTS_MAX).max(Duration::from_mins(1)),
            lines,
            empty: empty.to_owned(),
        }
    }
}

/// The destination asked for, else the one where most waits.
fn chosen(overview: &Overview, asked: &str) -> String {
    let name = |flow: &DestinationFlow| flow.state.row.name.to_string();
    let names = overview.destinations.iter();
    let known = names.clone().map(name).find(|name| name == asked);
    let busiest = || {
        names
            .max_by_key(|flow| flow.waiting + flow.parked)
            .map(name)
    };
    known.or_else(busiest).unwrap_or_default()
}

fn key(name: &str, about: &str) -> SampleKey {
    SampleKey {
        name: name.to_owned(),
        about: about.to_owned(),
    }
}
