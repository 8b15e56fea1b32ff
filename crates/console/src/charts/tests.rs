use proptest::prelude::*;

use super::*;

const VI: Language = Language::Vietnamese;
const START: i64 = 1_795_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(START + second).unwrap()
}

fn point(second: i64, value: f64) -> SamplePoint {
    SamplePoint {
        at: at(second),
        value,
        max: value * 2.0,
    }
}

fn chart(lines: Vec<Line>) -> Chart {
    Chart {
        id: "rates".to_owned(),
        title: "Trạng thái đã gửi".to_owned(),
        unit: Unit::PerMinute,
        since: at(0),
        until: at(3_600),
        interval: Duration::from_mins(1),
        lines,
        empty: "Chưa có số liệu.".to_owned(),
    }
}

/// The paths of the curves.
fn paths(svg: &str) -> Vec<&str> {
    let quoted = svg.split(" d=\"").skip(1);
    quoted
        .filter_map(|rest| rest.split_once('"').map(|(path, _)| path))
        .collect()
}

fn coordinates(path: &str) -> Vec<f64> {
    path.split([' ', 'M', 'L'])
        .filter(|number| !number.is_empty())
        .map(|number| number.parse().unwrap())
        .collect()
}

#[test]
fn missing_minutes_are_a_gap_and_a_point_alone_is_seen() {
    let points = [
        point(0, 10.0),
        point(60, 20.0),
        point(600, 30.0),
        point(1_200, 40.0),
        point(1_260, 0.0),
    ];
    let html = chart(vec![Line::mean("Đã gửi", &points)])
        .render(VI)
        .into_string();
    let paths = paths(&html);
    assert_eq!(paths.len(), 1);
    let begun = paths[0].matches('M').count();
    assert_eq!(begun, 3, "two gaps: {}", paths[0]);
    assert_eq!(coordinates(paths[0]).len(), 2 * (points.len() + 1));
}

#[test]
fn the_drawing_is_told_in_words_and_as_a_table() {
    let points = [point(0, 10.0), point(60, 1_234.5)];
    let html = chart(vec![
        Line::mean("Đã gửi", &points),
        Line::largest("Tạm giữ", &[]),
    ]);
    let html = html.render(VI).into_string();
    for expected in [
        "role=\"img\"",
        "aria-labelledby=\"rates-title rates-about\"",
        "Đã gửi: mới nhất 1.235/phút, cao nhất 1.235/phút.",
        "Tạm giữ: không có số liệu.",
        "<caption>Trạng thái đã gửi</caption>",
        "data-title=\"Đã gửi\">10/phút</td>",
        "data-title=\"Tạm giữ\">–</td>",
    ] {
        assert!(html.contains(expected), "{expected} is not in {html}");
    }
    assert!(!html.contains("style="), "the policy forbids inline styles");
}

#[test]
fn a_chart_without_points_says_why() {
    let outside = [point(-60, 5.0), point(9_999, 5.0), point(60, f64::NAN)];
    let html = chart(vec![Line::mean("Đã gửi", &outside)])
        .render(VI)
        .into_string();
    assert!(html.contains("Chưa có số liệu."), "{html}");
    assert!(!html.contains("<svg"));
}

#[test]
fn long_series_have_a_short_table() {
    let points = (0..1_440)
        .map(|minute| point(minute, 1.0))
        .collect::<Vec<_>>();
    let html = chart(vec![Line::mean("Đã gửi", &points)])
        .render(VI)
        .into_string();
    let rows = html.matches("scope=\"row\"").count();
    assert!((ROWS_MAX / 2..=ROWS_MAX).contains(&rows), "{rows}");
}

proptest! {
    #[test]
    fn whatever_is_drawn_lies_in_the_box(
        points in prop::collection::vec((-100_i64..4_000, any::<f64>()), 0..80),
        unit in prop::sample::select(vec![Unit::PerMinute, Unit::Seconds, Unit::Milliseconds]),
        minutes in 0_i64..2_000,
    ) {
        let points = points.iter().map(|(second, value)| point(*second, *value)).collect::<Vec<_>>();
        let chart = Chart {
            unit,
            until: at(minutes * 60),
            ..chart(vec![Line::mean("một", &points), Line::largest("hai", &points)])
        };
        let html = chart.render(VI).into_string();
        prop_assert!(!html.contains("NaN") && !html.contains("inf"), "{}", html);
        for path in paths(&html) {
            for pair in coordinates(path).chunks(2) {
                prop_assert!((LEFT..=RIGHT).contains(&pair[0]), "{}", path);
                prop_assert!((TOP..=BOTTOM).contains(&pair[1]), "{}", path);
            }
        }
    }
}
