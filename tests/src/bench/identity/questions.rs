//! The questions: whether the true number, name and birth date of a citizen are right, each citizen once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, ensure};
use lienthong_proto::identity::v1 as identity;
use lienthong_proto::identity::v1::identity_service_client::IdentityServiceClient;
use lienthong_proto::population::v1 as population;
use lienthong_proto::population::v1::population_registry_service_client::PopulationRegistryServiceClient;
use lienthong_simulators::population::Population;
use tonic::transport::Channel;

use super::stage::{MINISTRY, PURPOSE};
use crate::harness::citizens::claims;

/// Decides who lives in the simulated population.
pub(super) const SEED: u64 = 1;
/// How many live there.
pub(super) const CITIZENS: u32 = 1_000_000;

/// Claims about different citizens. All are true, so no guard has a reason to slow the caller down.
pub(super) type Questions = Arc<Vec<identity::Claims>>;

/// Claims about the first `count` living citizens whose whole birth date is known.
pub(super) fn different(count: usize) -> anyhow::Result<Questions> {
    let register = Population::new(SEED, CITIZENS)?;
    let whole = (0..CITIZENS)
        .map(|index| register.citizen(index))
        .filter(|citizen| !citizen.is_dead && citizen.birth.month_day.is_some());
    let claims = whole
        .take(count)
        .map(|citizen| claims(&citizen))
        .collect::<Vec<_>>();
    ensure!(claims.len() == count, "only {} citizens", claims.len());
    Ok(Arc::new(claims))
}

/// Where a question is asked: one connection per caller, up to a bound.
#[derive(Clone)]
pub(super) enum Door {
    /// The contract between gateway and adapter: the adapter itself, or nginx before it.
    Adapter(Arc<[PopulationRegistryServiceClient<Channel>]>),
    /// The gateway's own contract.
    Gateway(Arc<[IdentityServiceClient<Channel>]>),
}

impl Door {
    /// Asks one question and expects that the claims are right.
    pub(super) async fn ask(&self, caller: usize, claims: &identity::Claims) -> anyhow::Result<()> {
        let verification = match self {
            Self::Adapter(clients) => {
                let mut client = clients[caller % clients.len()].clone();
                let answer = client.verify_citizen(to_adapter(caller, claims)).await;
                answer.context("ask the adapter")?.into_inner().verification
            }
            Self::Gateway(clients) => {
                let mut client = clients[caller % clients.len()].clone();
                let answer = client.verify_citizen(to_gateway(caller, claims)).await;
                answer.context("ask the gateway")?.into_inner().verification
            }
        };
        let verdict = verification.map(|verification| verification.verdict());
        ensure!(
            verdict == Some(identity::Verdict::Match),
            "true claims were answered with {verdict:?}"
        );
        Ok(())
    }
}

fn to_adapter(caller: usize, claims: &identity::Claims) -> population::VerifyCitizenRequest {
    population::VerifyCitizenRequest {
        question: Some(population::Question {
            // As long as the gateway's; the database refuses one that it knows.
            request_id: format!("01900000-0000-7000-8000-{:012}", next_request()),
            participant_id: MINISTRY.0.to_owned(),
            official_id: official(caller),
            procedure_code: String::new(),
        }),
        claims: Some(claims.clone()),
    }
}

fn next_request() -> u64 {
    static REQUESTS: AtomicU64 = AtomicU64::new(0);
    REQUESTS.fetch_add(1, Ordering::Relaxed)
}

fn to_gateway(caller: usize, claims: &identity::Claims) -> identity::VerifyCitizenRequest {
    identity::VerifyCitizenRequest {
        inquiry: Some(identity::Inquiry {
            purpose_code: PURPOSE.to_owned(),
            official_id: official(caller),
            dossier_code: String::new(),
        }),
        claims: Some(claims.clone()),
        defer_if_unavailable: false,
    }
}

/// Each caller is another official.
pub(super) fn official(caller: usize) -> String {
    format!("canbo-{caller:02}.hotich")
}
