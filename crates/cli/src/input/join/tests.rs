//! The rules, one by one, on real lines.

use std::collections::HashSet;

use lienthong_domain::time::portal_from_timestamp;

use super::*;
use crate::input::line;
use crate::instant::from_wire;

const CODE: &str = "H56.14-260914-0001";

fn dossier(status: u8, more: &str) -> String {
    format!(r#"{{"MaHoSo":"{CODE}","ChuHoSo":"Lê Thị Hoà","TrangThaiHoSo":"{status}"{more}}}"#)
}

fn progress(status: u8, time: &str) -> String {
    format!(
        r#"{{"MaHoSo":"{CODE}","NguoiXuLy":"Trịnh Văn Hòa","ThoiDiemXuLy":"{time}","NoiDungXuLy":"Thẩm định","TrangThai":"{status}"}}"#
    )
}

fn other(number: u64) -> String {
    progress(4, "20260914090000").replace("0914-0001", &format!("0914-{:04}", number + 2))
}

fn steps(lines: &[String]) -> Vec<Step> {
    let (mut joiner, mut steps) = (Joiner::default(), Vec::new());
    for (line, text) in (1..).zip(lines) {
        joiner.begin(line, &mut steps);
        for item in line::read(text.as_bytes()).expect("the line is right").0 {
            joiner.take(line, item, &mut steps);
        }
    }
    joiner.finish(&mut steps);
    steps
}

/// Line, status, time, whether there are details and a progress line; or the faulty field.
fn told(lines: &[String]) -> Vec<String> {
    let tell = |step: Step| match step.event {
        Ok(event) => format!(
            "{} {} {} {}{}",
            step.line,
            event.status,
            from_wire(event.occurred_at.as_ref()).map_or_else(String::new, portal_from_timestamp),
            if event.details.is_some() { "d" } else { "" },
            if event.progress.is_some() { "p" } else { "" },
        ),
        Err(faults) => format!("{} {} {}", step.line, faults[0].field, faults[0].reason),
    };
    steps(lines).into_iter().map(tell).collect()
}

#[test]
fn a_dossier_and_its_next_progress_line_are_one_event() {
    let lines = [dossier(4, ""), other(1), progress(4, "20260915080000")];
    assert_eq!(
        told(&lines),
        ["2 4 20260914090000 p", "3 4 20260915080000 dp"]
    );
}

#[test]
fn a_progress_line_of_another_status_does_not_give_its_time() {
    let dated = dossier(2, r#","NgayTiepNhan":"20260914081500""#);
    let lines = [
        dated,
        progress(5, "20260915080000"),
        progress(2, "20260916080000"),
    ];
    let expected = [
        "1 2 20260914081500 d",
        "2 5 20260915080000 p",
        "3 2 20260916080000 p",
    ];
    assert_eq!(told(&lines), expected);
}

#[test]
fn a_dossier_after_its_progress_line_takes_its_time() {
    let lines = [progress(6, "20260915080000"), other(1), dossier(6, "")];
    assert_eq!(told(&lines)[2], "3 6 20260915080000 d");
    let lines = [
        progress(6, "20260915080000"),
        progress(4, "20260916080000"),
        dossier(6, ""),
    ];
    assert_eq!(told(&lines)[2], "3 TrangThaiHoSo NO_TIME");
}

#[test]
fn each_status_has_its_own_date_or_none() {
    let table = [
        (
            1,
            r#","NgayNopHoSo":"20260914080000""#,
            "1 1 20260914080000 d",
        ),
        (
            3,
            r#","NgayTuChoi":"20260914080000""#,
            "1 3 20260914080000 d",
        ),
        (
            9,
            r#","NgayKetThucXuLy":"20260914080000""#,
            "1 9 20260914080000 d",
        ),
        (
            10,
            r#","NgayTra":"20260914080000""#,
            "1 10 20260914080000 d",
        ),
        (
            5,
            r#","DanhSachHoSoBoSung":[{"NgayBoSung":"20260914080000"},{"NgayBoSung":"20260913080000"}]"#,
            "1 5 20260914080000 d",
        ),
        (5, "", "1 DanhSachHoSoBoSung.NgayBoSung NO_TIME"),
        (9, "", "1 NgayKetThucXuLy NO_TIME"),
        (
            4,
            r#","NgayTiepNhan":"20260914080000""#,
            "1 TrangThaiHoSo NO_TIME",
        ),
        (7, "", "1 TrangThaiHoSo NO_TIME"),
        (8, "", "1 TrangThaiHoSo NO_TIME"),
    ];
    for (status, more, expected) in table {
        assert_eq!(told(&[dossier(status, more)]), [expected]);
    }
}

#[test]
fn repeated_lines_are_the_same_event() {
    let body = dossier(4, "");
    let line = progress(4, "20260915080000");
    let later = progress(9, "20260916080000");
    for order in [
        vec![&body, &body, &line],
        vec![&body, &line, &line],
        vec![&body, &line, &body],
        vec![&body, &line, &later, &line],
    ] {
        let lines: Vec<_> = order.into_iter().cloned().collect();
        let keys: Vec<_> = steps(&lines)
            .into_iter()
            .map(|step| step.event.unwrap())
            .filter(|event| event.status == 4)
            .map(|event| event.idempotency_key)
            .collect();
        assert_eq!(keys.len(), 2);
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 1);
    }
}

#[test]
fn a_dossier_waits_so_many_lines_and_no_more() {
    let dated = dossier(2, r#","NgayTiepNhan":"20260914081500""#);
    for (between, joined) in [(LINES_HELD_MAX - 1, true), (LINES_HELD_MAX, false)] {
        let mut lines = vec![dated.clone()];
        lines.extend((0..between).map(other));
        lines.push(progress(2, "20260914090000"));
        let last = told(&lines).pop().unwrap();
        assert_eq!(last.ends_with("dp"), joined, "{between}: {last}");
    }
}

#[test]
fn nothing_is_kept_longer_than_it_may_serve() {
    let (mut joiner, mut steps) = (Joiner::default(), Vec::new());
    for number in 0..1_000 {
        joiner.begin(number, &mut steps);
        let text = if number % 2 == 0 {
            dossier(4, "")
        } else {
            progress(4, "20260915080000")
        };
        let text = text.replace("0914-0001", &format!("0914-{:04}", number / 2));
        for item in line::read(text.as_bytes()).unwrap().0 {
            joiner.take(number, item, &mut steps);
        }
    }
    joiner.begin(2_000, &mut steps);
    assert!(joiner.held.is_empty() && joiner.reported.is_empty() && joiner.joined.is_empty());
    assert!(joiner.held_in_order.is_empty() && joiner.joined_in_order.is_empty());
}

#[test]
fn letters_in_nfd_give_the_same_key() {
    use unicode_normalization::UnicodeNormalization as _;
    let line = progress(4, "20260915080000");
    let decomposed: String = line.nfd().collect();
    assert_ne!(line, decomposed);
    assert_eq!(steps(&[line])[0].event, steps(&[decomposed])[0].event);
}
