//! Run reports as bytes: JSON, JUnit, HTML, Markdown and text.
//!
//! Every output is a plain function of one [`RunReport`](cutover_model::RunReport), so no two of
//! them can disagree about a run; [`render`] picks one by its [`Format`]. [`line()`] is the only
//! function of a single event: it is what a log shows while a run goes on. [`Baseline`] is what is
//! kept of a run, and [`compare`] holds a later one against it. Nothing here reads or writes a
//! file, and nothing here judges a run: that is the fold in `cutover-model`.

mod baselines;
mod calibration;
mod compared;
mod comparison;
mod details;
mod format;
mod html;
mod json;
mod junit;
mod markdown;
mod measured;
mod progress;
mod student;
mod terminal;
mod text;

pub use baselines::{
    BASELINE_FORMAT, Baseline, KeptFigure, KeptOperation, KeptStatistic, LineError, Load,
    NoBaseline, kept_of_run, of_run, read_baselines,
};
pub use calibration::calibration_text;
pub use compared::{comparison_markdown, comparison_text, conclusion};
pub use comparison::{
    Ceilings, Change, Compared, Comparison, ENOUGH_RUNS, Earlier, Quotient, compare,
};
pub use format::{Format, UnknownFormat, render};
pub use html::html;
pub use json::{TIMED, json, timeless};
pub use junit::junit;
pub use markdown::{MARKDOWN_LIMIT, markdown};
pub use progress::line;
pub use terminal::{Style, terminal};
