//! The way through an identity provider: to it, and back from it.

use std::net::IpAddr;

use axum::extract::{Query, Request, State};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use http::StatusCode;
use http::header::SET_COOKIE;

use super::{Way, pages};
use crate::Shared;
use crate::fault::PageError;
use crate::frame::Manners;
use crate::gate::{Gate, Refused};
use crate::journal::Event;
use crate::language::Language;
use crate::limits::{Key, TooMany};
use crate::openid::{Callback, OpenIdError, PENDING_LIFE};
use crate::sessions::{Standing, Who};

/// `GET /sign-in/openid`: off to the provider.
pub(crate) async fn begin(
    State(console): State<Shared>,
    manners: Manners,
    Query(way): Query<Way>,
    request: Request,
) -> Result<Response, PageError> {
    let gate = &console.gate;
    let openid = gate.openid.as_ref().ok_or(PageError::NotFound)?;
    // Who is locked shall prove to be there; the provider may still remember them.
    let (_, standing) = gate.standing(request.headers(), true);
    let is_locked = matches!(standing, Standing::Locked(_));
    match openid.begin(way.next(), is_locked).await {
        Ok(begun) => {
            let cookie = gate.cookies.set_openid(&begun.browser, PENDING_LIFE);
            Ok(([(SET_COOKIE, cookie)], Redirect::to(&begun.url)).into_response())
        }
        Err(error) => Ok(refused(&manners, &error, way.next())),
    }
}

/// `GET /sign-in/openid/callback`: back from the provider.
pub(crate) async fn complete(
    State(console): State<Shared>,
    manners: Manners,
    Query(callback): Query<Callback>,
    request: Request,
) -> Result<Response, PageError> {
    let gate = &console.gate;
    let openid = gate.openid.as_ref().ok_or(PageError::NotFound)?;
    let from = gate.address(&request);
    // Before anything is looked at: any site can send a browser here, as often as it likes.
    let tries = [Key::callback(from)];
    if let Err(refused) = gate.limits.take(&tries, gate.now()) {
        return Ok(too_many(&manners, refused));
    }
    let browser = gate.cookies.openid(request.headers());
    let former = gate.cookies.session(request.headers());
    let done = gate.cookies.clear_openid();
    match openid.complete(&callback, browser.as_ref()).await {
        Ok((vouched, next)) => {
            gate.limits.give_back(&tries);
            let who = Who::OpenId(vouched.into());
            let id = gate
                .admit(who, (Event::SignIn, former.as_ref()), from)
                .await;
            let session = gate.cookies.set_session(&id);
            let cookies = AppendHeaders([(SET_COOKIE, session), (SET_COOKIE, done)]);
            Ok((cookies, pages::go_on(&manners, &next)).into_response())
        }
        Err(error) => {
            note(gate, &error, from).await;
            let page = refused(&manners, &error, "/");
            Ok(([(SET_COOKIE, done)], page).into_response())
        }
    }
}

async fn note(gate: &Gate, error: &OpenIdError, from: IpAddr) {
    if matches!(error, OpenIdError::Stale) {
        // Anybody can make up one of these: they shall fill neither the record nor the log.
        tracing::debug!("a sign-in at the identity provider ended that we do not know");
        return;
    }
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "a sign-in at the identity provider came to nothing"
    );
    gate.journal
        .note(Event::SignInRefused, "unknown", error.brief(), from)
        .await;
}

fn too_many(manners: &Manners, many: TooMany) -> Response {
    let reason = manners.language.t(
        "Có quá nhiều lần đăng nhập từ địa chỉ này. Thử lại sau ít giây.",
        "There are too many sign-ins from this address. Try again in a few seconds.",
    );
    let page = pages::openid_refused(manners, StatusCode::TOO_MANY_REQUESTS, (reason, "/"));
    super::with_wait(page, Refused::TooMany(many))
}

fn refused(manners: &Manners, error: &OpenIdError, next: &str) -> Response {
    let (status, reason) = told(manners.language, error);
    pages::openid_refused(manners, status, (reason, next))
}

/// What the reader is told; the details are in the log.
fn told(language: Language, error: &OpenIdError) -> (StatusCode, &'static str) {
    match error {
        OpenIdError::Unreachable { .. }
        | OpenIdError::BadAnswer { .. }
        | OpenIdError::DownAMomentAgo => (
            StatusCode::BAD_GATEWAY,
            language.t(
                "Hệ thống đăng nhập không trả lời hoặc trả lời không đúng. Thử lại sau, hoặc dùng tài khoản của cổng.",
                "The identity provider does not answer, or not properly. Try again later, or use an account of the gateway.",
            ),
        ),
        OpenIdError::Stale => (
            StatusCode::BAD_REQUEST,
            language.t(
                "Lần đăng nhập này đã quá hạn hoặc bắt đầu từ trình duyệt khác. Hãy bắt đầu lại.",
                "This sign-in is too old, or began in another browser. Begin again.",
            ),
        ),
        OpenIdError::Declined { .. } => (
            StatusCode::FORBIDDEN,
            language.t(
                "Hệ thống đăng nhập đã từ chối.",
                "The identity provider declined.",
            ),
        ),
        OpenIdError::Token(_) => (
            StatusCode::FORBIDDEN,
            language.t(
                "Giấy xác nhận của hệ thống đăng nhập không đúng nên không được chấp nhận. Báo cho quản trị viên.",
                "What the identity provider vouched with is not right, so it was not taken. Tell your administrator.",
            ),
        ),
        OpenIdError::NoRole => (
            StatusCode::FORBIDDEN,
            language.t(
                "Bạn đã đăng nhập, nhưng chưa được cấp vai trò nào ở trục liên thông. Đề nghị quản trị viên cấp vai trò.",
                "You are known, but have no role at this gateway. Ask your administrator for one.",
            ),
        ),
    }
}
