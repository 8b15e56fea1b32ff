//! The fault harness itself works: two kills of the real gateway, and a verdict.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What the harness reports of the one scenario, which must be good.
fn played(arguments: &[&str]) -> Value {
    // The harness breaks the binary of another package, which a test alone does not build. This is the very
    // build of `tests/run`, so that it has nothing left to do there.
    let build = ["build", "--quiet", "--workspace", "--all-targets"];
    let built = Command::new(env!("CARGO"))
        .args(build)
        .status()
        .expect("cargo runs");
    assert!(built.success());

    let harness = Path::new(env!("CARGO_BIN_EXE_kill"));
    let output = Command::new(harness)
        .args(arguments)
        .arg("--json")
        .output()
        .expect("the harness runs");
    let text = String::from_utf8(output.stdout).expect("reports are text");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{stderr}");
    let mut report: Value = serde_json::from_str(&text).expect("the report is JSON");
    report["scenarios"][0].take()
}

#[test]
fn two_kills_lose_nothing() {
    let scenario = played(&["--rounds", "2", "--only", "kill", "--rate", "60"]);
    assert_eq!(scenario["rounds"], 2, "{scenario}");
    assert_eq!(
        scenario["acknowledged"], scenario["delivered"],
        "{scenario}"
    );
}

/// `tests/kill --only replay` does it with 10,000.
#[test]
fn a_replay_of_2000_survives_two_kills_and_a_double_click() {
    let scenario = played(&[
        "--only",
        "replay",
        "--parked",
        "2000",
        "--replay-rate",
        "150",
    ]);
    assert_eq!(scenario["rounds"], 2, "{scenario}");
    assert_eq!(
        scenario["acknowledged"], scenario["delivered"],
        "{scenario}"
    );
    assert_eq!(scenario["replayed"]["deliveries"], 2_000, "{scenario}");
}
