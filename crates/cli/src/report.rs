//! `report`: a day or a month, per destination and province, as table, CSV, JSON or a page that prints.

mod page;
mod sheet;
mod tables;

use std::path::PathBuf;

use jiff::civil::Date;
use lienthong_domain::Clock;
use lienthong_domain::time::local_date;
use lienthong_proto::admin::v1::report_service_client::ReportServiceClient;
use lienthong_proto::admin::v1::{GetReportRequest, GetReportResponse};
use tonic::transport::Channel;

use crate::connection::unary;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::messages;
use crate::output::Output;

/// Which days to report on.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum ReportCommand {
    /// Report on one day (+07)
    #[command(after_help = "Examples:
  lienthong report day
  lienthong report day 2026-11-19 --province H08
  lienthong report day 2026-11-19 --format html --output bao-cao.html")]
    Day {
        /// The day; without it, today
        #[arg(value_parser = parse_day, value_name = "YYYY-MM-DD")]
        day: Option<Date>,
        #[command(flatten)]
        form: FormArgs,
    },
    /// Report on one month (+07)
    #[command(after_help = "Examples:
  lienthong report month
  lienthong report month 2026-10 --format csv --bom --output thang-10.csv
  lienthong report month 2026-10 --format csv --part overdue")]
    Month {
        /// The month; without it, this month
        #[arg(value_parser = parse_month, value_name = "YYYY-MM")]
        month: Option<Date>,
        #[command(flatten)]
        form: FormArgs,
    },
}

/// What the report holds and how it is written.
#[derive(Debug, Clone, clap::Args)]
pub struct FormArgs {
    /// Only this province, by its root code H01..H63
    #[arg(long, value_name = "CODE")]
    province: Option<String>,
    /// How it is written; --json is the same as --format json
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Into this file instead of stdout
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Dossiers due within so many working hours are listed, 1..80
    #[arg(long, value_name = "HOURS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=80))]
    overdue_hours: u32,
    /// Most dossiers of each list and province, 1..100
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    dossiers: u32,
    /// Which part of the report a CSV file holds
    #[arg(long, value_enum, default_value_t = Part::Rows)]
    part: Part,
    /// Begin a CSV file with a byte order mark, by which Excel knows UTF-8
    #[arg(long)]
    bom: bool,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Aligned tables
    Table,
    /// One table with commas; cells that a spreadsheet would compute are quoted
    Csv,
    /// One object, as in the contract
    Json,
    /// A page of its own that prints
    Html,
}

/// A part of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Destinations and provinces
    Rows,
    /// The slowest deliveries
    Slow,
    /// Dossiers due soon or past due and not delivered
    Overdue,
}

/// The days of a report, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Days {
    first: Date,
    last: Date,
}

impl ReportCommand {
    fn days(&self, today: Date) -> Days {
        match self {
            Self::Day { day, .. } => {
                let day = day.unwrap_or(today);
                Days {
                    first: day,
                    last: day,
                }
            }
            Self::Month { month, .. } => {
                let month = month.unwrap_or(today);
                Days {
                    first: month.first_of_month(),
                    last: month.last_of_month(),
                }
            }
        }
    }

    fn form(&self) -> &FormArgs {
        match self {
            Self::Day { form, .. } | Self::Month { form, .. } => form,
        }
    }
}

impl std::fmt::Display for Days {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let day = |day: Date| day.strftime("%d/%m/%Y").to_string();
        if self.first == self.last {
            formatter.write_str(&day(self.first))
        } else {
            write!(formatter, "{} - {}", day(self.first), day(self.last))
        }
    }
}

fn parse_day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "write 2026-11-19".to_owned())
}

fn parse_month(text: &str) -> Result<Date, String> {
    format!("{text}-01")
        .parse()
        .map_err(|_| "write 2026-11".to_owned())
}

/// Asks for the report and writes it.
///
/// # Errors
/// A refusal of the gateway, no answer, or a file that cannot be written.
pub(crate) async fn run(
    command: &ReportCommand,
    channel: Channel,
    clock: &Clock,
    output: &Output,
) -> Result<Exit, CliError> {
    let form = command.form();
    let days = command.days(local_date(clock.now()));
    let request = GetReportRequest {
        first_day: days.first.to_string(),
        last_day: days.last.to_string(),
        root_code: form.province.clone().unwrap_or_default(),
        overdue_working_hours: form.overdue_hours,
        dossiers_max: form.dossiers,
    };
    let mut client = ReportServiceClient::new(channel);
    let answer = client.get_report(unary(request)).await?;
    let text = written(form, days, &answer.into_inner(), output);
    match &form.output {
        None => output.text(text.trim_end_matches(['\r', '\n']))?,
        Some(path) => {
            std::fs::write(path, text).map_err(|source| CliError::File {
                action: "write",
                path: path.clone(),
                source,
            })?;
            output.say(&format!("đã ghi / written: {}", path.display()));
        }
    }
    Ok(Exit::Ok)
}

fn written(form: &FormArgs, days: Days, report: &GetReportResponse, output: &Output) -> String {
    let format = if output.is_json() {
        Format::Json
    } else {
        form.format
    };
    // A file is not a terminal, whatever stdout is.
    let colours = output.has_colours() && form.output.is_none();
    match format {
        Format::Table => tables::written(days, report, colours),
        Format::Csv => sheet::written(form.part, report, form.bom),
        Format::Json => {
            let name = "lienthong.admin.v1.GetReportResponse";
            format!("{}\n", messages::to_json(name, report))
        }
        Format::Html => page::written(days, form.overdue_hours, report),
    }
}

#[cfg(test)]
mod tests;
