//! Usage records: who asked about a citizen, why, and what came of it. Citizens are pseudonyms here; nobody can be looked
//! up by number on this page, and reading it is itself recorded.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use lienthong_domain::Faults;
use lienthong_domain::identity::{PurposeCode, UsageId, UsageOutcome};
use lienthong_domain::participant::ParticipantId;
use lienthong_ports::identity::{UsageFilter, UsageRow};
use lienthong_ports::store::ITEMS_MAX;
use maud::{Markup, html};

use super::form::{self, Faulty, Field, optional};
use super::params::{Params, address};
use super::{parts, words};
use crate::Shared;
use crate::fault::PageError;
use crate::format;
use crate::frame::{Frame, Tone};
use crate::layout::{self, Button, Column};

/// Characters of a pseudonym that are shown: enough to see the same citizen twice on a page.
const PSEUDONYM_CHARS: usize = 8;
/// Records of a page.
const SHOWN_MAX: usize = 100;

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/usage", get(show))
}

async fn show(
    State(console): State<Shared>,
    frame: Frame,
    Query(params): Query<Params>,
) -> Result<Response, PageError> {
    let title = frame.t("Khai thác dân cư", "Identity usage");
    let Some(identity) = &console.identity else {
        let why = frame.t(
            "Trục liên thông này không nối với cơ sở dữ liệu dân cư, nên không có bản ghi khai thác nào.",
            "This gateway is not connected to a population database, so there are no usage records.",
        );
        return Ok(layout::page(&frame, title, html! { p.empty { (why) } }));
    };
    let mut data = Data {
        typed: Typed::read(&params),
        faulty: Faulty::default(),
        records: Vec::new(),
        next: None,
    };
    match data.typed.filter() {
        Ok(filter) => {
            let before = params.number("before").map(UsageId);
            // Of many purposes only some records are shown, so more are read.
            let read = if data.typed.purpose.is_empty() {
                SHOWN_MAX
            } else {
                ITEMS_MAX
            };
            data.records = identity
                .usage_seen(&frame.operator, filter, before, read)
                .await?;
            data.keep_page(read);
        }
        Err(faults) => data.faulty = Faulty::of(&faults),
    }
    let body = view(&frame, &data);
    Ok(layout::page_with(data.faulty.status(), &frame, title, body))
}

/// A filter as typed.
#[derive(Clone, Debug, Default)]
struct Typed {
    participant: String,
    purpose: String,
    since: String,
}

impl Typed {
    fn read(params: &Params) -> Self {
        Self {
            participant: params.text("participant"),
            purpose: params.text("purpose"),
            since: params.text("since"),
        }
    }

    fn filter(&self) -> Result<UsageFilter, Faults> {
        let mut faults = Faults::new();
        // The store knows records by participant and time only: `keep_page` looks at the purpose.
        optional(&mut faults, "purpose", &self.purpose, |text| {
            PurposeCode::parse(text)
        });
        let filter = UsageFilter {
            subjects: Vec::new(),
            participant: optional(&mut faults, "participant", &self.participant, |text| {
                ParticipantId::parse(text)
            }),
            since: optional(&mut faults, "since", &self.since, form::midnight),
        };
        faults.into_result(filter)
    }
}

/// What the page shows.
struct Data {
    typed: Typed,
    faulty: Faulty,
    /// Newest first.
    records: Vec<UsageRow>,
    next: Option<UsageId>,
}

impl Data {
    /// Leaves out other purposes, and what is too many for a page. `read` records were asked for.
    fn keep_page(&mut self, read: usize) {
        let last = self.records.last().map(|row| row.id);
        let rest = last.filter(|_| self.records.len() == read);
        let purpose = self.typed.purpose.as_str();
        if !purpose.is_empty() {
            self.records
                .retain(|row| row.record.purpose.as_str() == purpose);
        }
        let more = parts::cut(&mut self.records, SHOWN_MAX, |row| row.id);
        self.next = more.or(rest);
    }
}

fn view(frame: &Frame, data: &Data) -> Markup {
    let typed = &data.typed;
    let next = data.next.map(|id| id.0.to_string());
    let next = next.map(|before| {
        let pairs = [
            ("participant", typed.participant.as_str()),
            ("purpose", &typed.purpose),
            ("since", &typed.since),
            ("before", &before),
        ];
        address("/usage", pairs)
    });
    html! {
        p.prose { (frame.t(
            "Công dân chỉ hiện bằng bí danh. Muốn trả lời một công dân “ai đã tra cứu tôi”, đơn vị có quyền dùng lệnh hỏi theo số định danh, không dùng trang này. Mỗi lần mở trang này đều được ghi vào nhật ký thao tác.",
            "Citizens appear as pseudonyms only. To tell a citizen who looked at them, a participant entitled to do so asks by number; this page cannot. Each look at this page goes into the record of actions.")) }
        (form::told(frame, &data.faulty))
        (filter(frame, data))
        (layout::section(frame.t("Tổng hợp", "Summary"), summary(frame, &data.records)))
        (layout::section(frame.t("Từng bản ghi", "Each record"), records(frame, &data.records)))
        (layout::older(frame, next.as_deref()))
    }
}

fn filter(frame: &Frame, data: &Data) -> Markup {
    let (typed, faulty) = (&data.typed, &data.faulty);
    layout::filter(
        "/usage",
        html! {
            (Field::new("participant", frame.t("Mã đơn vị", "Participant"), &typed.participant)
                .hint(frame.t("Ví dụ: H56 hoặc G15", "Such as H56 or G15")).line(frame, faulty))
            (Field::new("purpose", frame.t("Mục đích", "Purpose"), &typed.purpose)
                .hint(frame.t("Mã, ví dụ CIVIL_STATUS", "Its code, such as CIVIL_STATUS")).line(frame, faulty))
            (Field::new("since", frame.t("Từ ngày", "From"), &typed.since).day(frame, faulty))
            (layout::actions(html! {
                (layout::button(Button::Main, frame.t("Lọc", "Filter")))
                (layout::link_button(Button::Quiet, "/usage", frame.t("Bỏ lọc", "Clear")))
            }))
        },
    )
}

/// Records of one purpose and participant.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    all: u64,
    refused: u64,
    failed: u64,
}

fn summary(frame: &Frame, records: &[UsageRow]) -> Markup {
    let mut sums = BTreeMap::<_, Sum>::new();
    for UsageRow { record, .. } in records {
        let key = (record.asker.participant.clone(), record.purpose.clone());
        let sum = sums.entry(key).or_default();
        sum.all += 1;
        sum.refused += u64::from(record.outcome == UsageOutcome::Refused);
        sum.failed += u64::from(record.outcome == UsageOutcome::Failed);
    }
    let row = |((participant, purpose), sum): (&(ParticipantId, PurposeCode), &Sum)| {
        let careful = |count: u64| {
            html! {
                @if count > 0 { (layout::badge(Tone::Warning, parts::number(frame, count))) } @else { "0" }
            }
        };
        vec![
            html! { (participant) },
            html! { (layout::code(purpose)) },
            parts::number(frame, sum.all),
            careful(sum.refused),
            careful(sum.failed),
        ]
    };
    let columns = [
        Column::text(frame.t("Đơn vị", "Participant")),
        Column::narrow(frame.t("Mục đích", "Purpose")),
        Column::number(frame.t("Bản ghi", "Records")),
        Column::number(frame.t("Từ chối", "Refused")),
        Column::number(frame.t("Không có trả lời", "No answer")),
    ];
    let rows = sums.iter().map(row).collect::<Vec<_>>();
    let count = format::number(frame.language, parts::count_of(records));
    let caption = frame.t(
        format!("Theo đơn vị và mục đích, trong {count} bản ghi dưới đây"),
        format!("By participant and purpose, over the {count} records below"),
    );
    layout::table(caption, &columns, &rows, nothing(frame))
}

fn records(frame: &Frame, records: &[UsageRow]) -> Markup {
    let row = |UsageRow { record, .. }: &UsageRow| {
        let (tone, outcome) = words::usage_outcome(frame, record.outcome);
        let asker = &record.asker;
        vec![
            html! { (layout::time(record.at)) },
            html! { (asker.participant) "/" (asker.system) },
            html! { (asker.official) },
            html! { (layout::code(&record.purpose)) },
            html! {
                (words::usage_kind(frame, record.kind))
                @if record.as_relative { " " span.fine { (frame.t("(là người liên quan)", "(as a relative)")) } }
            },
            html! {
                (layout::badge(tone, outcome))
                @if let Some(code) = record.reason { " " (layout::code(code.name())) }
            },
            html! {
                @match record.subject {
                    Some(subject) => (layout::code(subject.to_string().chars().take(PSEUDONYM_CHARS).collect::<String>())),
                    None => (parts::NONE),
                }
            },
            html! {
                @match &record.dossier { Some(code) => (parts::dossier(code)), None => (parts::NONE) }
            },
            html! { (words::fields(frame, record.shown)) },
        ]
    };
    let columns = [
        Column::narrow(frame.t("Lúc", "When")),
        Column::narrow(frame.t("Hệ thống", "System")),
        Column::text(frame.t("Cán bộ", "Official")),
        Column::narrow(frame.t("Mục đích", "Purpose")),
        Column::text(frame.t("Việc hỏi", "Asked")),
        Column::text(frame.t("Kết quả", "Outcome")),
        Column::narrow(frame.t("Bí danh công dân", "Citizen's pseudonym")),
        Column::narrow(frame.t("Hồ sơ", "Dossier")),
        Column::text(frame.t("Trường đã cho xem", "Fields shown")),
    ];
    let rows = records.iter().map(row).collect::<Vec<_>>();
    let caption = frame.t(
        "Bản ghi khai thác, mới nhất ở trên",
        "Usage records, the newest first",
    );
    layout::table(caption, &columns, &rows, nothing(frame))
}

fn nothing(frame: &Frame) -> &'static str {
    frame.t(
        "Không có bản ghi nào khớp: chưa ai hỏi về công dân với điều kiện này.",
        "No record matches: nobody has asked about a citizen under this condition.",
    )
}

#[cfg(test)]
mod tests {
    use lienthong_domain::identity::{Field as CitizenField, OfficialId, Pseudonym, UsageKind};
    use lienthong_domain::{DossierCode, ErrorCode, OperatorRole};
    use lienthong_ports::identity::{Asker, UsageDraft};

    use super::*;
    use crate::pages::sample::{self, HOSTILE, LANGUAGES, ago, has, is_harmless};

    fn record(id: i64, purpose: &str, outcome: UsageOutcome) -> UsageRow {
        let record = UsageDraft {
            at: ago(60),
            asker: Asker {
                participant: ParticipantId::parse("G15").unwrap(),
                system: HOSTILE.into(),
                official: OfficialId::parse("nguyenvana.tuphap").unwrap(),
            },
            subject: Some(Pseudonym([0xab; 16])),
            block: Some(Pseudonym([0xcd; 16])),
            purpose: PurposeCode::parse(purpose).unwrap(),
            dossier: Some(DossierCode::parse("H56.14-240823-0001").unwrap()),
            kind: UsageKind::Disclose,
            outcome,
            reason: (outcome == UsageOutcome::Refused).then_some(ErrorCode::GrantMissing),
            asked: [CitizenField::Sex].into_iter().collect(),
            shown: [CitizenField::PermanentResidence].into_iter().collect(),
            as_relative: false,
            request_id: "r-1".to_owned(),
        };
        UsageRow {
            id: UsageId(id),
            record,
        }
    }

    #[test]
    fn citizens_are_pseudonyms_and_records_are_summed_up() {
        let mut data = Data {
            typed: Typed::default(),
            faulty: Faulty::default(),
            records: vec![
                record(3, "CIVIL_STATUS", UsageOutcome::Disclosed),
                record(2, "CIVIL_STATUS", UsageOutcome::Refused),
                record(1, "LAND_2026", UsageOutcome::Matched),
            ],
            next: None,
        };
        for language in LANGUAGES {
            let frame = sample::frame(language, OperatorRole::Viewer);
            let html = view(&frame, &data).into_string();
            is_harmless(&html);
            let field = language.t("Nơi thường trú", "Permanent residence");
            has(
                &html,
                &[
                    field,
                    "<code>abababab</code>",
                    "GRANT_MISSING",
                    "nguyenvana.tuphap",
                ],
            );
            assert!(!html.contains("cdcd"), "the block is not for people");
        }
        data.typed.purpose = "LAND_2026".to_owned();
        data.keep_page(ITEMS_MAX);
        assert_eq!(data.records.len(), 1);
    }

    #[test]
    fn a_wrong_filter_is_told_beside_its_field() {
        let typed = Typed {
            participant: "Thanh Hóa".to_owned(),
            purpose: "hộ tịch".to_owned(),
            since: "2026-02-30".to_owned(),
        };
        let faults = typed.filter().expect_err("three faults");
        assert_eq!(faults.len(), 3);
    }
}
