//! Minimising a function of several numbers without its slope, by the method of Nelder and Mead.
//!
//! The factors follow the number of dimensions, as those of the library that the server uses.

use crate::flux::error::FluxError;

/// How far from the start the first corners lie.
const FIRST_STEP: f64 = 0.05;

/// When the lowest value is said to change no more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// What is less than this is no change.
    pub(super) change: f64,
    /// So many rounds without a change are the end.
    pub(super) rounds: usize,
}

/// A place and the function's value there.
#[derive(Clone, Debug)]
pub(super) struct Corner {
    pub(super) place: Vec<f64>,
    pub(super) value: f64,
}

struct Simplex<F> {
    function: F,
    /// In order of their values.
    corners: Vec<Corner>,
    /// The mean of all corners but the last.
    centre: Vec<f64>,
}

/// The lowest place that is found from a start.
pub(super) fn minimum(
    start: &[f64],
    patience: Patience,
    mut function: impl FnMut(&[f64]) -> Result<f64, FluxError>,
) -> Result<Corner, FluxError> {
    let mut corners = Vec::with_capacity(start.len() + 1);
    for axis in 0..start.len() {
        let mut place = start.to_vec();
        place[axis] += FIRST_STEP;
        corners.push(Corner { value: function(&place)?, place });
    }
    corners.push(Corner { value: function(start)?, place: start.to_vec() });
    let mut simplex = Simplex { function, corners, centre: Vec::new() };
    simplex.settle();
    let (mut best, mut waited) = (simplex.corners[0].value, 0);
    while waited < patience.rounds {
        simplex.step()?;
        let value = simplex.corners[0].value;
        if value < best && best - value > patience.change {
            best = value;
            waited = 0;
        } else {
            waited += 1;
        }
    }
    Ok(simplex.corners.swap_remove(0))
}

impl<F: FnMut(&[f64]) -> Result<f64, FluxError>> Simplex<F> {
    fn dimensions(&self) -> usize {
        self.corners.len() - 1
    }

    /// Orders the corners and finds their centre anew.
    fn settle(&mut self) {
        self.corners.sort_by(|left, right| left.value.total_cmp(&right.value));
        let dimensions = self.dimensions();
        let mut centre = vec![0.0; dimensions];
        for corner in &self.corners[..dimensions] {
            centre.iter_mut().zip(&corner.place).for_each(|(sum, own)| *sum += own);
        }
        for sum in &mut centre {
            *sum /= dimensions as f64;
        }
        self.centre = centre;
    }

    /// The corner on the line from the last corner through the centre, so far behind the centre.
    fn beyond(&mut self, scale: f64) -> Result<Corner, FluxError> {
        let worst = &self.corners[self.corners.len() - 1].place;
        let places = self.centre.iter().zip(worst);
        let place: Vec<f64> =
            places.map(|(centre, worst)| (centre - worst) * scale + centre).collect();
        Ok(Corner { value: (self.function)(&place)?, place })
    }

    /// Replaces the last corner by a better one, or draws all corners towards the best.
    fn step(&mut self) -> Result<(), FluxError> {
        let dimensions = self.dimensions();
        let size = dimensions as f64;
        let (expansion, contraction) = (1.0 + 2.0 / size, 0.75 - 1.0 / (2.0 * size));
        let (best, worst) = (self.corners[0].value, self.corners[dimensions].value);
        let reflected = self.beyond(1.0)?;
        if reflected.value >= best && reflected.value < self.corners[dimensions - 1].value {
            self.replace(&reflected);
        } else if reflected.value < best {
            let expanded = self.beyond(expansion)?;
            let better = expanded.value < reflected.value;
            self.replace(if better { &expanded } else { &reflected });
        } else if reflected.value < worst {
            let outside = self.beyond(contraction)?;
            if outside.value <= reflected.value {
                self.replace(&outside);
            } else {
                self.shrink()?;
            }
        } else {
            let inside = self.beyond(-contraction)?;
            if inside.value < worst {
                self.replace(&inside);
            } else {
                self.shrink()?;
            }
        }
        Ok(())
    }

    fn replace(&mut self, new: &Corner) {
        let dimensions = self.dimensions();
        self.corners.pop();
        let at = self.corners.partition_point(|corner| corner.value < new.value);
        self.corners.insert(at, new.clone());
        // One corner has come and one has gone, and the centre moves by their shares.
        let gone = &self.corners[dimensions].place;
        for ((centre, gone), new) in self.centre.iter_mut().zip(gone).zip(&new.place) {
            let share = 1.0 / dimensions as f64;
            *centre += -share * gone;
            *centre += share * new;
        }
    }

    fn shrink(&mut self) -> Result<(), FluxError> {
        let factor = 1.0 - 1.0 / self.dimensions() as f64;
        let best = self.corners[0].place.clone();
        for corner in &mut self.corners[1..] {
            for (own, best) in corner.place.iter_mut().zip(&best) {
                *own = (*own - best) * factor + best;
            }
            corner.value = (self.function)(&corner.place)?;
        }
        self.settle();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bottom_of_a_bowl_is_found() {
        let patience = Patience { change: 1e-12, rounds: 100 };
        let bowl = |place: &[f64]| Ok((place[0] - 1.0).powi(2) + (place[1] + 2.0).powi(2));
        let found = minimum(&[0.0, 0.0], patience, bowl).unwrap();
        assert!((found.place[0] - 1.0).abs() < 1e-4 && (found.place[1] + 2.0).abs() < 1e-4);
    }
}
