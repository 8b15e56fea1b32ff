//! One metric per combination of label values, all made at the start: no lock when recording, no series beyond them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;

use super::Gauge;

/// The value that stands for all that are not in the vocabulary.
pub const OTHER: &str = "other";

/// A label and the values it can have.
#[derive(Clone, Debug)]
pub struct Label {
    name: &'static str,
    /// At least one.
    values: Vec<String>,
    places: HashMap<String, usize>,
}

impl Label {
    /// A label whose values all come from the program itself; the last one stands for any other.
    pub fn closed<'a>(name: &'static str, values: impl IntoIterator<Item = &'a str>) -> Self {
        Self::of(name, values.into_iter().map(str::to_owned).collect())
    }

    /// A label that may be asked for values it does not know: they count as [`OTHER`].
    pub fn open(name: &'static str, values: impl IntoIterator<Item = String>) -> Self {
        let mut values = values.into_iter().collect::<Vec<_>>();
        values.retain(|value| value != OTHER);
        values.push(OTHER.to_owned());
        Self::of(name, values)
    }

    fn of(name: &'static str, mut values: Vec<String>) -> Self {
        if values.is_empty() {
            values.push(OTHER.to_owned());
        }
        let numbered = values.iter().enumerate();
        let places = numbered.map(|(place, value)| (value.clone(), place));
        Self {
            name,
            places: places.collect(),
            values,
        }
    }

    fn place(&self, value: &str) -> usize {
        let known = self.places.get(value).copied();
        known.unwrap_or(self.values.len() - 1)
    }
}

struct Cell<M> {
    metric: M,
    shown: AtomicBool,
}

/// Metrics by their label values. Clones share them.
pub struct Table<M> {
    shared: Arc<Shared<M>>,
}

struct Shared<M> {
    labels: Vec<Label>,
    cells: Box<[Cell<M>]>,
}

impl<M> Clone for Table<M> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<M> fmt::Debug for Table<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.shared.labels.iter().map(|label| label.name);
        f.debug_set().entries(names).finish()
    }
}

impl<M> Table<M> {
    /// A metric for each combination; those that `shown` says are there from the start, the others once they are used.
    pub fn new(labels: Vec<Label>, make: impl Fn() -> M, shown: impl Fn(&[&str]) -> bool) -> Self {
        let count = labels.iter().map(|label| label.values.len()).product();
        let cell = |index| Cell {
            metric: make(),
            shown: AtomicBool::new(shown(&values_at(&labels, index))),
        };
        let cells = (0..count).map(cell).collect();
        Self {
            shared: Arc::new(Shared { labels, cells }),
        }
    }

    /// As [`Self::new`], everything shown from the start.
    pub fn shown(labels: Vec<Label>, make: impl Fn() -> M) -> Self {
        Self::new(labels, make, |_| true)
    }

    /// The metric of `values`, one per label in their order.
    pub fn at(&self, values: &[&str]) -> &M {
        let cell = &self.shared.cells[self.index(values)];
        if !cell.shown.load(Ordering::Relaxed) {
            cell.shown.store(true, Ordering::Relaxed);
        }
        &cell.metric
    }

    /// The metric of `values`, if it is shown.
    pub fn get(&self, values: &[&str]) -> Option<&M> {
        let cell = &self.shared.cells[self.index(values)];
        cell.shown.load(Ordering::Relaxed).then_some(&cell.metric)
    }

    /// The values as they are counted: [`OTHER`], or the last one, for those that are not in the vocabulary.
    pub fn known(&self, values: &[&str]) -> Vec<&str> {
        values_at(&self.shared.labels, self.index(values))
    }

    /// Takes a figure away that is not known any more.
    pub fn hide(&self, values: &[&str]) {
        let cell = &self.shared.cells[self.index(values)];
        cell.shown.store(false, Ordering::Relaxed);
    }

    /// Each combination that is shown, with its metric.
    pub fn each(&self) -> impl Iterator<Item = (Vec<&str>, &M)> {
        let cells = self.shared.cells.iter().enumerate();
        cells
            .filter(|(_, cell)| cell.shown.load(Ordering::Relaxed))
            .map(|(index, cell)| (values_at(&self.shared.labels, index), &cell.metric))
    }

    fn index(&self, values: &[&str]) -> usize {
        let pairs = self.shared.labels.iter().zip(values);
        debug_assert_eq!(values.len(), self.shared.labels.len(), "{self:?}");
        pairs.fold(0, |index, (label, value)| {
            index * label.values.len() + label.place(value)
        })
    }
}

impl Table<Gauge> {
    /// Sets every figure at once: those named to their value, all others to 0. Values of one combination add up; each
    /// figure is written once, so a reader never sees one at 0 that was not.
    pub fn replace<'a>(&self, values: impl IntoIterator<Item = (Vec<&'a str>, f64)>) {
        let mut sums = vec![0.0; self.shared.cells.len()];
        for (names, value) in values {
            let index = self.index(&names);
            sums[index] += value;
            self.shared.cells[index]
                .shown
                .store(true, Ordering::Relaxed);
        }
        for (cell, sum) in self.shared.cells.iter().zip(sums) {
            cell.metric.set(sum);
        }
    }
}

/// The values of the combination with this index; the last label turns fastest.
fn values_at(labels: &[Label], mut index: usize) -> Vec<&str> {
    let mut values = Vec::with_capacity(labels.len());
    for label in labels.iter().rev() {
        values.push(label.values[index % label.values.len()].as_str());
        index /= label.values.len();
    }
    values.reverse();
    values
}

impl<M: EncodeMetric> EncodeMetric for Table<M> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for (values, metric) in self.each() {
            let names = self.shared.labels.iter().map(|label| label.name);
            let pairs = names.zip(values).collect::<Vec<_>>();
            metric.encode(encoder.encode_family(&pairs)?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        self.shared
            .cells
            .first()
            .map_or(MetricType::Unknown, |cell| cell.metric.metric_type())
    }
}
