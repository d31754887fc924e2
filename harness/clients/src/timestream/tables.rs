//! Databases, tables and how long they keep their records.
//!
//! The main type is [`TableRetention`]. As with buckets, what exists is never changed: a table that
//! keeps its records for another time is reported.

use aws_sdk_timestreamwrite::types::{MagneticStoreWriteProperties, RetentionProperties, Table};

use super::client::TimestreamClient;
use crate::aws::classify;
use crate::error::ClientError;

/// The service's word for what exists already.
const CONFLICT: &str = "ConflictException";

/// How long a table keeps its records, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableRetention {
    /// Hours in the memory store, from 1 to 8,766.
    pub memory_hours: u32,
    /// Days in the magnetic store, from 1 to 73,000.
    pub magnetic_days: u32,
}

/// What was found or made of a database that should be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseOutcome {
    /// It was made.
    Created,
    /// It was there.
    Present,
}

/// What was found or made of a table that should be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableOutcome {
    /// It was made, with writes to the magnetic store switched on.
    Created,
    /// It was there, as wanted.
    Present,
    /// It was there and differs, and was left as it is.
    Drifted {
        /// The retention that it has.
        found: TableRetention,
        /// Whether records older than the memory store are taken.
        takes_late_records: bool,
    },
}

impl TimestreamClient {
    /// Makes a database; one that exists is an error.
    pub async fn create_database(&self, name: &str) -> Result<(), ClientError> {
        let created = self.inner.write.create_database().database_name(name).send().await;
        created.map(drop).map_err(|error| classify("create database", error))
    }

    /// Makes sure that a database is there.
    pub async fn ensure_database(&self, name: &str) -> Result<DatabaseOutcome, ClientError> {
        match self.create_database(name).await {
            Ok(()) => Ok(DatabaseOutcome::Created),
            Err(ClientError::Answered { code, .. }) if code == CONFLICT => {
                Ok(DatabaseOutcome::Present)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes a table that takes late records into its magnetic store; one that exists is an error.
    pub async fn create_table(
        &self,
        database: &str,
        table: &str,
        retention: TableRetention,
    ) -> Result<(), ClientError> {
        let TableRetention { memory_hours, magnetic_days } = retention;
        let retention = RetentionProperties::builder()
            .memory_store_retention_period_in_hours(memory_hours.into())
            .magnetic_store_retention_period_in_days(magnetic_days.into())
            .build()
            .expect("both periods are set");
        let late = MagneticStoreWriteProperties::builder()
            .enable_magnetic_store_writes(true)
            .build()
            .expect("the one property is set");
        let created = self
            .inner
            .write
            .create_table()
            .database_name(database)
            .table_name(table)
            .retention_properties(retention)
            .magnetic_store_write_properties(late)
            .send()
            .await;
        created.map(drop).map_err(|error| classify("create table", error))
    }

    /// Makes sure that a table is there. One that is there is left as it is.
    pub async fn ensure_table(
        &self,
        database: &str,
        table: &str,
        retention: TableRetention,
    ) -> Result<TableOutcome, ClientError> {
        match self.create_table(database, table, retention).await {
            Ok(()) => return Ok(TableOutcome::Created),
            Err(ClientError::Answered { code, .. }) if code == CONFLICT => {}
            Err(error) => return Err(error),
        }
        let asked = self.inner.write.describe_table().database_name(database).table_name(table);
        let described = asked.send().await.map_err(|error| classify("describe table", error))?;
        let Some(table) = described.table else {
            let (operation, problem) = ("describe table", "it describes no table".to_owned());
            return Err(ClientError::Malformed { operation, problem });
        };
        Ok(compare(&table, retention))
    }
}

fn compare(table: &Table, wanted: TableRetention) -> TableOutcome {
    // A period that the service does not state, or that no table can have, is not as wanted.
    let period = |period: i64| u32::try_from(period).unwrap_or(0);
    let found = table.retention_properties.as_ref();
    let found = TableRetention {
        memory_hours: found.map_or(0, |r| period(r.memory_store_retention_period_in_hours())),
        magnetic_days: found.map_or(0, |r| period(r.magnetic_store_retention_period_in_days())),
    };
    let late = table.magnetic_store_write_properties.as_ref();
    let takes_late_records =
        late.is_some_and(MagneticStoreWriteProperties::enable_magnetic_store_writes);
    if found == wanted && takes_late_records {
        TableOutcome::Present
    } else {
        TableOutcome::Drifted { found, takes_late_records }
    }
}
