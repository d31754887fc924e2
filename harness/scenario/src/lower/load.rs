//! The load step.

use std::time::Duration;

use cutover_model::scenario::{
    Limit, LoadAbort, LoadExpect, LoadModel, LoadSabotage, LoadStep, LoadSubject, QueryLanguage,
    QueryPair, ReadLoad, RightAnswer, Statistic, Transport, WeightedQuery, WriteLoad,
};

use super::arrival::{Counted, Phase};
use super::latency::length;
use super::{Lowering, min_samples};
use crate::mistakes::Place;
use crate::reader::At;
use crate::wire::items;
use crate::wire::load::{
    AnswersWire, LanguageWire, LoadAbortWire, LoadExpectWire, LoadSabotageWire, LoadSubjectWire,
    LoadWire, ReadWire, WeightedUseWire,
};
use crate::wire::scalar::{PositiveLength, Size, Threads};

/// Connections of an open load, unless the file says.
const DEFAULT_CONNECTIONS: u32 = 64;
/// Threads that send, unless the file says. One is far faster than any server.
const DEFAULT_THREADS: u32 = 1;
/// How long a request may go unanswered, unless the file says.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// What of a load step decides which limits make sense.
pub(super) struct Operations<'a> {
    pub(super) write: Declared<'a, WriteLoad>,
    pub(super) read: Declared<'a, ReadLoad>,
    pub(super) warm_up: Duration,
    /// From the start of the load to its end, where it is known.
    pub(super) whole: Option<Duration>,
}

/// A part that a file may have, as far as it could be read.
pub(super) enum Declared<'a, T> {
    Absent,
    /// It is there, and its own mistakes are told.
    Unclear,
    Known(&'a T),
}

impl<'a, T> Declared<'a, T> {
    pub(super) fn new<W>(wire: Option<&W>, made: Option<&'a T>) -> Self {
        match (wire, made) {
            (None, _) => Self::Absent,
            (Some(_), None) => Self::Unclear,
            (Some(_), Some(made)) => Self::Known(made),
        }
    }

    fn is_there(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    fn known(&self) -> Option<&'a T> {
        match self {
            Self::Known(known) => Some(known),
            Self::Absent | Self::Unclear => None,
        }
    }
}

/// What readers ask, as a file says it.
type Asked<'a> =
    (&'a [At<WeightedUseWire>], Option<&'a At<LanguageWire>>, Option<&'a At<AnswersWire>>);

impl Lowering<'_> {
    pub(super) fn load(&mut self, wire: &At<LoadWire>) -> Option<LoadStep> {
        let LoadWire { write, read, warm_up, duration, expect, abort, prove, sabotage, .. } =
            &wire.value;
        if let Some(read) = read {
            self.expect_migrated_data(&read.place);
        }
        let warm_up = length(warm_up.as_ref());
        let duration = duration.as_ref().map(|duration| duration.value.0);
        let phase = |counted| Phase::new(counted, warm_up, duration);
        let writers =
            write.as_ref().and_then(|write| self.write_load(write, phase(Counted::Points)));
        let readers =
            read.as_ref().and_then(|read| self.read_load(&read.value, phase(Counted::Queries)));
        let operations = Operations {
            write: Declared::new(write.as_ref(), writers.as_ref()),
            read: Declared::new(read.as_ref(), readers.as_ref()),
            warm_up,
            whole: phase(Counted::Queries).whole,
        };
        let (mut limits, mut aborts) = (Vec::new(), Vec::new());
        for entry in items(expect.as_ref()) {
            limits.extend(self.load_expect(entry, &operations));
        }
        for entry in items(abort.as_ref()) {
            aborts.extend(self.load_abort(entry, &operations));
        }
        let prove = !items(prove.as_ref()).is_empty();
        self.check_writes(&wire.value, prove);
        self.check_sabotage(items(sabotage.as_ref()), &operations);
        let LoadWire { connections, threads, timeout, .. } = &wire.value;
        if let Some(connections) = connections
            && operations.all_are_closed()
        {
            let message = "users have a connection each, and there is no open load here";
            self.mistakes.warning(&connections.place, message, "remove this");
        }
        expect.as_ref()?;
        Some(LoadStep {
            transport: transport((connections, threads, timeout)),
            write: writers,
            read: readers,
            warm_up,
            duration: duration?,
            expect: limits,
            abort: aborts,
            prove_no_acknowledged_write_lost: prove,
            sabotage: items(sabotage.as_ref()).iter().map(load_sabotage).collect(),
        })
    }

    fn read_load(&mut self, wire: &ReadWire, phase: Phase) -> Option<ReadLoad> {
        let ReadWire { open, closed, queries, language, answers } = wire;
        let model = match (open, closed) {
            (Some(open), _) => self.arrivals(open, phase).map(LoadModel::Open),
            (None, Some(closed)) => self.users(&closed.value, phase),
            (None, None) => None,
        };
        let asked = (items(queries.as_ref()), language.as_ref(), answers.as_ref());
        let (queries, language, answers) = self.asked(asked)?;
        Some(ReadLoad { model: model?, queries, language, answers })
    }

    /// What is asked, in which language, and which answers are right.
    pub(super) fn asked(
        &mut self,
        (uses, language, answers): Asked<'_>,
    ) -> Option<(Vec<WeightedQuery>, QueryLanguage, RightAnswer)> {
        let language = match language.map(|language| &language.value) {
            Some(LanguageWire::InfluxQl) => QueryLanguage::InfluxQl,
            Some(LanguageWire::Sql) => QueryLanguage::Sql,
            Some(LanguageWire::Flux) | None => QueryLanguage::Flux,
        };
        let right = match answers.map(|answers| &answers.value) {
            Some(AnswersWire::SameAsSource) => RightAnswer::SameAsSource,
            Some(AnswersWire::HasValues) | None => RightAnswer::HasValues,
        };
        if let (RightAnswer::SameAsSource, QueryLanguage::Sql, Some(answers)) =
            (right, language, answers)
        {
            let message = "SQL is asked of the source, whose answers would be held against its own";
            let help = "remove this, or ask in `flux` or `influxql`";
            self.mistakes.error(&answers.place, message, help);
        }
        let names: Vec<_> = uses.iter().map(|wire| wire.value.query.as_ref()).collect();
        let pairs = self.queries(&names)?;
        if language == QueryLanguage::InfluxQl {
            self.check_influxql(uses, &pairs);
        }
        let weight =
            |wire: &At<WeightedUseWire>| wire.value.weight.as_ref().map_or(1, |it| it.value.0);
        let queries = pairs.into_iter().zip(uses);
        let queries = queries.map(|(pair, wire)| WeightedQuery { pair, weight: weight(wire) });
        Some((queries.collect(), language, right))
    }

    fn check_influxql(&mut self, uses: &[At<WeightedUseWire>], pairs: &[QueryPair]) {
        for (wire, pair) in uses.iter().zip(pairs) {
            let Some(name) = wire.value.query.as_ref().filter(|_| pair.influxql.is_none()) else {
                continue;
            };
            let message = format!("the query `{}` has no InfluxQL", name.value.0);
            self.mistakes.error(&name.place, message, "add it to its file under `influxql`");
        }
    }

    /// Refuses a proof or a sabotage of writes where nothing writes.
    fn check_writes(&mut self, wire: &LoadWire, prove: bool) {
        let absent = wire.write.is_none();
        for proof in items(wire.prove.as_ref()).iter().filter(|_| absent) {
            let message = "nothing here writes, so nothing can be lost";
            self.mistakes.error(&proof.place, message, "add `write`, or remove this");
        }
        for sabotage in items(wire.sabotage.as_ref()) {
            if let LoadSabotageWire::SwallowWrites(_) = sabotage.value {
                if absent {
                    let message = "nothing here writes, so no write can be swallowed";
                    self.mistakes.error(&sabotage.place, message, "add `write`, or remove this");
                } else if !prove {
                    let message = "nothing in this step would notice a swallowed write";
                    let help = "add `prove: [no_acknowledged_write_lost]`";
                    self.mistakes.warning(&sabotage.place, message, help);
                }
            }
        }
    }

    /// Refuses a break that nothing of the step could meet, and warns of one that nothing sees.
    pub(super) fn check_sabotage(
        &mut self,
        breaks: &[At<LoadSabotageWire>],
        operations: &Operations<'_>,
    ) {
        let (writes, reads) = (operations.write.is_there(), operations.read.is_there());
        let readers = operations.read.known();
        let of_source = readers.is_some_and(|readers| readers.language == QueryLanguage::Sql);
        for sabotage in breaks {
            let meets_readers = matches!(sabotage.value, LoadSabotageWire::WrongAnswer(_));
            if of_source && (meets_readers || !writes) {
                let message = "this breaks the destination, and SQL is asked of the source";
                self.mistakes.error(&sabotage.place, message, "remove this");
            } else if meets_readers && !reads {
                let message = "nothing here reads, so no answer can be wrong";
                self.mistakes.error(&sabotage.place, message, "add `read`, or remove this");
            } else if meets_readers
                && readers.is_some_and(|readers| readers.answers != RightAnswer::SameAsSource)
            {
                let message = "nothing in this step would notice a wrong answer";
                let help = "add `answers: same_as_source` to `read`";
                self.mistakes.warning(&sabotage.place, message, help);
            }
        }
    }

    fn load_abort(
        &mut self,
        entry: &At<LoadAbortWire>,
        operations: &Operations<'_>,
    ) -> Option<LoadAbort> {
        let LoadAbortWire { on, over, .. } = &entry.value;
        let over = over.as_ref()?;
        let counted = operations.whole.map(|whole| whole.saturating_sub(operations.warm_up));
        if counted.is_some_and(|counted| over.value.0 > counted) {
            let message = "the window is longer than the load counts, so it would never be full";
            self.mistakes.error(&over.place, message, "shorten it, or lengthen `duration`");
        }
        let (writes, reads) = (operations.write.is_there(), operations.read.is_there());
        let subject = match (on.as_ref().map(|on| &on.value), writes, reads) {
            (Some(LoadSubjectWire::Write), ..) | (None, true, false) => Some(LoadSubject::Write),
            (Some(LoadSubjectWire::Read), ..) | (None, false, true) => Some(LoadSubject::Read),
            (Some(LoadSubjectWire::All) | None, ..) => None,
        };
        let place = on.as_ref().map_or(&entry.place, |on| &on.place);
        let Some(subject) = subject else {
            let message = "writers and readers are watched each by themselves";
            self.mistakes.error(place, message, "add `on: write` or `on: read`");
            return None;
        };
        self.check_subject(subject, place, operations);
        let sql = |read: &ReadLoad| read.language == QueryLanguage::Sql;
        if subject == LoadSubject::Read && operations.read.known().is_some_and(sql) {
            let message = "queries in SQL go through AWS's own client and cannot be stopped so";
            self.mistakes.error(place, message, "remove this, or ask in `flux` or `influxql`");
        }
        let (statistic, limit) = abort_limit(&entry.value)?;
        Some(LoadAbort { subject, statistic, limit, over: over.value.0 })
    }

    fn check_subject(&mut self, subject: LoadSubject, place: &Place, operations: &Operations<'_>) {
        if !operations.produce(subject) {
            let kind = if subject == LoadSubject::Write { "write" } else { "read" };
            let message = format!("no operation of this step is a {kind}");
            let help = format!("add `{kind}` to the step, or remove this limit");
            self.mistakes.error(place, message, help);
        }
    }

    pub(super) fn load_expect(
        &mut self,
        entry: &At<LoadExpectWire>,
        operations: &Operations<'_>,
    ) -> Vec<LoadExpect> {
        let subject = match entry.value.on.as_ref().map(|on| &on.value) {
            Some(LoadSubjectWire::Write) => LoadSubject::Write,
            Some(LoadSubjectWire::Read) => LoadSubject::Read,
            Some(LoadSubjectWire::All) | None => LoadSubject::All,
        };
        if let Some(on) = &entry.value.on {
            self.check_subject(subject, &on.place, operations);
        }
        let least = min_samples(entry.value.min_samples.as_ref());
        if let Some(samples) = operations.expected(subject) {
            self.check_samples(samples, least, &entry.place);
        }
        if subject == LoadSubject::All && operations.come_about_differently() {
            let message = "a rate and users who wait have no figures in common";
            let help = "add `on: write` or `on: read`, and a limit for each";
            self.mistakes.error(&entry.place, message, help);
        }
        let mut expectations = Vec::new();
        for (statistic, limit, place) in statistics(&entry.value) {
            if statistic == Statistic::Achieved && operations.asks_for_no_rate(subject) {
                let message = "`achieved` needs a rate, and users who wait ask for none";
                let help = "limit `operations`, or name the open load with `on`";
                self.mistakes.error(place, message, help);
            }
            expectations.push(LoadExpect { subject, statistic, limit, min_samples: least });
        }
        expectations
    }
}

impl Operations<'_> {
    fn produce(&self, subject: LoadSubject) -> bool {
        match subject {
            LoadSubject::Write => self.write.is_there(),
            LoadSubject::Read => self.read.is_there(),
            // That there is either is another rule's business.
            LoadSubject::All => true,
        }
    }

    fn asks_for_no_rate(&self, subject: LoadSubject) -> bool {
        subject != LoadSubject::Read && self.write.known().is_some_and(write_by_users)
            || subject != LoadSubject::Write && self.read.known().is_some_and(read_by_users)
    }

    fn come_about_differently(&self) -> bool {
        let both = self.write.known().zip(self.read.known());
        both.is_some_and(|(write, read)| write_by_users(write) != read_by_users(read))
    }

    fn all_are_closed(&self) -> bool {
        let writers = !self.write.is_there() || self.write.known().is_some_and(write_by_users);
        writers && (!self.read.is_there() || self.read.known().is_some_and(read_by_users))
    }

    /// How many requests the subject makes while they count. Known for open loads only.
    fn expected(&self, subject: LoadSubject) -> Option<f64> {
        let requests = |model: &LoadModel, units: u32| match model {
            LoadModel::Open(arrivals) => {
                Some(arrivals.expected(self.warm_up, self.whole?) / f64::from(units))
            }
            LoadModel::Closed { .. } => None,
        };
        let mut expected = 0.0;
        if subject != LoadSubject::Read && self.write.is_there() {
            let WriteLoad { source, batch, .. } = self.write.known()?;
            expected += requests(source.model()?, *batch)?;
        }
        if subject != LoadSubject::Write && self.read.is_there() {
            expected += requests(&self.read.known()?.model, 1)?;
        }
        (expected > 0.0).then_some(expected)
    }
}

/// Whether writers are users who wait for their answers.
fn write_by_users(write: &WriteLoad) -> bool {
    !write.source.is_open()
}

/// Whether readers are.
fn read_by_users(read: &ReadLoad) -> bool {
    matches!(read.model, LoadModel::Closed { .. })
}

/// How requests reach the server, as a file says it.
type TransportKeys<'a> =
    (&'a Option<At<Size>>, &'a Option<At<Threads>>, &'a Option<At<PositiveLength>>);

pub(super) fn transport((connections, threads, timeout): TransportKeys<'_>) -> Transport {
    Transport {
        connections: connections.as_ref().map_or(DEFAULT_CONNECTIONS, |it| it.value.0),
        threads: threads.as_ref().map_or(DEFAULT_THREADS, |it| it.value.0),
        timeout: timeout.as_ref().map_or(DEFAULT_TIMEOUT, |it| it.value.0),
    }
}

fn abort_limit(wire: &LoadAbortWire) -> Option<(Statistic, Limit)> {
    let LoadAbortWire { on: _, p50, p90, p95, p99, p999, errors, over: _ } = wire;
    let timed = [
        (Statistic::P50, p50),
        (Statistic::P90, p90),
        (Statistic::P95, p95),
        (Statistic::P99, p99),
        (Statistic::P999, p999),
    ];
    let timed = timed
        .into_iter()
        .find_map(|(statistic, limit)| limit.as_ref().map(|limit| (statistic, limit.value.0)));
    timed.or_else(|| errors.as_ref().map(|limit| (Statistic::Errors, limit.value.0)))
}

fn statistics(wire: &LoadExpectWire) -> Vec<(Statistic, Limit, &Place)> {
    let LoadExpectWire {
        on: _,
        p50,
        p90,
        p95,
        p99,
        p999,
        max,
        mean,
        errors,
        achieved,
        operations,
        min_samples: _,
    } = wire;
    let timed = [
        (Statistic::P50, p50),
        (Statistic::P90, p90),
        (Statistic::P95, p95),
        (Statistic::P99, p99),
        (Statistic::P999, p999),
        (Statistic::Max, max),
        (Statistic::Mean, mean),
    ];
    let mut limits = Vec::new();
    for (statistic, wire) in timed {
        limits.extend(wire.as_ref().map(|limit| (statistic, limit.value.0, &limit.place)));
    }
    let errors = errors.as_ref().map(|limit| (Statistic::Errors, limit.value.0, &limit.place));
    let achieved =
        achieved.as_ref().map(|limit| (Statistic::Achieved, limit.value.0, &limit.place));
    let operations =
        operations.as_ref().map(|limit| (Statistic::Operations, limit.value.0, &limit.place));
    limits.into_iter().chain(errors).chain(achieved).chain(operations).collect()
}

pub(super) fn load_sabotage(wire: &At<LoadSabotageWire>) -> LoadSabotage {
    match &wire.value {
        LoadSabotageWire::SwallowWrites(share) => LoadSabotage::SwallowWrites(share.value.0),
        LoadSabotageWire::FailRequests(share) => LoadSabotage::FailRequests(share.value.0),
        LoadSabotageWire::WrongAnswer(share) => LoadSabotage::WrongAnswer(share.value.0),
        LoadSabotageWire::AddLatency(by) => LoadSabotage::AddLatency(by.value.0),
    }
}
