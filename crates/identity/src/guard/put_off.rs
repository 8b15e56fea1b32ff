//! Questions of one official that were put off: their answers come by a job and are weighed as those of
//! verifications are, after a restart too.

use std::collections::VecDeque;

use lienthong_domain::identity::{Pseudonym, UsageKind, UsageOutcome};
use lienthong_ports::identity::UsageDraft;

use super::weighing::Sign;
use super::window::DAY_MS;

/// Questions of one official remembered at most; the oldest are forgotten first.
const QUESTIONS_MAX: usize = 1_024;

/// Questions without an answer yet, oldest first.
#[derive(Debug, Default)]
pub(super) struct PutOff(VecDeque<Question>);

/// A question that was put off.
#[derive(Debug)]
pub(super) struct Question {
    at_ms: i64,
    subject: Pseudonym,
    /// Of the citizen's number.
    pub(super) block: Option<Pseudonym>,
}

impl PutOff {
    /// Remembers a question if it was put off.
    pub(super) fn note(&mut self, ask: &UsageDraft, outcome: UsageOutcome, at_ms: i64) {
        let (Some(subject), UsageOutcome::Deferred) = (ask.subject, outcome) else {
            return;
        };
        if self.0.len() == QUESTIONS_MAX {
            self.0.pop_front();
        }
        let block = ask.block;
        self.0.push_back(Question {
            at_ms,
            subject,
            block,
        });
    }

    /// Takes out the oldest question about a citizen.
    pub(super) fn take(&mut self, subject: &Pseudonym) -> Option<Question> {
        let index = self.0.iter().position(|found| found.subject == *subject)?;
        self.0.remove(index)
    }

    /// Whether the record of a job's item is the answer to one of the questions, which is then taken out. A bulk
    /// job of the same official about the same citizen looks alike, and is weighed in its place.
    pub(super) fn is_answered_by(&mut self, record: &UsageDraft) -> bool {
        let is_answer = record.kind == UsageKind::Job && Sign::of(record.outcome) != Sign::Nothing;
        let subject = record.subject.filter(|_| is_answer);
        subject.is_some_and(|subject| self.take(&subject).is_some())
    }

    /// Forgets what is older than 24 hours.
    pub(super) fn expire(&mut self, now_ms: i64) {
        while self
            .0
            .front()
            .is_some_and(|found| found.at_ms.saturating_add(DAY_MS) <= now_ms)
        {
            self.0.pop_front();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
