//! A destination that misbehaves by script and remembers everything it was told.
//!
//! A call that has arrived takes effect even if its caller is gone by then, as packets do; but never
//! later than the time-out of the call, except for the ghosts, which are marked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use lienthong_domain::delivery::RetryCause;
use lienthong_domain::{Answer, DestinationName, Outcome, Timestamp};
use lienthong_ports::Destination;
use lienthong_ports::store::Work;
use tokio_util::sync::CancellationToken;

use crate::draw::Draw;
use crate::ledger::{Called, Effect, Shared};
use crate::model::{SharedModel, told_by};
use crate::mutants::Mutant;
use crate::script::{LaneScript, Weather};

/// See the module.
pub(crate) struct ScriptedDestination {
    pub script: LaneScript,
    pub seed: u64,
    pub ghost_permille: u64,
    pub lease: Duration,
    pub draw: Draw,
    pub ledger: Shared,
    pub model: SharedModel,
    pub healed: CancellationToken,
    pub mutant: Arc<Mutant>,
    /// Effects under way.
    pub coming: Mutex<Vec<Effect>>,
}

/// What becomes of one call.
struct Fate {
    /// When it takes effect, from its arrival.
    applies: Option<Duration>,
    ghost: bool,
    /// When it is answered; `None` is never.
    answers: Option<(Duration, Outcome)>,
}

impl ScriptedDestination {
    /// Lets the effects happen that are due.
    pub(crate) fn settle(&self, now: Timestamp) {
        let mut coming = self.coming.lock().expect("nothing panics with it in hand");
        coming.sort_by_key(|effect| effect.at);
        let due = coming.iter().take_while(|effect| effect.at <= now).count();
        for effect in coming.drain(..due) {
            self.ledger.tell(|| {
                let Effect {
                    lane,
                    dossier,
                    sequence,
                    step,
                    ghost,
                    ..
                } = &effect;
                format!("{lane} holds {dossier}/{sequence} step {step}, ghost: {ghost}")
            });
            self.ledger.open().effects.push(effect);
        }
    }

    fn weather(&self) -> Weather {
        let now_ms = u64::try_from(self.ledger.elapsed().as_millis()).expect("a short run");
        if self.healed.is_cancelled() {
            return Weather::Fine;
        }
        let spells = self.script.weather.iter().rev();
        spells
            .clone()
            .find(|(from_ms, _)| *from_ms <= now_ms)
            .map_or(Weather::Fine, |spell| spell.1)
    }

    /// Whether this event is refused: decided by seed, dossier and sequence. Half of the refusals end with
    /// the healing, as when the dossier's data has been put right at the destination.
    pub(crate) fn refuses(&self, dossier: &str, sequence: i64) -> bool {
        let text = format!("{}/{dossier}/{sequence}", self.script.name);
        let hash = text.bytes().fold(self.seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let healed = self.healed.is_cancelled() && hash & (1 << 40) != 0;
        (hash >> 20) % 1_000 < self.script.poison_permille && !healed
    }

    fn fate(&self, work: &Work, timeout: Duration) -> Fate {
        let draw = &self.draw;
        let soon = Duration::from_millis(draw.between(1, 200));
        let refuses = self.refuses(work.dossier.as_str(), work.sequence);
        let good = if work.step + 1 < self.script.steps {
            Outcome::Advanced {
                step: work.step + 1,
            }
        } else {
            Outcome::Delivered
        };
        let after = draw
            .chance(300)
            .then(|| Duration::from_secs(draw.between(1, 60)));
        let retry = |cause| Outcome::Retry { cause, after };
        let told = |outcome| Fate {
            applies: None,
            ghost: false,
            answers: Some((soon * 2, outcome)),
        };
        let done = Fate {
            applies: Some(soon),
            ghost: false,
            answers: Some((soon * 2, good)),
        };
        let late = timeout.saturating_sub(Duration::from_millis(draw.between(1, 2_000)));
        match (self.weather(), draw.below(100)) {
            (Weather::Outage, 0..70) => told(retry(RetryCause::Transport)),
            (Weather::Outage, _) => Fate {
                applies: None,
                ghost: false,
                answers: None,
            },
            (_, _) if refuses => told(Outcome::Rejected),
            (Weather::Fine, _) | (Weather::Flaky, 0..45) | (Weather::Overloaded, 0..30) => done,
            (Weather::Overloaded, _) => told(Outcome::Overloaded { after }),
            (Weather::Flaky, 45..55) => told(retry(RetryCause::Answer)),
            (Weather::Flaky, 55..65) => told(retry(RetryCause::Transport)),
            // It took effect, and the answer was lost or came as an error.
            (Weather::Flaky, 65..75) => Fate {
                answers: Some((soon * 2, retry(RetryCause::Transport))),
                ..done
            },
            (Weather::Flaky, 75..80) => Fate {
                answers: None,
                ..done
            },
            (Weather::Flaky, 80..88) => Fate {
                applies: Some(late),
                answers: None,
                ..done
            },
            (Weather::Flaky, 88..94) => Fate {
                applies: Some(late),
                answers: Some((late, good)),
                ..done
            },
            (Weather::Flaky, _) => Fate {
                applies: None,
                ghost: false,
                answers: None,
            },
        }
    }

    fn arrive(&self, work: &Work, fate: &Fate) {
        let ghost = fate.ghost || self.draw.chance(self.ghost_permille) && fate.answers.is_none();
        let beyond = Duration::from_millis(self.draw.between(1, 100_000));
        let applies = if ghost {
            Some(self.lease + beyond)
        } else {
            fate.applies
        };
        let Some(applies) = applies else { return };
        let effect = Effect {
            lane: self.script.name.clone(),
            delivery: work.message.delivery,
            dossier: work.dossier.to_string(),
            sequence: work.sequence,
            step: work.step,
            content: told_by(work),
            at: self.ledger.now() + self.mutant.overtaken().unwrap_or(applies),
            ghost,
        };
        self.coming
            .lock()
            .expect("nothing panics with it in hand")
            .push(effect);
    }

    /// I2, I4 and I8 as far as a call alone tells.
    fn examine(&self, work: &Work) {
        let known = self
            .model
            .lock()
            .expect("nothing panics with it")
            .told(work.dossier.as_str(), work.sequence);
        if known.as_deref() != Some(&told_by(work)) {
            self.ledger.violated(
                "I2",
                &format!("told {}\n  accepted {known:?}", told_by(work)),
            );
        }
        let ledger = self.ledger.open();
        let of_lane = |effect: &&Effect| {
            effect.lane == work.destination && effect.dossier == work.dossier.as_str()
        };
        let before = ledger
            .effects
            .iter()
            .filter(of_lane)
            .any(|effect| effect.sequence < work.sequence);
        drop(ledger);
        if work.delivered_before && !before {
            self.ledger.violated(
                "I2",
                &format!(
                    "{}/{}: nothing was delivered before",
                    work.dossier, work.sequence
                ),
            );
        }
    }
}

/// Closes the record of a call whose caller went away.
struct Record<'a> {
    ledger: &'a Shared,
    index: usize,
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        let now = self.ledger.now();
        self.ledger.open().calls[self.index]
            .ended
            .get_or_insert(now);
    }
}

#[async_trait]
impl Destination for ScriptedDestination {
    fn name(&self) -> &DestinationName {
        &self.script.name
    }

    async fn deliver(&self, work: &Work, timeout: Duration) -> Answer {
        let begun = self.ledger.now();
        self.settle(begun);
        self.examine(work);
        let fate = self.fate(work, timeout);
        self.arrive(work, &fate);
        self.ledger.tell(|| {
            let how = fate.answers.map(|(_, outcome)| outcome);
            let Work { message, dossier, sequence, step, attempt, counted, .. } = work;
            format!("call {message:?} {dossier}/{sequence} step {step} attempt {attempt} counted {counted}: {how:?}")
        });
        let index = {
            let mut ledger = self.ledger.open();
            ledger.calls.push(Called {
                lane: work.destination.clone(),
                delivery: work.message.delivery,
                fence: work.message.fence,
                step: work.step,
                counted: work.counted,
                begun,
                ended: None,
                outcome: None,
            });
            ledger.calls.len() - 1
        };
        let record = Record {
            ledger: &self.ledger,
            index,
        };
        let Some((wait, outcome)) = fate.answers else {
            return std::future::pending().await;
        };
        tokio::time::sleep(wait).await;
        let now = self.ledger.now();
        self.settle(now);
        self.ledger.open().calls[index].outcome = Some(outcome);
        drop(record);
        Answer::new(outcome, "SIM", None, "câu trả lời của cổng mô phỏng")
    }

    async fn check(&self, _timeout: Duration) -> Result<(), String> {
        Ok(())
    }
}
