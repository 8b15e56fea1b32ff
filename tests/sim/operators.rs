//! The operators: they halt and resume, replay and discard, and at the end see to it that nothing is left.

use std::time::Duration;

use lienthong_domain::{DeliveryId, DeliveryState};
use lienthong_ports::Store;
use lienthong_ports::operators::OperationKind;
use lienthong_ports::store::{Parked, ParkedFilter};
use lienthong_services::OperationRequest;

use crate::senders::Door;
use crate::world::World;

/// Longest that a healed gateway may take until nothing waits and nothing is parked (I10): the longest
/// delay with its jitter, an opening of the breaker, two leases of frozen calls and crashes, and slack.
const DRAIN_MAX: Duration = Duration::from_mins(40);

impl World {
    fn door(&self) -> Option<Door> {
        self.doors.borrow().clone()
    }

    pub(crate) async fn pause(&self, lane: usize, paused: bool) {
        let Some(door) = self.door() else { return };
        let operator = door.operator();
        let name = &self.script.lanes[lane].name;
        let reason = "bảo trì cổng";
        self.ledger.tell(|| format!("pause {name}: {paused}"));
        // Ambiguous failures are part of an operator's life; the healing ends every halt.
        drop(
            door.ask(door.services.set_paused(&operator, name, paused, reason))
                .await,
        );
    }

    pub(crate) async fn replay(&self, ids: Vec<DeliveryId>, allow_out_of_order: bool) {
        let (kind, reason) = (OperationKind::Replay, "đã sửa dữ liệu");
        self.request(kind, ids, allow_out_of_order, reason).await;
    }

    async fn discard(&self, ids: Vec<DeliveryId>) {
        let (kind, reason) = (OperationKind::Discard, "hồ sơ đã huỷ");
        self.request(kind, ids, false, reason).await;
    }

    /// Asks for an operation; the gateway's worker takes its steps.
    async fn request(
        &self,
        kind: OperationKind,
        ids: Vec<DeliveryId>,
        allow_out_of_order: bool,
        reason: &str,
    ) {
        let Some(door) = self.door() else { return };
        let request = OperationRequest {
            kind,
            filter: ParkedFilter {
                ids,
                ..ParkedFilter::default()
            },
            allow_out_of_order,
            per_second: 100,
            key: String::new(),
            reason: reason.to_owned(),
        };
        let operator = door.operator();
        let asked = door.services.request_operation(&operator, request);
        drop(door.ask(asked).await);
    }

    async fn parked(&self) -> Vec<Parked> {
        let parked = self
            .database
            .parked(ParkedFilter::default(), DeliveryId(0), 1_000)
            .await;
        parked.expect("an open store lists")
    }

    pub(crate) async fn discard_some(&self) {
        let ids = self.parked().await.into_iter().map(|parked| parked.id);
        let ids = ids.filter(|_| self.draw.chance(300)).collect::<Vec<_>>();
        if !ids.is_empty() {
            self.discard(ids).await;
        }
    }

    /// Waits until nothing waits and nothing is parked; the operator replays, and gives up what is refused.
    pub(crate) async fn drain(&self) {
        let until = self.ledger.elapsed() + DRAIN_MAX;
        while self.ledger.elapsed() < until {
            let parked = self.parked().await;
            let counts = self.database.counts().await.expect("an open store counts");
            if parked.is_empty() && counts.iter().all(|count| count.waiting() == 0) {
                return;
            }
            let refused = |parked: &Parked| {
                let lane = self
                    .destinations
                    .iter()
                    .find(|lane| lane.script.name == parked.destination);
                lane.is_some_and(|lane| lane.refuses(parked.dossier.as_str(), parked.sequence))
            };
            let (hopeless, good): (Vec<_>, Vec<_>) = parked.into_iter().partition(refused);
            let ids = |parked: Vec<Parked>| {
                parked
                    .into_iter()
                    .map(|parked| parked.id)
                    .collect::<Vec<_>>()
            };
            if !hopeless.is_empty() {
                self.discard(ids(hopeless)).await;
            }
            if !good.is_empty() {
                self.replay(ids(good), true).await;
            }
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        let counts = self.database.counts().await.expect("an open store counts");
        let states = DeliveryState::ALL.map(DeliveryState::name);
        let text = format!("{DRAIN_MAX:?} after the healing: {states:?} {counts:?}");
        self.ledger.violated("I10", &text);
    }
}
