//! Shows how a push goes: a bar where somebody watches, else a plain line every few seconds.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use super::result::Counters;
use crate::output::Output;

/// How often a plain line is written.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// The show of one input.
pub(crate) struct Meter {
    output: Output,
    bar: Option<ProgressBar>,
    name: String,
    size_bytes: Option<u64>,
    started: Instant,
    told: Instant,
    steps_before: u64,
}

impl Meter {
    /// Begins. `size_bytes` is unknown for a pipe; `steps_before` were answered in an earlier run.
    pub(crate) fn start(
        output: &Output,
        name: &str,
        size_bytes: Option<u64>,
        steps_before: u64,
    ) -> Self {
        let bar = output.is_watched().then(|| bar(name, size_bytes));
        let now = Instant::now();
        Self {
            output: output.clone(),
            bar,
            name: name.to_owned(),
            size_bytes,
            started: now,
            told: now,
            steps_before,
        }
    }

    /// Shows where we are.
    pub(crate) fn show(&mut self, counters: &Counters, lines: u64, bytes: u64) {
        let rate = self.rate(counters);
        let told = format!(
            "line {lines}, {} accepted, {} duplicates, {} refused, {rate:.0}/s",
            counters.accepted, counters.duplicates, counters.refused
        );
        if let Some(bar) = &self.bar {
            bar.set_position(bytes);
            bar.set_message(told);
        } else if self.told.elapsed() >= PLAIN_INTERVAL {
            self.told = Instant::now();
            let percent = self
                .size_bytes
                .filter(|size| *size > 0)
                .map(|size| bytes * 100 / size);
            let percent = percent.map_or_else(String::new, |percent| format!("{percent} % read, "));
            self.output.say(&format!("{}: {percent}{told}", self.name));
        }
    }

    /// Says something beside the bar.
    pub(crate) fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.output.say(text)),
            None => self.output.say(text),
        }
    }

    /// Ends the show.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn rate(&self, counters: &Counters) -> f64 {
        per_second(
            counters.steps.saturating_sub(self.steps_before),
            self.started.elapsed(),
        )
    }
}

/// How many per second; 0 when no time has passed.
pub(crate) fn per_second(count: u64, elapsed: Duration) -> f64 {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    if elapsed.is_zero() {
        0.0
    } else {
        f64::from(count) / elapsed.as_secs_f64()
    }
}

fn bar(name: &str, size_bytes: Option<u64>) -> ProgressBar {
    let (bar, template) = match size_bytes {
        Some(size) => (
            ProgressBar::new(size),
            "{prefix} [{bar:24}] {bytes}/{total_bytes} {msg}",
        ),
        None => (ProgressBar::no_length(), "{prefix} {spinner} {bytes} {msg}"),
    };
    let style = ProgressStyle::with_template(template).expect("both templates are well-formed");
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar.set_style(style);
    bar.set_prefix(name.to_owned());
    bar
}
