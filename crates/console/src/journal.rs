//! Writes sign-ins into the record of actions. An operator must get in even when the store cannot write, to mend just
//! that; so a line that cannot be written is told in the log and stops nobody.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::Clock;
use lienthong_ports::operators::OperatorStore;
use lienthong_ports::store::Actor;

/// Longest wait for the store.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// What the lines are about.
const SUBJECT: &str = "console";

/// What happened at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    SignIn,
    SignInRefused,
    Unlock,
    UnlockRefused,
    SignOut,
}

impl Event {
    fn kind(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SignInRefused => "sign_in_refused",
            Self::Unlock => "unlock",
            Self::UnlockRefused => "unlock_refused",
            Self::SignOut => "sign_out",
        }
    }
}

pub(crate) struct Journal {
    pub(crate) actions: Arc<dyn OperatorStore>,
    pub(crate) clock: Clock,
}

impl Journal {
    /// Writes one line. `by` is an account we know, or `unknown`: what was typed as a name may be a password.
    pub(crate) async fn note(&self, event: Event, by: &str, why: &str, from: IpAddr) {
        let actor = Actor {
            by: by.to_owned(),
            reason: format!("{why}, from {from}"),
            now: self.clock.now(),
        };
        let written = self
            .actions
            .note_action(event.kind(), SUBJECT.to_owned(), actor);
        match tokio::time::timeout(WAIT_MAX, written).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                action.kind = event.kind(),
                "a sign-in could not be written into the record of actions"
            ),
            Err(_) => tracing::warn!(
                action.kind = event.kind(),
                "the store did not take a sign-in for the record of actions in time"
            ),
        }
    }
}
