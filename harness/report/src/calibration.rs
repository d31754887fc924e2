//! What the machine that measured can do by itself, in words.
//!
//! [`calibration_line`] stands beside the header of every report, [`calibration_text`] is the
//! table of a calibration that was asked for.

use cutover_model::ShortDuration;
use cutover_model::calibration::{Calibration, Spread};

use crate::text::{decimal, number};

/// A calibration in one line.
pub(crate) fn calibration_line(it: &Calibration) -> String {
    let Spread { p50, p95, p99 } = it.added;
    format!(
        "{}/s at most · adds {} at p50, {} at p95, {} at p99 (at {}/s) · \
         {} fresh points/s · judges limits of latency from {} on",
        decimal(it.ceiling_per_second),
        ShortDuration(p50),
        ShortDuration(p95),
        ShortDuration(p99),
        number(it.rate.into()),
        decimal(it.points_per_second),
        ShortDuration(it.least_limit()),
    )
}

/// A calibration as a table, and what it means for limits.
pub fn calibration_text(it: &Calibration) -> String {
    let points = format!("points/s, fresh, in batches of {}", number(Calibration::BATCH));
    let rates = [("requests/s, 64 users", it.ceiling_per_second), (&points, it.points_per_second)];
    let rates = rates.map(|(what, figure)| format!("  {what:<40} {:>12}", decimal(figure)));
    let head = format!("at {} requests/s", number(it.rate.into()));
    let head = format!("  {head:<40} {:>12} {:>12} {:>12}", "p50", "p95", "p99");
    let spreads = [("from due to answered", it.added), ("kept by the server", it.server_late)];
    let spreads = spreads.map(|(what, Spread { p50, p95, p99 })| {
        let [p50, p95, p99] = [p50, p95, p99].map(|time| ShortDuration(time).to_string());
        format!("  {what:<40} {p50:>12} {p95:>12} {p99:>12}")
    });
    let lag = ShortDuration(it.lag_p95).to_string();
    let lag = format!("  {:<40} {:>12} {lag:>12}", "sent late by the generator", "");
    let least = ShortDuration(it.least_limit());
    let (rates, spreads) = (rates.join("\n"), spreads.join("\n"));
    format!(
        "against a server in the same process that answers at once\n\n{rates}\n\n{head}\n\
         {spreads}\n{lag}\n\nA limit on latency below {least} cannot be judged on this machine: \
         the generator's own lag would be over a tenth of it.\n"
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn calibration() -> Calibration {
        let us = Duration::from_micros;
        Calibration {
            ceiling_per_second: 61_234.5,
            rate: 1_000,
            added: Spread { p50: us(60), p95: us(110), p99: us(400) },
            lag_p95: us(70),
            server_late: Spread { p50: us(12), p95: us(30), p99: us(90) },
            points_per_second: 4_210_000.0,
        }
    }

    #[test]
    fn the_table_says_which_limits_cannot_be_judged() {
        let text = calibration_text(&calibration());
        assert!(text.contains("below 700µs cannot be judged"), "{text}");
        assert!(text.contains("61,23"), "{text}");
    }

    #[test]
    fn the_line_has_every_figure() {
        let line = calibration_line(&calibration());
        for figure in ["61,234/s", "60µs", "110µs", "400µs", "1,000/s", "4,210,000", "700µs"] {
            assert!(line.contains(figure), "{figure}: {line}");
        }
    }
}
