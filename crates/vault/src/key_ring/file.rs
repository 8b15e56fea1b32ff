//! The key file on the disk: who may read it, and how it is replaced in one step.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::VaultError;

/// Longest key file, in bytes.
pub const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;

/// The rights of a key file: its owner's alone.
const MODE: u32 = 0o600;

pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, VaultError> {
    let failed = |source| VaultError::Read {
        path: path.into(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if !about.is_file() {
        return Err(failed(io::Error::other("it is not a file")));
    }
    let mode = about.mode() & 0o7777;
    if mode & !MODE != 0 {
        return Err(VaultError::Exposed {
            path: path.into(),
            mode,
        });
    }
    // Room for the whole text beforehand, so that no half of it stays behind in memory let go.
    let room = usize::try_from(about.len().min(KEY_FILE_BYTES_MAX)).unwrap_or(0) + 1;
    let mut text = Zeroizing::new(String::with_capacity(room));
    file.take(KEY_FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(failed)?;
    if text.len() as u64 > KEY_FILE_BYTES_MAX {
        return Err(failed(io::Error::from(io::ErrorKind::FileTooLarge)));
    }
    Ok(text)
}

pub(super) fn create(path: &Path, text: &str) -> Result<(), VaultError> {
    put(path, text, |from, to| {
        // Unlike a renaming, a link refuses to take the place of a file.
        fs::hard_link(from, to)?;
        fs::remove_file(from)
    })
    .map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => VaultError::Exists(path.into()),
        _ => failed_to_write(path, source),
    })
}

pub(super) fn replace(path: &Path, text: &str) -> Result<(), VaultError> {
    put(path, text, |from, to| fs::rename(from, to)).map_err(|source| failed_to_write(path, source))
}

/// Writes beside the file, makes that durable, then gives it the file's name, and makes that durable too.
fn put(
    path: &Path,
    text: &str,
    name: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let beside = beside(path);
    // A file left over from a crash may be somebody's copy with other rights: it is not written into.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(&beside)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| name(&beside, path));
    if let Err(error) = written {
        // The first failure is the one to tell; the file is for its owner only in any case.
        drop(fs::remove_file(&beside));
        return Err(error);
    }
    File::open(folder)?.sync_all()
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn failed_to_write(path: &Path, source: io::Error) -> VaultError {
    VaultError::Write {
        path: path.into(),
        source,
    }
}
