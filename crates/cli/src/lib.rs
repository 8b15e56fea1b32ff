#![doc = include_str!("../README.md")]

mod command;
mod connection;
mod dossiers;
mod errors;
mod exit;
mod explain;
mod input;
mod instant;
mod messages;
mod operations;
mod output;
mod push;

pub use command::{Command, run};
pub use connection::Connection;
pub use errors::CliError;
pub use exit::Exit;
pub use output::{Captured, Output, OutputArgs};
