//! What the simulator remembers of every data call it judged: compact, bounded, nothing personal.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::SimulatorError;
use super::call::Service;

/// A time as the portal writes it, `yyyyMMddHHmmss` at +07, kept as that number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PortalTime(u64);

/// The text is not a real time as `yyyyMMddHHmmss`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to read a time as yyyyMMddHHmmss")]
pub struct PortalTimeError;

impl FromStr for PortalTime {
    type Err = PortalTimeError;

    fn from_str(text: &str) -> Result<Self, PortalTimeError> {
        if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PortalTimeError);
        }
        let number: u64 = text.parse().map_err(|_| PortalTimeError)?;
        let part = |unit: u64, size: u64| number / unit % size;
        let (year, month, day) = (
            number / 10_000_000_000,
            part(100_000_000, 100),
            part(1_000_000, 100),
        );
        let real = (1900..2100).contains(&year)
            && (1..=days_in_month(year, month)).contains(&day)
            && part(10_000, 100) < 24
            && part(100, 100) < 60
            && part(1, 100) < 60;
        if real {
            Ok(Self(number))
        } else {
            Err(PortalTimeError)
        }
    }
}

/// Zero for a month that does not exist.
fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 0,
    }
}

impl fmt::Display for PortalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:014}", self.0)
    }
}

impl From<PortalTime> for String {
    fn from(time: PortalTime) -> Self {
        time.to_string()
    }
}

impl TryFrom<String> for PortalTime {
    type Error = PortalTimeError;

    fn try_from(text: String) -> Result<Self, PortalTimeError> {
        text.parse()
    }
}

/// SHA-256 of a body in canonical JSON, without `session` and `isUpdating`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BodyHash(pub [u8; 32]);

impl fmt::Debug for BodyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl From<BodyHash> for String {
    fn from(hash: BodyHash) -> Self {
        hex::encode(hash.0)
    }
}

impl TryFrom<String> for BodyHash {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, hex::FromHexError> {
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash).map(|()| Self(hash))
    }
}

/// One dossier or progress line of one judged call; at most about 600 bytes in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Unix time in milliseconds: the configured start plus the tokio time passed.
    pub at_ms: i64,
    /// Number of the call among the recorded ones, from 1; the lines of one call share it.
    pub call: u64,
    /// The service called.
    pub service: Service,
    /// The dossier, cut at 64 characters; empty when the call named none.
    pub dossier: Box<str>,
    /// `TrangThaiHoSo` or `TrangThai`; 0 when the call was refused before it was read.
    pub status: u8,
    /// `ThoiDiemXuLy` of a progress line.
    pub occurred: Option<PortalTime>,
    /// Header `Idempotency-Key`.
    pub key: Option<Box<str>>,
    /// Header `Dossier-Sequence`.
    pub sequence: Option<u64>,
    /// Hash of the whole body.
    pub body_hash: BodyHash,
    /// Whether the call took effect.
    pub applied: bool,
    /// What the portal said when it did not.
    pub refusal: Option<Box<str>>,
    /// Header `traceparent`, cut at 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Box<str>>,
}

/// Everything recorded, and what it means per dossier.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// In the order in which the calls took effect.
    pub entries: Vec<Entry>,
    /// By dossier code.
    pub dossiers: BTreeMap<String, DossierSummary>,
    /// Entries are missing because the bound was reached, so the summaries are incomplete.
    pub truncated: bool,
}

/// One dossier as the portal saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DossierSummary {
    /// Status of the last applied entry.
    pub status: u8,
    /// Applied inserts and updates.
    pub syncs: u64,
    /// Applied progress lines in order of arrival.
    pub progress: Vec<ProgressSeen>,
    /// Applied again with the same service, key and content.
    pub duplicates: u64,
    /// Applied again with the same service and key but other content.
    pub conflicting_duplicates: u64,
    /// Applied after a later sequence of another key.
    pub out_of_order: Vec<OutOfOrder>,
    /// Entries that were refused.
    pub refused: u64,
}

/// One applied progress line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressSeen {
    /// Number of the call.
    pub call: u64,
    /// `TrangThai`.
    pub status: u8,
    /// `ThoiDiemXuLy`.
    pub occurred: Option<PortalTime>,
    /// Header `Dossier-Sequence`.
    pub sequence: Option<u64>,
}

/// A call that came after one it should have preceded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutOfOrder {
    /// The call that came first, and its higher sequence.
    pub first: (u64, u64),
    /// The call that came second, and its lower sequence.
    pub second: (u64, u64),
    /// The second one only repeated content that had been applied before.
    pub duplicate: bool,
}

impl Record {
    /// Summarises `entries`, which are in order of arrival.
    pub fn of(entries: Vec<Entry>, truncated: bool) -> Self {
        let mut dossiers: BTreeMap<String, (DossierSummary, Seen<'_>)> = BTreeMap::new();
        for entry in &entries {
            if !dossiers.contains_key(&*entry.dossier) {
                dossiers.insert(entry.dossier.to_string(), Default::default());
            }
            let (summary, seen) = dossiers
                .get_mut(&*entry.dossier)
                .expect("it was inserted just above");
            summary.add(entry, seen);
        }
        let dossiers = dossiers
            .into_iter()
            .map(|(code, (summary, _))| (code, summary))
            .collect();
        Self {
            entries,
            dossiers,
            truncated,
        }
    }
}

/// What the entries of one dossier so far leave to compare the next one with.
#[derive(Default)]
struct Seen<'a> {
    by_key: HashMap<(Service, &'a str), &'a Entry>,
    highest: Option<(u64, &'a Entry)>,
}

impl DossierSummary {
    fn add<'a>(&mut self, entry: &'a Entry, seen: &mut Seen<'a>) {
        if !entry.applied {
            self.refused += 1;
            return;
        }
        match entry.service {
            Service::UpdateProgress => self.progress.push(ProgressSeen {
                call: entry.call,
                status: entry.status,
                occurred: entry.occurred,
                sequence: entry.sequence,
            }),
            // Only a whole dossier says where it stands; a progress line may tell of an earlier step.
            Service::SyncDossier => {
                self.status = entry.status;
                self.syncs += 1;
            }
            Service::Login | Service::FindDossier => {}
        }
        let duplicate = self.compare_by_key(entry, seen);
        self.compare_by_sequence(entry, seen, duplicate);
    }

    /// Counts a repeated key; true when the content was repeated too.
    fn compare_by_key<'a>(&mut self, entry: &'a Entry, seen: &mut Seen<'a>) -> bool {
        let Some(key) = entry.key.as_deref() else {
            return false;
        };
        let first = *seen.by_key.entry((entry.service, key)).or_insert(entry);
        if first.call == entry.call {
            return false;
        }
        let same = first.body_hash == entry.body_hash;
        if same {
            self.duplicates += 1;
        } else {
            self.conflicting_duplicates += 1;
        }
        same
    }

    fn compare_by_sequence<'a>(&mut self, entry: &'a Entry, seen: &mut Seen<'a>, duplicate: bool) {
        let Some(sequence) = entry.sequence else {
            return;
        };
        match seen.highest {
            Some((highest, first)) if sequence < highest => {
                if first.key.is_none() || first.key != entry.key {
                    self.out_of_order.push(OutOfOrder {
                        first: (first.call, highest),
                        second: (entry.call, sequence),
                        duplicate,
                    });
                }
            }
            _ => seen.highest = Some((sequence, entry)),
        }
    }
}

/// Takes entries into memory up to a bound, and into a file without one.
#[derive(Debug)]
pub(crate) struct Recorder {
    entries: Vec<Entry>,
    entries_max: usize,
    truncated: bool,
    file: Option<BufWriter<File>>,
    file_failed: bool,
}

impl Recorder {
    pub(crate) fn open(entries_max: usize, path: Option<&Path>) -> Result<Self, SimulatorError> {
        let open = |path: &Path| {
            let file = File::options().create(true).append(true).open(path);
            file.map(BufWriter::new)
                .map_err(|source| SimulatorError::RecordFile {
                    path: path.to_owned(),
                    source,
                })
        };
        let file = path.map(open).transpose()?;
        Ok(Self {
            entries: Vec::new(),
            entries_max,
            truncated: false,
            file,
            file_failed: false,
        })
    }

    /// Records one entry; a reader of the file sees it before the call is answered.
    pub(crate) fn add(&mut self, entry: Entry) {
        if let Some(file) = &mut self.file
            && let Err(error) = write_line(file, &entry)
        {
            tracing::error!(%error, "the simulator could not write its record file");
            self.file_failed = true;
        }
        if self.entries.len() < self.entries_max {
            self.entries.push(entry);
        } else {
            self.truncated = true;
        }
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.clone()
    }

    pub(crate) fn is_truncated(&self) -> bool {
        self.truncated
    }

    pub(crate) fn has_file_failed(&self) -> bool {
        self.file_failed
    }
}

fn write_line(file: &mut BufWriter<File>, entry: &Entry) -> std::io::Result<()> {
    serde_json::to_writer(&mut *file, entry)?;
    file.write_all(b"\n")?;
    file.flush()
}

#[cfg(test)]
mod tests;
