//! What latency and load share in driving requests: rates, outcomes, and a destination that
//! misbehaves on purpose.

use std::time::Duration;

use cutover_clients::ClientError;
use cutover_clients::influx::InfluxClient;
use cutover_faults::{FaultGuard, FaultKind, Faults, Proxy, Scope};
use cutover_load::{OutcomeClass, Rate};
use cutover_model::Ratio;
use http::StatusCode;

use super::CollectError;
use crate::stores::Stores;

/// The rate of requests that each do a part of what is asked per second, as the schedule keeps it:
/// a whole number in a whole number of seconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a validated rate is positive, and the cast saturates"
)]
pub(super) fn rate_of(asked: cutover_model::Rate, work_per_request: u32) -> Rate {
    Rate {
        operations: ((asked.per_second() * 1_000.0).round() as u64).max(1),
        per: Duration::from_secs(1_000 * u64::from(work_per_request)),
    }
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
