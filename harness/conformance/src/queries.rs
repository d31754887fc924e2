//! Generated queries over generated data, asked of the stand-in and of a real server.
//!
//! A disagreement that the real server repeats is made small and, on request, kept as a file that
//! the stand-in's own tests replay. Where the real server disagrees with itself there is no
//! verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cutover_cases::compare::{self, Class, Difference, TableOrder};
use cutover_cases::{Answer, Draws, KeptCase, Language, Request, table_order_is_defined};

use crate::generate::{DataSet, flux, influxql};
use crate::outcome::{Failure, Outcome};
use crate::server::{Pair, PairError, ServerError};
use crate::shrink::{Query, Subject, smaller, smaller_data};

/// How many queries are asked about one data set.
const QUERIES_A_SET: u64 = 25;

/// How often the real server is asked again before a disagreement counts.
const AGAIN: usize = 4;

/// How many requests one disagreement may cost until it is small.
const SHRINK_REQUESTS: usize = 250;

/// How many refusals that are worded alike are made small.
const ALIKE: usize = 2;

/// How many queries without a verdict are shown.
const NOTES: usize = 40;

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
    #[error("the real server cannot be started anew")]
    Real(#[from] PairError),
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
    Differ(Disagreement),
}

/// Two answers that differ.
#[derive(Clone, Debug)]
struct Disagreement {
    /// Whether the stand-in did not come to an end: too slow to be asked again and again.
    took_too_long: bool,
    difference: Difference,
    ours: Answer,
    real: Answer,
}

impl Disagreement {
    /// What it has in common with others of the same cause: the class, and for refusals both
    /// messages without places, numbers and names.
    fn signature(&self) -> String {
        let class = self.difference.class;
        if !matches!(class, Class::Status | Class::Wording | Class::Error) {
            return class.word().to_owned();
        }
        let told = |answer: &Answer| match answer.refusal() {
            Some(refusal) => format!("{} {}", answer.status, masked(&refusal.message)),
            None => answer.status.to_string(),
        };
        format!("{} {} {}", class.word(), told(&self.ours), told(&self.real))
    }
}

/// A message without what stands in quotes and without digits.
fn masked(message: &str) -> String {
    let outside = message.split('"').step_by(2).collect::<Vec<_>>().join("…");
    outside.chars().filter(|letter| !letter.is_ascii_digit()).collect()
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
        shrunk: BTreeMap::new(),
        buckets: 0,
        lives: [0, 0],
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
    if let Some(bucket) = set {
        run.drop_set(bucket).await?;
    }
    Ok(run.outcome)
}

/// A data set in a bucket of both servers.
struct Stored {
    data: DataSet,
    bucket: String,
    /// Its bucket in the stand-in and in the real server.
    ids: [String; 2],
    /// The lives of both servers in which it was stored.
    lives: [u64; 2],
}

struct Run<'a> {
    outcome: Outcome,
    /// What was kept already, by class and functions.
    kept: BTreeSet<String>,
    /// How many were made small, by what they have in common.
    shrunk: BTreeMap<String, usize>,
    buckets: u64,
    /// How often the stand-in and the real server were started anew, with nothing in them.
    lives: [u64; 2],
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
            self.pair.standin.server.fill_bucket(&bucket, &lines),
            self.pair.real.fill_bucket(&bucket, &lines),
        )?;
        Ok(Stored { data, bucket, ids: [ours, theirs], lives: self.lives })
    }

    /// Stores a data set again in a server that was started anew since.
    async fn restore(&mut self, stored: &mut Stored) -> Result<(), QueriesError> {
        let servers = [&self.pair.standin.server, &self.pair.real];
        for (at, server) in servers.into_iter().enumerate() {
            if stored.lives[at] != self.lives[at] {
                stored.ids[at] = server.fill_bucket(&stored.bucket, &stored.data.lines()).await?;
            }
        }
        stored.lives = self.lives;
        Ok(())
    }

    async fn drop_set(&mut self, mut stored: Stored) -> Result<(), QueriesError> {
        self.restore(&mut stored).await?;
        let [ours, theirs] = &stored.ids;
        tokio::try_join!(
            self.pair.standin.server.drop_bucket(ours),
            self.pair.real.drop_bucket(theirs)
        )?;
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
            Verdict::Differ(found) => self.disagreement(subject, found, n).await?,
        }
        Ok(())
    }

    /// Asks both. A real server that dies of a question or does not end is started anew.
    async fn verdict(
        &mut self,
        subject: &Subject,
        stored: &mut Stored,
    ) -> Result<Verdict, QueriesError> {
        self.restore(stored).await?;
        let text = subject.query.text();
        let request = request(&subject.query, &stored.bucket, &subject.data);
        let (ours, theirs) =
            tokio::join!(self.pair.standin.server.ask(&request), self.pair.real.ask(&request));
        let Ok(real) = theirs else {
            self.pair.restart_real().await?;
            self.lives[1] += 1;
            self.note("the real server did not answer", &text);
            return Ok(Verdict::None("the real server did not answer and was started anew"));
        };
        let ours = match ours {
            Ok(ours) => ours,
            Err(error) => {
                let took_too_long = matches!(error, ServerError::TimedOut { .. });
                let place = error.to_string();
                let difference = Difference { class: Class::Unreadable, place };
                let ours = Answer { status: 0, body: String::new() };
                self.pair.standin.restart().await?;
                self.lives[0] += 1;
                return Ok(Verdict::Differ(Disagreement { took_too_long, difference, ours, real }));
            }
        };
        if ours.is_outside() {
            return Ok(Verdict::Outside(ours.body));
        }
        if real.body.contains("panic:") || real.body.contains("An internal error has occurred") {
            self.note("the real server panics", &text);
            return Ok(Verdict::None("the real server panics"));
        }
        let mut order = table_order(&text, self.options.language);
        if compare::answers(&ours, &real, order).is_ok() {
            return Ok(Verdict::Agree);
        }
        for _ in 0..AGAIN {
            let again = self.pair.real.ask(&request).await?;
            match compare::answers(&again, &real, order) {
                Ok(()) => {}
                Err(Difference { class: Class::TableOrder, .. }) => order = TableOrder::Free,
                Err(_) => {
                    return Ok(Verdict::None("the real server gives another answer each time"));
                }
            }
        }
        Ok(match compare::answers(&ours, &real, order) {
            Ok(()) => Verdict::Agree,
            Err(difference) => {
                Verdict::Differ(Disagreement { took_too_long: false, difference, ours, real })
            }
        })
    }

    /// Tells of a query that the real server does badly, so that it can be left out.
    fn note(&mut self, what: &str, query: &str) {
        if self.outcome.notes.len() < NOTES {
            self.outcome.notes.push(format!("{what}: {}", query.replace('\n', " ")));
        }
    }

    async fn disagreement(
        &mut self,
        subject: Subject,
        found: Disagreement,
        n: u64,
    ) -> Result<(), QueriesError> {
        let class = found.difference.class;
        let (mut small, mut found) = (subject, found);
        let of_all = self.shrunk.values().sum::<usize>();
        let alike = self.shrunk.entry(found.signature()).or_default();
        // Refusals that are worded alike have one cause; other differences only look alike.
        let enough = if refused(&found) { *alike >= ALIKE } else { false };
        if of_all < self.options.shrink && !enough && !found.took_too_long {
            *alike += 1;
            (small, found) = self.shrink(small, found).await?;
        }
        let name = format!("{}-{}", class.word().replace(' ', "-"), small.query.name());
        let text = small.query.text();
        self.outcome.failures.push(Failure {
            class: class.word().to_owned(),
            name: format!("query {n}: {}", text.replace('\n', " ")),
            difference: found.difference.place.clone(),
        });
        if let Some(folder) = &self.options.keep
            && self.kept.insert(name.clone())
        {
            let origin = format!("seed {}, query {n}", self.options.seed);
            keep(folder, &name, &kept_case(&small, origin, &found, self.options.language))?;
        }
        Ok(())
    }

    /// Takes the first smaller subject that shows the same, again and again: queries first, then
    /// data, until neither gets smaller.
    async fn shrink(
        &mut self,
        subject: Subject,
        found: Disagreement,
    ) -> Result<(Subject, Disagreement), QueriesError> {
        let mut best = (subject, found);
        let mut left = SHRINK_REQUESTS;
        loop {
            let mut stored = self.store(best.0.data.clone()).await?;
            let mut query_shrunk = false;
            while let Some(next) = self.smaller_query(&best, &mut stored, &mut left).await? {
                best = next;
                query_shrunk = true;
            }
            self.drop_set(stored).await?;
            let mut data_shrunk = false;
            while let Some(next) = self.with_smaller_data(&best, &mut left).await? {
                best = next;
                data_shrunk = true;
            }
            if left == 0 || !(query_shrunk || data_shrunk) {
                return Ok(best);
            }
        }
    }

    async fn smaller_query(
        &mut self,
        best: &(Subject, Disagreement),
        stored: &mut Stored,
        left: &mut usize,
    ) -> Result<Option<(Subject, Disagreement)>, QueriesError> {
        for query in smaller(&best.0.query) {
            if *left == 0 {
                break;
            }
            *left -= 1;
            let subject = Subject { query, data: best.0.data.clone() };
            if let Some(found) = self.shows(&subject, stored, &best.1).await? {
                return Ok(Some((subject, found)));
            }
        }
        Ok(None)
    }

    async fn with_smaller_data(
        &mut self,
        best: &(Subject, Disagreement),
        left: &mut usize,
    ) -> Result<Option<(Subject, Disagreement)>, QueriesError> {
        for data in smaller_data(&best.0.data) {
            if *left == 0 {
                break;
            }
            *left -= 1;
            let subject = Subject { query: best.0.query.clone(), data };
            let mut stored = self.store(subject.data.clone()).await?;
            let found = self.shows(&subject, &mut stored, &best.1).await?;
            self.drop_set(stored).await?;
            if let Some(found) = found {
                return Ok(Some((subject, found)));
            }
        }
        Ok(None)
    }

    async fn shows(
        &mut self,
        subject: &Subject,
        stored: &mut Stored,
        known: &Disagreement,
    ) -> Result<Option<Disagreement>, QueriesError> {
        Ok(match self.verdict(subject, stored).await? {
            Verdict::Differ(found) if found.signature() == known.signature() => Some(found),
            _ => None,
        })
    }
}

fn refused(found: &Disagreement) -> bool {
    matches!(found.difference.class, Class::Status | Class::Wording)
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
    found: &Disagreement,
    language: Language,
) -> KeptCase {
    let lines = |text: &str| {
        text.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect::<Vec<_>>()
    };
    KeptCase {
        class: found.difference.class.word().to_owned(),
        origin,
        language,
        now: now(&subject.data),
        lines: subject.data.lines(),
        query: lines(&subject.query.text()),
        status: found.real.status,
        answer: lines(&found.real.body),
    }
}

fn keep(folder: &Path, name: &str, case: &KeptCase) -> Result<(), QueriesError> {
    let short: String = name.chars().take(80).map(|it| if it == '.' { '_' } else { it }).collect();
    let file = folder.join(format!("{short}.json"));
    let text = serde_json::to_string_pretty(case).unwrap_or_default() + "\n";
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&file, text));
    written.map_err(|cause| QueriesError::Keep { file, cause })
}
