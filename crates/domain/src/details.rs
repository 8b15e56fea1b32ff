//! The details of a dossier, as far as known: what a province sends beside the status.
//!
//! Field meanings and bounds: the portal's dossier body `DongBoHoSoMC` as public client code writes
//! it. Every field may be absent; an event carries only what changed, and [`DossierDetails::merged_with`]
//! keeps the rest.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::channel::{
    ApplicantKind, Channel, IdentityDocumentKind, OnlinePayment, ReturnMethod, Reuse,
};
use crate::code::ProcedureCode;
use crate::fault::{Faults, Reason};
use crate::money::Vnd;
use crate::status::DossierStatus;
use crate::text::{Private, Text};

/// Most entries of any list in the details.
pub const LIST_ENTRIES_MAX: usize = 100;

/// Free text that may name people; never printed.
pub type PrivateText<const MAX: usize> = Private<Text<MAX>>;

/// Everything known of a dossier but its code and status. Times are instants; the portal's wall clock is +07.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DossierDetails {
    /// Procedure, `MaTTHC`.
    pub procedure_code: Option<ProcedureCode>,
    /// Its name, `TenTTHC`.
    pub procedure_name: Option<Text<1000>>,
    /// Field of administration, `MaLinhVuc`.
    pub field_code: Option<Text<50>>,
    /// Its name, `TenLinhVuc`.
    pub field_name: Option<Text<500>>,
    /// How it was filed, `KenhThucHien`.
    pub channel: Option<Channel>,
    /// Owner of the dossier, `ChuHoSo`.
    pub applicant_name: Option<PrivateText<250>>,
    /// The owner's document as written, `SoGiayToChuHoSo`.
    pub applicant_document: Option<PrivateText<50>>,
    /// `LoaiDoiTuong`.
    pub applicant_kind: Option<ApplicantKind>,
    /// The portal's own id of the owner, `MaDoiTuong`.
    pub applicant_technical_id: Option<PrivateText<100>>,
    /// Numbers of the owners, `DinhDanhCHS`.
    pub identities: Option<Vec<Identity>>,
    /// `Email`.
    pub email: Option<PrivateText<200>>,
    /// `Fax`.
    pub fax: Option<PrivateText<50>>,
    /// `SoDienThoai`.
    pub phone: Option<PrivateText<50>>,
    /// `TrichYeuHoSo`.
    pub summary: Option<PrivateText<1000>>,
    /// `ThongTinKhac`.
    pub other_information: Option<PrivateText<2000>>,
    /// `GhiChu`.
    pub remark: Option<PrivateText<2000>>,
    /// `SoBienNhan`.
    pub receipt_number: Option<Text<100>>,
    /// `ThongTinTra`.
    pub return_information: Option<PrivateText<2000>>,
    /// Filed, `NgayNopHoSo`.
    pub submitted_at: Option<Timestamp>,
    /// Accepted at the counter, `NgayTiepNhan`.
    pub received_at: Option<Timestamp>,
    /// Due, `NgayHenTra`.
    pub due_at: Option<Timestamp>,
    /// Processing ended, `NgayKetThucXuLy`; decides whether the dossier was on time.
    pub finished_at: Option<Timestamp>,
    /// Result handed over, `NgayTra`.
    pub returned_at: Option<Timestamp>,
    /// Refused, `NgayTuChoi`.
    pub refused_at: Option<Timestamp>,
    /// `HinhThuc`.
    pub return_method: Option<ReturnMethod>,
    /// `DonViXuLy`.
    pub handling_unit: Option<Text<500>>,
    /// Where it was filed, `NoiNopHoSo`: 1 portal, 2 province.
    pub filed_at_code: Option<Text<10>>,
    /// `HoSoCoThanhPhanSoHoa`.
    pub has_digitised_components: Option<bool>,
    /// `TaiKhoanDuocXacThucVoiVNeID`.
    pub identified_by_vneid: Option<bool>,
    /// `DuocThanhToanTrucTuyen`.
    pub online_payment: Option<OnlinePayment>,
    /// `DSKetNoiCSDL`, the codes `MaCSDL`.
    pub database_links: Option<Vec<Text<50>>>,
    /// `TaiLieuNop`.
    pub submitted_documents: Option<Vec<SubmittedDocument>>,
    /// `DanhSachLePhi`.
    pub fees: Option<Vec<Fee>>,
    /// `DanhSachTepDinhKemKhac`.
    pub other_papers: Option<Vec<OtherPaper>>,
    /// `DanhSachHoSoBoSung`.
    pub supplements: Option<Vec<Supplement>>,
    /// `DanhSachGiayToKetQua`.
    pub results: Option<Vec<ResultPaper>>,
}

/// `DinhDanhCHS[]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// `LoaiDinhDanh`.
    pub kind: IdentityDocumentKind,
    /// `SoDinhDanh`.
    pub number: PrivateText<12>,
}

/// `TaiLieuNop[]`.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmittedDocument {
    /// `TepDinhKemId`.
    pub id: Option<Text<100>>,
    /// `TenTepDinhKem`.
    pub name: Option<PrivateText<4000>>,
    /// `IsDeleted`.
    pub deleted: Option<bool>,
    /// `MaThanhPhanHoSo`.
    pub component_code: Option<Text<100>>,
    /// `DuongDanTaiTepTin`, an http or https address.
    pub url: Option<PrivateText<2000>>,
    /// `DuocSoHoa`.
    pub digitised: Option<bool>,
    /// `DuocTaiSuDung`.
    pub reuse: Option<Reuse>,
    /// `DuocLayTuKhoDMQG`.
    pub from_national_store: Option<bool>,
    /// `MaKetQuaThayThe`.
    pub replacing_result_code: Option<Text<100>>,
}

/// `DanhSachLePhi[]`.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fee {
    /// `TenPhiLePhi`.
    pub name: Option<Text<500>>,
    /// `MaPhiLePhi`.
    pub code: Option<Text<100>>,
    /// `HinhThucThu`.
    pub collection_code: Option<Text<10>>,
    /// `Gia`, whole đồng.
    pub amount: Option<Vnd>,
    /// `LoaiPhiLePhi`.
    pub kind_code: Option<Text<10>>,
}

/// `DanhSachTepDinhKemKhac[]`.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherPaper {
    /// `TenGiayTo`.
    pub name: Option<PrivateText<2000>>,
    /// `SoLuong`, 0 to 9999.
    pub count: Option<u16>,
    /// `LoaiGiayTo`.
    pub kind_code: Option<Text<10>>,
}

/// `DanhSachHoSoBoSung[]`.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supplement {
    /// `HoSoBoSungId`.
    pub id: Option<Text<100>>,
    /// `NguoiYeuCauBoSung`.
    pub requested_by: Option<PrivateText<250>>,
    /// `NoiDungBoSung`.
    pub content: Option<PrivateText<2000>>,
    /// `NgayBoSung`.
    pub requested_at: Option<Timestamp>,
    /// `NguoiTiepNhanBoSung`.
    pub received_by: Option<PrivateText<250>>,
    /// `ThongTinTiepNhan`.
    pub receipt_information: Option<PrivateText<2000>>,
    /// `NgayTiepNhanBoSung`.
    pub received_at: Option<Timestamp>,
    /// `TrangThaiBoSung`.
    pub state_code: Option<Text<10>>,
    /// `DanhSachGiayToBoSung`.
    pub papers: Option<Vec<OtherPaper>>,
    /// `DanhSachLePhiBoSung`.
    pub fees: Option<Vec<Fee>>,
    /// `NgayHenTraTruoc`.
    pub due_before: Option<Timestamp>,
    /// `NgayHenTraMoi`.
    pub due_after: Option<Timestamp>,
}

/// `DanhSachGiayToKetQua[]`.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultPaper {
    /// `TenGiayTo`.
    pub name: Option<PrivateText<2000>>,
    /// `MaThanhPhanHoSo`.
    pub component_code: Option<Text<100>>,
    /// `GiayToId`.
    pub id: Option<Text<100>>,
    /// `DuongDanTepTinKetQua`, an http or https address.
    pub url: Option<PrivateText<2000>>,
    /// `MaGiayToKetQua`.
    pub result_code: Option<Text<100>>,
}

/// Takes each named field from `$newer` where it is present there, else from `$older`. Naming every
/// field makes the compiler refuse a field that the merge forgets.
macro_rules! newest {
    ($older:ident, $newer:ident; $($field:ident),+ $(,)?) => {
        DossierDetails { $($field: $newer.$field.clone().or_else(|| $older.$field.clone())),+ }
    };
}

impl DossierDetails {
    /// These details with what `newer` says on top; a list that is present replaces the earlier list.
    #[must_use]
    pub fn merged_with(&self, newer: &Self) -> Self {
        newest!(self, newer;
            procedure_code, procedure_name, field_code, field_name, channel, applicant_name,
            applicant_document, applicant_kind, applicant_technical_id, identities, email, fax, phone,
            summary, other_information, remark, receipt_number, return_information, submitted_at,
            received_at, due_at, finished_at, returned_at, refused_at, return_method, handling_unit,
            filed_at_code, has_digitised_components, identified_by_vneid, online_payment,
            database_links, submitted_documents, fees, other_papers, supplements, results,
        )
    }

    /// What a dossier in `status` still lacks, one fault per field. `self` is the merged state.
    ///
    /// Source: the fields that the portal's clients mark as required, and the date rules of the
    /// status table (9 and 10 need the end of processing, 10 the hand-over, 3 the refusal).
    pub fn lacks_for(&self, status: DossierStatus) -> Faults {
        use DossierStatus as S;
        let before_receipt = matches!(status, S::Registered | S::Rejected);
        let processed = matches!(status, S::Processed | S::ResultReturned);
        let required = [
            (
                "details.procedure_code",
                true,
                self.procedure_code.is_some(),
            ),
            (
                "details.procedure_name",
                true,
                self.procedure_name.is_some(),
            ),
            ("details.field_code", true, self.field_code.is_some()),
            ("details.field_name", true, self.field_name.is_some()),
            (
                "details.applicant.kind",
                true,
                self.applicant_kind.is_some(),
            ),
            ("details.summary", true, self.summary.is_some()),
            ("details.return_method", true, self.return_method.is_some()),
            ("details.handling_unit", true, self.handling_unit.is_some()),
            (
                "details.received_at",
                !before_receipt,
                self.received_at.is_some(),
            ),
            ("details.finished_at", processed, self.finished_at.is_some()),
            (
                "details.returned_at",
                status == S::ResultReturned,
                self.returned_at.is_some(),
            ),
            (
                "details.refused_at",
                status == S::Rejected,
                self.refused_at.is_some(),
            ),
        ];
        let mut faults = Faults::default();
        for (field, _, _) in required
            .into_iter()
            .filter(|(_, needed, there)| *needed && !there)
        {
            faults.push(field, Reason::Missing);
        }
        faults
    }

    /// Faults in the dates: filed, accepted, processed and returned in this order, and none of the
    /// past ones after `latest`.
    pub fn date_faults(&self, latest: Timestamp) -> Faults {
        let steps = [
            ("details.submitted_at", self.submitted_at),
            ("details.received_at", self.received_at),
            ("details.finished_at", self.finished_at),
            ("details.returned_at", self.returned_at),
        ];
        let mut faults = Faults::default();
        let past = steps
            .iter()
            .chain(&[("details.refused_at", self.refused_at)])
            .copied()
            .collect::<Vec<_>>();
        for (field, at) in past {
            if at.is_some_and(|at| at > latest) {
                faults.push(field, Reason::InFuture);
            }
        }
        let known = steps
            .into_iter()
            .filter_map(|(field, at)| Some((field, at?)))
            .collect::<Vec<_>>();
        for pair in known.windows(2) {
            if pair[1].1 < pair[0].1 {
                faults.push(pair[1].0, Reason::BeforeOther { other: pair[0].0 });
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "the fields it fills are optional")]
    fn at(second: i64) -> Option<Timestamp> {
        Some(Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn newer_details_win_and_absent_ones_stay() {
        let older = DossierDetails {
            handling_unit: Some(Text::parse("UBND xã Ia Grai").unwrap()),
            due_at: at(100),
            fees: Some(vec![Fee::default(), Fee::default()]),
            ..DossierDetails::default()
        };
        let newer = DossierDetails {
            due_at: at(200),
            fees: Some(vec![]),
            ..DossierDetails::default()
        };
        let merged = older.merged_with(&newer);
        assert_eq!(merged.handling_unit, older.handling_unit);
        assert_eq!(merged.due_at, at(200));
        assert_eq!(merged.fees, Some(vec![]));
        assert_eq!(merged.merged_with(&DossierDetails::default()), merged);
    }

    #[test]
    fn each_status_names_all_it_lacks() {
        let empty = DossierDetails::default();
        assert_eq!(empty.lacks_for(DossierStatus::Registered).len(), 8);
        assert_eq!(empty.lacks_for(DossierStatus::Accepted).len(), 9);
        assert_eq!(empty.lacks_for(DossierStatus::Rejected).len(), 9);
        assert_eq!(empty.lacks_for(DossierStatus::Processed).len(), 10);
        assert_eq!(empty.lacks_for(DossierStatus::ResultReturned).len(), 11);
    }

    #[test]
    fn dates_run_in_order_and_not_ahead() {
        let details = DossierDetails {
            submitted_at: at(50),
            received_at: at(40),
            returned_at: at(30),
            due_at: at(9_000),
            ..DossierDetails::default()
        };
        assert_eq!(details.date_faults(at(45).unwrap()).len(), 3);
        let good = DossierDetails {
            submitted_at: at(1),
            returned_at: at(1),
            ..details
        };
        assert_eq!(good.date_faults(at(45).unwrap()).len(), 1);
    }

    #[test]
    fn debug_shows_no_person() {
        let details = DossierDetails {
            applicant_name: Some(Private::new(Text::parse("Nguyễn Thị Hoà").unwrap())),
            ..DossierDetails::default()
        };
        assert!(!format!("{details:?}").contains("Nguyễn"));
    }
}
