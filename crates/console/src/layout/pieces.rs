//! Small parts of pages: badges, cards, figures, times.

use std::fmt::Display;

use jiff::Timestamp;
use maud::{Markup, Render, html};

use crate::format;
use crate::frame::{Frame, Tone};

/// A word with a tone, such as a state. The sign before it tells it apart without colour.
pub(crate) fn badge(tone: Tone, text: impl Render) -> Markup {
    html! { span class={ "badge " (tone.class()) } { span.sign aria-hidden="true" { (tone.sign()) } (text) } }
}

/// A sentence that needs attention, across the page.
pub(crate) fn note(tone: Tone, body: impl Render) -> Markup {
    html! {
        div class={ "note " (tone.class()) } role=(if tone == Tone::Bad { "alert" } else { "status" }) {
            span.sign aria-hidden="true" { (tone.sign()) } div { (body) }
        }
    }
}

/// A problem and what to do about it, with a headline.
pub(crate) fn callout(tone: Tone, title: impl Render, body: impl Render) -> Markup {
    html! {
        section class={ "callout " (tone.class()) } {
            h3 { span.sign aria-hidden="true" { (tone.sign()) } (title) }
            (body)
        }
    }
}

/// A part of a page with a headline (`h2`).
pub(crate) fn section(title: impl Render, body: impl Render) -> Markup {
    html! { section.part { h2 { (title) } (body) } }
}

/// A framed part with a headline (`h2`), for grids: put several into `div.grid`.
pub(crate) fn card(title: impl Render, body: impl Render) -> Markup {
    html! { section.card { h2 { (title) } (body) } }
}

/// A row of [`figure`]s.
pub(crate) fn figures(body: impl Render) -> Markup {
    html! { dl.figures { (body) } }
}

/// A large number with its name; inside [`figures`].
pub(crate) fn figure(tone: Tone, name: impl Render, value: impl Render) -> Markup {
    html! { div class={ "figure " (tone.class()) } { dt { (name) } dd { (value) } } }
}

/// Names and values, one below the other.
pub(crate) fn definition(rows: &[(&str, Markup)]) -> Markup {
    html! { dl.definition { @for (name, value) in rows { div { dt { (name) } dd { (value) } } } } }
}

/// A part that is replaced while the page is open; `key` is unique on the page and stays the same between requests.
/// The reader's focus and selection inside it are left alone: it then waits for the next time.
pub(crate) fn live(key: &str, body: impl Render) -> Markup {
    html! { div data-live=(key) { (body) } }
}

/// Buttons and links below a card or a form.
pub(crate) fn actions(body: impl Render) -> Markup {
    html! { div.actions { (body) } }
}

/// A code, id or address in a fixed-width face that may be broken anywhere.
pub(crate) fn code(text: impl Display) -> Markup {
    html! { code { (text.to_string()) } }
}

/// `01/07/2025 06:30:00`, readable for machines too.
pub(crate) fn time(at: Timestamp) -> Markup {
    html! { time datetime=(at.to_string()) { (format::instant(at)) } }
}

/// The link to the next, older part of a list, where there is one.
pub(crate) fn older(frame: &Frame, href: Option<&str>) -> Markup {
    html! {
        @if let Some(href) = href {
            p.older { a.button href=(href) rel="next" { (frame.t("Xem tiếp", "Show more")) } }
        }
    }
}
