//! What was seen during a run, by whoever saw it: the material of the invariants.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use lienthong_domain::{DeliveryId, DestinationName, ErrorCode, Fence, Outcome, Timestamp};
use lienthong_ports::store::{Next, Receipt};
use tokio::time::Instant;

use crate::drafts;
use crate::script::Call;

/// One call of the destination, as the destination saw it.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    pub lane: DestinationName,
    pub delivery: DeliveryId,
    pub fence: Fence,
    pub step: u8,
    pub counted: u32,
    pub begun: Timestamp,
    pub ended: Option<Timestamp>,
    /// `None` for a call whose caller went away.
    pub outcome: Option<Outcome>,
}

/// Something a destination now holds.
#[derive(Clone, Debug)]
pub(crate) struct Effect {
    pub lane: DestinationName,
    pub delivery: DeliveryId,
    pub dossier: String,
    pub sequence: i64,
    pub step: u8,
    pub content: String,
    pub at: Timestamp,
    /// Its packets were frozen past the lease of their call; only the receiver can tell those.
    pub ghost: bool,
}

/// An outcome that the store recorded.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    pub delivery: DeliveryId,
    pub fence: Fence,
    pub outcome: Outcome,
    pub ended: Timestamp,
    pub next: Next,
}

/// An answer that a province got.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub participant: &'static str,
    pub key: String,
    pub content: String,
    /// A receipt, or a refusal; the ambiguous ones are retried, and count as `None` in the end.
    pub answer: Option<Result<Receipt, ErrorCode>>,
}

/// Everything seen.
pub(crate) struct Ledger {
    began: Instant,
    printing: bool,
    pub violations: Vec<String>,
    pub calls: Vec<Called>,
    pub effects: Vec<Effect>,
    pub begins: BTreeSet<(DeliveryId, Fence)>,
    pub finishes: Vec<Finished>,
    pub answers: Vec<Answered>,
    pub replays: Vec<(DeliveryId, Timestamp)>,
    pub discards: BTreeSet<DeliveryId>,
    pub crashes: Vec<Timestamp>,
    pub counts: BTreeMap<Call, u64>,
    /// What happened, in order, for the comparison of two runs and for people.
    pub lines: Vec<String>,
}

impl Ledger {
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

/// The ledger in the hands of all parts of a run.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<Ledger>>);

impl Shared {
    pub(crate) fn new(printing: bool) -> Self {
        Self(Arc::new(Mutex::new(Ledger {
            began: Instant::now(),
            printing,
            violations: Vec::new(),
            calls: Vec::new(),
            effects: Vec::new(),
            begins: BTreeSet::new(),
            finishes: Vec::new(),
            answers: Vec::new(),
            replays: Vec::new(),
            discards: BTreeSet::new(),
            crashes: Vec::new(),
            counts: BTreeMap::new(),
            lines: Vec::new(),
        })))
    }

    pub(crate) fn open(&self) -> MutexGuard<'_, Ledger> {
        self.0
            .lock()
            .expect("nothing panics with the ledger in hand")
    }

    /// Notes what happened.
    #[expect(
        clippy::print_stdout,
        reason = "whoever asks for one seed wants to read it"
    )]
    pub(crate) fn tell(&self, text: impl FnOnce() -> String) {
        let mut ledger = self.open();
        let line = format!("{:>10} ms {}", ledger.began.elapsed().as_millis(), text());
        if ledger.printing {
            println!("{line}");
        }
        ledger.lines.push(line);
    }

    /// Notes a broken invariant.
    pub(crate) fn violated(&self, invariant: &str, text: &str) {
        self.tell(|| format!("VIOLATED {invariant}: {text}"));
        self.open().violations.push(format!("{invariant}: {text}"));
    }

    /// The present instant of the run.
    pub(crate) fn now(&self) -> Timestamp {
        drafts::base() + self.elapsed()
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.open().elapsed()
    }

    /// Counts one more `call`; the count.
    pub(crate) fn count(&self, call: Call) -> u64 {
        let mut ledger = self.open();
        let count = ledger.counts.entry(call).or_default();
        *count += 1;
        *count
    }
}
