//! The operators' pages.

use anyhow::Context;
use lienthong_console::{Around, Config, Server};

/// Listens for browsers; `None` where no console is configured.
pub(super) async fn bind(config: &Config, around: Around) -> anyhow::Result<Option<Server>> {
    if config.address.is_none() {
        return Ok(None);
    }
    let server = Server::bind(config, around).await;
    let server = server.context("failed to start the console")?;
    tracing::info!(listen.url = server.url(), "the console answers");
    Ok(Some(server))
}
