//! `cutover doctor`: what this machine can run, what is missing, and what was left behind.

use std::error::Error;
use std::path::Path;

use cutover_model::{Exit, TargetKind};
use cutover_targets::container::{ImageName, engine_version, has_image};
use cutover_targets::deployed::{
    DeployedSource, DeployedSpec, PartState, examine as examine_stack,
};
use cutover_targets::process::version_of;

use crate::args::DoctorArgs;
use crate::commands::run::runtime;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::targeting::{INFLUXD_HELP, on_path, source_of, stack_in, sweep, writes_of};

/// Whether a target can be used, and what makes it so or would.
struct Finding {
    ready: bool,
    told: String,
}

pub(crate) fn doctor(args: &DoctorArgs, settings: &Settings, printer: Printer) -> Exit {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.error(&error);
            return Exit::Error;
        }
    };
    let mut exit = Exit::Passed;
    for kind in TargetKind::ALL {
        let ready = runtime.block_on(async {
            if let (TargetKind::Deployed, Some(file)) = (kind, &args.stack.stack) {
                return deployed(file, args, settings, printer).await;
            }
            let finding = examine(kind, args, settings).await;
            let state = if finding.ready { "ready" } else { "missing" };
            printer.out(&line(kind.word(), state, &finding.told));
            finding.ready
        });
        if args.target == Some(kind) && !ready {
            exit = Exit::Error;
        }
    }
    let swept = sweep(&settings.leases, printer);
    for kept in settings.leases.left().into_iter().flatten().filter(cutover_targets::Left::is_kept)
    {
        printer.out(&format!("{:<10} {:<8} {}\n", "", "kept", kept.describe()));
    }
    if exit == Exit::Passed { swept } else { exit }
}

async fn examine(kind: TargetKind, args: &DoctorArgs, settings: &Settings) -> Finding {
    match kind {
        TargetKind::Embedded => {
            Finding { ready: true, told: "stand-ins in this process; needs nothing".to_owned() }
        }
        TargetKind::Process => process(args, settings).await,
        TargetKind::Container => {
            let image = args.image.clone().unwrap_or_else(ImageName::influxdb);
            container(&image).await
        }
        TargetKind::Deployed => Finding {
            ready: false,
            told: "a stack of your own on AWS: --stack FILE asks it".to_owned(),
        },
    }
}

/// Asks a stack part by part, where one is named.
async fn deployed(file: &Path, args: &DoctorArgs, settings: &Settings, printer: Printer) -> bool {
    let Ok(stack) = stack_in(file, printer) else {
        printer.out(&line(TargetKind::Deployed.word(), "missing", "its outputs cannot be used"));
        return false;
    };
    let source = args.source.map(source_of);
    let writes = writes_of(&args.stack);
    let spec = DeployedSpec { stack, source: source.unwrap_or(DeployedSource::StandIn), writes };
    let parts = match examine_stack(&spec, source, &settings.clock).await {
        Ok(parts) => parts,
        Err(error) => {
            printer.out(&line(TargetKind::Deployed.word(), "missing", &in_one_line(&error)));
            return false;
        }
    };
    let missing = parts.iter().filter(|part| part.state == PartState::Missing).count();
    let told = match missing {
        0 => format!("the stack {} can be used", spec.stack.name),
        _ => format!("{missing} of {} parts of the stack are missing", parts.len()),
    };
    let state = if missing == 0 { "ready" } else { "missing" };
    printer.out(&line(TargetKind::Deployed.word(), state, &told));
    for part in parts {
        let state = match part.state {
            PartState::Ok => "ok",
            PartState::Missing => "missing",
            PartState::Unasked => "-",
        };
        printer.out(&format!("  {:<14} {state:<8} {}\n", part.name, part.told));
        if let Some(remedy) = part.remedy {
            printer.out(&format!("  {:<14} {:<8} = help: {remedy}\n", "", ""));
        }
    }
    missing == 0
}

fn line(target: &str, state: &str, told: &str) -> String {
    format!("{target:<10} {state:<8} {told}\n")
}

async fn process(args: &DoctorArgs, settings: &Settings) -> Finding {
    let Some(program) = args.influxd.clone().or_else(|| on_path("influxd", settings)) else {
        let told = format!("there is no `influxd` on PATH: {INFLUXD_HELP}");
        return Finding { ready: false, told };
    };
    match version_of(&program).await {
        Ok(version) => Finding { ready: true, told: format!("{}: {version}", program.display()) },
        Err(error) => {
            let told = format!("`{}` cannot be used: {error}", program.display());
            Finding { ready: false, told }
        }
    }
}

async fn container(image: &ImageName) -> Finding {
    let engine = match engine_version().await {
        Ok(engine) => engine,
        Err(error) => return Finding { ready: false, told: in_one_line(&error) },
    };
    match has_image(image).await {
        Ok(true) => {
            Finding { ready: true, told: format!("engine {engine}; the image `{image}` is there") }
        }
        Ok(false) => Finding {
            ready: false,
            told: format!(
                "engine {engine}; the image `{image}` is not there: a run would pull it, or build \
                 it with `tools/influxd/image`"
            ),
        },
        Err(error) => Finding { ready: false, told: in_one_line(&error) },
    }
}

fn in_one_line(error: &(dyn Error + 'static)) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}
