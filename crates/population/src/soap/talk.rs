//! The calls of one question: their ids, their token, the one renewal of it.

use std::time::Duration;

use lienthong_domain::TraceContext;
use lienthong_domain::identity::{Citizen, Claims, FullName};
use lienthong_ports::Question;
use reqwest::Url;
use reqwest::header::HeaderValue;
use serde::Deserialize;

use super::SoapRegistry;
use super::access::TOKEN_REQUEST;
use super::answer::Reply;
use super::request::{Ask, empty_body};
use super::tokens::{Granted, Token};
use crate::config::Service;
use crate::failure::Failure;

/// Most calls of one question: three spellings of a name, a record, one repetition with a new token.
const CALLS_MAX: u8 = 5;
/// Longest token that is taken, in bytes.
const TOKEN_BYTES_MAX: usize = 8_192;

/// What a token endpoint answers. Source: RFC 6749 §5.1.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

/// The calls of one question.
pub(super) struct Talk<'a> {
    registry: &'a SoapRegistry,
    question: &'a Question,
    claims: &'a Claims,
    calls: u8,
    may_renew: bool,
}

impl<'a> Talk<'a> {
    pub(super) fn new(
        registry: &'a SoapRegistry,
        question: &'a Question,
        claims: &'a Claims,
    ) -> Self {
        Self {
            registry,
            question,
            claims,
            calls: 0,
            may_renew: true,
        }
    }

    /// Service 003: whether there is a person of this name with the claimed number and birth date.
    pub(super) async fn exists(&mut self, name: &FullName) -> Result<bool, Failure> {
        let registry = self.registry;
        let (service, url) = (&registry.config.matching, &registry.matching_url);
        let reply = self.call(service, url, name).await?;
        registry.judge.exists(&reply)
    }

    /// Service 037: the record of a person of this name with the claimed number and birth date.
    pub(super) async fn record(&mut self, name: &FullName) -> Result<Option<Citizen>, Failure> {
        let registry = self.registry;
        let (service, url) = (&registry.config.look_up, &registry.look_up_url);
        let reply = self.call(service, url, name).await?;
        registry.judge.record(&reply)
    }

    /// Makes one call, and once in a question repeats it with a new token.
    async fn call(
        &mut self,
        service: &Service,
        url: &Url,
        name: &FullName,
    ) -> Result<Reply, Failure> {
        loop {
            let token = self.registry.token().await?;
            let reply = self.try_call(service, url, name, token.as_ref()).await?;
            match token {
                Some(token) if reply.status == 401 => {
                    self.registry.tokens.invalidate(token.generation).await;
                    if !std::mem::take(&mut self.may_renew) {
                        return Ok(reply);
                    }
                }
                _ => return Ok(reply),
            }
        }
    }

    async fn try_call(
        &mut self,
        service: &Service,
        url: &Url,
        name: &FullName,
        token: Option<&Token>,
    ) -> Result<Reply, Failure> {
        let registry = self.registry;
        debug_assert!(self.calls < CALLS_MAX, "the use cases make no more calls");
        self.calls += 1;
        let ask = Ask {
            service,
            question: self.question,
            call: self.calls,
            number: &self.claims.number,
            name,
            birth: self.claims.birth,
        };
        let now = registry.clock.now();
        let official = Some(&self.question.official);
        let token = token.map(|token| &*token.text);
        let mut headers =
            registry
                .credentials
                .headers(registry.config.url_of(service), official, token, now)?;
        if let Some(trace) = self.question.trace {
            let value = HeaderValue::try_from(trace.to_string());
            let value = value.expect("hexadecimal digits and hyphens");
            headers.insert(TraceContext::HEADER, value);
        }
        let body = ask.body(&registry.config);
        let reply = registry.link.post(url, headers, body, now).await?;
        tracing::debug!(
            request.id = self.question.request_id,
            request.call = self.calls,
            service.code = service.code,
            http.status = reply.status,
            "the population database answered",
        );
        Ok(reply)
    }
}

impl SoapRegistry {
    /// The token of the moment; none where calls carry none.
    pub(super) async fn token(&self) -> Result<Option<Token>, Failure> {
        let Some(url) = self.credentials.token_url() else {
            return Ok(None);
        };
        let fetch = async {
            let fetched = self.fetch_token(url).await;
            match &fetched {
                Ok(_) => tracing::info!("got a token for the population database"),
                Err(failure) => {
                    tracing::warn!(error = ?failure, "got no token for the population database");
                }
            }
            fetched
        };
        self.tokens.current(fetch).await.map(Some)
    }

    async fn fetch_token(&self, url: &Url) -> Result<Granted, Failure> {
        let headers = self.credentials.token_headers();
        let now = self.clock.now();
        let reply = self
            .link
            .post(url, headers, TOKEN_REQUEST.to_owned(), now)
            .await?;
        if !(200..300).contains(&reply.status) {
            return Err(no_token(&reply));
        }
        let body = reply.body.unwrap_or_default();
        let answer = serde_json::from_slice::<TokenAnswer>(&body).ok();
        let good = answer.filter(|answer| {
            let length = answer.access_token.len();
            (1..=TOKEN_BYTES_MAX).contains(&length)
                && answer
                    .access_token
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic())
        });
        let answer =
            good.ok_or_else(|| Failure::bad_answer("the token endpoint gave no usable token"))?;
        let seconds = answer
            .expires_in
            .unwrap_or(self.config.token_seconds_default);
        Ok(Granted {
            text: answer.access_token,
            life: Duration::from_secs(seconds),
        })
    }

    /// Sends a question about nobody, which the database must refuse.
    pub(super) async fn ask_nothing(&self) -> Result<(), Failure> {
        let token = self.token().await?;
        let (url, now) = (&self.look_up_url, self.clock.now());
        let text = token.as_ref().map(|token| &*token.text);
        let signed_url = self.config.url_of(&self.config.look_up);
        let headers = self.credentials.headers(signed_url, None, text, now)?;
        let body = empty_body(self.config.form);
        let reply = self.link.post(url, headers, body, now).await?;
        if reply.status == 401
            && let Some(token) = token
        {
            self.tokens.invalidate(token.generation).await;
        }
        self.judge.refuses_the_empty_question(&reply)
    }
}

/// Why a token endpoint gave none.
fn no_token(reply: &Reply) -> Failure {
    let retry_after = reply.retry_after;
    let said = format!("the token endpoint answered with HTTP {}", reply.status);
    match reply.status {
        400 | 401 | 403 => Failure::Refused(said),
        429 => Failure::Busy { retry_after },
        503 if retry_after.is_some() => Failure::Busy { retry_after },
        _ => Failure::Unavailable(said),
    }
}
