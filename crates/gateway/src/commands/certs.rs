//! `certs`: the development certificate authority.

use std::path::Path;

use anyhow::Context;
use lienthong_domain::Clock;
use lienthong_transport::{DevelopmentCa, IdentityPolicy, Overwrite, install_crypto_provider};

use crate::args::CertsCommand;
use crate::commands::print;
use crate::exit::Exit;

/// Days the gateway's development certificate is good for.
const SERVER_DAYS: u16 = 90;
/// The validity bound that a policy must name; issuing does not use it.
const POLICY_DAYS_MAX: u16 = 399;

pub(super) fn run(command: CertsCommand) -> anyhow::Result<Exit> {
    install_crypto_provider();
    let now = Clock::system().now();
    match command {
        CertsCommand::Init {
            dir,
            names,
            overwrite,
        } => {
            let ca = DevelopmentCa::create(now)?;
            let overwrite = overwriting(overwrite);
            ca.save(&dir, overwrite)?;
            let names = names.iter().map(String::as_str).collect::<Vec<_>>();
            ca.issue_server(&names, now, SERVER_DAYS)?
                .save(&dir, overwrite)?;
            told(&dir, "ca.pem, ca-key.pem, server.pem, server-key.pem", "")?;
        }
        CertsCommand::Issue {
            participant,
            system,
            dir,
            trust_domain,
            days,
            overwrite,
        } => {
            let ca = DevelopmentCa::load(&dir).with_context(|| {
                format!(
                    "there is no authority in {}: run `lienthong certs init` first",
                    dir.display()
                )
            })?;
            let policy = IdentityPolicy::new(&trust_domain, POLICY_DAYS_MAX)?;
            let issued = ca.issue_participant(&policy, (&participant, &system), now, days)?;
            issued.save(&dir, overwriting(overwrite))?;
            let entry = participant_entry(&participant, &system);
            told(
                &dir,
                &format!("{0}.pem, {0}-key.pem", issued.stem()),
                &entry,
            )?;
        }
    }
    Ok(Exit::OK)
}

fn overwriting(yes: bool) -> Overwrite {
    if yes { Overwrite::Yes } else { Overwrite::No }
}

fn told(dir: &Path, files: &str, more: &str) -> anyhow::Result<()> {
    print(&format!("Written to {}: {files}\n{more}", dir.display()))
}

/// What the participants file needs for this certificate.
fn participant_entry(participant: &str, system: &str) -> String {
    format!(
        "The participants file needs:\n\n[[participant]]\nid = \"{participant}\"\nname = \"...\"\n\
         [[participant.system]]\nname = \"{system}\"\nrole = \"push\"   # or \"identity\" or \"operator\"\n"
    )
}
