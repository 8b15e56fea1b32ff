//! What lies in files: certificates, keys and who may read them, participants, the console's accounts.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use lienthong_console::Accounts;
use lienthong_domain::{Clock, Timestamp};
use lienthong_services::problems::Thresholds;

use super::Finding;
use crate::config::Config;
use crate::wire;

/// A revocation list with fewer days left is worth a warning.
const REVOCATION_DAYS_WARN: i64 = 3;

pub(super) fn all(config: &Config, clock: &Clock) -> Vec<Finding> {
    let mut findings = certificates(config, clock);
    findings.extend(participants(&config.participants.file));
    findings.push(keys(config));
    findings.extend(private_files(config));
    findings.push(console(config));
    findings
}

/// The gateway's chain and key, as a start loads them, and the revocation lists.
fn certificates(config: &Config, clock: &Clock) -> Vec<Finding> {
    const FIX: &str =
        "`lienthong certs init` makes development certificates; production ones come from your CA";
    const RENEW: &str = "renew it; the gateway takes the new files by itself";
    const LISTS: &str = "fetch new lists into [tls] client_crls: when they run out, every new connection is refused";
    let tls = match wire::server_tls(&config.tls, clock) {
        Err(error) => return vec![Finding::fault("certificates", format!("{error:#}"), FIX)],
        Ok(tls) => tls,
    };
    // It warns from where the overview does.
    let (days_warn, _) = Thresholds::default().certificate_days;
    let left = days_left(tls.not_after(), clock.now());
    let found =
        format!("the gateway's certificate fits its key and is good for {left} more day(s)");
    let mut findings = vec![match left {
        ..0 => Finding::fault("certificates", "the gateway's certificate has expired", FIX),
        _ if left < days_warn => Finding::warn("certificates", found, RENEW),
        _ => Finding::ok("certificates", found),
    }];
    if let Some(until) = tls.crl_next_update() {
        let left = days_left(until, clock.now());
        let found = format!("the first revocation list runs out in {left} day(s)");
        findings.push(match until < clock.now() {
            true => Finding::fault("revocation", "a revocation list has run out", LISTS),
            false if left < REVOCATION_DAYS_WARN => Finding::warn("revocation", found, LISTS),
            false => Finding::ok("revocation", found),
        });
    }
    findings
}

fn days_left(until: Timestamp, now: Timestamp) -> i64 {
    until.duration_since(now).as_hours().div_euclid(24)
}

/// Who may come in, and whose certificate is only known by its name.
fn participants(file: &Path) -> Vec<Finding> {
    const PINS: &str =
        "any certificate of your CA with their name comes in as them; list the keys in `pins`";
    let registry = match wire::read_registry(file) {
        Ok(registry) => registry,
        Err(error) => {
            let found = format!("{error:#}");
            let fix = "correct the participants file; a running gateway keeps the former one";
            return vec![Finding::fault("participants", found, fix)];
        }
    };
    let all: Vec<_> = registry.participants().collect();
    if all.is_empty() {
        return vec![Finding::warn(
            "participants",
            "the file names nobody",
            "nobody can connect; `lienthong certs issue` prints an entry",
        )];
    }
    let mut findings = vec![Finding::ok(
        "participants",
        format!("{} in {}", all.len(), file.display()),
    )];
    let unpinned: Vec<_> = all
        .iter()
        .flat_map(|participant| {
            let systems = participant.systems.iter();
            let unpinned = systems.filter(|system| system.pins.is_empty());
            unpinned.map(|system| format!("{}/{}", participant.id, system.name))
        })
        .collect();
    if !unpinned.is_empty() {
        let names = some_of(&unpinned);
        let found = format!("{} system(s) without a pinned key: {names}", unpinned.len());
        findings.push(Finding::warn("pins", found, PINS));
    }
    findings
}

/// The first few, since a list may be long.
fn some_of(names: &[String]) -> String {
    const SHOWN_MAX: usize = 5;
    let mut text = names
        .iter()
        .take(SHOWN_MAX)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN_MAX {
        text.push_str(", ...");
    }
    text
}

fn keys(config: &Config) -> Finding {
    const FIX: &str = "without this file nobody can read the store: put it back, and keep a copy";
    let file = &config.vault.keys_file;
    if !file.exists() && !config.store.path.exists() {
        let found = format!("{} is made at the first start", file.display());
        return Finding::ok("keys", found);
    }
    match lienthong_vault::KeyRing::read(file) {
        Ok(ring) => Finding::ok(
            "keys",
            format!("{} in {}", ring.keys().count(), file.display()),
        ),
        Err(error) => Finding::fault("keys", format!("failed to {error}"), FIX),
    }
}

/// Files with secrets must be for the gateway's user only.
fn private_files(config: &Config) -> Vec<Finding> {
    let console = &config.console;
    let files = [
        Some(config.tls.key.as_path()),
        Some(config.vault.keys_file.as_path()),
        Some(config.store.path.as_path()),
        config.broker.rabbitmq.client_key.as_deref(),
        console.key.as_deref(),
        console.accounts_file.as_deref(),
    ];
    let files: Vec<_> = files.into_iter().flatten().collect();
    let findings: Vec<_> = files.iter().filter_map(|file| open_file(file)).collect();
    if findings.is_empty() {
        return vec![Finding::ok(
            "private files",
            "keys, store and accounts are readable by their owner only",
        )];
    }
    findings
}

/// A finding for a file that others may read or write; none for one that is private or not there.
fn open_file(file: &Path) -> Option<Finding> {
    const OTHERS: &str = "everybody on this machine can read or change it: chmod 600 it, and replace the secrets in it";
    const GROUP: &str =
        "its group can read or change it: chmod 600 it, unless that is how your backups run";
    let mode = std::fs::metadata(file).ok()?.permissions().mode() & 0o777;
    let found = format!("{} has mode {mode:04o}", file.display());
    match (mode & 0o007, mode & 0o070) {
        (0, 0) => None,
        (0, _) => Some(Finding::warn("private files", found, GROUP)),
        _ => Some(Finding::fault("private files", found, OTHERS)),
    }
}

/// Who can sign in to the console, and whether its passwords travel in the clear.
fn console(config: &Config) -> Finding {
    const NOBODY: &str = "nobody can sign in: `lienthong accounts add NAME --role operator`, or set [console.openid]";
    const FAULTS: &str = "correct the file, or make it anew with `lienthong accounts add`";
    let console = &config.console;
    let Some(address) = console.address else {
        return Finding::ok("console", "off");
    };
    let way = match (console.has_tls(), console.behind_proxy) {
        (true, _) => "TLS",
        (false, true) => "behind a proxy that speaks TLS",
        (false, false) if address.ip().is_loopback() => "this machine only",
        (false, false) => {
            let fix =
                "passwords would travel in the clear: set console.certificate and console.key";
            return Finding::fault("console", format!("{address} without TLS"), fix);
        }
    };
    let openid = !console.openid.issuer.is_empty();
    let accounts = match &console.accounts_file {
        None => 0,
        Some(file) if !file.exists() => 0,
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|error| vec![error.to_string()]);
            match text.and_then(|text| Accounts::parse(&text)) {
                Ok(accounts) => accounts.iter().filter(|account| !account.disabled).count(),
                Err(faults) => {
                    let found = format!("{}: {}", file.display(), some_of(&faults));
                    return Finding::fault("console", found, FAULTS);
                }
            }
        }
    };
    let found = format!(
        "{way}; {accounts} local account(s), OpenID Connect {}",
        if openid { "offered" } else { "not offered" }
    );
    if accounts == 0 && !openid {
        return Finding::warn("console", found, NOBODY);
    }
    Finding::ok("console", found)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::super::Grade;
    use super::*;

    #[test]
    fn who_may_read_a_secret_decides_how_bad_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.toml");
        assert!(open_file(&file).is_none(), "it is made privately");
        std::fs::write(&file, "").unwrap();
        let table = [
            (0o600, None),
            (0o400, None),
            (0o640, Some(Grade::Warn)),
            (0o644, Some(Grade::Fault)),
            (0o602, Some(Grade::Fault)),
        ];
        for (mode, expected) in table {
            std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            let grade = open_file(&file).map(|finding| finding.grade);
            assert_eq!(grade, expected, "{mode:o}");
        }
    }

    #[test]
    fn a_console_that_nobody_can_enter_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.console.accounts_file = Some(folder.path().join("accounts.toml"));
        assert_eq!(console(&config).grade, Grade::Warn);
        config.console.openid.issuer = "https://id.example.vn".to_owned();
        assert_eq!(console(&config).grade, Grade::Ok);
        config.console.address = Some("0.0.0.0:8080".parse().unwrap());
        assert_eq!(console(&config).grade, Grade::Fault);
        config.console.address = None;
        assert_eq!(console(&config).grade, Grade::Ok);
    }

    #[test]
    fn a_part_of_a_day_does_not_count_and_the_past_is_negative() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-11-20T12:00:00Z");
        assert_eq!(days_left(at("2026-11-22T11:00:00Z"), now), 1);
        assert_eq!(days_left(at("2026-11-20T11:00:00Z"), now), -1);
    }

    #[test]
    fn participants_without_pins_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("participants.toml");
        std::fs::write(&file, "").unwrap();
        assert_eq!(participants(&file)[0].grade, Grade::Warn);
        let text = "[[participant]]\nid = \"H21\"\nname = \"Tỉnh Gia Lai\"\n[[participant.system]]\nname = \"motcua\"\nrole = \"push\"\n";
        std::fs::write(&file, text).unwrap();
        let found = participants(&file);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[1].found.ends_with("H21/motcua"), "{found:?}");
        std::fs::write(&file, "nobody").unwrap();
        assert_eq!(participants(&file)[0].grade, Grade::Fault);
    }
}
