//! A replay of many parked deliveries, killed on its way: one operation whatever is clicked, its rate kept, its counts
//! exact, and everything at the portal in order.

mod heads;

use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::future::try_join_all;
use lienthong_domain::{Clock, Timestamp};
use lienthong_proto::admin::v1::{Operation, OperationState};
use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use lienthong_proto::dossier::v1::item_result::Result as ItemAnswer;
use lienthong_proto::dossier::v1::{BatchPushStatusRequest, ItemResult};
use lienthong_simulators::portal::{Fault, FaultRule, FaultScript, Service};
use tonic::transport::Channel;

use self::heads::Heads;
use super::case::{Case, PROVINCES, Province};
use super::door::{NoReceipt, receipt_of, refusal_of};
use super::load::SharedChecker;
use super::operator::Operator;
use super::report::{Outcome, Replayed};
use super::rig::{Rig, Setup};
use super::scenario::Scenario;
use super::tail::Tail;

/// Most deliveries in the hands of the gateway: so many may be repeated by a kill, and come at once after it.
pub const WINDOW: u32 = 32;
/// Kills while the replay runs.
const KILLS: u32 = 2;
/// Clicks on the button at once.
const CLICKS: usize = 8;
/// Calls of the portal that one delivery makes.
const CALLS_PER_DELIVERY: u64 = 2;
/// Events of one call.
const BATCH: usize = 200;
/// How often the record is read.
const LOOK: Duration = Duration::from_millis(20);
/// How often the queues are asked.
const ASK: Duration = Duration::from_millis(250);
/// Longest wait for everything to be parked, for the next kill, and for everything to arrive.
const WAIT_MAX: Duration = Duration::from_mins(4);
/// Longest wait for an answer of a gateway that starts.
const START_MAX: Duration = Duration::from_mins(1);
/// The dossiers are this old, so that no step lies in the future.
const BASE_DAYS_AGO: i64 = 60;

/// What a run needs to know.
#[derive(Clone, Debug)]
pub struct ReplayPlan {
    /// Processes and broker; the window should be [`WINDOW`].
    pub setup: Setup,
    /// Decides the events.
    pub seed: u64,
    /// Dossiers whose first delivery is parked.
    pub dossiers: u32,
    /// Deliveries that the replay may make ready a second.
    pub per_second: u32,
}

/// Parks, replays, kills, and compares.
///
/// # Errors
/// It could not be carried out: what was to be shown is not shown.
pub async fn run(plan: &ReplayPlan) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let mut course = Course::start(plan).await?;
    course.park().await.context("park everything")?;
    course.rig.set_faults(&FaultScript::default()).await?;
    let began = Instant::now();
    let operation = course.ask().await.context("ask for the replay")?;
    course.kill_and_go_on(operation).await?;
    course.drain().await?;
    let took = began.elapsed();
    let operations = course.operator.operations().await?;
    course.judge(&operations);
    course.rig.stop_gateway().await?;
    course.read()?;
    Ok(course.outcome(took, started.elapsed()))
}

struct Course {
    plan: ReplayPlan,
    rig: Rig,
    tail: Tail,
    checker: SharedChecker,
    operator: Operator,
    heads: Heads,
    requests: u64,
    faults: u64,
}

impl Course {
    async fn start(plan: &ReplayPlan) -> anyhow::Result<Self> {
        let mut rig = Rig::start(&plan.setup).await?;
        rig.set_faults(&rejecting()).await?;
        rig.start_gateway()?;
        Ok(Self {
            plan: plan.clone(),
            tail: Tail::open(&rig.record())?,
            operator: Operator::new(rig.operator()?),
            rig,
            checker: SharedChecker::default(),
            heads: Heads::default(),
            requests: 0,
            faults: 0,
        })
    }

    fn fault(&mut self, text: String) {
        self.faults += 1;
        self.checker.lock().fault(text);
    }

    fn read(&mut self) -> anyhow::Result<()> {
        loop {
            let entries = self.tail.read()?;
            if entries.is_empty() {
                return Ok(());
            }
            let mut checker = self.checker.lock();
            for entry in &entries {
                checker.recorded(entry);
                self.heads.note(entry);
            }
        }
    }

    /// Sends all events to a portal that rejects them, until the first one of each dossier is parked.
    async fn park(&mut self) -> anyhow::Result<()> {
        let now = Clock::system().now();
        let base = now - jiff::SignedDuration::from_hours(24 * BASE_DAYS_AGO);
        let base = Timestamp::from_second(base.as_second())?;
        let share = self.plan.dossiers.div_ceil(3);
        let mut first = 0;
        let mut provinces = Vec::new();
        for province in &PROVINCES {
            let numbers = first..self.plan.dossiers.min(first + share);
            first = numbers.end;
            let cases = numbers.map(|number| Case::new(self.plan.seed, base, province, number));
            let cases = cases.collect();
            provinces.push(send(&self.rig, province, cases, &self.checker));
        }
        try_join_all(provinces).await?;
        let dossiers = u64::from(self.plan.dossiers);
        let end = Instant::now() + WAIT_MAX;
        while self.operator.parked_count().await? < dossiers {
            anyhow::ensure!(Instant::now() < end, "not everything was parked in time");
            self.rig.gateway()?;
            self.read()?;
            tokio::time::sleep(ASK).await;
        }
        Ok(())
    }

    /// One impatient operator with many windows, and two clicks of the second person.
    async fn ask(&mut self) -> anyhow::Result<i64> {
        let asked = try_join_all((0..CLICKS).map(|_| self.click())).await?;
        self.requests += CLICKS as u64;
        let id = asked.first().context("there are clicks")?.operation_id;
        for other in asked {
            self.same_operation(id, &other);
        }
        let mut approver = Operator::new(self.rig.approver()?);
        for _ in 0..2 {
            approver.approve(id).await.context("approve it")?;
        }
        Ok(id)
    }

    fn click(&self) -> impl Future<Output = anyhow::Result<Operation>> + use<> {
        let mut operator = self.operator.clone();
        let (key, per_second) = (format!("replay-{}", self.plan.seed), self.plan.per_second);
        async move { operator.replay_everything(&key, per_second).await }
    }

    fn same_operation(&mut self, id: i64, other: &Operation) {
        if other.operation_id != id {
            let other = other.operation_id;
            self.fault(format!("one key made operations {id} and {other}"));
        }
    }

    /// Kills the gateway after equal shares of the replay; its operator clicks again each time.
    async fn kill_and_go_on(&mut self, id: i64) -> anyhow::Result<()> {
        for kill in 1..=KILLS {
            let share = (self.plan.dossiers * kill / (KILLS + 1)) as usize;
            let end = Instant::now() + WAIT_MAX;
            while self.heads.count() < share {
                let count = self.heads.count();
                anyhow::ensure!(Instant::now() < end, "the replay stands still at {count}");
                self.rig.gateway()?;
                self.read()?;
                tokio::time::sleep(LOOK).await;
            }
            let state = self.operator.operations().await?.remove(0).state();
            anyhow::ensure!(
                state == OperationState::Running,
                "the replay was over before kill {kill}: {state:?}"
            );
            self.rig.kill_gateway();
            self.rig.start_gateway()?;
            let again = self.click_until_answered().await?;
            self.same_operation(id, &again);
        }
        Ok(())
    }

    async fn click_until_answered(&mut self) -> anyhow::Result<Operation> {
        let end = Instant::now() + START_MAX;
        loop {
            self.requests += 1;
            match self.click().await {
                Ok(operation) => return Ok(operation),
                Err(error) if Instant::now() > end => return Err(error),
                Err(_) => tokio::time::sleep(ASK).await,
            }
            self.rig.gateway()?;
            self.read()?;
        }
    }

    async fn drain(&mut self) -> anyhow::Result<()> {
        let end = Instant::now() + WAIT_MAX;
        loop {
            let open = self.operator.open_deliveries().await?;
            self.read()?;
            if open == 0 {
                return Ok(());
            }
            if Instant::now() > end {
                let parked = self.operator.parked().await?;
                let first = parked.first();
                self.fault(format!("{open} deliveries stay open; parked: {first:?}"));
                return Ok(());
            }
            self.rig.gateway()?;
            tokio::time::sleep(ASK).await;
        }
    }

    /// One operation with exact counts, its rate kept, and no more repetitions than the kills explain.
    fn judge(&mut self, operations: &[Operation]) {
        let dossiers = u64::from(self.plan.dossiers);
        let exact = |operation: &Operation| {
            let counts = [operation.matched, operation.moved, operation.left_alone];
            operation.state() == OperationState::Done && counts == [dossiers, dossiers, 0]
        };
        if !matches!(operations, [only] if exact(only)) {
            self.fault(format!("not one exact operation: {operations:?}"));
        }
        let (busiest, most) = (self.heads.busiest_second(), self.second_max());
        if busiest > most {
            self.fault(format!(
                "{busiest} in one second, at most {most} are explained"
            ));
        }
        let repeats = self.checker.lock().tally().duplicates;
        let explained = u64::from(KILLS * self.plan.setup.window) * CALLS_PER_DELIVERY;
        if repeats > explained {
            self.fault(format!(
                "{repeats} repeated calls, {explained} are explained"
            ));
        }
    }

    /// What may reach the portal in a second: the rate, half of it caught up, and what was in hand already.
    fn second_max(&self) -> usize {
        (self.plan.per_second * 3 / 2 + self.plan.setup.window) as usize
    }

    fn outcome(&self, took: Duration, all: Duration) -> Outcome {
        let checker = self.checker.lock();
        Outcome {
            scenario: Scenario::Replay.name(),
            rounds: KILLS,
            tally: checker.tally(),
            lost: checker.missing().count(),
            other_faults: self.faults,
            replayed_suspects: 0,
            longest_recovery_seconds: 0.0,
            took_seconds: all.as_secs_f64(),
            evidence: checker.faults().to_vec(),
            folder: self.rig.folder().display().to_string(),
            replayed: Some(Replayed {
                deliveries: u64::from(self.plan.dossiers),
                requests: self.requests,
                per_second: self.plan.per_second,
                busiest_second: self.heads.busiest_second(),
                second_max: self.second_max(),
                took_seconds: took.as_secs_f64(),
            }),
        }
    }
}

/// A portal that takes nothing, though it lets us in.
fn rejecting() -> FaultScript {
    let message = "Cổng tạm không nhận hồ sơ của tỉnh".to_owned();
    let rule = FaultRule {
        services: vec![Service::SyncDossier, Service::UpdateProgress],
        ..FaultRule::always(Fault::Reject { message })
    };
    FaultScript {
        seed: 0,
        rules: vec![rule],
    }
}

/// Sends the first two or three events of each dossier, place by place.
async fn send(
    rig: &Rig,
    province: &Province,
    cases: Vec<Case>,
    checker: &SharedChecker,
) -> anyhow::Result<()> {
    let mut client = DossierServiceClient::new(rig.channel(province.id)?);
    for place in 1..=3 {
        let numbered = cases.iter().enumerate();
        let having = numbered
            .filter(|(number, case)| place <= case.event_count().min(2 + number % 2))
            .map(|(_, case)| case);
        let having = having.collect::<Vec<_>>();
        for batch in having.chunks(BATCH) {
            for case in batch {
                checker.lock().offered(case.code(), case.offer(place));
            }
            send_batch(&mut client, batch, place, checker).await?;
        }
    }
    Ok(())
}

/// Offers events until each has its receipt.
async fn send_batch(
    client: &mut DossierServiceClient<Channel>,
    batch: &[&Case],
    place: usize,
    checker: &SharedChecker,
) -> anyhow::Result<()> {
    let end = Instant::now() + WAIT_MAX;
    let mut waiting = batch.to_vec();
    while !waiting.is_empty() {
        anyhow::ensure!(Instant::now() < end, "events got no receipt in time");
        let events = waiting.iter().map(|case| case.event(place)).collect();
        let sent = client.batch_push_status(BatchPushStatusRequest { events });
        let Ok(answer) = sent.await else {
            // The gateway may still be starting.
            tokio::time::sleep(ASK).await;
            continue;
        };
        let results = answer.into_inner().results;
        waiting = note(waiting, results, place, checker)?;
        if !waiting.is_empty() {
            tokio::time::sleep(LOOK).await;
        }
    }
    Ok(())
}

/// Tells the checker what came of each event, and gives those that must be offered again.
fn note<'a>(
    offered: Vec<&'a Case>,
    results: Vec<ItemResult>,
    place: usize,
    checker: &SharedChecker,
) -> anyhow::Result<Vec<&'a Case>> {
    anyhow::ensure!(
        results.len() == offered.len(),
        "a batch got another number of results"
    );
    let mut checker = checker.lock();
    let mut again = Vec::new();
    for (case, result) in offered.into_iter().zip(results) {
        match result.result {
            Some(ItemAnswer::Receipt(receipt)) => {
                checker.acknowledged(case.code(), place, &receipt_of(receipt));
            }
            Some(ItemAnswer::Refusal(refusal)) => match refusal_of(&refusal) {
                NoReceipt::Unknown => again.push(case),
                NoReceipt::Refused(reason) => checker.refused(case.code(), place, &reason),
            },
            None => anyhow::bail!("a batch has an empty result"),
        }
    }
    Ok(again)
}
