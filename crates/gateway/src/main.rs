//! `lienthong`: read the arguments, run the command, report.

use std::process::ExitCode;

use lienthong_gateway::{args, commands};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match args::parse() {
        Ok(args) => commands::run(args).into(),
        Err(exit) => exit.into(),
    }
}
