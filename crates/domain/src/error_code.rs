//! The public vocabulary of errors: stable names that callers may program against.
//!
//! Each has a page in `error_codes.md`; a test keeps both together and `lienthong explain` prints it.

use std::fmt;
use std::str::FromStr;

/// Who has to act on an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nobody: the caller reads it and goes on.
    Info,
    /// The caller's people.
    Warning,
    /// The gateway's operators.
    Error,
}

/// A public error code; its name is the `reason` of gRPC's `ErrorInfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each code has a page in error_codes.md")]
pub enum ErrorCode {
    InvalidFields,
    DossierTransitionRefused,
    DossierDetailsIncomplete,
    IdempotencyKeyReused,
    AgencyNotGranted,
    ParticipantUnknown,
    ParticipantSuspended,
    CertificateNotPinned,
    NotOperator,
    RateExceeded,
    IntakeFull,
    StoreUnavailable,
    StoreFull,
    DossierNotFound,
    DossierStillOpen,
    PageTokenInvalid,
    DestinationUnknown,
    TooManyDeliveries,
    DeadlineTooShort,
    MessageTooLarge,
    DeliveryRejected,
    DeliveryExhausted,
    DeliveryCrashSuspect,
    DeliveryDeadLettered,
    GrantMissing,
    GrantNotValid,
    ModeNotGranted,
    FieldsNotGranted,
    DossierNotHeld,
    DossierClosed,
    ProcedureNotGranted,
    QuotaExceeded,
    SubjectLocked,
    GuardApprovalNeeded,
    GuardBlocked,
    CitizenNotFound,
    PopulationUnavailable,
    PopulationBusy,
    PopulationBadAnswer,
    PopulationRefused,
    JobNotFound,
    JobStateRefused,
    JobTooLarge,
    JobMissesTooMany,
    JobItemFaulty,
    NotApprover,
    SecondPersonNeeded,
    OperationNotFound,
    OperationEnded,
    OperationKeyReused,
    Draining,
    Internal,
}

/// The domain of gRPC's `ErrorInfo`.
pub const ERROR_DOMAIN: &str = "lienthong";

/// The pages for people: one section per code.
pub const PAGES: &str = include_str!("../error_codes.md");

impl ErrorCode {
    /// Every code.
    pub const ALL: &'static [Self] = &[
        Self::InvalidFields,
        Self::DossierTransitionRefused,
        Self::DossierDetailsIncomplete,
        Self::IdempotencyKeyReused,
        Self::AgencyNotGranted,
        Self::ParticipantUnknown,
        Self::ParticipantSuspended,
        Self::CertificateNotPinned,
        Self::NotOperator,
        Self::RateExceeded,
        Self::IntakeFull,
        Self::StoreUnavailable,
        Self::StoreFull,
        Self::DossierNotFound,
        Self::DossierStillOpen,
        Self::PageTokenInvalid,
        Self::DestinationUnknown,
        Self::TooManyDeliveries,
        Self::DeadlineTooShort,
        Self::MessageTooLarge,
        Self::DeliveryRejected,
        Self::DeliveryExhausted,
        Self::DeliveryCrashSuspect,
        Self::DeliveryDeadLettered,
        Self::GrantMissing,
        Self::GrantNotValid,
        Self::ModeNotGranted,
        Self::FieldsNotGranted,
        Self::DossierNotHeld,
        Self::DossierClosed,
        Self::ProcedureNotGranted,
        Self::QuotaExceeded,
        Self::SubjectLocked,
        Self::GuardApprovalNeeded,
        Self::GuardBlocked,
        Self::CitizenNotFound,
        Self::PopulationUnavailable,
        Self::PopulationBusy,
        Self::PopulationBadAnswer,
        Self::PopulationRefused,
        Self::JobNotFound,
        Self::JobStateRefused,
        Self::JobTooLarge,
        Self::JobMissesTooMany,
        Self::JobItemFaulty,
        Self::NotApprover,
        Self::SecondPersonNeeded,
        Self::OperationNotFound,
        Self::OperationEnded,
        Self::OperationKeyReused,
        Self::Draining,
        Self::Internal,
    ];

    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidFields => "INVALID_FIELDS",
            Self::DossierTransitionRefused => "DOSSIER_TRANSITION_REFUSED",
            Self::DossierDetailsIncomplete => "DOSSIER_DETAILS_INCOMPLETE",
            Self::IdempotencyKeyReused => "IDEMPOTENCY_KEY_REUSED",
            Self::AgencyNotGranted => "AGENCY_NOT_GRANTED",
            Self::ParticipantUnknown => "PARTICIPANT_UNKNOWN",
            Self::ParticipantSuspended => "PARTICIPANT_SUSPENDED",
            Self::CertificateNotPinned => "CERTIFICATE_NOT_PINNED",
            Self::NotOperator => "NOT_OPERATOR",
            Self::RateExceeded => "RATE_EXCEEDED",
            Self::IntakeFull => "INTAKE_FULL",
            Self::StoreUnavailable => "STORE_UNAVAILABLE",
            Self::StoreFull => "STORE_FULL",
            Self::DossierNotFound => "DOSSIER_NOT_FOUND",
            Self::DossierStillOpen => "DOSSIER_STILL_OPEN",
            Self::PageTokenInvalid => "PAGE_TOKEN_INVALID",
            Self::DestinationUnknown => "DESTINATION_UNKNOWN",
            Self::TooManyDeliveries => "TOO_MANY_DELIVERIES",
            Self::DeadlineTooShort => "DEADLINE_TOO_SHORT",
            Self::MessageTooLarge => "MESSAGE_TOO_LARGE",
            Self::DeliveryRejected => "DELIVERY_REJECTED",
            Self::DeliveryExhausted => "DELIVERY_EXHAUSTED",
            Self::DeliveryCrashSuspect => "DELIVERY_CRASH_SUSPECT",
            Self::DeliveryDeadLettered => "DELIVERY_DEAD_LETTERED",
            Self::GrantMissing => "GRANT_MISSING",
            Self::GrantNotValid => "GRANT_NOT_VALID",
            Self::ModeNotGranted => "MODE_NOT_GRANTED",
            Self::FieldsNotGranted => "FIELDS_NOT_GRANTED",
            Self::DossierNotHeld => "DOSSIER_NOT_HELD",
            Self::DossierClosed => "DOSSIER_CLOSED",
            Self::ProcedureNotGranted => "PROCEDURE_NOT_GRANTED",
            Self::QuotaExceeded => "QUOTA_EXCEEDED",
            Self::SubjectLocked => "SUBJECT_LOCKED",
            Self::GuardApprovalNeeded => "GUARD_APPROVAL_NEEDED",
            Self::GuardBlocked => "GUARD_BLOCKED",
            Self::CitizenNotFound => "CITIZEN_NOT_FOUND",
            Self::PopulationUnavailable => "POPULATION_UNAVAILABLE",
            Self::PopulationBusy => "POPULATION_BUSY",
            Self::PopulationBadAnswer => "POPULATION_BAD_ANSWER",
            Self::PopulationRefused => "POPULATION_REFUSED",
            Self::JobNotFound => "JOB_NOT_FOUND",
            Self::JobStateRefused => "JOB_STATE_REFUSED",
            Self::JobTooLarge => "JOB_TOO_LARGE",
            Self::JobMissesTooMany => "JOB_MISSES_TOO_MANY",
            Self::JobItemFaulty => "JOB_ITEM_FAULTY",
            Self::NotApprover => "NOT_APPROVER",
            Self::SecondPersonNeeded => "SECOND_PERSON_NEEDED",
            Self::OperationNotFound => "OPERATION_NOT_FOUND",
            Self::OperationEnded => "OPERATION_ENDED",
            Self::OperationKeyReused => "OPERATION_KEY_REUSED",
            Self::Draining => "DRAINING",
            Self::Internal => "INTERNAL",
        }
    }

    /// Who has to act.
    pub fn severity(self) -> Severity {
        match self {
            Self::RateExceeded
            | Self::DossierNotFound
            | Self::DossierStillOpen
            | Self::PageTokenInvalid
            | Self::DestinationUnknown
            | Self::TooManyDeliveries
            | Self::DeadlineTooShort
            | Self::CitizenNotFound
            | Self::JobNotFound
            | Self::JobStateRefused
            | Self::OperationNotFound
            | Self::OperationEnded
            | Self::Draining => Severity::Info,
            Self::InvalidFields
            | Self::DossierTransitionRefused
            | Self::DossierDetailsIncomplete
            | Self::IdempotencyKeyReused
            | Self::AgencyNotGranted
            | Self::ParticipantUnknown
            | Self::ParticipantSuspended
            | Self::CertificateNotPinned
            | Self::NotOperator
            | Self::NotApprover
            | Self::SecondPersonNeeded
            | Self::OperationKeyReused
            | Self::IntakeFull
            | Self::MessageTooLarge
            | Self::GrantMissing
            | Self::GrantNotValid
            | Self::ModeNotGranted
            | Self::FieldsNotGranted
            | Self::DossierNotHeld
            | Self::DossierClosed
            | Self::ProcedureNotGranted
            | Self::QuotaExceeded
            | Self::SubjectLocked
            | Self::PopulationBusy
            | Self::JobTooLarge
            | Self::JobItemFaulty => Severity::Warning,
            Self::StoreUnavailable
            | Self::StoreFull
            | Self::DeliveryRejected
            | Self::DeliveryExhausted
            | Self::DeliveryCrashSuspect
            | Self::DeliveryDeadLettered
            | Self::GuardApprovalNeeded
            | Self::GuardBlocked
            | Self::PopulationUnavailable
            | Self::PopulationBadAnswer
            | Self::PopulationRefused
            | Self::JobMissesTooMany
            | Self::Internal => Severity::Error,
        }
    }

    /// The public sentence in Vietnamese.
    pub fn vi(self) -> &'static str {
        match self {
            Self::InvalidFields => {
                "Dữ liệu gửi lên có trường không hợp lệ; xem danh sách lỗi kèm theo."
            }
            Self::DossierTransitionRefused => "Không được chuyển trạng thái hồ sơ như vậy.",
            Self::DossierDetailsIncomplete => {
                "Hồ sơ còn thiếu hoặc sai thông tin bắt buộc cho trạng thái này."
            }
            Self::IdempotencyKeyReused => "Khóa chống trùng đã dùng cho nội dung khác.",
            Self::AgencyNotGranted => "Đơn vị không được gửi hoặc xem hồ sơ của cơ quan này.",
            Self::ParticipantUnknown => "Chứng thư số không thuộc đơn vị nào đã đăng ký.",
            Self::ParticipantSuspended => "Đơn vị đang bị tạm ngừng kết nối.",
            Self::CertificateNotPinned => {
                "Khóa của chứng thư số không nằm trong danh sách đã ghim."
            }
            Self::NotOperator => "Chức năng này chỉ dành cho người vận hành trục liên thông.",
            Self::RateExceeded => "Gửi quá nhanh; hãy gửi lại sau thời gian nêu trong RetryInfo.",
            Self::IntakeFull => "Trục liên thông đang quá tải; hãy gửi lại sau.",
            Self::StoreUnavailable => {
                "Kho dữ liệu tạm thời không dùng được; hãy gửi lại với cùng khóa."
            }
            Self::StoreFull => "Ổ đĩa của trục liên thông sắp đầy; tạm ngừng tiếp nhận.",
            Self::DossierNotFound => "Không tìm thấy hồ sơ.",
            Self::DossierStillOpen => "Hồ sơ còn lượt gửi chưa kết thúc.",
            Self::PageTokenInvalid => "Mã trang hoặc con trỏ không hợp lệ.",
            Self::DestinationUnknown => "Không có nơi nhận này trong cấu hình.",
            Self::TooManyDeliveries => "Quá nhiều lượt gửi trong một lệnh.",
            Self::DeadlineTooShort => "Thời hạn còn lại quá ngắn.",
            Self::MessageTooLarge => "Bản tin vượt quá kích thước cho phép.",
            Self::DeliveryRejected => "Nơi nhận từ chối trạng thái này.",
            Self::DeliveryExhausted => "Đã thử lại hết lịch mà chưa gửi được.",
            Self::DeliveryCrashSuspect => "Lượt gửi làm tiến trình xử lý dừng ba lần.",
            Self::DeliveryDeadLettered => "Hàng đợi đã trả lại lượt gửi nhiều lần.",
            Self::GrantMissing => "Hệ thống không được cấp quyền hỏi cho mục đích này.",
            Self::GrantNotValid => "Quyền hỏi cho mục đích này chưa có hiệu lực hoặc đã hết hạn.",
            Self::ModeNotGranted => "Quyền được cấp không cho phép hỏi theo cách này.",
            Self::FieldsNotGranted => "Có trường thông tin không được cấp quyền.",
            Self::DossierNotHeld => "Cần nêu một hồ sơ mà đơn vị đang giữ trên trục liên thông.",
            Self::DossierClosed => "Hồ sơ đã kết thúc, không được hỏi thêm cho hồ sơ này.",
            Self::ProcedureNotGranted => {
                "Thủ tục của hồ sơ không nằm trong mục đích được cấp quyền."
            }
            Self::QuotaExceeded => "Đã vượt hạn mức tra cứu; xem QuotaFailure và RetryInfo.",
            Self::SubjectLocked => "Công dân này đã bị hỏi sai quá nhiều lần; hãy thử lại sau.",
            Self::GuardApprovalNeeded => {
                "Tra cứu bị giữ lại vì giống dò số; cần người vận hành duyệt."
            }
            Self::GuardBlocked => "Tra cứu bị khóa vì giống dò số lần nữa.",
            Self::CitizenNotFound => "Không có công dân nào khớp số, họ tên và ngày sinh này.",
            Self::PopulationUnavailable => "Cơ sở dữ liệu dân cư tạm thời không trả lời.",
            Self::PopulationBusy => "Cơ sở dữ liệu dân cư đang quá tải; hãy thử lại sau.",
            Self::PopulationBadAnswer => "Cơ sở dữ liệu dân cư trả lời không đúng mẫu.",
            Self::PopulationRefused => "Cơ sở dữ liệu dân cư từ chối câu hỏi của trục liên thông.",
            Self::JobNotFound => "Không tìm thấy lô xác minh.",
            Self::JobStateRefused => "Lô xác minh không ở trạng thái cho phép việc này.",
            Self::JobTooLarge => "Lô xác minh lớn hơn mức được cấp quyền.",
            Self::JobMissesTooMany => "Lô xác minh tạm dừng vì quá nhiều trường hợp không khớp.",
            Self::JobItemFaulty => "Dòng của lô xác minh có lỗi nên không được hỏi.",
            Self::NotApprover => "Việc này cần người có vai trò phê duyệt.",
            Self::SecondPersonNeeded => {
                "Cần người thứ hai phê duyệt; người yêu cầu không tự duyệt được."
            }
            Self::OperationNotFound => "Không tìm thấy đợt xử lý này.",
            Self::OperationEnded => "Đợt xử lý đã kết thúc.",
            Self::OperationKeyReused => "Khóa của đợt xử lý đã dùng cho một đợt khác.",
            Self::Draining => "Trục liên thông đang dừng; hãy kết nối lại.",
            Self::Internal => "Lỗi nội bộ của trục liên thông.",
        }
    }

    /// The public sentence in English.
    #[expect(clippy::too_many_lines, reason = "a table: one sentence per code")]
    pub fn en(self) -> &'static str {
        match self {
            Self::InvalidFields => "The request has invalid fields; see the list of faults.",
            Self::DossierTransitionRefused => {
                "This status may not follow the dossier's present status."
            }
            Self::DossierDetailsIncomplete => {
                "The dossier lacks details that this status needs, or its dates contradict each other."
            }
            Self::IdempotencyKeyReused => "The idempotency key was used before for other content.",
            Self::AgencyNotGranted => "The caller may not push or read dossiers of this agency.",
            Self::ParticipantUnknown => "The certificate belongs to no registered participant.",
            Self::ParticipantSuspended => "The participant is suspended.",
            Self::CertificateNotPinned => {
                "The certificate's key is not among those pinned for this system."
            }
            Self::NotOperator => "Only operators of the gateway may do this.",
            Self::RateExceeded => "Too many requests; try again after the delay in RetryInfo.",
            Self::IntakeFull => "The gateway's intake is full; try again later.",
            Self::StoreUnavailable => {
                "The store cannot be used at the moment; send again with the same key."
            }
            Self::StoreFull => "The gateway's disk is nearly full; intake is stopped.",
            Self::DossierNotFound => "No such dossier.",
            Self::DossierStillOpen => "Deliveries of the dossier have not ended.",
            Self::PageTokenInvalid => "The page token or cursor is not valid.",
            Self::DestinationUnknown => "No such destination is configured.",
            Self::TooManyDeliveries => "Too many deliveries for one command.",
            Self::DeadlineTooShort => "The remaining deadline is too short.",
            Self::MessageTooLarge => "The message is larger than allowed.",
            Self::DeliveryRejected => "The destination refused this status for good.",
            Self::DeliveryExhausted => "The retry schedule came to its end without success.",
            Self::DeliveryCrashSuspect => {
                "Three workers died while they called with this delivery."
            }
            Self::DeliveryDeadLettered => "The broker gave this delivery up.",
            Self::GrantMissing => "The system holds no grant for this purpose.",
            Self::GrantNotValid => "The grant for this purpose is not valid yet, or no more.",
            Self::ModeNotGranted => "The grant does not permit this kind of question.",
            Self::FieldsNotGranted => "Some of the fields are not granted.",
            Self::DossierNotHeld => "A dossier that the participant holds here must be named.",
            Self::DossierClosed => "The dossier is closed; no more questions may be asked for it.",
            Self::ProcedureNotGranted => {
                "The dossier's procedure is not among those the purpose permits."
            }
            Self::QuotaExceeded => {
                "The quota of questions is used up; see QuotaFailure and RetryInfo."
            }
            Self::SubjectLocked => {
                "Too many wrong claims were made about this citizen; try again later."
            }
            Self::GuardApprovalNeeded => {
                "Questions are held because they look like guessing; an operator must approve."
            }
            Self::GuardBlocked => "Questions are blocked because they look like guessing again.",
            Self::CitizenNotFound => "No citizen fits this number, name and birth date.",
            Self::PopulationUnavailable => "The population database does not answer at the moment.",
            Self::PopulationBusy => "The population database is overloaded; try again later.",
            Self::PopulationBadAnswer => {
                "The population database gave an answer that cannot be used."
            }
            Self::PopulationRefused => "The population database refused the gateway's question.",
            Self::JobNotFound => "No such verification job.",
            Self::JobStateRefused => "The verification job is not in a state that permits this.",
            Self::JobTooLarge => "The verification job is larger than the grant permits.",
            Self::JobMissesTooMany => {
                "The verification job stands still because too many of its items do not match."
            }
            Self::JobItemFaulty => "The item of the verification job has faults and was not asked.",
            Self::NotApprover => "Only approvers may do this.",
            Self::SecondPersonNeeded => {
                "A second person must approve; whoever asked for it cannot."
            }
            Self::OperationNotFound => "No such operation.",
            Self::OperationEnded => "The operation has ended.",
            Self::OperationKeyReused => "The operation's key was used before for another one.",
            Self::Draining => "The gateway is stopping; connect again.",
            Self::Internal => "An internal error of the gateway.",
        }
    }

    /// The code's page: what it means and what to do.
    pub fn page(self) -> &'static str {
        let start = format!("## {}\n", self.name());
        let from_here = PAGES.split_once(&start).map_or("", |(_, rest)| rest);
        from_here.split("\n## ").next().unwrap_or("").trim()
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ErrorCode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .iter()
            .find(|code| code.name().eq_ignore_ascii_case(text))
            .copied()
            .ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page_and_every_page_a_code() {
        for code in ErrorCode::ALL {
            assert!(code.page().contains("**What to do**"), "{code} has no page");
            assert_eq!(code.name().parse(), Ok(*code));
        }
        let pages = PAGES.lines().filter_map(|line| line.strip_prefix("## "));
        for page in pages {
            assert!(page.parse::<ErrorCode>().is_ok(), "page {page} has no code");
        }
    }
}
