//! A simulated identity provider, as Keycloak is one: bind, run, and a handle to make it lie.
//!
//! Source: `OpenID` Connect Core 1.0, Discovery 1.0, RP-Initiated Logout 1.0; RFC 6749, RFC 7636.

mod desk;
mod http;
mod keys;
mod page;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use crate::error::SimulatorError;
pub use keys::KeyKind;

use crate::listener;
use desk::Desk;

/// A person who can sign in.
#[derive(Clone)]
pub struct User {
    /// What is typed, and `preferred_username`.
    pub name: String,
    /// The password.
    pub password: String,
    /// The claim `name`.
    pub display_name: String,
    /// The claim `realm_access.roles`.
    pub roles: Vec<String>,
}

/// A program that people sign in to.
#[derive(Clone)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// Its secret; empty for a public client.
    pub secret: String,
    /// Where codes may go, exactly.
    pub redirect_uris: Vec<String>,
    /// Where people may go after signing out, exactly.
    pub logout_uris: Vec<String>,
}

/// Tells the time, in seconds since 1970.
pub type SecondsClock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Settings of a simulated provider.
#[derive(Clone)]
pub struct OpenIdConfig {
    /// Who can sign in.
    pub users: Vec<User>,
    /// Where to.
    pub clients: Vec<Client>,
    /// How tokens are signed.
    pub key_kind: KeyKind,
    /// What time tokens name.
    pub clock: SecondsClock,
}

/// Passwords are in it.
impl fmt::Debug for OpenIdConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenIdConfig").finish_non_exhaustive()
    }
}

/// What is wrong with the tokens given from now on. Codes and states stay right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// The signature is another token's.
    BadSignature,
    /// For another client.
    WrongAudience,
    /// From another issuer.
    WrongIssuer,
    /// Expired an hour ago.
    Expired,
    /// Of another sign-in.
    WrongNonce,
    /// Not signed, and it says so.
    AlgNone,
    /// Signed as if the public key were a shared secret.
    PublicKeyAsSecret,
    /// Names a key that nobody has.
    UnknownKey,
    /// Says nothing about when the person signed in.
    NoAuthTime,
}

impl TokenFault {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::BadSignature,
        Self::WrongAudience,
        Self::WrongIssuer,
        Self::Expired,
        Self::WrongNonce,
        Self::AlgNone,
        Self::PublicKeyAsSecret,
        Self::UnknownKey,
        Self::NoAuthTime,
    ];
}

/// The simulator before it has an address; see [`OpenIdSimulator::bind`].
#[derive(Debug)]
pub struct OpenIdSimulator;

impl OpenIdSimulator {
    /// Makes a key and listens on `addr`; port 0 takes any free port.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn bind(config: OpenIdConfig, addr: SocketAddr) -> Result<Bound, SimulatorError> {
        let (listener, addr) = listener::bind(addr).await?;
        let desk = Arc::new(Desk::open(
            config,
            format!("http://{addr}/realms/lienthong"),
        ));
        Ok(Bound { listener, desk })
    }
}

/// A simulator that listens but does not answer until [`Bound::run`].
pub struct Bound {
    listener: TcpListener,
    desk: Arc<Desk>,
}

impl Bound {
    /// How the provider names itself.
    pub fn issuer(&self) -> String {
        self.desk.issuer.clone()
    }

    /// A handle that stays valid while and after the simulator runs.
    pub fn handle(&self) -> OpenIdHandle {
        OpenIdHandle {
            desk: self.desk.clone(),
        }
    }

    /// Answers until `stop`; open calls then get two seconds.
    ///
    /// # Errors
    /// The listener fails for good.
    pub async fn run(self, stop: CancellationToken) -> Result<(), SimulatorError> {
        listener::serve(self.listener, http::router(self.desk), stop, || {}).await
    }
}

/// Watches and disturbs a simulator from the same process; clones are cheap.
#[derive(Clone)]
pub struct OpenIdHandle {
    desk: Arc<Desk>,
}

impl OpenIdHandle {
    /// Adds a client: it may know its own address only once the provider's is known.
    pub fn add_client(&self, client: Client) {
        self.desk.state().clients.push(client);
    }

    /// What is wrong with tokens from now on; `None` for nothing.
    pub fn set_fault(&self, fault: Option<TokenFault>) {
        self.desk.state().fault = fault;
    }

    /// Signs with a new key from now on; the old one is no longer published.
    pub fn rotate_key(&self) {
        self.desk.rotate_key();
    }

    /// Answers 503 to everything while it is `true`.
    pub fn set_down(&self, is_down: bool) {
        self.desk.state().is_down = is_down;
    }
}
