//! Small things that several pages say in the same way.

use std::time::Duration;

use lienthong_domain::province::Province;
use lienthong_domain::{DossierCode, Timestamp};
use maud::{Markup, html};

use super::params::encoded;
use crate::format;
use crate::frame::Frame;
use crate::layout::time;

/// What stands where there is nothing.
pub(crate) const NONE: &str = "–";

/// A number with its noun: `3 lượt gửi`, `1 delivery`, `3 deliveries`.
pub(crate) fn things(frame: &Frame, number: u64, vi: &str, one: &str, many: &str) -> String {
    let noun = frame.t(vi, if number == 1 { one } else { many });
    format!("{} {noun}", format::number(frame.language, number))
}

/// Deliveries, which most pages count.
pub(crate) fn deliveries(frame: &Frame, number: u64) -> String {
    things(frame, number, "lượt gửi", "delivery", "deliveries")
}

/// A duration, or a dash.
pub(crate) fn maybe_duration(frame: &Frame, length: Option<Duration>) -> Markup {
    html! {
        @match length {
            Some(length) => (format::duration(frame.language, length)),
            None => (NONE),
        }
    }
}

/// Whole days until an instant; below zero once it has passed.
pub(crate) fn days_until(frame: &Frame, at: Timestamp) -> i64 {
    let seconds = at.duration_since(frame.now).as_secs();
    seconds.div_euclid(24 * 60 * 60)
}

/// Cuts a list that was read one longer than a page, and says where the next page begins, if there is one.
pub(crate) fn cut<T, K>(items: &mut Vec<T>, page: usize, key: impl Fn(&T) -> K) -> Option<K> {
    if items.len() <= page {
        return None;
    }
    items.truncate(page);
    items.last().map(key)
}

/// A rate: `12,5/phút`.
pub(crate) fn per_minute(frame: &Frame, rate: f64) -> String {
    let figure = format::decimal(frame.language, rate);
    format!("{figure}{}", frame.t("/phút", "/min"))
}

/// How many there are.
pub(crate) fn count_of<T>(things: &[T]) -> u64 {
    u64::try_from(things.len()).unwrap_or(u64::MAX)
}

/// A whole number, for cells.
pub(crate) fn number(frame: &Frame, number: u64) -> Markup {
    html! { (format::number(frame.language, number)) }
}

/// How long it has been so.
pub(crate) fn lasted(frame: &Frame, since: Timestamp) -> String {
    format::duration(frame.language, format::age(since, frame.now))
}

/// An instant with its age.
pub(crate) fn moment(frame: &Frame, at: Timestamp) -> Markup {
    let ago = format::ago(frame.language, at, frame.now);
    html! { span.moment { (time(at)) " " span.fine { "(" (ago) ")" } } }
}

/// An instant with its age, or a dash.
pub(crate) fn maybe_moment(frame: &Frame, at: Option<Timestamp>) -> Markup {
    html! {
        @match at {
            Some(at) => (moment(frame, at)),
            None => (NONE),
        }
    }
}

/// A text, or a dash.
pub(crate) fn text(text: &str) -> Markup {
    html! { (if text.is_empty() { NONE } else { text }) }
}

/// A dossier's code, leading to its page.
pub(crate) fn dossier(code: &DossierCode) -> Markup {
    html! { a href=(dossier_path(code)) { (code) } }
}

/// The address of a dossier's page.
pub(crate) fn dossier_path(code: &DossierCode) -> String {
    format!("/dossiers/{}", encoded(code.as_str()))
}

/// The province or agency of a root code: `Gia Lai (H21)`.
pub(crate) fn place(root: &str) -> String {
    match Province::by_code(root) {
        Some(province) => format!("{} ({root})", province.name()),
        None if root.is_empty() => NONE.to_owned(),
        None => root.to_owned(),
    }
}

/// Values and names of the provinces, for a choice; first of all none.
pub(crate) fn province_choices(frame: &Frame) -> Vec<(String, String)> {
    let every = (String::new(), frame.t("Tất cả", "All").to_owned());
    let of_table = Province::all().iter().map(|province| {
        let root = province.code().to_string();
        let name = place(&root);
        (root, name)
    });
    std::iter::once(every).chain(of_table).collect()
}

/// Tabs over the same page: address, name, and whether it is the one shown.
pub(crate) fn tabs(label: &str, tabs: &[(String, String, bool)]) -> Markup {
    html! {
        nav.tabs aria-label=(label) {
            ul {
                @for (href, name, is_current) in tabs {
                    li { a href=(href) aria-current=[is_current.then_some("page")] { (name) } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_leads_to_the_next_only_where_there_is_more() {
        for (found, left, next) in [(0, 0, None), (2, 2, None), (3, 2, Some(2))] {
            let mut items = (1..=found).collect::<Vec<_>>();
            assert_eq!(cut(&mut items, 2, |item| *item), next, "{found}");
            assert_eq!(items.len(), left, "{found}");
        }
    }

    #[test]
    fn places_have_names() {
        assert_eq!(place("H56"), "Thanh Hóa (H56)");
        assert_eq!(place("G22"), "G22");
        assert_eq!(place(""), "–");
    }
}
