//! The state file beside an input: how far everything is answered, so that a later run goes on there.
//!
//! A later run reads the input again from its beginning, since a joined event depends on lines
//! before it, and passes over the steps that are answered. Sending one again would do no harm:
//! it has the same key.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::result::{Counters, RefusedLine};
use crate::errors::CliError;
use crate::input::join::RULES_VERSION;

/// Bytes hashed at a time.
const CHUNK_BYTES: usize = 64 << 10;
/// Longest state file that is read back, in bytes.
const STATE_BYTES_MAX: u64 = 64 << 20;
/// Bytes of a certificate file that tell it from another one.
const CERTIFICATE_BYTES_MAX: u64 = 1 << 20;

/// From whom to which gateway: what one gateway answered to one participant says nothing about another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Route {
    endpoint: String,
    /// SHA-256 of the certificate file, or its path when it cannot be read.
    sender: String,
}

impl Route {
    /// The way to `endpoint` with the certificate in a file. A renewed certificate is another one:
    /// then a push begins anew, which stores nothing twice.
    pub(crate) fn new(endpoint: &str, certificate: Option<&Path>) -> Self {
        let digest = |path: &Path| {
            let file = File::open(path)?.take(CERTIFICATE_BYTES_MAX);
            sha256(file, &CancellationToken::new())
        };
        let sender = certificate.map_or_else(String::new, |path| {
            digest(path).map_or_else(|_unreadable| path.display().to_string(), |(hash, _)| hash)
        });
        Self {
            endpoint: endpoint.to_owned(),
            sender,
        }
    }
}

/// Tells one push from another: the whole content, how it is read, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    content_sha256: String,
    size_bytes: u64,
    rules_version: u32,
    route: Route,
}

impl Fingerprint {
    /// Size of the input in bytes.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
}

/// Content of the state file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) input: Fingerprint,
    /// Bytes read when this was written; for people only.
    pub(crate) bytes: u64,
    /// Counters; the first `steps` steps of the input are answered.
    pub(crate) counters: Counters,
    /// Lines refused so far, at most [`REFUSED_LINES_MAX`](super::result::REFUSED_LINES_MAX) rows.
    pub(crate) refused_lines: Vec<RefusedLine>,
    /// Rows of refused lines beyond those, which are only counted.
    pub(crate) refused_beyond: u64,
}

/// What an earlier run left.
#[derive(Debug, PartialEq)]
pub(crate) enum Earlier {
    /// No state.
    Nothing,
    /// The state of the same push.
    Same(State),
    /// A state that does not belong to this push, and why.
    Other(&'static str),
}

/// Fingerprint of a file, read from its beginning to its end.
///
/// # Errors
/// The file cannot be read, or `stop` came first (`Interrupted`).
pub(crate) fn fingerprint(
    path: &Path,
    route: Route,
    stop: &CancellationToken,
) -> io::Result<Fingerprint> {
    let (content_sha256, size_bytes) = sha256(File::open(path)?, stop)?;
    Ok(Fingerprint {
        content_sha256,
        size_bytes,
        rules_version: RULES_VERSION,
        route,
    })
}

/// Hash of everything in `input`, in hexadecimal digits, and its size in bytes.
fn sha256(mut input: impl Read, stop: &CancellationToken) -> io::Result<(String, u64)> {
    let (mut hash, mut size_bytes) = (Sha256::new(), 0);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        if stop.is_cancelled() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match input.read(&mut chunk) {
            Ok(0) => return Ok((hex::encode(hash.finalize()), size_bytes)),
            Ok(bytes) => {
                hash.update(&chunk[..bytes]);
                size_bytes += bytes as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
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

    /// What an earlier run of the same file left, and whether it is of use to this push.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub(crate) fn load(&self, input: &Fingerprint) -> Result<Earlier, CliError> {
        let mut text = String::new();
        match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Earlier::Nothing),
            Err(source) => return Err(self.fault("read", source)),
            Ok(file) => file
                .take(STATE_BYTES_MAX)
                .read_to_string(&mut text)
                .map_err(|source| self.fault("read", source))?,
        };
        Ok(match serde_json::from_str::<State>(&text) {
            Ok(state) if state.input == *input => Earlier::Same(state),
            Ok(state) if state.input.route != input.route => {
                Earlier::Other("it went to another gateway or from another certificate")
            }
            Ok(_changed) => Earlier::Other("the file has changed since"),
            Err(_unknown) => Earlier::Other("its state is damaged or of another version"),
        })
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

    fn print_of(input: &Path, route: &Route) -> Fingerprint {
        fingerprint(input, route.clone(), &CancellationToken::new()).unwrap()
    }

    #[test]
    fn a_state_belongs_to_one_content_one_gateway_and_one_participant() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("hồ sơ.ndjson");
        let (ours, theirs) = (folder.path().join("h56.pem"), folder.path().join("h17.pem"));
        fs::write(&ours, "H56").unwrap();
        fs::write(&theirs, "H17").unwrap();
        let text = "một\n".repeat(40_000);
        fs::write(&input, &text).unwrap();
        let route = Route::new("https://a:8443", Some(&ours));
        let print = print_of(&input, &route);
        assert_eq!(print.size_bytes(), text.len() as u64);
        let state = State {
            input: print.clone(),
            bytes: 5,
            counters: Counters::default(),
            refused_lines: Vec::new(),
            refused_beyond: 3,
        };
        let file = StateFile::beside(&input);
        assert_eq!(file.load(&print).unwrap(), Earlier::Nothing);
        file.save(&state).unwrap();
        assert!(folder.path().join("hồ sơ.ndjson.lienthong-push").exists());
        assert_eq!(file.load(&print).unwrap(), Earlier::Same(state));

        let other = |print: &Fingerprint| match file.load(print).unwrap() {
            Earlier::Other(why) => why,
            left => panic!("{left:?}"),
        };
        let elsewhere = Route::new("https://b:8443", Some(&ours));
        assert!(other(&print_of(&input, &elsewhere)).contains("another gateway"));
        let another = Route::new("https://a:8443", Some(&theirs));
        assert!(other(&print_of(&input, &another)).contains("another certificate"));

        // Far behind the beginning, and of the same length.
        fs::write(&input, "một\n".repeat(39_999) + "hai!!\n").unwrap();
        let changed = print_of(&input, &route);
        assert_eq!(changed.size_bytes(), print.size_bytes());
        assert!(other(&changed).contains("changed"));

        fs::write(folder.path().join("hồ sơ.ndjson.lienthong-push"), "{}").unwrap();
        assert!(other(&print).contains("damaged"));
        file.remove().unwrap();
        file.remove().unwrap();
        assert_eq!(file.load(&print).unwrap(), Earlier::Nothing);
    }

    #[test]
    fn an_unreadable_certificate_is_told_by_its_path() {
        let of = |path: &str| Route::new("https://a:8443", Some(Path::new(path)));
        assert_ne!(of("absent/h56.pem"), of("absent/h17.pem"));
        assert_eq!(of("absent/h56.pem"), of("absent/h56.pem"));
    }

    #[test]
    fn hashing_ends_when_asked_to_stop() {
        let stop = CancellationToken::new();
        stop.cancel();
        let error = sha256(io::repeat(0), &stop).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    }
}
