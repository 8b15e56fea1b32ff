//! The pages of problems and alerts: what the product's own alert rules say of each, in both languages.

use std::borrow::Cow;

use super::Page;

/// Every problem of the gateway has a rule here; the repository's tests see to it.
const RULES: &str = include_str!("../../../../deploy/prometheus/lienthong.rules.yml");
/// What begins a rule.
const RULE: &str = "- alert: ";

/// The page of a problem (`BREAKER_OPEN`) or an alert (`GatewayDown`), in any case of letters.
pub(super) fn page(name: &str) -> Option<Page> {
    let mut rules = RULES.split(RULE).skip(1);
    let rule = rules.find(|rule| {
        let names = [Some(alert(rule)), problem(rule)];
        let mut names = names.into_iter().flatten();
        names.any(|known| known.eq_ignore_ascii_case(name))
    })?;
    let part = |key: &str| [annotation(rule, key, "vi"), annotation(rule, key, "en")];
    let ([vi, en], descriptions, runbooks) =
        (part("summary"), part("description"), part("runbook"));
    let told = descriptions.into_iter().zip(runbooks);
    let told = told.map(|(description, runbook)| format!("{description}\n{runbook}"));
    Some(Page {
        code: problem(rule).unwrap_or_else(|| alert(rule)).to_owned(),
        text: told.collect::<Vec<_>>().join("\n\n"),
        vi,
        en,
    })
}

fn alert(rule: &str) -> &str {
    rule.lines().next().unwrap_or_default()
}

/// The gateway's own name for what the rule watches; none for a rule that watches the gateway from outside.
fn problem(rule: &str) -> Option<&str> {
    let (_, rest) = rule.split_once("lienthong_problem_active{problem=\"")?;
    rest.split_once('"').map(|(name, _)| name)
}

/// An annotation: quoted on its line, or a block of the lines that are indented deeper.
fn annotation(rule: &str, key: &str, language: &str) -> String {
    let start = format!("{key}_{language}: ");
    let mut lines = rule
        .lines()
        .skip_while(|line| !line.trim_start().starts_with(&start));
    let Some(first) = lines.next() else {
        return String::new();
    };
    let indent = |line: &str| line.len() - line.trim_start().len();
    let told = first.trim_start().trim_start_matches(&start);
    if told != "|" {
        return without_labels(told.trim_matches('"')).into_owned();
    }
    let block = lines.take_while(|line| indent(line) > indent(first));
    let block = block.map(|line| without_labels(line.trim_start()));
    block.collect::<Vec<_>>().join("\n")
}

/// `...` for what Prometheus fills in.
fn without_labels(text: &str) -> Cow<'_, str> {
    let Some((before, rest)) = text.split_once("{{") else {
        return text.into();
    };
    let after = rest.split_once("}}").map_or("", |(_, after)| after);
    format!("{before}...{}", without_labels(after)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_whole_page_in_both_languages() {
        let rules: Vec<_> = RULES.split(RULE).skip(1).collect();
        assert!(rules.len() > 20, "{}", rules.len());
        for rule in rules {
            let page = page(alert(rule)).unwrap();
            for part in [
                "Ý nghĩa: ",
                "Kiểm tra: ",
                "Xử lý: ",
                "Meaning: ",
                "Check: ",
                "Do: ",
            ] {
                assert!(page.text.contains(part), "{part}: {page:?}");
            }
            assert!(page.vi.len() > 10 && page.en.len() > 10, "{page:?}");
            let sentences = page.vi + &page.en;
            assert!(!sentences.contains('"'), "{sentences}");
            let all = page.text + &sentences;
            assert!(!all.contains("{{") && !all.contains("}}"), "{all}");
        }
    }

    #[test]
    fn a_problem_is_known_by_its_name_and_by_its_alerts() {
        let found = page("BREAKER_OPEN").unwrap();
        assert_eq!(found, page("BreakerOpen").unwrap());
        assert_eq!(found.code, "BREAKER_OPEN");
        assert_eq!(found.en, "Destination ... does not answer properly");
        let start = "Việc gửi tới ... tạm ngắt";
        assert!(found.text.starts_with(start), "{}", found.text);
        assert_eq!(page("GatewayDown").unwrap().code, "GatewayDown");
        assert_eq!(page("BREAKER"), None);
    }
}
