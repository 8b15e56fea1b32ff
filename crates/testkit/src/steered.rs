//! How `tests/run` steers tests through the environment: what must be there, and what may be left out.

use std::io::Write as _;

use anyhow::bail;

/// A variable that is set and not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "test code is steered by tests/run through this"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Says on stderr that something is left out, and why.
///
/// # Errors
/// The reason, where the variable `required` is `1`: then nothing may be left out.
pub(crate) fn left_out(reason: &str, required: &str) -> anyhow::Result<()> {
    if variable(required).as_deref() == Some("1") {
        bail!("{reason}");
    }
    let line = format!("SKIPPED: {reason}\n");
    Ok(std::io::stderr().write_all(line.as_bytes())?)
}
