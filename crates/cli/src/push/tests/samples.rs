//! The lines of `tests/data`: every right one is read, every faulty one is named.

use std::collections::{HashMap, HashSet};

use super::*;

/// What only the gateway can see: whose dossier it is, what came before, what time it is.
const ONLY_THE_GATEWAY_SEES: [u64; 6] = [10, 11, 22, 30, 32, 34];

#[tokio::test]
async fn every_sample_line_becomes_events() {
    let table = [
        ("H56", 301, 62),
        ("H21", 309, 62),
        ("H29", 268, 52),
        ("H26", 201, 40),
        ("H17", 177, 36),
        ("dossiers", 1256, 252),
    ];
    for (name, lines, dossiers) in table {
        let path = Path::new(DATA).join(format!("{name}.ndjson"));
        let steps = steps_of(&path).await;
        let refused: Vec<_> = steps.iter().filter(|step| step.event.is_err()).collect();
        assert!(refused.is_empty(), "{name}: {refused:?}");
        let events: Vec<_> = steps
            .iter()
            .filter_map(|step| step.event.as_ref().ok())
            .collect();
        let codes: HashSet<_> = events.iter().map(|event| &event.dossier_code).collect();
        assert_eq!(codes.len(), dossiers, "{name}");
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().count(), lines, "{name}");
        assert!(events.iter().all(|event| event.occurred_at.is_some()));
        let statuses: HashSet<_> = events.iter().map(|event| event.status).collect();
        assert!(
            name != "dossiers" || statuses == (1..=10).collect(),
            "{statuses:?}"
        );
    }
}

#[tokio::test]
async fn an_event_has_the_same_key_in_the_file_of_its_province_and_in_the_whole() {
    let mut of_provinces = HashSet::new();
    for name in ["H56", "H21", "H29", "H26", "H17"] {
        of_provinces.extend(keys(&format!("{name}.ndjson")).await);
    }
    assert_eq!(of_provinces, keys("dossiers.ndjson").await);
}

async fn keys(name: &str) -> HashSet<String> {
    let steps = steps_of(&Path::new(DATA).join(name)).await;
    steps
        .into_iter()
        .map(|step| step.event.unwrap().idempotency_key)
        .collect()
}

#[tokio::test]
async fn lines_repeated_byte_for_byte_add_no_event() {
    let path = Path::new(DATA).join("dossiers.ndjson");
    let steps = steps_of(&path).await;
    let text = std::fs::read_to_string(&path).unwrap();
    let (mut first_seen, mut repeated) = (HashMap::new(), Vec::new());
    for (number, line) in (1_u64..).zip(text.lines()) {
        if *first_seen.entry(line).or_insert(number) != number {
            repeated.push(number);
        }
    }
    assert_eq!(repeated.len(), 19);
    let keys = |keep: &dyn Fn(u64) -> bool| -> HashSet<String> {
        let kept = steps.iter().filter(|step| keep(step.line));
        kept.map(|step| step.event.clone().unwrap().idempotency_key)
            .collect()
    };
    let all = keys(&|_any| true);
    assert_eq!(keys(&|line| !repeated.contains(&line)), all);
}

#[tokio::test]
async fn every_faulty_line_is_refused_with_its_field() {
    let steps = steps_of(&Path::new(DATA).join("faulty.ndjson")).await;
    let mut rows = csv::Reader::from_path(Path::new(DATA).join("faulty.csv")).unwrap();
    let mut checked = 0;
    for row in rows.records() {
        let row = row.unwrap();
        let line: u64 = row[0].parse().unwrap();
        let found: Vec<_> = steps.iter().filter(|step| step.line == line).collect();
        assert!(!found.is_empty(), "line {line} is not told of");
        let is_right = &row[2] == "ok" || ONLY_THE_GATEWAY_SEES.contains(&line);
        for step in found {
            match &step.event {
                Ok(_event) => assert!(is_right, "line {line} was taken: {}", &row[2]),
                Err(faults) => {
                    assert!(!is_right, "line {line} was refused: {faults:?}");
                    let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
                    assert_eq!(fields, [&row[1]], "line {line}: {}", &row[2]);
                }
            }
        }
        checked += 1;
    }
    assert_eq!(checked, 47);
}

#[tokio::test]
async fn a_dry_run_needs_no_gateway_and_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let file = copy_of("faulty.ndjson", folder.path());
    let args = PushArgs {
        dry_run: true,
        ..args(&[&file])
    };
    let (output, captured) = output(true);
    let exit = run(&args, None, &output, CancellationToken::new()).await;
    assert_eq!(exit.unwrap(), Exit::DataRefused);
    assert_eq!(object(&captured)["refused"], 38);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
