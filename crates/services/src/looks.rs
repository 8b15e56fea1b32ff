//! Looking at the gateway: counts of the store, compared with those of about a minute ago.
//!
//! Rates are differences of counts that the store keeps by day, so they are exact, and the first look after a start has
//! none. A day that began since the earlier look had nothing then.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use lienthong_domain::time::local_date;
use lienthong_domain::{DeliveryState, DestinationName, Operator, OperatorRole, Timestamp};
use lienthong_ports::operators::{DayFlow, DelayHistogram, OldestWaiting, ParkedGroup, Span};
use lienthong_ports::store::{Counts, ParkedFilter};

use crate::Services;
use crate::error::Error;
use crate::operators::{DestinationState, QueueState, require};
use crate::overview::{
    DestinationFlow, GROUPS_INTERVAL, OPERATIONS_SHOWN_MAX, Overview, ProcessFigures, ProvinceFlow,
};
use crate::problems::{self, Problem, ProblemKind, Thresholds};

/// The span over which rates are taken.
const RATE_SPAN: Duration = Duration::from_mins(1);
/// Earlier looks kept at most: those of the last minute, and a few of observers in a hurry.
const LOOKS_MAX: usize = 64;
/// Rates over less than this say nothing.
const RATE_SPAN_MIN: Duration = Duration::from_secs(1);
/// Longest time to drain that is told; beyond, the rate is as good as none.
const DRAIN_MAX: Duration = Duration::from_hours(24 * 365);

/// What one look leaves behind for the later ones.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    earlier: VecDeque<Look>,
    groups: Option<Groups>,
    since: BTreeMap<(ProblemKind, String), Timestamp>,
}

#[derive(Debug)]
struct Look {
    at: Timestamp,
    totals: Totals,
}

type Totals = BTreeMap<(Date, DestinationName, String), DayFlow>;

#[derive(Clone, Debug)]
struct Groups {
    at: Timestamp,
    found: Vec<ParkedGroup>,
}

impl Looks {
    /// The groups to show without asking anew: none where nothing is parked, else those kept, while they are young.
    fn groups_kept(&mut self, parked: u64, now: Timestamp) -> Option<Vec<ParkedGroup>> {
        if parked == 0 {
            self.groups = None;
            return Some(Vec::new());
        }
        // After a clock that jumped back, what is ahead of it would be kept for as long as it jumped.
        let young = |kept: &&Groups| kept.at <= now && age(now, kept.at) < GROUPS_INTERVAL;
        self.groups
            .as_ref()
            .filter(young)
            .map(|kept| kept.found.clone())
    }
}

/// What happened between two looks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Growth {
    minutes: f64,
    accepted: u64,
    delivered: u64,
    parked: u64,
    retried: u64,
    delays: DelayHistogram,
}

impl Services {
    /// Looks at the gateway, keeps what was seen for [`Services::overview`], and returns it. For the one observer of the
    /// process, every [`LOOK_INTERVAL`](crate::overview::LOOK_INTERVAL).
    ///
    /// # Errors
    /// Those of the store; the look before is kept then.
    pub async fn observe(&self, mut process: ProcessFigures) -> Result<Arc<Overview>, Error> {
        let queues = self.queue_state().await?;
        let destinations = self.destination_states().await?;
        let oldest = self.operators.oldest_waiting().await?;
        let now = self.clock.now();
        let today = local_date(now);
        let first = today.yesterday().unwrap_or(today);
        let days = Span { first, last: today };
        let flows = self.operators.day_flows(days).await?;
        let open = self
            .operators
            .operations(true, None, OPERATIONS_SHOWN_MAX)
            .await?;
        let parked_groups = self.groups(&queues, now).await?;
        let thresholds = Thresholds::default();
        process.late_provinces = self.late_provinces(&thresholds, now);
        let totals = totals(flows);
        let growths = self.growths(&totals, now);
        let mut overview = Overview {
            measured_at: now,
            problems: Vec::new(),
            destinations: destination_flows(destinations, &queues, &oldest, &growths),
            provinces: province_flows(today, &totals, oldest, &growths),
            queues,
            operations: open,
            parked_groups,
            process,
        };
        overview.problems = self.dated(problems::decide(&overview, &thresholds), now);
        self.remember(now, totals);
        let overview = Arc::new(overview);
        self.overview.store(Some(overview.clone()));
        Ok(overview)
    }

    /// The gateway as of the last look; takes one if none was taken yet.
    ///
    /// # Errors
    /// `NOT_OPERATOR`, or those of the store.
    pub async fn overview(&self, operator: &Operator) -> Result<Arc<Overview>, Error> {
        require(operator, OperatorRole::Viewer)?;
        match self.overview.load_full() {
            Some(kept) => Ok(kept),
            None => self.observe(ProcessFigures::default()).await,
        }
    }

    /// Groups what is parked, unless nothing is or it was done a moment ago.
    async fn groups(&self, queues: &QueueState, now: Timestamp) -> Result<Vec<ParkedGroup>, Error> {
        let parked = queues.counts.iter().map(parked_of).sum();
        if let Some(kept) = self.with_looks(|looks| looks.groups_kept(parked, now)) {
            return Ok(kept);
        }
        let found = self
            .operators
            .parked_groups(ParkedFilter::default())
            .await?;
        let groups = Groups {
            at: now,
            found: found.clone(),
        };
        self.with_looks(|looks| looks.groups = Some(groups));
        Ok(found)
    }

    fn late_provinces(&self, thresholds: &Thresholds, now: Timestamp) -> Vec<(String, Duration)> {
        let states = self.registry().states(now).collect::<Vec<_>>();
        let late = states.iter().filter_map(|state| {
            let lateness = state.lateness?;
            let is_late = lateness.events >= thresholds.late_events_min
                && lateness.median >= thresholds.province_late;
            is_late.then(|| (state.participant.id.root().to_string(), lateness.median))
        });
        late.collect()
    }

    fn growths(&self, totals: &Totals, now: Timestamp) -> Growths {
        self.with_looks(|looks| {
            let ago = |look: &Look| age(now, look.at);
            // The newest that is at least a minute old, else the oldest there is.
            let earlier = looks.earlier.iter().filter(|look| look.at < now);
            let whole = earlier.clone().rfind(|look| ago(look) >= RATE_SPAN);
            match whole.or_else(|| earlier.clone().next()) {
                Some(look) if ago(look) >= RATE_SPAN_MIN => growths(totals, look, ago(look)),
                _ => Growths::default(),
            }
        })
    }

    /// Problems with the time since when they are known, where they do not know it themselves.
    fn dated(&self, mut found: Vec<Problem>, now: Timestamp) -> Vec<Problem> {
        self.with_looks(|looks| {
            let mut since = BTreeMap::new();
            for problem in &mut found {
                let key = (problem.kind, problem.about.clone());
                let known = looks.since.get(&key).copied();
                let at = problem.since.or(known).unwrap_or(now);
                problem.since = Some(at);
                since.insert(key, at);
            }
            looks.since = since;
        });
        found
    }

    fn remember(&self, at: Timestamp, totals: Totals) {
        self.with_looks(|looks| {
            // After a clock that jumped back, what is ahead of it would never be compared with.
            looks.earlier.retain(|look| look.at < at);
            looks.earlier.push_back(Look { at, totals });
            let passed = |looks: &VecDeque<Look>| {
                looks
                    .get(1)
                    .is_some_and(|second| age(at, second.at) >= RATE_SPAN)
            };
            while passed(&looks.earlier) || looks.earlier.len() > LOOKS_MAX {
                looks.earlier.pop_front();
            }
        });
    }

    fn with_looks<T>(&self, act: impl FnOnce(&mut Looks) -> T) -> T {
        // Each change is a plain assignment; a panic cannot leave them half done.
        act(&mut self.looks.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Growth per destination, and per destination and root.
#[derive(Debug, Default)]
struct Growths {
    destinations: BTreeMap<DestinationName, Growth>,
    provinces: BTreeMap<(DestinationName, String), Growth>,
}

fn totals(flows: Vec<DayFlow>) -> Totals {
    let keyed = flows.into_iter().map(|flow| {
        let key = (flow.day, flow.destination.clone(), flow.root.clone());
        (key, flow)
    });
    keyed.collect()
}

fn growths(totals: &Totals, earlier: &Look, span: Duration) -> Growths {
    let mut growths = Growths::default();
    for (key, flow) in totals {
        let before = earlier.totals.get(key);
        let (_, destination, root) = key.clone();
        let of_destination = growths.destinations.entry(destination.clone()).or_default();
        of_destination.add(flow, before, span);
        let of_province = growths.provinces.entry((destination, root)).or_default();
        of_province.add(flow, before, span);
    }
    growths
}

impl Growth {
    fn add(&mut self, flow: &DayFlow, before: Option<&DayFlow>, span: Duration) {
        let grown =
            |count: fn(&DayFlow) -> u64| count(flow).saturating_sub(before.map_or(0, count));
        self.minutes = span.as_secs_f64() / 60.0;
        self.accepted += grown(|flow| flow.accepted);
        self.delivered += grown(|flow| flow.delivered);
        self.parked += grown(|flow| flow.parked);
        self.retried += grown(|flow| flow.retried);
        match before {
            Some(before) => self.delays.merge(&flow.delays.since(&before.delays)),
            None => self.delays.merge(&flow.delays),
        }
    }

    fn per_minute(&self, count: u64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts of a minute")]
        let count = count as f64;
        if self.minutes > 0.0 {
            count / self.minutes
        } else {
            0.0
        }
    }
}

fn destination_flows(
    states: Vec<DestinationState>,
    queues: &QueueState,
    oldest: &[OldestWaiting],
    growths: &Growths,
) -> Vec<DestinationFlow> {
    let none = Growth::default();
    let flow = |state: DestinationState| {
        let name = &state.row.name;
        let growth = growths.destinations.get(name).unwrap_or(&none);
        let counts = queues
            .counts
            .iter()
            .find(|count| count.destination == *name);
        let waiting = counts.map_or(0, Counts::waiting);
        let of_lane = oldest.iter().filter(|found| found.destination == *name);
        let accepted_per_minute = growth.per_minute(growth.accepted);
        let delivered_per_minute = growth.per_minute(growth.delivered);
        DestinationFlow {
            waiting,
            parked: counts.map_or(0, parked_of),
            oldest: of_lane
                .min_by_key(|found| found.accepted_at)
                .map(|found| (found.dossier.clone(), found.accepted_at)),
            accepted_per_minute,
            delivered_per_minute,
            parked_per_minute: growth.per_minute(growth.parked),
            retried_per_minute: growth.per_minute(growth.retried),
            drained_in: drained_in(waiting, delivered_per_minute - accepted_per_minute),
            delays: growth.delays.clone(),
            state,
        }
    };
    states.into_iter().map(flow).collect()
}

fn province_flows(
    today: Date,
    totals: &Totals,
    oldest: Vec<OldestWaiting>,
    growths: &Growths,
) -> Vec<ProvinceFlow> {
    let mut flows = BTreeMap::new();
    for flow in totals.values().filter(|flow| flow.day == today) {
        let province: &mut ProvinceFlow = entry(&mut flows, &flow.destination, &flow.root, growths);
        province.accepted_today = flow.accepted;
        province.delivered_today = flow.delivered;
        province.parked_today = flow.parked;
    }
    for found in oldest {
        let province = entry(&mut flows, &found.destination, &found.root, growths);
        province.oldest = Some((found.dossier, found.accepted_at));
    }
    flows.into_values().collect()
}

fn entry<'a>(
    flows: &'a mut BTreeMap<(DestinationName, String), ProvinceFlow>,
    destination: &DestinationName,
    root: &str,
    growths: &Growths,
) -> &'a mut ProvinceFlow {
    let key = (destination.clone(), root.to_owned());
    let growth = growths.provinces.get(&key);
    flows.entry(key).or_insert_with(|| ProvinceFlow {
        destination: destination.clone(),
        root: root.to_owned(),
        accepted_per_minute: growth.map_or(0.0, |growth| growth.per_minute(growth.accepted)),
        accepted_today: 0,
        delivered_today: 0,
        parked_today: 0,
        oldest: None,
    })
}

/// How long until nothing waits, when each minute takes `net_per_minute` away.
fn drained_in(waiting: u64, net_per_minute: f64) -> Option<Duration> {
    if waiting == 0 || net_per_minute <= 0.0 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let seconds = waiting as f64 / net_per_minute * 60.0;
    let found = Duration::try_from_secs_f64(seconds).ok();
    found.filter(|found| *found <= DRAIN_MAX)
}

fn parked_of(counts: &Counts) -> u64 {
    counts.of(DeliveryState::Parked)
}

/// How long ago an instant was; zero for one ahead.
pub(crate) fn age(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(at)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
