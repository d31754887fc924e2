//! A merging t-digest: quantiles of many values from few centroids.
//!
//! [`Digest`] keeps centroids that are small near the ends and larger in the middle, by the
//! arcsine scale. It follows the server's parameters, so that its estimates are the server's.

use std::f64::consts::{FRAC_PI_2, PI};

use crate::flux::value::order_floats;

/// The compression that stands for "not given".
pub(super) const DEFAULT_COMPRESSION: f64 = 1000.0;

/// Values wait until there are this many times the compression, then they are merged.
const WAITING_FACTOR: f64 = 8.0;

#[derive(Clone, Copy, Debug)]
struct Centroid {
    mean: f64,
    weight: f64,
}

/// A sketch of a distribution.
#[derive(Debug)]
pub(super) struct Digest {
    compression: f64,
    merged: Vec<Centroid>,
    waiting: Vec<f64>,
    min: f64,
    max: f64,
}

impl Digest {
    pub(super) fn new(compression: f64) -> Self {
        let (merged, waiting) = (Vec::new(), Vec::new());
        Self { compression, merged, waiting, min: f64::MAX, max: f64::MIN }
    }

    /// Takes in a value; NaN is ignored.
    pub(super) fn add(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        self.waiting.push(value);
        if self.waiting.len() as f64 > WAITING_FACTOR * self.compression.ceil() {
            self.merge();
        }
    }

    fn merge(&mut self) {
        let new = self.waiting.drain(..).map(|mean| Centroid { mean, weight: 1.0 });
        let mut all: Vec<Centroid> = new.chain(self.merged.drain(..)).collect();
        all.sort_by(|left, right| order_floats(left.mean, right.mean));
        let Some((first, rest)) = all.split_first() else { return };
        let total: f64 = all.iter().map(|centroid| centroid.weight).sum();
        self.merged.push(*first);
        let mut so_far = first.weight;
        let mut limit = total * self.share_at(1.0);
        for next in rest {
            let last = self.merged.len() - 1;
            if so_far + next.weight <= limit {
                let centroid = &mut self.merged[last];
                centroid.weight += next.weight;
                centroid.mean += next.weight * (next.mean - centroid.mean) / centroid.weight;
            } else {
                limit = total * self.share_at(self.scale(so_far / total) + 1.0);
                self.merged.push(*next);
            }
            so_far += next.weight;
        }
        self.min = self.min.min(self.merged[0].mean);
        self.max = self.max.max(self.merged[self.merged.len() - 1].mean);
    }

    /// The share of the distribution below a place on the scale.
    fn share_at(&self, place: f64) -> f64 {
        let place = place.min(self.compression);
        f64::midpoint((place * PI / self.compression - FRAC_PI_2).sin(), 1.0)
    }

    /// The place on the scale of a share of the distribution.
    fn scale(&self, share: f64) -> f64 {
        self.compression * ((2.0 * share - 1.0).asin() + FRAC_PI_2) / PI
    }

    /// The value below which the share `q` of all values lies; `None` without values.
    pub(super) fn quantile(mut self, q: f64) -> Option<f64> {
        self.merge();
        let first = *self.merged.first()?;
        let last = self.merged[self.merged.len() - 1];
        if self.merged.len() == 1 {
            return Some(first.mean);
        }
        let total: f64 = self.merged.iter().map(|centroid| centroid.weight).sum();
        let rank = q * total;
        if rank <= first.weight / 2.0 {
            return Some(self.min + 2.0 * rank / first.weight * (first.mean - self.min));
        }
        // A centroid's weight lies half below and half above its mean.
        let mut below = first.weight / 2.0;
        for pair in self.merged.windows(2) {
            let step = f64::midpoint(pair[0].weight, pair[1].weight);
            if below + step >= rank {
                let (past, left) = (rank - below, below + step - rank);
                return Some(between(pair[0].mean, left, pair[1].mean, past));
            }
            below += step;
        }
        let past = rank - total - last.weight / 2.0;
        Some(between(last.mean, past, self.max, last.weight / 2.0 - past))
    }
}

/// The weighted mean of two values, kept between them.
fn between(left: f64, left_weight: f64, right: f64, right_weight: f64) -> f64 {
    let mean = (left * left_weight + right * right_weight) / (left_weight + right_weight);
    mean.clamp(left.min(right), left.max(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_few_values_is_exact() {
        let mut digest = Digest::new(DEFAULT_COMPRESSION);
        (1..=5).for_each(|value| digest.add(f64::from(value)));
        assert_eq!(digest.quantile(0.5), Some(3.0));
    }

    #[test]
    fn estimates_of_many_values_are_close() {
        let mut digest = Digest::new(DEFAULT_COMPRESSION);
        (0..100_000).for_each(|value| digest.add(f64::from(value)));
        let estimate = digest.quantile(0.95).unwrap();
        assert!((estimate - 95_000.0).abs() < 20.0, "the estimate is {estimate}");
    }

    #[test]
    fn a_digest_without_values_has_no_quantile() {
        assert_eq!(Digest::new(DEFAULT_COMPRESSION).quantile(0.5), None);
    }
}
