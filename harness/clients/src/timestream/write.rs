//! Writing records, and what each answer means for them.
//!
//! The main type is [`RecordsOutcome`]. As in the service, the records of one call stand alone:
//! those that are not rejected are stored.

use aws_sdk_timestreamwrite::operation::write_records::WriteRecordsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use super::client::TimestreamClient;
use super::record::TimestreamRecord;
use crate::aws::{classify, shortened};
use crate::error::{ClientError, THROTTLED};

/// How many records one call may carry.
pub const RECORDS_PER_CALL: usize = 100;

/// What the service did with the records of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordsOutcome {
    /// All are stored.
    AllIngested {
        /// How many the service counted.
        total: u64,
    },
    /// Some were rejected, and the others are stored.
    Rejected {
        /// Which, and why.
        records: Vec<RejectedRecord>,
        /// What the service said about all of them.
        message: String,
    },
    /// The service wants less. Nothing is known to be stored.
    Throttled {
        /// What the service said.
        message: String,
    },
    /// The service refused the whole call or failed on it.
    Failed {
        /// The HTTP status.
        status: u16,
        /// The service's word for the mistake.
        code: String,
        /// What the service said.
        message: String,
    },
}

/// A record that was not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRecord {
    /// Its place in the call, from 0.
    pub index: usize,
    /// The service's reason.
    pub reason: String,
    /// The version that is stored instead, where that is the reason.
    pub existing_version: Option<i64>,
}

impl RecordsOutcome {
    /// Whether the same records may well be stored later. Sending them again is safe: a record with
    /// the version and values that are stored already is accepted.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Throttled { .. } => true,
            Self::Failed { status, .. } => *status >= 500,
            Self::AllIngested { .. } | Self::Rejected { .. } => false,
        }
    }
}

impl TimestreamClient {
    /// Writes up to [`RECORDS_PER_CALL`] records.
    ///
    /// An error tells through [`ClientError::applied`] whether they may be stored.
    pub async fn write_records(
        &self,
        database: &str,
        table: &str,
        records: &[TimestreamRecord],
    ) -> Result<RecordsOutcome, ClientError> {
        if records.is_empty() {
            return Ok(RecordsOutcome::AllIngested { total: 0 });
        }
        if records.len() > RECORDS_PER_CALL {
            let problem = format!("is more than the {RECORDS_PER_CALL} records of one call");
            return Err(ClientError::invalid(records.len().to_string(), problem));
        }
        let written = self
            .inner
            .write
            .write_records()
            .database_name(database)
            .table_name(table)
            .set_records(Some(records.iter().map(|record| record.wire.clone()).collect()))
            .send()
            .await;
        match written {
            Ok(answer) => all_ingested(answer.records_ingested.map(|r| r.total), records.len()),
            Err(error) => refused(error, records.len()),
        }
    }
}

/// A success that counts other than what was sent is no success. The count itself is optional.
fn all_ingested(total: Option<i32>, sent: usize) -> Result<RecordsOutcome, ClientError> {
    match total.map(usize::try_from) {
        Some(Ok(total)) if total != sent => {
            let problem = format!("it counts {total} records of {sent} and rejects none");
            Err(ClientError::Malformed { operation: "write records", problem })
        }
        Some(Err(_)) => {
            let problem = "it counts fewer records than none".to_owned();
            Err(ClientError::Malformed { operation: "write records", problem })
        }
        Some(Ok(_)) | None => Ok(RecordsOutcome::AllIngested { total: sent as u64 }),
    }
}

fn refused(
    error: SdkError<WriteRecordsError, HttpResponse>,
    sent: usize,
) -> Result<RecordsOutcome, ClientError> {
    if let Some(WriteRecordsError::RejectedRecordsException(rejected)) = error.as_service_error() {
        let message = shortened(rejected.message().unwrap_or_default());
        return rejected_records(rejected.rejected_records(), message, sent);
    }
    match classify("write records", error) {
        ClientError::Answered { code, message, .. } if code == THROTTLED => {
            Ok(RecordsOutcome::Throttled { message })
        }
        ClientError::Answered { status, code, message, .. } => {
            Ok(RecordsOutcome::Failed { status, code, message })
        }
        error => Err(error),
    }
}

fn rejected_records(
    rejected: &[aws_sdk_timestreamwrite::types::RejectedRecord],
    message: String,
    sent: usize,
) -> Result<RecordsOutcome, ClientError> {
    let malformed =
        |problem: String| Err(ClientError::Malformed { operation: "write records", problem });
    if rejected.is_empty() {
        return malformed("it rejects records and names none".to_owned());
    }
    let mut records = Vec::with_capacity(rejected.len());
    for record in rejected {
        let Some(index) = usize::try_from(record.record_index).ok().filter(|i| *i < sent) else {
            return malformed(format!("it rejects record {} of {sent}", record.record_index));
        };
        let reason = shortened(record.reason().unwrap_or("no reason is given"));
        let existing_version = record.existing_version;
        records.push(RejectedRecord { index, reason, existing_version });
    }
    Ok(RecordsOutcome::Rejected { records, message })
}
