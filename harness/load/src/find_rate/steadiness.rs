//! Whether a queue grew for as long as a load ran.
//!
//! [`queue_grows`] compares what was due in each second with what ended in it. A service that is
//! asked for slightly more than it can do looks well for a while: its latency is still below the
//! limit when the trial is over, and would not be for long.

use crate::recording::Recording;

/// A service that falls behind by less than this share of what is asked is not called growing: it
/// is within what a clock of seconds tells.
const MATERIAL: f64 = 0.003;
/// Student's t at 97.5 % by degrees of freedom, from 1; beyond the table that of many.
const STUDENT: [f64; 16] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120,
];

/// Whether requests of an operation came in faster than they ended, second by second, by more than
/// chance explains. The measured phase of an open load has to have three whole seconds, or nothing
/// is seen.
pub fn queue_grows(recording: &Recording, label: &str) -> bool {
    let Some(operation) = recording.operations.get(label) else { return false };
    // A second in which the phase begins or ends is not whole.
    let from = recording.warm_up.as_secs() + u64::from(recording.warm_up.subsec_nanos() > 0);
    let to = (recording.warm_up + recording.covered).as_secs();
    let second = |second: u64| {
        operation
            .seconds
            .get(&second)
            .map_or((0.0, 0.0), |entry| (entry.response.samples() as f64, entry.ended as f64))
    };
    let (due, ended): (Vec<f64>, Vec<f64>) = (from..to).map(second).unzip();
    let left: Vec<f64> = due.iter().zip(&ended).map(|(due, ended)| due - ended).collect();
    if left.len() < 3 {
        return false;
    }
    let seconds = left.len() as f64;
    let asked = due.iter().sum::<f64>() / seconds;
    let growth = left.iter().sum::<f64>() / seconds;
    let variance = left.iter().map(|left| (left - growth).powi(2)).sum::<f64>() / (seconds - 1.0);
    let student = STUDENT.get(left.len() - 2).copied().unwrap_or(1.96);
    growth > MATERIAL * asked && growth > student * (variance / seconds).sqrt()
}
