//! What is believed of the edge between rates that hold and rates that break.
//!
//! The main type is [`Belief`]: a weight for each place of a grid over the logarithm of the rate,
//! the same everywhere at first, and multiplied after each trial by how likely its outcome is
//! with the edge there.

use super::TrialOutcome;

/// The chance that a trial goes the other way for reasons that have nothing to do with its rate.
const HICCUP: f64 = 0.05;
/// How many places of the grid there are in the width of the precision.
const FINENESS: f64 = 8.0;
/// The edge of a real queue is not sharp: a trial this share of the precision away from it still
/// goes the other way in one of four cases.
const SOFTNESS: f64 = 0.5;
/// What is left out of the range on each side.
const TAIL: f64 = 0.025;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Belief {
    /// The logarithm of the first place, and from each place to the next.
    first: f64,
    step: f64,
    /// The scale of the softness, as a logarithm.
    softness: f64,
    /// They add up to 1.
    weights: Vec<f64>,
}

impl Belief {
    /// The edge may be anywhere between two rates, and somewhat beyond.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "two rates are at most some thousand steps apart"
    )]
    pub(super) fn new((from, to): (f64, f64), precision: f64) -> Self {
        let precision = precision.ln_1p();
        let step = precision / FINENESS;
        // Beyond the ends there is as much as makes an answer of them after two trials.
        let margin = 4.0 * precision;
        let first = from.ln() - margin;
        let places = ((to.ln() + margin - first) / step).ceil() as usize + 1;
        // A logistic curve has a quarter at `ln 3` of its scale.
        let softness = SOFTNESS * precision / 3_f64.ln();
        Self { first, step, softness, weights: vec![1.0 / places as f64; places] }
    }

    /// Takes in the outcome of a trial.
    pub(super) fn update(&mut self, rate: f64, outcome: TrialOutcome) {
        let likely = |holds: f64| match outcome {
            TrialOutcome::Holds => holds,
            TrialOutcome::Breaks => 1.0 - holds,
            // Half of each; between them it is likeliest.
            TrialOutcome::Straddles => (holds * (1.0 - holds)).sqrt(),
            TrialOutcome::GeneratorLimited | TrialOutcome::Untold => 1.0,
        };
        for place in 0..self.weights.len() {
            let distance = (self.place(place) - rate.ln()) / self.softness;
            let holds = HICCUP + (1.0 - 2.0 * HICCUP) / (1.0 + (-distance).exp());
            self.weights[place] *= likely(holds);
        }
        let all: f64 = self.weights.iter().sum();
        self.weights.iter_mut().for_each(|weight| *weight /= all);
    }

    /// The middle of the belief, between the ends of the range that holds 95 % of it.
    pub(super) fn range(&self) -> (f64, f64, f64) {
        (self.quantile(TAIL), self.quantile(0.5), self.quantile(1.0 - TAIL))
    }

    /// The rate that the edge is below with this probability.
    fn quantile(&self, share: f64) -> f64 {
        let mut below = 0.0;
        for (place, weight) in self.weights.iter().enumerate() {
            if below + weight >= share {
                let within = (share - below) / weight;
                return (self.place(place) + (within - 0.5) * self.step).exp();
            }
            below += weight;
        }
        // Rounding: the weights add up to a hair less than one.
        self.place(self.weights.len() - 1).exp()
    }

    fn place(&self, place: usize) -> f64 {
        self.first + self.step * place as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_that_holds_moves_the_belief_above_it() {
        let mut belief = Belief::new((10.0, 1_000.0), 0.03);
        belief.update(100.0, TrialOutcome::Holds);
        let (_, middle, _) = belief.range();
        assert!((200.0..400.0).contains(&middle), "{middle}");
    }

    #[test]
    fn one_hiccup_is_outvoted() {
        let mut belief = Belief::new((10.0, 1_000.0), 0.03);
        belief.update(50.0, TrialOutcome::Breaks);
        for rate in [50.0, 50.0, 60.0, 80.0] {
            belief.update(rate, TrialOutcome::Holds);
        }
        assert!(belief.range().1 > 80.0, "{:?}", belief.range());
    }

    #[test]
    fn a_trial_that_straddles_draws_the_belief_to_itself() {
        let mut belief = Belief::new((10.0, 1_000.0), 0.03);
        let (_, before, _) = belief.range();
        belief.update(70.0, TrialOutcome::Holds);
        belief.update(74.0, TrialOutcome::Breaks);
        (0..2).for_each(|_| belief.update(71.0, TrialOutcome::Straddles));
        let (_, middle, _) = belief.range();
        assert!(before > 90.0 && (70.0..72.0).contains(&middle), "{before} {middle}");
    }

    #[test]
    fn a_trial_that_tells_nothing_changes_nothing() {
        let mut belief = Belief::new((10.0, 1_000.0), 0.03);
        let (before, _, _) = belief.range();
        belief.update(70.0, TrialOutcome::GeneratorLimited);
        assert!((belief.range().0 - before).abs() < 1e-9);
    }
}
