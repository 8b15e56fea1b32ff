//! Starts the log as the configuration wants it: text for people or JSON for collectors, always to stderr.

use lienthong_telemetry::log::{self, Control, Format};

use crate::config::{Log, LogFormat};

/// Starts logging for the rest of the process. A second call changes nothing and returns no control.
///
/// # Errors
/// A filter that cannot be read.
pub fn start(log: &Log) -> anyhow::Result<Option<Control>> {
    let format = match log.format {
        LogFormat::Text => Format::Text {
            colours: console::Term::stderr().features().colors_supported(),
        },
        LogFormat::Json => Format::Json,
    };
    log::start(&log.filter, format)
        .map_err(|error| anyhow::anyhow!("log.filter cannot be used: failed to {error}"))
}
