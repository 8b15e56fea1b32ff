//! Who may come in: sessions, accounts, the identity provider, and what slows down guessing.

use std::net::IpAddr;

use axum::extract::Request;
use http::HeaderMap;
use jiff::Timestamp;
use lienthong_domain::{Clock, Operator, OperatorRole};

use crate::accounts::Following;
use crate::cookies::Cookies;
use crate::guard::client_address;
use crate::journal::{Event, Journal};
use crate::limits::{Key, Limits, TooMany};
use crate::openid::OpenId;
use crate::origin::Origin;
use crate::passwords::{Crowded, Verifier};
use crate::secret::Secret;
use crate::sessions::{Sessions, Standing, Who};

/// See the module.
pub(crate) struct Gate {
    pub(crate) origin: Origin,
    pub(crate) behind_proxy: bool,
    pub(crate) cookies: Cookies,
    pub(crate) sessions: std::sync::Arc<Sessions>,
    pub(crate) accounts: Option<Following>,
    pub(crate) verifier: Verifier,
    pub(crate) limits: Limits,
    pub(crate) openid: Option<OpenId>,
    pub(crate) journal: Journal,
    pub(crate) clock: Clock,
}

/// Somebody who is signed in.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) operator: Operator,
    pub(crate) name: String,
}

/// Why a password did not open the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The name is unknown, the account is stopped, or the password is wrong: one answer for all three.
    Wrong,
    /// Too many tries.
    TooMany(TooMany),
    /// Too many passwords wait to be verified.
    Crowded,
}

impl Gate {
    /// The session that a request brings, and how it stands.
    pub(crate) fn standing(
        &self,
        headers: &HeaderMap,
        is_live: bool,
    ) -> (Option<Secret>, Standing) {
        let Some(id) = self.cookies.session(headers) else {
            return (None, Standing::None);
        };
        let standing = self.sessions.see(&id, is_live, self.clock.now());
        (Some(id), standing)
    }

    /// Who that is now: accounts are looked at anew each time. `None` once the account is gone, stopped, or has another
    /// password.
    pub(crate) fn reader(&self, who: &Who) -> Option<Reader> {
        match who {
            Who::Account { name, stamp } => {
                let accounts = self.accounts.as_ref()?.now();
                let account = accounts.find(name)?;
                let holds = !account.disabled && account.stamp() == *stamp;
                holds.then(|| Reader {
                    operator: operator(&format!("account:{name}"), account.role),
                    name: account.display_name.clone(),
                })
            }
            Who::OpenId(vouched) => Some(Reader {
                operator: operator(&vouched.by, vouched.role),
                name: vouched.display_name.clone(),
            }),
        }
    }

    /// Looks at a name and a password of the door.
    pub(crate) async fn sign_in(
        &self,
        name_and_password: (&str, String),
        from: IpAddr,
    ) -> Result<Who, Refused> {
        let keys = self.limits.at_the_door(name_and_password.0, from);
        let refusal = (Event::SignInRefused, from);
        self.password(name_and_password, refusal, &keys).await
    }

    /// Looks at the password of somebody whose session is locked.
    pub(crate) async fn unlock(
        &self,
        name_and_password: (&str, String),
        session: &Secret,
        from: IpAddr,
    ) -> Result<Who, Refused> {
        let refusal = (Event::UnlockRefused, from);
        let keys = [Key::session(session)];
        self.password(name_and_password, refusal, &keys).await
    }

    /// What it costs and how it is refused tells nothing about the name: also a name that nobody has uses up its tries.
    async fn password(
        &self,
        (name, password): (&str, String),
        (refusal, from): (Event, IpAddr),
        keys: &[Key],
    ) -> Result<Who, Refused> {
        let accounts = self.accounts.as_ref().map(Following::now);
        let account = accounts.as_ref().and_then(|accounts| accounts.find(name));
        let by = account.map_or_else(
            || "unknown".to_owned(),
            |account| format!("account:{}", account.name),
        );
        if let Err(refused) = self.limits.take(keys, self.clock.now()) {
            if refused.is_first {
                self.journal
                    .note(refusal, &by, "too many tries", from)
                    .await;
            }
            return Err(Refused::TooMany(refused));
        }
        let hash = account.map(|account| account.password_hash().to_owned());
        let verified = self.verifier.verify(password, hash).await;
        let is_right = verified.map_err(|Crowded| {
            self.limits.give_back(keys);
            Refused::Crowded
        })?;
        match account {
            Some(account) if is_right && !account.disabled => {
                self.limits.give_back(keys);
                Ok(Who::Account {
                    name: account.name.clone(),
                    stamp: account.stamp(),
                })
            }
            _ => {
                let why = match account {
                    None => "unknown name",
                    Some(account) if account.disabled => "stopped account",
                    Some(_) => "wrong password",
                };
                self.journal.note(refusal, &by, why, from).await;
                Err(Refused::Wrong)
            }
        }
    }

    /// Opens a session for somebody; the id is new, whatever the browser brought.
    pub(crate) async fn admit(
        &self,
        who: Who,
        (event, former): (Event, Option<&Secret>),
        from: IpAddr,
    ) -> Secret {
        let id = self.sessions.open(who.clone(), former, self.clock.now());
        self.note(event, &who, from).await;
        id
    }

    /// Ends a session.
    pub(crate) async fn sign_out(&self, id: &Secret, from: IpAddr) -> Option<Who> {
        let who = self.sessions.end(id)?;
        self.note(Event::SignOut, &who, from).await;
        Some(who)
    }

    /// Who asks, for limits and the record.
    pub(crate) fn address(&self, request: &Request) -> IpAddr {
        client_address(request, self.behind_proxy)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn note(&self, event: Event, who: &Who, from: IpAddr) {
        let (by, how) = match who {
            Who::Account { name, .. } => (format!("account:{name}"), "with a password"),
            Who::OpenId(vouched) => (vouched.by.clone(), "at the identity provider"),
        };
        self.journal.note(event, &by, how, from).await;
    }
}

fn operator(by: &str, role: OperatorRole) -> Operator {
    Operator {
        by: by.into(),
        role,
    }
}
