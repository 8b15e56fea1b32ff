//! Whether an ID token may be believed. Pure, and by our clock: the library checks the signature and nothing else.
//!
//! Source: `OpenID` Connect Core 1.0, 3.1.3.7; RFC 8725.

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::secret::same;

/// Longest ID token.
const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// Clocks may differ by.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);
/// A token was made for this sign-in, so it is not older than one may take.
const AGE_MAX: SignedDuration = SignedDuration::from_mins(15);
/// Names of roles read from a token.
const NAMES_MAX: usize = 500;

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenFault {
    /// Not a signed token, too large, or without a claim it needs.
    #[error("it is not an ID token")]
    Form,
    /// Signed by another method than RS256 or ES256, or not at all.
    #[error("its algorithm is not RS256 or ES256")]
    Algorithm,
    /// No key of the provider has that name.
    #[error("its key is not one of the provider's")]
    UnknownKey,
    /// The signature is not the key's.
    #[error("its signature is wrong")]
    Signature,
    /// From somebody else.
    #[error("it is from another issuer")]
    Issuer,
    /// For somebody else.
    #[error("it is for another client")]
    Audience,
    /// No longer valid.
    #[error("it has expired")]
    Expired,
    /// Valid later only, or made too long ago.
    #[error("the times it names cannot be")]
    Times,
    /// Of another sign-in.
    #[error("it belongs to another sign-in")]
    Nonce,
    /// The person did not prove to be there, or too long ago.
    #[error("it does not say that the person has signed in as recently as was asked for")]
    NotAnew,
}

/// The two methods taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Es256,
}

/// How a token is signed.
pub(super) struct Head {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
}

/// What a token must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    /// When the sign-in began here.
    pub(super) asked_at: Timestamp,
    /// How long before that the person may have given the password: the `max_age` that was asked for.
    pub(super) signed_in_within: SignedDuration,
    pub(super) now: Timestamp,
}

/// What a believed token says.
#[derive(Deserialize)]
pub(super) struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    auth_time: Option<i64>,
    #[serde(default)]
    nonce: String,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Reads how a token is signed, before it is believed.
pub(super) fn head(token: &str) -> Result<Head, TokenFault> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(TokenFault::Form);
    }
    // A token with `alg: none` fails here: the library does not know the name.
    let header = decode_header(token).map_err(|_| TokenFault::Algorithm)?;
    let algorithm = match header.alg {
        jsonwebtoken::Algorithm::RS256 => Algorithm::Rs256,
        jsonwebtoken::Algorithm::ES256 => Algorithm::Es256,
        _ => return Err(TokenFault::Algorithm),
    };
    Ok(Head {
        algorithm,
        key_id: header.kid,
    })
}

/// The claims of a token that is the provider's, for us, of this sign-in, and valid now.
pub(super) fn claims(
    token: &str,
    head: &Head,
    key: &DecodingKey,
    expected: &Expected<'_>,
) -> Result<Claims, TokenFault> {
    let mut only_signature = Validation::new(match head.algorithm {
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
    });
    only_signature.validate_exp = false;
    only_signature.validate_nbf = false;
    only_signature.validate_aud = false;
    only_signature.required_spec_claims.clear();
    let decoded = decode::<Claims>(token, key, &only_signature).map_err(|error| {
        use jsonwebtoken::errors::ErrorKind;
        match error.kind() {
            ErrorKind::Json(_) | ErrorKind::Utf8(_) | ErrorKind::Base64(_) => TokenFault::Form,
            _ => TokenFault::Signature,
        }
    })?;
    decoded.claims.check(expected)?;
    Ok(decoded.claims)
}

impl Claims {
    fn check(&self, expected: &Expected<'_>) -> Result<(), TokenFault> {
        if self.iss != expected.issuer {
            return Err(TokenFault::Issuer);
        }
        if !self.is_for(expected.client_id) {
            return Err(TokenFault::Audience);
        }
        let at = |second: i64| Timestamp::from_second(second).map_err(|_| TokenFault::Times);
        let (now, issued) = (expected.now, at(self.iat)?);
        if now
            >= at(self.exp)?
                .saturating_add(LEEWAY)
                .map_err(|_| TokenFault::Times)?
        {
            return Err(TokenFault::Expired);
        }
        let not_before = self.nbf.map(at).transpose()?.unwrap_or(issued);
        let ahead = not_before.max(issued).duration_since(now);
        if ahead > LEEWAY || now.duration_since(issued) > AGE_MAX {
            return Err(TokenFault::Times);
        }
        if !same(&self.nonce, expected.nonce) {
            return Err(TokenFault::Nonce);
        }
        if self.sub.is_empty() {
            return Err(TokenFault::Form);
        }
        // Asked for a `max_age`, a provider has to say when (3.1.2.1); one that does not is not believed.
        let signed_in = self.auth_time.map(at).transpose()?;
        let age = signed_in.map(|at| expected.asked_at.duration_since(at));
        let is_recent = age.is_some_and(|age| age <= expected.signed_in_within + LEEWAY);
        is_recent.then_some(()).ok_or(TokenFault::NotAnew)
    }

    /// For us; and where others are named too, made for us to use.
    fn is_for(&self, client_id: &str) -> bool {
        let (named, others) = match &self.aud {
            Audience::One(one) => (one == client_id, false),
            Audience::Many(many) => (many.iter().any(|one| one == client_id), many.len() > 1),
        };
        let used_by_us = match &self.azp {
            Some(party) => party == client_id,
            None => !others,
        };
        named && used_by_us
    }

    /// The provider's own id of the person.
    pub(super) fn subject(&self) -> &str {
        &self.sub
    }

    /// A text claim, by its name or by a dotted path.
    pub(super) fn text(&self, claim: &str) -> Option<String> {
        let text = self.find(claim)?.as_str()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The texts of a claim that is a list, or one text.
    pub(super) fn names(&self, claim: &str) -> Vec<String> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        match self.find(claim) {
            Some(Value::Array(values)) => values.iter().take(NAMES_MAX).filter_map(text).collect(),
            Some(value) => text(value).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// Some providers have claims whose names hold dots, so the whole name is tried first.
    fn find(&self, claim: &str) -> Option<&Value> {
        if let Some(value) = self.others.get(claim) {
            return Some(value);
        }
        let mut parts = claim.split('.');
        let first = self.others.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    }
}

#[cfg(test)]
mod tests;
