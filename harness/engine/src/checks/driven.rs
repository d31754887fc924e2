//! What latency and load share in driving requests: rates, outcomes, and a destination that
//! misbehaves on purpose.

use std::time::Duration;

use cutover_clients::ClientError;
use cutover_clients::influx::InfluxClient;
use cutover_faults::{FaultGuard, FaultKind, Faults, Proxy, Scope};
use cutover_load::{Closed, OutcomeClass, Pace, Rate, Schedule, ScheduleError, Spacing, Stage};
use cutover_model::Ratio;
use cutover_model::scenario::{self, Arrivals, LoadModel};
use http::StatusCode;

use super::CollectError;
use crate::stores::Stores;

/// How many requests there are for how many arrivals: a batch is one for a thousand points, and a
/// question that both stores are asked is two for one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Requests {
    pub(super) count: u32,
    pub(super) for_arrivals: u32,
}

impl Requests {
    /// One for so many arrivals.
    pub(super) fn one_for(arrivals: u32) -> Self {
        Self { count: 1, for_arrivals: arrivals }
    }

    /// A rate as the schedule keeps it: a whole number in a whole number of seconds.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a validated rate is positive, and the cast saturates"
    )]
    fn rate_of(self, asked: Option<cutover_model::Rate>) -> Rate {
        let arrivals = asked.map(|asked| ((asked.per_second() * 1_000.0).round() as u64).max(1));
        Rate {
            operations: arrivals.unwrap_or(0).saturating_mul(u64::from(self.count)),
            per: Duration::from_secs(1_000 * u64::from(self.for_arrivals)),
        }
    }
}

/// The instants of the requests for these arrivals.
pub(super) fn schedule_of(
    arrivals: &Arrivals,
    requests: Requests,
    seed: u64,
) -> Result<Schedule, ScheduleError> {
    let stages = arrivals.stages.iter().map(|stage| Stage {
        from: requests.rate_of(stage.from),
        to: requests.rate_of(stage.to),
        over: stage.over,
    });
    let spacing = match arrivals.spacing {
        scenario::Spacing::Even => Spacing::Even,
        scenario::Spacing::Poisson => Spacing::Poisson,
    };
    Schedule::new(stages.collect(), spacing, seed)
}

/// When the requests of a load are made.
pub(super) fn pace_of(
    model: &LoadModel,
    requests: Requests,
    seed: u64,
) -> Result<Pace, ScheduleError> {
    Ok(match model {
        LoadModel::Open(arrivals) => Pace::Open(schedule_of(arrivals, requests, seed)?),
        LoadModel::Closed { users, ramp_up, think } => {
            Pace::Closed(Closed { users: *users, think: *think, ramp_up: *ramp_up, seed })
        }
    })
}

/// How a failed request is counted.
pub(super) fn class_of(error: &ClientError) -> OutcomeClass {
    match error {
        ClientError::TimedOut { .. } => OutcomeClass::Timeout,
        ClientError::NotConnected { .. } => OutcomeClass::Error("no connection"),
        ClientError::Interrupted { .. } => OutcomeClass::Error("the connection broke"),
        ClientError::Answered { status: 429 | 503, .. } => OutcomeClass::Error("throttled"),
        ClientError::Answered { status, .. } if *status >= 500 => {
            OutcomeClass::Error("server error")
        }
        ClientError::Answered { .. } => OutcomeClass::Rejected("refused"),
        ClientError::Query { .. } => OutcomeClass::Error("query error"),
        ClientError::Truncated { .. } => OutcomeClass::Error("truncated answer"),
        ClientError::Malformed { .. } => OutcomeClass::Error("malformed answer"),
        ClientError::Invalid { .. } => OutcomeClass::Rejected("invalid request"),
    }
}

/// The destination behind a proxy that misbehaves for as long as this is alive.
pub(super) struct Faulty {
    pub(super) client: InfluxClient,
    // Dropped in this order: first the fault is lifted, then the proxy ends.
    _fault: FaultGuard,
    _proxy: Proxy,
}

impl Faulty {
    pub(super) async fn inject(
        stores: &Stores,
        (fault, scope): (FaultKind, Scope),
        seed: u64,
    ) -> Result<Self, CollectError> {
        let faults = Faults::new(seed);
        let proxy = Proxy::start(stores.destination_url(), &faults).await?;
        let client = stores.destination_through(proxy.url()).map_err(CollectError::Destination)?;
        Ok(Self { client, _fault: faults.inject(fault, scope), _proxy: proxy })
    }
}

/// A fault that answers with a 503.
pub(super) fn service_unavailable(ratio: Ratio) -> FaultKind {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    FaultKind::HttpError { status, ratio, retry_after: None }
}
