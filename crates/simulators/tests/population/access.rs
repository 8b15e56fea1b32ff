//! The three ways to prove who one is, right and wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lienthong_simulators::population::{
    Access, LgspKeys, Outcome, PopulationConfig, Service, TimestampUnit,
};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Ask, Database, config};

const NOW_MS: i64 = 1_790_000_000_000;
const HOUR: Duration = Duration::from_hours(1);

async fn c06(unit: TimestampUnit, service_url: Option<&str>) -> Database {
    let users = BTreeMap::from([("H56".to_owned(), "bí mật".to_owned())]);
    Database::start(PopulationConfig {
        access: Access::C06 {
            users,
            service_url: service_url.map(str::to_owned),
            unit,
            skew_max: Duration::from_mins(5),
        },
        started_at_ms: NOW_MS,
        ..config()
    })
    .await
}

fn signed(
    request: RequestBuilder,
    url: &str,
    user: &str,
    secret: &str,
    stamp: i64,
) -> RequestBuilder {
    let hash = hex::encode(Sha256::digest(format!("{url}{user}{stamp}{secret}")));
    request.header("Timestamp", stamp.to_string()).header(
        "Authorization",
        format!("Basic {}", STANDARD.encode(format!("{user}:{hash}"))),
    )
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.expect("an answer").status().as_u16()
}

#[tokio::test]
async fn c06_wants_user_secret_url_and_time() {
    let database = c06(TimestampUnit::Milliseconds, None).await;
    assert_eq!(database.service_url, database.endpoint);
    let url = database.service_url.clone();
    let citizen = database.citizen(0);
    for (id, url, user, secret, stamp, expected) in [
        ("1", url.as_str(), "H56", "bí mật", NOW_MS, 200),
        ("2", &url, "H56", "bí mật", NOW_MS - 299_000, 200),
        ("3", &url, "H56", "bí mật", NOW_MS + 299_000, 200),
        ("4", &url, "H56", "bí mật", NOW_MS - 301_000, 401),
        ("5", &url, "H56", "bí mật", NOW_MS + 400_000, 401),
        ("6", &url, "H56", "bí mật", NOW_MS / 1_000, 401),
        ("7", &url, "H56", "khác", NOW_MS, 401),
        ("8", &url, "H57", "bí mật", NOW_MS, 401),
        ("9", "http://khac.example/", "H56", "bí mật", NOW_MS, 401),
        ("10", &url, "H56", "bí mật", i64::MIN, 401),
    ] {
        let request = database.request(Ask::look_up(id, &citizen).xml());
        let told = status(signed(request, url, user, secret, stamp)).await;
        assert_eq!(told, expected, "{id}");
    }
    let bare = || database.request(Ask::look_up("bare", &citizen).xml());
    let with = |name: &'static str, value: &str| bare().header(name, value);
    assert_eq!(status(bare()).await, 401);
    assert_eq!(status(with("Timestamp", &NOW_MS.to_string())).await, 401);
    assert_eq!(status(with("Authorization", "Basic SDU2Og==")).await, 401);
    let stats = database.handle.stats();
    assert_eq!(stats.count(Service::LookUp, Outcome::Unauthorized), 10);
    // There are no tokens here.
    let form = database
        .client
        .post(&database.token_url)
        .body("grant_type=client_credentials");
    assert_eq!(status(form).await, 404);
    database.stop().await;
}

#[tokio::test]
async fn c06_may_count_seconds_and_hash_a_public_url() {
    let url = "https://api.dancu.example/tra-cuu";
    let database = c06(TimestampUnit::Seconds, Some(url)).await;
    assert_eq!(database.service_url, url);
    let citizen = database.citizen(0);
    for (id, stamp, expected) in [("1", NOW_MS / 1_000, 200), ("2", NOW_MS, 401)] {
        let request = database.request(Ask::matching(id, &citizen).xml());
        assert_eq!(
            status(signed(request, url, "H56", "bí mật", stamp)).await,
            expected
        );
    }
    database.stop().await;
}

fn form(database: &Database, body: &'static str) -> RequestBuilder {
    database
        .client
        .post(&database.token_url)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body)
}

async fn token(request: RequestBuilder) -> String {
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    let text = response.text().await.expect("whole");
    let body: Value = serde_json::from_str(&text).expect("a token comes as JSON");
    assert_eq!(body["token_type"], "Bearer");
    body["access_token"]
        .as_str()
        .expect("a token is text")
        .to_owned()
}

fn lgsp_keys() -> LgspKeys {
    LgspKeys {
        access_key: "ak".to_owned(),
        secret_key: "sk".to_owned(),
        app_name: "lienthong".to_owned(),
        partner_code: "H56".to_owned(),
        partner_code_cus: "H56.14".to_owned(),
    }
}

/// The header as an adapter writes it, with this secret.
fn lgsp_header(secret: &str) -> String {
    let keys = json!({ "AccessKey": "ak", "SecretKey": secret, "AppName": "lienthong",
                       "PartnerCode": "H56", "PartnerCodeCus": "H56.14" });
    STANDARD.encode(keys.to_string())
}

#[tokio::test]
async fn lgsp_wants_its_keys_for_the_token_and_with_each_call() {
    let (header, wrong) = (lgsp_header("sk"), lgsp_header("khác"));
    let keys = lgsp_keys();
    let access = Access::Lgsp {
        keys,
        token_lifetime: HOUR,
    };
    let database = Database::start(PopulationConfig { access, ..config() }).await;
    let grant = "scope=a&grant_type=client_credentials";
    let name = "lgspaccesstoken";
    assert_eq!(status(form(&database, grant)).await, 401);
    assert_eq!(
        status(form(&database, grant).header(name, &wrong)).await,
        401
    );
    assert_eq!(
        status(form(&database, "grant_type=password").header(name, &header)).await,
        400
    );
    let token = token(form(&database, grant).header(name, &header)).await;
    let citizen = database.citizen(0);
    let call = |id: &str| database.request(Ask::look_up(id, &citizen).xml());
    let bearer = format!("Bearer {token}");
    assert_eq!(status(call("1").header(name, &header)).await, 401);
    assert_eq!(
        status(call("2").header("Authorization", &bearer)).await,
        401
    );
    assert_eq!(
        status(
            call("3")
                .header("Authorization", &bearer)
                .header(name, &wrong)
        )
        .await,
        401
    );
    assert_eq!(
        status(
            call("4")
                .header("Authorization", "Bearer x")
                .header(name, &header)
        )
        .await,
        401
    );
    assert_eq!(
        status(
            call("5")
                .header("Authorization", &bearer)
                .header(name, &header)
        )
        .await,
        200
    );
    let stats = database.handle.stats();
    assert_eq!(stats.count(Service::Token, Outcome::TokenGiven), 1);
    assert_eq!(stats.count(Service::Token, Outcome::Unauthorized), 2);
    database.stop().await;
}

fn wso2(token_lifetime: Duration) -> PopulationConfig {
    PopulationConfig {
        access: Access::Wso2 {
            client_id: "h56".to_owned(),
            client_secret: "bí mật".to_owned(),
            token_lifetime,
        },
        ..config()
    }
}

#[tokio::test]
async fn wso2_gives_tokens_for_basic_credentials_and_ends_them_on_a_script() {
    let database = Database::start(wso2(HOUR)).await;
    let grant = "grant_type=client_credentials";
    assert_eq!(
        status(form(&database, grant).basic_auth("h56", Some("sai"))).await,
        401
    );
    let token = token(form(&database, grant).basic_auth("h56", Some("bí mật"))).await;
    let citizen = database.citizen(0);
    let call = |id: &str| {
        database
            .request(Ask::matching(id, &citizen).xml())
            .bearer_auth(&token)
    };
    assert_eq!(status(call("1")).await, 200);
    let script = r#"{"rules":[{"fault":"expire_tokens","when":{"first":1}}]}"#;
    database
        .handle
        .set_faults(serde_json::from_str(script).expect("the script is right"))
        .expect("in bounds");
    for id in ["2", "3"] {
        assert_eq!(status(call(id)).await, 401, "{id}: the token ended");
    }
    database.stop().await;
}

#[tokio::test]
async fn a_token_ends_with_its_time() {
    let database = Database::start(wso2(Duration::ZERO)).await;
    let grant = form(&database, "grant_type=client_credentials");
    let token = token(grant.basic_auth("h56", Some("bí mật"))).await;
    let citizen = database.citizen(0);
    let call = database
        .request(Ask::matching("1", &citizen).xml())
        .bearer_auth(token);
    assert_eq!(status(call).await, 401);
    database.stop().await;
}
