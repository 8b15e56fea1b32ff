//! Joins whole dossiers with the progress lines that tell when a status came about.
//!
//! A dossier waits until something else about it is read, or for [`LINES_HELD_MAX`] lines:
//!
//! 1. The next item of the dossier is a progress line of the same status: both are one event.
//! 2. The item before it was a progress line of the same status: one more event at that time,
//!    with the details.
//! 3. Otherwise the date of its own that belongs to the status is the time.
//! 4. Without such a date it is refused. "Now" is never taken.
//!
//! Only the neighbouring item counts, so that events of a dossier never change their order. A
//! repeated item becomes the same event again, with the same key. The steps depend on the input
//! alone, so a second run numbers them alike; raise [`RULES_VERSION`] with any change here.

use std::collections::{HashMap, VecDeque};

use lienthong_proto::dossier::v1::StatusEvent;
use prost::Message as _;
use prost_types::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{Fault, Item};

/// How many lines a dossier waits for its progress line, and how long an item is remembered.
pub(crate) const LINES_HELD_MAX: u64 = 64;

/// Changes whenever the same input would give other steps.
pub(crate) const RULES_VERSION: u32 = 1;

/// One thing to do or to report: an event to send, or lines refused here.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    /// The line that it is reported under, from 1.
    pub(crate) line: u64,
    /// The earlier line that gave the details, when two were joined.
    pub(crate) joined_line: Option<u64>,
    /// The event, or every fault of the line.
    pub(crate) event: Result<StatusEvent, Vec<Fault>>,
}

impl Step {
    fn new(line: u64, event: Result<StatusEvent, Vec<Fault>>) -> Self {
        Self {
            line,
            joined_line: None,
            event,
        }
    }
}

type Hash = [u8; 32];

/// A dossier that waits for its progress line.
struct Held {
    line: u64,
    hash: Hash,
    event: StatusEvent,
    time_field: Option<&'static str>,
    path: String,
    /// Lines that repeated it while it waited.
    repeats: Vec<u64>,
}

/// The last progress line of a dossier.
struct Reported {
    line: u64,
    status: i32,
    occurred_at: Option<Timestamp>,
}

/// The state between two lines. Bounded by what [`LINES_HELD_MAX`] lines can hold.
#[derive(Default)]
pub(crate) struct Joiner {
    held: HashMap<String, Held>,
    held_in_order: VecDeque<(u64, String)>,
    reported: HashMap<String, Reported>,
    reported_in_order: VecDeque<(u64, String)>,
    joined: HashMap<Hash, StatusEvent>,
    joined_in_order: VecDeque<(u64, Hash)>,
}

impl Joiner {
    /// Begins line `line`: dossiers that have waited long enough become steps.
    pub(crate) fn begin(&mut self, line: u64, steps: &mut Vec<Step>) {
        let is_due = |since: u64| since + LINES_HELD_MAX < line;
        while let Some((_, code)) = pop_if(&mut self.held_in_order, is_due) {
            self.release(&code, steps, is_due);
        }
        while let Some((_, code)) = pop_if(&mut self.reported_in_order, is_due) {
            if self
                .reported
                .get(&code)
                .is_some_and(|last| is_due(last.line))
            {
                self.reported.remove(&code);
            }
        }
        while let Some((_, hash)) = pop_if(&mut self.joined_in_order, is_due) {
            self.joined.remove(&hash);
        }
    }

    /// Takes one item of line `line`.
    pub(crate) fn take(&mut self, line: u64, item: Item, steps: &mut Vec<Step>) {
        match item {
            Item::Own(event) => {
                self.release(&event.dossier_code, steps, |_any| true);
                self.reported.remove(&event.dossier_code);
                steps.push(Step::new(line, Ok(event)));
            }
            Item::Progress(event) => self.take_progress(line, event, steps),
            Item::Dossier {
                event,
                time_field,
                path,
            } => {
                let held = Held {
                    line,
                    hash: content_hash(&event),
                    event,
                    time_field,
                    path,
                    repeats: Vec::new(),
                };
                self.take_dossier(held, steps);
            }
        }
    }

    /// Ends the input: nothing waits any longer.
    pub(crate) fn finish(&mut self, steps: &mut Vec<Step>) {
        while let Some((_, code)) = self.held_in_order.pop_front() {
            self.release(&code, steps, |_any| true);
        }
    }

    fn take_progress(&mut self, line: u64, progress: StatusEvent, steps: &mut Vec<Step>) {
        let hash = content_hash(&progress);
        if let Some(same) = self.joined.get(&hash) {
            steps.push(Step::new(line, Ok(same.clone())));
            return;
        }
        let code = progress.dossier_code.clone();
        let reported = Reported {
            line,
            status: progress.status,
            occurred_at: progress.occurred_at,
        };
        let matches = |held: &Held| held.event.status == progress.status;
        if self.held.get(&code).is_some_and(matches) {
            let held = self.held.remove(&code).expect("it was there just now");
            let event = keyed(StatusEvent {
                details: held.event.details,
                ..progress
            });
            self.remember(line, [hash, held.hash], &event);
            for line in held.repeats.into_iter().chain([line]) {
                steps.push(Step {
                    joined_line: Some(held.line),
                    ..Step::new(line, Ok(event.clone()))
                });
            }
        } else {
            self.release(&code, steps, |_any| true);
            steps.push(Step::new(line, Ok(keyed(progress))));
        }
        self.reported_in_order.push_back((line, code.clone()));
        self.reported.insert(code, reported);
    }

    fn take_dossier(&mut self, mut dossier: Held, steps: &mut Vec<Step>) {
        let line = dossier.line;
        let code = dossier.event.dossier_code.clone();
        if let Some(same) = self.joined.get(&dossier.hash) {
            steps.push(Step::new(line, Ok(same.clone())));
            return;
        }
        if let Some(held) = self.held.get_mut(&code)
            && held.hash == dossier.hash
        {
            held.repeats.push(line);
            return;
        }
        self.release(&code, steps, |_any| true);
        match self.reported.get(&code) {
            Some(last) if last.status == dossier.event.status => {
                dossier.event.occurred_at = last.occurred_at;
                let event = keyed(dossier.event);
                self.remember(line, [dossier.hash], &event);
                steps.push(Step::new(line, Ok(event)));
            }
            _ => {
                self.reported.remove(&code);
                self.held_in_order.push_back((line, code.clone()));
                self.held.insert(code, dossier);
            }
        }
    }

    /// Makes steps of the dossier held under `code`, by its own date, if its line `is_due`.
    fn release(&mut self, code: &str, steps: &mut Vec<Step>, is_due: impl Fn(u64) -> bool) {
        let Some(held) = self.held.remove(code) else {
            return;
        };
        if !is_due(held.line) {
            self.held.insert(code.to_owned(), held);
            return;
        }
        let event = if held.event.occurred_at.is_some() {
            Ok(keyed(held.event))
        } else {
            Err(vec![no_time(&held.path, held.time_field)])
        };
        for line in [held.line].into_iter().chain(held.repeats) {
            steps.push(Step::new(line, event.clone()));
        }
    }

    fn remember<const N: usize>(&mut self, line: u64, hashes: [Hash; N], event: &StatusEvent) {
        for hash in hashes {
            self.joined_in_order.push_back((line, hash));
            self.joined.insert(hash, event.clone());
        }
    }
}

fn pop_if<T>(queue: &mut VecDeque<(u64, T)>, is_due: impl Fn(u64) -> bool) -> Option<(u64, T)> {
    queue.front().filter(|(line, _)| is_due(*line))?;
    queue.pop_front()
}

/// The same content gives the same bytes: the contract's messages here hold no map.
fn content_hash(event: &StatusEvent) -> Hash {
    Sha256::digest(event.encode_to_vec()).into()
}

/// The event with the key that its content gives it, so that a repetition is recognised.
fn keyed(event: StatusEvent) -> StatusEvent {
    let idempotency_key = format!("p1-{}", hex::encode(content_hash(&event)));
    StatusEvent {
        idempotency_key,
        ..event
    }
}

fn no_time(path: &str, time_field: Option<&'static str>) -> Fault {
    let field = match (path, time_field.unwrap_or("TrangThaiHoSo")) {
        ("", name) => name.to_owned(),
        (path, name) => format!("{path}.{name}"),
    };
    Fault {
        field,
        reason: "NO_TIME".to_owned(),
        vi: "Không có thời điểm của trạng thái này; hãy điền ngày hoặc gửi dòng tiến độ ngay sau hồ sơ."
            .to_owned(),
        en: "No time for this status; fill in its date, or send the progress line right after the dossier."
            .to_owned(),
    }
}

#[cfg(test)]
mod tests;
