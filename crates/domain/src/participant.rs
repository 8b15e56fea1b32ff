//! Participants: who may push what.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::code::{AgencyCode, DossierCode};
use crate::fault::Reason;
use crate::identity::{Grant, PurposeCode};
use crate::operator::OperatorRole;
use crate::province;
use crate::timeline::TransitionPolicy;

/// A participant's id: the agency code of a province, a ministry or one of its units, such as `H56`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParticipantId(AgencyCode);

impl ParticipantId {
    /// Reads an id.
    ///
    /// # Errors
    /// The fault of [`AgencyCode::parse`].
    pub fn parse(text: &str) -> Result<Self, Reason> {
        AgencyCode::parse(text).map(Self)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The province or ministry it belongs to.
    pub fn root(&self) -> crate::code::RootCode {
        self.0.root()
    }

    /// Whether this participant may report on dossiers of `agency`: its own unit and those below,
    /// and for a whole province also the provinces merged into it in 2025.
    pub fn covers(&self, agency: &AgencyCode) -> bool {
        let whole = self.0.as_str() == self.0.root().as_str();
        if whole {
            province::covers(self.0.root(), agency.root())
        } else {
            agency.is_within(&self.0)
        }
    }
}

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a system of a participant may do beside pushing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Pushes statuses and reads its own dossiers.
    Push,
    /// Asks about citizens under its grants, and reads its own dossiers. A system that pushes may hold grants too.
    Identity,
    /// Sees everything of the gateway, changes nothing.
    Viewer,
    /// Reads every dossier and acts on deliveries: the gateway's own operators.
    Operator,
    /// An operator who also approves what another one asked for.
    Approver,
}

impl Role {
    /// How far it reaches over the gateway itself; `None` for participants' own systems.
    pub const fn operator(self) -> Option<OperatorRole> {
        match self {
            Self::Push | Self::Identity => None,
            Self::Viewer => Some(OperatorRole::Viewer),
            Self::Operator => Some(OperatorRole::Operator),
            Self::Approver => Some(OperatorRole::Approver),
        }
    }
}

/// One registered participant.
#[derive(Clone, Debug)]
pub struct Participant {
    /// Its id.
    pub id: ParticipantId,
    /// Its name, for people.
    pub name: String,
    /// Whether it may do anything at the moment.
    pub active: bool,
    /// What to do about transitions outside the table.
    pub transitions: TransitionPolicy,
    /// Events a second it may push, sustained.
    pub rate_per_second_max: u32,
    /// Its systems.
    pub systems: Vec<System>,
}

/// One system of a participant; holds one certificate.
#[derive(Clone, Debug)]
pub struct System {
    /// Its name in the certificate.
    pub name: Arc<str>,
    /// What it may do.
    pub role: Role,
    /// SHA-256 of the public keys it may use; none means any certificate of the trusted CA.
    pub pins: Vec<[u8; 32]>,
    /// What it may ask about citizens: at most one grant for a purpose.
    pub grants: Vec<Grant>,
}

impl System {
    /// Its grant for a purpose.
    pub fn grant(&self, purpose: &PurposeCode) -> Option<&Grant> {
        self.grants.iter().find(|grant| grant.purpose == *purpose)
    }
}

impl Role {
    /// Its name in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Identity => "identity",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Approver => "approver",
        }
    }
}

/// Who asks, as the certificate and the registry say; handlers never take this from anywhere else.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The participant.
    pub participant: Arc<Participant>,
    /// Its system.
    pub system: Arc<str>,
    /// What the system may do.
    pub role: Role,
}

impl Caller {
    /// Whether the caller may push a status of this dossier.
    pub fn may_push(&self, dossier: &DossierCode) -> bool {
        self.role == Role::Push && self.participant.id.covers(dossier.agency())
    }

    /// Whether the caller may read this dossier.
    pub fn may_read(&self, dossier: &DossierCode) -> bool {
        self.role.operator().is_some() || self.participant.id.covers(dossier.agency())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_participant_covers_its_own_units_and_the_merged_provinces() {
        let cases = [
            ("H21", "H21.17", true),
            ("H21", "000.17.22.H21", true),
            ("H21", "H08.12", true),
            ("H08", "H21.12", false),
            ("H21", "H56", false),
            ("H21.17", "H21.17.3", true),
            ("H21.17", "H21.170", false),
            ("H21.17", "H21", false),
            ("G15", "G15.2", true),
            ("G15", "H26", false),
        ];
        for (participant, agency, expected) in cases {
            let id = ParticipantId::parse(participant).unwrap();
            let agency = AgencyCode::parse(agency).unwrap();
            assert_eq!(id.covers(&agency), expected, "{participant} {agency}");
        }
    }
}
