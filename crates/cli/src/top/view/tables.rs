//! The four panels.

use lienthong_proto::admin::v1::{BreakerState, Destination, DestinationFlow, Severity};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Text;
use ratatui::widgets::{Cell, HighlightSpacing, Paragraph, Row, Table, TableState};

use super::super::asks::{AGE, RATE};
use super::super::state::{Panel, State};
use super::super::words::Language;
use super::panel;
use crate::instant::shown_length;
use crate::output::spark::spark;
use crate::output::table::harmless;

pub(super) fn problems(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let words = state.language.words();
    let block = panel(state, Panel::Problems, words.problems);
    if state.problems().is_empty() {
        frame.render_widget(Paragraph::new(words.no_problems).block(block), area);
        return;
    }
    let rows = state.problems().iter().map(|problem| {
        let style = match problem.severity() {
            Severity::Critical => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
            Severity::Warning | Severity::Unspecified => Style::new().fg(Color::Yellow),
        };
        let meaning = match state.language {
            Language::Vi => &problem.meaning_vi,
            Language::En => &problem.meaning_en,
        };
        let code = Cell::new(harmless(&problem.code)).style(style);
        Row::new([code, Cell::new(harmless(meaning))])
    });
    let table = Table::new(rows, [Constraint::Length(19), Constraint::Fill(1)]).block(block);
    choose(state, Panel::Problems, table, frame, area);
}

pub(super) fn destinations(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let words = state.language.words();
    let block = panel(state, Panel::Destinations, words.destinations);
    // Borders, the mark, and seven columns with their gaps; the rest is shared by the two lines of blocks.
    let drawn = usize::from(area.width.saturating_sub(2 + 2 + 62) / 2).max(4);
    let rows = state.destinations().iter().map(|flow| {
        let (told, style) = standing(state, flow);
        let name = flow.destination.as_str();
        Row::new([
            Cell::new(harmless(name)),
            Cell::new(told).style(style),
            right(flow.waiting.to_string()),
            right(flow.parked.to_string()),
            right(shown_length(flow.oldest_waiting_age.as_ref())),
            right(format!("{:.0}", flow.accepted_per_minute)),
            right(format!("{:.0}", flow.delivered_per_minute)),
            Cell::new(spark(state.figure(RATE, name), drawn)),
            Cell::new(spark(state.figure(AGE, name), drawn)),
        ])
    });
    let widths = [
        Constraint::Length(10),
        Constraint::Length(8),
        Constraint::Length(7),
        Constraint::Length(6),
        Constraint::Length(9),
        Constraint::Length(7),
        Constraint::Length(7),
        Constraint::Fill(1),
        Constraint::Fill(1),
    ];
    let table = Table::new(rows, widths)
        .header(header(&words.destination_heads, 2..7))
        .block(block);
    choose(state, Panel::Destinations, table, frame, area);
}

/// One word for pause and breaker together.
fn standing(state: &State, flow: &DestinationFlow) -> (&'static str, Style) {
    let words = state.language.words();
    let standing = state.standing(&flow.destination);
    let breaker = standing.map(Destination::breaker_state);
    if state.is_paused(&flow.destination) {
        (words.halted, Style::new().fg(Color::Yellow))
    } else {
        match breaker {
            Some(BreakerState::Open) => (words.breaker_open, Style::new().fg(Color::Red)),
            Some(BreakerState::HalfOpen) => {
                (words.breaker_half_open, Style::new().fg(Color::Yellow))
            }
            _ => (words.running, Style::new().fg(Color::Green)),
        }
    }
}

pub(super) fn provinces(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let words = state.language.words();
    let block = panel(state, Panel::Provinces, words.provinces);
    let rows = state.provinces().into_iter().map(|flow| {
        Row::new([
            Cell::new(harmless(&flow.root_code)),
            Cell::new(harmless(&flow.name)),
            right(shown_length(flow.oldest_waiting_age.as_ref())),
            right(format!("{:.0}", flow.accepted_per_minute)),
        ])
    });
    let widths = [
        Constraint::Length(4),
        Constraint::Fill(1),
        Constraint::Length(9),
        Constraint::Length(7),
    ];
    let table = Table::new(rows, widths)
        .header(header(&words.province_heads, 2..4))
        .block(block);
    choose(state, Panel::Provinces, table, frame, area);
}

pub(super) fn parked(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let words = state.language.words();
    let block = panel(state, Panel::Parked, words.parked_groups);
    let rows = state.parked().iter().map(|group| {
        Row::new([
            Cell::new(harmless(&group.province_code)),
            Cell::new(harmless(&group.error_group)),
            right(group.deliveries.to_string()),
            Cell::new(harmless(&group.destination)),
        ])
    });
    // Where there is one destination only, its name says nothing and the error group needs the room.
    let name = if state.destinations().len() > 1 {
        10
    } else {
        0
    };
    let widths = [
        Constraint::Length(5),
        Constraint::Fill(1),
        Constraint::Length(6),
        Constraint::Length(name),
    ];
    let table = Table::new(rows, widths)
        .header(header(&words.group_heads, 2..3))
        .block(block);
    choose(state, Panel::Parked, table, frame, area);
}

/// Draws a table with the chosen row in sight; it is marked where the focus is.
fn choose(state: &State, which: Panel, table: Table<'_>, frame: &mut Frame<'_>, area: Rect) {
    let is_focus = state.focus == which;
    let style = if is_focus {
        Style::new().add_modifier(Modifier::REVERSED)
    } else {
        Style::new()
    };
    let table = table
        .row_highlight_style(style)
        .highlight_symbol(if is_focus { "> " } else { "  " })
        .highlight_spacing(HighlightSpacing::Always);
    let mut chosen = TableState::new().with_selected(state.row(which));
    frame.render_stateful_widget(table, area, &mut chosen);
}

fn header(names: &[&'static str], numbers: std::ops::Range<usize>) -> Row<'static> {
    let cells = names.iter().enumerate().map(|(index, name)| {
        if numbers.contains(&index) {
            right((*name).to_owned())
        } else {
            Cell::new(*name)
        }
    });
    Row::new(cells).style(Style::new().add_modifier(Modifier::BOLD))
}

fn right(text: String) -> Cell<'static> {
    Cell::new(Text::from(text).alignment(Alignment::Right))
}
