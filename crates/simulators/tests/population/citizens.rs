//! The invented citizens: reproducible, reachable both ways, lifelike in their shares.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_simulators::population::{Citizen, Population, Sex, SimulatorError};
use unicode_normalization::is_nfc;

const SAMPLE: u32 = 20_000;

const GOLDEN: [(u32, &str); 7] = [
    (0, "068181551292 Nguyễn Thị Thoả 19811003 01 -"),
    (6, "002091606246 Nguyễn Đình Tuấn Bảo 19910811 01 848888222"),
    (20, "092307944643 Thạch Thúy Hằng 20070727 05 -"),
    (51, "020206627038 Quách Quốc Vinh  06 -"),
    (52, "066180230120 Ka Ân 19800917 16 -"),
    (55, "068066260295 Y Phi Niê 19660807 12 585420975"),
    (999_999, "091087610134 Danh Văn Mạnh 19871017 05 072112447"),
];

fn million() -> Population {
    Population::new(2026, 1_000_000).expect("a million is possible")
}

fn told(citizen: &Citizen) -> String {
    format!(
        "{} {} {} {} {}",
        citizen.number,
        citizen.name.full(),
        citizen.birth.date().unwrap_or_default(),
        citizen.ethnicity,
        citizen.old_number.as_deref().unwrap_or("-"),
    )
}

/// Whoever changes these changes every population that anybody wrote down.
#[test]
fn the_citizens_of_a_seed_never_change() {
    let population = million();
    for (index, expected) in GOLDEN {
        assert_eq!(told(&population.citizen(index)), expected, "{index}");
    }
}

#[test]
fn the_same_seed_gives_the_same_citizens_and_another_seed_others() {
    let (one, again) = (million(), million());
    let other = Population::new(2027, 1_000_000).expect("a million is possible");
    let mut same_numbers = 0;
    for index in 0..2_000 {
        assert!(one.citizen(index) == again.citizen(index), "{index}");
        same_numbers += u32::from(one.citizen(index).number == other.citizen(index).number);
    }
    assert_eq!(same_numbers, 0);
}

#[test]
fn an_index_and_both_numbers_lead_to_one_citizen() {
    let population = million();
    let mut numbers = BTreeSet::new();
    for index in (0..population.len()).step_by(47) {
        let citizen = population.citizen(index);
        assert_eq!(citizen.index, index);
        let found = population.find(&citizen.number).expect("the number exists");
        assert!(found == citizen, "{index}");
        if let Some(old) = &citizen.old_number {
            let found = population.find_old(old).expect("the old number exists");
            assert!(found == citizen, "{index}");
        }
        assert!(
            numbers.insert(citizen.number),
            "{index}: the number is taken"
        );
    }
}

#[test]
fn every_citizen_of_a_small_population_has_a_number_of_their_own() {
    let population = Population::new(9, 30_000).expect("a possible size");
    let numbers: BTreeSet<_> = (0..30_000)
        .map(|index| population.citizen(index).number)
        .collect();
    assert_eq!(numbers.len(), 30_000);
    let prefixes: BTreeSet<_> = numbers
        .iter()
        .map(|number| number.chars().take(3).collect::<String>())
        .collect();
    assert_eq!(prefixes.len(), 63);
    // A neighbouring number is nearly always nobody's: guessing does not pay.
    let hits = numbers
        .iter()
        .take(5_000)
        .filter(|number| {
            let next: u64 = number.parse::<u64>().expect("a number is digits") + 1;
            population.find(&format!("{next:012}")).is_some()
        })
        .count();
    assert!(hits < 10, "{hits}");
}

#[test]
fn a_population_has_bounds_and_the_smallest_one_works() {
    for count in [0, 50_000_001, u32::MAX] {
        let refused = Population::new(1, count);
        assert!(matches!(refused, Err(SimulatorError::Citizens(told)) if told == count));
    }
    let alone = Population::new(1, 1).expect("one is possible");
    assert!(alone.citizen(0) == alone.citizen(7));
    assert!(alone.find(&alone.citizen(0).number).is_some());
}

#[test]
fn a_number_tells_the_sex_and_birth_year() {
    let population = million();
    for index in 0..SAMPLE {
        let citizen = population.citizen(index);
        assert!(citizen.number.len() == 12 && citizen.number.bytes().all(|b| b.is_ascii_digit()));
        let digit = u16::from(citizen.number.as_bytes()[3] - b'0');
        let year = citizen.number.chars().skip(4).take(2).collect::<String>();
        let year: u16 = year.parse().expect("two digits");
        assert_eq!(1900 + digit / 2 * 100 + year, citizen.birth.year, "{index}");
        assert_eq!(digit % 2 == 1, citizen.sex == Sex::Female, "{index}");
        if let Some((month, day)) = citizen.birth.month_day {
            assert!((1..=12).contains(&month) && (1..=31).contains(&day));
        }
    }
}

#[test]
fn shares_are_lifelike() {
    let population = million();
    let citizens: Vec<_> = (0..SAMPLE).map(|index| population.citizen(index)).collect();
    let per_mille =
        |name: &str, range: std::ops::Range<usize>, holds: &dyn Fn(&Citizen) -> bool| {
            let count =
                citizens.iter().filter(|citizen| holds(citizen)).count() * 1_000 / citizens.len();
            assert!(range.contains(&count), "{name}: {count} per mille");
        };
    per_mille("year only", 15..26, &|c| c.birth.month_day.is_none());
    per_mille("women", 470..530, &|c| c.sex == Sex::Female);
    per_mille("Nguyễn", 250..400, &|c| {
        c.name.family.as_deref() == Some("Nguyễn")
    });
    per_mille("Hà Nội", 80..100, &|c| c.number.starts_with("001"));
    per_mille("minorities", 80..220, &|c| c.ethnicity != "01");
    per_mille("old number", 350..550, &|c| c.old_number.is_some());
    per_mille("dead", 30..130, &|c| c.is_dead);
    per_mille("married", 300..600, &|c| c.spouse.is_some());
    per_mille("father known", 850..980, &|c| c.father.is_some());
    per_mille("father is a citizen", 650..900, &|c| {
        c.father
            .as_ref()
            .is_some_and(|father| father.number.is_some())
    });
    per_mille("religion missing", 60..220, &|c| c.religion.is_none());
    per_mille("district", 5..40, &|c| {
        c.permanent_residence
            .as_ref()
            .is_some_and(|place| place.district.is_some())
    });
    per_mille("permanent residence", 850..960, &|c| {
        c.permanent_residence.is_some()
    });
    per_mille("moved", 100..300, &|c| {
        let home = c.permanent_residence.as_ref().map(|place| &place.province);
        home.is_some() && c.birth_registration.as_ref().map(|place| &place.province) != home
    });
    per_mille("head of household", 400..800, &|c| {
        c.household_head
            .as_ref()
            .is_some_and(|head| head.relation == "Chủ hộ")
    });
}

#[test]
fn relatives_are_citizens_with_those_names() {
    let population = million();
    let mut checked = 0;
    for index in 0..3_000 {
        let citizen = population.citizen(index);
        let relatives = [&citizen.father, &citizen.mother, &citizen.spouse];
        for relative in relatives.into_iter().flatten() {
            let Some(number) = &relative.number else {
                continue;
            };
            let found = population.find(number).expect("a relative is a citizen");
            assert!(found.name == relative.name && found.old_number == relative.old_number);
            checked += 1;
        }
        if let Some(spouse) = citizen.spouse.as_ref().filter(|_| !citizen.is_dead) {
            let spouse = population.find(spouse.number.as_deref().expect("a citizen"));
            let back = spouse
                .and_then(|spouse| spouse.spouse)
                .and_then(|back| back.number);
            assert_eq!(back.as_deref(), Some(citizen.number.as_str()), "{index}");
        }
    }
    assert!(checked > 4_000, "{checked}");
}

#[test]
fn names_are_nfc_and_plausible() {
    let population = million();
    let mut syllables: BTreeMap<usize, usize> = BTreeMap::new();
    let (mut old_style, mut new_style, mut highland) = (0, 0, 0);
    for index in 0..SAMPLE {
        let name = population.citizen(index).name;
        let full = name.full();
        assert!(is_nfc(&full) && is_nfc(&name.upper()), "{full}");
        assert_eq!(name.upper(), name.upper().to_uppercase());
        assert!(
            !full.contains("  ") && full == full.trim() && !full.is_empty(),
            "{full}"
        );
        assert!(
            full.chars()
                .all(|c| c.is_alphabetic() || c == ' ' || c == '\''),
            "{full}"
        );
        assert!(
            full.split([' ', '\''])
                .all(|s| s.starts_with(char::is_uppercase)),
            "{full}"
        );
        *syllables.entry(full.split(' ').count()).or_default() += 1;
        let ends = |marks: [&str; 4]| {
            full.split(' ')
                .any(|s| marks.iter().any(|m| s.ends_with(m)))
        };
        old_style += usize::from(ends(["oà", "oá", "uý", "uỷ"]) && !full.contains("Quý"));
        new_style += usize::from(ends(["òa", "óa", "úy", "ủy"]));
        highland += usize::from(full.contains('\''));
    }
    assert_eq!(
        syllables.keys().copied().collect::<Vec<_>>(),
        [1, 2, 3, 4, 5]
    );
    assert!(
        syllables[&2] > 500 && syllables[&4] > 3_000 && syllables[&5] > 200,
        "{syllables:?}"
    );
    assert!(syllables[&3] > 9_000, "{syllables:?}");
    assert!(
        old_style > 150 && new_style > 250,
        "{old_style} old, {new_style} new"
    );
    assert!(highland > 30, "{highland}");
}

#[test]
fn nothing_prints_itself() {
    let citizen = million().citizen(3);
    let printed = format!("{citizen:?} {:?} {:?}", citizen.name, citizen.father);
    for secret in [&citizen.number, &citizen.name.full(), &citizen.name.given] {
        assert!(!printed.contains(secret.as_str()), "{printed}");
    }
}
