//! One batch on its way, until the destination has told what became of it.

use cutover_clients::RetryPolicy;
use cutover_clients::influx::{Encoding, InfluxClient, Precision, WriteOutcome};

use crate::batch::BatchBody;
use crate::{MigrateCause, Migrated};

/// What became of a batch.
pub(crate) enum Written {
    /// All of it is stored.
    All,
    /// Some points were dropped, and the rest is stored.
    Partly { dropped: u64, reason: String },
    /// Nothing is stored: the body is larger than the destination takes.
    TooLarge(String),
}

/// Writes a batch, and again after a wait where that may help. Sending again is safe: the same
/// points write over themselves.
pub(crate) async fn write(
    destination: &InfluxClient,
    bucket: &str,
    body: &BatchBody,
    (retry, done): (&RetryPolicy, &mut Migrated),
) -> Result<Written, MigrateCause> {
    let request = done.requests;
    for attempt in 1.. {
        done.requests += 1;
        let sent =
            destination.write(bucket, Precision::Nanoseconds, body.lines(), Encoding::Gzip).await;
        let (retry_after, give_up) = match sent {
            Ok(WriteOutcome::Stored) => return Ok(Written::All),
            Ok(WriteOutcome::Partial { message, dropped }) => {
                // A server that does not count has to be taken at its worst.
                let dropped = dropped.unwrap_or(body.points()).min(body.points());
                return Ok(Written::Partly { dropped, reason: message });
            }
            Ok(WriteOutcome::TooLarge { message }) => return Ok(Written::TooLarge(message)),
            Ok(WriteOutcome::Throttled { retry_after, .. }) => {
                (retry_after, MigrateCause::Overloaded { attempts: attempt })
            }
            Ok(WriteOutcome::Failed { status, message }) if status >= 500 || status == 408 => {
                (None, MigrateCause::Refused(format!("{status}: {message}")))
            }
            Ok(refused) => return Err(MigrateCause::Refused(reason(refused))),
            Err(error) if error.is_transient() => (error.retry_after(), MigrateCause::Write(error)),
            Err(error) => return Err(MigrateCause::Write(error)),
        };
        match retry.wait(request, attempt, retry_after) {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return Err(give_up),
        }
        done.retries += 1;
    }
    unreachable!("the loop above has no end of its own")
}

fn reason(outcome: WriteOutcome) -> String {
    match outcome {
        WriteOutcome::Malformed { message } => format!("400: {message}"),
        WriteOutcome::Unauthorized { message } => format!("401: {message}"),
        WriteOutcome::BucketMissing { message } => format!("404: {message}"),
        WriteOutcome::Failed { status, message } => format!("{status}: {message}"),
        other => format!("{other:?}"),
    }
}
