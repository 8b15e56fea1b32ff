//! What the provider knows: who is signed in, which codes are out, and how a token is made.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::keys::{Key, token};
use super::{Client, OpenIdConfig, TokenFault, User};

/// How long a code is good for.
const CODE_SECONDS: i64 = 60;
/// How long a token is good for.
const TOKEN_SECONDS: i64 = 300;
/// Codes and sign-ins kept; a demo and a test need a handful.
const KEPT_MAX: usize = 10_000;

/// A request to sign in, as it came.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) challenge: String,
    /// The password must be asked for, whoever is signed in.
    pub(super) anew: bool,
}

struct Code {
    wish: Wish,
    user: User,
    signed_in_at: i64,
    at: i64,
}

pub(super) struct State {
    pub(super) clients: Vec<Client>,
    pub(super) fault: Option<TokenFault>,
    pub(super) is_down: bool,
    key: Key,
    keys_made: u32,
    codes: HashMap<String, Code>,
    /// Who is signed in, by cookie, and since when.
    signed_in: HashMap<String, (User, i64)>,
}

pub(super) struct Desk {
    pub(super) issuer: String,
    config: OpenIdConfig,
    state: Mutex<State>,
}

impl Desk {
    pub(super) fn open(config: OpenIdConfig, issuer: String) -> Self {
        let state = State {
            clients: config.clients.clone(),
            fault: None,
            is_down: false,
            key: Key::generate(config.key_kind, "key-1".to_owned()),
            keys_made: 1,
            codes: HashMap::new(),
            signed_in: HashMap::new(),
        };
        Self {
            issuer,
            config,
            state: Mutex::new(state),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn rotate_key(&self) {
        let mut state = self.state();
        state.keys_made += 1;
        state.key = Key::generate(self.config.key_kind, format!("key-{}", state.keys_made));
    }

    pub(super) fn jwks(&self) -> Value {
        json!({ "keys": [self.state().key.jwk()] })
    }

    pub(super) fn algorithm(&self) -> &'static str {
        self.state().key.algorithm()
    }

    /// Refuses a wish of an unknown client, or one that leads elsewhere.
    pub(super) fn check(&self, wish: &Wish) -> Result<(), &'static str> {
        let state = self.state();
        let client = state
            .clients
            .iter()
            .find(|client| client.id == wish.client_id);
        let client = client.ok_or("unknown client_id")?;
        if !client.redirect_uris.contains(&wish.redirect_uri) {
            return Err("redirect_uri is not registered");
        }
        if wish.challenge.len() != 43 {
            return Err("code_challenge of S256 is missing");
        }
        Ok(())
    }

    /// Signs somebody in; the cookie to remember them by.
    pub(super) fn sign_in(&self, name: &str, password: &str) -> Option<String> {
        let is_right = |user: &&User| user.name == name && user.password == password;
        let user = self.config.users.iter().find(is_right)?;
        let cookie = random_text();
        let mut state = self.state();
        bound(&mut state.signed_in);
        let now = (self.config.clock)();
        state.signed_in.insert(cookie.clone(), (user.clone(), now));
        Some(cookie)
    }

    pub(super) fn sign_out(&self, cookie: &str) {
        self.state().signed_in.remove(cookie);
    }

    /// A code for whoever has that cookie.
    pub(super) fn code(&self, cookie: &str, wish: Wish) -> Option<String> {
        let mut state = self.state();
        let (user, signed_in_at) = state.signed_in.get(cookie)?.clone();
        let code = random_text();
        bound(&mut state.codes);
        let made = Code {
            wish,
            user,
            signed_in_at,
            at: (self.config.clock)(),
        };
        state.codes.insert(code.clone(), made);
        Some(code)
    }

    /// An ID token for a code, once.
    pub(super) fn redeem(
        &self,
        (client_id, secret): (&str, &str),
        (code, redirect_uri, verifier): (&str, &str, &str),
    ) -> Result<String, &'static str> {
        let mut state = self.state();
        let client = state.clients.iter().find(|client| client.id == client_id);
        if client.is_none_or(|client| client.secret != secret) {
            return Err("invalid_client");
        }
        let code = state.codes.remove(code).ok_or("invalid_grant")?;
        let now = (self.config.clock)();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let is_good = code.wish.client_id == client_id
            && code.wish.redirect_uri == redirect_uri
            && code.wish.challenge == challenge
            && now - code.at <= CODE_SECONDS;
        if !is_good {
            return Err("invalid_grant");
        }
        Ok(self.token(&state, &code, now))
    }

    fn token(&self, state: &State, code: &Code, now: i64) -> String {
        let mut claims = json!({
            "iss": self.issuer,
            "sub": hex::encode(&Sha256::digest(&code.user.name)[..16]),
            "aud": code.wish.client_id,
            "azp": code.wish.client_id,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "auth_time": code.signed_in_at,
            "nonce": code.wish.nonce,
            "name": code.user.display_name,
            "preferred_username": code.user.name,
            "realm_access": { "roles": code.user.roles },
        });
        let mut head = json!({ "alg": state.key.algorithm(), "kid": state.key.id, "typ": "JWT" });
        match state.fault {
            Some(TokenFault::WrongAudience) => claims["aud"] = json!("another-client"),
            Some(TokenFault::WrongIssuer) => claims["iss"] = json!("https://another.example"),
            Some(TokenFault::Expired) => {
                claims["iat"] = json!(now - 3_600 - TOKEN_SECONDS);
                claims["exp"] = json!(now - 3_600);
            }
            Some(TokenFault::WrongNonce) => claims["nonce"] = json!(random_text()),
            Some(TokenFault::UnknownKey) => head["kid"] = json!("nobody's"),
            Some(TokenFault::NoAuthTime) => claims["auth_time"] = Value::Null,
            Some(TokenFault::AlgNone) => {
                head = json!({ "alg": "none", "typ": "JWT" });
                return token(&head, &claims, |_| Vec::new());
            }
            Some(TokenFault::PublicKeyAsSecret) => {
                head["alg"] = json!("HS256");
                return token(&head, &claims, |message| {
                    state.key.sign_with_public_half(message)
                });
            }
            Some(TokenFault::BadSignature) => {
                return token(&head, &claims, |_| state.key.sign(b"another token"));
            }
            None => {}
        }
        token(&head, &claims, |message| state.key.sign(message))
    }

    /// Whether people may be sent there after signing out.
    pub(super) fn is_logout_uri(&self, client_id: &str, uri: &str) -> bool {
        let state = self.state();
        let client = state.clients.iter().find(|client| client.id == client_id);
        client.is_some_and(|client| client.logout_uris.iter().any(|known| known == uri))
    }
}

/// 43 characters that nobody guesses.
fn random_text() -> String {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).expect("the operating system has random bytes");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Makes room: a simulator that forgets everything is better than one that grows.
fn bound<V>(map: &mut HashMap<String, V>) {
    if map.len() >= KEPT_MAX {
        map.clear();
    }
}
