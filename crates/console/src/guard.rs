//! What every request passes: our own name in `Host`, our own pages as the origin of every form, and the
//! headers of every answer.

use std::net::{IpAddr, Ipv4Addr};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN,
    REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, Method, StatusCode};
use maud::html;

use crate::Shared;
use crate::fault::PageError;
use crate::frame::{Csrf, Frame, Manners};
use crate::layout;
use crate::origin::Origin;
use crate::secret::same;

/// The field of every form that carries the session's token.
pub(crate) const CSRF_FIELD: &str = "csrf";
/// Largest body of a request.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;

/// Nothing but our own files: no inline script or style, no frame, no form to another host.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const PERMISSIONS: &str = "accelerometer=(), camera=(), clipboard-read=(), display-capture=(), fullscreen=(), geolocation=(), \
     gyroscope=(), hid=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), serial=(), usb=()";

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerAddress(pub(crate) IpAddr);

/// The headers of every answer, error or not.
pub(crate) async fn headers(
    State(console): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not `no-referrer`: under it browsers send `Origin: null` with our own forms, which we could not tell from
        // others'. To other hosts nothing is told either way.
        (REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-embedder-policy"),
            "require-corp",
        ),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if console.gate.origin.is_https() {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(STRICT_TRANSPORT_SECURITY, year);
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Replaces the bare answer of an error by its page.
pub(crate) fn with_page(
    mut response: Response,
    frame: Option<&Frame>,
    manners: &Manners,
) -> Response {
    if let Some(error) = response.extensions_mut().remove::<PageError>() {
        return layout::error_page(frame, manners, &error);
    }
    let is_text = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    // Refusals of axum's extractors: an address or a form that does not read.
    if response.status().is_client_error() && is_text {
        let error = PageError::faulty(
            "Địa chỉ hoặc biểu mẫu không đọc được.",
            "The address or the form cannot be read.",
        );
        return layout::error_page(frame, manners, &error);
    }
    response
}

/// Refuses what was not meant for us (a name of another host that leads to our address), and forms that were not sent
/// by our own pages.
pub(crate) async fn origin(
    State(console): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let ours = &console.gate.origin;
    let manners = Manners::of(request.headers());
    if !is_our_host(&request, ours) {
        return misdirected(&manners, ours);
    }
    let changes = request.method() != Method::GET && request.method() != Method::HEAD;
    if changes && !is_our_page(request.headers(), ours) {
        tracing::warn!("a form that was not sent by a page of the console was refused");
        return layout::error_page(None, &manners, &PageError::Untrusted);
    }
    next.run(request).await
}

fn is_our_host(request: &Request, ours: &Origin) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let is_ours = |host: &str| {
        let scheme = if ours.is_https() { "https" } else { "http" };
        Origin::parse(&format!("{scheme}://{host}")).is_some_and(|origin| origin == *ours)
    };
    let authority = request.uri().authority();
    host.to_str().is_ok_and(is_ours)
        && authority.is_none_or(|authority| is_ours(authority.as_str()))
}

/// Browsers say where a form comes from, in one header or both; who says neither is no browser of these days.
fn is_our_page(headers: &HeaderMap, ours: &Origin) -> bool {
    let site = headers.get(FETCH_SITE).map(HeaderValue::as_bytes);
    let origin = headers.get(ORIGIN).map(HeaderValue::as_bytes);
    let site_is_ours = site.is_none_or(|site| site == b"same-origin");
    match origin {
        Some(origin) => site_is_ours && origin == ours.to_string().as_bytes(),
        None => site == Some(b"same-origin"),
    }
}

fn misdirected(manners: &Manners, ours: &Origin) -> Response {
    let language = manners.language;
    let title = language.t("Sai địa chỉ", "Wrong address");
    let address = ours.to_string();
    let body = html! {
        p { (language.t("Bảng điều khiển này chỉ trả lời tại địa chỉ:", "This console answers only at its own address:"))
            " " a href=(address) { (address) } }
    };
    layout::bare_page(StatusCode::MISDIRECTED_REQUEST, manners, title, "/", body)
}

/// Reads the body of a form, and passes it on only if it carries the session's token.
pub(crate) async fn with_token(request: Request, csrf: &Csrf) -> Result<Request, PageError> {
    let (parts, body) = request.into_parts();
    let is_form = parts.headers.get(CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes()
            .starts_with(b"application/x-www-form-urlencoded")
    });
    if !is_form {
        return Err(PageError::Untrusted);
    }
    // It has come whole already: see `turns.rs`.
    let bytes = to_bytes(body, BODY_BYTES_MAX).await;
    let bytes = bytes.map_err(|_| PageError::Untrusted)?;
    let mut tokens = form_urlencoded::parse(&bytes).filter(|(name, _)| name == CSRF_FIELD);
    let is_ours = match (tokens.next(), tokens.next()) {
        (Some((_, token)), None) => same(&token, &csrf.0),
        _ => false,
    };
    if is_ours {
        Ok(Request::from_parts(parts, Body::from(bytes)))
    } else {
        Err(PageError::Untrusted)
    }
}

/// Who asks: the other end, or what the proxy in front says, which appends it as the last.
pub(crate) fn client_address(request: &Request, behind_proxy: bool) -> IpAddr {
    let peer = request.extensions().get::<PeerAddress>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
    if !behind_proxy {
        return peer;
    }
    let lines = request.headers().get_all(FORWARDED_FOR).iter();
    let last = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .next_back();
    last.and_then(|address| address.trim().parse().ok())
        .unwrap_or(peer)
}

/// A navigation that another site began: browsers then keep the session's cookie back.
pub(crate) fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    headers
        .get(FETCH_SITE)
        .is_some_and(|site| site == "cross-site" || site == "same-site")
}

/// The answer to a path that nobody serves.
pub(crate) async fn not_found() -> Response {
    PageError::NotFound.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request {
        let mut request = http::Request::get("/").body(Body::empty()).unwrap();
        for (name, value) in headers {
            let name = name.parse::<HeaderName>().unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        let peer = PeerAddress("10.0.0.9".parse().unwrap());
        request.extensions_mut().insert(peer);
        request
    }

    #[test]
    fn only_the_proxys_own_word_about_the_address_counts() {
        let forged = [
            ("x-forwarded-for", "1.1.1.1, 2.2.2.2"),
            ("x-forwarded-for", "3.3.3.3, 10.1.2.3"),
        ];
        let address = |headers: &[(&str, &str)], behind| {
            client_address(&request(headers), behind).to_string()
        };
        assert_eq!(address(&forged, false), "10.0.0.9");
        assert_eq!(address(&forged, true), "10.1.2.3");
        assert_eq!(address(&[("x-forwarded-for", "unknown")], true), "10.0.0.9");
        assert_eq!(address(&[], true), "10.0.0.9");
    }

    #[test]
    fn one_host_header_names_us_exactly() {
        let ours = Origin::parse("https://lienthong.example").unwrap();
        let is_ours = |headers: &[(&str, &str)]| is_our_host(&request(headers), &ours);
        assert!(is_ours(&[("host", "lienthong.example")]));
        assert!(is_ours(&[("host", "LIENTHONG.example:443")]));
        for host in [
            "lienthong.example:80",
            "lienthong.example.",
            "lienthong.example@evil.example",
            "evil.example/lienthong.example",
            "",
        ] {
            assert!(!is_ours(&[("host", host)]), "{host}");
        }
        assert!(!is_ours(&[]));
        let twice = [("host", "lienthong.example"), ("host", "evil.example")];
        assert!(!is_ours(&twice));
    }
}
