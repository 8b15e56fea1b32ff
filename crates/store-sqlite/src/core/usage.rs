//! Usage records, which pseudonyms are one citizen's, and what was done to guards: rows that are only ever added.

use lienthong_domain::identity::UsageId;
use lienthong_domain::{DossierCode, ErrorCode};
use lienthong_ports::identity::{GuardAction, GuardActionKind, SubjectLink, UsageDraft};
use lienthong_ports::store::Actor;
use rusqlite::params;

use super::Core;
use crate::error::Failure;
use crate::queries::usage::guard_kind_code;
use crate::rows::{execute, micros};

impl Core {
    pub(crate) fn record_usage(&mut self, drafts: &[UsageDraft]) -> Result<Vec<UsageId>, Failure> {
        let ids = drafts
            .iter()
            .map(|draft| self.write_usage(draft))
            .collect::<Result<_, _>>()?;
        for link in SubjectLink::told_by(drafts) {
            self.link_subjects(link)?;
        }
        Ok(ids)
    }

    /// Keeps that two pseudonyms are one citizen's, unless it is known.
    fn link_subjects(&self, link: SubjectLink) -> Result<(), Failure> {
        let (one, other) = (link.one.min(link.other), link.one.max(link.other));
        execute(
            &self.connection,
            "INSERT INTO subject_link (one, other) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![one.0, other.0],
        )?;
        Ok(())
    }

    /// Writes one record. Every identity question waits for this, so nothing is copied.
    pub(super) fn write_usage(&mut self, draft: &UsageDraft) -> Result<UsageId, Failure> {
        let asker = &draft.asker;
        let connection = &self.connection;
        let participant = asker.participant.as_str();
        let participant = self.names.participant_made(connection, participant)?;
        let system = self.names.system_made(connection, &asker.system)?;
        let official = asker.official.as_str();
        let official = self.names.official_made(connection, official)?;
        execute(
            connection,
            "INSERT INTO usage (at, at_latest, participant, system, official, subject, block, purpose, dossier,
                 kind, outcome, reason, asked, shown, as_relative, request_id)
             VALUES (?1, max(?1, coalesce((SELECT at_latest FROM usage ORDER BY id DESC LIMIT 1), ?1)),
                 ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            params![
                micros(draft.at),
                participant,
                system,
                official,
                draft.subject.as_ref().map(|subject| &subject.0[..]),
                draft.block.as_ref().map(|block| &block.0[..]),
                draft.purpose.as_str(),
                draft.dossier.as_ref().map(DossierCode::as_str),
                draft.kind.code(),
                draft.outcome.code(),
                draft.reason.map(ErrorCode::name),
                draft.asked.bits(),
                draft.shown.bits(),
                draft.as_relative,
                draft.request_id,
            ],
        )?;
        Ok(UsageId(connection.last_insert_rowid()))
    }

    pub(crate) fn record_guard_actions(&mut self, actions: &[GuardAction]) -> Result<(), Failure> {
        for action in actions {
            let connection = &self.connection;
            let participant = action.participant.as_str();
            let participant = self.names.participant_made(connection, participant)?;
            let system = self.names.system_made(connection, &action.system)?;
            let official = action.official.as_ref();
            let official = official
                .map(|official| self.names.official_made(connection, official.as_str()))
                .transpose()?;
            execute(
                connection,
                "INSERT INTO guard_action (at, participant, system, official, kind, by, reason)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    micros(action.at),
                    participant,
                    system,
                    official,
                    guard_kind_code(action.kind),
                    action.by,
                    action.reason,
                ],
            )?;
            if action.kind == GuardActionKind::Lifted {
                self.act_of_lifting(action)?;
            }
        }
        Ok(())
    }

    /// A person lifted it, so it is an action too. Which official was meant is for the guard's own row.
    fn act_of_lifting(&self, lifted: &GuardAction) -> Result<(), Failure> {
        let actor = Actor {
            by: lifted.by.clone(),
            reason: lifted.reason.clone(),
            now: lifted.at,
        };
        let subject = format!("{}/{}", lifted.participant, lifted.system);
        self.act(&actor, "lift_guard", &subject)
    }
}
