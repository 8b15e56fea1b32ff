//! The words of the screen, in each language.

/// Language of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    /// Tiếng Việt
    Vi,
    /// English
    En,
}

/// Every word that the screen adds to what the gateway says.
pub(super) struct Words {
    pub(super) problems: &'static str,
    pub(super) destinations: &'static str,
    pub(super) provinces: &'static str,
    pub(super) parked_groups: &'static str,
    pub(super) no_problems: &'static str,
    pub(super) destination_heads: [&'static str; 9],
    pub(super) province_heads: [&'static str; 4],
    pub(super) group_heads: [&'static str; 4],
    pub(super) waiting_for_gateway: &'static str,
    pub(super) no_answer_since: &'static str,
    pub(super) flows: &'static str,
    pub(super) look: &'static str,
    pub(super) stuck: &'static str,
    pub(super) choose_destination: &'static str,
    pub(super) under_way: &'static str,
    pub(super) nothing_waits: &'static str,
    pub(super) paused: &'static str,
    pub(super) resumed: &'static str,
    pub(super) pause: &'static str,
    pub(super) resume: &'static str,
    pub(super) reason: &'static str,
    pub(super) reason_keys: &'static str,
    pub(super) too_small: &'static str,
    pub(super) keys: &'static str,
    pub(super) help: &'static str,
    pub(super) close: &'static str,
    pub(super) accept: &'static str,
    pub(super) disk: &'static str,
    pub(super) certificate: &'static str,
    pub(super) days: &'static str,
    pub(super) count: &'static str,
    pub(super) running: &'static str,
    pub(super) halted: &'static str,
    pub(super) breaker_open: &'static str,
    pub(super) breaker_half_open: &'static str,
}

impl Language {
    pub(super) const fn words(self) -> &'static Words {
        match self {
            Self::Vi => &VI,
            Self::En => &EN,
        }
    }
}

const VI: Words = Words {
    problems: "Vấn đề",
    destinations: "Nơi nhận",
    provinces: "Tỉnh chờ lâu nhất",
    parked_groups: "Tạm giữ",
    no_problems: "Không có việc cần người xử lý.",
    destination_heads: [
        "nơi nhận",
        "đang",
        "chờ",
        "giữ",
        "lâu nhất",
        "nhận/ph",
        "gửi/ph",
        "gửi 1h",
        "tuổi 1h",
    ],
    province_heads: ["mã", "tỉnh", "lâu nhất", "nhận/ph"],
    group_heads: ["tỉnh", "nhóm lỗi", "số", "nơi nhận"],
    waiting_for_gateway: "Đang kết nối tới cổng...",
    no_answer_since: "KHÔNG TRẢ LỜI từ",
    flows: "THÔNG SUỐT",
    look: "CẦN XEM",
    stuck: "ÁCH TẮC",
    choose_destination: "chọn một nơi nhận trước (Tab)",
    under_way: "đang thực hiện...",
    nothing_waits: "không có hồ sơ nào chờ",
    paused: "đã tạm dừng",
    resumed: "đã cho chạy lại",
    pause: "Tạm dừng",
    resume: "Cho chạy lại",
    reason: "Lý do (được ghi lại, không ghi thông tin cá nhân):",
    reason_keys: "Enter thực hiện · Esc bỏ",
    too_small: "Cửa sổ quá nhỏ: cần ít nhất 60 x 16.",
    keys: "q thoát · Tab ↑↓ chọn · Enter giải thích · p dừng/chạy · r mới · ? trợ giúp",
    help: "\
q, Esc        thoát
Tab, ← →      sang khung khác
↑ ↓ j k       chọn dòng; PgUp PgDn Home End
Enter         giải thích vấn đề, nhóm lỗi, hoặc hồ sơ chờ lâu nhất của dòng
p             tạm dừng hoặc cho chạy lại nơi nhận đang chọn (hỏi lý do)
r             làm mới ngay
?             trang này

Màn hình vẽ lại mỗi giây; số liệu phút vẽ một giờ qua. Mất kết nối thì tự nối lại.",
    close: "phím bất kỳ để đóng · ↑ ↓ cuộn",
    accept: "nhận",
    disk: "đĩa",
    certificate: "chứng thư",
    days: "ngày",
    count: "vấn đề",
    running: "chạy",
    halted: "tạm dừng",
    breaker_open: "ngắt",
    breaker_half_open: "thử lại",
};

const EN: Words = Words {
    problems: "Problems",
    destinations: "Destinations",
    provinces: "Provinces waiting longest",
    parked_groups: "Parked",
    no_problems: "Nothing needs a person.",
    destination_heads: [
        "name",
        "state",
        "waiting",
        "parked",
        "oldest",
        "in/min",
        "out/min",
        "out 1h",
        "age 1h",
    ],
    province_heads: ["code", "province", "oldest", "in/min"],
    group_heads: ["prov.", "error group", "count", "destination"],
    waiting_for_gateway: "Connecting to the gateway...",
    no_answer_since: "NO ANSWER since",
    flows: "ALL FLOWS",
    look: "NEEDS A LOOK",
    stuck: "STUCK",
    choose_destination: "choose a destination first (Tab)",
    under_way: "under way...",
    nothing_waits: "no dossier waits there",
    paused: "paused",
    resumed: "resumed",
    pause: "Pause",
    resume: "Resume",
    reason: "Reason (kept in the audit trail; no personal data):",
    reason_keys: "Enter does it · Esc leaves",
    too_small: "The window is too small: 60 x 16 at least.",
    keys: "q quit · Tab/arrows move · Enter explain · p pause/resume · r refresh · ? help",
    help: "\
q, Esc        quit
Tab, ← →      to another panel
↑ ↓ j k       choose a row; PgUp PgDn Home End
Enter         explain the problem, the group, or the dossier of the row that waits longest
p             pause or resume the chosen destination (asks for a reason)
r             refresh now
?             this page

The screen is drawn every second; lines of blocks show the last hour. A lost connection comes back by itself.",
    close: "any key closes · ↑ ↓ scroll",
    accept: "accept",
    disk: "disk",
    certificate: "certificate",
    days: "days",
    count: "problem(s)",
    running: "running",
    halted: "paused",
    breaker_open: "cut off",
    breaker_half_open: "probing",
};
