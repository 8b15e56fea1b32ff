//! Binds, and answers until it is told to stop. Connections are bounded in number, in handshake, in headers and in life.

mod connection;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use lienthong_domain::Clock;
use lienthong_transport::TlsClock;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accounts::Following;
use crate::config::Config;
use crate::cookies::Cookies;
use crate::error::ConsoleError;
use crate::gate::Gate;
use crate::journal::Journal;
use crate::limits::Limits;
use crate::openid::OpenId;
use crate::origin::Origin;
use crate::passwords::Verifier;
use crate::sessions::Sessions;
use crate::turns::Turns;
use crate::{Around, Console, Shared, router};

use tls::WebTls;

/// Connections at once; more wait in the system's queue.
const CONNECTIONS_MAX: usize = 512;
/// The pause after the system refused a connection: it has no file handles left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long open requests may take after a stop.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// A console that listens and does not answer until [`Server::run`].
pub struct Server {
    listener: TcpListener,
    origin: Origin,
    router: Router,
    tls: Option<WebTls>,
}

impl Server {
    /// Reads the accounts and certificates, and listens. Blocks on file access: call it at start.
    ///
    /// # Errors
    /// Faults of the configuration or of the accounts file, an unusable certificate, or an address that cannot be
    /// listened on.
    pub async fn bind(config: &Config, around: Around) -> Result<Self, ConsoleError> {
        let faults = config.faults();
        let (true, Some(address)) = (faults.is_empty(), config.address) else {
            return Err(ConsoleError::Config(faults));
        };
        let tls = WebTls::load(config, around.clock.clone())?;
        let failed = |source| ConsoleError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let origin = own_origin(config, address);
        let gate = gate(config, &origin, &around).await?;
        let console: Shared = Arc::new(Console {
            services: around.services,
            identity: around.identity,
            gate,
            turns: Turns::default(),
        });
        Ok(Self {
            router: router(&console),
            listener,
            origin,
            tls,
        })
    }

    /// What to open in a browser.
    pub fn url(&self) -> String {
        self.origin.to_string()
    }

    /// Answers until `stop`; open requests then get a few seconds.
    pub async fn run(self, stop: CancellationToken) {
        let connections = TaskTracker::new();
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = accept(&self.listener, &places) => accepted,
            };
            let (stream, peer, place) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the console could not accept a connection"
                    );
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let tls = self.tls.as_ref().map(WebTls::acceptor);
            let (router, stop) = (self.router.clone(), stop.clone());
            connections.spawn(async move {
                connection::serve(stream, (peer.ip(), tls), router, stop).await;
                drop(place);
            });
        }
        connections.close();
        let ended = tokio::time::timeout(STOP_GRACE, connections.wait()).await;
        if ended.is_err() {
            tracing::warn!("requests to the console did not end in time");
        }
    }
}

type Accepted = (
    tokio::net::TcpStream,
    SocketAddr,
    tokio::sync::OwnedSemaphorePermit,
);

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> std::io::Result<Accepted> {
    let place = places.clone().acquire_owned().await;
    let place = place.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

/// The configured address, or the one we listen on.
fn own_origin(config: &Config, address: SocketAddr) -> Origin {
    let scheme = if config.has_tls() { "https" } else { "http" };
    let listening = format!("{scheme}://{address}");
    Origin::parse(&config.public_url)
        .or_else(|| Origin::parse(&listening))
        .expect("an address with its scheme is an origin")
}

async fn gate(config: &Config, origin: &Origin, around: &Around) -> Result<Gate, ConsoleError> {
    let accounts = config.accounts_file.clone().map(Following::start);
    let accounts = accounts.transpose()?;
    let has_accounts = accounts
        .as_ref()
        .is_some_and(|accounts| !accounts.now().is_empty());
    let openid = config.openid.is_offered();
    if !has_accounts && !openid {
        tracing::warn!(
            "nobody can sign in to the console yet: add an account with `lienthong accounts add`"
        );
    }
    let openid = openid.then(|| OpenId::new(config.openid.clone(), origin, around.clock.clone()));
    Ok(Gate {
        origin: origin.clone(),
        behind_proxy: config.behind_proxy,
        cookies: Cookies::new(origin),
        sessions: Arc::new(Sessions::default()),
        accounts,
        verifier: Verifier::new().await,
        limits: Limits::default(),
        openid: openid.transpose()?,
        journal: Journal {
            actions: around.actions.clone(),
            clock: around.clock.clone(),
        },
        clock: around.clock.clone(),
    })
}

/// Certificates, ours and those of the identity provider, are judged by the clock of the program.
pub(crate) fn tls_clock(clock: &Clock) -> TlsClock {
    let clock = clock.clone();
    TlsClock::new(move || clock.now())
}
