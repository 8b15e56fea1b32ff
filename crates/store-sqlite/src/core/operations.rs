//! Operations: written down and decided.

mod rate;
mod steps;

use lienthong_domain::operator::is_same_person;
use lienthong_ports::operators::OperationState::{AwaitingApproval, Cancelled, Done, Running};
use lienthong_ports::operators::{
    Decided, Decision, NewOperation, Operation, OperationId, OperationState, Requested,
};
use lienthong_ports::store::Actor;
use rusqlite::params;

use self::rate::Rate;
use super::Core;
use crate::error::Failure;
use crate::operation_rows::{filter_to_json, kind_code, state_code};
use crate::queries::parked::Chosen;
use crate::rows::{corrupt, execute, micros, one};

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
        let (by, at) = (&new.actor.by, new.actor.now);
        let before = self.queries().asked_alone(by, new.kind, at)?;
        let alone = matched.saturating_add(before);
        let needs_approval = alone > new.approval_above;
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
            (Decision::Approve, AwaitingApproval)
                if is_same_person(&operation.requested_by, &actor.by) =>
            {
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
                self.cancel_operation(id, actor)?;
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

    /// Ends an operation. Whoever approved it stays in its row; who cancelled is in the action.
    fn cancel_operation(&self, id: OperationId, actor: &Actor) -> Result<(), Failure> {
        self.decide(id, Cancelled, None, actor)?;
        self.act(actor, "cancel_operation", &subject(id))
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
            "UPDATE operation SET state = ?2, stepped_at = coalesce(?3, stepped_at),
                 decided_by = coalesce(decided_by, ?4), decided_reason = coalesce(decided_reason, ?5),
                 decided_at = coalesce(decided_at, ?6)
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

    fn operation(&self, id: OperationId) -> Result<Operation, Failure> {
        self.queries()
            .operation(id)?
            .ok_or_else(|| corrupt("operation", "id", id.0, "is missing"))
    }
}

fn subject(id: OperationId) -> String {
    format!("operation:{id}")
}
