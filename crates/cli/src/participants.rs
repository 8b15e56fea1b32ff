//! `participants`: who may do what, whether a question would be allowed, and who is held back.

use lienthong_domain::ErrorCode;
use lienthong_domain::identity::Field;
use lienthong_proto::admin::v1 as proto;
use lienthong_proto::admin::v1::participant_service_client::ParticipantServiceClient;
use tonic::transport::Channel;

use crate::connection::unary;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::instant::{shown, shown_length};
use crate::listing;
use crate::messages::{self, word};
use crate::output::Output;
use crate::output::table::{Table, harmless};

const PARTICIPANT: &str = "lienthong.admin.v1.Participant";

/// What to do with participants.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum ParticipantCommand {
    /// List the participants and their systems
    #[command(after_help = "Example:\n  lienthong participants list")]
    List,
    /// Show one participant with everything it is granted
    #[command(after_help = "Example:\n  lienthong participants show G15")]
    Show {
        /// Agency code
        participant: String,
    },
    /// Ask whether a question about a citizen would be allowed now, and why not
    ///
    /// Nothing is asked of the population database and nothing is recorded.
    #[command(after_help = "Examples:
  lienthong participants check G15 hotich --purpose CIVIL_STATUS --mode verify --fields sex,home_town --dossier H56.14-240823-0001
  lienthong participants check G15 hotich --purpose CIVIL_STATUS --mode disclose --fields permanent_residence --json

Exit codes: 0 allowed, 1 not allowed")]
    Check(CheckArgs),
    /// List who is slowed, held or blocked because their questions look like guessing
    #[command(after_help = "Example:\n  lienthong participants guards")]
    Guards,
    /// Let somebody ask again who was held or blocked
    #[command(after_help = "Examples:
  lienthong participants lift G15 hotich --official lethihoa.tuphap --reason 'đã làm việc với cán bộ'
  lienthong participants lift G15 hotich --reason 'lỗi phần mềm đã sửa'

Exit codes: 0 lifted, 65 there was no guard")]
    Lift(LiftArgs),
}

/// A question that is only imagined.
#[derive(Debug, Clone, clap::Args)]
pub struct CheckArgs {
    /// Agency code of the participant
    participant: String,
    /// Name of its system
    system: String,
    /// Purpose
    #[arg(long, value_name = "CODE")]
    purpose: String,
    /// Kind of question
    #[arg(long, value_parser = ["verify", "disclose", "usage"])]
    mode: String,
    /// Fields beside number, name and birth date, with commas between, such as `sex,father`
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', value_parser = crate::verify::field)]
    fields: Vec<Field>,
    /// Dossier that would need the answer
    #[arg(long, value_name = "CODE")]
    dossier: Option<String>,
}

/// Whose guard to lift, and why.
#[derive(Debug, Clone, clap::Args)]
pub struct LiftArgs {
    /// Agency code of the participant
    participant: String,
    /// Name of its system
    system: String,
    /// Account of the official; without it the guard of the whole system
    #[arg(long, value_name = "ACCOUNT")]
    official: Option<String>,
    /// Why; goes into the audit trail, without personal data
    #[arg(long)]
    reason: String,
}

/// Shows, checks or lifts.
///
/// # Errors
/// A refusal of the gateway, no answer, or a participant that does not exist.
pub(crate) async fn run(
    command: &ParticipantCommand,
    channel: Channel,
    output: &Output,
) -> Result<Exit, CliError> {
    let client = ParticipantServiceClient::new(channel);
    match command {
        ParticipantCommand::List => list(client, output).await,
        ParticipantCommand::Show { participant } => show(client, participant, output).await,
        ParticipantCommand::Check(args) => check(client, args, output).await,
        ParticipantCommand::Guards => guards(client, output).await,
        ParticipantCommand::Lift(args) => lift(client, args, output).await,
    }
}

async fn all(
    mut client: ParticipantServiceClient<Channel>,
) -> Result<Vec<proto::Participant>, CliError> {
    let request = unary(proto::ListParticipantsRequest {});
    let answer = client.list_participants(request).await?;
    Ok(answer.into_inner().participants)
}

async fn list(
    client: ParticipantServiceClient<Channel>,
    output: &Output,
) -> Result<Exit, CliError> {
    let found = all(client).await?;
    listing::show(&found, PARTICIPANT, output, participant_table)?;
    Ok(Exit::Ok)
}

fn participant_table(participants: &[proto::Participant]) -> Table {
    let heading = [
        "participant",
        "name",
        "active",
        ">events/s",
        ">lateness",
        "last seen",
        "systems",
    ];
    let mut table = Table::new(&heading);
    for participant in participants {
        let systems = participant
            .systems
            .iter()
            .map(|system| format!("{} ({})", system.name, system.role));
        table.row([
            participant.participant_id.clone(),
            participant.name.clone(),
            active(participant).to_owned(),
            participant.rate_per_second_max.to_string(),
            shown_length(participant.lateness.as_ref()),
            shown(last_seen(participant)),
            systems.collect::<Vec<_>>().join(", "),
        ]);
    }
    table
}

/// When one of its systems called last.
fn last_seen(participant: &proto::Participant) -> Option<&prost_types::Timestamp> {
    let seen = participant.systems.iter();
    seen.filter_map(|system| system.last_seen_at.as_ref())
        .max_by_key(|at| (at.seconds, at.nanos))
}

fn active(participant: &proto::Participant) -> &'static str {
    if participant.active {
        "có / yes"
    } else {
        "tạm ngừng / suspended"
    }
}

async fn show(
    client: ParticipantServiceClient<Channel>,
    id: &str,
    output: &Output,
) -> Result<Exit, CliError> {
    let found = all(client).await?;
    let Some(participant) = found.iter().find(|found| found.participant_id == id) else {
        return Err(CliError::NothingFound(format!(
            "participant {}",
            harmless(id)
        )));
    };
    if output.is_json() {
        output.json(&messages::to_json(PARTICIPANT, participant))?;
        return Ok(Exit::Ok);
    }
    output.text(&harmless(&format!(
        "{}  {}  active: {}  {} events/s",
        participant.participant_id,
        participant.name,
        active(participant),
        participant.rate_per_second_max
    )))?;
    output.text("")?;
    output.table(&system_table(participant))?;
    if let Some(grants) = grant_table(participant) {
        output.text("")?;
        output.table(&grants)?;
    }
    Ok(Exit::Ok)
}

fn system_table(participant: &proto::Participant) -> Table {
    let mut table = Table::new(&[
        "system",
        "role",
        ">pinned keys",
        "last seen",
        "certificate until",
        ">accepted",
        ">refused",
    ]);
    for system in &participant.systems {
        let pins = match system.pins {
            0 => "không / none".to_owned(),
            pins => pins.to_string(),
        };
        table.row([
            system.name.clone(),
            system.role.clone(),
            pins,
            shown(system.last_seen_at.as_ref()),
            shown(system.certificate_ends_at.as_ref()),
            system.accepted.to_string(),
            system.refused.to_string(),
        ]);
    }
    table
}

/// `None` when nothing about citizens is granted.
fn grant_table(participant: &proto::Participant) -> Option<Table> {
    let heading = [
        "system",
        "purpose",
        "mode",
        "fields",
        "procedures",
        "quota",
        ">job items",
        "from",
        "until",
    ];
    let mut table = Table::new(&heading);
    let mut is_empty = true;
    for system in &participant.systems {
        for grant in &system.grants {
            is_empty = false;
            let procedures = match grant.procedure_codes.as_slice() {
                [] => "theo mục đích / of the purpose".to_owned(),
                codes => codes.join(", "),
            };
            table.row([
                system.name.clone(),
                grant.purpose_code.clone(),
                grant.mode.clone(),
                grant.fields.join(", "),
                procedures,
                grant.quota_class.clone(),
                grant.job_items_max.to_string(),
                shown(grant.valid_from.as_ref()),
                shown(grant.valid_until.as_ref()),
            ]);
        }
    }
    (!is_empty).then_some(table)
}

async fn check(
    mut client: ParticipantServiceClient<Channel>,
    args: &CheckArgs,
    output: &Output,
) -> Result<Exit, CliError> {
    let request = proto::CheckGrantRequest {
        participant_id: args.participant.clone(),
        system: args.system.clone(),
        purpose_code: args.purpose.clone(),
        mode: args.mode.clone(),
        fields: args
            .fields
            .iter()
            .map(|field| field.name().to_owned())
            .collect(),
        dossier_code: args.dossier.clone().unwrap_or_default(),
    };
    let answer = client.check_grant(unary(request)).await?.into_inner();
    if output.is_json() {
        let name = "lienthong.admin.v1.CheckGrantResponse";
        output.json(&messages::to_json(name, &answer))?;
    } else {
        output.text(&told_check(&answer))?;
    }
    Ok(if answer.allowed {
        Exit::Ok
    } else {
        Exit::NotSo
    })
}

/// The verdict, what was looked at, and for a refusal the page of its code.
fn told_check(answer: &proto::CheckGrantResponse) -> String {
    let mut lines = Vec::new();
    if answer.allowed {
        lines.push("được phép / allowed".to_owned());
    } else {
        lines.push(format!("không được phép / not allowed: {}", answer.reason));
        let messages = [&answer.message_vi, &answer.message_en];
        let said = messages.into_iter().filter(|message| !message.is_empty());
        lines.extend(said.map(|message| format!("  {message}")));
    }
    for (what, fields) in [
        ("được trả lời / answered", &answer.shown_fields),
        ("bị giữ lại / withheld", &answer.withheld_fields),
    ] {
        if !fields.is_empty() {
            lines.push(format!("{what}: {}", fields.join(", ")));
        }
    }
    lines.push(String::new());
    for (number, step) in (1..).zip(&answer.steps) {
        lines.push(format!("{number}. {step}"));
    }
    let mut text: Vec<_> = lines.iter().map(|line| harmless(line)).collect();
    if let Ok(code) = answer.reason.parse::<ErrorCode>() {
        text.extend([String::new(), code.page().to_owned()]);
    }
    text.join("\n")
}

async fn guards(
    mut client: ParticipantServiceClient<Channel>,
    output: &Output,
) -> Result<Exit, CliError> {
    let request = unary(proto::ListGuardsRequest {});
    let found = client.list_guards(request).await?.into_inner().guards;
    listing::show(&found, "lienthong.admin.v1.Guard", output, guard_table)?;
    Ok(Exit::Ok)
}

fn guard_table(guards: &[proto::Guard]) -> Table {
    let heading = [
        "participant",
        "official",
        "level",
        "reason",
        "since",
        ">misses",
        ">persons/hour",
        ">persons/day",
    ];
    let mut table = Table::new(&heading);
    for guard in guards {
        let official = match guard.official_id.as_str() {
            "" => "cả hệ thống / whole system",
            official => official,
        };
        table.row([
            format!("{}/{}", guard.participant_id, guard.system),
            official.to_owned(),
            level(guard.level()),
            guard.reason.clone(),
            shown(guard.since.as_ref()),
            format!("{:.1}", guard.misses_net),
            guard.subjects_last_hour.to_string(),
            guard.subjects_last_day.to_string(),
        ]);
    }
    table
}

fn level(level: proto::GuardLevel) -> String {
    let vi = match level {
        proto::GuardLevel::Slow => "làm chậm",
        proto::GuardLevel::Approval => "chờ duyệt",
        proto::GuardLevel::Blocked => "khóa",
        proto::GuardLevel::Unspecified => "?",
    };
    format!("{vi} / {}", word(level.as_str_name(), "GUARD_LEVEL_"))
}

async fn lift(
    mut client: ParticipantServiceClient<Channel>,
    args: &LiftArgs,
    output: &Output,
) -> Result<Exit, CliError> {
    let request = proto::LiftGuardRequest {
        participant_id: args.participant.clone(),
        system: args.system.clone(),
        official_id: args.official.clone().unwrap_or_default(),
        reason: args.reason.clone(),
    };
    let answer = client.lift_guard(unary(request)).await?.into_inner();
    if output.is_json() {
        let name = "lienthong.admin.v1.LiftGuardResponse";
        output.json(&messages::to_json(name, &answer))?;
    } else if answer.lifted {
        output.text("đã mở lại / lifted")?;
    } else {
        output.say("không có gì bị giữ / there was no guard");
    }
    Ok(if answer.lifted {
        Exit::Ok
    } else {
        Exit::DataRefused
    })
}

#[cfg(test)]
mod tests;
