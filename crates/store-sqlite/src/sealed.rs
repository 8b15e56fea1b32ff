//! Personal texts as the database holds them: sealed with the data key of their dossier.

use lienthong_vault::{Aad, DataKey, Vault, VaultError, WrappedKey};
use serde::de::DeserializeOwned;

use crate::error::Failure;
use crate::rows::{Cells, corrupt, from_json};

/// A column of `event` that holds sealed JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Progress,
    Offered,
    Merged,
}

impl Column {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Progress => "progress",
            Self::Offered => "offered",
            Self::Merged => "merged",
        }
    }

    /// JSON sealed for this column of a row.
    pub(crate) fn seal(self, key: &DataKey, event: i64, json: &[u8]) -> Vec<u8> {
        key.seal(self.place(event), json)
    }

    fn place(self, event: i64) -> Aad {
        Aad {
            table: "event",
            column: self.name(),
            row: event,
        }
    }
}

/// The value of a sealed cell, with its place.
#[derive(Debug)]
pub(crate) struct Sealed {
    column: Column,
    event: i64,
    bytes: Vec<u8>,
}

impl Sealed {
    /// The cell at `index`, a column of row `event`; `None` for NULL.
    pub(crate) fn read(
        cells: &Cells<'_>,
        index: usize,
        column: Column,
        event: i64,
    ) -> Result<Option<Self>, Failure> {
        let bytes: Option<Vec<u8>> = cells.get(index, column.name())?;
        Ok(bytes.map(|bytes| Self {
            column,
            event,
            bytes,
        }))
    }

    pub(crate) fn open<T: DeserializeOwned>(&self, key: &DataKey) -> Result<T, Failure> {
        let (place, fault) = (self.column.place(self.event), |fault: String| {
            corrupt("event", self.column.name(), self.event, fault)
        });
        let json = key
            .open(place, &self.bytes)
            .map_err(|error| fault(told(&error)))?;
        from_json(&json).map_err(fault)
    }
}

/// The data key of a dossier as its row holds it.
#[derive(Debug)]
pub(crate) struct StoredKey {
    pub(crate) dossier: i64,
    pub(crate) code: String,
    /// `None` when it was destroyed, or was never needed.
    pub(crate) wrapped: Option<Vec<u8>>,
}

impl StoredKey {
    /// The key of the dossier whose `id`, `code` and `data_key` begin at `index`.
    pub(crate) fn read(cells: &Cells<'_>, index: usize) -> Result<Self, Failure> {
        let dossier = cells.get(index, "dossier")?;
        let cells = cells.joined("dossier", dossier);
        Ok(Self {
            dossier,
            code: cells.get(index + 1, "code")?,
            wrapped: cells.get(index + 2, "data_key")?,
        })
    }

    /// The key, which must be there because something sealed with it is.
    pub(crate) fn unwrap(&self, vault: &Vault) -> Result<DataKey, Failure> {
        let missing = || self.fault("is missing, though something is sealed with it".into());
        let wrapped = self.wrapped.as_deref().ok_or_else(missing)?;
        WrappedKey::from_bytes(wrapped)
            .and_then(|wrapped| vault.unwrap(&wrapped, &owner(&self.code)))
            .map_err(|error| self.fault(told(&error)))
    }

    fn fault(&self, fault: String) -> Failure {
        corrupt("dossier", "data_key", self.dossier, fault)
    }
}

/// Opens a cell, if it is not NULL, with the key of its dossier, which is unwrapped only then.
pub(crate) fn open_maybe<T: DeserializeOwned>(
    sealed: Option<&Sealed>,
    key: &StoredKey,
    vault: &Vault,
) -> Result<Option<T>, Failure> {
    sealed
        .map(|sealed| sealed.open(&key.unwrap(vault)?))
        .transpose()
}

/// What a dossier's data key is wrapped for.
pub(crate) fn owner(code: &str) -> String {
    format!("dossier/{code}")
}

/// What an error of the vault means for a value that was read.
fn told(error: &VaultError) -> String {
    match error {
        VaultError::UnknownKey(id) => {
            format!("is wrapped under key {id}, which the key file lacks")
        }
        _ => "was changed, moved, or sealed with another key".into(),
    }
}
