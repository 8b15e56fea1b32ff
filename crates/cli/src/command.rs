//! The subcommands, and how each is run.

use anyhow::Context as _;
use lienthong_domain::Clock;
use tokio_util::sync::CancellationToken;

use crate::connection::Connection;
use crate::dossiers::{self, DossierCommand};
use crate::errors::CliError;
use crate::exit::Exit;
use crate::explain::{self, ExplainArgs};
use crate::operations::{self, DestinationCommand, ParkedCommand};
use crate::output::Output;
use crate::push::{self, PushArgs, Target};

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
    /// Show how much waits where
    #[command(after_help = "Example:\n  lienthong queues --json")]
    Queues,
    /// List, replay or discard parked deliveries
    #[command(subcommand)]
    Parked(ParkedCommand),
    /// List, pause or resume destinations
    #[command(subcommand)]
    Destinations(DestinationCommand),
    /// Explain an error code, or why a dossier waits
    #[command(after_help = "Examples:
  lienthong explain DOSSIER_TRANSITION_REFUSED
  lienthong explain H56.14-240823-0001")]
    Explain(ExplainArgs),
}

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

async fn execute(
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
            Command::Queues => operations::queues(connection.channel(clock)?, output).await,
            Command::Parked(command) => {
                operations::parked(&command, connection.channel(clock)?, output).await
            }
            Command::Destinations(command) => {
                operations::destinations(&command, connection.channel(clock)?, output).await
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
            ("parked discard --all --reason x --dry-run --yes", false),
            ("parked discard --id 1 --province H56 --reason x", false),
            ("destinations pause dvcqg", false),
            ("dossier list --status 11", false),
            ("dossier list --since 2026-09-14 --json", true),
            ("push", false),
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
