//! Why a session with the broker ended, in words that hold no credentials.

use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPHardError};
use lienthong_ports::BrokerError;

/// The text completes "failed to ...".
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The client library or the broker said no.
    #[error("talk to RabbitMQ: {0}")]
    Lapin(#[from] lapin::Error),
    /// A step did not end in time.
    #[error("talk to RabbitMQ: no answer in time")]
    TimedOut,
    /// The broker answers everything but the request to receive from this queue, or breaks over it.
    #[error("receive from RabbitMQ: the queue does not answer")]
    QueueSilent,
    /// The queue does not know the receiver, or has messages that it does not get.
    #[error(
        "receive from RabbitMQ: the queue does not hand its messages to this receiver any more"
    )]
    Forgotten,
    /// A publisher found the queue missing and declared it again.
    #[error("receive from RabbitMQ: the queue was deleted and is made again")]
    MadeAgain,
    /// A queue or exchange is not as needed.
    #[error("use the topology of RabbitMQ: {0}")]
    Topology(String),
    /// The TLS settings cannot be used; nothing secret in it.
    #[error("set up TLS to RabbitMQ: {0}")]
    Tls(String),
    /// Confirms stopped coming although the connection is not blocked.
    #[error("publish to RabbitMQ: no confirm in time")]
    ConfirmTimedOut,
    /// The connection or channel closed without saying why.
    #[error("talk to RabbitMQ: the connection or channel was closed")]
    Closed,
}

impl Failure {
    /// Why a request to receive failed: the queue may be one that exists and is dead.
    pub(crate) fn of_consume(self) -> Self {
        match self {
            Self::TimedOut => Self::QueueSilent,
            Self::Lapin(error) if is_internal(&error) => Self::QueueSilent,
            other => other,
        }
    }

    pub(crate) fn to_broker_error(&self) -> BrokerError {
        match self {
            Self::Topology(text) => BrokerError::Topology(text.clone()),
            other => BrokerError::NotConnected(other.to_string()),
        }
    }
}

/// Whether the broker met a fault of its own.
fn is_internal(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(error)
        if matches!(error.kind(), AMQPErrorKind::Hard(AMQPHardError::INTERNALERROR)))
}
