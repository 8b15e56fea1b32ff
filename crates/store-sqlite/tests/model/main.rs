//! Random commands against a plain model of lanes: after each one, every state and count agree.

mod operators;
mod plain;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::delivery::{Answer, LanePolicy, Outcome, ParkReason, RetryCause};
use lienthong_domain::{DeliveryState, DossierStatus};
use lienthong_ports::Store;
use lienthong_ports::conformance::store::{at, code, destination, offer};
use lienthong_ports::operators::OperationKind;
use lienthong_ports::store::{Actor, ClaimTerms, DestinationSpec, Finish, Next};
use lienthong_store_sqlite::{Config, MEMORY, SqliteStore};
use lienthong_vault::Vault;
use proptest::prelude::*;

use DeliveryState::{Calling, Done, Queued, Ready, Sent};
use plain::{Entry, Model};

/// Dossiers of a run; few, so that lanes grow long.
const DOSSIERS: u32 = 3;
const WINDOW: u32 = 3;
const LEASE_SECONDS: i64 = 60;
const CRASHES_MAX: u32 = 2;

/// One step. Numbers choose among what there is at the time.
#[derive(Clone, Debug)]
enum Step {
    Push {
        dossier: u32,
    },
    Claim {
        batch: u32,
    },
    Unclaim {
        pick: usize,
    },
    Begin {
        pick: usize,
    },
    Finish {
        pick: usize,
        next: u8,
    },
    Wait {
        seconds: i64,
    },
    Expire,
    Recover,
    Bury {
        pick: usize,
    },
    Operate {
        discard: bool,
        allow: bool,
        pick: Option<usize>,
    },
    Pause {
        paused: bool,
    },
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..DOSSIERS).prop_map(|dossier| Step::Push { dossier }),
        6 => (1..4_u32).prop_map(|batch| Step::Claim { batch }),
        1 => any::<usize>().prop_map(|pick| Step::Unclaim { pick }),
        6 => any::<usize>().prop_map(|pick| Step::Begin { pick }),
        6 => (any::<usize>(), 0..4_u8).prop_map(|(pick, next)| Step::Finish { pick, next }),
        2 => (1..90_i64).prop_map(|seconds| Step::Wait { seconds }),
        2 => Just(Step::Expire),
        1 => Just(Step::Recover),
        1 => any::<usize>().prop_map(|pick| Step::Bury { pick }),
        5 => (prop::bool::weighted(0.4), any::<bool>(), any::<Option<usize>>())
            .prop_map(|(discard, allow, pick)| Step::Operate { discard, allow, pick }),
        1 => any::<bool>().prop_map(|paused| Step::Pause { paused }),
        1 => Just(Step::Reopen),
    ]
}

/// The store and the model side by side.
struct Pair {
    store: SqliteStore,
    config: Config,
    model: Model,
}

impl Pair {
    fn new(policy: LanePolicy) -> Self {
        let spec = DestinationSpec {
            name: destination("dvcqg"),
            lane: policy,
        };
        let config = Config::new(MEMORY, vec![spec], Arc::new(Vault::for_tests(1)));
        let store = SqliteStore::open_inline(&config).expect("a database in memory opens");
        let model = Model {
            policy,
            entries: Vec::new(),
            paused: false,
            now: 0,
            messages: Vec::new(),
        };
        Self {
            store,
            config,
            model,
        }
    }

    async fn take(&mut self, step: &Step) {
        let now = self.model.now;
        let name = destination("dvcqg");
        match *step {
            Step::Push { dossier } => self.push(dossier).await,
            Step::Claim { batch } => {
                let lease = Duration::from_mins(1);
                let terms = ClaimTerms {
                    now: at(now),
                    lease,
                    window: WINDOW,
                    batch,
                };
                let claimed = self.store.claim(&name, terms).await.expect("claim");
                assert_eq!(claimed, self.model.claim(batch));
                self.model.messages.extend(claimed);
            }
            Step::Unclaim { pick } => {
                let Some(message) = self.model.pick(pick) else {
                    return;
                };
                self.store
                    .unclaim(&[message], at(now + 3))
                    .await
                    .expect("unclaim");
                if let Some(index) = self.model.fresh(message, Sent) {
                    self.model.ready(index, now + 3);
                }
            }
            Step::Begin { pick } => self.begin(pick).await,
            Step::Finish { pick, next } => self.finish(pick, next).await,
            Step::Wait { seconds } => self.model.now += seconds,
            Step::Expire => self.expire().await,
            Step::Recover => self.recover().await,
            Step::Bury { pick } => self.bury(pick).await,
            Step::Operate {
                discard,
                allow,
                pick,
            } => self.operate(kind_of(discard), allow, pick).await,
            Step::Pause { paused } => {
                assert!(
                    self.store
                        .set_paused(&name, paused, actor(now))
                        .await
                        .expect("pause")
                );
                self.model.paused = paused;
            }
            Step::Reopen => {
                self.store = self
                    .store
                    .reopen_inline(&self.config)
                    .expect("the database is there");
            }
        }
    }

    async fn push(&mut self, dossier: u32) {
        let lane = self.model.lane(dossier);
        let sequence = i64::try_from(lane.len()).expect("small") + 1;
        let key = format!("{dossier}/{sequence}");
        let mut offer = offer(
            &key,
            &code(dossier),
            DossierStatus::Processing,
            self.model.now,
        );
        if let Some(details) = &mut offer.event.details {
            details.due_at = Some(at(i64::from(dossier)));
        }
        let receipt = self
            .store
            .accept(vec![offer])
            .await
            .expect("accept")
            .remove(0);
        assert_eq!(receipt.expect("allowed").sequence, sequence);
        let entries = self
            .store
            .timeline(&code(dossier), sequence - 1, 1)
            .await
            .expect("timeline");
        self.model.entries.push(Entry {
            id: entries[0].deliveries[0].id.0,
            dossier,
            sequence,
            state: Queued,
            fence: 0,
            counted: 0,
            crashes: 0,
            attempts: 0,
            next_at: self.model.now,
            lease_until: 0,
        });
        self.model.settle(dossier, self.model.now);
    }

    async fn begin(&mut self, pick: usize) {
        let Some(message) = self.model.pick(pick) else {
            return;
        };
        let now = self.model.now;
        let until = at(now + LEASE_SECONDS);
        let work = self
            .store
            .begin(&[message], at(now), until)
            .await
            .expect("begin")
            .remove(0);
        let index = self.model.fresh(message, Sent);
        assert_eq!(work.is_some(), index.is_some());
        let (Some(work), Some(index)) = (work, index) else {
            return;
        };
        let entry = self.model.entries[index].clone();
        let before = self
            .model
            .lane(entry.dossier)
            .into_iter()
            .map(|index| &self.model.entries[index]);
        let delivered = before
            .filter(|other| other.sequence < entry.sequence)
            .any(|other| other.state == Done);
        assert_eq!(
            (work.sequence, work.delivered_before),
            (entry.sequence, delivered)
        );
        assert_eq!(
            (work.counted, work.attempt as usize),
            (entry.counted, entry.attempts + 1)
        );
        self.model.entries[index].state = Calling;
        self.model.entries[index].lease_until = now + LEASE_SECONDS;
    }

    async fn finish(&mut self, pick: usize, next: u8) {
        let Some(message) = self.model.pick(pick) else {
            return;
        };
        let now = self.model.now;
        let (retry_at, counted) = (now + 10, next == 1);
        let (outcome, next) = match next {
            0 => (Outcome::Delivered, Next::Done),
            1 | 2 => (
                Outcome::Retry {
                    cause: RetryCause::Answer,
                    after: None,
                },
                Next::RetryAt {
                    at: at(retry_at),
                    counted,
                },
            ),
            _ => (Outcome::Rejected, Next::Park(ParkReason::Rejected)),
        };
        let finish = Finish {
            message,
            started_at: at(now),
            took: Duration::ZERO,
            answer: Answer::new(outcome, "x", None, "trả lời"),
            next,
            span_id: None,
        };
        let done = self
            .store
            .finish(vec![finish])
            .await
            .expect("finish")
            .remove(0);
        let index = self.model.fresh(message, Calling);
        assert_eq!(done, index.is_some());
        let Some(index) = index else { return };
        let entry = &mut self.model.entries[index];
        entry.attempts += 1;
        match next {
            Next::Done => {
                entry.counted += 1;
                entry.state = Done;
                let dossier = entry.dossier;
                self.model.settle(dossier, now);
            }
            Next::RetryAt { .. } => {
                entry.counted += u32::from(counted);
                self.model.ready(index, retry_at);
            }
            Next::Park(_) => {
                entry.counted += 1;
                self.model.park(index);
            }
        }
    }

    async fn expire(&mut self) {
        let now = self.model.now;
        let expired = self
            .store
            .expire(at(now), CRASHES_MAX, 100)
            .await
            .expect("expire");
        let mut run_out: Vec<_> = (0..self.model.entries.len())
            .filter(|index| {
                let entry = &self.model.entries[*index];
                matches!(entry.state, Sent | Calling) && entry.lease_until <= now
            })
            .collect();
        run_out.sort_by_key(|index| {
            let entry = &self.model.entries[*index];
            (entry.lease_until, entry.id)
        });
        let (mut sent, mut calling, mut parked) = (0, 0, 0);
        for index in run_out {
            let entry = &mut self.model.entries[index];
            if entry.state == Sent {
                sent += 1;
                self.model.ready(index, now);
                continue;
            }
            entry.crashes += 1;
            entry.attempts += 1;
            if entry.crashes >= CRASHES_MAX {
                parked += 1;
                self.model.park(index);
            } else {
                calling += 1;
                self.model.ready(index, now);
            }
        }
        assert_eq!(
            (expired.sent, expired.calling, expired.parked),
            (sent, calling, parked)
        );
    }

    async fn recover(&mut self) {
        let now = self.model.now;
        let freed = self.store.recover(at(now)).await.expect("recover");
        let sent: Vec<_> = (0..self.model.entries.len())
            .filter(|index| self.model.entries[*index].state == Sent)
            .collect();
        assert_eq!(freed, sent.len() as u64);
        for index in sent {
            self.model.ready(index, now);
        }
    }

    async fn bury(&mut self, pick: usize) {
        let Some(message) = self.model.pick(pick) else {
            return;
        };
        let buried = self
            .store
            .bury(&[message], at(self.model.now))
            .await
            .expect("bury");
        let index = self.model.fresh(message, Sent);
        assert_eq!(buried, u64::from(index.is_some()));
        if let Some(index) = index {
            self.model.park(index);
        }
    }

    /// Every delivery and every count, as people see them.
    async fn compare(&self) {
        let mut by_state = [0; 8];
        let mut found = BTreeMap::new();
        for dossier in 0..DOSSIERS {
            for entry in self
                .store
                .timeline(&code(dossier), 0, 1_000)
                .await
                .expect("timeline")
            {
                let delivery = &entry.deliveries[0];
                by_state[usize::from(delivery.state.code())] += 1;
                let due = delivery.next_attempt_at;
                let shown = (
                    delivery.state,
                    delivery.attempts_counted,
                    delivery.attempts.len(),
                    due,
                );
                found.insert(delivery.id.0, shown);
            }
        }
        let expected: BTreeMap<_, _> = self
            .model
            .entries
            .iter()
            .map(|entry| {
                let due = (entry.state == Ready).then(|| at(entry.next_at));
                (entry.id, (entry.state, entry.counted, entry.attempts, due))
            })
            .collect();
        assert_eq!(found, expected);
        assert_eq!(
            self.store.counts().await.expect("counts")[0].by_state,
            by_state
        );
        let due = self
            .store
            .next_due(&destination("dvcqg"))
            .await
            .expect("due");
        let first = self
            .model
            .entries
            .iter()
            .filter(|entry| entry.state == Ready);
        assert_eq!(due, first.map(|entry| at(entry.next_at)).min());
    }
}

fn kind_of(discard: bool) -> OperationKind {
    if discard {
        OperationKind::Discard
    } else {
        OperationKind::Replay
    }
}

fn actor(seconds: i64) -> Actor {
    Actor {
        by: "H21/console".into(),
        reason: "thử".into(),
        now: at(seconds),
    }
}

fn run(policy: LanePolicy, steps: &[Step]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut pair = Pair::new(policy);
        for step in steps {
            pair.take(step).await;
            pair.compare().await;
            pair.compare_operators().await;
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn hold_agrees_with_the_model(steps in prop::collection::vec(step(), 1..80)) {
        run(LanePolicy::Hold, &steps);
    }

    #[test]
    fn skip_agrees_with_the_model(steps in prop::collection::vec(step(), 1..80)) {
        run(LanePolicy::Skip, &steps);
    }

    #[test]
    fn latest_agrees_with_the_model(steps in prop::collection::vec(step(), 1..80)) {
        run(LanePolicy::Latest, &steps);
    }
}
