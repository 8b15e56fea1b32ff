//! Follows the record file of the portal simulator, which another process writes.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use lienthong_simulators::portal::Entry;

/// Bytes taken at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// The file and what was read of a line that is not complete yet.
#[derive(Debug)]
pub struct Tail {
    file: File,
    rest: Vec<u8>,
}

impl Tail {
    /// Opens the file, which must exist.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
        Ok(Self {
            file,
            rest: Vec::new(),
        })
    }

    /// The entries that are complete since the last call; none means the end.
    ///
    /// # Errors
    /// The file cannot be read, or a line is not an entry.
    pub fn read(&mut self) -> anyhow::Result<Vec<Entry>> {
        let before = self.rest.len();
        let mut chunk = self.file.by_ref().take(CHUNK_BYTES as u64);
        let count = chunk.read_to_end(&mut self.rest)?;
        let Some(end) = self.rest[before..before + count]
            .iter()
            .rposition(|byte| *byte == b'\n')
        else {
            return Ok(Vec::new());
        };
        let rest = self.rest.split_off(before + end + 1);
        let lines = std::mem::replace(&mut self.rest, rest);
        let lines = lines
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        lines
            .map(|line| serde_json::from_slice(line).context("read an entry of the record"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn entries_come_once_and_whole() {
        let mut writer = tempfile::NamedTempFile::new().unwrap();
        let mut tail = Tail::open(writer.path()).unwrap();
        let line = format!(
            r#"{{"at_ms":1,"call":1,"service":"{}","dossier":"H21.17-260801-0001","status":2,"occurred":null,
                "key":"k","sequence":1,"body_hash":"{}","applied":true,"refusal":null}}"#,
            serde_json::to_value(lienthong_simulators::portal::Service::SyncDossier).unwrap().as_str().unwrap(),
            "00".repeat(32),
        )
        .replace('\n', "");
        let (first, second) = line.as_bytes().split_at(40);
        writer.write_all(first).unwrap();
        assert!(tail.read().unwrap().is_empty());
        writer.write_all(second).unwrap();
        assert!(tail.read().unwrap().is_empty(), "no line end yet");
        writer.write_all(b"\n").unwrap();
        writer.write_all(line.as_bytes()).unwrap();
        assert_eq!(tail.read().unwrap().len(), 1);
        writer.write_all(b"\n").unwrap();
        assert_eq!(tail.read().unwrap().len(), 1);
        assert!(tail.read().unwrap().is_empty());
    }
}
