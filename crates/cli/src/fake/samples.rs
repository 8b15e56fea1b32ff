//! What the fake shows operators: one destination behind by some minutes, three provinces, one parked group.

use lienthong_proto::admin::v1::{
    DeliveryReference, DestinationFlow, GetOverviewResponse, ParkedGroup, Problem, ProvinceFlow,
};
use prost_types::{Duration, Timestamp};

/// The instant of all tests.
pub(super) fn at() -> Timestamp {
    crate::instant::to_wire(super::now())
}

pub(super) fn seconds(seconds: i64) -> Duration {
    Duration { seconds, nanos: 0 }
}

/// A gateway at work, with these problems.
pub(crate) fn overview(problems: Vec<Problem>) -> GetOverviewResponse {
    let province = |code: &str, name: &str, waited: i64| ProvinceFlow {
        destination: "dvcqg".into(),
        root_code: code.into(),
        name: name.into(),
        accepted_today: 1_204,
        delivered_today: 1_190,
        parked_today: 2,
        oldest_waiting_age: Some(seconds(waited)),
        oldest_dossier_code: format!("{code}.14-261120-0001"),
        accepted_per_minute: 3.2,
    };
    GetOverviewResponse {
        measured_at: Some(at()),
        problems,
        destinations: vec![DestinationFlow {
            destination: "dvcqg".into(),
            waiting: 1_234,
            parked: 17,
            oldest_waiting_age: Some(seconds(1_262)),
            oldest_dossier_code: "H56.14-261120-0001".into(),
            accepted_per_minute: 62.0,
            delivered_per_minute: 58.4,
            parked_per_minute: 0.0,
            drained_in: None,
            end_to_end_ms_p50: Some(180.0),
            end_to_end_ms_p99: Some(2_350.0),
        }],
        provinces: vec![
            province("H21", "Gia Lai", 61),
            province("H56", "Thanh Hóa", 1_262),
            province("H05", "Bà Rịa - Vũng Tàu", 4),
        ],
        accept_ms_p50: Some(3.0),
        accept_ms_p99: Some(12.0),
        disk_free_bytes: Some(52 << 30),
        disk_hours_left: None,
        certificate_days_left: Some(61.5),
        parked_groups: vec![group()],
        ..GetOverviewResponse::default()
    }
}

pub(super) fn group() -> ParkedGroup {
    ParkedGroup {
        destination: "dvcqg".into(),
        province_code: "H56".into(),
        parked_reason: "REJECTED".into(),
        error_group: "REJECTED/-1".into(),
        deliveries: 17,
        oldest_parked_at: Some(at()),
        newest_parked_at: Some(at()),
    }
}

pub(super) fn reference(id: i64) -> DeliveryReference {
    DeliveryReference {
        delivery_id: id,
        destination: "dvcqg".into(),
        dossier_code: "H56.14-261120-0001".into(),
        dossier_sequence: id,
        event_id: String::new(),
    }
}
