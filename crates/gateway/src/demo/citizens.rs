//! The offices' questions about citizens: mostly right claims, now and then a wrong one or one that no grant permits,
//! each for an open dossier of the office's province.

use std::sync::Arc;
use std::time::Duration;

use lienthong_proto::identity::v1::identity_service_client::IdentityServiceClient;
use lienthong_proto::identity::v1::{
    Citizen, CitizenField, Claims, GetCitizenRequest, Inquiry, VerifyCitizenRequest,
};
use lienthong_simulators::population::{self, PopulationHandle};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tonic::Request;
use tonic::transport::Channel;

use super::board::Board;

/// What the demo's provinces are granted beside number, name and birth date.
pub(super) const GRANTED: [(CitizenField, &str); 2] = [
    (CitizenField::Sex, "sex"),
    (CitizenField::PermanentResidence, "permanent_residence"),
];
/// The purpose of the demo's questions.
pub(super) const PURPOSE: &str = "CIVIL_STATUS";
/// Officials of each office.
const OFFICIALS: u32 = 6;
/// Share of questions that look up instead of verifying.
const LOOK_UP_CHANCE: f64 = 0.2;
/// Share of claims with a slip of the pen.
const WRONG_CHANCE: f64 = 0.03;
/// Share of questions that name no dossier, and are refused.
const UNBOUND_CHANCE: f64 = 0.02;
/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// The office of one province.
pub(super) struct Office {
    index: usize,
    province: String,
    client: IdentityServiceClient<Channel>,
    population: PopulationHandle,
    random: ChaCha8Rng,
    board: Arc<Board>,
    pause: Duration,
}

impl Office {
    /// The office of the province at `index` of the board, which asks every `pause`.
    pub(super) fn new(
        (index, province): (usize, String),
        channel: Channel,
        population: PopulationHandle,
        (pause, seed): (Duration, u64),
        board: Arc<Board>,
    ) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(u64::MAX / 2 - u64::try_from(index).unwrap_or(0));
        Self {
            index,
            province,
            client: IdentityServiceClient::new(channel),
            population,
            random,
            board,
            pause,
        }
    }

    /// Asks until `stop`, one question after the other.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut tick = interval(self.pause);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            let Some(dossier) = self.open_dossier() else {
                continue;
            };
            if self.random.random_bool(LOOK_UP_CHANCE) {
                self.look_up(dossier).await;
            } else {
                self.verify(dossier).await;
            }
        }
    }

    /// One of the province's open dossiers; an empty code when the official forgets it.
    fn open_dossier(&mut self) -> Option<String> {
        let state = self.board.lock();
        let open = &state.open[self.index];
        let dossier = open.get(self.random.random_range(0..open.len().max(1)))?;
        let dossier = dossier.clone();
        drop(state);
        let is_forgotten = self.random.random_bool(UNBOUND_CHANCE);
        Some(if is_forgotten { String::new() } else { dossier })
    }

    async fn verify(&mut self, dossier: String) {
        let (inquiry, mut claims) = (self.inquiry(dossier), self.claims());
        if self.random.random_bool(WRONG_CHANCE) {
            "1901-01-01".clone_into(&mut claims.birth_date);
        }
        let request = timely(VerifyCitizenRequest {
            inquiry: Some(inquiry),
            claims: Some(claims),
            defer_if_unavailable: false,
        });
        let asked_at = Instant::now();
        let answer = self.client.verify_citizen(request).await;
        let mut state = self.board.lock();
        match answer {
            Ok(_) => state.citizens.verified(asked_at.elapsed()),
            Err(status) => state.citizens.refused(status.code()),
        }
    }

    async fn look_up(&mut self, dossier: String) {
        let unasked = [CitizenField::Religion, CitizenField::Mother];
        let fields = GRANTED.map(|(field, _)| field).into_iter().chain(unasked);
        let request = timely(GetCitizenRequest {
            inquiry: Some(self.inquiry(dossier)),
            claims: Some(self.claims()),
            fields: fields.map(Into::into).collect(),
        });
        let asked_at = Instant::now();
        let answer = self.client.get_citizen(request).await;
        let mut state = self.board.lock();
        match answer {
            Ok(answer) => {
                let citizen = answer.into_inner().citizen.unwrap_or_default();
                let outside = outside_grant(citizen);
                state.citizens.looked_up(asked_at.elapsed(), outside);
            }
            Err(status) => state.citizens.refused(status.code()),
        }
    }

    fn inquiry(&mut self, dossier_code: String) -> Inquiry {
        let official = self.random.random_range(1..=OFFICIALS);
        Inquiry {
            purpose_code: PURPOSE.to_owned(),
            official_id: format!("{}.canbo{official}", self.province.to_lowercase()),
            dossier_code,
        }
    }

    /// Everything right about somebody.
    fn claims(&mut self) -> Claims {
        let register = self.population.population();
        let index = self.random.random_range(0..register.len());
        let population::Citizen {
            number,
            name,
            birth,
            ..
        } = register.citizen(index);
        let year = birth.year;
        Claims {
            number,
            full_name: name.full(),
            birth_date: birth.month_day.map_or_else(
                || year.to_string(),
                |(month, day)| format!("{year}-{month:02}-{day:02}"),
            ),
            ..Claims::default()
        }
    }
}

fn timely<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}

/// Whether a record shows anything that the demo's grants do not name.
fn outside_grant(citizen: Citizen) -> bool {
    let rest = Citizen {
        sex: 0,
        permanent_residence: None,
        ..citizen
    };
    rest != Citizen::default()
}

#[cfg(test)]
mod tests {
    use lienthong_proto::identity::v1::{Place, Sex};

    use super::*;

    #[test]
    fn anything_beyond_the_grant_is_noticed() {
        let granted = Citizen {
            sex: Sex::Female.into(),
            permanent_residence: Some(Place::default()),
            ..Citizen::default()
        };
        assert!(!outside_grant(granted.clone()));
        let more = Citizen {
            religion_code: "01".to_owned(),
            ..granted
        };
        assert!(outside_grant(more));
    }
}
