//! Deliveries: one status event on its way to one destination.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::fault::Reason;

/// The configured name of a destination, such as `dvcqg`: `[a-z][a-z0-9-]{0,31}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DestinationName(Arc<str>);

impl DestinationName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`Reason::BadForm`] when it is not `[a-z][a-z0-9-]{0,31}`.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let good = (1..=32).contains(&text.len())
            && text.as_bytes()[0].is_ascii_lowercase()
            && text.bytes().all(plain);
        if good {
            Ok(Self(text.into()))
        } else {
            Err(Reason::BadForm {
                expected: "[a-z][a-z0-9-]{0,31}",
            })
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DestinationName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).map_err(Reason::en)
    }
}

impl From<DestinationName> for String {
    fn from(name: DestinationName) -> Self {
        name.0.to_string()
    }
}

impl fmt::Display for DestinationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DestinationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names a delivery row. Numbers grow with acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryId(pub i64);

/// Counts the claims of one delivery; only the copy with the newest fence may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(pub i64);

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// Behind another delivery of its lane.
    Queued,
    /// Head of its lane, to be claimed when it is due.
    Ready,
    /// Claimed and handed to the broker; not called yet.
    Sent,
    /// A worker is calling the destination.
    Calling,
    /// The destination has it.
    Done,
    /// Stopped: an operator decides. Holds its lane unless the destination says otherwise.
    Parked,
    /// Left out because a later status of the dossier replaced it (policy `latest`).
    Superseded,
    /// Given up by an operator, with a reason.
    Discarded,
}

impl DeliveryState {
    /// Every state, in the order of a delivery's life.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Ready,
        Self::Sent,
        Self::Calling,
        Self::Done,
        Self::Parked,
        Self::Superseded,
        Self::Discarded,
    ];

    /// The number the stores keep, 0 to 7; it equals the position in [`Self::ALL`].
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The state with this number, if there is one.
    pub fn from_code(code: i64) -> Option<Self> {
        usize::try_from(code)
            .ok()
            .and_then(|index| Self::ALL.get(index))
            .copied()
    }

    /// The name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ready => "ready",
            Self::Sent => "sent",
            Self::Calling => "calling",
            Self::Done => "done",
            Self::Parked => "parked",
            Self::Superseded => "superseded",
            Self::Discarded => "discarded",
        }
    }

    /// Whether the delivery still has to reach its destination without anybody's help.
    pub fn is_waiting(self) -> bool {
        matches!(
            self,
            Self::Queued | Self::Ready | Self::Sent | Self::Calling
        )
    }

    /// Whether the delivery has come to its end.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Superseded | Self::Discarded)
    }
}

/// What a parked delivery does to the rest of its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LanePolicy {
    /// The lane waits until an operator replays or discards.
    Hold,
    /// The next delivery of the lane goes on.
    Skip,
    /// All but the newest delivery of the lane are superseded, and the newest goes on.
    Latest,
}

/// What a destination made of one call, as its adapter classified the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has the status; the delivery is complete.
    Delivered,
    /// One step of several is done; call again from `step`.
    Advanced {
        /// The step to go on with, from 1.
        step: u8,
    },
    /// It may work later.
    Retry {
        /// Whether the destination was reached at all.
        cause: RetryCause,
        /// The wait it asked for.
        after: Option<Duration>,
    },
    /// It asked for less traffic.
    Overloaded {
        /// The wait it asked for.
        after: Option<Duration>,
    },
    /// It will never take this status as it is.
    Rejected,
}

/// Why a call may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryCause {
    /// No answer: connection, TLS or time-out.
    Transport,
    /// An answer that says "not now".
    Answer,
}

impl Outcome {
    /// The number the stores keep in the attempt's row.
    pub fn code(self) -> u8 {
        match self {
            Self::Delivered => 0,
            Self::Advanced { .. } => 1,
            Self::Retry { .. } => 2,
            Self::Overloaded { .. } => 3,
            Self::Rejected => 4,
        }
    }

    /// The name in logs and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Advanced { .. } => "advanced",
            Self::Retry { .. } => "retry",
            Self::Overloaded { .. } => "overloaded",
            Self::Rejected => "rejected",
        }
    }
}

/// An [`Outcome`] with the evidence an operator reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What it means.
    pub outcome: Outcome,
    /// The destination's own code, such as `-1` or `HTTP_503`; at most [`Answer::CODE_CHARS_MAX`].
    pub code: String,
    /// The HTTP status, where there was one.
    pub http_status: Option<u16>,
    /// The destination's own words, without personal data; at most [`Answer::MESSAGE_CHARS_MAX`].
    pub message: String,
}

impl Answer {
    /// Longest `code`, in characters.
    pub const CODE_CHARS_MAX: usize = 40;
    /// Longest `message`, in characters.
    pub const MESSAGE_CHARS_MAX: usize = 300;

    /// An answer whose texts are cut to their bounds and freed of numbers that could be a citizen's or a
    /// telephone's: nine digits or more become `…`, also in groups such as `0912 345 678`.
    pub fn new(outcome: Outcome, code: &str, http_status: Option<u16>, message: &str) -> Self {
        Self {
            outcome,
            code: code.chars().take(Self::CODE_CHARS_MAX).collect(),
            http_status,
            message: mask_numbers(message),
        }
    }
}

/// Fewest digits that are hidden: an old citizen number has nine.
const NUMBER_DIGITS_MIN: usize = 9;

/// Hides numbers of nine digits or more and then cuts to the bound, so that the cut leaves no part of a
/// number; destinations repeat what we sent.
fn mask_numbers(message: &str) -> String {
    let blank = |found: char| found.is_control() || found.is_whitespace();
    let message: Vec<char> = message
        .chars()
        .map(|found| if blank(found) { ' ' } else { found })
        .collect();
    let mut masked = String::new();
    let mut start = 0;
    while start < message.len() {
        if message[start].is_ascii_digit() {
            let end = number_end(&message, start);
            mask_group(&message, start..end, &mut masked);
            start = end;
        } else {
            masked.push(message[start]);
            start += 1;
        }
    }
    masked.chars().take(Answer::MESSAGE_CHARS_MAX).collect()
}

/// Where the digits from `start` end, groups behind a single blank or dot included. Not behind a hyphen:
/// it joins the parts of a dossier code.
fn number_end(message: &[char], start: usize) -> usize {
    let is_digit = |index: usize| message.get(index).is_some_and(char::is_ascii_digit);
    let mut end = start;
    while is_digit(end) || (matches!(message.get(end), Some(' ' | '.')) && is_digit(end + 1)) {
        end += 1;
    }
    end
}

/// Writes the digits in `group`, or `…` for them. A word at either end that belongs to a code, such as
/// `0001` in `H21.17-240823-0001 15`, is not counted with its neighbours.
fn mask_group(message: &[char], group: Range<usize>, masked: &mut String) {
    let digits = &message[group.clone()];
    let blank = |found: &char| *found == ' ';
    let first = digits.iter().position(blank).unwrap_or(digits.len());
    let last = digits.iter().rposition(blank).map_or(0, |blank| blank + 1);
    let begin = if ends_code(&message[..group.start]) {
        first
    } else {
        0
    };
    let end = if begins_code(&message[group.end..]) {
        last.max(begin)
    } else {
        digits.len()
    };
    for part in [&digits[..begin], &digits[begin..end], &digits[end..]] {
        let count = part.iter().filter(|found| found.is_ascii_digit()).count();
        if count < NUMBER_DIGITS_MIN {
            masked.extend(part);
            continue;
        }
        // The blanks around a part that is hidden are not part of it.
        masked.extend(part.first().filter(|found| blank(found)));
        masked.push('…');
        masked.extend(part.last().filter(|found| blank(found)));
    }
}

/// Whether digits behind `before` go on with a code: `H` before `21`, `240823-` before `0001`.
fn ends_code(before: &[char]) -> bool {
    match before {
        [.., last] if last.is_alphabetic() => true,
        [.., digit, '-'] => digit.is_ascii_digit(),
        _ => false,
    }
}

/// Whether digits before `after` begin a code: `000.17.22` before `.H56`, `240823` before `-0001`.
fn begins_code(after: &[char]) -> bool {
    match after {
        ['-', digit, ..] | ['.', 'A'..='Z', digit, ..] => digit.is_ascii_digit(),
        [letter, ..] => letter.is_alphabetic(),
        [] => false,
    }
}

/// Why a delivery is parked; the error group that operators filter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParkReason {
    /// The destination refused it for good.
    Rejected,
    /// The retry schedule came to its end.
    Exhausted,
    /// Three workers died on it.
    CrashSuspect,
    /// The broker gave it up (dead letter).
    DeadLettered,
}

impl ParkReason {
    /// Every reason; the position is the number the stores keep.
    pub const ALL: [Self; 4] = [
        Self::Rejected,
        Self::Exhausted,
        Self::CrashSuspect,
        Self::DeadLettered,
    ];

    /// The number the stores keep.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The reason with this number, if there is one.
    pub fn from_code(code: i64) -> Option<Self> {
        usize::try_from(code)
            .ok()
            .and_then(|index| Self::ALL.get(index))
            .copied()
    }

    /// The name in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Exhausted => "exhausted",
            Self::CrashSuspect => "crash_suspect",
            Self::DeadLettered => "dead_lettered",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_positions_agree() {
        for state in DeliveryState::ALL {
            assert_eq!(
                DeliveryState::from_code(i64::from(state.code())),
                Some(state)
            );
        }
        for reason in ParkReason::ALL {
            assert_eq!(
                ParkReason::from_code(i64::from(reason.code())),
                Some(reason)
            );
        }
        assert_eq!(DeliveryState::from_code(8), None);
        assert_eq!(DeliveryState::from_code(-1), None);
    }

    #[test]
    fn destination_messages_lose_citizen_numbers_and_length() {
        let said = format!("Số định danh 012345678901 đã tồn tại {}", "x".repeat(400));
        let answer = Answer::new(Outcome::Rejected, "-1", Some(200), &said);
        assert!(
            answer.message.starts_with("Số định danh … đã tồn tại"),
            "{}",
            answer.message
        );
        assert!(answer.message.chars().count() <= Answer::MESSAGE_CHARS_MAX);
    }

    #[test]
    fn long_numbers_are_hidden_in_groups_too_and_codes_stay_readable() {
        let cases = [
            ("ĐT 0912 345 678 đã có", "ĐT … đã có"),
            ("SĐT:0912.345.678.", "SĐT:…."),
            ("(+84 912\u{A0}345\n678)", "(+…)"),
            ("CCCD 064190000001, 064 190 000 001", "CCCD …, …"),
            ("12345678 là tám chữ số", "12345678 là tám chữ số"),
            ("123456789", "…"),
            ("1234 5678", "1234 5678"),
            ("12345  6789", "12345  6789"),
            ("12345, 6789", "12345, 6789"),
            ("15/09/2025 08:15:00", "15/09/2025 08:15:00"),
            ("2025-09-15 08:15", "2025-09-15 08:15"),
            ("H21.17-240823-0001", "H21.17-240823-0001"),
            ("240823-0001", "240823-0001"),
            ("H21.17-240823-0001 0912 345 678", "H21.17-240823-0001 …"),
            ("H21.17-240823-0001 20240823", "H21.17-240823-0001 20240823"),
            (
                "0912 345 678 000.17.22.H56-210531-0001",
                "… 000.17.22.H56-210531-0001",
            ),
            (
                "12345 000.17.22.H56-210531-0001 9",
                "12345 000.17.22.H56-210531-0001 9",
            ),
            ("12345 240823-0001", "12345 240823-0001"),
            ("H21064190000001 x", "H… x"),
            ("064190000001 064190000002a", "… …a"),
        ];
        for (said, expected) in cases {
            let answer = Answer::new(Outcome::Rejected, "-1", None, said);
            assert_eq!(answer.message, expected, "{said:?}");
        }
    }

    #[test]
    fn the_cut_leaves_no_part_of_a_number() {
        for room in 0..14 {
            let said = format!(
                "{}064190000001",
                "x".repeat(Answer::MESSAGE_CHARS_MAX - room)
            );
            let answer = Answer::new(Outcome::Rejected, "-1", None, &said);
            assert!(!answer.message.contains('0'), "{room}: {}", answer.message);
        }
    }

    #[test]
    fn destination_names_are_plain() {
        assert!(DestinationName::parse("dvcqg").is_ok());
        for bad in ["", "Dvcqg", "1st", "a b", "a_b", &"a".repeat(33)] {
            assert!(DestinationName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
