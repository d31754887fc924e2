//! The readers of a load: queries by weight, every answer judged.
//!
//! The main type is [`Readers`]. Flux and InfluxQL go to the destination on the measured path; SQL
//! goes to the source through its own client, which signs every request. What the source answers
//! is asked for beforehand where the load's answers are held against it.

use std::sync::{Arc, OnceLock};

use cutover_clients::influx::{InfluxClient, flux_body, influxql_body};
use cutover_clients::timestream::TimestreamClient;
use cutover_load::{
    Body, BodyRule, HttpRequest, Labelled, Operation, Outcome, OutcomeClass, Pace, Recording,
    RunOptions, run_closed, run_open,
};
use cutover_model::scenario::{QueryLanguage, QueryPair, ReadLoad, RightAnswer, WeightedQuery};

use super::CollectError;
use super::driven::class_of;
use super::measured::request_of;
use super::queries::{Point, Question, agree, ask_source, flux_points, influxql_points};
use crate::step::StepCx;

/// More questions of a pair than these are judged each time anew, even if the answer is the same.
const REMEMBERED: usize = 10_000;

/// The readers of a load.
pub(super) struct Readers<'a> {
    read: &'a ReadLoad,
    seed: u64,
    /// For each query, the source's answers to all of its questions, where they are asked for.
    expected: Vec<Option<Vec<Vec<Point>>>>,
}

impl<'a> Readers<'a> {
    /// Gets ready; asks the source what is right, where the file wants that.
    pub(super) async fn new(read: &'a ReadLoad, cx: &StepCx<'_>) -> Result<Self, CollectError> {
        let mut expected = Vec::new();
        for query in &read.queries {
            expected.push(match read.answers {
                RightAnswer::HasValues => None,
                RightAnswer::SameAsSource => {
                    Some(all_answers(&cx.stores.source, &query.pair).await?)
                }
            });
        }
        Ok(Self { read, seed: cx.planned.seed, expected })
    }

    /// What is asked of the destination, by query.
    pub(super) fn requests(&self, client: &InfluxClient) -> Vec<Labelled<HttpRequest>> {
        let queries = self.read.queries.iter().zip(&self.expected);
        queries.map(|(query, expected)| self.request(client, query, expected.clone())).collect()
    }

    fn request(
        &self,
        client: &InfluxClient,
        WeightedQuery { pair, weight }: &WeightedQuery,
        expected: Option<Vec<Vec<Point>>>,
    ) -> Labelled<HttpRequest> {
        let (seed, language) = (self.seed, self.read.language);
        let request = match language {
            QueryLanguage::InfluxQl => client.prepared_influxql(),
            QueryLanguage::Flux | QueryLanguage::Sql => client.prepared_query(),
        };
        let asked = pair.clone();
        let body = Body::Written(Arc::new(move |k, out: &mut Vec<u8>| {
            let question = Question::of(&asked, seed, k);
            out.extend(match question.influxql().filter(|_| language == QueryLanguage::InfluxQl) {
                Some(influxql) => influxql_body(&influxql),
                None => flux_body(&question.flux()),
            });
            1
        }));
        let judge = AnswerJudge::new(pair.clone(), language, expected);
        let right = BodyRule::Judged(Arc::new(move |k, body: &[u8]| {
            let place = Question::of(&judge.pair, seed, k).place();
            judge.is_right(place, body)
        }));
        let operation = request_of(request, body, (200, right));
        Labelled { label: pair.id.clone(), weight: *weight, operation }
    }

    /// Asks the source itself until the load is over.
    pub(super) async fn ask_source(
        &self,
        pace: Pace,
        options: RunOptions,
        cx: &StepCx<'_>,
    ) -> Result<Recording, CollectError> {
        let operations = self.read.queries.iter().map(|WeightedQuery { pair, weight }| Labelled {
            label: pair.id.clone(),
            weight: *weight,
            operation: AskingSource {
                source: cx.stores.source.clone(),
                pair: Arc::new(pair.clone()),
                seed: self.seed,
            },
        });
        let (operations, stop) = (operations.collect(), cx.cx.stop.receiver());
        let recording = match pace {
            Pace::Open(schedule) => run_open(operations, schedule, options, stop).await,
            Pace::Closed(closed) => run_closed(operations, closed, options, stop).await,
        };
        Ok(recording?)
    }
}

/// The source's answers to all questions of a pair.
async fn all_answers(
    source: &TimestreamClient,
    pair: &QueryPair,
) -> Result<Vec<Vec<Point>>, CollectError> {
    let mut answers = Vec::new();
    for place in 0..Question::count(pair) {
        let question = Question::at(pair, place);
        let answer = ask_source(source, &question.sql(), &pair.answer).await;
        let answer = answer.map_err(CollectError::Source)?;
        if answer.is_empty() {
            let problem = format!("it has no answer to {}, so none can be right", question.name());
            return Err(CollectError::Shape { store: "source", problem });
        }
        answers.push(answer);
    }
    Ok(answers)
}

/// Says whether answers to the questions of one pair are right.
struct AnswerJudge {
    pair: QueryPair,
    language: QueryLanguage,
    /// By the question's place.
    expected: Option<Vec<Vec<Point>>>,
    /// By the question's place, an answer that was right: the same bytes are right again.
    known: Vec<OnceLock<Vec<u8>>>,
}

impl AnswerJudge {
    fn new(pair: QueryPair, language: QueryLanguage, expected: Option<Vec<Vec<Point>>>) -> Self {
        let questions = Some(Question::count(&pair)).filter(|count| *count <= REMEMBERED);
        let known = (0..questions.unwrap_or_default()).map(|_| OnceLock::new()).collect();
        Self { pair, language, expected, known }
    }

    fn is_right(&self, place: usize, body: &[u8]) -> bool {
        let known = self.known.get(place);
        if known.and_then(OnceLock::get).is_some_and(|known| known == body) {
            return true;
        }
        let right = self.read(body).is_some_and(|points| match &self.expected {
            Some(expected) => expected
                .get(place)
                .is_some_and(|source| agree(source, &points, self.pair.answer.tolerance)),
            None => !points.is_empty(),
        });
        if let (true, Some(known)) = (right, known) {
            // Another thread may have been first, with as much right.
            known.get_or_init(|| body.to_vec());
        }
        right
    }

    /// The values of an answer, if it is one.
    fn read(&self, body: &[u8]) -> Option<Vec<Point>> {
        match self.language {
            QueryLanguage::InfluxQl => influxql_points(body, &self.pair).ok(),
            QueryLanguage::Flux | QueryLanguage::Sql => flux_points(body, &self.pair.answer).ok(),
        }
    }
}

/// Asking the source the questions of one pair.
#[derive(Clone)]
struct AskingSource {
    source: TimestreamClient,
    pair: Arc<QueryPair>,
    seed: u64,
}

impl Operation for AskingSource {
    async fn run(&self, k: u64) -> Outcome {
        let question = Question::of(&self.pair, self.seed, k);
        match ask_source(&self.source, &question.sql(), &self.pair.answer).await {
            Ok(points) if points.is_empty() => Outcome::failed(OutcomeClass::WrongAnswer),
            Ok(_) => Outcome::ok(1),
            Err(error) => Outcome::failed(class_of(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use cutover_model::FieldValue;
    use cutover_model::scenario::{Answer, InfluxQl, Tolerance};

    use super::*;

    fn judge(language: QueryLanguage, expected: Option<f64>) -> AnswerJudge {
        let pair = QueryPair {
            id: "q".to_owned(),
            file: "q.yaml".into(),
            parameters: Vec::new(),
            sql: String::new(),
            flux: String::new(),
            influxql: Some(InfluxQl { text: String::new(), value: "peak".to_owned() }),
            answer: Answer {
                sql_time: Some("t".to_owned()),
                sql_value: "v".to_owned(),
                flux_time: Some("_time".to_owned()),
                flux_value: "_value".to_owned(),
                tolerance: Tolerance::Exact,
            },
        };
        let point = |value| vec![(Some(1_000_000_000), FieldValue::Float(value))];
        AnswerJudge::new(pair, language, expected.map(|value| vec![point(value)]))
    }

    fn flux(value: &str) -> Vec<u8> {
        let head = "#datatype,string,long,dateTime:RFC3339,double\r\n\
                    #group,false,false,false,false\r\n\
                    #default,_result,,,\r\n,result,table,_time,_value\r\n";
        format!("{head},,0,1970-01-01T00:00:01Z,{value}\r\n\r\n").into_bytes()
    }

    #[test]
    fn a_wrong_value_is_wrong_only_where_the_source_is_asked() {
        assert!(judge(QueryLanguage::Flux, None).is_right(0, &flux("7")));
        let judge = judge(QueryLanguage::Flux, Some(7.5));
        assert!(!judge.is_right(0, &flux("7")));
        assert!(judge.is_right(0, &flux("7.5")));
        // The same again, now from memory; and another one still is not right.
        assert!(judge.is_right(0, &flux("7.5")));
        assert!(!judge.is_right(0, &flux("7")));
    }

    #[test]
    fn influxql_is_read_by_its_own_column() {
        let judge = judge(QueryLanguage::InfluxQl, Some(7.5));
        assert!(judge.is_right(0, b"name,tags,time,peak\nm,,1000000000,7.5\n"));
        assert!(!judge.is_right(0, b"name,tags,time,peak\nm,,1000000001,7.5\n"));
        assert!(!judge.is_right(0, b"name,tags,time,low\nm,,1000000000,7.5\n"));
    }

    #[test]
    fn an_answer_that_is_empty_or_broken_off_is_wrong() {
        for language in [QueryLanguage::Flux, QueryLanguage::InfluxQl] {
            let judge = judge(language, None);
            assert!(!judge.is_right(0, b""));
            assert!(!judge.is_right(0, b"error,reference\nfailed,897\n"));
        }
        assert!(!judge(QueryLanguage::Flux, None).is_right(0, &flux("7")[..120]));
    }
}
