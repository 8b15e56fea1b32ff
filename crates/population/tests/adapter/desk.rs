//! A database that says what a test tells it to, whatever was asked: for answers the simulator never gives.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use lienthong_domain::identity::{
    BirthDate, Claims, Field, FieldSet, FullName, IdNumber, Sex, Verdict,
};
use lienthong_domain::identity::{NameLevel, Verification};
use lienthong_domain::{Private, Text};
use lienthong_population::SoapConfig;
use lienthong_population::config::{Filled, Form, VerifyBy};
use lienthong_ports::conformance::population::{question, unique};
use lienthong_ports::{LookUp, PopulationRegistry as _, RegistryError};
use proptest::prelude::*;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::support::{TIMEOUT, config, registry};

/// One call as the server saw it.
struct Seen {
    headers: HeaderMap,
    body: String,
}

#[derive(Default)]
struct Book {
    /// Status and body of the calls to come; the last one stays.
    answers: Mutex<VecDeque<(u16, Vec<u8>)>>,
    seen: Mutex<Vec<Seen>>,
}

pub(crate) struct Desk {
    book: Arc<Book>,
    pub(crate) url: String,
    _running: JoinSet<()>,
}

async fn answer(
    State(book): State<Arc<Book>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Vec<u8>) {
    let body = String::from_utf8(body.to_vec()).unwrap();
    book.seen.lock().unwrap().push(Seen { headers, body });
    let mut answers = book.answers.lock().unwrap();
    let (status, body) = match answers.len() {
        0 => (500, Vec::new()),
        1 => answers[0].clone(),
        _ => answers.pop_front().unwrap(),
    };
    (StatusCode::from_u16(status).unwrap(), body)
}

impl Desk {
    pub(crate) async fn start() -> Self {
        let book = Arc::new(Book::default());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&book));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/dv", listener.local_addr().unwrap());
        let mut running = JoinSet::new();
        running.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            book,
            url,
            _running: running,
        }
    }

    /// From now on, and only this.
    pub(crate) fn says(&self, status: u16, body: &str) {
        self.says_in_turn(&[(status, body)]);
    }

    fn says_in_turn(&self, answers: &[(u16, &str)]) {
        let answers = answers
            .iter()
            .map(|(status, body)| (*status, body.as_bytes().to_vec()));
        *self.book.answers.lock().unwrap() = answers.collect();
        self.book.seen.lock().unwrap().clear();
    }

    /// `MaYeuCau` and `MaTichHop` of the calls seen.
    fn calls(&self) -> Vec<(String, String)> {
        let part = |body: &str, name: &str| {
            let (_, rest) = body.split_once(&format!("<{name}>")).unwrap_or_default();
            rest.split('<').next().unwrap_or_default().to_owned()
        };
        let seen = self.book.seen.lock().unwrap();
        let seen = seen.iter();
        seen.map(|call| (part(&call.body, "MaYeuCau"), part(&call.body, "MaTichHop")))
            .collect()
    }

    fn registry(&self, change: impl FnOnce(&mut SoapConfig)) -> lienthong_population::SoapRegistry {
        let mut settings = SoapConfig {
            url: self.url.clone(),
            ..config()
        };
        change(&mut settings);
        registry(settings)
    }
}

fn envelope(inside: &str) -> String {
    format!(
        "<S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\"><S:Body>{inside}</S:Body></S:Envelope>"
    )
}

fn exists(yes: bool) -> String {
    envelope(&format!(
        "<KetQuaXacThuc><TonTai>{yes}</TonTai></KetQuaXacThuc>"
    ))
}

/// Mrs Hoà's record, with further fields.
pub(crate) fn record(further: &str) -> String {
    envelope(&format!(
        "<CongdanCollection><CongDan><SoDinhDanh>038191012345</SoDinhDanh><HoVaTen><Ten>LÊ THỊ HOÀ</Ten></HoVaTen>\
         <NgayThangNamSinh><NgayThangNam>19910430</NgayThangNam></NgayThangNamSinh>{further}</CongDan></CongdanCollection>"
    ))
}

fn nobody() -> String {
    envelope("<CongdanCollection/>")
}

pub(crate) fn hoa() -> Claims {
    Claims::key(
        IdNumber::parse("038191012345").unwrap(),
        FullName::parse("Lê Thị Hoà").unwrap(),
        BirthDate::parse("1991-04-30").unwrap(),
    )
}

#[tokio::test]
async fn a_match_asks_other_spellings_and_then_no_more() {
    let desk = Desk::start().await;
    let adapter = desk.registry(|_| {});
    let (yes, no) = (exists(true), exists(false));

    desk.says(200, &yes);
    let asked = question("cau-hoi");
    let verified = adapter.verify(&asked, &hoa(), TIMEOUT).await.unwrap();
    assert_eq!(verified.name_level, Some(NameLevel::Exact));
    assert_eq!(desk.calls(), [("cau-hoi".to_owned(), "003".to_owned())]);

    desk.says_in_turn(&[(200, &no), (200, &yes)]);
    let verified = adapter.verify(&asked, &hoa(), TIMEOUT).await.unwrap();
    assert_eq!(
        (verified.verdict, verified.name_level),
        (Verdict::Match, Some(NameLevel::ToneStyle))
    );
    let ids: Vec<_> = desk.calls().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["cau-hoi", "cau-hoi-2"]);
    assert!(
        desk.book.seen.lock().unwrap()[1]
            .body
            .contains("<HoVaTen>LÊ THỊ HÒA</HoVaTen>")
    );

    desk.says(200, &no);
    let mut mixed = hoa();
    mixed.name = FullName::parse("Lê Thị Hoà Thúy").unwrap();
    let verified = adapter.verify(&asked, &mixed, TIMEOUT).await.unwrap();
    assert_eq!(verified, Verification::no_match(&mixed));
    assert_eq!(
        desk.calls().len(),
        3,
        "as it is, in the old style, in the new style"
    );

    // An error in between is an error, not "no match".
    desk.says_in_turn(&[(200, &no), (502, "")]);
    let verified = adapter.verify(&asked, &hoa(), TIMEOUT).await;
    assert!(
        matches!(verified, Err(RegistryError::Unavailable(_))),
        "{verified:?}"
    );
}

#[tokio::test]
async fn optional_claims_cost_one_look_up_and_show_verdicts_only() {
    let desk = Desk::start().await;
    let adapter = desk.registry(|_| {});
    let mut claims = hoa();
    claims.sex = Some(Sex::Female);
    claims.home_town = Some(Private::new(Text::parse("Thôn 3, xã Hoằng Hoá").unwrap()));
    let told = record("<GioiTinh>2</GioiTinh><QueQuan><ChiTiet>Thôn 3</ChiTiet></QueQuan>");
    let (yes, no) = (exists(true), exists(false));
    desk.says_in_turn(&[(200, &yes), (200, &told)]);
    let verified = adapter
        .verify(&question("q"), &claims, TIMEOUT)
        .await
        .unwrap();
    let verdicts: Vec<_> = verified
        .fields
        .iter()
        .map(|(_, verdict)| *verdict)
        .collect();
    let mut expected = [Verdict::Match; 5];
    expected[4] = Verdict::Undecided;
    assert_eq!(verdicts, expected);
    let codes: Vec<_> = desk.calls().into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, ["003", "037"]);

    desk.says(200, &no);
    assert_eq!(
        adapter
            .verify(&question("q"), &claims, TIMEOUT)
            .await
            .unwrap(),
        Verification::no_match(&claims)
    );
    assert!(
        desk.calls().iter().all(|(_, code)| code == "003"),
        "no record is fetched of a wrong claim"
    );

    let other = told.replace("038191012345", "038191012346");
    let renamed = told.replace("LÊ THỊ HOÀ", "TRẦN VĂN ĐỨC");
    for contradiction in [nobody(), other, renamed] {
        desk.says_in_turn(&[(200, &yes), (200, &contradiction)]);
        let verified = adapter.verify(&question("q"), &claims, TIMEOUT).await;
        assert!(
            matches!(verified, Err(RegistryError::BadAnswer(_))),
            "{verified:?}"
        );
    }
}

#[tokio::test]
async fn a_record_opens_to_a_whole_key_only() {
    let desk = Desk::start().await;
    let adapter = desk.registry(|_| {});
    let whole = record("<GioiTinh>2</GioiTinh>");
    let sex = FieldSet::from_iter([Field::Sex]);
    let ask = |claims: Claims| {
        let adapter = &adapter;
        async move {
            adapter
                .look_up(&question(&unique()), &claims, sex, TIMEOUT)
                .await
                .unwrap()
        }
    };
    desk.says(200, &whole);
    let LookUp::Found(found) = ask(hoa()).await else {
        panic!("not found");
    };
    assert_eq!((found.sex, found.fields()), (Some(Sex::Female), sex));
    let mut bare = hoa();
    bare.name = FullName::parse("Le Thi Hoa").unwrap();
    assert_eq!(ask(bare).await, LookUp::Mismatch, "a bare name");
    let mut year = hoa();
    year.birth = BirthDate::parse("1991").unwrap();
    assert_eq!(ask(year).await, LookUp::Mismatch, "a mere year");
    let old = || {
        let mut claims = hoa();
        claims.number = IdNumber::parse("171234567").unwrap();
        claims
    };
    let numberless = whole.replace("<SoDinhDanh>038191012345</SoDinhDanh>", "");
    let undated = numberless.replace("NgayThangNamSinh", "KhongRo");
    let contradiction = whole.replace("19910430", "19910501");
    for told in [&numberless, &undated, &contradiction] {
        desk.says(200, told);
        assert_eq!(ask(hoa()).await, LookUp::Mismatch, "{told}");
    }
    // It tells no old number, so whether it is about the person does not show.
    desk.says(200, &whole);
    assert_eq!(ask(old()).await, LookUp::Mismatch);
    desk.says(200, &record("<SoCMND>171234567</SoCMND>"));
    assert!(matches!(ask(old()).await, LookUp::Found(_)));
    desk.says(200, &nobody());
    assert_eq!(ask(hoa()).await, LookUp::NotFound);
}

#[tokio::test]
async fn headers_and_elements_are_as_configured() {
    let desk = Desk::start().await;
    let adapter = desk.registry(|config| {
        config.verify_by = VerifyBy::LookUp;
        config.content_type = "text/xml; charset=utf-8".to_owned();
        config.soap_action = "\"urn:tracuu\"".to_owned();
        config.unit = Filled::Participant;
        config.headers = [("ApiKey".to_owned(), Private::new("khoa".to_owned()))].into();
    });
    desk.says(200, &nobody());
    let mut asked = question("q");
    asked.procedure = None;
    adapter.verify(&asked, &hoa(), TIMEOUT).await.unwrap();
    let seen = desk.book.seen.lock().unwrap();
    let headers = &seen[0].headers;
    assert_eq!(headers["content-type"], "text/xml; charset=utf-8");
    assert_eq!(headers["soapaction"], "\"urn:tracuu\"");
    assert_eq!(headers["apikey"], "khoa");
    assert!(
        seen[0].body.contains("<MaDVC>1.001193</MaDVC>")
            && seen[0].body.contains("<MaDonVi>H21</MaDonVi>")
    );
}

#[tokio::test]
async fn a_json_facade_is_asked_and_read() {
    let desk = Desk::start().await;
    let adapter = desk.registry(|config| config.form = Form::Json);
    let xml = |xml: &str| serde_json::json!({ "error_code": "0", "message": xml }).to_string();
    desk.says(200, &xml(&record("")));
    let found = adapter
        .look_up(&question("q"), &hoa(), FieldSet::KEY, TIMEOUT)
        .await;
    assert!(matches!(found, Ok(LookUp::Found(_))), "{found:?}");
    {
        let seen = desk.book.seen.lock().unwrap();
        assert_eq!(
            seen[0].headers["content-type"],
            "application/json; charset=utf-8"
        );
        let body: Value = serde_json::from_str(&seen[0].body).unwrap();
        assert_eq!(
            (&body["maTichHop"], &body["ngayThangNam"]),
            (&"037".into(), &"19910430".into())
        );
    }
    desk.says(200, &xml(&nobody()));
    let found = adapter
        .look_up(&question("q"), &hoa(), FieldSet::KEY, TIMEOUT)
        .await;
    assert_eq!(found.unwrap(), LookUp::NotFound);
    desk.says(200, "{\"error_code\":-1,\"message\":\"Thiếu tham số\"}");
    let found = adapter
        .look_up(&question("q"), &hoa(), FieldSet::KEY, TIMEOUT)
        .await;
    assert!(
        matches!(found, Err(RegistryError::Unavailable(_))),
        "{found:?}"
    );
    assert_eq!(
        adapter.check(TIMEOUT).await,
        Ok(()),
        "it understood that nothing was asked"
    );
}

#[test]
fn any_answer_over_the_wire_is_an_error_and_never_nobody() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let desk = runtime.block_on(Desk::start());
    let adapter = desk.registry(|_| {});
    let statuses = prop::sample::select(vec![200_u16, 204, 301, 400, 401, 403, 404, 429, 500, 503]);
    let garbage = prop::collection::vec(any::<u8>(), 0..200);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(64));
    runner
        .run(&(statuses, garbage), |(status, body)| {
            *desk.book.answers.lock().unwrap() = [(status, body)].into();
            let asked = question(&unique());
            let verified = runtime.block_on(adapter.verify(&asked, &hoa(), TIMEOUT));
            let found = runtime.block_on(adapter.look_up(&asked, &hoa(), FieldSet::all(), TIMEOUT));
            prop_assert!(verified.is_err() && found.is_err());
            Ok(())
        })
        .unwrap();
}
