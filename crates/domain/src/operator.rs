//! Who acts on queues: a person or a system, and how far its role reaches.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What an operator may do; each role may do what the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperatorRole {
    /// Sees everything, changes nothing.
    Viewer,
    /// Halts destinations, replays, discards, within the limit that needs nobody else.
    Operator,
    /// Also approves what another operator asked for above that limit.
    Approver,
}

impl OperatorRole {
    /// All roles, the narrowest first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Approver];

    /// The stable name, as in configuration and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Approver => "approver",
        }
    }

    /// The role of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl fmt::Display for OperatorRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether two names of operators are known to be one person's: an account and somebody of the provider by their names;
/// two of the provider (`openid:NAME#ID`) by their ids, which stay when a name changes.
///
/// Two systems of one participant are two people, since each certificate is issued to one person or desk: whoever issues
/// two of them to one person lets that person approve alone.
pub fn is_same_person(one: &str, other: &str) -> bool {
    let account = |by: &str, name: &str| by.strip_prefix("account:") == Some(name);
    match (of_provider(one), of_provider(other)) {
        (Some((_, one)), Some((_, other))) => one == other,
        (Some((name, _)), None) => account(other, name),
        (None, Some((name, _))) => account(one, name),
        (None, None) => one == other,
    }
}

/// Name and id; a name without an id is its own.
fn of_provider(by: &str) -> Option<(&str, &str)> {
    let name = by.strip_prefix("openid:")?;
    Some(name.rsplit_once('#').unwrap_or((name, name)))
}

/// Who looks or acts, as certificate, account or identity provider say; written into every action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// `participant/system` of a certificate, `account:NAME`, or `openid:NAME#ID`; 1 to 200 characters.
    pub by: Arc<str>,
    /// How far it reaches.
    pub role: OperatorRole,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_may_have_two_ways_in() {
        let table = [
            ("account:hanh", "account:hanh", true),
            ("account:hanh", "openid:hanh", true),
            ("openid:hanh", "openid:hanh", true),
            ("account:hanh", "openid:hanh#7f3a0c11", true),
            ("account:minh", "openid:hanh#7f3a0c11", false),
            ("openid:hanh#7f3a0c11", "openid:moi#7f3a0c11", true),
            ("openid:hanh#7f3a0c11", "openid:hanh#80b1d2e4", false),
            ("account:hanh", "account:minh", false),
            ("account:hanh", "openid:minh", false),
            ("account:hanh", "openid:hanh.nguyen", false),
            ("G22/vanhanh", "G22/vanhanh", true),
            ("G22/vanhanh", "G22/duyet", false),
            ("G22/vanhanh", "G05/vanhanh", false),
            ("G22/vanhanh", "account:vanhanh", false),
            ("account:G22/vanhanh", "G22/vanhanh", false),
        ];
        for (one, other, same) in table {
            assert_eq!(is_same_person(one, other), same, "{one} and {other}");
            assert_eq!(is_same_person(other, one), same, "{other} and {one}");
        }
    }
}
