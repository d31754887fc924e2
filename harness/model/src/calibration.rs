//! What the machine that measures can do by itself, against a server that answers at once.
//!
//! The main type is [`Calibration`]. Measuring it is the engine's.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A limit has to be this many times the generator's own lag before it can be judged.
const LAGS_IN_A_LIMIT: u32 = 10;

/// What a machine can do and what it adds, measured against a server in the same process. All of it
/// is read off a clock.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Small requests each second that 64 users got answered who asked as fast as they could.
    pub ceiling_per_second: f64,
    /// The rate of the open load that the times below are of, in requests each second.
    pub rate: u32,
    /// From the instant at which a request was due to its answer.
    pub added: Spread,
    /// How late the generator sent, by its own doing, at the 95th percentile.
    pub lag_p95: Duration,
    /// How long the server kept a request that it meant to answer at once.
    pub server_late: Spread,
    /// Fresh points each second, made, sent and acknowledged in batches of [`Self::BATCH`].
    pub points_per_second: f64,
}

/// Percentiles of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// The median.
    pub p50: Duration,
    /// 95 in a hundred were at most this.
    pub p95: Duration,
    /// 99 in a hundred were at most this.
    pub p99: Duration,
}

impl Calibration {
    /// The points of one request.
    pub const BATCH: u64 = 5_000;

    /// A limit on a percentile of latency below this cannot be judged here: the generator's own
    /// lag would be over a tenth of it.
    pub fn least_limit(&self) -> Duration {
        self.lag_p95 * LAGS_IN_A_LIMIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_judged_from_ten_lags_on() {
        let spread = Spread { p50: Duration::ZERO, p95: Duration::ZERO, p99: Duration::ZERO };
        let calibration = Calibration {
            ceiling_per_second: 50_000.0,
            rate: 1_000,
            added: spread,
            lag_p95: Duration::from_micros(70),
            server_late: spread,
            points_per_second: 1e6,
        };
        assert_eq!(calibration.least_limit(), Duration::from_micros(700));
    }
}
