//! Which parked deliveries, why, and how far to go, as the command line says it.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::time::Duration;

use jiff::Timestamp;
use lienthong_domain::Random;
use lienthong_proto::admin::v1::delivery_selection::Selection;
use lienthong_proto::admin::v1::{DeliveryIdList, DeliverySelection, ParkedFilter};

use crate::errors::CliError;
use crate::instant::{parse, parse_length, to_wire};
use crate::output::Output;

/// Which deliveries; all conditions must hold.
#[derive(Debug, Clone, clap::Args)]
pub struct FilterArgs {
    /// Name of the destination
    #[arg(long)]
    destination: Option<String>,
    /// Root code of the province, H01..H63
    #[arg(long, value_name = "CODE")]
    province: Option<String>,
    /// Code of the procedure
    #[arg(long, value_name = "CODE")]
    procedure: Option<String>,
    /// Group of like errors, as the list shows it, or its reason alone
    #[arg(long, value_name = "GROUP")]
    error_group: Option<String>,
    /// Parked at or after (2026-09-14, 2026-09-14T08:00 in +07, or RFC 3339)
    #[arg(long, alias = "after", value_parser = parse, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Parked before
    #[arg(long, value_parser = parse, value_name = "TIME")]
    before: Option<Timestamp>,
    /// Parked longer ago than (90s, 10m, 2h, 3d)
    #[arg(long, value_parser = parse_length, value_name = "LENGTH", conflicts_with = "before")]
    older_than: Option<Duration>,
}

impl FilterArgs {
    /// As the contract writes it, at the instant `now`.
    pub(super) fn message(&self, now: Timestamp) -> ParkedFilter {
        let ago = |length: Duration| {
            let then = now.checked_sub(length);
            then.expect("the length is bounded where it is read")
        };
        let before = self.before.or_else(|| self.older_than.map(ago));
        ParkedFilter {
            destination: self.destination.clone().unwrap_or_default(),
            province_code: self.province.clone().unwrap_or_default(),
            procedure_code: self.procedure.clone().unwrap_or_default(),
            error_group: self.error_group.clone().unwrap_or_default(),
            parked_after: self.since.map(to_wire),
            parked_before: before.map(to_wire),
        }
    }
}

/// Which deliveries to change, why, and whether to do it.
#[derive(Debug, Clone, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line, and clap refuses the pairs that contradict each other"
)]
pub struct ChangeArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Exactly this delivery; may be repeated, and stands instead of a filter
    #[arg(long = "id", value_name = "ID", conflicts_with_all = ["destination", "province", "procedure", "error_group", "since", "before", "older_than", "all"])]
    ids: Vec<i64>,
    /// All parked deliveries, when no filter and no id is given
    #[arg(long)]
    all: bool,
    /// Why; goes into the audit trail, without personal data
    #[arg(long, required_unless_present = "dry_run")]
    reason: Option<String>,
    /// Only show the plan
    #[arg(long, conflicts_with_all = ["yes", "no_wait"])]
    dry_run: bool,
    /// Carry the plan out without asking
    #[arg(long)]
    yes: bool,
    /// Leave as soon as the operation is written down
    #[arg(long)]
    pub(super) no_wait: bool,
    /// Name of this call: repeated with the same one, it is done once [default: a random one]
    #[arg(long, value_name = "KEY")]
    operation_key: Option<String>,
}

impl ChangeArgs {
    /// # Errors
    /// Nothing is selected: everything must be asked for by name.
    pub(super) fn selection(&self, now: Timestamp) -> Result<DeliverySelection, CliError> {
        let filter = self.filter.message(now);
        let selection = if !self.ids.is_empty() {
            Selection::Ids(DeliveryIdList {
                delivery_ids: self.ids.clone(),
            })
        } else if self.all || filter != ParkedFilter::default() {
            Selection::Filter(filter)
        } else {
            let told = "name deliveries with --id or a filter, or all of them with --all";
            return Err(CliError::Usage(told.to_owned()));
        };
        Ok(DeliverySelection {
            selection: Some(selection),
        })
    }

    /// Why; empty for a dry run that does not say.
    pub(super) fn reason(&self) -> String {
        self.reason.clone().unwrap_or_default()
    }

    /// The key as given, or a fresh one.
    pub(super) fn key(&self, now: Timestamp, random: &Random) -> String {
        let fresh = || format!("cli-{}", random.event_id(now));
        self.operation_key.clone().unwrap_or_else(fresh)
    }

    /// Whether the plan need not be shown.
    pub(super) fn is_certain(&self) -> bool {
        self.yes
    }

    /// Whether the plan that was just shown is to be carried out.
    pub(super) fn is_agreed(&self, output: &Output) -> io::Result<bool> {
        if self.dry_run || self.yes {
            return Ok(self.yes);
        }
        if !io::stdin().is_terminal() {
            output.say("chưa thay đổi gì; thêm --yes để thực hiện / nothing was changed; --yes carries the plan out");
            return Ok(false);
        }
        output.say("thực hiện? gõ yes / carry this out? type yes:");
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(answer.trim() == "yes")
    }
}
