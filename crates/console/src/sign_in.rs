//! The door: sign in with a password, unlock, sign out. The way through an identity provider is in `sign_in/openid.rs`.

pub(crate) mod openid;
mod pages;

use axum::Form;
use axum::extract::{FromRequest, Query, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::header::{RETRY_AFTER, SET_COOKIE};
use serde::Deserialize;

use crate::Shared;
use crate::fault::PageError;
use crate::frame::Manners;
use crate::gate::Refused;
use crate::journal::Event;
use crate::origin::safe_path;
use crate::passwords;
use crate::secret::same;
use crate::sessions::{Standing, Who};

use pages::Door;

/// Where to go after the door, and what to say at it.
#[derive(Deserialize)]
pub(crate) struct Way {
    #[serde(default)]
    next: String,
    /// A form was not taken, since there was no open session.
    undone: Option<String>,
}

impl Way {
    fn next(&self) -> &str {
        safe_path(&self.next)
    }
}

/// The form of the door.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
    #[serde(default)]
    csrf: String,
}

impl Entry {
    async fn read(request: Request) -> Result<Self, PageError> {
        let form = Form::<Self>::from_request(request, &()).await;
        let Form(entry) = form.map_err(|_| PageError::Untrusted)?;
        // Hashing reads every byte of a password, and a name is looked up.
        if entry.password.len() > passwords::BYTES_MAX || entry.name.len() > passwords::BYTES_MAX {
            return Err(PageError::faulty(
                "Tên hoặc mật khẩu quá dài.",
                "The name or the password is too long.",
            ));
        }
        Ok(entry)
    }
}

/// `GET /sign-in`
pub(crate) async fn show(
    State(console): State<Shared>,
    manners: Manners,
    Query(way): Query<Way>,
    request: Request,
) -> Response {
    if console.gate.is_open(request.headers()) {
        return Redirect::to(way.next()).into_response();
    }
    let door = Door {
        next: way.next(),
        is_undone: way.undone.is_some(),
        ..Door::default()
    };
    pages::sign_in(&console.gate, &manners, StatusCode::OK, &door)
}

/// `POST /sign-in`
pub(crate) async fn enter(
    State(console): State<Shared>,
    manners: Manners,
    request: Request,
) -> Result<Response, PageError> {
    let gate = &console.gate;
    let from = gate.address(&request);
    let former = gate.cookies.session(request.headers());
    let entry = Entry::read(request).await?;
    let name = entry.name.trim().to_lowercase();
    let verified = gate.sign_in((&name, entry.password), from).await;
    let next = safe_path(&entry.next);
    match verified {
        Ok(who) => {
            let id = gate
                .admit(who, (Event::SignIn, former.as_ref()), from)
                .await;
            let cookie = gate.cookies.set_session(&id);
            Ok(([(SET_COOKIE, cookie)], Redirect::to(next)).into_response())
        }
        Err(refused) => {
            let door = Door {
                next,
                name: entry.name.trim(),
                refused: Some(refused),
                ..Door::default()
            };
            let page = pages::sign_in(gate, &manners, status(refused), &door);
            Ok(with_wait(page, refused))
        }
    }
}

/// `GET /locked`
pub(crate) async fn show_locked(
    State(console): State<Shared>,
    manners: Manners,
    Query(way): Query<Way>,
    request: Request,
) -> Response {
    let (_, standing) = console.gate.standing(request.headers(), true);
    let Standing::Locked(seen) = standing else {
        // Opened in another window, or ended.
        return Redirect::to(way.next()).into_response();
    };
    let door = Door {
        next: way.next(),
        is_undone: way.undone.is_some(),
        ..Door::default()
    };
    pages::locked(&console.gate, &manners, (StatusCode::OK, &seen), &door)
}

/// `POST /locked`: the password of the one who is signed in, and nobody else's.
pub(crate) async fn unlock(
    State(console): State<Shared>,
    manners: Manners,
    request: Request,
) -> Result<Response, PageError> {
    let gate = &console.gate;
    let from = gate.address(&request);
    let (former, standing) = gate.standing(request.headers(), true);
    let entry = Entry::read(request).await?;
    let next = safe_path(&entry.next);
    let (Some(former), Standing::Locked(seen)) = (former, standing) else {
        return Ok(Redirect::to(next).into_response());
    };
    if !same(&entry.csrf, &seen.csrf.0) {
        return Err(PageError::Untrusted);
    }
    let Who::Account { name, .. } = &seen.who else {
        return Err(PageError::Untrusted);
    };
    let verified = gate.unlock((name, entry.password), &former, from).await;
    match verified {
        Ok(who) => {
            let id = gate.admit(who, (Event::Unlock, Some(&former)), from).await;
            let cookie = gate.cookies.set_session(&id);
            Ok(([(SET_COOKIE, cookie)], Redirect::to(next)).into_response())
        }
        Err(refused) => {
            let door = Door {
                next,
                refused: Some(refused),
                ..Door::default()
            };
            let page = pages::locked(gate, &manners, (status(refused), &seen), &door);
            Ok(with_wait(page, refused))
        }
    }
}

/// `POST /sign-out`, from an open session or a locked one.
pub(crate) async fn leave(
    State(console): State<Shared>,
    manners: Manners,
    request: Request,
) -> Result<Response, PageError> {
    let gate = &console.gate;
    let from = gate.address(&request);
    let (id, standing) = gate.standing(request.headers(), true);
    let entry = Entry::read(request).await?;
    let cookie = [(SET_COOKIE, gate.cookies.clear_session())];
    let (Some(id), Standing::Open(seen) | Standing::Locked(seen)) = (id, standing) else {
        return Ok((cookie, Redirect::to("/sign-in")).into_response());
    };
    if !same(&entry.csrf, &seen.csrf.0) {
        return Err(PageError::Untrusted);
    }
    let who = gate.sign_out(&id, from).await;
    let provider = match (&gate.openid, who) {
        (Some(openid), Some(Who::OpenId(vouched))) => openid.sign_out_url(&vouched).await,
        _ => None,
    };
    let page = pages::signed_out(&manners, provider.as_deref());
    Ok((cookie, page).into_response())
}

fn status(refused: Refused) -> StatusCode {
    match refused {
        Refused::Wrong => StatusCode::UNAUTHORIZED,
        Refused::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        Refused::Crowded => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn with_wait(page: Response, refused: Refused) -> Response {
    match refused {
        Refused::TooMany(refused) => {
            let seconds = refused.wait.as_secs() + 1;
            ([(RETRY_AFTER, seconds.to_string())], page).into_response()
        }
        Refused::Wrong | Refused::Crowded => page,
    }
}
