//! What people read about a seed that failed.

use std::fmt::{self, Write as _};

use lienthong_delivery::Config;
use lienthong_domain::StatusEvent;

use crate::script::Script;

/// Violations of a seed that are shown.
const SHOWN_MAX: usize = 10;

/// What to read about failed seeds: the script and the violations of the first, the numbers of the others.
pub(crate) fn of(failures: &[(u64, Vec<String>)]) -> String {
    let mut story = String::new();
    let seeds = failures.iter().map(|(seed, _)| seed).collect::<Vec<_>>();
    let (seed, violations) = &failures[0];
    writeln!(
        story,
        "{} seeds failed: {seeds:?}\n{}",
        seeds.len(),
        Script::of(*seed)
    )
    .expect("a string");
    for violation in violations.iter().take(SHOWN_MAX) {
        writeln!(story, "seed {seed}: {violation}").expect("a string");
    }
    writeln!(
        story,
        "LIENTHONG_SIM_SEED={seed} prints everything that happened"
    )
    .expect("a string");
    story
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {}, healed at {} ms, outage {:?}",
            self.seed, self.heal_ms, self.outage
        )?;
        let Config {
            lease_ms,
            window,
            concurrency_max,
            retry_last_times,
            ..
        } = &self.delivery;
        writeln!(
            f,
            "  lease {lease_ms} ms, window {window}, concurrency {concurrency_max}, last delay x{retry_last_times}, \
             store faults {}/1000, freezes {}/1000, ghosts {}/1000",
            self.store_fault_permille, self.freeze_permille, self.ghost_permille
        )?;
        for lane in &self.lanes {
            writeln!(f, "  {lane:?}")?;
        }
        writeln!(f, "  broker {:?}", self.broker)?;
        for death in &self.deaths {
            writeln!(f, "  {death:?}")?;
        }
        for (at_ms, trouble) in &self.troubles {
            writeln!(f, "  {at_ms:>8} ms {trouble:?}")?;
        }
        for push in &self.pushes {
            writeln!(
                f,
                "  {:>8} ms push of {} x{}",
                push.at_ms, push.participant, push.copies
            )?;
            for event in &push.events {
                let StatusEvent {
                    key,
                    dossier,
                    status,
                    source_sequence,
                    occurred_at,
                    ..
                } = event;
                writeln!(
                    f,
                    "           {key:?} {dossier} {} {source_sequence:?} {occurred_at}",
                    status.code()
                )?;
            }
        }
        Ok(())
    }
}
