//! `simulate`: outside systems, for trying out and for tests.

use anyhow::Context;
use lienthong_domain::Clock;
use lienthong_simulators::portal::{FaultScript, PortalConfig, PortalSimulator};
use tokio_util::sync::CancellationToken;

use crate::args::SimulateCommand;
use crate::commands::print;
use crate::exit::Exit;

pub(super) async fn run(command: SimulateCommand) -> anyhow::Result<Exit> {
    let SimulateCommand::Portal {
        listen,
        record,
        faults,
    } = command;
    let faults = match faults {
        Some(file) => {
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("the fault script {} cannot be read", file.display()))?;
            FaultScript::from_json(&text)?
        }
        None => FaultScript::default(),
    };
    let config = PortalConfig {
        record_file: record,
        faults,
        started_at_ms: Clock::system().now().as_millisecond(),
        ..PortalConfig::default()
    };
    let bound = PortalSimulator::bind(config, listen).await?;
    print(&format!("{}\n", bound.base_url()))?;
    let stop = CancellationToken::new();
    let interrupted = stop.clone().drop_guard();
    let running = bound.run(stop);
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
