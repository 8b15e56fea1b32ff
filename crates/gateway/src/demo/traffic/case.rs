//! One dossier from filing to its end: who, what, which statuses when, and the words that go with them.

use lienthong_domain::channel::{
    ApplicantKind, Channel, IdentityDocumentKind, OnlinePayment, ReturnMethod,
};
use lienthong_domain::details::{Fee, Identity, PrivateText, ResultPaper, Supplement};
use lienthong_domain::event::{IdempotencyKey, Progress};
use lienthong_domain::money::Vnd;
use lienthong_domain::procedure::Catalogue;
use lienthong_domain::{
    DossierCode, DossierDetails, DossierStatus, Private, ProcedureCode, StatusEvent, Text,
    Timestamp,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::later;
use super::office::Office;
use crate::demo::people::{self, Person, pick};

/// Seconds from the first step to the last at most: eight gaps of [`GAP_SECONDS`] and a bit.
pub(super) const SECONDS_MAX: i64 = 9 * GAP_SECONDS.end;
/// Seconds between two steps. Offices take days; here statuses shall be as fresh as they are in a province that
/// sends in time, or the overview would rightly call every province late.
const GAP_SECONDS: std::ops::Range<i64> = 30..180;
/// Hours that an office has for a step, and for the whole.
const STEP_HOURS: i64 = 28;
const WHOLE_HOURS: i64 = 9 * STEP_HOURS;
/// Share of dossiers with a second line about the same status.
const EXTRA_LINE_CHANCE: f64 = 0.3;
/// Share of these lines that reach the gateway after the step that followed them.
const LATE_CHANCE: f64 = 0.15;

/// Procedures, the code of their field, and the fee in đồng.
const PROCEDURES: [(&str, &str, i64); 10] = [
    ("1.001193", "G15-HT01", 0),
    ("1.004884", "G15-HT01", 8_000),
    ("1.000894", "G15-HT01", 0),
    ("1.000656", "G15-HT01", 0),
    ("2.000806", "G15-HT01", 1_500_000),
    ("1.004222", "G01-CT01", 20_000),
    ("1.004194", "G01-CT01", 15_000),
    ("2.000815", "G15-CT02", 2_000),
    ("1.001612", "G08-HK01", 100_000),
    ("1.013227", "G17-XD01", 75_000),
];

/// What happens at a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Milestone {
    Filed,
    Received,
    Refused,
    Started,
    Examined,
    PapersAsked,
    PapersBrought,
    PaymentAsked,
    Paid,
    Withdrawn,
    Stopped,
    Finished,
    HandedOver,
}

use Milestone as M;

/// Paths through the transition table, each as often as it stands here.
const PATHS: [&[Milestone]; 10] = [
    &[M::Received, M::Started, M::Finished, M::HandedOver],
    &[M::Received, M::Started, M::Finished, M::HandedOver],
    &[
        M::Filed,
        M::Received,
        M::Started,
        M::Finished,
        M::HandedOver,
    ],
    &[
        M::Filed,
        M::Received,
        M::Started,
        M::Finished,
        M::HandedOver,
    ],
    &[M::Received, M::Finished, M::HandedOver],
    &[
        M::Filed,
        M::Received,
        M::Started,
        M::PapersAsked,
        M::PapersBrought,
        M::Finished,
        M::HandedOver,
    ],
    &[
        M::Received,
        M::Started,
        M::PaymentAsked,
        M::Paid,
        M::Finished,
        M::HandedOver,
    ],
    &[M::Filed, M::Refused],
    &[M::Filed, M::Received, M::Started, M::Withdrawn],
    &[M::Received, M::Started, M::Stopped],
];

/// One dossier.
pub(super) struct Case {
    code: DossierCode,
    office: String,
    procedure: (ProcedureCode, &'static str, i64),
    applicant: Person,
    officer: String,
    online: bool,
    /// In the order of sending, which a late line leaves.
    steps: Vec<Step>,
    next: usize,
}

#[derive(Clone, Copy)]
struct Step {
    milestone: Milestone,
    at: Timestamp,
    source_sequence: i64,
}

impl Case {
    /// A new dossier at `office`, filed at `opened_at`.
    pub(super) fn open(
        random: &mut ChaCha8Rng,
        code: DossierCode,
        office: &Office,
        citizen_prefix: &str,
        opened_at: Timestamp,
    ) -> Self {
        let steps = steps(random, opened_at);
        let (procedure, field_code, fee) = pick(random, &PROCEDURES);
        Self {
            code,
            office: office.name.clone(),
            procedure: (
                ProcedureCode::parse(procedure).expect("the list above holds codes"),
                field_code,
                fee,
            ),
            applicant: people::person(random, citizen_prefix),
            officer: people::officer(random),
            online: steps.iter().any(|step| step.milestone == M::Filed),
            steps,
            next: 0,
        }
    }

    /// Goes on to the next step; `false` when there is none.
    pub(super) fn advance(&mut self) -> bool {
        self.next += 1;
        self.next < self.steps.len()
    }

    /// The event of the present step; the same each time it is asked for.
    pub(super) fn event(&self) -> StatusEvent {
        let step = self.steps[self.next];
        let key = format!("{}/{}", self.code, step.source_sequence);
        StatusEvent {
            key: IdempotencyKey::parse(&key).expect("a code and a number are visible ASCII"),
            dossier: self.code.clone(),
            status: step.milestone.status(),
            occurred_at: step.at,
            source_sequence: Some(step.source_sequence),
            progress: Some(self.progress(step)),
            details: self.details(step),
        }
    }

    fn progress(&self, step: Step) -> Progress {
        Progress {
            officer_name: private(&self.officer),
            officer_title: Some(text("Chuyên viên")),
            unit_name: Some(text(&self.office)),
            note: private(step.milestone.note()),
            started_at: Some(step.at),
            due_at: Some(later(step.at, STEP_HOURS * 3_600)),
        }
    }

    /// What the step changes; all that is known with the first one.
    fn details(&self, step: Step) -> Option<DossierDetails> {
        let at = Some(step.at);
        let known = if self.next == 0 {
            self.base(step.at)
        } else {
            DossierDetails::default()
        };
        let details = match step.milestone {
            M::Filed => known,
            M::Received => DossierDetails {
                received_at: at,
                due_at: Some(later(step.at, WHOLE_HOURS * 3_600)),
                ..known
            },
            M::Refused => DossierDetails {
                refused_at: at,
                ..known
            },
            M::Started | M::Examined | M::Withdrawn | M::Stopped => return None,
            M::PapersAsked | M::PapersBrought => DossierDetails {
                supplements: Some(vec![self.supplement(step)]),
                ..known
            },
            M::PaymentAsked => DossierDetails {
                fees: Some(vec![self.fee()]),
                online_payment: Some(OnlinePayment::NotPaid),
                ..known
            },
            M::Paid => DossierDetails {
                online_payment: Some(OnlinePayment::NationalPortal),
                ..known
            },
            M::Finished => DossierDetails {
                finished_at: at,
                ..known
            },
            M::HandedOver => DossierDetails {
                returned_at: at,
                results: Some(vec![self.result()]),
                ..known
            },
        };
        Some(details)
    }

    fn base(&self, at: Timestamp) -> DossierDetails {
        let (code, field_code, _) = &self.procedure;
        let procedure = Catalogue::builtin()
            .get(code)
            .expect("the list above is in the catalogue");
        let name = procedure.name.as_str();
        DossierDetails {
            procedure_code: Some(code.clone()),
            procedure_name: Some(procedure.name.clone()),
            field_code: Some(text(field_code)),
            field_name: Some(text(procedure.field.as_str())),
            channel: Some(if self.online {
                Channel::Online
            } else {
                Channel::Counter
            }),
            applicant_name: Some(private(&self.applicant.name)),
            applicant_document: Some(private(&self.applicant.citizen_number)),
            applicant_kind: Some(ApplicantKind::Citizen),
            identities: Some(vec![Identity {
                kind: IdentityDocumentKind::CitizenNumber,
                number: private(&self.applicant.citizen_number),
            }]),
            phone: Some(private(&self.applicant.phone)),
            summary: Some(private(&format!("{name}: {}", self.applicant.name))),
            submitted_at: Some(at),
            return_method: Some(if self.online {
                ReturnMethod::Post
            } else {
                ReturnMethod::Counter
            }),
            handling_unit: Some(text(&self.office)),
            filed_at_code: Some(text("2")),
            has_digitised_components: Some(self.online),
            identified_by_vneid: Some(self.online),
            ..DossierDetails::default()
        }
    }

    fn supplement(&self, step: Step) -> Supplement {
        let asked_at = self
            .steps
            .iter()
            .find(|step| step.milestone == M::PapersAsked);
        let brought = step.milestone == M::PapersBrought;
        Supplement {
            id: Some(text(&format!("BS-{}", self.code.daily_sequence()))),
            requested_by: Some(private(&self.officer)),
            content: Some(private("Bổ sung bản sao giấy tờ chứng minh nơi cư trú")),
            requested_at: asked_at.map(|asked| asked.at),
            received_by: brought.then(|| private(&self.officer)),
            received_at: brought.then_some(step.at),
            state_code: Some(text(if brought { "2" } else { "1" })),
            ..Supplement::default()
        }
    }

    fn fee(&self) -> Fee {
        let (_, _, dong) = self.procedure;
        Fee {
            name: Some(text("Lệ phí giải quyết thủ tục hành chính")),
            code: Some(text("LP01")),
            collection_code: Some(text("1")),
            amount: Some(Vnd::new(dong).expect("the list above holds small amounts")),
            kind_code: Some(text("2")),
        }
    }

    fn result(&self) -> ResultPaper {
        ResultPaper {
            name: Some(private("Giấy tờ kết quả giải quyết thủ tục hành chính")),
            result_code: Some(text(&format!("KQ-{}", self.code))),
            ..ResultPaper::default()
        }
    }
}

/// A path with its times, now and then with a further line, which now and then is sent late.
fn steps(random: &mut ChaCha8Rng, opened_at: Timestamp) -> Vec<Step> {
    let mut path = pick(random, &PATHS).to_vec();
    let started = path.iter().position(|milestone| *milestone == M::Started);
    let extra = started
        .filter(|_| random.random_bool(EXTRA_LINE_CHANCE))
        .map(|index| index + 1);
    if let Some(index) = extra {
        path.insert(index, M::Examined);
    }
    let mut at = opened_at;
    let mut steps = Vec::with_capacity(path.len());
    for (place, milestone) in (1..).zip(path) {
        steps.push(Step {
            milestone,
            at,
            source_sequence: place * 10,
        });
        at = later(at, random.random_range(GAP_SECONDS));
    }
    if let Some(index) = extra
        && index + 1 < steps.len()
        && random.random_bool(LATE_CHANCE)
    {
        steps.swap(index, index + 1);
    }
    steps
}

impl Milestone {
    fn status(self) -> DossierStatus {
        match self {
            Self::Filed => DossierStatus::Registered,
            Self::Received => DossierStatus::Accepted,
            Self::Refused => DossierStatus::Rejected,
            Self::Started | Self::Examined | Self::PapersBrought | Self::Paid => {
                DossierStatus::Processing
            }
            Self::PapersAsked => DossierStatus::SupplementRequested,
            Self::PaymentAsked => DossierStatus::PaymentRequested,
            Self::Withdrawn => DossierStatus::Withdrawn,
            Self::Stopped => DossierStatus::Stopped,
            Self::Finished => DossierStatus::Processed,
            Self::HandedOver => DossierStatus::ResultReturned,
        }
    }

    fn note(self) -> &'static str {
        match self {
            Self::Filed => "Tổ chức, cá nhân nộp hồ sơ trực tuyến",
            Self::Received => "Tiếp nhận hồ sơ, hẹn ngày trả kết quả",
            Self::Refused => "Từ chối tiếp nhận: hồ sơ không thuộc thẩm quyền giải quyết",
            Self::Started => "Chuyển bộ phận chuyên môn thụ lý hồ sơ",
            Self::Examined => "Thẩm định hồ sơ, trình lãnh đạo phê duyệt",
            Self::PapersAsked => "Yêu cầu bổ sung thành phần hồ sơ",
            Self::PapersBrought => "Đã nhận giấy tờ bổ sung, tiếp tục xử lý",
            Self::PaymentAsked => "Thông báo thực hiện nghĩa vụ tài chính",
            Self::Paid => "Đã xác nhận nộp lệ phí, tiếp tục xử lý",
            Self::Withdrawn => "Công dân yêu cầu rút hồ sơ",
            Self::Stopped => "Dừng xử lý hồ sơ theo quy định",
            Self::Finished => "Hoàn thành xử lý, chuyển trả kết quả",
            Self::HandedOver => "Đã trả kết quả cho công dân",
        }
    }
}

/// One of our own texts; they are all within the bounds of their fields.
fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text::parse(text).expect("the demo's texts are short and plain")
}

fn private<const MAX: usize>(raw: &str) -> PrivateText<MAX> {
    Private::new(text(raw))
}
