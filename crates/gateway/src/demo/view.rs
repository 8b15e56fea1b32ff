//! The live view: a few lines on a terminal, redrawn in place; elsewhere one plain line now and then.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use console::{Alignment, Term, pad_str, style, truncate_str};
use tokio::time::Instant;

use super::board::{Percentiles, ProvinceCounts};

/// How often the terminal is redrawn.
pub(super) const REDRAW: Duration = Duration::from_millis(200);
/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Redraws over which the rates are taken: two seconds.
const SAMPLES: usize = 10;
/// Columns of the first column.
const LABEL_WIDTH: usize = 24;

/// What the demo is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Provinces push.
    Pushing,
    /// The gateway delivers what is left, for at most so long.
    Draining { bound: Duration },
}

/// Everything that is shown at one moment.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) phase: Phase,
    /// Time in this phase, and the time it is to take.
    pub(super) elapsed: Duration,
    pub(super) planned: Option<Duration>,
    pub(super) accepted: u64,
    pub(super) delivered: u64,
    /// From the store, which knows more than has been read from the record.
    pub(super) waiting: u64,
    pub(super) parked: u64,
    pub(super) oldest: Option<Duration>,
    pub(super) accept_ms: Percentiles,
    pub(super) end_to_end_ms: Percentiles,
    /// Faults of the portal so far.
    pub(super) faults: u64,
    pub(super) out_of_order: u64,
    pub(super) verified: u64,
    pub(super) looked_up: u64,
    /// Refused, or without an answer.
    pub(super) questions_refused: u64,
    pub(super) identity_ms: Percentiles,
    pub(super) provinces: Vec<ProvinceCounts>,
}

/// Events a second.
#[derive(Clone, Copy, Debug, Default)]
struct Rates {
    accepted: f64,
    delivered: f64,
}

/// Where frames go.
pub(super) struct Screen {
    term: Term,
    is_terminal: bool,
    lines_drawn: usize,
    line_written_at: Option<Instant>,
    samples: VecDeque<(Instant, u64, u64)>,
}

impl Screen {
    /// The process's stderr.
    pub(super) fn stderr() -> Self {
        let term = Term::buffered_stderr();
        Self {
            is_terminal: term.is_term(),
            term,
            lines_drawn: 0,
            line_written_at: None,
            samples: VecDeque::with_capacity(SAMPLES),
        }
    }

    /// Shows a frame.
    ///
    /// # Errors
    /// stderr is closed.
    pub(super) fn show(&mut self, frame: &Frame) -> io::Result<()> {
        let now = Instant::now();
        let rates = self.rates(now, frame);
        if self.is_terminal {
            return self.redraw(&lines(frame, rates));
        }
        let is_due = self
            .line_written_at
            .is_none_or(|at| now.duration_since(at) >= LINE_EVERY);
        if is_due {
            self.line_written_at = Some(now);
            self.say(&plain_line(frame, rates))?;
        }
        Ok(())
    }

    /// Writes text below what is drawn, which stays.
    ///
    /// # Errors
    /// stderr is closed.
    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        self.lines_drawn = 0;
        self.term.write_line(text)?;
        self.term.flush()
    }

    /// Everything goes out in one write, and lines are overwritten and not cleared first: no flicker.
    fn redraw(&mut self, lines: &[String]) -> io::Result<()> {
        let (height, width) = self.term.size();
        // What scrolled off cannot be reached any more.
        let lines = &lines[..lines.len().min(usize::from(height).saturating_sub(1))];
        self.term.move_cursor_up(self.lines_drawn)?;
        for line in lines {
            let line = truncate_str(line, usize::from(width).saturating_sub(1), "…");
            self.term.write_str(&format!("\r{line}\x1b[K\n"))?;
        }
        self.lines_drawn = lines.len();
        self.term.flush()
    }

    fn rates(&mut self, now: Instant, frame: &Frame) -> Rates {
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples
            .push_back((now, frame.accepted, frame.delivered));
        let Some((then, accepted, delivered)) = self.samples.front().copied() else {
            return Rates::default();
        };
        let seconds = now.duration_since(then).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate is read by people")]
        let rate = |from: u64, to: u64| {
            if seconds > 0.0 {
                to.saturating_sub(from) as f64 / seconds
            } else {
                0.0
            }
        };
        Rates {
            accepted: rate(accepted, frame.accepted),
            delivered: rate(delivered, frame.delivered),
        }
    }
}

fn lines(frame: &Frame, rates: Rates) -> Vec<String> {
    let label = |text: &str| pad_str(text, LABEL_WIDTH, Alignment::Left, None).into_owned();
    let number = |count: u64| pad_str(&grouped(count), 11, Alignment::Right, None).into_owned();
    let parked = style(number(frame.parked));
    let parked = if frame.parked > 0 {
        parked.yellow()
    } else {
        parked
    };
    let mut lines = vec![
        heading(frame),
        format!(
            "  {}{}  {:>9}    {}{}",
            label("Đã nhận · accepted"),
            number(frame.accepted),
            per_second(rates.accepted),
            label("Nhận · accept"),
            percentiles(frame.accept_ms),
        ),
        format!(
            "  {}{}  {:>9}    {}{}",
            label("Đã giao · delivered"),
            number(frame.delivered),
            per_second(rates.delivered),
            label("Đến cổng · end to end"),
            percentiles(frame.end_to_end_ms),
        ),
        format!(
            "  {}{}  {:>9}    {}{}",
            label("Đang chờ · waiting"),
            number(frame.waiting),
            "",
            label("Lâu nhất · oldest"),
            frame.oldest.map_or_else(
                || "-".to_owned(),
                |age| format!("{:.1} s", age.as_secs_f64())
            ),
        ),
        format!(
            "  {}{parked}  {:>9}    {}{}",
            label("Tạm giữ · parked"),
            "",
            label("Sự cố cổng · faults"),
            grouped(frame.faults),
        ),
        format!(
            "  {}{}  {:>9}    {}{}",
            label("Xác minh · verified"),
            number(frame.verified),
            "",
            label("Hỏi công dân · identity"),
            percentiles(frame.identity_ms),
        ),
        format!(
            "  {}{}  {:>9}    {}{}",
            label("Tra cứu · looked up"),
            number(frame.looked_up),
            "",
            label("Bị từ chối · refused"),
            grouped(frame.questions_refused),
        ),
    ];
    if frame.out_of_order > 0 {
        let text = format!("  Sai thứ tự · out of order {}", frame.out_of_order);
        lines.push(style(text).red().bold().to_string());
    }
    lines.extend(province_headings());
    lines.extend(frame.provinces.iter().map(province_line));
    lines
}

fn heading(frame: &Frame) -> String {
    let (phase, bound) = match frame.phase {
        Phase::Pushing => ("đang đẩy · pushing", frame.planned),
        Phase::Draining { bound } => ("đang giao nốt · draining", Some(bound)),
    };
    let mut clock = clock(frame.elapsed);
    if let Some(bound) = bound {
        write!(clock, " / {}", self::clock(bound)).expect("writing to a string does not fail");
    }
    format!(
        "{}  {phase}  {clock}",
        style("Trục liên thông · Lienthong").bold().cyan()
    )
}

fn province_headings() -> [String; 2] {
    let columns = ["đã nhận", "gửi lặp", "đến muộn", "gửi lại", "từ chối"];
    let english = ["accepted", "repeated", "late", "retried", "refused"];
    let row = |head: &str, columns: [&str; 5]| {
        let cells: String = columns
            .iter()
            .map(|text| pad_str(text, 11, Alignment::Right, None))
            .collect();
        format!(
            "  {}{cells}",
            pad_str(head, LABEL_WIDTH + 8, Alignment::Left, None)
        )
    };
    [row("Tỉnh", columns), row("Province", english)].map(|text| style(text).dim().to_string())
}

fn province_line(counts: &ProvinceCounts) -> String {
    let cells: String = [
        counts.accepted,
        counts.duplicates,
        counts.late,
        counts.pushed_back,
        counts.refused,
    ]
    .iter()
    .map(|count| pad_str(&grouped(*count), 11, Alignment::Right, None).into_owned())
    .collect();
    format!(
        "  {}{cells}",
        pad_str(&counts.name, LABEL_WIDTH + 8, Alignment::Left, Some("…"))
    )
}

fn plain_line(frame: &Frame, rates: Rates) -> String {
    let phase = match frame.phase {
        Phase::Pushing => "pushing",
        Phase::Draining { .. } => "draining",
    };
    format!(
        "{phase} {:>4.0}s accepted={} ({}) delivered={} ({}) waiting={} parked={} oldest={} accept: {} end to end: {} verified={} looked_up={} identity: {}",
        frame.elapsed.as_secs_f64(),
        frame.accepted,
        per_second(rates.accepted),
        frame.delivered,
        per_second(rates.delivered),
        frame.waiting,
        frame.parked,
        frame.oldest.map_or_else(
            || "-".to_owned(),
            |age| format!("{:.1}s", age.as_secs_f64())
        ),
        percentiles(frame.accept_ms),
        percentiles(frame.end_to_end_ms),
        frame.verified,
        frame.looked_up,
        percentiles(frame.identity_ms),
    )
}

fn percentiles(ms: Percentiles) -> String {
    match (ms.p50, ms.p99) {
        (Some(p50), Some(p99)) => format!("p50 {p50:.1} ms  p99 {p99:.1} ms"),
        _ => "-".to_owned(),
    }
}

fn per_second(rate: f64) -> String {
    format!("{rate:.0}/s")
}

fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// Digits in groups of three: `1 234 567`. A dot or a comma would mislead half of the readers.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        let name = "H21 Tỉnh Gia Lai".to_owned();
        Frame {
            phase: Phase::Pushing,
            elapsed: Duration::from_secs(62),
            planned: Some(Duration::from_mins(5)),
            accepted: 12_345,
            delivered: 12_000,
            waiting: 345,
            parked: 2,
            oldest: Some(Duration::from_millis(1_300)),
            accept_ms: Percentiles {
                p50: Some(2.5),
                p99: Some(9.0),
                max: Some(20.0),
            },
            end_to_end_ms: Percentiles::default(),
            faults: 7,
            out_of_order: 0,
            verified: 210,
            looked_up: 54,
            questions_refused: 3,
            identity_ms: Percentiles::default(),
            provinces: vec![ProvinceCounts {
                name,
                accepted: 9_999,
                ..ProvinceCounts::default()
            }],
        }
    }

    #[test]
    fn a_frame_shows_its_figures_in_both_languages() {
        let text = lines(
            &frame(),
            Rates {
                accepted: 200.4,
                delivered: 199.6,
            },
        )
        .join("\n");
        let text = console::strip_ansi_codes(&text);
        for shown in [
            "đang đẩy · pushing  01:02 / 05:00",
            "12 345",
            "200/s",
            "p50 2.5 ms  p99 9.0 ms",
            "1.3 s",
            "H21 Tỉnh Gia Lai",
            "9 999",
            "Tạm giữ · parked",
            "Xác minh · verified             210",
            "gửi lặp",
        ] {
            assert!(text.contains(shown), "{shown} in:\n{text}");
        }
        assert!(!text.contains("out of order"));
        let bad = lines(
            &Frame {
                out_of_order: 1,
                ..frame()
            },
            Rates::default(),
        )
        .join("\n");
        assert!(bad.contains("out of order 1"));
    }

    #[test]
    fn the_plain_line_is_one_line() {
        let line = plain_line(&frame(), Rates::default());
        assert!(
            line.contains("accepted=12345") && !line.contains('\n'),
            "{line}"
        );
    }

    #[test]
    fn digits_are_grouped_in_threes() {
        let table = [
            (0, "0"),
            (999, "999"),
            (1_000, "1 000"),
            (1_234_567, "1 234 567"),
        ];
        for (count, text) in table {
            assert_eq!(grouped(count), text);
        }
    }
}
