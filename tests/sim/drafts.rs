//! What the provinces push: dossiers on their way through the ten statuses, with every usual mistake.

use std::time::Duration;

use lienthong_domain::channel::{ApplicantKind, ReturnMethod};
use lienthong_domain::event::{IdempotencyKey, Progress};
use lienthong_domain::{
    DossierCode, DossierDetails, DossierStatus, Private, ProcedureCode, StatusEvent, Text,
    Timestamp,
};

use crate::draw::Draw;
use crate::script::Push;

/// The instant at which every run begins, in seconds since 1970.
pub(crate) const BASE_SECOND: i64 = 1_757_300_000;
/// A procedure that no catalogue has.
pub(crate) const PROCEDURE_UNKNOWN: &str = "3.999999";
/// Who pushes: one refuses transitions outside the table, one only warns (see `world`).
pub(crate) const PARTICIPANTS: [&str; 2] = ["H56", "H21"];

/// Prefixes of the dossiers of each participant; H21 took over H08 in 2025.
const AGENCIES: [[&str; 2]; 2] = [["H56.14", "000.17.22.H56"], ["H21.17", "H08.12"]];

pub(crate) fn base() -> Timestamp {
    Timestamp::from_second(BASE_SECOND).expect("a second of 2025")
}

/// A dossier whose life is being told.
struct Life {
    code: DossierCode,
    participant: usize,
    status: DossierStatus,
    occurred_at: Timestamp,
    counts: bool,
    told: i64,
}

/// All pushes of a run, by time.
pub(crate) fn pushes(seed: u64, busy_ms: u64) -> Vec<Push> {
    let draw = Draw::new(seed, 2);
    let mut lives = (0..draw.between(3, 8))
        .map(|number| life(&draw, number))
        .collect::<Vec<_>>();
    let mut pushes = Vec::<Push>::new();
    let total = draw.between(15, 50);
    let mut written = 0;
    while written < total {
        let index = usize::try_from(draw.below(lives.len() as u64)).expect("an index fits");
        let participant = lives[index].participant;
        let events = (0..*draw.pick(&[1, 1, 1, 2, 3]))
            .map(|_| {
                written += 1;
                event(&draw, &mut lives[index], &format!("{seed}-{written}"))
            })
            .collect::<Vec<_>>();
        let copies = if draw.chance(80) {
            draw.between(2, 6)
        } else {
            1
        };
        let at_ms = draw.below(busy_ms);
        pushes.push(Push {
            at_ms,
            participant: PARTICIPANTS[participant],
            events,
            copies,
        });
    }
    mistakes(&draw, &mut pushes, busy_ms);
    // Most provinces report in order: the times are dealt out again, in order of the writing.
    if draw.chance(800) {
        let mut times = pushes.iter().map(|push| push.at_ms).collect::<Vec<_>>();
        times.sort_unstable();
        pushes
            .iter_mut()
            .zip(times)
            .for_each(|(push, at_ms)| push.at_ms = at_ms);
    }
    pushes.sort_by_key(|push| push.at_ms);
    pushes
}

/// Repetitions, reused keys and other people's dossiers.
fn mistakes(draw: &Draw, pushes: &mut Vec<Push>, busy_ms: u64) {
    for _ in 0..draw.between(1, 5) {
        let mut again = draw.pick(pushes).clone();
        again.at_ms = draw.below(busy_ms);
        match draw.below(4) {
            0 => again.events[0].occurred_at += Duration::from_secs(1),
            1 => again.events[0].dossier = code("H29.3-250908-0007"),
            2 => again.events[0].occurred_at = base() + Duration::from_hours(48),
            _ => {}
        }
        if again.events[0].dossier.as_str().starts_with("H29")
            || again.events[0].occurred_at > base()
        {
            again.events[0].key = key(&format!("{}-wrong", again.events[0].key.as_str()));
        }
        pushes.push(again);
    }
}

fn life(draw: &Draw, number: u64) -> Life {
    let participant = usize::from(draw.chance(400));
    let agency = draw.pick(&AGENCIES[participant]);
    Life {
        code: code(&format!("{agency}-250908-{number:04}")),
        participant,
        status: *draw.pick(&[
            DossierStatus::Registered,
            DossierStatus::Accepted,
            DossierStatus::Processing,
        ]),
        occurred_at: base() - Duration::from_hours(draw.between(100, 900)),
        counts: draw.chance(500),
        told: 0,
    }
}

fn event(draw: &Draw, life: &mut Life, key_text: &str) -> StatusEvent {
    if life.told > 0 {
        life.status = match draw.below(20) {
            0 => *draw.pick(DossierStatus::ALL),
            1..=5 => life.status,
            _ if life.status.is_terminal() => life.status,
            _ => *draw.pick(life.status.allowed_next()),
        };
    }
    life.occurred_at += Duration::from_mins(draw.between(1, 60));
    // Now and then the clock of a province runs behind, or a forgotten line is sent afterwards.
    let behind = if draw.chance(100) {
        Duration::from_hours(draw.between(1, 5))
    } else {
        Duration::ZERO
    };
    let first = life.told == 0;
    life.told += 1;
    let swapped = i64::from(draw.chance(80)) * 2;
    StatusEvent {
        key: key(key_text),
        dossier: life.code.clone(),
        status: life.status,
        occurred_at: life.occurred_at - behind,
        source_sequence: (life.counts && !draw.chance(50))
            .then_some((life.told * 2 - swapped * 2).max(0)),
        progress: draw.chance(500).then(|| progress(key_text)),
        details: details(draw, first, life.status, life.occurred_at),
    }
}

fn progress(key: &str) -> Progress {
    Progress {
        officer_name: Private::new(text("Nguyễn Thị Hoà")),
        officer_title: Some(text("Chuyên viên")),
        unit_name: None,
        note: Private::new(text(&format!("Đã kiểm tra thành phần hồ sơ, lượt {key}"))),
        started_at: None,
        due_at: None,
    }
}

/// Full details with a dossier's first event (mostly), the dates a status asks for (mostly), else nothing.
fn details(
    draw: &Draw,
    first: bool,
    status: DossierStatus,
    at: Timestamp,
) -> Option<DossierDetails> {
    use DossierStatus as S;
    let filed = base() - Duration::from_hours(1_000);
    let ended = base() - Duration::from_hours(1);
    let mut details = DossierDetails::default();
    if first && !draw.chance(60) {
        details = full(draw, filed);
    }
    if !draw.chance(100) {
        match status {
            S::Processed => details.finished_at = Some(ended),
            S::ResultReturned => {
                (details.finished_at, details.returned_at) = (Some(ended), Some(ended));
            }
            S::Rejected => details.refused_at = Some(at),
            _ => {}
        }
    }
    if draw.chance(200) {
        let remark = format!("Bổ sung giấy chứng nhận số {}", draw.below(1_000));
        details.remark = Some(Private::new(text(&remark)));
    }
    (details != DossierDetails::default() || draw.chance(50)).then_some(details)
}

fn full(draw: &Draw, filed: Timestamp) -> DossierDetails {
    let procedure = if draw.chance(100) {
        PROCEDURE_UNKNOWN
    } else {
        "1.001193"
    };
    DossierDetails {
        procedure_code: Some(ProcedureCode::parse(procedure).expect("it has the form of a code")),
        procedure_name: Some(text("Đăng ký khai sinh")),
        field_code: Some(text("HT")),
        field_name: Some(text("Hộ tịch")),
        applicant_kind: Some(ApplicantKind::Citizen),
        applicant_name: Some(Private::new(text("Trần Văn Đức"))),
        summary: Some(Private::new(text(
            "Đăng ký khai sinh cho cháu Trần Ngọc Ánh",
        ))),
        return_method: Some(ReturnMethod::Counter),
        handling_unit: Some(text("UBND xã Ia Grai")),
        submitted_at: Some(filed),
        received_at: (!draw.chance(60)).then_some(filed),
        ..DossierDetails::default()
    }
}

fn code(text: &str) -> DossierCode {
    DossierCode::parse(text).expect("it has the form of a code")
}

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).expect("it has the form of a key")
}

fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::parse(text).expect("it is plain text")
}
