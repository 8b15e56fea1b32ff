//! The fields of a dossier and of a progress line: names, kinds, which are required.
//!
//! Source: fields that client code of provincial systems fills in, and those it marks required.

/// What a field may hold; every value is a JSON string, and an optional one may be empty.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Any text up to this many characters.
    Text(usize),
    /// A real time as `yyyyMMddHHmmss`.
    Time,
    /// `True`, `False`, `0` or `1`.
    Flag,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Old or new form of a dossier code.
    DossierCode,
    /// An array of objects with these fields.
    List(&'static [Field]),
    /// An array about whose items nothing is known.
    AnyList,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

const fn required(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: true,
    }
}

const fn optional(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: false,
    }
}

const STATUS: Kind = Kind::OneOf(&["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
const SHORT: Kind = Kind::Text(500);
const LONG: Kind = Kind::Text(4_000);

/// `DongBoHoSoMC.data[]`.
pub(crate) const DOSSIER: &[Field] = &[
    required("MaHoSo", Kind::DossierCode),
    required("MaTTHC", Kind::Text(50)),
    required("TenTTHC", LONG),
    required("MaLinhVuc", Kind::Text(50)),
    required("TenLinhVuc", SHORT),
    optional("KenhThucHien", Kind::OneOf(&["1", "2", "3"])),
    optional("ChuHoSo", SHORT),
    optional("SoGiayToChuHoSo", Kind::Text(50)),
    required("LoaiDoiTuong", Kind::OneOf(&["1", "2", "3", "4"])),
    optional("MaDoiTuong", SHORT),
    optional("DinhDanhCHS", Kind::List(IDENTITY)),
    optional("Email", SHORT),
    optional("Fax", SHORT),
    optional("SoDienThoai", SHORT),
    optional("ThongTinKhac", LONG),
    optional("GhiChu", LONG),
    optional("SoBienNhan", SHORT),
    optional("ThongTinTra", LONG),
    required("TrichYeuHoSo", Kind::Text(1_000)),
    optional("NgayNopHoSo", Kind::Time),
    optional("NgayTiepNhan", Kind::Time),
    optional("NgayHenTra", Kind::Time),
    optional("NgayKetThucXuLy", Kind::Time),
    optional("NgayTra", Kind::Time),
    optional("NgayTuChoi", Kind::Time),
    required("TrangThaiHoSo", STATUS),
    required("HinhThuc", Kind::OneOf(&["0", "1"])),
    required("DonViXuLy", SHORT),
    optional("NoiNopHoSo", Kind::OneOf(&["1", "2"])),
    optional("HoSoCoThanhPhanSoHoa", Kind::Flag),
    optional("TaiKhoanDuocXacThucVoiVNeID", Kind::Flag),
    optional("DuocThanhToanTrucTuyen", Kind::OneOf(&["0", "1", "2", "3"])),
    optional(
        "DSKetNoiCSDL",
        Kind::List(&[required("MaCSDL", Kind::Text(50))]),
    ),
    optional("TaiLieuNop", Kind::List(ATTACHMENT)),
    optional("DanhSachLePhi", Kind::List(FEE)),
    optional("DanhSachTepDinhKemKhac", Kind::List(OTHER_PAPER)),
    optional("DanhSachHoSoBoSung", Kind::List(SUPPLEMENT)),
    optional("DanhSachGiayToKetQua", Kind::List(RESULT)),
];

const IDENTITY: &[Field] = &[
    required("LoaiDinhDanh", Kind::OneOf(&["1", "2"])),
    required("SoDinhDanh", Kind::Text(20)),
];

const ATTACHMENT: &[Field] = &[
    optional("TepDinhKemId", SHORT),
    optional("TenTepDinhKem", LONG),
    optional("IsDeleted", Kind::Flag),
    optional("MaThanhPhanHoSo", SHORT),
    optional("DuongDanTaiTepTin", LONG),
    optional("DuocSoHoa", Kind::Flag),
    optional("DuocTaiSuDung", Kind::OneOf(&["0", "1", "2"])),
    optional("DuocLayTuKhoDMQG", Kind::Flag),
    optional("MaKetQuaThayThe", SHORT),
];

const FEE: &[Field] = &[
    optional("TenPhiLePhi", LONG),
    optional("MaPhiLePhi", SHORT),
    optional("HinhThucThu", Kind::Text(50)),
    optional("Gia", Kind::Text(20)),
    optional("LoaiPhiLePhi", Kind::OneOf(&["1", "2"])),
];

const OTHER_PAPER: &[Field] = &[
    optional("TenGiayTo", LONG),
    optional("SoLuong", Kind::Text(20)),
    optional("LoaiGiayTo", Kind::Text(50)),
];

const SUPPLEMENT: &[Field] = &[
    optional("HoSoBoSungId", SHORT),
    optional("NguoiYeuCauBoSung", SHORT),
    optional("NoiDungBoSung", LONG),
    optional("NgayBoSung", Kind::Time),
    optional("NguoiTiepNhanBoSung", SHORT),
    optional("ThongTinTiepNhan", LONG),
    optional("NgayTiepNhanBoSung", Kind::Time),
    optional("TrangThaiBoSung", Kind::Text(50)),
    optional("DanhSachGiayToBoSung", Kind::AnyList),
    optional("DanhSachLePhiBoSung", Kind::AnyList),
    optional("NgayHenTraTruoc", Kind::Time),
    optional("NgayHenTraMoi", Kind::Time),
];

const RESULT: &[Field] = &[
    optional("TenGiayTo", Kind::Text(2_000)),
    optional("MaThanhPhanHoSo", SHORT),
    optional("GiayToId", SHORT),
    optional("DuongDanTepTinKetQua", LONG),
    optional("MaGiayToKetQua", SHORT),
];

/// `CapNhatTienDoHoSoMC.data[]`.
pub(crate) const PROGRESS: &[Field] = &[
    required("MaHoSo", Kind::DossierCode),
    required("NguoiXuLy", Kind::Text(50)),
    optional("ChucDanh", SHORT),
    required("ThoiDiemXuLy", Kind::Time),
    optional("PhongBanXuLy", SHORT),
    required("NoiDungXuLy", LONG),
    required("TrangThai", STATUS),
    optional("NgayBatDau", Kind::Time),
    optional("NgayKetThucTheoQuyDinh", Kind::Time),
];

/// What every data call carries beside its own fields.
pub(crate) const ENVELOPE: &[Field] = &[
    required("session", Kind::Text(200)),
    required("madonvi", Kind::Text(50)),
    required("service", Kind::Text(50)),
];

/// `DongBoHoSoMC` beside the envelope and `data`.
pub(crate) const SYNC: &[Field] = &[required("isUpdating", Kind::Flag)];

/// `TraCuuHoSo` beside the envelope.
pub(crate) const FIND: &[Field] = &[required("mahoso", Kind::DossierCode)];

/// `mapi/login`.
pub(crate) const LOGIN: &[Field] = &[
    required("username", Kind::Text(100)),
    required("password", Kind::Text(200)),
];
