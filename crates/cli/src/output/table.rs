//! Tables whose columns align for Vietnamese text, composed or decomposed.

use console::Style;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

const GAP: &str = "  ";

/// A heading and rows of as many cells.
#[derive(Debug, Default)]
pub(crate) struct Table {
    heading: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows. A heading that starts with `>` aligns its column to the right.
    pub(crate) fn new(heading: &[&'static str]) -> Self {
        Self {
            heading: heading.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; what would move the cursor is shown as `�`.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| harmless(&cell)).into());
    }

    /// Lines without the last line end.
    pub(crate) fn render(&self, colours: bool) -> String {
        let names: Vec<String> = self
            .heading
            .iter()
            .map(|name| name.trim_start_matches('>').to_owned())
            .collect();
        let widths: Vec<usize> = (0..names.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells
                    .chain([&names[column]])
                    .map(|cell| cell.width())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let heading = self.line(&names, &widths);
        let style = Style::new().bold().force_styling(colours);
        let mut lines = vec![style.apply_to(heading).to_string()];
        lines.extend(self.rows.iter().map(|row| self.line(row, &widths)));
        lines.join("\n")
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, width), heading) in cells.iter().zip(widths).zip(&self.heading) {
            let blanks = " ".repeat(width.saturating_sub(cell.width()));
            if !line.is_empty() {
                line.push_str(GAP);
            }
            if heading.starts_with('>') {
                line.extend([blanks.as_str(), cell]);
            } else {
                line.extend([cell.as_str(), &blanks]);
            }
        }
        line.trim_end().to_owned()
    }
}

/// Text from outside on one line, without anything a terminal would obey.
pub(crate) fn harmless(text: &str) -> String {
    let shown = |found: char| match found {
        '\n' | '\t' => ' ',
        // No width means a control character or a mark; marks belong to the text.
        _ if found.width().is_none() => '\u{FFFD}',
        _ => found,
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization as _;

    use super::*;

    fn table(name: &str) -> String {
        let mut table = Table::new(&["status", ">lines", "unit"]);
        table.row([
            "Yêu cầu bổ sung giấy tờ".nfd().collect(),
            "7".into(),
            name.into(),
        ]);
        table.row([
            "Đã trả kết quả".into(),
            "1200".into(),
            "UBND phường Hạc Thành".into(),
        ]);
        table.render(false)
    }

    #[test]
    fn composed_and_decomposed_letters_align() {
        let shown: String = table("UBND xã Ia Grai").nfc().collect();
        let expected = "\
status                   lines  unit
Yêu cầu bổ sung giấy tờ      7  UBND xã Ia Grai
Đã trả kết quả            1200  UBND phường Hạc Thành";
        assert_eq!(shown, expected);
    }

    #[test]
    fn text_from_outside_cannot_drive_the_terminal() {
        let shown = table("a\u{1b}[2Jb\nc\u{9b}d");
        assert!(shown.contains("a\u{FFFD}[2Jb c\u{FFFD}d"), "{shown}");
    }

    #[test]
    fn colours_only_when_asked_for() {
        let table = Table::new(&["status"]);
        assert_eq!(table.render(false), "status");
        assert!(table.render(true).contains('\u{1b}'));
    }
}
