//! What happens to data keys after their making: destroyed with what they sealed, or wrapped anew.

use lienthong_domain::DossierCode;
use lienthong_ports::store::{Actor, Erasure};
use rusqlite::params;

use super::Core;
use crate::error::Failure;
use crate::rows::{Cells, all, execute, limit, micros, one};
use crate::sealed::{StoredKey, owner};

impl Core {
    /// Destroys the dossier's data key. Its rows stay; what was sealed in them is never read again.
    pub(crate) fn erase_dossier(
        &mut self,
        code: &DossierCode,
        actor: &Actor,
    ) -> Result<Erasure, Failure> {
        let Some(dossier) = self.queries().dossier_id(code)? else {
            return Ok(Erasure::NotFound);
        };
        let open = one(
            &self.connection,
            "SELECT 1 FROM delivery INDEXED BY delivery_lane
             WHERE dossier = ?1 AND state IN (0, 1, 2, 3, 5) LIMIT 1",
            params![dossier],
            |_| Ok(()),
        )?;
        if open.is_some() {
            return Ok(Erasure::StillOpen);
        }
        // Nothing is left to destroy the second time, so nothing is recorded either.
        let changed = execute(
            &self.connection,
            "UPDATE dossier SET data_key = NULL, kek = NULL, details_sequence = 0, erased_at = ?2,
                 erased_through = last_sequence
             WHERE id = ?1 AND erased_through < last_sequence",
            params![dossier, micros(actor.now)],
        )?;
        if changed == 1 {
            self.act(actor, "erase", code.as_str())?;
            self.log_holds_old_keys = true;
        }
        Ok(Erasure::Done)
    }

    /// Wraps up to `items` data keys under the current key; how many there were.
    pub(crate) fn rewrap_keys(&mut self, items: u32) -> Result<u64, Failure> {
        let items = limit(usize::try_from(items).unwrap_or(usize::MAX));
        // The current key has the highest number, and no database opens with keys that the ring lacks.
        let stored = all(
            &self.connection,
            "SELECT id, code, data_key FROM dossier INDEXED BY dossier_kek
             WHERE kek < ?1 ORDER BY kek, id LIMIT ?2",
            params![self.vault.current_key().0, items],
            |row| StoredKey::read(&Cells::of("dossier", row)?, 0),
        )?;
        for stored in &stored {
            let key = stored.unwrap(&self.vault)?;
            let wrapped = self.vault.wrap(&key, &owner(&stored.code));
            self.write_data_key(stored.dossier, &wrapped)?;
        }
        self.log_holds_old_keys |= !stored.is_empty();
        let left = usize::try_from(items).unwrap_or(0) - stored.len();
        Ok(stored.len() as u64 + self.rewrap_job_keys(left)?)
    }
}
