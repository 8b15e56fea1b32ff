use std::time::Duration;

use super::*;

fn metrics() -> Metrics {
    Metrics::new(&Vocabulary {
        version: "1.2.3",
        destinations: vec![DestinationName::parse("dvcqg").unwrap()],
        methods: vec!["DossierService/PushStatus".to_owned()],
        problems: vec!["disk_full", "breaker_open", "approval_awaited"],
    })
}

fn has(text: &str, line: &str) -> bool {
    text.lines().any(|found| found == line)
}

#[test]
fn series_are_there_at_zero_before_anything_happened() {
    let text = metrics().render(Format::Text);
    for line in [
        "lienthong_statuses_accepted_total{province=\"H21\"} 0",
        "lienthong_statuses_refused_total{reason=\"STORE_FULL\"} 0",
        "lienthong_oldest_undelivered_age_seconds{destination=\"dvcqg\",province=\"H63\"} 0.0",
        "lienthong_deliveries_delivered_total{destination=\"dvcqg\",province=\"other\"} 0",
        "lienthong_deliveries_parked_total{destination=\"dvcqg\",reason=\"rejected\"} 0",
        "lienthong_breaker_state{destination=\"dvcqg\",state=\"open\"} 0.0",
        "lienthong_lease_expiries_total{stage=\"sent\"} 0",
        "lienthong_broker_blocked_seconds_total 0.0",
        "lienthong_broker_redeliveries_total{queue=\"identity\"} 0",
        "lienthong_store_commit_items_count 0",
        "lienthong_identity_questions_total{kind=\"verify\",outcome=\"not_matched\"} 0",
        "lienthong_rpc_requests_total{method=\"DossierService/PushStatus\",code=\"INTERNAL\"} 0",
        "lienthong_problem_active{problem=\"disk_full\",severity=\"critical\",about=\"gateway\"} 0.0",
        "lienthong_build_info{version=\"1.2.3\"} 1.0",
    ] {
        assert!(has(&text, line), "{line}");
    }
    // Not known yet, so not shown; and nothing else by the name of everything else.
    assert!(!text.contains("\nlienthong_destination_clock_offset_seconds"));
    assert!(!text.contains("destination=\"other\""));
}

#[test]
fn names_follow_the_rule_and_counters_end_in_total() {
    let text = metrics().render(Format::Text);
    let mut families = 0;
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        families += 1;
        assert!(
            name.starts_with("lienthong_") || name.starts_with("process_"),
            "{name}"
        );
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name} {kind}");
        assert!(text.contains(&format!("# HELP {name} ")), "{name}");
    }
    assert!(families > 50, "{families}");
}

#[test]
fn what_comes_from_outside_cannot_add_series() {
    let metrics = metrics();
    let series = |metrics: &Metrics| {
        let text = metrics.render(Format::Text);
        text.lines().filter(|line| !line.starts_with('#')).count()
    };
    metrics.rpc.ended("Unknown/Method", 3, None);
    metrics.delivery.stale("unknown", 1);
    metrics.intake.accept("Z99", Duration::from_secs(90));
    metrics
        .gateway
        .show_problems([("breaker_open", "warning", "unknown")]);
    let bound = series(&metrics);
    for number in 0..1_000 {
        let name = format!("Nguyễn Văn {number}");
        metrics.rpc.ended(&name, 3, None);
        metrics.delivery.stale(&name, 1);
        metrics.intake.accept(&name, Duration::from_secs(90));
        metrics
            .gateway
            .show_problems([("breaker_open", "warning", name.as_str())]);
    }
    assert_eq!(series(&metrics), bound);
    let text = metrics.render(Format::OpenMetrics);
    assert!(!text.contains("Nguyễn"));
    assert!(has(
        &text,
        "lienthong_stale_messages_total{destination=\"other\"} 1001"
    ));
    assert!(has(
        &text,
        "lienthong_statuses_accepted_total{province=\"other\"} 1001"
    ));
    assert!(has(
        &text,
        "lienthong_rpc_requests_total{method=\"other\",code=\"INVALID_ARGUMENT\"} 1001"
    ));
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn problems_come_and_go_and_numbers_are_no_labels() {
    let metrics = metrics();
    let shown = |problem: &str, about: &str, figure: &str| {
        let line = format!(
            "lienthong_problem_active{{problem=\"{problem}\",severity=\"critical\",about=\"{about}\"}} {figure}"
        );
        has(&metrics.render(Format::Text), &line)
    };
    let problems = [
        ("disk_full", "critical", ""),
        ("breaker_open", "critical", "dvcqg"),
        ("approval_awaited", "critical", "17"),
        ("approval_awaited", "critical", "18"),
    ];
    metrics.gateway.show_problems(problems);
    assert!(shown("disk_full", "gateway", "1.0"));
    assert!(shown("breaker_open", "dvcqg", "1.0"));
    assert!(shown("approval_awaited", "other", "1.0"));
    metrics.gateway.show_problems([]);
    assert!(shown("disk_full", "gateway", "0.0"));
    assert!(shown("breaker_open", "dvcqg", "0.0"));
    assert!(shown("approval_awaited", "other", "0.0"));
}

#[test]
fn two_looks_at_a_distribution_tell_what_came_between() {
    let distribution = Distribution::new(&[1.0, 2.0, 4.0]);
    (0..10).for_each(|_| distribution.observe(4.5));
    let before = distribution.snapshot();
    assert_eq!(before.quantile(0.5), Some(4.0), "above the last bound");
    assert_eq!(before.since(&before).quantile(0.5), None);
    (0..50).for_each(|_| distribution.observe(1.0));
    (0..50).for_each(|_| distribution.observe(3.0));
    let between = distribution.snapshot().since(&before);
    assert_eq!(between.total(), 100);
    assert_eq!(
        between.quantile(0.5),
        Some(1.0),
        "a bound belongs to its bucket"
    );
    assert_eq!(between.quantile(0.75), Some(3.0));
    assert_eq!(between.quantile(1.0), Some(4.0));
}

#[test]
fn a_histogram_is_written_with_its_sum_and_its_open_bucket() {
    let metrics = metrics();
    metrics
        .delivery
        .attempted("dvcqg", Duration::from_millis(500));
    metrics.delivery.attempted("dvcqg", Duration::from_secs(61));
    let text = metrics.render(Format::Text);
    let name = "lienthong_delivery_call_duration_seconds";
    for line in [
        "_sum{destination=\"dvcqg\"} 61.5",
        "_count{destination=\"dvcqg\"} 2",
        "_bucket{le=\"0.25\",destination=\"dvcqg\"} 0",
        "_bucket{le=\"0.5\",destination=\"dvcqg\"} 1",
        "_bucket{le=\"60.0\",destination=\"dvcqg\"} 1",
        "_bucket{le=\"+Inf\",destination=\"dvcqg\"} 2",
    ] {
        assert!(has(&text, &format!("{name}{line}")), "{line}\n{text}");
    }
}

#[test]
fn a_figure_that_is_not_known_any_more_goes_away() {
    let metrics = metrics();
    metrics.delivery.set_clock_offset("dvcqg", -2.5);
    let line = "lienthong_destination_clock_offset_seconds{destination=\"dvcqg\"} -2.5";
    assert!(has(&metrics.render(Format::Text), line));
    assert_eq!(metrics.delivery.clock_offset("dvcqg"), Some(-2.5));
    metrics.store.disk_full_seconds.at(&[]).set(7_200.0);
    assert!(
        metrics
            .render(Format::Text)
            .contains("\nlienthong_store_disk_full_in_seconds")
    );
    metrics.store.disk_full_seconds.hide(&[]);
    assert!(
        !metrics
            .render(Format::Text)
            .contains("\nlienthong_store_disk_full_in_seconds")
    );
}
