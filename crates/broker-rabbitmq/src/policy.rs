//! What a policy changes of what the gateway declared, and what that does. Pure: `management` asks, this judges.
//!
//! Source: <https://www.rabbitmq.com/docs/policies>, <https://www.rabbitmq.com/docs/quorum-queues>; which of policy and
//! argument wins in a quorum queue is `gather_policy_config` and `dead_letter_handler` of its `rabbit_quorum_queue`.

use serde_json::{Map, Value};

use crate::topology::{DEAD_EXCHANGE, DEAD_LETTER_STRATEGY, DELIVERY_LIMIT, OVERFLOW};

/// A key of a policy that changes what the gateway declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The queues or the exchange it applies to, such as `queue work.dvcqg`.
    pub objects: Vec<String>,
    /// The policies that apply there, one of which sets the key.
    pub set_by: SetBy,
    /// Such as `message-ttl`.
    pub key: String,
    /// As JSON.
    pub value: String,
    /// How bad it is.
    pub weight: Weight,
    /// What it does, as a sentence without its full stop.
    pub effect: &'static str,
}

/// Who decides beside the gateway: at most one policy of each kind applies to a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetBy {
    /// The name of the policy.
    pub policy: Option<String>,
    /// The name of the operator policy.
    pub operator_policy: Option<String>,
}

/// How bad an override is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Attempts are lost until their lease ends, or parked without need.
    Harmful,
    /// It works, and not as the gateway's settings say.
    Notable,
}

/// What a policy applies to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Declared {
    /// The queue of a destination, with the most messages that the gateway declared.
    Work { messages_max: u32 },
    /// The queue of dead letters, declared without limits.
    Dead,
    /// The exchange of attempts.
    Exchange,
}

/// What applies to one queue or exchange.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Applied {
    pub(crate) set_by: SetBy,
    pub(crate) definition: Map<String, Value>,
}

/// Adds to `found` what is applied to `object` and changes it; the same override of several objects is one.
pub(crate) fn judge(
    found: &mut Vec<Override>,
    object: &str,
    declared: Declared,
    applied: &Applied,
) {
    for (key, value) in &applied.definition {
        let Some((weight, effect)) = effect(declared, key, value) else {
            continue;
        };
        let value = value.to_string();
        let same = found.iter_mut().find(|known| {
            (&known.set_by, &known.key, &known.value, known.effect)
                == (&applied.set_by, key, &value, effect)
        });
        match same {
            Some(known) => known.objects.push(object.to_owned()),
            None => found.push(Override {
                objects: vec![object.to_owned()],
                set_by: applied.set_by.clone(),
                key: key.clone(),
                value,
                weight,
                effect,
            }),
        }
    }
}

/// What one key of a definition does there; `None` if nothing that the gateway would notice.
fn effect(declared: Declared, key: &str, value: &Value) -> Option<(Weight, &'static str)> {
    match declared {
        Declared::Work { messages_max } => effect_on_work(messages_max, key, value),
        Declared::Dead => effect_on_dead(key, value),
        Declared::Exchange => (key == "alternate-exchange").then_some((
            Weight::Harmful,
            "attempts whose queue is missing are confirmed and lost until their lease ends",
        )),
    }
}

fn effect_on_work(messages_max: u32, key: &str, value: &Value) -> Option<(Weight, &'static str)> {
    use Weight::{Harmful, Notable};
    const ARGUMENT_WINS: &str = "it does nothing while the queue has its own argument, which wins";
    let is_not = |ours: &str| value.as_str() != Some(ours);
    match key {
        "expires" => Some((
            Harmful,
            "the broker deletes the queue with its messages when nobody receives from it for so long",
        )),
        "message-ttl" => Some((
            Harmful,
            "attempts that wait longer become dead letters, and their deliveries are parked",
        )),
        "overflow" if is_not(OVERFLOW) => Some((
            Harmful,
            "a full queue gives up its oldest messages instead of refusing new ones",
        )),
        "max-length" if is_below(value, messages_max.into()) => Some((
            Notable,
            "the broker refuses attempts sooner than queue_messages_max says",
        )),
        "max-length-bytes" => Some((
            Notable,
            "the broker may refuse attempts sooner than queue_messages_max says",
        )),
        "delivery-limit" if is_below(value, DELIVERY_LIMIT.into()) => Some((
            Notable,
            "attempts that workers gave back become dead letters sooner than the gateway declared",
        )),
        "dead-letter-exchange" if is_not(DEAD_EXCHANGE) => Some((Notable, ARGUMENT_WINS)),
        "dead-letter-strategy" if is_not(DEAD_LETTER_STRATEGY) => Some((Notable, ARGUMENT_WINS)),
        "dead-letter-routing-key" => Some((
            Notable,
            "it does nothing while dead letters go to lienthong.dlx, which does not look at the key",
        )),
        _ => None,
    }
}

fn effect_on_dead(key: &str, value: &Value) -> Option<(Weight, &'static str)> {
    use Weight::{Harmful, Notable};
    match key {
        "expires" => Some((
            Harmful,
            "the broker deletes the queue with its dead letters when nobody receives from it for so long",
        )),
        "message-ttl" => Some((
            Harmful,
            "dead letters vanish when the gateway does not read them in time",
        )),
        "max-length" | "max-length-bytes" => Some((
            Notable,
            "dead letters are dropped or held back when the queue is full",
        )),
        "delivery-limit" if is_below(value, DELIVERY_LIMIT.into()) => Some((
            Notable,
            "dead letters that the gateway gave back so often are dropped",
        )),
        _ => None,
    }
}

/// Of policy and argument the broker applies the smaller; a negative limit is none.
fn is_below(value: &Value, ours: i64) -> bool {
    value
        .as_i64()
        .is_some_and(|value| (0..ours).contains(&value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Weight::{Harmful, Notable};
    use super::*;

    fn applied(definition: &Value) -> Applied {
        let set_by = SetBy {
            policy: Some("chung".to_owned()),
            operator_policy: None,
        };
        let definition = definition.as_object().unwrap().clone();
        Applied { set_by, definition }
    }

    /// How bad each definition is at this queue or exchange.
    fn assert_weights(declared: Declared, table: &[(Value, &[Weight])]) {
        for (definition, expected) in table {
            let mut found = Vec::new();
            judge(&mut found, "there", declared, &applied(definition));
            let weights: Vec<_> = found.iter().map(|found| found.weight).collect();
            assert_eq!(weights, *expected, "{declared:?} {definition}");
        }
    }

    #[test]
    fn a_work_queue_has_to_keep_what_it_confirmed() {
        let table: [(_, &[_]); 20] = [
            (json!({}), &[]),
            (json!({"expires": 60_000}), &[Harmful]),
            (json!({"message-ttl": 0}), &[Harmful]),
            (json!({"overflow": "drop-head"}), &[Harmful]),
            (json!({"overflow": "reject-publish"}), &[]),
            (json!({"max-length": 9_999}), &[Notable]),
            (json!({"max-length": 10_000}), &[]),
            (json!({"max-length-bytes": 1_073_741_824}), &[Notable]),
            (json!({"delivery-limit": 4}), &[Notable]),
            (json!({"delivery-limit": 0}), &[Notable]),
            (json!({"delivery-limit": 5}), &[]),
            (json!({"delivery-limit": -1}), &[]),
            (json!({"dead-letter-exchange": "amq.fanout"}), &[Notable]),
            (json!({"dead-letter-exchange": "lienthong.dlx"}), &[]),
            (json!({"dead-letter-strategy": "at-most-once"}), &[Notable]),
            (json!({"dead-letter-strategy": "at-least-once"}), &[]),
            (json!({"dead-letter-routing-key": "x"}), &[Notable]),
            (json!({"alternate-exchange": "amq.fanout"}), &[]),
            (json!({"queue-leader-locator": "balanced"}), &[]),
            (json!({"expires": 1, "max-length": 1}), &[Harmful, Notable]),
        ];
        let messages_max = 10_000;
        assert_weights(Declared::Work { messages_max }, &table);
    }

    #[test]
    fn dead_letters_have_to_wait_for_the_gateway() {
        let table: [(_, &[_]); 8] = [
            (json!({"expires": 60_000}), &[Harmful]),
            (json!({"message-ttl": 60_000}), &[Harmful]),
            (json!({"max-length": 1_099_511_627_776_i64}), &[Notable]),
            (json!({"max-length-bytes": 1}), &[Notable]),
            (json!({"delivery-limit": 4}), &[Notable]),
            (json!({"delivery-limit": 5}), &[]),
            (json!({"overflow": "drop-head"}), &[]),
            (json!({"dead-letter-exchange": "x"}), &[]),
        ];
        assert_weights(Declared::Dead, &table);
    }

    #[test]
    fn the_exchange_has_to_return_what_no_queue_takes() {
        let table: [(_, &[_]); 2] = [
            (json!({"alternate-exchange": "x"}), &[Harmful]),
            (json!({"message-ttl": 1}), &[]),
        ];
        assert_weights(Declared::Exchange, &table);
    }

    #[test]
    fn one_policy_over_several_queues_is_told_once_and_another_value_apart() {
        let work = Declared::Work {
            messages_max: 10_000,
        };
        let mut found = Vec::new();
        let hour = applied(&json!({"message-ttl": 3_600_000}));
        judge(&mut found, "queue work.dvcqg", work, &hour);
        judge(&mut found, "queue work.identity", work, &hour);
        judge(&mut found, "queue lienthong.dead", Declared::Dead, &hour);
        let mut other = hour;
        other.set_by.operator_policy = Some("trần".to_owned());
        judge(&mut found, "queue work.khac", work, &other);
        let objects: Vec<_> = found.iter().map(|found| found.objects.join(" ")).collect();
        let expected = [
            "queue work.dvcqg queue work.identity",
            "queue lienthong.dead",
            "queue work.khac",
        ];
        assert_eq!(objects, expected);
        assert_eq!(
            (found[0].key.as_str(), found[0].value.as_str()),
            ("message-ttl", "3600000")
        );
        assert_eq!(found[0].set_by.policy.as_deref(), Some("chung"));
    }
}
