//! The frame around every page: head, navigation, notes, foot.

mod fields;
mod pieces;
mod table;

use axum::response::{Html, IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::{DOCTYPE, Markup, Render, html};

use crate::assets;
use crate::fault::{PageError, role_name};
use crate::frame::{Frame, Manners, Note, Theme};
use crate::language::Language;

pub(crate) use fields::{Button, button, checkbox, filter, hidden, link_button, post, search};
pub(crate) use pieces::{
    actions, badge, callout, card, code, definition, figure, figures, live, note, older, section,
    time,
};
pub(crate) use table::{Column, table};

/// How often a page with live parts looks for fresh figures.
const LIVE_SECONDS: u32 = 2;

/// The pages of the navigation: path, Vietnamese, English.
const NAVIGATION: [(&str, &str, &str); 9] = [
    ("/", "Tổng quan", "Overview"),
    ("/queues", "Hàng đợi", "Queues"),
    ("/destinations", "Nơi nhận", "Destinations"),
    ("/parked", "Tạm giữ", "Parked"),
    ("/operations", "Đợt xử lý", "Operations"),
    ("/participants", "Đơn vị tham gia", "Participants"),
    ("/usage", "Khai thác dân cư", "Identity usage"),
    ("/reports", "Báo cáo", "Reports"),
    ("/actions", "Nhật ký thao tác", "Actions"),
];

/// A whole page (200) for a signed-in reader: `title` is its only `h1`.
pub(crate) fn page(frame: &Frame, title: &str, body: impl Render) -> Response {
    page_with(StatusCode::OK, frame, title, body)
}

/// As [`page`], with another status: a form shown again with its faults is 422.
pub(crate) fn page_with(
    status: StatusCode,
    frame: &Frame,
    title: &str,
    body: impl Render,
) -> Response {
    let manners = Manners {
        language: frame.language,
        theme: frame.theme,
    };
    let whole = document(
        &manners,
        title,
        true,
        html! {
            (masthead(frame))
            main #main tabindex="-1" {
                h1 { (title) }
                @for Note { tone, text } in frame.take_notes() { (note(tone, html! { (text) })) }
                (body)
            }
            (foot(frame))
        },
    );
    (status, whole).into_response()
}

/// Goes on to another page of the console after a form was taken (303), so that reloading repeats nothing.
pub(crate) fn go_to(path: &str) -> Response {
    Redirect::to(path).into_response()
}

/// The page of an error, inside the frame where the reader is signed in.
pub(crate) fn error_page(frame: Option<&Frame>, manners: &Manners, error: &PageError) -> Response {
    let title = error.title(manners.language);
    let body = html! { div.prose { (error.body(manners.language)) } };
    match frame {
        Some(frame) => page_with(error.status(), frame, title, body),
        None => bare_page(error.status(), manners, title, "/", body),
    }
}

/// A page without navigation: sign-in, locked, errors before the sign-in. `path` is where a switch of language leads.
pub(crate) fn bare_page(
    status: StatusCode,
    manners: &Manners,
    title: &str,
    path: &str,
    body: impl Render,
) -> Response {
    let language = manners.language;
    let whole = document(
        manners,
        title,
        false,
        html! {
            header.masthead.bare {
                div.bar {
                    (brand(language))
                    div.reader { (language_switch(language, path)) (theme_switch(language, manners.theme, path)) }
                }
            }
            main #main.narrow tabindex="-1" { h1 { (title) } (body) }
        },
    );
    (status, whole).into_response()
}

fn document(manners: &Manners, title: &str, scripts: bool, body: impl Render) -> Html<String> {
    let language = manners.language;
    let whole = html! {
        (DOCTYPE)
        html lang=(language.tag()) data-theme=(manners.theme.name()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Liên thông" }
                link rel="icon" type="image/svg+xml" href=(assets::icon().path);
                link rel="stylesheet" href=(assets::style().path);
                @if scripts { script src=(assets::script().path) defer {} }
            }
            body data-live-seconds=(LIVE_SECONDS) {
                a.skip href="#main" { (language.t("Đến nội dung chính", "Skip to content")) }
                (body)
            }
        }
    };
    Html(whole.into_string())
}

fn brand(language: Language) -> Markup {
    html! {
        a.brand href="/" {
            img src=(assets::icon().path) alt="" width="28" height="28";
            span { "Liên thông" small { (language.t("Trục kết nối hồ sơ", "Dossier gateway")) } }
        }
    }
}

fn masthead(frame: &Frame) -> Markup {
    let language = frame.language;
    html! {
        header.masthead {
            div.bar {
                (brand(language))
                (search(frame))
                div.reader {
                    (language_switch(language, &frame.path))
                    (theme_switch(language, frame.theme, &frame.path))
                    span.who { (frame.name) small { (role_name(frame.operator.role, language)) } }
                    (post(frame, "/sign-out", html! {
                        (button(Button::Quiet, frame.t("Đăng xuất", "Sign out")))
                    }))
                }
            }
            nav.pages aria-label=(frame.t("Trang", "Pages")) {
                ul {
                    @for (path, vi, en) in NAVIGATION {
                        li { a href=(path) aria-current=[current(&frame.path, path)] { (language.t(vi, en)) } }
                    }
                }
            }
        }
    }
}

/// `page` where the entry is the page itself, `true` where the page lies below it.
fn current(here: &str, entry: &str) -> Option<&'static str> {
    let here = here.split('?').next().unwrap_or_default();
    if here == entry {
        return Some("page");
    }
    let below = here.strip_prefix(entry)?;
    (entry != "/" && below.starts_with('/')).then_some("true")
}

fn language_switch(language: Language, path: &str) -> Markup {
    let other = language.t(Language::English, Language::Vietnamese);
    html! {
        form.switch method="post" action="/language" {
            (hidden("to", other.tag())) (hidden("next", path))
            button.quiet type="submit" lang=(other.tag()) { (language.t("English", "Tiếng Việt")) }
        }
    }
}

fn theme_switch(language: Language, theme: Theme, path: &str) -> Markup {
    let (next, sign, name) = match theme {
        Theme::System => (
            Theme::Dark,
            "◐",
            language.t("Màu: theo máy", "Colours: as the system"),
        ),
        Theme::Dark => (Theme::Light, "●", language.t("Màu: tối", "Colours: dark")),
        Theme::Light => (
            Theme::System,
            "○",
            language.t("Màu: sáng", "Colours: light"),
        ),
    };
    let label = language.t(
        format!("{name}. Bấm để đổi"),
        format!("{name}. Press to change"),
    );
    html! {
        form.switch method="post" action="/theme" {
            (hidden("to", next.name())) (hidden("next", path))
            button.quiet type="submit" title=(label) aria-label=(label) { span aria-hidden="true" { (sign) } }
        }
    }
}

fn foot(frame: &Frame) -> Markup {
    let stay = frame.t("Ở lại", "Stay signed in");
    html! {
        footer.foot {
            p { (frame.t("Giờ Việt Nam (+07). Trang lập lúc", "Vietnam time (+07). This page was made at")) " " (time(frame.now)) }
            p.live-state data-live-state
                data-fresh=(frame.t("Số liệu cập nhật lúc", "Figures refreshed at"))
                data-stale=(frame.t("Không cập nhật được từ", "Could not refresh since"))
                hidden {}
        }
        // What a reader of the screen's text hears: changes of marked parts only, never each figure.
        p.visually-hidden role="status" aria-live="polite" data-announcer {}
        div.idle role="alertdialog" aria-labelledby="idle-text" data-idle
            data-idle-seconds=(crate::sessions::IDLE_MAX.as_secs())
            data-csrf=(frame.csrf.0) hidden {
            p #idle-text { (frame.t(
                "Phiên làm việc sắp bị khóa vì không có thao tác.",
                "Your session will soon be locked, as nothing was done.")) }
            button type="button" data-stay { (stay) }
        }
        div.idle role="alert" data-over hidden {
            p { (frame.t("Phiên làm việc đã khóa hoặc đã kết thúc. Số liệu trên trang không còn mới.",
                "Your session is locked or has ended. The figures on this page are no longer fresh.")) }
            a.button href=(frame.path) { (frame.t("Tiếp tục", "Continue")) }
        }
    }
}
