//! Citizens who are known under two numbers, as far as a record told both lately or the store has it. All that is
//! counted about them is counted under one of the two pseudonyms.

use std::borrow::Cow;
use std::collections::VecDeque;

use lienthong_domain::identity::{Pseudonym, UsageKind};
use lienthong_ports::identity::UsageDraft;
use lienthong_ports::identity::usage::LINKS_MAX;

use super::hashing::ByPseudonym;
use super::window::DAY_MS;

/// How long a link is remembered since it was told, or read from the store at a start. What a guard looks back at is
/// shorter, and the next look tells it again.
const REMEMBERED_MS: i64 = 30 * DAY_MS;
/// Numbers of one citizen followed from one to the next at most.
const NUMBERS_MAX: usize = 4;

/// The pseudonym that counts, by the one that does not.
#[derive(Debug, Default)]
pub(super) struct Links {
    main: ByPseudonym<Pseudonym>,
    /// Ascending times.
    order: VecDeque<(i64, Pseudonym)>,
    /// The last look that was folded: its request and its citizen.
    last_look: Option<(String, Pseudonym)>,
}

impl Links {
    /// The pseudonym under which a citizen counts.
    pub(super) fn main_of(&self, subject: Pseudonym) -> Pseudonym {
        let mut main = subject;
        for _ in 0..NUMBERS_MAX {
            match self.main.get(&main) {
                Some(next) => main = *next,
                None => break,
            }
        }
        main
    }

    /// A question or record about the citizen as counted.
    pub(super) fn resolved<'a>(&self, ask: &'a UsageDraft) -> Cow<'a, UsageDraft> {
        match ask.subject {
            Some(subject) if self.main.contains_key(&subject) => Cow::Owned(UsageDraft {
                subject: Some(self.main_of(subject)),
                ..ask.clone()
            }),
            _ => Cow::Borrowed(ask),
        }
    }

    /// Lets `other` count as `main`, both being such as count so far.
    pub(super) fn insert(&mut self, other: Pseudonym, main: Pseudonym, now_ms: i64) {
        if other == main {
            return;
        }
        if self.order.len() == LINKS_MAX {
            self.forget_oldest();
        }
        self.main.insert(other, main);
        self.order.push_back((now_ms, other));
    }

    /// The two pseudonyms of a citizen, if this record is the second of a look that told both numbers.
    pub(super) fn told_by(&mut self, record: &UsageDraft) -> Option<(Pseudonym, Pseudonym)> {
        let subject = record.subject?;
        if !record.as_relative {
            if record.kind == UsageKind::Disclose {
                self.last_look = Some((record.request_id.clone(), subject));
            }
            return None;
        }
        let (request_id, asked) = self.last_look.as_ref()?;
        let is_other = record.is_under_other_number() && *request_id == record.request_id;
        is_other.then_some((*asked, subject))
    }

    /// Forgets the oldest.
    pub(super) fn expire(&mut self, now_ms: i64) {
        while self
            .order
            .front()
            .is_some_and(|(at, _)| at.saturating_add(REMEMBERED_MS) <= now_ms)
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, other)) = self.order.pop_front() {
            self.main.remove(&other);
        }
    }
}
