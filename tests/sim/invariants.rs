//! The checker: invariants over what provinces, destinations and the store hold in the end.
//!
//! I1 every receipt is accounted for. I2 nothing is invented, content is equal. I3 one event per key, one
//! receipt. I4 order per destination and dossier; a repetition is equal. I5 sequences without gaps. I6 a
//! receiver that takes only what follows ends equal to the model. I7 what was refused is nowhere.
//! The lanes are in `lanes`, I8 and I9 in `attempts`, I10 in `operators`.
//!
//! Policies `skip` and `latest` relax I4 and I6 and nothing else: a lower sequence may come after a
//! higher one if, and only if, an operator replayed it; and a parked one need not come first.
//! Ghosts (packets that outlived the lease of their call) are outside I4: only a receiver can drop
//! them, as the one of I6 does; their content is checked like any other.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_domain::DossierCode;
use lienthong_ports::Store;
use lienthong_ports::store::{DossierFilter, Receipt, TimelineEntry};

use crate::attempts;
use crate::lanes::Told;
use crate::ledger::Ledger;
use crate::model::{Kept, Model};
use crate::world::World;

/// The timelines of all dossiers, as the store tells them.
pub(crate) type Timelines = BTreeMap<String, Vec<TimelineEntry>>;

/// Checks a run that is over. Everything broken is in the ledger afterwards.
pub(crate) async fn check(world: &World) {
    let timelines = timelines(world).await;
    let actions = world
        .database
        .actions(0, 1_000)
        .await
        .expect("an open store lists");
    let mut broken = Vec::new();
    {
        let (ledger, model) = (
            world.ledger.open(),
            world.model.lock().expect("the run is over"),
        );
        receipts(&ledger, &model, &timelines, &mut broken);
        timelines_equal_the_model(&model, &timelines, &mut broken);
        for lane in &world.script.lanes {
            for (dossier, entries) in &timelines {
                let told = Told {
                    lane,
                    dossier,
                    entries,
                    ledger: &ledger,
                    model: &model,
                };
                told.check(&mut broken);
            }
        }
        attempts::check(&world.script, &ledger, &timelines, &mut broken);
        for (kind, expected) in [
            ("replay", ledger.replays.len()),
            ("discard", ledger.discards.len()),
        ] {
            let kept = actions.iter().filter(|action| action.kind == kind).count();
            if kept != expected {
                broken.push(("I10", format!("{expected} times {kind}, {kept} rows of it")));
            }
        }
    }
    for delivery in timelines
        .values()
        .flatten()
        .flat_map(|entry| &entry.deliveries)
    {
        let outcomes = delivery
            .attempts
            .iter()
            .map(|attempt| attempt.outcome)
            .collect::<Vec<_>>();
        world.ledger.tell(|| {
            format!(
                "in the end {} {} {outcomes:?}",
                delivery.id,
                delivery.state.name()
            )
        });
    }
    for (invariant, text) in broken {
        world.ledger.violated(invariant, &text);
    }
}

async fn timelines(world: &World) -> Timelines {
    let dossiers = world
        .database
        .dossiers(DossierFilter::default(), None, 1_000)
        .await;
    let mut timelines = Timelines::new();
    for view in dossiers.expect("an open store lists") {
        let code = DossierCode::parse(view.code.as_str()).expect("a stored code reads back");
        let entries = world
            .database
            .timeline(&code, 0, 1_000)
            .await
            .expect("an open store tells");
        timelines.insert(code.to_string(), entries);
    }
    timelines
}

/// What is broken: the invariant and the evidence.
pub(crate) type Broken = Vec<(&'static str, String)>;

/// I1, I3, I7: what the provinces were told.
fn receipts(ledger: &Ledger, model: &Model, timelines: &Timelines, broken: &mut Broken) {
    let mut first_receipts = BTreeMap::<(&str, &str), &Receipt>::new();
    let mut fresh = BTreeSet::new();
    let mut refused = BTreeMap::<(&str, &str, &str), bool>::new();
    for answered in &ledger.answers {
        let key = (answered.participant, answered.key.as_str());
        let offered = (key.0, key.1, answered.content.as_str());
        let only_refused = refused.entry(offered).or_insert(true);
        *only_refused &= matches!(answered.answer, Some(Err(_)));
        let Some(Ok(receipt)) = &answered.answer else {
            continue;
        };
        let kept = model.find(key.0, key.1, &answered.content);
        if kept.is_none_or(|kept| kept.event_id != receipt.event_id) {
            broken.push((
                "I1",
                format!("{key:?}: {receipt:?} for what the model keeps as {kept:?}"),
            ));
        }
        let entries = timelines
            .get(receipt.dossier.as_str())
            .map_or(&[][..], Vec::as_slice);
        if !entries
            .iter()
            .any(|entry| entry.event_id == receipt.event_id)
        {
            broken.push((
                "I1",
                format!("{key:?}: acknowledged as {receipt:?} and not in the store"),
            ));
        }
        let first = *first_receipts.entry(key).or_insert(receipt);
        let same = Receipt {
            duplicate: receipt.duplicate,
            ..first.clone()
        } == *receipt;
        if !same || (!receipt.duplicate && !fresh.insert(key)) {
            broken.push(("I3", format!("{key:?}: {receipt:?} after {first:?}")));
        }
    }
    for ((participant, key, content), only_refused) in refused {
        if only_refused && let Some(kept) = model.find(participant, key, content) {
            broken.push((
                "I7",
                format!("{participant} {key}: refused, and kept as {kept:?}"),
            ));
        }
    }
}

/// I2, I5, I7: the store holds exactly what the model holds.
fn timelines_equal_the_model(model: &Model, timelines: &Timelines, broken: &mut Broken) {
    let known = model
        .dossiers
        .keys()
        .chain(timelines.keys())
        .collect::<BTreeSet<_>>();
    for dossier in known {
        let kept = model.dossiers.get(dossier).map_or(&[][..], Vec::as_slice);
        let entries = timelines.get(dossier).map_or(&[][..], Vec::as_slice);
        if entries.len() > kept.len() {
            let extra = &entries[kept.len()..];
            broken.push((
                "I7",
                format!("{dossier}: kept without a receipt: {extra:?}"),
            ));
        }
        if !entries
            .iter()
            .map(|entry| entry.sequence)
            .eq(1..=i64::try_from(kept.len()).unwrap_or(0))
        {
            broken.push((
                "I5",
                format!(
                    "{dossier}: {} entries, {} accepted",
                    entries.len(),
                    kept.len()
                ),
            ));
        }
        for (entry, kept) in entries
            .iter()
            .zip(kept)
            .filter(|(entry, kept)| !equal(entry, kept))
        {
            broken.push((
                "I2",
                format!("{dossier}: the store says {entry:?}, the model {kept:?}"),
            ));
        }
    }
}

fn equal(entry: &TimelineEntry, kept: &Kept) -> bool {
    let event = &kept.event;
    entry.event_id == kept.event_id
        && entry.sequence == kept.sequence
        && entry.status == event.status
        && entry.occurred_at == event.occurred_at
        && entry.accepted_at == kept.accepted_at
        && entry.source_sequence == event.source_sequence
        && (entry.late, &entry.warnings) == (kept.late, &kept.warnings)
        && entry.participant.as_str() == kept.participant
        && entry.progress == event.progress
}
