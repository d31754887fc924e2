//! How operations come about: rates over time, and users.

use std::time::Duration;

use cutover_model::Rate;
use cutover_model::scenario::{Arrivals, LoadModel, RateStage, Spacing};

use super::Lowering;
use super::latency::length;
use crate::mistakes::Place;
use crate::reader::At;
use crate::wire::arrival::{ClosedWire, OpenWire, RampWire, SpacingWire, StageWire, StepsWire};
use crate::wire::items;
use crate::wire::scalar::ArrivalRate;

/// More steps than anybody can tell apart.
const MAX_STEPS: u128 = 1_000;

/// What arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// Points, each in a batch.
    Points,
    /// Queries.
    Queries,
}

/// For whom arrivals are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phase {
    pub(super) counted: Counted,
    /// From the start of the load to its end, where it is known.
    pub(super) whole: Option<Duration>,
}

impl Phase {
    pub(super) fn new(counted: Counted, warm_up: Duration, duration: Option<Duration>) -> Self {
        Self { counted, whole: duration.and_then(|duration| warm_up.checked_add(duration)) }
    }
}

impl Lowering<'_> {
    pub(super) fn arrivals(&mut self, wire: &At<OpenWire>, phase: Phase) -> Option<Arrivals> {
        let OpenWire { rate, ramp, steps, stages, spacing } = &wire.value;
        let made = match (rate, ramp, steps, stages) {
            (Some(rate), ..) => self.constant(rate, phase).map(|stage| vec![stage]),
            (_, Some(ramp), ..) => self.ramp(&ramp.value, phase).map(|stage| vec![stage]),
            (_, _, Some(steps), _) => self.steps(&steps.value, phase),
            (.., stages) => self.stages(items(stages.as_ref()), phase),
        };
        let stages = made?;
        if stages.iter().all(|stage| stage.from.is_none() && stage.to.is_none()) {
            self.mistakes.error(&wire.place, "nothing ever arrives", "give a rate above zero");
            return None;
        }
        let spacing = match spacing.as_ref().map(|spacing| &spacing.value) {
            Some(SpacingWire::Poisson) => Spacing::Poisson,
            Some(SpacingWire::Even) | None => Spacing::Even,
        };
        Some(Arrivals { stages, spacing })
    }

    pub(super) fn users(&mut self, wire: &ClosedWire, phase: Phase) -> Option<LoadModel> {
        let ClosedWire { users, ramp_up, think } = wire;
        if let Some(ramp_up) = ramp_up {
            self.check_fits("the ramp", ramp_up.value.0, (&ramp_up.place, phase));
        }
        let users = users.as_ref()?.value.0;
        let (ramp_up, think) = (length(ramp_up.as_ref()), length(think.as_ref()));
        Some(LoadModel::Closed { users, ramp_up, think })
    }

    fn constant(&mut self, wire: &At<ArrivalRate>, phase: Phase) -> Option<RateStage> {
        let rate = Some(self.above_zero(wire, phase)?);
        Some(RateStage { from: rate, to: rate, over: Duration::ZERO })
    }

    fn ramp(&mut self, wire: &RampWire, phase: Phase) -> Option<RateStage> {
        let RampWire { from, to, over } = wire;
        let from = from.as_ref().and_then(|from| self.rate(from, phase));
        let to = self.rate(to.as_ref()?, phase);
        let over = over.as_ref()?;
        self.check_fits("the ramp", over.value.0, (&over.place, phase));
        Some(RateStage { from, to, over: over.value.0 })
    }

    fn steps(&mut self, wire: &StepsWire, phase: Phase) -> Option<Vec<RateStage>> {
        let StepsWire { from, by, every } = wire;
        let from = self.rate(from.as_ref()?, phase).map_or(0.0, Rate::per_second);
        let by = self.above_zero(by.as_ref()?, phase)?.per_second();
        let every = every.as_ref()?;
        self.check_fits("the first step", every.value.0, (&every.place, phase));
        let count = phase.whole?.as_nanos().div_ceil(every.value.0.as_nanos().max(1));
        if count > MAX_STEPS {
            let message = format!("the load would have {count} steps, and {MAX_STEPS} are allowed");
            self.mistakes.error(&every.place, message, "write a longer `every`, or a `ramp`");
            return None;
        }
        let steps = (0..u32::try_from(count).ok()?).map(|step| {
            let rate = Rate::try_from(by.mul_add(f64::from(step), from)).ok();
            RateStage { from: rate, to: rate, over: every.value.0 }
        });
        Some(steps.collect())
    }

    fn stages(&mut self, wires: &[At<StageWire>], phase: Phase) -> Option<Vec<RateStage>> {
        let mut stages = Vec::new();
        let (mut before, mut whole) = (None, Duration::ZERO);
        for wire in wires {
            let StageWire { from, to, over } = &wire.value;
            let from = from.as_ref().map_or(before, |from| self.rate(from, phase));
            let to = self.rate(to.as_ref()?, phase);
            let over = over.as_ref()?;
            before = to;
            whole = whole.saturating_add(over.value.0);
            self.check_fits("this stage", whole, (&over.place, phase));
            stages.push(RateStage { from, to, over: over.value.0 });
        }
        (!stages.is_empty()).then_some(stages)
    }

    /// Refuses a stretch that reaches beyond the load's end: its rate would never be reached.
    fn check_fits(&mut self, what: &str, ends: Duration, (place, phase): (&Place, Phase)) {
        let Some(whole) = phase.whole.filter(|whole| ends > *whole) else { return };
        let (ends, whole) = (shown(ends), shown(whole));
        let message = format!("{what} ends after {ends}, and the load after {whole}");
        let help = "shorten it, or lengthen `duration`: its end would never take place";
        self.mistakes.error(place, message, help);
    }

    fn above_zero(&mut self, wire: &At<ArrivalRate>, phase: Phase) -> Option<Rate> {
        let rate = self.rate(wire, phase);
        if rate.is_none() {
            self.mistakes.error(&wire.place, "the rate is zero", "give one above zero");
        }
        rate
    }

    /// A rate, none if it is zero.
    fn rate(&mut self, wire: &At<ArrivalRate>, phase: Phase) -> Option<Rate> {
        let asked = wire.value.0;
        if asked.points && phase.counted == Counted::Queries {
            let message = "this rate counts points, and queries arrive here";
            self.mistakes.error(&wire.place, message, "write it without `points`");
        }
        asked.rate
    }
}

fn shown(duration: Duration) -> cutover_model::ShortDuration {
    cutover_model::ShortDuration(duration)
}
