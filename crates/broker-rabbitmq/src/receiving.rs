//! Keeps the connection that all receivers share, so that a blocked publisher never delays an acknowledgement.

use std::sync::Arc;

use lapin::Connection;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::failure::Failure;
use crate::link::Link;
use crate::reconnect::Reconnect;
use crate::status::{Side, Status};
use crate::topology::Topology;

pub(crate) struct Receiving {
    pub(crate) config: Config,
    pub(crate) topology: Topology,
    pub(crate) status: Arc<Status>,
    pub(crate) stop: CancellationToken,
    pub(crate) connections: watch::Sender<Option<Arc<Connection>>>,
}

impl Receiving {
    /// Connects again and again until it is told to stop.
    pub(crate) async fn run(self) {
        let mut reconnect = Reconnect::new();
        let mut first = true;
        loop {
            let mut began = None;
            let ended = match self.stop.run_until_cancelled(self.open()).await {
                None => break,
                Some(Err(failure)) => Err(failure),
                Some(Ok(link)) => {
                    began = Some(Instant::now());
                    self.status.up(Side::Receive, first);
                    first = false;
                    self.session(link).await
                }
            };
            self.status.down(Side::Receive, ended.as_ref().err());
            let pause = sleep(reconnect.delay_after(began));
            if self.stop.run_until_cancelled(pause).await.is_none() {
                break;
            }
        }
    }

    async fn open(&self) -> Result<Link, Failure> {
        let link = Link::connect(&self.config, "receive").await?;
        self.topology.declare(&link.connection).await?;
        Ok(link)
    }

    async fn session(&self, mut link: Link) -> Result<(), Failure> {
        self.connections
            .send_replace(Some(Arc::clone(&link.connection)));
        let ended = loop {
            match self.stop.run_until_cancelled(link.changed()).await {
                None => break Ok(()),
                // It never publishes, so the broker does not block it.
                Some(Ok(_)) => {}
                Some(Err(failure)) => break Err(failure),
            }
        };
        self.connections.send_replace(None);
        link.close(self.config.step_timeout).await;
        ended
    }
}
