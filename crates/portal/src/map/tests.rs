use std::sync::Arc;

use lienthong_domain::channel::{
    ApplicantKind, Channel, IdentityDocumentKind, OnlinePayment, ReturnMethod, Reuse,
};
use lienthong_domain::details::{
    Fee, Identity, OtherPaper, ResultPaper, SubmittedDocument, Supplement,
};
use lienthong_domain::money::Vnd;
use lienthong_domain::time::local_from_portal;
use lienthong_domain::{Private, ProcedureCode};
use proptest::prelude::*;
use serde_json::json;

use super::*;

#[expect(
    clippy::unnecessary_wraps,
    reason = "nearly every field it fills is an Option"
)]
fn t<const MAX: usize>(text: &str) -> Option<Text<MAX>> {
    Some(Text::parse(text).unwrap())
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "nearly every field it fills is an Option"
)]
fn p<const MAX: usize>(text: &str) -> Option<PrivateText<MAX>> {
    Some(Private::new(Text::parse(text).unwrap()))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "nearly every field it fills is an Option"
)]
fn at(text: &str) -> Option<Timestamp> {
    Some(local_from_portal(text).unwrap())
}

fn code() -> DossierCode {
    DossierCode::parse("H21.227-250915-0007").unwrap()
}

/// A land dossier of a commune in Gia Lai with every field filled.
#[expect(clippy::too_many_lines, reason = "one line for each field there is")]
pub(crate) fn full() -> DossierDetails {
    DossierDetails {
        procedure_code: Some(ProcedureCode::parse("1.001193").unwrap()),
        procedure_name: t("Đăng ký khai sinh"),
        field_code: t("G15-HT02"),
        field_name: t("Hộ tịch"),
        channel: Some(Channel::Online),
        applicant_name: p("Nguyễn Thị Hoà"),
        applicant_document: p("064190000001"),
        applicant_kind: Some(ApplicantKind::Citizen),
        applicant_technical_id: p("c0ffee-01"),
        identities: Some(vec![Identity {
            kind: IdentityDocumentKind::CitizenNumber,
            number: p("064190000002").unwrap(),
        }]),
        email: p("hoa@example.vn"),
        fax: p("0269 3824 000"),
        phone: p("0905000001"),
        summary: p("Đăng ký khai sinh cho Lê Ánh"),
        other_information: p("Nộp thay"),
        remark: p("Ưu tiên"),
        receipt_number: t("BN-01"),
        return_information: p("Thôn 2, xã Vân Canh"),
        submitted_at: at("20250915000000"),
        received_at: at("20250915081500"),
        due_at: at("20250918170000"),
        finished_at: at("20250917100000"),
        returned_at: at("20250917143000"),
        refused_at: None,
        return_method: Some(ReturnMethod::Post),
        handling_unit: t("UBND xã Vân Canh"),
        filed_at_code: t("1"),
        has_digitised_components: Some(true),
        identified_by_vneid: Some(false),
        online_payment: Some(OnlinePayment::NationalPortal),
        database_links: Some(vec![Text::parse("7").unwrap()]),
        submitted_documents: Some(vec![SubmittedDocument {
            id: t("tep-1"),
            name: p("Giấy chứng sinh.pdf"),
            deleted: Some(false),
            component_code: t("TP01"),
            url: p("https://tep.gialai.example/1"),
            digitised: Some(true),
            reuse: Some(Reuse::Two),
            from_national_store: Some(false),
            replacing_result_code: t("KQ00"),
        }]),
        fees: Some(vec![Fee {
            name: t("Lệ phí hộ tịch"),
            code: t("LP01"),
            collection_code: t("1"),
            amount: Some(Vnd::new(8_000).unwrap()),
            kind_code: t("2"),
        }]),
        other_papers: Some(vec![OtherPaper {
            name: p("Sổ hộ khẩu (bản sao)"),
            count: Some(2),
            kind_code: t("0"),
        }]),
        supplements: Some(vec![Supplement {
            id: t("bs-1"),
            requested_by: p("Trần Văn Đức"),
            content: p("Bổ sung giấy chứng nhận kết hôn"),
            requested_at: at("20250915090000"),
            received_by: p("Phạm Thị Lý"),
            receipt_information: p("Đủ giấy tờ"),
            received_at: at("20250916080000"),
            state_code: t("1"),
            papers: Some(vec![OtherPaper {
                name: p("Giấy chứng nhận kết hôn"),
                ..OtherPaper::default()
            }]),
            fees: Some(vec![]),
            due_before: at("20250917170000"),
            due_after: at("20250918170000"),
        }]),
        results: Some(vec![ResultPaper {
            name: p("Giấy khai sinh"),
            component_code: t("KQ"),
            id: t("kq-1"),
            url: p("https://tep.gialai.example/kq-1"),
            result_code: t("KQ.G15.000001"),
        }]),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one line for each field there is")]
fn every_field_is_written_under_the_portals_name() {
    let written = dossier(
        &code(),
        DossierStatus::ResultReturned,
        &full(),
        &Cuts::new(),
    );
    let expected = json!({
        "MaHoSo": "H21.227-250915-0007",
        "MaTTHC": "1.001193",
        "TenTTHC": "Đăng ký khai sinh",
        "MaLinhVuc": "G15-HT02",
        "TenLinhVuc": "Hộ tịch",
        "KenhThucHien": "2",
        "ChuHoSo": "Nguyễn Thị Hoà",
        "SoGiayToChuHoSo": "064190000001",
        "LoaiDoiTuong": "1",
        "MaDoiTuong": "c0ffee-01",
        "DinhDanhCHS": [{ "LoaiDinhDanh": "1", "SoDinhDanh": "064190000002" }],
        "Email": "hoa@example.vn",
        "Fax": "0269 3824 000",
        "SoDienThoai": "0905000001",
        "ThongTinKhac": "Nộp thay",
        "GhiChu": "Ưu tiên",
        "SoBienNhan": "BN-01",
        "ThongTinTra": "Thôn 2, xã Vân Canh",
        "TrichYeuHoSo": "Đăng ký khai sinh cho Lê Ánh",
        "NgayNopHoSo": "20250915000000",
        "NgayTiepNhan": "20250915081500",
        "NgayHenTra": "20250918170000",
        "NgayKetThucXuLy": "20250917100000",
        "NgayTra": "20250917143000",
        "TrangThaiHoSo": "10",
        "HinhThuc": "1",
        "DonViXuLy": "UBND xã Vân Canh",
        "NoiNopHoSo": "1",
        "HoSoCoThanhPhanSoHoa": "1",
        "TaiKhoanDuocXacThucVoiVNeID": "0",
        "DuocThanhToanTrucTuyen": "1",
        "DSKetNoiCSDL": [{ "MaCSDL": "7" }],
        "TaiLieuNop": [{
            "TepDinhKemId": "tep-1",
            "TenTepDinhKem": "Giấy chứng sinh.pdf",
            "IsDeleted": "False",
            "MaThanhPhanHoSo": "TP01",
            "DuongDanTaiTepTin": "https://tep.gialai.example/1",
            "DuocSoHoa": "1",
            "DuocTaiSuDung": "2",
            "DuocLayTuKhoDMQG": "0",
            "MaKetQuaThayThe": "KQ00",
        }],
        "DanhSachLePhi": [{
            "TenPhiLePhi": "Lệ phí hộ tịch",
            "MaPhiLePhi": "LP01",
            "HinhThucThu": "1",
            "Gia": "8000",
            "LoaiPhiLePhi": "2",
        }],
        "DanhSachTepDinhKemKhac": [
            { "TenGiayTo": "Sổ hộ khẩu (bản sao)", "SoLuong": "2", "LoaiGiayTo": "0" },
        ],
        "DanhSachHoSoBoSung": [{
            "HoSoBoSungId": "bs-1",
            "NguoiYeuCauBoSung": "Trần Văn Đức",
            "NoiDungBoSung": "Bổ sung giấy chứng nhận kết hôn",
            "NgayBoSung": "20250915090000",
            "NguoiTiepNhanBoSung": "Phạm Thị Lý",
            "ThongTinTiepNhan": "Đủ giấy tờ",
            "NgayTiepNhanBoSung": "20250916080000",
            "TrangThaiBoSung": "1",
            "DanhSachGiayToBoSung": [{ "TenGiayTo": "Giấy chứng nhận kết hôn" }],
            "DanhSachLePhiBoSung": [],
            "NgayHenTraTruoc": "20250917170000",
            "NgayHenTraMoi": "20250918170000",
        }],
        "DanhSachGiayToKetQua": [{
            "TenGiayTo": "Giấy khai sinh",
            "MaThanhPhanHoSo": "KQ",
            "GiayToId": "kq-1",
            "DuongDanTepTinKetQua": "https://tep.gialai.example/kq-1",
            "MaGiayToKetQua": "KQ.G15.000001",
        }],
    });
    assert_eq!(written, expected);
}

#[test]
fn what_is_not_known_is_left_out_and_nothing_is_invented() {
    let old = DossierCode::parse("000.17.22.H56-210531-0001").unwrap();
    let written = dossier(
        &old,
        DossierStatus::Registered,
        &DossierDetails::default(),
        &Cuts::new(),
    );
    assert_eq!(
        written,
        json!({ "MaHoSo": "000.17.22.H56-210531-0001", "TrangThaiHoSo": "1" })
    );
    let refused = DossierDetails {
        refused_at: at("20210531170000"),
        ..DossierDetails::default()
    };
    let written = dossier(&old, DossierStatus::Rejected, &refused, &Cuts::new());
    assert_eq!(written["NgayTuChoi"], "20210531170000");
}

#[test]
fn an_emptied_list_is_told() {
    let details = DossierDetails {
        fees: Some(vec![]),
        ..DossierDetails::default()
    };
    let written = dossier(&code(), DossierStatus::Accepted, &details, &Cuts::new());
    assert_eq!(written["DanhSachLePhi"], json!([]));
}

#[test]
fn a_progress_line_is_written_whole() {
    let progress = Progress {
        officer_name: p("Trần Văn Đức").unwrap(),
        officer_title: t("Công chức tư pháp – hộ tịch"),
        unit_name: t("UBND xã Vân Canh"),
        note: p("Chuyển lãnh đạo ký").unwrap(),
        started_at: at("20250916075959"),
        due_at: at("20250918170000"),
    };
    let occurred_at = at("20250916080000").unwrap();
    let line = |progress: &Progress| {
        progress_line(
            &code(),
            DossierStatus::Processing,
            occurred_at,
            progress,
            &Cuts::new(),
        )
    };
    let expected = json!({
        "MaHoSo": "H21.227-250915-0007",
        "NguoiXuLy": "Trần Văn Đức",
        "ChucDanh": "Công chức tư pháp – hộ tịch",
        "ThoiDiemXuLy": "20250916080000",
        "PhongBanXuLy": "UBND xã Vân Canh",
        "NoiDungXuLy": "Chuyển lãnh đạo ký",
        "TrangThai": "4",
        "NgayBatDau": "20250916075959",
        "NgayKetThucTheoQuyDinh": "20250918170000",
    });
    assert_eq!(line(&progress), expected);
    let bare = Progress {
        officer_title: None,
        unit_name: None,
        started_at: None,
        due_at: None,
        ..progress
    };
    assert_eq!(line(&bare).as_object().unwrap().len(), 5);
}

#[test]
fn only_configured_texts_are_cut_and_by_letters() {
    let cuts = Cuts::from([("TrichYeuHoSo".to_owned(), 7), ("TenGiayTo".to_owned(), 4)]);
    let written = dossier(&code(), DossierStatus::ResultReturned, &full(), &cuts);
    assert_eq!(written["TrichYeuHoSo"], "Đăng ký");
    assert_eq!(written["DanhSachGiayToKetQua"][0]["TenGiayTo"], "Giấy");
    assert_eq!(
        written["DanhSachHoSoBoSung"][0]["DanhSachGiayToBoSung"][0]["TenGiayTo"],
        "Giấy"
    );
    let mut whole = dossier(
        &code(),
        DossierStatus::ResultReturned,
        &full(),
        &Cuts::new(),
    );
    assert_eq!(written["TenTTHC"], whole["TenTTHC"]);
    let long = Cuts::from([("TrichYeuHoSo".to_owned(), 28)]);
    let before = whole.clone();
    cut(&mut whole, &long);
    assert_eq!(whole, before, "a text of just the bound stays");
}

fn all_strings(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Array(items) => items.iter().all(all_strings),
        Value::Object(object) => object.values().all(all_strings),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

proptest! {
    #[test]
    fn every_value_is_a_string_for_every_status(
        status in prop::sample::select(DossierStatus::ALL),
        summary in "[a-zA-ZăâđêôơưạảấầẩẫậĐ0-9 ]{0,40}x",
        seconds in 631_126_800_i64..4_133_955_600,
    ) {
        let details = Arc::new(DossierDetails {
            summary: p(&summary),
            received_at: Some(Timestamp::from_second(seconds).unwrap()),
            ..full()
        });
        let written = dossier(&code(), status, &details, &Cuts::new());
        prop_assert!(all_strings(&written));
        let read = local_from_portal(written["NgayTiepNhan"].as_str().unwrap()).unwrap();
        prop_assert_eq!(read.as_second(), seconds);
    }
}
