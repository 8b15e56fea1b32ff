use super::*;
use crate::population::MaritalStatus;

fn population() -> Population {
    Population::new(11, 300_000).expect("a possible size")
}

fn some_seats(population: &Population) -> Vec<Seat> {
    (0..300_000)
        .step_by(37)
        .map(|place| population.seat(place))
        .collect()
}

#[test]
fn marriages_are_mutual() {
    let population = population();
    let mut couples = 0;
    for seat in some_seats(&population) {
        if let Some(partner) = population.partner(&seat) {
            assert_ne!(partner.bucket.sex, seat.bucket.sex);
            assert_eq!(population.partner(&partner), Some(seat));
        }
        if let (MaritalStatus::Married, spouse) = population.marriage(&seat) {
            let spouse = spouse.expect("who is married has a spouse");
            let (_, of_spouse) = population.marriage(&spouse);
            if !population.is_dead(&seat) {
                assert_eq!(of_spouse, Some(seat));
                couples += 1;
            }
        }
    }
    assert!(couples > 2_000, "{couples}");
}

#[test]
fn families_hold_together() {
    let population = population();
    let (mut fathers, mut mothers) = (0, 0);
    for seat in some_seats(&population) {
        let Some(father) = population.father(&seat) else {
            continue;
        };
        fathers += 1;
        let age = seat.bucket.year - father.bucket.year;
        assert!((22..=38).contains(&age), "a father of {age}");
        assert_eq!(father.bucket.sex, Sex::Male);
        let (child, parent) = (population.name(&seat), population.name(&father));
        assert_eq!(child.family, parent.family);
        if let Some(mother) = population.mother(&seat) {
            mothers += 1;
            assert_eq!(mother.bucket.sex, Sex::Female);
            let age = seat.bucket.year - mother.bucket.year;
            assert!((17..=39).contains(&age), "a mother of {age}");
        }
    }
    assert!(fathers > 4_000 && mothers > 3_000, "{fathers}, {mothers}");
}

#[test]
fn numbers_that_are_not_written_as_numbers_belong_to_nobody() {
    let population = population();
    for number in [
        "",
        "1",
        "00119300000a",
        "+01193000001",
        "0011930000011",
        "٠٠١١٩٣٠٠٠٠٠١",
    ] {
        assert!(population.find(number).is_none(), "{number}");
        assert!(population.find_old(number).is_none(), "{number}");
    }
    // Right in form: no such province, a century that has not come, a year without citizens.
    for number in ["003090000001", "001890000001", "001029000001"] {
        assert!(population.find(number).is_none(), "{number}");
    }
}
