//! Query pairs: the same question in SQL and in Flux, and whether the answers agree.

use std::collections::BTreeMap;

use cutover_clients::ClientError;
use cutover_clients::influx::{FluxChunk, FluxValue, InfluxClient, decode_answer, decode_influxql};
use cutover_clients::timestream::{TimestreamClient, TimestreamValue};
use cutover_model::draw::draw;
use cutover_model::scenario::{Answer, QueryPair, Tolerance};
use cutover_model::{FieldValue, Store};
use serde::{Deserialize, Serialize};

/// Disagreements that are kept word by word; the rest is counted.
const WITNESSES: usize = 20;

/// One value of an answer, at its instant unless the answer is a single value.
pub(crate) type Point = (Option<i64>, FieldValue);

/// A query pair with values for its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) pair: &'a QueryPair,
    /// For each parameter, which of its values.
    chosen: Vec<usize>,
}

impl<'a> Question<'a> {
    /// The `k`th question of a mix: the pairs are asked in turn.
    pub(crate) fn draw(pairs: &'a [QueryPair], seed: u64, k: u64) -> Option<Self> {
        let index = usize::try_from(k % (pairs.len().max(1) as u64)).ok()?;
        Some(Self::of(pairs.get(index)?, seed, k))
    }

    /// The `k`th question of a pair: its values are drawn from the seed.
    pub(crate) fn of(pair: &'a QueryPair, seed: u64, k: u64) -> Self {
        let drawn = pair.parameters.iter().zip(0_u64..).map(|(parameter, stream)| {
            let count = parameter.values.len().max(1) as u64;
            usize::try_from(draw(seed, stream, k) % count).unwrap_or_default()
        });
        Self { pair, chosen: drawn.collect() }
    }

    /// How many questions a pair has.
    pub(crate) fn count(pair: &QueryPair) -> usize {
        let counts = pair.parameters.iter().map(|parameter| parameter.values.len());
        counts.fold(1, usize::saturating_mul)
    }

    /// The question of a pair at a place from 0 to below [`count`](Self::count).
    pub(crate) fn at(pair: &'a QueryPair, place: usize) -> Self {
        let mut left = place;
        let chosen = pair.parameters.iter().map(|parameter| {
            let count = parameter.values.len().max(1);
            let chosen = left % count;
            left /= count;
            chosen
        });
        Self { pair, chosen: chosen.collect() }
    }

    /// Its place among all questions of its pair.
    pub(crate) fn place(&self) -> usize {
        let parameters = self.pair.parameters.iter().zip(&self.chosen).rev();
        parameters.fold(0, |place, (parameter, chosen)| place * parameter.values.len() + chosen)
    }

    pub(crate) fn sql(&self) -> String {
        self.filled(&self.pair.sql)
    }

    pub(crate) fn flux(&self) -> String {
        self.filled(&self.pair.flux)
    }

    /// The question in InfluxQL, if the pair has any.
    pub(crate) fn influxql(&self) -> Option<String> {
        self.pair.influxql.as_ref().map(|query| self.filled(&query.text))
    }

    fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        let parameters = self.pair.parameters.iter().zip(&self.chosen);
        parameters.filter_map(|(parameter, chosen)| {
            Some((parameter.name.as_str(), parameter.values.get(*chosen)?.as_str()))
        })
    }

    fn filled(&self, text: &str) -> String {
        let fill = |text: String, (name, value)| text.replace(&format!("${{{name}}}"), value);
        self.values().fold(text.to_owned(), fill)
    }

    /// As reports name it: `generation_trend(region=SE)`.
    pub(crate) fn name(&self) -> String {
        let values: Vec<String> =
            self.values().map(|(name, value)| format!("{name}={value}")).collect();
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

/// The values of a whole answer of the destination to Flux.
pub(crate) fn flux_points(body: &[u8], answer: &Answer) -> Result<Vec<Point>, ClientError> {
    let mut points = Vec::new();
    for chunk in decode_answer(body)? {
        read_points(&chunk, answer, &mut points)?;
    }
    points.sort_by_key(|(at, _)| *at);
    Ok(points)
}

/// The values of a whole answer of the destination to InfluxQL.
pub(crate) fn influxql_points(body: &[u8], pair: &QueryPair) -> Result<Vec<Point>, ClientError> {
    let column = pair.influxql.as_ref().map_or("", |query| query.value.as_str());
    // A single value has an instant in InfluxQL too, which says nothing.
    let timed = pair.answer.flux_time.is_some();
    let values = decode_influxql(body, column)?;
    let mut points: Vec<Point> =
        values.into_iter().map(|(at, value)| (timed.then_some(at), value)).collect();
    points.sort_by_key(|(at, _)| *at);
    Ok(points)
}

/// Whether two answers are alike, both in the order of time.
pub(crate) fn agree(source: &[Point], destination: &[Point], tolerance: Tolerance) -> bool {
    first_difference(source, destination, tolerance).is_none()
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
    use cutover_model::scenario::QueryParameter;

    use super::*;

    fn pair(parameters: &[&[&str]]) -> QueryPair {
        let parameters = parameters.iter().zip('a'..).map(|(values, name)| QueryParameter {
            name: name.to_string(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        });
        QueryPair {
            id: "q".to_owned(),
            file: "q.yaml".into(),
            parameters: parameters.collect(),
            sql: "${a} ${b}".to_owned(),
            flux: String::new(),
            influxql: None,
            answer: Answer {
                sql_time: None,
                sql_value: "v".to_owned(),
                flux_time: None,
                flux_value: "v".to_owned(),
                tolerance: Tolerance::Exact,
            },
        }
    }

    #[test]
    fn every_question_of_a_pair_has_a_place_of_its_own() {
        let pair = pair(&[&["x", "y"], &["1", "2", "3"]]);
        let texts: Vec<_> =
            (0..Question::count(&pair)).map(|place| Question::at(&pair, place).sql()).collect();
        assert_eq!(texts, ["x 1", "y 1", "x 2", "y 2", "x 3", "y 3"]);
        for k in 0..50 {
            let question = Question::of(&pair, 7, k);
            assert_eq!(Question::at(&pair, question.place()).sql(), question.sql());
        }
    }

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
