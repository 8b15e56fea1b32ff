//! A portal that says what a test tells it to, whatever was asked: for answers the simulator never gives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::post;
use lienthong_domain::{Answer, Clock, Outcome, Private};
use lienthong_portal::config::{Agency, DstcodePlace};
use lienthong_portal::{Config, Portal};
use lienthong_ports::Destination as _;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{TIMEOUT, config, http, work};

/// One call as the server saw it.
struct Seen {
    uri: Uri,
    headers: HeaderMap,
    body: Value,
}

#[derive(Default)]
struct Desk {
    /// Status and body by service; a service without one is answered with success.
    answers: Mutex<BTreeMap<String, (u16, Vec<u8>)>>,
    seen: Mutex<Vec<Seen>>,
}

async fn log_in(
    State(desk): State<Arc<Desk>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Vec<u8>) {
    answer(&desk, Some("login"), uri, headers, &body)
}

async fn call(
    State(desk): State<Arc<Desk>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Vec<u8>) {
    answer(&desk, None, uri, headers, &body)
}

fn answer(
    desk: &Desk,
    service: Option<&str>,
    uri: Uri,
    headers: HeaderMap,
    body: &[u8],
) -> (StatusCode, Vec<u8>) {
    let body: Value = serde_json::from_slice(body).unwrap();
    let key = match (service, body["isUpdating"].as_str()) {
        (Some(service), _) => service.to_owned(),
        (None, Some(updating)) => format!("{}/{updating}", body["service"].as_str().unwrap()),
        (None, None) => body["service"].as_str().unwrap().to_owned(),
    };
    desk.seen.lock().unwrap().push(Seen { uri, headers, body });
    let scripted = desk.answers.lock().unwrap().get(&key).cloned();
    let (status, body) = scripted.unwrap_or_else(|| {
        (
            200,
            json!({ "error_code": 0, "session": "phiên-bí-mật" })
                .to_string()
                .into_bytes(),
        )
    });
    (StatusCode::from_u16(status).unwrap(), body)
}

struct Bench {
    desk: Arc<Desk>,
    base: String,
    adapter: Portal,
    _running: JoinSet<()>,
}

impl Bench {
    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let desk = Arc::new(Desk::default());
        let router = Router::new()
            .route("/mapi/login", post(log_in))
            .route("/mapi/g", post(call))
            .with_state(Arc::clone(&desk));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut config = config(&base);
        let mut running = JoinSet::new();
        running.spawn(async move { axum::serve(listener, router).await.unwrap() });
        change(&mut config);
        let adapter = Portal::new(config, http(), Clock::system()).unwrap();
        Self {
            desk,
            base,
            adapter,
            _running: running,
        }
    }

    fn says(&self, service: &str, body: &Value) {
        let answer = (200, body.to_string().into_bytes());
        self.desk
            .answers
            .lock()
            .unwrap()
            .insert(service.to_owned(), answer);
    }

    async fn deliver(&self) -> Answer {
        self.adapter.deliver(&work(1), TIMEOUT).await
    }

    fn calls(&self) -> usize {
        self.desk.seen.lock().unwrap().len()
    }
}

#[tokio::test]
async fn a_portal_that_contradicts_itself_is_asked_four_times_at_most() {
    let bench = Bench::with(|_| {}).await;
    bench.says(
        "DongBoHoSoMC/False",
        &json!({ "error_code": "-3", "message": "Đã tồn tại" }),
    );
    bench.says(
        "DongBoHoSoMC/True",
        &json!({ "error_code": "-1", "message": "Không tồn tại" }),
    );
    let answer = bench.deliver().await;
    assert_eq!(
        (answer.outcome, answer.message.as_str()),
        (Outcome::Rejected, "Không tồn tại")
    );
    assert_eq!(bench.calls(), 4, "a login, a look-up, an insert, an update");
}

#[tokio::test]
async fn the_envelope_the_address_and_the_headers_are_as_configured() {
    let bench = Bench::with(|config| {
        config.login_url.push_str("?providerurl=a");
        config.dstcode_in = DstcodePlace::Both;
        config.agency = Agency::Fixed("000.00.00.H21".parse().unwrap());
        config.headers = BTreeMap::from([("apikey".to_owned(), Private::new("khoa".to_owned()))]);
    })
    .await;
    assert_eq!(bench.deliver().await.outcome, Outcome::Advanced { step: 1 });
    let seen = bench.desk.seen.lock().unwrap();
    let [login, find, sync] = seen.as_slice() else {
        panic!("{} calls", seen.len())
    };
    let dstcode = "dstcode=VN:GOV:000.00.00.G22:vpcpdvcprovider";
    assert_eq!(
        login.uri.query(),
        Some(format!("providerurl=a&{dstcode}").as_str())
    );
    assert_eq!(
        login.body,
        json!({ "username": "H21", "password": "mật khẩu" })
    );
    let found = json!({
        "session": "phiên-bí-mật",
        "madonvi": "000.00.00.H21",
        "service": "TraCuuHoSo",
        "mahoso": "H21.227-250915-0007",
    });
    assert_eq!((find.uri.query(), &find.body), (Some(dstcode), &found));
    assert_eq!(sync.body["isUpdating"], "False");
    assert_eq!(sync.body["data"].as_array().unwrap().len(), 1);
    for call in [find, sync] {
        assert_eq!(
            call.headers["dstcode"],
            "VN:GOV:000.00.00.G22:vpcpdvcprovider"
        );
        assert_eq!(call.headers["apikey"], "khoa");
        assert_eq!(call.headers["dossier-sequence"], "1");
        assert!(call.headers.contains_key("idempotency-key"));
    }
}

#[tokio::test]
async fn sequence_headers_can_be_left_out() {
    let bench = Bench::with(|config| config.send_sequence_headers = false).await;
    bench.deliver().await;
    let seen = bench.desk.seen.lock().unwrap();
    assert_eq!(seen[1].body["madonvi"], "H21.227");
    assert!(
        seen.iter()
            .all(|call| !call.headers.contains_key("idempotency-key"))
    );
}

#[tokio::test]
async fn people_and_sessions_do_not_come_back_in_a_message() {
    let bench = Bench::with(|_| {}).await;
    let message = "Phien phiên-bí-mật: NGUYỄN THỊ HOÀ (064190000001) và Trần Văn Đức bị từ chối: \
                   tiếp nhận hồ sơ H21.227-250915-0007, số 0912 345 678";
    bench.says(
        "DongBoHoSoMC/False",
        &json!({ "error_code": 7, "message": message }),
    );
    let answer = bench.deliver().await;
    assert_eq!(
        answer.message,
        "Phien …: … (…) và … bị từ chối: … H21.227-250915-0007, số …"
    );
}

#[tokio::test]
async fn a_code_that_is_a_sentence_reaches_nobody() {
    let body = json!({ "error_code": "Nguyễn Thị Hoà", "message": "" });
    for service in ["login", "DongBoHoSoMC/False"] {
        let bench = Bench::with(|_| {}).await;
        bench.says(service, &body);
        let answer = bench.deliver().await;
        assert_eq!(answer.code, "BAD_ANSWER", "{service}");
        assert_eq!(answer.message, "the answer has no usable code");
    }
}

#[tokio::test]
async fn credentials_do_not_come_back_in_a_message() {
    let message = "Tài khoản can_bo.xa / MẬT KHẨU: từ chối";
    let cases = [
        ("7", message, "7: Tài khoản … / …: từ chối"),
        ("CAN_BO.XA", "", "…: "),
        ("7", "Hệ thống bận, Can_Bo.Xa", "Hệ thống bận, …"),
    ];
    for (code, message, expected) in cases {
        let bench = Bench::with(|config| config.username = "can_bo.xa".to_owned()).await;
        let body = json!({ "error_code": code, "message": message });
        bench.says("login", &body);
        assert_eq!(bench.deliver().await.message, expected);
        let said = bench.adapter.check(TIMEOUT).await.unwrap_err();
        assert!(said.ends_with(&format!("): {expected}")), "{said}");
        assert!(!said.contains("can_bo"), "{said}");
    }
}

#[tokio::test]
async fn a_login_without_a_usable_session_is_a_bad_answer() {
    for session in [json!(null), json!(""), json!(7), json!("x".repeat(5_000))] {
        let bench = Bench::with(|_| {}).await;
        bench.says("login", &json!({ "error_code": 0, "session": session }));
        let answer = bench.deliver().await;
        assert_eq!(answer.code, "BAD_ANSWER");
        assert_eq!(bench.calls(), 1);
    }
}

#[tokio::test]
async fn a_body_of_just_the_bound_is_read() {
    let bench = Bench::with(|config| config.body_bytes_max = 1_024).await;
    let with_length = |bytes: usize| {
        let frame = json!({ "error_code": 7, "message": "" }).to_string().len();
        json!({ "error_code": 7, "message": "x".repeat(bytes - frame) })
    };
    bench.says("DongBoHoSoMC/False", &with_length(1_024));
    assert_eq!(bench.deliver().await.code, "7");
    bench.says("DongBoHoSoMC/False", &with_length(1_025));
    assert_eq!(bench.deliver().await.code, "BAD_ANSWER");
}

#[test]
fn any_answer_over_the_wire_gives_an_outcome_and_none_is_delivered() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let bench = runtime.block_on(Bench::with(|_| {}));
    let client = http();
    let statuses = prop::sample::select(vec![200_u16, 204, 301, 400, 401, 403, 404, 429, 500, 503]);
    let body = prop::collection::vec(any::<u8>(), 0..200);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(64));
    let services = prop::sample::select(vec!["login", "TraCuuHoSo", "DongBoHoSoMC/False"]);
    runner
        .run(&(services, statuses, body), |(service, status, body)| {
            let script = BTreeMap::from([(service.to_owned(), (status, body))]);
            *bench.desk.answers.lock().unwrap() = script;
            // A new adapter has no session, so that the login is part of it.
            let fresh = Portal::new(config(&bench.base), client.clone(), Clock::system()).unwrap();
            let answer = runtime.block_on(fresh.deliver(&work(1), Duration::from_secs(5)));
            prop_assert_ne!(answer.outcome, Outcome::Delivered);
            Ok(())
        })
        .unwrap();
}
