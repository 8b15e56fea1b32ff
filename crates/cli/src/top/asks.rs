//! What is under way to the gateway: at most one question of each kind, and the changes; each with an end.

use std::future::Future;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lienthong_domain::Clock;
use lienthong_proto::admin::v1::delivery_service_client::DeliveryServiceClient;
use lienthong_proto::admin::v1::destination_service_client::DestinationServiceClient;
use lienthong_proto::admin::v1::overview_service_client::OverviewServiceClient;
use lienthong_proto::admin::v1::{
    ExplainDossierRequest, Figure, FigureKey, GetOverviewRequest, ListDestinationsRequest,
    ListFiguresRequest, PauseDestinationRequest, ResumeDestinationRequest,
};
use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic::{Request, Status};

use super::state::{Answer, Look, State, Steer};
use crate::errors::tell;
use crate::instant::to_wire;

/// How long one question may take in all.
const WAIT_MAX: Duration = Duration::from_secs(4);
/// How often the figures are asked for; they change each minute.
const FIGURES_INTERVAL: SignedDuration = SignedDuration::from_secs(20);
/// How far back the sparklines go, and in how many points.
const FIGURES_BACK: SignedDuration = SignedDuration::from_hours(1);
const FIGURES_POINTS: u32 = 60;
/// The figures of a destination that are drawn.
pub(super) const RATE: &str = "delivered_per_minute";
pub(super) const AGE: &str = "oldest_age_seconds";
/// Destinations with figures: two keys each, and 50 keys are allowed.
const DESTINATIONS_MAX: usize = 25;

/// The questions under way.
pub(super) struct Asks {
    channel: Channel,
    clock: Clock,
    looks: JoinSet<Answer>,
    figures: JoinSet<Answer>,
    explanations: JoinSet<Answer>,
    /// One for each reason that was typed.
    changes: JoinSet<Answer>,
    figures_at: Option<Timestamp>,
}

impl Asks {
    pub(super) fn new(channel: Channel, clock: Clock) -> Self {
        Self {
            channel,
            clock,
            looks: JoinSet::new(),
            figures: JoinSet::new(),
            explanations: JoinSet::new(),
            changes: JoinSet::new(),
            figures_at: None,
        }
    }

    /// Asks for the overview, unless that is under way, and now and then for the figures.
    pub(super) fn look(&mut self, state: &State) {
        if self.looks.is_empty() {
            let look = look(self.channel.clone(), self.clock.clone());
            self.looks.spawn(async { Answer::Look(within(look).await) });
        }
        let fresh = |at: Timestamp| state.now.duration_since(at) < FIGURES_INTERVAL;
        if self.figures_at.is_some_and(fresh) || !self.figures.is_empty() {
            return;
        }
        let request = request(state);
        if !request.keys.is_empty() {
            self.figures_at = Some(state.now);
            let figures = figures(self.channel.clone(), request);
            let figures = async { Answer::Figures(within(figures).await) };
            self.figures.spawn(figures);
        }
    }

    /// As [`Self::look`], with the figures at once.
    pub(super) fn look_anew(&mut self, state: &State) {
        self.figures_at = None;
        self.look(state);
    }

    /// Asks why a dossier waits, unless such a question is under way.
    pub(super) fn explain(&mut self, code: String) {
        if !self.explanations.is_empty() {
            return;
        }
        let mut client = DeliveryServiceClient::new(self.channel.clone());
        let request = ExplainDossierRequest {
            dossier_code: code.clone(),
        };
        self.explanations.spawn(async move {
            let asked = async { Ok(client.explain_dossier(request).await?.into_inner()) };
            Answer::Explained(code, within(asked).await)
        });
    }

    /// Pauses or resumes.
    pub(super) fn steer(&mut self, steer: Steer) {
        let mut client = DestinationServiceClient::new(self.channel.clone());
        let (destination, reason) = (steer.destination.clone(), steer.reason.clone());
        let pause = steer.pause;
        self.changes.spawn(async move {
            let asked = async {
                if pause {
                    let request = PauseDestinationRequest {
                        destination,
                        reason,
                    };
                    client.pause_destination(request).await.map(drop)
                } else {
                    let request = ResumeDestinationRequest {
                        destination,
                        reason,
                    };
                    client.resume_destination(request).await.map(drop)
                }
            };
            Answer::Steered(steer, within(asked).await)
        });
    }

    /// The next answer; never when nothing is under way. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Answer {
        let ended = tokio::select! {
            Some(ended) = self.looks.join_next() => ended,
            Some(ended) = self.figures.join_next() => ended,
            Some(ended) = self.explanations.join_next() => ended,
            Some(ended) = self.changes.join_next() => ended,
            else => std::future::pending().await,
        };
        // Nothing here is cancelled or panics; a bug shows as silence.
        ended.unwrap_or_else(|error| Answer::Look(Err(error.to_string())))
    }
}

/// At most [`WAIT_MAX`]; what went wrong on one line.
async fn within<T>(asked: impl Future<Output = Result<T, Status>>) -> Result<T, String> {
    match tokio::time::timeout(WAIT_MAX, asked).await {
        Ok(answered) => answered.map_err(|status| {
            let lines = tell(&status);
            let lines = lines.lines().map(str::trim);
            lines.collect::<Vec<_>>().join(" · ")
        }),
        Err(_) => Err(format!("{} s", WAIT_MAX.as_secs())),
    }
}

async fn look(channel: Channel, clock: Clock) -> Result<Box<Look>, Status> {
    let mut overviews = OverviewServiceClient::new(channel.clone());
    let mut destinations = DestinationServiceClient::new(channel);
    let (overview, destinations) = tokio::try_join!(
        overviews.get_overview(Request::new(GetOverviewRequest {})),
        destinations.list_destinations(Request::new(ListDestinationsRequest {})),
    )?;
    Ok(Box::new(Look {
        at: clock.now(),
        overview: overview.into_inner(),
        destinations: destinations.into_inner().destinations,
    }))
}

fn request(state: &State) -> ListFiguresRequest {
    let flows = state.destinations().iter().take(DESTINATIONS_MAX);
    let keys = flows.flat_map(|flow| {
        [RATE, AGE].map(|name| FigureKey {
            name: name.to_owned(),
            about: flow.destination.clone(),
        })
    });
    let since = state.now.checked_sub(FIGURES_BACK);
    ListFiguresRequest {
        keys: keys.collect(),
        since: since.ok().map(to_wire),
        until: Some(to_wire(state.now)),
        points_max: FIGURES_POINTS,
    }
}

async fn figures(channel: Channel, request: ListFiguresRequest) -> Result<Vec<Figure>, Status> {
    let mut client = OverviewServiceClient::new(channel);
    let answer = client.list_figures(Request::new(request)).await?;
    Ok(answer.into_inner().figures)
}
