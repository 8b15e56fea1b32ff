//! Citizens with two numbers: who looked by one is told by the other, once an answer of the database has told both.

use lienthong_proto::identity::v1::{
    CitizenField, Claims, ListUsageRequest, UsageKind, UsageRecord,
};
use lienthong_simulators::population::Citizen;
use lienthong_tests::harness::TestGateway;
use lienthong_tests::harness::citizens::{
    DOSSIER, citizen, claims, for_dossier, for_ministry, look_up, reason, usage_of, verify,
};

use super::with_a_dossier;

/// The numbers of a citizen: the one of 12 digits, and the old one of 9.
fn numbers(person: &Citizen) -> [String; 2] {
    let old = person.old_number.clone();
    [person.number.clone(), old.expect("chosen for having one")]
}

/// What is true of a citizen, by this number.
fn by(person: &Citizen, number: &str) -> Claims {
    Claims {
        number: number.to_owned(),
        ..claims(person)
    }
}

async fn verify_by(gateway: &TestGateway, claims: Claims) {
    let mut ministry = gateway.citizens("G15", "hotich");
    let asked = verify(for_ministry("DATA_CLEANING"), claims);
    ministry.verify_citizen(asked).await.expect("granted");
}

async fn look_up_by(gateway: &TestGateway, claims: Claims) -> Result<(), String> {
    let mut province = gateway.citizens("H56", "motcua");
    // Neither number is asked for, nor granted to be shown.
    let asked = look_up(for_dossier(DOSSIER), claims, &[CitizenField::Sex]);
    let found = province.get_citizen(asked).await;
    found.map(drop).map_err(|refused| reason(&refused))
}

/// Every record about a number in pages of two, newest first, without those of asking for them.
async fn looks(gateway: &TestGateway, number: &str) -> Vec<UsageRecord> {
    let mut ministry = gateway.citizens("G15", "hotich");
    let (mut records, mut page_token) = (Vec::new(), String::new());
    loop {
        let asked = ListUsageRequest {
            page_size: 2,
            page_token,
            ..usage_of(number)
        };
        let page = ministry.list_usage(asked).await.expect("granted");
        let page = page.into_inner();
        records.extend(page.records);
        if page.next_page_token.is_empty() {
            records.retain(|record| record.kind() != UsageKind::ListUsage);
            return records;
        }
        page_token = page.next_page_token;
    }
}

fn ids(records: &[UsageRecord]) -> Vec<u64> {
    let parsed = |record: &UsageRecord| record.usage_id.parse().expect("a number");
    records.iter().map(parsed).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_citizen_is_told_of_looks_by_either_number() {
    use UsageKind::{Disclose, Verify};
    let mut gateway = with_a_dossier().await;
    let mut told = Vec::new();
    // Verified by the old number and looked up by the new one, and the other way round.
    for (person, first) in [(6, 1), (7, 0)] {
        let person = citizen(&gateway.population, person);
        let numbers = numbers(&person);
        let (verified, looked_up) = (&numbers[first], &numbers[1 - first]);
        verify_by(&gateway, by(&person, verified)).await;
        assert_eq!(looks(&gateway, looked_up).await, [], "nobody knows it yet");
        look_up_by(&gateway, by(&person, looked_up)).await.unwrap();
        verify_by(&gateway, by(&person, looked_up)).await;
        let records = looks(&gateway, looked_up).await;
        let kinds = records.iter().map(|row| (row.kind(), row.as_relative));
        assert!(
            kinds.eq([(Verify, false), (Disclose, false), (Verify, false)]),
            "each once, newest first: {records:#?}"
        );
        assert!(ids(&records).is_sorted_by(|newer, older| newer > older));
        assert_eq!(ids(&looks(&gateway, verified).await), ids(&records));
        told.push((numbers, ids(&records)));
    }
    gateway.restart_with(|_| ()).await;
    for (numbers, expected) in told {
        for number in numbers {
            assert_eq!(ids(&looks(&gateway, &number).await), expected);
        }
    }
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_about_a_number_links_nobody() {
    let gateway = with_a_dossier().await;
    let [person, stranger] = [8, 9].map(|skip| citizen(&gateway.population, skip));
    let [number, old] = numbers(&person);
    let [_, strangers] = numbers(&stranger);
    // Claimed beside a right number, and as the number itself; the true one is verified and not shown either.
    for claimed in [&strangers, &old] {
        let both = Claims {
            old_number: claimed.clone(),
            ..claims(&person)
        };
        verify_by(&gateway, both).await;
    }
    let wrong = by(&person, &strangers);
    verify_by(&gateway, wrong.clone()).await;
    let refused = look_up_by(&gateway, wrong).await;
    assert_eq!(refused, Err("CITIZEN_NOT_FOUND".to_owned()));
    for (number, expected) in [(&number, 2), (&old, 0), (&strangers, 2)] {
        let found = looks(&gateway, number).await;
        assert_eq!(found.len(), expected, "{found:#?}");
    }
    let strangers_own = looks(&gateway, &stranger.number).await;
    assert_eq!(strangers_own, [], "it was nobody's answer");
    gateway.stop().await;
}
