//! Scripted misbehaviour: which fault strikes which call is a pure function of the script, its
//! seed and the number of matching calls before.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::request::Service;
use crate::dice::Dice;
pub use crate::dice::When;
use crate::error::SimulatorError;

const DELAY_MS_MAX: u64 = 600_000;
const MESSAGE_CHARS_MAX: usize = 1_000;

/// Rules in order; latencies add up, and of the other faults the first that strikes wins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultScript {
    /// Same seed, same calls: same faults.
    #[serde(default)]
    pub seed: u64,
    /// At most 64 rules.
    #[serde(default)]
    pub rules: Vec<FaultRule>,
}

/// One fault and the calls it may strike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// What happens.
    pub fault: Fault,
    /// To which of the matching calls.
    #[serde(default)]
    pub when: When,
    /// Services it concerns; empty means every call, unreadable ones included.
    #[serde(default)]
    pub services: Vec<Service>,
}

/// How long a call takes; at most ten minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Latency {
    /// Always the same.
    Fixed {
        /// Milliseconds.
        ms: u64,
    },
    /// Each time between the two is as likely.
    Uniform {
        /// Shortest time in milliseconds.
        ms_min: u64,
        /// Longest time in milliseconds.
        ms_max: u64,
    },
    /// Mostly short, now and then long.
    Exponential {
        /// Mean in milliseconds, before the cut.
        ms_mean: u64,
        /// Longest time in milliseconds.
        ms_max: u64,
    },
}

/// What goes wrong.
#[expect(clippy::enum_variant_names, reason = "a SOAP fault is called so")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The call waits before it is answered.
    Latency(Latency),
    /// HTTP status 400 to 599 with a line of text.
    Status {
        /// The status.
        code: u16,
    },
    /// HTTP 500 with a SOAP fault that blames the server.
    SoapFault {
        /// `faultstring`.
        message: String,
    },
    /// HTTP 429 with `Retry-After`, or the same as a SOAP fault with HTTP 500.
    Busy {
        /// Seconds to wait.
        retry_after_s: u32,
        /// Whether it comes as a SOAP fault.
        #[serde(default)]
        as_soap_fault: bool,
    },
    /// HTTP 200 with a proxy's HTML page.
    Garbage,
    /// HTTP 200 with the first half of the right answer, as if it were whole.
    Truncated,
    /// HTTP 200 with nothing.
    EmptyBody,
    /// HTTP 200 with eight mebibytes of XML.
    HugeBody,
    /// The right answer, but in namespaces that nobody knows.
    WrongNamespace,
    /// The look-up answer about another citizen, whatever was asked.
    OtherPerson,
    /// The request is taken and never answered.
    HalfOpen,
    /// TCP abort without an answer.
    Cut,
    /// The connection ends in the middle of the answer.
    CutMidAnswer,
    /// The right answer, a few bytes at a time.
    SlowDrip {
        /// Bytes of a portion, at least 1.
        bytes: u32,
        /// Pause before each portion in milliseconds.
        every_ms: u64,
    },
    /// Every token given out so far ends, before the call is looked at.
    ExpireTokens,
    /// Every connection is cut as soon as it brings a request; the admin door stays open.
    Down,
}

impl FaultScript {
    /// Reads a script.
    ///
    /// # Errors
    /// The text is not JSON of this shape; bounds are checked when the script is set.
    pub fn from_json(text: &str) -> Result<Self, SimulatorError> {
        serde_json::from_str(text).map_err(SimulatorError::FaultJson)
    }

    /// The script with one fault that strikes every call.
    pub fn always(fault: Fault) -> Self {
        Self {
            seed: 0,
            rules: vec![FaultRule::always(fault)],
        }
    }
}

impl FaultRule {
    /// A rule for every call; narrow it with struct update syntax.
    pub fn always(fault: Fault) -> Self {
        Self {
            fault,
            when: When::Always,
            services: Vec::new(),
        }
    }

    fn concerns(&self, service: Option<Service>) -> bool {
        self.services.is_empty() || service.is_some_and(|service| self.services.contains(&service))
    }

    fn check(&self) -> Result<(), &'static str> {
        self.when.check()?;
        match &self.fault {
            Fault::Latency(latency) => latency.check(),
            Fault::Status { code } if !(400..600).contains(code) => {
                Err("a status lies between 400 and 599")
            }
            Fault::SoapFault { message } if message.chars().count() > MESSAGE_CHARS_MAX => {
                Err("a message has at most 1,000 characters")
            }
            Fault::SlowDrip { bytes: 0, .. } => Err("a drip has at least one byte"),
            Fault::SlowDrip { every_ms, .. } if *every_ms > DELAY_MS_MAX => {
                Err("a pause is at most 600,000 ms")
            }
            _ => Ok(()),
        }
    }
}

impl Latency {
    fn check(self) -> Result<(), &'static str> {
        let (ms_min, ms_max) = match self {
            Self::Fixed { ms } => (ms, ms),
            Self::Uniform { ms_min, ms_max } => (ms_min, ms_max),
            Self::Exponential { ms_mean, ms_max } => (ms_mean, ms_max),
        };
        if ms_min <= ms_max && ms_max <= DELAY_MS_MAX {
            Ok(())
        } else {
            Err("a latency grows to its longest time, at most 600,000 ms")
        }
    }

    fn roll(self, random: &mut ChaCha8Rng) -> u64 {
        match self {
            Self::Fixed { ms } => ms,
            Self::Uniform { ms_min, ms_max } => random.random_range(ms_min..=ms_max),
            Self::Exponential { ms_mean, ms_max } => {
                // Halved once per tail of a coin, which is exponential in steps of ln 2, and even
                // within a step; integers give the same times on every machine.
                let halvings = u64::from(random.random::<u64>().leading_zeros());
                let step = ms_mean.saturating_mul(693) / 1_000;
                let within = random.random_range(0..=step);
                (halvings * step + within).min(ms_max)
            }
        }
    }
}

impl Fault {
    /// The word under which the statistics count it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Latency(_) => "latency",
            Self::Status { .. } => "status",
            Self::SoapFault { .. } => "soap_fault",
            Self::Busy { .. } => "busy",
            Self::Garbage => "garbage",
            Self::Truncated => "truncated",
            Self::EmptyBody => "empty_body",
            Self::HugeBody => "huge_body",
            Self::WrongNamespace => "wrong_namespace",
            Self::OtherPerson => "other_person",
            Self::HalfOpen => "half_open",
            Self::Cut => "cut",
            Self::CutMidAnswer => "cut_mid_answer",
            Self::SlowDrip { .. } => "slow_drip",
            Self::ExpireTokens => "expire_tokens",
            Self::Down => "down",
        }
    }
}

/// What the script holds for one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    pub(crate) delay_ms: u64,
    pub(crate) strike: Option<Fault>,
    /// Every fault that struck, in the order of the rules, for the statistics.
    pub(crate) names: Vec<&'static str>,
}

/// A checked script with its counters.
#[derive(Debug)]
pub(crate) struct FaultDice {
    script: FaultScript,
    rules: Vec<Dice>,
}

impl FaultDice {
    pub(crate) fn new(script: FaultScript) -> Result<Self, SimulatorError> {
        let rules = Dice::of_rules(script.seed, &script.rules, FaultRule::check)?;
        Ok(Self { script, rules })
    }

    pub(crate) fn script(&self) -> &FaultScript {
        &self.script
    }

    /// Rolls for one call and counts it with every rule that concerns it.
    pub(crate) fn roll(&mut self, service: Option<Service>) -> Plan {
        let mut plan = Plan::default();
        for (rule, dice) in self.script.rules.iter().zip(&mut self.rules) {
            if !rule.concerns(service) || !dice.strikes(rule.when) {
                continue;
            }
            match &rule.fault {
                Fault::Latency(latency) => plan.delay_ms += latency.roll(&mut dice.random),
                _ if plan.strike.is_some() => continue,
                fault => plan.strike = Some(fault.clone()),
            }
            plan.names.push(rule.fault.name());
        }
        plan
    }
}

#[cfg(test)]
mod tests;
