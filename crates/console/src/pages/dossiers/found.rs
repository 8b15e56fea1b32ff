//! The search: by code, by agency, by what waits or is parked.

use http::StatusCode;
use lienthong_domain::{AgencyCode, DossierCode, Faults};
use lienthong_ports::store::{DossierFilter, DossierView};
use maud::{Markup, html};

use crate::Shared;
use crate::fault::PageError;
use crate::frame::{Frame, Tone};
use crate::layout::{self, Button, Column};
use crate::pages::form::{Faulty, Field};
use crate::pages::params::{Params, address};
use crate::pages::{parts, words};

/// Dossiers of one page.
const PAGE: usize = 50;

/// What was looked for and found.
pub(super) struct Found {
    pub(super) typed: String,
    /// `waiting`, `parked`, or empty for all.
    pub(super) only: String,
    pub(super) faulty: Faulty,
    /// The code is a dossier's, and there is no such dossier.
    pub(super) is_unknown: bool,
    pub(super) dossiers: Vec<DossierView>,
    pub(super) next: Option<DossierCode>,
}

impl Found {
    pub(super) async fn read(
        console: &Shared,
        frame: &Frame,
        params: &Params,
    ) -> Result<Self, PageError> {
        let typed = params.text("code");
        let mut found = Self {
            only: params.text("only"),
            faulty: Faulty::default(),
            is_unknown: DossierCode::parse(&typed).is_ok(),
            dossiers: Vec::new(),
            next: None,
            typed,
        };
        if found.is_unknown {
            return Ok(found);
        }
        let agency = match AgencyCode::parse(&found.typed) {
            _ if found.typed.is_empty() => None,
            Ok(agency) => Some(agency.to_string()),
            Err(_) => {
                // The fault of a dossier's code says more to people who look for one.
                if let Err(reason) = DossierCode::parse(&found.typed) {
                    found.faulty = Faulty::of(&Faults::one("code", reason));
                }
                return Ok(found);
            }
        };
        let filter = DossierFilter {
            agency_prefix: agency,
            only_waiting: found.only == "waiting",
            only_parked: found.only == "parked",
            ..DossierFilter::default()
        };
        let after = Some(params.text("after")).filter(|after| !after.is_empty());
        found.dossiers = console
            .services
            .any_dossiers(&frame.operator, filter, after, PAGE + 1)
            .await?;
        found.next = parts::cut(&mut found.dossiers, PAGE, |dossier| dossier.code.clone());
        Ok(found)
    }

    pub(super) fn status(&self) -> StatusCode {
        if self.is_unknown {
            StatusCode::NOT_FOUND
        } else {
            self.faulty.status()
        }
    }
}

pub(super) fn view(frame: &Frame, found: &Found) -> Markup {
    let hint = frame.t(
        "Mã hồ sơ, ví dụ H56.14-240823-0001; hoặc mã cơ quan, ví dụ H56 hay H56.14.",
        "A dossier code, such as H56.14-240823-0001; or an agency's code, such as H56 or H56.14.",
    );
    let only = [
        ("", frame.t("Tất cả", "All")),
        (
            "waiting",
            frame.t("Có trạng thái đang chờ", "With statuses that wait"),
        ),
        (
            "parked",
            frame.t("Có trạng thái tạm giữ", "With parked statuses"),
        ),
    ];
    html! {
        @if found.is_unknown {
            (layout::note(Tone::Warning, html! { (frame.t(
                format!("Không có hồ sơ {}. Đơn vị chưa gửi trạng thái nào của hồ sơ này, hoặc mã bị gõ sai.", found.typed),
                format!("There is no dossier {}. No status of it was ever sent here, or the code is mistyped.", found.typed))) }))
        }
        (layout::filter("/dossiers", html! {
            (Field::new("code", frame.t("Mã", "Code"), &found.typed).hint(hint).line(frame, &found.faulty))
            (Field::new("only", frame.t("Chỉ hồ sơ", "Only dossiers"), &found.only).choice(frame, &Faulty::default(), only))
            (layout::actions(layout::button(Button::Main, frame.t("Tìm", "Find"))))
        }))
        @if !found.is_unknown && found.faulty.is_empty() { (table(frame, found)) }
    }
}

fn table(frame: &Frame, found: &Found) -> Markup {
    let row = |dossier: &DossierView| {
        let waiting = dossier.lanes.iter().map(|lane| lane.waiting).sum::<u64>();
        let parked = dossier.lanes.iter().map(|lane| lane.parked).sum::<u64>();
        vec![
            parts::dossier(&dossier.code),
            html! { (words::status(frame, dossier.status)) },
            html! { (parts::place(&dossier.participant.root().to_string())) },
            parts::number(frame, waiting),
            html! {
                @if parked > 0 { (layout::badge(Tone::Bad, parts::number(frame, parked))) } @else { "0" }
            },
            parts::moment(frame, dossier.updated_at),
        ]
    };
    let columns = [
        Column::narrow(frame.t("Hồ sơ", "Dossier")),
        Column::text(frame.t("Trạng thái hiện tại", "Present status")),
        Column::text(frame.t("Đơn vị", "Participant")),
        Column::number(frame.t("Đang chờ", "Waiting")),
        Column::number(frame.t("Tạm giữ", "Parked")),
        Column::narrow(frame.t("Cập nhật", "Updated")),
    ];
    let rows = found.dossiers.iter().map(row).collect::<Vec<_>>();
    let empty = frame.t(
        "Không có hồ sơ nào khớp: chưa có trạng thái nào được tiếp nhận cho cơ quan hoặc điều kiện này.",
        "No dossier matches: no status was accepted for this agency or condition yet.",
    );
    let next = found.next.as_ref().map(|code| {
        let after = [
            ("code", found.typed.as_str()),
            ("only", &found.only),
            ("after", code.as_str()),
        ];
        address("/dossiers", after)
    });
    html! {
        (layout::table(frame.t("Hồ sơ, theo mã", "Dossiers, by code"), &columns, &rows, empty))
        (layout::older(frame, next.as_deref()))
    }
}
