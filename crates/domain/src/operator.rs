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

/// Who looks or acts, as certificate, account or identity provider say; written into every action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// `participant/system` of a certificate, `account:NAME`, or `openid:NAME`; 1 to 200 characters.
    pub by: Arc<str>,
    /// How far it reaches.
    pub role: OperatorRole,
}
