//! The latency step.

use std::time::Duration;

use cutover_model::Store;
use cutover_model::scenario::{
    LatencyExpect, LatencySabotage, LatencyStep, LatencySubject, LimitValue, Statistic,
};

use super::arrival::{Counted, Phase};
use super::{Lowering, min_samples};
use crate::mistakes::Place;
use crate::reader::At;
use crate::wire::items;
use crate::wire::latency::{
    ArrivalWire, LatencyExpectWire, LatencySabotageWire, LatencyWire, StoreWire,
};
use crate::wire::scalar::{Length, TimeOrFactorLimit};

impl Lowering<'_> {
    pub(super) fn latency(&mut self, wire: &At<LatencyWire>) -> Option<LatencyStep> {
        let LatencyWire { queries, arrival, warm_up, duration, expect, sabotage } = &wire.value;
        self.expect_migrated_data(&wire.place);
        let names: Vec<_> =
            items(queries.as_ref()).iter().map(|wire| wire.value.query.as_ref()).collect();
        let queries = queries.as_ref().and_then(|_| self.queries(&names));
        let duration = duration.as_ref().map(|duration| duration.value.0);
        let warm_up = length(warm_up.as_ref());
        let phase = Phase::new(Counted::Queries, warm_up, duration);
        let arrivals = arrival.as_ref().and_then(|arrival| match &arrival.value {
            ArrivalWire::Open(open) => self.arrivals(open, phase),
        });
        let mut limits = Vec::new();
        for entry in items(expect.as_ref()) {
            if let (Some(arrivals), Some(whole)) = (&arrivals, phase.whole) {
                let samples = arrivals.expected(warm_up, whole);
                let least = min_samples(entry.value.min_samples.as_ref());
                self.check_samples(samples, least, &entry.place);
            }
            limits.extend(self.latency_expect(&entry.value));
        }
        expect.as_ref()?;
        Some(LatencyStep {
            queries: queries?,
            arrivals: arrivals?,
            warm_up,
            duration: duration?,
            expect: limits,
            sabotage: items(sabotage.as_ref()).iter().map(latency_sabotage).collect(),
        })
    }

    /// Warns of a limit whose minimum of samples the step cannot bring together.
    pub(super) fn check_samples(&mut self, samples: f64, least: u64, place: &Place) {
        if samples < least as f64 {
            let message = format!(
                "about {:.0} samples are expected, and fewer than {least} are never judged",
                samples.floor()
            );
            let help = "lengthen `duration`, raise the rate, or lower `min_samples`";
            self.mistakes.warning(place, message, help);
        }
    }

    fn latency_expect(&mut self, wire: &LatencyExpectWire) -> Vec<LatencyExpect> {
        let LatencyExpectWire {
            on,
            ratio,
            p50,
            p90,
            p95,
            p99,
            p999,
            max,
            mean,
            errors,
            min_samples: least,
        } = wire;
        let subject = match (on, ratio) {
            (Some(store), _) => LatencySubject::Store(store_of(&store.value)),
            (None, Some(_)) => LatencySubject::DestinationBySource,
            (None, None) => return Vec::new(),
        };
        let timed = [
            (Statistic::P50, p50),
            (Statistic::P90, p90),
            (Statistic::P95, p95),
            (Statistic::P99, p99),
            (Statistic::P999, p999),
            (Statistic::Max, max),
            (Statistic::Mean, mean),
        ];
        let min_samples = min_samples(least.as_ref());
        let mut expectations = Vec::new();
        for (statistic, wire) in timed {
            let Some(At { value: TimeOrFactorLimit(limit), place }) = wire else { continue };
            self.check_unit(subject, statistic, limit.value, place);
            let limit = *limit;
            expectations.push(LatencyExpect { subject, statistic, limit, min_samples });
        }
        if let Some(errors) = errors {
            if subject == LatencySubject::DestinationBySource {
                let message = "a quotient of errors is not defined when the source has none";
                self.mistakes.error(&errors.place, message, "limit the errors `on: destination`");
            }
            let (statistic, limit) = (Statistic::Errors, errors.value.0);
            expectations.push(LatencyExpect { subject, statistic, limit, min_samples });
        }
        expectations
    }

    fn check_unit(
        &mut self,
        subject: LatencySubject,
        statistic: Statistic,
        value: LimitValue,
        place: &Place,
    ) {
        let key = statistic.key();
        match (subject, value) {
            (LatencySubject::Store(_), LimitValue::Factor(number)) => {
                let message = format!("`{key}` needs a unit, and its limit is `{number}`");
                let help = format!("write such as `\"< {number}s\"`");
                self.mistakes.error(place, message, help);
            }
            (LatencySubject::DestinationBySource, LimitValue::Duration(_)) => {
                let message = format!("`{key}` under `ratio` has no unit, and its limit has one");
                let help = "write the highest quotient, such as `\"<= 1.20\"`";
                self.mistakes.error(place, message, help);
            }
            _ => {}
        }
    }
}

/// A duration that is zero unless given.
pub(super) fn length(wire: Option<&At<Length>>) -> Duration {
    wire.map_or(Duration::ZERO, |length| length.value.0)
}

fn store_of(wire: &StoreWire) -> Store {
    match wire {
        StoreWire::Source => Store::Source,
        StoreWire::Destination => Store::Destination,
    }
}

fn latency_sabotage(wire: &At<LatencySabotageWire>) -> LatencySabotage {
    match &wire.value {
        LatencySabotageWire::FailQueries(share) => LatencySabotage::FailQueries(share.value.0),
        LatencySabotageWire::WrongAnswer(share) => LatencySabotage::WrongAnswer(share.value.0),
        LatencySabotageWire::AddLatency(by) => LatencySabotage::AddLatency(by.value.0),
    }
}
