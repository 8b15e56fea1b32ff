//! What a fault makes of an answer, and how the odd ones go out on the wire.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio_util::sync::CancellationToken;

use super::desk::Flight;
use super::faults::Fault;
use super::record::Outcome;
use super::reply::{Answer, Blame, Layout, with_wrong_namespaces};
use crate::listener::Cutter;

/// Bytes of [`Fault::HugeBody`].
const HUGE_BODY_BYTES: usize = 8 << 20;
/// How long [`Fault::HalfOpen`] keeps silent before it cuts; no client waits that long.
pub(crate) const SILENCE_MS_MAX: u64 = 600_000;

const XML: &str = "text/xml; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const PAGE: &str = "<!DOCTYPE html><html><head><title>Bảo trì</title></head>\
                    <body><h1>Hệ thống đang bảo trì</h1></body></html>";

/// An answer as HTTP carries it.
pub(crate) struct Said {
    status: StatusCode,
    content_type: &'static str,
    extra: Option<(header::HeaderName, HeaderValue)>,
    body: String,
}

impl Said {
    fn new(status: StatusCode, content_type: &'static str, body: String) -> Self {
        Self {
            status,
            content_type,
            extra: None,
            body,
        }
    }

    pub(crate) fn xml(status: StatusCode, body: String) -> Self {
        Self::new(status, XML, body)
    }

    pub(crate) fn json(status: StatusCode, body: &serde_json::Value) -> Self {
        Self::new(status, JSON, body.to_string())
    }

    pub(crate) fn text(status: StatusCode, body: &str) -> Self {
        Self::new(status, TEXT, body.to_owned())
    }

    pub(crate) fn unauthorized() -> Self {
        let scheme = HeaderValue::from_static("Basic realm=\"CSDLQGVDC\"");
        Self {
            extra: Some((header::WWW_AUTHENTICATE, scheme)),
            ..Self::text(StatusCode::UNAUTHORIZED, "Sai thông tin xác thực\n")
        }
    }

    fn respond(self, body: Body) -> Response {
        let kind = [(header::CONTENT_TYPE, self.content_type)];
        let mut response = (self.status, kind, body).into_response();
        response.headers_mut().extend(self.extra);
        response
    }
}

impl IntoResponse for Said {
    fn into_response(mut self) -> Response {
        let body = Body::from(std::mem::take(&mut self.body));
        self.respond(body)
    }
}

/// What happens instead of the right answer going out as it is.
pub(crate) enum Struck {
    Say(Said),
    SayHalf(Said),
    Drip {
        said: Said,
        bytes: usize,
        every_ms: u64,
    },
    Cut,
    Silence,
}

/// What a fault makes of a call whose right answer would be `right`; `other` is about another person.
/// The outcome stays the right one where the caller can still learn it.
pub(crate) fn strike(
    fault: Option<&Fault>,
    right: impl FnOnce() -> (Outcome, Said),
    other: impl FnOnce() -> Said,
) -> (Outcome, Struck) {
    match fault {
        None | Some(Fault::Latency(_) | Fault::ExpireTokens) => {
            let (outcome, said) = right();
            (outcome, Struck::Say(said))
        }
        Some(Fault::WrongNamespace) => {
            let (outcome, mut said) = right();
            said.body = with_wrong_namespaces(&said.body);
            (outcome, Struck::Say(said))
        }
        Some(Fault::SlowDrip { bytes, every_ms }) => {
            let (outcome, said) = right();
            let drip = Struck::Drip {
                said,
                bytes: *bytes as usize,
                every_ms: *every_ms,
            };
            (outcome, drip)
        }
        Some(Fault::HalfOpen) => (Outcome::Struck, Struck::Silence),
        Some(Fault::Cut | Fault::Down) => (Outcome::Struck, Struck::Cut),
        Some(Fault::CutMidAnswer) => (Outcome::Struck, Struck::SayHalf(right().1)),
        Some(Fault::OtherPerson) => (Outcome::Struck, Struck::Say(other())),
        Some(Fault::Truncated) => (Outcome::Struck, Struck::Say(truncated(right().1))),
        Some(fault) => (Outcome::Struck, Struck::Say(instead(fault))),
    }
}

/// The first half as if it were whole.
fn truncated(mut said: Said) -> Said {
    let half = said.body.chars().count() / 2;
    said.body = said.body.chars().take(half).collect();
    said
}

/// The answer that takes the place of the right one.
fn instead(fault: &Fault) -> Said {
    match fault {
        Fault::Status { code } => {
            let status = StatusCode::from_u16(*code).expect("a checked script has real statuses");
            Said::text(status, "lỗi giả lập\n")
        }
        Fault::SoapFault { message } => server_fault(message),
        Fault::Busy {
            retry_after_s,
            as_soap_fault,
        } => busy(*retry_after_s, *as_soap_fault),
        Fault::HugeBody => {
            let filling = "x".repeat(HUGE_BODY_BYTES);
            let comment = format!("<!--{filling}--><CongdanCollection/>");
            Said::xml(StatusCode::OK, comment)
        }
        Fault::EmptyBody => Said::xml(StatusCode::OK, String::new()),
        // Every fault that leaves something of the right answer was taken by the caller.
        _ => Said::new(StatusCode::OK, HTML, PAGE.to_owned()),
    }
}

fn server_fault(sentence: &str) -> Said {
    let fault = Answer::Fault(Blame::Server, sentence.to_owned());
    Said::xml(
        StatusCode::INTERNAL_SERVER_ERROR,
        fault.to_xml(Layout::default()),
    )
}

fn busy(retry_after_s: u32, as_soap_fault: bool) -> Said {
    let said = if as_soap_fault {
        server_fault("Vượt quá hạn mức truy vấn, vui lòng thử lại sau")
    } else {
        Said::text(StatusCode::TOO_MANY_REQUESTS, "Hệ thống bận\n")
    };
    Said {
        extra: Some((header::RETRY_AFTER, HeaderValue::from(retry_after_s))),
        ..said
    }
}

/// The response is never written: the connection refuses to, and closes with a reset.
pub(crate) fn cut(cutter: &Cutter) -> Response {
    cutter.cut();
    Response::new(Body::empty())
}

/// Promises the whole length, sends the first half and ends the connection.
pub(crate) fn half(mut said: Said) -> Response {
    let whole = Bytes::from(std::mem::take(&mut said.body));
    let length = HeaderValue::from(whole.len());
    let body = stream::unfold(Some(whole), |left| async {
        let portion = if let Some(whole) = left {
            Ok(whole.slice(..whole.len() / 2))
        } else {
            // The first half must leave before the error is seen.
            tokio::task::yield_now().await;
            Err(std::io::Error::other("cut by the fault script"))
        };
        Some((portion, None))
    });
    let mut response = said.respond(Body::from_stream(body));
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, length);
    response
}

/// Sends `bytes` at a time, each after a pause; ends early when the simulator stops.
pub(crate) fn drip(
    mut said: Said,
    bytes: usize,
    every_ms: u64,
    closing: CancellationToken,
    flight: Flight,
) -> Response {
    let whole = Bytes::from(std::mem::take(&mut said.body));
    let length = HeaderValue::from(whole.len());
    let start = (whole, closing, flight);
    let body = stream::unfold(start, move |(mut left, closing, flight)| async move {
        if left.is_empty() {
            return None;
        }
        let portion = tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(every_ms)) => {
                Ok(left.split_to(bytes.min(left.len())))
            }
            () = closing.cancelled() => Err(std::io::Error::other("the simulator stops")),
        };
        Some((portion, (left, closing, flight)))
    });
    let mut response = said.respond(Body::from_stream(body));
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, length);
    response
}
