#![doc = include_str!("../README.md")]

mod actions;
mod command;
mod connection;
mod destinations;
mod dossiers;
mod errors;
mod exit;
mod explain;
#[cfg(test)]
mod fake;
mod figures;
mod input;
mod inquiry;
mod instant;
mod listing;
mod log;
mod messages;
mod operations;
mod output;
mod overview;
mod parked;
mod participants;
mod patience;
mod push;
mod queues;
mod report;
mod top;
mod usage;
mod verify;

pub use command::{Command, run};
pub use connection::Connection;
pub use errors::CliError;
pub use exit::Exit;
pub use instant::parse_length;
pub use output::{Captured, Output, OutputArgs};
