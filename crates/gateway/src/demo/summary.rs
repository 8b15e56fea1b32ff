//! What came of the run: one table for people, one JSON object for programs.

use std::collections::BTreeMap;
use std::fs;

use serde::Serialize;

use super::board::{Percentiles, State};
use super::ledger::Rest;
use super::view::grouped;

/// The figures of a run; the names are those of `--json`.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Summary {
    /// Events acknowledged to the provinces, each once.
    pub(super) accepted: u64,
    /// Of these, applied by the portal as a whole.
    pub(super) delivered: u64,
    /// Of these, given up for now.
    pub(super) parked: u64,
    /// Of these, still on their way or behind a parked one.
    pub(super) waiting: u64,
    /// Acknowledged and nowhere; `None` when the record is incomplete, since then nobody knows.
    pub(super) lost: Option<u64>,
    /// Calls that the portal applied after a later one of their dossier.
    pub(super) out_of_order: u64,
    /// Calls that the portal applied more than once.
    pub(super) duplicates_at_destination: u64,
    /// Of these, with other content.
    pub(super) conflicting_duplicates: u64,
    /// Calls that name no event, or another place than the receipt.
    pub(super) unmatched_calls: u64,
    /// Arrived though the province never saw a receipt.
    pub(super) unacknowledged: u64,
    /// Events older than one already accepted.
    pub(super) late: u64,
    /// Events refused for good.
    pub(super) refused: u64,
    /// Refusals for the moment, after which the event was sent again.
    pub(super) pushed_back: u64,
    /// Events that the gateway recognised as sent before.
    pub(super) duplicates_at_intake: u64,
    /// Repeated events that got another receipt than the first time.
    pub(super) receipt_mismatches: u64,
    /// From sending an event to its receipt.
    pub(super) accept_ms: Percentiles,
    /// From the receipt to the last call that the portal applied.
    pub(super) end_to_end_ms: Percentiles,
    /// Accepted events a second while the provinces pushed.
    pub(super) rate_per_s: f64,
    /// How long they pushed.
    pub(super) push_seconds: f64,
    /// How long the gateway went on delivering after that.
    pub(super) drain_seconds: f64,
    /// Largest resident memory of the process, gateway, portal and provinces together; `None` where
    /// the system does not tell.
    pub(super) rss_bytes_max: Option<u64>,
    /// Verifications answered, whatever the answer.
    pub(super) verified: u64,
    /// Look-ups answered with a record.
    pub(super) looked_up: u64,
    /// Questions about citizens refused: no dossier, no grant, over a quota.
    pub(super) questions_refused: u64,
    /// Questions about citizens without an answer.
    pub(super) questions_failed: u64,
    /// From a question about a citizen to its answer.
    pub(super) identity_ms: Percentiles,
    /// Records that showed a field no grant names. Must be 0.
    pub(super) disclosed_outside_grant: u64,
    /// Whether the portal's record holds every call.
    pub(super) record_complete: bool,
    /// How often the portal misbehaved, by kind.
    pub(super) portal_faults: BTreeMap<String, u64>,
    /// Provinces that pushed.
    pub(super) provinces: usize,
    /// Which broker carried the attempts.
    pub(super) broker: &'static str,
    /// Invents the same dossiers again.
    pub(super) seed: u64,
}

/// What is known beside the board.
pub(super) struct Circumstances {
    /// What had not arrived.
    pub(super) rest: Rest,
    /// Whether the record could be read as a whole.
    pub(super) record_complete: bool,
    /// How long the provinces pushed, in seconds.
    pub(super) push_seconds: f64,
    /// How long the rest took, in seconds.
    pub(super) drain_seconds: f64,
}

impl Summary {
    /// Draws the figures together; the caller adds what names the run.
    pub(super) fn of(state: &State, circumstances: &Circumstances) -> Self {
        let (tally, total) = (state.ledger.tally(), state.total());
        let Circumstances {
            rest,
            record_complete,
            push_seconds,
            drain_seconds,
        } = *circumstances;
        #[expect(clippy::cast_precision_loss, reason = "a rate is read by people")]
        let rate_per_s = if push_seconds > 0.0 {
            tally.accepted as f64 / push_seconds
        } else {
            0.0
        };
        Self {
            accepted: tally.accepted,
            delivered: tally.delivered,
            parked: rest.parked,
            waiting: rest.waiting,
            lost: record_complete.then_some(rest.lost),
            out_of_order: tally.out_of_order,
            duplicates_at_destination: tally.duplicates,
            conflicting_duplicates: tally.conflicting_duplicates,
            unmatched_calls: tally.unmatched,
            unacknowledged: rest.unacknowledged,
            late: tally.late,
            refused: total.refused,
            pushed_back: total.pushed_back,
            duplicates_at_intake: total.duplicates,
            receipt_mismatches: total.receipt_mismatches,
            accept_ms: Percentiles::of(&state.accept_us, 1_000.0),
            end_to_end_ms: Percentiles::of(state.ledger.end_to_end_ms(), 1.0),
            rate_per_s: (rate_per_s * 10.0).round() / 10.0,
            push_seconds,
            drain_seconds,
            rss_bytes_max: rss_bytes_max(),
            verified: state.citizens.verified,
            looked_up: state.citizens.looked_up,
            questions_refused: state.citizens.refused,
            questions_failed: state.citizens.failed,
            identity_ms: Percentiles::of(&state.citizens.answer_us, 1_000.0),
            disclosed_outside_grant: state.citizens.disclosed_outside_grant,
            record_complete,
            ..Self::default()
        }
    }

    /// Whether every promise was kept: nothing lost, nothing reordered, no repetition with other
    /// content, the same receipt for the same event, and nothing shown that no grant names.
    pub(super) fn is_good(&self) -> bool {
        let broken = self.out_of_order
            + self.conflicting_duplicates
            + self.receipt_mismatches
            + self.disclosed_outside_grant;
        self.lost == Some(0) && broken == 0
    }

    /// One line of JSON.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("numbers and plain names always serialise")
    }

    /// The table.
    pub(super) fn table(&self) -> String {
        let lost = self
            .lost
            .map_or_else(|| "không rõ · unknown".to_owned(), grouped);
        let rss = self
            .rss_bytes_max
            .map_or_else(|| "?".to_owned(), |bytes| format!("{} MiB", bytes >> 20));
        let mut rows = vec![
            ("Đã nhận · accepted", grouped(self.accepted)),
            ("Đã giao · delivered", grouped(self.delivered)),
            ("Tạm giữ · parked", grouped(self.parked)),
            ("Còn chờ · waiting", grouped(self.waiting)),
            ("Mất · lost", lost),
            ("Sai thứ tự · out of order", grouped(self.out_of_order)),
            (
                "Trùng ở cổng · duplicates at the portal",
                grouped(self.duplicates_at_destination),
            ),
            (
                "Gửi lặp đã nhận ra · repeats recognised",
                grouped(self.duplicates_at_intake),
            ),
            ("Đến muộn · late", grouped(self.late)),
            ("Từ chối · refused", grouped(self.refused)),
            ("Thời gian nhận · accept", percentiles(self.accept_ms)),
            (
                "Từ nhận đến cổng · end to end",
                percentiles(self.end_to_end_ms),
            ),
            ("Tốc độ · rate", format!("{:.1}/s", self.rate_per_s)),
            ("Bộ nhớ cao nhất · memory at most", rss),
        ];
        rows.extend(self.questions());
        let odd = [
            (
                "Trùng khác nội dung · conflicting duplicates",
                self.conflicting_duplicates,
            ),
            (
                "Biên nhận không khớp · receipt mismatches",
                self.receipt_mismatches,
            ),
            (
                "Cuộc gọi không khớp · unmatched calls",
                self.unmatched_calls,
            ),
            (
                "Đến nơi chưa biên nhận · unacknowledged",
                self.unacknowledged,
            ),
            (
                "Câu hỏi không có trả lời · questions failed",
                self.questions_failed,
            ),
        ];
        rows.extend(
            odd.iter()
                .filter(|(_, count)| *count > 0)
                .map(|(n, c)| (*n, grouped(*c))),
        );
        let faults: Vec<_> = self
            .portal_faults
            .iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        if !faults.is_empty() {
            rows.push(("Sự cố của cổng · portal faults", faults.join(", ")));
        }
        aligned(&rows)
    }

    /// What came of questions about citizens.
    fn questions(&self) -> [(&'static str, String); 5] {
        [
            ("Xác minh công dân · verified", grouped(self.verified)),
            ("Tra cứu công dân · looked up", grouped(self.looked_up)),
            (
                "Câu hỏi bị từ chối · questions refused",
                grouped(self.questions_refused),
            ),
            (
                "Lộ ngoài quyền · disclosed outside grant",
                grouped(self.disclosed_outside_grant),
            ),
            ("Thời gian hỏi · identity", percentiles(self.identity_ms)),
        ]
    }
}

fn aligned(rows: &[(&str, String)]) -> String {
    let widths = rows
        .iter()
        .map(|(name, _)| console::measure_text_width(name));
    let width = widths.max().unwrap_or(0);
    let line = |(name, value): &(&str, String)| {
        let name = console::pad_str(name, width, console::Alignment::Left, None);
        format!("  {name}  {value}\n")
    };
    rows.iter().map(line).collect()
}

fn percentiles(ms: Percentiles) -> String {
    match (ms.p50, ms.p99, ms.max) {
        (Some(p50), Some(p99), Some(max)) => {
            format!("p50 {p50:.1} ms · p99 {p99:.1} ms · max {max:.1} ms")
        }
        _ => "-".to_owned(),
    }
}

/// The high-water mark of resident memory. Source: proc(5), `VmHWM` in KiB.
fn rss_bytes_max() -> Option<u64> {
    kib_of(&fs::read_to_string("/proc/self/status").ok()?).map(|kib| kib << 10)
}

fn kib_of(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::demo::board::Board;

    fn summary(rest: Rest, record_complete: bool) -> Summary {
        let board = Board::new(["H21 Tỉnh Gia Lai".to_owned()].into_iter());
        let mut state = board.lock();
        state.answered_after(Duration::from_micros(2_500));
        let circumstances = Circumstances {
            rest,
            record_complete,
            push_seconds: 2.0,
            drain_seconds: 0.5,
        };
        Summary {
            broker: "embedded",
            seed: 7,
            ..Summary::of(&state, &circumstances)
        }
    }

    #[test]
    fn the_json_has_the_promised_members() {
        let value: serde_json::Value =
            serde_json::from_str(&summary(Rest::default(), true).json()).unwrap();
        let numbers = [
            "accepted",
            "delivered",
            "parked",
            "waiting",
            "lost",
            "out_of_order",
            "duplicates_at_destination",
            "rate_per_s",
            "refused",
            "duplicates_at_intake",
            "late",
            "seed",
            "verified",
            "looked_up",
            "disclosed_outside_grant",
        ];
        for name in numbers {
            assert!(value[name].is_number(), "{name}: {value}");
        }
        let p50 = value["accept_ms"]["p50"].as_f64().unwrap();
        assert!((2.4..2.6).contains(&p50), "{p50}");
        assert!(value["accept_ms"]["p99"].is_number());
        assert!(
            value["end_to_end_ms"]["p50"].is_null(),
            "nothing was measured"
        );
        assert_eq!(value["broker"], "embedded");
        #[cfg(target_os = "linux")]
        assert!(value["rss_bytes_max"].as_u64().unwrap() > 1 << 20);
    }

    #[test]
    fn only_a_complete_record_without_a_broken_promise_is_good() {
        assert!(summary(Rest::default(), true).is_good());
        assert!(
            summary(
                Rest {
                    parked: 3,
                    waiting: 2,
                    ..Rest::default()
                },
                true
            )
            .is_good()
        );
        assert!(
            !summary(
                Rest {
                    lost: 1,
                    ..Rest::default()
                },
                true
            )
            .is_good()
        );
        let unknown = summary(Rest::default(), false);
        assert!(!unknown.is_good());
        assert_eq!(unknown.lost, None);
        assert!(unknown.table().contains("không rõ"));
        let good = summary(Rest::default(), true);
        assert!(
            !Summary {
                out_of_order: 1,
                ..good.clone()
            }
            .is_good()
        );
        assert!(
            !Summary {
                conflicting_duplicates: 1,
                ..good.clone()
            }
            .is_good()
        );
        assert!(
            !Summary {
                receipt_mismatches: 1,
                ..good
            }
            .is_good()
        );
    }

    #[test]
    fn the_high_water_mark_is_read_in_kib() {
        assert_eq!(kib_of("VmPeak:\t  9 kB\nVmHWM:\t   2048 kB\n"), Some(2_048));
        assert_eq!(kib_of("VmRSS: 1 kB\n"), None);
    }
}
