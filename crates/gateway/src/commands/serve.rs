//! `serve`: read, build, run, drain.

use lienthong_domain::{Clock, Random};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::ConfigArgs;
use crate::commands::load;
use crate::exit::Exit;
use crate::telemetry;
use crate::wire::Gateway;

pub(super) async fn run(args: ConfigArgs) -> anyhow::Result<Exit> {
    let config = load(args.config.as_deref())?;
    let log = telemetry::start(&config.log)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut gateway = Gateway::start(config, Clock::system(), Random::system(), log).await?;
    tracing::info!(listen.address = %gateway.address, "the gateway accepts statuses");
    let mut exit = Exit::OK;
    tokio::select! {
        _ = terminate.recv() => tracing::info!("asked to stop; finishing what is under way"),
        stop = tokio::signal::ctrl_c() => {
            stop?;
            tracing::info!("interrupted; finishing what is under way");
        }
        () = gateway.broken() => {
            tracing::error!("a part of the gateway ended by itself; stopping so that it is started anew");
            exit = Exit::INTERNAL;
        }
    }
    gateway.stop().await;
    tracing::info!("the gateway stopped");
    Ok(exit)
}
