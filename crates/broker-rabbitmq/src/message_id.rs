//! A message in the AMQP property `message_id`: `<delivery>:<fence>`, both decimal.

use lienthong_domain::{DeliveryId, Fence};
use lienthong_ports::Message;

pub(crate) fn encode(message: Message) -> String {
    format!("{}:{}", message.delivery, message.fence)
}

/// `None` for anything that [`encode`] does not write.
pub(crate) fn decode(text: &str) -> Option<Message> {
    let (delivery, fence) = text.split_once(':')?;
    let message = Message {
        delivery: DeliveryId(delivery.parse().ok()?),
        fence: Fence(fence.parse().ok()?),
    };
    (encode(message) == text).then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        for (delivery, fence) in [(0, 0), (1, 2), (i64::MAX, i64::MAX), (-1, 7)] {
            let message = Message {
                delivery: DeliveryId(delivery),
                fence: Fence(fence),
            };
            assert_eq!(decode(&encode(message)), Some(message));
        }
        for text in [
            "",
            ":",
            "1",
            "1:",
            ":1",
            "1:2:3",
            "+1:2",
            "01:2",
            "1:2 ",
            "1:9223372036854775808",
        ] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
