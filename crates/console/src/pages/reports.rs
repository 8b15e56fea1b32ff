//! Reports by day or month and province: a page that prints, and the same as CSV and JSON.

mod files;
mod tables;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use jiff::civil::Date;
use lienthong_domain::code::RootCode;
use lienthong_domain::{Faults, Reason, time};
use lienthong_ports::operators::Span;
use lienthong_services::report::{OVERDUE_WORKING_HOURS_MAX, Report, ReportRequest};
use maud::{Markup, html};

use super::form::{self, Faulty, Field};
use super::params::{Params, address};
use super::parts;
use crate::Shared;
use crate::fault::PageError;
use crate::format;
use crate::frame::Frame;
use crate::layout::{self, Button};

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/reports", get(show))
        .route("/reports.csv", get(csv))
        .route("/reports.json", get(json))
}

async fn show(
    State(console): State<Shared>,
    frame: Frame,
    Query(params): Query<Params>,
) -> Result<Response, PageError> {
    let data = Data::read(&console, &frame, &params).await?;
    let title = frame.t("Báo cáo", "Reports");
    let body = view(&frame, &data);
    Ok(layout::page_with(data.faulty.status(), &frame, title, body))
}

async fn csv(
    State(console): State<Shared>,
    frame: Frame,
    Query(params): Query<Params>,
) -> Result<Response, PageError> {
    let data = Data::read(&console, &frame, &params).await?;
    let report = data.report.as_ref().ok_or(PageError::NotFound)?;
    Ok(files::csv(report))
}

async fn json(
    State(console): State<Shared>,
    frame: Frame,
    Query(params): Query<Params>,
) -> Result<Response, PageError> {
    let data = Data::read(&console, &frame, &params).await?;
    let report = data.report.as_ref().ok_or(PageError::NotFound)?;
    Ok(files::json(report))
}

/// What is asked for, as typed.
#[derive(Clone, Debug)]
struct Typed {
    /// `day` or `month`.
    period: String,
    day: String,
    root: String,
    /// Working hours ahead within which a dossier is due soon.
    hours: String,
}

impl Typed {
    fn read(params: &Params, today: Date) -> Self {
        let or = |name, default: &str| match params.get(name) {
            "" => default.to_owned(),
            typed => typed.to_owned(),
        };
        Self {
            period: or("period", "day"),
            day: or("day", &today.to_string()),
            root: params.text("root"),
            hours: or("hours", "8"),
        }
    }

    fn request(&self) -> Result<ReportRequest, Faults> {
        let mut faults = Faults::new();
        let day = self.day.parse::<Date>().map_err(|_| Reason::NotADate);
        let day = faults.check("day", day).unwrap_or_default();
        let days = match self.period.as_str() {
            "month" => Span {
                first: day.first_of_month(),
                last: day.last_of_month(),
            },
            _ => Span {
                first: day,
                last: day,
            },
        };
        let root = form::optional(&mut faults, "root", &self.root, RootCode::parse);
        let hours = self.hours.parse::<u32>().ok();
        let hours = hours.filter(|hours| (1..=OVERDUE_WORKING_HOURS_MAX).contains(hours));
        let hours = faults.check(
            "hours",
            hours.ok_or_else(|| Reason::OutOfRange {
                min: 1,
                max: OVERDUE_WORKING_HOURS_MAX.into(),
            }),
        );
        faults.into_result(ReportRequest {
            days,
            root: root.map(|root| root.to_string()),
            overdue_working_hours: hours.unwrap_or_default(),
            dossiers_max: 0,
        })
    }

    fn address(&self, path: &str) -> String {
        let pairs = [
            ("period", &self.period),
            ("day", &self.day),
            ("root", &self.root),
            ("hours", &self.hours),
        ];
        address(path, pairs.map(|(name, value)| (name, value.as_str())))
    }
}

/// What the page shows.
struct Data {
    typed: Typed,
    faulty: Faulty,
    /// `None` where the form is faulty.
    report: Option<Report>,
}

impl Data {
    async fn read(console: &Shared, frame: &Frame, params: &Params) -> Result<Self, PageError> {
        let typed = Typed::read(params, time::local_date(frame.now));
        let request = match typed.request() {
            Ok(request) => request,
            Err(faults) => {
                return Ok(Self {
                    typed,
                    faulty: Faulty::of(&faults),
                    report: None,
                });
            }
        };
        let report = console.services.report(&frame.operator, request).await?;
        Ok(Self {
            typed,
            faulty: Faulty::default(),
            report: Some(report),
        })
    }
}

fn view(frame: &Frame, data: &Data) -> Markup {
    html! {
        (form::told(frame, &data.faulty))
        (choice(frame, data))
        @if let Some(report) = &data.report {
            p.prose { (sentence(frame, report)) }
            (layout::actions(html! {
                (layout::link_button(Button::Plain, &data.typed.address("/reports.csv"), frame.t("Tải CSV", "Download CSV")))
                (layout::link_button(Button::Plain, &data.typed.address("/reports.json"), frame.t("Tải JSON", "Download JSON")))
            }))
            (layout::section(frame.t("Theo tỉnh và nơi nhận", "By province and destination"), tables::rows(frame, report)))
            (layout::section(frame.t("Gửi chậm nhất", "Slowest deliveries"), tables::slow(frame, report)))
            (layout::section(frame.t("Quá hạn hoặc sắp đến hạn, chưa gửi xong", "Past due or due soon, not delivered"), tables::overdue(frame, report)))
        }
    }
}

fn choice(frame: &Frame, data: &Data) -> Markup {
    let (typed, faulty) = (&data.typed, &data.faulty);
    let periods = [
        ("day", frame.t("Một ngày", "One day")),
        (
            "month",
            frame.t("Cả tháng của ngày đó", "The whole month of that day"),
        ),
    ];
    let provinces = parts::province_choices(frame);
    layout::filter(
        "/reports",
        html! {
            (Field::new("day", frame.t("Ngày", "Day"), &typed.day).day(frame, faulty))
            (Field::new("period", frame.t("Kỳ báo cáo", "Period"), &typed.period).choice(frame, faulty, periods))
            (Field::new("root", frame.t("Tỉnh, thành phố", "Province"), &typed.root).choice(frame, faulty, provinces))
            (Field::new("hours", frame.t("Sắp đến hạn trong (giờ làm việc)", "Due soon within (working hours)"), &typed.hours)
                .number(frame, faulty, 1, OVERDUE_WORKING_HOURS_MAX))
            (layout::actions(layout::button(Button::Main, frame.t("Xem báo cáo", "Show the report"))))
        },
    )
}

/// The report in one sentence, over all destinations.
fn sentence(frame: &Frame, report: &Report) -> String {
    let sums = report.rows.iter().filter(|row| row.root.is_none());
    let (mut accepted, mut delivered, mut parked) = (0, 0, 0);
    for sum in sums {
        accepted += sum.accepted;
        delivered += sum.delivered;
        parked += sum.parked;
    }
    let number = |value| format::number(frame.language, value);
    let (accepted, delivered, parked) = (number(accepted), number(delivered), number(parked));
    let days = days(frame, report);
    let made = format::instant(report.made_at);
    frame.t(
        format!("{days}: tiếp nhận {accepted}, đã gửi {delivered}, tạm giữ {parked} lượt. Số liệu lúc {made}."),
        format!("{days}: {accepted} accepted, {delivered} delivered, {parked} parked. As of {made}."),
    )
}

fn days(frame: &Frame, report: &Report) -> String {
    let (first, last) = (
        format::date(report.days.first),
        format::date(report.days.last),
    );
    if first == last {
        frame.t(format!("Ngày {first}"), first)
    } else {
        frame.t(
            format!("Từ {first} đến {last}"),
            format!("{first} to {last}"),
        )
    }
}

#[cfg(test)]
mod tests;
