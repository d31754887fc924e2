//! `cutover sabotage`: make every declared break, and show which checks see it.
//!
//! A check that stays green when its subject is broken proves nothing. So a break that survives is
//! a failure, and so is a file in which no break is declared.

use std::path::Path;

use cutover_engine::Plan;
use cutover_model::report::{StepReport, StepState};
use cutover_model::{Exit, Expectation, Judgement, RunId, RunReport};
use cutover_targets::TargetSpec;

use crate::args::SabotageArgs;
use crate::commands::run::{perform, refused, start_of};
use crate::paths::{Default, load};
use crate::printer::Printer;
use crate::record::folder;
use crate::settings::{ProgressStyle, Settings};
use crate::targeting::{options_of, sweep, target};

/// What became of one break.
struct Kill {
    scenario: String,
    check: String,
    name: String,
    fate: Fate,
}

/// Whether a check saw its break.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    /// The check failed, by this expectation.
    Caught(String),
    /// The check did not fail.
    Survived,
    /// This target does not judge or does not allow it, and why.
    NotJudgedHere(String),
    /// The check could not be run.
    Erred(String),
}

pub(crate) fn sabotage(args: &SabotageArgs, settings: &Settings, printer: Printer) -> Exit {
    let scenarios = match load(&args.selection, Default::Smoke, printer) {
        Ok(scenarios) => scenarios,
        Err(exit) => return exit,
    };
    let plans: Vec<Plan> =
        scenarios.iter().flat_map(|scenario| Plan::sabotaged(scenario, args.seed)).collect();
    if plans.is_empty() {
        printer.mistake("no scenario declares a break", "add `sabotage:` to its checks");
        return Exit::NothingJudged;
    }
    let target = match target(&args.target, settings, printer) {
        Ok(target) => target,
        Err(exit) => return exit,
    };
    sweep(&settings.leases, printer);
    let options = options_of(&args.target);
    let run = start_of((&plans[0], &target), options.clone(), settings).run;
    let run = RunId::new(format!("{run}-sabotage"));
    let folder = match folder(args.out.as_deref(), &run) {
        Ok(folder) => folder,
        Err(error) => return refused(&error, printer),
    };
    let mut kills = Vec::new();
    for (number, plan) in (1..).zip(plans) {
        let below = folder.join(format!("{number:02}"));
        match one((plan, (&target, &options)), &below, settings, printer) {
            Ok(kill) => {
                printer.out(&kill.row());
                kills.push(kill);
            }
            Err(exit) => return exit,
        }
    }
    conclude(&kills, printer)
}

fn one(
    (plan, (target, options)): (Plan, (&TargetSpec, &[String])),
    folder: &Path,
    settings: &Settings,
    printer: Printer,
) -> Result<Kill, Exit> {
    let planned = &plan.scenarios[0];
    let scenario = planned.scenario.id.to_string();
    let index = planned.sabotage.map_or(0, |sabotage| sabotage.step);
    let check = planned.steps().nth(index).map(|(id, _)| id.to_string()).unwrap_or_default();
    let name = planned.sabotaged().map(|it| it.name).unwrap_or_default();
    let needs_timing = planned.sabotage_needs_timing();
    let start = start_of((&plan, target), options.to_vec(), settings);
    let failed = |error: &(dyn std::error::Error + 'static)| {
        printer.error(error);
        Exit::Error
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    // The table is the output here; a run's own lines would hide it.
    let quiet = Settings { progress: ProgressStyle::Silent, ..settings.clone() };
    let performed = perform((plan, target.clone(), start), folder, &quiet, printer);
    let report = performed.map_err(|error| failed(&error))?;
    if report.interrupted || !report.complete {
        return Err(Exit::Inconclusive);
    }
    let fate = fate(&report, &check, needs_timing);
    Ok(Kill { scenario, check, name, fate })
}

fn fate(report: &RunReport, check: &str, needs_timing: bool) -> Fate {
    let steps = report.scenarios.iter().flat_map(|scenario| &scenario.steps);
    let Some(step) = steps.into_iter().find(|step| step.id.as_str() == check) else {
        return Fate::Erred("the check was not reached".to_owned());
    };
    let errors = report.scenarios.iter().flat_map(|it| &it.errors).chain(&step.errors);
    if let Some(error) = errors.flatten().next() {
        return Fate::Erred(error.clone());
    }
    if let StepState::Skipped(why) = &step.state {
        return Fate::NotJudgedHere(why.clone());
    }
    match (failed(step), step.judgement()) {
        (Some(expectation), _) => {
            let Expectation { expected, observed, .. } = expectation;
            Fate::Caught(format!("{expected}: {observed}"))
        }
        (None, Some(Judgement::Inconclusive)) => {
            let mut reason = step.verdict.iter().flat_map(|verdict| &verdict.expectations);
            let reason = reason.find_map(|expectation| expectation.reason.clone());
            Fate::Erred(reason.unwrap_or_else(|| "inconclusive".to_owned()))
        }
        _ if needs_timing && report.scenarios.iter().any(indicative) => {
            Fate::NotJudgedHere("it shows in timing, which is indicative".to_owned())
        }
        _ => Fate::Survived,
    }
}

fn indicative(scenario: &cutover_model::report::ScenarioReport) -> bool {
    scenario.timing == Some(cutover_model::Timing::Indicative)
}

fn failed(step: &StepReport) -> Option<&Expectation> {
    let expectations = step.verdict.iter().flat_map(|verdict| &verdict.expectations);
    expectations.into_iter().find(|expectation| expectation.judgement == Judgement::Fail)
}

impl Kill {
    fn row(&self) -> String {
        let Self { scenario, check, name, fate } = self;
        let told = match fate {
            Fate::Caught(by) => format!("caught    by {by}"),
            Fate::Survived => "SURVIVED  the check did not fail".to_owned(),
            Fate::NotJudgedHere(why) => format!("unjudged  {why}"),
            Fate::Erred(why) => format!("error     {why}"),
        };
        format!("{:<44} {name:<32} {told}\n", format!("{scenario}/{check}"))
    }
}

fn conclude(kills: &[Kill], printer: Printer) -> Exit {
    let count = |wanted: fn(&Fate) -> bool| kills.iter().filter(|it| wanted(&it.fate)).count();
    let caught = count(|fate| matches!(fate, Fate::Caught(_)));
    let survived = count(|fate| *fate == Fate::Survived);
    let unjudged = count(|fate| matches!(fate, Fate::NotJudgedHere(_)));
    let erred = count(|fate| matches!(fate, Fate::Erred(_)));
    printer.out(&format!(
        "\n{} breaks: {caught} caught, {survived} survived, {unjudged} not judged on this target, \
         {erred} not made\n",
        kills.len()
    ));
    match (erred, survived, caught) {
        (1.., _, _) => Exit::Error,
        (0, 1.., _) => Exit::Failed,
        (0, 0, 0) => Exit::NothingJudged,
        (0, 0, 1..) => Exit::Passed,
    }
}
