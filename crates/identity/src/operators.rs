//! What operators may see and do: check a grant, see usage records, list guards, lift one.

use lienthong_domain::identity::grant::{self, Asked, DossierFacts};
use lienthong_domain::identity::{FieldSet, Grant, Mode, Purpose, UsageId};
use lienthong_domain::{ErrorCode, Operator, OperatorRole};
use lienthong_ports::identity::{GuardAction, GuardActionKind, UsageFilter, UsageRow};
use lienthong_ports::store::{Actor, ITEMS_MAX};
use lienthong_services::operators::{reason_of, require};
use lienthong_services::{Error, Registry};

use crate::Identity;
use crate::core::{Core, refused, store_failed};
use crate::guard::{GuardTarget, GuardView};
use crate::requests::{Checked, GrantCheck};

impl Identity {
    /// Says whether a question would be allowed now, and why not. Nothing is asked, counted or recorded.
    ///
    /// # Errors
    /// `NOT_OPERATOR`; `STORE_UNAVAILABLE` when the dossier cannot be looked at.
    pub async fn check_grant(
        &self,
        operator: &Operator,
        check: &GrantCheck,
    ) -> Result<Checked, Error> {
        require(operator, OperatorRole::Viewer)?;
        let mut steps = Vec::new();
        let registry = self.core.services.registry();
        let result = self.core.foresee(&registry, check, &mut steps).await;
        let result = match result {
            Ok(fields) => Ok(fields),
            Err(error) if error.code == ErrorCode::StoreUnavailable => return Err(error),
            Err(error) => Err(error.code),
        };
        let granted = registry.grant(&check.participant, &check.system, &check.purpose);
        let granted = granted.map_or(FieldSet::EMPTY, |grant| grant.fields);
        Ok(Checked {
            result,
            withheld: check.fields.without(granted),
            steps,
        })
    }

    /// Usage records for the eyes of operators, newest first, older than `before`: by participant and time, never by
    /// citizen. Citizens are pseudonyms of the gateway. The look is an action, written before anything is shown.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, or those of the store.
    pub async fn usage_seen(
        &self,
        operator: &Operator,
        filter: UsageFilter,
        before: Option<UsageId>,
        limit: usize,
    ) -> Result<Vec<UsageRow>, Error> {
        require(operator, OperatorRole::Viewer)?;
        let core = &self.core;
        let of_whom = filter.participant.as_ref();
        let subject = of_whom.map_or_else(|| "all".to_owned(), ToString::to_string);
        core.services
            .note_action(operator, "read_usage", subject, "")
            .await?;
        let filter = UsageFilter {
            subjects: Vec::new(),
            ..filter
        };
        let found = core.store.usage(filter, before, limit.min(ITEMS_MAX)).await;
        found.map_err(store_failed)
    }

    /// Everybody who is slowed, held or blocked now, worst first.
    pub fn guards(&self) -> Vec<GuardView> {
        let now = self.core.clock.now();
        self.core.turns.with(|guard| guard.views(now))
    }

    /// Lets somebody ask again with a clean slate; for a whole system that also lifts what holds its jobs.
    /// `false` when nothing stood against them, or there is no such system.
    ///
    /// # Errors
    /// `NOT_OPERATOR`; `INVALID_FIELDS` for a reason that is missing, too long or of several lines;
    /// `STORE_UNAVAILABLE`, and then the guard stands as before, though the jobs of a system may go on already. Lifting
    /// again is harmless.
    pub async fn lift(
        &self,
        operator: &Operator,
        target: &GuardTarget,
        reason: &str,
    ) -> Result<bool, Error> {
        require(operator, OperatorRole::Operator)?;
        let reason = reason_of(reason)?;
        let core = &self.core;
        // What is not registered has no guard, and its name must not enter the store.
        if !core.is_registered(target) {
            return Ok(false);
        }
        let by = operator.by.to_string();
        let held = match target.official {
            None => core.lift_hold(target, &by, &reason).await?,
            Some(_) => false,
        };
        if !core.turns.with(|guard| guard.stands_against(target)) {
            return Ok(held);
        }
        let action = GuardAction {
            at: core.clock.now(),
            participant: target.participant.clone(),
            system: target.system.clone(),
            official: target.official.clone(),
            kind: GuardActionKind::Lifted,
            by,
            reason,
        };
        let kept = core.store.record_guard_actions(vec![action.clone()]).await;
        kept.map_err(store_failed)?;
        core.turns.with(|guard| guard.follow(&action));
        core.tell(&action);
        Ok(true)
    }
}

impl Core {
    fn is_registered(&self, target: &GuardTarget) -> bool {
        let registry = self.services.registry();
        let participant = registry.participant(&target.participant);
        participant.is_some_and(|found| {
            let mut systems = found.systems.iter();
            systems.any(|system| *system.name == *target.system)
        })
    }

    /// Lets the jobs of a system go on that were held for their misses; `false` when they were not.
    async fn lift_hold(&self, target: &GuardTarget, by: &str, reason: &str) -> Result<bool, Error> {
        let actor = Actor {
            by: by.to_owned(),
            reason: reason.to_owned(),
            now: self.clock.now(),
        };
        let (participant, system) = (&target.participant, &target.system);
        let lifted = self.store.clear_misses(participant, system, actor).await;
        lifted.map_err(store_failed)
    }

    /// The steps of a question, in their order, up to the one that refuses.
    async fn foresee(
        &self,
        registry: &Registry,
        check: &GrantCheck,
        steps: &mut Vec<String>,
    ) -> Result<FieldSet, Error> {
        let mut step = |what: &str, result: String| steps.push(format!("{what}: {result}"));
        let participant = registry.participant(&check.participant);
        let known = match participant {
            None => Err(ErrorCode::ParticipantUnknown),
            Some(found) if !found.active => Err(ErrorCode::ParticipantSuspended),
            Some(_) => Ok(()),
        };
        step("participant", said(known));
        known.map_err(Error::new)?;
        let grant = registry.grant(&check.participant, &check.system, &check.purpose);
        let purpose = registry.purpose(&check.purpose);
        let asked = Asked {
            mode: check.mode,
            fields: check.fields,
            now: self.clock.now(),
        };
        let granted = grant::decide_grant(grant, &asked).map_err(grant::Refusal::code);
        step("grant", described(grant, granted));
        granted.map_err(Error::new)?;
        let (Some(grant), Some(purpose)) = (grant, purpose) else {
            return Err(Error::new(ErrorCode::GrantMissing));
        };
        let target = GuardTarget {
            participant: check.participant.clone(),
            system: check.system.clone(),
            official: check.official.clone(),
        };
        let now = self.clock.now();
        let foreseen = self
            .turns
            .with(|guard| guard.foresee(&target, &grant.quota, now));
        let foreseen = foreseen.map_err(Error::from);
        step(
            "guard and quotas",
            said(foreseen.as_ref().copied().map_err(|stop| stop.code)),
        );
        foreseen?;
        let dossier = check.dossier.as_ref();
        let facts = self
            .dossier_facts(&check.participant, purpose, dossier)
            .await?;
        let decided = grant::decide(Some(grant), purpose, &asked, &facts);
        let verdict = said(decided.map_err(grant::Refusal::code));
        step(
            "dossier",
            format!("{}; {verdict}", told(purpose, check.mode, &facts)),
        );
        decided.map_err(refused)
    }
}

fn said<T: Copy>(result: Result<T, ErrorCode>) -> String {
    match result {
        Ok(_) => "good".to_owned(),
        Err(code) => code.to_string(),
    }
}

fn described(grant: Option<&Grant>, granted: Result<FieldSet, ErrorCode>) -> String {
    let verdict = said(granted);
    match grant {
        None => format!("none for this purpose; {verdict}"),
        Some(grant) => format!(
            "mode {}, fields {}, quota class {}; {verdict}",
            grant.mode.name(),
            grant.fields,
            grant.quota.name,
        ),
    }
}

fn told(purpose: &Purpose, mode: Mode, facts: &DossierFacts) -> String {
    use lienthong_domain::identity::Binding;
    let needed = match purpose.binding {
        Binding::Required => "must be held here and open",
        Binding::Recorded => "must be named",
        Binding::NotNeeded => "not needed",
    };
    let found = match facts {
        DossierFacts::NotNamed => "none is named",
        DossierFacts::Named => "one is named",
        DossierFacts::NotHeld => "the participant does not hold it here",
        DossierFacts::Held { open: false, .. } => "it is closed",
        DossierFacts::Held { open: true, .. } => "it is open",
    };
    format!("{needed} to {}, {found}", mode.name())
}
