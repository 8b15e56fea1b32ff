//! The two texts that scrapers take: `OpenMetrics` 1.0 as the library writes it, and Prometheus' text 0.0.4 made of it.
//!
//! The difference is small. In `OpenMetrics` a counter's family is named without `_total` and an info's without `_info`,
//! units are declared, and the text ends with a mark; the older form names families as their samples.

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

/// Which text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' text, version 0.0.4.
    Text,
    /// `OpenMetrics` 1.0.
    OpenMetrics,
}

impl Format {
    /// The media type of an answer.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// What a scraper with this `Accept` header gets: `OpenMetrics` when it names it, else the text everybody reads.
    /// A scraper that prefers the text (by `q`) gets the text.
    pub fn accepted(header: Option<&str>) -> Self {
        let asked = header.unwrap_or_default().split(',').map(Asked::read);
        let (mut open, mut text) = (0.0, 0.0);
        for asked in asked {
            match asked.media {
                "application/openmetrics-text" if asked.version_fits => {
                    open = asked.weight.max(open);
                }
                "text/plain" | "text/*" | "*/*" => text = asked.weight.max(text),
                _ => {}
            }
        }
        if open > 0.0 && open >= text {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }
}

/// One alternative of an `Accept` header.
struct Asked<'a> {
    media: &'a str,
    version_fits: bool,
    weight: f32,
}

impl<'a> Asked<'a> {
    fn read(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let mut asked = Self {
            media: parts.next().unwrap_or_default(),
            version_fits: true,
            weight: 1.0,
        };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name {
                "q" => asked.weight = value.parse().unwrap_or(0.0),
                "version" => asked.version_fits = matches!(value, "1.0.0" | "0.0.1"),
                _ => {}
            }
        }
        asked
    }
}

/// Everything in `registry` as text.
pub(super) fn render(registry: &Registry, format: Format) -> String {
    let mut text = String::new();
    encode(&mut text, registry).expect("a string takes every text");
    match format {
        Format::OpenMetrics => text,
        Format::Text => to_prometheus(&text),
    }
}

/// Rewrites the lines that tell of families; samples are the same in both forms.
fn to_prometheus(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len() + open_metrics.len() / 16);
    let mut lines = open_metrics.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(help) = line.strip_prefix("# HELP ") else {
            if !line.starts_with('#') {
                text.push_str(line);
                text.push('\n');
            }
            continue;
        };
        // The library writes HELP, TYPE and at times UNIT, in this order.
        let kind = lines
            .next_if(|next| next.starts_with("# TYPE "))
            .and_then(|next| next.rsplit(' ').next())
            .unwrap_or("unknown");
        let (name, help) = help.split_once(' ').unwrap_or((help, ""));
        let (suffix, kind) = match kind {
            "counter" => ("_total", "counter"),
            "info" => ("_info", "gauge"),
            "unknown" => ("", "untyped"),
            same => ("", same),
        };
        let lines = format!("# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}\n");
        text.push_str(&lines);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scraper_gets_the_text_it_reads() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.75,application/openmetrics-text;\
                          version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        let table = [
            (None, Format::Text),
            (Some(""), Format::Text),
            (Some("*/*"), Format::Text),
            (Some("text/html, */*;q=0.8"), Format::Text),
            (Some(prometheus), Format::OpenMetrics),
            (Some("application/openmetrics-text"), Format::OpenMetrics),
            (
                Some("application/openmetrics-text; version=2.0.0"),
                Format::Text,
            ),
            (
                Some("application/openmetrics-text;q=0.2, text/plain;q=0.9"),
                Format::Text,
            ),
            (Some("application/openmetrics-text;q=0"), Format::Text),
            (Some("application/openmetrics-text;q=none"), Format::Text),
        ];
        for (header, expected) in table {
            assert_eq!(Format::accepted(header), expected, "{header:?}");
        }
    }

    #[test]
    fn families_are_named_as_their_samples() {
        let open = "# HELP a_things Things of A.\n# TYPE a_things counter\na_things_total{province=\"H21\"} 3\n\
                    # HELP b_seconds B.\n# TYPE b_seconds gauge\n# UNIT b_seconds seconds\nb_seconds 1.5\n\
                    # HELP c C.\n# TYPE c info\nc_info{version=\"1\"} 1\n# HELP d D.\n# TYPE d unknown\nd 1\n# EOF\n";
        let text = "# HELP a_things_total Things of A.\n# TYPE a_things_total counter\na_things_total{province=\"H21\"} 3\n\
                    # HELP b_seconds B.\n# TYPE b_seconds gauge\nb_seconds 1.5\n\
                    # HELP c_info C.\n# TYPE c_info gauge\nc_info{version=\"1\"} 1\n# HELP d D.\n# TYPE d untyped\nd 1\n";
        assert_eq!(to_prometheus(open), text);
    }
}
