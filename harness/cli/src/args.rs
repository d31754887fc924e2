//! What the user typed.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use cutover_model::{Ratio, Shard, TargetKind};
use cutover_report::Format;
use cutover_targets::container::ImageName;

const AFTER_HELP: &str = "\
Exit codes: 0 passed, 1 a check failed, 2 bad arguments or files, 3 inconclusive, \
4 nothing was judged, 5 error of the harness or the environment, \
6 something could not be put back.";

/// Is it safe to move from Amazon Timestream for LiveAnalytics to Timestream for InfluxDB?
#[derive(Debug, Parser)]
#[command(name = "cutover", version, after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Say nothing while a run goes on; errors and the closing summary remain.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios; with no argument, the smoke scenarios.
    Run(RunArgs),
    /// Show every mistake of every scenario file.
    Validate(PathArgs),
    /// List the scenarios.
    List(ListArgs),
    /// Print the JSON Schema of scenario files.
    Schema(SchemaArgs),
    /// Print the report of a recorded run.
    Report(ReportArgs),
    /// Put the shards of a run together: one verdict, one report, one exit code.
    Merge(MergeArgs),
    /// Keep the timed figures of a run, for later ones to be compared with.
    Baseline(BaselineArgs),
    /// Tell whether a run is slower than kept ones, or whether that is noise.
    Compare(CompareArgs),
    /// Make every declared break and show which checks see it.
    Sabotage(SabotageArgs),
    /// Show what this machine can run, and clean up what an earlier run left behind.
    Doctor(DoctorArgs),
    /// Show what this machine can drive, what it adds to a latency, and which limits it can judge.
    Calibrate,
    /// Serve a stand-in until interrupted, for any client.
    Standin(StandinArgs),
    /// Make the stack on AWS that the deployed target judges: terraform, with the plan read first.
    #[command(subcommand)]
    Stack(StackCommand),
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Where every random choice comes from.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The folder of the run; it must be new or empty. By default a new one below reports/runs.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Make one declared break first, to see what the report shows of it: as `3-parity/1`, the
    /// check and the number of the break there. Of the checks, only that one is run.
    #[arg(long, value_name = "STEP/N")]
    pub(crate) sabotage: Option<String>,
    /// Do one part of the run, the Kth of N, as `1/2`: of every load its share of the arrivals or
    /// users, and groundwork in full; the first shard also makes the checks that are no load. What
    /// is expected of a load is judged by `cutover merge`, so that a shard that went well ends
    /// with 4.
    #[arg(long, value_name = "K/N", conflicts_with = "sabotage")]
    pub(crate) shard: Option<Shard>,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Which scenarios are meant.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Selection {
    /// Scenario files, folders of them, or ids.
    #[arg(value_name = "PATH or ID")]
    pub(crate) paths: Vec<PathBuf>,
    /// Only scenarios with this tag; several times for any of several.
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
}

/// Where scenarios run.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// Where the scenarios run: embedded, process, container or deployed.
    #[arg(id = "target", long = "target", value_name = "TARGET", default_value = "embedded",
          value_parser = target)]
    pub(crate) kind: TargetKind,
    /// The influxd of the process target; by default the one on PATH.
    #[arg(long, value_name = "PATH")]
    pub(crate) influxd: Option<PathBuf>,
    /// The image of the container target; by default influxdb:2.7.
    #[arg(long, value_name = "NAME:TAG")]
    pub(crate) image: Option<ImageName>,
    /// Leave the container of the container target running, to look inside.
    #[arg(long)]
    pub(crate) keep: bool,
    /// What the deployed target is compared with; by default the account's LiveAnalytics.
    #[arg(long, value_name = "SOURCE", value_enum)]
    pub(crate) source: Option<SourceArg>,
    #[command(flatten)]
    pub(crate) stack: DeployedArgs,
}

/// The stack of the deployed target.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DeployedArgs {
    /// The stack of the deployed target: a file with what `cutover stack output` writes.
    #[arg(long, value_name = "FILE")]
    pub(crate) stack: Option<PathBuf>,
    /// Let the run write to the stack, which has to allow it, too.
    #[arg(long)]
    pub(crate) allow_writes: bool,
}

/// What a deployed stack can be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SourceArg {
    /// The account's Timestream for LiveAnalytics, in the stack's region.
    Liveanalytics,
    /// The Timestream stand-in, in this process.
    Standin,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// Fail unless this target can be used.
    #[arg(long, value_name = "TARGET", value_parser = target)]
    pub(crate) target: Option<TargetKind>,
    /// The influxd of the process target; by default the one on PATH.
    #[arg(long, value_name = "PATH")]
    pub(crate) influxd: Option<PathBuf>,
    /// The image of the container target; by default influxdb:2.7.
    #[arg(long, value_name = "NAME:TAG")]
    pub(crate) image: Option<ImageName>,
    /// Ask this source, too, where the stack is asked.
    #[arg(long, value_name = "SOURCE", value_enum)]
    pub(crate) source: Option<SourceArg>,
    #[command(flatten)]
    pub(crate) stack: DeployedArgs,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum StackCommand {
    /// Run `terraform init`.
    Init(InitArgs),
    /// Save a plan and show what it makes, changes, replaces and destroys.
    Plan(PlanArgs),
    /// Do what a saved plan says.
    Apply(ApplyArgs),
    /// Write the stack's outputs, which the deployed target reads.
    Output(OutputArgs),
}

/// Which Terraform, and what else it is told.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct FolderArgs {
    /// The folder of the stack's Terraform.
    #[arg(long, value_name = "DIR", default_value = "terraform")]
    pub(crate) dir: PathBuf,
    /// Further arguments of `terraform`.
    #[arg(last = true, value_name = "ARGUMENT")]
    pub(crate) args: Vec<OsString>,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct InitArgs {
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
    #[command(flatten)]
    pub(crate) saved: SavedArgs,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
    #[command(flatten)]
    pub(crate) saved: SavedArgs,
}

/// The saved plan, and what it may do.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SavedArgs {
    /// The file of the saved plan; by default stack.tfplan in the folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
    /// Let the plan replace or destroy the database: its data goes.
    #[arg(long)]
    pub(crate) allow_replace: bool,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct OutputArgs {
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
    /// The file to write; by default standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PathArgs {
    /// Scenario files or folders of them; by default all that are shipped.
    #[arg(value_name = "PATH or ID")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
}

#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct SchemaArgs {
    /// The files that the schema is for.
    #[arg(long = "of", value_enum, default_value_t = SchemaOf::Scenario)]
    pub(crate) of: SchemaOf,
}

/// The kinds of file that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// Scenarios.
    Scenario,
    /// Query pairs.
    Query,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ReportArgs {
    /// The folder of a run, or its events.jsonl.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// json, junit, html, markdown or text.
    #[arg(long, default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct MergeArgs {
    /// The folders of all shards of one run, in any order.
    #[arg(value_name = "RUN", required = true)]
    pub(crate) runs: Vec<PathBuf>,
    /// The folder of the whole; it must be new or empty. By default a new one below reports/runs.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct BaselineArgs {
    /// The folder of a run, or its events.jsonl.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// The folder of baselines: a file for each scenario and target.
    #[arg(long, value_name = "DIR", default_value = crate::kept::FOLDER)]
    pub(crate) dir: PathBuf,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CompareArgs {
    /// The folder of a run, or its events.jsonl.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// A folder of baselines, or the folder of another run; by default reports/baselines.
    #[arg(value_name = "BASELINE")]
    pub(crate) baseline: Option<PathBuf>,
    /// A slowdown below this is told, and does not fail.
    #[arg(long, value_name = "PERCENT", default_value = "5%", value_parser = percent)]
    pub(crate) at_least: Ratio,
    /// text, markdown or json.
    #[arg(long, value_enum, default_value_t = CompareFormat::Text)]
    pub(crate) format: CompareFormat,
}

/// The forms of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompareFormat {
    /// For a terminal or a log.
    Text,
    /// For the summary of a CI step.
    Markdown,
    /// For programs.
    Json,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SabotageArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Where every random choice comes from.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The folder of the run; it must be new or empty. By default a new one below reports/runs.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct StandinArgs {
    /// Which service.
    pub(crate) service: Service,
    /// The address to listen on; port 0 takes any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
}

/// The services that have a stand-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Service {
    /// InfluxDB 2.
    Influxdb,
    /// Timestream for LiveAnalytics.
    Timestream,
}

fn percent(text: &str) -> Result<Ratio, String> {
    let number = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    let ratio = number.and_then(|number| Ratio::from_percent(number).ok());
    ratio.ok_or_else(|| "a percentage from 0% to 100% is due, such as `5%`".to_owned())
}

fn target(name: &str) -> Result<TargetKind, String> {
    let known = TargetKind::ALL.into_iter().find(|kind| kind.word() == name);
    known.ok_or_else(|| {
        let words = TargetKind::ALL.map(|kind| format!("`{}`", kind.word()));
        format!("the targets are {}", words.join(", "))
    })
}
