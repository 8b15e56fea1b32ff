//! The commands about citizens, against a whole gateway.

use std::fmt::Write as _;

use lienthong_cli::Exit;
use lienthong_proto::dossier::v1::PushStatusRequest;
use lienthong_tests::harness::citizens::{DOSSIER, citizen, claims};
use lienthong_tests::harness::{TestGateway, events};

use crate::client::run;

/// Rows of the file, and how many of them are right.
const ROWS: u32 = 300;
const RIGHT: u64 = 270;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_persons_comes_back_with_a_verdict_in_each_row() {
    let gateway = TestGateway::start().await;
    let register = gateway.population.population();
    let mut text = String::from("\u{feff}STT,ho_ten,ngay_sinh,so_dinh_danh\r\n");
    for index in 0..ROWS {
        let mut person = claims(&register.citizen(index));
        if index % 10 == 9 {
            "1901-01-01".clone_into(&mut person.birth_date);
        }
        let birth = person.birth_date;
        writeln!(
            text,
            "{index},\"{}\",{birth},{}",
            person.full_name, person.number
        )
        .unwrap();
    }
    let file = gateway.folder().join("danh-sach.csv");
    let answers = gateway.folder().join("ket-qua.csv");
    std::fs::write(&file, text).unwrap();
    let arguments = [
        "verify",
        file.to_str().unwrap(),
        "--purpose",
        "DATA_CLEANING",
        "--official",
        "tranvanbinh.cntt",
        "--out",
        answers.to_str().unwrap(),
    ];
    let ministry = ("G15", "hotich");
    let (exit, summary) = run(&gateway, ministry, &arguments).await;
    assert_eq!(exit, Exit::Ok, "{summary:#}");
    assert_eq!(summary["matched"], RIGHT, "{summary:#}");
    assert_eq!(
        summary["not_matched"],
        u64::from(ROWS) - RIGHT,
        "{summary:#}"
    );
    let written = std::fs::read_to_string(&answers).unwrap();
    assert_eq!(written.lines().count(), ROWS as usize + 1, "{written}");
    let asked = gateway.population.stats().calls;

    // The same command again has nothing left to do.
    let (again, _) = run(&gateway, ministry, &arguments).await;
    assert_eq!(again, Exit::Ok);
    assert_eq!(gateway.population.stats().calls, asked);
    assert_eq!(std::fs::read_to_string(&answers).unwrap(), written);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_is_verified_looked_up_and_found_in_the_usage_records() {
    let gateway = TestGateway::start().await;
    let event = Some(events::first(DOSSIER));
    gateway
        .province("H56")
        .push_status(PushStatusRequest { event })
        .await
        .unwrap();
    let person = claims(&citizen(&gateway.population, 0));
    let (number, name, birth) = (&*person.number, &*person.full_name, &*person.birth_date);
    let about = ["verify", "--number", number, "--name", name];
    let why = [
        "--purpose",
        "CIVIL_STATUS",
        "--official",
        "lethihoa.tuphap",
        "--dossier",
        DOSSIER,
    ];
    let asked = |birth, more: &[&'static str]| {
        let birth = ["--birth", birth];
        let parts = about.iter().chain(&birth).chain(&why).copied();
        parts
            .chain(more.iter().copied())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let province = ("H56", "motcua");
    let ask = async |line: Vec<String>| {
        let line = line.iter().map(String::as_str).collect::<Vec<_>>();
        run(&gateway, province, &line).await
    };
    let (exit, right) = ask(asked(birth, &[])).await;
    assert_eq!(exit, Exit::Ok, "{right:#}");
    let (exit, wrong) = ask(asked("1901-01-01", &[])).await;
    assert_eq!(exit, Exit::NotSo, "{wrong:#}");
    let (exit, record) = ask(asked(birth, &["--get", "permanent_residence,religion"])).await;
    assert_eq!(exit, Exit::Ok, "{record:#}");
    let shown = &record["citizen"];
    assert_ne!(
        shown["permanent_residence"]["province_code"], "",
        "{record:#}"
    );
    assert_eq!(shown["religion_code"], "", "{record:#}");

    told_afterwards(&gateway, number).await;
    gateway.stop().await;
}

/// What the ministry that answers citizens, and an operator, learn afterwards.
async fn told_afterwards(gateway: &TestGateway, number: &str) {
    let usage = [
        "usage",
        "--number",
        number,
        "--purpose",
        "CITIZEN_ACCESS",
        "--official",
        "tiepdan",
    ];
    let (exit, oldest) = run(gateway, ("G15", "hotich"), &usage).await;
    assert_eq!(exit, Exit::Ok);
    let told = oldest.to_string();
    assert!(told.contains("H56") && !told.contains(number), "{told}");

    let check = [
        "participants",
        "check",
        "H56",
        "motcua",
        "--purpose",
        "LAND",
        "--mode",
        "disclose",
        "--fields",
        "permanent_residence",
    ];
    let (exit, answer) = run(gateway, ("G22", "vanhanh"), &check).await;
    assert_eq!(exit, Exit::NotSo, "{answer:#}");
    assert!(answer.to_string().contains("GRANT_NOT_VALID"), "{answer:#}");
}
