//! `cutover doctor`: what this machine can run, what is missing, and what was left behind.

use std::error::Error;

use cutover_model::{Exit, TargetKind};
use cutover_targets::container::{ImageName, engine_version, has_image};
use cutover_targets::process::version_of;

use crate::args::DoctorArgs;
use crate::commands::run::runtime;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::targeting::{INFLUXD_HELP, on_path, sweep};

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
        let finding = runtime.block_on(examine(kind, args, settings));
        let state = if finding.ready { "ready" } else { "missing" };
        printer.out(&format!("{:<10} {state:<8} {}\n", kind.word(), finding.told));
        if args.target == Some(kind) && !finding.ready {
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
    }
}

async fn process(args: &DoctorArgs, settings: &Settings) -> Finding {
    let Some(program) = args.influxd.clone().or_else(|| on_path(settings)) else {
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
