//! The screen as a pure function of the state, for 60 x 16 and larger.

mod overlay;
mod tables;

use lienthong_domain::time::{OFFSET, display_local};
use lienthong_proto::admin::v1::Severity;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Paragraph};

use self::tables::{destinations, parked, problems, provinces};
use super::state::{Look, Panel, State};
use crate::output::table::harmless;
use crate::overview::{millis, worst};

/// Smallest screen that is drawn.
const WIDTH_MIN: u16 = 60;
const HEIGHT_MIN: u16 = 16;
/// Lines of a panel's border and of its heading.
const BORDER: u16 = 2;
const HEADING: u16 = 1;

/// Draws everything.
pub(super) fn draw(state: &State, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < WIDTH_MIN || area.height < HEIGHT_MIN {
        frame.render_widget(Paragraph::new(state.language.words().too_small), area);
        return;
    }
    let spare = area.height - HEIGHT_MIN;
    let problem_rows = rows(state.count(Panel::Problems), 2 + spare / 4);
    let destination_rows = rows(state.count(Panel::Destinations), 2 + spare / 4);
    let [top, verdict, first, second, rest, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(problem_rows + BORDER),
        Constraint::Length(destination_rows + BORDER + HEADING),
        Constraint::Min(3),
        Constraint::Length(1),
    ])
    .areas(area);
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(55), Constraint::Percentage(45)]).areas(rest);
    frame.render_widget(title(state), top);
    frame.render_widget(told_verdict(state), verdict);
    problems(state, frame, first);
    destinations(state, frame, second);
    provinces(state, frame, left);
    parked(state, frame, right);
    frame.render_widget(foot(state), keys);
    overlay::draw(state, frame, area);
}

/// As many rows as there are, at least one and at most `most`.
fn rows(count: usize, most: u16) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX).clamp(1, most)
}

fn title(state: &State) -> Line<'_> {
    let name = Span::styled("lienthong top", Style::new().add_modifier(Modifier::BOLD));
    let now = OFFSET.to_datetime(state.now).strftime("%H:%M:%S");
    let figures = state.look.as_ref().map(|look| gateway(state, look));
    let figures = figures.unwrap_or_default();
    Line::from(vec![name, Span::raw(format!("  {now}  {figures}"))])
}

/// What concerns the gateway itself, the most urgent first.
fn gateway(state: &State, Look { overview, .. }: &Look) -> String {
    let words = state.language.words();
    let mut parts = vec![format!(
        "{} p99 {}",
        words.accept,
        millis(overview.accept_ms_p99)
    )];
    if let Some(bytes) = overview.disk_free_bytes {
        parts.push(format!("{} {} GiB", words.disk, bytes >> 30));
    }
    if let Some(days) = overview.certificate_days_left {
        parts.push(format!("{} {days:.0} {}", words.certificate, words.days));
    }
    parts.join(" · ")
}

/// Does it flow; or since when we do not know.
fn told_verdict(state: &State) -> Paragraph<'_> {
    let words = state.language.words();
    let style = |color| Style::new().fg(color).add_modifier(Modifier::BOLD);
    let (text, style) = match (&state.silence, &state.look) {
        (Some(silence), _) => {
            let since = display_local(silence.since);
            let told = harmless(&silence.told);
            let text = format!("{} {since}: {told}", words.no_answer_since);
            (text, style(Color::Magenta))
        }
        (None, None) => (words.waiting_for_gateway.to_owned(), Style::new()),
        (None, Some(Look { overview, .. })) => {
            let (word, color) = match worst(overview) {
                None => (words.flows, Color::Green),
                Some(Severity::Critical) => (words.stuck, Color::Red),
                Some(_) => (words.look, Color::Yellow),
            };
            let text = match overview.problems.len() {
                0 => word.to_owned(),
                count => format!("{word}: {count} {}", words.count),
            };
            (text, style(color))
        }
    };
    Paragraph::new(text).style(style)
}

/// How the last change went, else the keys.
fn foot(state: &State) -> Paragraph<'_> {
    if state.note.is_empty() {
        let dim = Style::new().add_modifier(Modifier::DIM);
        Paragraph::new(state.language.words().keys).style(dim)
    } else {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        Paragraph::new(state.note.as_ref()).style(bold)
    }
}

/// The frame of a panel; the one with the focus is drawn double.
fn panel(state: &State, which: Panel, name: &str) -> Block<'static> {
    let count = state.count(which);
    let block = Block::bordered().title(format!(" {name} ({count}) "));
    if state.focus == which {
        block
            .border_type(BorderType::Double)
            .border_style(Style::new().fg(Color::Cyan))
    } else {
        block
    }
}

/// The middle of `area`, at most so wide and high.
fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    }
}
