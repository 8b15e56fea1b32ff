//! `population-adapter`: the adapter as a process of its own, in its own zone.

use std::sync::Arc;

use anyhow::Context;
use lienthong_domain::Clock;
use lienthong_population::AdapterServer;
use lienthong_transport::{Acceptor, Reloader, install_crypto_provider};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::args::ConfigArgs;
use crate::config::{Config, ConfigFault, ConfigFaults};
use crate::exit::Exit;
use crate::{telemetry, wire};

pub(super) async fn run(args: ConfigArgs) -> anyhow::Result<Exit> {
    // The adapter has neither portal nor store, so only its own sections are judged.
    let config = Config::read(args.config.as_deref(), std::env::vars())?;
    let faults = faults(&config);
    if !faults.is_empty() {
        return Err(ConfigFaults(faults).into());
    }
    telemetry::start(&config.log)?;
    install_crypto_provider();
    let clock = Clock::system();
    let registry = Arc::new(wire::soap_registry(&config, &clock)?);
    let tls = Arc::new(wire::server_tls(&config.tls, &clock)?);
    let listen = config.population.server.listen;
    let acceptor = Acceptor::bind(listen, tls.clone(), wire::limits(&config.tls))
        .await
        .context("failed to open the adapter's port")?;
    tracing::info!(listen.address = %acceptor.local_address(), "the population adapter answers");

    let stop = CancellationToken::new();
    let server = AdapterServer::new(registry, &config.population.server)?;
    let mut parts = JoinSet::new();
    parts.spawn(Reloader::new(tls, Reloader::POLL_INTERVAL_DEFAULT).run(stop.clone()));
    let serving = server.serve(acceptor, stop.clone());
    tokio::pin!(serving);
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = &mut serving => {
            ended.context("the population adapter ended by itself")?;
            return Ok(Exit::INTERNAL);
        }
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    tracing::info!("asked to stop; finishing what is under way");
    stop.cancel();
    serving.await.context("failed to stop in order")?;
    while parts.join_next().await.is_some() {}
    tracing::info!("the population adapter stopped");
    Ok(Exit::OK)
}

fn faults(config: &Config) -> Vec<ConfigFault> {
    let section = |name: &'static str, faults: Vec<lienthong_population::ConfigFault>| {
        faults.into_iter().map(move |fault| ConfigFault {
            origin: "configuration".to_owned(),
            key: format!("population.{name}.{}", fault.key),
            text: fault.reason.to_owned(),
        })
    };
    let soap = section("soap", config.population.soap.check());
    soap.chain(section("server", config.population.server.check()))
        .collect()
}
