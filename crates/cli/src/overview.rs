//! `overview`: whether statuses flow, where they wait, what to do next.

use lienthong_proto::admin::v1::overview_service_client::OverviewServiceClient;
use lienthong_proto::admin::v1::{
    DestinationFlow, GetOverviewRequest, GetOverviewResponse, Problem, ProvinceFlow, Severity,
};
use tonic::transport::Channel;

use crate::connection::unary;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::instant::{shown, shown_length};
use crate::messages;
use crate::operations::operation_table;
use crate::output::Output;
use crate::output::table::{Table, harmless};
use crate::parked::group_table;

/// How to look.
#[derive(Debug, Clone, clap::Args)]
pub struct OverviewArgs {
    /// Say by the exit code whether anything needs a person: 0 no, 1 yes, 2 statuses do not flow
    #[arg(long)]
    check: bool,
}

/// Shows the overview.
///
/// # Errors
/// A refusal of the gateway, or no answer.
pub(crate) async fn run(
    args: &OverviewArgs,
    channel: Channel,
    output: &Output,
) -> Result<Exit, CliError> {
    let mut client = OverviewServiceClient::new(channel);
    let answer = client.get_overview(unary(GetOverviewRequest {})).await?;
    let overview = answer.into_inner();
    if output.is_json() {
        let name = "lienthong.admin.v1.GetOverviewResponse";
        output.json(&messages::to_json(name, &overview))?;
    } else {
        show(&overview, output)?;
    }
    let exit = match worst(&overview) {
        None => Exit::Ok,
        Some(Severity::Critical) => Exit::Critical,
        Some(_) => Exit::NotSo,
    };
    Ok(if args.check { exit } else { Exit::Ok })
}

/// The worst severity there is.
pub(crate) fn worst(overview: &GetOverviewResponse) -> Option<Severity> {
    overview.problems.iter().map(Problem::severity).max()
}

/// One line: does it flow, and does anybody have to do something.
fn verdict(overview: &GetOverviewResponse) -> String {
    let count = overview.problems.len();
    match worst(overview) {
        None => "THÔNG SUỐT: không có việc cần người xử lý / ALL FLOWS: nothing needs a person"
            .to_owned(),
        Some(Severity::Critical) => format!(
            "ÁCH TẮC: {count} vấn đề, có việc nghiêm trọng / STUCK: {count} problem(s), some critical"
        ),
        Some(_) => {
            format!("CẦN XEM: {count} vấn đề / NEEDS A LOOK: {count} problem(s), statuses flow")
        }
    }
}

fn show(overview: &GetOverviewResponse, output: &Output) -> Result<(), CliError> {
    let at = shown(overview.measured_at.as_ref());
    output.text(&format!("{}  ({at})", verdict(overview)))?;
    for problem in &overview.problems {
        output.text(&told(problem))?;
    }
    output.text("")?;
    output.table(&destination_table(&overview.destinations))?;
    if !overview.provinces.is_empty() {
        output.text("")?;
        output.table(&province_table(&overview.provinces))?;
    }
    if !overview.parked_groups.is_empty() {
        output.text("")?;
        output.table(&group_table(&overview.parked_groups))?;
    }
    if !overview.operations.is_empty() {
        output.text("")?;
        output.table(&operation_table(&overview.operations))?;
    }
    output.text("")?;
    Ok(output.text(&gateway(overview))?)
}

/// The problem with its next step, in both languages.
fn told(problem: &Problem) -> String {
    let bad = match problem.severity() {
        Severity::Critical => "NGHIÊM TRỌNG / CRITICAL",
        Severity::Warning | Severity::Unspecified => "cảnh báo / warning",
    };
    let since = match &problem.since {
        None => String::new(),
        at => format!(" từ / since {}", shown(at.as_ref())),
    };
    let about = match problem.about.as_str() {
        "" => String::new(),
        about => format!(" {}", harmless(about)),
    };
    format!(
        "\n{}{about} [{bad}]{since}\n  {}\n  {}\n  -> {}\n  -> {}",
        harmless(&problem.code),
        harmless(&problem.meaning_vi),
        harmless(&problem.meaning_en),
        harmless(&problem.action_vi),
        harmless(&problem.action_en)
    )
}

fn destination_table(flows: &[DestinationFlow]) -> Table {
    let heading = [
        "destination",
        ">waiting",
        ">parked",
        ">oldest",
        "oldest dossier",
        ">accepted/min",
        ">delivered/min",
        ">parked/min",
        ">drained in",
        ">p50",
        ">p99",
    ];
    let mut table = Table::new(&heading);
    for flow in flows {
        table.row([
            flow.destination.clone(),
            flow.waiting.to_string(),
            flow.parked.to_string(),
            shown_length(flow.oldest_waiting_age.as_ref()),
            flow.oldest_dossier_code.clone(),
            format!("{:.0}", flow.accepted_per_minute),
            format!("{:.0}", flow.delivered_per_minute),
            format!("{:.0}", flow.parked_per_minute),
            shown_length(flow.drained_in.as_ref()),
            millis(flow.end_to_end_ms_p50),
            millis(flow.end_to_end_ms_p99),
        ]);
    }
    table
}

fn province_table(flows: &[ProvinceFlow]) -> Table {
    let heading = [
        "destination",
        "code",
        "province",
        ">oldest",
        "oldest dossier",
        ">accepted today",
        ">delivered today",
        ">parked today",
        ">accepted/min",
    ];
    let mut table = Table::new(&heading);
    for flow in flows {
        table.row([
            flow.destination.clone(),
            flow.root_code.clone(),
            flow.name.clone(),
            shown_length(flow.oldest_waiting_age.as_ref()),
            flow.oldest_dossier_code.clone(),
            flow.accepted_today.to_string(),
            flow.delivered_today.to_string(),
            flow.parked_today.to_string(),
            format!("{:.0}", flow.accepted_per_minute),
        ]);
    }
    table
}

/// `12 ms`, `1.2 s`, or `-`.
pub(crate) fn millis(value: Option<f64>) -> String {
    let length =
        value.and_then(|value| std::time::Duration::try_from_secs_f64(value / 1_000.0).ok());
    length.map_or_else(|| "-".to_owned(), crate::instant::delay)
}

/// What concerns the gateway itself, on one line.
fn gateway(overview: &GetOverviewResponse) -> String {
    let mut parts = vec![format!(
        "tiếp nhận / accept p50 {} p99 {}",
        millis(overview.accept_ms_p50),
        millis(overview.accept_ms_p99)
    )];
    if let Some(bytes) = overview.disk_free_bytes {
        let left = match overview.disk_hours_left {
            Some(hours) => format!(", đầy sau / full in {hours:.0} h"),
            None => String::new(),
        };
        parts.push(format!("đĩa trống / disk free {} MiB{left}", bytes >> 20));
    }
    if let Some(days) = overview.certificate_days_left {
        parts.push(format!("chứng thư / certificate {days:.0} d"));
    }
    if let (Some(answered), Some(refused), Some(failed)) = (
        overview.identity_answered,
        overview.identity_refused,
        overview.identity_failed,
    ) {
        parts.push(format!(
            "định danh / identity {answered} answered, {refused} refused, {failed} failed"
        ));
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests;
