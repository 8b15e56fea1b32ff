//! The command line of `demo`.

use std::path::PathBuf;
use std::time::Duration;

use super::Faults;

/// Longest run that may be asked for, in seconds: thirty days.
const RUN_SECONDS_MAX: u64 = 30 * 24 * 3_600;

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

/// A whole number and its unit.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let expected = || "write a number and ms, s, m or h, such as 20s".to_owned();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(expected)?;
    let number: u64 = number.parse().map_err(|_| expected())?;
    let milliseconds = match unit {
        "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => return Err(expected()),
    };
    match milliseconds {
        Some(milliseconds) if (1..=RUN_SECONDS_MAX * 1_000).contains(&milliseconds) => {
            Ok(Duration::from_millis(milliseconds))
        }
        _ => Err("between 1ms and 720h".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_bounds() {
        let good = [
            ("500ms", Duration::from_millis(500)),
            ("20s", Duration::from_secs(20)),
            ("5m", Duration::from_mins(5)),
            ("720h", Duration::from_hours(720)),
        ];
        for (text, duration) in good {
            assert_eq!(parse_duration(text), Ok(duration), "{text}");
        }
        let bad = [
            "",
            "20",
            "s",
            "0s",
            "-1s",
            "1.5s",
            "20 s",
            "1d",
            "721h",
            "20sec",
            "5phút",
            "99999999999999999999s",
            "18446744073709551615h",
        ];
        for text in bad {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
