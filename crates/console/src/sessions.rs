//! Sessions in memory: who is signed in, since when, and what must be shown next. A restart signs everybody out.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::frame::{Csrf, Note};
use crate::secret::{Secret, SecretHash};

/// Sessions kept at once; a sign-in above it ends the session that was idle longest.
const SESSIONS_MAX: usize = 1_000;
/// A session ends so long after its sign-in, whatever is done.
const LIFE_MAX: Duration = Duration::from_hours(8);
/// A session is locked after so long without anything done.
pub(crate) const IDLE_MAX: Duration = Duration::from_mins(15);
/// Notes that may wait for the next page.
const NOTES_MAX: usize = 4;

/// How somebody signed in, and as whom.
#[derive(Clone)]
pub(crate) enum Who {
    /// An account of `accounts.toml`. Its role is read anew at each request; `stamp` changes with its password.
    Account {
        /// The account's name.
        name: String,
        /// The account's password as it was at sign-in, so that a changed password ends older sessions.
        stamp: SecretHash,
    },
    /// Somebody the identity provider vouched for.
    OpenId(Arc<crate::openid::Vouched>),
}

/// Names of people are not for logs.
impl fmt::Debug for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Account { .. } => "Account",
            Self::OpenId(_) => "OpenId",
        })
    }
}

/// How a session stands at a moment.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// In use.
    Open(Seen),
    /// Idle too long: the password, or the provider, must be asked again.
    Locked(Seen),
    /// There is none, or it has ended.
    None,
}

/// What a request sees of its session.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) who: Who,
    pub(crate) csrf: Csrf,
}

struct Session {
    who: Who,
    csrf: Csrf,
    began_at: Timestamp,
    used_at: Timestamp,
    is_locked: bool,
    notes: Vec<Note>,
}

impl Session {
    fn has_ended(&self, now: Timestamp) -> bool {
        passed(self.began_at, now) >= LIFE_MAX
    }
}

/// All sessions, by the hash of their id: whoever reads the memory of the process finds no id to use.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<SecretHash, Session>>);

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

impl Sessions {
    /// Opens a session with a new id and a new token, and ends `former`, the one that the browser had.
    pub(crate) fn open(&self, who: Who, former: Option<&Secret>, now: Timestamp) -> Secret {
        let id = Secret::draw();
        let mut sessions = self.lock();
        if let Some(former) = former {
            sessions.remove(&former.hash());
        }
        sessions.retain(|_, session| !session.has_ended(now));
        if sessions.len() >= SESSIONS_MAX {
            let idle_longest = sessions
                .iter()
                .min_by_key(|(_, session)| session.used_at)
                .map(|(id, _)| *id);
            if let Some(idle_longest) = idle_longest {
                sessions.remove(&idle_longest);
            }
        }
        let session = Session {
            who,
            csrf: Csrf(Secret::draw().text().into()),
            began_at: now,
            used_at: now,
            is_locked: false,
            notes: Vec::new(),
        };
        sessions.insert(id.hash(), session);
        id
    }

    /// How the session stands; a request of a person (`is_live` false) keeps it from being locked.
    pub(crate) fn see(&self, id: &Secret, is_live: bool, now: Timestamp) -> Standing {
        let mut sessions = self.lock();
        let hash = id.hash();
        let Some(session) = sessions.get_mut(&hash) else {
            return Standing::None;
        };
        if session.has_ended(now) {
            sessions.remove(&hash);
            return Standing::None;
        }
        session.is_locked |= passed(session.used_at, now) >= IDLE_MAX;
        let seen = Seen {
            who: session.who.clone(),
            csrf: session.csrf.clone(),
        };
        if session.is_locked {
            return Standing::Locked(seen);
        }
        if !is_live {
            session.used_at = now;
        }
        Standing::Open(seen)
    }

    /// Ends a session; says who it was.
    pub(crate) fn end(&self, id: &Secret) -> Option<Who> {
        let session = self.lock().remove(&id.hash());
        session.map(|session| session.who)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SecretHash, Session>> {
        // Each change is whole before the next statement, so a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A clock that was set back has let no time pass.
fn passed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

/// The session of one request, for its notes.
#[derive(Clone, Debug)]
pub(crate) struct SessionHandle {
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) id: SecretHash,
}

impl SessionHandle {
    pub(crate) fn leave_note(&self, note: Note) {
        if let Some(session) = self.sessions.lock().get_mut(&self.id)
            && session.notes.len() < NOTES_MAX
        {
            session.notes.push(note);
        }
    }

    pub(crate) fn take_notes(&self) -> Vec<Note> {
        let mut sessions = self.sessions.lock();
        let session = sessions.get_mut(&self.id);
        session.map_or_else(Vec::new, |session| std::mem::take(&mut session.notes))
    }
}

#[cfg(test)]
mod tests;
