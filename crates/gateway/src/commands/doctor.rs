//! `doctor`: tries everything the configuration names and says what to fix.

mod checks;

use serde::Serialize;

use crate::args::DoctorArgs;
use crate::commands::{load, print};
use crate::exit::Exit;

/// How one check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Grade {
    Ok,
    Warn,
    Fault,
}

/// One finding: what was looked at, how it is, and what to do.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    grade: Grade,
    found: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    fix: &'static str,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            grade: Grade::Ok,
            found: found.into(),
            fix: "",
        }
    }

    fn warn(check: &'static str, found: impl Into<String>, fix: &'static str) -> Self {
        Self {
            check,
            grade: Grade::Warn,
            found: found.into(),
            fix,
        }
    }

    fn fault(check: &'static str, found: impl Into<String>, fix: &'static str) -> Self {
        Self {
            check,
            grade: Grade::Fault,
            found: found.into(),
            fix,
        }
    }
}

pub(super) async fn run(args: DoctorArgs, json: bool) -> anyhow::Result<Exit> {
    let findings = match load(args.config.config.as_deref()) {
        Ok(config) => checks::all(&config).await,
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
    text
}
