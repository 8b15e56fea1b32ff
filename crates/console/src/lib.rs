#![doc = include_str!("../README.md")]

mod accounts;
mod assets;
mod charts;
mod config;
mod cookies;
mod error;
mod fault;
mod format;
mod frame;
mod gate;
mod guard;
mod inside;
mod journal;
mod language;
mod layout;
mod limits;
mod openid;
mod origin;
mod pages;
mod passwords;
mod secret;
mod server;
mod sessions;
mod sign_in;
mod switches;
mod turns;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use lienthong_domain::Clock;
use lienthong_identity::Identity;
use lienthong_ports::operators::OperatorStore;
use lienthong_services::Services;

pub use accounts::{Account, Accounts};
pub use config::{Config, OpenIdConfig};
pub use error::ConsoleError;
pub use passwords::CHARS_MIN as PASSWORD_CHARS_MIN;
pub use server::Server;

/// What the console stands on.
pub struct Around {
    /// The use cases of dossiers and operators.
    pub services: Arc<Services>,
    /// The use cases about citizens, where a population database is configured.
    pub identity: Option<Arc<Identity>>,
    /// Takes the lines about sign-ins.
    pub actions: Arc<dyn OperatorStore>,
    /// The time of sessions and pages.
    pub clock: Clock,
}

/// What every handler may use.
pub(crate) struct Console {
    pub(crate) services: Arc<Services>,
    pub(crate) identity: Option<Arc<Identity>>,
    pub(crate) gate: gate::Gate,
    pub(crate) turns: turns::Turns,
}

/// The state of the router.
pub(crate) type Shared = Arc<Console>;

/// Every route. Those of [`behind_the_door`] reach their handlers with an open session only; the layers around all are
/// read from the bottom: headers first, then host and origin, then the body, a turn and a time limit.
fn router(console: &Shared) -> Router {
    use sign_in::openid;
    let turns = |place| from_fn_with_state((console.clone(), place), turns::take_turns);
    let provider = Router::new()
        .route("/sign-in/openid", get(openid::begin))
        .route(crate::openid::CALLBACK, get(openid::complete))
        .layer(turns(turns::Place::Provider));
    let door = Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/sign-out", post(sign_in::leave))
        .route("/locked", get(sign_in::show_locked).post(sign_in::unlock))
        .route("/language", post(switches::language))
        .route("/theme", post(switches::theme))
        .route("/assets/{name}", get(assets::serve))
        .layer(turns(turns::Place::Door));
    let layer = from_fn_with_state(console.clone(), inside::inside);
    behind_the_door()
        .fallback(guard::not_found)
        .layer(layer)
        .layer(turns(turns::Place::Inside))
        .merge(door)
        .merge(provider)
        .layer(DefaultBodyLimit::max(guard::BODY_BYTES_MAX))
        .layer(from_fn_with_state(console.clone(), guard::origin))
        .layer(from_fn_with_state(console.clone(), guard::headers))
        .with_state(console.clone())
}

/// The pages: one module each.
fn behind_the_door() -> Router<Shared> {
    Router::new()
        .merge(pages::overview::routes())
        .merge(pages::queues::routes())
        .merge(pages::destinations::routes())
        .merge(pages::parked::routes())
        .merge(pages::operations::routes())
        .merge(pages::dossiers::routes())
        .merge(pages::participants::routes())
        .merge(pages::usage::routes())
        .merge(pages::actions::routes())
        .merge(pages::reports::routes())
        .route(inside::STAY, post(inside::stay))
}
