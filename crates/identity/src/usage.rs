//! Who looked at a citizen: the usage records, themselves recorded when they are read.

use lienthong_domain::identity::{FieldSet, IdNumber, Mode, Pseudonym, UsageKind, UsageOutcome};
use lienthong_domain::participant::Caller;
use lienthong_domain::{ErrorCode, Faults, Reason};
use lienthong_ports::StoreError;
use lienthong_ports::identity::{UsageDraft, UsageFilter, UsageRow};
use lienthong_ports::store::ITEMS_MAX;
use lienthong_services::Error;
use tokio::time::Instant;

use crate::Identity;
use crate::core::{Core, Wanted, store_failed};
use crate::guard::Turn;
use crate::requests::{UsagePage, UsageRequest};

impl Identity {
    /// Returns usage records, newest first: of one citizen, under all of their numbers, to a participant granted to tell
    /// citizens so, and of anybody to operators.
    ///
    /// # Errors
    /// Those of a grant, a guard and a quota; `INVALID_FIELDS` where the citizen is missing; `NOT_OPERATOR` for a
    /// filter by participant; `STORE_UNAVAILABLE`; `DEADLINE_TOO_SHORT`; `DRAINING`.
    pub async fn usage(
        &self,
        caller: &Caller,
        request: UsageRequest,
        deadline: Instant,
    ) -> Result<UsagePage, Error> {
        self.open()?;
        let wanted = Wanted {
            kind: UsageKind::ListUsage,
            mode: Mode::Usage,
            number: request.number.as_ref(),
            recorded: FieldSet::EMPTY,
            judged: FieldSet::EMPTY,
        };
        let core = &self.core;
        let id = request.request_id.clone();
        let mut draft = core.draft(caller, &request.inquiry, &wanted, id);
        let allowed = core.may_list(caller, &request, &draft, &wanted).await;
        if let Err(error) = allowed {
            return Err(core.refuse(draft, error).await);
        }
        if deadline <= Instant::now() {
            let error = Error::new(ErrorCode::DeadlineTooShort);
            return Err(core.refuse(draft, error).await);
        }
        let mut rows = match core.written_about(&request).await {
            Ok(rows) => rows,
            Err(error) => return Err(core.refuse(draft, store_failed(error)).await),
        };
        if caller.role.operator().is_none() {
            core.as_known_to(caller, request.number.as_ref(), &mut rows);
        }
        draft.outcome = UsageOutcome::Disclosed;
        let usage = core.record(vec![draft]).await?;
        Ok(UsagePage { rows, usage })
    }
}

impl Core {
    /// A page of what is meant.
    async fn written_about(&self, request: &UsageRequest) -> Result<Vec<UsageRow>, StoreError> {
        let subjects = match &request.number {
            Some(number) => self.all_subjects(number).await?,
            None => Vec::new(),
        };
        let filter = UsageFilter {
            subjects,
            participant: request.participant.clone(),
            since: request.since,
        };
        let limit = request.limit.min(ITEMS_MAX);
        self.store.usage(filter, request.before, limit).await
    }

    /// The pseudonyms of a citizen, that of the number asked by first. An old number that was told of two citizens
    /// leads to neither, and neither to it: nobody is to read who looked at somebody else.
    async fn all_subjects(&self, number: &IdNumber) -> Result<Vec<Pseudonym>, StoreError> {
        let asked = self.subject(number.as_str());
        let mut subjects = vec![asked];
        let citizen = match number {
            IdNumber::Citizen(_) => asked,
            IdNumber::Old(_) => match self.store.other_numbers(asked).await?[..] {
                [citizen] => {
                    subjects.push(citizen);
                    citizen
                }
                _ => return Ok(subjects),
            },
        };
        for old in self.store.other_numbers(citizen).await? {
            if old != asked && self.store.other_numbers(old).await?.len() == 1 {
                subjects.push(old);
            }
        }
        Ok(subjects)
    }

    /// Names the citizen of these records as the caller's participant knows them: by the gateway's own pseudonyms
    /// participants could compare whom they asked about.
    fn as_known_to(&self, caller: &Caller, number: Option<&IdNumber>, rows: &mut [UsageRow]) {
        let known = number.map(|number| self.subject_ref(&caller.participant.id, number));
        for row in rows {
            (row.record.subject, row.record.block) = (known, None);
        }
    }

    /// Whether the caller may read these records; counts the citizen.
    async fn may_list(
        &self,
        caller: &Caller,
        request: &UsageRequest,
        draft: &UsageDraft,
        wanted: &Wanted<'_>,
    ) -> Result<(), Error> {
        if caller.role.operator().is_some() {
            return Ok(());
        }
        if request.participant.is_some() {
            return Err(Error::new(ErrorCode::NotOperator));
        }
        if request.number.is_none() {
            let faults = Faults::one("number", Reason::Missing);
            return Err(Error::with_faults(ErrorCode::InvalidFields, faults));
        }
        let judged = self.judge(draft, &wanted.asked(&self.clock)).await?;
        let now = self.clock.now();
        let begun = self
            .turns
            .with(|guard| guard.begin(draft, &judged.quota, now))?;
        debug_assert_eq!(
            begun,
            Turn::Begun,
            "no call is made, so nothing is waited for"
        );
        Ok(())
    }
}
