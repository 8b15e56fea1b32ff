//! `ParticipantService`: who may do what, and guards that hold those who seem to guess numbers.

use std::sync::Arc;

use lienthong_domain::identity::{Field, FieldSet, Grant, Mode, OfficialId, PurposeCode};
use lienthong_domain::participant::{ParticipantId, System};
use lienthong_domain::{DossierCode, ErrorCode, Faults, Reason};
use lienthong_identity::{Checked, GrantCheck, GuardLevel, GuardTarget, GuardView, Identity};
use lienthong_proto::admin::v1 as proto;
use lienthong_proto::admin::v1::participant_service_server::ParticipantService;
use lienthong_services::seen::{ParticipantState, SystemState};
use lienthong_services::{Error, Services};
use tonic::{Request, Response, Status};

use crate::caller::Context;
use crate::convert::{instant_to_proto, span_to_proto, text};
use crate::dossier::invalid;

/// Answers `ParticipantService`. Without a population database there are no grants to check and no guards.
pub(crate) struct Participants {
    pub(crate) services: Arc<Services>,
    pub(crate) identity: Option<Arc<Identity>>,
}

#[tonic::async_trait]
impl ParticipantService for Participants {
    async fn list_participants(
        &self,
        request: Request<proto::ListParticipantsRequest>,
    ) -> Result<Response<proto::ListParticipantsResponse>, Status> {
        let context = Context::of(&request, &self.services)?;
        let found = context.operator();
        let found = found.and_then(|operator| self.services.participants(&operator));
        context.answer(found.map(|found| proto::ListParticipantsResponse {
            participants: found.iter().map(participant_to_proto).collect(),
        }))
    }

    async fn check_grant(
        &self,
        request: Request<proto::CheckGrantRequest>,
    ) -> Result<Response<proto::CheckGrantResponse>, Status> {
        let context = Context::of(&request, &self.services)?;
        let identity = self.identity()?;
        let checked = self.check(&context, identity, request.get_ref()).await;
        context.answer(checked)
    }

    async fn list_guards(
        &self,
        request: Request<proto::ListGuardsRequest>,
    ) -> Result<Response<proto::ListGuardsResponse>, Status> {
        let context = Context::of(&request, &self.services)?;
        let identity = self.identity()?;
        // Whoever has a role over the gateway sees them.
        let guards = context.operator().map(|_| identity.guards());
        context.answer(guards.map(|guards| proto::ListGuardsResponse {
            guards: guards.iter().map(guard_to_proto).collect(),
        }))
    }

    async fn lift_guard(
        &self,
        request: Request<proto::LiftGuardRequest>,
    ) -> Result<Response<proto::LiftGuardResponse>, Status> {
        let context = Context::of(&request, &self.services)?;
        let identity = self.identity()?;
        let lifted = self.lift(&context, identity, request.get_ref()).await;
        context.answer(lifted.map(|lifted| proto::LiftGuardResponse { lifted }))
    }
}

impl Participants {
    fn identity(&self) -> Result<&Identity, Status> {
        let none = || Status::unimplemented("no population database is configured");
        self.identity.as_deref().ok_or_else(none)
    }

    async fn check(
        &self,
        context: &Context,
        identity: &Identity,
        asked: &proto::CheckGrantRequest,
    ) -> Result<proto::CheckGrantResponse, Error> {
        let operator = context.operator()?;
        let question = question_from_proto(asked).map_err(invalid)?;
        let checked = identity.check_grant(&operator, &question).await?;
        Ok(checked_to_proto(&checked))
    }

    async fn lift(
        &self,
        context: &Context,
        identity: &Identity,
        asked: &proto::LiftGuardRequest,
    ) -> Result<bool, Error> {
        let operator = context.operator()?;
        let mut faults = Faults::new();
        let participant = ParticipantId::parse(&asked.participant_id);
        let participant = faults.check("participant_id", participant);
        let system = required(&mut faults, "system", &asked.system);
        let named = !asked.official_id.trim().is_empty();
        let official = named
            .then(|| faults.check("official_id", OfficialId::parse(&asked.official_id)))
            .flatten();
        let reason = text::<500>(&mut faults, "reason", &asked.reason);
        if reason.is_none() && asked.reason.trim().is_empty() {
            faults.push("reason", Reason::Missing);
        }
        let (Some(participant), Some(system), Some(reason)) = (participant, system, reason) else {
            return Err(invalid(faults));
        };
        if !faults.is_empty() {
            return Err(invalid(faults));
        }
        let target = GuardTarget {
            participant,
            system: system.into(),
            official,
        };
        identity.lift(&operator, &target, reason.as_str()).await
    }
}

fn required(faults: &mut Faults, field: &'static str, raw: &str) -> Option<String> {
    let found = text::<100>(faults, field, raw);
    if raw.trim().is_empty() {
        faults.push(field, Reason::Missing);
    }
    found.map(lienthong_domain::Text::into_string)
}

fn question_from_proto(asked: &proto::CheckGrantRequest) -> Result<GrantCheck, Faults> {
    let mut faults = Faults::new();
    let participant = ParticipantId::parse(&asked.participant_id);
    let participant = faults.check("participant_id", participant);
    let system = required(&mut faults, "system", &asked.system);
    let purpose = faults.check("purpose_code", PurposeCode::parse(&asked.purpose_code));
    let mode = Mode::from_name(&asked.mode).ok_or(Reason::UnknownCode { what: "mode" });
    let mode = faults.check("mode", mode);
    let mut fields = FieldSet::EMPTY;
    for (index, name) in asked.fields.iter().enumerate().take(Field::ALL.len() + 1) {
        let field = Field::from_name(name).ok_or(Reason::UnknownCode { what: "fields" });
        if let Some(field) = faults.check(format!("fields[{index}]"), field) {
            fields.insert(field);
        }
    }
    let named = !asked.dossier_code.trim().is_empty();
    let dossier = named
        .then(|| faults.check("dossier_code", DossierCode::parse(&asked.dossier_code)))
        .flatten();
    match (participant, system, purpose, mode) {
        (Some(participant), Some(system), Some(purpose), Some(mode)) if faults.is_empty() => {
            Ok(GrantCheck {
                participant,
                system: system.into(),
                official: None,
                purpose,
                mode,
                fields,
                dossier,
            })
        }
        _ => Err(faults),
    }
}

fn checked_to_proto(checked: &Checked) -> proto::CheckGrantResponse {
    let (shown, refused) = match &checked.result {
        Ok(shown) => (*shown, None),
        Err(code) => (FieldSet::EMPTY, Some(*code)),
    };
    let told = |of: fn(ErrorCode) -> &'static str| refused.map_or("", of).to_owned();
    proto::CheckGrantResponse {
        allowed: refused.is_none(),
        reason: told(ErrorCode::name),
        message_vi: told(ErrorCode::vi),
        message_en: told(ErrorCode::en),
        shown_fields: names(shown),
        withheld_fields: names(checked.withheld),
        steps: checked.steps.clone(),
    }
}

fn names(fields: FieldSet) -> Vec<String> {
    fields.iter().map(|field| field.name().to_owned()).collect()
}

fn participant_to_proto(state: &ParticipantState) -> proto::Participant {
    let participant = &state.participant;
    let systems = participant.systems.iter().zip(&state.systems);
    let lateness = state.lateness.map(|lateness| lateness.median);
    proto::Participant {
        participant_id: participant.id.to_string(),
        name: participant.name.clone(),
        active: participant.active,
        rate_per_second_max: participant.rate_per_second_max,
        systems: systems
            .map(|(system, seen)| system_to_proto(system, seen))
            .collect(),
        lateness: lateness.map(span_to_proto),
    }
}

fn system_to_proto(system: &System, seen: &SystemState) -> proto::System {
    proto::System {
        name: system.name.to_string(),
        role: system.role.name().to_owned(),
        pins: u32::try_from(system.pins.len()).unwrap_or(u32::MAX),
        grants: system.grants.iter().map(grant_to_proto).collect(),
        last_seen_at: seen.last_seen_at.map(instant_to_proto),
        certificate_ends_at: seen.certificate_ends_at.map(instant_to_proto),
        accepted: seen.accepted,
        refused: seen.refused,
    }
}

fn grant_to_proto(grant: &Grant) -> proto::Grant {
    proto::Grant {
        purpose_code: grant.purpose.to_string(),
        mode: grant.mode.name().to_owned(),
        fields: names(grant.fields),
        procedure_codes: grant.procedures.iter().map(ToString::to_string).collect(),
        quota_class: grant.quota.name.clone(),
        job_items_max: grant.job_items_max,
        valid_from: Some(instant_to_proto(grant.valid_from)),
        valid_until: grant.valid_until.map(instant_to_proto),
    }
}

fn guard_to_proto(guard: &GuardView) -> proto::Guard {
    let level = match guard.level {
        GuardLevel::Slow => proto::GuardLevel::Slow,
        GuardLevel::Approval => proto::GuardLevel::Approval,
        GuardLevel::Blocked => proto::GuardLevel::Blocked,
    };
    let official = guard.target.official.as_ref();
    proto::Guard {
        participant_id: guard.target.participant.to_string(),
        system: guard.target.system.to_string(),
        official_id: official.map(ToString::to_string).unwrap_or_default(),
        level: level.into(),
        reason: guard.reason.map_or("", ErrorCode::name).to_owned(),
        since: Some(instant_to_proto(guard.since)),
        misses_net: guard.misses_net,
        subjects_last_hour: count(guard.subjects_last_hour),
        subjects_last_day: count(guard.subjects_last_day),
    }
}

fn count(found: usize) -> u32 {
    u32::try_from(found).unwrap_or(u32::MAX)
}
