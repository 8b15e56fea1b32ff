//! The login form: plain, and without scripts.

use super::desk::Wish;

/// The form of a wish; `is_wrong` after a wrong password.
pub(super) fn login(wish: &Wish, is_wrong: bool) -> String {
    let fields = [
        ("client_id", &wish.client_id),
        ("redirect_uri", &wish.redirect_uri),
        ("state", &wish.state),
        ("nonce", &wish.nonce),
        ("code_challenge", &wish.challenge),
    ];
    let hidden = fields
        .map(|(name, value)| {
            format!(
                "<input type=\"hidden\" name=\"{name}\" value=\"{}\">",
                escaped(value)
            )
        })
        .concat();
    let said = if is_wrong {
        "<p role=\"alert\">Tên hoặc mật khẩu không đúng. · Wrong name or password.</p>"
    } else {
        ""
    };
    format!(
        "<!doctype html><html lang=\"vi\"><head><meta charset=\"utf-8\"><title>Đăng nhập một lần (mô phỏng)</title></head>\
         <body><main><h1>Đăng nhập một lần (mô phỏng)</h1>{said}<form method=\"post\" action=\"login\">{hidden}\
         <p><label>Tên · name <input name=\"username\" autocomplete=\"username\" required></label></p>\
         <p><label>Mật khẩu · password <input name=\"password\" type=\"password\" required></label></p>\
         <p><button type=\"submit\">Đăng nhập</button></p></form></main></body></html>"
    )
}

/// A page that says one thing.
pub(super) fn said(text: &str) -> String {
    format!(
        "<!doctype html><html lang=\"vi\"><head><meta charset=\"utf-8\"><title>Mô phỏng</title></head><body><p>{}</p></body></html>",
        escaped(text)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
