//! One instance's way to both stores: points in, last points out, and every answer classed.
//!
//! The main type is [`Stores`]. It speaks through the harness's own clients, one connection pool
//! per instance, and retries nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use cutover_clients::influx::{Encoding, InfluxClient, Precision, WriteOutcome, line_protocol};
use cutover_clients::timestream::{RecordsOutcome, TimestreamClient, TimestreamRecord};
use cutover_clients::{Applied, ClientError};
use cutover_model::scenario::OutcomeClass;
use cutover_model::{FieldValue, Row};

use super::history::WriteFate;
use super::names::{BUCKET, DEVICE, ID, MEASUREMENT, device_name};

/// How far back a device's query reaches, as both languages write it.
const LAST: &str = "2m";

/// A point that a device sends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) id: u64,
    pub(super) device: u32,
    pub(super) time_ns: i64,
}

/// Both stores, as one instance of the backend reaches them.
#[derive(Clone, Debug)]
pub(super) struct Stores {
    pub(super) source: TimestreamClient,
    pub(super) destination: InfluxClient,
}

/// How a write to the destination ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct CopyOutcome {
    pub(super) class: OutcomeClass,
    /// Whether the same write may succeed later.
    pub(super) is_transient: bool,
    /// How long the store asks to be left alone.
    pub(super) retry_after: Option<Duration>,
}

impl Stores {
    /// Writes a point to the source. Writing it again changes nothing.
    pub(super) async fn write_source(&self, point: &Point) -> (OutcomeClass, WriteFate) {
        let record = TimestreamRecord::from_row(&row(point), MEASUREMENT, 1)
            .expect("a drill's point has a device, an id and a time after 1970");
        match self.source.write_records(BUCKET, MEASUREMENT, &[record]).await {
            Ok(RecordsOutcome::AllIngested { .. }) => {
                (OutcomeClass::Success, WriteFate::Acknowledged)
            }
            Ok(RecordsOutcome::Rejected { .. }) => (OutcomeClass::ClientError, WriteFate::Refused),
            Ok(RecordsOutcome::Throttled { .. }) => (OutcomeClass::ServerError, WriteFate::Refused),
            Ok(RecordsOutcome::Failed { status, .. }) => {
                (class_of_status(status), WriteFate::Unknown)
            }
            Err(error) => match error.applied() {
                Applied::No => (class_of(&error), WriteFate::Refused),
                Applied::Unknown => (class_of(&error), WriteFate::Unknown),
            },
        }
    }

    /// Writes a point to the destination. Writing it again changes nothing.
    pub(super) async fn write_destination(&self, point: &Point) -> CopyOutcome {
        let mut line = Vec::new();
        line_protocol::encode(&mut line, MEASUREMENT, &row(point), Precision::Nanoseconds)
            .expect("a drill's names need no escapes and its times are in range");
        let sent =
            self.destination.write(BUCKET, Precision::Nanoseconds, line.into(), Encoding::Plain);
        match sent.await {
            Ok(outcome) => CopyOutcome {
                class: class_of_write(&outcome),
                is_transient: outcome.is_transient(),
                retry_after: match outcome {
                    WriteOutcome::Throttled { retry_after, .. } => retry_after,
                    _ => None,
                },
            },
            Err(error) => CopyOutcome {
                class: class_of(&error),
                is_transient: error.is_transient(),
                retry_after: error.retry_after(),
            },
        }
    }

    /// Reads a device's last points from the source.
    pub(super) async fn query_source(&self, device: u32) -> OutcomeClass {
        let device = device_name(device);
        let sql = format!(
            "SELECT time, {ID} FROM \"{BUCKET}\".\"{MEASUREMENT}\" \
             WHERE {DEVICE} = '{device}' AND time > ago({LAST})"
        );
        let mut pages = self.source.query(&sql);
        loop {
            match pages.next_page().await {
                Ok(Some(_)) => {}
                Ok(None) => return OutcomeClass::Success,
                Err(error) => return class_of(&error),
            }
        }
    }

    /// Reads a device's last points from the destination.
    pub(super) async fn query_destination(&self, device: u32) -> OutcomeClass {
        let device = device_name(device);
        let flux = format!(
            "from(bucket: \"{BUCKET}\") |> range(start: -{LAST}) |> filter(fn: (r) => \
             r._measurement == \"{MEASUREMENT}\" and r._field == \"{ID}\" and \
             r.{DEVICE} == \"{device}\")"
        );
        let mut answer = match self.destination.query(&flux).await {
            Ok(answer) => answer,
            Err(error) => return class_of(&error),
        };
        loop {
            match answer.next().await {
                Ok(Some(_)) => {}
                Ok(None) => return OutcomeClass::Success,
                Err(error) => return class_of(&error),
            }
        }
    }
}

fn row(point: &Point) -> Row {
    let id = i64::try_from(point.id).expect("ids are made of a device and a small count");
    Row {
        time_ns: point.time_ns,
        tags: BTreeMap::from([(DEVICE.to_owned(), device_name(point.device))]),
        fields: BTreeMap::from([(ID.to_owned(), FieldValue::Integer(id))]),
    }
}

fn class_of_write(outcome: &WriteOutcome) -> OutcomeClass {
    match outcome {
        WriteOutcome::Stored => OutcomeClass::Success,
        WriteOutcome::Throttled { .. } => OutcomeClass::ServerError,
        WriteOutcome::Failed { status, .. } => class_of_status(*status),
        WriteOutcome::Malformed { .. }
        | WriteOutcome::Partial { .. }
        | WriteOutcome::Unauthorized { .. }
        | WriteOutcome::BucketMissing { .. }
        | WriteOutcome::TooLarge { .. } => OutcomeClass::ClientError,
    }
}

fn class_of_status(status: u16) -> OutcomeClass {
    if status >= 500 || status == 429 {
        OutcomeClass::ServerError
    } else {
        OutcomeClass::ClientError
    }
}

/// The class of a request that failed, as the application's metrics count it.
fn class_of(error: &ClientError) -> OutcomeClass {
    match error {
        ClientError::Answered { status, .. } => class_of_status(*status),
        ClientError::TimedOut { .. } => OutcomeClass::Timeout,
        // A connection that broke without an answer is one that failed, whoever broke it.
        ClientError::NotConnected { .. }
        | ClientError::Interrupted { .. }
        | ClientError::Truncated { .. } => OutcomeClass::ConnectionFailure,
        ClientError::Query { .. } | ClientError::Malformed { .. } => OutcomeClass::ServerError,
        ClientError::Invalid { .. } => OutcomeClass::ClientError,
    }
}
