//! What lies over the panels: help, an explanation, or the question for a reason.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Clear, Padding, Paragraph, Wrap};

use super::super::state::{Overlay, State};
use super::middle;
use crate::output::table::harmless;

/// Widest overlay.
const WIDTH_MAX: u16 = 100;

pub(super) fn draw(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let words = state.language.words();
    let Some(overlay) = &state.overlay else {
        return;
    };
    let (title, lines, foot, scroll) = match overlay {
        Overlay::Help => {
            let lines = words.help.lines().map(Line::raw).collect();
            ("lienthong top".to_owned(), lines, words.close, 0)
        }
        Overlay::Text {
            title,
            lines,
            scroll,
        } => {
            let lines = lines.iter().map(|line| Line::raw(line.as_str())).collect();
            (title.clone(), lines, words.close, *scroll)
        }
        Overlay::Reason(steer) => {
            let verb = if steer.pause {
                words.pause
            } else {
                words.resume
            };
            let lines: Vec<_> = vec![
                Line::raw(words.reason),
                Line::raw(""),
                Line::raw(format!("{}▏", harmless(&steer.reason))),
            ];
            let title = format!("{verb} {}", harmless(&steer.destination));
            (title, lines, words.reason_keys, 0)
        }
    };
    let block = Block::bordered()
        .border_type(BorderType::Thick)
        .border_style(Style::new().fg(Color::Cyan))
        .padding(Padding::horizontal(1))
        .title(format!(" {title} "))
        .title_bottom(format!(" {foot} "));
    let width = WIDTH_MAX.min(area.width.saturating_sub(4));
    // Two borders, and a blank and a border at each side.
    let wrapped = usize::from(width.saturating_sub(4)).max(1);
    let height: usize = lines
        .iter()
        .map(|line: &Line<'_>| {
            line.width().div_ceil(wrapped).max(1) + usize::from(line.width() > wrapped)
        })
        .sum();
    let height = u16::try_from(height + 2).unwrap_or(u16::MAX);
    let inner = middle(area, width, height.min(area.height.saturating_sub(2)));
    let text = Paragraph::new(lines)
        .wrap(Wrap { trim: false })
        .scroll((scroll, 0))
        .block(block);
    frame.render_widget(Clear, inner);
    frame.render_widget(text, inner);
}
