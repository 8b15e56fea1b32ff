//! A progress line as `CapNhatTienDoHoSoMC` carries it, to an event that lacks only details and key.

use lienthong_domain::text::Text;
use lienthong_domain::time::local_from_portal;
use lienthong_proto::dossier::v1::{ProgressLine, StatusEvent};

use super::Item;
use super::dossier::{code, status};
use super::fields::Fields;
use crate::instant;

/// Keys that only a progress line has.
pub(super) const TELLING_KEYS: [&str; 4] =
    ["TrangThai", "ThoiDiemXuLy", "NguoiXuLy", "NoiDungXuLy"];

/// Reads one progress line; faults go to `fields`.
pub(super) fn read(fields: &mut Fields<'_>) -> Item {
    let officer = |raw: &str| Text::<50>::parse(raw).map(Text::into_string);
    let note = |raw: &str| Text::<2000>::parse_multiline(raw).map(Text::into_string);
    Item::Progress(StatusEvent {
        dossier_code: code(fields),
        status: status(fields, "TrangThai").into(),
        occurred_at: fields.required("ThoiDiemXuLy", |raw| {
            local_from_portal(raw).map(instant::to_wire)
        }),
        progress: Some(ProgressLine {
            officer_name: fields.required("NguoiXuLy", officer).unwrap_or_default(),
            officer_title: fields.text::<100>("ChucDanh").unwrap_or_default(),
            unit_name: fields.text::<500>("PhongBanXuLy").unwrap_or_default(),
            note: fields.required("NoiDungXuLy", note).unwrap_or_default(),
            started_at: fields.time("NgayBatDau"),
            due_at: fields.time("NgayKetThucTheoQuyDinh"),
        }),
        ..StatusEvent::default()
    })
}
