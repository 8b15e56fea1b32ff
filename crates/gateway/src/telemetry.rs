//! Starts the log: to stderr as the configuration wants it, or to a file of the demo, whose terminal is taken.

use std::fs::File;
use std::path::Path;
use std::sync::Mutex;

use anyhow::Context;
use lienthong_telemetry::log::{self, Control, Format};
use tracing_subscriber::util::SubscriberInitExt as _;

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

/// Starts logging as text to a new file, with the filter `info` until somebody changes it. A second call in a process
/// changes nothing and returns no control.
///
/// # Errors
/// The file cannot be made.
pub(crate) fn start_in(file: &Path) -> anyhow::Result<Option<Control>> {
    let made = File::create(file);
    let made = made.with_context(|| format!("failed to make the log {}", file.display()))?;
    let format = Format::Text { colours: false };
    let (lines, control) = log::subscriber("info", format, Mutex::new(made))
        .map_err(|error| anyhow::anyhow!("failed to {error}"))?;
    Ok(lines.try_init().is_ok().then_some(control))
}
