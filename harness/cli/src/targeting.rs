//! Which target is meant, and what earlier runs have left of theirs.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use cutover_model::{Exit, TargetKind};
use cutover_targets::container::{ImageName, Keep};
use cutover_targets::deployed::{AllowWrites, DeployedSource, DeployedSpec, Stack};
use cutover_targets::{Leases, TargetSpec};

use crate::args::{DeployedArgs, SourceArg, TargetArgs};
use crate::commands::run::runtime;
use crate::printer::Printer;
use crate::settings::Settings;

/// How to come by an `influxd`.
pub(crate) const INFLUXD_HELP: &str =
    "name one with --influxd PATH; from a checkout, `tools/influxd/build` builds one";

/// How to come by a stack's outputs.
pub(crate) const STACK_HELP: &str =
    "write a stack's outputs with `cutover stack output --out stack.json`: --stack stack.json";

/// The target that the arguments mean. Mistakes are printed.
pub(crate) fn target(
    args: &TargetArgs,
    settings: &Settings,
    printer: Printer,
) -> Result<TargetSpec, Exit> {
    let TargetArgs { kind, influxd, image, keep, source, stack } = args;
    let misplaced = [
        (influxd.is_some(), "--influxd", TargetKind::Process),
        (image.is_some(), "--image", TargetKind::Container),
        (*keep, "--keep", TargetKind::Container),
        (source.is_some(), "--source", TargetKind::Deployed),
        (stack.stack.is_some(), "--stack", TargetKind::Deployed),
        (stack.allow_writes, "--allow-writes", TargetKind::Deployed),
    ];
    for (given, option, of) in misplaced {
        if given && *kind != of {
            let message = format!("`{option}` has no effect on the `{}` target", kind.word());
            printer.mistake(&message, &format!("add --target {}, or leave it out", of.word()));
            return Err(Exit::BadInput);
        }
    }
    match kind {
        TargetKind::Embedded => Ok(TargetSpec::Embedded),
        TargetKind::Process => {
            let influxd = influxd_at(influxd.as_deref(), settings, printer)?;
            Ok(TargetSpec::Process { influxd })
        }
        TargetKind::Container => {
            let image = image.clone().unwrap_or_else(ImageName::influxdb);
            let keep = if *keep { Keep::Yes } else { Keep::No };
            Ok(TargetSpec::Container { image, keep })
        }
        TargetKind::Deployed => {
            let Some(file) = &stack.stack else {
                printer.mistake("the `deployed` target needs a stack", STACK_HELP);
                return Err(Exit::BadInput);
            };
            let found = stack_in(file, printer)?;
            let spec = DeployedSpec {
                stack: found,
                source: source.map_or(DeployedSource::LiveAnalytics, source_of),
                writes: writes_of(stack),
            };
            Ok(TargetSpec::Deployed(Box::new(spec)))
        }
    }
}

/// What the arguments tell the target, as they would be typed to tell it again.
pub(crate) fn options_of(args: &TargetArgs) -> Vec<String> {
    // Who keeps a container once does not mean to do so each time.
    let TargetArgs { kind: _, influxd, image, keep: _, source, stack } = args;
    let path = |path: &PathBuf| path.display().to_string();
    let word = |source: SourceArg| source.to_possible_value().map(|it| it.get_name().to_owned());
    let valued = [
        ("--influxd", influxd.as_ref().map(path)),
        ("--image", image.as_ref().map(ToString::to_string)),
        ("--stack", stack.stack.as_ref().map(path)),
        ("--source", source.and_then(word)),
    ];
    let valued = valued.into_iter().filter_map(|(option, value)| Some([option.to_owned(), value?]));
    let writes = stack.allow_writes.then(|| "--allow-writes".to_owned());
    valued.flatten().chain(writes).collect()
}

/// The stack whose outputs are in a file. Every mistake in it is printed.
pub(crate) fn stack_in(file: &Path, printer: Printer) -> Result<Stack, Exit> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        printer.mistake(&format!("`{}` cannot be read: {error}", file.display()), STACK_HELP);
        Exit::BadInput
    })?;
    Stack::parse(&text).map_err(|error| {
        let mistakes = error.lines().into_iter().map(|line| format!("\n  {line}"));
        let message = format!("`{}`: {error}{}", file.display(), mistakes.collect::<String>());
        printer.mistake(&message, STACK_HELP);
        Exit::BadInput
    })
}

pub(crate) fn source_of(source: SourceArg) -> DeployedSource {
    match source {
        SourceArg::Liveanalytics => DeployedSource::LiveAnalytics,
        SourceArg::Standin => DeployedSource::StandIn,
    }
}

pub(crate) fn writes_of(args: &DeployedArgs) -> AllowWrites {
    if args.allow_writes { AllowWrites::Asked } else { AllowWrites::NotAsked }
}

/// The binary that was named, or the one on PATH.
fn influxd_at(
    named: Option<&Path>,
    settings: &Settings,
    printer: Printer,
) -> Result<PathBuf, Exit> {
    if let Some(named) = named {
        if !named.is_file() {
            let message = format!("there is no `{}`", named.display());
            printer.mistake(&message, INFLUXD_HELP);
            return Err(Exit::BadInput);
        }
        // It is started from a folder of its own, so a relative path would not find it.
        return std::path::absolute(named).map_err(|error| {
            printer.error(&error);
            Exit::Error
        });
    }
    on_path("influxd", settings).ok_or_else(|| {
        printer.mistake("there is no `influxd` on PATH", INFLUXD_HELP);
        Exit::Error
    })
}

/// The first program of that name on PATH.
pub(crate) fn on_path(name: &str, settings: &Settings) -> Option<PathBuf> {
    let found = settings.path.iter().map(|folder| folder.join(name));
    let found = found.into_iter().find(|program| program.is_file())?;
    std::path::absolute(found).ok()
}

/// Names and cleans what harnesses that are gone have left behind. What could not be cleaned makes
/// the answer unclean.
pub(crate) fn sweep(leases: &Leases, printer: Printer) -> Exit {
    let left = match leases.left() {
        Ok(left) => left,
        Err(error) => {
            printer.error(&error);
            return Exit::Unclean;
        }
    };
    let left: Vec<_> = left.into_iter().filter(|left| !left.is_kept()).collect();
    if left.is_empty() {
        return Exit::Passed;
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.error(&error);
            return Exit::Unclean;
        }
    };
    let mut exit = Exit::Passed;
    for left in left {
        let what = left.describe();
        match runtime.block_on(left.clean()) {
            Ok(()) => printer.say(&format!("cleaned up what an ended run had left: {what}")),
            Err(error) => {
                printer.say(&format!("an ended run has left this behind: {what}"));
                printer.error(&error);
                exit = Exit::Unclean;
            }
        }
    }
    exit
}
