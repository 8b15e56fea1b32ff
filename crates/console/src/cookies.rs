//! The cookies: the session's, that of a sign-in under way, and the reader's language and colours.

use std::time::Duration;

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};

use crate::frame::{Manners, Theme};
use crate::language::Language;
use crate::origin::Origin;
use crate::secret::Secret;

/// The reader's language.
pub(crate) const LANGUAGE: &str = "lienthong-language";
/// The reader's colours.
pub(crate) const THEME: &str = "lienthong-theme";
/// Language and colours are remembered so long.
const MANNERS_LIFE: Duration = Duration::from_hours(365 * 24);

/// Names and attributes of cookies for one origin.
#[derive(Debug)]
pub(crate) struct Cookies {
    session: String,
    openid: String,
    secure: &'static str,
}

impl Cookies {
    /// Over TLS the prefix `__Host-` keeps other hosts and plain connections from setting them. On loopback, where
    /// not every browser takes secure cookies, the port tells consoles of one machine apart.
    pub(crate) fn new(origin: &Origin) -> Self {
        if origin.is_https() {
            return Self {
                session: "__Host-lienthong".to_owned(),
                openid: "__Host-lienthong-openid".to_owned(),
                secure: "; Secure",
            };
        }
        let port = origin.port().unwrap_or("80");
        Self {
            session: format!("lienthong-{port}"),
            openid: format!("lienthong-{port}-openid"),
            secure: "",
        }
    }

    /// The session's id, if the browser has one.
    pub(crate) fn session(&self, headers: &HeaderMap) -> Option<Secret> {
        Secret::parse(find(headers, &self.session)?)
    }

    /// The browser's part of a sign-in at the provider.
    pub(crate) fn openid(&self, headers: &HeaderMap) -> Option<Secret> {
        Secret::parse(find(headers, &self.openid)?)
    }

    /// Gives the browser its session. It ends with the browser, or with the session.
    pub(crate) fn set_session(&self, id: &Secret) -> HeaderValue {
        self.header(&self.session, &id.text(), "Strict", None)
    }

    /// Takes the session from the browser.
    pub(crate) fn clear_session(&self) -> HeaderValue {
        self.header(&self.session, "", "Strict", Some(Duration::ZERO))
    }

    /// Binds a sign-in at the provider to this browser. `Lax`, since the provider sends the reader back to us.
    pub(crate) fn set_openid(&self, browser: &Secret, life: Duration) -> HeaderValue {
        self.header(&self.openid, &browser.text(), "Lax", Some(life))
    }

    /// Ends the sign-in at the provider.
    pub(crate) fn clear_openid(&self) -> HeaderValue {
        self.header(&self.openid, "", "Lax", Some(Duration::ZERO))
    }

    /// Remembers language or colours.
    pub(crate) fn set_manners(&self, name: &str, value: &'static str) -> HeaderValue {
        self.header(name, value, "Lax", Some(MANNERS_LIFE))
    }

    fn header(&self, name: &str, value: &str, site: &str, life: Option<Duration>) -> HeaderValue {
        let age = life.map_or_else(String::new, |life| format!("; Max-Age={}", life.as_secs()));
        let secure = self.secure;
        format!("{name}={value}; Path=/; HttpOnly; SameSite={site}{age}{secure}")
            .parse()
            .expect("names and values are plain ASCII")
    }
}

impl Manners {
    /// Language and colours: as chosen, else as the browser asks.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let chosen = find(headers, LANGUAGE).and_then(Language::parse);
        Self {
            language: chosen.unwrap_or_else(|| Language::asked(headers)),
            theme: find(headers, THEME)
                .and_then(Theme::parse)
                .unwrap_or_default(),
        }
    }
}

/// The value of a cookie; of several of one name the first, which browsers send for the longer path.
fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(known, value)| (known == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_over_tls_cannot_be_set_by_anybody_else() {
        let cookies = Cookies::new(&Origin::parse("https://lienthong.example").unwrap());
        let id = Secret::draw();
        let header = cookies.set_session(&id);
        let text = header.to_str().unwrap();
        assert!(text.starts_with("__Host-lienthong="), "{text}");
        assert!(
            text.ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure"),
            "{text}"
        );
        assert!(!text.contains("Domain"));

        let mut headers = HeaderMap::new();
        let sent = format!("lienthong-theme=dark; __Host-lienthong={}", id.text());
        headers.insert(COOKIE, sent.parse().unwrap());
        assert!(cookies.session(&headers).unwrap().hash() == id.hash());
        assert_eq!(Manners::of(&headers).theme, Theme::Dark);
    }

    #[test]
    fn consoles_of_one_machine_do_not_sign_each_other_out() {
        let name = |url: &str| Cookies::new(&Origin::parse(url).unwrap()).session;
        assert_ne!(name("http://127.0.0.1:8080"), name("http://127.0.0.1:8081"));
    }
}
