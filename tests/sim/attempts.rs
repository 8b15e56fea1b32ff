//! The checker's second half: I8 (never too many calls at once) and I9 (attempts are recorded as they were
//! made, spaced as the schedule says, and not counted during an outage), and that nothing spins.

use std::collections::BTreeMap;
use std::time::Duration;

use lienthong_domain::delivery::ParkReason;
use lienthong_domain::{DeliveryId, Fence, Outcome, Timestamp};
use lienthong_ports::store::{ATTEMPTS_SHOWN_MAX, DeliveryView, Next};

use crate::drafts;
use crate::invariants::{Broken, Timelines};
use crate::ledger::{Called, Finished, Ledger};
use crate::script::{Call, Script};

/// Checks I8 and I9.
pub(crate) fn check(script: &Script, ledger: &Ledger, timelines: &Timelines, broken: &mut Broken) {
    let attempts = Attempts::of(script, ledger);
    attempts.outcomes(broken);
    attempts.outage(broken);
    attempts.overlaps(timelines, broken);
    attempts.no_hot_loop(broken);
    let deliveries = timelines
        .values()
        .flatten()
        .flat_map(|entry| &entry.deliveries);
    for delivery in deliveries {
        attempts.rows(delivery, broken);
        attempts.spacing(delivery.id, broken);
    }
}

struct Attempts<'a> {
    script: &'a Script,
    ledger: &'a Ledger,
    /// The calls of one attempt are its steps.
    calls: BTreeMap<(DeliveryId, Fence), Vec<&'a Called>>,
}

impl<'a> Attempts<'a> {
    fn of(script: &'a Script, ledger: &'a Ledger) -> Self {
        let mut calls = BTreeMap::<_, Vec<_>>::new();
        for call in &ledger.calls {
            calls
                .entry((call.delivery, call.fence))
                .or_default()
                .push(call);
        }
        Self {
            script,
            ledger,
            calls,
        }
    }

    fn finishes(&self, id: DeliveryId) -> Vec<&'a Finished> {
        self.ledger
            .finishes
            .iter()
            .filter(|finish| finish.delivery == id)
            .collect()
    }

    /// I9: what was recorded is what the destination said; no fence is called twice.
    fn outcomes(&self, broken: &mut Broken) {
        for (attempt, calls) in &self.calls {
            if !self.ledger.begins.contains(attempt) {
                broken.push(("I9", format!("{attempt:?} was called and never begun")));
            }
            if !calls.windows(2).all(|pair| pair[0].step < pair[1].step) {
                broken.push(("I9", format!("{attempt:?} took a step twice: {calls:?}")));
            }
        }
        for finish in &self.ledger.finishes {
            let last = self
                .calls
                .get(&(finish.delivery, finish.fence))
                .and_then(|calls| calls.last());
            let said = last.map(|call| self.said(call));
            if said != Some(finish.outcome.name()) {
                broken.push((
                    "I9",
                    format!("recorded {finish:?}, the destination said {said:?}"),
                ));
            }
            let counted = matches!(finish.next, Next::RetryAt { counted: true, .. });
            if counted && !matches!(finish.outcome, Outcome::Retry { .. }) {
                broken.push(("I9", format!("{finish:?} must not count")));
            }
            let delays = &self.script.delivery.retry_delays_seconds;
            let whole = u32::try_from(delays.len()).expect("a short schedule") - 1
                + self.script.delivery.retry_last_times;
            let exhausted = finish.next == Next::Park(ParkReason::Exhausted);
            if exhausted && last.is_none_or(|call| call.counted < whole) {
                broken.push((
                    "I9",
                    format!("{finish:?} after {last:?}, the schedule has {whole}"),
                ));
            }
        }
    }

    /// The name of what the worker makes of a call; one that ends with its time-out is a retry.
    fn said(&self, call: &Called) -> &'static str {
        let timeout = self.script.delivery.call_timeout();
        match (call.outcome, call.ended) {
            (Some(outcome), _) => outcome.name(),
            (None, Some(ended)) if ended >= call.begun + timeout => "retry",
            (None, _) => "abandoned",
        }
    }

    /// I9: one row per attempt begun, in order, with its outcome, or with the lease that ran out.
    fn rows(&self, delivery: &DeliveryView, broken: &mut Broken) {
        let id = delivery.id;
        let rows = &delivery.attempts;
        if rows.len() >= ATTEMPTS_SHOWN_MAX {
            return;
        }
        let begun = self
            .ledger
            .begins
            .iter()
            .filter(|(delivery, _)| *delivery == id)
            .count();
        let finishes = self.finishes(id);
        let names = finishes.iter().map(|finish| finish.outcome.name());
        let recorded = rows
            .iter()
            .map(|row| row.outcome)
            .filter(|name| *name != "lease_expired");
        let numbered = rows
            .iter()
            .map(|row| row.number)
            .eq(1..=u32::try_from(rows.len()).unwrap_or(0));
        if rows.len() != begun || !names.eq(recorded) || !numbered {
            broken.push((
                "I9",
                format!("{begun} attempts begun, recorded {rows:?}, finished {finishes:?}"),
            ));
        }
    }

    /// I9: after a failure the next call waits as long as the schedule or the destination asked.
    fn spacing(&self, id: DeliveryId, broken: &mut Broken) {
        for finish in self.finishes(id) {
            let Some(call) = self
                .calls
                .get(&(id, finish.fence))
                .and_then(|calls| calls.last())
            else {
                continue;
            };
            let after = (id, Fence(finish.fence.0 + 1))..=(id, Fence(i64::MAX));
            let Some(next) = self
                .calls
                .range(after)
                .next()
                .and_then(|(_, calls)| calls.first())
            else {
                continue;
            };
            let replayed = |(replayed, at): &(DeliveryId, Timestamp)| {
                *replayed == id && *at >= call.begun && *at <= next.begun
            };
            if self.ledger.replays.iter().any(replayed) {
                continue;
            }
            let gap =
                Duration::try_from(next.begun.duration_since(finish.ended)).unwrap_or_default();
            let counted = matches!(finish.next, Next::RetryAt { counted: true, .. });
            let least = self.least_gap(finish.outcome, call.counted);
            // Bookkeeping is in whole microseconds, timers in whole milliseconds.
            if gap + Duration::from_millis(2) < least {
                broken.push((
                    "I9",
                    format!("{finish:?} was called again after {gap:?}, least {least:?}"),
                ));
            }
            if next.counted != call.counted + u32::from(counted) {
                broken.push((
                    "I9",
                    format!("{call:?}, then {next:?}, with {finish:?} between"),
                ));
            }
        }
    }

    fn least_gap(&self, outcome: Outcome, counted: u32) -> Duration {
        let config = &self.script.delivery;
        let asked_max = Duration::from_secs(config.retry_after_seconds_max);
        let delays = &config.retry_delays_seconds;
        let (delay, after) = match outcome {
            Outcome::Retry { after, .. } => {
                (delays[(counted as usize).min(delays.len() - 1)], after)
            }
            Outcome::Overloaded { after } => (config.overload_delay_seconds, after),
            _ => return Duration::ZERO,
        };
        let delay = Duration::from_secs(delay).mul_f64(0.8);
        delay.max(after.unwrap_or_default().min(asked_max))
    }

    /// I9: an outage of hours parks nothing, and costs only the attempts that opened the breaker.
    fn outage(&self, broken: &mut Broken) {
        let Some((from_ms, to_ms)) = self.script.outage else {
            return;
        };
        let lane = &self.script.lanes[0].name;
        let from = drafts::base() + Duration::from_millis(from_ms);
        let to = drafts::base() + Duration::from_millis(to_ms);
        let within = |at: Timestamp| from <= at && at < to;
        let mut counted = 0;
        for finish in &self.ledger.finishes {
            let calls = self.calls.get(&(finish.delivery, finish.fence));
            let call = calls.and_then(|calls| calls.first());
            let Some(call) = call.filter(|call| call.lane == *lane && within(call.begun)) else {
                continue;
            };
            match finish.next {
                Next::RetryAt { counted: true, .. } => counted += 1,
                Next::Park(reason) if reason != ParkReason::CrashSuspect => {
                    broken.push((
                        "I9",
                        format!("{call:?} was parked by an outage: {reason:?}"),
                    ));
                }
                _ => {}
            }
        }
        // Each life of the gateway must find out for itself; calls from before may still succeed meanwhile.
        let crashes = self.ledger.crashes.iter().filter(|at| within(**at)).count();
        let config = &self.script.delivery;
        let most =
            (config.breaker.unanswered_in_a_row + config.concurrency_max) as usize * (1 + crashes);
        if counted > most {
            broken.push((
                "I9",
                format!("{counted} attempts counted in an outage, {most} may"),
            ));
        }
    }

    /// Claims have a cause: a tick, a failure's pause, or something that happened. A dispatcher that spins
    /// while its window is full asks a thousand times a second.
    fn no_hot_loop(&self, broken: &mut Broken) {
        let count = |call| self.ledger.counts.get(&call).copied().unwrap_or(0);
        let causes = [
            Call::Accept,
            Call::Begin,
            Call::Unclaim,
            Call::Advance,
            Call::Finish,
            Call::Expire,
        ];
        let caused = causes.into_iter().map(count).sum::<u64>() + count(Call::Operator);
        let seconds = self.ledger.elapsed().as_secs() * self.script.lanes.len() as u64;
        let (claims, most) = (count(Call::Claim), 3 * seconds + 10 * caused);
        if claims > most {
            broken.push((
                "I8",
                format!("{claims} claims in {seconds} s, {caused} causes"),
            ));
        }
    }

    /// I8: never two calls of a lane at once, nor more calls than the limit.
    fn overlaps(&self, timelines: &Timelines, broken: &mut Broken) {
        let mut dossiers = BTreeMap::new();
        for (dossier, entries) in timelines {
            let deliveries = entries.iter().flat_map(|entry| &entry.deliveries);
            dossiers.extend(deliveries.map(|delivery| (delivery.id, dossier)));
        }
        let calls = &self.ledger.calls;
        for (index, call) in calls.iter().enumerate() {
            let under_way = calls[..index].iter().filter(|earlier| {
                earlier.lane == call.lane && earlier.ended.is_none_or(|ended| ended > call.begun)
            });
            let under_way = under_way.collect::<Vec<_>>();
            let dossier = dossiers.get(&call.delivery);
            if let Some(twin) = under_way
                .iter()
                .find(|twin| dossiers.get(&twin.delivery) == dossier)
            {
                broken.push((
                    "I8",
                    format!("two calls of a lane at once: {twin:?} and {call:?}"),
                ));
            }
            if under_way.len() >= self.script.delivery.concurrency_max as usize {
                broken.push((
                    "I8",
                    format!("{} calls under way at {call:?}", under_way.len() + 1),
                ));
            }
        }
    }
}
