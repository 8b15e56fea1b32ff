//! What the scenarios showed: a table for people, one object for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::checker::Tally;

/// What one scenario showed.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its name.
    pub scenario: &'static str,
    /// How often the fault came.
    pub rounds: u32,
    /// The checker's sums.
    pub tally: Tally,
    /// Acknowledged events that did not arrive.
    pub lost: usize,
    /// Faults that are none of an event, such as a parked delivery.
    pub other_faults: u64,
    /// Deliveries parked because their worker died too often, and sent again by the operator.
    pub replayed_suspects: u64,
    /// Longest time from a healing to the delivery of what was accepted after it.
    pub longest_recovery_seconds: f64,
    /// The whole scenario.
    pub took_seconds: f64,
    /// The first faults.
    pub evidence: Vec<String>,
    /// The folder with the logs, if it is kept.
    pub folder: String,
    /// What a replay showed beside.
    pub replayed: Option<Replayed>,
}

/// What a replay of many parked deliveries showed.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// Deliveries that were parked.
    pub deliveries: u64,
    /// Requests under the one key.
    pub requests: u64,
    /// Deliveries a second asked for.
    pub per_second: u32,
    /// The most that reached the portal in any second.
    pub busiest_second: usize,
    /// The most that rate, catching up and window explain.
    pub second_max: usize,
    /// From the request to empty queues, kills included.
    pub took_seconds: f64,
}

impl Replayed {
    fn json(&self) -> Value {
        json!({
            "deliveries": self.deliveries,
            "requests": self.requests,
            "per_second": self.per_second,
            "busiest_second": self.busiest_second,
            "second_max": self.second_max,
            "took_seconds": self.took_seconds,
        })
    }
}

impl Outcome {
    /// Whether everything that was promised held.
    pub fn is_good(&self) -> bool {
        let Tally {
            acknowledged,
            out_of_order,
            unequal,
            invented,
            contradictory_receipts,
            refused,
            ..
        } = self.tally;
        let faults = out_of_order
            + unequal
            + invented
            + contradictory_receipts
            + refused
            + self.other_faults;
        // A run in which nothing happened shows nothing.
        self.lost == 0 && faults == 0 && acknowledged > 0
    }

    /// Repeated calls in a million applied ones.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of a run stay far below 2^52"
    )]
    pub fn duplicates_per_million(&self) -> f64 {
        self.tally.duplicates as f64 * 1e6 / self.tally.applied.max(1) as f64
    }

    fn json(&self) -> Value {
        let tally = &self.tally;
        json!({
            "scenario": self.scenario,
            "good": self.is_good(),
            "rounds": self.rounds,
            "acknowledged": tally.acknowledged,
            "delivered": tally.delivered,
            "applied_calls": tally.applied,
            "lost": self.lost,
            "out_of_order": tally.out_of_order,
            "duplicates": tally.duplicates,
            "duplicates_per_million": self.duplicates_per_million(),
            "stale_duplicates": tally.stale_duplicates,
            "unequal_duplicates": tally.unequal,
            "invented": tally.invented,
            "contradictory_receipts": tally.contradictory_receipts,
            "refused": tally.refused,
            "refused_by_portal": tally.refused_by_portal,
            "other_faults": self.other_faults,
            "replayed_suspects": self.replayed_suspects,
            "longest_recovery_seconds": self.longest_recovery_seconds,
            "took_seconds": self.took_seconds,
            "evidence": self.evidence,
            "replayed": self.replayed.as_ref().map(Replayed::json),
        })
    }
}

/// One object with everything.
pub fn json_report(broker: &str, seed: u64, outcomes: &[Outcome]) -> Value {
    let scenarios: Vec<_> = outcomes.iter().map(Outcome::json).collect();
    json!({
        "good": outcomes.iter().all(Outcome::is_good),
        "broker": broker,
        "seed": seed,
        "scenarios": scenarios,
    })
}

/// A table, and below it the evidence of faults.
pub fn table(broker: &str, seed: u64, outcomes: &[Outcome]) -> String {
    let mut text = format!("broker {broker}, seed {seed}\n\n");
    text += "scenario       rounds  acknowledged  delivered  lost  reordered  duplicates  per million  stale  replayed  recovery s  faults\n";
    for outcome in outcomes {
        let tally = &outcome.tally;
        let faults = tally.unequal + tally.invented + tally.contradictory_receipts + tally.refused;
        writeln!(
            text,
            "{:<13} {:>7} {:>13} {:>10} {:>5} {:>10} {:>11} {:>12.0} {:>6} {:>9} {:>11.1} {:>7}",
            outcome.scenario,
            outcome.rounds,
            tally.acknowledged,
            tally.delivered,
            outcome.lost,
            tally.out_of_order,
            tally.duplicates,
            outcome.duplicates_per_million(),
            tally.stale_duplicates,
            outcome.replayed_suspects,
            outcome.longest_recovery_seconds,
            faults + outcome.other_faults,
        )
        .expect("a String takes everything");
    }
    for replayed in outcomes
        .iter()
        .filter_map(|outcome| outcome.replayed.as_ref())
    {
        writeln!(
            text,
            "\nreplay: {} deliveries by one operation of {} requests in {:.1} s; asked for {} a second, the busiest second had {} (explained: {})",
            replayed.deliveries,
            replayed.requests,
            replayed.took_seconds,
            replayed.per_second,
            replayed.busiest_second,
            replayed.second_max,
        )
        .expect("a String takes everything");
    }
    for outcome in outcomes.iter().filter(|outcome| !outcome.is_good()) {
        writeln!(text, "\n{} is NOT good:", outcome.scenario).expect("a String takes everything");
        for line in &outcome.evidence {
            writeln!(text, "  {line}").expect("a String takes everything");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(tally: Tally) -> Outcome {
        Outcome {
            scenario: "kill",
            rounds: 2,
            tally,
            lost: 0,
            other_faults: 0,
            replayed_suspects: 0,
            longest_recovery_seconds: 0.5,
            took_seconds: 3.0,
            evidence: vec!["H21.17-260801-0001/2 is missing".to_owned()],
            folder: String::new(),
            replayed: None,
        }
    }

    #[test]
    fn each_kind_of_fault_makes_a_run_bad() {
        let good = Tally {
            acknowledged: 10,
            delivered: 10,
            applied: 22,
            duplicates: 2,
            ..Tally::default()
        };
        assert!(outcome(good).is_good());
        let bad = [
            outcome(Tally::default()),
            outcome(Tally {
                out_of_order: 1,
                ..good
            }),
            outcome(Tally { unequal: 1, ..good }),
            outcome(Tally {
                invented: 1,
                ..good
            }),
            outcome(Tally {
                contradictory_receipts: 1,
                ..good
            }),
            outcome(Tally { refused: 1, ..good }),
            Outcome {
                lost: 1,
                ..outcome(good)
            },
            Outcome {
                other_faults: 1,
                ..outcome(good)
            },
        ];
        for outcome in bad {
            assert!(!outcome.is_good(), "{outcome:?}");
            assert!(table("embedded", 1, std::slice::from_ref(&outcome)).contains("is missing"));
            assert_eq!(json_report("embedded", 1, &[outcome])["good"], false);
        }
        assert!(!table("embedded", 1, &[outcome(good)]).contains("is missing"));
    }
}
