//! The switches of language and colours, which work before the sign-in too.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, http};
use http::header::SET_COOKIE;
use serde::Deserialize;

use crate::Shared;
use crate::cookies;
use crate::fault::PageError;
use crate::frame::Theme;
use crate::language::Language;
use crate::origin::safe_path;

/// The form of a switch.
#[derive(Deserialize)]
pub(crate) struct Switch {
    to: String,
    #[serde(default)]
    next: String,
}

/// `POST /language`
pub(crate) async fn language(
    State(console): State<Shared>,
    Form(switch): Form<Switch>,
) -> Result<Response, PageError> {
    let language = Language::parse(&switch.to).ok_or(PageError::NotFound)?;
    Ok(switched(
        &console,
        (cookies::LANGUAGE, language.tag()),
        &switch.next,
    ))
}

/// `POST /theme`
pub(crate) async fn theme(
    State(console): State<Shared>,
    Form(switch): Form<Switch>,
) -> Result<Response, PageError> {
    let theme = Theme::parse(&switch.to).ok_or(PageError::NotFound)?;
    Ok(switched(
        &console,
        (cookies::THEME, theme.name()),
        &switch.next,
    ))
}

fn switched(console: &Shared, (name, value): (&str, &'static str), next: &str) -> Response {
    let cookie = console.gate.cookies.set_manners(name, value);
    ([(SET_COOKIE, cookie)], Redirect::to(safe_path(next))).into_response()
}
