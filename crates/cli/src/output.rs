//! The only way out: data to stdout, talk to stderr.
//!
//! Data is a table for people or, with `--json`, one JSON object or one per line. Colours appear
//! only on a terminal and never with `NO_COLOR`.

pub(crate) mod meter;
pub(crate) mod spark;
pub(crate) mod table;

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use self::table::Table;

/// Options of the output, the same for every command.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct OutputArgs {
    /// Print JSON: one object, or one per line for lists and streams
    #[arg(long, global = true)]
    pub json: bool,
}

/// Where data and talk go. Cheap to clone.
#[derive(Clone)]
pub struct Output {
    json: bool,
    colours: bool,
    terminal: bool,
    data: Arc<Mutex<dyn Write + Send>>,
    talk: Arc<Mutex<dyn Write + Send>>,
}

impl Output {
    /// The streams of this process.
    pub fn standard(options: OutputArgs) -> Self {
        Self {
            json: options.json,
            colours: console::colors_enabled(),
            terminal: io::stderr().is_terminal(),
            data: Arc::new(Mutex::new(io::stdout())),
            talk: Arc::new(Mutex::new(io::stderr())),
        }
    }

    /// Keeps everything in memory, for tests.
    pub fn captured(options: OutputArgs) -> (Self, Captured) {
        let captured = Captured::default();
        let output = Self {
            json: options.json,
            colours: false,
            terminal: false,
            data: captured.data.clone(),
            talk: captured.talk.clone(),
        };
        (output, captured)
    }

    /// Whether data is to be JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether somebody watches stderr, so that a bar makes sense.
    pub(crate) fn is_watched(&self) -> bool {
        self.terminal
    }

    /// Whether data may carry colours.
    pub(crate) fn has_colours(&self) -> bool {
        self.colours
    }

    /// One JSON value on a line of its own.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub(crate) fn json(&self, value: &Value) -> io::Result<()> {
        self.text(&value.to_string())
    }

    /// A table for people.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub(crate) fn table(&self, table: &Table) -> io::Result<()> {
        self.text(&table.render(self.colours))
    }

    /// Other data for people, without its last line end.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub(crate) fn text(&self, text: &str) -> io::Result<()> {
        let mut data = lock(&self.data);
        writeln!(data, "{text}")?;
        data.flush()
    }

    /// Says something to whoever is there; nobody there is no failure.
    pub(crate) fn say(&self, text: &str) {
        writeln!(lock(&self.talk), "{text}").ok();
    }
}

fn lock<T: ?Sized>(stream: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere does not make a stream unusable.
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an [`Output`] in memory has got.
#[derive(Clone, Default)]
pub struct Captured {
    data: Arc<Mutex<Vec<u8>>>,
    talk: Arc<Mutex<Vec<u8>>>,
}

impl Captured {
    /// All data so far.
    pub fn data(&self) -> String {
        text_of(&self.data)
    }

    /// All talk so far.
    pub fn talk(&self) -> String {
        text_of(&self.talk)
    }
}

fn text_of(bytes: &Mutex<Vec<u8>>) -> String {
    let bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&bytes).into_owned()
}
