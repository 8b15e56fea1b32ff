//! The command line of `demo`.

use std::path::PathBuf;
use std::time::Duration;

use super::Faults;

/// Longest run that may be asked for: thirty days.
const RUN_MAX: Duration = Duration::from_hours(30 * 24);

/// `demo`
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// End by itself after this time: 500ms, 20s, 5m, 2h. Without it, Ctrl-C ends the demo.
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    pub duration: Option<Duration>,
    /// Events a second, all provinces together.
    #[arg(long, value_name = "EVENTS_PER_S", default_value_t = 200,
          value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub rate: u32,
    /// Questions about citizens a second, all provinces together; 0 asks none.
    #[arg(long, value_name = "QUESTIONS_PER_S", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(0..=5_000))]
    pub questions: u32,
    /// How many provinces push.
    #[arg(long, value_name = "COUNT", default_value_t = 3,
          value_parser = clap::value_parser!(u8).range(1..=34))]
    pub provinces: u8,
    /// Carry the attempts through this RabbitMQ: `amqp://user:password@host/vhost`. The vhost must exist.
    #[arg(long, value_name = "URL")]
    pub rabbitmq: Option<String>,
    /// How much the simulated portal misbehaves.
    #[arg(long, value_enum, default_value_t = Faults::Light)]
    pub faults: Faults,
    /// Print one JSON object as the last line of stdout.
    #[arg(long)]
    pub json: bool,
    /// Invent the same dossiers as an earlier run.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Keep store, certificates and record in this folder, which must be empty.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

/// A length of time that a demo can last.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let length = lienthong_cli::parse_length(text)?;
    if length.is_zero() || length > RUN_MAX {
        return Err("between 1ms and 30d".to_owned());
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_lasts_from_a_millisecond_to_thirty_days() {
        let good = [
            ("1ms", Duration::from_millis(1)),
            ("20s", Duration::from_secs(20)),
            ("30d", Duration::from_hours(720)),
        ];
        for (text, duration) in good {
            assert_eq!(parse_duration(text), Ok(duration), "{text}");
        }
        for text in ["0s", "721h", "20", "-1s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
