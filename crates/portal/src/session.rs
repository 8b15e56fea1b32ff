//! One session for all calls, and one login at a time.
//!
//! The lock is held while a login runs: callers that come meanwhile wait and then find the new session.
//! A generation tells a failure of the session in use from a late failure of the one before.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::answer::Verdict;

/// A session; its token is a secret and never prints itself.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) token: Arc<str>,
    pub(crate) generation: u64,
}

/// Keeps the session.
pub(crate) struct Sessions {
    /// How long a session is used.
    lifetime: Duration,
    /// Shortest time between a failed login and the next.
    failed_login_pause: Duration,
    state: Mutex<State>,
}

struct State {
    /// Logins that succeeded.
    generation: u64,
    standing: Standing,
}

enum Standing {
    Closed,
    Open {
        token: Arc<str>,
        until: Instant,
    },
    /// The last login failed; its verdict answers everybody until then.
    Failed {
        verdict: Verdict,
        until: Instant,
    },
}

impl Sessions {
    pub(crate) fn new(lifetime: Duration, failed_login_pause: Duration) -> Self {
        let state = Mutex::new(State {
            generation: 0,
            standing: Standing::Closed,
        });
        Self {
            lifetime,
            failed_login_pause,
            state,
        }
    }

    /// The session in use, or the one that `login` opens. `login` runs only when it is needed, and
    /// never beside another.
    ///
    /// # Errors
    /// The verdict on a failed login, this one or one a moment ago.
    pub(crate) async fn current(
        &self,
        login: impl Future<Output = Result<String, Verdict>>,
    ) -> Result<Session, Verdict> {
        let mut state = self.state.lock().await;
        match &state.standing {
            Standing::Open { token, until } if Instant::now() < *until => {
                return Ok(Session {
                    token: Arc::clone(token),
                    generation: state.generation,
                });
            }
            Standing::Failed { verdict, until } if Instant::now() < *until => {
                return Err(verdict.clone());
            }
            _ => state.standing = Standing::Closed,
        }
        // Counted from before the login, since the portal's own clock started no earlier.
        let asked_at = Instant::now();
        match login.await {
            Ok(token) => {
                let token: Arc<str> = token.into();
                state.generation += 1;
                let until = asked_at + self.lifetime;
                state.standing = Standing::Open {
                    token: Arc::clone(&token),
                    until,
                };
                Ok(Session {
                    token,
                    generation: state.generation,
                })
            }
            Err(verdict) => {
                let until = Instant::now() + self.failed_login_pause;
                state.standing = Standing::Failed {
                    verdict: verdict.clone(),
                    until,
                };
                Err(verdict)
            }
        }
    }

    /// Forgets the session of `generation`; a newer one stays.
    pub(crate) async fn invalidate(&self, generation: u64) {
        let mut state = self.state.lock().await;
        if state.generation == generation && matches!(state.standing, Standing::Open { .. }) {
            state.standing = Standing::Closed;
        }
    }
}

#[cfg(test)]
mod tests;
