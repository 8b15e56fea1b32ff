//! Writes certificates and keys: keys for the owner only, nothing overwritten by accident.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::error::TransportError;

const PUBLIC_MODE: u32 = 0o644;
const KEY_MODE: u32 = 0o600;

/// Whether files that are already there may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// Refuse.
    No,
    /// Replace, each file in one step.
    Yes,
}

/// Writes a certificate and its key, in this order of arguments; refuses before writing anything.
pub(crate) fn write_pair(
    [certificate, key]: [(&Path, &str); 2],
    overwrite: Overwrite,
) -> Result<(), TransportError> {
    if overwrite == Overwrite::No {
        for (path, _) in [certificate, key] {
            if path.exists() {
                return Err(TransportError::FileExists {
                    path: path.to_owned(),
                });
            }
        }
    }
    // The key first: a certificate without its key would be of no use and block the next try.
    write(key.0, key.1, KEY_MODE, overwrite)?;
    write(certificate.0, certificate.1, PUBLIC_MODE, overwrite)
}

/// Writes a file that anybody may read.
pub(crate) fn write_public(
    path: &Path,
    text: &str,
    overwrite: Overwrite,
) -> Result<(), TransportError> {
    write(path, text, PUBLIC_MODE, overwrite)
}

/// Written beside its place, then moved there: a reader sees the old file or the new one.
fn write(path: &Path, text: &str, mode: u32, overwrite: Overwrite) -> Result<(), TransportError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    let written = write_new(beside, text, mode).and_then(|()| match overwrite {
        Overwrite::Yes => fs::rename(beside, path),
        Overwrite::No => {
            // Unlike a rename, a link fails when its name is taken.
            let linked = fs::hard_link(beside, path);
            fs::remove_file(beside)?;
            linked
        }
    });
    written.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => TransportError::FileExists {
            path: path.to_owned(),
        },
        _ => TransportError::WriteFile {
            path: path.to_owned(),
            source,
        },
    })
}

fn write_new(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // A leftover of an interrupted run may have another mode, so it is not written into.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
