//! A whole dossier as `DongBoHoSoMC` carries it, to details and status.
//!
//! Source: the field table of the portal as public client code writes it (domain.md 1.3).

use lienthong_domain::code::{DossierCode, ProcedureCode};
use lienthong_domain::fault::Reason;
use lienthong_domain::money::Vnd;
use lienthong_domain::province::Province;
use lienthong_proto::dossier::v1::{
    Applicant, DatabaseLink, DatabaseLinkList, DossierDetails, DossierStatus, Fee, FeeList,
    Identity, IdentityList, OtherPaper, OtherPaperList, ResultPaper, ResultPaperList, StatusEvent,
    SubmittedDocument, SubmittedDocumentList, Supplement, SupplementList,
};
use prost_types::Timestamp;

use super::Item;
use super::fields::Fields;

/// Keys that only a dossier has: one of them tells a bare dossier from a bare progress line.
pub(super) const TELLING_KEYS: [&str; 7] = [
    "TrangThaiHoSo",
    "MaTTHC",
    "TenTTHC",
    "NgayTiepNhan",
    "NgayNopHoSo",
    "ChuHoSo",
    "TrichYeuHoSo",
];

/// Reads one dossier; faults go to `fields`.
pub(super) fn read(fields: &mut Fields<'_>) -> Item {
    let dossier_code = code(fields);
    let status = status(fields, "TrangThaiHoSo");
    let details = details(fields);
    let (time_field, occurred_at) = own_time(status, &details);
    check_order(fields, &details);
    Item::Dossier {
        event: StatusEvent {
            dossier_code,
            status: status.into(),
            occurred_at,
            details: Some(details),
            ..StatusEvent::default()
        },
        time_field,
        path: fields.path().to_owned(),
    }
}

/// The dossier code, required.
pub(super) fn code(fields: &mut Fields<'_>) -> String {
    let code = fields.required("MaHoSo", |raw| {
        let code = DossierCode::parse(raw)?;
        let root = code.agency().root();
        if root.is_province() && Province::by_root(root).is_none() {
            return Err(Reason::UnknownCode {
                what: "mã định danh tỉnh",
            });
        }
        Ok(code.as_str().to_owned())
    });
    code.unwrap_or_default()
}

/// A status, required; `UNSPECIFIED` after a fault.
pub(super) fn status(fields: &mut Fields<'_>, name: &'static str) -> DossierStatus {
    let found = fields.required(name, |_present| Ok(())).is_some();
    let code = if found { fields.choice(name, 1, 10) } else { 0 };
    DossierStatus::try_from(code).unwrap_or_default()
}

/// Which field of a dossier tells the time of its status, and the time there.
fn own_time(
    status: DossierStatus,
    details: &DossierDetails,
) -> (Option<&'static str>, Option<Timestamp>) {
    let last_request = || {
        let requests = details.supplements.iter().flat_map(|list| &list.items);
        requests
            .filter_map(|request| request.requested_at)
            .max_by_key(|at| at.seconds)
    };
    match status {
        DossierStatus::Registered => (Some("NgayNopHoSo"), details.submitted_at),
        DossierStatus::Accepted => (Some("NgayTiepNhan"), details.received_at),
        DossierStatus::Rejected => (Some("NgayTuChoi"), details.refused_at),
        DossierStatus::SupplementRequested => {
            (Some("DanhSachHoSoBoSung.NgayBoSung"), last_request())
        }
        DossierStatus::Processed => (Some("NgayKetThucXuLy"), details.finished_at),
        DossierStatus::ResultReturned => (Some("NgayTra"), details.returned_at),
        _ => (None, None),
    }
}

/// Filed, accepted, processed, handed over: in this order as far as they are there.
fn check_order(fields: &mut Fields<'_>, details: &DossierDetails) {
    let steps = [
        ("NgayNopHoSo", details.submitted_at),
        ("NgayTiepNhan", details.received_at),
        ("NgayKetThucXuLy", details.finished_at),
        ("NgayTra", details.returned_at),
    ];
    let known: Vec<_> = steps
        .into_iter()
        .filter_map(|(name, at)| Some((name, at?.seconds)))
        .collect();
    for pair in known.windows(2) {
        if pair[1].1 < pair[0].1 {
            fields.fault(pair[1].0, Reason::BeforeOther { other: pair[0].0 });
        }
    }
}

fn details(fields: &mut Fields<'_>) -> DossierDetails {
    DossierDetails {
        procedure_code: fields.parsed("MaTTHC", |raw| {
            ProcedureCode::parse(raw).map(|code| code.as_str().to_owned())
        }),
        procedure_name: fields.text::<1000>("TenTTHC"),
        field_code: fields.text::<50>("MaLinhVuc"),
        field_name: fields.text::<500>("TenLinhVuc"),
        channel: fields.choice("KenhThucHien", 1, 3),
        applicant: applicant(fields),
        summary: fields.lines::<1000>("TrichYeuHoSo"),
        other_information: fields.lines::<2000>("ThongTinKhac"),
        remark: fields.lines::<2000>("GhiChu"),
        receipt_number: fields.text::<100>("SoBienNhan"),
        return_information: fields.lines::<2000>("ThongTinTra"),
        submitted_at: fields.time("NgayNopHoSo"),
        received_at: fields.time("NgayTiepNhan"),
        due_at: fields.time("NgayHenTra"),
        finished_at: fields.time("NgayKetThucXuLy"),
        returned_at: fields.time("NgayTra"),
        refused_at: fields.time("NgayTuChoi"),
        return_method: fields.choice("HinhThuc", 0, 1),
        handling_unit: fields.text::<500>("DonViXuLy"),
        filed_at_code: fields.text::<10>("NoiNopHoSo"),
        has_digitised_components: fields.flag("HoSoCoThanhPhanSoHoa"),
        identified_by_vneid: fields.flag("TaiKhoanDuocXacThucVoiVNeID"),
        online_payment: fields.choice("DuocThanhToanTrucTuyen", 0, 3),
        database_links: fields
            .list("DSKetNoiCSDL", database_link)
            .map(|items| DatabaseLinkList { items }),
        submitted_documents: fields
            .list("TaiLieuNop", document)
            .map(|items| SubmittedDocumentList { items }),
        fees: fields
            .list("DanhSachLePhi", fee)
            .map(|items| FeeList { items }),
        other_papers: fields
            .list("DanhSachTepDinhKemKhac", other_paper)
            .map(|items| OtherPaperList { items }),
        supplements: fields
            .list("DanhSachHoSoBoSung", supplement)
            .map(|items| SupplementList { items }),
        results: fields
            .list("DanhSachGiayToKetQua", result_paper)
            .map(|items| ResultPaperList { items }),
    }
}

/// `None` when the dossier says nothing of its applicant.
fn applicant(fields: &mut Fields<'_>) -> Option<Applicant> {
    let applicant = Applicant {
        name: fields.text::<250>("ChuHoSo"),
        identity_document: fields.text::<50>("SoGiayToChuHoSo"),
        kind: fields.choice("LoaiDoiTuong", 1, 4),
        technical_id: fields.text::<100>("MaDoiTuong"),
        identities: fields
            .list("DinhDanhCHS", |entry| Identity {
                kind: entry.choice("LoaiDinhDanh", 1, 2),
                number: entry.text::<12>("SoDinhDanh").unwrap_or_default(),
            })
            .map(|items| IdentityList { items }),
        email: fields.text::<200>("Email"),
        fax: fields.text::<50>("Fax"),
        phone: fields.text::<50>("SoDienThoai"),
    };
    (applicant != Applicant::default()).then_some(applicant)
}

fn database_link(fields: &mut Fields<'_>) -> DatabaseLink {
    DatabaseLink {
        code: fields.text::<50>("MaCSDL").unwrap_or_default(),
    }
}

fn document(fields: &mut Fields<'_>) -> SubmittedDocument {
    SubmittedDocument {
        attachment_id: fields.text::<100>("TepDinhKemId").unwrap_or_default(),
        file_name: fields.text::<4000>("TenTepDinhKem").unwrap_or_default(),
        deleted: fields.flag("IsDeleted").unwrap_or_default(),
        component_code: fields.text::<100>("MaThanhPhanHoSo").unwrap_or_default(),
        file_url: fields.text::<2000>("DuongDanTaiTepTin").unwrap_or_default(),
        digitised: fields.flag("DuocSoHoa").unwrap_or_default(),
        reuse_code: fields.code("DuocTaiSuDung", 0, 2),
        from_national_store: fields.flag("DuocLayTuKhoDMQG").unwrap_or_default(),
        replacing_result_code: fields.text::<100>("MaKetQuaThayThe").unwrap_or_default(),
    }
}

fn fee(fields: &mut Fields<'_>) -> Fee {
    Fee {
        name: fields.text::<500>("TenPhiLePhi").unwrap_or_default(),
        code: fields.text::<100>("MaPhiLePhi").unwrap_or_default(),
        collection_code: fields.text::<10>("HinhThucThu").unwrap_or_default(),
        amount_vnd: fields
            .required("Gia", |raw| Vnd::parse(raw).map(Vnd::dong))
            .unwrap_or_default(),
        kind: fields.choice("LoaiPhiLePhi", 1, 2),
    }
}

fn other_paper(fields: &mut Fields<'_>) -> OtherPaper {
    OtherPaper {
        name: fields.text::<2000>("TenGiayTo").unwrap_or_default(),
        quantity: fields.count("SoLuong", 9999).unwrap_or_default(),
        kind_code: fields.text::<10>("LoaiGiayTo").unwrap_or_default(),
    }
}

fn supplement(fields: &mut Fields<'_>) -> Supplement {
    Supplement {
        supplement_id: fields.text::<100>("HoSoBoSungId").unwrap_or_default(),
        requested_by: fields.text::<250>("NguoiYeuCauBoSung").unwrap_or_default(),
        request: fields.lines::<2000>("NoiDungBoSung").unwrap_or_default(),
        requested_at: fields.time("NgayBoSung"),
        received_by: fields
            .text::<250>("NguoiTiepNhanBoSung")
            .unwrap_or_default(),
        receipt_information: fields.lines::<2000>("ThongTinTiepNhan").unwrap_or_default(),
        received_at: fields.time("NgayTiepNhanBoSung"),
        state_code: fields.text::<10>("TrangThaiBoSung").unwrap_or_default(),
        papers: fields
            .list("DanhSachGiayToBoSung", other_paper)
            .unwrap_or_default(),
        fees: fields.list("DanhSachLePhiBoSung", fee).unwrap_or_default(),
        due_before_at: fields.time("NgayHenTraTruoc"),
        due_after_at: fields.time("NgayHenTraMoi"),
    }
}

fn result_paper(fields: &mut Fields<'_>) -> ResultPaper {
    ResultPaper {
        name: fields.text::<2000>("TenGiayTo").unwrap_or_default(),
        component_code: fields.text::<100>("MaThanhPhanHoSo").unwrap_or_default(),
        paper_id: fields.text::<100>("GiayToId").unwrap_or_default(),
        file_url: fields
            .text::<2000>("DuongDanTepTinKetQua")
            .unwrap_or_default(),
        result_code: fields.text::<100>("MaGiayToKetQua").unwrap_or_default(),
    }
}
