//! The operator of the gateway: looks at the queues, replays suspects, explains what is missing.

use std::time::Duration;

use anyhow::Context as _;
use lienthong_proto::admin::v1::delivery_selection::Selection;
use lienthong_proto::admin::v1::delivery_service_client::DeliveryServiceClient;
use lienthong_proto::admin::v1::queue_service_client::QueueServiceClient;
use lienthong_proto::admin::v1::{
    DeliveryIdList, DeliverySelection, ExplainDossierRequest, ListParkedDeliveriesRequest,
    ListQueuesRequest, ParkedDelivery, ReplayDeliveriesRequest,
};
use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use lienthong_proto::dossier::v1::{ListStatusEventsRequest, TimelineEntry};
use tonic::transport::Channel;

/// Longest wait for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// Parked deliveries of one page.
const PAGE: u32 = 500;
/// Deliveries made ready a second by a replay.
const REPLAY_RATE: u32 = 1_000;
/// Reasons for parking that a kill explains: its worker died too often, or the broker gave the message up.
const SUSPECT_REASONS: [&str; 2] = ["CRASH_SUSPECT", "DEAD_LETTERED"];

/// An operator's connection.
#[derive(Clone, Debug)]
pub struct Operator {
    deliveries: DeliveryServiceClient<Channel>,
    queues: QueueServiceClient<Channel>,
    dossiers: DossierServiceClient<Channel>,
}

impl Operator {
    /// An operator behind this channel.
    pub fn new(channel: Channel) -> Self {
        Self {
            deliveries: DeliveryServiceClient::new(channel.clone()),
            queues: QueueServiceClient::new(channel.clone()),
            dossiers: DossierServiceClient::new(channel),
        }
    }

    /// Deliveries that are on their way or parked.
    ///
    /// # Errors
    /// No answer.
    pub async fn open_deliveries(&mut self) -> anyhow::Result<u64> {
        let asked = tokio::time::timeout(ANSWER_MAX, self.queues.list_queues(ListQueuesRequest {}));
        let queues = asked
            .await
            .context("the queues got no answer")??
            .into_inner()
            .queues;
        let counts = queues.iter().filter_map(|queue| queue.counts);
        Ok(counts
            .map(|count| count.queued + count.ready + count.sent + count.calling + count.parked)
            .sum())
    }

    /// The parked deliveries, at most one page.
    ///
    /// # Errors
    /// No answer.
    pub async fn parked(&mut self) -> anyhow::Result<Vec<ParkedDelivery>> {
        let request = ListParkedDeliveriesRequest {
            page_size: PAGE,
            ..ListParkedDeliveriesRequest::default()
        };
        let asked =
            tokio::time::timeout(ANSWER_MAX, self.deliveries.list_parked_deliveries(request));
        Ok(asked
            .await
            .context("the parked deliveries got no answer")??
            .into_inner()
            .deliveries)
    }

    /// Sends those of `parked` again that a kill explains. Returns how many.
    ///
    /// # Errors
    /// No answer, or the gateway would not.
    pub async fn replay_suspects(&mut self, parked: &[ParkedDelivery]) -> anyhow::Result<u64> {
        let suspects = parked.iter().filter(|delivery| is_suspect(delivery));
        let delivery_ids: Vec<_> = suspects
            .filter_map(|parked| Some(parked.delivery.as_ref()?.delivery_id))
            .collect();
        if delivery_ids.is_empty() {
            return Ok(0);
        }
        let request = ReplayDeliveriesRequest {
            selection: Some(DeliverySelection {
                selection: Some(Selection::Ids(DeliveryIdList { delivery_ids })),
            }),
            reason: "Thử nghiệm: tiến trình bị dừng đột ngột".to_owned(),
            dry_run: false,
            rate_per_second: REPLAY_RATE,
            allow_out_of_order: false,
        };
        let asked = tokio::time::timeout(ANSWER_MAX, self.deliveries.replay_deliveries(request));
        let answer = asked.await.context("a replay got no answer")??.into_inner();
        anyhow::ensure!(answer.carried_out, "a replay was not carried out");
        Ok(answer.plan.map_or(0, |plan| plan.would_replay))
    }

    /// The timeline of a dossier.
    ///
    /// # Errors
    /// No answer.
    pub async fn timeline(&mut self, dossier: &str) -> anyhow::Result<Vec<TimelineEntry>> {
        let request = ListStatusEventsRequest {
            dossier_code: dossier.to_owned(),
            ..ListStatusEventsRequest::default()
        };
        let asked = tokio::time::timeout(ANSWER_MAX, self.dossiers.list_status_events(request));
        Ok(asked
            .await
            .context("a timeline got no answer")??
            .into_inner()
            .entries)
    }

    /// Why a dossier waits, for the report.
    pub async fn explain(&mut self, dossier: &str) -> String {
        let request = ExplainDossierRequest {
            dossier_code: dossier.to_owned(),
        };
        match tokio::time::timeout(ANSWER_MAX, self.deliveries.explain_dossier(request)).await {
            Ok(Ok(answer)) => {
                let lanes = answer.into_inner().lanes.into_iter();
                let lanes = lanes.map(|lane| format!("{} {:?}", lane.explanation_en, lane.head));
                lanes.collect::<Vec<_>>().join("; ")
            }
            Ok(Err(status)) => format!("no explanation: {status}"),
            Err(_) => "no explanation in time".to_owned(),
        }
    }
}

/// Whether a kill explains that this delivery is parked.
pub fn is_suspect(parked: &ParkedDelivery) -> bool {
    SUSPECT_REASONS.contains(&parked.parked_reason.as_str())
}
