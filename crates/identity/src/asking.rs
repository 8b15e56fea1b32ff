//! The two questions about a person: are these claims right, and what does the record say.
//!
//! A question that is permitted runs in a task of its own, so that a caller who goes away leaves a record of the
//! call that was made for it.

use std::sync::Arc;

use lienthong_domain::identity::{
    Citizen, CitizenNumber, Claims, Field, FieldSet, IdNumber, Inquiry, JobId, Mode, OldNumber,
    Pseudonym, UsageId, UsageKind, UsageOutcome, Verdict, Verification,
};
use lienthong_domain::participant::Caller;
use lienthong_domain::{ErrorCode, TraceContext};
use lienthong_ports::LookUp;
use lienthong_ports::identity::UsageDraft;
use lienthong_services::Error;
use lienthong_telemetry::log;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::core::{Core, Permitted, Timed, Wanted};
use crate::deferral;
use crate::requests::{Disclosed, LookUpRequest, Verified, Verify};
use crate::spans;
use crate::{Identity, Late};

impl Identity {
    /// Says whether claims about a person are right.
    ///
    /// # Errors
    /// Those of a grant, a dossier, a guard and a quota; of the population database; `STORE_UNAVAILABLE` when
    /// the look cannot be recorded; `DRAINING`.
    pub async fn verify(
        &self,
        caller: &Caller,
        request: Verify,
        deadline: Instant,
    ) -> Result<Verified, Error> {
        let tracer = self.core.services.tracer();
        let mut span = spans::request(tracer, "verify", caller, request.trace);
        let trace = span.context();
        let verify = self.verify_in(caller, request, deadline, trace);
        let answer = verify.instrument(log::in_trace(trace)).await;
        spans::answered(&mut span, &answer);
        answer
    }

    async fn verify_in(
        &self,
        caller: &Caller,
        request: Verify,
        deadline: Instant,
        trace: Option<TraceContext>,
    ) -> Result<Verified, Error> {
        let Verify {
            inquiry,
            claims,
            defer_if_unavailable,
            request_id,
            trace: _,
        } = request;
        self.open()?;
        let _timed = Timed::begin(&self.core, UsageKind::Verify);
        let wanted = Wanted {
            kind: UsageKind::Verify,
            mode: Mode::Verify,
            number: Some(&claims.number),
            recorded: claims.fields(),
            judged: claims.optional_fields(),
        };
        let mut permitted = self
            .permit(caller, &inquiry, &wanted, request_id, deadline)
            .await?;
        permitted.question.trace = trace;
        let subject_ref = self
            .core
            .subject_ref(&caller.participant.id, &claims.number);
        let core = self.core.clone();
        let work = async move {
            let defer = defer_if_unavailable.then_some(&inquiry);
            core.verify(permitted, &claims, defer, deadline).await
        };
        let work = work.in_current_span();
        let (usage, verification, deferred) = self.run(work, deadline).await?;
        Ok(Verified {
            verification,
            usage,
            subject_ref,
            deferred,
        })
    }

    /// Returns the granted fields of a person's record.
    ///
    /// # Errors
    /// As [`Self::verify`], and `CITIZEN_NOT_FOUND` for an unknown person and for a wrong claim alike.
    pub async fn look_up(
        &self,
        caller: &Caller,
        request: LookUpRequest,
        deadline: Instant,
    ) -> Result<Disclosed, Error> {
        let tracer = self.core.services.tracer();
        let mut span = spans::request(tracer, "look_up", caller, request.trace);
        let trace = span.context();
        let look_up = self.look_up_in(caller, request, deadline, trace);
        let answer = look_up.instrument(log::in_trace(trace)).await;
        spans::answered(&mut span, &answer);
        answer
    }

    async fn look_up_in(
        &self,
        caller: &Caller,
        request: LookUpRequest,
        deadline: Instant,
        trace: Option<TraceContext>,
    ) -> Result<Disclosed, Error> {
        let LookUpRequest {
            inquiry,
            claims,
            fields,
            request_id,
            trace: _,
        } = request;
        self.open()?;
        let _timed = Timed::begin(&self.core, UsageKind::Disclose);
        let wanted = Wanted {
            kind: UsageKind::Disclose,
            mode: Mode::Disclose,
            number: Some(&claims.number),
            recorded: fields,
            judged: fields,
        };
        let mut permitted = self
            .permit(caller, &inquiry, &wanted, request_id, deadline)
            .await?;
        permitted.question.trace = trace;
        let withheld = fields.without(permitted.fields);
        let subject_ref = self
            .core
            .subject_ref(&caller.participant.id, &claims.number);
        let core = self.core.clone();
        let work = async move { core.look_up(permitted, &claims, deadline).await };
        let work = work.in_current_span();
        let (usage, citizen, shown) = self.run(work, deadline).await?;
        Ok(Disclosed {
            citizen,
            shown,
            withheld,
            usage,
            subject_ref,
        })
    }

    async fn permit(
        &self,
        caller: &Caller,
        inquiry: &Inquiry,
        wanted: &Wanted<'_>,
        request_id: String,
        deadline: Instant,
    ) -> Result<Permitted, Error> {
        let draft = self.core.draft(caller, inquiry, wanted, request_id);
        let asked = wanted.asked(&self.core.clock);
        if self.is_full() {
            let error = Error::new(ErrorCode::PopulationBusy);
            return Err(self.core.refuse(draft, error).await);
        }
        self.core.permit(draft, &asked, deadline).await
    }
}

impl Core {
    /// Asks, records, answers.
    async fn verify(
        self: Arc<Self>,
        permitted: Permitted,
        claims: &Claims,
        defer: Option<&Inquiry>,
        deadline: Instant,
    ) -> Late<(UsageId, Option<Verification>, Option<JobId>)> {
        let Permitted { turn, question, .. } = permitted;
        let time = deadline.saturating_duration_since(Instant::now());
        let answer = self.population.verify(&question, claims, deadline).await;
        let deferred = match (&answer, defer) {
            (Err(failure), Some(inquiry)) if failure.may_be_put_off(time) => {
                deferral::defer(&self, turn.ask(), inquiry, claims).await
            }
            _ => None,
        };
        let outcome = match (&answer, deferred) {
            (Ok(verification), _) => outcome_of(verification.claims_verdict()),
            (Err(_), Some(_)) => UsageOutcome::Deferred,
            (Err(_), None) => UsageOutcome::Failed,
        };
        let (mut draft, ended) = turn.end(outcome);
        draft.reason = answer.as_ref().err().map(|failure| failure.code());
        let recorded = self.record(vec![draft]).await;
        self.keep_actions(ended.actions).await;
        let result = recorded.and_then(|usage| match answer {
            Ok(verification) => Ok((usage, Some(verification), None)),
            Err(_) if deferred.is_some() => Ok((usage, None, deferred)),
            Err(failure) => Err(failure.into()),
        });
        Late {
            slow: ended.slow,
            result,
        }
    }

    /// Asks, takes out what was not granted, records everybody who is shown, answers.
    async fn look_up(
        self: Arc<Self>,
        permitted: Permitted,
        claims: &Claims,
        deadline: Instant,
    ) -> Late<(UsageId, Citizen, FieldSet)> {
        let Permitted {
            turn,
            fields,
            question,
        } = permitted;
        // The look is recorded under both numbers of the citizen, so they are asked for with every record.
        let answer = self
            .population
            .look_up(&question, claims, fields.union(numbers()), deadline)
            .await;
        let outcome = match &answer {
            Ok(LookUp::Found(_)) => UsageOutcome::Disclosed,
            Ok(LookUp::NotFound | LookUp::Mismatch) => UsageOutcome::NotMatched,
            Err(_) => UsageOutcome::Failed,
        };
        let (mut draft, ended) = turn.end(outcome);
        let mut other = None;
        let answer = match answer {
            Ok(LookUp::Found(citizen)) => {
                other = self.other_subject(claims, &citizen);
                // What comes back unasked never leaves.
                let citizen = citizen.masked(fields);
                Ok((citizen.fields(), citizen))
            }
            Ok(LookUp::NotFound | LookUp::Mismatch) => Err(Error::new(ErrorCode::CitizenNotFound)),
            Err(failure) => {
                draft.reason = Some(failure.code());
                Err(failure.into())
            }
        };
        let drafts = match &answer {
            Ok((shown, citizen)) => {
                draft.shown = *shown;
                self.with_everybody_shown(draft, other, citizen)
            }
            Err(_) => vec![draft],
        };
        let recorded = self.record(drafts).await;
        self.keep_actions(ended.actions).await;
        Late {
            slow: ended.slow,
            result: recorded
                .and_then(|usage| answer.map(|(shown, citizen)| (usage, citizen, shown))),
        }
    }

    /// The citizen under the number that was not asked, if the record tells it; the guard counts both as one.
    fn other_subject(&self, claims: &Claims, citizen: &Citizen) -> Option<Pseudonym> {
        let other = match claims.number {
            IdNumber::Citizen(_) => citizen.old_number.as_ref().map(OldNumber::as_str),
            IdNumber::Old(_) => citizen.citizen_number.as_ref().map(CitizenNumber::as_str),
        };
        let other = self.subject(other?);
        let asked = self.subject(claims.number.as_str());
        let now = self.clock.now();
        self.turns.with(|guard| guard.link(asked, other, now));
        Some(other)
    }

    /// The record of the look, the same under the citizen's other number, and one for every number of a relative
    /// that it shows.
    fn with_everybody_shown(
        &self,
        draft: UsageDraft,
        other: Option<Pseudonym>,
        citizen: &Citizen,
    ) -> Vec<UsageDraft> {
        let other = other.map(|other| UsageDraft {
            subject: Some(other),
            as_relative: true,
            ..draft.clone()
        });
        let mut drafts = vec![draft];
        // Right behind and with the block, by which a restart knows whose other number it is: see `guard/links.rs`.
        drafts.extend(other);
        let numbers = citizen.relatives().flat_map(|(field, relative)| {
            let new = relative.citizen_number.as_ref().map(CitizenNumber::as_str);
            let old = relative.old_number.as_ref().map(OldNumber::as_str);
            [(field, new), (field, old)]
        });
        for (field, number) in numbers {
            let Some(subject) = number.map(|number| self.subject(number)) else {
                continue;
            };
            let known = drafts
                .iter_mut()
                .find(|known| known.subject == Some(subject));
            match known {
                // The mother may also be the head of the household.
                Some(known) if known.as_relative => known.shown.insert(field),
                Some(_) => {}
                None => {
                    let relative = UsageDraft {
                        subject: Some(subject),
                        block: None,
                        shown: [field].into_iter().collect(),
                        as_relative: true,
                        ..drafts[0].clone()
                    };
                    drafts.push(relative);
                }
            }
        }
        drafts
    }
}

/// The fields of the citizen's own numbers.
fn numbers() -> FieldSet {
    [Field::CitizenNumber, Field::OldNumber]
        .into_iter()
        .collect()
}

/// What a verdict on everything that was claimed is in a usage record.
pub(crate) const fn outcome_of(verdict: Verdict) -> UsageOutcome {
    match verdict {
        Verdict::Match => UsageOutcome::Matched,
        Verdict::NoMatch => UsageOutcome::NotMatched,
        Verdict::Undecided => UsageOutcome::Undecided,
    }
}
