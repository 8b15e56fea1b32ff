//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use lienthong_domain::OperatorRole;

use crate::demo::DemoArgs;
use crate::exit::Exit;

/// Lienthong: the gateway between provincial case systems and the National Public Service Portal.
#[derive(Debug, Parser)]
#[command(name = "lienthong", version, arg_required_else_help = true, after_help = AFTER_HELP)]
pub struct Cli {
    /// How the commands of participants and operators reach the gateway.
    #[command(flatten)]
    pub connection: lienthong_cli::Connection,
    /// How data is printed.
    #[command(flatten)]
    pub output: lienthong_cli::OutputArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
Start here:
  lienthong demo --for 20s          see everything work, nothing to set up
  lienthong certs init              a development CA and the gateway's certificate
  lienthong serve -c lienthong.toml run the gateway
  lienthong push FILE               send statuses as a province does
  lienthong verify --help           ask whether a person is who they say they are
  lienthong overview                does it flow, where does it wait, what to do next
  lienthong top                     the same, live

Exit codes: 0 done, 1 lost, faulty or the answer is not yes, 2 statuses do not flow, 64 usage, 65 some input refused, 69 not reachable, 70 internal, 75 not answered yet, 78 configuration, 130 interrupted.";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole product on this machine: gateway, portal simulator, three provinces.
    #[command(after_help = "Example: lienthong demo --for 20s --rate 500 --json")]
    Demo(DemoArgs),
    /// Run the gateway.
    #[command(
        after_help = "Example: LIENTHONG__PORTAL__PASSWORD=... lienthong serve -c lienthong.toml"
    )]
    Serve(ConfigArgs),
    /// Run the adapter to the population database, in the zone where it may be reached.
    #[command(
        after_help = "Example: LIENTHONG__POPULATION__SOAP__ACCESS__SECRET=... lienthong population-adapter -c adapter.toml"
    )]
    PopulationAdapter(ConfigArgs),
    /// Make, rotate or retire the keys under which personal data is kept.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Who signs in to the console with a password of this gateway.
    #[command(subcommand)]
    Accounts(AccountsCommand),
    /// Check this deployment and say what to fix.
    ///
    /// Configuration, clock, certificates, who may read keys, participants, console, ports, disk, store, broker, portal,
    /// population database. It does what a start does and no more; it may run beside the gateway.
    #[command(after_help = "Examples:
  lienthong doctor -c lienthong.toml
  lienthong doctor -c lienthong.toml --json

Run it as the gateway's user. Exit codes: 0 no fault (there may be warnings), 1 faults.")]
    Doctor(DoctorArgs),
    /// Print the default configuration, or check a file.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// A development certificate authority: for trying out, not for production.
    #[command(subcommand)]
    Certs(CertsCommand),
    /// Run a simulator of an outside system.
    #[command(subcommand)]
    Simulate(SimulateCommand),
    /// The commands of participants and operators.
    #[command(flatten)]
    Client(lienthong_cli::Command),
}

/// Where the configuration is.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// The configuration file; without one, the defaults and the environment.
    #[arg(short, long, env = "LIENTHONG_CONFIG")]
    pub config: Option<PathBuf>,
}

/// `doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// `config`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the commented default file.
    #[command(after_help = "Example: lienthong config default > lienthong.toml")]
    Default,
    /// Name every fault of a file and of the environment.
    #[command(after_help = "Example: lienthong config check lienthong.toml")]
    Check {
        /// The file.
        file: Option<PathBuf>,
    },
}

/// `certs`
#[derive(Debug, Subcommand)]
pub enum CertsCommand {
    /// Make the authority and the gateway's certificate.
    #[command(
        after_help = "Example: lienthong certs init --dir certs --name gateway.example --name 10.0.0.5"
    )]
    Init {
        /// The folder.
        #[arg(long, default_value = "certs")]
        dir: PathBuf,
        /// DNS names and addresses of the gateway.
        #[arg(long = "name", default_values = ["localhost", "127.0.0.1"])]
        names: Vec<String>,
        /// Replace what is there.
        #[arg(long)]
        overwrite: bool,
    },
    /// Issue a certificate to a participant's system.
    #[command(after_help = "Example: lienthong certs issue H21 motcua --dir certs")]
    Issue {
        /// The participant's agency code.
        participant: String,
        /// Its system, as in the participants file.
        system: String,
        /// The folder.
        #[arg(long, default_value = "certs")]
        dir: PathBuf,
        /// The trust domain, as in the configuration.
        #[arg(long, default_value = "lienthong.local")]
        trust_domain: String,
        /// Days it is good for, 1 to 90.
        #[arg(long, default_value_t = 90)]
        days: u16,
        /// Replace what is there.
        #[arg(long)]
        overwrite: bool,
    },
}

/// `keys`
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key file. `serve` does it by itself for a new store.
    #[command(after_help = "Example: lienthong keys init --file keys.toml")]
    Init(KeysArgs),
    /// Show the keys of the file; never the secrets.
    #[command(after_help = "Example: lienthong keys show --file keys.toml --json")]
    Show(KeysArgs),
    /// Add a new key. Restart the gateway: it takes the new one and wraps the data keys anew in the background.
    #[command(after_help = "Example: lienthong keys rotate --file keys.toml")]
    Rotate(KeysArgs),
    /// Remove an old key from the file. The gateway must be stopped: its store is asked whether the key is still in use.
    #[command(after_help = "Example: lienthong keys retire 1 -c lienthong.toml")]
    Retire {
        /// The key's number.
        id: u32,
        /// Where the configuration is, which names store and key file.
        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// Which key file.
#[derive(Debug, Args)]
pub struct KeysArgs {
    /// The key file.
    #[arg(long, default_value = "keys.toml")]
    pub file: PathBuf,
}

/// `accounts`
#[derive(Debug, Subcommand)]
pub enum AccountsCommand {
    /// Add an account; the password is asked for.
    #[command(
        after_help = "Example: lienthong accounts add lan --display-name 'Nguyễn Thị Lan' --role operator"
    )]
    Add {
        /// Its name: 2 to 32 of a-z, 0-9, '.', '_', '-'.
        name: String,
        /// What people call the person; the name, if left out.
        #[arg(long)]
        display_name: Option<String>,
        /// viewer, operator or approver.
        #[arg(long, value_parser = crate::commands::accounts::role)]
        role: OperatorRole,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the flattened struct says it")]
        password: PasswordArgs,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the flattened struct says it")]
        file: AccountsArgs,
    },
    /// Show the accounts; never a password's hash.
    #[command(after_help = "Example: lienthong accounts list --json")]
    List(AccountsArgs),
    /// Give an account another role; it counts from the next page on.
    #[command(after_help = "Example: lienthong accounts set-role lan approver")]
    SetRole {
        /// Its name.
        name: String,
        /// viewer, operator or approver.
        #[arg(value_parser = crate::commands::accounts::role)]
        role: OperatorRole,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the flattened struct says it")]
        file: AccountsArgs,
    },
    /// Give an account another password; it is signed out everywhere.
    #[command(
        after_help = "Example: lienthong accounts set-password lan --password-stdin < secret"
    )]
    SetPassword {
        /// Its name.
        name: String,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the flattened struct says it")]
        password: PasswordArgs,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the flattened struct says it")]
        file: AccountsArgs,
    },
    /// Stop an account without removing it; it is signed out everywhere.
    #[command(after_help = "Example: lienthong accounts disable lan")]
    Disable {
        /// Its name.
        name: String,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the flattened struct says it")]
        file: AccountsArgs,
    },
    /// Let a stopped account sign in again.
    #[command(after_help = "Example: lienthong accounts enable lan")]
    Enable {
        /// Its name.
        name: String,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the flattened struct says it")]
        file: AccountsArgs,
    },
    /// Remove an account; it is signed out everywhere.
    #[command(after_help = "Example: lienthong accounts remove lan")]
    Remove {
        /// Its name.
        name: String,
        #[command(flatten)]
        #[expect(missing_docs, reason = "the flattened struct says it")]
        file: AccountsArgs,
    },
}

/// Which accounts file.
#[derive(Debug, Args)]
pub struct AccountsArgs {
    /// The accounts file, as in [console] of the configuration.
    #[arg(long, default_value = "accounts.toml")]
    pub file: PathBuf,
}

/// Where a new password comes from.
#[derive(Debug, Args)]
pub struct PasswordArgs {
    /// Read the password from standard input instead of asking.
    #[arg(long)]
    pub password_stdin: bool,
}

/// `simulate`
#[derive(Debug, Subcommand)]
pub enum SimulateCommand {
    /// The National Public Service Portal: takes what the gateway sends and records it.
    #[command(
        after_help = "Example: lienthong simulate portal --listen 127.0.0.1:9090 --record portal.ndjson"
    )]
    Portal {
        /// Where it listens; port 0 takes a free one.
        #[arg(long, default_value = "127.0.0.1:9090")]
        listen: SocketAddr,
        /// Append every applied call to this file, one JSON object a line.
        #[arg(long)]
        record: Option<PathBuf>,
        /// A fault script (JSON).
        #[arg(long)]
        faults: Option<PathBuf>,
    },
    /// The population database: answers about invented citizens, the same for the same seed.
    #[command(
        after_help = "Example: lienthong simulate population --listen 127.0.0.1:9091 --show 3"
    )]
    Population {
        /// Where it listens; port 0 takes a free one.
        #[arg(long, default_value = "127.0.0.1:9091")]
        listen: SocketAddr,
        /// Decides who lives there.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many citizens.
        #[arg(long, default_value_t = 1_000_000)]
        citizens: u32,
        /// Print so many citizens, to have somebody to ask about.
        #[arg(long, default_value_t = 0)]
        show: u32,
        /// A fault script (JSON).
        #[arg(long)]
        faults: Option<PathBuf>,
    },
}

/// Reads the command line; prints help or what is wrong with it.
///
/// # Errors
/// The code to exit with.
pub fn parse() -> Result<Cli, Exit> {
    Cli::try_parse().map_err(|error| {
        let exit = if error.use_stderr() {
            Exit::USAGE
        } else {
            Exit::OK
        };
        // A closed pipe is the only way this fails, and then nobody reads.
        drop(error.print());
        exit
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_coherent_and_every_command_has_an_example() {
        let mut cli = super::Cli::command();
        cli.build();
        cli.clone().debug_assert();
        for command in cli
            .get_subcommands()
            .filter(|command| command.get_name() != "help")
        {
            if command.has_subcommands() {
                continue;
            }
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                help.contains("lienthong"),
                "{} has no example",
                command.get_name()
            );
        }
    }
}
