//! Wrong claims about each citizen in the last 24 hours, so that nobody finds out a birth date by trying.

use std::collections::VecDeque;
use std::time::Duration;

use lienthong_domain::identity::Pseudonym;
use lienthong_domain::participant::ParticipantId;

use super::hashing::ByPseudonym;
use super::window::DAY_MS;
use crate::config::GuardConfig;

/// Wrong claims remembered at most; the oldest are forgotten first. At 20 for each citizen it would take
/// 50,000 citizens at their limit in one day to get there.
const MISSES_MAX: usize = 1_000_000;

/// Citizens about whom something wrong was claimed, or is being asked.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    by_subject: ByPseudonym<Claimed>,
    /// Every miss, by ascending time.
    order: VecDeque<(i64, Pseudonym)>,
}

#[derive(Debug, Default)]
struct Claimed {
    /// Who missed when, by ascending time.
    misses: VecDeque<(i64, ParticipantId)>,
    /// Who is asking now.
    pending: Vec<ParticipantId>,
}

/// Whether one more claim about a citizen is borne.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// It is.
    Free,
    /// Perhaps, when those under way have ended.
    Wait,
    /// Not until so much time has passed.
    Locked(Duration),
}

impl Subjects {
    /// Whether `participant` may claim something about `subject`.
    pub(super) fn room(
        &self,
        subject: &Pseudonym,
        participant: &ParticipantId,
        config: &GuardConfig,
        now_ms: i64,
    ) -> Room {
        let Some(claimed) = self.by_subject.get(subject) else {
            return Room::Free;
        };
        let own_max = config.subject_misses_per_participant_max as usize;
        let all_max = config.subject_misses_max as usize;
        let own = || claimed.misses.iter().filter(|(_, by)| by == participant);
        let (own_count, all_count) = (own().count(), claimed.misses.len());
        let first = if own_count >= own_max {
            own().nth(own_count - own_max)
        } else if all_count >= all_max {
            claimed.misses.get(all_count - all_max)
        } else {
            None
        };
        if let Some((at, _)) = first {
            let millis = u64::try_from(at.saturating_add(DAY_MS) - now_ms).unwrap_or(0);
            return Room::Locked(Duration::from_millis(millis.max(1)));
        }
        let own_pending = claimed.pending.iter().filter(|by| *by == participant);
        if own_count + own_pending.count() < own_max && all_count + claimed.pending.len() < all_max
        {
            Room::Free
        } else {
            Room::Wait
        }
    }

    pub(super) fn begin(&mut self, subject: Pseudonym, participant: &ParticipantId) {
        let claimed = self.by_subject.entry(subject).or_default();
        claimed.pending.push(participant.clone());
    }

    pub(super) fn end(&mut self, subject: &Pseudonym, participant: &ParticipantId) {
        if let Some(claimed) = self.by_subject.get_mut(subject) {
            let found = claimed.pending.iter().position(|by| by == participant);
            if let Some(index) = found {
                claimed.pending.swap_remove(index);
            }
            self.drop_if_empty(subject);
        }
    }

    pub(super) fn miss(&mut self, subject: Pseudonym, participant: &ParticipantId, now_ms: i64) {
        let at = self
            .order
            .back()
            .map_or(now_ms, |(last, _)| now_ms.max(*last));
        self.order.push_back((at, subject));
        let claimed = self.by_subject.entry(subject).or_default();
        claimed.misses.push_back((at, participant.clone()));
        if self.order.len() > MISSES_MAX {
            self.forget_oldest();
        }
    }

    /// Moves what is known of `other` to `main`: they are one citizen.
    pub(super) fn merge(&mut self, other: Pseudonym, main: Pseudonym) {
        if other == main {
            return;
        }
        let Some(moved) = self.by_subject.remove(&other) else {
            return;
        };
        for (_, subject) in &mut self.order {
            if *subject == other {
                *subject = main;
            }
        }
        let claimed = self.by_subject.entry(main).or_default();
        claimed.pending.extend(moved.pending);
        claimed.misses.extend(moved.misses);
        claimed.misses.make_contiguous().sort_by_key(|(at, _)| *at);
    }

    /// Forgets what is older than 24 hours.
    pub(super) fn expire(&mut self, now_ms: i64) {
        while self
            .order
            .front()
            .is_some_and(|(at, _)| at.saturating_add(DAY_MS) <= now_ms)
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, subject)) = self.order.pop_front() {
            if let Some(claimed) = self.by_subject.get_mut(&subject) {
                claimed.misses.pop_front();
            }
            self.drop_if_empty(&subject);
        }
    }

    fn drop_if_empty(&mut self, subject: &Pseudonym) {
        let is_empty = |claimed: &Claimed| claimed.misses.is_empty() && claimed.pending.is_empty();
        if self.by_subject.get(subject).is_some_and(is_empty) {
            self.by_subject.remove(subject);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_subject.len() + self.order.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CITIZEN: Pseudonym = Pseudonym([7; 16]);

    fn participant(number: usize) -> ParticipantId {
        ParticipantId::parse(&format!("G{number:02}")).unwrap()
    }

    #[test]
    fn five_by_one_and_twenty_by_all_lock_a_citizen() {
        let config = GuardConfig::default();
        let mut subjects = Subjects::default();
        for at in 0..20_u8 {
            let (by, at) = (participant(10 + usize::from(at / 5)), at.into());
            assert_eq!(subjects.room(&CITIZEN, &by, &config, at), Room::Free);
            subjects.miss(CITIZEN, &by, at);
        }
        let day = Duration::from_hours(24);
        for (number, since) in [(10, 19), (13, 4), (20, 19)] {
            let room = subjects.room(&CITIZEN, &participant(number), &config, 19);
            let left = day.saturating_sub(Duration::from_millis(since));
            assert_eq!(room, Room::Locked(left), "{number}");
        }
        subjects.expire(DAY_MS + 19);
        assert_eq!(subjects.len(), 0);
    }

    #[test]
    fn claims_under_way_may_be_wrong_and_are_waited_for() {
        let config = GuardConfig::default();
        let mut subjects = Subjects::default();
        let by = participant(10);
        for _ in 0..5 {
            assert_eq!(subjects.room(&CITIZEN, &by, &config, 0), Room::Free);
            subjects.begin(CITIZEN, &by);
        }
        assert_eq!(subjects.room(&CITIZEN, &by, &config, 0), Room::Wait);
        assert_eq!(
            subjects.room(&CITIZEN, &participant(11), &config, 0),
            Room::Free
        );
        subjects.end(&CITIZEN, &by);
        assert_eq!(subjects.room(&CITIZEN, &by, &config, 0), Room::Free);
    }
}
