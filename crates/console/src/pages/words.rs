//! The glossary: one word per thing, in both languages, the same on every page.
//!
//! | thing | tiếng Việt |
//! | --- | --- |
//! | dossier, status | hồ sơ, trạng thái |
//! | delivery, attempt | lượt gửi, lần gửi |
//! | destination; paused, resumed | nơi nhận; tạm dừng, gửi tiếp |
//! | store, broker, queue | kho, hàng đợi trung chuyển, hàng đợi |
//! | retried by itself | tự gửi lại |
//! | parked | tạm giữ |
//! | replay, by an operator | chuyển lại |
//! | discard | hủy bỏ |
//! | operation | đợt xử lý |
//! | approve, cancel | phê duyệt, dừng đợt |
//! | breaker | bộ ngắt |
//! | participant, system, official | đơn vị, hệ thống, cán bộ |
//! | purpose, grant, procedure | mục đích, quyền, thủ tục |
//! | verify, look up, usage record | xác minh, tra cứu, bản ghi khai thác |
//! | guard; lifted | chốt chặn; gỡ chặn |
//! | sync delay | độ trễ đồng bộ |

use lienthong_domain::delivery::{LanePolicy, ParkReason};
use lienthong_domain::identity::{Field, FieldSet, Mode, UsageKind, UsageOutcome};
use lienthong_domain::participant::Role;
use lienthong_domain::{DeliveryState, DossierStatus};
use lienthong_identity::GuardLevel;
use lienthong_ports::operators::{OperationKind, OperationState};
use lienthong_ports::store::BreakerRecord;
use lienthong_services::explain::Fixer;

use crate::frame::{Frame, Tone};

/// A dossier's status: its number and official name.
pub(crate) fn status(frame: &Frame, status: DossierStatus) -> String {
    let name = frame.t(status.name_vi(), status.name_en());
    format!("{} · {name}", status.code())
}

/// Where a delivery stands.
pub(crate) fn delivery_state(frame: &Frame, state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Queued => frame.t("Xếp sau trạng thái trước", "Behind an earlier status"),
        DeliveryState::Ready => frame.t("Chờ đến giờ gửi", "Waiting for its turn"),
        DeliveryState::Sent => frame.t("Đã vào hàng đợi trung chuyển", "With the broker"),
        DeliveryState::Calling => frame.t("Đang gửi", "Being delivered"),
        DeliveryState::Done => frame.t("Đã gửi", "Delivered"),
        DeliveryState::Parked => frame.t("Tạm giữ", "Parked"),
        DeliveryState::Superseded => frame.t("Đã có trạng thái mới thay thế", "Superseded"),
        DeliveryState::Discarded => frame.t("Đã hủy bỏ", "Discarded"),
    }
}

/// The colour of a delivery's state.
pub(crate) const fn delivery_tone(state: DeliveryState) -> Tone {
    match state {
        DeliveryState::Done => Tone::Good,
        DeliveryState::Parked => Tone::Bad,
        DeliveryState::Discarded => Tone::Warning,
        DeliveryState::Sent | DeliveryState::Calling => Tone::Info,
        DeliveryState::Queued | DeliveryState::Ready | DeliveryState::Superseded => Tone::Neutral,
    }
}

/// What an attempt came to, by the stable name of its outcome; an unknown name stays as it is.
pub(crate) fn outcome(frame: &Frame, name: &'static str) -> &'static str {
    match name {
        "delivered" => frame.t("Nơi nhận đã nhận", "Delivered"),
        "advanced" => frame.t("Xong một bước", "One step done"),
        "retry" => frame.t("Chưa được, sẽ tự gửi lại", "Failed, tried again by itself"),
        "overloaded" => frame.t("Nơi nhận quá tải", "Destination overloaded"),
        "rejected" => frame.t("Nơi nhận từ chối", "Rejected"),
        "lease_expired" => frame.t("Tiến trình gửi không trả lời", "The worker vanished"),
        other => other,
    }
}

/// The colour of an outcome.
pub(crate) fn outcome_tone(name: &str) -> Tone {
    match name {
        "delivered" => Tone::Good,
        "advanced" => Tone::Neutral,
        "rejected" => Tone::Bad,
        _ => Tone::Warning,
    }
}

/// Why a delivery is parked.
pub(crate) fn park_reason(frame: &Frame, reason: ParkReason) -> &'static str {
    match reason {
        ParkReason::Rejected => frame.t("Nơi nhận từ chối", "Rejected by the destination"),
        ParkReason::Exhausted => frame.t("Hết lịch tự gửi lại", "Retry schedule ran out"),
        ParkReason::CrashSuspect => frame.t(
            "Nghi làm dừng tiến trình gửi",
            "Suspected of stopping workers",
        ),
        ParkReason::DeadLettered => {
            frame.t("Bị hàng đợi trung chuyển loại ra", "Given up by the broker")
        }
    }
}

/// Who can end a wait.
pub(crate) fn fixer(frame: &Frame, fixer: Fixer) -> &'static str {
    match fixer {
        Fixer::Nobody => frame.t("Không ai phải làm gì", "Nobody has to"),
        Fixer::Participant => frame.t("Đơn vị gửi hồ sơ", "The participant that sent it"),
        Fixer::Destination => frame.t("Bên vận hành nơi nhận", "The destination's people"),
        Fixer::Operator => frame.t("Người vận hành trục liên thông", "The gateway's operators"),
    }
}

/// What a parked delivery does to the statuses behind it.
pub(crate) fn lane_policy(frame: &Frame, policy: LanePolicy) -> &'static str {
    match policy {
        LanePolicy::Hold => frame.t(
            "Các trạng thái sau của hồ sơ chờ người vận hành",
            "Later statuses of the dossier wait for an operator",
        ),
        LanePolicy::Skip => frame.t("Các trạng thái sau vẫn được gửi", "Later statuses go on"),
        LanePolicy::Latest => frame.t(
            "Chỉ trạng thái mới nhất được gửi tiếp",
            "Only the newest status goes on",
        ),
    }
}

/// What the breaker does now.
pub(crate) fn breaker(frame: &Frame, breaker: BreakerRecord) -> (Tone, &'static str) {
    match breaker.open_until {
        None if breaker.openings == 0 => (Tone::Good, frame.t("Thông", "Closed")),
        Some(until) if until > frame.now => (Tone::Bad, frame.t("Đang ngắt", "Open")),
        None | Some(_) => (Tone::Warning, frame.t("Đang gửi thử", "Probing")),
    }
}

/// What an operation does, as a noun.
pub(crate) fn operation_kind(frame: &Frame, kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Replay => frame.t("Chuyển lại", "Replay"),
        OperationKind::Discard => frame.t("Hủy bỏ", "Discard"),
    }
}

/// Where an operation stands.
pub(crate) fn operation_state(frame: &Frame, state: OperationState) -> (Tone, &'static str) {
    match state {
        OperationState::AwaitingApproval => {
            (Tone::Warning, frame.t("Chờ phê duyệt", "Awaiting approval"))
        }
        OperationState::Running => (Tone::Info, frame.t("Đang chạy", "Running")),
        OperationState::Done => (Tone::Good, frame.t("Đã xong", "Done")),
        OperationState::Cancelled => (Tone::Neutral, frame.t("Đã dừng", "Cancelled")),
    }
}

/// What a guard does.
pub(crate) fn guard_level(frame: &Frame, level: GuardLevel) -> (Tone, &'static str) {
    match level {
        GuardLevel::Slow => (Tone::Warning, frame.t("Trả lời chậm lại", "Slowed")),
        GuardLevel::Approval => (Tone::Bad, frame.t("Chờ người vận hành", "Held")),
        GuardLevel::Blocked => (Tone::Bad, frame.t("Bị chặn", "Blocked")),
    }
}

/// What was asked about a citizen.
pub(crate) fn usage_kind(frame: &Frame, kind: UsageKind) -> &'static str {
    match kind {
        UsageKind::Verify => frame.t("Xác minh", "Verify"),
        UsageKind::Disclose => frame.t("Tra cứu", "Look up"),
        UsageKind::Job => frame.t("Xác minh theo lô", "Verification job"),
        UsageKind::ListUsage => frame.t("Xem bản ghi khai thác", "Usage records read"),
    }
}

/// What came of a question about a citizen.
pub(crate) fn usage_outcome(frame: &Frame, outcome: UsageOutcome) -> (Tone, &'static str) {
    match outcome {
        UsageOutcome::Matched => (Tone::Good, frame.t("Khớp", "Match")),
        UsageOutcome::NotMatched => (Tone::Neutral, frame.t("Không khớp", "No match")),
        UsageOutcome::Undecided => (Tone::Neutral, frame.t("Chưa kết luận được", "Undecided")),
        UsageOutcome::Disclosed => (Tone::Good, frame.t("Đã cho xem", "Shown")),
        UsageOutcome::Refused => (Tone::Warning, frame.t("Từ chối", "Refused")),
        UsageOutcome::Failed => (Tone::Warning, frame.t("Không có trả lời", "No answer")),
        UsageOutcome::Deferred => (Tone::Neutral, frame.t("Hỏi lại sau", "Put off")),
    }
}

/// What may be asked under a grant.
pub(crate) fn mode(frame: &Frame, mode: Mode) -> &'static str {
    match mode {
        Mode::Verify => frame.t("Xác minh", "Verify"),
        Mode::Disclose => frame.t("Tra cứu", "Look up"),
        Mode::Usage => frame.t("Xem bản ghi khai thác", "Read usage records"),
    }
}

/// What a system may do.
pub(crate) fn role(frame: &Frame, role: Role) -> &'static str {
    match role {
        Role::Push => frame.t("Gửi trạng thái", "Pushes statuses"),
        Role::Identity => frame.t("Hỏi về công dân", "Asks about citizens"),
        Role::Viewer => frame.t("Xem", "Viewer"),
        Role::Operator => frame.t("Vận hành", "Operator"),
        Role::Approver => frame.t("Phê duyệt", "Approver"),
    }
}

/// What an operator did, by the stable name of the action; an unknown name stays as it is.
pub(crate) fn action_kind<'a>(frame: &Frame, kind: &'a str) -> &'a str {
    match kind {
        "pause" => frame.t("Tạm dừng nơi nhận", "Destination paused"),
        "resume" => frame.t("Cho nơi nhận gửi tiếp", "Destination resumed"),
        "replay" => frame.t("Chuyển lại", "Replayed"),
        "discard" => frame.t("Hủy bỏ", "Discarded"),
        "erase" => frame.t("Xóa dữ liệu cá nhân", "Personal data erased"),
        "request_operation" => frame.t("Đề nghị đợt xử lý", "Operation asked for"),
        "approve_operation" => frame.t("Phê duyệt đợt xử lý", "Operation approved"),
        "cancel_operation" => frame.t("Dừng đợt xử lý", "Operation cancelled"),
        "end_operation" => frame.t("Đợt xử lý kết thúc", "Operation ended"),
        "pause_job" => frame.t("Tạm dừng lô xác minh", "Verification job paused"),
        "resume_job" => frame.t("Cho lô xác minh chạy tiếp", "Verification job resumed"),
        "cancel_job" => frame.t("Dừng hẳn lô xác minh", "Verification job cancelled"),
        "clear_misses" => frame.t("Xóa số lần sai của hệ thống", "Misses of a system cleared"),
        "lift_guard" => frame.t("Gỡ chặn hỏi về công dân", "Guard lifted"),
        "read_usage" => frame.t("Xem bản ghi khai thác", "Usage records read"),
        "unlock" => frame.t("Mở khóa phiên", "Session unlocked"),
        "unlock_refused" => frame.t("Mở khóa phiên bị từ chối", "Unlocking refused"),
        "sign_in" => frame.t("Đăng nhập", "Signed in"),
        "sign_out" => frame.t("Đăng xuất", "Signed out"),
        "sign_in_refused" => frame.t("Đăng nhập bị từ chối", "Sign-in refused"),
        "log_filter" => frame.t("Đổi mức ghi nhật ký", "Log filter changed"),
        other => other,
    }
}

/// A field of a citizen's record.
pub(crate) fn field(frame: &Frame, field: Field) -> &'static str {
    match field {
        Field::CitizenNumber => frame.t("Số định danh", "Citizen number"),
        Field::OldNumber => frame.t("Số CMND cũ", "Old number"),
        Field::FullName => frame.t("Họ và tên", "Full name"),
        Field::BirthDate => frame.t("Ngày sinh", "Birth date"),
        Field::Sex => frame.t("Giới tính", "Sex"),
        Field::Ethnicity => frame.t("Dân tộc", "Ethnicity"),
        Field::Religion => frame.t("Tôn giáo", "Religion"),
        Field::MaritalStatus => frame.t("Tình trạng hôn nhân", "Marital status"),
        Field::BloodGroup => frame.t("Nhóm máu", "Blood group"),
        Field::Nationality => frame.t("Quốc tịch", "Nationality"),
        Field::BirthRegistration => frame.t("Nơi đăng ký khai sinh", "Birth registration"),
        Field::HomeTown => frame.t("Quê quán", "Home town"),
        Field::PermanentResidence => frame.t("Nơi thường trú", "Permanent residence"),
        Field::CurrentResidence => frame.t("Nơi ở hiện tại", "Current residence"),
        Field::Father => frame.t("Cha", "Father"),
        Field::Mother => frame.t("Mẹ", "Mother"),
        Field::Spouse => frame.t("Vợ hoặc chồng", "Spouse"),
        Field::Representative => frame.t("Người đại diện", "Representative"),
        Field::HouseholdHead => frame.t("Chủ hộ", "Household head"),
        Field::HouseholdNumber => frame.t("Số hộ khẩu", "Household number"),
    }
}

/// Fields of a citizen's record, in their order.
pub(crate) fn fields(frame: &Frame, fields: FieldSet) -> String {
    let named = fields.iter().map(|known| field(frame, known));
    let named = named.collect::<Vec<_>>().join(", ");
    if named.is_empty() {
        frame.t("không có", "none").to_owned()
    } else {
        named
    }
}
