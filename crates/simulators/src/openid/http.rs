//! The provider's addresses, all under its issuer.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::desk::{Desk, Wish};
use super::page;

/// The cookie of people who are signed in here.
const COOKIE_NAME: &str = "simulated-provider";

type Fields = HashMap<String, String>;

pub(super) fn router(desk: Arc<Desk>) -> Router {
    let realm = Router::new()
        .route("/.well-known/openid-configuration", get(metadata))
        .route("/certs", get(keys))
        .route("/auth", get(authorize))
        .route("/login", post(log_in))
        .route("/token", post(redeem))
        .route("/logout", get(log_out));
    Router::new()
        .nest("/realms/lienthong", realm)
        .layer(from_fn_with_state(desk.clone(), up))
        .with_state(desk)
}

async fn up(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    if desk.state().is_down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    next.run(request).await
}

async fn metadata(State(desk): State<Arc<Desk>>) -> Response {
    let issuer = &desk.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/certs"),
        "end_session_endpoint": format!("{issuer}/logout"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [desk.algorithm()],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    }))
    .into_response()
}

async fn keys(State(desk): State<Arc<Desk>>) -> Response {
    Json(desk.jwks()).into_response()
}

async fn authorize(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<Fields>,
    headers: HeaderMap,
) -> Response {
    let is = |name: &str, value: &str| query.get(name).is_some_and(|given| given == value);
    let asks_openid = query
        .get("scope")
        .is_some_and(|scope| scope.split(' ').any(|one| one == "openid"));
    if !is("response_type", "code") || !is("code_challenge_method", "S256") || !asks_openid {
        return refused("response_type=code, scope=openid and S256 are asked of every client");
    }
    let wish = Wish {
        anew: is("prompt", "login") || is("max_age", "0"),
        ..wish(&query)
    };
    if let Err(reason) = desk.check(&wish) {
        return refused(reason);
    }
    let cookie = cookie(&headers).filter(|_| !wish.anew);
    let code = cookie.and_then(|cookie| desk.code(cookie, wish.clone()));
    match code {
        Some(code) => back(&desk, &wish, &code),
        None => Html(page::login(&wish, false)).into_response(),
    }
}

async fn log_in(State(desk): State<Arc<Desk>>, Form(form): Form<Fields>) -> Response {
    let wish = wish(&form);
    if let Err(reason) = desk.check(&wish) {
        return refused(reason);
    }
    let of = |name: &str| form.get(name).map_or("", String::as_str);
    let Some(cookie) = desk.sign_in(of("username"), of("password")) else {
        return (StatusCode::UNAUTHORIZED, Html(page::login(&wish, true))).into_response();
    };
    let Some(code) = desk.code(&cookie, wish.clone()) else {
        return refused("signed out meanwhile");
    };
    let set = format!("{COOKIE_NAME}={cookie}; Path=/; HttpOnly; SameSite=Lax");
    ([(SET_COOKIE, set)], back(&desk, &wish, &code)).into_response()
}

async fn redeem(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Form(form): Form<Fields>,
) -> Response {
    let of = |name: &str| form.get(name).cloned().unwrap_or_default();
    let (client_id, secret) = basic(&headers).unwrap_or_else(|| (of("client_id"), String::new()));
    let given = (of("code"), of("redirect_uri"), of("code_verifier"));
    let redeemed = if of("grant_type") == "authorization_code" {
        desk.redeem((&client_id, &secret), (&given.0, &given.1, &given.2))
    } else {
        Err("unsupported_grant_type")
    };
    match redeemed {
        Ok(token) => {
            let body = json!({ "id_token": token, "access_token": "unused", "token_type": "Bearer", "expires_in": 300 });
            ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response(),
    }
}

async fn log_out(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<Fields>,
    headers: HeaderMap,
) -> Response {
    if let Some(cookie) = cookie(&headers) {
        desk.sign_out(cookie);
    }
    let of = |name: &str| query.get(name).map_or("", String::as_str);
    let uri = of("post_logout_redirect_uri");
    if desk.is_logout_uri(of("client_id"), uri) {
        (StatusCode::FOUND, [(LOCATION, uri)]).into_response()
    } else {
        Html(page::said("Đã đăng xuất. · Signed out.")).into_response()
    }
}

fn wish(fields: &Fields) -> Wish {
    let of = |name: &str| fields.get(name).cloned().unwrap_or_default();
    Wish {
        client_id: of("client_id"),
        redirect_uri: of("redirect_uri"),
        state: of("state"),
        nonce: of("nonce"),
        challenge: of("code_challenge"),
        anew: false,
    }
}

/// Sends the browser back with its code.
fn back(desk: &Desk, wish: &Wish, code: &str) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("code", code)
        .append_pair("state", &wish.state)
        .append_pair("iss", &desk.issuer);
    let location = format!("{}?{}", wish.redirect_uri, query.finish());
    (StatusCode::FOUND, [(LOCATION, location)]).into_response()
}

fn refused(reason: &str) -> Response {
    (StatusCode::BAD_REQUEST, Html(page::said(reason))).into_response()
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get(COOKIE)?.to_str().ok()?.split(';');
    let mut pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(name, value)| (name == COOKIE_NAME).then_some(value))
}

/// Client and secret of `Authorization: Basic`, each encoded as in a form.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = headers
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (client, secret) = text.split_once(':')?;
    let decoded = |text: &str| {
        let pair = format!("v={text}");
        let mut pairs = form_urlencoded::parse(pair.as_bytes());
        pairs.next().map(|(_, value)| value.into_owned())
    };
    Some((decoded(client)?, decoded(secret)?))
}
