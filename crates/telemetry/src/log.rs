//! The log: text for people or JSON for collectors, and its filter, which an operator changes while it runs.
//!
//! The log is the process's, as `tracing`'s subscriber is: [`start`] sets it up once, and the [`Control`] it returns is
//! handed to whoever may change it.

mod json;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lienthong_domain::TraceContext;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt, reload};

use crate::error::TelemetryError;
use json::JsonLine;

/// Longest filter, in characters.
pub const FILTER_CHARS_MAX: usize = 500;

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people, perhaps in colours.
    Text {
        /// Whether the terminal shows colours.
        colours: bool,
    },
    /// One JSON object per line: `timestamp`, `level`, `target`, `message`, and every field of the event and of the
    /// spans around it under its dotted name; `trace_id` and `span_id` where there is a trace.
    Json,
}

/// Starts logging to stderr for the rest of the process. `None`: somebody else has started it, and nothing changes.
///
/// # Errors
/// A filter that cannot be read.
pub fn start(filter: &str, format: Format) -> Result<Option<Control>, TelemetryError> {
    let (subscriber, control) = subscriber(filter, format, std::io::stderr)?;
    Ok(subscriber.try_init().is_ok().then_some(control))
}

/// A log to `writer`, not started yet.
///
/// # Errors
/// A filter that cannot be read.
pub fn subscriber<W>(
    filter: &str,
    format: Format,
    writer: W,
) -> Result<(impl Subscriber + Send + Sync + 'static, Control), TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let (level, handle) = reload::Layer::new(read(filter)?);
    let lines = match format {
        Format::Text { colours } => fmt::layer()
            .with_writer(writer)
            .with_ansi(colours)
            .with_target(false)
            .boxed(),
        Format::Json => fmt::layer()
            .fmt_fields(JsonFields::new())
            .event_format(JsonLine)
            .with_writer(writer)
            .boxed(),
    };
    let control = Control(Arc::new(Shared {
        handle,
        configured: filter.to_owned(),
        now: Mutex::new(Now {
            filter: filter.to_owned(),
            until: None,
        }),
        changed: Notify::new(),
    }));
    Ok((
        tracing_subscriber::registry().with(level).with(lines),
        control,
    ))
}

/// Whether a filter could be put in force.
///
/// # Errors
/// A filter that cannot be read.
pub fn check(filter: &str) -> Result<(), TelemetryError> {
    read(filter).map(drop)
}

fn read(filter: &str) -> Result<EnvFilter, TelemetryError> {
    if filter.chars().count() > FILTER_CHARS_MAX {
        return Err(TelemetryError::FilterTooLong);
    }
    EnvFilter::try_new(filter).map_err(TelemetryError::Filter)
}

/// Changes the filter. Clones change the same log.
#[derive(Clone)]
pub struct Control(Arc<Shared>);

struct Shared {
    handle: reload::Handle<EnvFilter, Registry>,
    configured: String,
    now: Mutex<Now>,
    changed: Notify,
}

struct Now {
    filter: String,
    /// When the configured filter returns.
    until: Option<Instant>,
}

impl Control {
    /// Puts a filter in force, for a time or until the next start; empty is the configured one. Returns the former.
    ///
    /// # Errors
    /// A filter that cannot be read; then nothing changes.
    pub fn set(&self, filter: &str, time: Option<Duration>) -> Result<String, TelemetryError> {
        let shared = &*self.0;
        let filter = if filter.is_empty() {
            &shared.configured
        } else {
            filter
        };
        let level = read(filter)?;
        let former = {
            let mut now = self.now();
            let reloaded = shared.handle.reload(level);
            reloaded.map_err(|_gone| TelemetryError::LogEnded)?;
            now.until = time.map(|time| Instant::now() + time);
            std::mem::replace(&mut now.filter, filter.to_owned())
        };
        shared.changed.notify_one();
        tracing::info!(
            log.filter = filter,
            log.former_filter = former,
            "the log filter changed"
        );
        Ok(former)
    }

    /// The filter in force.
    pub fn filter(&self) -> String {
        self.now().filter.clone()
    }

    /// Puts the configured filter back when a changed one's time is over, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let until = self.now().until;
            let over = async {
                match until {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.0.changed.notified() => {}
                () = over => {
                    if let Err(error) = self.set("", None) {
                        tracing::error!(%error, "the configured log filter could not be put back");
                        self.now().until = None;
                    }
                }
            }
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        // Each change is two plain assignments, which a panic cannot leave half done.
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Control").field(&self.filter()).finish()
    }
}

/// Around the log lines of what is done in a trace: a span with the trace's `trace_id` and `span_id`; one without
/// fields where there is no trace.
pub fn in_trace(context: Option<TraceContext>) -> tracing::Span {
    let Some(context) = context else {
        return tracing::Span::none();
    };
    tracing::info_span!(
        "trace",
        trace_id = context.trace_hex(),
        span_id = context.span_hex()
    )
}

#[cfg(test)]
pub(crate) mod tests;
