//! Scripted misbehaviour: which fault strikes which call is a pure function of the script, its
//! seed and the number of matching calls before.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::SimulatorError;
use super::call::Service;
use crate::dice::Dice;
pub use crate::dice::When;

const PATTERNS_MAX: usize = 10_000;
const DELAY_MS_MAX: u64 = 600_000;

/// Rules in order; delays add up, and of the other faults the first that strikes wins.
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
    /// Services it concerns; empty means every call, a login included.
    #[serde(default)]
    pub services: Vec<Service>,
    /// Dossier codes it concerns, each with at most one `*`; empty means every call.
    #[serde(default)]
    pub dossiers: Vec<String>,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The call waits before it is looked at; at most ten minutes.
    Delay {
        /// Shortest delay in milliseconds.
        ms_min: u64,
        /// Longest delay in milliseconds.
        ms_max: u64,
    },
    /// The call is carried out at once and its answer waits; at most ten minutes.
    DelayAnswer {
        /// Shortest delay in milliseconds.
        ms_min: u64,
        /// Longest delay in milliseconds.
        ms_max: u64,
    },
    /// HTTP status 400 to 599, nothing applied.
    Status {
        /// The status.
        code: u16,
    },
    /// HTTP 429 with `Retry-After`, nothing applied.
    TooManyRequests {
        /// Seconds to wait.
        retry_after_s: u32,
    },
    /// TCP abort without an answer, nothing applied.
    ResetBefore,
    /// TCP abort without an answer after the call was carried out.
    ResetAfter,
    /// The caller's session ends, and the answer says so.
    ExpireSession,
    /// HTTP 200 with something that is not the portal's JSON.
    WrongBody {
        /// What comes instead.
        body: WrongBody,
        /// Whether the call was carried out first.
        #[serde(default)]
        applied: bool,
    },
    /// `error_code` -1 with this message, nothing applied.
    Reject {
        /// What the portal says.
        message: String,
    },
    /// Every connection is cut as soon as it brings a request; the admin door stays open.
    Down,
}

/// What comes instead of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrongBody {
    /// The first half of the right answer.
    Truncated,
    /// A proxy's HTML page.
    Html,
    /// A JSON document of eight mebibytes.
    Huge,
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
            dossiers: Vec::new(),
        }
    }

    fn concerns(&self, service: Option<Service>, dossiers: &[&str]) -> bool {
        let service_fits = self.services.is_empty()
            || service.is_some_and(|service| self.services.contains(&service));
        let dossier_fits = self.dossiers.is_empty()
            || dossiers
                .iter()
                .any(|code| self.dossiers.iter().any(|rule| fits(rule, code)));
        service_fits && dossier_fits
    }

    fn check(&self) -> Result<(), &'static str> {
        self.when.check()?;
        if self.dossiers.len() > PATTERNS_MAX {
            return Err("at most 10,000 dossier patterns");
        }
        if self
            .dossiers
            .iter()
            .any(|pattern| pattern.matches('*').count() > 1)
        {
            return Err("a dossier pattern has at most one '*'");
        }
        match self.fault {
            Fault::Delay { ms_min, ms_max } | Fault::DelayAnswer { ms_min, ms_max }
                if ms_min > ms_max || ms_max > DELAY_MS_MAX =>
            {
                Err("a delay runs from ms_min to ms_max, at most 600,000 ms")
            }
            Fault::Status { code } if !(400..600).contains(&code) => {
                Err("a status lies between 400 and 599")
            }
            _ => Ok(()),
        }
    }
}

impl Fault {
    /// The word under which the statistics count it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Delay { .. } => "delay",
            Self::DelayAnswer { .. } => "delay_answer",
            Self::Status { .. } => "status",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::ResetBefore => "reset_before",
            Self::ResetAfter => "reset_after",
            Self::ExpireSession => "expire_session",
            Self::WrongBody { .. } => "wrong_body",
            Self::Reject { .. } => "reject",
            Self::Down => "down",
        }
    }
}

/// Whether `code` is `pattern`, whose single `*` stands for any text.
fn fits(pattern: &str, code: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == code,
        Some((head, tail)) => code
            .strip_prefix(head)
            .is_some_and(|rest| rest.ends_with(tail)),
    }
}

/// What the script holds for one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    pub(crate) delay_ms: u64,
    pub(crate) delay_answer_ms: u64,
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
    pub(crate) fn roll(&mut self, service: Option<Service>, dossiers: &[&str]) -> Plan {
        let mut plan = Plan::default();
        for (rule, dice) in self.script.rules.iter().zip(&mut self.rules) {
            if !rule.concerns(service, dossiers) || !dice.strikes(rule.when) {
                continue;
            }
            match rule.fault {
                Fault::Delay { ms_min, ms_max } => {
                    plan.delay_ms += dice.random.random_range(ms_min..=ms_max);
                }
                Fault::DelayAnswer { ms_min, ms_max } => {
                    plan.delay_answer_ms += dice.random.random_range(ms_min..=ms_max);
                }
                _ if plan.strike.is_some() => continue,
                _ => plan.strike = Some(rule.fault.clone()),
            }
            plan.names.push(rule.fault.name());
        }
        plan
    }
}

#[cfg(test)]
mod tests;
