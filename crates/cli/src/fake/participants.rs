//! The fake's registry: one participant, one guard.

use lienthong_proto::admin::v1::participant_service_server::ParticipantService;
use lienthong_proto::admin::v1::*;
use tonic::{Request, Response};

use super::Answered;
use super::samples::at;

pub(super) struct Service;

#[tonic::async_trait]
impl ParticipantService for Service {
    async fn list_participants(
        &self,
        _: Request<ListParticipantsRequest>,
    ) -> Answered<ListParticipantsResponse> {
        let grant = Grant {
            purpose_code: "CIVIL_STATUS".into(),
            mode: "verify".into(),
            fields: vec!["sex".into(), "home_town".into()],
            quota_class: "counter".into(),
            job_items_max: 200_000,
            valid_from: Some(at()),
            ..Grant::default()
        };
        let identity = System {
            name: "hotich".into(),
            role: "identity".into(),
            pins: 2,
            grants: vec![grant],
            last_seen_at: Some(at()),
            certificate_ends_at: Some(at()),
            accepted: 12,
            refused: 3,
        };
        let push = System {
            name: "motcua".into(),
            role: "push".into(),
            ..System::default()
        };
        let participant = |id: &str, name: &str, systems| Participant {
            participant_id: id.into(),
            name: name.into(),
            active: id != "H21",
            rate_per_second_max: 2_000,
            systems,
            lateness: None,
        };
        Ok(Response::new(ListParticipantsResponse {
            participants: vec![
                participant("G15", "Bộ Tư pháp", vec![identity]),
                participant("H21", "Tỉnh Gia Lai", vec![push]),
            ],
        }))
    }

    async fn check_grant(
        &self,
        request: Request<CheckGrantRequest>,
    ) -> Answered<CheckGrantResponse> {
        let request = request.into_inner();
        let (granted, withheld): (Vec<_>, Vec<_>) =
            request.fields.into_iter().partition(|field| field == "sex");
        let allowed = withheld.is_empty();
        Ok(Response::new(CheckGrantResponse {
            allowed,
            reason: if allowed { "" } else { "FIELDS_NOT_GRANTED" }.into(),
            shown_fields: granted,
            withheld_fields: withheld,
            steps: vec![format!("grant: {} {}", request.purpose_code, request.mode)],
            ..CheckGrantResponse::default()
        }))
    }

    async fn list_guards(&self, _: Request<ListGuardsRequest>) -> Answered<ListGuardsResponse> {
        Ok(Response::new(ListGuardsResponse {
            guards: vec![Guard {
                participant_id: "G15".into(),
                system: "hotich".into(),
                official_id: "lethihoa.tuphap".into(),
                level: GuardLevel::Approval.into(),
                reason: "GUARD_APPROVAL_NEEDED".into(),
                since: Some(at()),
                misses_net: 5.0,
                subjects_last_hour: 6,
                subjects_last_day: 7,
            }],
        }))
    }

    async fn lift_guard(&self, request: Request<LiftGuardRequest>) -> Answered<LiftGuardResponse> {
        let lifted = request.into_inner().official_id == "lethihoa.tuphap";
        Ok(Response::new(LiftGuardResponse { lifted }))
    }
}
