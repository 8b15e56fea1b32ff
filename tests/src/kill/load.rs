//! The provinces: many dossiers at once, each event repeated under its key until its receipt is there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use lienthong_domain::Timestamp;
use lienthong_proto::dossier::v1::BatchPushStatusRequest;
use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use lienthong_proto::dossier::v1::item_result::Result as ItemAnswer;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use super::case::{Case, PROVINCES, Province};
use super::checker::Checker;
use super::door::{ANSWER_MAX, Door, NoReceipt, StreamLink, receipt_of, refusal_of};
use super::rig::Rig;

/// Desks per province, each with one dossier at a time; half of them use the stream.
const DESKS: u32 = 24;
/// All desks.
const DESKS_OF_ALL: u32 = DESKS * 3;
const _: () = assert!(PROVINCES.len() == 3, "DESKS_OF_ALL counts the provinces");
/// Acknowledged events that have not arrived, above which the desks wait.
const BACKLOG_MAX: u64 = 3_000;
/// The share of receipts that are asked for again at once, through the other door.
const REPEATED_SHARE: f64 = 0.03;
/// The wait before an event with unknown outcome is offered again.
const REPEAT_PAUSE: Duration = Duration::from_millis(50);
/// The wait while the backlog is full.
const BACKLOG_PAUSE: Duration = Duration::from_millis(100);
/// Longest time the desks may take to get their last receipts.
const STOP_MAX: Duration = Duration::from_mins(1);
/// Events of one call of the final repetition.
const BATCH: usize = 200;
/// Longest wait for one batch, and the tries.
const BATCH_MAX: Duration = Duration::from_secs(20);
const BATCH_TRIES_MAX: u32 = 5;

/// The checker, shared by those who have news for it.
#[derive(Clone, Debug, Default)]
pub struct SharedChecker(Arc<Mutex<Checker>>);

impl SharedChecker {
    /// The checker. A panic elsewhere does not make its sums wrong.
    pub fn lock(&self) -> MutexGuard<'_, Checker> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The seed of the load, the day of its first dossiers and its speed.
#[derive(Clone, Copy, Debug)]
pub struct LoadPlan {
    /// Same seed, same events.
    pub seed: u64,
    /// About two months ago, in whole seconds.
    pub base: Timestamp,
    /// Events a second aimed at, over all provinces.
    pub rate: u32,
}

/// Running provinces.
#[derive(Debug)]
pub struct Load {
    desks: JoinSet<Vec<(usize, u32)>>,
    links: JoinSet<()>,
    stop: CancellationToken,
    links_stop: CancellationToken,
}

impl Load {
    /// Starts all provinces.
    ///
    /// # Errors
    /// A certificate cannot be read.
    pub fn start(rig: &Rig, plan: LoadPlan, checker: &SharedChecker) -> anyhow::Result<Self> {
        let (stop, links_stop) = (CancellationToken::new(), CancellationToken::new());
        let (mut desks, mut links) = (JoinSet::new(), JoinSet::new());
        for (index, province) in PROVINCES.iter().enumerate() {
            // Two connections, as a case system with two servers has them.
            let unary = Door::Unary(DossierServiceClient::new(rig.channel(province.id)?));
            let (link, stream) =
                StreamLink::new(DossierServiceClient::new(rig.channel(province.id)?));
            links.spawn(link.run(links_stop.clone()));
            for number in 0..DESKS {
                let doors = if number % 2 == 0 {
                    [&stream, &unary]
                } else {
                    [&unary, &stream]
                };
                let desk = Desk {
                    province,
                    index,
                    number,
                    plan,
                    doors: doors.map(Clone::clone),
                    checker: checker.clone(),
                    random: ChaCha8Rng::seed_from_u64(
                        plan.seed ^ (u64::from(number) << 8 | index as u64),
                    ),
                };
                desks.spawn(desk.run(stop.clone()));
            }
        }
        Ok(Self {
            desks,
            links,
            stop,
            links_stop,
        })
    }

    /// Ends the load when every offered event has its answer. Gives the dossiers that were opened, each as the
    /// index of its province and its number.
    ///
    /// # Errors
    /// Some event got no answer in time, or a desk failed.
    pub async fn stop(mut self) -> anyhow::Result<Vec<(usize, u32)>> {
        self.stop.cancel();
        let mut opened = Vec::new();
        let all = async {
            while let Some(desk) = self.desks.join_next().await {
                opened.extend(desk.context("a desk failed")?);
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(STOP_MAX, all)
            .await
            .with_context(|| format!("an event got no answer within {STOP_MAX:?}"))??;
        self.links_stop.cancel();
        while self.links.join_next().await.is_some() {}
        Ok(opened)
    }
}

/// One case worker.
struct Desk {
    province: &'static Province,
    index: usize,
    number: u32,
    plan: LoadPlan,
    /// The usual one and the other one.
    doors: [Door; 2],
    checker: SharedChecker,
    random: ChaCha8Rng,
}

impl Desk {
    async fn run(mut self, stop: CancellationToken) -> Vec<(usize, u32)> {
        let mut opened = Vec::new();
        for number in (self.number..).step_by(DESKS as usize) {
            let case = Case::new(self.plan.seed, self.plan.base, self.province, number);
            opened.push((self.index, number));
            if !self.carry(&case, &stop).await {
                break;
            }
        }
        opened
    }

    /// Reports a dossier to its end; false when the load is over.
    async fn carry(&mut self, case: &Case, stop: &CancellationToken) -> bool {
        for place in 1..=case.event_count() {
            tokio::select! {
                () = stop.cancelled() => return false,
                () = self.rest() => {}
            }
            self.checker.lock().offered(case.code(), case.offer(place));
            if !self.push(case, place, 0).await {
                return true;
            }
            if self.random.random_bool(REPEATED_SHARE) && !self.push(case, place, 1).await {
                return true;
            }
        }
        true
    }

    /// A pause as people make them, and longer while too much is on its way.
    async fn rest(&mut self) {
        let mean_seconds = f64::from(DESKS_OF_ALL) / f64::from(self.plan.rate.max(1));
        let pause = Duration::from_secs_f64(mean_seconds * self.random.random_range(0.0..2.0));
        tokio::time::sleep(pause).await;
        loop {
            let tally = self.checker.lock().tally();
            if tally.acknowledged - tally.delivered <= BACKLOG_MAX {
                return;
            }
            tokio::time::sleep(BACKLOG_PAUSE).await;
        }
    }

    /// Offers an event until there is a definite answer; false when it is a refusal.
    async fn push(&mut self, case: &Case, place: usize, door: usize) -> bool {
        loop {
            match self.doors[door].push(case.event(place)).await {
                Ok(receipt) => {
                    self.checker
                        .lock()
                        .acknowledged(case.code(), place, &receipt);
                    return true;
                }
                Err(NoReceipt::Refused(reason)) => {
                    self.checker.lock().refused(case.code(), place, &reason);
                    return false;
                }
                Err(NoReceipt::Unknown) => tokio::time::sleep(REPEAT_PAUSE).await,
            }
        }
    }
}

/// Offers every acknowledged event once more, in batches; the receipts go to the checker.
///
/// # Errors
/// The gateway does not answer.
pub async fn repeat_everything(
    rig: &Rig,
    plan: LoadPlan,
    opened: &[(usize, u32)],
    checker: &SharedChecker,
) -> anyhow::Result<()> {
    let acknowledged = checker.lock().acknowledged_by_dossier();
    for (index, province) in PROVINCES.iter().enumerate() {
        let own = opened.iter().filter(|(of, _)| *of == index);
        let cases = own.map(|(_, number)| Case::new(plan.seed, plan.base, province, *number));
        let places = |case: Case| {
            let count = acknowledged.get(case.code()).copied().unwrap_or(0);
            (1..=count).map(move |place| (case.clone(), place))
        };
        let offers: Vec<(Case, usize)> = cases.flat_map(places).collect();
        let mut client = DossierServiceClient::new(rig.channel(province.id)?);
        for batch in offers.chunks(BATCH) {
            repeat_batch(&mut client, batch, checker).await?;
        }
    }
    Ok(())
}

async fn repeat_batch(
    client: &mut DossierServiceClient<Channel>,
    batch: &[(Case, usize)],
    checker: &SharedChecker,
) -> anyhow::Result<()> {
    let events = batch
        .iter()
        .map(|(case, place)| case.event(*place))
        .collect::<Vec<_>>();
    let mut tries = 0;
    let results = loop {
        tries += 1;
        let request = BatchPushStatusRequest {
            events: events.clone(),
        };
        match tokio::time::timeout(BATCH_MAX, client.batch_push_status(request)).await {
            Ok(Ok(answer)) => break answer.into_inner().results,
            Ok(Err(status)) if tries == BATCH_TRIES_MAX => {
                anyhow::bail!("repeat a batch: {status}")
            }
            Err(_) if tries == BATCH_TRIES_MAX => anyhow::bail!("a repeated batch got no answer"),
            Ok(Err(_)) | Err(_) => tokio::time::sleep(ANSWER_MAX / 10).await,
        }
    };
    anyhow::ensure!(
        results.len() == batch.len(),
        "a batch got another number of results"
    );
    let mut checker = checker.lock();
    for ((case, place), result) in batch.iter().zip(results) {
        match result.result {
            Some(ItemAnswer::Receipt(receipt)) => {
                if !receipt.duplicate {
                    checker.fault(format!("{}/{place}: stored anew at the end", case.code()));
                }
                checker.acknowledged(case.code(), *place, &receipt_of(receipt));
            }
            Some(ItemAnswer::Refusal(refusal)) => {
                let reason = format!("{:?}", refusal_of(&refusal));
                checker.refused(case.code(), *place, &reason);
            }
            None => anyhow::bail!("a batch has an empty result"),
        }
    }
    Ok(())
}
