//! The ten statuses of a dossier and which may follow which.
//!
//! Source: domain.md §1.4. The names are certain; the transitions are read from practice and the
//! national reports, so a participant may be set to be warned instead of refused.

use crate::code::numeric_code;

/// Status of a dossier (`TrangThaiHoSo`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DossierStatus {
    /// 1, mới đăng ký: filed online, nobody has looked at it.
    Registered,
    /// 2, được tiếp nhận; dossiers filed at the counter start here.
    Accepted,
    /// 3, không được tiếp nhận; the end.
    Rejected,
    /// 4, đang xử lý.
    Processing,
    /// 5, yêu cầu bổ sung giấy tờ.
    SupplementRequested,
    /// 6, yêu cầu thực hiện nghĩa vụ tài chính.
    PaymentRequested,
    /// 7, công dân yêu cầu rút hồ sơ; the end.
    Withdrawn,
    /// 8, dừng xử lý; the end.
    Stopped,
    /// 9, đã xử lý xong.
    Processed,
    /// 10, đã trả kết quả; the end.
    ResultReturned,
}

numeric_code!(DossierStatus in "TrangThaiHoSo" {
    Registered = 1,
    Accepted = 2,
    Rejected = 3,
    Processing = 4,
    SupplementRequested = 5,
    PaymentRequested = 6,
    Withdrawn = 7,
    Stopped = 8,
    Processed = 9,
    ResultReturned = 10,
});

impl DossierStatus {
    /// Official Vietnamese name.
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::Registered => "Mới đăng ký",
            Self::Accepted => "Được tiếp nhận",
            Self::Rejected => "Không được tiếp nhận",
            Self::Processing => "Đang xử lý",
            Self::SupplementRequested => "Yêu cầu bổ sung giấy tờ",
            Self::PaymentRequested => "Yêu cầu thực hiện nghĩa vụ tài chính",
            Self::Withdrawn => "Công dân yêu cầu rút hồ sơ",
            Self::Stopped => "Dừng xử lý",
            Self::Processed => "Đã xử lý xong",
            Self::ResultReturned => "Đã trả kết quả",
        }
    }

    /// English name.
    pub const fn name_en(self) -> &'static str {
        match self {
            Self::Registered => "Registered",
            Self::Accepted => "Accepted",
            Self::Rejected => "Rejected at intake",
            Self::Processing => "Processing",
            Self::SupplementRequested => "Supplement requested",
            Self::PaymentRequested => "Payment requested",
            Self::Withdrawn => "Withdrawn by citizen",
            Self::Stopped => "Stopped",
            Self::Processed => "Processed",
            Self::ResultReturned => "Result returned",
        }
    }

    /// Stable name for programs, `UPPER_SNAKE`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registered => "REGISTERED",
            Self::Accepted => "ACCEPTED",
            Self::Rejected => "REJECTED",
            Self::Processing => "PROCESSING",
            Self::SupplementRequested => "SUPPLEMENT_REQUESTED",
            Self::PaymentRequested => "PAYMENT_REQUESTED",
            Self::Withdrawn => "WITHDRAWN",
            Self::Stopped => "STOPPED",
            Self::Processed => "PROCESSED",
            Self::ResultReturned => "RESULT_RETURNED",
        }
    }

    /// Other statuses that may come next, by number; none after the end.
    ///
    /// Processed back to Processing is absent on purpose: it is a correction that needs an audit
    /// entry, not a step that a sender may take.
    pub const fn allowed_next(self) -> &'static [Self] {
        use DossierStatus::{
            Accepted, PaymentRequested, Processed, Processing, Registered, Rejected,
            ResultReturned, Stopped, SupplementRequested, Withdrawn,
        };
        match self {
            Registered => &[Accepted, Rejected, SupplementRequested, Withdrawn],
            Accepted => &[
                Processing,
                SupplementRequested,
                PaymentRequested,
                Withdrawn,
                Stopped,
                Processed,
            ],
            Processing => &[
                SupplementRequested,
                PaymentRequested,
                Withdrawn,
                Stopped,
                Processed,
            ],
            SupplementRequested => &[Accepted, Processing, Withdrawn, Stopped],
            PaymentRequested => &[Processing, Withdrawn, Stopped, Processed],
            Processed => &[ResultReturned],
            Rejected | Withdrawn | Stopped | ResultReturned => &[],
        }
    }

    /// Whether this status may come after `previous`. The same status again always may: it is a
    /// further progress line.
    pub fn may_follow(self, previous: Self) -> bool {
        self == previous || previous.allowed_next().contains(&self)
    }

    /// Whether no other status may come next.
    pub const fn is_terminal(self) -> bool {
        self.allowed_next().is_empty()
    }

    /// The line of the national report that counts dossiers of this status.
    pub const fn report_group(self) -> ReportGroup {
        match self {
            Self::Registered | Self::Rejected => ReportGroup::NotAccepted,
            Self::Accepted | Self::Processing => ReportGroup::InProgress,
            Self::SupplementRequested => ReportGroup::Supplement,
            Self::PaymentRequested | Self::Stopped => ReportGroup::Paused,
            Self::Withdrawn => ReportGroup::Withdrawn,
            Self::Processed | Self::ResultReturned => ReportGroup::Done,
        }
    }
}

/// Lines under which the national report counts dossiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportGroup {
    /// Registered or rejected.
    NotAccepted,
    /// Accepted or processing.
    InProgress,
    /// Waiting for papers.
    Supplement,
    /// Waiting for payment, or stopped.
    Paused,
    /// Withdrawn by the citizen.
    Withdrawn,
    /// Processed or returned.
    Done,
}

impl ReportGroup {
    /// Stable name for programs, `lower_snake`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotAccepted => "not_accepted",
            Self::InProgress => "in_progress",
            Self::Supplement => "supplement",
            Self::Paused => "paused",
            Self::Withdrawn => "withdrawn",
            Self::Done => "done",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Reason;

    /// `code,name_vi,name_en,enum_name,allowed_next,report_group`, as the project was given it.
    const TABLE: &str = include_str!("../data/dossier_statuses.csv");

    fn rows() -> Vec<csv::StringRecord> {
        csv::Reader::from_reader(TABLE.as_bytes())
            .records()
            .map(Result::unwrap)
            .collect()
    }

    #[test]
    fn every_cell_agrees_with_the_table() {
        let rows = rows();
        assert_eq!(rows.len(), 10);
        for (row, status) in rows.iter().zip(DossierStatus::ALL) {
            let next: Vec<_> = status
                .allowed_next()
                .iter()
                .map(|next| next.code().to_string())
                .collect();
            let cells = [
                &status.code().to_string(),
                status.name_vi(),
                status.name_en(),
                status.name(),
                &next.join(" "),
                status.report_group().name(),
            ];
            assert_eq!(row.iter().collect::<Vec<_>>(), cells);
        }
    }

    #[test]
    fn every_pair_is_decided_by_the_table_or_is_a_repetition() {
        for row in rows() {
            let previous = DossierStatus::from_code(row[0].parse().unwrap()).unwrap();
            for status in DossierStatus::ALL {
                let listed = row[4]
                    .split(' ')
                    .any(|code| code == status.code().to_string());
                let expected = listed || *status == previous;
                assert_eq!(
                    status.may_follow(previous),
                    expected,
                    "{previous:?} -> {status:?}"
                );
            }
            assert_eq!(previous.is_terminal(), row[4].is_empty());
        }
    }

    #[test]
    fn a_finished_dossier_is_not_reopened_silently() {
        assert!(!DossierStatus::Processing.may_follow(DossierStatus::Processed));
        assert!(DossierStatus::ResultReturned.may_follow(DossierStatus::ResultReturned));
    }

    #[test]
    fn numbers_outside_one_to_ten_are_refused() {
        for code in [i32::MIN, -1, 0, 11, i32::MAX] {
            let refused = Err(Reason::UnknownCode {
                what: "TrangThaiHoSo",
            });
            assert_eq!(DossierStatus::from_code(code), None);
            assert_eq!(DossierStatus::try_from(code), refused);
        }
        assert_eq!(
            serde_json::to_string(&DossierStatus::ResultReturned).unwrap(),
            "10"
        );
        assert!(serde_json::from_str::<DossierStatus>("0").is_err());
    }
}
