//! The load step.

use std::time::Duration;

use cutover_model::scenario::{
    Limit, LoadExpect, LoadModel, LoadSabotage, LoadStep, LoadSubject, ReadLoad, Statistic,
    WriteLoad,
};

use super::latency::length;
use super::{Lowering, min_samples};
use crate::mistakes::Place;
use crate::reader::At;
use crate::wire::items;
use crate::wire::latency::OpenWire;
use crate::wire::load::{
    ClosedWire, LoadExpectWire, LoadSabotageWire, LoadSubjectWire, LoadWire, ReadWire, WriteWire,
};

/// How many series generated points are spread over, unless the file says.
const DEFAULT_SERIES: u32 = 100;

/// What of a load step decides which limits make sense.
struct Operations {
    writes: bool,
    reads: bool,
    /// The models that could be read, each with the units of one request.
    models: Vec<(LoadSubject, LoadModel, u32)>,
    duration: Option<Duration>,
}

impl Lowering<'_> {
    pub(super) fn load(&mut self, wire: &At<LoadWire>) -> Option<LoadStep> {
        let LoadWire { write, read, warm_up, duration, expect, prove, sabotage } = &wire.value;
        if let Some(read) = read {
            self.expect_migrated_data(&read.place);
        }
        let writers = write.as_ref().and_then(|write| write_load(&write.value));
        let readers = read.as_ref().and_then(|read| self.read_load(&read.value));
        let mut models = Vec::new();
        models.extend(writers.map(|write| (LoadSubject::Write, write.model, write.batch)));
        models.extend(readers.as_ref().map(|read| (LoadSubject::Read, read.model, 1)));
        let operations = Operations {
            writes: write.is_some(),
            reads: read.is_some(),
            models,
            duration: duration.as_ref().map(|duration| duration.value.0),
        };
        let mut limits = Vec::new();
        for entry in items(expect.as_ref()) {
            limits.extend(self.load_expect(entry, &operations));
        }
        let prove = !items(prove.as_ref()).is_empty();
        self.check_writes(&wire.value, prove);
        expect.as_ref()?;
        Some(LoadStep {
            write: writers,
            read: readers,
            warm_up: length(warm_up.as_ref()),
            duration: duration.as_ref()?.value.0,
            expect: limits,
            prove_no_acknowledged_write_lost: prove,
            sabotage: items(sabotage.as_ref()).iter().map(load_sabotage).collect(),
        })
    }

    fn read_load(&mut self, wire: &ReadWire) -> Option<ReadLoad> {
        let ReadWire { open, closed, queries } = wire;
        let queries = queries.as_ref().and_then(|queries| self.queries(&queries.value.0));
        let model = match (open, closed) {
            (Some(open), _) => open_model(&open.value)?,
            (None, closed) => closed_model(&closed.as_ref()?.value)?,
        };
        Some(ReadLoad { model, queries: queries? })
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

    fn load_expect(
        &mut self,
        entry: &At<LoadExpectWire>,
        operations: &Operations,
    ) -> Vec<LoadExpect> {
        let subject = match entry.value.on.as_ref().map(|on| &on.value) {
            Some(LoadSubjectWire::Write) => LoadSubject::Write,
            Some(LoadSubjectWire::Read) => LoadSubject::Read,
            Some(LoadSubjectWire::All) | None => LoadSubject::All,
        };
        if let (false, Some(on)) = (operations.produce(subject), &entry.value.on) {
            let kind = if subject == LoadSubject::Write { "write" } else { "read" };
            let message = format!("no operation of this step is a {kind}");
            let help = format!("add `{kind}` to the step, or remove this limit");
            self.mistakes.error(&on.place, message, help);
        }
        let least = min_samples(entry.value.min_samples.as_ref());
        if let Some(samples) = operations.expected(subject) {
            self.check_samples(samples, least, &entry.place);
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

impl Operations {
    fn produce(&self, subject: LoadSubject) -> bool {
        match subject {
            LoadSubject::Write => self.writes,
            LoadSubject::Read => self.reads,
            // That there is either is another rule's business.
            LoadSubject::All => true,
        }
    }

    /// The models of the subject's operations, each with the units of one request.
    fn of(&self, subject: LoadSubject) -> impl Iterator<Item = (LoadModel, u32)> {
        let meant = move |of| subject == LoadSubject::All || subject == of;
        let models = self.models.iter().filter(move |(of, ..)| meant(*of));
        models.map(|(_, model, units)| (*model, *units))
    }

    fn asks_for_no_rate(&self, subject: LoadSubject) -> bool {
        self.of(subject).any(|(model, _)| matches!(model, LoadModel::Closed { .. }))
    }

    /// How many requests the subject makes while they count. Known for open loads only.
    fn expected(&self, subject: LoadSubject) -> Option<f64> {
        let all_known = self.models.len() == usize::from(self.writes) + usize::from(self.reads);
        let seconds = self.duration.filter(|_| all_known)?.as_secs_f64();
        let mut requests = 0.0;
        for operation in self.of(subject) {
            match operation {
                (LoadModel::Open { rate }, units) => {
                    requests += rate.per_second() / f64::from(units) * seconds;
                }
                (LoadModel::Closed { .. }, _) => return None,
            }
        }
        (requests > 0.0).then_some(requests)
    }
}

fn write_load(wire: &WriteWire) -> Option<WriteLoad> {
    let WriteWire { open, closed, batch, series } = wire;
    let model = match (open, closed) {
        (Some(open), _) => LoadModel::Open { rate: open.value.rate.as_ref()?.value.0 },
        (None, closed) => closed_model(&closed.as_ref()?.value)?,
    };
    let batch = batch.as_ref()?.value.0;
    let series = series.as_ref().map_or(DEFAULT_SERIES, |series| series.value.0);
    Some(WriteLoad { model, batch, series })
}

fn open_model(wire: &OpenWire) -> Option<LoadModel> {
    Some(LoadModel::Open { rate: wire.rate.as_ref()?.value.0 })
}

fn closed_model(wire: &ClosedWire) -> Option<LoadModel> {
    let users = wire.users.as_ref()?.value.0;
    Some(LoadModel::Closed { users, ramp_up: length(wire.ramp_up.as_ref()) })
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

fn load_sabotage(wire: &At<LoadSabotageWire>) -> LoadSabotage {
    match &wire.value {
        LoadSabotageWire::SwallowWrites(share) => LoadSabotage::SwallowWrites(share.value.0),
        LoadSabotageWire::FailRequests(share) => LoadSabotage::FailRequests(share.value.0),
        LoadSabotageWire::AddLatency(by) => LoadSabotage::AddLatency(by.value.0),
    }
}
