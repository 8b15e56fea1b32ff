//! The provider over HTTP: what it says of itself, its keys, and codes turned into tokens. Kept for an hour.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::StatusCode;
use http::header::{ACCEPT, CONTENT_TYPE};
use jiff::Timestamp;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use lienthong_domain::Clock;
use lienthong_transport::read_bounded;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::OpenIdError;
use super::token::{Algorithm, Head};

/// Largest answer of the provider.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Keys of the provider that are looked at.
const KEYS_MAX: usize = 100;
/// How long its metadata and keys are trusted.
const FRESH: Duration = Duration::from_hours(1);
/// An unknown key makes us look for new ones at most this often.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// After a failed look-up nobody asks for so long: those who wait for one that hangs shall not each hang after it.
const FAILURE_LIFE: Duration = Duration::from_secs(5);

/// What the provider says of itself.
#[derive(Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    pub(super) end_session_endpoint: Option<String>,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

struct Kept<T> {
    value: Arc<T>,
    at: Timestamp,
}

pub(super) struct Provider {
    issuer: String,
    http: Client,
    clock: Clock,
    metadata: ArcSwapOption<Kept<Metadata>>,
    keys: ArcSwapOption<Kept<Vec<Jwk>>>,
    failed_at: ArcSwapOption<Timestamp>,
    /// One asks, the others wait for what it learns.
    asking: Mutex<()>,
}

impl Provider {
    pub(super) fn new(issuer: String, http: Client, clock: Clock) -> Self {
        Self {
            issuer,
            http,
            clock,
            metadata: ArcSwapOption::empty(),
            keys: ArcSwapOption::empty(),
            failed_at: ArcSwapOption::empty(),
            asking: Mutex::new(()),
        }
    }

    /// What the provider says of itself, not older than an hour.
    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>, OpenIdError> {
        if let Some(known) = self.fresh(&self.metadata, FRESH) {
            return Ok(known);
        }
        let _turn = self.asking.lock().await;
        if let Some(known) = self.fresh(&self.metadata, FRESH) {
            return Ok(known);
        }
        if self.has_just_failed() {
            return Err(OpenIdError::DownAMomentAgo);
        }
        let asked = self.ask_for_metadata().await;
        if asked.is_err() {
            self.failed_at.store(Some(Arc::new(self.clock.now())));
        }
        Ok(self.keep(&self.metadata, asked?))
    }

    fn has_just_failed(&self) -> bool {
        let passed = |at: Arc<Timestamp>| self.clock.now().duration_since(*at);
        let passed = self.failed_at.load_full().map(passed);
        // A clock that was set back (a negative time) would make us remember for long.
        passed.is_some_and(|passed| Duration::try_from(passed).is_ok_and(|age| age < FAILURE_LIFE))
    }

    async fn ask_for_metadata(&self) -> Result<Metadata, OpenIdError> {
        let issuer = self.issuer.trim_end_matches('/');
        let url = format!("{issuer}/.well-known/openid-configuration");
        let metadata: Metadata = self.get(&url, "metadata").await?;
        if metadata.issuer != self.issuer {
            return Err(OpenIdError::BadAnswer {
                what: "metadata",
                reason: "it calls itself otherwise than console.openid.issuer".to_owned(),
            });
        }
        self.endpoints(&metadata)?;
        Ok(metadata)
    }

    /// The key that signed a token; looks for new keys when it is not among the known ones.
    pub(super) async fn key(&self, head: &Head) -> Result<Option<DecodingKey>, OpenIdError> {
        if let Some(known) = self.fresh(&self.keys, FRESH)
            && let Some(key) = find(&known, head)
        {
            return Ok(Some(key));
        }
        let uri = self.metadata().await?.jwks_uri.clone();
        let _turn = self.asking.lock().await;
        if let Some(known) = self.fresh(&self.keys, LOOK_AGAIN) {
            return Ok(find(&known, head));
        }
        let set: KeySet = self.get(&uri, "keys").await?;
        // A key of a kind that we do not know is not ours to refuse; it signs nothing that we would take.
        let known = set.keys.into_iter().take(KEYS_MAX);
        let known = known.filter_map(|key| serde_json::from_value(key).ok());
        let keys = self.keep(&self.keys, known.collect());
        Ok(find(&keys, head))
    }

    /// Sends a code for its ID token.
    pub(super) async fn redeem(
        &self,
        form: String,
        secret: Option<(String, String)>,
    ) -> Result<String, OpenIdError> {
        #[derive(Deserialize)]
        struct Tokens {
            id_token: String,
        }
        let metadata = self.metadata().await?;
        let request = self
            .http
            .post(&metadata.token_endpoint)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        let request = match secret {
            Some((client, secret)) => request.basic_auth(client, Some(secret)),
            None => request,
        };
        let tokens: Tokens = answer(request, "token").await?;
        Ok(tokens.id_token)
    }

    /// Endpoints over plain HTTP come only from a provider that is itself reached so.
    fn endpoints(&self, metadata: &Metadata) -> Result<(), OpenIdError> {
        let mut all = vec![
            &metadata.authorization_endpoint,
            &metadata.token_endpoint,
            &metadata.jwks_uri,
        ];
        all.extend(&metadata.end_session_endpoint);
        let is_plain = self.issuer.starts_with("http://");
        let good =
            |url: &&String| url.starts_with("https://") || (is_plain && url.starts_with("http://"));
        match all.into_iter().find(|url| !good(url)) {
            None => Ok(()),
            Some(_) => Err(OpenIdError::BadAnswer {
                what: "metadata",
                reason: "an endpoint is not an https:// address".to_owned(),
            }),
        }
    }

    async fn get<T: DeserializeOwned>(
        &self,
        url: &str,
        what: &'static str,
    ) -> Result<T, OpenIdError> {
        answer(self.http.get(url), what).await
    }

    fn fresh<T>(&self, kept: &ArcSwapOption<Kept<T>>, life: Duration) -> Option<Arc<T>> {
        let kept = kept.load_full()?;
        let age = Duration::try_from(self.clock.now().duration_since(kept.at));
        (age.unwrap_or_default() < life).then(|| kept.value.clone())
    }

    fn keep<T>(&self, place: &ArcSwapOption<Kept<T>>, value: T) -> Arc<T> {
        let value = Arc::new(value);
        place.store(Some(Arc::new(Kept {
            value: value.clone(),
            at: self.clock.now(),
        })));
        value
    }
}

async fn answer<T: DeserializeOwned>(
    request: RequestBuilder,
    what: &'static str,
) -> Result<T, OpenIdError> {
    let sent = request.header(ACCEPT, "application/json").send().await;
    let response = sent.map_err(|source| OpenIdError::Unreachable {
        what,
        source: source.without_url().into(),
    })?;
    let status = response.status();
    let body = read_bounded(response, ANSWER_BYTES_MAX)
        .await
        .map_err(|source| OpenIdError::Unreachable {
            what,
            source: source.into(),
        })?;
    if status != StatusCode::OK {
        return Err(OpenIdError::BadAnswer {
            what,
            reason: format!("status {status}"),
        });
    }
    serde_json::from_slice(&body).map_err(|error| OpenIdError::BadAnswer {
        what,
        // The position only: the text could quote a token.
        reason: format!("not the JSON it should be, at column {}", error.column()),
    })
}

/// The key of the set that may have signed a token. Without a name it must be the only one of its kind.
fn find(keys: &[Jwk], head: &Head) -> Option<DecodingKey> {
    let fits = |key: &&Jwk| {
        let signs = matches!(
            key.common.public_key_use,
            None | Some(PublicKeyUse::Signature)
        );
        signs && head.algorithm.fits(key)
    };
    let mut found = keys
        .iter()
        .filter(fits)
        .filter(|key| head.key_id.is_none() || key.common.key_id == head.key_id);
    let (key, other) = (found.next()?, found.next());
    if other.is_some() {
        return None;
    }
    DecodingKey::from_jwk(key).ok()
}

impl Algorithm {
    fn fits(self, key: &Jwk) -> bool {
        use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, KeyAlgorithm};
        match (self, &key.algorithm) {
            (Self::Rs256, AlgorithmParameters::RSA(_)) => {
                matches!(key.common.key_algorithm, None | Some(KeyAlgorithm::RS256))
            }
            (Self::Es256, AlgorithmParameters::EllipticCurve(curve)) => {
                matches!(curve.curve, EllipticCurve::P256)
                    && matches!(key.common.key_algorithm, None | Some(KeyAlgorithm::ES256))
            }
            _ => false,
        }
    }
}
