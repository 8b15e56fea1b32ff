//! A message in AMQP's properties: `message_id` is `<delivery>:<fence>`, both decimal, and the header `traceparent` its
//! trace, where there is one.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use lienthong_domain::{DeliveryId, Fence, TraceContext};
use lienthong_ports::Message;

/// What a message is published with.
pub(crate) fn properties(message: Message) -> BasicProperties {
    let properties = BasicProperties::default().with_message_id(encode(message).into());
    let Some(trace) = message.trace else {
        return properties;
    };
    let mut headers = FieldTable::default();
    let value = AMQPValue::LongString(trace.to_string().into());
    headers.insert(TraceContext::HEADER.into(), value);
    properties.with_headers(headers)
}

/// The message that was published so; `None` without a readable id. An unreadable trace is none.
pub(crate) fn message(properties: &BasicProperties) -> Option<Message> {
    let message = decode(properties.message_id().as_ref()?.as_str())?;
    let headers = properties.headers().as_ref();
    let trace = headers.and_then(|headers| headers.inner().get(TraceContext::HEADER));
    let trace = match trace {
        Some(AMQPValue::LongString(text)) => std::str::from_utf8(text.as_bytes()).ok(),
        _ => None,
    };
    Some(Message {
        trace: trace.and_then(TraceContext::parse),
        ..message
    })
}

fn encode(message: Message) -> String {
    format!("{}:{}", message.delivery, message.fence)
}

/// `None` for anything that [`encode`] does not write.
fn decode(text: &str) -> Option<Message> {
    let (delivery, fence) = text.split_once(':')?;
    let message = Message {
        delivery: DeliveryId(delivery.parse().ok()?),
        fence: Fence(fence.parse().ok()?),
        trace: None,
    };
    (encode(message) == text).then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let trace = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        for (delivery, fence) in [(0, 0), (1, 2), (i64::MAX, i64::MAX), (-1, 7)] {
            for trace in [None, trace] {
                let sent = Message {
                    delivery: DeliveryId(delivery),
                    fence: Fence(fence),
                    trace,
                };
                assert_eq!(message(&properties(sent)), Some(sent));
            }
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

    #[test]
    fn a_foreign_trace_header_is_no_trace_and_no_fault() {
        for value in [
            AMQPValue::LongString("hỏng".into()),
            AMQPValue::LongString(vec![0xff; 9].into()),
            AMQPValue::LongInt(7),
        ] {
            let mut headers = FieldTable::default();
            headers.insert("traceparent".into(), value);
            let properties = BasicProperties::default()
                .with_message_id("1:2".into())
                .with_headers(headers);
            let read = message(&properties).expect("the id is readable");
            assert_eq!((read.delivery.0, read.trace), (1, None));
        }
    }
}
