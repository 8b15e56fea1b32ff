//! Starts the log: text for people or JSON for collectors, always to stderr.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Log, LogFormat};

/// Starts logging for the rest of the process. A second call changes nothing.
///
/// # Errors
/// A filter that cannot be read.
pub fn start(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter)
        .map_err(|error| anyhow::anyhow!("log.filter cannot be read: {error}"))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let colours = console::Term::stderr().features().colors_supported();
    let started = match log.format {
        LogFormat::Text => lines
            .with_ansi(colours)
            .with_target(false)
            .finish()
            .try_init(),
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init(),
    };
    drop(started);
    Ok(())
}
