//! The fault harness itself works: two kills of the real gateway, and a verdict.

use std::path::Path;
use std::process::Command;

#[test]
fn two_kills_lose_nothing() {
    // The harness breaks the binary of another package, which a test alone does not build. This is the very
    // build of `tests/run`, so that it has nothing left to do there.
    let arguments = ["build", "--quiet", "--workspace", "--all-targets"];
    let built = Command::new(env!("CARGO"))
        .args(arguments)
        .status()
        .unwrap();
    assert!(built.success());

    let harness = Path::new(env!("CARGO_BIN_EXE_kill"));
    let arguments = ["--rounds", "2", "--only", "kill", "--rate", "60", "--json"];
    let output = Command::new(harness).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{stderr}");
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let scenario = &report["scenarios"][0];
    assert_eq!(scenario["rounds"], 2, "{report}");
    assert_eq!(scenario["acknowledged"], scenario["delivered"], "{report}");
}
