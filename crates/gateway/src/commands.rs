//! Runs a command and turns its end into an exit code.

pub(crate) mod accounts;
mod adapter;
mod certs;
mod configuration;
pub mod doctor;
mod keys;
mod serve;
mod simulate;

use std::future::Future;
use std::io::Write;

use lienthong_console::ConsoleError;

use crate::args::{Cli, Command};
use crate::config::{Config, ConfigFaults};
use crate::exit::Exit;

/// Runs the command; a failure is told on stderr.
pub fn run(cli: Cli) -> Exit {
    let result = match cli.command {
        Command::Config(command) => configuration::run(command),
        Command::Certs(command) => certs::run(command),
        Command::Demo(args) => block_on(crate::demo::run(args)),
        Command::Serve(args) => block_on(serve::run(args)),
        Command::PopulationAdapter(args) => block_on(adapter::run(args)),
        Command::Accounts(command) => accounts::run(command, cli.output.json),
        Command::Keys(command) => block_on(keys::run(command, cli.output.json)),
        Command::Doctor(args) => block_on(doctor::run(args, cli.output.json)),
        Command::Simulate(command) => block_on(simulate::run(command)),
        Command::Client(command) => block_on(async {
            let output = lienthong_cli::Output::standard(cli.output);
            let clock = lienthong_domain::Clock::system();
            lienthong_transport::install_crypto_provider();
            let exit = lienthong_cli::run(command, &cli.connection, &output, &clock).await?;
            Ok(Exit::Plain(exit))
        }),
    };
    result.unwrap_or_else(|error| {
        let exit = exit_of(&error);
        // When stderr is closed there is nobody to tell.
        drop(writeln!(std::io::stderr(), "lienthong: {error:#}"));
        exit
    })
}

fn exit_of(error: &anyhow::Error) -> Exit {
    match error.downcast_ref() {
        Some(ConsoleError::Refused(_)) => Exit::REFUSED,
        _ if error.is::<ConfigFaults>() => Exit::CONFIGURATION,
        _ => Exit::INTERNAL,
    }
}

fn block_on(command: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let result = runtime.block_on(command);
    // Queries on blocking threads may be under way; nobody waits for their answers any more.
    runtime.shutdown_background();
    result
}

/// Reads the configuration from a file and this process's environment.
fn load(file: Option<&std::path::Path>) -> Result<Config, ConfigFaults> {
    Config::load(file, std::env::vars())
}

/// Prints data.
fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_is_no_fault_of_the_program() {
        let refused = anyhow::Error::from(ConsoleError::Refused("the two passwords differ"));
        assert_eq!(exit_of(&refused.context("add an account")), Exit::REFUSED);
        assert_eq!(
            exit_of(&ConfigFaults(Vec::new()).into()),
            Exit::CONFIGURATION
        );
        assert_eq!(
            exit_of(&anyhow::anyhow!("the disk is gone")),
            Exit::INTERNAL
        );
    }
}
