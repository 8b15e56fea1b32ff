#![doc = include_str!("../README.md")]

mod command;
mod connection;
mod dossiers;
mod errors;
mod exit;
mod explain;
#[cfg(test)]
mod fake;
mod input;
mod inquiry;
mod instant;
mod messages;
mod operations;
mod output;
mod participants;
mod patience;
mod push;
mod usage;
mod verify;

pub use command::{Command, run};
pub use connection::Connection;
pub use errors::CliError;
pub use exit::Exit;
pub use output::{Captured, Output, OutputArgs};
