//! `cutover run`: scenarios to a verdict and a report.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use cutover_engine::shards::ShardPlan;
use cutover_engine::{Events, Plan, RunCx, StopSwitch};
use cutover_model::event::{EVENT_FORMAT, Machine, RunStart};
use cutover_model::{Exit, RunId, RunReport, Scenario, TargetKind};
use cutover_report::{Format, terminal};
use cutover_targets::TargetSpec;

use crate::args::RunArgs;
use crate::interrupt;
use crate::paths::{self, load};
use crate::printer::Printer;
use crate::progress::Progress;
use crate::record::{RecordError, Recorder, folder, write_shard_plan};
use crate::settings::Settings;
use crate::targeting::{options_of, sweep, target};

/// How long tasks that are left may still take.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

pub(crate) fn run(args: &RunArgs, settings: &Settings, printer: Printer) -> Exit {
    let scenarios = match load(&args.selection, paths::Default::Smoke, printer) {
        Ok(scenarios) => scenarios,
        Err(exit) => return exit,
    };
    let plan = match plan(scenarios, args, printer) {
        Ok(plan) => plan,
        Err(exit) => return exit,
    };
    if args.dry_run {
        printer.out(&described(&plan, args.target.kind));
        return Exit::Passed;
    }
    let target = match target(&args.target, settings, printer) {
        Ok(target) => target,
        Err(exit) => return exit,
    };
    sweep(&settings.leases, printer);
    let start = start_of((&plan, &target), options_of(&args.target), settings);
    let folder = match folder(args.out.as_deref(), &start.run) {
        Ok(folder) => folder,
        Err(error) => return refused(&error, printer),
    };
    let described = plan.shard.map_or(Ok(()), |_| {
        let scenarios = plan.scenarios.iter().map(|it| it.scenario.clone()).collect();
        write_shard_plan(&folder, &ShardPlan { scenarios })
    });
    match described.and_then(|()| perform((plan, target, start), &folder, settings, printer)) {
        Ok(report) => show(&report, &folder, printer),
        Err(error) => {
            printer.error(&error);
            Exit::Error
        }
    }
}

/// Prints what a run came to and where its report is.
pub(crate) fn show(report: &RunReport, folder: &Path, printer: Printer) -> Exit {
    printer.out(&terminal(report, printer.style()));
    printer.say(&format!("report: {}", folder.join(Format::Html.file_name()).display()));
    report.exit
}

/// The plan of an ordinary run, of a shard of one, or of one with a break.
fn plan(scenarios: Vec<Scenario>, args: &RunArgs, printer: Printer) -> Result<Plan, Exit> {
    let Some(place) = &args.sabotage else {
        let plan = Plan::new(scenarios, args.seed);
        let Some(shard) = args.shard else { return Ok(plan) };
        return plan.sharded(shard).map_err(|error| {
            printer.mistake(&error.to_string(), "take as many shards as there are users, or fewer");
            Exit::BadInput
        });
    };
    let plans = scenarios.iter().flat_map(|it| Plan::sabotaged(it, args.seed));
    let mut declared = Vec::new();
    for plan in plans {
        let Some(sabotaged) = plan.scenarios[0].sabotaged() else { continue };
        if sabotaged.place == *place {
            return Ok(plan);
        }
        declared.push(format!("{} {}", sabotaged.place, sabotaged.name));
    }
    let help = format!("the declared breaks are {}", declared.join(", "));
    printer.mistake(&format!("no break is declared at `{place}`"), &help);
    Err(Exit::BadInput)
}

/// Refuses a folder before anything is started.
pub(crate) fn refused(error: &RecordError, printer: Printer) -> Exit {
    printer.error(error);
    printer.say("  = help: give a folder that is new or empty: --out DIR");
    Exit::BadInput
}

/// A runtime with a worker per core.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// What the run starts from. The wall clock is read here, once.
pub(crate) fn start_of(
    (plan, target): (&Plan, &TargetSpec),
    options: Vec<String>,
    settings: &Settings,
) -> RunStart {
    let started_at_ns = settings.clock.now_ns();
    let shard = plan.shard.map(|shard| format!("-{}of{}", shard.number(), shard.of()));
    let shard_name = shard.unwrap_or_default();
    let started = jiff::Timestamp::from_nanosecond(i128::from(started_at_ns)).unwrap_or_default();
    RunStart {
        format: EVENT_FORMAT,
        run: RunId::new(format!(
            "{}-{}{shard_name}",
            started.strftime("%Y%m%dT%H%M%SZ"),
            plan.seed
        )),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at_ns,
        seed: plan.seed,
        target: target.kind(),
        options,
        shard: plan.shard,
        machine: Some(machine()),
        scenarios: u32::try_from(plan.scenarios.len()).unwrap_or(u32::MAX),
    }
}

/// What the run runs on.
fn machine() -> Machine {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    Machine {
        cores: u32::try_from(cores).unwrap_or(u32::MAX),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
    }
}

/// Runs a plan, shows it, records it and reports it.
pub(crate) fn perform(
    (plan, target, start): (Plan, TargetSpec, RunStart),
    folder: &Path,
    settings: &Settings,
    printer: Printer,
) -> Result<RunReport, RecordError> {
    let failed = |cause| RecordError::Write { path: folder.to_owned(), cause };
    let runtime = runtime().map_err(failed)?;
    let clocks = (settings.clock.clone(), settings.system_clock.clone());
    let leases = settings.leases.clone();
    let (switch, stop) = StopSwitch::new();
    let cx = RunCx::new(clocks, folder.to_owned(), stop, (target, leases));
    let performed = runtime.block_on(async {
        let mut leave = interrupt::watch(switch, printer);
        let mut recorder = Recorder::create(folder)?;
        let (events, mut happened) = Events::new();
        let running = tokio::spawn(cutover_engine::run(plan, cx, start, events));
        let mut progress = Progress::new(settings.progress, printer);
        let mut recorded = Ok(());
        let left = loop {
            let event = tokio::select! {
                biased;
                _ = &mut leave => break true,
                event = happened.recv() => event,
            };
            let Some(event) = event else { break false };
            progress.show(&event);
            let taken = recorder.take(event);
            recorded = recorded.and(taken);
        };
        progress.finish();
        if left {
            let taken = recorder.take_leave();
            recorded = recorded.and(taken);
        } else {
            // The events have ended, and so has the run; one that panicked lacks its last event,
            // and the report says so.
            drop(running.await);
        }
        recorded?;
        recorder.finish().map(|report| (report, left))
    });
    // Whoever leaves does not wait for the tasks that are left; dropping them kills what they
    // have started, and what outlives that is swept away.
    runtime.shutdown_timeout(LEAVE_WITHIN);
    let (report, left) = performed?;
    if left {
        sweep(&settings.leases, printer);
    }
    Ok(report)
}

/// The plan as `--dry-run` shows it.
fn described(plan: &Plan, target: TargetKind) -> String {
    let shard = plan.shard.map(|shard| format!(", shard {shard}")).unwrap_or_default();
    let mut lines = vec![format!("target {}, seed {}{shard}", target.word(), plan.seed)];
    for planned in &plan.scenarios {
        let scenario = &planned.scenario;
        lines.push(format!("\n{} ({})", scenario.id, scenario.file.display()));
        lines.push(format!("  {}", scenario.title));
        lines.extend(planned.steps().map(|(id, _)| format!("  {id}")));
    }
    lines.join("\n") + "\n"
}
