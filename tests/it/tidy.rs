//! The rules of the repository: arrows between crates, file sizes, front pages, refused dependencies.

mod commands;
mod logs;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The floor plan: what each crate may use inside the workspace. A new arrow is a decision; see ARCHITECTURE.md.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("proto", &[]),
    ("transport", &[]),
    ("testkit", &[]),
    ("simulators", &[]),
    ("ports", &["domain"]),
    ("telemetry", &["domain"]),
    ("vault", &["domain"]),
    ("convert", &["domain", "proto"]),
    ("store-sqlite", &["domain", "ports", "telemetry", "vault"]),
    ("broker-embedded", &["domain", "ports"]),
    ("broker-rabbitmq", &["domain", "ports", "telemetry"]),
    ("portal", &["domain", "ports", "telemetry"]),
    ("services", &["domain", "ports", "telemetry"]),
    ("delivery", &["domain", "ports", "telemetry"]),
    // Identity asks under the grants that services keep, with the breaker and the pacing of delivery.
    (
        "identity",
        &[
            "domain",
            "ports",
            "services",
            "delivery",
            "telemetry",
            "vault",
        ],
    ),
    // One adapter speaks SOAP and gRPC, and is a server too when it runs in its own zone.
    (
        "population",
        &["convert", "domain", "ports", "proto", "transport"],
    ),
    (
        "rpc",
        &[
            "convert",
            "domain",
            "ports",
            "proto",
            "services",
            "identity",
            "telemetry",
            "transport",
        ],
    ),
    (
        "console",
        &[
            "domain",
            "ports",
            "services",
            "identity",
            "telemetry",
            "transport",
        ],
    ),
    ("cli", &["domain", "proto", "transport"]),
];
/// The crates on top, which may use everything.
const TOP: &[&str] = &["gateway", "tests"];
/// Longest source file, in lines.
const LINES_MAX: usize = 500;
/// Crates that must not come in: another TLS or another source of cryptography.
const REFUSED: &[&str] = &["openssl", "openssl-sys", "native-tls", "ring"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the root")
        .to_owned()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo prints JSON")
}

fn short(name: &str) -> &str {
    name.strip_prefix("lienthong-").unwrap_or(name)
}

#[test]
fn arrows_between_crates_are_those_of_the_floor_plan() {
    let metadata = metadata();
    let plan = ARROWS.iter().copied().collect::<BTreeMap<_, _>>();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if !name.starts_with("lienthong-") || TOP.contains(&short(name)) {
            continue;
        }
        let allowed = plan
            .get(short(name))
            .unwrap_or_else(|| panic!("{name} is not in the plan"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let used = dependency["name"].as_str().unwrap();
            let shipped = dependency["kind"].is_null();
            if used.starts_with("lienthong-") && shipped {
                assert!(
                    allowed.contains(&short(used)),
                    "{name} -> {used} is not in the plan"
                );
            }
        }
    }
}

#[test]
fn no_second_tls_or_cryptography_comes_in() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    assert!(
        lock.contains("name = \"rustls\""),
        "the names are looked up in the right file"
    );
    assert!(
        users_of("rustls").contains("lienthong"),
        "the tree names who uses a crate"
    );
    for name in REFUSED {
        // The lock file also names what no feature switches on; the tree is what is built here.
        let built = users_of(name);
        assert!(!built.contains("lienthong"), "{name} came in:\n{built}");
    }
}

/// What `cargo tree` says of the users of a crate; nothing for a crate that is not in the lock file.
fn users_of(name: &str) -> String {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--workspace",
            "--offline",
            "--locked",
            "--invert",
            name,
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&tree.stderr);
    assert!(
        tree.status.success() || said.contains("did not match any packages"),
        "{said}"
    );
    String::from_utf8_lossy(&tree.stdout).into_owned()
}

#[test]
fn every_file_fits_in_the_head_and_says_what_it_is() {
    let mut faults = Vec::new();
    for file in sources() {
        let text = std::fs::read_to_string(&file).unwrap();
        let lines = text.lines().count();
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        if lines > LINES_MAX {
            faults.push(format!("{name}: {lines} lines"));
        }
        let opening = text.trim_start();
        let is_part_of_tests = name.ends_with("tests.rs") || name.contains("/tests/");
        if !opening.starts_with("//!") && !opening.starts_with("#![doc") && !is_part_of_tests {
            faults.push(format!("{name}: does not begin with what it is"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_crate_has_a_front_page() {
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let readme = entry.unwrap().path().join("README.md");
        let text = std::fs::read_to_string(&readme).unwrap_or_default();
        assert!(
            text.lines().count() >= 5,
            "{} is missing or empty",
            readme.display()
        );
        assert!(
            text.lines().count() <= 60,
            "{} is longer than a screen",
            readme.display()
        );
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let dependencies = manifest.split("[workspace.dependencies]").nth(1).unwrap();
    let dependencies = dependencies.split("\n[").next().unwrap();
    let mut commented = false;
    for line in dependencies.lines() {
        if line.trim_start().starts_with('#') {
            commented = true;
        } else if line.trim().is_empty() {
            commented = false;
        } else if line.contains('=') && !line.contains("path = ") {
            assert!(commented || line.contains('#'), "no reason beside: {line}");
        }
    }
}

fn sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("crates"), root().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                files.push(path);
            }
        }
    }
    files
}
