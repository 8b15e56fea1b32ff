//! A private Prometheus for tests: scrapes one target every second, evaluates rules every second, gone when dropped.
//!
//! The product's rules wait for minutes. [`hurried`] makes their waits and windows seconds long and changes nothing else,
//! so that a test judges the same expressions.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::ports::free_ports;
use crate::steered;

/// Set to `1`, it turns a missing Prometheus from "skipped" into a failure.
pub const REQUIRE_VARIABLE: &str = "LIENTHONG_REQUIRE_PROMETHEUS";

const PROGRAMS: [&str; 2] = ["/usr/bin", "/usr/local/bin"];

/// The path of `prometheus` or `promtool`, or `None` (said on stderr) where it is not installed.
///
/// # Errors
/// It is missing although [`REQUIRE_VARIABLE`] demands it.
pub fn program(name: &str) -> anyhow::Result<Option<String>> {
    let found = PROGRAMS
        .iter()
        .map(|folder| format!("{folder}/{name}"))
        .find(|path| Path::new(path).exists());
    if found.is_none() {
        let reason = format!("{name} is not installed (Debian: prometheus)");
        steered::left_out(&reason, REQUIRE_VARIABLE)?;
    }
    Ok(found)
}

/// A running Prometheus.
#[derive(Debug)]
pub struct PrivatePrometheus {
    address: SocketAddr,
    process: Child,
    folder: tempfile::TempDir,
}

impl PrivatePrometheus {
    /// Starts one that scrapes `target` and judges `rules`; `None` where Prometheus is not installed.
    ///
    /// # Errors
    /// It is missing although it is required, or cannot be started.
    pub fn start(target: SocketAddr, rules: &str) -> anyhow::Result<Option<Self>> {
        let Some(path) = program("prometheus")? else {
            return Ok(None);
        };
        let folder = tempfile::tempdir()?;
        let file = |name: &str| folder.path().join(name);
        fs::write(file("rules.yml"), rules)?;
        fs::write(
            file("prometheus.yml"),
            format!(
                "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [rules.yml]\n\
                 scrape_configs: [{{job_name: lienthong, static_configs: [{{targets: ['{target}']}}]}}]\n"
            ),
        )?;
        // Whoever takes the port in between makes the start fail, and the log says so.
        let [port] = free_ports()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let log = File::create(file("log"))?;
        let process = Command::new(path)
            .arg(format!(
                "--config.file={}",
                file("prometheus.yml").display()
            ))
            .arg(format!("--storage.tsdb.path={}", file("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("failed to start prometheus")?;
        Ok(Some(Self {
            address,
            process,
            folder,
        }))
    }

    /// Where it answers: `/api/v1/alerts`, `/api/v1/query`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has logged, for the message of a failed test.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for PrivatePrometheus {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// An alert as Prometheus tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The rule's name.
    pub name: String,
    /// Whether it fires; otherwise it waits out its `for`.
    pub firing: bool,
    /// Its labels, the rule's own and the metric's.
    pub labels: Vec<(String, String)>,
}

/// The alerts in the body of `/api/v1/alerts`.
///
/// # Errors
/// It is not Prometheus' answer.
pub fn alerts(body: &str) -> anyhow::Result<Vec<Alert>> {
    let answer: Value = serde_json::from_str(body).context("failed to read Prometheus' answer")?;
    let Some(list) = answer["data"]["alerts"].as_array() else {
        bail!("Prometheus answers without alerts: {body}");
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let alert = |alert: &Value| Alert {
        name: text(&alert["labels"]["alertname"]),
        firing: alert["state"] == "firing",
        labels: alert["labels"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
    };
    Ok(list.iter().map(alert).collect())
}

/// `rules` with every `for:` one second long and every window of a range fifteen seconds long.
pub fn hurried(rules: &str) -> String {
    let waits_short = rules.lines().map(|line| {
        let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
        if rest.starts_with("for:") {
            format!("{indent}for: 1s")
        } else {
            line.to_owned()
        }
    });
    waits_short
        .map(|line| windows_short(&line))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Replaces `[5m]`, `[1h]`, `[90s]` by `[15s]`.
fn windows_short(line: &str) -> String {
    let mut parts = line.split('[');
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let window = part
            .split_once(']')
            .filter(|(window, _)| is_duration(window));
        short.push('[');
        match window {
            Some((_, rest)) => {
                short.push_str("15s]");
                short.push_str(rest);
            }
            None => short.push_str(part),
        }
    }
    short
}

fn is_duration(text: &str) -> bool {
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    !number.is_empty()
        && number.len() < text.len()
        && number.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_and_windows_become_short_and_nothing_else_changes() {
        let rules = "  - alert: A\n    expr: rate(a_total[5m]) > 0.5 and b{c=~\"[a-z]+\"} > 900\n    for: 10m";
        assert_eq!(
            hurried(rules),
            "  - alert: A\n    expr: rate(a_total[15s]) > 0.5 and b{c=~\"[a-z]+\"} > 900\n    for: 1s"
        );
    }

    #[test]
    fn alerts_are_read() {
        let body = r#"{"status":"success","data":{"alerts":[{"labels":{"alertname":"A","destination":"dvcqg"},
            "annotations":{},"state":"firing","activeAt":"2026-11-22T00:00:00Z","value":"1e+00"}]}}"#;
        let alert = alerts(body).unwrap().remove(0);
        assert!(alert.firing);
        assert_eq!(alert.name, "A");
        assert!(
            alert
                .labels
                .contains(&("destination".into(), "dvcqg".into()))
        );
        assert!(alerts("{}").is_err());
    }
}
