//! Shows how a job goes: a bar where somebody watches, else a plain line every few seconds.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use crate::output::Output;

/// How often a plain line is written.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// The show of one part of the work.
pub(crate) struct Meter {
    output: Output,
    bar: Option<ProgressBar>,
    name: &'static str,
    total: u64,
    told: Instant,
}

impl Meter {
    /// Begins with nothing done of `total`.
    pub(crate) fn start(output: &Output, name: &'static str, total: u64) -> Self {
        let bar = output.is_watched().then(|| {
            let style = ProgressStyle::with_template(
                "{prefix} [{bar:24}] {pos}/{len} {per_sec} {eta} {msg}",
            );
            let bar = ProgressBar::new(total);
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.set_style(style.expect("the template is well-formed"));
            bar.set_prefix(name);
            bar
        });
        Self {
            output: output.clone(),
            bar,
            name,
            total,
            told: Instant::now(),
        }
    }

    /// Shows where we are, and `told` beside it.
    pub(crate) fn show(&mut self, done: u64, told: &str) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(told.to_owned());
        } else if self.told.elapsed() >= PLAIN_INTERVAL {
            self.told = Instant::now();
            self.output
                .say(&format!("{}: {done}/{} {told}", self.name, self.total));
        }
    }

    /// Says something beside the bar.
    pub(crate) fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.output.say(text)),
            None => self.output.say(text),
        }
    }
}

/// The show ends with its work, however that ends.
impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
