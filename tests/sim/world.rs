//! One run: a gateway that dies and comes back over one database, its surroundings, and the end of it.

use std::sync::Arc;
use std::time::Duration;

use lienthong_delivery::{Delivery, operations};
use lienthong_domain::Clock;
use lienthong_ports::store::DestinationSpec;
use lienthong_ports::{Broker, Destination, Store};
use lienthong_services::{Registry, Seams, Services};
use lienthong_store_sqlite::{Config, MEMORY, SqliteStore};
use lienthong_vault::Vault;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::broker::FaultyBroker;
use crate::destination::ScriptedDestination;
use crate::drafts;
use crate::draw::Draw;
use crate::faults::{Faults, Life};
use crate::ledger::Shared;
use crate::model::SharedModel;
use crate::mutants::{Mutant, Mutation};
use crate::script::{Crash, LaneScript, Script, Trouble};
use crate::senders::{self, Door};
use crate::store::SimStore;

const REGISTRY: &str = r#"
    [[participant]]
    id = "H56"
    name = "Thanh Hóa"
    [[participant.system]]
    name = "motcua"
    role = "push"
    [[participant]]
    id = "H21"
    name = "Gia Lai"
    transitions = "warn"
    [[participant.system]]
    name = "motcua"
    role = "push"
    [[participant]]
    id = "H01"
    name = "Vận hành"
    [[participant.system]]
    name = "vanhanh"
    role = "operator"
"#;

/// Everything of a run that is not the gateway.
pub(crate) struct World {
    pub script: Script,
    pub ledger: Shared,
    pub model: SharedModel,
    pub destinations: Vec<Arc<ScriptedDestination>>,
    pub database: Arc<SqliteStore>,
    faults: Arc<Faults>,
    mutant: Arc<Mutant>,
    broker: Arc<FaultyBroker>,
    clock: Clock,
    pub draw: Draw,
    pub doors: watch::Sender<Option<Door>>,
}

/// A gateway that runs.
struct Gateway {
    life: Life,
    /// Dropped at a crash, with everything the gateway was doing.
    _tasks: JoinSet<()>,
}

/// Runs `seed`; the world as it is in the end.
pub(crate) async fn run(seed: u64, mutation: Mutation, printing: bool) -> World {
    let mut world = World::new(Script::of(seed), mutation, printing);
    let mut pushes = JoinSet::new();
    for (number, push) in world.script.pushes.iter().enumerate() {
        for copy in 0..push.copies {
            let draw = Draw::new(seed, 1_000 + 10 * number as u64 + copy);
            let (doors, ledger) = (world.doors.subscribe(), world.ledger.clone());
            pushes.spawn(senders::push(push.clone(), doors, draw, ledger));
        }
    }
    let mut gateway = world.start(true).await;
    gateway = world.trouble(gateway).await;
    world.faults.healed.cancel();
    world.ledger.tell(|| "healed".to_owned());
    for lane in 0..world.script.lanes.len() {
        world.pause(lane, false).await;
    }
    while pushes.join_next().await.is_some() {}
    world.drain().await;
    drop(gateway);
    // The last packets under way, and the ghosts.
    tokio::time::sleep(Duration::from_mins(10)).await;
    let now = world.ledger.now();
    world
        .destinations
        .iter()
        .for_each(|destination| destination.settle(now));
    world
}

impl World {
    fn new(script: Script, mutation: Mutation, printing: bool) -> Self {
        let ledger = Shared::new(printing);
        let seed = script.seed;
        let healed = CancellationToken::new();
        let mutant = Arc::new(Mutant::new(mutation));
        let model = SharedModel::default();
        let lease = script.delivery.lease();
        let began = tokio::time::Instant::now();
        let destination = |(index, lane): (usize, &LaneScript)| {
            Arc::new(ScriptedDestination {
                script: lane.clone(),
                seed,
                ghost_permille: script.ghost_permille,
                lease,
                draw: Draw::new(seed, 10 + index as u64),
                ledger: ledger.clone(),
                model: Arc::clone(&model),
                healed: healed.clone(),
                mutant: Arc::clone(&mutant),
                coming: Vec::new().into(),
            })
        };
        let faults = Faults {
            draw: Draw::new(seed, 3),
            fault_permille: script.store_fault_permille,
            freeze_permille: script.freeze_permille,
            lease,
            deaths: script.deaths.clone(),
            healed: healed.clone(),
        };
        let database = SqliteStore::open_inline(&database_config(&script, &mutant));
        Self {
            destinations: script.lanes.iter().enumerate().map(destination).collect(),
            database: Arc::new(database.expect("a database in memory opens")),
            faults: Arc::new(faults),
            broker: Arc::new(broker(&script, &ledger, &healed, &mutant)),
            mutant,
            clock: Clock::from_fn(move || drafts::base() + began.elapsed()),
            draw: Draw::new(seed, 4),
            doors: watch::Sender::new(None),
            ledger,
            model,
            script,
        }
    }

    /// Starts a gateway as `serve` does.
    async fn start(&mut self, recover: bool) -> Gateway {
        let life = Life::default();
        let watched = Arc::new(SimStore {
            inner: Arc::clone(&self.database),
            life: life.clone(),
            faults: Arc::clone(&self.faults),
            ledger: self.ledger.clone(),
            model: Arc::clone(&self.model),
            mutant: Arc::clone(&self.mutant),
            watchers: Vec::new().into(),
        });
        let store: Arc<dyn Store> = watched.clone();
        if recover {
            self.database
                .recover(self.clock.now())
                .await
                .expect("an open store recovers");
        }
        let broker: Arc<dyn Broker> = self.broker.clone();
        let delivery = loop {
            let destinations = self
                .destinations
                .iter()
                .map(|one| one.clone() as Arc<dyn Destination>);
            let made = Delivery::new(
                store.clone(),
                broker.clone(),
                destinations.collect(),
                self.script.delivery.clone(),
                self.clock.clone(),
                self.draw.random(),
            );
            if let Ok(delivery) = made.await {
                break delivery;
            }
        };
        let registry = Registry::parse(REGISTRY).expect("the registry is written above");
        let (clock, random) = (self.clock.clone(), self.draw.random());
        let mut tasks = JoinSet::new();
        tasks.spawn(operations::run(
            watched.clone(),
            store.wakeups(),
            clock.clone(),
            CancellationToken::new(),
        ));
        let seams = Seams {
            store,
            operators: watched,
            broker,
        };
        // One person is on duty, so nobody could approve.
        let alone = lienthong_services::operators::Config {
            approval_above: u64::MAX,
            replay_approval_above: u64::MAX,
            ..lienthong_services::operators::Config::default()
        };
        let services = Services::new(seams, delivery.gauges(), registry, clock, random);
        let services = services.with_operators(alone);
        tasks.spawn(delivery.run(CancellationToken::new()));
        let door = Door {
            services: Arc::new(services),
            dead: life.dead.clone(),
        };
        self.doors.send_replace(Some(door));
        self.ledger.tell(|| "gateway started".to_owned());
        Gateway {
            life,
            _tasks: tasks,
        }
    }

    /// Does to the gateway what the script says, until the healing.
    async fn trouble(&mut self, mut gateway: Gateway) -> Gateway {
        let mut troubles = std::mem::take(&mut self.script.troubles)
            .into_iter()
            .peekable();
        loop {
            let next_ms = troubles
                .peek()
                .map_or(self.script.heal_ms, |(at_ms, _)| *at_ms);
            let wait = Duration::from_millis(next_ms).saturating_sub(self.ledger.elapsed());
            let died = tokio::select! {
                biased;
                () = gateway.life.dead.cancelled() => true,
                () = tokio::time::sleep(wait) => false,
            };
            if died {
                let crash = *gateway
                    .life
                    .killed
                    .lock()
                    .expect("nothing panics with it in hand");
                gateway = self.crash(gateway, crash.expect("a write killed it")).await;
                continue;
            }
            match troubles.next() {
                None => return gateway,
                Some((_, Trouble::Crash(crash))) => gateway = self.crash(gateway, crash).await,
                Some((_, Trouble::Wipe)) => self.broker.wipe(),
                Some((_, Trouble::Pause { lane, paused })) => self.pause(lane, paused).await,
                Some((_, Trouble::Replay)) => self.replay(Vec::new(), true).await,
                Some((_, Trouble::Discard)) => self.discard_some().await,
            }
        }
    }

    /// Kills the gateway wherever it stands and starts another on the same database.
    async fn crash(&mut self, gateway: Gateway, crash: Crash) -> Gateway {
        self.ledger.tell(|| format!("{crash:?}"));
        let now = self.clock.now();
        self.ledger.open().crashes.push(now);
        gateway.life.dead.cancel();
        self.doors.send_replace(None);
        drop(gateway);
        tokio::time::sleep(crash.down).await;
        let config = database_config(&self.script, &self.mutant);
        let reopened = self
            .database
            .reopen_inline(&config)
            .expect("the database reopens");
        self.database = Arc::new(reopened);
        if !crash.keep_broker {
            let healed = &self.faults.healed;
            self.broker = Arc::new(broker(&self.script, &self.ledger, healed, &self.mutant));
        }
        self.start(crash.recover).await
    }
}

fn database_config(script: &Script, mutant: &Mutant) -> Config {
    let spec = |lane: &LaneScript| DestinationSpec {
        name: lane.name.clone(),
        lane: mutant.policy(lane.policy),
    };
    Config {
        readers: 0,
        ..Config::new(
            MEMORY,
            script.lanes.iter().map(spec).collect(),
            Arc::new(Vault::for_tests(1)),
        )
    }
}

fn broker(
    script: &Script,
    ledger: &Shared,
    healed: &CancellationToken,
    mutant: &Arc<Mutant>,
) -> FaultyBroker {
    let draw = Draw::new(script.seed, 5);
    FaultyBroker::new(
        script.broker.clone(),
        draw,
        ledger.clone(),
        healed.clone(),
        Arc::clone(mutant),
    )
}
