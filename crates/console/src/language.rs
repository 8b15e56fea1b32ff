//! The two languages of every page, written side by side where they are used.

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

/// What a page is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Language {
    /// The first language of the console.
    #[default]
    Vietnamese,
    /// By switch, or where the browser asks for it.
    English,
}

impl Language {
    /// Picks one of two texts: `language.t("Hàng đợi", "Queues")`.
    pub(crate) fn t<T>(self, vi: T, en: T) -> T {
        match self {
            Self::Vietnamese => vi,
            Self::English => en,
        }
    }

    /// The tag of the `lang` attribute and of the cookie.
    pub(crate) fn tag(self) -> &'static str {
        self.t("vi", "en")
    }

    /// The language of that tag.
    pub(crate) fn parse(tag: &str) -> Option<Self> {
        [Self::Vietnamese, Self::English]
            .into_iter()
            .find(|language| language.tag() == tag)
    }

    /// What the browser asks for, where nobody has chosen yet: English only if it is named before Vietnamese.
    pub(crate) fn asked(headers: &HeaderMap) -> Self {
        let accepted = headers
            .get(ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        accepted
            .split(',')
            .filter_map(|part| part.trim().split(['-', ';']).next())
            .find_map(Self::parse)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_is_shown_only_to_those_who_ask_for_it_first() {
        let cases = [
            ("", Language::Vietnamese),
            ("vi-VN,vi;q=0.9,en;q=0.8", Language::Vietnamese),
            ("en-US,en;q=0.9,vi;q=0.8", Language::English),
            ("fr-FR, en;q=0.5", Language::English),
            ("fr", Language::Vietnamese),
        ];
        for (accepted, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, accepted.parse().unwrap());
            assert_eq!(Language::asked(&headers), expected, "{accepted}");
        }
    }
}
