//! The words of identity for people, in both languages, and their names in files.

use lienthong_domain::identity::Field;
use lienthong_proto::identity::v1::{JobState, NameLevel, UsageKind, UsageOutcome, Verdict};

/// A verdict for people.
pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Match => "khớp / match",
        Verdict::NoMatch => "không khớp / no match",
        Verdict::Undecided => "chưa kết luận được / undecided",
        Verdict::Unspecified => "-",
    }
}

/// A verdict in files; empty for none.
pub(crate) const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Match => "match",
        Verdict::NoMatch => "no_match",
        Verdict::Undecided => "undecided",
        Verdict::Unspecified => "",
    }
}

/// How the name matched, for people.
pub(crate) fn name_level(level: NameLevel) -> &'static str {
    match level {
        NameLevel::Exact => "đúng hoàn toàn / exact",
        NameLevel::ToneStyle => "khác chỗ đặt dấu thanh / tone mark placed otherwise",
        NameLevel::NoDiacritics => "chỉ giống khi bỏ dấu / equal only without diacritics",
        NameLevel::Unspecified => "-",
    }
}

/// How the name matched, in files; empty for not.
pub(crate) const fn name_level_name(level: NameLevel) -> &'static str {
    match level {
        NameLevel::Exact => "exact",
        NameLevel::ToneStyle => "tone_style",
        NameLevel::NoDiacritics => "no_diacritics",
        NameLevel::Unspecified => "",
    }
}

/// A field with a number of the contract, for people.
pub(crate) fn field(code: i32) -> String {
    let Some(field) = Field::from_code(code) else {
        return format!("? / field {code}");
    };
    let vi = match field {
        Field::CitizenNumber => "số định danh",
        Field::OldNumber => "số CMND",
        Field::FullName => "họ tên",
        Field::BirthDate => "ngày sinh",
        Field::Sex => "giới tính",
        Field::Ethnicity => "dân tộc",
        Field::Religion => "tôn giáo",
        Field::MaritalStatus => "tình trạng hôn nhân",
        Field::BloodGroup => "nhóm máu",
        Field::Nationality => "quốc tịch",
        Field::BirthRegistration => "nơi đăng ký khai sinh",
        Field::HomeTown => "quê quán",
        Field::PermanentResidence => "nơi thường trú",
        Field::CurrentResidence => "nơi ở hiện tại",
        Field::Father => "cha",
        Field::Mother => "mẹ",
        Field::Spouse => "vợ hoặc chồng",
        Field::Representative => "người đại diện",
        Field::HouseholdHead => "chủ hộ",
        Field::HouseholdNumber => "số sổ hộ khẩu",
    };
    format!("{vi} / {}", field.name().replace('_', " "))
}

/// Names of fields as grants write them, with commas between.
pub(crate) fn field_names(codes: &[i32]) -> String {
    let name = |code: &i32| Field::from_code(*code).map_or("?", Field::name);
    codes.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Where a job stands, for people.
pub(crate) fn job_state(state: JobState) -> &'static str {
    match state {
        JobState::Uploading => "đang tải lên / uploading",
        JobState::Running => "đang hỏi / running",
        JobState::Paused => "tạm dừng / paused",
        JobState::Done => "xong / done",
        JobState::Cancelled => "đã hủy / cancelled",
        JobState::Erased => "đã xóa / erased",
        JobState::Unspecified => "?",
    }
}

/// What was asked about a citizen, for people.
pub(crate) fn usage_kind(kind: UsageKind) -> &'static str {
    match kind {
        UsageKind::Verify => "xác minh / verify",
        UsageKind::Disclose => "tra cứu / look up",
        UsageKind::Job => "xác minh theo lô / verify by job",
        UsageKind::ListUsage => "xem nhật ký / list usage",
        UsageKind::Unspecified => "?",
    }
}

/// What came of it, for people.
pub(crate) fn usage_outcome(outcome: UsageOutcome) -> &'static str {
    match outcome {
        UsageOutcome::Matched => "khớp / match",
        UsageOutcome::NotMatched => "không khớp / no match",
        UsageOutcome::Undecided => "chưa kết luận được / undecided",
        UsageOutcome::Disclosed => "đã cho xem / disclosed",
        UsageOutcome::Refused => "từ chối / refused",
        UsageOutcome::Failed => "không có trả lời / failed",
        UsageOutcome::Deferred => "hỏi sau / deferred",
        UsageOutcome::Unspecified => "?",
    }
}
