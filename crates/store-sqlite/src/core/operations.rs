//! Operations: written down, decided, and carried out step by step. A step moves deliveries and the operation's cursor
//! in one transaction, so a killed process goes on where it was.

mod rate;

use lienthong_domain::DeliveryId;
use lienthong_ports::operators::OperationState::{AwaitingApproval, Cancelled, Done, Running};
use lienthong_ports::operators::{
    Decided, Decision, NewOperation, Operation, OperationId, OperationKind, OperationState,
    Requested, StepTerms, Stepped,
};
use lienthong_ports::store::Actor;
use rusqlite::params;

use self::rate::Rate;
use super::Core;
use crate::error::Failure;
use crate::operation_rows::{OperationRow, filter_to_json, kind_code, operations, state_code};
use crate::queries::parked::Chosen;
use crate::rows::{all, corrupt, execute, limit, micros, one};

/// Operations that one call steps; those stepped longest ago go first, so each has its turn.
const STEPPED_TOGETHER_MAX: usize = 50;

/// What a step has done to one operation.
#[derive(Default)]
struct Progress {
    moved: u32,
    left_alone: u32,
    cursor: i64,
    /// Nothing of the selection comes after the cursor.
    exhausted: bool,
}

impl Core {
    pub(crate) fn request_operation(&mut self, new: &NewOperation) -> Result<Requested, Failure> {
        let filter = filter_to_json(&new.filter);
        if let Some(known) = self.operation_of_key(new, &filter)? {
            return Ok(known);
        }
        let matched = self.queries().parked_count(&Chosen::of(&new.filter))?;
        if matched == 0 {
            return Ok(Requested::NothingMatches);
        }
        let now = micros(new.actor.now);
        let needs_approval = matched > new.approval_above;
        let state = if needs_approval {
            AwaitingApproval
        } else {
            Running
        };
        let rate = Rate::of(new.per_second);
        execute(
            &self.connection,
            "INSERT INTO operation (kind, state, filter, parking, allow_out_of_order, per_second, key,
                 requested_by, reason, requested_at, matched, stepped_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            params![
                kind_code(new.kind), state_code(state), filter, self.newest_parking, new.allow_out_of_order,
                new.per_second, new.key, new.actor.by, new.actor.reason, now,
                i64::try_from(matched).unwrap_or(i64::MAX), (!needs_approval).then(|| rate.begun_at(now)),
            ],
        )?;
        let id = OperationId(self.connection.last_insert_rowid());
        self.act(&new.actor, "request_operation", &subject(id))?;
        self.woken = true;
        Ok(Requested::New(self.operation(id)?))
    }

    /// What the same person asked for under the same key before.
    fn operation_of_key(
        &self,
        new: &NewOperation,
        filter: &str,
    ) -> Result<Option<Requested>, Failure> {
        let known = one(
            &self.connection,
            "SELECT id, kind = ?3 AND filter = ?4 AND allow_out_of_order = ?5 FROM operation
             WHERE requested_by = ?1 AND key = ?2",
            params![
                new.actor.by,
                new.key,
                kind_code(new.kind),
                filter,
                new.allow_out_of_order
            ],
            |row| Ok((OperationId(row.get(0)?), row.get::<_, bool>(1)?)),
        )?;
        known
            .map(|(id, same)| {
                Ok(if same {
                    Requested::Known(self.operation(id)?)
                } else {
                    Requested::KeyReused
                })
            })
            .transpose()
    }

    pub(crate) fn decide_operation(
        &mut self,
        id: OperationId,
        decision: Decision,
        actor: &Actor,
    ) -> Result<Decided, Failure> {
        let Some(operation) = self.queries().operation(id)? else {
            return Ok(Decided::NotFound);
        };
        match (decision, operation.state) {
            (Decision::Approve, AwaitingApproval) if operation.requested_by == actor.by => {
                Ok(Decided::SamePerson)
            }
            (Decision::Approve, AwaitingApproval) => {
                let begun_at = Rate::of(operation.per_second).begun_at(micros(actor.now));
                self.decide(id, Running, Some(begun_at), actor)?;
                self.act(actor, "approve_operation", &subject(id))?;
                self.woken = true;
                Ok(Decided::Done(self.operation(id)?))
            }
            (Decision::Cancel, AwaitingApproval | Running) => {
                self.decide(id, Cancelled, None, actor)?;
                self.act(actor, "cancel_operation", &subject(id))?;
                Ok(Decided::Done(self.operation(id)?))
            }
            (Decision::Approve, Running) | (Decision::Cancel, Cancelled) => {
                Ok(Decided::Done(operation))
            }
            (Decision::Approve, Done | Cancelled) | (Decision::Cancel, Done) => {
                Ok(Decided::Ended(operation))
            }
        }
    }

    fn decide(
        &self,
        id: OperationId,
        state: OperationState,
        stepped_at: Option<i64>,
        actor: &Actor,
    ) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE operation SET state = ?2, stepped_at = coalesce(?3, stepped_at), decided_by = ?4,
                 decided_reason = ?5, decided_at = ?6
             WHERE id = ?1",
            params![
                id.0,
                state_code(state),
                stepped_at,
                actor.by,
                actor.reason,
                micros(actor.now)
            ],
        )?;
        Ok(())
    }

    pub(crate) fn step_operations(&mut self, terms: StepTerms) -> Result<Vec<Stepped>, Failure> {
        let running = all(
            &self.connection,
            operations!(
                "INDEXED BY operation_open WHERE state IN (1, 2) AND state = 2
                 ORDER BY stepped_at, id LIMIT ?1"
            ),
            params![limit(STEPPED_TOGETHER_MAX)],
            OperationRow::read,
        )?;
        running
            .iter()
            .map(|row| self.step_operation(row, terms))
            .collect()
    }

    fn step_operation(&mut self, row: &OperationRow, terms: StepTerms) -> Result<Stepped, Failure> {
        let now = micros(terms.now);
        let rate = Rate::of(row.operation.per_second);
        let used_until = rate.used_until(row.stepped_at.unwrap_or(now), now, terms.catch_up_max);
        let room = rate.room(used_until, now).min(terms.limit);
        let progress = if room == 0 {
            Progress {
                cursor: row.cursor,
                ..Progress::default()
            }
        } else {
            self.move_some(row, room, terms)?
        };
        let used_until = rate.after(used_until, progress.moved);
        if (Some(used_until), progress.cursor) != (row.stepped_at, row.cursor) {
            self.write_progress(row.operation.id, &progress, used_until)?;
        }
        if progress.exhausted {
            self.end_operation(&row.operation, terms)?;
        }
        Ok(Stepped {
            operation: self.operation(row.operation.id)?,
            moved: progress.moved,
        })
    }

    fn write_progress(
        &self,
        id: OperationId,
        progress: &Progress,
        used_until: i64,
    ) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE operation SET moved = moved + ?2, left_alone = left_alone + ?3, cursor = ?4, stepped_at = ?5
             WHERE id = ?1",
            params![
                id.0,
                progress.moved,
                progress.left_alone,
                progress.cursor,
                used_until
            ],
        )?;
        Ok(())
    }

    /// Deals with what comes next, until `room` deliveries were moved.
    fn move_some(
        &mut self,
        row: &OperationRow,
        room: u32,
        terms: StepTerms,
    ) -> Result<Progress, Failure> {
        let items = limit(usize::try_from(terms.limit).unwrap_or(usize::MAX));
        let items = usize::try_from(items).expect("a bound of lists");
        let chosen = Chosen::until(&row.filter, row.parking);
        let ids = self
            .queries()
            .parked_ids(&chosen, DeliveryId(row.cursor), items)?;
        let mut progress = Progress {
            cursor: row.cursor,
            exhausted: ids.len() < items,
            ..Progress::default()
        };
        for id in ids {
            if progress.moved == room {
                progress.exhausted = false;
                break;
            }
            if self.move_one(&row.operation, id, terms)? {
                progress.moved += 1;
            } else {
                progress.left_alone += 1;
            }
            progress.cursor = id.0;
        }
        Ok(progress)
    }

    /// Whether the delivery was moved; else it would break the order.
    fn move_one(
        &mut self,
        operation: &Operation,
        id: DeliveryId,
        terms: StepTerms,
    ) -> Result<bool, Failure> {
        let actor = actor_of(operation, terms);
        match operation.kind {
            OperationKind::Replay => {
                let item = self
                    .queries()
                    .replay_item(id, operation.allow_out_of_order)?;
                if item.replayed {
                    let standing = self.parked_standing(id)?;
                    self.replay_one(&standing, micros(terms.now), &actor)?;
                }
                Ok(item.replayed)
            }
            OperationKind::Discard => {
                let standing = self.parked_standing(id)?;
                self.discard_one(&standing, &actor)?;
                Ok(true)
            }
        }
    }

    /// What matched and was not moved has left by other ways, or would break the order.
    fn end_operation(&self, operation: &Operation, terms: StepTerms) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE operation SET state = ?2, ended_at = ?3, left_alone = max(left_alone, matched - moved)
             WHERE id = ?1",
            params![
                operation.id.0,
                state_code(Done),
                micros(terms.now)
            ],
        )?;
        let actor = actor_of(operation, terms);
        self.act(&actor, "end_operation", &subject(operation.id))
    }

    fn operation(&self, id: OperationId) -> Result<Operation, Failure> {
        self.queries()
            .operation(id)?
            .ok_or_else(|| corrupt("operation", "id", id.0, "is missing"))
    }
}

/// Whoever asked for the operation acts in all of its steps.
fn actor_of(operation: &Operation, terms: StepTerms) -> Actor {
    Actor {
        by: operation.requested_by.clone(),
        reason: operation.reason.clone(),
        now: terms.now,
    }
}

fn subject(id: OperationId) -> String {
    format!("operation:{id}")
}
