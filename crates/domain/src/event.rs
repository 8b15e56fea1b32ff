//! A status event: one status of one dossier, as a province reports it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use sha2::{Digest, Sha256};

use crate::code::DossierCode;
use crate::details::{DossierDetails, PrivateText};
use crate::fault::{Faults, Reason};
use crate::status::DossierStatus;
use crate::text::Text;

/// The sender's name for one event; the same key always means the same event.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(Arc<str>);

impl IdempotencyKey {
    /// Longest key, in bytes.
    pub const BYTES_MAX: usize = 128;

    /// Reads a key: 1 to 128 visible ASCII characters.
    ///
    /// # Errors
    /// [`Reason::Missing`], [`Reason::TooLong`] or [`Reason::BadForm`].
    pub fn parse(text: &str) -> Result<Self, Reason> {
        if text.is_empty() {
            Err(Reason::Missing)
        } else if text.len() > Self::BYTES_MAX {
            Err(Reason::TooLong {
                max: Self::BYTES_MAX,
                actual: text.len(),
            })
        } else if text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.into()))
        } else {
            Err(Reason::BadForm {
                expected: "visible ASCII characters",
            })
        }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The SHA-256 of an event's content without its key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentHash(pub [u8; 32]);

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// One line of progress: who did what. The portal's `CapNhatTienDoHoSoMC`.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// `NguoiXuLy`.
    pub officer_name: PrivateText<50>,
    /// `ChucDanh`.
    pub officer_title: Option<Text<100>>,
    /// `PhongBanXuLy`.
    pub unit_name: Option<Text<500>>,
    /// `NoiDungXuLy`.
    pub note: PrivateText<2000>,
    /// `NgayBatDau`.
    pub started_at: Option<Timestamp>,
    /// `NgayKetThucTheoQuyDinh`.
    pub due_at: Option<Timestamp>,
}

/// One status of one dossier, parsed and bounded, as a participant offered it.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusEvent {
    /// The sender's key; not part of the content.
    #[serde(skip)]
    pub key: IdempotencyKey,
    /// Which dossier.
    pub dossier: DossierCode,
    /// Its status.
    pub status: DossierStatus,
    /// When the status came about; the portal's `ThoiDiemXuLy`.
    pub occurred_at: Timestamp,
    /// The sender's own count of the dossier's events, growing; orders events better than clocks do.
    pub source_sequence: Option<i64>,
    /// The progress line, if the sender has one.
    pub progress: Option<Progress>,
    /// The details that changed.
    pub details: Option<DossierDetails>,
}

/// How far ahead of our clock a sender's clock may be.
pub const CLOCK_SKEW_MAX: Duration = Duration::from_mins(5);

impl StatusEvent {
    /// The hash that tells a repeated event from a reused key.
    pub fn content_hash(&self) -> ContentHash {
        let content =
            serde_json::to_vec(self).expect("strings, numbers and lists always serialise");
        ContentHash(Sha256::digest(content).into())
    }

    /// Faults that need more than one field or the time of day; `now` is ours.
    pub fn faults(&self, now: Timestamp) -> Faults {
        let latest = now + CLOCK_SKEW_MAX;
        let mut faults = Faults::default();
        if self.occurred_at > latest {
            faults.push("occurred_at", Reason::InFuture);
        }
        if self.source_sequence.is_some_and(|sequence| sequence < 0) {
            faults.push(
                "source_sequence",
                Reason::OutOfRange {
                    min: 0,
                    max: i64::MAX,
                },
            );
        }
        if let Some(details) = &self.details {
            faults.extend(details.date_faults(latest));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> StatusEvent {
        StatusEvent {
            key: IdempotencyKey::parse("k-1").unwrap(),
            dossier: DossierCode::parse("H56.14-240823-0001").unwrap(),
            status: DossierStatus::Accepted,
            occurred_at: Timestamp::from_second(1_724_400_000).unwrap(),
            source_sequence: Some(3),
            progress: None,
            details: None,
        }
    }

    #[test]
    fn the_key_is_not_content_and_everything_else_is() {
        let original = event();
        let renamed = StatusEvent {
            key: IdempotencyKey::parse("k-2").unwrap(),
            ..event()
        };
        assert_eq!(original.content_hash(), renamed.content_hash());
        let moved = StatusEvent {
            occurred_at: original.occurred_at + Duration::from_secs(1),
            ..event()
        };
        assert_ne!(original.content_hash(), moved.content_hash());
        let counted = StatusEvent {
            source_sequence: None,
            ..event()
        };
        assert_ne!(original.content_hash(), counted.content_hash());
    }

    #[test]
    fn a_sender_may_be_five_minutes_ahead_and_no_more() {
        let event = event();
        assert!(event.faults(event.occurred_at - CLOCK_SKEW_MAX).is_empty());
        let too_early = event.occurred_at - CLOCK_SKEW_MAX - Duration::from_secs(1);
        assert_eq!(event.faults(too_early).len(), 1);
    }

    #[test]
    fn keys_are_visible_ascii() {
        for bad in ["", "có dấu", "a b", "a\n", &"k".repeat(129)] {
            assert!(IdempotencyKey::parse(bad).is_err(), "{bad:?}");
        }
    }
}
