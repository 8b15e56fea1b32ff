//! What lies outside beside the broker: the portal with its clock, the population database.

use std::time::Duration;

use lienthong_domain::Clock;
use lienthong_ports::Destination;
use lienthong_services::problems::Thresholds;
use lienthong_telemetry::metrics::DeliveryMetrics;

use super::Finding;
use crate::config::Config;
use crate::wire;

/// How long an outside system may take to answer the doctor.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn all(config: &Config, clock: &Clock) -> Vec<Finding> {
    let mut findings = portal(config, clock).await;
    findings.push(population(config, clock).await);
    findings
}

/// A login, and what its answer says about our clock.
async fn portal(config: &Config, clock: &Clock) -> Vec<Finding> {
    const FIX: &str =
        "look at the addresses, the user and the password in [portal], and at the route to it";
    let metrics = DeliveryMetrics::default();
    let checked = match wire::portal(config, clock) {
        Err(error) => Err(format!("{error:#}")),
        Ok(portal) => {
            let portal = portal.with_metrics(metrics.clone());
            portal.check(PATIENCE).await
        }
    };
    let mut findings = vec![match checked {
        Ok(()) => Finding::ok("portal", "login works"),
        Err(found) => Finding::fault("portal", found, FIX),
    }];
    findings.extend(
        metrics
            .clock_offset(config.portal.name.as_str())
            .map(clocks),
    );
    findings
}

/// By how much the destination's clock is ahead of ours.
fn clocks(seconds: f64) -> Finding {
    const FIX: &str = "look at this machine (`timedatectl`, `chronyc tracking`) first; if it is right, tell the portal's people";
    let found = format!("the portal's is {seconds:+.1} s from ours");
    // As the overview judges it.
    let (difference, warned) = (seconds.abs(), Thresholds::default().clock_seconds);
    if difference > 10.0 * warned {
        Finding::fault("clocks", found, FIX)
    } else if difference > warned {
        Finding::warn("clocks", found, FIX)
    } else {
        Finding::ok("clocks", found)
    }
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

#[cfg(test)]
mod tests {
    use super::super::Grade;
    use super::*;

    #[test]
    fn clocks_may_differ_a_little() {
        let graded: Vec<_> = [0.4, -29.0, 31.0, -301.0]
            .map(|seconds| clocks(seconds).grade)
            .into();
        assert_eq!(graded, [Grade::Ok, Grade::Ok, Grade::Warn, Grade::Fault]);
        assert_eq!(clocks(-2.5).found, "the portal's is -2.5 s from ours");
    }
}
