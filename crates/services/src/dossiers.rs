//! Use cases of participants: push statuses, read dossiers, follow changes.

use lienthong_domain::code::AgencyCode;
use lienthong_domain::participant::Caller;
use lienthong_domain::province::Province;
use lienthong_domain::{DossierCode, ErrorCode, StatusEvent, Timestamp, TraceContext};
use lienthong_ports::store::{
    Change, ChangeCursor, DossierFilter, DossierView, ITEMS_MAX, Offer, Receipt, TimelineEntry,
};
use tokio::time::Instant;

use crate::Services;
use crate::counting::{self, Facts};
use crate::error::Error;
use crate::spans::Accepting;

impl Services {
    /// Accepts events, in order: later ones see the earlier ones. One answer per event, same order.
    /// When an answer is a receipt the event is durable. `trace` is the caller's span, if it told one.
    pub async fn push(
        &self,
        caller: &Caller,
        events: Vec<StatusEvent>,
        trace: Option<TraceContext>,
    ) -> Vec<Result<Receipt, Error>> {
        let (now, started) = (self.clock.now(), Instant::now());
        let facts = events.iter().map(Facts::of).collect::<Vec<_>>();
        let mut offers = Vec::with_capacity(events.len());
        let refusals = events
            .into_iter()
            .map(|event| match check(caller, &event, now) {
                Ok(()) => {
                    offers.push(self.offer(caller, event, now));
                    None
                }
                Err(error) => Some(error),
            })
            .collect::<Vec<_>>();
        let spans = Accepting::begin(&self.tracer, &mut offers, trace);
        let answers = self.accept(offers).await;
        spans.end(&answers);
        let mut answers = answers.into_iter();
        let answers = refusals
            .into_iter()
            .map(|refusal| match refusal {
                Some(error) => Err(error),
                None => answers
                    .next()
                    .unwrap_or_else(|| Err(Error::new(ErrorCode::Internal))),
            })
            .collect::<Vec<_>>();
        counting::count(&self.metrics.intake, &facts, &answers, started.elapsed());
        self.note_pushed(caller, &facts, &answers);
        answers
    }

    /// Takes note of what came of a caller's events, same order, and of how late the new ones are.
    fn note_pushed(&self, caller: &Caller, facts: &[Facts], answers: &[Result<Receipt, Error>]) {
        let registry = self.registry.load();
        let now = self.clock.now();
        let accepted = answers.iter().filter(|answer| answer.is_ok()).count();
        if let Some(tally) = registry.tally(caller) {
            tally.seen(now);
            tally.accepted(accepted as u64);
            tally.refused((answers.len() - accepted) as u64);
        }
        let is_new =
            |answer: &Result<Receipt, Error>| answer.as_ref().is_ok_and(|found| !found.duplicate);
        let new = facts
            .iter()
            .zip(answers)
            .filter(|(_, answer)| is_new(answer));
        if let Some(lags) = registry.lags(&caller.participant.id) {
            lags.note(now, new.map(|(facts, _)| facts.occurred_at));
        }
    }

    /// Offers to the store; its failure is the answer to each.
    async fn accept(&self, offers: Vec<Offer>) -> Vec<Result<Receipt, Error>> {
        let count = offers.len();
        if count == 0 {
            return Vec::new();
        }
        match self.store.accept(offers).await {
            Ok(answers) => answers
                .into_iter()
                .map(|answer| answer.map_err(Error::from))
                .collect(),
            Err(error) => {
                let first = Error::from(error);
                let again = || Error {
                    retry_after: first.retry_after,
                    ..Error::new(first.code)
                };
                // The cause is logged once, with the first answer.
                let rest = (1..count).map(|_| Err(again())).collect::<Vec<_>>();
                std::iter::once(Err(first)).chain(rest).collect()
            }
        }
    }

    fn offer(&self, caller: &Caller, event: StatusEvent, now: Timestamp) -> Offer {
        Offer {
            content_hash: event.content_hash(),
            event,
            event_id: self.random.event_id(now),
            participant: caller.participant.id.clone(),
            system: caller.system.clone(),
            policy: caller.participant.transitions,
            now,
            trace: None,
        }
    }

    /// One dossier as it stands.
    ///
    /// # Errors
    /// `DOSSIER_NOT_FOUND`, also for one the caller may not see, so that codes cannot be probed.
    pub async fn dossier(&self, caller: &Caller, code: &DossierCode) -> Result<DossierView, Error> {
        let not_found = || Error::new(ErrorCode::DossierNotFound);
        if !caller.may_read(code) {
            return Err(not_found());
        }
        self.store.dossier(code).await?.ok_or_else(not_found)
    }

    /// A dossier's events above `after_sequence`.
    ///
    /// # Errors
    /// As [`Self::dossier`].
    pub async fn timeline(
        &self,
        caller: &Caller,
        code: &DossierCode,
        after_sequence: i64,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, Error> {
        let entries = if caller.may_read(code) {
            self.store
                .timeline(code, after_sequence, limit.min(ITEMS_MAX))
                .await?
        } else {
            Vec::new()
        };
        if entries.is_empty() && after_sequence == 0 {
            return Err(Error::new(ErrorCode::DossierNotFound));
        }
        Ok(entries)
    }

    /// Dossiers the caller may see, by code, after `after`.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn dossiers(
        &self,
        caller: &Caller,
        mut filter: DossierFilter,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<DossierView>, Error> {
        filter.roots = visible_roots(caller);
        let found = self
            .store
            .dossiers(filter, after, limit.min(ITEMS_MAX))
            .await?;
        Ok(found
            .into_iter()
            .filter(|view| caller.may_read(&view.code))
            .collect())
    }

    /// What happened after `cursor` to dossiers the caller may see, and of `agency` if one is named.
    /// The cursor moves over everything, so an empty answer may still move it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn changes(
        &self,
        caller: &Caller,
        cursor: ChangeCursor,
        agency: Option<&AgencyCode>,
        limit: usize,
    ) -> Result<(Vec<Change>, ChangeCursor), Error> {
        let (changes, next) = self.store.changes(cursor, limit.min(ITEMS_MAX)).await?;
        let wanted = |change: &Change| {
            let code = match change {
                Change::Accepted(entry) => &entry.dossier,
                Change::Attempted { dossier, .. } => dossier,
            };
            caller.may_read(code) && agency.is_none_or(|agency| code.agency().is_within(agency))
        };
        Ok((changes.into_iter().filter(wanted).collect(), next))
    }

    /// The cursor after everything that has happened.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn newest_cursor(&self) -> Result<ChangeCursor, Error> {
        Ok(self.store.newest_cursor().await?)
    }
}

/// Access first, then the faults that need more than one field.
fn check(caller: &Caller, event: &StatusEvent, now: Timestamp) -> Result<(), Error> {
    if !caller.may_push(&event.dossier) {
        return Err(Error::new(ErrorCode::AgencyNotGranted)
            .with("participant", &caller.participant.id)
            .with("agency", event.dossier.agency()));
    }
    let faults = event.faults(now);
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::with_faults(ErrorCode::InvalidFields, faults))
    }
}

/// The roots of agency codes that a listing may show: the caller's own and those merged into it;
/// empty, which is all, for operators.
fn visible_roots(caller: &Caller) -> Vec<String> {
    if caller.role.operator().is_some() {
        return Vec::new();
    }
    let own = caller.participant.id.root();
    let merged = Province::by_root(own)
        .into_iter()
        .flat_map(Province::absorbed);
    std::iter::once(own.as_str().to_owned())
        .chain(merged.map(|province| province.code().to_string()))
        .collect()
}
