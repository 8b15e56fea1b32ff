//! One item as a question: whether it may still be asked, the asking, and its usage record.

use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::code::ProcedureCode;
use lienthong_domain::identity::grant::{Asked, DossierFacts, QuotaClass, Refusal, decide_grant};
use lienthong_domain::identity::{FieldSet, Mode, UsageKind, UsageOutcome, Verdict, Verification};
use lienthong_domain::{ErrorCode, Timestamp};
use lienthong_ports::Question;
use lienthong_ports::identity::{ItemWork, UsageDraft};
use tokio::time::Instant;

use crate::asking::outcome_of;
use crate::core::Core;
use crate::guard::Stop;
use crate::registry::Failure;
use crate::turns::Turn;

/// How long an item waits for others about the same citizen before it is put back.
const TURN_WAIT: Duration = Duration::from_secs(1);

/// Why an item is not asked, with the record of the refusal.
pub(super) enum Bar {
    /// Its whole job may not go on.
    Job(ErrorCode, Box<UsageDraft>),
    /// This item may not be asked, now or later.
    Item(ErrorCode, Box<UsageDraft>),
    /// Not now: too many ask about the same citizen at once.
    Wait(Duration),
}

/// There was no answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Silent {
    pub(super) failure: Failure,
    /// The database may have seen the question.
    pub(super) reached: bool,
    /// The breaker was closed before and after.
    pub(super) breaker_closed: bool,
}

impl Core {
    /// Begins an item at the guard, if grant, participant and guard permit it as things stand now.
    pub(super) async fn begin_item(&self, work: &ItemWork) -> Result<Turn, Bar> {
        let draft = self.item_draft(work);
        let refused = |mut draft: UsageDraft, code| {
            (draft.outcome, draft.reason) = (UsageOutcome::Refused, Some(code));
            Box::new(draft)
        };
        let quota = match self.item_permitted(work, draft.at) {
            Ok(quota) => quota,
            Err(code @ ErrorCode::FieldsNotGranted) => {
                return Err(Bar::Item(code, refused(draft, code)));
            }
            Err(code) => return Err(Bar::Job(code, refused(draft, code))),
        };
        let begun = self
            .turns
            .begin(draft, &quota, Instant::now() + TURN_WAIT)
            .await;
        begun.map_err(|(draft, stop)| match stop {
            Stop::Halted { code, .. } => Bar::Job(code, refused(draft, code)),
            Stop::SubjectLocked { .. } => {
                let code = ErrorCode::SubjectLocked;
                Bar::Item(code, refused(draft, code))
            }
            Stop::Quota { wait, .. } => Bar::Wait(wait),
        })
    }

    /// What the participants file says now: the grant may have ended, or the participant may be suspended, since the job
    /// was opened. The dossier is not looked at again: it may well be closed before a large job is done.
    fn item_permitted(
        &self,
        work: &ItemWork,
        now: Timestamp,
    ) -> Result<Arc<QuotaClass>, ErrorCode> {
        let registry = self.services.registry();
        let asker = &work.asker;
        let participant = registry.participant(&asker.participant);
        let participant = participant.ok_or(ErrorCode::ParticipantUnknown)?;
        if !participant.active {
            return Err(ErrorCode::ParticipantSuspended);
        }
        let grant = registry.grant(&asker.participant, &asker.system, &work.inquiry.purpose);
        let asked = Asked {
            mode: Mode::Verify,
            fields: work.claims.optional_fields(),
            now,
        };
        decide_grant(grant, &asked).map_err(Refusal::code)?;
        // `decide_grant` has refused where there is none.
        let quota = grant.map(|grant| grant.quota.clone());
        quota.ok_or(ErrorCode::GrantMissing)
    }

    /// Asks the database about an item.
    pub(super) async fn ask_item(
        &self,
        work: &ItemWork,
        timeout: Duration,
    ) -> Result<Verification, Silent> {
        let question = Question {
            request_id: request_id(work),
            participant: work.asker.participant.clone(),
            official: work.asker.official.clone(),
            procedure: self.procedure(work).await,
            trace: None,
        };
        let closed_before = self.population.outlook(self.clock.now()).closed;
        let deadline = Instant::now() + timeout;
        let answer = self
            .population
            .verify(&question, &work.claims, deadline)
            .await;
        answer.map_err(|failure| {
            let reached = !matches!(
                failure,
                Failure::Unavailable {
                    retry_after: Some(_)
                } | Failure::DeadlineTooShort
            );
            Silent {
                failure,
                reached,
                breaker_closed: reached
                    && closed_before
                    && self.population.outlook(self.clock.now()).closed,
            }
        })
    }

    /// The procedure of the job's dossier, if the purpose is bound to one; for the database's own log.
    async fn procedure(&self, work: &ItemWork) -> Option<ProcedureCode> {
        let dossier = work.inquiry.dossier.as_ref()?;
        let registry = self.services.registry();
        let purpose = registry.purpose(&work.inquiry.purpose)?;
        let participant = &work.asker.participant;
        match self
            .dossier_facts(participant, purpose, Some(dossier))
            .await
        {
            Ok(DossierFacts::Held { procedure, .. }) => procedure,
            _ => None,
        }
    }

    /// The usage record of an item, as long as nothing has come of it.
    fn item_draft(&self, work: &ItemWork) -> UsageDraft {
        let number = &work.claims.number;
        UsageDraft {
            at: self.clock.now(),
            asker: work.asker.clone(),
            subject: Some(self.subject(number.as_str())),
            block: Some(self.block(number)),
            purpose: work.inquiry.purpose.clone(),
            dossier: work.inquiry.dossier.clone(),
            kind: UsageKind::Job,
            outcome: UsageOutcome::Failed,
            reason: None,
            asked: work.claims.fields(),
            shown: FieldSet::EMPTY,
            as_relative: false,
            request_id: request_id(work),
        }
    }
}

/// Ends an item at the guard, and makes its usage record. `came` is the verdict on all claims.
pub(super) fn end_item(begun: Turn, came: Result<Verdict, ErrorCode>) -> UsageDraft {
    let outcome = came.map_or(UsageOutcome::Failed, outcome_of);
    // Jobs are held for their misses by the store; the guard holds nobody for them.
    let (mut usage, _) = begun.end(outcome);
    usage.reason = came.err();
    usage
}

/// Unique for an item and attempt, as the database and the usage records know it: `J-17-42-3`.
fn request_id(work: &ItemWork) -> String {
    format!("{}-{}-{}", work.job, work.position, work.message.fence.0)
}
