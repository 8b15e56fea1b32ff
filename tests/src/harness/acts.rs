//! What tests do to a gateway again and again: push, park, count, admit people to the console.

use std::path::Path;

use lienthong_console::Accounts;
use lienthong_domain::{Clock, DeliveryState, OperatorRole};
use lienthong_proto::dossier::v1::{PushStatusRequest, StatusEvent};
use lienthong_simulators::portal::{Fault, FaultRule, FaultScript};

use super::TestGateway;

/// What the portal says of a dossier that it rejects.
pub const REJECTED: &str = "Mã thủ tục không có trong danh mục";
/// The password of everybody at the console.
pub const CONSOLE_PASSWORD: &str = "mat-khau-cho-may-kiem-thu";

/// A portal with one fault.
pub fn script(rule: FaultRule) -> FaultScript {
    FaultScript {
        seed: 1,
        rules: vec![rule],
    }
}

/// A portal that rejects these dossiers for good.
pub fn rejecting(dossiers: Vec<String>) -> FaultScript {
    let message = REJECTED.to_owned();
    script(FaultRule {
        dossiers,
        ..FaultRule::always(Fault::Reject { message })
    })
}

/// Makes accounts at the console: name, what the person is called, role.
pub fn write_accounts(file: &Path, people: &[(&str, &str, OperatorRole)]) {
    let now = Clock::system().now();
    let made = Accounts::edit(file, |accounts| {
        people.iter().try_for_each(|(name, called, role)| {
            accounts.add((name, called), *role, CONSOLE_PASSWORD, now)
        })
    });
    made.expect("the accounts of a test are good ones");
}

impl TestGateway {
    /// Pushes events as a province's system; each must be accepted.
    pub async fn push(&self, province: &str, events: Vec<StatusEvent>) {
        let mut client = self.province(province);
        for event in events {
            let request = PushStatusRequest { event: Some(event) };
            client.push_status(request).await.expect("accepted");
        }
    }

    /// Pushes events while the portal rejects their dossiers: the first of each dossier is parked, the others wait behind
    /// it. Then the portal is mended.
    pub async fn park(&self, province: &str, events: Vec<StatusEvent>) {
        let codes = events.iter().map(|event| event.dossier_code.clone());
        let mut codes: Vec<_> = codes.collect();
        codes.sort_unstable();
        codes.dedup();
        let expected = codes.len() as u64;
        let portal = &self.portal;
        portal.set_faults(rejecting(codes)).expect("a good script");
        self.push(province, events).await;
        self.parked(expected).await;
        let mended = portal.set_faults(FaultScript::default());
        mended.expect("a good script");
    }

    /// How many deliveries are in this state.
    pub async fn count(&self, state: DeliveryState) -> u64 {
        let counts = self.running().store.counts().await;
        let counts = counts.expect("the store counts").into_iter();
        counts.map(|count| count.of(state)).sum()
    }

    /// Waits until exactly so many deliveries are parked.
    pub async fn parked(&self, expected: u64) {
        self.until("the expected number is parked", async || {
            self.count(DeliveryState::Parked).await == expected
        })
        .await;
    }
}
