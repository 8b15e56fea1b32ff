//! Small things that several pages say in the same way.

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
    html! { (time(at)) " " span.fine { "(" (ago) ")" } }
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
    fn places_have_names() {
        assert_eq!(place("H56"), "Thanh Hóa (H56)");
        assert_eq!(place("G22"), "G22");
        assert_eq!(place(""), "–");
    }
}
