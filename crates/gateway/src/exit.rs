//! The exit code of the process: those of the client commands, and one for a run that failed its own check.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 1: the demo lost or reordered something, or the doctor found a fault.
    Failed,
    /// After BSD's sysexits, as all commands use them.
    Plain(lienthong_cli::Exit),
}

impl Exit {
    /// All went well.
    pub const OK: Self = Self::Plain(lienthong_cli::Exit::Ok);
    /// The command line is wrong.
    pub const USAGE: Self = Self::Plain(lienthong_cli::Exit::Usage);
    /// What was given was refused.
    pub const REFUSED: Self = Self::Plain(lienthong_cli::Exit::DataRefused);
    /// A fault of the program or its machine.
    pub const INTERNAL: Self = Self::Plain(lienthong_cli::Exit::Internal);
    /// The configuration is wrong.
    pub const CONFIGURATION: Self = Self::Plain(lienthong_cli::Exit::Configuration);
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Failed => Self::FAILURE,
            Exit::Plain(exit) => exit.into(),
        }
    }
}
