//! Tests of every output over whole runs: the golden samples, agreement, and hostile text.

mod agreement;
mod hostile;
mod outputs;
mod reading;
mod runs;
mod sample;
mod samples;
