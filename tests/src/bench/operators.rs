//! An operator at work on a full store: how long each page and call takes, and what it costs the provinces.

use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use jiff::tz::TimeZone;
use lienthong_domain::Clock;
use lienthong_proto::admin::v1 as admin;
use lienthong_proto::admin::v1::audit_service_client::AuditServiceClient;
use lienthong_proto::admin::v1::delivery_service_client::DeliveryServiceClient;
use lienthong_proto::admin::v1::destination_service_client::DestinationServiceClient;
use lienthong_proto::admin::v1::operation_service_client::OperationServiceClient;
use lienthong_proto::admin::v1::overview_service_client::OverviewServiceClient;
use lienthong_proto::admin::v1::queue_service_client::QueueServiceClient;
use lienthong_proto::admin::v1::report_service_client::ReportServiceClient;
use lienthong_simulators::portal::{
    Fault, FaultRule, FaultScript, PortalConfig, PortalSimulator, Service,
};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use super::gateway::{Site, free_address};
use super::latency::{Latency, histogram, record};
use super::load::{self, MIX, Watch};
use super::process::{Process, beside_us};
use super::report::{Aim, Row, Section};
use super::{figure, median, progress};
use crate::harness::console::Reader;

const STREAMS: usize = 4;
const DESTINATION: &str = "dvcqg";
const POLL: Duration = Duration::from_millis(100);
const PARK_PATIENCE: Duration = Duration::from_mins(4);
const ACCOUNT: &str = "bench";
const PASSWORD: &str = "benchmark-only-password";
/// Pages that an operator opens, beside one dossier's.
const PAGES: [&str; 9] = [
    "/",
    "/queues",
    "/destinations",
    "/parked",
    "/operations",
    "/participants",
    "/usage",
    "/actions",
    "/reports",
];
/// How often somebody at work opens a page; every open page also asks for its live parts each 5 s.
const THINK: Duration = Duration::from_millis(500);
/// How long intake is watched, alone and then with somebody at work; these alternate.
const WATCHED: Duration = Duration::from_secs(5);
/// Deliveries a second of the replay that runs meanwhile.
const REPLAY_PER_SECOND: u32 = 100;

pub(super) async fn measure(quick: bool) -> anyhow::Result<Section> {
    let (waiting, parked, rounds) = if quick {
        (100_000, 10_000, 30)
    } else {
        (1_000_000, 100_000, 300)
    };
    let bound = PortalSimulator::bind(PortalConfig::default(), "127.0.0.1:0".parse()?).await?;
    let (portal, base) = (bound.handle(), bound.base_url());
    let (stop, mut simulator) = (CancellationToken::new(), JoinSet::new());
    simulator.spawn(bound.run(stop.clone()));
    portal.set_faults(refusing_dossiers())?;

    let site = Site::new(Some(&base), None)?;
    let console = free_address()?;
    let accounts = site.folder().join("accounts.toml");
    site.open_console(console, &accounts)?;
    add_account(&site)?;
    let mut gateway = site.start()?;
    site.ready(&mut gateway, false).await?;
    let base = format!("http://{console}");
    let desk = Desk::new(&site, &base).await?;
    progress(&format!("operators, {} events", waiting + parked));
    let count = (waiting + parked) / STREAMS as u64;
    load::push(site.provinces(STREAMS)?, 0, count, &Watch::default()).await?;
    desk.park(parked).await?;

    let slowest = looks(&desk, rounds).await?;
    let (alone, watched) = intake(&site, &desk, count, if quick { 2 } else { 5 }).await?;
    let resident = gateway.usage()?.resident_mib_max;
    stopped(gateway, &stop, simulator).await?;
    let mut rows = slowest;
    rows.extend([
        Row::new(
            "intake_alone",
            "intake, nobody at work (median)",
            alone,
            "/s",
        ),
        Row::new(
            "intake_watched",
            "intake, an operator at work (median)",
            watched,
            "/s",
        ),
        Row::new("intake_ratio", "watched / alone", watched / alone, "").aim(Aim::AtLeast(0.95)),
        Row::new(
            "resident_max",
            "most resident memory of the gateway",
            resident,
            "MiB",
        ),
    ]);
    Ok(Section {
        name: "operators",
        title: format!("An operator with {waiting} waiting and {parked} parked"),
        grid: None,
        rows,
        notes: vec![
            format!(
                "each page and call {rounds} times, one after the other, while nothing else happens; {MIX}"
            ),
            format!(
                "at work: a page each {} ms, and a replay at {REPLAY_PER_SECOND} a second of all that is parked",
                THINK.as_millis()
            ),
        ],
    })
}

/// Dossiers are refused, and logins are not.
fn refusing_dossiers() -> FaultScript {
    let message = "Mã thủ tục không có trong danh mục".to_owned();
    let refused = FaultRule {
        services: vec![Service::SyncDossier],
        ..FaultRule::always(Fault::Reject { message })
    };
    let (seed, rules) = (0, vec![refused]);
    FaultScript { seed, rules }
}

async fn stopped<T: Send + 'static>(
    gateway: Process,
    stop: &CancellationToken,
    mut simulator: JoinSet<T>,
) -> anyhow::Result<()> {
    gateway.stop()?;
    stop.cancel();
    simulator.join_next().await;
    Ok(())
}

fn add_account(site: &Site) -> anyhow::Result<()> {
    let mut command = Command::new(beside_us("lienthong")?);
    command
        .args(["accounts", "add", ACCOUNT, "--role", "approver"])
        .arg("--password-stdin")
        .arg("--file")
        .arg(site.folder().join("accounts.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let mut adding = command.spawn()?;
    let mut input = adding
        .stdin
        .take()
        .context("the command takes a password")?;
    std::io::Write::write_all(&mut input, format!("{PASSWORD}\n").as_bytes())?;
    drop(input);
    ensure!(adding.wait()?.success(), "`lienthong accounts add` failed");
    Ok(())
}

/// The operator's two ways in.
struct Desk {
    reader: Reader,
    channel: Channel,
}

impl Desk {
    async fn new(site: &Site, base: &str) -> anyhow::Result<Self> {
        Ok(Self {
            reader: Reader::sign_in(base, ACCOUNT, PASSWORD).await?,
            channel: site.operator()?,
        })
    }

    /// Lets the portal refuse deliveries until so many are parked, then halts the destination again.
    async fn park(&self, wanted: u64) -> anyhow::Result<()> {
        let mut destinations = DestinationServiceClient::new(self.channel.clone());
        let mut queues = QueueServiceClient::new(self.channel.clone());
        let (destination, reason) = (
            DESTINATION.to_owned(),
            "deliveries are to be parked".to_owned(),
        );
        destinations
            .resume_destination(admin::ResumeDestinationRequest {
                destination,
                reason,
            })
            .await?;
        let deadline = Instant::now() + PARK_PATIENCE;
        loop {
            let answer = queues
                .list_queues(admin::ListQueuesRequest {})
                .await?
                .into_inner();
            let counts = answer.queues.first().and_then(|queue| queue.counts);
            let parked = counts.map_or(0, |counts| counts.parked);
            if parked >= wanted {
                break;
            }
            ensure!(
                Instant::now() < deadline,
                "only {parked} of {wanted} are parked"
            );
            tokio::time::sleep(POLL).await;
        }
        let (destination, reason) = (DESTINATION.to_owned(), "enough are parked".to_owned());
        destinations
            .pause_destination(admin::PauseDestinationRequest {
                destination,
                reason,
            })
            .await?;
        Ok(())
    }

    /// One parked delivery's dossier.
    async fn dossier(&self) -> anyhow::Result<String> {
        let mut deliveries = DeliveryServiceClient::new(self.channel.clone());
        let request = admin::ListParkedDeliveriesRequest {
            page_size: 1,
            ..Default::default()
        };
        let answer = deliveries
            .list_parked_deliveries(request)
            .await?
            .into_inner();
        let first = answer
            .deliveries
            .into_iter()
            .next()
            .and_then(|parked| parked.delivery);
        Ok(first.context("nothing is parked")?.dossier_code)
    }

    async fn call(&self, call: Call, dossier: &str) -> anyhow::Result<()> {
        let channel = self.channel.clone();
        let mut queues = QueueServiceClient::new(channel.clone());
        let mut destinations = DestinationServiceClient::new(channel.clone());
        let mut deliveries = DeliveryServiceClient::new(channel.clone());
        match call {
            Call::GetOverview => {
                let mut overviews = OverviewServiceClient::new(channel);
                drop(overviews.get_overview(admin::GetOverviewRequest {}).await?);
            }
            Call::ListQueues => drop(queues.list_queues(admin::ListQueuesRequest {}).await?),
            Call::ListDestinations => {
                let request = admin::ListDestinationsRequest {};
                drop(destinations.list_destinations(request).await?);
            }
            Call::ListParkedDeliveries => {
                drop(deliveries.list_parked_deliveries(page_of_parked()).await?);
            }
            Call::ListParkedGroups => {
                let request = admin::ListParkedGroupsRequest::default();
                drop(deliveries.list_parked_groups(request).await?);
            }
            Call::DryRun => drop(deliveries.replay_deliveries(dry_run()).await?),
            Call::ExplainDossier => {
                let dossier_code = dossier.to_owned();
                let request = admin::ExplainDossierRequest { dossier_code };
                drop(deliveries.explain_dossier(request).await?);
            }
            Call::ListActions => {
                let mut actions = AuditServiceClient::new(channel);
                drop(
                    actions
                        .list_actions(admin::ListActionsRequest::default())
                        .await?,
                );
            }
            Call::GetReport => {
                let mut reports = ReportServiceClient::new(channel);
                drop(reports.get_report(report_of_today()).await?);
            }
        }
        Ok(())
    }
}

/// Calls that an operator's tools make.
#[derive(Clone, Copy, Debug)]
enum Call {
    GetOverview,
    ListQueues,
    ListDestinations,
    ListParkedDeliveries,
    ListParkedGroups,
    DryRun,
    ExplainDossier,
    ListActions,
    GetReport,
}

const CALLS: [Call; 9] = [
    Call::GetOverview,
    Call::ListQueues,
    Call::ListDestinations,
    Call::ListParkedDeliveries,
    Call::ListParkedGroups,
    Call::DryRun,
    Call::ExplainDossier,
    Call::ListActions,
    Call::GetReport,
];

fn all_of_it() -> admin::ParkedFilter {
    admin::ParkedFilter {
        destination: DESTINATION.to_owned(),
        ..Default::default()
    }
}

fn page_of_parked() -> admin::ListParkedDeliveriesRequest {
    admin::ListParkedDeliveriesRequest {
        filter: Some(all_of_it()),
        page_size: 100,
        ..Default::default()
    }
}

fn dry_run() -> admin::ReplayDeliveriesRequest {
    admin::ReplayDeliveriesRequest {
        selection: Some(everything(all_of_it())),
        dry_run: true,
        reason: "benchmark".to_owned(),
        ..Default::default()
    }
}

fn report_of_today() -> admin::GetReportRequest {
    let zone = TimeZone::fixed(lienthong_domain::time::OFFSET);
    let day = Clock::system().now().to_zoned(zone).date().to_string();
    admin::GetReportRequest {
        first_day: day.clone(),
        last_day: day,
        ..Default::default()
    }
}

fn everything(filter: admin::ParkedFilter) -> admin::DeliverySelection {
    admin::DeliverySelection {
        selection: Some(admin::delivery_selection::Selection::Filter(filter)),
    }
}

/// Each page and each call, one after the other: a row for each, and the slowest of all.
async fn looks(desk: &Desk, rounds: u64) -> anyhow::Result<Vec<Row>> {
    let dossier = desk.dossier().await?;
    let mut pages = PAGES.map(str::to_owned).to_vec();
    pages.push(format!("/dossiers/{dossier}"));
    pages.push(format!("/parked?destination={DESTINATION}"));
    let mut rows = Vec::new();
    let mut slowest = 0_f64;
    for page in &pages {
        progress(&format!("operators, page {page}"));
        let (mut latencies, began) = (histogram()?, Instant::now());
        for _ in 0..rounds {
            let started = Instant::now();
            desk.reader.open(page).await?;
            record(&mut latencies, started)?;
        }
        let found = Latency::of(&latencies, rounds, began);
        slowest = slowest.max(found.p99_ms);
        let shown = if page.starts_with("/dossiers/") {
            "/dossiers/CODE"
        } else {
            page
        };
        rows.push(Row::new(
            "page",
            format!("page {shown}, p99 (p50 {:.1})", found.p50_ms),
            found.p99_ms,
            "ms",
        ));
    }
    for call in CALLS {
        progress(&format!("operators, {call:?}"));
        let (mut latencies, began) = (histogram()?, Instant::now());
        for _ in 0..rounds {
            let started = Instant::now();
            desk.call(call, &dossier)
                .await
                .with_context(|| format!("{call:?}"))?;
            record(&mut latencies, started)?;
        }
        let found = Latency::of(&latencies, rounds, began);
        slowest = slowest.max(found.p99_ms);
        rows.push(Row::new(
            "call",
            format!("{call:?}, p99 (p50 {:.1})", found.p50_ms),
            found.p99_ms,
            "ms",
        ));
    }
    rows.push(Row::new("slowest", "the slowest of all, p99", slowest, "ms").aim(Aim::Below(300.0)));
    Ok(rows)
}

/// Events a second that the gateway takes, alone and with an operator at work, in turns.
async fn intake(site: &Site, desk: &Desk, from: u64, turns: usize) -> anyhow::Result<(f64, f64)> {
    progress("operators, intake");
    let watch = Watch::default();
    let accepted = watch.accepted.clone();
    let clients = site.provinces(STREAMS)?;
    let mut pushing = JoinSet::new();
    // More than is needed; it is cut off at the end.
    pushing.spawn(async move { load::push(clients, from, u64::from(u32::MAX), &watch).await });
    let rate_over = async |duration| {
        let (before, began) = (accepted.load(Ordering::Relaxed), Instant::now());
        tokio::time::sleep(duration).await;
        let grown = accepted.load(Ordering::Relaxed) - before;
        figure(grown) / began.elapsed().as_secs_f64()
    };
    rate_over(WATCHED).await;
    let operation = replay_all(desk).await?;
    let (mut alone, mut watched) = (Vec::new(), Vec::new());
    for _ in 0..turns {
        alone.push(rate_over(WATCHED).await);
        let working = work(desk);
        tokio::select! {
            rate = rate_over(WATCHED) => watched.push(rate),
            ended = working => ended?,
        }
    }
    cancel(desk, operation).await?;
    pushing.shutdown().await;
    Ok((median(alone), median(watched)))
}

/// Opens one page after the other, with time to read; ends only with an error.
async fn work(desk: &Desk) -> anyhow::Result<()> {
    let dossier = desk.dossier().await?;
    let mut place = 0_usize;
    loop {
        let page = PAGES[place % PAGES.len()];
        desk.reader.open(page).await?;
        desk.call(CALLS[place % CALLS.len()], &dossier).await?;
        place += 1;
        tokio::time::sleep(THINK).await;
    }
}

/// A replay of everything parked, approved by nobody else because the console's account asks and the operator's
/// certificate approves.
async fn replay_all(desk: &Desk) -> anyhow::Result<i64> {
    let filter = admin::ParkedFilter {
        destination: DESTINATION.to_owned(),
        ..Default::default()
    };
    let request = admin::ReplayDeliveriesRequest {
        selection: Some(everything(filter)),
        reason: "benchmark".to_owned(),
        rate_per_second: REPLAY_PER_SECOND,
        ..Default::default()
    };
    let answer = DeliveryServiceClient::new(desk.channel.clone())
        .replay_deliveries(request)
        .await?;
    let operation = answer
        .into_inner()
        .operation
        .context("no operation was written down")?;
    let page = format!("/operations/{}", operation.operation_id);
    let sent = desk
        .reader
        .send(
            &page,
            &format!("{page}/approve"),
            &[("reason", "benchmark")],
        )
        .await?;
    ensure!(
        sent.status.is_redirection(),
        "approve: {}\n{}",
        sent.status,
        sent.body
    );
    Ok(operation.operation_id)
}

async fn cancel(desk: &Desk, operation_id: i64) -> anyhow::Result<()> {
    let reason = "the benchmark is over".to_owned();
    OperationServiceClient::new(desk.channel.clone())
        .cancel_operation(admin::CancelOperationRequest {
            operation_id,
            reason,
        })
        .await?;
    Ok(())
}
