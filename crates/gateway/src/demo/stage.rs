//! The stage: everything that runs during a demo, set up, looked at and struck again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lienthong_domain::province::Province;
use lienthong_domain::{Clock, DeliveryState, DossierCode, EventId, Random};
use lienthong_ports::store::{Counts, ITEMS_MAX};
use lienthong_simulators::population::{PopulationConfig, PopulationHandle, PopulationSimulator};
use lienthong_simulators::portal::{PortalConfig, PortalHandle, PortalSimulator, SimulatorError};
use lienthong_transport::{ChannelTimeouts, ClientTls, ClientTlsFiles, TlsClock, grpc_channel};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::DemoArgs;
use super::board::{Board, Percentiles};
use super::citizens::Office;
use super::folder::{Folder, Login, PORTAL_ACCOUNT};
use super::ledger::Standing;
use super::province::{Pusher, UNDER_WAY_MAX};
use super::record::RecordReader;
use super::summary::{Circumstances, Summary};
use super::traffic::{self, Traffic};
use super::view::{Frame, Phase};
use crate::telemetry;
use crate::wire::Gateway;

/// Provinces in the order in which they join; the rest of the 34 follow by code.
const FIRST_PROVINCES: [&str; 3] = ["H21", "H56", "H29"];
/// Provinces may push faster than the demo does, so that a repetition is no flood.
const RATE_MARGIN: u32 = 4;
/// How long pushers may take to end.
const PUSHERS_WAIT_MAX: Duration = Duration::from_secs(15);
/// How long a simulator may take to end.
const SIMULATORS_WAIT_MAX: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct Stage {
    clock: Clock,
    folder: Folder,
    logins: Vec<Login>,
    gateway: Gateway,
    broker: &'static str,
    seed: u64,
    provinces: Vec<&'static Province>,
    portal: PortalHandle,
    population: PopulationHandle,
    simulators: JoinSet<Result<(), SimulatorError>>,
    simulators_stop: CancellationToken,
    pushers: JoinSet<()>,
    pushers_stop: CancellationToken,
    board: Arc<Board>,
    record: RecordReader,
    counts: Option<Counts>,
    /// Whether the last look took in all that was recorded.
    record_read: bool,
}

impl Stage {
    /// Starts portal, gateway and provinces.
    ///
    /// # Errors
    /// The first part that cannot be started.
    pub(super) async fn set(args: &DemoArgs, seed: u64) -> anyhow::Result<Self> {
        let clock = Clock::system();
        let folder = Folder::create(args.keep.as_deref())?;
        let log = telemetry::start_in(&folder.log())?;
        let provinces = provinces(args.provinces.into());
        folder.furnish(
            &provinces,
            args.rate.saturating_mul(RATE_MARGIN).max(2_000),
            clock.now(),
        )?;
        let logins = folder.admit(clock.now())?;

        let mut settings = PortalConfig {
            record_file: Some(folder.record()),
            // The file is read as it grows, so nothing need be kept in memory.
            record_entries_max: 0,
            started_at_ms: clock.now().as_millisecond(),
            seed,
            faults: args.faults.script(seed, args.duration.is_some()),
            ..PortalConfig::default()
        };
        let (user, password) = PORTAL_ACCOUNT;
        settings
            .accounts
            .insert(user.to_owned(), password.to_owned());
        let simulator = PortalSimulator::bind(settings, ([127, 0, 0, 1], 0).into()).await?;
        let database = PopulationSimulator::bind(
            PopulationConfig {
                seed,
                record_entries_max: 0,
                ..PopulationConfig::default()
            },
            ([127, 0, 0, 1], 0).into(),
        )
        .await?;
        let urls = (&*simulator.base_url(), &*database.endpoint());
        let config = folder.config(urls, args.rabbitmq.as_deref());
        let gateway = Gateway::start(config, clock.clone(), Random::seeded(seed), log).await?;

        let (portal, simulators_stop) = (simulator.handle(), CancellationToken::new());
        let population = database.handle();
        let mut simulators = JoinSet::new();
        simulators.spawn(simulator.run(simulators_stop.clone()));
        simulators.spawn(database.run(simulators_stop.clone()));
        let names = provinces
            .iter()
            .map(|province| format!("{} {}", province.code(), traffic::title(province)));
        let mut stage = Self {
            board: Arc::new(Board::new(names)),
            record: RecordReader::open(&folder.record())?,
            broker: if args.rabbitmq.is_some() {
                "rabbitmq"
            } else {
                "embedded"
            },
            pushers: JoinSet::new(),
            pushers_stop: CancellationToken::new(),
            counts: None,
            record_read: false,
            clock,
            folder,
            logins,
            gateway,
            seed,
            provinces,
            portal,
            population,
            simulators,
            simulators_stop,
        };
        stage.start_pushing(args.rate, args.questions)?;
        Ok(stage)
    }

    fn start_pushing(&mut self, rate: u32, questions: u32) -> anyhow::Result<()> {
        let count = u32::try_from(self.provinces.len()).unwrap_or(u32::MAX);
        let pause = (questions > 0).then(|| Duration::from_secs(count.into()) / questions);
        let rate_per_s = f64::from(rate) / f64::from(count.max(1));
        for (index, province) in self.provinces.iter().enumerate() {
            let files = ClientTlsFiles {
                roots: self.folder.ca(),
                identity: Some(self.folder.province(province)),
                server_name: None,
            };
            let clock = self.clock.clone();
            let tls = ClientTls::load(&files, TlsClock::new(move || clock.now()))?;
            let channel = grpc_channel(&self.endpoint(), tls, &ChannelTimeouts::default())?;
            if let Some(pause) = pause {
                let office = Office::new(
                    (index, province.code().to_string()),
                    channel.clone(),
                    self.population.clone(),
                    (pause, self.seed),
                    self.board.clone(),
                );
                self.pushers.spawn(office.run(self.pushers_stop.clone()));
            }
            let traffic = Traffic::new(province, self.seed, UNDER_WAY_MAX);
            let told = (self.board.clone(), self.clock.clone());
            let pusher = Pusher::new(index, channel, traffic, (rate_per_s, self.seed), told);
            self.pushers.spawn(pusher.run(self.pushers_stop.clone()));
        }
        Ok(())
    }

    /// What to know before watching.
    pub(super) fn introduction(&self) -> String {
        let operator = self.folder.operator();
        format!(
            "Trục liên thông · Lienthong demo (seed {}, broker {})\n\
             {}Thư mục · folder: {}\n\
             Nhật ký · log:    {}\n\
             Thử ở cửa sổ khác · try in another terminal:\n  \
             lienthong queues --endpoint {} --ca {} --cert {} --key {}\n\
             Ctrl-C để dừng · to stop.\n",
            self.seed,
            self.broker,
            self.doors(),
            self.folder.path().display(),
            self.folder.log().display(),
            self.endpoint(),
            self.folder.ca().display(),
            operator.certificate_chain.display(),
            operator.private_key.display(),
        )
    }

    /// Where people look on: the console with its accounts of this run, and the metrics.
    fn doors(&self) -> String {
        let mut text = String::new();
        if let Some(url) = &self.gateway.console_url {
            text.extend([format!("Bảng điều khiển · console: {url}\n")]);
            for login in &self.logins {
                let (name, password, role) = (login.name, &login.password, login.role);
                text.extend([format!(
                    "  {name:<10} {password}   {} · {role}\n",
                    login.title
                )]);
            }
        }
        if let Some(address) = self.gateway.metrics_address {
            text.extend([format!("Số đo · metrics:  http://{address}/metrics\n")]);
        }
        text
    }

    /// Takes in what the portal recorded and the store counts, and puts a frame together.
    ///
    /// # Errors
    /// Record or store cannot be read.
    pub(super) async fn look(
        &mut self,
        phase: Phase,
        elapsed: Duration,
        planned: Option<Duration>,
    ) -> anyhow::Result<Frame> {
        self.record_read = self
            .record
            .read(|entry| self.board.lock().ledger.recorded(entry))?;
        let counts = self
            .gateway
            .store
            .counts()
            .await
            .context("failed to count deliveries")?;
        self.counts = counts.into_iter().next();
        let counts = self.counts.as_ref();
        let now = self.clock.now();
        let age = |since| Duration::try_from(now.duration_since(since)).unwrap_or_default();
        let faults = self.portal.stats().faults;
        let state = self.board.lock();
        let tally = state.ledger.tally();
        Ok(Frame {
            phase,
            elapsed,
            planned,
            accepted: tally.accepted,
            delivered: tally.delivered,
            waiting: counts.map_or(0, Counts::waiting),
            parked: counts.map_or(0, |counts| counts.of(DeliveryState::Parked)),
            oldest: counts
                .and_then(|counts| counts.oldest_waiting_since)
                .map(age),
            accept_ms: Percentiles::of(&state.accept_us, 1_000.0),
            end_to_end_ms: Percentiles::of(state.ledger.end_to_end_ms(), 1.0),
            // A delay is the portal's ordinary pace, not a fault.
            faults: faults
                .iter()
                .filter(|(name, _)| *name != "delay")
                .map(|(_, count)| count)
                .sum(),
            out_of_order: tally.out_of_order,
            verified: state.citizens.verified,
            looked_up: state.citizens.looked_up,
            questions_refused: state.citizens.refused + state.citizens.failed,
            identity_ms: Percentiles::of(&state.citizens.answer_us, 1_000.0),
            provinces: state.provinces.clone(),
        })
    }

    /// Whether at the last look no delivery was on its way. One that waits behind a parked one is not.
    pub(super) fn is_at_rest(&self) -> bool {
        const MOVING: [DeliveryState; 3] = [
            DeliveryState::Ready,
            DeliveryState::Sent,
            DeliveryState::Calling,
        ];
        self.counts
            .as_ref()
            .is_some_and(|counts| MOVING.iter().all(|state| counts.of(*state) == 0))
    }

    /// Ends the provinces; they wait for the answers still open.
    pub(super) async fn stop_pushing(&mut self) {
        self.pushers_stop.cancel();
        let all = async { while self.pushers.join_next().await.is_some() {} };
        if timeout(PUSHERS_WAIT_MAX, all).await.is_err() {
            self.pushers.shutdown().await;
        }
    }

    /// Stops everything and compares what was acknowledged with what was recorded.
    ///
    /// # Errors
    /// Record or store cannot be read, or the simulator failed.
    pub(super) async fn strike(
        mut self,
        (push_seconds, drain_seconds): (f64, f64),
    ) -> anyhow::Result<Summary> {
        self.read_record_to_its_end()?;
        let standings = self.standings().await?;
        self.gateway.stop().await;
        self.simulators_stop.cancel();
        while let Ok(Some(ended)) = timeout(SIMULATORS_WAIT_MAX, self.simulators.join_next()).await
        {
            ended.context("a simulator broke down")??;
        }
        // What was under way when the standings were read may have arrived since.
        let board = self.board.clone();
        while !self
            .record
            .read(|entry| board.lock().ledger.recorded(entry))?
        {}

        let stats = self.portal.stats();
        let state = self.board.lock();
        let circumstances = Circumstances {
            rest: state.ledger.rest(&standings),
            record_complete: self.record.unreadable == 0 && !stats.record_file_failed,
            push_seconds,
            drain_seconds,
        };
        Ok(Summary {
            portal_faults: stats.faults,
            provinces: self.provinces.len(),
            broker: self.broker,
            seed: self.seed,
            ..Summary::of(&state, &circumstances)
        })
    }

    fn read_record_to_its_end(&mut self) -> anyhow::Result<()> {
        while !self
            .record
            .read(|entry| self.board.lock().ledger.recorded(entry))?
        {}
        Ok(())
    }

    /// What the store says of events that have not arrived.
    async fn standings(&self) -> anyhow::Result<HashMap<EventId, Standing>> {
        let open: Vec<DossierCode> = {
            let state = self.board.lock();
            state
                .ledger
                .open_dossiers()
                .filter_map(|code| code.parse().ok())
                .collect()
        };
        let mut standings = HashMap::new();
        for dossier in open {
            let timeline = self.gateway.store.timeline(&dossier, 0, ITEMS_MAX).await;
            for entry in timeline.context("failed to read a timeline")? {
                let states = || entry.deliveries.iter().map(|delivery| delivery.state);
                if states().any(|state| state == DeliveryState::Parked) {
                    standings.insert(entry.event_id, Standing::Parked);
                } else if states().any(DeliveryState::is_waiting) {
                    standings.insert(entry.event_id, Standing::Waiting);
                }
            }
        }
        Ok(standings)
    }

    fn endpoint(&self) -> String {
        format!("https://{}", self.gateway.address)
    }
}

/// So many of the 34 provinces.
fn provinces(count: usize) -> Vec<&'static Province> {
    let first = FIRST_PROVINCES
        .iter()
        .filter_map(|code| Province::by_code(code));
    let others = Province::all().iter().filter(|province| {
        !province.is_merged() && !FIRST_PROVINCES.contains(&province.code().as_str())
    });
    first.chain(others).take(count).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Cli, Command};

    /// A client command, as the demo's introduction shows one.
    async fn run(stage: &Stage, words: &[&str]) -> (lienthong_cli::Exit, String) {
        let line = Cli::parse_from(["lienthong"].iter().chain(words));
        let Command::Client(command) = line.command else {
            panic!("a client command");
        };
        let operator = stage.folder.operator();
        let connection = lienthong_cli::Connection {
            endpoint: stage.endpoint(),
            ca: Some(stage.folder.ca()),
            cert: Some(operator.certificate_chain),
            key: Some(operator.private_key),
            server_name: None,
        };
        let (output, captured) = lienthong_cli::Output::captured(line.output);
        let ran = lienthong_cli::run(command, &connection, &output, &Clock::system()).await;
        (ran.unwrap(), captured.data() + &captured.talk())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_operator_changes_what_the_demo_logs() {
        let args = [
            "lienthong",
            "demo",
            "--for",
            "1s",
            "--rate",
            "1",
            "--questions",
            "0",
        ];
        let Command::Demo(args) = Cli::parse_from(args).command else {
            panic!("the demo");
        };
        let mut stage = Stage::set(&args, 1).await.unwrap();
        let reason = ["--reason", "xem vì sao chậm"];
        let debug = [&["log", "debug", "--for", "5m"], &reason[..]].concat();
        let (exit, told) = run(&stage, &debug).await;
        assert_eq!(exit, lienthong_cli::Exit::Ok, "{told}");
        assert!(told.ends_with("before: info\n"), "{told}");
        let back = [&["log", "configured"], &reason[..]].concat();
        let (_, told) = run(&stage, &back).await;
        assert!(told.ends_with("before: debug\n"), "{told}");
        let log = std::fs::read_to_string(stage.folder.log()).unwrap();
        assert!(log.contains("DEBUG"), "{log}");
        stage.stop_pushing().await;
        stage.strike((0.0, 0.0)).await.unwrap();
    }

    #[test]
    fn every_province_of_today_may_push_and_none_that_is_no_more() {
        let all = provinces(34);
        assert_eq!(all.len(), 34);
        assert!(all.iter().all(|province| !province.is_merged()));
        let codes: Vec<_> = provinces(3)
            .iter()
            .map(|province| province.code().to_string())
            .collect();
        assert_eq!(codes, FIRST_PROVINCES);
    }
}
