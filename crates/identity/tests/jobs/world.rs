//! A gateway's identity part that can be started, stopped and killed over one store, and its surroundings.

use std::sync::Arc;
use std::time::Duration;

use lienthong_domain::identity::{
    Claims, Inquiry, JobState, OfficialId, PurposeCode, UsageId, UsageKind,
};
use lienthong_domain::participant::Caller;
use lienthong_domain::{Clock, ErrorCode, Random, Timestamp};
use lienthong_identity::{Config, Identity, JobName, JobWorkers, OpenJob, Parts};
use lienthong_ports::identity::{ItemAnswer, JobRow, UsageRow};
use lienthong_ports::{Broker, IdentityStore, OperatorStore, Store};
use lienthong_services::{Error, Registry, Seams, Services};
use lienthong_store_sqlite::{MEMORY, SqliteStore};
use lienthong_vault::Vault;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::database::Database;
use crate::store::MemoryStore;

/// The participants file. `DATA_CLEANING` may be taken out of it.
pub(crate) const REGISTRY: &str = r#"
    [[purpose]]
    code = "DATA_CLEANING"
    name = "Làm sạch dữ liệu hộ tịch"
    legal_basis = "Quyết định 06/QĐ-TTg"
    dossier = "not_needed"
    [[purpose]]
    code = "CIVIL_STATUS"
    name = "Đăng ký hộ tịch"
    legal_basis = "Luật Hộ tịch 60/2014/QH13"
    [[quota_class]]
    name = "office"
    participant = { per_second_max = 50, subjects_per_hour_max = 2000, subjects_per_day_max = 10000 }
    system = { per_second_max = 20, subjects_per_hour_max = 1000, subjects_per_day_max = 5000 }
    official = { per_second_max = 20, subjects_per_hour_max = 60, subjects_per_day_max = 200 }
    official_concurrent_max = 4
    dossier_subjects_max = 10
    [[participant]]
    id = "G15"
    name = "Bộ Tư pháp"
    [[participant.system]]
    name = "hotich"
    role = "identity"
    [[participant.system.grant]]
    purpose = "DATA_CLEANING"
    mode = "verify"
    quota = "office"
    job_items_max = 5000
    valid_from = "2026-01-01"
    [[participant.system.grant]]
    purpose = "CIVIL_STATUS"
    mode = "verify"
    quota = "office"
    valid_from = "2026-01-01"
    [[participant.system]]
    name = "khaisinh"
    role = "identity"
    [[participant.system.grant]]
    purpose = "DATA_CLEANING"
    mode = "verify"
    quota = "office"
    job_items_max = 5000
    valid_from = "2026-01-01"
    [[participant]]
    id = "H01"
    name = "Vận hành"
    [[participant.system]]
    name = "vanhanh"
    role = "operator"
"#;

/// Everything that outlives a gateway.
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) store: Arc<dyn IdentityStore>,
    pub(crate) database: Arc<Database>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) config: Config,
    pub(crate) random: Random,
    dossiers: Arc<dyn Store>,
    operators: Arc<dyn OperatorStore>,
    vault: Arc<Vault>,
}

/// A gateway that runs. Dropped, it is killed.
pub(crate) struct Gateway {
    pub(crate) identity: Arc<Identity>,
    pub(crate) services: Arc<Services>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl World {
    /// A world over `store`, or over `SQLite` where none is given.
    pub(crate) fn new(
        config: Config,
        store: Option<MemoryStore>,
        broker: Arc<dyn Broker>,
        seed: u64,
    ) -> Self {
        assert_eq!(config.check(), []);
        let random = Random::seeded(seed);
        let began = Instant::now();
        let first = Timestamp::from_second(1_790_000_000).expect("a day in September 2026");
        let vault = Arc::new(Vault::for_tests(seed));
        let database = lienthong_store_sqlite::Config::new(MEMORY, Vec::new(), vault.clone());
        let sqlite = SqliteStore::open_inline(&database).expect("a database in memory opens");
        let sqlite = Arc::new(sqlite);
        let store: Arc<dyn IdentityStore> = match store {
            Some(store) => Arc::new(store),
            None => sqlite.clone(),
        };
        Self {
            clock: Clock::from_fn(move || first + began.elapsed()),
            store,
            database: Arc::new(Database::new(random.clone())),
            broker,
            config,
            random,
            dossiers: sqlite.clone(),
            operators: sqlite,
            vault,
        }
    }

    /// A world without faults.
    pub(crate) fn good(config: Config) -> Self {
        Self::new(config, None, crate::broker::good(), 1)
    }

    /// Usage records of items and openings.
    pub(crate) async fn job_usage(&self) -> Vec<UsageRow> {
        let mut all = Vec::<UsageRow>::new();
        loop {
            let after = all.last().map_or(UsageId(0), |row| row.id);
            let page = self
                .store
                .usage_since(Timestamp::UNIX_EPOCH, after, 1_000)
                .await;
            let page = page.expect("a store that can be read");
            if page.is_empty() {
                all.retain(|row| row.record.kind == UsageKind::Job);
                return all;
            }
            all.extend(page);
        }
    }

    pub(crate) async fn start(&self) -> Gateway {
        let seams = Seams {
            store: self.dossiers.clone(),
            operators: self.operators.clone(),
            broker: self.broker.clone(),
        };
        let services = Arc::new(Services::new(
            seams,
            Vec::new(),
            Registry::parse(REGISTRY).expect("a good file"),
            self.clock.clone(),
            self.random.clone(),
        ));
        let parts = Parts {
            services: services.clone(),
            dossiers: self.dossiers.clone(),
            store: self.store.clone(),
            population: self.database.clone(),
            vault: self.vault.clone(),
            clock: self.clock.clone(),
            config: self.config.clone(),
        };
        let identity = Arc::new(
            Identity::new(parts)
                .await
                .expect("a store that can be read"),
        );
        let workers = JobWorkers::new(&identity, self.broker.clone(), self.random.clone());
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(workers.run(stop.clone()));
        Gateway {
            identity,
            services,
            stop,
            tasks,
        }
    }
}

impl Gateway {
    /// Stops in order.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("the workers do not panic");
        }
    }

    /// A caller; every certificate will do.
    pub(crate) fn caller(&self, participant: &str, system: &str) -> Caller {
        self.services
            .caller(participant, system, &[0; 32])
            .expect("a registered system")
    }

    /// The ministry's system that the tests ask with.
    pub(crate) fn ministry(&self) -> Caller {
        self.caller("G15", "hotich")
    }

    pub(crate) fn operator(&self) -> Caller {
        self.caller("H01", "vanhanh")
    }

    /// The operator as the use cases about operators know it.
    pub(crate) fn on_duty(&self) -> lienthong_domain::Operator {
        let operator = lienthong_services::operators::of_caller(&self.operator());
        operator.expect("the registry gives it the role")
    }

    /// Opens a job and uploads all of it.
    pub(crate) async fn upload(&self, caller: &Caller, key: &str, items: Vec<Claims>) -> JobRow {
        let open = open(key, u32::try_from(items.len()).expect("a small job"));
        let opened = insist(|| self.identity.open_job(caller, open.clone())).await;
        let mut job = opened.expect("a job that is granted");
        let items = items.into_iter().map(Ok).collect::<Vec<_>>();
        for (first, part) in (1_u32..).step_by(500).zip(items.chunks(500)) {
            let added = insist(|| {
                self.identity
                    .add_items(caller, job.id, first, part.to_vec())
            })
            .await;
            job = added.expect("items in order");
        }
        job
    }

    /// The job once `is` says so.
    pub(crate) async fn wait(
        &self,
        caller: &Caller,
        job: &JobRow,
        is: impl Fn(&JobRow) -> bool,
    ) -> JobRow {
        let give_up = Instant::now() + Duration::from_hours(2);
        loop {
            let row = self
                .identity
                .job(caller, JobName::Id(job.id))
                .await
                .expect("its own job");
            if is(&row) {
                return row;
            }
            assert!(Instant::now() < give_up, "it does not come: {row:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(crate) async fn done(&self, caller: &Caller, job: &JobRow) -> JobRow {
        self.wait(caller, job, |row| row.state == JobState::Done)
            .await
    }

    /// Every answer there is.
    pub(crate) async fn answers(&self, caller: &Caller, job: &JobRow) -> Vec<ItemAnswer> {
        let mut all: Vec<ItemAnswer> = Vec::new();
        loop {
            let after = all.last().map_or(0, |answer| answer.position);
            let page = self.identity.answers(caller, job.id, after, 500).await;
            let (_, page) = page.expect("its own job");
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }
}

pub(crate) fn inquiry(purpose: &str) -> Inquiry {
    Inquiry {
        purpose: PurposeCode::parse(purpose).expect("a code"),
        official: OfficialId::parse("nguyenvana.tuphap").expect("an id"),
        dossier: None,
    }
}

pub(crate) fn open(key: &str, items_total: u32) -> OpenJob {
    OpenJob {
        key: key.to_owned(),
        inquiry: inquiry("DATA_CLEANING"),
        items_total,
        request_id: "0199-test".to_owned(),
    }
}

/// Repeats what fails for want of the store, as a caller does.
pub(crate) async fn insist<T>(mut act: impl AsyncFnMut() -> Result<T, Error>) -> Result<T, Error> {
    loop {
        match act().await {
            Err(error) if error.code == ErrorCode::StoreUnavailable => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            result => return result,
        }
    }
}
