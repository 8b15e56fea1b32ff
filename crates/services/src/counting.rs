//! Counts what became of pushed statuses.

use std::time::Duration;

use lienthong_domain::code::RootCode;
use lienthong_domain::{StatusEvent, Timestamp};
use lienthong_ports::store::Receipt;
use lienthong_telemetry::metrics::IntakeMetrics;

use crate::error::Error;

/// What is counted of an event, kept while the event itself goes to the store.
pub(crate) struct Facts {
    root: RootCode,
    pub(crate) occurred_at: Timestamp,
}

impl Facts {
    pub(crate) fn of(event: &StatusEvent) -> Self {
        Self {
            root: event.dossier.agency().root(),
            occurred_at: event.occurred_at,
        }
    }
}

/// Counts the answers to a group of events, same order, that took so long.
pub(crate) fn count(
    metrics: &IntakeMetrics,
    facts: &[Facts],
    answers: &[Result<Receipt, Error>],
    took: Duration,
) {
    if facts.is_empty() {
        return;
    }
    metrics.accept_seconds.observe_time(took);
    for (facts, answer) in facts.iter().zip(answers) {
        match answer {
            Ok(receipt) if receipt.duplicate => {
                metrics.repeated.inc();
            }
            Ok(receipt) => {
                let late = receipt.accepted_at.duration_since(facts.occurred_at);
                // A sender's clock may be a little ahead of ours.
                let late = Duration::try_from(late).unwrap_or_default();
                metrics.accept(facts.root.as_str(), late);
            }
            Err(error) => metrics.refuse(error.code, 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use lienthong_domain::{DossierCode, ErrorCode, EventId};
    use lienthong_telemetry::metrics::{Format, Metrics};

    use super::*;

    fn receipt(duplicate: bool) -> Receipt {
        Receipt {
            event_id: EventId::from_bytes([0; 16]),
            dossier: DossierCode::parse("H21.17-240823-0001").unwrap(),
            sequence: 1,
            accepted_at: Timestamp::UNIX_EPOCH + Duration::from_secs(1_000),
            duplicate,
            late: false,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn each_answer_is_counted_once_and_where_it_belongs() {
        let metrics = Metrics::default();
        let facts = |seconds| Facts {
            root: RootCode::parse("H21").unwrap(),
            occurred_at: Timestamp::UNIX_EPOCH + Duration::from_secs(seconds),
        };
        let facts = [facts(100), facts(2_000), facts(0), facts(0)];
        let refused = Err(Error::new(ErrorCode::AgencyNotGranted));
        let answers = [
            Ok(receipt(false)),
            Ok(receipt(false)),
            Ok(receipt(true)),
            refused,
        ];
        count(&metrics.intake, &facts, &answers, Duration::from_millis(2));
        let text = metrics.render(Format::Text);
        for line in [
            "lienthong_statuses_accepted_total{province=\"H21\"} 2",
            "lienthong_status_lateness_seconds_sum{province=\"H21\"} 900.0",
            "lienthong_statuses_repeated_total 1",
            "lienthong_statuses_refused_total{reason=\"AGENCY_NOT_GRANTED\"} 1",
            "lienthong_accept_duration_seconds_count 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}");
        }
    }
}
