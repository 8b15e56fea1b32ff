//! One HTTP call: what is posted, how long it may take, how much of the answer is read.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use lienthong_transport::{TransportError, read_bounded};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Url};

use super::answer::{Reply, read_retry_after};
use crate::failure::Failure;

/// Causes of an error that are looked through.
const CAUSES_MAX: usize = 16;

const CUT: &str = "the connection was cut";

/// The way to the database.
pub(crate) struct Link {
    http: Client,
    timeout: Duration,
    body_bytes_max: usize,
}

impl Link {
    pub(crate) fn new(http: Client, timeout: Duration, body_bytes_max: usize) -> Self {
        Self {
            http,
            timeout,
            body_bytes_max,
        }
    }

    /// Posts a body and reads the answer, at most as long as a single call may take.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] when no whole answer came.
    pub(crate) async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: String,
        now: Timestamp,
    ) -> Result<Reply, Failure> {
        let request = self.http.post(url.clone());
        let request = request.timeout(self.timeout).headers(headers).body(body);
        let response = request.send().await.map_err(|error| no_answer(&error))?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after
            .and_then(|value| value.to_str().ok())
            .and_then(|text| read_retry_after(text, now));
        let body = match read_bounded(response, self.body_bytes_max).await {
            Ok(body) => Some(body),
            Err(TransportError::ReadBody(error)) => return Err(no_answer(&error)),
            Err(_too_large) => None,
        };
        Ok(Reply {
            status,
            retry_after,
            body,
        })
    }
}

/// Names what kept an answer from coming, in our own words: a library's may quote an address or a header.
fn no_answer(error: &reqwest::Error) -> Failure {
    use io::ErrorKind as Kind;
    if error.is_timeout() {
        return Failure::out_of_time();
    }
    let mut kind = None;
    let mut words = String::new();
    let mut next = error.source();
    for _ in 0..CAUSES_MAX {
        let Some(cause) = next else { break };
        kind = kind.or_else(|| cause.downcast_ref::<io::Error>().map(io::Error::kind));
        words = cause.to_string();
        next = cause.source();
    }
    Failure::unavailable(match kind {
        Some(Kind::ConnectionRefused) => "the connection was refused",
        Some(Kind::InvalidData) if error.is_connect() => "TLS could not be agreed on",
        Some(
            Kind::ConnectionReset
            | Kind::ConnectionAborted
            | Kind::BrokenPipe
            | Kind::UnexpectedEof,
        ) => CUT,
        _ if error.is_connect() => "it cannot be connected to",
        // hyper says so in words when it saw a plain end of stream.
        _ if error.is_body() || error.is_decode() || words.contains("closed") => CUT,
        _ => "the connection failed",
    })
}
