//! `doctor`: tries everything the configuration names and says what it means and what to fix.

mod broker;
mod checks;
mod files;
mod outside;
mod store;

use std::borrow::Cow;

use serde::Serialize;

use crate::args::DoctorArgs;
use crate::commands::{load, print};
use crate::config::Config;
use crate::exit::Exit;

/// How one check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// As it should be.
    Ok,
    /// It works, and somebody should look at it.
    Warn,
    /// It does not work.
    Fault,
}

/// One finding: what was looked at, how it is, and what to do.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it is.
    pub grade: Grade,
    /// What was seen; never a secret.
    pub found: String,
    /// What the operator has to know about it or do; empty when there is nothing to do.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub fix: Cow<'static, str>,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self::new(check, Grade::Ok, found, "")
    }

    fn warn(
        check: &'static str,
        found: impl Into<String>,
        fix: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(check, Grade::Warn, found, fix)
    }

    fn fault(
        check: &'static str,
        found: impl Into<String>,
        fix: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(check, Grade::Fault, found, fix)
    }

    fn new(
        check: &'static str,
        grade: Grade,
        found: impl Into<String>,
        fix: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            check,
            grade,
            found: found.into(),
            fix: fix.into(),
        }
    }
}

/// Tries everything that the configuration names, one after the other, each with an end of its own.
pub async fn examine(config: &Config) -> Vec<Finding> {
    checks::all(config).await
}

pub(super) async fn run(args: DoctorArgs, json: bool) -> anyhow::Result<Exit> {
    let findings = match load(args.config.config.as_deref()) {
        Ok(config) => examine(&config).await,
        Err(faults) => faults
            .0
            .iter()
            .map(|fault| {
                Finding::fault(
                    "configuration",
                    fault.to_string(),
                    "correct the setting; `lienthong config default` comments each",
                )
            })
            .collect(),
    };
    let failed = findings.iter().any(|finding| finding.grade == Grade::Fault);
    if json {
        print(&format!(
            "{}\n",
            serde_json::json!({ "ok": !failed, "findings": findings })
        ))?;
    } else {
        print(&table(&findings))?;
    }
    Ok(if failed { Exit::Failed } else { Exit::OK })
}

fn table(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding {
        check,
        grade,
        found,
        fix,
    } in findings
    {
        let mark = match grade {
            Grade::Ok => console::style("ok   ").green(),
            Grade::Warn => console::style("warn ").yellow(),
            Grade::Fault => console::style("FAULT").red().bold(),
        };
        text.extend([format!("{mark}  {check:<14} {found}\n")]);
        if !fix.is_empty() {
            text.extend([format!("       {:<14} -> {fix}\n", "")]);
        }
    }
    let count = |grade| {
        let found = findings.iter().filter(|finding| finding.grade == grade);
        found.count()
    };
    let (faults, warnings) = (count(Grade::Fault), count(Grade::Warn));
    text.extend([format!(
        "\n{faults} lỗi, {warnings} cảnh báo / {faults} fault(s), {warnings} warning(s)\n"
    )]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_is_a_line_and_its_cure_another() {
        let findings = [
            Finding::ok("clock", "2026-11-20T01:30:00Z"),
            Finding::fault(
                "key files",
                "keys.toml can be read by everybody (0644)",
                "chmod 600 it",
            ),
        ];
        let expected = "\
ok     clock          2026-11-20T01:30:00Z
FAULT  key files      keys.toml can be read by everybody (0644)
                      -> chmod 600 it

1 lỗi, 0 cảnh báo / 1 fault(s), 0 warning(s)
";
        console::set_colors_enabled(false);
        assert_eq!(table(&findings), expected);
    }
}
