//! The judge over one fault at a time.

use axum::http::HeaderMap;
use serde_json::json;

use super::super::call::Door;
use super::*;

fn dossier() -> Value {
    json!({
        "MaHoSo": "H56.14-240823-0001", "MaTTHC": "1.001193", "TenTTHC": "Đăng ký khai sinh",
        "MaLinhVuc": "G15-HT", "TenLinhVuc": "Hộ tịch", "LoaiDoiTuong": "1",
        "TrichYeuHoSo": "Đăng ký khai sinh", "NgayTiepNhan": "20240823081500",
        "TrangThaiHoSo": "2", "HinhThuc": "0", "DonViXuLy": "UBND phường Hạc Thành",
        "ChuHoSo": "Nguyễn Thị Ánh",
    })
}

fn sync(dossier: &Value) -> Value {
    json!({
        "session": "s", "madonvi": "H56", "service": "DongBoHoSoMC", "isUpdating": "False",
        "data": [dossier],
    })
}

fn judged(body: &Value) -> Result<Order, Answer> {
    let call = Call::read(Door::Data, &HeaderMap::new(), body.to_string().as_bytes());
    judge(&call, false)
}

fn refusal(body: &Value) -> String {
    judged(body).expect_err("the body is wrong").message
}

#[test]
fn a_right_dossier_passes() {
    let order = judged(&sync(&dossier())).expect("the body is right");
    let Order::Sync {
        updating: false,
        dossiers,
    } = order
    else {
        panic!("not an insert")
    };
    let code = "H56.14-240823-0001".to_owned();
    assert_eq!(
        dossiers,
        [Item {
            dossier: code,
            status: 2,
            occurred: None
        }]
    );
}

#[test]
fn every_required_field_is_missed_by_name() {
    let required = DOSSIER
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name);
    let mut count = 0;
    for name in required {
        let mut without = dossier();
        without.as_object_mut().expect("an object").remove(name);
        assert_eq!(
            refusal(&sync(&without)),
            format!("Thiếu trường bắt buộc: {name}")
        );
        let mut blank = dossier();
        blank[name] = json!(" ");
        assert_eq!(
            refusal(&sync(&blank)),
            format!("Thiếu trường bắt buộc: {name}")
        );
        count += 1;
    }
    assert_eq!(count, 10, "the required column of the field table");
}

#[test]
fn values_that_are_not_strings_are_refused_by_name() {
    for value in [json!(2), json!(null), json!(true)] {
        let mut wrong = dossier();
        wrong["KenhThucHien"] = value;
        assert_eq!(
            refusal(&sync(&wrong)),
            "Giá trị phải là chuỗi ký tự: KenhThucHien"
        );
    }
    let mut deep = dossier();
    deep["DanhSachLePhi"] = json!([{"TenPhiLePhi": "Lệ phí", "Gia": 8000}]);
    assert_eq!(refusal(&sync(&deep)), "Giá trị phải là chuỗi ký tự: Gia");
    let mut envelope = sync(&dossier());
    envelope["isUpdating"] = json!(false);
    assert_eq!(
        refusal(&envelope),
        "Giá trị phải là chuỗi ký tự: isUpdating"
    );
}

#[test]
fn one_wrong_value_names_its_field() {
    let table = [
        ("MaHoSo", "H56-1"),
        ("TrangThaiHoSo", "11"),
        ("TrangThaiHoSo", "02"),
        ("LoaiDoiTuong", "5"),
        ("NgayTiepNhan", "2024-08-23"),
        ("NgayTra", "20240230080000"),
        ("HoSoCoThanhPhanSoHoa", "true"),
        ("TenHoSo", "một trường lạ"),
        ("TaiLieuNop", "không phải danh sách"),
    ];
    for (name, value) in table {
        let mut wrong = dossier();
        wrong[name] = json!(value);
        let message = refusal(&sync(&wrong));
        assert!(
            message.ends_with(&format!(": {name}")),
            "{name}={value}: {message}"
        );
    }
    let mut long = dossier();
    long["TrichYeuHoSo"] = json!("ệ".repeat(1_001));
    assert_eq!(
        refusal(&sync(&long)),
        "Giá trị dài quá 1000 ký tự: TrichYeuHoSo"
    );
    long["TrichYeuHoSo"] = json!("ệ".repeat(1_000));
    assert!(judged(&sync(&long)).is_ok());
}

#[test]
fn lists_and_envelope_are_judged_too() {
    let mut nested = dossier();
    nested["DinhDanhCHS"] = json!([{"LoaiDinhDanh": "3", "SoDinhDanh": "038190000001"}]);
    assert_eq!(
        refusal(&sync(&nested)),
        "Giá trị không hợp lệ: LoaiDinhDanh"
    );
    for data in [
        json!([]),
        json!({}),
        json!(["x"]),
        json!(vec![dossier(); ITEMS_MAX + 1]),
    ] {
        let mut body = sync(&dossier());
        body["data"] = data;
        assert_eq!(refusal(&body), "Giá trị không hợp lệ: data");
    }
    let mut anonymous = sync(&dossier());
    anonymous
        .as_object_mut()
        .expect("an object")
        .remove("madonvi");
    assert_eq!(refusal(&anonymous), "Thiếu trường bắt buộc: madonvi");
}

#[test]
fn a_progress_line_keeps_its_time() {
    let body = json!({
        "session": "s", "madonvi": "H56", "service": "CapNhatTienDoHoSoMC",
        "data": [{"MaHoSo": "000.17.22.H56-210531-0001", "NguoiXuLy": "Lê Văn Đức",
            "ThoiDiemXuLy": "20240823093000", "NoiDungXuLy": "Đang xử lý", "TrangThai": "4"}],
    });
    let Ok(Order::Progress { lines }) = judged(&body) else {
        panic!("the body is right")
    };
    assert_eq!(lines[0].status, 4);
    assert_eq!(
        lines[0].occurred.map(|time| time.to_string()),
        Some("20240823093000".to_owned())
    );
}

#[test]
fn dossier_codes_of_both_forms_pass_and_others_do_not() {
    for code in [
        "000.17.22.H56-210531-0001",
        "H56.14-240823-0001",
        "H21-250701-00001",
        "H21.09.12.3-250701-0001",
    ] {
        assert!(is_dossier_code(code), "{code}");
    }
    for code in [
        "",
        "-",
        "H56.14-240823-001",
        "H56.14-240823-000001",
        "h56.14-240823-0001",
        "H56.14-24082-0001",
        "H56.1.2.3.4-240823-0001",
        "000.17.H56-210531-0001",
        "H56.14-240823-0001-1",
        "H５６.14-240823-0001",
    ] {
        assert!(!is_dossier_code(code), "{code}");
    }
}

#[test]
fn the_acceptance_date_is_required_from_acceptance_on() {
    for status in 1..=10 {
        let mut undated = dossier();
        undated["TrangThaiHoSo"] = json!(status.to_string());
        undated.as_object_mut().unwrap().remove("NgayTiepNhan");
        let judged = judged(&sync(&undated));
        assert_eq!(judged.is_ok(), matches!(status, 1 | 3), "{status}");
    }
}
