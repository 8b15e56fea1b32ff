//! Sign-in at an identity provider: `OpenID` Connect's authorization code flow with PKCE. Begin here; then `token.rs`.
//!
//! Source: `OpenID` Connect Core 1.0 (3.1), Discovery 1.0, RP-Initiated Logout 1.0; RFC 7636 (PKCE), RFC 9207 (`iss`).

mod pending;
mod person;
mod provider;
mod token;

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use lienthong_domain::{Clock, OperatorRole};
use lienthong_transport::{HttpClientConfig, OldestTls, http_client};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::config::OpenIdConfig;
use crate::error::ConsoleError;
use crate::origin::Origin;
use crate::secret::Secret;
use crate::server::tls_clock;

use pending::{Begun, Pendings};
use provider::Provider;

pub(crate) use pending::PENDING_LIFE;
pub(crate) use token::TokenFault;

/// Where the provider sends people back to.
pub(crate) const CALLBACK: &str = "/sign-in/openid/callback";
/// Longest wait for one answer of the provider.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(10);
/// The provider must have asked for the password so short a time ago, or ask again.
const SIGNED_IN_WITHIN: SignedDuration = SignedDuration::from_mins(15);
/// Longest code, state or issuer in a callback.
const PARAMETER_BYTES_MAX: usize = 4_096;

/// Why a sign-in at the provider came to nothing. Each text completes "failed to ...".
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenIdError {
    #[error("reach the identity provider for its {what}")]
    Unreachable {
        what: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("use the identity provider's {what}: {reason}")]
    BadAnswer { what: &'static str, reason: String },
    #[error("reach the identity provider, which did not answer well a moment ago")]
    DownAMomentAgo,
    #[error("find the sign-in that this is the end of")]
    Stale,
    #[error("sign in: the identity provider says {error}")]
    Declined { error: String },
    #[error("trust the ID token: {0}")]
    Token(TokenFault),
    #[error("find a role among those of the ID token")]
    NoRole,
}

impl OpenIdError {
    /// For the record of actions.
    pub(crate) fn brief(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } | Self::DownAMomentAgo => "identity provider not reachable",
            Self::BadAnswer { .. } => "wrong answer of the identity provider",
            Self::Stale => "unknown or old sign-in",
            Self::Declined { .. } => "declined by the identity provider",
            Self::Token(_) => "wrong ID token",
            Self::NoRole => "no role at the identity provider",
        }
    }
}

/// Somebody the provider vouched for. The token is kept for signing out there.
pub(crate) struct Vouched {
    /// `openid:NAME#ID`, as written into actions: the name at the provider, cut to 100 characters, and 8 hex digits
    /// of the person, which stay when the name changes; see `person.rs`.
    pub(crate) by: String,
    /// What people call them.
    pub(crate) display_name: String,
    pub(crate) role: OperatorRole,
    id_token: String,
}

impl fmt::Debug for Vouched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vouched").finish_non_exhaustive()
    }
}

/// What the provider adds to the callback's address.
#[derive(Deserialize)]
pub(crate) struct Callback {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    error: Option<String>,
    iss: Option<String>,
}

/// The first step, done.
pub(crate) struct Beginning {
    /// Where to send the browser.
    pub(crate) url: String,
    /// What the browser must bring back, as a cookie.
    pub(crate) browser: Secret,
}

/// See the module.
pub(crate) struct OpenId {
    config: OpenIdConfig,
    origin: String,
    provider: Provider,
    pendings: Pendings,
    clock: Clock,
}

impl OpenId {
    /// Prepares the client; the provider is asked only when somebody signs in. Blocks on file access.
    ///
    /// # Errors
    /// The file of authorities cannot be used.
    pub(crate) fn new(
        config: OpenIdConfig,
        origin: &Origin,
        clock: Clock,
    ) -> Result<Self, ConsoleError> {
        let http = HttpClientConfig {
            roots: config.ca_file.clone(),
            oldest_tls: OldestTls::V1_2,
            request_timeout: ANSWER_WAIT_MAX,
            allow_plaintext: config.allow_plaintext,
            ..HttpClientConfig::default()
        };
        let http = http_client(&http, tls_clock(&clock)).map_err(ConsoleError::OpenId)?;
        Ok(Self {
            provider: Provider::new(config.issuer.clone(), http, clock.clone()),
            origin: origin.to_string(),
            pendings: Pendings::default(),
            config,
            clock,
        })
    }

    /// What the provider is called.
    pub(crate) fn name(&self) -> &str {
        &self.config.name
    }

    /// Begins a sign-in that leads to `next`; with `anew` the provider must ask for the password once more.
    pub(crate) async fn begin(&self, next: &str, anew: bool) -> Result<Beginning, OpenIdError> {
        let metadata = self.provider.metadata().await?;
        let begun = Begun {
            next: next.to_owned(),
            nonce: Secret::draw(),
            verifier: Secret::draw(),
            browser: Secret::draw(),
            anew,
            at: self.clock.now(),
        };
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(begun.verifier.text()));
        let (nonce, browser) = (begun.nonce.text(), begun.browser.clone());
        let state = self.pendings.add(begun);
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.config.client_id)
            .append_pair("redirect_uri", &self.redirect_uri())
            .append_pair("scope", &self.scope())
            .append_pair("state", &state.text())
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        query.append_pair("max_age", &signed_in_within(anew).as_secs().to_string());
        if anew {
            query.append_pair("prompt", "login");
        }
        let url = with_query(&metadata.authorization_endpoint, &query.finish());
        Ok(Beginning { url, browser })
    }

    /// Ends a sign-in: who it is, and where to go. A callback is good once, and only in the browser it began in.
    pub(crate) async fn complete(
        &self,
        callback: &Callback,
        browser: Option<&Secret>,
    ) -> Result<(Vouched, String), OpenIdError> {
        let state = Secret::parse(&callback.state).ok_or(OpenIdError::Stale)?;
        let begun = self.pendings.take(&state, self.clock.now());
        let begun = begun.ok_or(OpenIdError::Stale)?;
        if browser.is_none_or(|browser| browser.hash() != begun.browser.hash()) {
            return Err(OpenIdError::Stale);
        }
        if callback
            .iss
            .as_ref()
            .is_some_and(|iss| *iss != self.config.issuer)
        {
            return Err(OpenIdError::Token(TokenFault::Issuer));
        }
        if let Some(error) = &callback.error {
            return Err(OpenIdError::Declined {
                error: plain(error),
            });
        }
        if callback.code.is_empty() || callback.code.len() > PARAMETER_BYTES_MAX {
            return Err(OpenIdError::Stale);
        }
        let id_token = self.redeem(&callback.code, &begun).await?;
        let vouched = self.vouch(id_token, &begun).await?;
        Ok((vouched, begun.next))
    }

    /// Turns the code into an ID token.
    async fn redeem(&self, code: &str, begun: &Begun) -> Result<String, OpenIdError> {
        let secret = (!self.config.client_secret.is_empty()).then(|| {
            let encoded =
                |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            (
                encoded(&self.config.client_id),
                encoded(&self.config.client_secret),
            )
        });
        let form = {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair("grant_type", "authorization_code")
                .append_pair("code", code)
                .append_pair("redirect_uri", &self.redirect_uri())
                .append_pair("code_verifier", &begun.verifier.text());
            if secret.is_none() {
                form.append_pair("client_id", &self.config.client_id);
            }
            form.finish()
        };
        self.provider.redeem(form, secret).await
    }

    /// Who an ID token is about, once it is known to be the provider's, for us, and of this sign-in.
    async fn vouch(&self, id_token: String, begun: &Begun) -> Result<Vouched, OpenIdError> {
        let head = token::head(&id_token).map_err(OpenIdError::Token)?;
        let key = self.provider.key(&head).await?;
        let key = key.ok_or(OpenIdError::Token(TokenFault::UnknownKey))?;
        let expected = token::Expected {
            issuer: &self.config.issuer,
            client_id: &self.config.client_id,
            nonce: &begun.nonce.text(),
            asked_at: begun.at,
            signed_in_within: signed_in_within(begun.anew),
            now: self.clock.now(),
        };
        let claims =
            token::claims(&id_token, &head, &key, &expected).map_err(OpenIdError::Token)?;
        let role = self.config.role(&claims.names(&self.config.roles_claim));
        let name = claims.text(&self.config.name_claim);
        let name = name.unwrap_or_else(|| claims.subject().to_owned());
        Ok(Vouched {
            role: role.ok_or(OpenIdError::NoRole)?,
            display_name: plain(&claims.text("name").unwrap_or_else(|| name.clone())),
            by: person::by(&plain(&name), (&self.config.issuer, claims.subject())),
            id_token,
        })
    }

    /// Where to sign out at the provider too, if it has such a place.
    pub(crate) async fn sign_out_url(&self, vouched: &Vouched) -> Option<String> {
        let metadata = self.provider.metadata().await.ok()?;
        let endpoint = metadata.end_session_endpoint.as_ref()?;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("id_token_hint", &vouched.id_token)
            .append_pair("client_id", &self.config.client_id)
            .append_pair(
                "post_logout_redirect_uri",
                &format!("{}/sign-in", self.origin),
            );
        Some(with_query(endpoint, &query.finish()))
    }

    fn redirect_uri(&self) -> String {
        format!("{}{CALLBACK}", self.origin)
    }

    fn scope(&self) -> String {
        let others = self.config.scopes.iter().filter(|scope| *scope != "openid");
        let all = std::iter::once("openid").chain(others.map(String::as_str));
        all.collect::<Vec<_>>().join(" ")
    }
}

fn with_query(endpoint: &str, query: &str) -> String {
    let sign = if endpoint.contains('?') { '&' } else { '?' };
    format!("{endpoint}{sign}{query}")
}

/// How long before the sign-in the person may have given the password at the provider: a session there that was left
/// open for longer shall not sign in here by itself.
fn signed_in_within(anew: bool) -> SignedDuration {
    if anew {
        SignedDuration::ZERO
    } else {
        SIGNED_IN_WITHIN
    }
}

/// At most 100 characters, none of which moves a cursor.
fn plain(text: &str) -> String {
    let plain = text.chars().filter(|letter| !letter.is_control());
    plain.take(100).collect()
}
