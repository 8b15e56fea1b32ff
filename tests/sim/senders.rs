//! The provinces: they push by script, and repeat what got no definite answer with the same keys.

use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::participant::Caller;
use lienthong_domain::{ErrorCode, Operator, StatusEvent};
use lienthong_ports::store::Receipt;
use lienthong_services::{Error, Services};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::draw::Draw;
use crate::ledger::{Answered, Shared};
use crate::model::content;
use crate::script::Push;

/// A running gateway as its callers reach it.
#[derive(Clone)]
pub(crate) struct Door {
    pub services: Arc<Services>,
    pub dead: CancellationToken,
}

/// The door, while the gateway runs.
pub(crate) type Doors = watch::Receiver<Option<Door>>;

/// How often a province repeats before it gives the answer up.
const REPEATS_MAX: u32 = 200;
/// The wait at a closed door.
const KNOCK_PAUSE: Duration = Duration::from_millis(250);

impl Door {
    pub(crate) fn caller(&self, participant: &str, system: &str) -> Caller {
        self.services
            .caller(participant, system, &[0; 32])
            .expect("the registry of the run knows it")
    }

    /// The operator on duty.
    pub(crate) fn operator(&self) -> Operator {
        let caller = self.caller("H01", "vanhanh");
        let operator = lienthong_services::operators::of_caller(&caller);
        operator.expect("the registry of the run gives it the role")
    }

    /// What `asked` answers, unless the gateway dies before.
    pub(crate) async fn ask<T>(&self, asked: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.dead.cancelled() => None,
            answer = asked => Some(answer),
        }
    }
}

/// The door of the running gateway. It knocks by a timer, because the order in which a channel of tokio's
/// wakes its receivers is not decided by the seed.
async fn open(doors: &Doors) -> Door {
    loop {
        if let Some(door) = doors.borrow().clone() {
            return door;
        }
        tokio::time::sleep(KNOCK_PAUSE).await;
    }
}

/// Performs one push of the script.
pub(crate) async fn push(push: Push, doors: Doors, draw: Draw, ledger: Shared) {
    tokio::time::sleep(Duration::from_millis(push.at_ms)).await;
    let mut waiting = push.events;
    for _ in 0..REPEATS_MAX {
        let door = open(&doors).await;
        let caller = door.caller(push.participant, "motcua");
        let answers = door
            .ask(door.services.push(&caller, waiting.clone(), None))
            .await;
        let Some(answers) = answers else {
            tokio::time::sleep(Duration::from_millis(draw.between(100, 5_000))).await;
            continue;
        };
        if answers.len() != waiting.len() {
            ledger.violated("I1", "not one answer per event");
        }
        let asked = std::mem::take(&mut waiting);
        for (event, answer) in asked.into_iter().zip(answers) {
            if is_definite(&answer) {
                note(
                    &ledger,
                    push.participant,
                    &event,
                    Some(answer.map_err(|error| error.code)),
                );
            } else {
                waiting.push(event);
            }
        }
        if waiting.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(draw.between(100, 5_000))).await;
    }
    for event in waiting {
        note(&ledger, push.participant, &event, None);
    }
}

/// Whether the caller now knows what became of its event.
fn is_definite(answer: &Result<Receipt, Error>) -> bool {
    use ErrorCode::{IntakeFull, Internal, StoreFull, StoreUnavailable};
    match answer {
        Ok(_) => true,
        Err(error) => !matches!(
            error.code,
            StoreUnavailable | StoreFull | IntakeFull | Internal
        ),
    }
}

fn note(
    ledger: &Shared,
    participant: &'static str,
    event: &StatusEvent,
    answer: Option<Result<Receipt, ErrorCode>>,
) {
    ledger.tell(|| format!("{participant} knows of {:?}: {answer:?}", event.key));
    ledger.open().answers.push(Answered {
        participant,
        key: event.key.as_str().to_owned(),
        content: content(event),
        answer,
    });
}
