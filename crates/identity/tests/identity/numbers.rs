//! Citizens with two numbers: their looks are told under both, their wrong claims counted together, also after a restart.

use std::time::Duration;

use lienthong_domain::ErrorCode;
use lienthong_domain::identity::matching::Verdict;
use lienthong_domain::identity::{
    Citizen, Field, FieldSet, IdNumber, OfficialId, OldNumber, Sex, UsageKind,
};
use lienthong_identity::{UsageRequest, Verify};
use lienthong_ports::LookUp;

use crate::world::{Reply, World, claims, in_seconds, inquiry, look_up, verify};

const OLD: &str = "211234567";

fn old_number() -> IdNumber {
    IdNumber::parse(OLD).unwrap()
}

/// Looks up citizen `number`, whose record tells the old number [`OLD`].
async fn tell_old_number(world: &World, number: u32) {
    let record = Citizen {
        citizen_number: claims(number).number.citizen().copied(),
        old_number: OldNumber::parse(OLD).ok(),
        sex: Some(Sex::Female),
        ..Citizen::default()
    };
    let found = Reply::Record(LookUp::Found(Box::new(record)));
    world.population.then([found]);
    let sex = [Field::Sex].into_iter().collect::<FieldSet>();
    let looked = world.look_up(&world.counter(), look_up(number, sex)).await;
    looked.expect("the record is found");
}

/// A verification by this number, of an official of its own.
fn verify_by(number: IdNumber, official: &str) -> Verify {
    let mut request = verify("DATA_CLEANING", None, 1);
    request.inquiry.official = OfficialId::parse(official).unwrap();
    request.claims.number = number;
    request
}

/// Who looked, newest first: kinds and officials, without those who asked who looked.
async fn looks(world: &World, number: IdNumber) -> Vec<(UsageKind, String)> {
    let request = UsageRequest {
        inquiry: inquiry("CITIZEN_REQUEST", None),
        number: Some(number),
        participant: None,
        since: None,
        before: None,
        limit: 100,
        request_id: "r-usage".to_owned(),
    };
    let teller = world.caller("H21", "tracuu");
    let page = world.identity.usage(&teller, request, in_seconds(5)).await;
    let records = page.expect("granted").rows.into_iter();
    let looks = records.map(|row| (row.record.kind, row.record.asker.official.to_string()));
    looks
        .filter(|(kind, _)| *kind != UsageKind::ListUsage)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn an_old_number_of_two_citizens_leads_to_neither() {
    let world = World::new().await;
    let (one, two) = (claims(1).number, claims(2).number);
    for (number, official) in [(one, "canbo1"), (two, "canbo2"), (old_number(), "canbo3")] {
        let request = verify_by(number, official);
        world.verify(&world.counter(), request).await.unwrap();
    }
    let verified = |official: &str| (UsageKind::Verify, official.to_owned());
    let looked = || (UsageKind::Disclose, "nguyenthihoa.tuphap".to_owned());
    assert_eq!(looks(&world, old_number()).await, [verified("canbo3")]);
    tell_old_number(&world, 1).await;
    let all = [looked(), verified("canbo3"), verified("canbo1")];
    assert_eq!(looks(&world, one).await, all);
    assert_eq!(looks(&world, old_number()).await, all);
    assert_eq!(looks(&world, two).await, [verified("canbo2")]);
    // The database has the same old number for somebody else: from now on it is nobody's.
    tell_old_number(&world, 2).await;
    assert_eq!(looks(&world, one).await, [looked(), verified("canbo1")]);
    assert_eq!(looks(&world, two).await, [looked(), verified("canbo2")]);
    let under_it = [looked(), looked(), verified("canbo3")];
    assert_eq!(looks(&world, old_number()).await, under_it);
}

#[tokio::test(start_paused = true)]
async fn a_restart_forgets_no_second_number() {
    let mut world = World::new().await;
    tell_old_number(&world, 1).await;
    // By then no usage record tells a start of the other number.
    tokio::time::advance(Duration::from_hours(25)).await;
    let reply = Reply::Verdict(Verdict::NoMatch);
    world.population.always(reply);
    let mut codes = Vec::new();
    for count in 0..6 {
        world.restart().await;
        let number = [claims(1).number, old_number()][count % 2];
        let request = verify_by(number, &format!("canbo{count}"));
        let answer = world.verify(&world.counter(), request).await;
        codes.push(answer.err().map(|error| error.code));
    }
    let locked = Some(ErrorCode::SubjectLocked);
    assert_eq!(codes, [None, None, None, None, None, locked]);
}
