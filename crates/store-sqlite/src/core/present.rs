//! A dossier as it stands while its next events are accepted, and how its row follows.

use std::sync::Arc;

use lienthong_domain::timeline::Head;
use lienthong_domain::{DossierCode, DossierDetails, DossierStatus, Timestamp};
use lienthong_ports::store::Offer;
use lienthong_vault::{DataKey, Vault, WrappedKey};
use rusqlite::params;

use super::Core;
use crate::error::Failure;
use crate::queries::{details_at, status_from_code};
use crate::rows::{Cells, corrupt, execute, micros, one, stored};
use crate::sealed::{StoredKey, owner};

/// A dossier as it stands before the next offer.
pub(super) struct Present {
    pub(super) id: i64,
    pub(super) head: Head,
    pub(super) last_sequence: i64,
    pub(super) details_sequence: i64,
    /// `None` until they are needed.
    pub(super) details: Option<Arc<DossierDetails>>,
    pub(super) key: Key,
    /// What the dossier's row does not say yet; written once, when the call ends.
    pub(super) unwritten: Option<Newest>,
}

/// The data key of a dossier.
pub(super) enum Key {
    /// As the row has it, not needed so far.
    Stored(StoredKey),
    /// Unwrapped, or made by this call.
    Open(DataKey),
    /// There is none: the dossier is new, or its key was destroyed.
    None,
}

/// What a dossier's row says of its newest event.
pub(super) struct Newest {
    pub(super) participant: i64,
    pub(super) procedure: Option<String>,
    /// When the result is due, where details came that say so.
    pub(super) due_at: Option<i64>,
    pub(super) accepted_at: i64,
    /// A data key that was made with it.
    pub(super) wrapped: Option<WrappedKey>,
}

impl Key {
    /// The key, unwrapped now if need be; `None` when there is none.
    pub(super) fn open(&mut self, vault: &Vault) -> Result<Option<&DataKey>, Failure> {
        if let Self::Stored(stored) = self {
            *self = Self::Open(stored.unwrap(vault)?);
        }
        Ok(match self {
            Self::Open(key) => Some(key),
            Self::Stored(_) | Self::None => None,
        })
    }

    /// The key in its wrapping, if it was not there before and was made now.
    pub(super) fn made(&mut self, vault: &Vault, code: &DossierCode) -> Option<WrappedKey> {
        let Self::None = self else { return None };
        let key = DataKey::generate();
        let wrapped = vault.wrap(&key, &owner(code.as_str()));
        *self = Self::Open(key);
        Some(wrapped)
    }
}

impl Core {
    pub(super) fn present(&self, code: &DossierCode) -> Result<Option<Present>, Failure> {
        one(
            &self.connection,
            "SELECT id, code, data_key, status, occurred_at, source_sequence, last_sequence, details_sequence
             FROM dossier WHERE root = ?1 AND code = ?2",
            params![code.agency().root().as_str(), code.as_str()],
            |row| {
                let cells = Cells::of("dossier", row)?;
                let key = StoredKey::read(&cells, 0)?;
                Ok(Present {
                    id: cells.id(),
                    head: Head {
                        status: cells.decoded(3, "status", status_from_code)?,
                        occurred_at: cells.time(4, "occurred_at")?,
                        source_sequence: cells.get(5, "source_sequence")?,
                    },
                    last_sequence: cells.get(6, "last_sequence")?,
                    details_sequence: cells.get(7, "details_sequence")?,
                    details: None,
                    key: if key.wrapped.is_some() {
                        Key::Stored(key)
                    } else {
                        Key::None
                    },
                    unwritten: None,
                })
            },
        )
    }

    /// The present details; empty ones where there are none.
    pub(super) fn details_of(&self, present: &mut Present) -> Result<Arc<DossierDetails>, Failure> {
        let sealed = details_at(&self.connection, present.id, present.details_sequence)?;
        let Some(sealed) = sealed else {
            return Ok(Arc::default());
        };
        match present.key.open(&self.vault)? {
            Some(key) => Ok(Arc::new(sealed.open(key)?)),
            None => Err(corrupt(
                "dossier",
                "data_key",
                present.id,
                "is missing, though its details are there",
            )),
        }
    }

    pub(super) fn write_new_dossier(
        &self,
        code: &DossierCode,
        next: &Present,
        newest: &Newest,
    ) -> Result<i64, Failure> {
        let head = &next.head;
        let (data_key, kek) = columns_of(newest.wrapped.as_ref());
        execute(
            &self.connection,
            "INSERT INTO dossier (root, code, procedure, participant, status, occurred_at, source_sequence,
                 last_sequence, details_sequence, first_accepted_at, updated_at, data_key, kek, due_at,
                 due_open_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, ?12, ?13, iif(?14, ?13, NULL))",
            params![
                code.agency().root().as_str(), code.as_str(), newest.procedure, newest.participant,
                head.status.code(), micros(head.occurred_at), head.source_sequence, next.last_sequence,
                next.details_sequence, newest.accepted_at, data_key, kek, newest.due_at, self.delivers(),
            ],
        )?;
        Ok(self.connection.last_insert_rowid())
    }

    pub(super) fn write_present(&mut self, present: Present) -> Result<(), Failure> {
        let Some(newest) = present.unwritten else {
            return Ok(());
        };
        let head = &present.head;
        execute(
            &self.connection,
            "UPDATE dossier SET procedure = coalesce(?2, procedure), participant = ?3, status = ?4,
                 occurred_at = ?5, source_sequence = ?6, last_sequence = ?7, details_sequence = ?8,
                 updated_at = ?9, due_at = coalesce(?10, due_at),
                 due_open_at = iif(?11, coalesce(?10, due_at), due_open_at)
             WHERE id = ?1",
            params![
                present.id,
                newest.procedure,
                newest.participant,
                head.status.code(),
                micros(head.occurred_at),
                head.source_sequence,
                present.last_sequence,
                present.details_sequence,
                newest.accepted_at,
                newest.due_at,
                self.delivers(),
            ],
        )?;
        if let Some(procedure) = &newest.procedure {
            self.rename_parked(present.id, procedure)?;
        }
        match &newest.wrapped {
            Some(wrapped) => self.write_data_key(present.id, wrapped),
            None => Ok(()),
        }
    }

    /// Whether events go anywhere, so that an accepted one leaves its dossier open.
    fn delivers(&self) -> bool {
        self.destinations.iter().any(|known| known.active)
    }

    pub(super) fn write_data_key(&self, dossier: i64, wrapped: &WrappedKey) -> Result<(), Failure> {
        let (data_key, kek) = columns_of(Some(wrapped));
        execute(
            &self.connection,
            "UPDATE dossier SET data_key = ?2, kek = ?3 WHERE id = ?1",
            params![dossier, data_key, kek],
        )?;
        Ok(())
    }
}

fn columns_of(wrapped: Option<&WrappedKey>) -> (Option<&[u8]>, Option<u32>) {
    wrapped
        .map(|wrapped| (wrapped.as_bytes().as_slice(), wrapped.key_id().0))
        .unzip()
}

/// The dossier after an event: a late one takes a sequence and moves nothing else.
pub(super) fn moved_on(
    offer: &Offer,
    present: Option<Present>,
    late: bool,
    details: Option<Box<DossierDetails>>,
) -> Present {
    let event = &offer.event;
    let (id, last_sequence, details_sequence) = present.as_ref().map_or((0, 0, 0), |present| {
        (present.id, present.last_sequence, present.details_sequence)
    });
    let sequence = last_sequence + 1;
    let details_sequence = if details.is_some() {
        sequence
    } else {
        details_sequence
    };
    let (head, before, key) = present.map_or((None, None, Key::None), |present| {
        (Some(present.head), present.details, present.key)
    });
    let head = match head {
        Some(head) if late => head,
        head => {
            let seen = head.and_then(|head| head.source_sequence);
            head_of(
                event.status,
                stored(event.occurred_at),
                seen.max(event.source_sequence),
            )
        }
    };
    let details = details.map(|details| Arc::new(*details)).or(before);
    Present {
        id,
        head,
        last_sequence: sequence,
        details_sequence,
        details,
        key,
        unwritten: None,
    }
}

fn head_of(status: DossierStatus, occurred_at: Timestamp, source_sequence: Option<i64>) -> Head {
    Head {
        status,
        occurred_at,
        source_sequence,
    }
}
