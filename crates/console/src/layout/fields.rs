//! Forms and their fields. A form that changes something is made by [`post`], which carries the session's token.

use maud::{Markup, Render, html};

use crate::frame::Frame;

/// How a button looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Button {
    /// The one thing to do here.
    Main,
    /// Another thing to do.
    Plain,
    /// Cannot be taken back.
    Danger,
    /// Beside the matter.
    Quiet,
}

impl Button {
    fn class(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Plain => "plain",
            Self::Danger => "danger",
            Self::Quiet => "quiet",
        }
    }
}

/// A form that changes something. `action` is a path of the console.
pub(crate) fn post(frame: &Frame, action: &str, body: impl Render) -> Markup {
    html! {
        form method="post" action=(action) { (hidden(crate::guard::CSRF_FIELD, &frame.csrf.0)) (body) }
    }
}

/// A form that only asks: its fields become the query.
pub(crate) fn filter(action: &str, body: impl Render) -> Markup {
    html! { form.filter method="get" action=(action) { (body) } }
}

/// A field that is not shown.
pub(crate) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// A submit button.
pub(crate) fn button(kind: Button, text: impl Render) -> Markup {
    html! { button.(kind.class()) type="submit" { (text) } }
}

/// A link that looks like a button.
pub(crate) fn link_button(kind: Button, href: &str, text: impl Render) -> Markup {
    html! { a.button.(kind.class()) href=(href) { (text) } }
}

/// Yes or no; sends `name=on` where it is ticked.
pub(crate) fn checkbox(name: &str, label: impl Render, ticked: bool) -> Markup {
    html! {
        label.tick { input type="checkbox" name=(name) value="on" checked[ticked]; span { (label) } }
    }
}

/// The search for a dossier, in the head of each page.
pub(crate) fn search(frame: &Frame) -> Markup {
    let label = frame.t("Tìm mã hồ sơ", "Find a dossier code");
    html! {
        form.search role="search" method="get" action="/dossiers" {
            input type="search" name="code" placeholder=(label) aria-label=(label) maxlength="64" autocomplete="off";
            button.plain type="submit" { (frame.t("Tìm", "Find")) }
        }
    }
}
