//! The doctor's checks, from the inside outwards. It does what a start does and no more: a store that is not in
//! use is opened and brought to the present schema, and RabbitMQ's queues are declared.

use std::path::Path;
use std::time::Duration;

use lienthong_domain::{Clock, Timestamp};
use lienthong_ports::{Destination, Store};
use lienthong_transport::install_crypto_provider;

use super::Finding;
use crate::config::{BrokerKind, Config};
use crate::wire;

/// How long an outside system may take to answer the doctor.
const PATIENCE: Duration = Duration::from_secs(10);
/// A certificate with fewer days left is worth a warning.
const CERTIFICATE_DAYS_WARN: i64 = 30;

pub(super) async fn all(config: &Config) -> Vec<Finding> {
    install_crypto_provider();
    let clock = Clock::system();
    let mut findings = vec![
        Finding::ok("configuration", "no fault"),
        clock_finding(clock.now()),
        certificates(config, &clock),
        participants(&config.participants.file),
        keys(config),
        address(config).await,
    ];
    findings.extend(store(config).await);
    findings.push(broker(config, &clock).await);
    findings.push(portal(config, &clock).await);
    findings.push(population(config, &clock).await);
    findings
}

async fn population(config: &Config, clock: &Clock) -> Finding {
    const FIX: &str = "look at the address, the credentials and the certificates in [population], and at the route to it";
    let checked = match wire::registry(config, clock) {
        Ok(None) => return Finding::ok("population", "none: nobody can ask about citizens"),
        Ok(Some(registry)) => registry.check(PATIENCE).await,
        Err(error) => Err(format!("{error:#}")),
    };
    match checked {
        Ok(()) => Finding::ok("population", "answers and accepts us"),
        Err(found) => Finding::fault("population", found, FIX),
    }
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

/// The program was built after this day; an earlier clock is wrong.
fn clock_finding(now: Timestamp) -> Finding {
    let built_after = Timestamp::from_second(1_790_000_000).unwrap_or(Timestamp::MIN);
    if now < built_after {
        Finding::fault(
            "clock",
            format!("{now} is before this program was written"),
            "set the clock; use NTP (chrony)",
        )
    } else {
        Finding::ok("clock", format!("{now}"))
    }
}

fn certificates(config: &Config, clock: &Clock) -> Finding {
    const FIX: &str =
        "`lienthong certs init` makes development certificates; production ones come from your CA";
    match wire::server_tls(&config.tls, clock) {
        Err(error) => Finding::fault("certificates", format!("{error:#}"), FIX),
        Ok(tls) => {
            let left = tls.not_after().duration_since(clock.now()).as_hours() / 24;
            let found = format!("the gateway's certificate is good for {left} more day(s)");
            match left {
                ..0 => Finding::fault("certificates", "the gateway's certificate has expired", FIX),
                0..CERTIFICATE_DAYS_WARN => Finding::warn(
                    "certificates",
                    found,
                    "renew it; the gateway takes the new files by itself",
                ),
                _ => Finding::ok("certificates", found),
            }
        }
    }
}

fn participants(file: &Path) -> Finding {
    match wire::read_registry(file) {
        Ok(registry) => match registry.participants().count() {
            0 => Finding::warn(
                "participants",
                "the file names nobody",
                "nobody can connect; `lienthong certs issue` prints an entry",
            ),
            count => Finding::ok("participants", format!("{count} in {}", file.display())),
        },
        Err(error) => Finding::fault(
            "participants",
            format!("{error:#}"),
            "correct the participants file",
        ),
    }
}

async fn address(config: &Config) -> Finding {
    match tokio::net::TcpListener::bind(config.listen.address).await {
        Ok(_) => Finding::ok("address", format!("{} is free", config.listen.address)),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Finding::warn(
            "address",
            format!("{} is in use", config.listen.address),
            "fine if that is the running gateway; else choose another in [listen]",
        ),
        Err(error) => Finding::fault(
            "address",
            error.to_string(),
            "choose another address in [listen]",
        ),
    }
}

/// Opens the store as the gateway would; one that is in use is looked at by its disk only.
async fn store(config: &Config) -> Vec<Finding> {
    if !config.store.path.exists() {
        let found = format!("{} does not exist yet", config.store.path.display());
        return vec![Finding::ok("store", found)];
    }
    match wire::open_store(config) {
        Ok(store) => {
            let mut findings = vec![Finding::ok("store", "opens and its schema is current")];
            findings.extend(disk(store.disk_free_bytes(), config));
            store.close().await;
            findings
        }
        Err(error) => vec![Finding::warn(
            "store",
            format!("{error:#}"),
            "fine if the running gateway has it open; else look at the path and its rights",
        )],
    }
}

fn disk(free: Option<u64>, config: &Config) -> Option<Finding> {
    let free_mib = free? >> 20;
    let found = format!("{free_mib} MiB free");
    Some(if free_mib < config.store.reserve_mib {
        Finding::fault(
            "disk",
            found,
            "intake is stopped below store.reserve_mib: free space or move the store",
        )
    } else if free_mib < config.store.reserve_mib.saturating_mul(4) {
        Finding::warn(
            "disk",
            found,
            "add disk space before intake stops at store.reserve_mib",
        )
    } else {
        Finding::ok("disk", found)
    })
}

async fn broker(config: &Config, clock: &Clock) -> Finding {
    const FIX: &str =
        "look at the URL, the vhost and the user's rights (configure, write, read) in RabbitMQ";
    if config.broker.kind == BrokerKind::Embedded {
        return Finding::ok("broker", "embedded");
    }
    let connected = match wire::connect_rabbitmq(config, clock) {
        Err(error) => return Finding::fault("broker", format!("{error:#}"), FIX),
        Ok(broker) => broker,
    };
    let finding = match connected.ready(PATIENCE).await {
        Ok(()) => Finding::ok("broker", "RabbitMQ is connected and its topology is right"),
        Err(error) => {
            use lienthong_ports::Broker;
            let last = connected.state().last_error.unwrap_or_default();
            Finding::fault("broker", format!("{error} {last}"), FIX)
        }
    };
    lienthong_ports::Broker::stop(&*connected).await;
    finding
}

async fn portal(config: &Config, clock: &Clock) -> Finding {
    const FIX: &str =
        "look at the addresses, the user and the password in [portal], and at the route to it";
    let checked = match wire::portal(config, clock) {
        Err(error) => Err(format!("{error:#}")),
        Ok(portal) => portal.check(PATIENCE).await,
    };
    match checked {
        Ok(()) => Finding::ok("portal", "login works"),
        Err(found) => Finding::fault("portal", found, FIX),
    }
}
