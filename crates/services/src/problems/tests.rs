use lienthong_domain::DossierCode;
use lienthong_domain::delivery::LanePolicy;
use lienthong_ports::broker::{BrokerState, QueueDepth};
use lienthong_ports::operators::{
    DelayHistogram, Operation, OperationId, OperationKind, ParkedGroup,
};
use lienthong_ports::store::{BreakerRecord, Counts, DestinationRow, ParkedFilter, Pause};

use super::*;
use crate::operators::{DestinationState, QueueState};
use crate::overview::ProcessFigures;

fn now() -> Timestamp {
    "2026-11-22T02:00:00Z".parse().unwrap()
}

fn ago(minutes: i64) -> Timestamp {
    now() - jiff::SignedDuration::from_mins(minutes)
}

fn portal() -> DestinationName {
    DestinationName::parse("dvcqg").unwrap()
}

/// A gateway that nothing is wrong with.
fn calm() -> Overview {
    let row = DestinationRow {
        name: portal(),
        lane: LanePolicy::Hold,
        paused: None,
        breaker: BreakerRecord::default(),
    };
    let state = DestinationState {
        row,
        concurrency_limit: 8,
        in_flight: 0,
        now: now(),
    };
    let depth = QueueDepth {
        queue: "work.dvcqg".to_owned(),
        messages: 0,
        consumers: 1,
        unacknowledged: 0,
        redelivered: 0,
    };
    let counts = Counts {
        destination: portal(),
        by_state: [0; 8],
        oldest_waiting_since: None,
        oldest_waiting: None,
    };
    Overview {
        measured_at: now(),
        problems: Vec::new(),
        destinations: vec![DestinationFlow {
            state,
            waiting: 3,
            parked: 0,
            oldest: Some((dossier(), ago(14))),
            accepted_per_minute: 60.0,
            delivered_per_minute: 60.0,
            parked_per_minute: 0.0,
            retried_per_minute: 0.0,
            drained_in: None,
            delays: DelayHistogram::default(),
        }],
        provinces: Vec::new(),
        queues: QueueState {
            counts: vec![counts],
            broker: BrokerState {
                connected: true,
                ..BrokerState::default()
            },
            depths: vec![depth],
            topology_fault: None,
            now: now(),
        },
        operations: vec![operation(OperationState::Running)],
        parked_groups: Vec::new(),
        process: ProcessFigures {
            disk_free_bytes: Some(5_000),
            disk_reserve_bytes: 1_000,
            disk_hours_left: Some(24.0),
            certificate_ends_at: Some(ago(-21 * 24 * 60)),
            clock_offset_seconds: Some(-30.0),
            ..ProcessFigures::default()
        },
    }
}

fn dossier() -> DossierCode {
    DossierCode::parse("H21.17-240823-0001").unwrap()
}

fn operation(state: OperationState) -> Operation {
    Operation {
        id: OperationId(7),
        kind: OperationKind::Discard,
        filter: ParkedFilter::default(),
        allow_out_of_order: false,
        per_second: 20,
        state,
        matched: 4_000,
        moved: 0,
        left_alone: 0,
        requested_by: "account:lan".to_owned(),
        reason: "hồ sơ thử nghiệm".to_owned(),
        requested_at: ago(5),
        decided_by: None,
        decided_reason: None,
        decided_at: None,
        ended_at: None,
    }
}

fn suspects(deliveries: u64) -> ParkedGroup {
    ParkedGroup {
        destination: portal(),
        root: "H21".to_owned(),
        reason: ParkReason::CrashSuspect,
        code: String::new(),
        deliveries,
        oldest_parked_at: ago(9),
        newest_parked_at: ago(1),
    }
}

type Change = fn(&mut Overview);
type Found = (ProblemKind, Severity, &'static str, i64);

/// Each kind and grade: what is changed in a calm gateway, and the one problem that must be found.
#[expect(clippy::too_many_lines, reason = "a table: one row per kind and grade")]
fn table() -> Vec<(Change, Found)> {
    use ProblemKind as K;
    use Severity::{Critical, Warning};
    vec![
        (
            |look| look.process.disk_free_bytes = Some(999),
            (K::DiskFull, Critical, "", 0),
        ),
        (
            |look| look.process.disk_hours_left = Some(23.9),
            (K::DiskFilling, Warning, "", 23),
        ),
        (
            |look| look.process.disk_hours_left = Some(3.9),
            (K::DiskFilling, Critical, "", 3),
        ),
        (
            |look| look.queues.broker.connected = false,
            (K::BrokerDisconnected, Critical, "", 0),
        ),
        (
            |look| look.queues.broker.blocked_since = Some(ago(2)),
            (K::BrokerBlocked, Critical, "", 0),
        ),
        (
            |look| look.queues.topology_fault = Some("not durable".to_owned()),
            (K::BrokerTopology, Critical, "", 0),
        ),
        (
            |look| {
                look.queues.topology_fault = Some("no queue work.dvcqg".to_owned());
                look.queues.broker.connected = false;
            },
            (K::BrokerTopology, Critical, "", 0),
        ),
        (
            |look| look.queues.depths[0].consumers = 0,
            (K::BrokerTopology, Critical, "dvcqg", 0),
        ),
        (
            |look| look.queues.depths[0].queue = "lienthong.dead".to_owned(),
            (K::BrokerTopology, Critical, "dvcqg", 0),
        ),
        (
            |look| look.destinations[0].state.row.breaker.open_until = Some(ago(1)),
            (K::BreakerOpen, Critical, "dvcqg", 0),
        ),
        (
            |look| look.process.credentials_refused = vec![portal()],
            (K::CredentialsRefused, Critical, "dvcqg", 0),
        ),
        (
            |look| look.destinations[0].oldest = Some((dossier(), ago(15))),
            (K::StatusesLate, Warning, "dvcqg", 15),
        ),
        (
            |look| look.destinations[0].oldest = Some((dossier(), ago(60))),
            (K::StatusesLate, Critical, "dvcqg", 60),
        ),
        (
            |look| {
                look.process.late_provinces = vec![("H56".to_owned(), Duration::from_mins(95))];
            },
            (K::ProvinceLate, Warning, "H56", 95),
        ),
        (
            |look| look.parked_groups = vec![suspects(2), suspects(1)],
            (K::PoisonDossier, Critical, "dvcqg", 3),
        ),
        (
            |look| look.destinations[0].parked = 1,
            (K::DeliveriesParked, Warning, "dvcqg", 1),
        ),
        (
            |look| look.destinations[0].parked = 1_000,
            (K::DeliveriesParked, Critical, "dvcqg", 1_000),
        ),
        (
            |look| {
                look.destinations[0].state.row.paused = Some(Pause {
                    by: "account:lan".to_owned(),
                    reason: "bảo trì".to_owned(),
                    at: ago(30),
                });
            },
            (K::DestinationPaused, Warning, "dvcqg", 0),
        ),
        (
            |look| look.process.certificate_ends_at = Some(ago(-20 * 24 * 60)),
            (K::CertificateEnding, Warning, "", 20),
        ),
        (
            |look| look.process.certificate_ends_at = Some(ago(-2 * 24 * 60)),
            (K::CertificateEnding, Critical, "", 2),
        ),
        (
            |look| look.process.certificate_ends_at = Some(ago(60)),
            (K::CertificateEnding, Critical, "", -1),
        ),
        (
            |look| look.process.clock_offset_seconds = Some(-31.5),
            (K::ClockWrong, Warning, "", -31),
        ),
        (
            |look| look.process.clock_offset_seconds = Some(301.0),
            (K::ClockWrong, Critical, "", 301),
        ),
        (
            |look| look.process.population_down_since = Some(ago(3)),
            (K::PopulationDown, Critical, "", 0),
        ),
        (
            |look| look.process.guards_blocked = 2,
            (K::GuardBlocked, Warning, "", 2),
        ),
        (
            |look| look.operations = vec![operation(OperationState::AwaitingApproval)],
            (K::ApprovalAwaited, Warning, "7", 4_000),
        ),
    ]
}

#[test]
fn a_calm_gateway_has_no_problem_and_each_change_has_its_own() {
    let thresholds = Thresholds::default();
    assert_eq!(decide(&calm(), &thresholds), []);
    let mut kinds = Vec::new();
    for (change, expected) in table() {
        let mut overview = calm();
        change(&mut overview);
        let found = decide(&overview, &thresholds);
        let told = found.iter().map(|problem| {
            let about = problem.about.as_str();
            (problem.kind, problem.severity, about, problem.figure)
        });
        assert_eq!(told.collect::<Vec<_>>(), [expected]);
        kinds.push(expected.0);
    }
    for kind in ProblemKind::ALL {
        assert!(kinds.contains(&kind), "{kind:?} is in no row");
    }
}

#[test]
fn the_worst_comes_first() {
    let mut overview = calm();
    for (change, _) in table() {
        change(&mut overview);
    }
    let found = decide(&overview, &Thresholds::default());
    assert!(found.is_sorted_by_key(|problem| std::cmp::Reverse(problem.severity)));
    assert!(found.len() > 10);
}

#[test]
fn a_broker_that_blocks_and_lacks_a_queue_has_both_problems() {
    let mut overview = calm();
    overview.queues.broker.blocked_since = Some(ago(2));
    overview.queues.topology_fault = Some("no queue work.dvcqg".to_owned());
    let found = decide(&overview, &Thresholds::default());
    let kinds: Vec<_> = found.iter().map(|problem| problem.kind).collect();
    assert!(kinds.contains(&ProblemKind::BrokerBlocked), "{kinds:?}");
    assert!(kinds.contains(&ProblemKind::BrokerTopology), "{kinds:?}");
}

#[test]
fn every_problem_is_told_in_whole_sentences_with_its_figures() {
    for (change, _) in table() {
        let mut overview = calm();
        change(&mut overview);
        for problem in decide(&overview, &Thresholds::default()) {
            let (vi, en) = (problem.meaning_vi(), problem.meaning_en());
            for told in [&vi, &en, &problem.action_vi(), &problem.action_en()] {
                assert!(told.ends_with('.') && told.len() > 40, "{told}");
            }
            for part in [problem.about.clone(), problem.figure.to_string()] {
                let is_ended = problem.kind == ProblemKind::CertificateEnding && problem.figure < 0;
                if !part.is_empty() && part != "0" && !is_ended {
                    assert!(
                        vi.contains(&part) && en.contains(&part),
                        "{part}: {vi} {en}"
                    );
                }
            }
        }
    }
    let late = Problem {
        about: "H56".to_owned(),
        ..warning(ProblemKind::ProvinceLate)
    };
    assert!(late.meaning_vi().contains("Thanh Hóa (H56)"));
}

#[test]
fn names_are_stable_and_distinct() {
    let names = ProblemKind::ALL.map(ProblemKind::name);
    let distinct = names.iter().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(distinct.len(), names.len());
    assert_eq!(names[5], "BREAKER_OPEN");
}
