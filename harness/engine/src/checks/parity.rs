//! Parity: do both stores hold the same rows of some data sets?
//!
//! `collect` reads both stores in the order of series and time, as two streams, and compares them
//! row by row in bounded memory. `judge` holds the counts against what the file expects. The
//! comparison itself is the `parity` crate's.

use std::collections::BTreeMap;
use std::sync::Arc;

use cutover_model::event::{Fact, Figure};
use cutover_model::scenario::{DataSet, ParitySabotage, ParityStep, Tolerance};
use cutover_model::{Expectation, Finding, FindingCode, Judgement, Verdict, Witness};
use cutover_parity::{
    Comparison, Diagnosis, Difference, DifferenceClass, FieldSchema, Limits, Outcome, Schema, Side,
};
use serde::{Deserialize, Serialize};

use super::{Check, CollectError};
use crate::sabotage;
use crate::step::StepCx;
use crate::streams::{DestinationStream, SourceStream};

/// The check, and the break to make first if this run is for one.
pub(crate) struct ParityCheck<'a> {
    pub(crate) step: &'a ParityStep,
    pub(crate) sabotage: Option<&'a ParitySabotage>,
}

/// What was seen of all data sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParityEvidence {
    /// Each data set, in the order of the file.
    pub sets: Vec<SetEvidence>,
}

/// What was seen of one data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetEvidence {
    /// The data set.
    pub data: String,
    /// Its bucket.
    pub bucket: String,
    /// Its measurement.
    pub measurement: String,
    /// Counts, digests and witnesses.
    pub outcome: Outcome,
    /// Columns of the destination that the data set does not have, and how many rows have them.
    pub unknown_columns: BTreeMap<String, u64>,
}

impl Check for ParityCheck<'_> {
    type Evidence = ParityEvidence;

    fn subject(&self) -> &'static str {
        "both stores hold the same rows"
    }

    async fn collect(&self, cx: &StepCx<'_>) -> Result<ParityEvidence, CollectError> {
        if let Some(sabotage) = self.sabotage {
            let first = cx.data(&self.step.data).next();
            let data = first.ok_or_else(|| CollectError::Sabotage("no data set".to_owned()))?;
            sabotage::alter(&cx.stores.destination, data, sabotage, cx.planned.seed).await?;
        }
        let mut sets = Vec::new();
        let mut before = 0;
        for data in cx.data(&self.step.data) {
            let set = self.compare(data, before, cx).await?;
            before += set.outcome.source_rows;
            sets.push(set);
        }
        Ok(ParityEvidence { sets })
    }

    fn judge(&self, evidence: &ParityEvidence) -> Verdict {
        judge(self.step, evidence)
    }

    fn facts(&self, evidence: &ParityEvidence) -> Vec<Fact> {
        let facts = evidence.sets.iter().flat_map(|set| {
            let fact = |what: &str, count| Fact::count(format!("{}: {what}", set.data), count);
            [
                fact("rows in the source", set.outcome.source_rows),
                fact("rows in the destination", set.outcome.destination_rows),
                fact("rows alike", set.outcome.matched - set.outcome.differing),
                Fact::text(
                    format!("{}: digest of the source", set.data),
                    set.outcome.source_digest.to_string(),
                ),
                Fact::text(
                    format!("{}: digest of the destination", set.data),
                    set.outcome.destination_digest.to_string(),
                ),
            ]
        });
        facts.collect()
    }

    fn figures(&self, _: &ParityEvidence) -> Vec<Figure> {
        Vec::new()
    }
}

impl ParityCheck<'_> {
    async fn compare(
        &self,
        data: &DataSet,
        before: u64,
        cx: &StepCx<'_>,
    ) -> Result<SetEvidence, CollectError> {
        let schema = Arc::new(self.schema(data));
        let mut comparison = Comparison::new(Arc::clone(&schema), Limits::default())?;
        let mut source = SourceStream::open(&cx.stores.source, data, &schema);
        let mut destination = DestinationStream::open(&cx.stores.reader, data, &schema).await?;
        let mut rows = 0;
        while let Some(side) = comparison.wants() {
            let batch = match side {
                Side::Source => source.next().await?,
                Side::Destination => destination.next().await?,
            };
            match batch {
                Some(batch) => {
                    if side == Side::Source {
                        rows += batch.len() as u64;
                        cx.progress(before + rows, None, "rows");
                    }
                    comparison.push(side, batch)?;
                }
                None => comparison.end(side),
            }
        }
        Ok(SetEvidence {
            data: data.name.to_string(),
            bucket: data.bucket.clone(),
            measurement: data.measurement.clone(),
            outcome: comparison.finish()?,
            unknown_columns: destination.into_unknown_columns(),
        })
    }

    fn schema(&self, data: &DataSet) -> Schema {
        let tolerance = |field: &str| {
            let named = self.step.tolerances.iter().find(|(name, _)| name == field);
            named.map_or(Tolerance::Exact, |(_, tolerance)| *tolerance)
        };
        Schema {
            tags: data.tags.iter().map(|tag| tag.tag.clone()).collect(),
            fields: data
                .fields
                .iter()
                .map(|field| FieldSchema {
                    name: field.field.clone(),
                    field_type: field.field_type,
                    tolerance: tolerance(&field.field),
                })
                .collect(),
        }
    }
}

/// Holds the counts against what the file expects.
pub fn judge(step: &ParityStep, evidence: &ParityEvidence) -> Verdict {
    let total = |count: fn(&SetEvidence) -> u64| evidence.sets.iter().map(count).sum::<u64>();
    let compared = total(|set| set.outcome.matched);
    let expect = step.expect;
    let expectations = vec![
        enough(compared, expect.min_rows),
        at_most("missing rows", total(|set| set.outcome.missing()), expect.missing),
        at_most("extra rows", total(|set| set.outcome.extra()), expect.extra),
        at_most(
            "different values",
            total(|set| set.outcome.different() + set.unknown_columns.values().sum::<u64>()),
            expect.different,
        ),
        at_most("duplicate rows", total(|set| set.outcome.duplicates()), 0),
    ];
    Verdict { expectations, findings: evidence.sets.iter().flat_map(findings).collect() }
}

fn enough(compared: u64, min_rows: u64) -> Expectation {
    let enough = compared >= min_rows;
    Expectation {
        expected: format!("rows compared >= {min_rows}"),
        observed: compared.to_string(),
        judgement: if enough { Judgement::Pass } else { Judgement::Inconclusive },
        reason: (!enough).then(|| "too few rows are in both stores to say anything".to_owned()),
        timed: false,
    }
}

fn at_most(what: &str, found: u64, allowed: u64) -> Expectation {
    let sign = if allowed == 0 { "=" } else { "<=" };
    Expectation {
        expected: format!("{what} {sign} {allowed}"),
        observed: found.to_string(),
        judgement: if found <= allowed { Judgement::Pass } else { Judgement::Fail },
        reason: None,
        timed: false,
    }
}

fn findings(set: &SetEvidence) -> Vec<Finding> {
    let unknown = set.unknown_columns.iter().map(|(column, rows)| Finding {
        code: FindingCode::FieldExtra,
        message: format!(
            "{rows} rows of the destination have `{column}`, which the data set does not have"
        ),
        witness: None,
    });
    let patterns = set.outcome.diagnoses.iter().map(|diagnosis| pattern(set, diagnosis));
    let witnesses = set.outcome.witnesses.iter().map(|difference| witness(set, difference));
    patterns.chain(unknown).chain(witnesses).collect()
}

fn pattern(set: &SetEvidence, diagnosis: &Diagnosis) -> Finding {
    let Diagnosis { pattern, explained, of } = diagnosis;
    Finding {
        code: FindingCode::PatternFound,
        message: format!("{}: {pattern} ({explained} of {of} differences)", set.data),
        witness: None,
    }
}

fn witness(set: &SetEvidence, difference: &Difference) -> Finding {
    let (code, message) = match difference.class {
        DifferenceClass::MissingRow => {
            (FindingCode::RowMissing, "a row of the source is not in the destination")
        }
        DifferenceClass::ExtraRow => {
            (FindingCode::RowExtra, "a row of the destination is not in the source")
        }
        DifferenceClass::DuplicateSourceRow => {
            (FindingCode::RowDuplicated, "the source has a row twice")
        }
        DifferenceClass::DuplicateDestinationRow => {
            (FindingCode::RowDuplicated, "the destination has a row twice")
        }
        DifferenceClass::MissingField => {
            (FindingCode::FieldMissing, "the destination has no value where the source has one")
        }
        DifferenceClass::ExtraField => {
            (FindingCode::FieldExtra, "the destination has a value where the source has none")
        }
        DifferenceClass::ValueDiffers => (FindingCode::ValueDiffers, "the values differ"),
        DifferenceClass::TypeDiffers => (FindingCode::TypeDiffers, "the types differ"),
    };
    Finding {
        code,
        message: message.to_owned(),
        witness: Some(Witness {
            bucket: set.bucket.clone(),
            measurement: set.measurement.clone(),
            tags: difference.tags.clone(),
            time_ns: difference.time_ns,
            field: difference.field.clone(),
            source: difference.source.clone(),
            destination: difference.destination.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use cutover_model::scenario::ParityExpect;

    use super::*;

    fn step(min_rows: u64) -> ParityStep {
        ParityStep {
            data: Vec::new(),
            tolerances: Vec::new(),
            expect: ParityExpect { missing: 0, extra: 0, different: 0, min_rows },
            sabotage: Vec::new(),
        }
    }

    fn evidence(matched: u64, counts: &[(DifferenceClass, u64)]) -> ParityEvidence {
        let outcome = Outcome {
            source_rows: matched,
            destination_rows: matched,
            matched,
            counts: counts.iter().copied().collect(),
            ..Outcome::default()
        };
        let set = SetEvidence {
            data: "d".to_owned(),
            bucket: "b".to_owned(),
            measurement: "m".to_owned(),
            outcome,
            unknown_columns: BTreeMap::new(),
        };
        ParityEvidence { sets: vec![set] }
    }

    #[test]
    fn equal_stores_with_enough_rows_pass() {
        assert_eq!(judge(&step(100), &evidence(100, &[])).judgement(), Judgement::Pass);
    }

    #[test]
    fn one_row_too_few_is_inconclusive_even_without_differences() {
        assert_eq!(judge(&step(100), &evidence(99, &[])).judgement(), Judgement::Inconclusive);
    }

    #[test]
    fn two_empty_stores_are_inconclusive() {
        let nothing = ParityEvidence { sets: Vec::new() };
        assert_eq!(judge(&step(1), &nothing).judgement(), Judgement::Inconclusive);
    }

    #[test]
    fn one_difference_of_any_class_fails() {
        for class in DifferenceClass::ALL {
            let verdict = judge(&step(100), &evidence(100, &[(class, 1)]));
            assert_eq!(verdict.judgement(), Judgement::Fail, "{class}");
        }
    }

    #[test]
    fn a_column_that_only_the_destination_has_fails() {
        let mut evidence = evidence(100, &[]);
        evidence.sets[0].unknown_columns.insert("extra".to_owned(), 1);
        assert_eq!(judge(&step(100), &evidence).judgement(), Judgement::Fail);
    }
}
