//! The migration itself: read a data set from Timestream, page by page, and write it to InfluxDB.
//!
//! The main entry is [`migrate`]. It holds one page and one batch in memory, whatever the length
//! of the table, and sends a batch again only where that can help: a throttled or failed request
//! after a wait, never a partial write (422), whose rest is stored and whose dropped points would
//! be dropped again. Every row is accounted for in the [`Migrated`] that it returns.
//!
//! Comparing what arrived is not done here: that is parity's work, which shares no code with this.

mod batch;
mod rows;
mod write;

use cutover_clients::influx::InfluxClient;
use cutover_clients::timestream::TimestreamClient;
use cutover_clients::{ClientError, RetryPolicy};
use cutover_model::scenario::DataSet;

use crate::batch::Batch;
use crate::rows::{RowDecoder, select};
use crate::write::{Written, write};

pub use batch::Unwritable;
pub use rows::UnreadableRow;

/// How a migration goes about its work.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Points per write request, at least 1.
    pub batch: usize,
    /// When a request is sent again.
    pub retry: RetryPolicy,
}

/// What became of the rows of one data set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrated {
    /// Rows that the source gave.
    pub rows_read: u64,
    /// Points that the destination acknowledged.
    pub points_acknowledged: u64,
    /// Points that the destination dropped, saying so (422).
    pub points_dropped: u64,
    /// The destination's reasons for dropping, each once.
    pub drop_reasons: Vec<String>,
    /// Rows that line protocol cannot express, the first ones with their reason.
    pub unwritable: Vec<Unwritable>,
    /// How many rows line protocol cannot express.
    pub rows_unwritable: u64,
    /// Write requests that were sent, retries included.
    pub requests: u64,
    /// Requests that were sent again.
    pub retries: u64,
    /// Bytes that Timestream charges the query for.
    pub bytes_metered: u64,
}

/// A migration that did not come to its end. What was acknowledged before stays.
#[derive(Debug, thiserror::Error)]
#[error("failed to migrate `{bucket}`.`{measurement}` after {} rows", so_far.rows_read)]
pub struct MigrateError {
    /// The database and bucket.
    pub bucket: String,
    /// The table and measurement.
    pub measurement: String,
    /// What was done before.
    pub so_far: Box<Migrated>,
    /// What went wrong.
    #[source]
    pub cause: MigrateCause,
}

/// Why a migration ended early.
#[derive(Debug, thiserror::Error)]
pub enum MigrateCause {
    /// The source does not answer.
    #[error("the source could not be read")]
    Read(#[source] ClientError),
    /// The source's answer is not of the data set's shape.
    #[error("the source's answer does not fit the data set")]
    Shape(#[source] UnreadableRow),
    /// The destination does not answer.
    #[error("the destination could not be written to")]
    Write(#[source] ClientError),
    /// The destination refuses, and sending again would not help.
    #[error("the destination refuses the points: {0}")]
    Refused(String),
    /// The destination kept asking for less.
    #[error("the destination was still overloaded after {attempts} attempts")]
    Overloaded {
        /// How often the batch was sent.
        attempts: u32,
    },
}

/// Copies one data set. `progress` is told the rows read so far and says whether to go on.
pub async fn migrate(
    source: &TimestreamClient,
    destination: &InfluxClient,
    (data, options): (&DataSet, Options),
    mut progress: impl FnMut(u64) -> Progress,
) -> Result<Migrated, MigrateError> {
    let mut migration = Migration { destination, data, options, done: Migrated::default() };
    match migration.run(source, &mut progress).await {
        Ok(()) => Ok(migration.done),
        Err(cause) => Err(MigrateError {
            bucket: data.bucket.clone(),
            measurement: data.measurement.clone(),
            so_far: Box::new(migration.done),
            cause,
        }),
    }
}

/// Whether a migration goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It does.
    GoOn,
    /// It ends with the batch at hand.
    Stop,
}

struct Migration<'a> {
    destination: &'a InfluxClient,
    data: &'a DataSet,
    options: Options,
    done: Migrated,
}

impl Migration<'_> {
    async fn run(
        &mut self,
        source: &TimestreamClient,
        progress: &mut impl FnMut(u64) -> Progress,
    ) -> Result<(), MigrateCause> {
        let mut pages = source.query(&select(self.data));
        let mut batch = Batch::new(self.data, self.options.batch);
        let mut retried = 0;
        let mut decoder = None;
        loop {
            let page = match pages.next_page().await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                // The same page is asked for again.
                Err(error) => {
                    retried += 1;
                    self.wait_after(error, retried).await?;
                    continue;
                }
            };
            retried = 0;
            let decoder = match &mut decoder {
                Some(decoder) => decoder,
                none => none.insert(
                    RowDecoder::new(self.data, &page.columns).map_err(MigrateCause::Shape)?,
                ),
            };
            for cells in &page.rows {
                let row = decoder.row(cells).map_err(MigrateCause::Shape)?;
                self.done.rows_read += 1;
                if let Err(unwritable) = batch.push(&row) {
                    self.done.note(unwritable);
                }
                if batch.is_full() {
                    self.flush(&mut batch).await?;
                }
            }
            if progress(self.done.rows_read) == Progress::Stop {
                break;
            }
        }
        self.flush(&mut batch).await?;
        self.done.bytes_metered = u64::try_from(pages.bytes_metered()).unwrap_or(0);
        Ok(())
    }

    async fn flush(&mut self, batch: &mut Batch) -> Result<(), MigrateCause> {
        // A body that is too large is sent in halves, down to single points.
        let mut waiting = vec![batch.take()];
        while let Some(body) = waiting.pop() {
            if body.points() == 0 {
                continue;
            }
            match write(
                self.destination,
                &self.data.bucket,
                &body,
                (&self.options.retry, &mut self.done),
            )
            .await?
            {
                Written::All => self.done.points_acknowledged += body.points(),
                Written::Partly { dropped, reason } => {
                    self.done.points_acknowledged += body.points() - dropped;
                    self.done.points_dropped += dropped;
                    self.done.reason(reason);
                }
                Written::TooLarge(message) => {
                    let (first, second) = body.halves().ok_or(MigrateCause::Refused(message))?;
                    waiting.push(second);
                    waiting.push(first);
                }
            }
        }
        Ok(())
    }

    async fn wait_after(&self, error: ClientError, retried: u32) -> Result<(), MigrateCause> {
        let wait = error
            .is_transient()
            .then(|| self.options.retry.wait(self.done.rows_read, retried, error.retry_after()))
            .flatten();
        match wait {
            Some(wait) => {
                tokio::time::sleep(wait).await;
                Ok(())
            }
            None => Err(MigrateCause::Read(error)),
        }
    }
}

impl Migrated {
    /// Reasons and rows that are kept word by word; the rest is counted.
    const KEPT: usize = 20;

    fn note(&mut self, unwritable: Unwritable) {
        self.rows_unwritable += 1;
        if self.unwritable.len() < Self::KEPT {
            self.unwritable.push(unwritable);
        }
    }

    fn reason(&mut self, reason: String) {
        if self.drop_reasons.len() < Self::KEPT && !self.drop_reasons.contains(&reason) {
            self.drop_reasons.push(reason);
        }
    }
}
