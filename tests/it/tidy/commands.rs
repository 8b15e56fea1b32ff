//! Commands that texts name exist, with the options they are given there: whoever reads an advice can follow it.

use clap::{Command, CommandFactory as _};
use lienthong_gateway::args::Cli;

use super::root;

/// Texts that tell people what to type.
const TEXTS: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "deploy/README.md",
    "deploy/prometheus/lienthong.rules.yml",
    "crates/cli/README.md",
    "crates/domain/error_codes.md",
    "crates/gateway/src/config/default.toml",
    "crates/services/src/problems/words.rs",
];
/// Where a command line ends for the program.
const ENDS: &[&str] = &["|", "||", "<", ">", "#", "&&"];

#[test]
fn commands_that_texts_name_exist() {
    let mut program = Cli::command();
    program.build();
    let (mut named, mut faults) = (0, Vec::new());
    for name in TEXTS {
        let text = std::fs::read_to_string(root().join(name)).unwrap();
        for line in command_lines(&text) {
            named += 1;
            let fault = fault_of(&program, line);
            faults.extend(fault.map(|fault| format!("{name}: {line}: {fault}")));
        }
    }
    assert!(named > 100, "the texts were not read: {named}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_command_that_does_not_exist_is_found() {
    let mut program = Cli::command();
    program.build();
    for (line, is_fault) in [
        ("parked list --province H56 --json", false),
        ("parked list --reason crash_suspect", true),
        ("park list", true),
        ("participants show {about}", false),
        ("serve -c lienthong.toml # runs", false),
        ("serve -x", true),
    ] {
        assert_eq!(fault_of(&program, line).is_some(), is_fault, "{line}");
    }
}

/// What follows `lienthong` between backticks, and at the beginning of lines of a block between backticks.
fn command_lines(text: &str) -> impl Iterator<Item = &str> {
    // Three backticks are three marks, so that every second part is code, of one line or of many.
    let code = text.split('`').skip(1).step_by(2);
    code.flat_map(|code| {
        let inline = code.strip_prefix("lienthong ");
        let lines = code.lines().skip(1).filter(move |_| inline.is_none());
        let block = lines.filter_map(|line| line.trim_start().strip_prefix("lienthong "));
        inline.into_iter().chain(block)
    })
}

/// Why nobody can type this.
fn fault_of(program: &Command, line: &str) -> Option<String> {
    let mut command = program;
    let words = line.split_whitespace();
    for word in words.take_while(|word| !ENDS.contains(word)) {
        if let Some(option) = word.strip_prefix("--") {
            let name = option.split_once('=').map_or(option, |(name, _)| name);
            let mut options = command.get_arguments().filter_map(clap::Arg::get_long);
            if !options.any(|known| known == name) {
                return Some(format!("{} has no --{name}", command.get_name()));
            }
        } else if let Some(letter) = word.strip_prefix('-').and_then(|word| word.chars().next()) {
            let mut options = command.get_arguments().filter_map(clap::Arg::get_short);
            if !options.any(|known| known == letter) {
                return Some(format!("{} has no -{letter}", command.get_name()));
            }
        } else if command.has_subcommands() {
            let Some(found) = command.find_subcommand(word) else {
                return Some(format!("{} has no {word}", command.get_name()));
            };
            command = found;
        }
    }
    None
}
