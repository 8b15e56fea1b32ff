//! The participants file as written, and how an entry becomes a participant.

use lienthong_domain::participant::{Participant, ParticipantId, Role, System};
use lienthong_domain::timeline::TransitionPolicy;
use serde::Deserialize;

use super::RATE_PER_SECOND_DEFAULT;
use super::grants::{FileGrant, FilePurpose, FileQuotaClass, Terms};

/// Pins a system may have at once: the present key and the next.
const PINS_MAX: usize = 2;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) purpose: Vec<FilePurpose>,
    #[serde(default)]
    pub(super) quota_class: Vec<FileQuotaClass>,
    #[serde(default)]
    pub(super) participant: Vec<FileParticipant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileParticipant {
    pub(super) id: String,
    name: String,
    #[serde(default = "yes")]
    active: bool,
    #[serde(default)]
    transitions: TransitionPolicy,
    #[serde(default = "rate_default")]
    rate_per_second_max: u32,
    #[serde(default)]
    system: Vec<FileSystem>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSystem {
    name: String,
    role: Role,
    #[serde(default)]
    pins: Vec<String>,
    #[serde(default)]
    grant: Vec<FileGrant>,
}

fn yes() -> bool {
    true
}

fn rate_default() -> u32 {
    RATE_PER_SECOND_DEFAULT
}

impl FileParticipant {
    /// The participant, or every fault of its entry.
    pub(super) fn read(self, terms: &Terms) -> Result<Participant, Vec<String>> {
        let mut faults = Vec::new();
        let id = ParticipantId::parse(&self.id)
            .map_err(|reason| faults.push(format!("id: {}", reason.en())))
            .ok();
        if self.name.trim().is_empty() {
            faults.push("name: say what people call it".to_owned());
        }
        if self.rate_per_second_max == 0 {
            faults.push(
                "rate_per_second_max: at least 1; use `active = false` to stop it".to_owned(),
            );
        }
        let mut systems: Vec<System> = Vec::new();
        for system in self.system {
            let name = system.name.clone();
            let mut fault = |fault: &str| faults.push(format!("system {name}: {fault}"));
            if systems.iter().any(|known| *known.name == *name) {
                fault("listed twice");
            }
            systems.push(system.read(terms, &mut fault));
        }
        match id {
            Some(id) if faults.is_empty() => Ok(Participant {
                id,
                name: self.name,
                active: self.active,
                transitions: self.transitions,
                rate_per_second_max: self.rate_per_second_max,
                systems,
            }),
            _ => Err(faults),
        }
    }
}

impl FileSystem {
    /// The system; what is at fault is left out and told.
    fn read(self, terms: &Terms, fault: &mut impl FnMut(&str)) -> System {
        let pins = pins(&self.pins).unwrap_or_else(|text| {
            fault(text);
            Vec::new()
        });
        if self.role.operator().is_some() && !self.grant.is_empty() {
            fault("operators hold no grants: whoever watches the gateway asks nothing through it");
        }
        System {
            name: self.name.into(),
            role: self.role,
            pins,
            grants: terms.grants(self.grant, fault),
        }
    }
}

/// Pins are written `sha256:` and 64 hexadecimal digits.
fn pins(texts: &[String]) -> Result<Vec<[u8; 32]>, &'static str> {
    if texts.len() > PINS_MAX {
        return Err("pins: at most 2, the present key and the next");
    }
    let pin = |text: &String| {
        let mut pin = [0; 32];
        let digits = text.strip_prefix("sha256:")?;
        hex::decode_to_slice(digits, &mut pin).ok().map(|()| pin)
    };
    texts
        .iter()
        .map(|text| pin(text).ok_or("pins: write sha256: and 64 hexadecimal digits"))
        .collect()
}
