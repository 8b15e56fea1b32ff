//! Why store and broker count differently, in words: the store is the truth, and the broker only carries what is on
//! its way, so most differences are as they should be.

use lienthong_domain::DeliveryState;
use lienthong_ports::broker::{BrokerState, QueueDepth};
use lienthong_ports::store::Counts;

/// What differs between the store's counts and a queue of the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The broker is not connected.
    NotConnected {
        /// Deliveries that wait in the store.
        waiting: u64,
    },
    /// The broker is connected and does not know the queue, or cannot say how deep it is.
    QueueUnknown {
        /// Deliveries that wait in the store.
        waiting: u64,
    },
    /// Messages lie there and nobody takes them.
    NoConsumers {
        /// Messages in the broker.
        messages: u64,
    },
    /// More messages than deliveries on their way: older copies.
    Copies {
        /// So many more.
        surplus: u64,
    },
    /// Fewer messages than deliveries on their way: lost, or about to be acknowledged.
    Missing {
        /// So many fewer.
        missing: u64,
    },
    /// As many messages as deliveries on their way; the others wait in the store.
    HeldInStore {
        /// Deliveries that wait in the store.
        held: u64,
        /// Messages in the broker.
        messages: u64,
    },
}

/// Compares what waits for a destination with its queue; `None` when both count the same.
pub fn of(counts: &Counts, depth: Option<&QueueDepth>, broker: &BrokerState) -> Option<Difference> {
    let waiting = counts.waiting();
    if !broker.connected {
        return Some(Difference::NotConnected { waiting });
    }
    let Some(depth) = depth else {
        return Some(Difference::QueueUnknown { waiting });
    };
    let under_way = counts.of(DeliveryState::Sent) + counts.of(DeliveryState::Calling);
    let messages = depth.messages;
    if messages > 0 && depth.consumers == 0 {
        return Some(Difference::NoConsumers { messages });
    }
    if messages > under_way {
        let surplus = messages - under_way;
        return Some(Difference::Copies { surplus });
    }
    if messages < under_way {
        let missing = under_way - messages;
        return Some(Difference::Missing { missing });
    }
    let held = waiting - under_way;
    (held > 0).then_some(Difference::HeldInStore { held, messages })
}

impl Difference {
    /// In Vietnamese.
    pub fn vi(self) -> String {
        match self {
            Self::NotConnected { waiting } => format!(
                "Chưa kết nối được hàng đợi; {waiting} lượt gửi vẫn nằm an toàn trong kho và sẽ đi tiếp khi có kết nối."
            ),
            Self::QueueUnknown { waiting } => format!(
                "Hàng đợi không cho biết số bản tin, có thể nó đã bị xóa; {waiting} lượt gửi vẫn nằm trong kho. Chạy `lienthong doctor` để kiểm tra."
            ),
            Self::NoConsumers { messages } => format!(
                "{messages} bản tin nằm trong hàng đợi mà không tiến trình nào nhận; hết hạn giữ chỗ, chúng được phát lại. Nếu kéo dài, hãy khởi động lại tiến trình gửi."
            ),
            Self::Copies { surplus } => format!(
                "Hàng đợi nhiều hơn {surplus} bản tin: là bản cũ của các lượt đã phát lại; tiến trình gửi tự bỏ qua, không gửi trùng."
            ),
            Self::Missing { missing } => format!(
                "Hàng đợi thiếu {missing} bản tin so với kho: chúng vừa được xử lý xong hoặc đã mất; lượt bị mất được phát lại khi hết hạn giữ chỗ."
            ),
            Self::HeldInStore { held, messages } => format!(
                "{held} lượt chờ trong kho và {messages} bản tin trong hàng đợi: kho chỉ giao cho hàng đợi những lượt đã đến lúc gửi và còn chỗ."
            ),
        }
    }

    /// In English.
    pub fn en(self) -> String {
        match self {
            Self::NotConnected { waiting } => format!(
                "The broker is not connected; {waiting} deliveries lie safe in the store and go on when it is."
            ),
            Self::QueueUnknown { waiting } => format!(
                "The broker does not say how deep the queue is, so it may have been deleted; {waiting} deliveries lie safe in the store. `lienthong doctor` checks it."
            ),
            Self::NoConsumers { messages } => format!(
                "{messages} messages lie in the broker and no worker takes them; when their leases end they are published again. If this lasts, restart the workers."
            ),
            Self::Copies { surplus } => format!(
                "The broker has {surplus} messages more: older copies of deliveries published again. Workers drop them; nothing is sent twice."
            ),
            Self::Missing { missing } => format!(
                "The broker has {missing} messages fewer than the store has under way: they were just dealt with, or were lost. Lost ones are published again when their leases end."
            ),
            Self::HeldInStore { held, messages } => format!(
                "{held} deliveries wait in the store and {messages} messages in the broker: the store hands over only what is due and has room."
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use lienthong_domain::DestinationName;

    use super::*;

    /// Counts of deliveries Queued, Ready, Sent and Calling.
    fn counts(queued: u64, ready: u64, sent: u64, calling: u64) -> Counts {
        let mut by_state = [0; 8];
        let states = [
            (DeliveryState::Queued, queued),
            (DeliveryState::Ready, ready),
            (DeliveryState::Sent, sent),
            (DeliveryState::Calling, calling),
            (DeliveryState::Parked, 77),
        ];
        for (state, count) in states {
            by_state[usize::from(state.code())] = count;
        }
        Counts {
            destination: DestinationName::parse("dvcqg").unwrap(),
            by_state,
            oldest_waiting_since: None,
            oldest_waiting: None,
        }
    }

    fn depth(messages: u64, consumers: u64) -> QueueDepth {
        QueueDepth {
            queue: "work.dvcqg".to_owned(),
            messages,
            consumers,
            unacknowledged: 0,
            redelivered: 0,
        }
    }

    #[test]
    fn every_difference_is_told_and_agreement_is_not() {
        use Difference as D;
        let table = [
            (counts(0, 0, 0, 0), Some(depth(0, 1)), true, None),
            (counts(0, 0, 2, 1), Some(depth(3, 1)), true, None),
            (counts(0, 0, 0, 0), Some(depth(0, 0)), true, None),
            (
                counts(5, 4, 2, 1),
                Some(depth(3, 1)),
                true,
                Some(D::HeldInStore {
                    held: 9,
                    messages: 3,
                }),
            ),
            (
                counts(5, 4, 2, 1),
                Some(depth(1, 1)),
                true,
                Some(D::Missing { missing: 2 }),
            ),
            (
                counts(5, 4, 2, 1),
                Some(depth(7, 1)),
                true,
                Some(D::Copies { surplus: 4 }),
            ),
            (
                counts(0, 0, 2, 1),
                Some(depth(3, 0)),
                true,
                Some(D::NoConsumers { messages: 3 }),
            ),
            (
                counts(1, 0, 0, 0),
                None,
                true,
                Some(D::QueueUnknown { waiting: 1 }),
            ),
            (
                counts(1, 1, 0, 0),
                None,
                false,
                Some(D::NotConnected { waiting: 2 }),
            ),
        ];
        for (counts, depth, connected, expected) in table {
            let broker = BrokerState {
                connected,
                ..BrokerState::default()
            };
            let found = of(&counts, depth.as_ref(), &broker);
            assert_eq!(found, expected, "{counts:?} {depth:?}");
            if let Some(found) = found {
                assert!(found.vi().ends_with('.') && found.en().ends_with('.'));
                assert_ne!(found.vi(), found.en());
            }
        }
    }
}
