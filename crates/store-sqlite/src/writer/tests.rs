use lienthong_domain::DossierStatus;
use lienthong_domain::delivery::LanePolicy;
use lienthong_ports::conformance::store::{code, destination, offer};
use lienthong_ports::operators::Span;
use lienthong_ports::store::DestinationSpec;
use lienthong_vault::Vault;
use rusqlite::{Connection, ffi};
use tokio::sync::oneshot;

use super::*;
use crate::config::{Config, MEMORY};
use crate::core::Offered;
use crate::job::{Budget, Write};
use crate::migrate::migrate;

fn core() -> Core {
    let config = Config::new(
        MEMORY,
        vec![DestinationSpec {
            name: destination("dvcqg"),
            lane: LanePolicy::Hold,
        }],
        Arc::new(Vault::for_tests(1)),
    );
    let connection = Connection::open_in_memory().unwrap();
    migrate(&connection, &config.path, &config.vault).unwrap();
    Core::new(connection, &config).unwrap()
}

type Answer = oneshot::Receiver<Result<usize, StoreError>>;

fn job(
    work: impl FnMut(&mut Core) -> Result<usize, Failure> + Send + 'static,
) -> (Box<dyn Job>, Answer) {
    let (reply, answer) = oneshot::channel();
    let room = Budget::new(10).take(1).unwrap();
    (
        Box::new(Write {
            work,
            room,
            result: None,
            reply,
        }),
        answer,
    )
}

/// Accepts `count` events of one dossier; how many receipts it got.
fn intake(dossier: u32, count: u32) -> (Box<dyn Job>, Answer) {
    let offers: Vec<_> = (0..count)
        .map(|number| {
            offer(
                &format!("{dossier}/{number}"),
                &code(dossier),
                DossierStatus::Processing,
                i64::from(number),
            )
        })
        .map(|offer| Offered::new(offer, &Vault::for_tests(1)))
        .collect();
    job(move |core| Ok(core.accept(&offers)?.into_iter().flatten().count()))
}

/// Commits a group of an intake, `failing` and another intake; the three answers.
fn group(
    core: &mut Core,
    failing: impl FnMut(&mut Core) -> Result<usize, Failure> + Send + 'static,
) -> [Result<usize, StoreError>; 3] {
    let (first, first_answer) = intake(1, 3);
    let (middle, middle_answer) = job(failing);
    let (last, last_answer) = intake(2, 2);
    commit_group(core, vec![first, middle, last]);
    [first_answer, middle_answer, last_answer].map(|mut answer| answer.try_recv().unwrap())
}

/// Deliveries that wait; each was counted on its day, too.
fn waiting(core: &Core) -> u64 {
    let waiting = core.queries().counts().unwrap()[0].waiting();
    let days = Span {
        first: "2025-07-01".parse().unwrap(),
        last: "2025-07-01".parse().unwrap(),
    };
    let flows = core.queries().day_flows(days).unwrap();
    let accepted: u64 = flows.iter().map(|flow| flow.accepted).sum();
    assert_eq!(accepted, waiting);
    waiting
}

#[test]
fn a_group_is_answered_after_one_commit() {
    let mut core = core();
    let answers = group(&mut core, |core| Ok(usize::from(!core.is_committed())));
    assert!(matches!(answers, [Ok(3), Ok(1), Ok(2)]), "{answers:?}");
    assert!(core.is_committed());
    assert_eq!(waiting(&core), 5);
    assert!(core.take_woken());
}

#[test]
fn a_bad_row_concerns_its_caller_only() {
    let mut core = core();
    let bad = || Failure::Corrupt {
        table: "event",
        column: "status",
        row: 7,
        fault: "has no meaning".into(),
    };
    let (alone, mut answer) = job(move |_| Err(bad()));
    let ended = commit_group(&mut core, vec![alone]);
    assert_eq!(ended, Ended::NothingToCommit, "no failure of the store");
    let told = answer.try_recv().unwrap();
    assert!(
        matches!(told, Err(StoreError::Corrupt { row: 7, .. })),
        "{told:?}"
    );
    let answers = group(&mut core, move |_| Err(bad()));
    assert!(
        matches!(
            answers,
            [Ok(3), Err(StoreError::Corrupt { row: 7, .. }), Ok(2)]
        ),
        "{answers:?}"
    );
    assert_eq!(waiting(&core), 5, "each once, although the group ran twice");
}

#[test]
fn a_panic_undoes_the_group_and_the_writer_goes_on() {
    let mut core = core();
    let answers = group(&mut core, |_| panic!("a defect of the store"));
    for answer in answers {
        assert!(
            matches!(answer, Err(StoreError::Unavailable(_))),
            "{answer:?}"
        );
    }
    assert_eq!(waiting(&core), 0);
    assert!(!core.take_woken(), "nothing was committed");
    assert!(matches!(group(&mut core, |_| Ok(0)), [Ok(3), Ok(0), Ok(2)]));
    assert_eq!(waiting(&core), 5);
}

#[test]
fn a_full_disk_undoes_the_group_and_says_so() {
    let mut core = core();
    core.limit_pages(45);
    let (flood, mut answer) = intake(3, 200);
    let (small, mut small_answer) = intake(1, 1);
    let ended = commit_group(&mut core, vec![small, flood]);
    assert_eq!(ended, Ended::Failed);
    assert!(matches!(
        answer.try_recv().unwrap(),
        Err(StoreError::DiskFull)
    ));
    assert!(matches!(
        small_answer.try_recv().unwrap(),
        Err(StoreError::DiskFull)
    ));
    assert_eq!(waiting(&core), 0);
    core.limit_pages(100_000);
    assert!(matches!(group(&mut core, |_| Ok(0)), [Ok(3), Ok(0), Ok(2)]));
}

#[test]
fn a_failed_disk_is_never_answered_with_success_again() {
    let mut core = core();
    let failed = || {
        let error = ffi::Error::new(ffi::SQLITE_IOERR_FSYNC);
        Failure::Commit(rusqlite::Error::SqliteFailure(error, None))
    };
    for _ in 0..2 {
        let answers = group(&mut core, move |_| Err(failed()));
        for answer in answers {
            assert!(
                matches!(answer, Err(StoreError::Unavailable(_))),
                "{answer:?}"
            );
        }
    }
    let answers = group(&mut core, |_| Ok(0));
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Err(StoreError::Unavailable(_))))
    );
}
