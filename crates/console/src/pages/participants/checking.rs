//! Would this question about a citizen be allowed, and why not? Nothing is asked and nothing is counted.

use axum::extract::{Query, State};
use axum::response::Response;
use lienthong_domain::identity::field::{Field as CitizenField, FieldSet};
use lienthong_domain::identity::{Mode, OfficialId, PurposeCode};
use lienthong_domain::participant::ParticipantId;
use lienthong_domain::{DossierCode, Faults, Reason};
use lienthong_identity::{Checked, GrantCheck};
use maud::{Markup, html};

use crate::Shared;
use crate::fault::PageError;
use crate::frame::{Frame, Tone};
use crate::layout::{self, Button};
use crate::pages::form::{self, Faulty, Field, optional};
use crate::pages::params::Params;
use crate::pages::words;

/// Longest name of a system, in characters.
const SYSTEM_CHARS_MAX: usize = 64;

pub(super) async fn show(
    State(console): State<Shared>,
    frame: Frame,
    Query(params): Query<Params>,
) -> Result<Response, PageError> {
    let identity = console.identity.as_ref().ok_or(PageError::NotFound)?;
    let purposes = console.services.registry();
    let purposes = purposes
        .purposes()
        .map(|purpose| (purpose.code.to_string(), purpose.name.clone()));
    let mut data = Data {
        typed: Typed::read(&params),
        purposes: purposes.collect(),
        faulty: Faulty::default(),
        checked: None,
    };
    // Without a participant the page was only opened.
    if params.has("participant") {
        match data.typed.question() {
            Ok(question) => {
                data.checked = Some(identity.check_grant(&frame.operator, &question).await?);
            }
            Err(faults) => data.faulty = Faulty::of(&faults),
        }
    }
    let title = frame.t("Kiểm tra một quyền", "Check a grant");
    let body = view(&frame, &data);
    Ok(layout::page_with(data.faulty.status(), &frame, title, body))
}

/// What the page shows.
struct Data {
    typed: Typed,
    /// Codes and names.
    purposes: Vec<(String, String)>,
    faulty: Faulty,
    checked: Option<Checked>,
}

/// A question as typed.
#[derive(Clone, Debug, Default)]
struct Typed {
    participant: String,
    system: String,
    official: String,
    purpose: String,
    mode: String,
    dossier: String,
    fields: Vec<String>,
}

impl Typed {
    fn read(params: &Params) -> Self {
        Self {
            participant: params.text("participant"),
            system: params.text("system"),
            official: params.text("official"),
            purpose: params.text("purpose"),
            mode: params.text("mode"),
            dossier: params.text("dossier"),
            fields: params.all("field").map(str::to_owned).collect(),
        }
    }

    fn question(&self) -> Result<GrantCheck, Faults> {
        let mut faults = Faults::new();
        let participant = faults.check("participant", ParticipantId::parse(&self.participant));
        let system = faults.check("system", system(&self.system));
        let purpose = faults.check("purpose", PurposeCode::parse(&self.purpose));
        let mode = Mode::from_name(&self.mode).ok_or(Reason::Missing);
        let mode = faults.check("mode", mode);
        let official = optional(&mut faults, "official", &self.official, |text| {
            OfficialId::parse(text)
        });
        let dossier = optional(&mut faults, "dossier", &self.dossier, |text| {
            DossierCode::parse(text)
        });
        let names = self.fields.iter();
        let fields = names
            .filter_map(|name| CitizenField::from_name(name))
            .collect::<FieldSet>();
        match (participant, system, purpose, mode) {
            (Some(participant), Some(system), Some(purpose), Some(mode)) if faults.is_empty() => {
                Ok(GrantCheck {
                    participant,
                    system: system.into(),
                    official,
                    purpose,
                    mode,
                    fields,
                    dossier,
                })
            }
            _ => Err(faults),
        }
    }
}

fn system(text: &str) -> Result<&str, Reason> {
    let actual = text.chars().count();
    match actual {
        0 => Err(Reason::Missing),
        1..=SYSTEM_CHARS_MAX => Ok(text),
        _ => {
            let max = SYSTEM_CHARS_MAX;
            Err(Reason::TooLong { max, actual })
        }
    }
}

fn view(frame: &Frame, data: &Data) -> Markup {
    html! {
        p.prose { (frame.t(
            "Trang này trả lời: nếu hệ thống đó hỏi ngay bây giờ thì có được phép không, và vì sao. Không hỏi cơ sở dữ liệu dân cư, không tính hạn mức, không ghi bản ghi khai thác.",
            "This page tells whether that system might ask right now, and why. The population database is not asked, no quota is used, no usage record is written.")) }
        (form::told(frame, &data.faulty))
        @if let Some(checked) = &data.checked { (answer(frame, checked)) }
        (question(frame, data))
    }
}

fn answer(frame: &Frame, checked: &Checked) -> Markup {
    let (tone, title) = match checked.result {
        Ok(_) => (Tone::Good, frame.t("Được phép", "It would be allowed")),
        Err(_) => (Tone::Bad, frame.t("Không được phép", "It would be refused")),
    };
    let body = html! {
        @match checked.result {
            Ok(fields) => p { (frame.t("Trường được dùng hoặc cho xem", "Fields used or shown")) ": " (words::fields(frame, fields)) },
            Err(code) => p { (frame.t(code.vi(), code.en())) " " (layout::code(code.name())) },
        }
        @if !checked.withheld.is_empty() {
            p { (frame.t("Trường không được cấp", "Fields not granted")) ": " (words::fields(frame, checked.withheld)) }
        }
        p { (frame.t("Đã xét lần lượt", "What was looked at, in order")) ":" }
        ol { @for step in &checked.steps { li lang="en" { (step) } } }
    };
    html! { h2 { (frame.t("Trả lời", "Answer")) } (layout::callout(tone, title, body)) }
}

fn question(frame: &Frame, data: &Data) -> Markup {
    let (typed, faulty) = (&data.typed, &data.faulty);
    let modes = Mode::ALL.map(|mode| (mode.name(), words::mode(frame, mode)));
    let choose = frame.t("Chọn", "Choose");
    let purposes = data.purposes.iter();
    let purposes = purposes.map(|(code, name)| (code.as_str(), format!("{code}: {name}")));
    let body = layout::filter(
        "/participants/check",
        html! {
            (Field::new("participant", frame.t("Mã đơn vị", "Participant"), &typed.participant)
                .hint(frame.t("Ví dụ: H56 hoặc G15", "Such as H56 or G15")).required().line(frame, faulty))
            (Field::new("system", frame.t("Hệ thống", "System"), &typed.system)
                .hint(frame.t("Tên trong chứng thư", "Its name in the certificate")).required().line(frame, faulty))
            (Field::new("purpose", frame.t("Mục đích", "Purpose"), &typed.purpose)
                .choice(frame, faulty, std::iter::once(("", choose.to_owned())).chain(purposes)))
            (Field::new("mode", frame.t("Việc hỏi", "What is asked"), &typed.mode)
                .choice(frame, faulty, std::iter::once(("", choose)).chain(modes)))
            (Field::new("official", frame.t("Cán bộ", "Official"), &typed.official)
                .hint(frame.t("Bỏ trống để xét cả hệ thống", "Empty for the system only")).line(frame, faulty))
            (Field::new("dossier", frame.t("Mã hồ sơ", "Dossier code"), &typed.dossier).line(frame, faulty))
            fieldset {
                legend { (frame.t("Trường dữ liệu", "Fields")) }
                @for field in CitizenField::ALL {
                    @let name = field.name();
                    label.tick {
                        input type="checkbox" name="field" value=(name) checked[typed.fields.iter().any(|ticked| ticked == name)];
                        span { (words::field(frame, field)) }
                    }
                }
            }
            (layout::actions(layout::button(Button::Main, frame.t("Kiểm tra", "Check"))))
        },
    );
    layout::section(frame.t("Câu hỏi", "Question"), body)
}
