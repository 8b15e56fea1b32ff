//! Why a dossier waits: the lane's state put into one cause, who can end it, and a sentence in two languages.

use lienthong_domain::delivery::ParkReason;
use lienthong_domain::{DeliveryState, DestinationName, Timestamp};
use lienthong_ports::broker::BrokerState;
use lienthong_ports::store::{DeliveryView, DestinationRow, LaneView};

/// Why a lane does not move, or that it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Nothing waits.
    Delivered,
    /// It is on its way right now.
    UnderWay,
    /// It is due and will be claimed in a moment.
    Due,
    /// The last attempt failed; the next one has its time.
    RetryScheduled,
    /// The destination is down; nothing is tried and nothing is counted.
    BreakerOpen,
    /// An operator halted the destination.
    Paused,
    /// The broker is not connected; the store keeps everything.
    BrokerDown,
    /// Parked: the destination refused the dossier.
    ParkedRejected,
    /// Parked: the schedule ran out.
    ParkedExhausted,
    /// Parked: suspected of stopping workers, or given up by the broker.
    ParkedSuspect,
}

/// Who can end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixer {
    /// Nobody has to.
    Nobody,
    /// The participant: with a corrected status.
    Participant,
    /// The destination's people.
    Destination,
    /// The gateway's operators.
    Operator,
}

/// What is said of one lane.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The destination.
    pub destination: DestinationName,
    /// The cause.
    pub cause: Cause,
    /// Who can end it.
    pub fixer: Fixer,
    /// The delivery that everything waits for.
    pub head: Option<DeliveryView>,
    /// When something happens by itself.
    pub next_at: Option<Timestamp>,
}

impl Cause {
    /// Who can end it.
    pub fn fixer(self) -> Fixer {
        match self {
            Self::Delivered | Self::UnderWay | Self::Due | Self::RetryScheduled => Fixer::Nobody,
            Self::BreakerOpen => Fixer::Destination,
            Self::ParkedRejected => Fixer::Participant,
            Self::Paused | Self::BrokerDown | Self::ParkedExhausted | Self::ParkedSuspect => {
                Fixer::Operator
            }
        }
    }

    /// The stable name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::UnderWay => "under_way",
            Self::Due => "due",
            Self::RetryScheduled => "retry_scheduled",
            Self::BreakerOpen => "breaker_open",
            Self::Paused => "paused",
            Self::BrokerDown => "broker_down",
            Self::ParkedRejected => "parked_rejected",
            Self::ParkedExhausted => "parked_exhausted",
            Self::ParkedSuspect => "parked_suspect",
        }
    }

    /// One sentence in Vietnamese.
    pub fn vi(self) -> &'static str {
        match self {
            Self::Delivered => "Mọi trạng thái đã được gửi tới nơi nhận.",
            Self::UnderWay => "Trạng thái đang được gửi.",
            Self::Due => "Trạng thái đến lượt và sẽ được gửi ngay.",
            Self::RetryScheduled => "Lần gửi trước chưa được; hệ thống sẽ tự gửi lại theo lịch.",
            Self::BreakerOpen => {
                "Nơi nhận đang ngừng hoạt động; hệ thống tạm dừng gửi và tự thử lại."
            }
            Self::Paused => "Người vận hành đã tạm dừng nơi nhận này.",
            Self::BrokerDown => "Mất kết nối tới hàng đợi; dữ liệu được giữ an toàn trong kho.",
            Self::ParkedRejected => {
                "Nơi nhận từ chối hồ sơ; đơn vị cần gửi trạng thái đã sửa, sau đó chuyển lại hoặc hủy bỏ."
            }
            Self::ParkedExhausted => {
                "Đã thử hết lịch gửi lại; người vận hành cần kiểm tra và chuyển lại."
            }
            Self::ParkedSuspect => {
                "Lượt gửi bị nghi làm dừng tiến trình; người vận hành cần kiểm tra."
            }
        }
    }

    /// One sentence in English.
    pub fn en(self) -> &'static str {
        match self {
            Self::Delivered => "Every status has reached the destination.",
            Self::UnderWay => "The status is being delivered right now.",
            Self::Due => "The status is due and will be delivered in a moment.",
            Self::RetryScheduled => "The last attempt failed; the next one comes by itself.",
            Self::BreakerOpen => {
                "The destination is down; calls are held back and tried again by themselves."
            }
            Self::Paused => "An operator paused this destination.",
            Self::BrokerDown => "The broker is not connected; the store keeps everything.",
            Self::ParkedRejected => {
                "The destination refused the dossier; its participant sends a corrected status, then replay or discard."
            }
            Self::ParkedExhausted => {
                "The retry schedule ran out; an operator looks into it and replays."
            }
            Self::ParkedSuspect => "Suspected of stopping workers; an operator looks into it.",
        }
    }
}

/// Explains one lane.
pub fn lane(
    lane: &LaneView,
    row: Option<&DestinationRow>,
    broker: &BrokerState,
    now: Timestamp,
) -> Explanation {
    let open_until = row
        .and_then(|row| row.breaker.open_until)
        .filter(|until| *until > now);
    let next = lane.head.as_ref().and_then(|head| head.next_attempt_at);
    let (cause, next_at) = match lane.head.as_ref() {
        None => (Cause::Delivered, None),
        Some(head) => match head.state {
            DeliveryState::Parked => (parked(head.parked), None),
            DeliveryState::Sent | DeliveryState::Calling => (Cause::UnderWay, None),
            _ if row.is_some_and(|row| row.paused.is_some()) => (Cause::Paused, None),
            _ if open_until.is_some() => (Cause::BreakerOpen, open_until),
            _ if !broker.connected => (Cause::BrokerDown, None),
            _ if next.is_some_and(|at| at > now) => (Cause::RetryScheduled, next),
            _ => (Cause::Due, next),
        },
    };
    Explanation {
        destination: lane.destination.clone(),
        cause,
        fixer: cause.fixer(),
        head: lane.head.clone(),
        next_at,
    }
}

fn parked(reason: Option<ParkReason>) -> Cause {
    match reason {
        Some(ParkReason::Rejected) => Cause::ParkedRejected,
        Some(ParkReason::Exhausted) | None => Cause::ParkedExhausted,
        Some(ParkReason::CrashSuspect | ParkReason::DeadLettered) => Cause::ParkedSuspect,
    }
}
