//! Which parked deliveries are meant: as typed, as read, and in words.

use jiff::SignedDuration;
use lienthong_domain::code::RootCode;
use lienthong_domain::delivery::ParkReason;
use lienthong_domain::{DeliveryId, DestinationName, Faults, ProcedureCode, Reason, Timestamp};
use lienthong_ports::store::{ITEMS_MAX, ParkedFilter};
use maud::{Markup, html};

use crate::format;
use crate::frame::Frame;
use crate::layout;
use crate::pages::form::optional;
use crate::pages::params::{Params, address};
use crate::pages::{parts, words};

/// Hours since the parking that may be chosen.
pub(super) const AGES_HOURS: [u16; 4] = [1, 6, 24, 168];
/// Longest code of an answer, in characters.
const CODE_CHARS_MAX: usize = 40;

/// A filter as it was typed, so that it can be shown again; empty fields mean all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) destination: String,
    pub(super) root: String,
    pub(super) procedure: String,
    pub(super) reason: String,
    pub(super) code: String,
    /// Parked at least so many hours; a dry run makes `before` of it.
    pub(super) hours: String,
    /// Parked before this second since 1970; set when a dry run is made, so that later arrivals are left alone.
    pub(super) before: String,
    /// Exactly these deliveries.
    pub(super) ids: Vec<String>,
}

impl Selection {
    pub(super) fn read(params: &Params) -> Self {
        Self {
            destination: params.text("destination"),
            root: params.text("root"),
            procedure: params.text("procedure"),
            reason: params.text("parked"),
            code: params.text("code"),
            hours: params.text("hours"),
            before: params.text("before"),
            ids: params.all("id").map(str::to_owned).collect(),
        }
    }

    /// The same, of what was parked until now, without anything left that moves with time: from the dry run on it is
    /// one filter, whenever it is read.
    pub(super) fn until(mut self, now: Timestamp) -> Self {
        if self.before.is_empty() {
            // The bound is a whole second and excluded, so that of the present second belongs to it.
            self.before = (now.as_second() + 1).to_string();
        }
        let aged = self.hours.parse().ok().and_then(|hours| aged(now, hours));
        // What cannot be read stays for [`Selection::filter`] to refuse.
        if let (Some(aged), Ok(before)) = (aged, self.before.parse::<i64>()) {
            self.before = aged.as_second().min(before).to_string();
            self.hours.clear();
        }
        self
    }

    /// The filter.
    ///
    /// # Errors
    /// The faults, by field.
    pub(super) fn filter(&self, now: Timestamp) -> Result<ParkedFilter, Faults> {
        let mut faults = Faults::new();
        let filter = ParkedFilter {
            ids: self.ids(&mut faults),
            destination: optional(&mut faults, "destination", &self.destination, |text| {
                DestinationName::parse(text)
            }),
            root: optional(&mut faults, "root", &self.root, |text| {
                RootCode::parse(text).map(|root| root.to_string())
            }),
            procedure: optional(
                &mut faults,
                "procedure",
                &self.procedure,
                ProcedureCode::parse,
            ),
            reason: optional(&mut faults, "parked", &self.reason, park_reason),
            code: optional(&mut faults, "code", &self.code, code),
            parked_since: None,
            parked_until: self.parked_until(now, &mut faults),
        };
        faults.into_result(filter)
    }

    fn ids(&self, faults: &mut Faults) -> Vec<DeliveryId> {
        if self.ids.len() > ITEMS_MAX {
            let (max, actual) = (ITEMS_MAX, self.ids.len());
            faults.push("id", Reason::TooMany { max, actual });
        }
        let id = |text: &String| text.parse().map(DeliveryId).map_err(|_| Reason::NotDigits);
        let ids = self.ids.iter().take(ITEMS_MAX);
        ids.filter_map(|text| faults.check("id", id(text)))
            .collect()
    }

    /// The earlier of both bounds.
    fn parked_until(&self, now: Timestamp, faults: &mut Faults) -> Option<Timestamp> {
        let hours = optional(faults, "hours", &self.hours, |text| {
            text.parse::<u16>().map_err(|_| Reason::NotDigits)
        });
        let before = optional(faults, "before", &self.before, |text| {
            let second = text.parse().map_err(|_| Reason::NotDigits)?;
            Timestamp::from_second(second).map_err(|_| Reason::NotADate)
        });
        let aged = hours.and_then(|hours| aged(now, hours));
        aged.into_iter().chain(before).min()
    }

    /// The pairs of a query or of hidden fields.
    pub(super) fn pairs(&self) -> Vec<(&'static str, &str)> {
        let fields = [
            ("destination", &self.destination),
            ("root", &self.root),
            ("procedure", &self.procedure),
            ("parked", &self.reason),
            ("code", &self.code),
            ("hours", &self.hours),
            ("before", &self.before),
        ];
        let ids = self.ids.iter().map(|id| ("id", id));
        let filled = fields.into_iter().chain(ids);
        let texts = filled.map(|(name, value)| (name, value.as_str()));
        texts.filter(|(_, value)| !value.is_empty()).collect()
    }

    /// An address of `path` with this selection and `more`.
    pub(super) fn address(&self, path: &str, more: &[(&'static str, &str)]) -> String {
        address(path, self.pairs().into_iter().chain(more.iter().copied()))
    }

    /// The selection as hidden fields.
    pub(super) fn hidden(&self) -> Markup {
        html! { @for (name, value) in self.pairs() { (layout::hidden(name, value)) } }
    }
}

/// A filter in words, one line for each thing that it asks; for the pages of operations too.
pub(crate) fn described(frame: &Frame, filter: &ParkedFilter) -> Markup {
    let mut lines = Vec::new();
    let mut say =
        |vi: &str, en: &str, what: &str| lines.push(format!("{}: {what}", frame.t(vi, en)));
    if !filter.ids.is_empty() {
        let count = format::number(frame.language, parts::count_of(&filter.ids));
        say("Lượt gửi được chọn", "Deliveries chosen", &count);
    }
    if let Some(destination) = &filter.destination {
        say("Nơi nhận", "Destination", destination.as_str());
    }
    if let Some(root) = &filter.root {
        say("Tỉnh, bộ ngành", "Province", &parts::place(root));
    }
    if let Some(procedure) = &filter.procedure {
        say("Thủ tục", "Procedure", procedure.as_str());
    }
    if let Some(reason) = filter.reason {
        say(
            "Lý do tạm giữ",
            "Parked because",
            words::park_reason(frame, reason),
        );
    }
    if let Some(code) = &filter.code {
        say("Mã lỗi", "Error code", code);
    }
    if let Some(since) = filter.parked_since {
        say("Tạm giữ từ", "Parked from", &format::instant(since));
    }
    if let Some(until) = filter.parked_until {
        say("Tạm giữ trước", "Parked before", &format::instant(until));
    }
    html! {
        @if lines.is_empty() {
            (frame.t("Mọi lượt gửi đang tạm giữ", "Everything that is parked"))
        } @else {
            ul.plain { @for line in &lines { li { (line) } } }
        }
    }
}

/// So many hours before now; none before the first moment there is.
fn aged(now: Timestamp, hours: u16) -> Option<Timestamp> {
    now.checked_sub(SignedDuration::from_hours(hours.into()))
        .ok()
}

fn park_reason(name: &str) -> Result<ParkReason, Reason> {
    let mut reasons = ParkReason::ALL.into_iter();
    let found = reasons.find(|reason| reason.name() == name);
    found.ok_or(Reason::UnknownCode { what: "lý do" })
}

fn code(text: &str) -> Result<String, Reason> {
    let actual = text.chars().count();
    if actual <= CODE_CHARS_MAX {
        Ok(text.to_owned())
    } else {
        let max = CODE_CHARS_MAX;
        Err(Reason::TooLong { max, actual })
    }
}
