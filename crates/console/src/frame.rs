//! What a page knows about its reader and its request; every handler behind the sign-in takes one.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use jiff::Timestamp;
use lienthong_domain::{Operator, OperatorRole};

use crate::fault::PageError;
use crate::language::Language;
use crate::sessions::SessionHandle;

/// The reader, the language and the request. Cheap to clone. The sign-in layer puts it into each request; a request
/// without a session never reaches a page.
#[derive(Clone, Debug)]
pub(crate) struct Frame(Arc<Inner>);

/// The parts of a [`Frame`], reached through it.
#[derive(Debug)]
pub(crate) struct Inner {
    /// Who looks or acts; hand it to the use cases.
    pub(crate) operator: Operator,
    /// What people call the reader.
    pub(crate) name: String,
    /// The language of the page.
    pub(crate) language: Language,
    /// Light, dark or as the system says.
    pub(crate) theme: Theme,
    /// The token of every form.
    pub(crate) csrf: Csrf,
    /// Path and query of this request, to come back to.
    pub(crate) path: String,
    /// When the request came; ages on a page are all told from it.
    pub(crate) now: Timestamp,
    /// A script asks for fresh figures; nobody clicked.
    pub(crate) is_live: bool,
    /// The session, for its notes.
    pub(crate) session: SessionHandle,
}

impl std::ops::Deref for Frame {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// The colours of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the reader's system is set.
    #[default]
    System,
    /// Dark text on light ground.
    Light,
    /// Light text on dark ground.
    Dark,
}

impl Theme {
    /// All, in the order of the switch.
    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The value of the cookie and of `data-theme`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of that name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

/// The token that proves that a form came from a page of this session. Never printed but into forms.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Csrf(pub(crate) Arc<str>);

impl fmt::Debug for Csrf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A sentence shown once, on the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    /// How it looks.
    pub(crate) tone: Tone,
    /// The sentence, in the reader's language.
    pub(crate) text: String,
}

/// What a colour stands for; never the only sign of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Neither good nor bad.
    Neutral,
    /// As it should be.
    Good,
    /// Worth a look.
    Warning,
    /// Something is wrong.
    Bad,
    /// Under way.
    Info,
}

impl Tone {
    /// The name of its style.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
            Self::Info => "info",
        }
    }

    /// A sign that is told apart without colour.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Neutral => "·",
            Self::Good => "✓",
            Self::Warning => "!",
            Self::Bad => "✕",
            Self::Info => "→",
        }
    }
}

impl Frame {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Picks the reader's language: `frame.t("Hàng đợi", "Queues")`.
    pub(crate) fn t<T>(&self, vi: T, en: T) -> T {
        self.language.t(vi, en)
    }

    /// Whether the reader's role reaches as far as `role`.
    pub(crate) fn may(&self, role: OperatorRole) -> bool {
        self.operator.role >= role
    }

    /// Refuses readers whose role does not reach as far as `role`. Use cases check again; this is for pages that would
    /// otherwise show a form that nobody may send.
    ///
    /// # Errors
    /// [`PageError::Forbidden`].
    pub(crate) fn require(&self, role: OperatorRole) -> Result<(), PageError> {
        if self.may(role) {
            Ok(())
        } else {
            Err(PageError::Forbidden { needed: role })
        }
    }

    /// Leaves a sentence for the next page.
    pub(crate) fn leave_note(&self, tone: Tone, text: impl Into<String>) {
        let text = text.into();
        self.session.leave_note(Note { tone, text });
    }

    /// The notes left by the page before; a live request takes none.
    pub(crate) fn take_notes(&self) -> Vec<Note> {
        if self.is_live {
            Vec::new()
        } else {
            self.session.take_notes()
        }
    }
}

/// The frame of a request that came past the sign-in layer.
impl<S: Send + Sync> FromRequestParts<S> for Frame {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, PageError> {
        let frame = parts.extensions.get::<Self>().cloned();
        frame.ok_or_else(|| PageError::internal("a page lies outside the sign-in layer"))
    }
}

/// A page that can be read with and without a session, such as an error page.
#[derive(Clone, Debug)]
pub(crate) struct Manners {
    pub(crate) language: Language,
    pub(crate) theme: Theme,
}

impl<S: Send + Sync> FromRequestParts<S> for Manners {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}
