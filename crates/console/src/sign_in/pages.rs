//! What stands at the door.

use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};

use crate::format;
use crate::frame::{Manners, Tone};
use crate::gate::{Gate, Refused};
use crate::guard::CSRF_FIELD;
use crate::inside::door_with;
use crate::language::Language;
use crate::layout::{self, Button, button, hidden, link_button, note};
use crate::sessions::{Seen, Who};

/// What to say at the door.
#[derive(Default)]
pub(super) struct Door<'a> {
    /// Where it leads.
    pub(super) next: &'a str,
    /// The name as it was typed.
    pub(super) name: &'a str,
    /// A form was not taken.
    pub(super) is_undone: bool,
    /// Why the door stayed shut.
    pub(super) refused: Option<Refused>,
}

pub(super) fn sign_in(
    gate: &Gate,
    manners: &Manners,
    status: StatusCode,
    door: &Door<'_>,
) -> Response {
    let language = manners.language;
    let body = html! {
        (said(language, door))
        @if gate.accounts.is_some() {
            form.door method="post" action="/sign-in" {
                (hidden("next", door.next))
                label.field {
                    span { (language.t("Tên đăng nhập", "Name")) }
                    input type="text" name="name" value=(door.name) autocomplete="username" autocapitalize="none"
                        spellcheck="false" maxlength="64" required autofocus[door.name.is_empty()];
                }
                (password(language, !door.name.is_empty()))
                (button(Button::Main, language.t("Đăng nhập", "Sign in")))
            }
        }
        @if let Some(openid) = &gate.openid {
            @if gate.accounts.is_some() { p.or { (language.t("hoặc", "or")) } }
            p { (link_button(
                if gate.accounts.is_some() { Button::Plain } else { Button::Main },
                &door_with("/sign-in/openid", door.next, false),
                html! { (language.t("Đăng nhập qua", "Sign in with")) " " (openid.name()) })) }
        }
    };
    let title = language.t("Đăng nhập", "Sign in");
    layout::bare_page(
        status,
        manners,
        title,
        &door_with("/sign-in", door.next, false),
        body,
    )
}

pub(super) fn locked(
    gate: &Gate,
    manners: &Manners,
    (status, seen): (StatusCode, &Seen),
    door: &Door<'_>,
) -> Response {
    let language = manners.language;
    let name = gate.reader(&seen.who).map(|reader| reader.name);
    let body = html! {
        p { (language.t(
            "Phiên làm việc được khóa sau 15 phút không có thao tác. Mở khóa để trở lại đúng trang đang xem.",
            "The session was locked after 15 minutes in which nothing was done. Unlock it to return to where you were.")) }
        (said(language, door))
        @match &seen.who {
            Who::Account { name: account, .. } => {
                form.door method="post" action="/locked" {
                    (hidden("next", door.next))
                    (hidden(CSRF_FIELD, &seen.csrf.0))
                    // Password managers look for the name beside the password.
                    input.visually-hidden type="text" name="name" value=(account) autocomplete="username" readonly
                        tabindex="-1" aria-hidden="true";
                    p.who-locked { (name.as_deref().unwrap_or(account)) }
                    (password(language, true))
                    (button(Button::Main, language.t("Mở khóa", "Unlock")))
                }
            },
            Who::OpenId(_) => p { (link_button(Button::Main, &door_with("/sign-in/openid", door.next, false),
                language.t("Đăng nhập lại", "Sign in again"))) },
        }
        form.door method="post" action="/sign-out" {
            (hidden(CSRF_FIELD, &seen.csrf.0))
            (button(Button::Quiet, language.t("Đăng xuất", "Sign out")))
        }
    };
    let title = language.t("Đã khóa", "Locked");
    layout::bare_page(
        status,
        manners,
        title,
        &door_with("/locked", door.next, false),
        body,
    )
}

/// After the sign-out; at a provider the reader is still signed in, until it hears of it.
pub(super) fn signed_out(manners: &Manners, provider: Option<&str>) -> Response {
    let language = manners.language;
    let body = html! {
        p { (language.t("Phiên làm việc đã kết thúc.", "Your session has ended.")) }
        @if let Some(url) = provider {
            // A link and not a redirect: the policy lets forms lead to this host only.
            meta http-equiv="refresh" content={ "0; url=" (url) };
            p { (link_button(Button::Main, url, language.t("Đăng xuất cả ở nhà cung cấp", "Sign out at the provider too"))) }
        } @else {
            p { (link_button(Button::Main, "/sign-in", language.t("Đăng nhập lại", "Sign in again"))) }
        }
    };
    let title = language.t("Đã đăng xuất", "Signed out");
    layout::bare_page(StatusCode::OK, manners, title, "/sign-in", body)
}

/// Goes on to a page of ours by a navigation of our own, which carries the new session's cookie; after a redirect from
/// another site it would be kept back.
pub(super) fn go_on(manners: &Manners, next: &str) -> Response {
    let language = manners.language;
    let body = html! {
        meta http-equiv="refresh" content={ "0; url=" (next) };
        p { (link_button(Button::Main, next, language.t("Tiếp tục", "Continue"))) }
    };
    let title = language.t("Đã đăng nhập", "Signed in");
    layout::bare_page(StatusCode::OK, manners, title, next, body)
}

/// A sign-in at the provider that came to nothing.
pub(super) fn openid_refused(
    manners: &Manners,
    status: StatusCode,
    (reason, next): (&str, &str),
) -> Response {
    let language = manners.language;
    let body = html! {
        (note(Tone::Bad, html! { p { (reason) } }))
        p { (link_button(Button::Main, &door_with("/sign-in", next, false), language.t("Thử lại", "Try again"))) }
    };
    let title = language.t("Không đăng nhập được", "You are not signed in");
    layout::bare_page(status, manners, title, "/sign-in", body)
}

fn password(language: Language, is_next: bool) -> Markup {
    html! {
        label.field {
            span { (language.t("Mật khẩu", "Password")) }
            input type="password" name="password" autocomplete="current-password" maxlength="1024" required autofocus[is_next];
        }
    }
}

fn said(language: Language, door: &Door<'_>) -> Markup {
    let sentence = match door.refused {
        Some(Refused::Wrong) => Some(language.t(
            "Tên hoặc mật khẩu không đúng.".to_owned(),
            "The name or the password is wrong.".to_owned(),
        )),
        Some(Refused::TooMany(refused)) => {
            // Whole seconds, never too few.
            let wait = std::time::Duration::from_secs(refused.wait.as_secs() + 1);
            let wait = format::duration(language, wait);
            Some(language.t(
                format!("Đã sai quá nhiều lần. Thử lại sau {wait}."),
                format!("Too many wrong tries. Try again in {wait}."),
            ))
        }
        Some(Refused::Crowded) => Some(language.t(
            "Có quá nhiều người đang đăng nhập. Thử lại sau vài giây.".to_owned(),
            "Too many people are signing in. Try again in a few seconds.".to_owned(),
        )),
        None => None,
    };
    html! {
        @if door.is_undone {
            (note(Tone::Warning, html! { p { (language.t(
                "Thao tác vừa rồi chưa được thực hiện, vì phiên làm việc đã khóa hoặc đã kết thúc. Sau khi vào lại, hãy gửi lại biểu mẫu.",
                "What you just sent was not done, as the session was locked or had ended. Send the form again once you are back.")) } }))
        }
        @if let Some(sentence) = sentence { (note(Tone::Bad, html! { p { (sentence) } })) }
    }
}
