//! The fault harness behind `tests/kill`: breaks the running product under load, again and again, and
//! compares what was acknowledged with what the portal recorded.
//!
//! Read [`checker`] for what is promised, [`scenario`] for what is broken, and [`run`](mod@run) for the course of a run.

pub mod case;
pub mod checker;
pub mod door;
pub mod load;
pub mod operator;
pub mod process;
pub mod replay;
pub mod report;
pub mod rig;
pub mod run;
pub mod scenario;
pub mod tail;
