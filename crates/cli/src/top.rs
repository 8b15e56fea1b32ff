//! `top`: the gateway live in the terminal. State changes by pure functions, the view is a pure function of the
//! state, and this file carries out what both ask for.

mod asks;
mod state;
mod update;
mod view;
mod words;

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt as _;
use lienthong_domain::Clock;
use ratatui::DefaultTerminal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use self::asks::Asks;
use self::state::{Effect, State};
use self::words::Language;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// How often the screen is drawn and the gateway is asked.
const REDRAW_INTERVAL: Duration = Duration::from_secs(1);

/// How to watch.
#[derive(Debug, Clone, clap::Args)]
pub struct TopArgs {
    /// Language of the screen
    #[arg(long, value_enum, env = "LIENTHONG_LANG", default_value_t = Language::Vi)]
    lang: Language,
}

/// Watches until q, Ctrl-C, a signal, or `stop`.
///
/// # Errors
/// There is no terminal, or it cannot be used.
pub(crate) async fn run(
    args: &TopArgs,
    channel: Channel,
    clock: &Clock,
    output: &Output,
    stop: &CancellationToken,
) -> Result<Exit, CliError> {
    if output.is_json() || !io::stdout().is_terminal() {
        let told = "top needs a terminal; programs use `lienthong overview --json`";
        return Err(CliError::Usage(told.to_owned()));
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut keys = EventStream::new();
    let mut tick = interval(REDRAW_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut asks = Asks::new(channel, clock.clone());
    let mut state = State::new(args.lang, clock.now());
    let mut screen = Screen::open()?;
    loop {
        screen.0.draw(|frame| view::draw(&state, frame))?;
        let effect = tokio::select! {
            () = stop.cancelled() => return Ok(Exit::Interrupted),
            _ = terminate.recv() => return Ok(Exit::Interrupted),
            _ = hang_up.recv() => return Ok(Exit::Interrupted),
            event = keys.next() => match event.transpose()? {
                None => return Ok(Exit::Ok),
                Some(Event::Key(key)) => update::on_key(&mut state, key),
                // After a resize the next drawing fits.
                Some(_) => None,
            },
            _ = tick.tick() => {
                state.now = clock.now();
                asks.look(&state);
                None
            }
            answer = asks.next() => {
                update::on_answer(&mut state, answer);
                None
            }
        };
        match effect {
            None => {}
            Some(Effect::Quit) => return Ok(Exit::Ok),
            Some(Effect::Refresh) => asks.look_anew(&state),
            Some(Effect::Explain(dossier)) => asks.explain(dossier),
            Some(Effect::Steer(steer)) => asks.steer(steer),
        }
    }
}

/// The terminal in raw mode on its other screen. It comes back as it was with the end of this value, and after a
/// panic by the hook that ratatui sets.
struct Screen(DefaultTerminal);

impl Screen {
    fn open() -> io::Result<Self> {
        ratatui::try_init().map(Self)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

#[cfg(test)]
mod tests;
