//! Small code lists of the national portal that a dossier refers to. Source: domain.md §1.3.

use crate::code::numeric_code;

/// How the dossier was filed (`KenhThucHien`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// 1, trực tiếp: at the counter. The portal counts an absent channel as this one.
    Counter,
    /// 2, trực tuyến.
    Online,
    /// 3, bưu chính công ích.
    Post,
}

numeric_code!(Channel in "KenhThucHien" { Counter = 1, Online = 2, Post = 3 });

/// Who applies (`LoaiDoiTuong`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApplicantKind {
    /// 1, công dân.
    Citizen,
    /// 2, doanh nghiệp.
    Enterprise,
    /// 3, cơ quan nhà nước.
    StateAgency,
    /// 4, tổ chức khác.
    Organisation,
}

numeric_code!(ApplicantKind in "LoaiDoiTuong" {
    Citizen = 1,
    Enterprise = 2,
    StateAgency = 3,
    Organisation = 4,
});

/// How the result is handed over (`HinhThuc`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReturnMethod {
    /// 0, at the counter.
    Counter,
    /// 1, by post.
    Post,
}

numeric_code!(ReturnMethod in "HinhThuc" { Counter = 0, Post = 1 });

/// Whether and where fees were paid online (`DuocThanhToanTrucTuyen`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OnlinePayment {
    /// 0, nothing was paid.
    NotPaid,
    /// 1, on the national portal.
    NationalPortal,
    /// 2, on the ministry's or province's own gateway.
    LocalGateway,
    /// 3, in another way, offline included.
    Other,
}

numeric_code!(OnlinePayment in "DuocThanhToanTrucTuyen" {
    NotPaid = 0,
    NationalPortal = 1,
    LocalGateway = 2,
    Other = 3,
});

/// Which identity document a number belongs to (`LoaiDinhDanh`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityDocumentKind {
    /// 1, the citizen number of 12 digits.
    CitizenNumber,
    /// 2, the old identity card (CMND) of 9 digits.
    OldIdentityCard,
}

numeric_code!(IdentityDocumentKind in "LoaiDinhDanh" { CitizenNumber = 1, OldIdentityCard = 2 });

/// Whether a submitted paper was taken from an earlier one (`DuocTaiSuDung`).
///
/// Sources give the numbers 0 to 2 but not what tells 1 from 2; statistics count 1 as reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reuse {
    /// 0, submitted anew.
    No,
    /// 1, reused.
    Reused,
    /// 2, meaning not documented; passed on as it came.
    Two,
}

numeric_code!(Reuse in "DuocTaiSuDung" { No = 0, Reused = 1, Two = 2 });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Reason;

    #[test]
    fn numbers_are_the_official_ones() {
        assert_eq!(
            Channel::ALL
                .iter()
                .map(|value| value.code())
                .collect::<Vec<_>>(),
            [1, 2, 3]
        );
        assert_eq!(Channel::from_code(2), Some(Channel::Online));
        assert_eq!(
            ApplicantKind::from_code(3),
            Some(ApplicantKind::StateAgency)
        );
        assert_eq!(ReturnMethod::from_code(0), Some(ReturnMethod::Counter));
        assert_eq!(
            OnlinePayment::from_code(2),
            Some(OnlinePayment::LocalGateway)
        );
        assert_eq!(
            IdentityDocumentKind::from_code(2),
            Some(IdentityDocumentKind::OldIdentityCard)
        );
        assert_eq!(Reuse::from_code(1), Some(Reuse::Reused));
    }

    #[test]
    fn a_number_outside_its_list_is_refused_by_the_name_of_the_list() {
        fn refuses<T: TryFrom<i32, Error = Reason>>(list: &'static str, numbers: [i32; 2]) {
            for number in numbers {
                let reason = T::try_from(number).err();
                assert_eq!(reason, Some(Reason::UnknownCode { what: list }), "{number}");
            }
        }
        refuses::<Channel>("KenhThucHien", [0, 4]);
        refuses::<ApplicantKind>("LoaiDoiTuong", [0, 5]);
        refuses::<ReturnMethod>("HinhThuc", [-1, 2]);
        refuses::<OnlinePayment>("DuocThanhToanTrucTuyen", [-1, 4]);
        refuses::<IdentityDocumentKind>("LoaiDinhDanh", [0, 3]);
        refuses::<Reuse>("DuocTaiSuDung", [-1, 3]);
    }

    #[test]
    fn stored_as_the_number_and_checked_again() {
        for kind in ApplicantKind::ALL {
            let stored = serde_json::to_string(kind).unwrap();
            assert_eq!(stored, kind.code().to_string());
            assert_eq!(
                serde_json::from_str::<ApplicantKind>(&stored).unwrap(),
                *kind
            );
        }
        assert!(serde_json::from_str::<Channel>("9").is_err());
    }
}
