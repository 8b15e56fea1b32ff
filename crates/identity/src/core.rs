//! What every use case of identity works with: who asks is written down, questions are judged, records are
//! written before answers leave.

use std::sync::Arc;

use lienthong_domain::code::ProcedureCode;
use lienthong_domain::identity::grant::{self, Asked, DossierFacts, QuotaClass, Refusal};
use lienthong_domain::identity::{
    Binding, FieldSet, IdNumber, Inquiry, Mode, Pseudonym, Purpose, UsageId, UsageKind,
    UsageOutcome,
};
use lienthong_domain::participant::{Caller, ParticipantId};
use lienthong_domain::{Clock, DossierCode, ErrorCode};
use lienthong_ports::identity::{Asker, GuardAction, GuardActionKind, UsageDraft};
use lienthong_ports::{IdentityStore, Question, Store};
use lienthong_services::{Error, Services};
use lienthong_telemetry::metrics::IdentityMetrics;
use lienthong_vault::Vault;
use tokio::time::Instant;

use crate::config::Config;
use crate::registry::GuardedRegistry;
use crate::turns::{Turn, Turns};

/// Domain of the pseudonyms under which citizens are recorded.
const SUBJECT: &str = "citizen number";
/// Domain of the pseudonyms of blocks of numbers.
const BLOCK: &str = "citizen number block";
/// Begins the domain of the pseudonyms that one participant sees.
const SUBJECT_FOR: &str = "citizen number for ";
/// Digits at the end of a number that tell neighbours apart.
const SUFFIX_DIGITS: usize = 6;

/// Shared by the use cases and by the tasks that outlive their callers.
pub(crate) struct Core {
    pub(crate) services: Arc<Services>,
    pub(crate) dossiers: Arc<dyn Store>,
    pub(crate) store: Arc<dyn IdentityStore>,
    pub(crate) population: GuardedRegistry,
    pub(crate) turns: Arc<Turns>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: Clock,
    pub(crate) config: Config,
    pub(crate) metrics: IdentityMetrics,
}

/// What is wanted of a citizen.
pub(crate) struct Wanted<'a> {
    pub(crate) kind: UsageKind,
    pub(crate) mode: Mode,
    pub(crate) number: Option<&'a IdNumber>,
    /// Fields as the usage record names them.
    pub(crate) recorded: FieldSet,
    /// Fields as the grant judges them: without the key, which may always be claimed.
    pub(crate) judged: FieldSet,
}

/// A question that may be asked, and has begun.
pub(crate) struct Permitted {
    pub(crate) turn: Turn,
    /// The fields that may be claimed or shown.
    pub(crate) fields: FieldSet,
    /// On whose behalf.
    pub(crate) question: Question,
}

/// What the judges said.
pub(crate) struct Judged {
    pub(crate) fields: FieldSet,
    pub(crate) quota: Arc<QuotaClass>,
    procedure: Option<ProcedureCode>,
}

impl Core {
    /// Everything that may refuse a question, in this order: grant, guard, quota, dossier, its turn. A refusal
    /// is recorded before it leaves.
    pub(crate) async fn permit(
        &self,
        draft: UsageDraft,
        asked: &Asked,
        deadline: Instant,
    ) -> Result<Permitted, Error> {
        let judged = match self.judge(&draft, asked).await {
            Ok(judged) => judged,
            Err(error) => return Err(self.refuse(draft, error).await),
        };
        let turn = match self.turns.begin(draft, &judged.quota, deadline).await {
            Ok(turn) => turn,
            Err((draft, stop)) => return Err(self.refuse(draft, stop.into()).await),
        };
        let ask = turn.ask();
        let question = Question {
            request_id: ask.request_id.clone(),
            participant: ask.asker.participant.clone(),
            official: ask.asker.official.clone(),
            procedure: judged.procedure,
            trace: None,
        };
        Ok(Permitted {
            turn,
            fields: judged.fields,
            question,
        })
    }

    /// Grant, guard, quota, dossier. Nothing is counted but the rate, and nothing is recorded.
    pub(crate) async fn judge(&self, draft: &UsageDraft, asked: &Asked) -> Result<Judged, Error> {
        let registry = self.services.registry();
        let asker = &draft.asker;
        let grant = registry.grant(&asker.participant, &asker.system, &draft.purpose);
        let purpose = registry.purpose(&draft.purpose);
        let (Some(grant), Some(purpose)) = (grant, purpose) else {
            return Err(refused(Refusal::NoGrant));
        };
        grant::decide_grant(Some(grant), asked).map_err(refused)?;
        let now = self.clock.now();
        self.turns
            .with(|guard| guard.consider(draft, &grant.quota, now))?;
        let dossier = draft.dossier.as_ref();
        let facts = self
            .dossier_facts(&asker.participant, purpose, dossier)
            .await?;
        let fields = grant::decide(Some(grant), purpose, asked, &facts).map_err(refused)?;
        let procedure = match facts {
            DossierFacts::Held { procedure, .. } => procedure,
            _ => None,
        };
        Ok(Judged {
            fields,
            quota: grant.quota.clone(),
            procedure,
        })
    }

    /// What the purpose wants to know of the dossier. One of another agency is not looked up, so that nobody
    /// learns which codes exist.
    pub(crate) async fn dossier_facts(
        &self,
        participant: &ParticipantId,
        purpose: &Purpose,
        dossier: Option<&DossierCode>,
    ) -> Result<DossierFacts, Error> {
        let Some(code) = dossier else {
            return Ok(DossierFacts::NotNamed);
        };
        if purpose.binding != Binding::Required {
            return Ok(DossierFacts::Named);
        }
        if !participant.covers(code.agency()) {
            return Ok(DossierFacts::NotHeld);
        }
        let found = self.dossiers.dossier(code).await.map_err(store_failed)?;
        Ok(
            found.map_or(DossierFacts::NotHeld, |view| DossierFacts::Held {
                open: !view.status.is_terminal(),
                procedure: view.details.procedure_code.clone(),
            }),
        )
    }

    /// Records a refusal; the error to be given.
    pub(crate) async fn refuse(&self, mut draft: UsageDraft, error: Error) -> Error {
        draft.outcome = match error.code {
            // Nobody decided anything.
            ErrorCode::StoreUnavailable => UsageOutcome::Failed,
            _ => UsageOutcome::Refused,
        };
        draft.reason = Some(error.code);
        match self.record(vec![draft]).await {
            Ok(_) => error,
            Err(unrecorded) => unrecorded,
        }
    }

    /// Writes records; the id of the first.
    ///
    /// # Errors
    /// `STORE_UNAVAILABLE`: what they are about must not leave.
    pub(crate) async fn record(&self, drafts: Vec<UsageDraft>) -> Result<UsageId, Error> {
        let asked = drafts.iter().find(|draft| !draft.as_relative);
        let asked = asked.map(|draft| (draft.kind, draft.outcome));
        let ids = self
            .store
            .record_usage(drafts)
            .await
            .map_err(store_failed)?;
        if let Some((kind, outcome)) = asked {
            self.metrics.recorded(kind, outcome);
        }
        let first = ids.first().copied();
        first.ok_or_else(|| Error::new(ErrorCode::Internal))
    }

    /// Keeps what the guard did, and tells the operators. An action that cannot be kept holds all the same, and
    /// follows again from the usage records after a restart.
    pub(crate) async fn keep_actions(&self, actions: Vec<GuardAction>) {
        if actions.is_empty() {
            return;
        }
        for action in &actions {
            self.tell(action);
        }
        if let Err(error) = self.store.record_guard_actions(actions).await {
            tracing::error!(%error, "a guard's action could not be kept");
        }
    }

    /// Counts what the guard did, and tells the operators.
    pub(crate) fn tell(&self, action: &GuardAction) {
        self.metrics.guarded(match action.kind {
            GuardActionKind::Held => "held",
            GuardActionKind::Blocked => "blocked",
            GuardActionKind::Lifted => "lifted",
        });
        tell(action);
    }

    /// A record of a question, without an outcome yet.
    pub(crate) fn draft(
        &self,
        caller: &Caller,
        inquiry: &Inquiry,
        wanted: &Wanted<'_>,
        request_id: String,
    ) -> UsageDraft {
        UsageDraft {
            at: self.clock.now(),
            asker: Asker {
                participant: caller.participant.id.clone(),
                system: caller.system.clone(),
                official: inquiry.official.clone(),
            },
            subject: wanted.number.map(|number| self.subject(number.as_str())),
            block: wanted.number.map(|number| self.block(number)),
            purpose: inquiry.purpose.clone(),
            dossier: inquiry.dossier.clone(),
            kind: wanted.kind,
            outcome: UsageOutcome::Failed,
            reason: None,
            asked: wanted.recorded,
            shown: FieldSet::EMPTY,
            as_relative: false,
            request_id,
        }
    }

    /// The pseudonym under which a citizen is recorded.
    pub(crate) fn subject(&self, number: &str) -> Pseudonym {
        Pseudonym(self.vault.pseudonym(SUBJECT, number).0)
    }

    /// The pseudonym by which one participant knows a citizen.
    pub(crate) fn subject_ref(&self, participant: &ParticipantId, number: &IdNumber) -> Pseudonym {
        let domain = format!("{SUBJECT_FOR}{participant}");
        Pseudonym(self.vault.pseudonym(&domain, number.as_str()).0)
    }

    /// The pseudonym of a number's block: neighbours have the same.
    pub(crate) fn block(&self, number: &IdNumber) -> Pseudonym {
        let digits = number.as_str();
        let end = digits.len().saturating_sub(SUFFIX_DIGITS);
        let block = digits.get(..end).expect("a number is ASCII digits");
        Pseudonym(self.vault.pseudonym(BLOCK, block).0)
    }
}

impl Wanted<'_> {
    /// What the grant is asked.
    pub(crate) fn asked(&self, clock: &Clock) -> Asked {
        Asked {
            mode: self.mode,
            fields: self.judged,
            now: clock.now(),
        }
    }
}

/// The public form of a refusal.
pub(crate) fn refused(refusal: Refusal) -> Error {
    let error = Error::new(refusal.code());
    match refusal {
        Refusal::FieldsNotGranted(fields) => error.with("fields", fields),
        _ => error,
    }
}

/// The store could not do its part, for whatever reason: nothing leaves.
pub(crate) fn store_failed(error: lienthong_ports::StoreError) -> Error {
    Error {
        code: ErrorCode::StoreUnavailable,
        ..Error::from(error)
    }
}

/// Measures a question until it is dropped: with its answer, or when its caller leaves.
pub(crate) struct Timed {
    metrics: IdentityMetrics,
    kind: UsageKind,
    started: Instant,
}

impl Timed {
    pub(crate) fn begin(core: &Core, kind: UsageKind) -> Self {
        Self {
            metrics: core.metrics.clone(),
            kind,
            started: Instant::now(),
        }
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        self.metrics.answered(self.kind, self.started.elapsed());
    }
}

/// The alert. The official is not named: operators see who it is in the list of guards.
fn tell(action: &GuardAction) {
    let (participant, system) = (&action.participant, &action.system);
    let whole_system = action.official.is_none();
    match action.kind {
        GuardActionKind::Held => tracing::warn!(
            guard.participant = %participant, guard.system = %system, guard.whole_system = whole_system,
            "questions about citizens are held, because they look like guessing"
        ),
        GuardActionKind::Blocked => tracing::error!(
            guard.participant = %participant, guard.system = %system, guard.whole_system = whole_system,
            "questions about citizens are blocked, because they look like guessing again"
        ),
        GuardActionKind::Lifted => tracing::info!(
            guard.participant = %participant, guard.system = %system, guard.whole_system = whole_system,
            "an operator lifted a guard"
        ),
    }
}
