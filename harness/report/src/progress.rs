//! A run while it goes on: one plain line per event, for logs and pipes.
//!
//! A terminal shows progress bars instead; those belong to the CLI.

use cutover_model::event::{RunEvent, RunEventKind};
use cutover_model::{Timing, ids};

use crate::calibration::calibration_line;
use crate::text::{many, number, visible};

/// The line of an event, without its end; `None` for events that a log can do without.
///
/// A [`StepProgressed`](RunEventKind::StepProgressed) has a line each time; a caller that gets many
/// of them leaves out those that follow too soon.
pub fn line(event: &RunEvent) -> Option<String> {
    let text = match &event.kind {
        RunEventKind::RunStarted(start) => {
            let scenarios = many(start.scenarios as usize, "scenario");
            let target = start.target.word();
            format!("run {}: {scenarios} on {target}, seed {}", start.run, start.seed)
        }
        RunEventKind::Calibrated(it) => format!("calibration: {}", calibration_line(it)),
        RunEventKind::ScenarioStarted { scenario, title, steps, .. } => {
            format!("{scenario}: {title} ({})", many(steps.len(), "step"))
        }
        RunEventKind::TargetReady { scenario, timing: Timing::Real, destination } => {
            format!("{scenario}: both stores answer; the destination is {destination}")
        }
        RunEventKind::TargetReady { scenario, timing: Timing::Indicative, destination } => format!(
            "{scenario}: both stores answer; the destination is {destination}; timing is \
             indicative and not judged"
        ),
        RunEventKind::Noted { scenario, message } => format!("{scenario}: {message}"),
        _ => step_line(&event.kind).or_else(|| trouble_line(&event.kind))?,
    };
    Some(format!("[{:>8.2}s] {}", event.elapsed.as_secs_f64(), visible(&text)))
}

fn step_line(kind: &RunEventKind) -> Option<String> {
    Some(match kind {
        RunEventKind::StepStarted { scenario, step } => format!("{scenario}/{step}: started"),
        RunEventKind::StepProgressed { scenario, step, done, total: Some(total), unit } => {
            format!("{scenario}/{step}: {} of {} {unit}", number(*done), number(*total))
        }
        RunEventKind::StepProgressed { scenario, step, done, total: None, unit } => {
            format!("{scenario}/{step}: {} {unit}", number(*done))
        }
        RunEventKind::StepFinished { scenario, step, findings, .. } if findings.is_empty() => {
            format!("{scenario}/{step}: done")
        }
        RunEventKind::StepFinished { scenario, step, findings, .. } => {
            format!("{scenario}/{step}: done, with {}", many(findings.len(), "finding"))
        }
        RunEventKind::CheckJudged { scenario, step, verdict, .. } => {
            format!("{scenario}/{step}: {}", verdict.judgement())
        }
        RunEventKind::StepSkipped { scenario, step, reason } => {
            format!("{scenario}/{step}: skipped: {reason}")
        }
        _ => return None,
    })
}

fn trouble_line(kind: &RunEventKind) -> Option<String> {
    Some(match kind {
        RunEventKind::ErrorRaised { scenario, step, messages } => {
            let place = [scenario.as_ref().map(ids::ScenarioId::as_str)];
            let place = place.into_iter().chain([step.as_ref().map(ids::StepId::as_str)]).flatten();
            let place = place.collect::<Vec<_>>().join("/");
            let place = if place.is_empty() { "run" } else { &place };
            format!("{place}: error: {}", messages.join(": "))
        }
        RunEventKind::LeftUnclean { scenario, what } => {
            format!("{scenario}: could not be put back: {what}")
        }
        RunEventKind::Interrupted => "interrupted: winding down".to_owned(),
        RunEventKind::RunFinished => "run finished".to_owned(),
        _ => return None,
    })
}
