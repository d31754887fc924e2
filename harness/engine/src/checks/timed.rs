//! What latency and load share: figures read off a recording, held against limits.

use std::time::Duration;

use cutover_load::{Interval, Latency, Model, OutcomeCounts, Recording, Summary};
use cutover_model::measured::GeneratorFigures;
use cutover_model::scenario::{Limit, LimitValue, Statistic};
use cutover_model::units::ShortDuration;
use cutover_model::{Expectation, Finding, FindingCode, Judgement, Rate, Ratio, Timing};

/// The share of a latency limit that the generator's own lag may take before nothing can be said.
const LAG_SHARE: f64 = 0.1;

/// The share of its time that a generator may wait for a core that others have.
const STARVED_SHARE: f64 = 0.2;

/// The share of the asked rate that has to be sent before a latency can pass.
const SENT_SHARE: f64 = 0.99;

/// A figure that is to be held against a limit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    /// The figure, in the unit of the limit. `None` when nothing was measured.
    pub(crate) reading: Option<Reading>,
    /// What it rests on.
    pub(crate) samples: u64,
    /// What the generator says of itself.
    pub(crate) circumstances: Circumstances,
}

/// A figure and what is known of it, in seconds, as a share, a quotient or a count per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) value: f64,
    /// Where the truth lies with 95 % confidence, for figures that samples only estimate.
    pub(crate) interval: Estimate,
}

/// What samples say of the truth behind a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Estimate {
    /// The figure was counted.
    Exact,
    /// It lies in here with 95 % confidence.
    Within(f64, f64),
    /// There are too few samples to tell.
    Unbounded,
}

/// What has to be known of a load to believe a figure of it: whether the generator did what it was
/// told to, whether the load took place, and what its answers were.
#[derive(Clone, Debug, Default)]
pub(crate) struct Circumstances {
    /// How late it was by its own doing.
    lag: Option<Duration>,
    /// The share of the asked arrivals that it sent in time, for an open load.
    sent: Option<f64>,
    /// The share of its threads' time that it was at work, where it has threads of its own.
    busy: Option<f64>,
    /// The share of that time in which it had something to do and got no core to do it on.
    starved: Option<f64>,
    /// How far the wall clock was set meanwhile.
    clock_step: Duration,
    /// Its lag, where that alone may be why no more was sent.
    held_back: Option<Duration>,
    /// Why several generators did not drive the whole load together, if so.
    divided: Option<String>,
    /// How much of the load took place, if not all of it.
    cut_short: Option<Duration>,
    /// The share of arrivals that ended for want of time: a late generator makes some itself.
    out_of_time: f64,
    /// The share that did not end well, in whatever way.
    failed: f64,
}

impl Circumstances {
    pub(crate) fn of(summary: &Summary, recording: &Recording) -> Self {
        let asked = summary.asked_per_second.filter(|asked| *asked > 0.0);
        let generator = recording.generator.as_ref();
        let share = |part| Ratio::of(part, summary.samples).map_or(0.0, Ratio::get);
        Self {
            lag: summary.lag_p95,
            sent: asked.map(|asked| summary.achieved_per_second / asked),
            busy: generator.map(cutover_load::Generator::busy),
            starved: generator.map(cutover_load::Generator::starving),
            clock_step: generator.map_or(Duration::ZERO, |generator| generator.clock_step),
            held_back: held_back(summary, recording),
            divided: None,
            cut_short: (!recording.complete).then_some(recording.covered),
            out_of_time: share(out_of_time(&summary.outcomes)),
            failed: share(failed(&summary.outcomes)),
        }
    }

    /// The same, of several generators that did not drive the whole load together, if so.
    pub(crate) fn divided(self, divided: Option<String>) -> Self {
        Self { divided, ..self }
    }

    /// The same, of a figure that is divided by one of the other.
    pub(crate) fn beside(self, other: &Self) -> Self {
        Self { failed: self.failed.max(other.failed), ..self }
    }

    /// Why nothing can be said of the service by this figure, if that is so.
    pub(super) fn doubt(&self, statistic: Statistic, limit: LimitValue) -> Option<Doubt> {
        match statistic {
            Statistic::Errors => None,
            Statistic::Achieved | Statistic::Operations => self.untrusted(),
            _ => self.adds(limit).or_else(|| self.untrusted()),
        }
    }

    /// Why no clock reading of it can be trusted, if that is so.
    fn untrusted(&self) -> Option<Doubt> {
        if self.clock_step > GeneratorFigures::CLOCK_LIMIT {
            let step = ShortDuration(self.clock_step);
            let why = format!("the clock was set, or the machine suspended, by {step}");
            return Some(Doubt::unmeasured(why));
        }
        self.divided.clone().map(Doubt::unmeasured)
    }

    /// Why a latency may be its own and not the service's, if that is so.
    fn adds(&self, limit: LimitValue) -> Option<Doubt> {
        if let (LimitValue::Duration(limit), Some(lag)) = (limit, self.lag)
            && lag.as_secs_f64() > limit.as_secs_f64() * LAG_SHARE
        {
            let lag = ShortDuration(lag);
            let why = format!("the generator itself was {lag} late, over a tenth of the limit");
            return Some(Doubt::generator(why));
        }
        self.saturated().map(Doubt::generator)
    }

    /// Whether others took the cores that it needed: answers lay there unread meanwhile.
    fn starving(&self) -> Option<String> {
        let percent = self.starved.filter(|starved| *starved > STARVED_SHARE)? * 100.0;
        Some(format!("the generator waited for a core for {percent:.0}% of its time"))
    }

    /// Why the service may be able to do more than it was asked for, if that is so.
    fn held_back(&self) -> Option<Doubt> {
        let late = self.held_back.map(ShortDuration);
        let late = late.map(|lag| format!("the generator itself was {lag} late"));
        let why = self.saturated().or_else(|| self.starving()).or(late)?;
        Some(Doubt::generator(format!("{why}, and may have been the limit")))
    }

    fn saturated(&self) -> Option<String> {
        let percent = self.busy.filter(|busy| *busy > GeneratorFigures::BUSY_LIMIT)? * 100.0;
        Some(format!("the generator had nothing to spare: {percent:.0}% of its time"))
    }
}

/// The generator's lag, where it is a good part of the time that is missing: the time by which an
/// open load was late in the end, or that between two requests of a user in a closed one.
fn held_back(summary: &Summary, recording: &Recording) -> Option<Duration> {
    let missing = match recording.model {
        Model::Open => recording.span.saturating_sub(recording.covered),
        Model::Closed => summary.response?.mean,
    };
    let lag = summary.lag_p95.filter(|_| !missing.is_zero())?;
    (lag.as_secs_f64() > missing.as_secs_f64() * LAG_SHARE).then_some(lag)
}

/// What a figure is held against.
pub(crate) struct Demand {
    /// Whose figure it is: `destination`, `write`.
    pub(crate) subject: String,
    pub(crate) statistic: Statistic,
    pub(crate) limit: Limit,
    pub(crate) min_samples: u64,
}

/// Why a figure is held against no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Doubt {
    pub(crate) kind: DoubtKind,
    pub(crate) reason: String,
}

/// What kind of doubt it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DoubtKind {
    /// The store is one whose clock readings say nothing.
    Indicative,
    /// The generator may be what was measured.
    Generator,
    /// The limit lies within what is known of the figure.
    Straddles,
    /// There is too little, or nothing that can be trusted.
    Unmeasured,
}

impl Doubt {
    fn generator(reason: String) -> Self {
        Self { kind: DoubtKind::Generator, reason }
    }

    fn unmeasured(reason: impl Into<String>) -> Self {
        Self { kind: DoubtKind::Unmeasured, reason: reason.into() }
    }

    pub(super) fn judgement(&self) -> Judgement {
        match self.kind {
            DoubtKind::Indicative => Judgement::Skipped,
            DoubtKind::Generator | DoubtKind::Straddles | DoubtKind::Unmeasured => {
                Judgement::Inconclusive
            }
        }
    }
}

/// Holds a figure against a limit.
pub(crate) fn judge(demand: &Demand, observed: &Observed, timing: Timing) -> Expectation {
    let Demand { subject, statistic, limit, min_samples } = demand;
    let (judgement, reason) = match holds(demand, observed, timing) {
        Ok(true) => (Judgement::Pass, None),
        Ok(false) => (Judgement::Fail, None),
        Err(doubt) => (doubt.judgement(), Some(doubt.reason)),
    };
    Expectation {
        expected: format!("{subject} {} {limit} (of at least {min_samples})", statistic.key()),
        observed: observed
            .reading
            .map_or_else(String::new, |reading| shown_reading(limit.value, reading)),
        judgement,
        reason,
        timed: statistic.is_timed(),
    }
}

/// Whether a figure is within its limit, unless that is in doubt.
pub(crate) fn holds(demand: &Demand, observed: &Observed, timing: Timing) -> Result<bool, Doubt> {
    let Demand { statistic, limit, min_samples, .. } = demand;
    let reading = observed.reading.ok_or_else(|| Doubt::unmeasured("nothing was measured"))?;
    if observed.samples < *min_samples {
        return Err(Doubt::unmeasured(format!("{} samples are too few", observed.samples)));
    }
    if statistic.is_timed() && timing == Timing::Indicative {
        let reason = "timing on a stand-in is indicative: shown, not judged".to_owned();
        return Err(Doubt { kind: DoubtKind::Indicative, reason });
    }
    let circumstances = &observed.circumstances;
    if let Some(doubt) = circumstances.doubt(*statistic, limit.value) {
        return Err(doubt);
    }
    let holds = |value: f64| limit.comparison.holds(value, limit.value.number());
    // The service did at least what was measured. A generator that may have been the limit leaves
    // open whether it can do more, and so only a judgement that more would not change.
    if matches!(statistic, Statistic::Achieved | Statistic::Operations)
        && holds(reading.value) != holds(f64::INFINITY)
        && let Some(doubt) = circumstances.held_back()
    {
        return Err(doubt);
    }
    // Errors for want of time may be its own, those of an answer are not.
    if *statistic == Statistic::Errors
        && !holds(reading.value)
        && holds(reading.value - circumstances.out_of_time)
        && let Some(doubt) = circumstances.held_back()
    {
        return Err(doubt);
    }
    held(demand, reading, circumstances)
}

/// Whether a figure that is the service's own is within its limit.
fn held(
    Demand { statistic, limit, .. }: &Demand,
    Reading { value, interval }: Reading,
    circumstances: &Circumstances,
) -> Result<bool, Doubt> {
    let holds = |value: f64| limit.comparison.holds(value, limit.value.number());
    match interval {
        Estimate::Within(low, high) if holds(low) != holds(high) => {
            let reason = "the limit lies within the 95 % interval of the figure".to_owned();
            return Err(Doubt { kind: DoubtKind::Straddles, reason });
        }
        // A figure that no number of samples bounds can still be too bad.
        Estimate::Unbounded if holds(value) => {
            let reason = "the samples are too few, or too much alike, to bound the figure";
            return Err(Doubt::unmeasured(reason));
        }
        _ => {}
    }
    if !holds(value) {
        // Waiting for a core only adds to a latency, so that one within its limit is.
        let starving = circumstances.starving().filter(|_| is_latency(*statistic));
        return starving.map_or(Ok(false), |why| Err(Doubt::generator(why)));
    }
    // How long a failure takes says nothing of an answer: more of them than lie above a percentile
    // may be what it is.
    if is_latency(*statistic) && circumstances.failed > above(*statistic) {
        let percent = circumstances.failed * 100.0;
        return Err(Doubt::unmeasured(format!("{percent:.1}% of the requests failed")));
    }
    if let Some(covered) = circumstances.cut_short {
        let covered = ShortDuration(covered);
        return Err(Doubt::unmeasured(format!("the load was ended after {covered}")));
    }
    // A rate that was not reached may be the service's doing, so it excuses no failure.
    match circumstances.sent.filter(|sent| *sent < SENT_SHARE) {
        Some(sent) if is_latency(*statistic) => {
            let percent = sent * 100.0;
            Err(Doubt::unmeasured(format!("only {percent:.1}% of the asked rate was sent")))
        }
        _ => Ok(true),
    }
}

/// The share of a load that lies above a figure; of a mean, what may be missing from it.
fn above(statistic: Statistic) -> f64 {
    match statistic {
        Statistic::Mean | Statistic::Max => 0.05,
        _ => statistic.quantile().map_or(1.0, |quantile| 1.0 - quantile),
    }
}

fn is_latency(statistic: Statistic) -> bool {
    !matches!(statistic, Statistic::Errors | Statistic::Achieved | Statistic::Operations)
}

fn shown_reading(unit: LimitValue, reading: Reading) -> String {
    let value = shown(unit, reading.value);
    match reading.interval {
        Estimate::Within(low, high) => {
            format!("{value} ({} to {})", shown(unit, low), shown(unit, high))
        }
        Estimate::Exact | Estimate::Unbounded => value,
    }
}

pub(super) fn shown(unit: LimitValue, value: f64) -> String {
    match unit {
        LimitValue::Duration(_) => {
            ShortDuration(Duration::try_from_secs_f64(value).unwrap_or_default()).to_string()
        }
        LimitValue::Ratio(_) => {
            Ratio::try_from(value).map_or_else(|_| format!("{value:.4}"), |it| it.to_string())
        }
        LimitValue::Factor(_) => format!("{value:.3}"),
        LimitValue::Rate(_) => {
            Rate::try_from(value.round()).map_or_else(|_| "0/s".to_owned(), |it| it.to_string())
        }
    }
}

/// Reads one figure off a summary.
pub(crate) fn read(summary: &Summary, statistic: Statistic) -> Option<Reading> {
    let response = summary.response.as_ref();
    let certainty = &summary.certainty;
    let latency = |of: fn(&Latency) -> Duration, interval: Option<Interval>| {
        let interval = interval.map_or(Estimate::Unbounded, |Interval { low, high }| {
            Estimate::Within(low.as_secs_f64(), high.as_secs_f64())
        });
        response.map(|it| Reading { value: of(it).as_secs_f64(), interval })
    };
    let exact = |value: f64| Reading { value, interval: Estimate::Exact };
    match statistic {
        Statistic::P50 => latency(|it| it.p50, certainty.p50),
        Statistic::P90 => latency(|it| it.p90, certainty.p90),
        Statistic::P95 => latency(|it| it.p95, certainty.p95),
        Statistic::P99 => latency(|it| it.p99, certainty.p99),
        Statistic::P999 => latency(|it| it.p999, certainty.p999),
        // The greatest that was seen is no estimate of anything.
        Statistic::Max => response.map(|it| exact(it.max.as_secs_f64())),
        Statistic::Mean => latency(|it| it.mean, certainty.mean),
        Statistic::Errors => {
            Ratio::of(failed(&summary.outcomes), summary.samples).map(|it| exact(it.get()))
        }
        Statistic::Achieved => {
            let asked = summary.asked_per_second.filter(|asked| *asked > 0.0)?;
            // Rounding of the span may bring it a hair above the whole.
            Some(exact((summary.achieved_per_second / asked).min(1.0)))
        }
        Statistic::Operations => {
            let ok = Ratio::of(summary.outcomes.ok, summary.samples)?;
            Some(exact(summary.achieved_per_second * ok.get()))
        }
    }
}

/// One figure by another. What is known of both goes into the quotient as independent errors of its
/// logarithm.
pub(crate) fn quotient(over: Reading, under: Reading) -> Option<Reading> {
    if under.value <= 0.0 || over.value <= 0.0 {
        return None;
    }
    let value = over.value / under.value;
    // How far the truth may lie below and above, as logarithms.
    let spread = |reading: Reading| match reading.interval {
        Estimate::Exact => Some((0.0, 0.0)),
        Estimate::Within(low, high) if low > 0.0 => {
            Some(((reading.value / low).ln(), (high / reading.value).ln()))
        }
        _ => None,
    };
    let interval = match (spread(over), spread(under)) {
        (Some((over_low, over_high)), Some((under_low, under_high))) => {
            let low = value * (-f64::hypot(over_low, under_high)).exp();
            Estimate::Within(low, value * f64::hypot(over_high, under_low).exp())
        }
        _ => Estimate::Unbounded,
    };
    Some(Reading { value, interval })
}

/// Operations that did not end well.
pub(crate) fn failed(outcomes: &OutcomeCounts) -> u64 {
    outcomes.total() - outcomes.ok
}

/// Operations that ended for want of time.
fn out_of_time(outcomes: &OutcomeCounts) -> u64 {
    outcomes.timeouts + outcomes.unsent + outcomes.cut
}

/// The expectation that no operation fails, for checks whose file states no limit on errors: a
/// store that refuses everything at once would otherwise be the fastest of all.
pub(crate) fn no_errors(subject: &str, recording: &Recording) -> Expectation {
    let summary = recording.summary(subject);
    let (observed, judgement, reason) = match &summary {
        Some(summary) if summary.samples > 0 => {
            let failed = failed(&summary.outcomes);
            let generator = Circumstances::of(summary, recording);
            let doubt = generator.held_back().filter(|_| failed == out_of_time(&summary.outcomes));
            let (judgement, reason) = match (failed, doubt) {
                (0, _) => (Judgement::Pass, None),
                (_, Some(doubt)) => (Judgement::Inconclusive, Some(doubt.reason)),
                (_, None) => (Judgement::Fail, None),
            };
            (format!("{failed} of {}", summary.samples), judgement, reason)
        }
        _ => {
            let reason = Some("nothing was measured".to_owned());
            (String::new(), Judgement::Inconclusive, reason)
        }
    };
    let expected = format!("{subject} requests that fail = 0");
    Expectation { expected, observed, judgement, reason, timed: false }
}

/// One finding for each way in which operations failed.
pub(crate) fn failures(subject: &str, outcomes: &OutcomeCounts) -> Vec<Finding> {
    let finding = |(code, count): (String, u64)| Finding {
        code: FindingCode::RequestFailed,
        message: format!("{count} {subject} requests failed: {code}"),
        witness: None,
    };
    ways_to_fail(outcomes).map(finding).collect()
}

/// Operations that did not end well, by what happened to them.
pub(super) fn ways_to_fail(outcomes: &OutcomeCounts) -> impl Iterator<Item = (String, u64)> {
    let named = outcomes.errors.iter().chain(&outcomes.rejected);
    let named = named.map(|(code, count)| (code.as_str(), *count));
    let others = [
        ("timeout", outcomes.timeouts),
        ("wrong answer", outcomes.wrong_answers),
        ("never sent", outcomes.unsent),
        ("cut off when the load was aborted", outcomes.cut),
    ];
    let all = named.chain(others).filter(|(_, count)| *count > 0);
    all.map(|(code, count)| (code.to_owned(), count))
}

#[cfg(test)]
mod tests {
    use cutover_model::scenario::Comparison;

    use super::*;

    fn demand() -> Demand {
        Demand {
            subject: "destination".to_owned(),
            statistic: Statistic::P95,
            limit: Limit {
                comparison: Comparison::Below,
                value: LimitValue::Duration(Duration::from_millis(150)),
            },
            min_samples: 1_000,
        }
    }

    fn observed(seconds: f64, samples: u64) -> Observed {
        let interval = Estimate::Within(seconds * 0.999, seconds * 1.001);
        let reading = Some(Reading { value: seconds, interval });
        let circumstances = Circumstances { lag: Some(Duration::ZERO), ..Circumstances::default() };
        Observed { reading, samples, circumstances }
    }

    fn with_generator(seconds: f64, circumstances: Circumstances) -> Judgement {
        judged(&Observed { circumstances, ..observed(seconds, 1_000) }, Timing::Real)
    }

    fn judged(observed: &Observed, timing: Timing) -> Judgement {
        judge(&demand(), observed, timing).judgement
    }

    #[test]
    fn a_p95_below_the_limit_passes() {
        assert_eq!(judged(&observed(0.149, 1_000), Timing::Real), Judgement::Pass);
    }

    #[test]
    fn a_p95_at_the_limit_fails_where_it_is_exact() {
        let reading = Some(Reading { value: 0.15, interval: Estimate::Exact });
        let observed = Observed { reading, ..observed(0.15, 1_000) };
        assert_eq!(judged(&observed, Timing::Real), Judgement::Fail);
    }

    #[test]
    fn a_p95_whose_interval_holds_the_limit_is_inconclusive_on_both_sides() {
        for seconds in [0.1499, 0.1501] {
            assert_eq!(judged(&observed(seconds, 1_000), Timing::Real), Judgement::Inconclusive);
        }
    }

    #[test]
    fn a_figure_that_no_samples_bound_does_not_pass() {
        let reading = |value| Some(Reading { value, interval: Estimate::Unbounded });
        let of = |value| Observed { reading: reading(value), ..observed(value, 1_000) };
        assert_eq!(judged(&of(0.01), Timing::Real), Judgement::Inconclusive);
        assert_eq!(judged(&of(0.9), Timing::Real), Judgement::Fail);
    }

    #[test]
    fn too_few_samples_are_inconclusive_even_when_fast() {
        assert_eq!(judged(&observed(0.001, 999), Timing::Real), Judgement::Inconclusive);
    }

    #[test]
    fn nothing_measured_is_inconclusive_even_on_a_stand_in() {
        let nothing = Observed::default();
        assert_eq!(judged(&nothing, Timing::Indicative), Judgement::Inconclusive);
    }

    #[test]
    fn a_stand_in_s_latency_is_shown_and_not_judged() {
        let expectation = judge(&demand(), &observed(9.0, 1_000), Timing::Indicative);
        assert_eq!(expectation.judgement, Judgement::Skipped);
        assert_eq!(expectation.observed, "9s (8.99s to 9.01s)");
    }

    #[test]
    fn a_percentile_of_failures_is_none_of_answers() {
        let failing = |failed| Circumstances { failed, ..Default::default() };
        assert_eq!(with_generator(0.01, failing(0.04)), Judgement::Pass);
        assert_eq!(with_generator(0.01, failing(0.06)), Judgement::Inconclusive);
        assert_eq!(with_generator(0.2, failing(0.06)), Judgement::Fail);
    }

    #[test]
    fn a_late_generator_blames_nobody() {
        let late = || Circumstances { lag: Some(Duration::from_millis(16)), ..Default::default() };
        assert_eq!(with_generator(0.2, late()), Judgement::Inconclusive);
        assert_eq!(with_generator(0.01, late()), Judgement::Inconclusive);
    }

    #[test]
    fn a_generator_whose_cores_others_have_blames_nobody() {
        let starved = || Circumstances { starved: Some(0.3), ..Default::default() };
        assert_eq!(with_generator(0.2, starved()), Judgement::Inconclusive);
        assert_eq!(with_generator(0.01, starved()), Judgement::Pass);
    }

    #[test]
    fn a_starved_generator_blames_nobody() {
        let busy = || Circumstances { busy: Some(0.97), ..Default::default() };
        assert_eq!(with_generator(0.2, busy()), Judgement::Inconclusive);
        assert_eq!(with_generator(0.01, busy()), Judgement::Inconclusive);
    }

    #[test]
    fn a_clock_that_was_set_is_inconclusive() {
        let stepped = Circumstances { clock_step: Duration::from_secs(1), ..Default::default() };
        assert_eq!(with_generator(0.01, stepped), Judgement::Inconclusive);
    }

    #[test]
    fn a_rate_that_was_not_sent_keeps_a_latency_from_passing_and_excuses_none() {
        let missed = || Circumstances { sent: Some(0.97), ..Default::default() };
        assert_eq!(with_generator(0.01, missed()), Judgement::Inconclusive);
        assert_eq!(with_generator(0.2, missed()), Judgement::Fail);
    }

    /// What 4,000/s come to against a limit on operations, with a generator.
    fn throughput(comparison: Comparison, per_second: f64, generator: Circumstances) -> Judgement {
        let value = LimitValue::Rate(cutover_model::Rate::try_from(per_second).unwrap());
        let limit = Limit { comparison, value };
        let demand = Demand { statistic: Statistic::Operations, limit, ..demand() };
        let reading = Some(Reading { value: 4_000.0, interval: Estimate::Exact });
        let observed = Observed { reading, circumstances: generator, ..observed(0.0, 1_000) };
        judge(&demand, &observed, Timing::Real).judgement
    }

    fn limiting() -> [Circumstances; 2] {
        let busy = Circumstances { busy: Some(0.97), ..Default::default() };
        let held_back = Some(Duration::from_millis(5));
        [busy, Circumstances { held_back, ..Default::default() }]
    }

    #[test]
    fn a_throughput_passes_whatever_the_generator_could_not_do_beyond_it() {
        for generator in limiting() {
            assert_eq!(throughput(Comparison::Above, 3_000.0, generator), Judgement::Pass);
        }
    }

    #[test]
    fn a_throughput_does_not_fail_where_the_generator_may_have_been_the_limit() {
        for generator in limiting() {
            assert_eq!(throughput(Comparison::Above, 5_000.0, generator), Judgement::Inconclusive);
        }
        let idle = Circumstances::default();
        assert_eq!(throughput(Comparison::Above, 5_000.0, idle), Judgement::Fail);
    }

    #[test]
    fn a_throughput_that_is_to_stay_low_does_not_pass_by_the_generator_s_doing() {
        for generator in limiting() {
            let judged = |limit| throughput(Comparison::Below, limit, generator.clone());
            assert_eq!(judged(5_000.0), Judgement::Inconclusive);
            assert_eq!(judged(3_000.0), Judgement::Fail);
        }
    }

    #[test]
    fn a_clock_that_was_set_leaves_no_throughput_to_judge() {
        let stepped = || Circumstances { clock_step: Duration::from_secs(1), ..Default::default() };
        for limit in [3_000.0, 5_000.0] {
            let judged = throughput(Comparison::Above, limit, stepped());
            assert_eq!(judged, Judgement::Inconclusive);
        }
    }

    #[test]
    fn a_quotient_knows_less_than_either_figure() {
        let of =
            |value: f64| Reading { value, interval: Estimate::Within(value / 1.1, value * 1.1) };
        let Reading { value, interval } = quotient(of(3.0), of(2.0)).unwrap();
        let Estimate::Within(low, high) = interval else { panic!("{interval:?}") };
        assert!((value - 1.5).abs() < 1e-9);
        let half = (2.0_f64.sqrt() * 1.1_f64.ln()).exp();
        assert!((low - 1.5 / half).abs() < 1e-9 && (high - 1.5 * half).abs() < 1e-9);
    }

    #[test]
    fn a_quotient_by_nothing_is_no_figure() {
        let zero = Reading { value: 0.0, interval: Estimate::Exact };
        assert_eq!(quotient(Reading { value: 1.0, ..zero }, zero), None);
    }

    #[test]
    fn errors_are_judged_on_stand_ins_too() {
        let demand = Demand {
            statistic: Statistic::Errors,
            limit: Limit {
                comparison: Comparison::Below,
                value: LimitValue::Ratio(Ratio::from_percent(1.0).unwrap()),
            },
            ..demand()
        };
        let reading = Some(Reading { value: 0.01, interval: Estimate::Exact });
        let observed = Observed { reading, ..observed(0.01, 1_000) };
        let expectation = judge(&demand, &observed, Timing::Indicative);
        assert_eq!(expectation.judgement, Judgement::Fail);
    }
}
