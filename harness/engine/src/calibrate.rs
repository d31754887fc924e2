//! Calibration: what this machine can drive, and what it adds to a latency, before anything is
//! measured with it.
//!
//! [`calibrate`] drives the loads of a check, over the same path, against a server in this process
//! that answers at once: as fast as it goes, at a fixed rate, and with fresh points. Nothing is
//! subtracted from a later measurement; what the server itself was late is told beside it. A
//! machine that has other work meanwhile shows it here.

use std::sync::Arc;
use std::time::Duration;

use cutover_load::points::{Field, FieldKind, PointError, PointPlan, Points, Shape, TimeUnit};
use cutover_load::{
    Answer, Body, BodyRule, Closed, Endpoint, HttpLoad, HttpRequest, Labelled, Latency, Method,
    Pace, Rate, Recording, RunOptions, Schedule, ScheduleError, Summary,
};
use cutover_model::calibration::{Calibration, Spread};
use cutover_model::{Clock, Ratio, Shard};
use cutover_standin_sink::{Law, Quantiles, Sink, SinkOptions, SinkReport, Waiting};

use crate::checks::CollectError;
use crate::checks::measured::drive;
use crate::cx::Stop;

/// The users who ask as fast as they can.
const USERS: u32 = 64;
/// Requests each second of the load at a fixed rate.
const RATE: u32 = 1_000;
/// Connections of the load at a fixed rate.
const CONNECTIONS: usize = 16;
/// The users who write points.
const WRITERS: u32 = 8;
const LABEL: &str = "calibration";
const TIMEOUT: Duration = Duration::from_secs(5);

/// How long a calibration may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// About three seconds: what a user asks for.
    Thorough,
    /// Less than a second and a half: what a run does before it measures.
    Brief,
}

impl Effort {
    /// How long each of the three loads is measured, and how long it runs before.
    fn lengths(self) -> (Duration, Duration) {
        match self {
            Self::Thorough => (Duration::from_millis(900), Duration::from_millis(100)),
            Self::Brief => (Duration::from_millis(380), Duration::from_millis(40)),
        }
    }
}

/// A calibration that gave no figures.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationError {
    /// The server in this process did not start, or broke off.
    #[error("the server to calibrate with could not be served on the loopback interface")]
    Server(#[source] std::io::Error),
    /// The load could not be driven.
    #[error("the load to calibrate with could not be driven")]
    Load(#[source] CollectError),
    /// The points cannot be made.
    #[error("the points to calibrate with cannot be made")]
    Points(#[from] PointError),
    /// The rate cannot be kept as a schedule.
    #[error("the arrivals to calibrate with cannot be scheduled")]
    Schedule(#[from] ScheduleError),
    /// Answers were missing or wrong, so that nothing is known.
    #[error("{failed} of {all} requests failed against a server that answers them all")]
    Failed {
        /// How many failed.
        failed: u64,
        /// Of how many.
        all: u64,
    },
    /// The user asked to stop.
    #[error("the calibration was interrupted")]
    Interrupted,
}

/// Measures what this machine can drive and what it adds.
pub async fn calibrate(
    effort: Effort,
    wall: &Clock,
    stop: &Stop,
) -> Result<Calibration, CalibrationError> {
    let bench = Bench { effort, wall, stop };
    let asking = Closed { users: USERS, think: Duration::ZERO, ramp_up: Duration::ZERO, seed: 1 };
    let (ceiling, _) = bench.measure(get(), Pace::Closed(asking)).await?;
    let schedule = Schedule::constant(Rate::per_second(RATE.into()), 1)?;
    let (open, server) = bench.measure(get(), Pace::Open(schedule)).await?;
    let writing = Pace::Closed(Closed { users: WRITERS, ..asking });
    let (points, _) = bench.measure(write(points()?), writing).await?;
    Ok(Calibration {
        ceiling_per_second: ceiling.achieved_per_second,
        rate: RATE,
        added: open.response.map_or(NOTHING, spread_of),
        lag_p95: open.lag_p95.unwrap_or_default(),
        server_late: late(server.late),
        points_per_second: points.work_per_second,
    })
}

/// What all three loads have in common.
struct Bench<'a> {
    effort: Effort,
    wall: &'a Clock,
    stop: &'a Stop,
}

impl Bench<'_> {
    /// Drives one load against a server of its own. Any request that fails makes it worthless.
    async fn measure(
        &self,
        request: HttpRequest,
        pace: Pace,
    ) -> Result<(Summary, SinkReport), CalibrationError> {
        let sink = Sink::start(SinkOptions {
            address: ([127, 0, 0, 1], 0).into(),
            law: Law::None,
            seed: 1,
            status: request.answer.status,
            body: Vec::new(),
            fault: None,
            waiting: Waiting::Asleep,
        })
        .map_err(CalibrationError::Server)?;
        let load = self.load(request, pace, sink.address().port());
        let recording: Recording = drive(load, Arc::default(), self.stop.receiver())
            .await
            .map_err(CalibrationError::Load)?;
        let report = tokio::task::spawn_blocking(|| sink.stop()).await;
        let report = report.map_err(std::io::Error::other).and_then(|report| report);
        let report = report.map_err(CalibrationError::Server)?;
        if self.stop.is_asked() {
            return Err(CalibrationError::Interrupted);
        }
        let nothing = CalibrationError::Failed { failed: 0, all: 0 };
        let summary = recording.summary(LABEL).ok_or(nothing)?;
        match summary.outcomes.not_ok() {
            0 if summary.samples > 0 => Ok((summary, report)),
            failed => Err(CalibrationError::Failed { failed, all: summary.samples }),
        }
    }

    fn load(&self, request: HttpRequest, pace: Pace, port: u16) -> HttpLoad {
        let (duration, warm_up) = self.effort.lengths();
        HttpLoad {
            endpoint: Endpoint { host: "127.0.0.1".to_owned(), port, tls: None },
            requests: vec![Labelled { label: LABEL.to_owned(), weight: 1, operation: request }],
            pace,
            options: RunOptions {
                duration,
                warm_up,
                timeout: TIMEOUT,
                connections: CONNECTIONS,
                shard: Shard::WHOLE,
            },
            threads: 1,
            wall: self.wall.clone(),
            abort: Vec::new(),
        }
    }
}

fn get() -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        path: "/".to_owned(),
        headers: Vec::new(),
        body: Body::Empty { work: 1 },
        gzip: None,
        answer: Answer { status: 200, body: BodyRule::Equals(Vec::new()) },
    }
}

fn write(points: Points) -> HttpRequest {
    let write = move |k: u64, out: &mut Vec<u8>| {
        points.write(k * Calibration::BATCH..(k + 1) * Calibration::BATCH, out);
        Calibration::BATCH
    };
    HttpRequest {
        method: Method::Post,
        path: "/api/v2/write".to_owned(),
        headers: Vec::new(),
        body: Body::Written(Arc::new(write)),
        gzip: None,
        answer: Answer { status: 204, body: BodyRule::Any },
    }
}

/// Points with three tags, of 1,000 series, and two fields with two decimals.
fn points() -> Result<Points, PointError> {
    let field = |name: &str| Field {
        name: name.to_owned(),
        kind: FieldKind::Float { decimals: Some(2), shape: Shape::Even },
    };
    Points::new(PointPlan {
        seed: 1,
        measurement: "calibration".to_owned(),
        tags: vec![("kind".to_owned(), "solar".to_owned())],
        series_tags: vec!["site".to_owned(), "region".to_owned()],
        series: 1_000,
        fields: vec![field("active"), field("voltage")],
        first_ns: 1_700_000_000_000_000_000,
        interval: Duration::from_secs(1),
        unit: TimeUnit::Nanoseconds,
        out_of_order: Ratio::ZERO,
        late: None,
    })
}

const NOTHING: Spread = Spread { p50: Duration::ZERO, p95: Duration::ZERO, p99: Duration::ZERO };

fn spread_of(Latency { p50, p95, p99, .. }: Latency) -> Spread {
    Spread { p50, p95, p99 }
}

fn late(Quantiles { p50, p95, p99, .. }: Quantiles) -> Spread {
    Spread { p50, p95, p99 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cx::StopSwitch;

    #[tokio::test]
    async fn a_calibration_has_every_figure() {
        let (_switch, stop) = StopSwitch::new();
        let calibration = calibrate(Effort::Brief, &Clock::fixed(0), &stop).await.unwrap();
        let Calibration { ceiling_per_second, added, points_per_second, .. } = calibration;
        assert!(ceiling_per_second > 0.0 && points_per_second > 0.0);
        assert!(Duration::ZERO < added.p50 && added.p50 <= added.p95 && added.p95 <= added.p99);
    }

    #[tokio::test]
    async fn a_calibration_that_is_interrupted_gives_no_figures() {
        let (switch, stop) = StopSwitch::new();
        switch.stop();
        let ended = calibrate(Effort::Brief, &Clock::fixed(0), &stop).await;
        assert!(matches!(ended, Err(CalibrationError::Interrupted)), "{ended:?}");
    }
}
