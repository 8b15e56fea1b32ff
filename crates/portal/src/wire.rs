//! What is sent, exactly as it is written: every value a JSON string, absent fields left out.
//!
//! Source: public client code of provincial systems; field names are the portal's own.
#![expect(
    non_snake_case,
    reason = "a field here is the name on the wire, letter for letter"
)]

use serde::Serialize;
use serde_json::Value;
use serde_with::skip_serializing_none;

/// `mapi/login`.
#[derive(Serialize)]
pub(crate) struct Login<'a> {
    pub(crate) username: &'a str,
    pub(crate) password: &'a str,
}

/// Any other call: the envelope and what its service adds.
#[skip_serializing_none]
#[derive(Serialize)]
pub(crate) struct Call<'a> {
    pub(crate) session: &'a str,
    pub(crate) madonvi: &'a str,
    pub(crate) service: &'a str,
    /// `DongBoHoSoMC`: "True" or "False".
    pub(crate) isUpdating: Option<&'static str>,
    /// `TraCuuHoSo`: the dossier.
    pub(crate) mahoso: Option<&'a str>,
    /// One dossier or one progress line, so that the answer is about this one alone.
    pub(crate) data: Option<[&'a Value; 1]>,
}

/// `DongBoHoSoMC.data[]`.
#[skip_serializing_none]
#[derive(Serialize)]
pub(crate) struct Dossier<'a> {
    pub(crate) MaHoSo: &'a str,
    pub(crate) MaTTHC: Option<&'a str>,
    pub(crate) TenTTHC: Option<&'a str>,
    pub(crate) MaLinhVuc: Option<&'a str>,
    pub(crate) TenLinhVuc: Option<&'a str>,
    pub(crate) KenhThucHien: Option<String>,
    pub(crate) ChuHoSo: Option<&'a str>,
    pub(crate) SoGiayToChuHoSo: Option<&'a str>,
    pub(crate) LoaiDoiTuong: Option<String>,
    pub(crate) MaDoiTuong: Option<&'a str>,
    pub(crate) DinhDanhCHS: Option<Vec<Identity<'a>>>,
    pub(crate) Email: Option<&'a str>,
    pub(crate) Fax: Option<&'a str>,
    pub(crate) SoDienThoai: Option<&'a str>,
    pub(crate) ThongTinKhac: Option<&'a str>,
    pub(crate) GhiChu: Option<&'a str>,
    pub(crate) SoBienNhan: Option<&'a str>,
    pub(crate) ThongTinTra: Option<&'a str>,
    pub(crate) TrichYeuHoSo: Option<&'a str>,
    pub(crate) NgayNopHoSo: Option<String>,
    pub(crate) NgayTiepNhan: Option<String>,
    pub(crate) NgayHenTra: Option<String>,
    pub(crate) NgayKetThucXuLy: Option<String>,
    pub(crate) NgayTra: Option<String>,
    pub(crate) NgayTuChoi: Option<String>,
    pub(crate) TrangThaiHoSo: String,
    pub(crate) HinhThuc: Option<String>,
    pub(crate) DonViXuLy: Option<&'a str>,
    pub(crate) NoiNopHoSo: Option<&'a str>,
    pub(crate) HoSoCoThanhPhanSoHoa: Option<&'static str>,
    pub(crate) TaiKhoanDuocXacThucVoiVNeID: Option<&'static str>,
    pub(crate) DuocThanhToanTrucTuyen: Option<String>,
    pub(crate) DSKetNoiCSDL: Option<Vec<DatabaseLink<'a>>>,
    pub(crate) TaiLieuNop: Option<Vec<SubmittedDocument<'a>>>,
    pub(crate) DanhSachLePhi: Option<Vec<Fee<'a>>>,
    pub(crate) DanhSachTepDinhKemKhac: Option<Vec<OtherPaper<'a>>>,
    pub(crate) DanhSachHoSoBoSung: Option<Vec<Supplement<'a>>>,
    pub(crate) DanhSachGiayToKetQua: Option<Vec<ResultPaper<'a>>>,
}

/// `DinhDanhCHS[]`.
#[derive(Serialize)]
pub(crate) struct Identity<'a> {
    pub(crate) LoaiDinhDanh: String,
    pub(crate) SoDinhDanh: &'a str,
}

/// `DSKetNoiCSDL[]`.
#[derive(Serialize)]
pub(crate) struct DatabaseLink<'a> {
    pub(crate) MaCSDL: &'a str,
}

/// `TaiLieuNop[]`.
#[skip_serializing_none]
#[derive(Serialize)]
pub(crate) struct SubmittedDocument<'a> {
    pub(crate) TepDinhKemId: Option<&'a str>,
    pub(crate) TenTepDinhKem: Option<&'a str>,
    pub(crate) IsDeleted: Option<&'static str>,
    pub(crate) MaThanhPhanHoSo: Option<&'a str>,
    pub(crate) DuongDanTaiTepTin: Option<&'a str>,
    pub(crate) DuocSoHoa: Option<&'static str>,
    pub(crate) DuocTaiSuDung: Option<String>,
    pub(crate) DuocLayTuKhoDMQG: Option<&'static str>,
    pub(crate) MaKetQuaThayThe: Option<&'a str>,
}

/// `DanhSachLePhi[]` and `DanhSachLePhiBoSung[]`.
#[skip_serializing_none]
#[derive(Serialize)]
pub(crate) struct Fee<'a> {
    pub(crate) TenPhiLePhi: Option<&'a str>,
    pub(crate) MaPhiLePhi: Option<&'a str>,
    pub(crate) HinhThucThu: Option<&'a str>,
    pub(crate) Gia: Option<String>,
    pub(crate) LoaiPhiLePhi: Option<&'a str>,
}

/// `DanhSachTepDinhKemKhac[]` and `DanhSachGiayToBoSung[]`.
#[skip_serializing_none]
#[derive(Serialize)]
pub(crate) struct OtherPaper<'a> {
    pub(crate) TenGiayTo: Option<&'a str>,
    pub(crate) SoLuong: Option<String>,
    pub(crate) LoaiGiayTo: Option<&'a str>,
}

/// `DanhSachHoSoBoSung[]`.
#[skip_serializing_none]
#[derive(Serialize)]
pub(crate) struct Supplement<'a> {
    pub(crate) HoSoBoSungId: Option<&'a str>,
    pub(crate) NguoiYeuCauBoSung: Option<&'a str>,
    pub(crate) NoiDungBoSung: Option<&'a str>,
    pub(crate) NgayBoSung: Option<String>,
    pub(crate) NguoiTiepNhanBoSung: Option<&'a str>,
    pub(crate) ThongTinTiepNhan: Option<&'a str>,
    pub(crate) NgayTiepNhanBoSung: Option<String>,
    pub(crate) TrangThaiBoSung: Option<&'a str>,
    pub(crate) DanhSachGiayToBoSung: Option<Vec<OtherPaper<'a>>>,
    pub(crate) DanhSachLePhiBoSung: Option<Vec<Fee<'a>>>,
    pub(crate) NgayHenTraTruoc: Option<String>,
    pub(crate) NgayHenTraMoi: Option<String>,
}

/// `DanhSachGiayToKetQua[]`.
#[skip_serializing_none]
#[derive(Serialize)]
pub(crate) struct ResultPaper<'a> {
    pub(crate) TenGiayTo: Option<&'a str>,
    pub(crate) MaThanhPhanHoSo: Option<&'a str>,
    pub(crate) GiayToId: Option<&'a str>,
    pub(crate) DuongDanTepTinKetQua: Option<&'a str>,
    pub(crate) MaGiayToKetQua: Option<&'a str>,
}

/// `CapNhatTienDoHoSoMC.data[]`.
#[skip_serializing_none]
#[derive(Serialize)]
pub(crate) struct ProgressLine<'a> {
    pub(crate) MaHoSo: &'a str,
    pub(crate) NguoiXuLy: &'a str,
    pub(crate) ChucDanh: Option<&'a str>,
    pub(crate) ThoiDiemXuLy: String,
    pub(crate) PhongBanXuLy: Option<&'a str>,
    pub(crate) NoiDungXuLy: &'a str,
    pub(crate) TrangThai: String,
    pub(crate) NgayBatDau: Option<String>,
    pub(crate) NgayKetThucTheoQuyDinh: Option<String>,
}
