//! Line charts as SVG, drawn on the server: no script, colours from classes, a table beside each for those who do not
//! see it. Minutes without a figure are gaps, not zeros.

mod scale;

use std::time::Duration;

use lienthong_domain::Timestamp;
use lienthong_ports::operators::SamplePoint;
use maud::{Markup, html};

use self::scale::Axis;
pub(crate) use self::scale::Unit;
use crate::format;
use crate::language::Language;
use crate::layout::{self, Column};

/// The drawing's size, in its own units; the page scales it.
const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 190.0;
/// Where the curves lie in it.
const LEFT: f64 = 62.0;
const RIGHT: f64 = 424.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 160.0;
/// Lines of the table beside a chart at most; longer series show every n-th point.
const ROWS_MAX: usize = 60;
/// Larger figures are drawn as this one: no gateway makes them, and they would not fit a scale.
const VALUE_MAX: f64 = 1e15;
/// The style of each curve; styles differ by their dashes and not by their colour alone.
const STYLES: [&str; 3] = ["line", "line-2", "line-3"];

/// A chart.
pub(crate) struct Chart {
    /// Names it on its page.
    pub(crate) id: String,
    /// What it shows.
    pub(crate) title: String,
    /// In what.
    pub(crate) unit: Unit,
    /// Its left edge.
    pub(crate) since: Timestamp,
    /// Its right edge.
    pub(crate) until: Timestamp,
    /// Time between two points; more than one and a half of it is a gap.
    pub(crate) interval: Duration,
    /// The curves, at most three: more cannot be told apart.
    pub(crate) lines: Vec<Line>,
    /// Why there is nothing, if there is nothing.
    pub(crate) empty: String,
}

/// A curve.
pub(crate) struct Line {
    name: String,
    /// Sorted by time; only what can be drawn.
    points: Vec<(Timestamp, f64)>,
}

impl Line {
    /// The mean of each point.
    pub(crate) fn mean(name: impl Into<String>, points: &[SamplePoint]) -> Self {
        Self::of(name.into(), points, |point| point.value)
    }

    /// The largest of each point: for ages and latencies, whose peaks must not be smoothed away.
    pub(crate) fn largest(name: impl Into<String>, points: &[SamplePoint]) -> Self {
        Self::of(name.into(), points, |point| point.max)
    }

    fn of(name: String, points: &[SamplePoint], value: impl Fn(&SamplePoint) -> f64) -> Self {
        let mut points = points
            .iter()
            .map(|point| (point.at, value(point)))
            .filter(|(_, value)| value.is_finite())
            .map(|(at, value)| (at, value.clamp(0.0, VALUE_MAX)))
            .collect::<Vec<_>>();
        points.sort_by_key(|(at, _)| *at);
        Self { name, points }
    }
}

impl Chart {
    /// The figure: drawing, legend and table.
    pub(crate) fn render(&self, language: Language) -> Markup {
        let lines = self.visible();
        let is_empty = lines.iter().all(|line| line.points.is_empty());
        html! {
            figure.chart id=(self.id) {
                figcaption { (self.title) }
                @if is_empty {
                    p.empty { (self.empty) }
                } @else {
                    (self.drawing(&lines, language))
                    (self.legend(&lines, language))
                    (self.table(&lines, language))
                }
            }
        }
    }

    /// The lines without what lies outside the chart.
    fn visible(&self) -> Vec<Line> {
        let inside = |(at, _): &&(Timestamp, f64)| (self.since..=self.until).contains(at);
        let cut = |line: &Line| Line {
            name: line.name.clone(),
            points: line.points.iter().filter(inside).copied().collect(),
        };
        self.lines.iter().map(cut).collect()
    }

    fn drawing(&self, lines: &[Line], language: Language) -> Markup {
        let largest = lines
            .iter()
            .flat_map(|line| &line.points)
            .fold(0.0_f64, |largest, (_, value)| largest.max(*value));
        let axis = Axis::up_to(largest, self.unit);
        let (title_id, about_id) = (format!("{}-title", self.id), format!("{}-about", self.id));
        html! {
            svg role="img" aria-labelledby=(format!("{title_id} {about_id}"))
                viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="xMidYMid meet" {
                title id=(title_id) { (self.title) }
                desc id=(about_id) { (self.told(lines, language)) }
                g aria-hidden="true" {
                    @for tick in axis.ticks() {
                        @let y = height(tick, &axis);
                        line.grid-line x1=(LEFT) x2=(RIGHT) y1=(tenths(y)) y2=(tenths(y)) {}
                        text.tick-text x=(LEFT - 8.0) y=(tenths(y + 4.0)) text-anchor="end" {
                            (self.unit.label(language, tick))
                        }
                    }
                    @for at in scale::times(self.since, self.until) {
                        @let x = self.across(at);
                        line.grid-line x1=(tenths(x)) x2=(tenths(x)) y1=(BOTTOM) y2=(BOTTOM + 5.0) {}
                        text.tick-text x=(tenths(x)) y=(BOTTOM + 20.0) text-anchor="middle" { (scale::clock(at)) }
                    }
                    line.axis x1=(LEFT) x2=(RIGHT) y1=(BOTTOM) y2=(BOTTOM) {}
                    @for (index, line) in lines.iter().enumerate() {
                        path class=(STYLES[index % STYLES.len()]) d=(self.path(line, &axis)) {}
                    }
                }
            }
        }
    }

    /// The curve, begun anew after each gap. A point alone becomes a short stroke, or nobody would see it.
    fn path(&self, line: &Line, axis: &Axis) -> String {
        let gap = self.interval.as_secs_f64() * 1.5;
        let mut path = String::new();
        let mut before: Option<Timestamp> = None;
        for (index, (at, value)) in line.points.iter().enumerate() {
            let goes_on = before.is_some_and(|before| seconds_between(before, *at) <= gap);
            let next = line.points.get(index + 1);
            let is_alone =
                !goes_on && next.is_none_or(|(next, _)| seconds_between(*at, *next) > gap);
            let (x, y) = (self.across(*at), tenths(height(*value, axis)));
            path.push(if goes_on { 'L' } else { 'M' });
            path.extend([&tenths(x), " ", &y, " "]);
            if is_alone {
                path.extend(["L", &tenths((x + 1.5).min(RIGHT)), " ", &y, " "]);
            }
            before = Some(*at);
        }
        path
    }

    fn across(&self, at: Timestamp) -> f64 {
        let whole = seconds_between(self.since, self.until).max(1.0);
        let part = seconds_between(self.since, at) / whole;
        LEFT + part.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    /// The curves in words: each one's newest and largest figure.
    fn told(&self, lines: &[Line], language: Language) -> String {
        let (since, until) = (format::instant(self.since), format::instant(self.until));
        let span = language.t(
            format!("Từ {since} đến {until}."),
            format!("From {since} to {until}."),
        );
        let mut told = vec![span];
        told.extend(lines.iter().map(|line| {
            let Some((_, newest)) = line.points.last() else {
                let nothing = language.t("không có số liệu", "no figures");
                return format!("{}: {nothing}.", line.name);
            };
            let largest = line
                .points
                .iter()
                .map(|(_, value)| *value)
                .fold(0.0, f64::max);
            let (newest, largest) = (
                self.unit.value(language, *newest),
                self.unit.value(language, largest),
            );
            let name = &line.name;
            language.t(
                format!("{name}: mới nhất {newest}, cao nhất {largest}."),
                format!("{name}: latest {newest}, highest {largest}."),
            )
        }));
        told.join(" ")
    }

    fn legend(&self, lines: &[Line], language: Language) -> Markup {
        html! {
            ul.legend {
                @for (index, line) in lines.iter().enumerate() {
                    li {
                        svg.swatch viewBox="0 0 28 8" width="28" height="8" aria-hidden="true" {
                            line class=(STYLES[index % STYLES.len()]) x1="0" x2="28" y1="4" y2="4" {}
                        }
                        " " (line.name) ": "
                        strong {
                            @match line.points.last() {
                                Some((_, value)) => (self.unit.value(language, *value)),
                                None => "–",
                            }
                        }
                    }
                }
            }
        }
    }

    fn table(&self, lines: &[Line], language: Language) -> Markup {
        let mut times = lines
            .iter()
            .flat_map(|line| line.points.iter().map(|(at, _)| *at))
            .collect::<Vec<_>>();
        times.sort_unstable();
        times.dedup();
        let every = times.len().div_ceil(ROWS_MAX).max(1);
        let value_at = |line: &Line, at: Timestamp| {
            let found = line.points.binary_search_by_key(&at, |(at, _)| *at).ok()?;
            line.points.get(found).map(|(_, value)| *value)
        };
        let row = |at: &Timestamp| {
            let mut cells = vec![html! { (format::instant(*at)) }];
            cells.extend(lines.iter().map(|line| {
                let value = value_at(line, *at);
                html! {
                    @match value {
                        Some(value) => (self.unit.value(language, value)),
                        None => "–",
                    }
                }
            }));
            cells
        };
        let rows = times
            .iter()
            .rev()
            .step_by(every)
            .map(row)
            .collect::<Vec<_>>();
        let mut columns = vec![Column::narrow(language.t("Lúc", "At"))];
        columns.extend(lines.iter().map(|line| Column::number(&line.name)));
        html! {
            details.no-print {
                summary { (language.t("Xem bảng số liệu", "Show the figures as a table")) }
                (layout::table(&self.title, &columns, &rows, &self.empty))
            }
        }
    }
}

fn height(value: f64, axis: &Axis) -> f64 {
    BOTTOM - axis.part(value) * (BOTTOM - TOP)
}

fn tenths(number: f64) -> String {
    format!("{number:.1}")
}

fn seconds_between(from: Timestamp, until: Timestamp) -> f64 {
    until.duration_since(from).as_secs_f64()
}

#[cfg(test)]
mod tests;
