//! Query pairs: the same question in SQL and in Flux, and whether the answers agree.

use std::collections::BTreeMap;

use cutover_clients::ClientError;
use cutover_clients::influx::{FluxChunk, FluxValue, InfluxClient, decode_answer};
use cutover_clients::timestream::{TimestreamClient, TimestreamValue};
use cutover_model::draw::draw;
use cutover_model::scenario::{Answer, QueryPair, Tolerance};
use cutover_model::{FieldValue, Store};
use serde::{Deserialize, Serialize};

/// Disagreements that are kept word by word; the rest is counted.
const WITNESSES: usize = 20;

/// One value of an answer, at its instant unless the answer is a single value.
pub(crate) type Point = (Option<i64>, FieldValue);

/// The `k`th question of a mix: which pair, and what stands for its parameters.
pub(crate) struct Question<'a> {
    pub(crate) pair: &'a QueryPair,
    values: Vec<(&'a str, &'a str)>,
}

impl<'a> Question<'a> {
    /// The pairs are asked in turn; the values are drawn from the seed.
    pub(crate) fn draw(pairs: &'a [QueryPair], seed: u64, k: u64) -> Option<Self> {
        let index = usize::try_from(k % (pairs.len().max(1) as u64)).ok()?;
        let pair = pairs.get(index)?;
        let drawn = pair.parameters.iter().zip(0_u64..).filter_map(|(parameter, stream)| {
            let count = parameter.values.len().max(1) as u64;
            let index = usize::try_from(draw(seed, stream, k) % count).ok()?;
            Some((parameter.name.as_str(), parameter.values.get(index)?.as_str()))
        });
        Some(Self { pair, values: drawn.collect() })
    }

    pub(crate) fn sql(&self) -> String {
        self.filled(&self.pair.sql)
    }

    pub(crate) fn flux(&self) -> String {
        self.filled(&self.pair.flux)
    }

    fn filled(&self, text: &str) -> String {
        let fill = |text: String, (name, value): &(&str, &str)| {
            text.replace(&format!("${{{name}}}"), value)
        };
        self.values.iter().fold(text.to_owned(), fill)
    }

    /// As reports name it: `generation_trend(region=SE)`.
    fn name(&self) -> String {
        let values: Vec<String> =
            self.values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{}({})", self.pair.id, values.join(", "))
    }
}

/// Asks the source and reads every page.
pub(crate) async fn ask_source(
    source: &TimestreamClient,
    sql: &str,
    answer: &Answer,
) -> Result<Vec<Point>, ClientError> {
    let mut pages = source.query(sql);
    let mut points = Vec::new();
    while let Some(page) = pages.next_page().await? {
        let place = |name: &str| {
            let found = page.columns.iter().position(|column| column.name == name);
            found.ok_or_else(|| no_column(name))
        };
        let time = answer.sql_time.as_deref().map(place).transpose()?;
        let value = place(&answer.sql_value)?;
        for cells in &page.rows {
            let at = match time.map(|time| &cells[time]) {
                Some(TimestreamValue::Timestamp(time_ns)) => Some(*time_ns),
                Some(_) => return Err(no_time()),
                None => None,
            };
            if let TimestreamValue::Field(value) = &cells[value] {
                points.push((at, value.clone()));
            }
        }
    }
    points.sort_by_key(|(at, _)| *at);
    Ok(points)
}

/// Asks the destination and reads the whole answer.
pub(crate) async fn ask_destination(
    destination: &InfluxClient,
    flux: &str,
    answer: &Answer,
) -> Result<Vec<Point>, ClientError> {
    let mut rows = destination.query(flux).await?;
    let mut points = Vec::new();
    while let Some(chunk) = rows.next().await? {
        read_points(&chunk, answer, &mut points)?;
    }
    points.sort_by_key(|(at, _)| *at);
    Ok(points)
}

/// Whether a whole answer of the destination has values, and no mistake in it.
pub(crate) fn has_values(body: &[u8], answer: &Answer) -> bool {
    let Ok(chunks) = decode_answer(body) else { return false };
    let mut points = Vec::new();
    let read = chunks.iter().try_for_each(|chunk| read_points(chunk, answer, &mut points));
    read.is_ok() && !points.is_empty()
}

fn read_points(
    chunk: &FluxChunk,
    answer: &Answer,
    points: &mut Vec<Point>,
) -> Result<(), ClientError> {
    let place = |name: &str| chunk.schema().position(name).ok_or_else(|| no_column(name));
    let time = answer.flux_time.as_deref().map(place).transpose()?;
    let value = place(&answer.flux_value)?;
    for row in chunk.rows() {
        let at = match time.map(|time| row.value(time)).transpose()? {
            Some(FluxValue::Time(time_ns)) => Some(time_ns),
            Some(_) => return Err(no_time()),
            None => None,
        };
        if let Some(value) = row.value(value)?.to_field() {
            points.push((at, value));
        }
    }
    Ok(())
}

fn no_column(name: &str) -> ClientError {
    let problem = format!("it has no column `{name}`");
    ClientError::Malformed { operation: "query", problem }
}

fn no_time() -> ClientError {
    let problem = "a row has no time".to_owned();
    ClientError::Malformed { operation: "query", problem }
}

/// How the answers of both stores compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Questions that both stores answered.
    pub compared: u64,
    /// Values that were compared.
    pub points: u64,
    /// Questions on which the answers differ.
    pub differing: u64,
    /// The first disagreements.
    pub witnesses: Vec<Disagreement>,
}

/// One place where two answers differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Disagreement {
    /// The question.
    pub question: String,
    /// The instant, unless the answer is a single value.
    pub time_ns: Option<i64>,
    /// The source's value, if it has one there.
    pub source: Option<FieldValue>,
    /// The destination's value, if it has one there.
    pub destination: Option<FieldValue>,
}

/// Answers that wait for the other store's, and what the compared ones came to.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    waiting: BTreeMap<u64, (Store, Option<Vec<Point>>)>,
    agreement: Agreement,
}

impl Answers {
    /// Takes the answer to question `k`, or that there is none. Whichever store comes second has
    /// the two compared.
    pub(crate) fn take(
        &mut self,
        (k, question): (u64, &Question<'_>),
        store: Store,
        points: Option<Vec<Point>>,
    ) {
        let Some((first, other)) = self.waiting.remove(&k) else {
            self.waiting.insert(k, (store, points));
            return;
        };
        debug_assert_ne!(first, store, "each store answers a question once");
        let (Some(points), Some(other)) = (points, other) else { return };
        let (source, destination) = match store {
            Store::Source => (points, other),
            Store::Destination => (other, points),
        };
        self.compare(question, &source, &destination);
    }

    fn compare(&mut self, question: &Question<'_>, source: &[Point], destination: &[Point]) {
        let agreement = &mut self.agreement;
        agreement.compared += 1;
        agreement.points += source.len().max(destination.len()) as u64;
        let tolerance = question.pair.answer.tolerance;
        let first = first_difference(source, destination, tolerance);
        let Some((time_ns, source, destination)) = first else { return };
        agreement.differing += 1;
        if agreement.witnesses.len() < WITNESSES {
            let question = question.name();
            agreement.witnesses.push(Disagreement { question, time_ns, source, destination });
        }
    }

    pub(crate) fn into_agreement(self) -> Agreement {
        self.agreement
    }
}

type Difference = (Option<i64>, Option<FieldValue>, Option<FieldValue>);

/// The first place where two answers differ, both in the order of time.
fn first_difference(
    source: &[Point],
    destination: &[Point],
    tolerance: Tolerance,
) -> Option<Difference> {
    let longest = source.len().max(destination.len());
    for index in 0..longest {
        match (source.get(index), destination.get(index)) {
            (Some((at, ours)), Some((other, theirs))) if at == other => {
                if !alike(ours, theirs, tolerance) {
                    return Some((*at, Some(ours.clone()), Some(theirs.clone())));
                }
            }
            // The earlier of the two is the one that the other store does not have.
            (Some((at, value)), Some((other, _))) if at < other => {
                return Some((*at, Some(value.clone()), None));
            }
            (Some((at, value)), None) => return Some((*at, Some(value.clone()), None)),
            (_, Some((at, value))) => return Some((*at, None, Some(value.clone()))),
            (None, None) => return None,
        }
    }
    None
}

fn alike(source: &FieldValue, destination: &FieldValue, tolerance: Tolerance) -> bool {
    source == destination
        || match (number(source), number(destination)) {
            (Some(a), Some(b)) => tolerance.allows_floats(a, b),
            _ => false,
        }
}

/// The numbers of a query's answer: whether a count is an integer or a float is the language's
/// choice and no difference of the data.
fn number(value: &FieldValue) -> Option<f64> {
    match value {
        FieldValue::Float(value) => Some(*value),
        FieldValue::Integer(value) => Some(*value as f64),
        FieldValue::Unsigned(value) => Some(*value as f64),
        FieldValue::Text(_) | FieldValue::Boolean(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(values: &[(i64, f64)]) -> Vec<Point> {
        values.iter().map(|(at, value)| (Some(*at), FieldValue::Float(*value))).collect()
    }

    #[test]
    fn equal_answers_have_no_difference() {
        let answer = floats(&[(1, 1.0), (2, 2.0)]);
        assert_eq!(first_difference(&answer, &answer, Tolerance::Exact), None);
    }

    #[test]
    fn a_point_that_one_store_lacks_is_the_difference() {
        let source = floats(&[(1, 1.0), (2, 2.0), (3, 3.0)]);
        let destination = floats(&[(1, 1.0), (3, 3.0)]);
        let expected = Some((Some(2), Some(FieldValue::Float(2.0)), None));
        assert_eq!(first_difference(&source, &destination, Tolerance::Exact), expected);
    }

    #[test]
    fn an_answer_that_ends_early_differs() {
        let source = floats(&[(1, 1.0), (2, 2.0)]);
        let found = first_difference(&source, &floats(&[(1, 1.0)]), Tolerance::Exact);
        assert_eq!(found, Some((Some(2), Some(FieldValue::Float(2.0)), None)));
    }

    #[test]
    fn a_value_just_beyond_the_tolerance_differs() {
        let tolerance = Tolerance::Absolute(0.5);
        assert!(alike(&FieldValue::Float(1.0), &FieldValue::Float(1.5), tolerance));
        assert!(!alike(&FieldValue::Float(1.0), &FieldValue::Float(1.501), tolerance));
    }

    #[test]
    fn a_nan_is_within_no_tolerance() {
        let nan = FieldValue::Float(f64::NAN);
        assert!(!alike(&nan, &nan, Tolerance::Relative(1.0)));
    }
}
