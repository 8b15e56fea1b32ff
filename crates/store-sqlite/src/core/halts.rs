//! What halts a destination: an operator's pause, and the breaker.

use lienthong_domain::DestinationName;
use lienthong_ports::store::{Actor, BreakerRecord};
use rusqlite::params;

use super::Core;
use crate::error::Failure;
use crate::rows::{execute, micros};

impl Core {
    pub(crate) fn save_breaker(
        &mut self,
        destination: &DestinationName,
        record: BreakerRecord,
    ) -> Result<(), Failure> {
        execute(
            &self.connection,
            "UPDATE destination SET breaker_open_until = ?2, breaker_openings = ?3 WHERE name = ?1",
            params![
                destination.as_str(),
                record.open_until.map(micros),
                record.openings
            ],
        )?;
        Ok(())
    }

    pub(crate) fn set_paused(
        &mut self,
        destination: &DestinationName,
        paused: bool,
        actor: &Actor,
    ) -> Result<bool, Failure> {
        if self.destinations.by_name(destination).is_none() {
            return Ok(false);
        }
        let changed = if paused {
            execute(
                &self.connection,
                "UPDATE destination SET paused_by = ?2, paused_reason = ?3, paused_at = ?4
                 WHERE name = ?1 AND paused_at IS NULL",
                params![
                    destination.as_str(),
                    actor.by,
                    actor.reason,
                    micros(actor.now)
                ],
            )?
        } else {
            execute(
                &self.connection,
                "UPDATE destination SET paused_by = NULL, paused_reason = NULL, paused_at = NULL
                 WHERE name = ?1 AND paused_at IS NOT NULL",
                params![destination.as_str()],
            )?
        };
        if changed == 1 {
            let kind = if paused { "pause" } else { "resume" };
            self.act(actor, kind, destination.as_str())?;
            // Whoever claims looks again after a resume.
            self.woken = true;
        }
        Ok(true)
    }
}
