//! How the simulated portal misbehaves, as portals do.

use lienthong_simulators::portal::{Fault, FaultRule, FaultScript, Service, When, WrongBody};

/// How much the portal misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Faults {
    /// Not at all, and it answers at once.
    None,
    /// Now and then: 503, 429, connections cut after the call was applied, slow answers, lost sessions; without
    /// `--for` a few dossiers are refused too.
    Light,
    /// Often; some dossiers are refused, and their deliveries parked.
    Heavy,
}

impl Faults {
    /// The script for the simulator. A run without an end also refuses a dossier now and then, so that whoever opens
    /// the console finds something to understand and to replay; a run with an end shall end with everything delivered.
    pub(super) fn script(self, seed: u64, has_end: bool) -> FaultScript {
        let rules = match self {
            Self::None => Vec::new(),
            Self::Light if has_end => rules(1.0),
            Self::Light => {
                let mut rules = rules(1.0);
                rules.push(refusal(0.000_5));
                rules
            }
            Self::Heavy => {
                let mut rules = rules(8.0);
                rules.push(refusal(0.005));
                rules.push(rule(
                    Fault::WrongBody {
                        body: WrongBody::Html,
                        applied: false,
                    },
                    0.005,
                ));
                rules
            }
        };
        FaultScript { seed, rules }
    }
}

/// The everyday faults, so many times as likely as on a good day.
fn rules(times: f64) -> Vec<FaultRule> {
    vec![
        rule(
            Fault::Delay {
                ms_min: 1,
                ms_max: 8,
            },
            1.0,
        ),
        rule(
            Fault::DelayAnswer {
                ms_min: 200,
                ms_max: 900,
            },
            0.002 * times,
        ),
        rule(Fault::Status { code: 503 }, 0.002 * times),
        rule(Fault::TooManyRequests { retry_after_s: 1 }, 0.0005 * times),
        rule(Fault::ResetAfter, 0.002 * times),
        rule(Fault::ResetBefore, 0.001 * times),
        rule(Fault::ExpireSession, 0.0005 * times),
    ]
}

/// Refuses a dossier, as the portal does that finds its data wrong.
fn refusal(probability: f64) -> FaultRule {
    let message = "Dữ liệu hồ sơ không hợp lệ".to_owned();
    FaultRule {
        services: vec![Service::SyncDossier],
        ..rule(Fault::Reject { message }, probability)
    }
}

fn rule(fault: Fault, probability: f64) -> FaultRule {
    FaultRule {
        when: When::Probability(probability),
        ..FaultRule::always(fault)
    }
}
