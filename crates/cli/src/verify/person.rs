//! One person: the claims from the command line or stdin, the question, the answer as a table.

use std::io::{self, Read as _};

use lienthong_domain::identity::Field;
use lienthong_proto::identity::v1 as proto;
use lienthong_proto::identity::v1::identity_service_client::IdentityServiceClient;
use tonic::transport::Channel;

use super::claims::{self, SlashDates};
use super::words;
use crate::connection::unary;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::input::Fault;
use crate::messages;
use crate::output::Output;
use crate::output::table::Table;

/// Longest object on stdin, in bytes.
const STDIN_BYTES_MAX: u64 = 16 << 10;
/// What stands instead of claims on the command line. `requires` alone does not refuse these beside a
/// claim, since clap waives what conflicts with something present.
const NOT_TYPED: [&str; 4] = ["file", "stdin", "jobs", "job"];
const CLAIMS_MESSAGE: &str = "lienthong.identity.v1.Claims";

/// What is claimed of one person, and what is asked.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "One person")]
pub(crate) struct PersonArgs {
    /// Citizen number, or 9-digit number of the old identity card
    #[arg(long, requires_all = ["name", "birth"])]
    number: Option<String>,
    /// Full name with its diacritics
    #[arg(long, requires = "number", conflicts_with_all = NOT_TYPED)]
    name: Option<String>,
    /// Birth date, 1991-04-30, 30/04/1991 or 1991
    #[arg(long, requires = "number", conflicts_with_all = NOT_TYPED, value_name = "DATE")]
    birth: Option<String>,
    /// Sex: male or female, nam or nữ
    #[arg(long, requires = "number", conflicts_with_all = NOT_TYPED)]
    sex: Option<String>,
    /// Code of the ethnic group, 01 for Kinh
    #[arg(long, requires = "number", conflicts_with_all = NOT_TYPED, value_name = "CODE")]
    ethnicity: Option<String>,
    /// Number of the old identity card beside the citizen number
    #[arg(long, requires = "number", conflicts_with_all = NOT_TYPED, value_name = "NUMBER")]
    old_number: Option<String>,
    /// Home town in words
    #[arg(long, requires = "number", conflicts_with_all = NOT_TYPED, value_name = "PLACE")]
    home_town: Option<String>,
    /// Permanent residence in words
    #[arg(long, requires = "number", conflicts_with_all = NOT_TYPED, value_name = "PLACE")]
    residence: Option<String>,
    /// Read the claims from stdin, so that no number stays in the history of the shell: one JSON
    /// object with number, `full_name` and `birth_date`
    #[arg(long)]
    stdin: bool,
    /// Show these fields of the record instead, as far as they are granted, such as `sex,permanent_residence`
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', value_parser = super::field, conflicts_with_all = ["file", "jobs", "job"])]
    get: Vec<Field>,
    /// When the database cannot be asked, let a job ask later
    #[arg(long, conflicts_with_all = ["get", "file", "jobs", "job"])]
    defer: bool,
}

/// Shows no claim.
impl std::fmt::Debug for PersonArgs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PersonArgs")
            .field("get", &self.get)
            .finish_non_exhaustive()
    }
}

impl PersonArgs {
    /// The fields to show; none for a verification.
    pub(crate) fn wanted(&self) -> &[Field] {
        &self.get
    }

    /// Whether a job may ask later.
    pub(crate) fn may_defer(&self) -> bool {
        self.defer
    }

    /// What is claimed, from the options or from stdin.
    ///
    /// # Errors
    /// Every fault, without the values.
    pub(crate) fn claims(&self) -> Result<proto::Claims, CliError> {
        if !self.stdin {
            return self.typed();
        }
        let mut text = String::new();
        let mut input = io::stdin().take(STDIN_BYTES_MAX + 1);
        input
            .read_to_string(&mut text)
            .map_err(|source| CliError::File {
                action: "read",
                path: "-".into(),
                source,
            })?;
        from_json(&text)
    }

    fn typed(&self) -> Result<proto::Claims, CliError> {
        let text = |option: &'static str, value: &Option<String>| {
            (option, value.clone().unwrap_or_default())
        };
        let written = [
            text("--number", &self.number),
            text("--name", &self.name),
            text("--birth", &self.birth),
            text("--sex", &self.sex),
            text("--ethnicity", &self.ethnicity),
            text("--old-number", &self.old_number),
            text("--home-town", &self.home_town),
            text("--residence", &self.residence),
        ];
        let draft = written.each_ref().map(|(_, value)| value.as_str());
        let label = |claim: claims::Claim| written[claim as usize].0;
        claims::read(&draft, SlashDates::DayFirst, label).map_err(|faults| refused(&faults))
    }
}

/// Claims in protobuf JSON.
fn from_json(text: &str) -> Result<proto::Claims, CliError> {
    // What serde says of a fault may quote the value, so it is not repeated.
    let malformed = |_quotes| {
        CliError::Usage(
            "stdin is not one JSON object of lienthong.identity.v1.Claims: number, full_name, \
             birth_date; sex, ethnicity_code, old_number, home_town, permanent_residence"
                .to_owned(),
        )
    };
    let value = serde_json::from_str(text).map_err(malformed)?;
    let raw: proto::Claims = messages::from_json(CLAIMS_MESSAGE, value).map_err(malformed)?;
    let sex = match raw.sex() {
        proto::Sex::Unspecified => "",
        proto::Sex::Male => "male",
        proto::Sex::Female => "female",
    };
    let draft = [
        raw.number.as_str(),
        &raw.full_name,
        &raw.birth_date,
        sex,
        &raw.ethnicity_code,
        &raw.old_number,
        &raw.home_town,
        &raw.permanent_residence,
    ];
    let label = |claim: claims::Claim| match claim {
        claims::Claim::Ethnicity => "ethnicity_code",
        other => other.columns()[0],
    };
    claims::read(&draft, SlashDates::DayFirst, label).map_err(|faults| refused(&faults))
}

fn refused(faults: &[Fault]) -> CliError {
    let told = faults.iter().map(|fault| {
        format!(
            "\n  - {}: {} {} [{}]",
            fault.field, fault.vi, fault.en, fault.reason
        )
    });
    CliError::Usage(told.collect())
}

/// Asks whether the claims are right.
///
/// # Errors
/// A refusal of the gateway, or no answer.
pub(crate) async fn verify(
    mut client: IdentityServiceClient<Channel>,
    request: proto::VerifyCitizenRequest,
    output: &Output,
) -> Result<Exit, CliError> {
    let answer = client.verify_citizen(unary(request)).await?.into_inner();
    if output.is_json() {
        let name = "lienthong.identity.v1.VerifyCitizenResponse";
        output.json(&messages::to_json(name, &answer))?;
    } else {
        output.table(&verification_table(&answer))?;
    }
    let Some(verification) = &answer.verification else {
        let job = &answer.deferred_job_id;
        output.say(&format!(
            "hỏi sau: lienthong verify --job {job} / put off: the database cannot be asked now, job {job} asks later"
        ));
        return Ok(Exit::Later);
    };
    Ok(match verification.verdict() {
        proto::Verdict::Match => Exit::Ok,
        _ => Exit::NotSo,
    })
}

fn verification_table(answer: &proto::VerifyCitizenResponse) -> Table {
    let mut table = Table::new(&["", "kết quả / answer"]);
    let mut row = |what: &str, answer: &str| table.row([what.to_owned(), answer.to_owned()]);
    if let Some(verification) = &answer.verification {
        row("công dân / person", words::verdict(verification.verdict()));
        for found in &verification.fields {
            row(
                &format!("  {}", words::field(found.field)),
                words::verdict(found.verdict()),
            );
        }
        row(
            "mức khớp tên / name level",
            words::name_level(verification.name_level()),
        );
    } else {
        row("công dân / person", "hỏi sau / put off");
        row("lô xác minh / job", &answer.deferred_job_id);
    }
    row("nhật ký / usage record", &answer.usage_id);
    row("bí danh / pseudonym", &answer.subject_ref);
    table
}

/// Asks for fields of a record.
///
/// # Errors
/// A refusal of the gateway, or no answer; `NOT_FOUND` when the claims fit no citizen.
pub(crate) async fn look_up(
    mut client: IdentityServiceClient<Channel>,
    request: proto::GetCitizenRequest,
    output: &Output,
) -> Result<Exit, CliError> {
    let asked = request.fields.clone();
    let answer = client.get_citizen(unary(request)).await?.into_inner();
    if output.is_json() {
        let name = "lienthong.identity.v1.GetCitizenResponse";
        output.json(&messages::to_json(name, &answer))?;
    } else {
        output.table(&citizen_table(&asked, &answer))?;
    }
    Ok(Exit::Ok)
}

fn citizen_table(asked: &[i32], answer: &proto::GetCitizenResponse) -> Table {
    let citizen = answer.citizen.clone().unwrap_or_default();
    let mut table = Table::new(&["trường / field", "giá trị / value"]);
    for code in asked {
        let value = if answer.shown_fields.contains(code) {
            Field::from_code(*code).map_or_else(String::new, |field| value(&citizen, field))
        } else if answer.withheld_fields.contains(code) {
            "[không được cấp / not granted]".to_owned()
        } else {
            "[không có trong hồ sơ / not recorded]".to_owned()
        };
        table.row([words::field(*code), value]);
    }
    table.row(["nhật ký / usage record".to_owned(), answer.usage_id.clone()]);
    table.row(["bí danh / pseudonym".to_owned(), answer.subject_ref.clone()]);
    table
}

fn value(citizen: &proto::Citizen, field: Field) -> String {
    match field {
        Field::CitizenNumber => citizen.citizen_number.clone(),
        Field::OldNumber => citizen.old_number.clone(),
        Field::FullName => citizen.full_name.clone(),
        Field::BirthDate => citizen.birth_date.clone(),
        Field::Sex => match citizen.sex() {
            proto::Sex::Male => "nam / male".to_owned(),
            proto::Sex::Female => "nữ / female".to_owned(),
            proto::Sex::Unspecified => "-".to_owned(),
        },
        Field::Ethnicity => citizen.ethnicity_code.clone(),
        Field::Religion => citizen.religion_code.clone(),
        Field::MaritalStatus => citizen.marital_status_code.clone(),
        Field::BloodGroup => citizen.blood_group_code.clone(),
        Field::Nationality => citizen.nationality_code.clone(),
        Field::BirthRegistration => place(citizen.birth_registration.as_ref()),
        Field::HomeTown => place(citizen.home_town.as_ref()),
        Field::PermanentResidence => place(citizen.permanent_residence.as_ref()),
        Field::CurrentResidence => place(citizen.current_residence.as_ref()),
        Field::Father => relative(citizen.father.as_ref()),
        Field::Mother => relative(citizen.mother.as_ref()),
        Field::Spouse => relative(citizen.spouse.as_ref()),
        Field::Representative => relative(citizen.representative.as_ref()),
        Field::HouseholdHead => relative(citizen.household_head.as_ref()),
        Field::HouseholdNumber => citizen.household_number.clone(),
    }
}

/// `Số 12, phố Hàng Bài, xã 00070, tỉnh 01, VN`: what is recorded, the small before the large.
fn place(place: Option<&proto::Place>) -> String {
    let Some(place) = place else {
        return "-".to_owned();
    };
    let parts = [
        ("", &place.detail),
        ("xã ", &place.commune_code),
        ("huyện ", &place.district_code),
        ("tỉnh ", &place.province_code),
        ("", &place.country_code),
    ];
    joined(&parts)
}

fn relative(relative: Option<&proto::Relative>) -> String {
    let Some(relative) = relative else {
        return "-".to_owned();
    };
    let parts = [
        ("", &relative.full_name),
        ("", &relative.citizen_number),
        ("CMND ", &relative.old_number),
        ("quốc tịch ", &relative.nationality_code),
        ("quan hệ ", &relative.relation_code),
    ];
    joined(&parts)
}

fn joined(parts: &[(&str, &String)]) -> String {
    let present = parts.iter().filter(|(_, text)| !text.is_empty());
    let told: Vec<_> = present
        .map(|(what, text)| format!("{what}{text}"))
        .collect();
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_on_stdin_are_read_and_never_repeated() {
        let right = r#"{"number":"038191012345","full_name":"Lê Thị Hoà","birth_date":"30/04/1991","sex":"SEX_FEMALE"}"#;
        let claims = from_json(right).unwrap();
        assert_eq!((claims.birth_date.as_str(), claims.sex), ("1991-04-30", 2));
        let wrong = [
            "",
            "038191012345",
            r#"{"number":"038191012345","full_nam":"Lê Thị Hoà"}"#,
            r#"{"number":"038191012345x","full_name":"Lê Thị Hoà","birth_date":"1991-04-31"}"#,
            r#"{"number":38191012345,"full_name":"Lê Thị Hoà","birth_date":"1991"}"#,
        ];
        for text in wrong {
            let error = from_json(text).unwrap_err();
            assert_eq!(error.exit(), Exit::Usage);
            let told = error.told();
            assert!(
                !told.contains("38191012345") && !told.contains("Hoà"),
                "{told}"
            );
        }
    }
}
