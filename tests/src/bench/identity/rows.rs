//! What the figures are called and what they should be.

use super::stage::CONNECTIONS;
use super::{Load, Met, Phase};
use crate::bench::median;
use crate::bench::report::{Aim, Grid, Line, Row};

/// The caller count at which throughput is judged.
const CALLERS_JUDGED: usize = 32;

/// Stable name, label, unit, and where it stands.
type Figure = (&'static str, &'static str, &'static str, fn(&Phase) -> f64);

/// Everything that is measured of one number of callers.
const FIGURES: [Figure; 23] = [
    ("adapter_rate", "adapter called directly", "/s", |phase| {
        rate(&phase.adapter)
    }),
    ("nginx_rate", "nginx", "/s", |phase| nginx(phase, rate)),
    ("gateway_rate", "gateway", "/s", |phase| {
        rate(&phase.gateway)
    }),
    ("record_rate", "usage record alone", "/s", |phase| {
        phase.record.calls_per_second
    }),
    (
        "adapter_p50",
        "p50, adapter called directly",
        "ms",
        |phase| p50(&phase.adapter),
    ),
    ("nginx_p50", "p50, nginx", "ms", |phase| nginx(phase, p50)),
    ("gateway_p50", "p50, gateway", "ms", |phase| {
        p50(&phase.gateway)
    }),
    ("record_p50", "  usage record alone", "ms", |phase| {
        phase.record.p50_ms
    }),
    (
        "without_record_p50",
        "  gateway less usage record",
        "ms",
        without_record,
    ),
    (
        "adapter_p99",
        "p99, adapter called directly",
        "ms",
        |phase| p99(&phase.adapter),
    ),
    ("nginx_p99", "p99, nginx", "ms", |phase| nginx(phase, p99)),
    ("gateway_p99", "p99, gateway", "ms", |phase| {
        p99(&phase.gateway)
    }),
    ("record_p99", "  usage record alone", "ms", |phase| {
        phase.record.p99_ms
    }),
    ("group", "usage records per commit", "", |phase| phase.group),
    (
        "adapter_us",
        "processor time of a question, adapter called directly",
        "us",
        |phase| all_us(&phase.adapter),
    ),
    ("adapter_adapter_us", "  adapter", "us", |phase| {
        phase.adapter.adapter_us
    }),
    (
        "nginx_us",
        "processor time of a question, through nginx",
        "us",
        |phase| nginx(phase, all_us),
    ),
    ("nginx_door_us", "  nginx", "us", |phase| {
        nginx(phase, |met| met.door_us)
    }),
    ("nginx_adapter_us", "  adapter", "us", |phase| {
        nginx(phase, |met| met.adapter_us)
    }),
    (
        "gateway_us",
        "processor time of a question, through the gateway",
        "us",
        |phase| all_us(&phase.gateway),
    ),
    ("gateway_door_us", "  gateway", "us", |phase| {
        phase.gateway.door_us
    }),
    ("gateway_adapter_us", "  adapter", "us", |phase| {
        phase.gateway.adapter_us
    }),
    ("gateway_load_us", "  load generator", "us", |phase| {
        phase.gateway.load_us
    }),
];

/// Everything that was measured, a column for each number of callers.
pub(super) fn grid(loads: &[Load], taken: &[Vec<Phase>]) -> Grid {
    let middle = |index: usize, read: fn(&Phase) -> f64| {
        median(taken.iter().map(|phases| read(&phases[index])))
    };
    let line = |(name, label, unit, read): Figure| Line {
        name,
        label,
        unit,
        values: (0..loads.len()).map(|index| middle(index, read)).collect(),
    };
    let lines = FIGURES.into_iter().map(line);
    Grid {
        heads: loads.iter().map(|load| callers(load.callers)).collect(),
        // Without nginx its lines would be empty.
        lines: lines
            .filter(|line| line.values.iter().any(|value| value.is_finite()))
            .collect(),
    }
}

/// The gateway beside its counterparts; with `aims` what should come out.
pub(super) fn ratios(loads: &[Load], taken: &[Vec<Phase>], aims: bool) -> Vec<Row> {
    let rows = loads.iter().enumerate().flat_map(|(index, load)| {
        let phases = || taken.iter().map(move |phases| &phases[index]);
        ratios_of(load.callers, phases, aims)
    });
    rows.collect()
}

fn ratios_of<'a, Phases>(count: usize, phases: impl Fn() -> Phases, aims: bool) -> Vec<Row>
where
    Phases: Iterator<Item = &'a Phase>,
{
    let names = match count {
        1 => ["ratio_1", "ratio_us_1", "ratio_adapter_1", "added_p50_1"],
        8 => ["ratio_8", "ratio_us_8", "ratio_adapter_8", "added_p50_8"],
        _ => [
            "ratio_32",
            "ratio_us_32",
            "ratio_adapter_32",
            "added_p50_32",
        ],
    };
    let row = |index: usize, label: &str, unit, read: fn(&Phase) -> f64, aim: Option<Aim>| {
        let value = median(phases().map(read));
        let label = format!("{:>10}: {label}", callers(count));
        let row = Row::new(names[index], label, value, unit);
        let row = match aim.filter(|_| aims) {
            Some(aim) => row.aim(aim),
            None => row,
        };
        // Without nginx there is nothing to compare with.
        value.is_finite().then_some(row)
    };
    let judged = (count == CALLERS_JUDGED).then_some(Aim::AtLeast(0.8));
    let rows = [
        row(
            0,
            "throughput, gateway / nginx",
            "",
            |phase| rate(&phase.gateway) / nginx(phase, rate),
            judged,
        ),
        row(
            1,
            "processor time of all, nginx / gateway",
            "",
            |phase| nginx(phase, all_us) / all_us(&phase.gateway),
            None,
        ),
        row(
            2,
            "throughput, gateway / adapter called directly",
            "",
            |phase| rate(&phase.gateway) / rate(&phase.adapter),
            None,
        ),
        row(
            3,
            "p50, gateway less usage record less nginx",
            "ms",
            |phase| without_record(phase) - nginx(phase, p50),
            Some(Aim::Below(0.5)),
        ),
    ];
    rows.into_iter().flatten().collect()
}

/// What a reader must know to judge the figures.
pub(super) fn notes(taken: &[Vec<Phase>], seen: Option<u64>) -> Vec<String> {
    let mut notes = vec![
        format!(
            "each caller has one question at a time, at most {CONNECTIONS} connections; different citizens, true claims, an official \
             per caller, a purpose without dossier; TLS 1.3 with certificates on both sides of every hop"
        ),
        "load generator, gateway or nginx, adapter and database share the same cores: with many callers throughput is \
         the inverse of the processor time of all, and p50 follows from it; the ratio of processor times is what is \
         left of other programs' noise"
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

fn p50(met: &Met) -> f64 {
    met.latency.p50_ms
}

fn p99(met: &Met) -> f64 {
    met.latency.p99_ms
}

/// Processor time of all programs, the load generator included.
fn all_us(met: &Met) -> f64 {
    met.door_us + met.adapter_us + met.load_us
}

/// Not a number where nginx is missing.
fn nginx(phase: &Phase, read: fn(&Met) -> f64) -> f64 {
    phase.nginx.as_ref().map_or(f64::NAN, read)
}

/// The figure that the product cannot have: the usage record is part of every answer.
fn without_record(phase: &Phase) -> f64 {
    p50(&phase.gateway) - phase.record.p50_ms
}

fn callers(count: usize) -> String {
    format!("{count} caller{}", if count == 1 { "" } else { "s" })
}
