//! `cutover stack`: the stack's Terraform, with a saved plan between what is shown and what is
//! done.
//!
//! A thin layer over the `terraform` on PATH: its output and its exit codes are passed on. What it
//! adds is that a plan is read before anybody can apply it, and that one which would take the
//! database away goes nowhere without `--allow-replace`. A saved plan holds secrets, so its file is
//! the user's alone and ends with the plan.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cutover_model::Exit;
use serde_json::{Map, Value};

use crate::args::{ApplyArgs, FolderArgs, InitArgs, OutputArgs, PlanArgs, StackCommand};
use crate::changes::{Change, Changes, DATABASES};
use crate::commands::run::runtime;
use crate::printer::Printer;
use crate::settings::Settings;
use crate::targeting::on_path;
use crate::terraform::{Printed, Terraform};

/// The saved plan, in Terraform's folder, unless the user names another.
const PLAN: &str = "stack.tfplan";

const TERRAFORM_HELP: &str =
    "install Terraform 1.9 or later: https://developer.hashicorp.com/terraform/install";

/// Why a command ended before its end: with this exit code, told already.
type Ended = u8;

pub(crate) fn stack(command: StackCommand, settings: &Settings, printer: Printer) -> u8 {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error, printer),
    };
    let done = runtime.block_on(async {
        match command {
            StackCommand::Init(args) => init(args, settings, printer).await,
            StackCommand::Plan(args) => plan(args, settings, printer).await,
            StackCommand::Apply(args) => apply(args, settings, printer).await,
            StackCommand::Output(args) => output(args, settings, printer).await,
        }
    });
    done.unwrap_or_else(|ended| ended)
}

async fn init(args: InitArgs, settings: &Settings, printer: Printer) -> Result<u8, Ended> {
    let terraform = find(&args.folder, settings, printer)?;
    run(&terraform, &with("init", args.folder.args)).await
}

async fn plan(args: PlanArgs, settings: &Settings, printer: Printer) -> Result<u8, Ended> {
    let terraform = find(&args.folder, settings, printer)?;
    let plan = plan_file(args.saved.plan, &terraform, printer)?;
    // Terraform keeps the rights of a file that is there.
    let made = fs::remove_file(&plan)
        .or_else(absent)
        .and_then(|()| fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&plan));
    made.map_err(|error| failed(&named(&plan, &error), printer))?;
    let mut arguments = with("plan", args.folder.args);
    arguments.push(option("-out=", &plan));
    let code = run(&terraform, &arguments).await;
    // With -detailed-exitcode, 2 says that there is something to do, and nothing went wrong.
    let whole = matches!(code, Ok(0)) || (matches!(code, Ok(2)) && detailed(&arguments));
    let checked =
        if whole { check(&terraform, &plan, args.saved.allow_replace).await } else { code };
    let kept = whole && checked.is_ok();
    if !kept {
        // A file that could be applied by hand would be one too many.
        fs::remove_file(&plan).or_else(absent).map_err(|error| failed(&error, printer))?;
        return checked;
    }
    printer.say(&format!("saved in {}; to apply it: cutover stack apply", plan.display()));
    code
}

async fn apply(args: ApplyArgs, settings: &Settings, printer: Printer) -> Result<u8, Ended> {
    let terraform = find(&args.folder, settings, printer)?;
    let plan = plan_file(args.saved.plan, &terraform, printer)?;
    let refused = |message: &str| {
        printer.mistake(message, "make a new one: cutover stack plan");
        Exit::BadInput.code()
    };
    let saved = fs::metadata(&plan)
        .and_then(|it| it.modified())
        .map_err(|_| refused(&format!("there is no saved plan `{}`", plan.display())))?;
    if let Some(changed) = changed_since(&terraform.folder, saved) {
        return Err(refused(&format!(
            "the saved plan is stale: `{}` was changed after it was made",
            changed.display()
        )));
    }
    check(&terraform, &plan, args.saved.allow_replace).await?;
    let mut arguments = with("apply", args.folder.args);
    arguments.push(plan.clone().into_os_string());
    let code = run(&terraform, &arguments).await?;
    if code == 0 {
        // What is done cannot be done again, and the secrets in it are no longer needed.
        fs::remove_file(&plan).or_else(absent).map_err(|error| failed(&error, printer))?;
    } else {
        printer.say("  = help: a plan that is stale or half done is made anew: cutover stack plan");
    }
    Ok(code)
}

async fn output(args: OutputArgs, settings: &Settings, printer: Printer) -> Result<u8, Ended> {
    let terraform = find(&args.folder, settings, printer)?;
    let mut arguments = with("output", args.folder.args);
    arguments.push("-json".into());
    let Printed { code, stdout } = capture(&terraform, &arguments).await?;
    if code != 0 {
        return Ok(code);
    }
    let outputs = serde_json::from_slice::<Map<String, Value>>(&stdout).ok();
    let outputs = outputs.filter(|outputs| outputs.values().all(|it| it.get("value").is_some()));
    let Some(outputs) = outputs else {
        printer.mistake("terraform wrote something else than outputs", "name no single output");
        return Err(Exit::BadInput.code());
    };
    if outputs.is_empty() {
        printer.mistake("the stack has no outputs", "apply it first: cutover stack apply");
        return Err(Exit::BadInput.code());
    }
    let secret = |output: &Value| output["sensitive"] != Value::Bool(false);
    let (left_out, kept): (Map<_, _>, Map<_, _>) =
        outputs.into_iter().partition(|(_, output)| secret(output));
    if !left_out.is_empty() {
        let names: Vec<String> = left_out.keys().map(|name| format!("`{name}`")).collect();
        printer.say(&format!("left out, being sensitive: {}", names.join(", ")));
    }
    let text = format!("{:#}\n", Value::Object(kept));
    match args.out {
        None => printer.out(&text),
        Some(file) => {
            fs::write(&file, text).map_err(|error| failed(&named(&file, &error), printer))?;
        }
    }
    Ok(0)
}

/// Shows what a saved plan does, and refuses one that takes the database away.
async fn check(terraform: &Terraform, plan: &Path, allow_replace: bool) -> Result<u8, Ended> {
    let printer = terraform.printer;
    let arguments = ["show".into(), "-json".into(), plan.as_os_str().to_owned()];
    let Printed { code, stdout } = capture(terraform, &arguments).await?;
    if code != 0 {
        printer.say("  = help: make a new plan: cutover stack plan");
        return Err(code);
    }
    let changes = Changes::parse(&stdout).map_err(|error| failed(&error, printer))?;
    printer.out(&changes.describe());
    if changes.errored {
        let help = "mend what terraform names, and make a new one: cutover stack plan";
        printer.mistake("the plan is not whole: terraform failed while it planned", help);
        return Err(Exit::BadInput.code());
    }
    let lost: Vec<String> = changes.lost(&DATABASES).map(Change::describe).collect();
    if lost.is_empty() || allow_replace {
        return Ok(0);
    }
    let message =
        format!("this plan takes the database and its data away:\n  {}", lost.join("\n  "));
    let help = "undo that change. Where the data may go, take a backup and pass --allow-replace; \
        `prevent_destroy` in terraform/modules/influxdb/main.tf has to be false, too";
    printer.mistake(&message, help);
    Err(Exit::Failed.code())
}

fn find(args: &FolderArgs, settings: &Settings, printer: Printer) -> Result<Terraform, Ended> {
    let folder = &args.dir;
    let has_code = fs::read_dir(folder).is_ok_and(|entries| {
        let names = entries.flatten().map(|entry| entry.file_name());
        names.into_iter().any(|name| is_code(Path::new(&name)))
    });
    if !has_code {
        let message = format!("there is no Terraform in `{}`", folder.display());
        printer.mistake(&message, "name the folder of your stack: --dir DIR");
        return Err(Exit::BadInput.code());
    }
    let program = on_path("terraform", settings).ok_or_else(|| {
        printer.mistake("there is no `terraform` on PATH", TERRAFORM_HELP);
        Exit::Error.code()
    })?;
    let folder = std::path::absolute(folder).map_err(|error| failed(&error, printer))?;
    Ok(Terraform { program, folder, printer })
}

/// Where the saved plan is. Terraform runs in another folder, so the path is whole.
fn plan_file(
    named: Option<PathBuf>,
    terraform: &Terraform,
    printer: Printer,
) -> Result<PathBuf, Ended> {
    let plan = named.unwrap_or_else(|| terraform.folder.join(PLAN));
    std::path::absolute(plan).map_err(|error| failed(&error, printer))
}

/// A file of the configuration that is younger than the plan. Terraform itself only sees a state
/// that has changed.
fn changed_since(folder: &Path, saved: SystemTime) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    entries.flatten().map(|entry| entry.path()).find_map(|path| {
        // What Terraform downloads is no configuration.
        if path.is_dir() && path.file_name().is_some_and(|name| name != ".terraform") {
            return changed_since(&path, saved);
        }
        let modified = fs::metadata(&path).and_then(|it| it.modified());
        (is_code(&path) && modified.is_ok_and(|modified| modified > saved)).then_some(path)
    })
}

fn is_code(path: &Path) -> bool {
    let name = path.to_string_lossy();
    [".tf", ".tf.json", ".tfvars", ".tfvars.json"].iter().any(|ending| name.ends_with(ending))
}

fn detailed(arguments: &[OsString]) -> bool {
    let option = |it: &OsString| it.to_string_lossy().trim_start_matches('-').to_owned();
    arguments.iter().any(|it| option(it) == "detailed-exitcode")
}

fn with(command: &str, more: Vec<OsString>) -> Vec<OsString> {
    std::iter::once(command.into()).chain(more).collect()
}

fn option(name: &str, value: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(value);
    option
}

async fn run(terraform: &Terraform, arguments: &[OsString]) -> Result<u8, Ended> {
    terraform.run(arguments).await.map_err(|error| failed(&error, terraform.printer))
}

async fn capture(terraform: &Terraform, arguments: &[OsString]) -> Result<Printed, Ended> {
    terraform.capture(arguments).await.map_err(|error| failed(&error, terraform.printer))
}

/// A file that is not there need not be removed.
fn absent(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn named(path: &Path, error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
}

fn failed(error: &(dyn std::error::Error + 'static), printer: Printer) -> u8 {
    printer.error(error);
    Exit::Error.code()
}
