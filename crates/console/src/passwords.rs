//! Passwords: what makes one good enough, Argon2id hashes, and verifying them at a bounded rate.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

use crate::error::ConsoleError;
use crate::secret::Secret;

/// Fewest characters of a password.
pub const CHARS_MIN: usize = 12;
/// Most bytes of a password: hashing reads all of it.
pub(crate) const BYTES_MAX: usize = 1_024;
/// Most memory that a hash of the accounts file may ask for, in KiB.
const MEMORY_KIB_MAX: u32 = 262_144;
/// Verifications at once: each takes a core and 19 MiB for tens of milliseconds.
const VERIFYING_MAX: usize = 2;
/// Verifications that wait; more are turned away.
const WAITING_MAX: usize = 32;

/// What an unknown name's password is compared with, so that it takes as long as a known one's.
static NOBODY: LazyLock<String> = LazyLock::new(|| {
    let password = Secret::draw().text();
    hash(&password, &[]).unwrap_or_default()
});

/// Hashes a new password; `names` may not be it.
///
/// # Errors
/// [`ConsoleError::Refused`] with what is asked of a password.
pub(crate) fn hash(password: &str, names: &[&str]) -> Result<String, ConsoleError> {
    check(password, names).map_err(ConsoleError::Refused)?;
    let hash: PasswordHash = Argon2::default()
        .hash_password(composed(password).as_bytes())
        .map_err(|_| ConsoleError::Hash)?;
    Ok(hash.to_string())
}

/// Length, and not the name or one letter over and over: rules about letters and digits only make passwords worse.
fn check(password: &str, names: &[&str]) -> Result<(), &'static str> {
    if password.chars().count() < CHARS_MIN {
        return Err("a password has at least 12 characters; a sentence is easy to remember");
    }
    if password.len() > BYTES_MAX {
        return Err("a password has at most 1024 bytes");
    }
    let lower = password.to_lowercase();
    if names.iter().any(|name| name.to_lowercase() == lower) {
        return Err("a password is not the name");
    }
    let mut letters = lower.chars().collect::<Vec<_>>();
    letters.sort_unstable();
    letters.dedup();
    if letters.len() < 4 {
        return Err("a password has at least 4 different characters");
    }
    Ok(())
}

/// Whether a text is an Argon2id hash that can be verified within our memory.
pub(crate) fn is_hash(text: &str) -> bool {
    let Ok(hash) = PasswordHash::new(text) else {
        return false;
    };
    let parameters = argon2::Params::try_from(&hash);
    hash.algorithm.as_str() == "argon2id"
        && hash.hash.is_some()
        && parameters.is_ok_and(|parameters| parameters.m_cost() <= MEMORY_KIB_MAX)
}

/// Whether the password is the hash's. Takes tens of milliseconds of a core.
pub(crate) fn verify(password: &str, hash: &str) -> bool {
    let password = composed(password);
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

/// The same password from every keyboard: some send `ế` as one character, others as three.
fn composed(password: &str) -> String {
    password.nfc().collect()
}

/// Verifies passwords on blocking threads, a few at a time.
#[derive(Debug)]
pub(crate) struct Verifier {
    places: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

/// More passwords wait to be verified than the console takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crowded;

impl Verifier {
    pub(crate) async fn new() -> Self {
        // The first sign-in shall not pay for it, nor tell by its time that the name is unknown.
        let made = tokio::task::spawn_blocking(|| LazyLock::force(&NOBODY).len());
        if made.await.is_err() {
            tracing::error!("the hash of nobody's password could not be made");
        }
        Self {
            places: Arc::new(Semaphore::new(VERIFYING_MAX)),
            queue: Arc::new(Semaphore::new(VERIFYING_MAX + WAITING_MAX)),
        }
    }

    /// Whether the password is the hash's; no hash (nobody) costs the same time and is never right.
    pub(crate) async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Crowded> {
        let queued = self
            .queue
            .clone()
            .try_acquire_owned()
            .map_err(|_| Crowded)?;
        let place = self.places.clone().acquire_owned().await;
        let verified = tokio::task::spawn_blocking(move || {
            let is_somebody = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.clone());
            let is_right = verify(&password, &hash) && is_somebody;
            // Held until here, also when the request was given up.
            drop((place, queued));
            is_right
        });
        // A verification that panicked has not verified anything.
        Ok(verified.await.unwrap_or(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_has_no_password() {
        let verifier = Verifier::new().await;
        let hash = hash("một câu thật dài", &[]).unwrap();
        let verify = |password: &str, hash: Option<&str>| {
            verifier.verify(password.to_owned(), hash.map(str::to_owned))
        };
        assert_eq!(verify("một câu thật dài", Some(&hash)).await, Ok(true));
        let decomposed = "một câu thật dài".nfd().collect::<String>();
        assert_eq!(verify(&decomposed, Some(&hash)).await, Ok(true));
        assert_eq!(verify("một câu thật dàI", Some(&hash)).await, Ok(false));
        assert_eq!(verify("một câu thật dài", None).await, Ok(false));
        assert_eq!(verify("", Some("not a hash")).await, Ok(false));
    }

    #[test]
    fn only_hashes_that_fit_our_memory_are_taken() {
        assert!(is_hash(&NOBODY));
        let salt_and_hash = NOBODY.rsplitn(3, '$').take(2).collect::<Vec<_>>();
        let with = |head: &str| format!("{head}${}${}", salt_and_hash[1], salt_and_hash[0]);
        assert!(is_hash(&with("$argon2id$v=19$m=19456,t=2,p=1")));
        assert!(!is_hash(&with("$argon2id$v=19$m=4194304,t=2,p=1")));
        assert!(!is_hash(&with("$argon2i$v=19$m=19456,t=2,p=1")));
        assert!(!is_hash("$argon2id$v=19$m=19456,t=2,p=1"));
        assert!(!is_hash("bí mật"));
    }
}
