//! The gateway as a whole: problems that need a person, its certificate, its build, and whether it looks at itself.

use prometheus_client::registry::Registry;

use super::{Gauge, Label, Table, Vocabulary, province_codes, register};

/// How bad a problem is.
const SEVERITIES: [&str; 2] = ["warning", "critical"];
/// What a problem is about when it is about the whole gateway.
const GATEWAY: &str = "gateway";

/// The gateway as a whole.
#[derive(Clone, Debug)]
pub struct GatewayMetrics {
    problems: Table<Gauge>,
    /// Seconds until the gateway's own certificate ends.
    pub certificate_remaining_seconds: Gauge,
    /// Unix time of the newest look of the gateway at itself.
    pub looked_at_seconds: Gauge,
}

impl GatewayMetrics {
    pub(super) fn new(words: &Vocabulary, registry: &mut Registry) -> Self {
        let destinations = words.destinations.iter().map(ToString::to_string);
        let about = [GATEWAY.to_owned()].into_iter();
        let about = about.chain(destinations).chain(province_codes());
        let problems = Label::closed("problem", words.problems.iter().copied());
        let severity = Label::closed("severity", SEVERITIES);
        let problems = vec![problems, severity, Label::open("about", about)];
        let whole = |values: &[&str]| values.last() == Some(&GATEWAY);
        let build = Table::shown(
            vec![Label::closed("version", [words.version])],
            Gauge::default,
        );
        build.at(&[words.version]).set(1.0);
        register(
            registry,
            "lienthong_build_info",
            "1, with the version of the program",
            build,
        );
        Self {
            problems: register(
                registry,
                "lienthong_problem_active",
                "1 while a problem needs a person, 0 else; what each means and what to do is in its alert",
                Table::new(problems, Gauge::default, whole),
            ),
            certificate_remaining_seconds: register(
                registry,
                "lienthong_certificate_remaining_seconds",
                "Time until the certificate of the gateway ends; negative when it has ended",
                Gauge::default(),
            ),
            looked_at_seconds: register(
                registry,
                "lienthong_looked_at_timestamp_seconds",
                "When the gateway last looked at its queues and decided its problems, as Unix time",
                Gauge::default(),
            ),
        }
    }

    /// Shows exactly these problems: name, severity (`warning` or `critical`), and the destination or province each is
    /// about, or nothing for the gateway.
    pub fn show_problems<'a>(
        &self,
        problems: impl IntoIterator<Item = (&'static str, &'static str, &'a str)>,
    ) {
        let mut active: Vec<Vec<&str>> = Vec::new();
        for (problem, severity, about) in problems {
            let about = if about.is_empty() { GATEWAY } else { about };
            // The number of an operation is no label: it counts as another.
            let names = self.problems.known(&[problem, severity, about]);
            if !active.contains(&names) {
                active.push(names);
            }
        }
        let figures = active.into_iter().map(|names| (names, 1.0));
        self.problems.replace(figures);
    }
}
