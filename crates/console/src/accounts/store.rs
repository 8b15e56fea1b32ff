//! The accounts file on disk: read whole, written whole, for this user only.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::Accounts;
use crate::error::ConsoleError;

/// An accounts file may be this large.
const FILE_BYTES_MAX: u64 = 1 << 20;

impl Accounts {
    /// Reads a file; a file that is not there has no accounts.
    ///
    /// # Errors
    /// An unreadable file, or every fault of its accounts.
    pub fn read(path: &Path) -> Result<Self, ConsoleError> {
        let mut text = String::new();
        let read = File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text));
        match read {
            Ok(length) if length as u64 > FILE_BYTES_MAX => Err(ConsoleError::Accounts {
                path: path.to_owned(),
                faults: vec!["larger than 1 MiB".to_owned()],
            }),
            Ok(_) => Self::parse(&text).map_err(|faults| ConsoleError::Accounts {
                path: path.to_owned(),
                faults,
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ConsoleError::Read {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Reads a file, changes the accounts, and puts the new file in its place in one step. Two that change it at once
    /// take turns.
    ///
    /// # Errors
    /// As [`Accounts::read`], those of `change`, or the file cannot be written; the old one then stays.
    pub fn edit(
        path: &Path,
        change: impl FnOnce(&mut Self) -> Result<(), ConsoleError>,
    ) -> Result<(), ConsoleError> {
        let failed = |path: &Path, source| ConsoleError::Write {
            path: path.to_owned(),
            source,
        };
        let lock = beside(path, "lock");
        let turn = private(&lock).map_err(|source| failed(&lock, source))?;
        turn.lock().map_err(|source| failed(&lock, source))?;
        let mut accounts = Self::read(path)?;
        change(&mut accounts)?;
        replace(path, accounts.text().as_bytes()).map_err(|source| failed(path, source))
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let next = beside(path, "next");
    // What an interrupted change left behind could have other rights.
    match std::fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private(&next)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&next, path)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

/// Opens a file for this user only.
fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}
