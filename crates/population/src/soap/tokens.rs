//! One token for all calls, and one request for it at a time.
//!
//! The lock is held while a token is fetched: callers that come meanwhile wait and then find the new one. A
//! generation tells a refusal of the token in use from a late refusal of the one before.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::failure::Failure;

/// Part of a token's life at whose end it is not used any more, and the longest such time.
const MARGIN_PART: u32 = 5;
const MARGIN_MAX: Duration = Duration::from_secs(30);
/// Longest life of a token that is believed.
const LIFE_MAX: Duration = Duration::from_hours(24);

/// What a token endpoint gave out.
pub(crate) struct Granted {
    pub(crate) text: String,
    /// How long it is good for.
    pub(crate) life: Duration,
}

/// A token in use; it is a secret and never prints itself.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) text: Arc<str>,
    pub(crate) generation: u64,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

/// Keeps the token.
pub(crate) struct Tokens {
    /// Shortest time between a failed request and the next.
    failed_pause: Duration,
    state: Mutex<State>,
}

struct State {
    /// Tokens so far.
    generation: u64,
    standing: Standing,
}

enum Standing {
    Nothing,
    Valid {
        text: Arc<str>,
        until: Instant,
    },
    /// The last request failed; its failure answers everybody until then.
    Failed {
        failure: Failure,
        until: Instant,
    },
}

impl Tokens {
    pub(crate) fn new(failed_pause: Duration) -> Self {
        Self {
            failed_pause,
            state: Mutex::new(State {
                generation: 0,
                standing: Standing::Nothing,
            }),
        }
    }

    /// The token in use, or the one that `fetch` gets. `fetch` runs only when it is needed, and never beside another.
    ///
    /// # Errors
    /// The failure to get one, now or a moment ago.
    pub(crate) async fn current(
        &self,
        fetch: impl Future<Output = Result<Granted, Failure>>,
    ) -> Result<Token, Failure> {
        let mut state = self.state.lock().await;
        let now = Instant::now();
        match &state.standing {
            Standing::Valid { text, until } if now < *until => {
                return Ok(Token {
                    text: Arc::clone(text),
                    generation: state.generation,
                });
            }
            Standing::Failed { failure, until } if now < *until => return Err(failure.clone()),
            _ => state.standing = Standing::Nothing,
        }
        match fetch.await {
            Ok(granted) => {
                let life = granted.life.min(LIFE_MAX);
                let text: Arc<str> = granted.text.into();
                state.generation += 1;
                state.standing = Standing::Valid {
                    text: Arc::clone(&text),
                    // Counted from before the request, since the token's own time began no earlier.
                    until: now + life.saturating_sub((life / MARGIN_PART).min(MARGIN_MAX)),
                };
                Ok(Token {
                    text,
                    generation: state.generation,
                })
            }
            Err(failure) => {
                state.standing = Standing::Failed {
                    failure: failure.clone(),
                    until: Instant::now() + self.failed_pause,
                };
                Err(failure)
            }
        }
    }

    /// Forgets the token of `generation`; a newer one stays.
    pub(crate) async fn invalidate(&self, generation: u64) {
        let mut state = self.state.lock().await;
        if state.generation == generation && matches!(state.standing, Standing::Valid { .. }) {
            state.standing = Standing::Nothing;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const PAUSE: Duration = Duration::from_secs(2);

    async fn take(tokens: &Tokens, fetched: &AtomicU32, seconds: u64) -> Result<Token, Failure> {
        let fetch = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let count = fetched.fetch_add(1, Ordering::Relaxed);
            if seconds == 0 {
                return Err(Failure::refused("no"));
            }
            Ok(Granted {
                text: format!("token {count}"),
                life: Duration::from_secs(seconds),
            })
        };
        tokens.current(fetch).await
    }

    #[tokio::test(start_paused = true)]
    async fn many_callers_share_one_request() {
        let (tokens, fetched) = (Tokens::new(PAUSE), AtomicU32::new(0));
        let both = tokio::join!(take(&tokens, &fetched, 100), take(&tokens, &fetched, 100));
        assert_eq!(
            (&*both.0.unwrap().text, &*both.1.unwrap().text),
            ("token 0", "token 0")
        );
        tokio::time::advance(Duration::from_secs(79)).await;
        assert_eq!(
            &*take(&tokens, &fetched, 100).await.unwrap().text,
            "token 0"
        );
        tokio::time::advance(Duration::from_secs(1)).await;
        let next = take(&tokens, &fetched, 100).await.unwrap();
        assert_eq!(&*next.text, "token 1", "a fifth of its life before it ends");
        assert!(!format!("{next:?}").contains("token 1"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_renewed_once_for_all() {
        let (tokens, fetched) = (Tokens::new(PAUSE), AtomicU32::new(0));
        let first = take(&tokens, &fetched, 100).await.unwrap();
        tokens.invalidate(first.generation).await;
        let second = take(&tokens, &fetched, 100).await.unwrap();
        tokens.invalidate(first.generation).await;
        let third = take(&tokens, &fetched, 100).await.unwrap();
        assert_eq!((second.generation, third.generation), (2, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_answers_everybody_for_a_moment() {
        let (tokens, fetched) = (Tokens::new(PAUSE), AtomicU32::new(0));
        assert!(take(&tokens, &fetched, 0).await.is_err());
        tokens.invalidate(0).await;
        assert!(take(&tokens, &fetched, 100).await.is_err());
        assert_eq!(fetched.load(Ordering::Relaxed), 1);
        tokio::time::advance(PAUSE).await;
        assert!(take(&tokens, &fetched, 100).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_gives_up_holds_nobody() {
        let (tokens, fetched) = (Tokens::new(PAUSE), AtomicU32::new(0));
        let short = Duration::from_millis(50);
        let given_up = tokio::time::timeout(short, take(&tokens, &fetched, 100)).await;
        assert!(given_up.is_err());
        assert!(take(&tokens, &fetched, 100).await.is_ok());
    }
}
