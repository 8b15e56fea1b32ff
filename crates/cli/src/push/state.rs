//! The state file beside an input: how far everything is answered, so that a later run goes on there.
//!
//! A later run reads the input again from its beginning, since a joined event depends on lines
//! before it, and passes over the steps that are answered. Sending one again would do no harm:
//! it has the same key.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::result::{Counters, RefusedLine};
use crate::errors::CliError;
use crate::input::join::RULES_VERSION;

/// Bytes at the beginning of a file that, with its size, tell whether it is still the same.
const HEAD_BYTES: u64 = 64 << 10;
/// Longest state file that is read back, in bytes.
const STATE_BYTES_MAX: u64 = 64 << 20;

/// Tells one input from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    head_sha256: String,
    size_bytes: u64,
    rules_version: u32,
}

/// Content of the state file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) input: Fingerprint,
    /// Bytes read when this was written; for people only.
    pub(crate) bytes: u64,
    /// Counters; the first `steps` steps of the input are answered.
    pub(crate) counters: Counters,
    /// Lines refused so far.
    pub(crate) refused_lines: Vec<RefusedLine>,
}

/// Fingerprint of a file and its size in bytes.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn fingerprint(path: &Path) -> io::Result<(Fingerprint, u64)> {
    let file = File::open(path)?;
    let size_bytes = file.metadata()?.len();
    let mut head = Vec::new();
    file.take(HEAD_BYTES).read_to_end(&mut head)?;
    let print = Fingerprint {
        head_sha256: hex::encode(Sha256::digest(&head)),
        size_bytes,
        rules_version: RULES_VERSION,
    };
    Ok((print, size_bytes))
}

/// Where the state of one input is kept: `FILE.lienthong-push`.
#[derive(Debug, Clone)]
pub(crate) struct StateFile {
    path: PathBuf,
}

impl StateFile {
    /// The file for `input`.
    pub(crate) fn beside(input: &Path) -> Self {
        let mut name = input.as_os_str().to_owned();
        name.push(".lienthong-push");
        Self { path: name.into() }
    }

    /// The state left by an earlier run of the same input; `None` if there is none or it is of
    /// another content.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub(crate) fn load(&self, input: &Fingerprint) -> Result<Option<State>, CliError> {
        let mut text = String::new();
        match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(self.fault("read", source)),
            Ok(file) => file
                .take(STATE_BYTES_MAX)
                .read_to_string(&mut text)
                .map_err(|source| self.fault("read", source))?,
        };
        let state: Option<State> = serde_json::from_str(&text).ok();
        Ok(state.filter(|state| state.input == *input))
    }

    /// Replaces the file at once and durably.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn save(&self, state: &State) -> Result<(), CliError> {
        self.replace(state)
            .map_err(|source| self.fault("write", source))
    }

    /// Removes the file, if it is there.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(crate) fn remove(&self) -> Result<(), CliError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.fault("remove", error))
            }
            _ => Ok(()),
        }
    }

    fn replace(&self, state: &State) -> io::Result<()> {
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or_else(|| Path::new(".")))?;
        serde_json::to_writer(&mut file, state)?;
        file.flush()?;
        file.as_file().sync_data()?;
        file.persist(&self.path)?;
        Ok(())
    }

    fn fault(&self, action: &'static str, source: io::Error) -> CliError {
        CliError::File {
            action,
            path: self.path.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_belongs_to_one_content() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("hồ sơ.ndjson");
        fs::write(&input, "một").unwrap();
        let (print, size) = fingerprint(&input).unwrap();
        assert_eq!(size, 5);
        let state = State {
            input: print.clone(),
            bytes: 5,
            counters: Counters::default(),
            refused_lines: Vec::new(),
        };
        let file = StateFile::beside(&input);
        assert_eq!(file.load(&print).unwrap(), None);
        file.save(&state).unwrap();
        assert!(folder.path().join("hồ sơ.ndjson.lienthong-push").exists());
        assert_eq!(file.load(&print).unwrap(), Some(state));

        fs::write(&input, "hai").unwrap();
        let (changed, _) = fingerprint(&input).unwrap();
        assert_eq!(file.load(&changed).unwrap(), None);
        file.remove().unwrap();
        file.remove().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
