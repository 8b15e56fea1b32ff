//! The client commands, run in this process against a test gateway.

use clap::Parser;
use lienthong_cli::{Exit, Output, OutputArgs};
use lienthong_domain::Clock;
use lienthong_tests::harness::TestGateway;
use serde_json::Value;

/// The client commands, as the binary mounts them.
#[derive(Parser)]
struct Client {
    #[command(subcommand)]
    command: lienthong_cli::Command,
}

/// Runs a client command and reads the JSON object it ends with.
pub(crate) async fn run(
    gateway: &TestGateway,
    who: (&str, &str),
    arguments: &[&str],
) -> (Exit, Value) {
    let line = std::iter::once("lienthong").chain(arguments.iter().copied());
    let client = Client::try_parse_from(line).expect("a good command line");
    let (output, captured) = Output::captured(OutputArgs { json: true });
    let connection = gateway.connection(who.0, who.1);
    let exit = lienthong_cli::run(client.command, &connection, &output, &Clock::system())
        .await
        .expect("the command runs");
    let text = captured.data();
    let last = text.lines().last().unwrap_or("null");
    (
        exit,
        serde_json::from_str(last).expect("the last line is JSON"),
    )
}
