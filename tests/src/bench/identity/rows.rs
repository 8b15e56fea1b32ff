//! What the figures are called and what they should be.

use super::stage::CONNECTIONS;
use super::{Load, Met, Phase};
use crate::bench::median;
use crate::bench::report::{Aim, Grid, Line, Row};

/// The caller count at which throughput is judged.
const CALLERS_JUDGED: usize = 32;

/// Everything that was measured, a column for each number of callers.
pub(super) fn grid(loads: &[Load], taken: &[Vec<Phase>]) -> Grid {
    let middles = |read: &dyn Fn(&Phase) -> f64| -> Vec<f64> {
        let columns = 0..loads.len();
        columns
            .map(|index| median(taken.iter().map(|phases| read(&phases[index]))))
            .collect()
    };
    let mut lines = Vec::new();
    let mut add = |name, label, unit, read: &dyn Fn(&Phase) -> f64| {
        let values = middles(read);
        // Without nginx its lines would be empty.
        if values.iter().any(|value| value.is_finite()) {
            lines.push(Line {
                name,
                label,
                unit,
                values,
            });
        }
    };
    let nginx =
        |read: fn(&Met) -> f64| move |phase: &Phase| phase.nginx.as_ref().map_or(f64::NAN, read);
    add("adapter_rate", "adapter called directly", "/s", &|phase| {
        phase.adapter.latency.calls_per_second
    });
    add(
        "nginx_rate",
        "nginx",
        "/s",
        &nginx(|met| met.latency.calls_per_second),
    );
    add("gateway_rate", "gateway", "/s", &|phase| {
        phase.gateway.latency.calls_per_second
    });
    add("record_rate", "usage record alone", "/s", &|phase| {
        phase.record.calls_per_second
    });
    add(
        "adapter_p50",
        "p50, adapter called directly",
        "ms",
        &|phase| phase.adapter.latency.p50_ms,
    );
    add(
        "nginx_p50",
        "p50, nginx",
        "ms",
        &nginx(|met| met.latency.p50_ms),
    );
    add("gateway_p50", "p50, gateway", "ms", &|phase| {
        phase.gateway.latency.p50_ms
    });
    add("record_p50", "p50, usage record alone", "ms", &|phase| {
        phase.record.p50_ms
    });
    add(
        "without_record_p50",
        "p50, gateway less usage record",
        "ms",
        &without_record,
    );
    add(
        "adapter_p99",
        "p99, adapter called directly",
        "ms",
        &|phase| phase.adapter.latency.p99_ms,
    );
    add(
        "nginx_p99",
        "p99, nginx",
        "ms",
        &nginx(|met| met.latency.p99_ms),
    );
    add("gateway_p99", "p99, gateway", "ms", &|phase| {
        phase.gateway.latency.p99_ms
    });
    add("record_p99", "p99, usage record alone", "ms", &|phase| {
        phase.record.p99_ms
    });
    add(
        "nginx_us",
        "processor time of a question, nginx",
        "us",
        &nginx(|met| met.door_us),
    );
    add(
        "gateway_us",
        "processor time of a question, gateway",
        "us",
        &|phase| phase.gateway.door_us,
    );
    add("adapter_us", "  adapter, called directly", "us", &|phase| {
        phase.adapter.adapter_us
    });
    add(
        "adapter_nginx_us",
        "  adapter, behind nginx",
        "us",
        &nginx(|met| met.adapter_us),
    );
    add(
        "adapter_gateway_us",
        "  adapter, behind the gateway",
        "us",
        &|phase| phase.gateway.adapter_us,
    );
    add(
        "load_us",
        "  load generator, at the gateway",
        "us",
        &|phase| phase.gateway.load_us,
    );
    add("group", "usage records per commit", "", &|phase| {
        phase.group
    });
    Grid {
        heads: loads.iter().map(|load| callers(load.callers)).collect(),
        lines,
    }
}

/// The gateway beside its counterparts; with `aims` what should come out.
pub(super) fn ratios(loads: &[Load], taken: &[Vec<Phase>], aims: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for (index, load) in loads.iter().enumerate() {
        let names = match load.callers {
            1 => ["ratio_1", "ratio_adapter_1", "added_p50_1"],
            8 => ["ratio_8", "ratio_adapter_8", "added_p50_8"],
            _ => ["ratio_32", "ratio_adapter_32", "added_p50_32"],
        };
        let middle =
            |read: fn(&Phase) -> f64| median(taken.iter().map(|phases| read(&phases[index])));
        let mut add = |name, label: &str, value: f64, unit, aim: Option<Aim>| {
            let label = format!("{:>10}: {label}", callers(load.callers));
            let row = Row::new(name, label, value, unit);
            rows.push(match aim.filter(|_| aims) {
                Some(aim) => row.aim(aim),
                None => row,
            });
        };
        let nginx =
            middle(|phase| rate(&phase.gateway) / phase.nginx.as_ref().map_or(f64::NAN, rate));
        if nginx.is_finite() {
            let aim = (load.callers == CALLERS_JUDGED).then_some(Aim::AtLeast(0.8));
            add(names[0], "throughput, gateway / nginx", nginx, "", aim);
        }
        let adapter = middle(|phase| rate(&phase.gateway) / rate(&phase.adapter));
        add(
            names[1],
            "throughput, gateway / adapter called directly",
            adapter,
            "",
            None,
        );
        let added = middle(|phase| {
            let nginx = phase.nginx.as_ref();
            without_record(phase) - nginx.map_or(f64::NAN, |met| met.latency.p50_ms)
        });
        if added.is_finite() {
            let label = "p50, gateway less usage record less nginx";
            add(names[2], label, added, "ms", Some(Aim::Below(0.5)));
        }
    }
    rows
}

/// What a reader must know to judge the figures.
pub(super) fn notes(taken: &[Vec<Phase>], seen: Option<u64>) -> Vec<String> {
    let mut notes = vec![
        format!(
            "each caller has one question at a time, at most {CONNECTIONS} connections; different citizens, true claims, an official \
             per caller, a purpose without dossier; TLS 1.3 with certificates on both sides of every hop"
        ),
        "load generator, gateway or nginx, adapter and disk share the same cores: with all of them busy, throughput is \
         the inverse of the processor time of all, and p50 follows from it"
            .to_owned(),
        "usage record alone: IdentityStore::record_usage of single rows by as many callers on the same disk, nothing \
         else running; the product has no mode without it"
            .to_owned(),
    ];
    if let Some(seen) = seen {
        notes.push(format!(
            "questions asked: {seen} in a repetition; questions seen by the adapter: {seen}"
        ));
    }
    if taken.iter().flatten().all(|phase| phase.nginx.is_none()) {
        notes.push("nginx is not installed, so nothing was measured through it".to_owned());
    }
    notes
}

fn rate(met: &Met) -> f64 {
    met.latency.calls_per_second
}

fn without_record(phase: &Phase) -> f64 {
    phase.gateway.latency.p50_ms - phase.record.p50_ms
}

fn callers(count: usize) -> String {
    format!("{count} caller{}", if count == 1 { "" } else { "s" })
}
