//! Against the simulated database: every promise, every way in, every fault.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lienthong_domain::Private;
use lienthong_domain::identity::{BirthDate, FieldSet, NameLevel, Verdict};
use lienthong_population::SoapRegistry;
use lienthong_population::config::{Access, TimestampUnit, VerifyBy};
use lienthong_ports::conformance::population::{claims_of, question, run, unique};
use lienthong_ports::{LookUp, PopulationRegistry as _, RegistryError};
use lienthong_simulators::population::{
    self as simulated, Fault, Gate, LayoutChoice, LgspKeys, Outcome, PopulationConfig, Service,
    When,
};

use tokio::task::JoinSet;

use crate::support::{Database, SHORT, TIMEOUT, c06, claims, plain};

#[tokio::test]
async fn every_promise_is_kept_by_matching() {
    let database = Database::open().await;
    run(&database.registry(|_| {}), &database.cast()).await;
}

#[tokio::test]
async fn every_promise_is_kept_by_looking_up() {
    let database = Database::start(PopulationConfig {
        gate: Gate::FoldDiacritics,
        ..PopulationConfig::default()
    })
    .await;
    let registry = database.registry(|config| config.verify_by = VerifyBy::LookUp);
    run(&registry, &database.cast()).await;
    assert_eq!(
        database
            .handle
            .stats()
            .count(Service::Match, Outcome::Found),
        0
    );
}

#[tokio::test]
async fn c06_takes_our_signature_in_both_units() {
    for unit in [TimestampUnit::Milliseconds, TimestampUnit::Seconds] {
        let (theirs, ours) = c06(unit);
        let config = PopulationConfig {
            access: theirs,
            ..PopulationConfig::default()
        };
        let database = Database::start(config).await;
        let registry = database.registry(|config| config.access = ours.clone());
        assert_match(&registry, &database).await;
        assert_eq!(registry.check(TIMEOUT).await, Ok(()));
        let Access::C06 { user, .. } = ours else {
            panic!("another kind of access");
        };
        let forger = database.registry(|config| {
            config.access = Access::C06 {
                user,
                secret: key("sai"),
                service_url: String::new(),
                timestamp: unit,
            };
        });
        assert_refused(&forger, &database).await;
        assert!(forger.check(TIMEOUT).await.is_err());
        let stranger = database.registry(|_| {});
        assert_refused(&stranger, &database).await;
        assert!(stranger.check(TIMEOUT).await.is_err());
    }
}

fn key(text: &str) -> Private<String> {
    Private::new(text.to_owned())
}

fn lgsp(token_lifetime: Duration, token_url: &str) -> (simulated::Access, Access) {
    let keys = LgspKeys {
        access_key: "a".to_owned(),
        secret_key: "b".to_owned(),
        app_name: "c".to_owned(),
        partner_code: "d".to_owned(),
        partner_code_cus: "e".to_owned(),
    };
    let ours = Access::Lgsp {
        token_url: token_url.to_owned(),
        access_key: key("a"),
        secret_key: key("b"),
        app_name: "c".to_owned(),
        partner_code: "d".to_owned(),
        partner_code_cus: "e".to_owned(),
        official_keys: [("hoa.tuphap".to_owned(), key("khoá"))].into(),
        default_key: Private::default(),
    };
    let theirs = simulated::Access::Lgsp {
        keys,
        token_lifetime,
    };
    (theirs, ours)
}

#[tokio::test]
async fn one_token_serves_many_and_is_renewed_once() {
    let (theirs, _) = lgsp(Duration::from_hours(1), "");
    let config = PopulationConfig {
        access: theirs,
        ..PopulationConfig::default()
    };
    let database = Database::start(config).await;
    let (_, ours) = lgsp(Duration::ZERO, &database.token_url);
    let registry = Arc::new(database.registry(|config| config.access = ours));
    let tokens = || {
        let stats = database.handle.stats();
        let outcomes = stats.outcomes.get(&Service::Token);
        outcomes.map_or(0, |outcomes| outcomes.values().sum::<u64>())
    };
    let mut asking = JoinSet::new();
    for index in 0..8 {
        let claims = claims(&database.handle.population().citizen(index));
        let registry = Arc::clone(&registry);
        asking.spawn(async move {
            registry
                .verify(&question(&unique()), &claims, TIMEOUT)
                .await
        });
    }
    for asked in asking.join_all().await {
        assert_eq!(asked.unwrap().verdict, Verdict::Match);
    }
    assert_eq!(tokens(), 1);
    database.strike(Fault::ExpireTokens, When::First(1));
    assert_match(&registry, &database).await;
    assert_eq!(tokens(), 2, "one more request for a token");
    assert_eq!(registry.check(TIMEOUT).await, Ok(()));

    // Tokens that never last: one renewal, then the refusal is told.
    database.strike(Fault::ExpireTokens, When::Always);
    assert_refused(&registry, &database).await;
    database.heal();
    assert_match(&registry, &database).await;
}

#[tokio::test]
async fn wso2_gives_tokens_for_client_credentials() {
    let config = PopulationConfig {
        access: simulated::Access::Wso2 {
            client_id: "id".to_owned(),
            client_secret: "bí mật".to_owned(),
            token_lifetime: Duration::from_hours(1),
        },
        ..PopulationConfig::default()
    };
    let database = Database::start(config).await;
    let access = |secret: &str| Access::Wso2 {
        token_url: database.token_url.clone(),
        client_id: "id".to_owned(),
        client_secret: key(secret),
    };
    let registry = database.registry(|config| config.access = access("bí mật"));
    assert_match(&registry, &database).await;
    let stranger = database.registry(|config| config.access = access("sai"));
    assert_refused(&stranger, &database).await;
    let sentence = stranger.check(TIMEOUT).await.unwrap_err();
    assert!(
        sentence.contains("127.0.0.1") && sentence.contains("token"),
        "{sentence}"
    );
}

fn busy(as_soap_fault: bool) -> Fault {
    Fault::Busy {
        retry_after_s: 7,
        as_soap_fault,
    }
}

/// What each misbehaviour is.
fn misbehaviour() -> Vec<(Fault, &'static str)> {
    let status = |code| Fault::Status { code };
    let sentence = |message: &str| Fault::SoapFault {
        message: message.to_owned(),
    };
    let drip = Fault::SlowDrip {
        bytes: 1,
        every_ms: 500,
    };
    vec![
        (status(401), "Refused"),
        (status(403), "Refused"),
        (status(404), "Unavailable"),
        (status(500), "Unavailable"),
        (status(502), "Unavailable"),
        (status(503), "Unavailable"),
        (sentence("Lỗi hệ thống"), "Unavailable"),
        (sentence("Hệ thống quá tải"), "Busy"),
        (busy(false), "Busy"),
        (busy(true), "Busy"),
        (Fault::Garbage, "BadAnswer"),
        (Fault::Truncated, "BadAnswer"),
        (Fault::EmptyBody, "BadAnswer"),
        (Fault::HugeBody, "BadAnswer"),
        (Fault::WrongNamespace, "BadAnswer"),
        (Fault::HalfOpen, "Unavailable"),
        (drip, "Unavailable"),
        (Fault::Cut, "Unavailable"),
        (Fault::CutMidAnswer, "Unavailable"),
        (Fault::Down, "Unavailable"),
    ]
}

/// And the next question is answered as if nothing had been.
#[tokio::test]
async fn every_fault_has_its_error_and_none_lasts() {
    let database = Database::start(plain(Gate::Exact)).await;
    let registry = database.registry(|_| {});
    let by_look_up = database.registry(|config| config.verify_by = VerifyBy::LookUp);
    let claims = claims(&database.handle.population().citizen(3));
    let all = FieldSet::all();
    for (fault, expected) in misbehaviour() {
        let shown = format!("{fault:?}");
        let is_endless = matches!(fault, Fault::HalfOpen | Fault::SlowDrip { .. });
        let timeout = if is_endless { SHORT } else { TIMEOUT };
        database.strike(fault, When::Always);
        let begun = Instant::now();
        let asked = [(); 3].map(|()| question(&unique()));
        let errors = [
            registry.verify(&asked[0], &claims, timeout).await.err(),
            by_look_up.verify(&asked[1], &claims, timeout).await.err(),
            registry
                .look_up(&asked[2], &claims, all, timeout)
                .await
                .err(),
        ];
        assert!(begun.elapsed() < TIMEOUT, "{shown}");
        for error in errors {
            let error = error.unwrap_or_else(|| panic!("{shown} gave an answer"));
            assert!(
                format!("{error:?}").starts_with(expected),
                "{shown}: {error:?}"
            );
        }
        database.heal();
        assert_match(&registry, &database).await;
    }
    database.strike(busy(false), When::Always);
    let asked = registry
        .verify(&question(&unique()), &claims, TIMEOUT)
        .await;
    let wait = Some(Duration::from_secs(7));
    assert!(matches!(asked, Err(RegistryError::Busy { retry_after }) if retry_after == wait));
}

#[tokio::test]
async fn another_persons_record_is_a_bad_answer() {
    let database = Database::start(plain(Gate::Exact)).await;
    let registry = database.registry(|config| config.verify_by = VerifyBy::LookUp);
    let claims = claims(&database.handle.population().citizen(3));
    database.strike(Fault::OtherPerson, When::Always);
    let verified = registry
        .verify(&question(&unique()), &claims, TIMEOUT)
        .await;
    assert!(
        matches!(verified, Err(RegistryError::BadAnswer(_))),
        "{verified:?}"
    );
    let found = registry
        .look_up(&question(&unique()), &claims, FieldSet::all(), TIMEOUT)
        .await;
    assert!(
        matches!(found, Err(RegistryError::BadAnswer(_))),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_database_that_opens_records_by_number_alone_is_not_trusted() {
    let database = Database::start(plain(Gate::NumberOnly)).await;
    let registry = database.registry(|config| config.verify_by = VerifyBy::LookUp);
    let cast = database.cast();
    let mut claims = claims_of(&cast.people[0]);
    claims.birth = BirthDate::parse("1931-01-02").unwrap();
    let found = registry
        .look_up(&question(&unique()), &claims, FieldSet::all(), TIMEOUT)
        .await;
    assert_eq!(found.unwrap(), LookUp::Mismatch);
    let mut year = claims_of(&cast.people[0]);
    year.birth = BirthDate::Year(year.birth.year());
    let verified = registry
        .verify(&question(&unique()), &year, TIMEOUT)
        .await
        .unwrap();
    assert_eq!(
        (verified.verdict, verified.name_level),
        (Verdict::Undecided, Some(NameLevel::Exact))
    );
    for claims in [&year, &cast.bare] {
        let found = registry
            .look_up(&question(&unique()), claims, FieldSet::all(), TIMEOUT)
            .await;
        assert_eq!(found.unwrap(), LookUp::Mismatch, "undecided is not enough");
    }
    let verified = registry
        .verify(&question(&unique()), &cast.bare, TIMEOUT)
        .await
        .unwrap();
    assert_eq!(
        (verified.verdict, verified.name_level),
        (Verdict::Undecided, Some(NameLevel::NoDiacritics))
    );
}

#[tokio::test]
async fn a_poor_record_leaves_doubts_and_no_errors() {
    let config = PopulationConfig {
        layout: LayoutChoice::Any,
        ..PopulationConfig::default()
    };
    let database = Database::start(config).await;
    let registry = database.registry(|config| config.verify_by = VerifyBy::LookUp);
    let (mut verdicts, mut found_or_not) = ([0, 0], [0, 0]);
    for person in database.cast().people {
        let claims = claims_of(&person);
        let verified = registry
            .verify(&question(&unique()), &claims, TIMEOUT)
            .await
            .unwrap();
        match verified.verdict {
            Verdict::Match => verdicts[0] += 1,
            Verdict::Undecided => verdicts[1] += 1,
            Verdict::NoMatch => panic!("a true claim"),
        }
        let found = registry
            .look_up(&question(&unique()), &claims, FieldSet::all(), TIMEOUT)
            .await;
        // Each call lays the record out anew; one that leaves a doubt is not shown.
        match found.unwrap() {
            LookUp::Found(_) => found_or_not[0] += 1,
            LookUp::Mismatch => found_or_not[1] += 1,
            LookUp::NotFound => panic!("it is there"),
        }
    }
    let counts = [verdicts, found_or_not];
    assert!(
        counts.as_flattened().iter().all(|count| *count > 0),
        "{counts:?}"
    );
}

#[tokio::test]
async fn a_check_leaves_no_question_behind() {
    let database = Database::open().await;
    assert_eq!(database.registry(|_| {}).check(TIMEOUT).await, Ok(()));
    assert!(database.handle.record().entries.is_empty());
    database.strike(Fault::Down, When::Always);
    let sentence = database.registry(|_| {}).check(TIMEOUT).await.unwrap_err();
    assert!(sentence.contains("127.0.0.1"), "{sentence}");
    database.strike(Fault::HalfOpen, When::Always);
    assert!(database.registry(|_| {}).check(SHORT).await.is_err());
}

async fn assert_match(registry: &SoapRegistry, database: &Database) {
    let claims = claims(&database.handle.population().citizen(3));
    let verified = registry
        .verify(&question(&unique()), &claims, TIMEOUT)
        .await;
    assert_eq!(verified.unwrap().verdict, Verdict::Match);
}

async fn assert_refused(registry: &SoapRegistry, database: &Database) {
    let claims = claims(&database.handle.population().citizen(3));
    let verified = registry
        .verify(&question(&unique()), &claims, TIMEOUT)
        .await;
    assert!(
        matches!(verified, Err(RegistryError::Refused(_))),
        "{verified:?}"
    );
}
