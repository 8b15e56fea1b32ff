//! Follows the simulator's record file, so that the record need not be kept in memory.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Context;
use lienthong_simulators::portal::Entry;

/// Entries taken at once, so that the view is not kept waiting.
const ENTRIES_AT_ONCE_MAX: usize = 20_000;

/// Reads a growing file of JSON lines from where it stopped.
pub(super) struct RecordReader {
    file: BufReader<File>,
    /// The beginning of a line whose end is not written yet.
    line: Vec<u8>,
    /// Lines that were no entries: the record is incomplete.
    pub(super) unreadable: u64,
}

impl RecordReader {
    /// Opens the file, which the simulator has made.
    ///
    /// # Errors
    /// It cannot be opened.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path)
            .with_context(|| format!("failed to open the record {}", path.display()))?;
        Ok(Self {
            file: BufReader::new(file),
            line: Vec::new(),
            unreadable: 0,
        })
    }

    /// Hands over what is new, up to a bound. `true` when that was everything.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn read(&mut self, mut take: impl FnMut(&Entry)) -> anyhow::Result<bool> {
        for _ in 0..ENTRIES_AT_ONCE_MAX {
            self.file
                .read_until(b'\n', &mut self.line)
                .context("failed to read the record")?;
            if !self.line.ends_with(b"\n") {
                return Ok(true);
            }
            match serde_json::from_slice(&self.line) {
                Ok(entry) => take(&entry),
                Err(_) => self.unreadable += 1,
            }
            self.line.clear();
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn lines_are_taken_once_and_only_when_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.ndjson");
        let mut writer = File::create(&path).unwrap();
        let entry = r#"{"at_ms":1,"call":1,"service":"DongBoHoSoMC","dossier":"H21.17-250701-0001","status":2,
            "occurred":null,"key":null,"sequence":1,"body_hash":"HASH","applied":true,"refusal":null}"#
            .replace("HASH", &"0".repeat(64))
            .replace('\n', "");
        let (head, tail) = entry.split_at(40);
        let mut reader = RecordReader::open(&path).unwrap();
        let seen = |reader: &mut RecordReader| {
            let mut count = 0;
            assert!(reader.read(|_| count += 1).unwrap());
            count
        };
        assert_eq!(seen(&mut reader), 0);
        write!(writer, "{entry}\n{head}").unwrap();
        assert_eq!(seen(&mut reader), 1);
        write!(writer, "{tail}\nno entry\n").unwrap();
        assert_eq!(seen(&mut reader), 1);
        assert_eq!(seen(&mut reader), 0);
        assert_eq!(reader.unreadable, 1);
    }
}
