//! Reports per day, destination and province, from counts that the transactions themselves kept.

use std::collections::BTreeMap;
use std::time::Duration;

use lienthong_domain::code::RootCode;
use lienthong_domain::{DestinationName, Operator, OperatorRole, Reason, Timestamp};
use lienthong_ports::operators::{DayFlow, DelayHistogram, OverdueDossier, SlowDossier, Span};

use crate::Services;
use crate::error::Error;
use crate::operators::{invalid, require};

/// Most days of one report.
pub const DAYS_MAX: i32 = 366;
/// Working hours within which a dossier is due soon, unless the request says otherwise.
pub const OVERDUE_WORKING_HOURS_DEFAULT: u32 = 8;
/// Most working hours that may be asked for: two weeks.
pub const OVERDUE_WORKING_HOURS_MAX: u32 = 80;
/// Dossiers of each list per province, unless the request says otherwise.
pub const DOSSIERS_DEFAULT: usize = 10;
/// Most dossiers of each list per province.
pub const DOSSIERS_MAX: usize = 100;

/// Which days, and how much of them.
#[derive(Clone, Debug)]
pub struct ReportRequest {
    /// The days in Vietnam's time, at most [`DAYS_MAX`].
    pub days: Span,
    /// Only this root of agency codes.
    pub root: Option<String>,
    /// Dossiers due within so many working hours are due soon; 0 takes the default.
    pub overdue_working_hours: u32,
    /// Dossiers of each list per province; 0 takes the default.
    pub dossiers_max: usize,
}

/// A report.
#[derive(Clone, Debug)]
pub struct Report {
    /// When it was made.
    pub made_at: Timestamp,
    /// Of which days.
    pub days: Span,
    /// Until when a dossier must be due to be listed: so many working hours after `made_at`.
    pub due_until: Timestamp,
    /// One per destination and province, then one per destination for all of them.
    pub rows: Vec<ReportRow>,
    /// The slowest deliveries.
    pub slow: Vec<SlowDossier>,
    /// Dossiers past due or due soon, as of now, of which something is not delivered.
    pub overdue: Vec<OverdueDossier>,
}

/// A line of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    /// The destination.
    pub destination: DestinationName,
    /// The root of agency codes; `None` for the sum over all.
    pub root: Option<String>,
    /// Events accepted.
    pub accepted: u64,
    /// Deliveries made.
    pub delivered: u64,
    /// Deliveries parked; one that is parked twice counts twice.
    pub parked: u64,
    /// Attempts put off.
    pub retried: u64,
    /// Deliveries discarded or superseded.
    pub given_up: u64,
    /// From acceptance to delivery.
    pub delays: DelayHistogram,
}

impl ReportRow {
    fn empty(destination: DestinationName, root: Option<String>) -> Self {
        Self {
            destination,
            root,
            accepted: 0,
            delivered: 0,
            parked: 0,
            retried: 0,
            given_up: 0,
            delays: DelayHistogram::default(),
        }
    }

    fn add(&mut self, flow: &DayFlow) {
        self.accepted += flow.accepted;
        self.delivered += flow.delivered;
        self.parked += flow.parked;
        self.retried += flow.retried;
        self.given_up += flow.given_up;
        self.delays.merge(&flow.delays);
    }

    /// The median from acceptance to delivery, at most 20 % too high; `None` when nothing was delivered.
    pub fn delay_p50(&self) -> Option<Duration> {
        self.delays.quantile(0.5)
    }

    /// The 99th percentile.
    pub fn delay_p99(&self) -> Option<Duration> {
        self.delays.quantile(0.99)
    }
}

impl Services {
    /// The report of some days.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, `INVALID_FIELDS` for days out of order or too many, or those of the store.
    pub async fn report(
        &self,
        operator: &Operator,
        request: ReportRequest,
    ) -> Result<Report, Error> {
        require(operator, OperatorRole::Viewer)?;
        let (hours, dossiers) = check(&request)?;
        let ReportRequest { days, root, .. } = request;
        let made_at = self.clock.now();
        let working = Duration::from_secs(u64::from(hours) * 3_600);
        let due_until = self.config.calendar().after(made_at, working);
        let mut flows = self.operators.day_flows(days).await?;
        if let Some(root) = &root {
            flows.retain(|flow| flow.root == *root);
        }
        let slow = self
            .operators
            .slow_dossiers(days, root.clone(), dossiers)
            .await?;
        let overdue = self
            .operators
            .overdue_dossiers(due_until, root, dossiers)
            .await?;
        Ok(Report {
            made_at,
            days,
            due_until,
            rows: rows(&flows),
            slow,
            overdue,
        })
    }
}

/// The bounds of a request, with its defaults filled in.
fn check(request: &ReportRequest) -> Result<(u32, usize), Error> {
    let Span { first, last } = request.days;
    if last < first {
        return Err(invalid(
            "last_day",
            Reason::BeforeOther { other: "first_day" },
        ));
    }
    let days = first.until(last).map_or(i32::MAX, |span| span.get_days());
    if days >= DAYS_MAX {
        let (min, max) = (1, DAYS_MAX.into());
        return Err(invalid("last_day", Reason::OutOfRange { min, max }));
    }
    if let Some(root) = &request.root {
        RootCode::parse(root).map_err(|reason| invalid("root_code", reason))?;
    }
    let hours = match request.overdue_working_hours {
        0 => OVERDUE_WORKING_HOURS_DEFAULT,
        asked @ 1..=OVERDUE_WORKING_HOURS_MAX => asked,
        _ => {
            let (min, max) = (0, OVERDUE_WORKING_HOURS_MAX.into());
            return Err(invalid(
                "overdue_working_hours",
                Reason::OutOfRange { min, max },
            ));
        }
    };
    let dossiers = match request.dossiers_max {
        0 => DOSSIERS_DEFAULT,
        asked @ 1..=DOSSIERS_MAX => asked,
        _ => {
            let (min, max) = (0, DOSSIERS_MAX.try_into().unwrap_or(i64::MAX));
            return Err(invalid("dossiers_max", Reason::OutOfRange { min, max }));
        }
    };
    Ok((hours, dossiers))
}

/// One row per destination and province, by name, then one per destination for all of them.
fn rows(flows: &[DayFlow]) -> Vec<ReportRow> {
    let mut parts = BTreeMap::new();
    let mut sums = BTreeMap::new();
    for flow in flows {
        let name = &flow.destination;
        let part = (name.clone(), flow.root.clone());
        parts
            .entry(part)
            .or_insert_with(|| ReportRow::empty(name.clone(), Some(flow.root.clone())))
            .add(flow);
        sums.entry(name.clone())
            .or_insert_with(|| ReportRow::empty(name.clone(), None))
            .add(flow);
    }
    parts.into_values().chain(sums.into_values()).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::*;

    fn flow(day: Date, root: &str, delivered: u64, delay_ms: u64) -> DayFlow {
        let mut delays = DelayHistogram::default();
        let bucket = DelayHistogram::bucket(Duration::from_millis(delay_ms));
        delays.add(bucket, delivered);
        DayFlow {
            day,
            destination: DestinationName::parse("dvcqg").unwrap(),
            root: root.to_owned(),
            accepted: delivered + 1,
            delivered,
            parked: 1,
            retried: 2,
            given_up: 0,
            delays,
        }
    }

    #[test]
    fn days_add_up_to_a_row_per_province_and_a_sum() {
        let flows = [
            flow(date(2026, 11, 20), "H56", 100, 1_000),
            flow(date(2026, 11, 20), "H21", 98, 10),
            flow(date(2026, 11, 21), "H56", 1, 60_000),
        ];
        let rows = rows(&flows);
        let told = rows.iter().map(|row| {
            let root = row.root.as_deref().unwrap_or("all");
            (root, row.accepted, row.delivered, row.parked, row.retried)
        });
        let expected = [
            ("H21", 99, 98, 1, 2),
            ("H56", 103, 101, 2, 4),
            ("all", 202, 199, 3, 6),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
        let within = |found: Option<Duration>, ms: u64| {
            let found = found.unwrap().as_secs_f64() * 1_000.0;
            let least = Duration::from_millis(ms).as_secs_f64() * 1_000.0;
            assert!(
                (least..=least * 1.2001).contains(&found),
                "{found} for {ms}"
            );
        };
        within(rows[1].delay_p50(), 1_000);
        within(rows[1].delay_p99(), 1_000);
        within(rows[2].delay_p99(), 1_000);
        assert_eq!(
            ReportRow::empty(rows[0].destination.clone(), None).delay_p50(),
            None
        );
    }

    #[test]
    fn requests_have_bounds_and_defaults() {
        let request = |first, last| ReportRequest {
            days: Span { first, last },
            root: None,
            overdue_working_hours: 0,
            dossiers_max: 0,
        };
        let day = date(2026, 1, 1);
        assert_eq!(check(&request(day, day)).unwrap(), (8, 10));
        assert!(check(&request(day, date(2027, 1, 1))).is_ok(), "366 days");
        let faulty = [
            (request(day, date(2027, 1, 2)), "last_day"),
            (request(date(2026, 1, 2), day), "last_day"),
            (
                ReportRequest {
                    overdue_working_hours: 81,
                    ..request(day, day)
                },
                "overdue_working_hours",
            ),
            (
                ReportRequest {
                    dossiers_max: 101,
                    ..request(day, day)
                },
                "dossiers_max",
            ),
            (
                ReportRequest {
                    root: Some("Gia Lai".to_owned()),
                    ..request(day, day)
                },
                "root_code",
            ),
        ];
        for (request, field) in faulty {
            let error = check(&request).expect_err(field);
            let named = error.faults.iter().map(|fault| fault.field.as_str());
            assert_eq!(named.collect::<Vec<_>>(), [field]);
        }
    }
}
