//! What was measured, as tables for people and as one JSON object.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// Everything of one run.
pub(super) struct Report {
    quick: bool,
    load_average: String,
    pub(super) sections: Vec<Section>,
}

/// One comparison.
pub(super) struct Section {
    /// Its name in `--only`.
    pub(super) name: &'static str,
    pub(super) title: String,
    /// The figures that the rows below follow from, where they are many.
    pub(super) grid: Option<Grid>,
    pub(super) rows: Vec<Row>,
    /// What a reader must know to judge the figures.
    pub(super) notes: Vec<String>,
}

/// One figure.
pub(super) struct Row {
    /// Stable name for programs.
    name: &'static str,
    label: String,
    value: f64,
    unit: &'static str,
    aim: Option<Aim>,
}

/// Figures of the same things under several circumstances, side by side.
pub(super) struct Grid {
    /// The circumstances.
    pub(super) heads: Vec<String>,
    pub(super) lines: Vec<Line>,
}

/// One thing; a value for each circumstance.
pub(super) struct Line {
    /// Stable name for programs.
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) unit: &'static str,
    pub(super) values: Vec<f64>,
}

/// What a figure should be.
#[derive(Clone, Copy)]
pub(super) enum Aim {
    AtLeast(f64),
    Below(f64),
}

impl Row {
    pub(super) fn new(
        name: &'static str,
        label: impl Into<String>,
        value: f64,
        unit: &'static str,
    ) -> Self {
        Self {
            name,
            label: label.into(),
            value,
            unit,
            aim: None,
        }
    }

    pub(super) fn aim(self, aim: Aim) -> Self {
        Self {
            aim: Some(aim),
            ..self
        }
    }

    fn met(&self) -> Option<bool> {
        self.aim.map(|aim| match aim {
            Aim::AtLeast(least) => self.value >= least,
            Aim::Below(bound) => self.value < bound,
        })
    }

    fn aim_text(&self) -> String {
        let bound = match self.aim {
            None => return String::new(),
            Some(Aim::AtLeast(least)) => format!(">= {least}"),
            Some(Aim::Below(bound)) => format!("< {bound}"),
        };
        let met = if self.met() == Some(true) {
            "met"
        } else {
            "MISSED"
        };
        format!("aim {bound}: {met}")
    }

    fn json(&self) -> Value {
        let mut object = json!({
            "name": self.name, "label": self.label, "value": self.value, "unit": self.unit,
        });
        match self.aim {
            Some(Aim::AtLeast(least)) => object["at_least"] = json!(least),
            Some(Aim::Below(bound)) => object["below"] = json!(bound),
            None => {}
        }
        if let Some(met) = self.met() {
            object["met"] = json!(met);
        }
        object
    }
}

impl Report {
    pub(super) fn new(quick: bool) -> Self {
        let load_average = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            quick,
            load_average: load_average.trim().to_owned(),
            sections: Vec::new(),
        }
    }

    pub(super) fn table(&self) -> String {
        let mut text = format!(
            "{} run on {} cores; load average before it: {}\n",
            if self.quick { "Quick" } else { "Full" },
            cores(),
            self.load_average,
        );
        for section in &self.sections {
            text += &section.table();
        }
        text
    }

    pub(super) fn json(&self) -> String {
        let measurements = self.sections.iter().map(Section::json).collect::<Vec<_>>();
        let object = json!({
            "quick": self.quick, "cores": cores(), "load_average": self.load_average,
            "measurements": measurements,
        });
        format!("{object}\n")
    }
}

impl Section {
    fn table(&self) -> String {
        let width = self
            .rows
            .iter()
            .map(|row| row.label.chars().count())
            .max()
            .unwrap_or(0);
        let mut text = format!("\n{}\n", self.title);
        if let Some(grid) = &self.grid {
            text += &grid.table();
        }
        for row in &self.rows {
            let (label, value, unit, aim) =
                (&row.label, shown(row.value), row.unit, row.aim_text());
            let line = format!("  {label:width$}  {value:>9} {unit:<6}  {aim}");
            // Writing to a String cannot fail.
            writeln!(text, "{}", line.trim_end()).ok();
        }
        for note in &self.notes {
            writeln!(text, "  - {note}").ok();
        }
        text
    }

    fn json(&self) -> Value {
        let figures = self.rows.iter().map(Row::json).collect::<Vec<_>>();
        let mut object = json!({
            "name": self.name, "title": self.title, "figures": figures, "notes": self.notes,
        });
        if let Some(grid) = &self.grid {
            object["grid"] = grid.json();
        }
        object
    }
}

impl Grid {
    fn table(&self) -> String {
        let labels = self.lines.iter().map(|line| line.label.chars().count());
        let width = labels.max().unwrap_or(0);
        let heads = self.heads.iter().map(|head| format!("  {head:>10}"));
        let mut text = format!("  {:width$}{}\n", "", heads.collect::<String>());
        for Line {
            label,
            unit,
            values,
            ..
        } in &self.lines
        {
            let values = values
                .iter()
                .map(|value| format!("  {:>10}", shown(*value)));
            let line = format!("  {label:width$}{} {unit}", values.collect::<String>());
            // Writing to a String cannot fail.
            writeln!(text, "{}", line.trim_end()).ok();
        }
        text
    }

    fn json(&self) -> Value {
        let lines = self.lines.iter().map(|line| {
            let values = self.heads.iter().zip(&line.values);
            let values = values.map(|(head, value)| (head.clone(), json!(value)));
            json!({
                "name": line.name, "label": line.label, "unit": line.unit,
                "values": values.collect::<serde_json::Map<_, _>>(),
            })
        });
        lines.collect()
    }
}

/// Large figures without a fraction, small ones with as much as they are worth.
fn shown(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aim_is_judged_and_shown() {
        let row = |value, aim| Row::new("ratio", "ratio", value, "").aim(aim);
        assert_eq!(row(0.5, Aim::AtLeast(0.5)).aim_text(), "aim >= 0.5: met");
        assert_eq!(
            row(0.49, Aim::AtLeast(0.5)).aim_text(),
            "aim >= 0.5: MISSED"
        );
        assert_eq!(row(3.0, Aim::Below(3.0)).aim_text(), "aim < 3: MISSED");
        assert_eq!(row(f64::NAN, Aim::Below(3.0)).met(), Some(false));
        assert_eq!(row(1.0, Aim::Below(3.0)).json()["met"], true);
    }

    #[test]
    fn a_grid_stands_in_columns_and_names_its_values() {
        let line = |label, values: [f64; 2]| Line {
            name: "p50",
            label,
            unit: "ms",
            values: values.to_vec(),
        };
        let grid = Grid {
            heads: vec!["1 caller".to_owned(), "32 callers".to_owned()],
            lines: vec![line("nginx", [0.5, 12.25]), line("gateway", [1.0, 1234.5])],
        };
        let table = "             1 caller  32 callers\n  nginx          0.50        12.2 ms\n\
                     \u{20} gateway        1.00        1234 ms\n";
        assert_eq!(grid.table(), table);
        assert_eq!(grid.json()[1]["values"]["32 callers"], 1234.5);
    }
}
