//! The dossiers of a game: a seed decides whose they are, how many statuses each has, and in which order all are sent.

use std::collections::BTreeMap;
use std::time::Duration;

use lienthong_domain::Clock;
use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use lienthong_proto::dossier::v1::{DossierDetails, DossierStatus, PushStatusRequest, StatusEvent};
use lienthong_simulators::portal::Record;
use lienthong_tests::harness::{TestGateway, events};
use prost_types::Timestamp;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tonic::transport::Channel;
use tonic::{Code, Status};

/// The seed of a game that is to be played again.
const SEED: &str = "LIENTHONG_GAME_SEED";
/// Provinces that send, each with a unit of its own.
const PROVINCES: [(&str, &str); 3] = [("H21", "H21.17"), ("H56", "H56.14"), ("H29", "H29.5")];
/// Seconds between two statuses of a dossier.
const STEP_SECONDS: i64 = 10;
/// The wait before a status is offered again.
const REPEAT_PAUSE: Duration = Duration::from_millis(50);

/// What was sent so far, and what the portal must have been told in the end.
pub(super) struct Traffic {
    seed: u64,
    random: ChaCha8Rng,
    opened: u32,
    /// The statuses that were accepted, by dossier, in their order.
    accepted: BTreeMap<String, Vec<i32>>,
}

impl Traffic {
    /// With the seed of the environment, or another one each time.
    #[expect(
        clippy::print_stdout,
        reason = "the test runner shows it with a failure"
    )]
    pub(super) fn new() -> Self {
        let given = std::env::var_os(SEED).and_then(|text| text.into_string().ok());
        let seed = given.map_or_else(rand::random, |text| {
            text.parse().expect("a seed is a number")
        });
        println!("{SEED}={seed} plays this game again");
        Self {
            seed,
            random: ChaCha8Rng::seed_from_u64(seed),
            opened: 0,
            accepted: BTreeMap::new(),
        }
    }

    /// The seed, for the portal's dice.
    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.random.random_range(0..bound)
    }

    /// Opens dossiers of any province whose statuses came about `age` ago, and gives their codes.
    pub(super) async fn send(
        &mut self,
        gateway: &TestGateway,
        dossiers: usize,
        age: Duration,
    ) -> Vec<String> {
        let whose = (0..dossiers).map(|_| *PROVINCES.choose(&mut self.random).unwrap());
        let whose = whose.collect();
        // Boxed, here and below, because events on their way make a large future.
        Box::pin(self.send_of(gateway, whose, age)).await
    }

    /// The same, all of one province.
    pub(super) async fn send_from(
        &mut self,
        gateway: &TestGateway,
        province: &str,
        dossiers: usize,
        age: Duration,
    ) {
        let province = PROVINCES.iter().find(|(id, _)| *id == province).unwrap();
        Box::pin(self.send_of(gateway, vec![*province; dossiers], age)).await;
    }

    async fn send_of(
        &mut self,
        gateway: &TestGateway,
        whose: Vec<(&'static str, &str)>,
        age: Duration,
    ) -> Vec<String> {
        let mut clients = PROVINCES.map(|(id, _)| (id, gateway.province(id)));
        let mut lanes = Vec::new();
        for (province, unit) in whose {
            let steps = self.random.random_range(2..=3);
            lanes.push((province, self.open(unit, steps, age)));
        }
        let codes = lanes.iter().map(|(_, lane)| lane[0].dossier_code.clone());
        let codes = codes.collect();
        // Any dossier may be next, but of one dossier only its next status.
        while !lanes.is_empty() {
            let lane = self.below(lanes.len());
            let (province, events) = &mut lanes[lane];
            let event = events.remove(0);
            let (_, client) = clients.iter_mut().find(|(id, _)| id == province).unwrap();
            self.push(client, event).await;
            if events.is_empty() {
                lanes.swap_remove(lane);
            }
        }
        codes
    }

    /// Offers an event until it is accepted, as case systems do.
    pub(super) async fn push(
        &mut self,
        client: &mut DossierServiceClient<Channel>,
        event: StatusEvent,
    ) {
        loop {
            let Err(status) = offer(client, event.clone()).await else {
                break;
            };
            assert_eq!(
                status.code(),
                Code::ResourceExhausted,
                "a good status: {status}"
            );
            tokio::time::sleep(REPEAT_PAUSE).await;
        }
        let told = self.accepted.entry(event.dossier_code).or_default();
        told.push(event.status);
    }

    /// The first statuses of a new dossier.
    pub(super) fn open(&mut self, unit: &str, steps: usize, age: Duration) -> Vec<StatusEvent> {
        self.opened += 1;
        let code = format!("{unit}-240823-{:04}", self.opened);
        let finished = DossierDetails {
            finished_at: events::at(2 * STEP_SECONDS),
            ..DossierDetails::default()
        };
        let life = [
            events::first(&code),
            events::status(&code, DossierStatus::Processing, STEP_SECONDS),
            StatusEvent {
                details: Some(finished),
                ..events::status(&code, DossierStatus::Processed, 2 * STEP_SECONDS)
            },
        ];
        let start = Clock::system().now() - age;
        let later = start.as_second() - events::DAY;
        let life = life.into_iter().take(steps);
        life.map(|event| shifted(event, later)).collect()
    }

    /// Everything accepted is at the portal: each status once, each dossier in its order, and nothing else.
    pub(super) fn has_arrived(&self, record: &Record) {
        for (code, statuses) in &self.accepted {
            let seen = record.dossiers.get(code);
            assert!(seen.is_some(), "{code} is lost");
            let seen = seen.unwrap();
            let told = seen.progress.iter().map(|line| i32::from(line.status));
            assert_eq!(told.collect::<Vec<_>>(), *statuses, "{code}");
            assert_eq!(Some(&i32::from(seen.status)), statuses.last(), "{code}");
            assert!(seen.out_of_order.is_empty(), "{code}: {seen:?}");
            assert_eq!(seen.conflicting_duplicates, 0, "{code}: {seen:?}");
        }
        let applied = record.dossiers.iter().filter(|(_, seen)| seen.syncs > 0);
        let strangers = applied.filter(|(code, _)| !self.accepted.contains_key(*code));
        assert_eq!(strangers.count(), 0, "dossiers that nobody sent");
    }
}

/// Offers an event once.
pub(super) async fn offer(
    client: &mut DossierServiceClient<Channel>,
    event: StatusEvent,
) -> Result<(), Status> {
    let request = PushStatusRequest { event: Some(event) };
    client.push_status(request).await.map(drop)
}

/// The event with all its times so many seconds later.
fn shifted(mut event: StatusEvent, seconds: i64) -> StatusEvent {
    let shift = |time: &mut Option<Timestamp>| {
        if let Some(time) = time {
            time.seconds += seconds;
        }
    };
    shift(&mut event.occurred_at);
    if let Some(progress) = &mut event.progress {
        shift(&mut progress.started_at);
    }
    if let Some(details) = &mut event.details {
        shift(&mut details.submitted_at);
        shift(&mut details.received_at);
        shift(&mut details.due_at);
        shift(&mut details.finished_at);
    }
    event
}
