//! Showing a run while it goes on: bars on a terminal, lines elsewhere.

use std::time::Duration;

use cutover_model::{RunEvent, RunEventKind};
use indicatif::{ProgressBar, ProgressStyle as BarStyle};

use crate::printer::Printer;
use crate::settings::ProgressStyle;

/// Lines about progress within a step are no closer than this, in the time of the run.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows the events of a run.
pub(crate) enum Progress {
    Bars(ProgressBar),
    Lines { printer: Printer, last: Duration },
    Silent,
}

impl Progress {
    pub(crate) fn new(style: ProgressStyle, printer: Printer) -> Self {
        match style {
            ProgressStyle::Bars => Self::Bars(bar()),
            ProgressStyle::Lines => Self::Lines { printer, last: Duration::ZERO },
            ProgressStyle::Silent => Self::Silent,
        }
    }

    pub(crate) fn show(&mut self, event: &RunEvent) {
        let within_step = matches!(event.kind, RunEventKind::StepProgressed { .. });
        match self {
            Self::Bars(bar) if within_step => advance(bar, &event.kind),
            Self::Bars(bar) => {
                if let RunEventKind::StepStarted { scenario, step } = &event.kind {
                    bar.set_message(format!("{scenario}/{step}"));
                } else if let Some(line) = cutover_report::line(event) {
                    bar.println(line);
                }
            }
            Self::Lines { printer, last } => {
                if within_step && event.elapsed < *last + LINE_EVERY {
                    return;
                }
                if let Some(line) = cutover_report::line(event) {
                    *last = event.elapsed;
                    printer.say(&line);
                }
            }
            Self::Silent => {}
        }
    }

    pub(crate) fn finish(self) {
        if let Self::Bars(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = BarStyle::with_template("{spinner} {elapsed_precise} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn advance(bar: &ProgressBar, kind: &RunEventKind) {
    if let RunEventKind::StepProgressed { scenario, step, done, total, unit } = kind {
        let of = total.map_or_else(String::new, |total| format!(" of {total}"));
        bar.set_message(format!("{scenario}/{step}: {done}{of} {unit}"));
    }
}
