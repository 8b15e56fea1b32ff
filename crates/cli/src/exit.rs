//! How a command ends, as the shell sees it.

use std::process::ExitCode;

/// Exit codes of all client commands. Source: `sysexits.h`; 1 and 130 (Ctrl-C) are customs of the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: everything was done; of a person: the claims match.
    Ok,
    /// 1: answered, and the answer is not yes: no match, undecided, not allowed, needs a look, cancelled. As `grep` and `cmp` do.
    NotSo,
    /// 2: of `overview --check`: statuses do not flow, or soon will not.
    Critical,
    /// 64: the command line does not make sense.
    Usage,
    /// 65: some lines were refused, or what was asked for does not exist.
    DataRefused,
    /// 69: the gateway cannot be reached, or stayed too busy for too long.
    Unreachable,
    /// 70: a fault of the gateway or of this program.
    Internal,
    /// 75: not answered yet: the question was put off to a job, or the job stands still. Come back later.
    Later,
    /// 78: a certificate, key or endpoint is wrong, or the certificate may not do this.
    Configuration,
    /// 130: interrupted with Ctrl-C; what was answered is kept.
    Interrupted,
}

impl Exit {
    /// The number that the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::NotSo => 1,
            Self::Critical => 2,
            Self::Usage => 64,
            Self::DataRefused => 65,
            Self::Unreachable => 69,
            Self::Internal => 70,
            Self::Later => 75,
            Self::Configuration => 78,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
