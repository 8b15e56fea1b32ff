//! Usage records by citizen, participant and time, which pseudonyms are one citizen's, and what was done to guards.

use std::array::from_fn;
use std::cmp::Reverse;

use lienthong_domain::Timestamp;
use lienthong_domain::identity::{
    FieldSet, OfficialId, Pseudonym, PurposeCode, UsageId, UsageKind, UsageOutcome,
};
use lienthong_domain::participant::ParticipantId;
use lienthong_ports::identity::usage::{LINKS_MAX, OTHER_NUMBERS_MAX, SUBJECTS_MAX};
use lienthong_ports::identity::{
    GuardAction, GuardActionKind, SubjectLink, UsageDraft, UsageFilter, UsageRow,
};
use lienthong_ports::store::ITEMS_MAX;
use rusqlite::params;

use super::Queries;
use crate::error::Failure;
use crate::identity_rows::{read_asker, read_code, read_dossier};
use crate::rows::{Cells, all, limit, micros};

/// Most guard actions of one answer.
const GUARD_ACTIONS_MAX: i64 = 10_000;

/// A query over usage records; `$from` names the index, `$rest` says which and in which order.
/// `?1` is the earliest instant: `at_latest` rises with the id, so it bounds how far back rows are read.
macro_rules! usage_sql {
    ($from:literal, $rest:literal) => {
        concat!(
            "SELECT u.id, u.at, p.code, s.name, o.name, u.subject, u.block, u.purpose, u.dossier, u.kind,
                 u.outcome, u.reason, u.asked, u.shown, u.as_relative, u.request_id
             FROM usage u ",
            $from,
            " CROSS JOIN participant p ON p.id = u.participant CROSS JOIN system s ON s.id = u.system
                 CROSS JOIN official o ON o.id = u.official
             WHERE u.at >= ?1 AND u.id >= (SELECT id FROM usage INDEXED BY usage_latest
                                           WHERE at_latest >= ?1 ORDER BY at_latest, id LIMIT 1) ",
            $rest
        )
    };
}

impl Queries<'_> {
    pub(crate) fn usage(
        &self,
        filter: &UsageFilter,
        before: Option<UsageId>,
        items: usize,
    ) -> Result<Vec<UsageRow>, Failure> {
        if !filter.subjects.is_empty() {
            return self.usage_of_citizen(filter, before, items);
        }
        let sql = match &filter.participant {
            Some(_) => usage_sql!(
                "INDEXED BY usage_participant",
                "AND u.participant = (SELECT id FROM participant WHERE code = ?2) AND u.id < ?3
                 ORDER BY u.id DESC LIMIT ?4"
            ),
            None => usage_sql!(
                "NOT INDEXED",
                "AND ?2 IS NULL AND u.id < ?3 ORDER BY u.id DESC LIMIT ?4"
            ),
        };
        all(
            self.connection,
            sql,
            params![
                filter.since.map_or(i64::MIN, micros),
                filter.participant.as_ref().map(ParticipantId::as_str),
                before.map_or(i64::MAX, |before| before.0),
                limit(items),
            ],
            |row| read_usage(&Cells::of("usage", row)?),
        )
    }

    /// A page of each pseudonym, and the newest of them all: so no more is read than a few pages, however often
    /// the citizen was looked at.
    fn usage_of_citizen(
        &self,
        filter: &UsageFilter,
        before: Option<UsageId>,
        items: usize,
    ) -> Result<Vec<UsageRow>, Failure> {
        let named: [Option<[u8; 16]>; SUBJECTS_MAX] =
            from_fn(|at| filter.subjects.get(at).map(|subject| subject.0));
        let [first, second, third, fourth, fifth] = &named;
        let mut rows = Vec::new();
        for subject in named.iter().flatten() {
            rows.extend(all(
                self.connection,
                usage_sql!(
                    "INDEXED BY usage_subject",
                    "AND u.subject = ?2 AND (?3 IS NULL OR p.code = ?3) AND u.id < ?4
                         AND NOT (u.as_relative AND u.block IS NOT NULL AND EXISTS (
                             SELECT 1 FROM usage look
                             WHERE look.id = u.id - 1 AND look.request_id = u.request_id
                                 AND NOT look.as_relative AND look.subject IN (?6, ?7, ?8, ?9, ?10)))
                     ORDER BY u.id DESC LIMIT ?5"
                ),
                params![
                    filter.since.map_or(i64::MIN, micros),
                    subject,
                    filter.participant.as_ref().map(ParticipantId::as_str),
                    before.map_or(i64::MAX, |before| before.0),
                    limit(items),
                    first,
                    second,
                    third,
                    fourth,
                    fifth,
                ],
                |row| read_usage(&Cells::of("usage", row)?),
            )?);
        }
        rows.sort_unstable_by_key(|row| Reverse(row.id));
        rows.dedup_by_key(|row| row.id);
        rows.truncate(items.min(ITEMS_MAX));
        Ok(rows)
    }

    pub(crate) fn other_numbers(&self, subject: Pseudonym) -> Result<Vec<Pseudonym>, Failure> {
        all(
            self.connection,
            "SELECT id, other FROM subject_link WHERE one = ?1
             UNION ALL SELECT id, one FROM subject_link WHERE other = ?1
             ORDER BY 1 DESC LIMIT ?2",
            params![subject.0, limit(OTHER_NUMBERS_MAX)],
            |row| read_link_end(&Cells::of("subject_link", row)?, 1, "other"),
        )
    }

    pub(crate) fn subject_links(&self) -> Result<Vec<SubjectLink>, Failure> {
        let most = i64::try_from(LINKS_MAX).expect("a small number");
        let mut links = all(
            self.connection,
            "SELECT id, one, other FROM subject_link ORDER BY id DESC LIMIT ?1",
            params![most],
            |row| {
                let cells = Cells::of("subject_link", row)?;
                Ok(SubjectLink {
                    one: read_link_end(&cells, 1, "one")?,
                    other: read_link_end(&cells, 2, "other")?,
                })
            },
        )?;
        links.reverse();
        Ok(links)
    }

    pub(crate) fn usage_since(
        &self,
        since: Timestamp,
        after: UsageId,
        items: usize,
    ) -> Result<Vec<UsageRow>, Failure> {
        all(
            self.connection,
            usage_sql!("NOT INDEXED", "AND u.id > ?2 ORDER BY u.id LIMIT ?3"),
            params![micros(since), after.0, limit(items)],
            |row| read_usage(&Cells::of("usage", row)?),
        )
    }

    pub(crate) fn guard_actions(&self, since: Timestamp) -> Result<Vec<GuardAction>, Failure> {
        let mut actions = all(
            self.connection,
            "SELECT g.id, g.at, p.code, s.name, o.name, g.kind, g.by, g.reason
             FROM guard_action g INDEXED BY guard_action_at JOIN participant p ON p.id = g.participant JOIN system s ON s.id = g.system
                 LEFT JOIN official o ON o.id = g.official
             WHERE g.at >= ?1 ORDER BY g.id DESC LIMIT ?2",
            params![micros(since), GUARD_ACTIONS_MAX],
            |row| read_guard_action(&Cells::of("guard_action", row)?),
        )?;
        actions.reverse();
        Ok(actions)
    }
}

fn read_link_end(
    cells: &Cells<'_>,
    index: usize,
    column: &'static str,
) -> Result<Pseudonym, Failure> {
    cells.get(index, column).map(Pseudonym)
}

fn read_usage(cells: &Cells<'_>) -> Result<UsageRow, Failure> {
    let pseudonym = |index, column| -> Result<Option<Pseudonym>, Failure> {
        Ok(cells.get::<Option<[u8; 16]>>(index, column)?.map(Pseudonym))
    };
    let fields = |index, column| {
        cells.decoded(index, column, |bits| {
            u32::try_from(bits).ok().and_then(FieldSet::from_bits)
        })
    };
    let record = UsageDraft {
        at: cells.time(1, "at")?,
        asker: read_asker(cells, 2)?,
        subject: pseudonym(5, "subject")?,
        block: pseudonym(6, "block")?,
        purpose: cells.parsed(7, "purpose", PurposeCode::parse)?,
        dossier: read_dossier(cells, 8)?,
        kind: cells.decoded(9, "kind", UsageKind::from_code)?,
        outcome: cells.decoded(10, "outcome", UsageOutcome::from_code)?,
        reason: read_code(cells, 11, "reason")?,
        asked: fields(12, "asked")?,
        shown: fields(13, "shown")?,
        as_relative: cells.get(14, "as_relative")?,
        request_id: cells.get(15, "request_id")?,
    };
    Ok(UsageRow {
        id: UsageId(cells.id()),
        record,
    })
}

fn read_guard_action(cells: &Cells<'_>) -> Result<GuardAction, Failure> {
    Ok(GuardAction {
        at: cells.time(1, "at")?,
        participant: cells.parsed(2, "participant", ParticipantId::parse)?,
        system: cells.get(3, "system")?,
        official: cells.parsed_maybe(4, "official", OfficialId::parse)?,
        kind: cells.decoded(5, "kind", guard_kind_of_code)?,
        by: cells.get(6, "by")?,
        reason: cells.get(7, "reason")?,
    })
}

/// The stored number of what was done to a guard.
pub(crate) fn guard_kind_code(kind: GuardActionKind) -> i64 {
    match kind {
        GuardActionKind::Held => 1,
        GuardActionKind::Blocked => 2,
        GuardActionKind::Lifted => 3,
    }
}

fn guard_kind_of_code(code: i64) -> Option<GuardActionKind> {
    use GuardActionKind::{Blocked, Held, Lifted};
    [Held, Blocked, Lifted]
        .into_iter()
        .find(|kind| guard_kind_code(*kind) == code)
}
