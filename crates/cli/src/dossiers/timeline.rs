//! One dossier with its history, as people read it.

use lienthong_proto::dossier::v1::{Delivery, Dossier, TimelineEntry};

use super::status;
use crate::instant::shown;
use crate::messages::word;
use crate::output::table::{Table, harmless};

/// Heading, timeline, and every attempt.
pub(super) fn told(dossier: &Dossier, entries: &[TimelineEntry]) -> String {
    let mut lines = vec![format!(
        "{}  {}  since {}",
        dossier.code,
        status(dossier.status),
        shown(dossier.occurred_at.as_ref())
    )];
    if dossier.erased_at.is_some() {
        let since = shown(dossier.erased_at.as_ref());
        lines.push(format!(
            "dữ liệu cá nhân đã xóa · personal data erased {since}"
        ));
    } else if let Some(details) = &dossier.details {
        let procedure = details.procedure_name.as_deref().unwrap_or_default();
        let code = details.procedure_code.as_deref().unwrap_or_default();
        let unit = details.handling_unit.as_deref().unwrap_or_default();
        lines.push(harmless(&format!("{code} {procedure}; {unit}")));
        lines.push(format!("due {}", shown(details.due_at.as_ref())));
    }
    lines.push(String::new());
    lines.push(timeline(entries).render(false));
    let attempts = attempts(entries);
    if let Some(attempts) = attempts {
        lines.push(String::new());
        lines.push(attempts.render(false));
    }
    lines.join("\n")
}

fn timeline(entries: &[TimelineEntry]) -> Table {
    let mut table = Table::new(&[">", "status", "occurred", "accepted", "unit", "deliveries"]);
    for entry in entries {
        let late = if entry.late { " (late)" } else { "" };
        let unit = entry.progress.as_ref().map(|line| line.unit_name.clone());
        let deliveries: Vec<_> = entry.deliveries.iter().map(delivery).collect();
        table.row([
            entry.dossier_sequence.to_string(),
            format!("{}{late}", status(entry.status)),
            shown(entry.occurred_at.as_ref()),
            shown(entry.accepted_at.as_ref()),
            unit.unwrap_or_default(),
            deliveries.join(", "),
        ]);
    }
    table
}

fn delivery(delivery: &Delivery) -> String {
    let state = word(delivery.state().as_str_name(), "DELIVERY_STATE_");
    let next = delivery.next_attempt_at.as_ref();
    match (delivery.parked_reason.as_str(), next) {
        ("", None) => format!("{} {state}", delivery.destination),
        ("", next) => format!("{} {state}, next {}", delivery.destination, shown(next)),
        (reason, _) => format!("{} {state}: {reason}", delivery.destination),
    }
}

/// `None` when nothing was attempted yet.
fn attempts(entries: &[TimelineEntry]) -> Option<Table> {
    let heading = [
        ">",
        "destination",
        ">attempt",
        "at",
        ">ms",
        "outcome",
        "answer",
        "said",
    ];
    let mut table = Table::new(&heading);
    let mut is_empty = true;
    for entry in entries {
        for delivery in &entry.deliveries {
            for attempt in &delivery.attempts {
                is_empty = false;
                let duration = attempt.duration.as_ref();
                let ms =
                    duration.map(|told| told.seconds * 1_000 + i64::from(told.nanos) / 1_000_000);
                let http = attempt.http_status.map(|status| format!("HTTP {status} "));
                table.row([
                    entry.dossier_sequence.to_string(),
                    delivery.destination.clone(),
                    attempt.number.to_string(),
                    shown(attempt.started_at.as_ref()),
                    ms.map_or_else(|| "-".to_owned(), |ms| ms.to_string()),
                    word(attempt.outcome().as_str_name(), "ATTEMPT_OUTCOME_"),
                    format!("{}{}", http.unwrap_or_default(), attempt.answer_code),
                    attempt.message.clone(),
                ]);
            }
        }
    }
    (!is_empty).then_some(table)
}

#[cfg(test)]
mod tests {
    use lienthong_proto::dossier::v1::{
        Attempt, AttemptOutcome, DeliveryState, DossierDetails, DossierStatus, ProgressLine,
    };
    use prost_types::{Duration, Timestamp};
    use unicode_normalization::UnicodeNormalization as _;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp {
            seconds: 1_724_374_800 + seconds,
            nanos: 0,
        }
    }

    fn entry(sequence: i64, status: DossierStatus, unit: String) -> TimelineEntry {
        let attempt = Attempt {
            number: 1,
            started_at: Some(at(2)),
            duration: Some(Duration {
                seconds: 0,
                nanos: 41_000_000,
            }),
            outcome: AttemptOutcome::Delivered.into(),
            answer_code: "0".into(),
            http_status: Some(200),
            ..Attempt::default()
        };
        TimelineEntry {
            dossier_sequence: sequence,
            status: status.into(),
            occurred_at: Some(at(0)),
            accepted_at: Some(at(1)),
            late: sequence == 2,
            progress: Some(ProgressLine {
                unit_name: unit,
                ..ProgressLine::default()
            }),
            deliveries: vec![Delivery {
                destination: "dvcqg".into(),
                state: DeliveryState::Done.into(),
                attempts: vec![attempt],
                ..Delivery::default()
            }],
            ..TimelineEntry::default()
        }
    }

    #[test]
    fn a_timeline_aligns_whatever_the_form_of_its_letters() {
        let dossier = Dossier {
            code: "H56.14-240823-0001".into(),
            status: 9,
            occurred_at: Some(at(0)),
            details: Some(DossierDetails {
                procedure_code: Some("1.001193".into()),
                procedure_name: Some("Đăng ký khai sinh".into()),
                handling_unit: Some("UBND phường Hạc Thành".into()),
                ..DossierDetails::default()
            }),
            ..Dossier::default()
        };
        let entries = [
            entry(
                1,
                DossierStatus::Accepted,
                "UBND phường Hạc Thành".nfd().collect(),
            ),
            entry(2, DossierStatus::Processing, "Phòng Tư pháp".into()),
        ];
        let shown: String = told(&dossier, &entries).nfc().collect();
        let expected = "\
H56.14-240823-0001  9 Đã xử lý xong  since 23/08/2024 08:00:00
1.001193 Đăng ký khai sinh; UBND phường Hạc Thành
due -

   status               occurred             accepted             unit                   deliveries
1  2 Được tiếp nhận     23/08/2024 08:00:00  23/08/2024 08:00:01  UBND phường Hạc Thành  dvcqg done
2  4 Đang xử lý (late)  23/08/2024 08:00:00  23/08/2024 08:00:01  Phòng Tư pháp          dvcqg done

   destination  attempt  at                   ms  outcome    answer      said
1  dvcqg              1  23/08/2024 08:00:02  41  delivered  HTTP 200 0
2  dvcqg              1  23/08/2024 08:00:02  41  delivered  HTTP 200 0";
        assert_eq!(shown, expected);
    }
}
