//! The load: lifelike dossiers, and streams that push them as fast as they are taken.
//!
//! A dossier has four events: accepted with complete details, two with a progress line only, and processed with
//! the one date that it adds. Dossiers take turns in blocks, so events of one dossier are some distance apart.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, bail};
use futures_util::{Stream, StreamExt as _};
use lienthong_proto::dossier::v1::dossier_service_client::DossierServiceClient;
use lienthong_proto::dossier::v1::stream_status_response::Result as Answer;
use lienthong_proto::dossier::v1::{
    DossierDetails, DossierStatus, Fee, FeeKind, FeeList, ProgressLine, StatusEvent,
    StreamStatusRequest,
};
use prost::Message as _;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tonic::transport::Channel;

use super::figure;
use crate::harness::events::{at, details, status};

/// Events of one dossier.
const STEPS: u64 = 4;
/// Dossiers that take turns.
const BLOCK_DOSSIERS: u64 = 256;
/// Dossiers of one unit and day: the daily number has four or five digits.
const UNIT_DOSSIERS: u64 = 10_000;
/// What a reader of the figures must know of the load.
pub(super) const MIX: &str = "of four events of a dossier the first has complete details, two a progress line only, the last one date more";

/// The event at a place of a stream.
pub(super) fn event(stream: usize, index: u64) -> StatusEvent {
    let (block, place) = (
        index / (BLOCK_DOSSIERS * STEPS),
        index % (BLOCK_DOSSIERS * STEPS),
    );
    let (step, dossier) = (
        place / BLOCK_DOSSIERS,
        block * BLOCK_DOSSIERS + place % BLOCK_DOSSIERS,
    );
    let (unit, number) = (dossier / UNIT_DOSSIERS, dossier % UNIT_DOSSIERS);
    let code = format!("H21.{stream}.{unit}-240823-{number:04}");
    let step_seconds = i64::try_from(step).unwrap_or(0) * 3_600;
    let step_status = match step {
        0 => DossierStatus::Accepted,
        1 | 2 => DossierStatus::Processing,
        _ => DossierStatus::Processed,
    };
    let details = match step {
        0 => Some(complete_details(number)),
        1 | 2 => None,
        _ => Some(DossierDetails {
            finished_at: at(step_seconds),
            ..DossierDetails::default()
        }),
    };
    StatusEvent {
        source_sequence: i64::try_from(step).ok(),
        progress: Some(progress_line(step_seconds)),
        details,
        ..status(&code, step_status, step_seconds)
    }
}

/// A line as officers write it.
fn progress_line(seconds: i64) -> ProgressLine {
    ProgressLine {
        officer_name: "Nguyễn Thị Thanh Huyền".to_owned(),
        officer_title: "Chuyên viên Phòng Tư pháp".to_owned(),
        unit_name: "Trung tâm Phục vụ hành chính công xã Ia Grai".to_owned(),
        note: "Đã kiểm tra thành phần hồ sơ, chuyển lãnh đạo phê duyệt kết quả".to_owned(),
        started_at: at(seconds),
        due_at: at(seconds + 86_400),
    }
}

/// What the portal asks for, an applicant and a fee.
fn complete_details(number: u64) -> DossierDetails {
    let fee = Fee {
        name: "Lệ phí đăng ký khai sinh".to_owned(),
        amount_vnd: 8_000,
        kind: FeeKind::Charge.into(),
        ..Fee::default()
    };
    let mut details = details();
    details.fees = Some(FeeList { items: vec![fee] });
    if let Some(applicant) = &mut details.applicant {
        applicant.identity_document = Some(format!("064{number:09}"));
        applicant.phone = Some(format!("09{number:08}"));
    }
    details
}

/// Bytes of an event on the wire, on average.
pub(super) fn event_bytes_mean() -> f64 {
    let bytes: usize = (0..BLOCK_DOSSIERS * STEPS)
        .map(|index| event(0, index).encoded_len())
        .sum();
    figure(bytes as u64) / figure(BLOCK_DOSSIERS * STEPS)
}

/// Limits and observes a push.
#[derive(Clone, Default)]
pub(super) struct Watch {
    /// Events answered with a receipt so far.
    pub(super) accepted: Arc<AtomicU64>,
    /// Where given, each event takes a permit, and somebody else adds them.
    pub(super) gate: Option<Arc<Semaphore>>,
}

/// Pushes events `from..from + count` of each stream, one stream per client, until all are answered.
///
/// # Errors
/// A stream breaks, or an event is refused: the load is meant to be good.
pub(super) async fn push(
    clients: Vec<DossierServiceClient<Channel>>,
    from: u64,
    count: u64,
    watch: &Watch,
) -> anyhow::Result<()> {
    let mut streams = JoinSet::new();
    for (stream, client) in clients.into_iter().enumerate() {
        streams.spawn(push_one(client, stream, from, count, watch.clone()));
    }
    while let Some(ended) = streams.join_next().await {
        ended??;
    }
    Ok(())
}

async fn push_one(
    mut client: DossierServiceClient<Channel>,
    stream: usize,
    from: u64,
    count: u64,
    watch: Watch,
) -> anyhow::Result<()> {
    let events =
        futures_util::stream::iter(from..from + count).map(move |index| StreamStatusRequest {
            client_ref: index,
            event: Some(event(stream, index)),
        });
    let mut answers = match watch.gate.clone() {
        None => client.stream_status(events).await,
        Some(gate) => client.stream_status(gated(events, gate)).await,
    }
    .context("open a stream")?
    .into_inner();
    let mut answered = 0;
    while let Some(answer) = answers.message().await? {
        match answer.result {
            Some(Answer::Receipt(_)) => answered += 1,
            Some(Answer::Refusal(refusal)) => {
                bail!("event {} was refused: {refusal:?}", answer.client_ref)
            }
            None => bail!("an answer says nothing"),
        }
        watch.accepted.fetch_add(1, Ordering::Relaxed);
    }
    anyhow::ensure!(
        answered == count,
        "{answered} of {count} events were answered"
    );
    Ok(())
}

fn gated(
    events: impl Stream<Item = StreamStatusRequest> + Send + 'static,
    gate: Arc<Semaphore>,
) -> impl Stream<Item = StreamStatusRequest> + Send + 'static {
    events.then(move |event| {
        let gate = gate.clone();
        async move {
            // The gate is never closed.
            if let Ok(permit) = gate.acquire().await {
                permit.forget();
            }
            event
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    #[test]
    fn every_dossier_takes_its_four_steps_in_order_and_no_key_comes_twice() {
        let mut keys = HashSet::new();
        let mut steps: HashMap<String, Vec<i32>> = HashMap::new();
        for index in 0..BLOCK_DOSSIERS * STEPS * 40 {
            let event = event(1, index);
            assert!(keys.insert(event.idempotency_key));
            steps
                .entry(event.dossier_code)
                .or_default()
                .push(event.status);
        }
        assert_eq!(steps.len() as u64, BLOCK_DOSSIERS * 40);
        assert!(steps.values().all(|steps| *steps == [2, 4, 4, 9]));
    }
}
