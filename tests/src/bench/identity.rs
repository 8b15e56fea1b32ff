//! One verification through the gateway, beside the adapter itself and beside nginx before the same adapter.

pub(super) mod fixed_adapter;
mod nginx;
mod questions;
mod records;
mod rows;
mod stage;

use std::ops::Range;

use anyhow::ensure;

use super::latency::{Latency, of_callers};
use super::process::{Process, busy_seconds};
use super::report::Section;
use super::{figure, progress};

use questions::{Door, Questions};
use stage::{BackEnd, Stage};

/// So many hits earn a system the trust to ask with all callers at once.
const WARM_UP: usize = 400;

/// So many callers ask the questions of these places.
pub(super) struct Load {
    callers: usize,
    warm_up: Range<usize>,
    counted: Range<usize>,
}

/// What the callers met at one door, and what a question cost there.
#[derive(Clone, Copy)]
struct Met {
    latency: Latency,
    /// Processor time of a question, in microseconds: what stands before the adapter, adapter, load generator.
    door_us: f64,
    adapter_us: f64,
    load_us: f64,
}

/// One number of callers.
struct Phase {
    adapter: Met,
    nginx: Option<Met>,
    gateway: Met,
    /// Usage records that the gateway wrote in one commit.
    group: f64,
    record: Latency,
}

/// Gateway, nginx and adapter before a back end that knows the answer at once.
pub(super) async fn measure(quick: bool) -> anyhow::Result<Section> {
    let (rounds, calls) = if quick {
        (1, [(1, 1_000), (8, 4_000), (32, 10_000)].as_slice())
    } else {
        (3, [(1, 3_000), (8, 12_000), (32, 40_000)].as_slice())
    };
    let title = "VerifyCitizen, adapter that knows the answer at once";
    section("identity", title, BackEnd::Fixed, rounds, calls).await
}

/// The same before the simulated database, over SOAP.
pub(super) async fn measure_over_soap(quick: bool) -> anyhow::Result<Section> {
    let (rounds, calls) = soap_load(quick);
    let title = "VerifyCitizen, adapter over SOAP before the simulated database";
    section("identity-soap", title, BackEnd::Simulated, rounds, calls).await
}

/// The same with the adapter in the gateway's own process; nginx stands before the one that runs by itself.
pub(super) async fn measure_inside(quick: bool) -> anyhow::Result<Section> {
    let title = "VerifyCitizen, the gateway has the adapter inside, before the simulated database";
    let (rounds, calls) = soap_load(quick);
    section("identity-inside", title, BackEnd::Inside, rounds, calls).await
}

/// Repetitions, and callers with their calls, where the database takes most of the time.
fn soap_load(quick: bool) -> (usize, &'static [(usize, usize)]) {
    if quick {
        (1, &[(1, 500), (32, 4_000)])
    } else {
        (3, &[(1, 1_000), (32, 10_000)])
    }
}

async fn section(
    name: &'static str,
    title: &str,
    back_end: BackEnd,
    rounds: usize,
    calls: &[(usize, usize)],
) -> anyhow::Result<Section> {
    let loads = loads(calls);
    let questions = questions::different(loads.last().map_or(0, |load| load.counted.end))?;
    let (mut taken, mut seen) = (Vec::new(), None);
    for number in 1..=rounds {
        progress(&format!("{name}, repetition {number} of {rounds}"));
        let (phases, counted) = round(back_end, &loads, &questions).await?;
        taken.push(phases);
        seen = seen.or(counted);
    }
    Ok(Section {
        name,
        title: format!("{title}, median of {rounds}"),
        grid: Some(rows::grid(&loads, &taken)),
        rows: rows::ratios(&loads, &taken, back_end == BackEnd::Fixed),
        notes: rows::notes(&taken, seen),
    })
}

/// The loads; no two of them, warm-ups included, ask about the same citizen.
fn loads(calls: &[(usize, usize)]) -> Vec<Load> {
    let mut next = 0;
    let load = |&(callers, count): &(usize, usize)| {
        let (warm_up, counted) = (next..next + WARM_UP, next + WARM_UP..next + WARM_UP + count);
        next = counted.end;
        Load {
            callers,
            warm_up,
            counted,
        }
    };
    calls.iter().map(load).collect()
}

/// Everything started anew, and one phase for each load. How many questions were asked, if the adapter counts.
async fn round(
    back_end: BackEnd,
    loads: &[Load],
    questions: &Questions,
) -> anyhow::Result<(Vec<Phase>, Option<u64>)> {
    let stage = Stage::start(back_end, &questions[0]).await?;
    let records = records::measure(stage.site.folder(), loads).await?;
    let (adapter, nginx, gateway) = (stage.adapter()?, stage.nginx_door()?, stage.gateway()?);
    let mut phases = Vec::new();
    let mut asked = stage.asked_at_start();
    for (load, record) in loads.iter().zip(records) {
        let adapter = meet(&stage, &adapter, None, load, questions).await?;
        let nginx = match nginx.as_ref().zip(stage.nginx.as_ref()) {
            Some((door, process)) => {
                Some(meet(&stage, door, Some(process), load, questions).await?)
            }
            None => None,
        };
        let commits = stage.site.commits()?;
        let gateway = meet(&stage, &gateway, Some(&stage.gateway), load, questions).await?;
        let commits = stage.site.commits()?.wrapping_sub(commits);
        let count = (load.warm_up.len() + load.counted.len()) as u64;
        asked += count * (2 + u64::from(nginx.is_some()));
        phases.push(Phase {
            adapter,
            nginx,
            gateway,
            group: figure(count) / f64::from(commits.max(1)),
            record,
        });
    }
    let seen = stage.stop()?;
    if let Some(seen) = seen {
        ensure!(
            seen == asked,
            "{asked} questions were asked and the adapter saw {seen}"
        );
    }
    Ok((phases, seen))
}

/// Asks at one door, after a warm-up.
async fn meet(
    stage: &Stage,
    door: &Door,
    process: Option<&Process>,
    load: &Load,
    questions: &Questions,
) -> anyhow::Result<Met> {
    let ask = {
        let (door, questions) = (door.clone(), questions.clone());
        move |caller, place: usize| {
            let (door, questions) = (door.clone(), questions.clone());
            async move { door.ask(caller, &questions[place]).await }
        }
    };
    of_callers(load.callers, load.warm_up.clone(), ask.clone()).await?;
    let busy = || -> anyhow::Result<[f64; 3]> {
        let before =
            process.map_or(Ok(0.0), |process| anyhow::Ok(process.usage()?.busy_seconds))?;
        Ok([
            before,
            stage.adapter.usage()?.busy_seconds,
            busy_seconds("self")?,
        ])
    };
    let before = busy()?;
    let latency = of_callers(load.callers, load.counted.clone(), ask).await?;
    let after = busy()?;
    let [door_us, adapter_us, load_us] = [0, 1, 2].map(|index| {
        let seconds = after[index] - before[index];
        seconds * 1e6 / figure(load.counted.len() as u64)
    });
    Ok(Met {
        latency,
        door_us,
        adapter_us,
        load_us,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_citizen_is_asked_about_twice() {
        let loads = loads(&[(1, 10), (8, 100)]);
        let places = loads
            .iter()
            .flat_map(|load| [load.warm_up.clone(), load.counted.clone()]);
        assert!(places.flatten().eq(0..2 * WARM_UP + 110));
    }
}
