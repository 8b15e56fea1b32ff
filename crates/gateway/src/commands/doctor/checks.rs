//! The doctor's checks in their order, from the inside outwards. They do what a start does and no more: a store that
//! is not in use is opened and brought to the present schema, and RabbitMQ's queues are declared.

use std::net::SocketAddr;

use lienthong_domain::{Clock, Timestamp};
use lienthong_transport::install_crypto_provider;

use super::{Finding, broker, files, outside, store};
use crate::config::Config;

pub(super) async fn all(config: &Config) -> Vec<Finding> {
    install_crypto_provider();
    let clock = Clock::system();
    let mut findings = vec![
        Finding::ok("configuration", "no fault"),
        clock_finding(clock.now()),
    ];
    findings.extend(files::all(config, &clock));
    findings.extend(addresses(config).await);
    findings.extend(store::all(config).await);
    findings.extend(broker::all(config, &clock).await);
    findings.extend(outside::all(config, &clock).await);
    findings
}

/// The program was built after this day; an earlier clock is wrong.
fn clock_finding(now: Timestamp) -> Finding {
    let built_after = Timestamp::from_second(1_790_000_000).unwrap_or(Timestamp::MIN);
    if now < built_after {
        Finding::fault(
            "clock",
            format!("{now} is before this program was written"),
            "set the clock; use NTP (chrony) in slewing mode: leases are instants of this clock",
        )
    } else {
        Finding::ok("clock", format!("{now}"))
    }
}

/// Where the gateway listens: for provinces, for Prometheus, for browsers.
async fn addresses(config: &Config) -> Vec<Finding> {
    let mut findings =
        vec![address("address", "listen.address", Some(config.listen.address)).await];
    findings.push(address("metrics", "metrics.address", config.metrics.address).await);
    findings.push(address("console port", "console.address", config.console.address).await);
    findings
}

async fn address(check: &'static str, key: &str, address: Option<SocketAddr>) -> Finding {
    const IN_USE: &str =
        "fine if that is the running gateway (`ss -ltnp` tells); else choose another";
    const REFUSED: &str =
        "choose an address of this machine, and a port above 1023 or the right to use it";
    let Some(address) = address else {
        return Finding::ok(check, format!("{key} is empty: off"));
    };
    match tokio::net::TcpListener::bind(address).await {
        Ok(_) => Finding::ok(check, format!("{address} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Finding::warn(check, format!("{address} ({key}) is in use"), IN_USE)
        }
        Err(error) => Finding::fault(check, format!("{address} ({key}): {error}"), REFUSED),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Grade;
    use super::*;

    #[tokio::test]
    async fn an_address_in_use_is_a_warning_and_a_foreign_one_a_fault() {
        let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let used = taken.local_addr().unwrap();
        let graded = async |given| address("metrics", "metrics.address", given).await.grade;
        assert_eq!(graded(Some(used)).await, Grade::Warn);
        assert_eq!(graded(None).await, Grade::Ok);
        // A documentation address is on no machine.
        let foreign = "192.0.2.1:1".parse().unwrap();
        assert_eq!(graded(Some(foreign)).await, Grade::Fault);
        drop(taken);
        assert_eq!(graded(Some(used)).await, Grade::Ok);
    }

    #[test]
    fn a_clock_before_the_program_is_a_fault() {
        assert_eq!(clock_finding(Timestamp::UNIX_EPOCH).grade, Grade::Fault);
        let later = "2026-12-01T00:00:00Z".parse().unwrap();
        assert_eq!(clock_finding(later).grade, Grade::Ok);
    }
}
