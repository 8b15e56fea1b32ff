//! What each problem means and what to do about it, as whole sentences in Vietnamese and English.

use lienthong_domain::province::Province;

use super::{Problem, ProblemKind as K};

impl Problem {
    /// What it means, in Vietnamese.
    pub fn meaning_vi(&self) -> String {
        let (about, figure) = (self.about.as_str(), self.figure);
        match self.kind {
            K::DiskFull => {
                "Ổ đĩa của kho đã đầy tới mức dự phòng: trục liên thông ngừng tiếp nhận, vẫn tiếp tục gửi đi.".into()
            }
            K::DiskFilling => format!("Với tốc độ hiện nay, ổ đĩa của kho sẽ đầy sau khoảng {figure} giờ."),
            K::BrokerDisconnected => {
                "Mất kết nối tới hàng đợi: vẫn tiếp nhận, nhưng không gửi được gì cho tới khi có kết nối; dữ liệu an toàn trong kho.".into()
            }
            K::BrokerBlocked => {
                "Hàng đợi chặn việc phát bản tin (thường vì thiếu bộ nhớ hoặc ổ đĩa): các trạng thái chờ trong kho.".into()
            }
            K::BrokerTopology if about.is_empty() => {
                "Cấu hình trên máy chủ hàng đợi không đúng như trục liên thông cần, nên không gửi được.".into()
            }
            K::BrokerTopology => format!(
                "Hàng đợi của nơi nhận {about} đã mất hoặc không có tiến trình nào nhận bản tin từ đó."
            ),
            K::BreakerOpen => format!(
                "Nơi nhận {about} không trả lời hoặc trả lời lỗi: việc gửi tạm ngắt, trạng thái chờ trong kho, không lượt nào bị tính là thất bại."
            ),
            K::CredentialsRefused => format!(
                "Nơi nhận {about} từ chối tài khoản của trục liên thông: không trạng thái nào gửi được."
            ),
            K::StatusesLate => format!(
                "Trạng thái cũ nhất chờ gửi tới {about} đã chờ {}; hồ sơ có thể bị hiện quá hạn oan.",
                lasting_vi(figure)
            ),
            K::ProvinceLate => format!(
                "Trạng thái của {} đến trục liên thông muộn: trung vị giờ qua là {} sau khi phát sinh. Chậm ở phía hệ thống một cửa, không phải ở trục.",
                place(about),
                lasting_vi(figure)
            ),
            K::PoisonDossier => format!(
                "{figure} lượt gửi tới {about} bị nghi làm dừng tiến trình xử lý, đã được tách riêng để không ảnh hưởng hồ sơ khác."
            ),
            K::DeliveriesParked => format!(
                "{figure} lượt gửi tới {about} đang bị tạm giữ chờ người xử lý; trạng thái sau của các hồ sơ đó cũng chờ theo."
            ),
            K::DestinationPaused => format!(
                "Người vận hành đã tạm dừng gửi tới {about}; trạng thái vẫn được tiếp nhận và chờ trong kho."
            ),
            K::CertificateEnding if figure < 0 => {
                "Chứng thư số của trục liên thông đã hết hạn: các đơn vị không kết nối được nữa.".into()
            }
            K::CertificateEnding => format!(
                "Chứng thư số của trục liên thông còn {figure} ngày là hết hạn; sau đó không đơn vị nào kết nối được."
            ),
            K::ClockWrong => format!(
                "Đồng hồ của nơi nhận lệch {figure} giây so với đồng hồ máy này; hạn giữ chỗ, chứng thư và thời điểm báo cáo có thể sai."
            ),
            K::PopulationDown => {
                "Không hỏi được cơ sở dữ liệu dân cư: câu hỏi về công dân bị trả lại hoặc hoãn; việc đồng bộ hồ sơ không bị ảnh hưởng.".into()
            }
            K::GuardBlocked => format!(
                "{figure} cán bộ hoặc hệ thống đang bị giữ hoặc khóa quyền hỏi vì giống dò số định danh."
            ),
            K::ApprovalAwaited => format!(
                "Đợt xử lý số {about} trên {figure} lượt gửi đang chờ người thứ hai phê duyệt."
            ),
        }
    }

    /// What it means, in English.
    pub fn meaning_en(&self) -> String {
        let (about, figure) = (self.about.as_str(), self.figure);
        match self.kind {
            K::DiskFull => {
                "The store's disk is full to its reserve: nothing new is accepted; deliveries go on.".into()
            }
            K::DiskFilling => format!("At the present rate the store's disk will be full in about {figure} hours."),
            K::BrokerDisconnected => {
                "The broker is not connected: statuses are accepted, and none is delivered until it is back; everything is safe in the store.".into()
            }
            K::BrokerBlocked => {
                "The broker blocks publishers (mostly because its memory or disk runs out): statuses wait in the store.".into()
            }
            K::BrokerTopology if about.is_empty() => {
                "The broker is not set up as the gateway needs it, so nothing can be delivered.".into()
            }
            K::BrokerTopology => format!(
                "The broker's queue for {about} is gone, or no worker receives from it."
            ),
            K::BreakerOpen => format!(
                "{about} does not answer, or answers with errors: calls are held back, statuses wait in the store, and no attempt is counted."
            ),
            K::CredentialsRefused => {
                format!("{about} refuses the gateway's credentials: no status can be delivered.")
            }
            K::StatusesLate => format!(
                "The oldest status for {about} has waited {}; dossiers may be shown as overdue that are not.",
                lasting_en(figure)
            ),
            K::ProvinceLate => format!(
                "Statuses of {} reach the gateway late: {} after they came about, at the median of the last hour. The delay lies in the case system, not here.",
                place(about),
                lasting_en(figure)
            ),
            K::PoisonDossier => format!(
                "{figure} deliveries to {about} are suspected of stopping workers; they were set aside so that no other dossier suffers."
            ),
            K::DeliveriesParked => format!(
                "{figure} deliveries to {about} are parked and wait for a person; later statuses of their dossiers wait behind them."
            ),
            K::DestinationPaused => format!(
                "An operator paused {about}; statuses are accepted and wait in the store."
            ),
            K::CertificateEnding if figure < 0 => {
                "The gateway's certificate has ended: no participant can connect.".into()
            }
            K::CertificateEnding => format!(
                "The gateway's certificate ends in {figure} days; after that no participant can connect."
            ),
            K::ClockWrong => format!(
                "The destination's clock is {figure} seconds away from this machine's; leases, certificates and reported times may be wrong."
            ),
            K::PopulationDown => {
                "The population database cannot be asked: questions about citizens are refused or put off; dossiers are not affected.".into()
            }
            K::GuardBlocked => format!(
                "{figure} officials or systems are held or blocked because their questions look like guessing numbers."
            ),
            K::ApprovalAwaited => {
                format!("Operation {about} over {figure} deliveries awaits a second person.")
            }
        }
    }

    /// What to do next, in Vietnamese: the command, and the console's page where there is one.
    pub fn action_vi(&self) -> String {
        let about = self.about.as_str();
        match self.kind {
            K::DiskFull | K::DiskFilling => {
                "Giải phóng hoặc mở rộng ổ đĩa (`lienthong doctor` chỉ ra ổ nào); việc tiếp nhận tự trở lại khi còn đủ chỗ.".into()
            }
            K::BrokerDisconnected => {
                "Kiểm tra máy chủ RabbitMQ và đường mạng, chạy `lienthong doctor`; lỗi cuối cùng hiện ở trang Hàng đợi. Kết nối lại là tự động.".into()
            }
            K::BrokerBlocked => {
                "Xem cảnh báo bộ nhớ, ổ đĩa của RabbitMQ (`rabbitmq-diagnostics alarms`) và gỡ nguyên nhân; xem trang Hàng đợi.".into()
            }
            K::BrokerTopology => {
                "Chạy `lienthong doctor` để biết hàng đợi nào sai; xóa hàng đợi sai để trục tạo lại (dữ liệu nằm trong kho), xem trang Hàng đợi.".into()
            }
            K::BreakerOpen => format!(
                "Báo đơn vị quản lý {about}; trục tự thử lại và tự gửi tiếp. Lỗi và lần thử kế tiếp ở trang Nơi nhận hoặc `lienthong destinations list`."
            ),
            K::CredentialsRefused => format!(
                "Sửa tài khoản, mật khẩu của {about} trong cấu hình rồi khởi động lại; kiểm tra bằng `lienthong doctor`. Lượt bị tạm giữ thì chuyển lại ở trang Tạm giữ."
            ),
            K::StatusesLate => format!(
                "Mở trang Nơi nhận để biết {about} đang tạm dừng, ngắt hay chậm; `lienthong explain MÃ-HỒ-SƠ` cho biết vì sao một hồ sơ chờ."
            ),
            K::ProvinceLate => format!(
                "Báo bộ phận kỹ thuật của {}: xem hệ thống của họ gửi theo đợt, dừng lịch hay bị từ chối, ở trang Đơn vị tham gia hoặc `lienthong participants show {about}`.",
                place(about)
            ),
            K::PoisonDossier => format!(
                "Mở trang Tạm giữ, lọc lý do CRASH_SUSPECT của {about}; xem nhật ký tiến trình quanh thời điểm dừng, chuyển lại một lượt để thử rồi hãy chuyển lại tất cả."
            ),
            K::DeliveriesParked => format!(
                "Mở trang Tạm giữ, xem nhóm lỗi của {about}, sửa nguyên nhân rồi chuyển lại (hoặc `lienthong parked replay --destination {about} --reason ...`)."
            ),
            K::DestinationPaused => format!(
                "Khi xong việc, cho chạy lại ở trang Nơi nhận hoặc `lienthong destinations resume {about} --reason ...`."
            ),
            K::CertificateEnding => {
                "Xin cấp chứng thư mới và đặt vào tệp cấu hình `[tls]`; trục tự nạp lại, không cần khởi động lại. Kiểm tra bằng `lienthong doctor`.".into()
            }
            K::ClockWrong => {
                "Kiểm tra đồng bộ giờ của máy này (`timedatectl`, chrony) và chạy `lienthong doctor`; nếu máy này đúng thì báo nơi nhận.".into()
            }
            K::PopulationDown => {
                "Báo đơn vị quản lý cơ sở dữ liệu dân cư và kiểm tra đường truyền bằng `lienthong doctor`; trục tự hỏi lại.".into()
            }
            K::GuardBlocked => {
                "Xem ai bị giữ ở trang Đơn vị tham gia hoặc `lienthong participants guards`; làm việc với đơn vị rồi mở lại bằng `lienthong participants lift`.".into()
            }
            K::ApprovalAwaited => format!(
                "Người có vai trò phê duyệt xem lại và duyệt hoặc hủy ở trang Đợt xử lý, hoặc `lienthong operations approve {about} --reason ...`."
            ),
        }
    }

    /// What to do next, in English.
    pub fn action_en(&self) -> String {
        let about = self.about.as_str();
        match self.kind {
            K::DiskFull | K::DiskFilling => {
                "Free or add disk space (`lienthong doctor` names the disk); intake resumes by itself when there is room.".into()
            }
            K::BrokerDisconnected => {
                "Check the RabbitMQ server and the network, run `lienthong doctor`; the last failure is on the page Queues. The connection is made again by itself.".into()
            }
            K::BrokerBlocked => {
                "Look at RabbitMQ's alarms of memory and disk (`rabbitmq-diagnostics alarms`) and end their cause; see the page Queues.".into()
            }
            K::BrokerTopology => {
                "Run `lienthong doctor` to learn which queue is wrong; delete a wrong queue and the gateway makes it anew (the store has everything); see the page Queues.".into()
            }
            K::BreakerOpen => format!(
                "Tell the people of {about}; the gateway tries again and goes on by itself. Errors and the next try are on the page Destinations or in `lienthong destinations list`."
            ),
            K::CredentialsRefused => format!(
                "Correct user and password of {about} in the configuration and restart; check with `lienthong doctor`. Replay what was parked meanwhile on the page Parked."
            ),
            K::StatusesLate => format!(
                "Open the page Destinations to see whether {about} is paused, held back or slow; `lienthong explain DOSSIER-CODE` says why one dossier waits."
            ),
            K::ProvinceLate => format!(
                "Tell the IT team of {}: see whether their system sends in batches, stands still or is refused, on the page Participants or with `lienthong participants show {about}`.",
                place(about)
            ),
            K::PoisonDossier => format!(
                "Open the page Parked with the reason CRASH_SUSPECT of {about}; read the log around the time the workers stopped, replay one of them, and only then the others."
            ),
            K::DeliveriesParked => format!(
                "Open the page Parked, look at the error groups of {about}, mend the cause, then replay (or `lienthong parked replay --destination {about} --reason ...`)."
            ),
            K::DestinationPaused => format!(
                "When the work is done, let it go on, on the page Destinations or with `lienthong destinations resume {about} --reason ...`."
            ),
            K::CertificateEnding => {
                "Have a new certificate issued and put it where `[tls]` says; it is loaded without a restart. Check with `lienthong doctor`.".into()
            }
            K::ClockWrong => {
                "Check the time synchronisation of this machine (`timedatectl`, chrony) and run `lienthong doctor`; if this machine is right, tell the destination.".into()
            }
            K::PopulationDown => {
                "Tell the people of the population database and check the line with `lienthong doctor`; the gateway asks again by itself.".into()
            }
            K::GuardBlocked => {
                "See who is held on the page Participants or with `lienthong participants guards`; talk to their agency, then lift it with `lienthong participants lift`.".into()
            }
            K::ApprovalAwaited => format!(
                "An approver looks at it and approves or cancels it on the page Operations, or with `lienthong operations approve {about} --reason ...`."
            ),
        }
    }
}

/// A root code with the name of its province, as far as it has one.
fn place(root: &str) -> String {
    match Province::by_code(root) {
        Some(province) => format!("{} ({root})", province.name()),
        None => root.to_owned(),
    }
}

/// Minutes as people say them: the two largest units would be more than a sentence needs.
fn lasting_vi(minutes: i64) -> String {
    match minutes {
        ..120 => format!("{minutes} phút"),
        120..2_880 => format!("{} giờ", minutes / 60),
        _ => format!("{} ngày", minutes / 1_440),
    }
}

fn lasting_en(minutes: i64) -> String {
    match minutes {
        1 => "1 minute".to_owned(),
        ..120 => format!("{minutes} minutes"),
        120..2_880 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}
