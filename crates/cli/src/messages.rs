//! Messages of the contract as JSON and back, by the contract's own descriptors: protobuf's JSON
//! form with the names of the `.proto` files.

use std::sync::LazyLock;

use lienthong_proto::FILE_DESCRIPTOR_SET;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde_json::Value;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the build of the contract wrote it")
});

fn descriptor(name: &str) -> MessageDescriptor {
    POOL.get_message_by_name(name)
        .expect("callers name messages of the contract")
}

/// `message`, whose full name is `name`, as JSON with every field that has a value or a default.
pub(crate) fn to_json(name: &str, message: &impl Message) -> Value {
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .stringify_64_bit_integers(false)
        .skip_default_fields(false);
    DynamicMessage::decode(descriptor(name), message.encode_to_vec().as_slice())
        .expect("the message has the type of its name")
        .serialize_with_options(serde_json::value::Serializer, &options)
        .expect("times of the contract fit JSON")
}

/// `half open` from `BREAKER_STATE_HALF_OPEN`, for names of enumerations of the contract.
pub(crate) fn word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix)
        .unwrap_or(name)
        .to_lowercase()
        .replace('_', " ")
}

/// Reads a message, whose full name is `name`; a key that the contract does not know is an error.
///
/// # Errors
/// What does not fit; the text may quote the value.
pub(crate) fn from_json<M: Message + Default>(
    name: &str,
    value: Value,
) -> Result<M, serde_json::Error> {
    let message = DynamicMessage::deserialize(descriptor(name), value)?;
    Ok(
        M::decode(message.encode_to_vec().as_slice())
            .expect("the message has the type of its name"),
    )
}

#[cfg(test)]
mod tests {
    use lienthong_proto::dossier::v1::{DossierStatus, StatusEvent};
    use serde_json::json;

    use super::*;

    const EVENT: &str = "lienthong.dossier.v1.StatusEvent";

    #[test]
    fn an_event_reads_back() {
        let value = json!({
            "idempotency_key": "k", "dossier_code": "H56.14-240823-0001",
            "status": "DOSSIER_STATUS_ACCEPTED", "occurred_at": "2024-08-23T01:00:00Z",
            "details": {"applicant": {"name": "Lê Thị Hoà"}, "fees": {"items": [{"amount_vnd": 8000}]}},
        });
        let event: StatusEvent = from_json(EVENT, value).unwrap();
        assert_eq!(event.status(), DossierStatus::Accepted);
        let told = to_json(EVENT, &event);
        assert_eq!(told["details"]["fees"]["items"][0]["amount_vnd"], 8000);
        assert_eq!(from_json::<StatusEvent>(EVENT, told).unwrap(), event);
    }

    #[test]
    fn words_are_read_from_names_of_the_contract() {
        assert_eq!(
            word("BREAKER_STATE_HALF_OPEN", "BREAKER_STATE_"),
            "half open"
        );
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(from_json::<StatusEvent>(EVENT, json!({"detials": {}})).is_err());
    }
}
