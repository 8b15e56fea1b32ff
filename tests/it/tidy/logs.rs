//! The rules of log lines, read from the sources: a message that reads alone, fields under dotted names of known areas,
//! and nothing that could be about a person. What is really written is searched by the canary test.

use super::{root, sources};

/// What a field may be about: the first part of its name.
const AREAS: &[&str] = &[
    "accounts",
    "action",
    "breaker",
    "broker",
    "connections",
    "delivery",
    "destination",
    "dossier",
    "error",
    "expired",
    "field",
    "guard",
    "http",
    "instance",
    "item",
    "job",
    "listen",
    "log",
    "migration",
    "operation",
    "page",
    "participant",
    "peer",
    "record",
    "refusal",
    "request",
    "rpc",
    "service",
    "store",
    "system",
    "tls",
    "traces",
];
/// Names without an area: what failed, how many, and the two that collectors know.
const PLAIN: &[&str] = &["count", "error", "span_id", "trace_id"];
/// Words of values that are about a person, or secret.
const PRIVATE: &[&str] = &[
    "applicant",
    "birth",
    "citizen",
    "claims",
    "details",
    "expose",
    "full_name",
    "note",
    "officer",
    "official",
    "password",
    "progress",
    "secret",
];
/// Fewest words of a message that reads alone.
const MESSAGE_WORDS_MIN: usize = 3;
const MACROS: &[&str] = &[
    "trace",
    "debug",
    "info",
    "warn",
    "error",
    "info_span",
    "debug_span",
];

/// One line of log as the source has it.
struct Line {
    place: String,
    is_span: bool,
    message: Option<String>,
    /// Name and value of each field.
    fields: Vec<(String, String)>,
}

#[test]
fn log_lines_follow_their_rules() {
    let lines = lines();
    assert!(lines.len() > 80, "the sources were not read");
    let faults = lines.iter().flat_map(|line| {
        let found = faults_of(line);
        found
            .into_iter()
            .map(|fault| format!("{}: {fault}", line.place))
    });
    let faults = faults.collect::<Vec<_>>();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_bad_line_is_found() {
    for (source, expected) in [
        (
            r#"tracing::info!(dossier.code = %code, "a dossier came in");"#,
            0,
        ),
        (r#"tracing::info!("done");"#, 1),
        (r#"tracing::info!("the gateway ended.");"#, 1),
        (r"tracing::info!(dossier.code = %code);", 1),
        (r#"tracing::info!(code = %code, "a dossier came in");"#, 1),
        (
            r#"tracing::info!(Dossier.Code = %code, "a dossier came in");"#,
            1,
        ),
        (r#"tracing::info!(person.id = 1, "a dossier came in");"#, 1),
        (
            r#"tracing::info!(dossier.of = %claims.number, "a dossier came in");"#,
            1,
        ),
        (r#"tracing::info!(?applicant, "a dossier came in");"#, 2),
        (
            r#"tracing::info!("a dossier of {} came in", birth_date);"#,
            1,
        ),
    ] {
        let lines = lines_of("x.rs", source);
        assert_eq!(lines.len(), 1, "{source}");
        let found = faults_of(&lines[0]);
        assert_eq!(found.len(), expected, "{source}: {found:?}");
    }
}

fn faults_of(line: &Line) -> Vec<String> {
    let mut faults = Vec::new();
    match &line.message {
        None => faults.push("has no message".to_owned()),
        Some(message) if !line.is_span => {
            if message.split_whitespace().count() < MESSAGE_WORDS_MIN || message.ends_with('.') {
                faults.push(format!(
                    "{message:?} is no sentence that reads alone, without a point"
                ));
            }
        }
        Some(_) => {}
    }
    for (name, value) in &line.fields {
        let plain = |part: &str| {
            let mut letters = part.chars();
            letters
                .next()
                .is_some_and(|first| first.is_ascii_lowercase())
                && letters
                    .all(|letter| letter.is_ascii_lowercase() || "_0123456789".contains(letter))
        };
        let dotted = name
            .split_once('.')
            .is_some_and(|(area, rest)| AREAS.contains(&area) && rest.split('.').all(plain));
        // What a message shows by position has no name.
        if !name.is_empty() && !PLAIN.contains(&name.as_str()) && !dotted {
            faults.push(format!(
                "the field {name} is not `area.thing` of a known area"
            ));
        }
        let words = value.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        for word in words.filter(|word| PRIVATE.iter().any(|private| word.starts_with(private))) {
            faults.push(format!("{word} may be about a person"));
        }
    }
    faults
}

/// Every line that the product can write.
fn lines() -> Vec<Line> {
    let sources = sources().into_iter().filter_map(|file| {
        let name = file.strip_prefix(root()).ok()?.display().to_string();
        let is_test =
            name.starts_with("tests/") || name.contains("/tests/") || name.ends_with("tests.rs");
        (!is_test).then(|| (name, std::fs::read_to_string(&file).unwrap()))
    });
    sources
        .flat_map(|(name, text)| {
            let shipped = text.split("#[cfg(test)]\nmod tests {").next();
            lines_of(&name, shipped.unwrap_or_default())
        })
        .collect()
}

fn lines_of(name: &str, text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut rest = text;
    let mut number = 1;
    while let Some((before, after)) = rest.split_once("tracing::") {
        number += before.matches('\n').count();
        rest = after;
        let Some((called, arguments)) = after.split_once("!(") else {
            break;
        };
        if MACROS.contains(&called) {
            let mut line = read(arguments);
            line.place = format!("{name}:{number}");
            line.is_span = called.ends_with("_span");
            lines.push(line);
        }
    }
    lines
}

/// Reads arguments up to the closing bracket.
fn read(arguments: &str) -> Line {
    let mut line = Line {
        place: String::new(),
        is_span: false,
        message: None,
        fields: Vec::new(),
    };
    for argument in split(arguments) {
        let argument = argument.trim();
        if argument.is_empty() {
            continue;
        }
        if let (None, Some(text)) = (&line.message, argument.strip_prefix('"')) {
            line.message = Some(text.trim_end_matches('"').to_owned());
            continue;
        }
        let field = match argument.split_once('=') {
            Some((name, value)) => (name.trim().to_owned(), value.to_owned()),
            // After the message stands what it shows; before it, a field by its own name.
            None if line.message.is_some() => (String::new(), argument.to_owned()),
            None => {
                let value = argument.trim_start_matches(['%', '?']);
                let name = value.rsplit('.').next().unwrap_or_default();
                (name.to_owned(), value.to_owned())
            }
        };
        line.fields.push(field);
    }
    line
}

/// The arguments of a call, without what follows it.
fn split(arguments: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    for letter in arguments.chars() {
        if quoted {
            quoted = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
        } else {
            match letter {
                '"' => quoted = true,
                '(' | '[' | '{' => depth += 1,
                ')' if depth == 0 => break,
                ')' | ']' | '}' => depth -= 1,
                ',' if depth == 0 => {
                    parts.push(String::new());
                    continue;
                }
                _ => {}
            }
        }
        if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts
}
