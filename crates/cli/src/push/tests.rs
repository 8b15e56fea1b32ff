//! Pushes against a gateway in this process that breaks off, asks for patience and refuses.

mod gateway;
mod samples;

use std::collections::HashMap;

use serde_json::Value;

use self::gateway::{FakeGateway, Mood};
use super::*;
use crate::input::join::Step;
use crate::output::{Captured, OutputArgs};

/// All real lines of the repository.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data");

fn args(files: &[&Path]) -> PushArgs {
    PushArgs {
        files: files.iter().map(|file| file.to_path_buf()).collect(),
        dry_run: false,
        restart: false,
        refused: None,
        give_up_after: 30,
    }
}

fn output(json: bool) -> (Output, Captured) {
    Output::captured(OutputArgs { json })
}

/// A private copy, since the state file lies beside it.
fn copy_of(name: &str, folder: &Path) -> PathBuf {
    let path = folder.join(name);
    std::fs::copy(Path::new(DATA).join(name), &path).unwrap();
    path
}

async fn steps_of(path: &Path) -> Vec<Step> {
    let mut input = reader::start(&Source::File(path.to_owned())).unwrap();
    let mut steps = Vec::new();
    while let Some(batch) = input.recv().await {
        steps.extend(batch.unwrap().steps);
    }
    steps
}

/// The keys of each dossier in order, each key once.
fn order<'a>(
    events: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> HashMap<&'a str, Vec<&'a str>> {
    let mut order: HashMap<_, Vec<_>> = HashMap::new();
    for (dossier, key) in events {
        let keys = order.entry(dossier).or_default();
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    order
}

fn assert_all_in_order(steps: &[Step], gateway: &FakeGateway) {
    let events = steps.iter().filter_map(|step| step.event.as_ref().ok());
    let expected =
        order(events.map(|event| (event.dossier_code.as_str(), event.idempotency_key.as_str())));
    let stored = gateway.stored();
    let found = order(
        stored
            .iter()
            .map(|(code, key)| (code.as_str(), key.as_str())),
    );
    assert_eq!(found, expected);
}

fn object(captured: &Captured) -> Value {
    serde_json::from_str(&captured.data()).unwrap()
}

#[tokio::test]
async fn nothing_is_lost_or_reordered_though_the_gateway_breaks_off_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = copy_of("dossiers.ndjson", folder.path());
    for seed in 1..4 {
        let gateway = FakeGateway::start(Mood::Flaky { seed }).await;
        let (output, captured) = output(true);
        let stop = CancellationToken::new();
        let exit = run(&args(&[&file]), Some(gateway.target()), &output, stop).await;
        assert_eq!(exit.unwrap(), Exit::Ok, "seed {seed}: {}", captured.talk());
        assert!(
            gateway.breaks() > 3,
            "seed {seed} broke off {} times",
            gateway.breaks()
        );
        assert!(gateway.patience_asked() > 3, "seed {seed}");

        let steps = steps_of(&file).await;
        assert_all_in_order(&steps, &gateway);
        let told = object(&captured);
        assert_eq!(told["lines"], 1256);
        assert_eq!(told["events"], steps.len());
        assert_eq!(told["accepted"], steps.len());
        assert_eq!(told["refused"], 0);
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "the state file is gone");
    }
}

#[tokio::test]
async fn an_interrupted_push_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = copy_of("H56.ndjson", folder.path());
    let steps = steps_of(&file).await;
    let stop = CancellationToken::new();
    let gateway = FakeGateway::start(Mood::StopsAfter {
        events: 150,
        stop: stop.clone(),
    })
    .await;

    let (first, _) = output(true);
    let exit = run(&args(&[&file]), Some(gateway.target()), &first, stop).await;
    assert_eq!(exit.unwrap(), Exit::Interrupted);
    assert!(folder.path().join("H56.ndjson.lienthong-push").exists());
    let before = gateway.received();
    assert!(before < steps.len() as u64);

    let (second, captured) = output(true);
    let stop = CancellationToken::new();
    let exit = run(&args(&[&file]), Some(gateway.target()), &second, stop).await;
    assert_eq!(exit.unwrap(), Exit::Ok);
    assert!(
        captured.talk().contains("going on after"),
        "{}",
        captured.talk()
    );
    assert!(
        gateway.received() - before < steps.len() as u64,
        "answered events were sent again"
    );
    assert_all_in_order(&steps, &gateway);
    assert_eq!(object(&captured)["accepted"], steps.len());
    assert_eq!(object(&captured)["lines"], 301);
}

#[tokio::test]
async fn an_interrupted_push_starts_over_against_another_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let file = copy_of("H56.ndjson", folder.path());
    let steps = steps_of(&file).await;
    let stop = CancellationToken::new();
    let gateway = FakeGateway::start(Mood::StopsAfter {
        events: 150,
        stop: stop.clone(),
    })
    .await;
    let (first, _) = output(true);
    let exit = run(&args(&[&file]), Some(gateway.target()), &first, stop).await;
    assert_eq!(exit.unwrap(), Exit::Interrupted);

    let gateway = FakeGateway::start(Mood::Kind).await;
    let (second, captured) = output(true);
    let stop = CancellationToken::new();
    let exit = run(&args(&[&file]), Some(gateway.target()), &second, stop).await;
    assert_eq!(exit.unwrap(), Exit::Ok);
    let talk = captured.talk();
    assert!(
        talk.contains("starting over") && talk.contains("another gateway"),
        "{talk}"
    );
    assert_all_in_order(&steps, &gateway);
}

#[tokio::test]
async fn an_event_over_the_message_bound_is_refused_and_the_next_one_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lớn.ndjson");
    let line = |key: &str, note: &str| {
        serde_json::json!({
            "idempotency_key": key, "dossier_code": "H56.14-260914-0001", "status": 2,
            "occurred_at": "2026-09-14T08:00:00+07:00", "progress": {"note": note},
        })
    };
    let large = line("H56/1", &"Hồ sơ ".repeat(40_000));
    std::fs::write(&file, format!("{large}\n{}\n", line("H56/2", "đủ"))).unwrap();
    let gateway = FakeGateway::start(Mood::Kind).await;
    let (output, captured) = output(true);
    let stop = CancellationToken::new();
    let exit = run(&args(&[&file]), Some(gateway.target()), &output, stop).await;
    assert_eq!(exit.unwrap(), Exit::DataRefused, "{}", captured.talk());
    let told = object(&captured);
    assert_eq!(
        (&told["accepted"], &told["refused"]),
        (&1.into(), &1.into())
    );
    assert_eq!(told["refused_lines"][0]["line"], 1);
    assert_eq!(told["refused_lines"][0]["reason"], "MESSAGE_TOO_LARGE");
    assert_eq!(gateway.stored()[0].1, "H56/2");
}

#[tokio::test]
async fn refused_rows_beyond_the_bound_are_counted_and_told_by_a_later_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hỏng.ndjson");
    let lines = REFUSED_LINES_MAX + 7;
    std::fs::write(&file, "{}\n".repeat(lines)).unwrap();
    let gateway = FakeGateway::start(Mood::Kind).await;
    let target = gateway.target();
    let print = fingerprint(&file, target.route.clone(), &CancellationToken::new()).unwrap();
    let state = StateFile::beside(&file);
    let mut earlier = Tally::new("-", None, Some((state, print)), None).unwrap();
    for step in steps_of(&file).await {
        earlier.add(&step, checked(&step)).unwrap();
    }
    earlier.save(0).unwrap();

    let csv = folder.path().join("refused.csv");
    let args = PushArgs {
        refused: Some(csv.clone()),
        ..args(&[&file])
    };
    let (output, captured) = output(true);
    let exit = run(&args, Some(target), &output, CancellationToken::new()).await;
    assert_eq!(exit.unwrap(), Exit::DataRefused);
    let talk = captured.talk();
    assert!(talk.contains("--refused lacks 7 rows"), "{talk}");
    assert!(talk.contains("7 faults are not listed"), "{talk}");
    assert_eq!(object(&captured)["refused"], lines);
    let rows = csv::Reader::from_path(csv).unwrap().into_records().count();
    assert_eq!(rows, REFUSED_LINES_MAX);
}

#[tokio::test]
async fn a_second_push_of_the_same_file_stores_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let file = copy_of("H17.ndjson", folder.path());
    let gateway = FakeGateway::start(Mood::Kind).await;
    for _ in 0..2 {
        let (output, _) = output(true);
        let stop = CancellationToken::new();
        run(&args(&[&file]), Some(gateway.target()), &output, stop)
            .await
            .unwrap();
    }
    assert_eq!(gateway.received(), 2 * steps_of(&file).await.len() as u64);
    assert_all_in_order(&steps_of(&file).await, &gateway);
}

#[tokio::test]
async fn refused_lines_are_told_by_line_field_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = copy_of("faulty.ndjson", folder.path());
    let csv = folder.path().join("refused.csv");
    let gateway = FakeGateway::start(Mood::Refuses { status: 10 }).await;
    let args = PushArgs {
        refused: Some(csv.clone()),
        ..args(&[&file])
    };
    let (output, captured) = output(false);
    let exit = run(
        &args,
        Some(gateway.target()),
        &output,
        CancellationToken::new(),
    )
    .await;
    assert_eq!(exit.unwrap(), Exit::DataRefused);
    let data = captured.data();
    let row = data.lines().find(|line| line.contains(" 34 ")).unwrap();
    assert!(row.contains("DOSSIER_TRANSITION_REFUSED"), "{row}");
    assert!(
        row.contains("Không được chuyển trạng thái hồ sơ như vậy."),
        "{row}"
    );
    assert!(
        data.lines().last().unwrap().starts_with("47 lines, "),
        "{data}"
    );
    let rows = csv::Reader::from_path(csv).unwrap().into_records().count();
    // The heading and the last line are no faults.
    assert_eq!(rows, data.lines().count() - 2);
}

#[tokio::test]
async fn a_gateway_that_is_not_there_ends_the_push_and_keeps_the_state() {
    let folder = tempfile::tempdir().unwrap();
    let file = copy_of("H17.ndjson", folder.path());
    let args = PushArgs {
        give_up_after: 1,
        ..args(&[&file])
    };
    let (output, captured) = output(false);
    let nowhere = gateway::target_at(gateway::free_address());
    let error = run(&args, Some(nowhere), &output, CancellationToken::new())
        .await
        .unwrap_err();
    assert_eq!(error.exit(), Exit::Unreachable);
    assert!(error.told().contains("UNAVAILABLE"), "{}", error.told());
    assert!(
        captured.talk().contains("trying again"),
        "{}",
        captured.talk()
    );
    assert!(captured.data().contains("0 accepted"));
}
