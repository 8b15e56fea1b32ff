//! The accounts file on disk: read whole, written whole, for its owner only.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use super::Accounts;
use crate::error::ConsoleError;

/// An accounts file may be this large.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// The rights of a file that is its user's only.
const PRIVATE: u32 = 0o600;

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
    /// take turns. The new file belongs to whom the old one did: an administrator may change what the console reads.
    ///
    /// # Errors
    /// As [`Accounts::read`], those of `change`, or the file cannot be written or given to its owner; the old one then
    /// stays.
    pub fn edit(
        path: &Path,
        change: impl FnOnce(&mut Self) -> Result<(), ConsoleError>,
    ) -> Result<(), ConsoleError> {
        let lock = beside(path, "lock");
        let turn = private(&lock).map_err(not_written(&lock))?;
        turn.lock().map_err(not_written(&lock))?;
        let mut accounts = Self::read(path)?;
        change(&mut accounts)?;
        let owner = Owner::of(path).map_err(not_written(path))?;
        if let Some(owner) = owner {
            // Their next change must be able to take the lock.
            owner.give(&turn).map_err(|_| GIVE_REFUSED)?;
        }
        replace(path, accounts.text().as_bytes(), owner)
    }
}

/// Who reads a file: its user, and its group where an administrator let it.
#[derive(Clone, Copy)]
struct Owner {
    user: u32,
    group: u32,
    group_reads: bool,
}

/// The right of a file's group to read it.
const GROUP_READS: u32 = 0o040;

const GIVE_REFUSED: ConsoleError = ConsoleError::Refused(
    "the file belongs to another user or group, who could not read it any more: run this as that user or as root",
);

impl Owner {
    /// The owner of a file, if there is one.
    fn of(path: &Path) -> io::Result<Option<Self>> {
        match std::fs::metadata(path) {
            Ok(data) => Ok(Some(Self {
                user: data.uid(),
                group: data.gid(),
                group_reads: data.mode() & GROUP_READS != 0,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives a file to them, with the rights they had.
    fn give(self, file: &File) -> io::Result<()> {
        let data = file.metadata()?;
        if data.uid() != self.user || (self.group_reads && data.gid() != self.group) {
            fchown(file, Some(self.user), Some(self.group))?;
        }
        let group = if self.group_reads { GROUP_READS } else { 0 };
        file.set_permissions(Permissions::from_mode(PRIVATE | group))
    }
}

fn replace(path: &Path, bytes: &[u8], owner: Option<Owner>) -> Result<(), ConsoleError> {
    let file = written(path, bytes).map_err(not_written(path))?;
    if let Some(owner) = owner {
        owner.give(&file).map_err(|_| GIVE_REFUSED)?;
    }
    put_in_place(path).map_err(not_written(path))
}

fn not_written(path: &Path) -> impl FnOnce(io::Error) -> ConsoleError {
    move |source| ConsoleError::Write {
        path: path.to_owned(),
        source,
    }
}

/// The new file, beside the old one.
fn written(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let next = beside(path, "next");
    // What an interrupted change left behind could have other rights.
    match std::fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private(&next)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(file)
}

fn put_in_place(path: &Path) -> io::Result<()> {
    std::fs::rename(beside(path, "next"), path)?;
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
        .mode(PRIVATE)
        .open(path)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}
