//! Questions about the simulated citizens, as participants ask them.

use lienthong_proto::identity::v1 as proto;
use lienthong_simulators::population::{Citizen, PopulationHandle, Sex};
use tonic::Status;
use tonic_types::StatusExt as _;

/// A dossier of H56 that a question may serve, once its first status is pushed.
pub const DOSSIER: &str = "H56.14-240823-0001";

/// A living citizen with a full birth date, an old number and an address; the same for the same `skip`.
pub fn citizen(population: &PopulationHandle, skip: usize) -> Citizen {
    let register = population.population();
    let mut whole = (0..register.len())
        .map(|index| register.citizen(index))
        .filter(|citizen| {
            let known = citizen.permanent_residence.is_some() && citizen.old_number.is_some();
            known && !citizen.is_dead && citizen.birth.month_day.is_some()
        });
    whole
        .nth(skip)
        .expect("a million citizens have enough of them")
}

/// What is true of a citizen: number, name and birth date.
pub fn claims(citizen: &Citizen) -> proto::Claims {
    let (year, month_day) = (citizen.birth.year, citizen.birth.month_day);
    proto::Claims {
        number: citizen.number.clone(),
        full_name: citizen.name.full(),
        birth_date: month_day.map_or_else(
            || year.to_string(),
            |(month, day)| format!("{year}-{month:02}-{day:02}"),
        ),
        ..proto::Claims::default()
    }
}

/// A citizen's sex in the contract.
pub fn sex(citizen: &Citizen) -> i32 {
    match citizen.sex {
        Sex::Male => proto::Sex::Male.into(),
        Sex::Female => proto::Sex::Female.into(),
    }
}

/// Work for a dossier.
pub fn for_dossier(dossier: &str) -> proto::Inquiry {
    proto::Inquiry {
        purpose_code: "CIVIL_STATUS".to_owned(),
        official_id: "lethihoa.tuphap".to_owned(),
        dossier_code: dossier.to_owned(),
    }
}

/// Work for a whole ministry.
pub fn for_ministry(purpose: &str) -> proto::Inquiry {
    proto::Inquiry {
        purpose_code: purpose.to_owned(),
        official_id: "tranvanbinh.cntt".to_owned(),
        dossier_code: String::new(),
    }
}

/// A verification.
pub fn verify(inquiry: proto::Inquiry, claims: proto::Claims) -> proto::VerifyCitizenRequest {
    proto::VerifyCitizenRequest {
        inquiry: Some(inquiry),
        claims: Some(claims),
        defer_if_unavailable: false,
    }
}

/// A look-up of fields.
pub fn look_up(
    inquiry: proto::Inquiry,
    claims: proto::Claims,
    fields: &[proto::CitizenField],
) -> proto::GetCitizenRequest {
    proto::GetCitizenRequest {
        inquiry: Some(inquiry),
        claims: Some(claims),
        fields: fields.iter().map(|field| (*field).into()).collect(),
    }
}

/// Who looked at a number, as a citizen's office asks.
pub fn usage_of(number: &str) -> proto::ListUsageRequest {
    proto::ListUsageRequest {
        inquiry: Some(for_ministry("CITIZEN_ACCESS")),
        number: number.to_owned(),
        ..proto::ListUsageRequest::default()
    }
}

/// The stable reason of a refusal.
pub fn reason(status: &Status) -> String {
    let info = status.get_details_error_info();
    info.map(|info| info.reason).unwrap_or_default()
}
