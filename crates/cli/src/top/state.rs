//! What `top` knows and where its user is.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use lienthong_proto::admin::v1::{
    Destination, DestinationFlow, DestinationState, ExplainDossierResponse, Figure,
    GetOverviewResponse, ParkedGroup, Problem, ProvinceFlow,
};

use super::words::Language;
use crate::instant::length;

/// Everything that is drawn.
pub(super) struct State {
    pub(super) language: Language,
    pub(super) now: Timestamp,
    /// The last answer; absent until the first.
    pub(super) look: Option<Look>,
    /// Why there was no answer since; absent while the gateway answers.
    pub(super) silence: Option<Silence>,
    /// By name and subject: the last hour, oldest first.
    pub(super) figures: BTreeMap<(String, String), Vec<f64>>,
    pub(super) focus: Panel,
    /// The chosen row of each panel; may lie behind the last one after a look.
    rows: [usize; 4],
    pub(super) overlay: Option<Overlay>,
    /// How the last change went.
    pub(super) note: Cow<'static, str>,
}

/// One look at the gateway.
pub(super) struct Look {
    pub(super) at: Timestamp,
    pub(super) overview: GetOverviewResponse,
    pub(super) destinations: Vec<Destination>,
}

/// The gateway does not answer.
pub(super) struct Silence {
    pub(super) since: Timestamp,
    pub(super) told: String,
}

/// A part of the screen whose rows can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Panel {
    Problems,
    Destinations,
    Provinces,
    Parked,
}

/// What lies over the panels and takes the keys.
pub(super) enum Overlay {
    Help,
    Text {
        title: String,
        lines: Vec<String>,
        scroll: u16,
    },
    /// A change that waits for its reason.
    Reason(Steer),
}

/// Pause or resume a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Steer {
    pub(super) destination: String,
    /// Pause it; else resume it.
    pub(super) pause: bool,
    pub(super) reason: String,
}

/// What a key asks for beyond the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    Quit,
    Refresh,
    /// Why this dossier waits.
    Explain(String),
    Steer(Steer),
}

/// What came back. Refusals are told in one line.
pub(super) enum Answer {
    Look(Result<Box<Look>, String>),
    Figures(Result<Vec<Figure>, String>),
    Explained(String, Result<ExplainDossierResponse, String>),
    Steered(Steer, Result<(), String>),
}

impl Panel {
    pub(super) const ALL: [Self; 4] = [
        Self::Problems,
        Self::Destinations,
        Self::Provinces,
        Self::Parked,
    ];

    pub(super) fn next(self, steps: usize) -> Self {
        Self::ALL[(self as usize + steps) % Self::ALL.len()]
    }
}

impl State {
    pub(super) fn new(language: Language, now: Timestamp) -> Self {
        Self {
            language,
            now,
            look: None,
            silence: None,
            figures: BTreeMap::new(),
            focus: Panel::Problems,
            rows: [0; 4],
            overlay: None,
            note: Cow::Borrowed(""),
        }
    }

    pub(super) fn problems(&self) -> &[Problem] {
        self.look
            .as_ref()
            .map_or(&[], |look| &look.overview.problems)
    }

    pub(super) fn destinations(&self) -> &[DestinationFlow] {
        self.look
            .as_ref()
            .map_or(&[], |look| &look.overview.destinations)
    }

    /// The one that waits longest first.
    pub(super) fn provinces(&self) -> Vec<&ProvinceFlow> {
        let flows = self.look.iter().flat_map(|look| &look.overview.provinces);
        let mut flows: Vec<_> = flows.collect();
        flows.sort_by_key(|flow| std::cmp::Reverse(length(flow.oldest_waiting_age.as_ref())));
        flows
    }

    pub(super) fn parked(&self) -> &[ParkedGroup] {
        self.look
            .as_ref()
            .map_or(&[], |look| &look.overview.parked_groups)
    }

    /// How the destination stands beside its flow.
    pub(super) fn standing(&self, name: &str) -> Option<&Destination> {
        let look = self.look.as_ref()?;
        look.destinations.iter().find(|found| found.name == name)
    }

    pub(super) fn is_paused(&self, name: &str) -> bool {
        let standing = self.standing(name);
        standing.is_some_and(|found| found.state() == DestinationState::Paused)
    }

    /// A figure of a destination over the last hour.
    pub(super) fn figure(&self, name: &str, about: &str) -> &[f64] {
        let key = (name.to_owned(), about.to_owned());
        self.figures.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Rows of a panel.
    pub(super) fn count(&self, panel: Panel) -> usize {
        match panel {
            Panel::Problems => self.problems().len(),
            Panel::Destinations => self.destinations().len(),
            Panel::Provinces => self
                .look
                .as_ref()
                .map_or(0, |look| look.overview.provinces.len()),
            Panel::Parked => self.parked().len(),
        }
    }

    /// The chosen row of a panel; none where there is none.
    pub(super) fn row(&self, panel: Panel) -> Option<usize> {
        let last = self.count(panel).checked_sub(1)?;
        Some(self.rows[panel as usize].min(last))
    }

    /// Moves the choice in the panel with the focus, not beyond its ends.
    pub(super) fn step(&mut self, rows: isize) {
        if let Some(row) = self.row(self.focus) {
            let last = self.count(self.focus).saturating_sub(1);
            self.rows[self.focus as usize] = row.saturating_add_signed(rows).min(last);
        }
    }
}
