//! The screen at two sizes, and what keys and answers do to the state.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;
use lienthong_proto::admin::v1::{
    BreakerState, Destination, DestinationState, ExplainDossierResponse, Figure, FigureKey,
    FigurePoint, LaneExplanation, Problem, Severity,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use unicode_width::UnicodeWidthStr as _;

use super::state::{Answer, Effect, Look, Overlay, Panel, State};
use super::update::{on_answer, on_key};
use super::view;
use super::words::Language;
use crate::fake::overview;

fn now() -> Timestamp {
    "2026-11-20T01:30:00Z".parse().unwrap()
}

fn problem() -> Problem {
    Problem {
        code: "DELIVERIES_PARKED".into(),
        severity: Severity::Warning.into(),
        about: "dvcqg".into(),
        since: None,
        meaning_vi: "17 lượt gửi tới dvcqg đang bị tạm giữ chờ người xử lý.".into(),
        meaning_en: "17 deliveries to dvcqg are parked.".into(),
        action_vi: "Mở trang Tạm giữ, sửa nguyên nhân rồi chuyển lại.".into(),
        action_en: "Mend the cause, then replay.".into(),
    }
}

fn look(state: DestinationState) -> Answer {
    let destination = Destination {
        name: "dvcqg".into(),
        state: state.into(),
        breaker_state: BreakerState::Closed.into(),
        ..Destination::default()
    };
    Answer::Look(Ok(Box::new(Look {
        at: now(),
        overview: overview(vec![problem()]),
        destinations: vec![destination],
    })))
}

fn state() -> State {
    let mut state = State::new(Language::Vi, now());
    on_answer(&mut state, look(DestinationState::Running));
    let points = [1.0, 4.0, 8.0, 2.0].map(|value| FigurePoint {
        at: None,
        value,
        max: value,
    });
    let figure = |name: &str| Figure {
        key: Some(FigureKey {
            name: name.into(),
            about: "dvcqg".into(),
        }),
        points: points.into(),
    };
    let figures = vec![figure("delivered_per_minute"), figure("oldest_age_seconds")];
    on_answer(&mut state, Answer::Figures(Ok(figures)));
    state
}

fn key(state: &mut State, code: KeyCode) -> Option<Effect> {
    on_key(state, KeyEvent::new(code, KeyModifiers::NONE))
}

fn write(state: &mut State, text: &str) {
    for letter in text.chars() {
        assert_eq!(key(state, KeyCode::Char(letter)), None);
    }
}

/// The lines of the screen, each as wide as the screen whatever letters it holds.
fn screen(state: &State, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view::draw(state, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let lines = buffer.content().chunks(usize::from(width));
    lines
        .map(|cells| {
            let line: String = cells.iter().map(ratatui::buffer::Cell::symbol).collect();
            assert_eq!(line.width(), usize::from(width), "{line}");
            line.trim_end().to_owned()
        })
        .collect()
}

/// With `WRITE_SCREENS=1` the kept screen is written anew, to be looked at.
fn is_kept(shown: &str, kept: &str, name: &str) {
    if std::env::var_os("WRITE_SCREENS").is_some() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/top/tests");
        std::fs::write(file.join(name), format!("{shown}\n")).unwrap();
        return;
    }
    assert_eq!(shown, kept.trim_end(), "{shown}");
}

#[test]
fn everything_that_matters_fits_the_smallest_terminal() {
    let shown = screen(&state(), 80, 24).join("\n");
    is_kept(&shown, include_str!("tests/80x24.txt"), "80x24.txt");
}

#[test]
fn a_larger_terminal_shows_more() {
    let mut english = state();
    english.language = Language::En;
    let shown = screen(&english, 120, 40).join("\n");
    is_kept(&shown, include_str!("tests/120x40.txt"), "120x40.txt");
}

#[test]
fn any_size_can_be_drawn() {
    let mut state = state();
    key(&mut state, KeyCode::Enter);
    for (width, height) in [(1, 1), (20, 5), (59, 16), (60, 15), (60, 16), (300, 100)] {
        let shown = screen(&state, width, height);
        assert_eq!(shown.len(), usize::from(height));
    }
    assert!(screen(&state, 59, 16)[0].contains("quá nhỏ"));
}

#[test]
fn silence_is_told_with_its_beginning_and_ends_with_an_answer() {
    let mut state = state();
    state.now = "2026-11-20T01:31:00Z".parse().unwrap();
    on_answer(&mut state, Answer::Look(Err("UNAVAILABLE".into())));
    on_answer(
        &mut state,
        Answer::Look(Err("UNAVAILABLE · refused".into())),
    );
    let shown = screen(&state, 80, 24);
    let expected = "KHÔNG TRẢ LỜI từ 20/11/2026 08:30:00: UNAVAILABLE · refused";
    assert_eq!(shown[1], expected);
    assert!(
        shown.join("\n").contains("Thanh Hóa"),
        "what was known stays"
    );
    on_answer(&mut state, look(DestinationState::Running));
    assert!(screen(&state, 80, 24)[1].starts_with("CẦN XEM: 1"));
}

#[test]
fn before_the_first_answer_nothing_is_claimed() {
    let mut state = State::new(Language::En, now());
    assert!(screen(&state, 80, 24)[1].starts_with("Connecting"));
    for code in [
        KeyCode::Enter,
        KeyCode::Down,
        KeyCode::End,
        KeyCode::Char('p'),
    ] {
        assert_eq!(key(&mut state, code), None);
    }
}

#[test]
fn the_focus_goes_round_and_the_choice_stays_inside() {
    let mut state = state();
    for expected in [
        Panel::Destinations,
        Panel::Provinces,
        Panel::Parked,
        Panel::Problems,
    ] {
        key(&mut state, KeyCode::Tab);
        assert_eq!(state.focus, expected);
    }
    key(&mut state, KeyCode::BackTab);
    assert_eq!(state.focus, Panel::Parked);
    key(&mut state, KeyCode::Left);
    let chosen = |state: &State| state.row(Panel::Provinces);
    for (code, row) in [
        (KeyCode::Up, 0),
        (KeyCode::Down, 1),
        (KeyCode::PageDown, 2),
        (KeyCode::Home, 0),
        (KeyCode::End, 2),
    ] {
        key(&mut state, code);
        assert_eq!(chosen(&state), Some(row), "{code:?}");
    }
    if let Some(look) = &mut state.look {
        look.overview.provinces.truncate(1);
    }
    assert_eq!(chosen(&state), Some(0), "rows may go away");
}

#[test]
fn enter_explains_what_is_chosen() {
    let mut state = state();
    assert_eq!(key(&mut state, KeyCode::Enter), None);
    let shown = screen(&state, 80, 24).join("\n");
    assert!(shown.contains("→ Mở trang Tạm giữ"), "{shown}");
    assert_eq!(key(&mut state, KeyCode::Char('x')), None, "any key closes");
    assert!(state.overlay.is_none());

    state.focus = Panel::Provinces;
    let asked = key(&mut state, KeyCode::Enter);
    let code = "H56.14-261120-0001".to_owned();
    assert_eq!(
        asked,
        Some(Effect::Explain(code.clone())),
        "the one that waits longest is first"
    );
    let lane = LaneExplanation {
        destination: "dvcqg".into(),
        explanation_vi: "Đang chờ lượt gửi đầu.".into(),
        ..LaneExplanation::default()
    };
    let answer = ExplainDossierResponse {
        dossier_code: code.clone(),
        lanes: vec![lane],
    };
    on_answer(&mut state, Answer::Explained(code, Ok(answer)));
    let shown = screen(&state, 80, 24).join("\n");
    assert!(shown.contains("dvcqg: Đang chờ lượt gửi đầu."), "{shown}");
    key(&mut state, KeyCode::Esc);

    state.focus = Panel::Parked;
    key(&mut state, KeyCode::Enter);
    let shown = screen(&state, 120, 40).join("\n");
    let command =
        "lienthong parked replay --destination dvcqg --error-group 'REJECTED/-1' --province H56";
    assert!(shown.contains(command), "{shown}");
}

#[test]
fn a_pause_needs_a_reason_and_can_be_left() {
    let mut state = state();
    key(&mut state, KeyCode::Char('p'));
    assert_eq!(key(&mut state, KeyCode::Enter), None, "no reason yet");
    write(&mut state, "bảo trì qx");
    key(&mut state, KeyCode::Backspace);
    let shown = screen(&state, 80, 24).join("\n");
    assert!(
        shown.contains("Tạm dừng dvcqg") && shown.contains("bảo trì q▏"),
        "{shown}"
    );
    let Some(Effect::Steer(steer)) = key(&mut state, KeyCode::Enter) else {
        panic!("a reason was given");
    };
    assert_eq!((steer.pause, steer.reason.as_str()), (true, "bảo trì q"));
    on_answer(&mut state, Answer::Steered(steer.clone(), Ok(())));
    assert!(state.note.contains("đã tạm dừng: dvcqg"), "{}", state.note);
    on_answer(
        &mut state,
        Answer::Steered(steer, Err("NOT_OPERATOR: Không có quyền".into())),
    );
    assert!(screen(&state, 80, 24)[23].contains("NOT_OPERATOR"));

    on_answer(&mut state, look(DestinationState::Paused));
    key(&mut state, KeyCode::Char('p'));
    assert!(matches!(&state.overlay, Some(Overlay::Reason(steer)) if !steer.pause));
    assert_eq!(key(&mut state, KeyCode::Esc), None);
    assert!(state.overlay.is_none());
}

#[test]
fn a_reason_has_an_end_and_quitting_works_everywhere() {
    let mut state = state();
    key(&mut state, KeyCode::Char('p'));
    write(&mut state, &"ạ".repeat(600));
    assert!(
        matches!(&state.overlay, Some(Overlay::Reason(steer)) if steer.reason.chars().count() == 500)
    );
    let control = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(on_key(&mut state, control), Some(Effect::Quit));
    key(&mut state, KeyCode::Esc);
    assert_eq!(key(&mut state, KeyCode::Char('?')), None);
    assert!(matches!(state.overlay, Some(Overlay::Help)));
    key(&mut state, KeyCode::Char('q'));
    assert_eq!(key(&mut state, KeyCode::Char('r')), Some(Effect::Refresh));
    assert_eq!(key(&mut state, KeyCode::Char('q')), Some(Effect::Quit));
}

#[test]
fn text_from_outside_cannot_drive_the_terminal() {
    let mut state = state();
    if let Some(look) = &mut state.look {
        look.overview.problems[0].meaning_vi = "a\u{1b}[2Jb".into();
    }
    assert!(screen(&state, 80, 24).join("\n").contains("a\u{FFFD}[2Jb"));
}
