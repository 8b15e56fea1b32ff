//! `simulate`: outside systems, for trying out and for tests.

use std::path::Path;

use anyhow::Context;
use lienthong_domain::Clock;
use lienthong_simulators::population::{
    Birth, Citizen, Population, PopulationConfig, PopulationSimulator, SimulatorError,
};
use lienthong_simulators::portal::{PortalConfig, PortalSimulator};
use tokio_util::sync::CancellationToken;

use crate::args::SimulateCommand;
use crate::commands::print;
use crate::exit::Exit;

pub(super) async fn run(command: SimulateCommand) -> anyhow::Result<Exit> {
    match command {
        SimulateCommand::Portal {
            listen,
            record,
            faults,
        } => {
            let faults = script(faults.as_deref())?;
            let mut config = PortalConfig {
                record_file: record,
                started_at_ms: Clock::system().now().as_millisecond(),
                ..PortalConfig::default()
            };
            if let Some(text) = faults {
                config.faults = lienthong_simulators::portal::FaultScript::from_json(&text)?;
            }
            let bound = PortalSimulator::bind(config, listen).await?;
            print(&format!("{}\n", bound.base_url()))?;
            until_interrupted(|stop| bound.run(stop)).await
        }
        SimulateCommand::Population {
            listen,
            seed,
            citizens,
            show,
            faults,
        } => {
            let faults = script(faults.as_deref())?;
            let mut config = PopulationConfig {
                seed,
                citizens,
                started_at_ms: Clock::system().now().as_millisecond(),
                ..PopulationConfig::default()
            };
            if let Some(text) = faults {
                config.faults = lienthong_simulators::population::FaultScript::from_json(&text)?;
            }
            let bound = PopulationSimulator::bind(config, listen).await?;
            print(&format!("{}\n", bound.endpoint()))?;
            let handle = bound.handle();
            for index in 0..show.min(citizens) {
                print(&shown(handle.population(), index))?;
            }
            until_interrupted(|stop| bound.run(stop)).await
        }
    }
}

/// An invented citizen, ready to be pasted after `lienthong verify`.
fn shown(population: &Population, index: u32) -> String {
    let Citizen {
        number,
        name,
        birth,
        ..
    } = population.citizen(index);
    let Birth { year, month_day } = birth;
    let birth = month_day.map_or_else(
        || year.to_string(),
        |(month, day)| format!("{year}-{month:02}-{day:02}"),
    );
    let name = name.full();
    // Names of the highlands have an apostrophe, which ends a quotation of the shell.
    format!("--number {number} --name \"{name}\" --birth {birth}\n")
}

fn script(file: Option<&Path>) -> anyhow::Result<Option<String>> {
    let Some(file) = file else { return Ok(None) };
    let read = std::fs::read_to_string(file);
    read.map(Some)
        .with_context(|| format!("the fault script {} cannot be read", file.display()))
}

async fn until_interrupted<R>(start: impl FnOnce(CancellationToken) -> R) -> anyhow::Result<Exit>
where
    R: Future<Output = Result<(), SimulatorError>>,
{
    let stop = CancellationToken::new();
    let interrupted = stop.clone().drop_guard();
    let running = start(stop);
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => ended?,
        _ = tokio::signal::ctrl_c() => {
            drop(interrupted);
            running.await?;
        }
    }
    Ok(Exit::OK)
}
