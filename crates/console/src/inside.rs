//! The layer in front of every page behind the sign-in: without an open session no handler is reached, and no form is
//! taken without its token.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::REFERER;
use http::{HeaderMap, HeaderName, Method, StatusCode};
use maud::html;

use crate::Shared;
use crate::frame::{Frame, Inner, Manners};
use crate::gate::Gate;
use crate::guard::{comes_from_elsewhere, with_page, with_token};
use crate::layout;
use crate::origin::safe_path;
use crate::sessions::{SessionHandle, Standing};

/// Sent by our script when it asks for fresh figures.
const LIVE: HeaderName = HeaderName::from_static("lienthong-live");

/// Where our script says that the reader is still there.
pub(crate) const STAY: &str = "/stay";

/// See the module.
pub(crate) async fn inside(
    State(console): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let gate = &console.gate;
    let is_live = request.headers().contains_key(LIVE);
    let (id, standing) = gate.standing(request.headers(), is_live);
    let (Some(id), Standing::Open(seen)) = (id.as_ref(), &standing) else {
        return outside(&request, &standing, is_live);
    };
    let Some(reader) = gate.reader(&seen.who) else {
        gate.sessions.end(id);
        return outside(&request, &Standing::None, is_live);
    };
    let manners = Manners::of(request.headers());
    let session = SessionHandle {
        sessions: gate.sessions.clone(),
        id: id.hash(),
    };
    let frame = Frame::new(Inner {
        operator: reader.operator,
        name: reader.name,
        language: manners.language,
        theme: manners.theme,
        csrf: seen.csrf.clone(),
        path: here(&request),
        now: gate.now(),
        is_live,
        session,
    });
    if request.method() == Method::POST {
        request = match with_token(request, &frame.csrf).await {
            Ok(request) => request,
            Err(error) => return layout::error_page(Some(&frame), &manners, &error),
        };
    }
    request.extensions_mut().insert(frame.clone());
    with_page(next.run(request).await, Some(&frame), &manners)
}

/// The answer to a request without an open session: a script is told by the status, a person is led to the door, and
/// back to where they were.
fn outside(request: &Request, standing: &Standing, is_live: bool) -> Response {
    let is_locked = matches!(standing, Standing::Locked(_));
    if is_live || request.uri().path() == STAY {
        let status = if is_locked {
            StatusCode::LOCKED
        } else {
            StatusCode::UNAUTHORIZED
        };
        return status.into_response();
    }
    let asks = request.method() == Method::GET || request.method() == Method::HEAD;
    let headers = request.headers();
    let back = if asks {
        here(request)
    } else {
        form_page(headers)
    };
    // A link in a letter: the browser sends the session's cookie only once the navigation begins here.
    if asks && !is_locked && comes_from_elsewhere(headers) {
        return begin_here(headers, &back);
    }
    let door = if is_locked { "/locked" } else { "/sign-in" };
    Redirect::to(&door_with(door, &back, !asks)).into_response()
}

/// The address of a door that leads back; `is_undone` tells that a form was not taken.
pub(crate) fn door_with(door: &str, back: &str, is_undone: bool) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if back != "/" {
        query.append_pair("next", back);
    }
    if is_undone {
        query.append_pair("undone", "1");
    }
    let query = query.finish();
    if query.is_empty() {
        door.to_owned()
    } else {
        format!("{door}?{query}")
    }
}

fn begin_here(headers: &HeaderMap, path: &str) -> Response {
    let manners = Manners::of(headers);
    let body = html! {
        p { a href=(path) { (manners.language.t("Mở trang", "Open the page")) } }
        meta http-equiv="refresh" content={ "0; url=" (path) };
    };
    layout::bare_page(StatusCode::OK, &manners, "Liên thông", path, body)
}

/// Path and query of this request.
fn here(request: &Request) -> String {
    let uri = request.uri();
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    safe_path(path).to_owned()
}

/// The page that a form stood on, as the browser says.
fn form_page(headers: &HeaderMap) -> String {
    let uri = headers
        .get(REFERER)
        .and_then(|referer| referer.to_str().ok())
        .and_then(|referer| referer.parse::<http::Uri>().ok());
    let path = uri.as_ref().and_then(|uri| uri.path_and_query());
    safe_path(path.map_or("/", |path| path.as_str())).to_owned()
}

/// `POST /stay`: the reader is there. The layer has taken note already.
pub(crate) async fn stay(_: State<Shared>, _: Frame) -> StatusCode {
    StatusCode::NO_CONTENT
}

impl Gate {
    /// Whether this browser is signed in already.
    pub(crate) fn is_open(&self, headers: &HeaderMap) -> bool {
        matches!(self.standing(headers, true), (_, Standing::Open(seen)) if self.reader(&seen.who).is_some())
    }
}
