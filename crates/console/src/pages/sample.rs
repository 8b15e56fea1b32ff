//! Readers and figures for the tests of pages.

use std::sync::Arc;

use lienthong_domain::{Operator, OperatorRole, Timestamp};

use crate::frame::{Csrf, Frame, Inner, Theme};
use crate::language::Language;
use crate::secret::Secret;
use crate::sessions::{SessionHandle, Sessions};

/// The languages of every page.
pub(crate) const LANGUAGES: [Language; 2] = [Language::Vietnamese, Language::English];

/// What somebody hostile would type.
pub(crate) const HOSTILE: &str = "</td><script>alert(1)</script>\"'&";

/// The time of the samples.
pub(crate) fn now() -> Timestamp {
    "2026-11-21T11:32:09Z".parse().unwrap()
}

/// So many seconds before [`now`].
pub(crate) fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() - seconds).unwrap()
}

/// A reader of that role.
pub(crate) fn frame(language: Language, role: OperatorRole) -> Frame {
    Frame::new(Inner {
        operator: Operator {
            by: "account:lan".into(),
            role,
        },
        name: "Nguyễn Thị Lan".to_owned(),
        language,
        theme: Theme::System,
        csrf: Csrf("token-of-the-session".into()),
        path: "/".to_owned(),
        now: now(),
        is_live: false,
        session: SessionHandle {
            sessions: Arc::new(Sessions::default()),
            id: Secret::draw().hash(),
        },
    })
}

/// Fails unless every text is there.
pub(crate) fn has(html: &str, expected: &[&str]) {
    for text in expected {
        assert!(html.contains(text), "{text} is not in {html}");
    }
}

/// Fails if what somebody hostile typed became markup, or if a page breaks the policy on styles and scripts.
pub(crate) fn is_harmless(html: &str) {
    for bad in ["<script>alert", " style=", " onclick="] {
        assert!(!html.contains(bad), "{bad} is in {html}");
    }
}
