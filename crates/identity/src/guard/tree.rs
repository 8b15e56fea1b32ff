//! The askers as they hang together: participants, their systems, the systems' officials.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::DossierCode;
use lienthong_domain::identity::OfficialId;
use lienthong_domain::participant::ParticipantId;
use lienthong_ports::identity::Asker;

use super::neighbours::Looks;
use super::party::Party;
use super::put_off::PutOff;
use super::stop::{Stop, Who};
use super::window::Window;
use crate::config::GuardConfig;

/// The wait suggested when a system names too many officials, or a participant too many dossiers.
const CROWDED_RETRY: Duration = Duration::from_hours(1);

/// All askers. Participants and systems are those of the registry, so only officials and dossiers need a bound.
#[derive(Debug, Default)]
pub(super) struct Tree {
    participants: HashMap<ParticipantId, Group>,
}

#[derive(Debug, Default)]
struct Group {
    party: Party,
    dossiers: HashMap<DossierCode, Window>,
    systems: HashMap<Arc<str>, System>,
}

#[derive(Debug, Default)]
struct System {
    party: Party,
    /// By their ids in lower case: another case of a letter makes nobody else.
    officials: HashMap<OfficialId, Official>,
}

/// An official.
#[derive(Debug, Default)]
pub(super) struct Official {
    pub(super) party: Party,
    pub(super) looks: Looks,
    pub(super) put_off: PutOff,
}

/// Everything that is kept about one asker, from the bottom to the top.
pub(super) struct Askers<'a> {
    pub(super) official: &'a mut Official,
    pub(super) system: &'a mut Party,
    pub(super) participant: &'a mut Party,
    pub(super) dossiers: &'a mut HashMap<DossierCode, Window>,
}

impl Tree {
    /// What is kept about `asker`.
    ///
    /// # Errors
    /// The system has named more officials today than are told apart.
    pub(super) fn askers(
        &mut self,
        asker: &Asker,
        config: &GuardConfig,
    ) -> Result<Askers<'_>, Stop> {
        let group = self
            .participants
            .entry(asker.participant.clone())
            .or_default();
        let system = group.systems.entry(asker.system.clone()).or_default();
        let max = config.officials_per_system_max;
        let official = asker.official.folded();
        if system.officials.len() >= max as usize && !system.officials.contains_key(&official) {
            return Err(Stop::quota(
                "officials_per_day",
                max,
                Who::System,
                CROWDED_RETRY,
            ));
        }
        Ok(Askers {
            official: system.officials.entry(official).or_default(),
            system: &mut system.party,
            participant: &mut group.party,
            dossiers: &mut group.dossiers,
        })
    }

    /// One official, or with none a system as such.
    pub(super) fn target(
        &mut self,
        participant: &ParticipantId,
        name: &Arc<str>,
        official: Option<&OfficialId>,
    ) -> (&mut Party, Option<&mut Looks>) {
        let group = self.participants.entry(participant.clone()).or_default();
        let system = group.systems.entry(name.clone()).or_default();
        match official {
            None => (&mut system.party, None),
            Some(official) => {
                let official = system.officials.entry(official.folded()).or_default();
                (&mut official.party, Some(&mut official.looks))
            }
        }
    }

    /// The participant, if it has asked anything.
    pub(super) fn participant(&self, id: &ParticipantId) -> Option<&Party> {
        self.participants.get(id).map(|group| &group.party)
    }

    /// One official, or with none a system as such, if it has asked anything.
    pub(super) fn find(
        &self,
        participant: &ParticipantId,
        system: &str,
        official: Option<&OfficialId>,
    ) -> Option<&Party> {
        let system = self.participants.get(participant)?.systems.get(system)?;
        match official {
            None => Some(&system.party),
            Some(official) => {
                let found = system.officials.get(&official.folded())?;
                Some(&found.party)
            }
        }
    }

    /// Calls `visit` for every system (no official) and every official.
    pub(super) fn visit<'a>(
        &'a mut self,
        mut visit: impl FnMut(
            (&'a ParticipantId, &'a Arc<str>, Option<&'a OfficialId>),
            &'a mut Party,
            Option<&'a mut Looks>,
        ),
    ) {
        for (id, group) in &mut self.participants {
            for (name, system) in &mut group.systems {
                visit((id, name, None), &mut system.party, None);
                for (official, found) in &mut system.officials {
                    let who = (id, name, Some(official));
                    visit(who, &mut found.party, Some(&mut found.looks));
                }
            }
        }
    }

    /// Forgets what is old, and askers of whom nothing is left.
    pub(super) fn sweep(&mut self, config: &GuardConfig, now_ms: i64) {
        let within = block_within(config);
        self.participants.retain(|_, group| {
            group.party.subjects.expire(now_ms);
            group.dossiers.retain(|_, window| {
                window.expire(now_ms);
                !window.is_empty()
            });
            group.systems.retain(|_, system| {
                system.party.subjects.expire(now_ms);
                system.officials.retain(|_, official| {
                    official.party.subjects.expire(now_ms);
                    official.looks.expire(config, now_ms);
                    official.put_off.expire(now_ms);
                    !official.put_off.is_empty() || !official.party.is_idle(now_ms, within)
                });
                !system.officials.is_empty() || !system.party.is_idle(now_ms, within)
            });
            !group.systems.is_empty() || !group.party.subjects.is_empty()
        });
    }
}

impl Askers<'_> {
    /// Why the dossier may serve no further citizen.
    pub(super) fn dossier_full(
        &mut self,
        dossier: &DossierCode,
        subject: &lienthong_domain::identity::Pseudonym,
        subjects_max: u32,
        config: &GuardConfig,
        now_ms: i64,
    ) -> Option<Stop> {
        let dossiers_max = config.dossiers_per_participant_max;
        let Some(window) = self.dossiers.get_mut(dossier) else {
            let crowded = self.dossiers.len() >= dossiers_max as usize;
            let stop = || {
                Stop::quota(
                    "dossiers_per_day",
                    dossiers_max,
                    Who::Participant,
                    CROWDED_RETRY,
                )
            };
            return crowded.then(stop);
        };
        window.expire(now_ms);
        if window.contains(subject) {
            return None;
        }
        let wait = window.wait(subjects_max, super::window::DAY_MS, now_ms)?;
        Some(Stop::quota(
            "subjects_per_dossier",
            subjects_max,
            Who::Dossier,
            wait,
        ))
    }
}

/// How long a hold is remembered.
pub(super) fn block_within(config: &GuardConfig) -> Duration {
    Duration::from_hours(24) * config.block_within_days
}
