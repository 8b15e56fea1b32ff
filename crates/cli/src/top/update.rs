//! How the state changes with a key or an answer. Nothing here waits or asks.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use lienthong_proto::admin::v1::{ExplainDossierResponse, ParkedGroup, Problem};

use super::state::{Answer, Effect, Overlay, Panel, Silence, State, Steer};
use crate::instant::shown;
use crate::output::table::harmless;

/// Longest reason, in characters. Source: `PauseDestinationRequest` of the contract.
const REASON_CHARACTERS_MAX: usize = 500;
/// Rows that a page key moves.
const PAGE_ROWS: isize = 10;

/// What `key` does: changes the state, and may ask for more.
pub(super) fn on_key(state: &mut State, key: KeyEvent) -> Option<Effect> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (key.code == KeyCode::Char('c')).then_some(Effect::Quit);
    }
    match state.overlay.take() {
        None => on_panels(state, key.code),
        Some(Overlay::Reason(steer)) => on_reason(state, steer, key.code),
        Some(Overlay::Help) => None,
        Some(Overlay::Text {
            title,
            lines,
            scroll,
        }) => {
            let scroll = match key.code {
                KeyCode::Down => scroll.saturating_add(1),
                KeyCode::Up => scroll.saturating_sub(1),
                _ => return None,
            };
            state.overlay = Some(Overlay::Text {
                title,
                lines,
                scroll,
            });
            None
        }
    }
}

fn on_panels(state: &mut State, code: KeyCode) -> Option<Effect> {
    // Whoever goes on has read how the last change went.
    state.note = "".into();
    match code {
        KeyCode::Char('q') | KeyCode::Esc => return Some(Effect::Quit),
        KeyCode::Char('r') => return Some(Effect::Refresh),
        KeyCode::Char('?' | 'h') => state.overlay = Some(Overlay::Help),
        KeyCode::Tab | KeyCode::Right => state.focus = state.focus.next(1),
        KeyCode::BackTab | KeyCode::Left => state.focus = state.focus.next(Panel::ALL.len() - 1),
        KeyCode::Down | KeyCode::Char('j') => state.step(1),
        KeyCode::Up | KeyCode::Char('k') => state.step(-1),
        KeyCode::PageDown => state.step(PAGE_ROWS),
        KeyCode::PageUp => state.step(-PAGE_ROWS),
        KeyCode::Home => state.step(isize::MIN),
        KeyCode::End => state.step(isize::MAX),
        KeyCode::Char('p') => ask_reason(state),
        KeyCode::Enter => return open(state),
        _ => {}
    }
    None
}

/// The chosen destination, or the only one there is.
fn ask_reason(state: &mut State) {
    let flows = state.destinations();
    let chosen = match (state.focus, flows) {
        (_, [only]) => Some(only),
        (Panel::Destinations, flows) => state
            .row(Panel::Destinations)
            .and_then(|row| flows.get(row)),
        _ => None,
    };
    match chosen.map(|flow| flow.destination.clone()) {
        Some(destination) => {
            state.overlay = Some(Overlay::Reason(Steer {
                pause: !state.is_paused(&destination),
                destination,
                reason: String::new(),
            }));
        }
        None => state.note = state.language.words().choose_destination.into(),
    }
}

fn on_reason(state: &mut State, mut steer: Steer, code: KeyCode) -> Option<Effect> {
    match code {
        KeyCode::Esc => return None,
        KeyCode::Enter if !steer.reason.trim().is_empty() => {
            state.note = state.language.words().under_way.into();
            return Some(Effect::Steer(steer));
        }
        KeyCode::Backspace => {
            steer.reason.pop();
        }
        KeyCode::Char(letter) if steer.reason.chars().count() < REASON_CHARACTERS_MAX => {
            steer.reason.push(letter);
        }
        _ => {}
    }
    state.overlay = Some(Overlay::Reason(steer));
    None
}

/// What there is to know about the chosen row.
fn open(state: &mut State) -> Option<Effect> {
    let row = state.row(state.focus)?;
    let dossier = match state.focus {
        Panel::Problems => {
            let overlay = state.problems().get(row).map(about_problem);
            state.overlay = overlay;
            return None;
        }
        Panel::Parked => {
            let overlay = state.parked().get(row).map(about_group);
            state.overlay = overlay;
            return None;
        }
        Panel::Destinations => &state.destinations().get(row)?.oldest_dossier_code,
        Panel::Provinces => &state.provinces().get(row)?.oldest_dossier_code,
    };
    if dossier.is_empty() {
        state.note = state.language.words().nothing_waits.into();
        return None;
    }
    Some(Effect::Explain(dossier.clone()))
}

fn about_problem(problem: &Problem) -> Overlay {
    let mut lines = vec![problem.meaning_vi.clone(), problem.meaning_en.clone()];
    if problem.since.is_some() {
        lines.push(format!("từ / since {}", shown(problem.since.as_ref())));
    }
    lines.extend([
        String::new(),
        format!("→ {}", problem.action_vi),
        format!("→ {}", problem.action_en),
    ]);
    text(&format!("{} {}", problem.code, problem.about), &lines)
}

fn about_group(group: &ParkedGroup) -> Overlay {
    let ParkedGroup {
        destination,
        province_code,
        error_group,
        ..
    } = group;
    let province = match province_code.as_str() {
        "" => String::new(),
        code => format!(" --province {code}"),
    };
    let filter = format!("--destination {destination} --error-group '{error_group}'{province}");
    let (oldest, newest) = (
        shown(group.oldest_parked_at.as_ref()),
        shown(group.newest_parked_at.as_ref()),
    );
    let lines = [
        format!("{}: {oldest} .. {newest}", group.deliveries),
        String::new(),
        format!("lienthong parked list {filter}"),
        format!("lienthong parked replay {filter} --dry-run"),
        format!("lienthong parked replay {filter} --reason '...'"),
    ];
    text(
        &format!("{destination} {province_code} {error_group}"),
        &lines,
    )
}

fn about_dossier(code: &str, answer: &ExplainDossierResponse) -> Overlay {
    let mut lines = Vec::new();
    for lane in &answer.lanes {
        lines.push(format!("{}: {}", lane.destination, lane.explanation_vi));
        lines.push(lane.explanation_en.clone());
        let attempts = lane
            .head_delivery
            .iter()
            .flat_map(|delivery| &delivery.attempts);
        lines.extend(attempts.map(|attempt| {
            let at = shown(attempt.started_at.as_ref());
            format!("#{} {at} {}", attempt.number, attempt.message)
        }));
        lines.push(String::new());
    }
    text(code, &lines)
}

fn text(title: &str, lines: &[String]) -> Overlay {
    Overlay::Text {
        title: harmless(title),
        lines: lines.iter().map(|line| harmless(line)).collect(),
        scroll: 0,
    }
}

/// Takes what came back.
pub(super) fn on_answer(state: &mut State, answer: Answer) {
    match answer {
        Answer::Look(Ok(look)) => {
            state.look = Some(*look);
            state.silence = None;
        }
        Answer::Look(Err(told)) => {
            let last = state.look.as_ref().map_or(state.now, |look| look.at);
            let since = state.silence.as_ref().map_or(last, |silence| silence.since);
            state.silence = Some(Silence { since, told });
        }
        Answer::Figures(Ok(figures)) => {
            state.figures = figures
                .into_iter()
                .map(|figure| {
                    let key = figure.key.unwrap_or_default();
                    let points = figure.points.iter().map(|point| point.value);
                    ((key.name, key.about), points.collect())
                })
                .collect();
        }
        // The look says that the gateway is away; sparklines keep what they have.
        Answer::Figures(Err(_)) => {}
        Answer::Explained(code, Ok(answer)) => state.overlay = Some(about_dossier(&code, &answer)),
        Answer::Explained(code, Err(told)) => state.overlay = Some(text(&code, &[told])),
        Answer::Steered(steer, result) => {
            let words = state.language.words();
            let note = match (result, steer.pause) {
                (Err(told), _) => harmless(&told),
                (Ok(()), true) => format!("{}: {}", words.paused, harmless(&steer.destination)),
                (Ok(()), false) => format!("{}: {}", words.resumed, harmless(&steer.destination)),
            };
            state.note = note.into();
        }
    }
}
