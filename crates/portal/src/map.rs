//! From our words to the portal's: pure functions that add nothing and, unless told to, cut nothing.

use std::collections::BTreeMap;

use lienthong_domain::details::{self, PrivateText};
use lienthong_domain::event::Progress;
use lienthong_domain::time::portal_from_timestamp;
use lienthong_domain::{
    DossierCode, DossierDetails, DossierStatus, ProcedureCode, Text, Timestamp,
};
use serde::Serialize;
use serde_json::Value;

use crate::wire;

/// Longest text by wire field, in characters.
pub(crate) type Cuts = BTreeMap<String, usize>;

/// The dossier as `DongBoHoSoMC` takes it.
pub(crate) fn dossier(
    code: &DossierCode,
    status: DossierStatus,
    details: &DossierDetails,
    cuts: &Cuts,
) -> Value {
    let d = details;
    let written = wire::Dossier {
        MaHoSo: code.as_str(),
        MaTTHC: d.procedure_code.as_ref().map(ProcedureCode::as_str),
        TenTTHC: text(d.procedure_name.as_ref()),
        MaLinhVuc: text(d.field_code.as_ref()),
        TenLinhVuc: text(d.field_name.as_ref()),
        KenhThucHien: d.channel.map(|channel| channel.code().to_string()),
        ChuHoSo: private(d.applicant_name.as_ref()),
        SoGiayToChuHoSo: private(d.applicant_document.as_ref()),
        LoaiDoiTuong: d.applicant_kind.map(|kind| kind.code().to_string()),
        MaDoiTuong: private(d.applicant_technical_id.as_ref()),
        DinhDanhCHS: list(d.identities.as_ref(), identity),
        Email: private(d.email.as_ref()),
        Fax: private(d.fax.as_ref()),
        SoDienThoai: private(d.phone.as_ref()),
        ThongTinKhac: private(d.other_information.as_ref()),
        GhiChu: private(d.remark.as_ref()),
        SoBienNhan: text(d.receipt_number.as_ref()),
        ThongTinTra: private(d.return_information.as_ref()),
        TrichYeuHoSo: private(d.summary.as_ref()),
        NgayNopHoSo: time(d.submitted_at),
        NgayTiepNhan: time(d.received_at),
        NgayHenTra: time(d.due_at),
        NgayKetThucXuLy: time(d.finished_at),
        NgayTra: time(d.returned_at),
        NgayTuChoi: time(d.refused_at),
        TrangThaiHoSo: status.code().to_string(),
        HinhThuc: d.return_method.map(|method| method.code().to_string()),
        DonViXuLy: text(d.handling_unit.as_ref()),
        NoiNopHoSo: text(d.filed_at_code.as_ref()),
        HoSoCoThanhPhanSoHoa: d.has_digitised_components.map(digit),
        TaiKhoanDuocXacThucVoiVNeID: d.identified_by_vneid.map(digit),
        DuocThanhToanTrucTuyen: d.online_payment.map(|payment| payment.code().to_string()),
        DSKetNoiCSDL: list(d.database_links.as_ref(), |link| wire::DatabaseLink {
            MaCSDL: link.as_str(),
        }),
        TaiLieuNop: list(d.submitted_documents.as_ref(), submitted_document),
        DanhSachLePhi: list(d.fees.as_ref(), fee),
        DanhSachTepDinhKemKhac: list(d.other_papers.as_ref(), other_paper),
        DanhSachHoSoBoSung: list(d.supplements.as_ref(), supplement),
        DanhSachGiayToKetQua: list(d.results.as_ref(), result_paper),
    };
    value(&written, cuts)
}

/// The progress line as `CapNhatTienDoHoSoMC` takes it.
pub(crate) fn progress_line(
    code: &DossierCode,
    status: DossierStatus,
    occurred_at: Timestamp,
    progress: &Progress,
    cuts: &Cuts,
) -> Value {
    let written = wire::ProgressLine {
        MaHoSo: code.as_str(),
        NguoiXuLy: progress.officer_name.expose().as_str(),
        ChucDanh: text(progress.officer_title.as_ref()),
        ThoiDiemXuLy: portal_from_timestamp(occurred_at),
        PhongBanXuLy: text(progress.unit_name.as_ref()),
        NoiDungXuLy: progress.note.expose().as_str(),
        TrangThai: status.code().to_string(),
        NgayBatDau: time(progress.started_at),
        NgayKetThucTheoQuyDinh: time(progress.due_at),
    };
    value(&written, cuts)
}

/// The flag of `isUpdating`, which is spelled out.
pub(crate) fn word(flag: bool) -> &'static str {
    if flag { "True" } else { "False" }
}

fn identity(from: &details::Identity) -> wire::Identity<'_> {
    wire::Identity {
        LoaiDinhDanh: from.kind.code().to_string(),
        SoDinhDanh: from.number.expose().as_str(),
    }
}

fn submitted_document(from: &details::SubmittedDocument) -> wire::SubmittedDocument<'_> {
    wire::SubmittedDocument {
        TepDinhKemId: text(from.id.as_ref()),
        TenTepDinhKem: private(from.name.as_ref()),
        IsDeleted: from.deleted.map(word),
        MaThanhPhanHoSo: text(from.component_code.as_ref()),
        DuongDanTaiTepTin: private(from.url.as_ref()),
        DuocSoHoa: from.digitised.map(digit),
        DuocTaiSuDung: from.reuse.map(|reuse| reuse.code().to_string()),
        DuocLayTuKhoDMQG: from.from_national_store.map(digit),
        MaKetQuaThayThe: text(from.replacing_result_code.as_ref()),
    }
}

fn fee(from: &details::Fee) -> wire::Fee<'_> {
    wire::Fee {
        TenPhiLePhi: text(from.name.as_ref()),
        MaPhiLePhi: text(from.code.as_ref()),
        HinhThucThu: text(from.collection_code.as_ref()),
        Gia: from.amount.map(|amount| amount.to_string()),
        LoaiPhiLePhi: text(from.kind_code.as_ref()),
    }
}

fn other_paper(from: &details::OtherPaper) -> wire::OtherPaper<'_> {
    wire::OtherPaper {
        TenGiayTo: private(from.name.as_ref()),
        SoLuong: from.count.map(|count| count.to_string()),
        LoaiGiayTo: text(from.kind_code.as_ref()),
    }
}

fn supplement(from: &details::Supplement) -> wire::Supplement<'_> {
    wire::Supplement {
        HoSoBoSungId: text(from.id.as_ref()),
        NguoiYeuCauBoSung: private(from.requested_by.as_ref()),
        NoiDungBoSung: private(from.content.as_ref()),
        NgayBoSung: time(from.requested_at),
        NguoiTiepNhanBoSung: private(from.received_by.as_ref()),
        ThongTinTiepNhan: private(from.receipt_information.as_ref()),
        NgayTiepNhanBoSung: time(from.received_at),
        TrangThaiBoSung: text(from.state_code.as_ref()),
        DanhSachGiayToBoSung: list(from.papers.as_ref(), other_paper),
        DanhSachLePhiBoSung: list(from.fees.as_ref(), fee),
        NgayHenTraTruoc: time(from.due_before),
        NgayHenTraMoi: time(from.due_after),
    }
}

fn result_paper(from: &details::ResultPaper) -> wire::ResultPaper<'_> {
    wire::ResultPaper {
        TenGiayTo: private(from.name.as_ref()),
        MaThanhPhanHoSo: text(from.component_code.as_ref()),
        GiayToId: text(from.id.as_ref()),
        DuongDanTepTinKetQua: private(from.url.as_ref()),
        MaGiayToKetQua: text(from.result_code.as_ref()),
    }
}

fn text<const MAX: usize>(from: Option<&Text<MAX>>) -> Option<&str> {
    from.map(Text::as_str)
}

fn private<const MAX: usize>(from: Option<&PrivateText<MAX>>) -> Option<&str> {
    from.map(|text| text.expose().as_str())
}

fn time(from: Option<Timestamp>) -> Option<String> {
    from.map(portal_from_timestamp)
}

fn digit(flag: bool) -> &'static str {
    if flag { "1" } else { "0" }
}

/// An empty list is kept: it says that there are none any more.
fn list<'a, T, W>(from: Option<&'a Vec<T>>, each: impl Fn(&'a T) -> W) -> Option<Vec<W>> {
    from.map(|items| items.iter().map(each).collect())
}

fn value(written: &impl Serialize, cuts: &Cuts) -> Value {
    let mut value = serde_json::to_value(written).expect("strings and lists always serialise");
    if !cuts.is_empty() {
        cut(&mut value, cuts);
    }
    value
}

/// Cuts the texts that the configuration names, wherever they stand; three levels at most.
fn cut(value: &mut Value, cuts: &Cuts) {
    match value {
        Value::Object(object) => {
            for (name, field) in object.iter_mut() {
                match (field, cuts.get(name)) {
                    (Value::String(text), Some(chars_max)) => {
                        if let Some((end, _)) = text.char_indices().nth(*chars_max) {
                            text.truncate(end);
                            tracing::warn!(field.name = %name, "a text was cut as configured");
                        }
                    }
                    (field, _) => cut(field, cuts),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| cut(item, cuts)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
pub(crate) mod tests;
