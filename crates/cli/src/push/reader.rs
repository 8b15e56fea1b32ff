//! Reads one input on a thread of its own: lines to steps, in batches.
//!
//! A thread and not a task, because reading a pipe may block for ever; it ends with its input or
//! when nobody takes the next batch.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::thread;

use lienthong_domain::ErrorCode;
use tokio::sync::mpsc;

use super::Source;
use crate::input::Fault;
use crate::input::join::{Joiner, Step};
use crate::input::line::{self, LINE_BYTES_MAX};

/// Lines read before their steps are handed on.
const LINES_PER_BATCH: u64 = 32;
/// Batches that wait to be taken.
const BATCHES_MAX: usize = 16;
/// Most bytes of one message that the gateway takes; a larger one breaks the stream off, and would do
/// so at every try. Source: `MESSAGE_BYTES_MAX` in `crates/rpc/src/server.rs`, the same value.
pub(crate) const MESSAGE_BYTES_MAX: usize = 256 << 10;
/// Most bytes of `StreamStatusRequest` besides the event: two tags, a `client_ref`, a length.
const REQUEST_FRAME_BYTES_MAX: usize = 1 + 10 + 1 + 3;
/// Largest event that surely fits a message, in bytes.
const EVENT_BYTES_MAX: usize = MESSAGE_BYTES_MAX - REQUEST_FRAME_BYTES_MAX;
/// Unknown keys told apart; a key beyond them is not told.
const UNKNOWN_KEYS_MAX: usize = 100;

/// A key of the portal's JSON that we do not know, with its first line and how often it came.
pub(crate) type Warnings = BTreeMap<String, (u64, u64)>;

/// What the reader hands on.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Steps in the order of the input.
    pub(crate) steps: Vec<Step>,
    /// Lines read so far.
    pub(crate) lines: u64,
    /// Bytes read so far.
    pub(crate) bytes: u64,
    /// Set in the last batch.
    pub(crate) end: Option<Warnings>,
}

/// Starts reading `source`.
///
/// # Errors
/// The file cannot be opened or the thread not be started.
pub(crate) fn start(source: &Source) -> io::Result<mpsc::Receiver<io::Result<Batch>>> {
    let input: Box<dyn Read + Send> = match source {
        Source::Stdin => Box::new(io::stdin()),
        Source::File(path) => Box::new(File::open(path)?),
    };
    let (sender, receiver) = mpsc::channel(BATCHES_MAX);
    thread::Builder::new()
        .name("push-reader".into())
        .spawn(move || {
            let hand_on = |batch| sender.blocking_send(batch).is_ok();
            if let Err(error) = read(BufReader::new(input), |batch| hand_on(Ok(batch))) {
                hand_on(Err(error));
            }
        })?;
    Ok(receiver)
}

/// Reads to the end, or until `hand_on` wants no more.
fn read(mut input: impl BufRead, mut hand_on: impl FnMut(Batch) -> bool) -> io::Result<()> {
    let (mut joiner, mut warnings) = (Joiner::default(), Warnings::new());
    let mut batch = Batch::default();
    let mut raw = Vec::new();
    let mut hand_on = |mut batch: Batch| {
        batch.steps.iter_mut().for_each(refuse_too_large);
        hand_on(batch)
    };
    while let bytes @ 1.. = next_line(&mut input, &mut raw)? {
        batch.lines += 1;
        batch.bytes += bytes;
        if batch.lines == 1 && raw.starts_with(b"\xEF\xBB\xBF") {
            raw.drain(..3);
        }
        joiner.begin(batch.lines, &mut batch.steps);
        take_line(&raw, &mut joiner, &mut warnings, &mut batch);
        if batch.lines.is_multiple_of(LINES_PER_BATCH) {
            let next = Batch {
                steps: Vec::new(),
                end: None,
                ..batch
            };
            if !hand_on(std::mem::replace(&mut batch, next)) {
                return Ok(());
            }
        }
    }
    joiner.finish(&mut batch.steps);
    batch.end = Some(warnings);
    hand_on(batch);
    Ok(())
}

fn take_line(raw: &[u8], joiner: &mut Joiner, warnings: &mut Warnings, batch: &mut Batch) {
    if raw.iter().all(u8::is_ascii_whitespace) {
        return;
    }
    let line = batch.lines;
    match line::read(raw) {
        Ok((items, unknown)) => {
            for item in items {
                joiner.take(line, item, &mut batch.steps);
            }
            for key in unknown {
                note(warnings, line, &key);
            }
        }
        Err(faults) => batch.steps.push(Step {
            line,
            joined_line: None,
            event: Err(faults),
        }),
    }
}

/// An event that the gateway cannot take as a message is refused here, for its line.
fn refuse_too_large(step: &mut Step) {
    let bytes = step.event.as_ref().map_or(0, prost::Message::encoded_len);
    if bytes > EVENT_BYTES_MAX {
        let code = ErrorCode::MessageTooLarge;
        let evidence = format!("({bytes} > {EVENT_BYTES_MAX} bytes)");
        step.event = Err(vec![Fault::of_line(
            code.name(),
            &format!("{} {evidence}", code.vi()),
            &format!("{} {evidence}", code.en()),
        )]);
    }
}

/// Counts the key without its place in lists: `data[3].X` is `data[].X`.
fn note(warnings: &mut Warnings, line: u64, key: &str) {
    let place_free: String = key
        .chars()
        .scan(false, |inside, found| {
            *inside = (*inside || found == '[') && found != ']';
            Some((!*inside || found == '[').then_some(found))
        })
        .flatten()
        .take(200)
        .collect();
    if let Some((_first, count)) = warnings.get_mut(&place_free) {
        *count += 1;
    } else if warnings.len() < UNKNOWN_KEYS_MAX {
        warnings.insert(place_free, (line, 1));
    }
}

/// Reads one line without its end into `raw`, at most one byte more than a line may have; the rest
/// is skipped. Returns the bytes consumed, 0 at the end.
fn next_line(input: &mut impl BufRead, raw: &mut Vec<u8>) -> io::Result<u64> {
    raw.clear();
    let room = LINE_BYTES_MAX as u64 + 1;
    let mut bytes = input.by_ref().take(room).read_until(b'\n', raw)? as u64;
    if raw.last() == Some(&b'\n') {
        raw.pop();
    } else if bytes == room {
        bytes += input.skip_until(b'\n')? as u64;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use lienthong_proto::dossier::v1::StreamStatusRequest;
    use prost::Message as _;

    use super::*;

    fn steps(text: &[u8]) -> (Vec<Step>, u64, Warnings) {
        let (mut steps, mut lines, mut warnings) = (Vec::new(), 0, Warnings::new());
        read(text, |batch| {
            steps.extend(batch.steps);
            lines = batch.lines;
            warnings.extend(batch.end.unwrap_or_default());
            true
        })
        .unwrap();
        (steps, lines, warnings)
    }

    #[test]
    fn blank_lines_byte_order_marks_and_windows_line_ends_do_not_matter() {
        let line = r#"{"MaHoSo":"H56.14-260914-0001","NguoiXuLy":"Lê Hòa","ThoiDiemXuLy":"20260914080000","NoiDungXuLy":"x","TrangThai":4}"#;
        let plain = steps(line.as_bytes()).0;
        let (windows, lines, _) = steps(format!("\u{feff}{line}\r\n\r\n\n").as_bytes());
        assert_eq!((plain, lines), (windows, 3));
    }

    #[test]
    fn a_line_without_end_is_skipped_and_the_next_one_read() {
        let mut text = vec![b'a'; LINE_BYTES_MAX + 100];
        text.extend(b"\n{}\n");
        let (steps, lines, _) = steps(&text);
        assert_eq!((steps.len(), lines), (2, 2));
        assert_eq!(steps[0].event.as_ref().unwrap_err()[0].reason, "TOO_LONG");
        assert_eq!(
            steps[1].event.as_ref().unwrap_err()[0].reason,
            "UNKNOWN_KIND"
        );
    }

    #[test]
    fn an_event_larger_than_a_message_is_refused_for_its_line() {
        let line = |note_bytes: usize| {
            let event = serde_json::json!({
                "idempotency_key": "H56/1", "dossier_code": "H56.14-260914-0001",
                "status": 2, "occurred_at": "2026-09-14T08:00:00+07:00",
                "progress": {"note": "x".repeat(note_bytes)},
            });
            steps(event.to_string().as_bytes()).0.remove(0).event
        };
        let almost = line(EVENT_BYTES_MAX - 1_000).unwrap();
        let room = EVENT_BYTES_MAX - almost.encoded_len();
        let largest = line(EVENT_BYTES_MAX - 1_000 + room).unwrap();
        let request = StreamStatusRequest {
            client_ref: u64::MAX,
            event: Some(largest),
        };
        assert_eq!(request.encoded_len(), MESSAGE_BYTES_MAX);
        let faults = line(EVENT_BYTES_MAX - 1_000 + room + 1).unwrap_err();
        assert_eq!(faults[0].reason, "MESSAGE_TOO_LARGE");
        assert!(
            faults[0].vi.starts_with("Bản tin vượt quá"),
            "{}",
            faults[0].vi
        );
    }

    #[test]
    fn unknown_keys_are_counted_without_their_place() {
        let item = r#"{"MaHoSo":"H56.14-260914-0001","NguoiXuLy":"Lê Hòa","ThoiDiemXuLy":"20260914080000","NoiDungXuLy":"x","TrangThai":"4","Moi":"1"}"#;
        let call = format!(r#"{{"service":"CapNhatTienDoHoSoMC","data":[{item},{item}]}}"#);
        let (steps, _, warnings) = steps(call.as_bytes());
        assert_eq!(steps.len(), 2);
        assert_eq!(warnings, Warnings::from([("data[].Moi".into(), (1, 2))]));
    }
}
