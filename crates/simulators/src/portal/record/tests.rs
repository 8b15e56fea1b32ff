//! Summaries against hand-made histories, and times against the calendar.

use super::*;

fn entry(call: u64, key: &str, sequence: u64, content: u8) -> Entry {
    Entry {
        at_ms: 0,
        call,
        service: Service::UpdateProgress,
        dossier: "H56.14-240823-0001".into(),
        status: 4,
        occurred: None,
        key: Some(key.into()),
        sequence: Some(sequence),
        body_hash: BodyHash([content; 32]),
        applied: true,
        refusal: None,
        trace: None,
    }
}

fn summary(entries: Vec<Entry>) -> DossierSummary {
    Record::of(entries, false)
        .dossiers
        .into_values()
        .next()
        .expect("there is one dossier")
}

#[test]
fn a_sequence_in_order_is_clean() {
    let seen = summary(vec![
        entry(1, "a", 1, 1),
        entry(2, "b", 2, 2),
        entry(3, "c", 4, 3),
    ]);
    assert_eq!(seen.progress.len(), 3);
    assert_eq!((seen.duplicates, seen.conflicting_duplicates), (0, 0));
    assert_eq!(seen.out_of_order, []);
}

#[test]
fn duplicates_are_told_from_conflicts_by_content() {
    let seen = summary(vec![
        entry(1, "a", 1, 1),
        entry(2, "a", 1, 1),
        entry(3, "a", 1, 9),
    ]);
    assert_eq!((seen.duplicates, seen.conflicting_duplicates), (1, 1));
    assert_eq!(seen.out_of_order, []);
}

#[test]
fn one_key_may_serve_the_dossier_and_its_progress_line() {
    let sync = Entry {
        service: Service::SyncDossier,
        ..entry(1, "a", 1, 1)
    };
    let seen = summary(vec![sync, entry(2, "a", 1, 2)]);
    assert_eq!((seen.syncs, seen.progress.len()), (1, 1));
    assert_eq!((seen.duplicates, seen.conflicting_duplicates), (0, 0));
}

#[test]
fn several_lines_of_one_call_are_no_duplicates() {
    let seen = summary(vec![entry(1, "a", 1, 1), entry(1, "a", 1, 1)]);
    assert_eq!((seen.progress.len(), seen.duplicates), (2, 0));
}

#[test]
fn an_overtaken_call_is_a_pair_and_says_whether_it_was_a_repeat() {
    let seen = summary(vec![
        entry(1, "a", 1, 1),
        entry(2, "c", 3, 3),
        entry(3, "b", 2, 2),
        entry(4, "a", 1, 1),
    ]);
    let pair = |second, duplicate| OutOfOrder {
        first: (2, 3),
        second,
        duplicate,
    };
    assert_eq!(seen.out_of_order, [pair((3, 2), false), pair((4, 1), true)]);
    assert_eq!(seen.duplicates, 1);
}

#[test]
fn refused_entries_count_for_nothing_else() {
    let refused = Entry {
        applied: false,
        ..entry(2, "a", 1, 9)
    };
    let seen = summary(vec![entry(1, "b", 2, 1), refused]);
    assert_eq!(
        (seen.refused, seen.duplicates, seen.conflicting_duplicates),
        (1, 0, 0)
    );
    assert_eq!(seen.out_of_order, []);
}

#[test]
fn a_full_record_says_so() {
    let mut recorder = Recorder::open(2, None).expect("no file is opened");
    for call in 1..=3 {
        assert!(!recorder.is_truncated());
        recorder.add(entry(call, "a", call, 1));
    }
    assert!(recorder.is_truncated());
    assert_eq!(recorder.entries().len(), 2);
}

#[test]
fn an_entry_reads_back_from_its_line() {
    let mut told = entry(7, "khóa-1", 3, 0xab);
    told.occurred = Some("20240229235959".parse().expect("2024 was a leap year"));
    let line = serde_json::to_string(&told).expect("an entry is JSON");
    assert!(
        line.contains(r#""service":"CapNhatTienDoHoSoMC""#),
        "{line}"
    );
    assert!(line.contains(r#""occurred":"20240229235959""#), "{line}");
    assert_eq!(
        serde_json::from_str::<Entry>(&line).expect("what was written is right"),
        told
    );
}

#[test]
fn times_are_those_of_the_calendar() {
    for text in ["20240229000000", "20261031235959", "20000229120000"] {
        let time: PortalTime = text.parse().expect("a real time");
        assert_eq!(time.to_string(), text);
    }
    for text in [
        "20230229000000",
        "21000101000000",
        "20241301000000",
        "20240001000000",
        "20240100000000",
        "20240101240000",
        "20240101006000",
        "20240101000060",
        "2024010100000",
        "202401010000000",
        "2024-01-010000",
        "",
    ] {
        assert_eq!(text.parse::<PortalTime>(), Err(PortalTimeError), "{text}");
    }
}
