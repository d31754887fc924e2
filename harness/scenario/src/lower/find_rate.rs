//! The `find_rate` step.

use std::time::Duration;

use cutover_model::scenario::{
    Arrivals, FindRateStep, LoadExpect, LoadModel, LoadStep, ReadLoad, WriteLoad, WriteSource,
};
use cutover_model::{Rate, Ratio};

use super::Lowering;
use super::load::{Declared, Operations, transport};
use super::points::precision_of;
use crate::mistakes::Place;
use crate::reader::At;
use crate::wire::find_rate::{FindRateWire, FindReadWire, FindWriteWire};
use crate::wire::items;
use crate::wire::load::LoadSabotageWire;
use crate::wire::scalar::ArrivalRate;

/// How near to the truth, unless the file says.
const DEFAULT_PRECISION: f64 = 0.03;
/// How long one trial is, unless the file says; and the shortest in which a queue can be seen to
/// grow.
const DEFAULT_TRIAL: Duration = Duration::from_secs(6);
/// How long all trials take, unless the file says.
const DEFAULT_WITHIN: Duration = Duration::from_mins(2);
/// Fewer requests than these do not bound a 95th percentile.
const BOUNDED: u64 = 73;
/// Fewer trials than this find nothing.
const FEWEST_TRIALS: u32 = 6;

impl Lowering<'_> {
    pub(super) fn find_rate(&mut self, wire: &At<FindRateWire>) -> Option<FindRateStep> {
        let FindRateWire { write, read, from, to, holds, expect, sabotage, .. } = &wire.value;
        if let Some(read) = read {
            self.expect_migrated_data(&read.place);
        }
        let counts_points = write.is_some();
        let from = from.as_ref().and_then(|from| self.asked_rate(from, counts_points));
        let to = to.as_ref().and_then(|to| self.asked_rate(to, counts_points));
        if let (Some((low, _)), Some((high, place))) = (from, to)
            && low >= high
        {
            let message = "the highest rate is not above the lowest";
            self.mistakes.error(place, message, "raise `to`, or lower `from`");
        }
        let (trial, within) = self.trials(&wire.value);
        // What is known of a trial beside its rate does not depend on which rate it is.
        let model = LoadModel::Open(Arrivals::constant(from?.0));
        let writers = write.as_ref().and_then(|write| self.found_write(&write.value, &model));
        let readers = read.as_ref().and_then(|read| self.found_read(&read.value, &model));
        let operations = Operations {
            write: Declared::new(write.as_ref(), writers.as_ref()),
            read: Declared::new(read.as_ref(), readers.as_ref()),
            warm_up: Duration::ZERO,
            whole: None,
        };
        let mut limits = Vec::new();
        for entry in items(holds.as_ref()) {
            limits.extend(self.load_expect(entry, &operations));
        }
        let breaks = items(sabotage.as_ref());
        self.check_sabotage(breaks, &operations);
        for sabotage in breaks {
            if let LoadSabotageWire::SwallowWrites(_) = sabotage.value {
                let message = "no trial looks whether a write is there";
                self.mistakes.error(&sabotage.place, message, "make this break in a `load` step");
            }
        }
        if let (Some((_, place)), Some(requests)) = (from, fewest_requests(&wire.value, trial)) {
            self.check_trial(requests, &limits, place);
        }
        holds.as_ref()?;
        let FindRateWire { connections, threads, timeout, .. } = &wire.value;
        let load = LoadStep {
            write: writers,
            read: readers,
            warm_up: Duration::ZERO,
            duration: trial,
            transport: transport((connections, threads, timeout)),
            expect: limits,
            abort: Vec::new(),
            prove_no_acknowledged_write_lost: false,
            sabotage: breaks.iter().map(super::load::load_sabotage).collect(),
        };
        let precision = wire.value.precision.as_ref().map(|precision| precision.value.0);
        let precision = precision.or_else(|| Ratio::try_from(DEFAULT_PRECISION).ok())?;
        let expect = expect.as_ref()?.value.rate.as_ref()?.value.0;
        let (from, to) = (from?.0, to?.0);
        Some(FindRateStep { load, from, to, precision, trial, within, expect })
    }

    /// Refuses a lowest rate at which no trial could tell anything.
    fn check_trial(&mut self, requests: f64, limits: &[LoadExpect], place: &Place) {
        let needed = limits.iter().map(|limit| limit.min_samples).chain([BOUNDED]).max();
        let needed = needed.unwrap_or(BOUNDED);
        if requests < needed as f64 {
            let requests = requests.floor();
            let message = format!(
                "half a trial at this rate has about {requests:.0} requests, \
                 and {needed} are needed"
            );
            let help = "raise `from`, lengthen `trial`, or lower `batch` or `min_samples`";
            self.mistakes.error(place, message, help);
        }
    }

    /// The length of a trial and of all of them.
    fn trials(&mut self, wire: &FindRateWire) -> (Duration, Duration) {
        let FindRateWire { precision, trial, within, .. } = wire;
        if let Some(precision) = precision
            && !(0.005..=0.25).contains(&precision.value.0.get())
        {
            let message = "a rate is found to from 0.5% to 25% of the truth";
            self.mistakes.error(&precision.place, message, "write such as `3%`");
        }
        if let Some(trial) = trial.as_ref().filter(|trial| trial.value.0 < DEFAULT_TRIAL) {
            let message = "in less than 6s it does not show that a queue grows";
            self.mistakes.error(&trial.place, message, "write at least `6s`");
        }
        let length = trial.as_ref().map_or(DEFAULT_TRIAL, |trial| trial.value.0);
        let all = within.as_ref().map_or(DEFAULT_WITHIN, |within| within.value.0);
        if all < length.saturating_mul(FEWEST_TRIALS) {
            let place = within.as_ref().map(|it| &it.place).or(trial.as_ref().map(|it| &it.place));
            let message = format!("there is no time for {FEWEST_TRIALS} trials");
            if let Some(place) = place {
                self.mistakes.error(place, message, "lengthen `within`, or shorten `trial`");
            }
        }
        (length, all)
    }

    fn found_write(&mut self, wire: &FindWriteWire, model: &LoadModel) -> Option<WriteLoad> {
        let FindWriteWire { batch, points, precision, gzip } = wire;
        let precision = precision_of(precision.as_ref());
        let points = self.points(points.as_ref(), precision)?;
        let source = WriteSource::Generated { model: model.clone(), points };
        let gzip = gzip.as_ref().map(|gzip| gzip.value.0);
        Some(WriteLoad { source, batch: batch.as_ref()?.value.0, precision, gzip })
    }

    fn found_read(&mut self, wire: &FindReadWire, model: &LoadModel) -> Option<ReadLoad> {
        let FindReadWire { queries, language, answers } = wire;
        let asked = (items(queries.as_ref()), language.as_ref(), answers.as_ref());
        let (queries, language, answers) = self.asked(asked)?;
        Some(ReadLoad { model: model.clone(), queries, language, answers })
    }

    fn asked_rate<'w>(
        &mut self,
        wire: &'w At<ArrivalRate>,
        counts_points: bool,
    ) -> Option<(Rate, &'w Place)> {
        if wire.value.0.points && !counts_points {
            let message = "this rate counts points, and queries arrive here";
            self.mistakes.error(&wire.place, message, "write it without `points`");
        }
        if wire.value.0.rate.is_none() {
            self.mistakes.error(&wire.place, "the rate is zero", "give one above zero");
        }
        Some((wire.value.0.rate?, &wire.place))
    }
}

/// How many requests the shortest trial at the lowest rate has: far from the edge, half of a
/// trial is enough.
fn fewest_requests(wire: &FindRateWire, trial: Duration) -> Option<f64> {
    let rate = wire.from.as_ref()?.value.0.rate?.per_second();
    let batch = match &wire.write {
        Some(write) => write.value.batch.as_ref()?.value.0,
        None => 1,
    };
    Some(rate / f64::from(batch) * trial.as_secs_f64() / 2.0)
}
