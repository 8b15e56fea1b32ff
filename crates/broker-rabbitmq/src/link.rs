//! One connection to RabbitMQ: how it is made, watched and closed. Every wait is bounded.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use lapin::tcp::AsyncTcpStream;
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties, Event};

use crate::config::Config;
use crate::failure::Failure;
use crate::tls;

/// How often a connection is asked whether it still is one, in case no event says so.
pub(crate) const CHECK_EVERY: Duration = Duration::from_secs(1);

/// A connection and what happens to it.
pub(crate) struct Link {
    pub(crate) connection: Arc<Connection>,
    events: BoxStream<'static, Event>,
}

/// A change of a connection that is no failure.
pub(crate) enum Change {
    /// The broker has an alarm and takes nothing more from publishers; its own words.
    Blocked(String),
    /// The alarm is over.
    Unblocked,
}

/// Runs `work`, at most `timeout` long.
pub(crate) async fn step<T>(
    timeout: Duration,
    work: impl Future<Output = lapin::Result<T>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(timeout, work).await {
        Ok(result) => result.map_err(Failure::Lapin),
        Err(_) => Err(Failure::TimedOut),
    }
}

impl Link {
    /// Connects for `purpose`, which the broker's operators see as the connection's name.
    pub(crate) async fn connect(config: &Config, purpose: &str) -> Result<Self, Failure> {
        // Recovery by lapin stays off (the default): channel errors are never recovered, and what
        // was in flight must be answered by us anyway.
        let name = format!("lienthong {purpose}");
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let runtime = lapin::runtime::default_runtime()?;
        let tls = tls::connector(config)?;
        let open = async move |uri: AMQPUri, runtime| {
            let host = uri.authority.host;
            // The first address that takes the connection, as the system orders them.
            let addresses = tokio::net::lookup_host((host.as_str(), uri.authority.port)).await?;
            let addresses = addresses.collect::<Vec<_>>();
            let stream = AsyncTcpStream::connect(&runtime, addresses.as_slice()).await?;
            Ok(match &tls {
                Some(connector) => stream.into_rustls(connector, &host).await?,
                None => stream,
            })
        };
        let connect = Connection::connector(config.url.0.clone(), runtime, open, properties);
        let connection = step(config.step_timeout, connect).await?;
        let events = connection.events_listener().boxed();
        Ok(Self {
            connection: Arc::new(connection),
            events,
        })
    }

    /// The next change; an error once the connection is lost. Cancel safe.
    pub(crate) async fn changed(&mut self) -> Result<Change, Failure> {
        loop {
            match tokio::time::timeout(CHECK_EVERY, self.events.next()).await {
                Ok(Some(Event::ConnectionBlocked(reason))) => return Ok(Change::Blocked(reason)),
                Ok(Some(Event::ConnectionUnblocked)) => return Ok(Change::Unblocked),
                Ok(Some(Event::Error(error))) => return Err(error.into()),
                Ok(Some(_)) | Err(_) if self.connection.status().connected() => {}
                Ok(_) | Err(_) => return Err(Failure::Closed),
            }
        }
    }

    /// Closes in good order if the broker still answers; it may be gone already.
    pub(crate) async fn close(self, timeout: Duration) {
        if self.connection.status().connected() {
            step(timeout, self.connection.close(200, "done".into()))
                .await
                .ok();
        }
    }
}
