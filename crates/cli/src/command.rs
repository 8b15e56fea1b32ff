//! The subcommands, and how each is run.

mod operator;

use anyhow::Context as _;
use lienthong_domain::Clock;
use lienthong_proto::identity::v1::identity_service_client::IdentityServiceClient;
use tokio_util::sync::CancellationToken;

use self::operator::OperatorCommand;
use crate::connection::Connection;
use crate::dossiers::{self, DossierCommand};
use crate::errors::CliError;
use crate::exit::Exit;
use crate::explain::{self, ExplainArgs};
use crate::output::Output;
use crate::participants::{self, ParticipantCommand};
use crate::push::{self, PushArgs, Target};
use crate::usage::{self, UsageArgs};
use crate::verify::{self, VerifyArgs};

/// Commands that talk to a running gateway.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Command {
    /// Send dossier statuses from NDJSON files
    ///
    /// A line is a status event of ours or the portal's own JSON (a call of `DongBoHoSoMC` or
    /// `CapNhatTienDoHoSoMC`, or a bare object of one). An interrupted push goes on where it was, and
    /// no event is stored twice.
    #[command(after_help = "Examples:
  lienthong push tests/data/H56.ndjson
  lienthong push --dry-run --refused faults.csv tests/data/*.ndjson
  export-statuses | lienthong push --json -

Our own form, one per line (protobuf JSON of lienthong.dossier.v1.StatusEvent; status as number or name):
  {\"idempotency_key\":\"H56/1\",\"dossier_code\":\"H56.14-240823-0001\",\"status\":2,\"occurred_at\":\"2024-08-23T14:00:00+07:00\",\"details\":{\"procedure_code\":\"1.001193\"}}

Exit codes: 0 all accepted, 65 some lines refused, 69 gateway not reachable, 78 certificate or endpoint wrong, 130 interrupted")]
    Push(PushArgs),
    /// Show, list or follow dossiers
    #[command(subcommand)]
    Dossier(DossierCommand),
    /// Commands of operators.
    #[command(flatten)]
    Operate(OperatorCommand),
    /// Verify citizens: one person, or a CSV file of them
    ///
    /// What is on a command line stays in the history of the shell: with --stdin the claims are
    /// read from there instead. Every question is recorded with its purpose and official.
    #[command(after_help = VERIFY_HELP)]
    Verify(Box<VerifyArgs>),
    /// Show who looked at a citizen, when and why
    #[command(after_help = "Examples:
  lienthong usage --stdin --purpose CITIZEN_ACCESS --official lethihoa.tuphap < so-dinh-danh.txt
  lienthong usage --number 038191012345 --purpose CITIZEN_ACCESS --official lethihoa.tuphap --since 2026-09-01
  lienthong usage --participant G15 --purpose AUDIT --official thanhtra.01 --limit 1000 --json

A number on a command line stays in the history of the shell; --stdin reads it from there instead.
Operators see pseudonyms only.")]
    Usage(UsageArgs),
    /// List participants, check what they may ask, lift guards
    #[command(subcommand)]
    Participants(ParticipantCommand),
    /// Explain an error code or a problem, or why a dossier waits
    #[command(after_help = "Examples:
  lienthong explain DOSSIER_TRANSITION_REFUSED
  lienthong explain BREAKER_OPEN
  lienthong explain H56.14-240823-0001")]
    Explain(ExplainArgs),
}

const VERIFY_HELP: &str = "Examples:
  lienthong verify --stdin --purpose CIVIL_STATUS --official lethihoa.tuphap --dossier H56.14-240823-0001 < claims.json
  lienthong verify --number 038191012345 --name 'Lê Thị Hoà' --birth 1991-04-30 --purpose CIVIL_STATUS --official lethihoa.tuphap
  lienthong verify --stdin --get sex,permanent_residence --purpose CIVIL_STATUS --official lethihoa.tuphap < claims.json
  lienthong verify --dry-run dan-cu.csv
  lienthong verify dan-cu.csv --purpose DATA_CLEANING --official thanhtra.01 --out answers.csv
  lienthong verify --jobs
  lienthong verify --job J-17 --pause

Claims on stdin are one JSON object (protobuf JSON of lienthong.identity.v1.Claims):
  {\"number\":\"038191012345\",\"full_name\":\"Lê Thị Hoà\",\"birth_date\":\"1991-04-30\",\"sex\":\"SEX_FEMALE\"}

A CSV file is UTF-8 with commas; its first line names the columns, in any order:
  number|so_dinh_danh, full_name|ho_ten, birth_date|ngay_sinh (all three required), sex|gioi_tinh,
  ethnicity|dan_toc, old_number|so_cmnd, home_town|que_quan, permanent_residence|thuong_tru
Other columns are carried into the answers. Dates are YYYY-MM-DD, YYYY or d/M/yyyy; when one date of the
file can only be month/day, those that could be either are refused. Faulty rows are named by line, are
not asked, and stand in the answers as JOB_ITEM_FAULTY. At most 200,000 rows.

An interrupted run goes on with the same command: the job is found by its name (--job-key, or what the
file's content, the purpose and our private key make), and the answers file says how far it came. Answers
are erased in the gateway as they are fetched, so keep the file.

Exit codes: 0 the person matches, or every row has a verdict; 1 no match or undecided; 65 faulty or failed
rows, no such citizen; 69 gateway not reachable, quota used up; 75 put off to a job, or the job stands
still; 78 certificate, endpoint or grant wrong; 130 interrupted";

/// Runs one command to its end, or until Ctrl-C. What goes wrong is told on stderr.
///
/// # Errors
/// Only what stands in the way of telling: the interrupt cannot be listened to.
pub async fn run(
    command: Command,
    connection: &Connection,
    output: &Output,
    clock: &Clock,
) -> anyhow::Result<Exit> {
    let stop = CancellationToken::new();
    let work = execute(command, connection, output, clock, stop.clone());
    tokio::pin!(work);
    let result = tokio::select! {
        result = &mut work => result,
        heard = tokio::signal::ctrl_c() => {
            heard.context("failed to listen for Ctrl-C")?;
            stop.cancel();
            tokio::select! {
                result = &mut work => result,
                _again = tokio::signal::ctrl_c() => return Ok(Exit::Interrupted),
            }
        }
    };
    Ok(result.unwrap_or_else(|error| {
        if is_closed_pipe(&error) {
            return Exit::Ok;
        }
        output.say(&error.told());
        error.exit()
    }))
}

/// Runs one command to its end, or until `stop`.
///
/// # Errors
/// What went wrong, not yet told.
pub(crate) async fn execute(
    command: Command,
    connection: &Connection,
    output: &Output,
    clock: &Clock,
    stop: CancellationToken,
) -> Result<Exit, CliError> {
    let call = async {
        match command {
            Command::Push(args) => {
                let target = (!args.is_dry_run())
                    .then(|| Target::of(connection, clock))
                    .transpose()?;
                return push::run(&args, target, output, stop.clone()).await;
            }
            Command::Dossier(command) => {
                dossiers::run(&command, connection.channel(clock)?, output, &stop).await
            }
            Command::Operate(command) => {
                let channel = connection.channel(clock)?;
                return operator::run(command, channel, clock, output, &stop).await;
            }
            Command::Verify(args) => {
                return verify::run(&args, connection, output, clock, stop.clone()).await;
            }
            Command::Usage(args) => {
                let request = args.request()?;
                let client = IdentityServiceClient::new(connection.channel(clock)?);
                usage::run(request, args.limit(), client, output).await
            }
            Command::Participants(command) => {
                return participants::run(&command, connection.channel(clock)?, output).await;
            }
            Command::Explain(args) => {
                explain::run(&args, || connection.channel(clock), output).await
            }
        }
        .map(|()| Exit::Ok)
    };
    call.await
}

/// Whoever read stdout has seen enough (`| head`).
fn is_closed_pipe(error: &CliError) -> bool {
    matches!(error, CliError::Output(source) if source.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Subcommand as _};

    use super::*;
    use crate::output::OutputArgs;

    fn parser() -> clap::Command {
        let all =
            OutputArgs::augment_args(Connection::augment_args(clap::Command::new("lienthong")));
        Command::augment_subcommands(all.subcommand_required(true))
    }

    #[test]
    fn the_command_line_is_coherent_and_every_command_has_an_example() {
        fn check(command: &clap::Command) {
            if command.has_subcommands() {
                command.get_subcommands().for_each(check);
            } else {
                let help = command.get_after_help().map(ToString::to_string);
                let shown = help.unwrap_or_default();
                assert!(
                    shown.contains("lienthong "),
                    "{} has no example",
                    command.get_name()
                );
            }
        }
        parser().debug_assert();
        check(&parser());
    }

    #[test]
    fn a_change_needs_a_reason_and_a_plan_is_not_carried_out_with_dry_run() {
        let table = [
            ("parked replay --id 1 --reason x", true),
            ("parked replay --id 1", false),
            ("parked replay --id 1 --dry-run", true),
            ("parked discard --all --reason x --dry-run --yes", false),
            ("parked discard --id 1 --province H56 --reason x", false),
            ("destinations pause dvcqg", false),
            ("dossier list --status 11", false),
            ("dossier list --since 2026-09-14 --json", true),
            ("push", false),
            ("verify dan-cu.csv --dry-run", true),
            ("verify dan-cu.csv", false),
            ("verify dan-cu.csv --out a.csv --jobs", false),
            ("verify --number 1 --name x", false),
            (
                "verify --number 1 --name x --birth 1991 --get sex,father",
                true,
            ),
            (
                "verify --number 1 --name x --birth 1991 --get sex,fathers",
                false,
            ),
            (
                "verify --number 1 --name x --birth 1991 --get sex --defer",
                false,
            ),
            ("verify --stdin --defer --purpose X", true),
            ("verify --stdin --number 1 --name x --birth 1991", false),
            ("verify --stdin --out a.csv", false),
            ("verify --stdin --job-key k", false),
            ("verify --stdin --name x", false),
            ("verify a.csv --out b.csv --name x", false),
            ("verify a.csv --dry-run --limit 3", false),
            ("verify --number 1 --name x --birth 1991 --dry-run", false),
            ("verify", false),
            ("verify --jobs --limit 7", true),
            ("verify --job J-17", true),
            ("verify --job J-17 --cancel", true),
            ("verify --job J-17 --cancel --pause", false),
            ("verify --cancel --jobs", false),
            ("verify --job 17", false),
            ("usage --purpose X --official y", false),
            ("usage --participant G15 --limit 5", true),
            ("usage --number 1 --stdin", false),
            (
                "participants check G15 hotich --purpose X --mode read",
                false,
            ),
            (
                "participants check G15 hotich --purpose X --mode verify --fields sex",
                true,
            ),
            ("participants lift G15 hotich", false),
            (
                "push a.ndjson - --endpoint https://gw.example.vn:8443",
                true,
            ),
        ];
        for (line, right) in table {
            let words = ["lienthong"].into_iter().chain(line.split(' '));
            assert_eq!(
                parser().try_get_matches_from(words).is_ok(),
                right,
                "{line}"
            );
        }
    }
}
