//! The store between the gateway and its database: slow, failing, fatal at chosen writes, and watched.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lienthong_domain::{DeliveryId, DestinationName, DossierCode, Timestamp};
use lienthong_ports::store::{
    Action, Actor, BreakerRecord, Change, ChangeCursor, ClaimTerms, Counts, DestinationRow,
    DossierFilter, DossierView, Erasure, Expired, Finish, Offer, Parked, ParkedFilter, Receipt,
    Refusal, TimelineEntry, Work,
};
use lienthong_ports::{Message, Store, StoreError};
use lienthong_store_sqlite::SqliteStore;
use tokio::sync::watch;

use crate::faults::{Faults, Life};
use crate::ledger::Shared;
use crate::model::SharedModel;
use crate::mutants::{Mutant, Mutation};
use crate::script::Call;

/// One gateway's view of the database.
pub(crate) struct SimStore {
    pub inner: Arc<SqliteStore>,
    pub life: Life,
    pub faults: Arc<Faults>,
    pub ledger: Shared,
    pub model: SharedModel,
    pub mutant: Arc<Mutant>,
    /// One per receiver: a channel of tokio's wakes several receivers in an order that no seed decides.
    pub watchers: Mutex<Vec<watch::Sender<u64>>>,
}

/// A call that is watched for nothing: it may fail, wait and kill, and is passed on.
macro_rules! passed_on {
    ($self:ident, $call:ident, $method:ident ( $($argument:expr),* )) => {{
        let count = $self.before(Call::$call).await?;
        let value = $self.inner.$method($($argument),*).await?;
        $self.after(Call::$call, count, value).await
    }};
}

// After the macro, which it uses.
mod operators;

#[async_trait]
impl Store for SimStore {
    async fn accept(
        &self,
        offers: Vec<Offer>,
    ) -> Result<Vec<Result<Receipt, Refusal>>, StoreError> {
        let count = self.before(Call::Accept).await?;
        let mut answers = match self.mutant.pretended(&offers) {
            Some(answers) => answers,
            None => self.inner.accept(self.mutant.offers(&offers)).await?,
        };
        for smuggled in self.mutant.smuggled(&offers, &answers) {
            drop(self.inner.accept(vec![smuggled]).await?);
        }
        self.mutant.answers(&mut answers);
        for (offer, answer) in offers.iter().zip(&answers) {
            self.ledger.tell(|| match answer {
                Ok(receipt) => format!("accepted {:?} as {receipt:?}", offer.event.key),
                Err(refusal) => format!("refused {:?}: {refusal:?}", offer.event.key),
            });
            self.model
                .lock()
                .expect("nothing panics with it")
                .compare(offer, answer, &self.ledger);
        }
        self.after(Call::Accept, count, answers).await
    }

    async fn claim(
        &self,
        destination: &DestinationName,
        terms: ClaimTerms,
    ) -> Result<Vec<Message>, StoreError> {
        let count = self.before(Call::Claim).await?;
        let mutated = ClaimTerms {
            window: self.mutant.window(terms.window),
            ..terms
        };
        let claimed = self.inner.claim(destination, mutated).await?;
        if !claimed.is_empty() {
            self.ledger.tell(|| format!("claimed {claimed:?}"));
            self.check_window(destination, terms.window).await;
        }
        self.after(Call::Claim, count, claimed).await
    }

    async fn unclaim(&self, messages: &[Message], at: Timestamp) -> Result<(), StoreError> {
        passed_on!(self, Unclaim, unclaim(messages, at))
    }

    async fn begin(
        &self,
        messages: &[Message],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Option<Work>>, StoreError> {
        let count = self.before(Call::Begin).await?;
        let mut begun = self.inner.begin(messages, now, lease_until).await?;
        for work in begun.iter().flatten() {
            self.ledger
                .open()
                .begins
                .insert((work.message.delivery, work.message.fence));
        }
        self.mutant.begun(messages, &mut begun);
        let freezes = !self.faults.healed.is_cancelled()
            && begun.iter().any(Option::is_some)
            && self.faults.draw.chance(self.faults.freeze_permille);
        if freezes {
            let tenths = u32::try_from(self.faults.draw.between(3, 25)).expect("it is small");
            self.ledger
                .tell(|| format!("worker frozen for {tenths}/10 of a lease at {messages:?}"));
            tokio::time::sleep(self.faults.lease * tenths / 10).await;
            self.life.alive().await;
        }
        self.after(Call::Begin, count, begun).await
    }

    async fn advance(
        &self,
        message: Message,
        step: u8,
        lease_until: Timestamp,
    ) -> Result<bool, StoreError> {
        passed_on!(self, Advance, advance(message, step, lease_until))
    }

    async fn finish(&self, mut finishes: Vec<Finish>) -> Result<Vec<bool>, StoreError> {
        let count = self.before(Call::Finish).await?;
        for finish in &mut finishes {
            self.mutant.finish(finish, self.ledger.now());
        }
        let done = self.inner.finish(finishes.clone()).await?;
        self.note_finishes(&finishes, &done);
        self.after(Call::Finish, count, done).await
    }

    async fn expire(
        &self,
        now: Timestamp,
        crashes_max: u32,
        limit: u32,
    ) -> Result<Expired, StoreError> {
        if self.mutant.is(Mutation::LiesAndLeasesNeverEnd) {
            return Ok(Expired::default());
        }
        let count = self.before(Call::Expire).await?;
        let expired = self.inner.expire(now, crashes_max, limit).await?;
        if expired != Expired::default() {
            self.ledger.tell(|| format!("{expired:?}"));
        }
        self.after(Call::Expire, count, expired).await
    }

    async fn recover(&self, now: Timestamp) -> Result<u64, StoreError> {
        passed_on!(self, Operator, recover(now))
    }

    async fn bury(&self, messages: &[Message], now: Timestamp) -> Result<u64, StoreError> {
        self.ledger.tell(|| format!("dead letters {messages:?}"));
        passed_on!(self, Bury, bury(messages, now))
    }

    async fn next_due(
        &self,
        destination: &DestinationName,
    ) -> Result<Option<Timestamp>, StoreError> {
        passed_on!(self, Read, next_due(destination))
    }

    async fn destinations(&self) -> Result<Vec<DestinationRow>, StoreError> {
        passed_on!(self, Read, destinations())
    }

    async fn save_breaker(
        &self,
        destination: &DestinationName,
        record: BreakerRecord,
    ) -> Result<(), StoreError> {
        self.ledger
            .tell(|| format!("breaker of {destination}: {record:?}"));
        passed_on!(self, Read, save_breaker(destination, record))
    }

    async fn set_paused(
        &self,
        destination: &DestinationName,
        paused: bool,
        actor: Actor,
    ) -> Result<bool, StoreError> {
        passed_on!(self, Operator, set_paused(destination, paused, actor))
    }

    async fn counts(&self) -> Result<Vec<Counts>, StoreError> {
        passed_on!(self, Read, counts())
    }

    async fn dossier(&self, code: &DossierCode) -> Result<Option<DossierView>, StoreError> {
        passed_on!(self, Read, dossier(code))
    }

    async fn dossiers(
        &self,
        filter: DossierFilter,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<DossierView>, StoreError> {
        passed_on!(self, Read, dossiers(filter, after, limit))
    }

    async fn timeline(
        &self,
        code: &DossierCode,
        after_sequence: i64,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, StoreError> {
        passed_on!(self, Read, timeline(code, after_sequence, limit))
    }

    async fn changes(
        &self,
        cursor: ChangeCursor,
        limit: usize,
    ) -> Result<(Vec<Change>, ChangeCursor), StoreError> {
        passed_on!(self, Read, changes(cursor, limit))
    }

    async fn newest_cursor(&self) -> Result<ChangeCursor, StoreError> {
        passed_on!(self, Read, newest_cursor())
    }

    async fn parked(
        &self,
        filter: ParkedFilter,
        after: DeliveryId,
        limit: usize,
    ) -> Result<Vec<Parked>, StoreError> {
        passed_on!(self, Read, parked(filter, after, limit))
    }

    async fn erase_dossier(&self, code: &DossierCode, actor: Actor) -> Result<Erasure, StoreError> {
        passed_on!(self, Operator, erase_dossier(code, actor))
    }

    async fn actions(&self, after: i64, limit: usize) -> Result<Vec<Action>, StoreError> {
        passed_on!(self, Read, actions(after, limit))
    }

    fn wakeups(&self) -> watch::Receiver<u64> {
        let watcher = watch::Sender::new(*self.inner.wakeups().borrow());
        let receiver = watcher.subscribe();
        self.watchers
            .lock()
            .expect("nothing panics with it in hand")
            .push(watcher);
        receiver
    }

    fn disk_free_bytes(&self) -> Option<u64> {
        None
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
