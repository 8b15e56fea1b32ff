//! Why telemetry could not be set up or changed.

/// Completes "failed to ...".
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// A log filter cannot be read.
    #[error("read the log filter: {0}")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// A log filter is longer than [`crate::log::FILTER_CHARS_MAX`].
    #[error("read the log filter: it is too long")]
    FilterTooLong,
    /// The log ended; only a process that ends does that.
    #[error("change the log filter: the log has ended")]
    LogEnded,
    /// The exporter of spans cannot be built.
    #[error("prepare to send spans: {0}")]
    Exporter(#[source] Box<dyn std::error::Error + Send + Sync>),
}
