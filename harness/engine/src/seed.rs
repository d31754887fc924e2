//! Seeding: the rows of data files into Timestream, all accounted for.

use std::time::Duration;

use cutover_clients::timestream::{
    RECORDS_PER_CALL, RecordsOutcome, TableRetention, TimestreamClient, TimestreamRecord,
};
use cutover_clients::{ClientError, RetryPolicy};
use cutover_files::{FileError, RowProblem, RowReader};
use cutover_model::event::Fact;
use cutover_model::scenario::DataSet;
use cutover_model::{Finding, FindingCode, Row, Witness};
use tokio::task::JoinSet;

use crate::cx::Stop;

/// The measure name of every record: a data set is one kind of row.
const MEASURE_NAME: &str = "row";

/// Rows of years ago go to the magnetic store, which keeps them for as long as it can.
const RETENTION: TableRetention = TableRetention { memory_hours: 1, magnetic_days: 73_000 };

/// Requests under way at a time.
const IN_FLIGHT: usize = 8;

/// Findings that are told one by one; the rest is counted.
const FINDINGS_TOLD: usize = 20;

/// What became of the rows of one data set.
#[derive(Debug, Default)]
pub(crate) struct Seeded {
    /// Lines of the file, the header left out.
    pub(crate) lines: u64,
    /// Rows that the source acknowledged.
    pub(crate) acknowledged: u64,
    /// Lines that have a time and no value.
    pub(crate) without_value: u64,
    /// Lines that are not in the source, and should be.
    pub(crate) left_out: u64,
    /// The first of them, with the reason.
    pub(crate) findings: Vec<Finding>,
}

/// A seeding that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeedError {
    #[error("the data file cannot be read")]
    File(#[from] FileError),
    #[error("the source refuses the table `{bucket}`.`{measurement}`")]
    Table {
        bucket: String,
        measurement: String,
        #[source]
        cause: ClientError,
    },
    #[error("the source could not be written to")]
    Write(#[from] ClientError),
    #[error("the source was still overloaded after {attempts} attempts")]
    Overloaded { attempts: u32 },
    #[error("the source failed with {status}: {message}")]
    Failed { status: u16, message: String },
    #[error("a writer of the harness panicked")]
    Panicked,
}

/// Puts the rows of one data set into the source. `progress` is told the lines done so far.
pub(crate) async fn seed(
    source: &TimestreamClient,
    data: &DataSet,
    (seed, stop): (u64, &Stop),
    progress: impl Fn(u64),
) -> Result<Seeded, SeedError> {
    let table = |cause| SeedError::Table {
        bucket: data.bucket.clone(),
        measurement: data.measurement.clone(),
        cause,
    };
    source.ensure_database(&data.bucket).await.map_err(table)?;
    source.ensure_table(&data.bucket, &data.measurement, RETENTION).await.map_err(table)?;
    let mut seeded = Seeded::default();
    let mut writers = Writers::new(source, data, seed);
    let mut rows = Vec::with_capacity(RECORDS_PER_CALL);
    for line in RowReader::open(data)? {
        let line = line?;
        seeded.lines += 1;
        match line.row {
            Ok(row) => rows.push((line.line, row)),
            Err(problem) => seeded.note_problem(data, line.line, &problem),
        }
        if rows.len() == RECORDS_PER_CALL {
            writers.send(std::mem::take(&mut rows), &mut seeded).await?;
            progress(seeded.lines);
            if stop.is_asked() {
                break;
            }
        }
    }
    writers.send(rows, &mut seeded).await?;
    writers.finish(&mut seeded).await?;
    progress(seeded.lines);
    Ok(seeded)
}

impl Seeded {
    /// What the report says of it.
    pub(crate) fn facts(&self, data: &DataSet) -> Vec<Fact> {
        let fact = |what: &str, count| Fact::count(format!("{}: {what}", data.name), count);
        let mut facts = vec![
            fact("lines read", self.lines),
            fact("rows acknowledged by the source", self.acknowledged),
        ];
        if self.without_value > 0 {
            facts.push(fact("lines without any value", self.without_value));
        }
        if self.left_out > 0 {
            facts.push(fact("lines left out", self.left_out));
        }
        facts
    }

    fn note_problem(&mut self, data: &DataSet, line: u64, problem: &RowProblem) {
        let code = match problem {
            // Such a line holds nothing that either store could lose.
            RowProblem::NoValue => {
                self.without_value += 1;
                return;
            }
            RowProblem::LocalTimeMissing { .. } | RowProblem::LocalTimeTwice { .. } => {
                FindingCode::LocalTimeUnclear
            }
            RowProblem::TimeUnreadable { .. }
            | RowProblem::TimeOutOfRange { .. }
            | RowProblem::ValueUnreadable { .. } => FindingCode::ValueUnreadable,
        };
        let message = format!("{}:{line}: {problem}", data.path.display());
        self.note(Finding { code, message, witness: None });
    }

    fn note_rejected(&mut self, data: &DataSet, (line, row): &(u64, Row), reason: &str) {
        let message = format!("{}:{line}: the source rejects it: {reason}", data.path.display());
        let witness = Witness {
            bucket: data.bucket.clone(),
            measurement: data.measurement.clone(),
            tags: row.tags.clone(),
            time_ns: row.time_ns,
            field: None,
            source: None,
            destination: None,
        };
        self.note(Finding { code: FindingCode::RowDuplicated, message, witness: Some(witness) });
    }

    fn note(&mut self, finding: Finding) {
        self.left_out += 1;
        if self.findings.len() < FINDINGS_TOLD {
            self.findings.push(finding);
        }
    }
}

/// Lines on their way into the source.
type Lines = Vec<(u64, Row)>;

struct Writers<'a> {
    source: &'a TimestreamClient,
    data: &'a DataSet,
    retry: RetryPolicy,
    calls: u64,
    under_way: JoinSet<Result<(Lines, RecordsOutcome), SeedError>>,
}

impl<'a> Writers<'a> {
    fn new(source: &'a TimestreamClient, data: &'a DataSet, seed: u64) -> Self {
        Self { source, data, retry: retry_policy(seed), calls: 0, under_way: JoinSet::new() }
    }

    async fn send(&mut self, lines: Lines, seeded: &mut Seeded) -> Result<(), SeedError> {
        if self.under_way.len() >= IN_FLIGHT {
            self.join(seeded).await?;
        }
        let mut kept = Vec::with_capacity(lines.len());
        let mut records = Vec::with_capacity(lines.len());
        for line in lines {
            match TimestreamRecord::from_row(&line.1, MEASURE_NAME, 1) {
                Ok(record) => {
                    records.push(record);
                    kept.push(line);
                }
                Err(error) => seeded.note(Finding {
                    code: FindingCode::ValueUnreadable,
                    message: format!("{}:{}: {error}", self.data.path.display(), line.0),
                    witness: None,
                }),
            }
        }
        let (source, retry, call) = (self.source.clone(), self.retry, self.calls);
        let (database, table) = (self.data.bucket.clone(), self.data.measurement.clone());
        self.calls += 1;
        self.under_way.spawn(async move {
            let write = || source.write_records(&database, &table, &records);
            let outcome = acknowledged(write, retry, call).await?;
            Ok((kept, outcome))
        });
        Ok(())
    }

    async fn finish(&mut self, seeded: &mut Seeded) -> Result<(), SeedError> {
        while !self.under_way.is_empty() {
            self.join(seeded).await?;
        }
        Ok(())
    }

    async fn join(&mut self, seeded: &mut Seeded) -> Result<(), SeedError> {
        let Some(joined) = self.under_way.join_next().await else { return Ok(()) };
        let (lines, outcome) = joined.map_err(|_| SeedError::Panicked)??;
        seeded.acknowledged += lines.len() as u64;
        if let RecordsOutcome::Rejected { records, .. } = outcome {
            seeded.acknowledged -= records.len() as u64;
            for rejected in records {
                // An index beyond the call would be a service that counts otherwise.
                if let Some(line) = lines.get(rejected.index) {
                    seeded.note_rejected(self.data, line, &rejected.reason);
                }
            }
        }
        Ok(())
    }
}

/// Writes until the service has taken or rejected the records.
async fn acknowledged<W>(
    write: impl Fn() -> W,
    retry: RetryPolicy,
    call: u64,
) -> Result<RecordsOutcome, SeedError>
where
    W: Future<Output = Result<RecordsOutcome, ClientError>>,
{
    let mut attempts = 0;
    loop {
        attempts += 1;
        let (retry_after, give_up) = match write().await {
            Ok(
                outcome @ (RecordsOutcome::AllIngested { .. } | RecordsOutcome::Rejected { .. }),
            ) => {
                return Ok(outcome);
            }
            Ok(RecordsOutcome::Throttled { .. }) => (None, SeedError::Overloaded { attempts }),
            Ok(RecordsOutcome::Failed { status, message, .. }) => {
                let error = SeedError::Failed { status, message };
                if status < 500 {
                    return Err(error);
                }
                (None, error)
            }
            Err(error) if error.is_transient() => (error.retry_after(), SeedError::Write(error)),
            Err(error) => return Err(SeedError::Write(error)),
        };
        match retry.wait(call, attempts, retry_after) {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return Err(give_up),
        }
    }
}

/// When requests of the harness's own are sent again.
pub(crate) fn retry_policy(seed: u64) -> RetryPolicy {
    RetryPolicy {
        attempts: 8,
        base: Duration::from_millis(100),
        max: Duration::from_secs(10),
        patience: Duration::from_mins(1),
        seed,
    }
}
