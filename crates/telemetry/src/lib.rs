#![doc = include_str!("../README.md")]

mod error;
pub mod log;
pub mod metrics;
pub mod traces;

pub use error::TelemetryError;
pub use traces::{Fact, Span, SpanKind, Tracer};
