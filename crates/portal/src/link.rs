//! One HTTP call: what is posted, how long it may take, how much of the answer is read.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, Url};

use crate::answer::{Reply, Verdict};
use crate::config::{Config, DstcodePlace};
use crate::signals::Signals;

/// The name of the query parameter and of the header that name the portal at the exchange platform.
const DSTCODE: &str = "dstcode";
/// Causes of an error that are looked through.
const CAUSES_MAX: usize = 16;

/// The portal's two addresses and what every call carries.
pub(crate) struct Link {
    http: Client,
    pub(crate) login_url: Url,
    pub(crate) data_url: Url,
    headers: HeaderMap,
    timeout: Duration,
    body_bytes_max: usize,
    pub(crate) signals: Signals,
}

impl Link {
    /// `None` when the configuration has faults; `Config::check` names them.
    pub(crate) fn new(config: &Config, http: Client, signals: Signals) -> Option<Self> {
        Some(Self {
            http,
            login_url: address(&config.login_url, config)?,
            data_url: address(&config.data_url, config)?,
            headers: headers(config)?,
            timeout: Duration::from_millis(config.request_timeout_ms_max),
            body_bytes_max: config.body_bytes_max,
            signals,
        })
    }

    /// Posts JSON and reads the answer, at most as long as a single call may take.
    ///
    /// # Errors
    /// A verdict with the cause `Transport`.
    pub(crate) async fn post(
        &self,
        url: &Url,
        body: Vec<u8>,
        marks: HeaderMap,
    ) -> Result<Reply, Verdict> {
        let request = self
            .http
            .post(url.clone())
            .timeout(self.timeout)
            .headers(self.headers.clone())
            .headers(marks)
            .body(body);
        let asked_at = self.signals.now();
        let response = request.send().await.map_err(no_answer)?;
        self.signals.note_date(response.headers(), asked_at);
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let body = self.read_body(response).await.map_err(no_answer)?;
        Ok(Reply {
            status,
            retry_after,
            body,
        })
    }

    /// `None` when the answer is larger than the bound; the rest of it is not read.
    async fn read_body(&self, mut response: Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > self.body_bytes_max {
                return Ok(None);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Some(body))
    }
}

fn address(text: &str, config: &Config) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    if config.dstcode_in != DstcodePlace::Header && !config.dstcode.is_empty() {
        // Written plainly, colons and all: clients in the field do, and adapters may compare text.
        let query = match url.query().filter(|query| !query.is_empty()) {
            Some(query) => format!("{query}&{DSTCODE}={}", config.dstcode),
            None => format!("{DSTCODE}={}", config.dstcode),
        };
        url.set_query(Some(&query));
    }
    Some(url)
}

fn headers(config: &Config) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    if config.dstcode_in != DstcodePlace::Query && !config.dstcode.is_empty() {
        let value = HeaderValue::try_from(&config.dstcode).ok()?;
        headers.insert(HeaderName::from_static(DSTCODE), value);
    }
    for (name, value) in &config.headers {
        let mut value = HeaderValue::try_from(value.expose()).ok()?;
        value.set_sensitive(true);
        headers.insert(HeaderName::try_from(name).ok()?, value);
    }
    Some(headers)
}

/// Names what kept an answer from coming. The address is left out: its query may hold a key.
fn no_answer(error: reqwest::Error) -> Verdict {
    let error = error.without_url();
    let mut causes = vec![error.to_string()];
    let mut kind = None;
    let mut next = error.source();
    while let Some(cause) = next.filter(|_| causes.len() < CAUSES_MAX) {
        kind = kind.or_else(|| cause.downcast_ref::<io::Error>().map(io::Error::kind));
        causes.push(cause.to_string());
        next = cause.source();
    }
    let code = if error.is_timeout() {
        "TIMEOUT"
    } else if error.is_connect() {
        "CONNECT"
    } else if is_cut(kind, &causes) || error.is_body() || error.is_decode() {
        "RESET"
    } else {
        "TRANSPORT"
    };
    let cause = causes.pop().unwrap_or_default();
    Verdict::transport(code, cause)
}

/// Whether the connection ended early. hyper says so in words when it saw a plain end of stream.
fn is_cut(kind: Option<io::ErrorKind>, causes: &[String]) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        kind,
        Some(
            Kind::ConnectionReset
                | Kind::ConnectionAborted
                | Kind::BrokenPipe
                | Kind::UnexpectedEof
        )
    ) || causes
        .iter()
        .any(|cause| cause.contains("connection closed"))
}
