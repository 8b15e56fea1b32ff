//! `figures`: what the gateway counted, by minute, over the last hours.

use std::time::Duration;

use jiff::Timestamp;
use lienthong_domain::Clock;
use lienthong_proto::admin::v1::overview_service_client::OverviewServiceClient;
use lienthong_proto::admin::v1::{Figure, FigureKey, ListFiguresRequest};
use tonic::transport::Channel;

use crate::connection::unary;
use crate::errors::CliError;
use crate::exit::Exit;
use crate::instant::{parse_length, shown, to_wire};
use crate::listing;
use crate::output::Output;
use crate::output::spark::spark;
use crate::output::table::Table;

/// Characters of a drawn figure.
const SPARK_WIDTH: usize = 60;

/// Which figures, and how far back.
#[derive(Debug, Clone, clap::Args)]
pub struct FiguresArgs {
    /// Names, each with what it is about after a colon: `delivered_per_minute:dvcqg`
    #[arg(required = true, num_args = 1..=50, value_name = "NAME[:ABOUT]")]
    names: Vec<String>,
    /// How far back: 90s, 10m, 2h or 3d, at most 30d
    #[arg(long, default_value = "3h", value_parser = parse_length, value_name = "LENGTH")]
    last: Duration,
    /// Most points of a figure, 1 to 1440; 0 leaves it to the gateway
    #[arg(long, default_value_t = 0)]
    points: u32,
}

/// Shows the figures.
///
/// # Errors
/// A refusal of the gateway, or no answer.
pub(crate) async fn run(
    args: &FiguresArgs,
    channel: Channel,
    clock: &Clock,
    output: &Output,
) -> Result<Exit, CliError> {
    let mut client = OverviewServiceClient::new(channel);
    let request = request(args, clock.now());
    let asked = request.keys.len();
    let answer = client.list_figures(unary(request)).await?;
    let figures = answer.into_inner().figures;
    listing::show(&figures, "lienthong.admin.v1.Figure", output, figure_table)?;
    if figures.len() < asked {
        output.say(&format!(
            "{} trong {asked} số liệu chưa có điểm nào / of {asked} figures have no points in this time",
            asked - figures.len()
        ));
    }
    Ok(Exit::Ok)
}

fn request(args: &FiguresArgs, now: Timestamp) -> ListFiguresRequest {
    let key = |name: &String| {
        let (name, about) = name.split_once(':').unwrap_or((name, ""));
        FigureKey {
            name: name.to_owned(),
            about: about.to_owned(),
        }
    };
    let since = now.checked_sub(args.last);
    let since = since.expect("the length is bounded where it is read");
    ListFiguresRequest {
        keys: args.names.iter().map(key).collect(),
        since: Some(to_wire(since)),
        until: Some(to_wire(now)),
        points_max: args.points,
    }
}

fn figure_table(figures: &[Figure]) -> Table {
    let heading = ["figure", "about", ">last", ">most", "since", "over time"];
    let mut table = Table::new(&heading);
    for figure in figures {
        let key = figure.key.clone().unwrap_or_default();
        let values: Vec<f64> = figure.points.iter().map(|point| point.value).collect();
        let most = figure.points.iter().map(|point| point.max);
        table.row([
            key.name,
            key.about,
            values.last().copied().map_or_else(dash, number),
            most.reduce(f64::max).map_or_else(dash, number),
            shown(figure.points.first().and_then(|point| point.at.as_ref())),
            spark(&values, SPARK_WIDTH),
        ]);
    }
    table
}

fn dash() -> String {
    "-".to_owned()
}

/// Whole where that says enough.
fn number(value: f64) -> String {
    if value.abs() >= 100.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}
