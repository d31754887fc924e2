//! Generated queries over generated data, asked of the stand-in and of a real server.
//!
//! A disagreement that the real server repeats is made small and, on request, kept as a file that
//! the stand-in's own tests replay. Where the real server disagrees with itself there is no verdict.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cutover_cases::compare::{self, Class, Difference, TableOrder};
use cutover_cases::{Answer, Draws, KeptCase, Language, Request, table_order_is_defined};

use crate::generate::{DataSet, flux, influxql};
use crate::outcome::{Failure, Outcome};
use crate::real::RealError;
use crate::server::{Pair, Server, ServerError};
use crate::shrink::{Query, Subject, smaller, smaller_data};

/// How many queries are asked about one data set.
const QUERIES_A_SET: u64 = 25;

/// How often the real server is asked again before a disagreement counts.
const AGAIN: usize = 4;

/// How many requests one disagreement may cost until it is small.
const SHRINK_REQUESTS: usize = 250;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many queries.
    pub count: u64,
    /// What they are drawn from.
    pub seed: u64,
    /// The language.
    pub language: Language,
    /// Where disagreements are kept.
    pub keep: Option<PathBuf>,
    /// How many disagreements are made small.
    pub shrink: usize,
}

/// Queries that could not be compared to the end.
#[derive(Debug, thiserror::Error)]
pub enum QueriesError {
    /// No real server.
    #[error("the real server cannot be had")]
    Real(#[from] RealError),
    /// The servers do not take the data.
    #[error("a server does not take the data")]
    Server(#[from] ServerError),
    /// A case cannot be kept.
    #[error("`{}` cannot be written", file.display())]
    Keep {
        /// The file.
        file: PathBuf,
        /// Why not.
        #[source]
        cause: std::io::Error,
    },
}

/// What both servers say to one query.
enum Verdict {
    Agree,
    Outside(String),
    None(&'static str),
    Differ { difference: Difference, real: Answer },
}

/// Asks the queries.
pub async fn run(pair: &mut Pair, options: &Options) -> Result<Outcome, QueriesError> {
    let language = match options.language {
        Language::Flux => "Flux",
        Language::InfluxQl => "InfluxQL",
    };
    let mut run = Run {
        outcome: Outcome::new(&format!("generated {language} queries, seed {}", options.seed)),
        kept: BTreeSet::new(),
        shrunk: 0,
        buckets: 0,
        options,
        pair,
    };
    let mut set = None;
    for n in 0..options.count {
        if n % QUERIES_A_SET == 0 {
            if let Some(bucket) = set.take() {
                run.drop_set(bucket).await?;
            }
            set = Some(run.data_set(n / QUERIES_A_SET).await?);
        }
        if let Some(bucket) = &mut set {
            run.one(bucket, n).await?;
        }
    }
    Ok(run.outcome)
}

/// A data set in a bucket of both servers.
struct Stored {
    data: DataSet,
    bucket: String,
    ids: [String; 2],
}

struct Run<'a> {
    outcome: Outcome,
    /// What was kept already, by class and functions.
    kept: BTreeSet<String>,
    shrunk: usize,
    buckets: u64,
    options: &'a Options,
    pair: &'a mut Pair,
}

impl Run<'_> {
    async fn data_set(&mut self, number: u64) -> Result<Stored, QueriesError> {
        let mut draws = Draws::new(self.options.seed, number << 32);
        self.store(DataSet::generate(&mut draws)).await
    }

    async fn store(&mut self, data: DataSet) -> Result<Stored, QueriesError> {
        self.buckets += 1;
        let bucket = format!("g{}", self.buckets);
        let lines = data.lines();
        let (ours, theirs) = tokio::try_join!(
            self.pair.standin.fill_bucket(&bucket, &lines),
            self.pair.real.fill_bucket(&bucket, &lines),
        )?;
        Ok(Stored { data, bucket, ids: [ours, theirs] })
    }

    async fn drop_set(&mut self, stored: Stored) -> Result<(), QueriesError> {
        let [ours, theirs] = &stored.ids;
        tokio::try_join!(self.pair.standin.drop_bucket(ours), self.pair.real.drop_bucket(theirs))?;
        Ok(())
    }

    /// The `n`th query about the data set that it belongs to.
    async fn one(&mut self, stored: &mut Stored, n: u64) -> Result<(), QueriesError> {
        let stream = ((n / QUERIES_A_SET) << 32) + n % QUERIES_A_SET + 1;
        let mut draws = Draws::new(self.options.seed, stream);
        let query = match self.options.language {
            Language::Flux => Query::Flux(flux::script(&mut draws, &stored.data)),
            Language::InfluxQl => Query::InfluxQl(influxql::statement(&mut draws, &stored.data)),
        };
        let subject = Subject { query, data: stored.data.clone() };
        match self.verdict(&subject, stored).await? {
            Verdict::Agree => self.outcome.agreed += 1,
            Verdict::Outside(message) => self.outcome.count_outside(&message),
            Verdict::None(reason) => self.outcome.count_no_verdict(reason),
            Verdict::Differ { difference, real } => {
                self.disagreement(subject, difference, real, n).await?;
            }
        }
        Ok(())
    }

    /// Asks both. A real server that dies of a question or does not end is started anew.
    async fn verdict(
        &mut self,
        subject: &Subject,
        stored: &mut Stored,
    ) -> Result<Verdict, QueriesError> {
        let text = subject.query.text();
        let request = request(&subject.query, &stored.bucket, &subject.data);
        let (ours, theirs) =
            tokio::join!(self.pair.standin.ask(&request), self.pair.real.ask(&request));
        let Ok(real) = theirs else {
            self.pair.restart_real().await?;
            let lines = stored.data.lines();
            stored.ids[1] = self.pair.real.fill_bucket(&stored.bucket, &lines).await?;
            return Ok(Verdict::None("the real server did not answer and was started anew"));
        };
        let ours = match ours {
            Ok(ours) => ours,
            Err(error) => {
                let place = error.to_string();
                let difference = Difference { class: Class::Unreadable, place };
                return Ok(Verdict::Differ { difference, real });
            }
        };
        if ours.is_outside() {
            return Ok(Verdict::Outside(ours.body));
        }
        let order = table_order(&text, self.options.language);
        let Err(difference) = compare::answers(&ours, &real, order) else {
            return Ok(Verdict::Agree);
        };
        for _ in 0..AGAIN {
            let again = self.pair.real.ask(&request).await?;
            if compare::answers(&again, &real, order).is_err() {
                return Ok(Verdict::None("the real server gives another answer each time"));
            }
        }
        Ok(Verdict::Differ { difference, real })
    }

    async fn disagreement(
        &mut self,
        subject: Subject,
        difference: Difference,
        real: Answer,
        n: u64,
    ) -> Result<(), QueriesError> {
        let class = difference.class;
        let (mut small, mut difference, mut real) = (subject, difference, real);
        if self.shrunk < self.options.shrink && class != Class::Unreadable {
            self.shrunk += 1;
            (small, difference, real) = self.shrink(small, difference, real).await?;
        }
        let name = format!("{}-{}", class.word().replace(' ', "-"), small.query.name());
        let text = small.query.text();
        self.outcome.failures.push(Failure {
            class: class.word().to_owned(),
            name: format!("query {n}: {}", text.replace('\n', " ")),
            difference: difference.place.clone(),
        });
        if let Some(folder) = &self.options.keep
            && self.kept.insert(name.clone())
        {
            let origin = format!("seed {}, query {n}: {difference}", self.options.seed);
            keep(folder, &name, &kept_case(&small, origin, &real, self.options.language, class))?;
        }
        Ok(())
    }

    /// Takes the first smaller subject that shows the same class of difference, again and again.
    async fn shrink(
        &mut self,
        subject: Subject,
        difference: Difference,
        real: Answer,
    ) -> Result<(Subject, Difference, Answer), QueriesError> {
        let class = difference.class;
        let mut best = (subject, difference, real);
        let mut left = SHRINK_REQUESTS;
        loop {
            let before = best.0.data.points.len() + best.0.query.text().len();
            let mut stored = self.store(best.0.data.clone()).await?;
            'query: loop {
                for query in smaller(&best.0.query) {
                    let subject = Subject { query, data: best.0.data.clone() };
                    left = left.saturating_sub(1);
                    if let Some((difference, real)) =
                        self.shows(&subject, &mut stored, class).await?
                    {
                        best = (subject, difference, real);
                        continue 'query;
                    }
                    if left == 0 {
                        break 'query;
                    }
                }
                break;
            }
            self.drop_set(stored).await?;
            'data: loop {
                for data in smaller_data(&best.0.data) {
                    left = left.saturating_sub(1);
                    let subject = Subject { query: best.0.query.clone(), data };
                    let mut stored = self.store(subject.data.clone()).await?;
                    let shown = self.shows(&subject, &mut stored, class).await?;
                    self.drop_set(stored).await?;
                    if let Some((difference, real)) = shown {
                        best = (subject, difference, real);
                        continue 'data;
                    }
                    if left == 0 {
                        break 'data;
                    }
                }
                break;
            }
            if left == 0 || best.0.data.points.len() + best.0.query.text().len() == before {
                return Ok(best);
            }
        }
    }

    async fn shows(
        &mut self,
        subject: &Subject,
        stored: &mut Stored,
        class: Class,
    ) -> Result<Option<(Difference, Answer)>, QueriesError> {
        Ok(match self.verdict(subject, stored).await? {
            Verdict::Differ { difference, real } if difference.class == class => {
                Some((difference, real))
            }
            _ => None,
        })
    }
}

fn table_order(text: &str, language: Language) -> TableOrder {
    match language {
        Language::Flux if !table_order_is_defined(text) => TableOrder::Free,
        Language::Flux | Language::InfluxQl => TableOrder::Counts,
    }
}

/// The instant of `now()`: the end of the data.
fn now(data: &DataSet) -> String {
    crate::generate::time_literal(data.stop_ns)
}

fn request(query: &Query, bucket: &str, data: &DataSet) -> Request {
    match query {
        Query::Flux(script) => {
            let text = script.to_string();
            let text = text.replace("bucket: \"b\"", &format!("bucket: \"{bucket}\""));
            Request::flux(&text, Some(&now(data)))
        }
        Query::InfluxQl(statement) => Request::influxql(bucket, &statement.to_string()),
    }
}

fn kept_case(
    subject: &Subject,
    origin: String,
    real: &Answer,
    language: Language,
    class: Class,
) -> KeptCase {
    let lines = |text: &str| {
        text.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect::<Vec<_>>()
    };
    KeptCase {
        class: class.word().to_owned(),
        origin,
        language,
        now: now(&subject.data),
        lines: subject.data.lines(),
        query: lines(&subject.query.text()),
        status: real.status,
        answer: lines(&real.body),
    }
}

fn keep(folder: &Path, name: &str, case: &KeptCase) -> Result<(), QueriesError> {
    let short: String = name.chars().take(80).map(|it| if it == '.' { '_' } else { it }).collect();
    let file = folder.join(format!("{short}.json"));
    let text = serde_json::to_string_pretty(case).unwrap_or_default() + "\n";
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&file, text));
    written.map_err(|cause| QueriesError::Keep { file, cause })
}

/// Asks a kept case of a server, in a bucket that is gone afterwards.
pub async fn replay(server: &Server, case: &KeptCase) -> Result<Answer, ServerError> {
    let id = server.fill_bucket("kept", &case.lines).await?;
    let answer = server.ask(&case.request("kept")).await?;
    server.drop_bucket(&id).await?;
    Ok(answer)
}
