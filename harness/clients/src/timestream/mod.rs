//! Timestream for LiveAnalytics through the AWS SDK.
//!
//! The main type is [`TimestreamClient`]: databases and tables, writes of [`TimestreamRecord`]s and
//! queries read page by page. The SDK's own retries are off, so that every answer is seen. Batch
//! loads, scheduled queries and UNLOAD are left out.

mod client;
mod query;
mod record;
mod tables;
mod write;

pub use self::client::{Credentials, TimestreamAddress, TimestreamClient, TimestreamEndpoint};
pub use self::query::{
    QueryPage, QueryReader, TimestreamColumn, TimestreamRow, TimestreamType, TimestreamValue,
};
pub use self::record::{RecordError, RecordRefusal, TimestreamRecord};
pub use self::tables::{DatabaseOutcome, TableOutcome, TableRetention};
pub use self::write::{RECORDS_PER_CALL, RecordsOutcome, RejectedRecord};
