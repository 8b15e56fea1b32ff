//! The adapter over real sockets: against the simulator with its faults, and against a scripted server.

#[cfg(test)]
#[path = "adapter/desk.rs"]
mod desk;
#[cfg(test)]
#[path = "adapter/support.rs"]
mod support;

use std::time::Duration;

use lienthong_domain::delivery::RetryCause;
use lienthong_domain::{DossierStatus, Outcome};
use lienthong_ports::Destination as _;
use lienthong_simulators::portal::{Fault, FaultRule, Service, When, WrongBody};

use support::{Bench, TIMEOUT, work};

const ADVANCED: Outcome = Outcome::Advanced { step: 1 };
const NOT_NOW: Outcome = Outcome::Retry {
    cause: RetryCause::Answer,
    after: None,
};
const NO_ANSWER: Outcome = Outcome::Retry {
    cause: RetryCause::Transport,
    after: None,
};

fn on(service: Service, fault: Fault) -> FaultRule {
    FaultRule {
        services: vec![service],
        ..FaultRule::always(fault)
    }
}

fn first(service: Service, fault: Fault) -> FaultRule {
    FaultRule {
        when: When::Calls { from: 1, to: 1 },
        ..on(service, fault)
    }
}

#[tokio::test]
async fn a_dossier_is_looked_up_inserted_and_then_gets_its_line() {
    let bench = Bench::start().await;
    let mut event = work(1);
    assert_eq!(bench.deliver(&event).await.outcome, ADVANCED);
    event.step = 1;
    let answer = bench.deliver(&event).await;
    assert_eq!(
        (answer.outcome, answer.http_status),
        (Outcome::Delivered, Some(200))
    );

    let stats = bench.portal.stats();
    assert_eq!(
        (stats.inserted, stats.updated, stats.progress_lines),
        (1, 0, 1)
    );
    assert_eq!(
        (
            stats.done[&Service::Login],
            stats.done[&Service::FindDossier]
        ),
        (1, 1)
    );
    let record = bench.portal.record();
    for entry in &record.entries {
        assert_eq!(
            entry.key.as_deref(),
            Some(event.event_id.to_string().as_str())
        );
        assert_eq!(entry.sequence, Some(1));
    }
    assert_eq!(
        record.entries[1].occurred.unwrap().to_string(),
        "20250915081500"
    );
}

#[tokio::test]
async fn a_second_event_is_an_update_without_a_look_up() {
    let bench = Bench::start().await;
    bench.deliver(&work(1)).await;
    let mut event = work(2);
    event.delivered_before = true;
    event.progress = None;
    event.status = DossierStatus::Processing;
    assert_eq!(bench.deliver(&event).await.outcome, Outcome::Delivered);
    let stats = bench.portal.stats();
    assert_eq!(
        (
            stats.inserted,
            stats.updated,
            stats.done[&Service::FindDossier]
        ),
        (1, 1, 1)
    );
}

#[tokio::test]
async fn an_update_of_an_unknown_dossier_becomes_an_insert() {
    let bench = Bench::start().await;
    let mut event = work(4);
    event.delivered_before = true;
    assert_eq!(bench.deliver(&event).await.outcome, ADVANCED);
    assert_eq!(bench.portal.stats().inserted, 1);
}

#[tokio::test]
async fn an_insert_of_a_known_dossier_becomes_an_update() {
    let bench = Bench::start().await;
    bench.deliver(&work(1)).await;
    // A look-up that is refused tells nothing, so the insert has to find out.
    let message = "Dịch vụ không được hỗ trợ".to_owned();
    bench.faults(vec![on(Service::FindDossier, Fault::Reject { message })]);
    assert_eq!(bench.deliver(&work(2)).await.outcome, ADVANCED);
    let stats = bench.portal.stats();
    assert_eq!((stats.inserted, stats.updated), (1, 1));
}

#[tokio::test]
async fn a_late_event_sends_its_line_or_nothing() {
    let bench = Bench::start().await;
    bench.deliver(&work(1)).await;
    let calls = bench.portal.stats().calls;
    let mut event = work(2);
    event.late = true;
    event.status = DossierStatus::Registered;
    assert_eq!(bench.deliver(&event).await.outcome, Outcome::Delivered);
    assert_eq!(bench.portal.stats().calls, calls + 1);
    assert_eq!(bench.portal.stats().progress_lines, 1);

    event.progress = None;
    let answer = bench.deliver(&event).await;
    assert_eq!(
        (answer.outcome, answer.code.as_str()),
        (Outcome::Delivered, "NOTHING_TO_SEND")
    );
    assert_eq!(bench.portal.stats().calls, calls + 1);
}

#[tokio::test]
async fn a_line_of_an_unknown_dossier_is_rejected() {
    let bench = Bench::start().await;
    let mut event = work(1);
    event.step = 1;
    let answer = bench.deliver(&event).await;
    assert_eq!(
        (answer.outcome, answer.code.as_str()),
        (Outcome::Rejected, "-1")
    );
    assert!(
        answer.message.ends_with("không tồn tại"),
        "{}",
        answer.message
    );
}

#[tokio::test]
async fn concurrent_deliveries_share_one_login() {
    let bench = Bench::start().await;
    bench.faults(vec![on(
        Service::Login,
        Fault::Delay {
            ms_min: 50,
            ms_max: 50,
        },
    )]);
    let events: Vec<_> = (1..=8).map(support::other_dossier).collect();
    let deliveries: Vec<_> = events.iter().map(|event| bench.deliver(event)).collect();
    for answer in futures_util::future::join_all(deliveries).await {
        assert_eq!(answer.outcome, ADVANCED);
    }
    assert_eq!(bench.portal.stats().done[&Service::Login], 1);
}

#[tokio::test]
async fn an_expired_session_is_replaced_once() {
    let bench = Bench::start().await;
    bench.deliver(&work(1)).await;
    bench.faults(vec![first(Service::SyncDossier, Fault::ExpireSession)]);
    let mut event = work(2);
    event.delivered_before = true;
    assert_eq!(bench.deliver(&event).await.outcome, ADVANCED);
    assert_eq!(bench.portal.stats().done[&Service::Login], 2);

    bench.faults(vec![on(Service::SyncDossier, Fault::ExpireSession)]);
    event.sequence = 3;
    assert_eq!(bench.deliver(&event).await.outcome, NOT_NOW);
    assert_eq!(bench.portal.stats().done[&Service::Login], 3);
}

#[tokio::test]
async fn every_scripted_fault_has_its_outcome() {
    let wrong = |body| Fault::WrongBody {
        body,
        applied: true,
    };
    let reject = |message: &str| Fault::Reject {
        message: message.to_owned(),
    };
    let after = Some(Duration::from_secs(7));
    let cases = [
        (Fault::Status { code: 500 }, NOT_NOW, "HTTP_500"),
        (Fault::Status { code: 503 }, NOT_NOW, "HTTP_503"),
        (Fault::Status { code: 400 }, Outcome::Rejected, "HTTP_400"),
        (Fault::Status { code: 404 }, NOT_NOW, "HTTP_404"),
        (Fault::Status { code: 401 }, NOT_NOW, "HTTP_401"),
        (
            Fault::TooManyRequests { retry_after_s: 7 },
            Outcome::Overloaded { after },
            "HTTP_429",
        ),
        (Fault::ResetBefore, NO_ANSWER, "RESET"),
        (Fault::ResetAfter, NO_ANSWER, "RESET"),
        (Fault::Down, NO_ANSWER, "RESET"),
        (Fault::ExpireSession, NOT_NOW, "-1"),
        (wrong(WrongBody::Truncated), NOT_NOW, "BAD_ANSWER"),
        (wrong(WrongBody::Html), NOT_NOW, "BAD_ANSWER"),
        (wrong(WrongBody::Huge), NOT_NOW, "BAD_ANSWER"),
        (
            reject("Thiếu trường bắt buộc: DonViXuLy"),
            Outcome::Rejected,
            "-1",
        ),
        (reject("Hệ thống đang bận"), NOT_NOW, "-1"),
    ];
    for (fault, outcome, code) in cases {
        let bench = Bench::start().await;
        bench.faults(vec![on(Service::SyncDossier, fault.clone())]);
        let answer = bench.deliver(&work(1)).await;
        assert_eq!(
            (answer.outcome, answer.code.as_str()),
            (outcome, code),
            "{fault:?}"
        );

        // Once the fault is over the same work ends well, and what was applied twice is the same.
        bench.faults(vec![]);
        assert_eq!(bench.deliver(&work(1)).await.outcome, ADVANCED, "{fault:?}");
        let record = bench.portal.record();
        let summary = &record.dossiers[work(1).dossier.as_str()];
        assert_eq!(summary.conflicting_duplicates, 0, "{fault:?}");
    }
}

#[tokio::test]
async fn a_slow_portal_is_a_time_out_within_the_time_given() {
    let bench = Bench::start().await;
    for fault in [
        Fault::Delay {
            ms_min: 5_000,
            ms_max: 5_000,
        },
        Fault::DelayAnswer {
            ms_min: 5_000,
            ms_max: 5_000,
        },
    ] {
        bench.faults(vec![FaultRule::always(fault)]);
        let started = tokio::time::Instant::now();
        let answer = bench
            .adapter
            .deliver(&work(1), Duration::from_millis(150))
            .await;
        assert_eq!(
            (answer.outcome, answer.code.as_str()),
            (NO_ANSWER, "TIMEOUT")
        );
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test]
async fn a_single_call_has_its_own_bound() {
    let bench = Bench::with(|config| config.request_timeout_ms_max = 150).await;
    bench.faults(vec![on(
        Service::FindDossier,
        Fault::Delay {
            ms_min: 9_000,
            ms_max: 9_000,
        },
    )]);
    let answer = bench.deliver(&work(1)).await;
    assert_eq!(
        (answer.outcome, answer.code.as_str()),
        (NO_ANSWER, "TIMEOUT")
    );
}

#[tokio::test]
async fn nobody_listening_is_a_connection_failure() {
    let bench = Bench::with(|config| {
        config.login_url = "http://127.0.0.1:1/mapi/login".to_owned();
    })
    .await;
    let answer = bench.deliver(&work(1)).await;
    assert_eq!(
        (answer.outcome, answer.code.as_str()),
        (NO_ANSWER, "CONNECT")
    );
    assert!(
        !answer.message.contains("127.0.0.1:1/"),
        "{}",
        answer.message
    );
}

#[tokio::test]
async fn refused_credentials_are_retried_and_named() {
    let bench = Bench::with(|config| {
        config.password = lienthong_domain::Private::new("sai mật khẩu".to_owned());
    })
    .await;
    for _ in 0..3 {
        let answer = bench.deliver(&work(1)).await;
        assert_eq!(
            (answer.outcome, answer.code.as_str()),
            (NOT_NOW, "LOGIN_REFUSED")
        );
        assert_eq!(answer.message, "-1: Sai tên đăng nhập hoặc mật khẩu");
    }
    assert_eq!(bench.portal.stats().calls, 1, "failed logins pause");
    let said = bench.adapter.check(TIMEOUT).await.unwrap_err();
    assert!(said.contains("LOGIN_REFUSED"), "{said}");
    assert!(!said.contains("H21"), "{said}");
    assert!(!format!("{:?}{said}", bench.adapter).contains("sai mật khẩu"));
}

#[tokio::test]
async fn a_check_logs_in() {
    let bench = Bench::start().await;
    assert_eq!(bench.adapter.check(TIMEOUT).await, Ok(()));
    assert_eq!(bench.portal.stats().done[&Service::Login], 1);
    bench.faults(vec![FaultRule::always(Fault::Delay {
        ms_min: 5_000,
        ms_max: 5_000,
    })]);
    assert!(
        bench
            .adapter
            .check(Duration::from_millis(150))
            .await
            .is_err()
    );
}
