//! What the two services answer: found, unknown, mismatch, and the forms of the request.

use lienthong_simulators::population::{
    Completeness, Gate, Layout, LayoutChoice, Outcome, PopulationConfig, Service,
};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::harness::{Ask, Database, config, value};

fn plain() -> PopulationConfig {
    PopulationConfig {
        layout: LayoutChoice::Fixed(Layout::default()),
        ..config()
    }
}

#[tokio::test]
async fn a_look_up_shows_everything_that_is_known() {
    let database = Database::start(plain()).await;
    let citizen = database.citizen_with(|citizen| {
        citizen.spouse.is_some() && citizen.old_number.is_some() && citizen.household_head.is_some()
    });
    let (status, xml) = database.told(Ask::look_up("yc-1", &citizen).xml()).await;
    assert_eq!(status, 200);
    assert_eq!(value(&xml, "SoDinhDanh").as_ref(), Some(&citizen.number));
    assert_eq!(value(&xml, "SoCMND"), citizen.old_number);
    assert_eq!(value(&xml, "NgayThangNam"), citizen.birth.date());
    assert_eq!(value(&xml, "DanToc").as_deref(), Some(citizen.ethnicity));
    let given = citizen.name.given.to_uppercase();
    assert_eq!(value(&xml, "Ten"), Some(given));
    let spouse = citizen
        .spouse
        .and_then(|spouse| spouse.number)
        .expect("a citizen");
    assert!(xml.contains(&spouse) && xml.contains("<VoChong>") && xml.contains("<ChuHo>"));
    let stats = database.handle.stats();
    assert_eq!(stats.count(Service::LookUp, Outcome::Found), 1);
    database.stop().await;
}

#[tokio::test]
async fn every_citizen_can_be_looked_up_in_every_layout() {
    let database = Database::start(PopulationConfig {
        layout: LayoutChoice::Any,
        ..config()
    })
    .await;
    for index in 0..300 {
        let citizen = database.citizen(index);
        let (status, xml) = database
            .told(Ask::look_up(&format!("t{index}"), &citizen).xml())
            .await;
        let number = value(&xml, "SoDinhDanh");
        assert_eq!(
            (status, number.as_ref()),
            (200, Some(&citizen.number)),
            "{xml}"
        );
        let (status, xml) = database
            .told(Ask::matching(&format!("x{index}"), &citizen).xml())
            .await;
        assert_eq!(
            (status, value(&xml, "TonTai").as_deref()),
            (200, Some("true")),
            "{xml}"
        );
    }
    database.stop().await;
}

/// What makes a right request another one.
type Change<'a> = &'a dyn Fn(&mut Ask);

#[tokio::test]
async fn unknown_and_mismatch_look_alike_and_are_counted_apart() {
    let database = Database::start(plain()).await;
    let citizen = database.citizen_with(|citizen| citizen.birth.date().is_some());
    let other = database.citizen_with(|other| other.name != citizen.name);
    let nobody = "<d:SoDinhDanh>999999999999</d:SoDinhDanh>".to_owned();
    let year = |year: u16| format!("<d:Nam>{year}</d:Nam>");
    let cases: [(&str, Change<'_>, Outcome); 6] = [
        ("as it is", &|_| (), Outcome::Found),
        (
            "year",
            &|ask| ask.birth = year(citizen.birth.year),
            Outcome::Found,
        ),
        (
            "number",
            &|ask| ask.subject.clone_from(&nobody),
            Outcome::Unknown,
        ),
        (
            "name",
            &|ask| ask.name = other.name.upper(),
            Outcome::Mismatch,
        ),
        (
            "wrong year",
            &|ask| ask.birth = year(citizen.birth.year + 1),
            Outcome::Mismatch,
        ),
        (
            "date",
            &|ask| ask.birth = "<d:NgayThangNam>18880808</d:NgayThangNam>".to_owned(),
            Outcome::Mismatch,
        ),
    ];
    for (case, change, outcome) in cases {
        let before = database.handle.stats();
        let mut look_up = Ask::look_up(&format!("037-{case}").replace(' ', "-"), &citizen);
        let mut matching = Ask::matching(&format!("003-{case}").replace(' ', "-"), &citizen);
        change(&mut look_up);
        change(&mut matching);
        let found = outcome == Outcome::Found;
        let (status, xml) = database.told(look_up.xml()).await;
        assert_eq!(
            (status, xml.contains("<CongDan>")),
            (200, found),
            "{case}: {xml}"
        );
        assert!(xml.contains("CongdanCollection"), "{case}");
        let (status, xml) = database.told(matching.xml()).await;
        let exists = value(&xml, "TonTai");
        assert_eq!(
            (status, exists.as_deref()),
            (200, Some(if found { "true" } else { "false" }))
        );
        let after = database.handle.stats();
        for service in [Service::LookUp, Service::Match] {
            let counted = after.count(service, outcome) - before.count(service, outcome);
            assert_eq!(counted, 1, "{case}: {service:?}");
        }
    }
    database.stop().await;
}

#[tokio::test]
async fn an_old_number_finds_the_same_citizen_and_a_year_only_citizen_needs_the_year() {
    let database = Database::start(plain()).await;
    let citizen = database.citizen_with(|citizen| citizen.old_number.is_some());
    let old = citizen.old_number.clone().expect("chosen with one");
    let mut ask = Ask::look_up("cu", &citizen);
    ask.subject = format!("<d:SoCMND>{old}</d:SoCMND>");
    let (_, xml) = database.told(ask.xml()).await;
    assert_eq!(value(&xml, "SoDinhDanh"), Some(citizen.number));

    let citizen = database.citizen_with(|citizen| citizen.birth.date().is_none());
    let (_, xml) = database.told(Ask::look_up("nam", &citizen).xml()).await;
    assert_eq!(value(&xml, "Nam"), Some(citizen.birth.year.to_string()));
    assert_eq!(value(&xml, "NgayThangNam"), None);
    let mut whole = Ask::look_up("ngay", &citizen);
    whole.birth = format!(
        "<d:NgayThangNam>{}0101</d:NgayThangNam>",
        citizen.birth.year
    );
    let (_, xml) = database.told(whole.xml()).await;
    assert!(!xml.contains("<CongDan>"));
    database.stop().await;
}

#[tokio::test]
async fn the_gate_of_look_ups_is_as_wide_as_configured() {
    let bare = |name: &str| -> String {
        let letters = name.nfd().filter(|letter| !is_combining_mark(*letter));
        letters
            .map(|letter| if letter == 'Đ' { 'D' } else { letter })
            .collect()
    };
    let table = [
        (Gate::Exact, [true, false, false]),
        (Gate::FoldDiacritics, [true, true, false]),
        (Gate::NumberOnly, [true, true, true]),
    ];
    for (gate, passes) in table {
        let database = Database::start(PopulationConfig { gate, ..plain() }).await;
        let citizen =
            database.citizen_with(|citizen| bare(&citizen.name.upper()) != citizen.name.upper());
        let names = [
            citizen.name.upper(),
            bare(&citizen.name.upper()),
            "NGUYỄN AI ĐÓ".to_owned(),
        ];
        for (position, name) in names.into_iter().enumerate() {
            let ask = |service: fn(&str, &_) -> Ask, id: &str| Ask {
                name: name.clone(),
                ..service(&format!("{id}{position}"), &citizen)
            };
            let (_, xml) = database.told(ask(Ask::look_up, "tra").xml()).await;
            assert_eq!(
                xml.contains("<CongDan>"),
                passes[position],
                "{gate:?} {position}"
            );
            // A match is exact whatever the gate of look-ups.
            let (_, xml) = database.told(ask(Ask::matching, "xac").xml()).await;
            let expected = if position == 0 { "true" } else { "false" };
            assert_eq!(
                value(&xml, "TonTai").as_deref(),
                Some(expected),
                "{gate:?} {position}"
            );
        }
        database.stop().await;
    }
}

#[tokio::test]
async fn a_layout_may_leave_things_out() {
    let database = Database::start(PopulationConfig {
        layout: LayoutChoice::Fixed(Layout {
            completeness: Completeness::YearOnly,
            is_name_split: false,
            ..Layout::default()
        }),
        ..config()
    })
    .await;
    let citizen = database.citizen_with(|citizen| citizen.birth.date().is_some());
    let (_, xml) = database.told(Ask::look_up("1", &citizen).xml()).await;
    assert_eq!(value(&xml, "NgayThangNam"), None);
    assert_eq!(value(&xml, "Ho"), None);
    assert!(xml.contains("<Nam>"));
    database.stop().await;
}

#[tokio::test]
async fn the_record_counts_calls_per_citizen_and_holds_no_number() {
    let database = Database::start(PopulationConfig {
        record_entries_max: 3,
        started_at_ms: 1_790_000_000_000,
        ..plain()
    })
    .await;
    let (one, two) = (database.citizen(1), database.citizen(2));
    for (id, citizen) in [("a", &one), ("b", &one), ("c", &two), ("d", &two)] {
        assert_eq!(database.told(Ask::look_up(id, citizen).xml()).await.0, 200);
    }
    let record = database.handle.record();
    assert_eq!((record.entries.len(), record.truncated), (3, true));
    let first = &record.entries[0];
    let told = (
        &*first.request_id,
        &*first.official,
        &*first.procedure,
        first.outcome,
    );
    assert_eq!(told, ("a", "cb.hacthanh.01", "1.001193", Outcome::Found));
    assert!(first.at_ms >= 1_790_000_000_000);
    let calls = record.by_citizen();
    let of = |number: &str| calls[&database.handle.number_hash(number)];
    assert_eq!((of(&one.number).asked, of(&one.number).answered), (2, 2));
    assert_eq!(of(&two.number).asked, 1);

    let shown = database.client.get(database.admin("record")).send().await;
    let shown = shown.expect("an answer").text().await.expect("whole");
    assert_eq!(
        serde_json::from_str::<lienthong_simulators::population::Record>(&shown).ok(),
        Some(record)
    );
    assert!(!shown.contains(&one.number) && !shown.contains(&one.name.upper()));
    assert!(database.handle.stats().record_truncated);
    database.stop().await;
}

#[tokio::test]
async fn the_admin_door_shows_citizens_counters_and_health() {
    let database = Database::start(config()).await;
    let get = async |path: &str| -> Value {
        let response = database.client.get(database.admin(path)).send().await;
        let text = response.expect("an answer").text().await.expect("whole");
        serde_json::from_str(&text).expect("the door speaks JSON")
    };
    let citizens = get("citizens?from=3&count=2").await;
    assert_eq!(citizens.as_array().map(Vec::len), Some(2));
    assert_eq!(citizens[0]["SoDinhDanh"], database.citizen(3).number);
    assert_eq!(citizens[1]["HoVaTen"], database.citizen(4).name.upper());
    let many = get("citizens?from=49999&count=5000").await;
    assert_eq!(many.as_array().map(Vec::len), Some(1));
    assert_eq!(get("health").await["status"], "ok");
    assert_eq!(get("stats").await["calls"], 0);
    database.stop().await;
}
