//! Operations carried out step by step. A step moves deliveries and the operation's cursor in one transaction, so a
//! killed process goes on where it was.

use lienthong_domain::{DeliveryId, Timestamp};
use lienthong_ports::operators::OperationState::{AwaitingApproval, Cancelled, Done, Running};
use lienthong_ports::operators::{
    ENDED_BY, Operation, OperationId, OperationKind, StepTerms, Stepped,
};
use lienthong_ports::store::Actor;
use rusqlite::params;

use super::rate::Rate;
use super::{Core, subject};
use crate::error::Failure;
use crate::operation_rows::{OperationRow, state_code};
use crate::queries::parked::Chosen;
use crate::rows::{execute, limit, micros};

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
    /// The next step of an operation, or its end where it awaited approval for too long. `None` when it has ended since it
    /// was found.
    pub(crate) fn step_operation(
        &mut self,
        id: OperationId,
        terms: StepTerms,
    ) -> Result<Option<Stepped>, Failure> {
        let Some(row) = self.queries().operation_row(id)? else {
            return Ok(None);
        };
        let moved = match row.operation.state {
            Running => self.step_row(&row, terms)?,
            AwaitingApproval => {
                self.break_off_operation(id, "nobody decided about it in time", terms.now)?;
                0
            }
            Done | Cancelled => return Ok(None),
        };
        let operation = self.operation(id)?;
        Ok(Some(Stepped { operation, moved }))
    }

    /// Ends an operation that cannot go on. Reads nothing of it: its row may be the one that cannot be read.
    pub(crate) fn break_off_operation(
        &self,
        id: OperationId,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let actor = Actor {
            by: ENDED_BY.to_owned(),
            reason: reason.to_owned(),
            now,
        };
        self.cancel_operation(id, &actor)
    }

    /// Moves what the rate allows; how many were moved.
    fn step_row(&mut self, row: &OperationRow, terms: StepTerms) -> Result<u32, Failure> {
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
        Ok(progress.moved)
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
        let standing = self.parked_standing(id)?;
        match operation.kind {
            OperationKind::Replay => {
                let item = self
                    .queries()
                    .replay_item(id, operation.allow_out_of_order)?;
                if item.replayed {
                    self.replay_one(&standing, &actor)?;
                }
                Ok(item.replayed)
            }
            OperationKind::Discard => self.discard_one(&standing, &actor).map(|()| true),
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
}

/// Whoever asked for the operation acts in all of its steps.
fn actor_of(operation: &Operation, terms: StepTerms) -> Actor {
    Actor {
        by: operation.requested_by.clone(),
        reason: operation.reason.clone(),
        now: terms.now,
    }
}
