//! Why a page could not be shown or a form not be taken, and the page that says so.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use lienthong_domain::{ErrorCode, OperatorRole};
use maud::{Markup, html};

use crate::language::Language;

/// Why a handler has no page. The layer around the pages turns it into one, in the reader's language.
#[derive(Clone, Debug)]
pub(crate) enum PageError {
    /// There is no such page, dossier, operation.
    NotFound,
    /// The role does not reach so far.
    Forbidden {
        /// The role that would do.
        needed: OperatorRole,
    },
    /// A form or an address was filled in wrongly.
    Faulty {
        /// What is wrong, in Vietnamese.
        vi: String,
        /// What is wrong, in English.
        en: String,
    },
    /// A use case refused.
    Refused {
        /// Its public code.
        code: ErrorCode,
        /// Every fault of a field, in both languages.
        faults: Vec<(String, String, String)>,
        /// Seconds after which to try again.
        retry_after_seconds: Option<u64>,
    },
    /// The token of the form, or where it came from, is wrong.
    Untrusted,
    /// More is under way than the console takes, or it took too long.
    Busy,
    /// A defect; what it is stands in the log.
    Internal,
}

impl PageError {
    /// A defect, told in the log here and to the reader in general words only.
    pub(crate) fn internal(what: &str) -> Self {
        tracing::error!(page.fault = what, "a page could not be made");
        Self::Internal
    }

    /// A form or an address that was filled in wrongly.
    pub(crate) fn faulty(vi: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Faulty {
            vi: vi.into(),
            en: en.into(),
        }
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden { .. } | Self::Untrusted => StatusCode::FORBIDDEN,
            Self::Faulty { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Refused { code, .. } => refusal_status(*code),
        }
    }

    /// The headline, for the reader.
    pub(crate) fn title(&self, language: Language) -> &'static str {
        match (self, self.status()) {
            (Self::Untrusted, _) => language.t("Biểu mẫu đã cũ", "This form is no longer valid"),
            (Self::Faulty { .. }, _) => {
                language.t("Thông tin chưa đúng", "Something is filled in wrongly")
            }
            (_, StatusCode::NOT_FOUND) => language.t("Không tìm thấy", "Not found"),
            (_, StatusCode::FORBIDDEN) => {
                language.t("Không đủ quyền", "Your role does not reach so far")
            }
            (_, StatusCode::SERVICE_UNAVAILABLE) => {
                language.t("Hệ thống đang bận", "The gateway is busy")
            }
            (_, StatusCode::INTERNAL_SERVER_ERROR) => {
                language.t("Có lỗi xảy ra", "Something went wrong")
            }
            _ => language.t("Không thực hiện được", "This was not done"),
        }
    }

    /// What happened and what to do, for the reader. Nothing of what went wrong inside.
    pub(crate) fn body(&self, language: Language) -> Markup {
        html! {
            @match self {
                Self::NotFound => p { (language.t(
                    "Địa chỉ này không có trang nào, hoặc mục được tìm không còn. Kiểm tra lại mã hồ sơ hoặc số hiệu.",
                    "There is no page at this address, or what you look for is gone. Check the dossier code or the number.")) },
                Self::Forbidden { needed } => p { (language.t(
                    format!("Việc này cần vai trò “{}”. Không có gì thay đổi.", role_name(*needed, language)),
                    format!("This needs the role “{}”. Nothing was changed.", role_name(*needed, language)))) },
                Self::Faulty { vi, en } => p { (language.t(vi, en)) },
                Self::Untrusted => p { (language.t(
                    "Biểu mẫu này không được gửi từ phiên làm việc hiện tại, nên không có gì thay đổi. Mở lại trang rồi gửi lại.",
                    "This form was not sent from your present session, so nothing was changed. Open the page again and send it once more.")) },
                Self::Busy => p { (language.t(
                    "Có quá nhiều yêu cầu cùng lúc. Việc tiếp nhận trạng thái vẫn tiếp tục. Thử lại sau vài giây.",
                    "Too much is asked at once. Statuses are still accepted. Try again in a few seconds.")) },
                Self::Internal => p { (language.t(
                    "Trang này không hiển thị được. Nguyên nhân đã được ghi vào nhật ký hệ thống.",
                    "This page cannot be shown. The cause is in the gateway's log.")) },
                Self::Refused { code, faults, retry_after_seconds } => {
                    p { (language.t(code.vi(), code.en())) }
                    @if !faults.is_empty() {
                        ul { @for (field, vi, en) in faults { li { code { (field) } ": " (language.t(vi, en)) } } }
                    }
                    @if let Some(seconds) = retry_after_seconds {
                        p { (language.t(format!("Thử lại sau {seconds} giây."), format!("Try again in {seconds} s."))) }
                    }
                    p.fine { code { (code.name()) } }
                },
            }
        }
    }
}

/// What people call a role.
pub(crate) fn role_name(role: OperatorRole, language: Language) -> &'static str {
    match role {
        OperatorRole::Viewer => language.t("Người xem", "Viewer"),
        OperatorRole::Operator => language.t("Vận hành viên", "Operator"),
        OperatorRole::Approver => language.t("Người phê duyệt", "Approver"),
    }
}

fn refusal_status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::NotOperator | ErrorCode::NotApprover | ErrorCode::SecondPersonNeeded => {
            StatusCode::FORBIDDEN
        }
        ErrorCode::DossierNotFound
        | ErrorCode::DestinationUnknown
        | ErrorCode::JobNotFound
        | ErrorCode::OperationNotFound => StatusCode::NOT_FOUND,
        ErrorCode::InvalidFields | ErrorCode::PageTokenInvalid => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::IntakeFull
        | ErrorCode::StoreFull
        | ErrorCode::StoreUnavailable
        | ErrorCode::Draining => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::CONFLICT,
    }
}

/// A failure inside is logged here, once: pages only pass it on.
impl From<lienthong_services::Error> for PageError {
    fn from(error: lienthong_services::Error) -> Self {
        if refusal_status(error.code).is_server_error() {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a use case failed under a page"
            );
        }
        let fault = |fault: &lienthong_domain::fault::Fault| {
            (fault.field.clone(), fault.reason.vi(), fault.reason.en())
        };
        Self::Refused {
            code: error.code,
            faults: error.faults.iter().map(fault).collect(),
            retry_after_seconds: error.retry_after.map(|wait| wait.as_secs().max(1)),
        }
    }
}

/// The bare status; the layer around the pages finds the error in the extensions and fills in the page.
impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
