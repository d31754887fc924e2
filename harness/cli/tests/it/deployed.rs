//! The deployed target by the real binary: what is written, what is not, and what the doctor sees.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use cutover_model::report::{StepReport, StepState};
use cutover_model::{Exit, Judgement, TargetKind};
use serde_json::json;

use crate::support::{GROUNDWORK, ROWS, Ran, Sandbox, path_behind, root};
use crate::world::{OPERATOR, World, arn};

fn world() -> World {
    World::new(Sandbox::with_parity(ROWS))
}

/// A world whose stack holds the rows already.
fn migrated() -> World {
    let world = world();
    let ran = world.run_small("first", &["--allow-writes"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    world
}

fn skipped(world: &World, out: &str) -> Vec<(String, String)> {
    let steps = world.sandbox.report(out).scenarios.remove(0).steps.into_iter();
    let reason = |step: StepReport| match step.state {
        StepState::Skipped(reason) => Some((step.id.to_string(), reason)),
        _ => None,
    };
    steps.filter_map(reason).collect()
}

#[test]
fn a_stack_that_allows_it_is_migrated_to_and_judged_by_time() {
    let world = world();
    let ran = world.run_small("out", &["--allow-writes"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let report = world.sandbox.report("out");
    assert_eq!(report.start.target, TargetKind::Deployed);
    let again = "cutover run small.yaml --target deployed --stack stack.json --source standin \
        --allow-writes --seed 1";
    assert_eq!(report.scenarios[0].reproduce, again);
    assert_eq!(report.scenarios[0].timing, Some(cutover_model::Timing::Real));
    assert_eq!(skipped(&world, "out"), []);
}

#[test]
fn without_allow_writes_nothing_is_written_and_the_reason_is_told() {
    let world = world();
    let ran = world.run_small("out", &[]);
    // Nothing was migrated, so every row is missing.
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let skipped = skipped(&world, "out");
    assert_eq!(skipped.len(), 1);
    assert_eq!(skipped[0].0, "2-migrate");
    assert!(skipped[0].1.contains("`--allow-writes` was not passed"), "{skipped:?}");
    let asked = &world.aws.lock().unwrap().asked;
    assert!(!asked.iter().any(|it| it.contains(&arn("writer"))), "{asked:?}");
}

#[test]
fn what_is_there_is_compared_without_any_right_to_write() {
    let world = migrated();
    let ran = world.run_small("out", &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_tag_that_says_no_stops_writing_whatever_the_outputs_say() {
    for (tag, told) in [
        (Some("false"), "has the tag `cutover:allow-writes` of `false`"),
        (None, "has no tag `cutover:allow-writes`"),
    ] {
        let world = world();
        world.set_tag(tag);
        let ran = world.run_small("out", &["--allow-writes"]);
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        assert!(skipped(&world, "out")[0].1.contains(told), "{}", ran.stdout);
    }
}

#[test]
fn tags_that_cannot_be_read_stop_writing() {
    let world = world();
    world.aws.lock().unwrap().tags = Err("AccessDeniedException");
    world.run_small("out", &["--allow-writes"]);
    let told = &skipped(&world, "out")[0].1;
    assert!(told.contains("could not be read") && told.contains("refused by the test"), "{told}");
}

#[test]
fn outputs_that_say_no_stop_writing_and_nobody_asks_for_the_tag() {
    let mut world = world();
    world.set_output("writes_allowed", json!(false));
    world.run_small("out", &["--allow-writes"]);
    assert!(skipped(&world, "out")[0].1.contains("`writes_allowed` is false"));
    let asked = &world.aws.lock().unwrap().asked;
    assert!(!asked.iter().any(|it| it.contains("Tags")), "{asked:?}");
}

#[test]
fn a_run_that_only_writes_is_no_success_where_nothing_may_be_written() {
    let load = "  - load:
      write: { open: { rate: 10 points/s }, batch: 1 }
      duration: 1s
      expect: [ { errors: \"< 1%\", min_samples: 1 } ]
";
    let world = World::new(Sandbox::with_steps(&format!("{GROUNDWORK}{load}")));
    let ran = world.run_small("out", &[]);
    assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
    let report = world.sandbox.report("out");
    assert_eq!(report.exit, Exit::NothingJudged);
    assert_eq!(report.scenarios[0].steps[2].judgement(), Some(Judgement::Skipped));
}

#[test]
fn a_bucket_that_the_writer_may_not_make_ends_the_scenario_with_its_name() {
    let load = "  - load:
      write: { open: { rate: 10 points/s }, batch: 1 }
      duration: 1s
      expect: [ { errors: \"< 1%\", min_samples: 1 } ]
";
    let world = World::new(Sandbox::with_steps(&format!("{GROUNDWORK}{load}")));
    let ran = world.run_small("out", &["--allow-writes"]);
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("`cutover_load`"), "{}", ran.stdout);
}

#[test]
fn a_drifted_bucket_ends_the_scenario_and_is_left_alone() {
    let sandbox = Sandbox::with_parity(ROWS);
    let text = sandbox.read("small.yaml");
    sandbox.write(
        "small.yaml",
        &text.replace(
            "data:\n  load:",
            "buckets: { small_data: { retention: 30d } }\ndata:\n  load:",
        ),
    );
    let world = World::new(sandbox);
    let ran = world.run_small("out", &["--allow-writes"]);
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("keeps its data for ever"), "{}", ran.stdout);
}

#[test]
fn the_rows_of_a_stack_are_never_broken_on_purpose() {
    let world = migrated();
    let deployed = ["--target", "deployed", "--stack", "stack.json", "--source", "standin"];
    let args = [&["sabotage", "small.yaml", "--allow-writes", "--out", "s"], &deployed[..]];
    let ran = world.run(&args.concat());
    assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("not broken on purpose"), "{}", ran.stdout);
    let after = world.run_small("after", &[]);
    assert_eq!(after.code, 0, "{}", after.stdout);
}

#[test]
fn a_real_source_is_only_read() {
    let world = world();
    let args = ["run", "small.yaml", "--target", "deployed", "--stack", "stack.json"];
    let ran = world.run(&[&args[..], &["--out", "out", "--allow-writes"]].concat());
    let skipped = skipped(&world, "out");
    assert_eq!(skipped[0].0, "1-seed", "{}", ran.stdout);
    assert!(skipped[0].1.contains("only read"), "{skipped:?}");
    // There is no table in it, so there is nothing to migrate from.
    assert_eq!(ran.code, 5, "{}", ran.stdout);
}

fn run_fails(world: &World, told: &str) {
    let ran = world.run_small("out", &["--allow-writes"]);
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains(told), "{}", ran.stdout);
}

#[test]
fn a_run_without_credentials_is_an_error_of_the_environment() {
    let mut world = world();
    world.forget_credentials();
    run_fails(&world, "no AWS credentials were found");
}

#[test]
fn a_run_whose_secret_is_missing_denied_or_empty_is_an_error_that_names_it() {
    let world = world();
    world.set_secret("reader", Err("ResourceNotFoundException"));
    run_fails(&world, &arn("reader"));
    world.set_secret("reader", Err("AccessDeniedException"));
    std::fs::remove_dir_all(world.sandbox.path("out")).unwrap();
    run_fails(&world, "AccessDeniedException: refused by the test");
    world.set_secret("reader", Ok("{}".to_owned()));
    std::fs::remove_dir_all(world.sandbox.path("out")).unwrap();
    run_fails(&world, "it has no `token`");
}

#[test]
fn a_deployed_target_without_a_stack_is_bad_input() {
    let ran = Sandbox::with_parity(1).run(&["run", "small.yaml", "--target", "deployed"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("cutover stack output --out stack.json"), "{}", ran.stderr);
}

#[test]
fn options_of_a_stack_are_refused_on_other_targets() {
    let options: [&[&str]; 3] =
        [&["--allow-writes"], &["--stack", "stack.json"], &["--source", "standin"]];
    for option in options {
        let sandbox = Sandbox::with_parity(1);
        let ran = sandbox.run(&[&["run", "small.yaml"], option].concat());
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("`{}` has no effect", option[0])), "{}", ran.stderr);
    }
}

#[test]
fn a_file_with_wrong_outputs_names_all_of_them_before_anything_is_asked() {
    let mut world = world();
    world.outputs.remove("region");
    world.set_output("influxdb_port", json!("many"));
    let ran = world.run_small("out", &[]);
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(ran.stderr.contains("`region` is missing"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`influxdb_port` must be a port"), "{}", ran.stderr);
    assert!(world.aws.lock().unwrap().asked.is_empty());
}

/// The line of the doctor about a part.
fn part(ran: &Ran, name: &str) -> String {
    let prefix = format!("  {name}");
    let line = ran.stdout.lines().find(|line| line.starts_with(&prefix));
    line.unwrap_or_else(|| panic!("no {name}: {}", ran.stdout)).to_owned()
}

fn missing(world: &World, (name, told): (&str, &str), more: &[&str]) {
    let ran = world.doctor(more);
    assert_eq!(ran.code, 5, "{}", ran.stdout);
    let line = part(&ran, name);
    assert!(line.contains(" missing ") && line.contains(told), "{}", ran.stdout);
    assert!(ran.stdout.contains("= help: "), "{}", ran.stdout);
}

#[test]
fn the_doctor_finds_a_whole_stack_ready() {
    let world = world();
    let ran = world.doctor(&["--allow-writes", "--source", "liveanalytics"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    for name in [
        "outputs",
        "credentials",
        "source",
        "instance",
        "influxdb",
        "reader token",
        "bucket",
        "writes",
        "writer token",
    ] {
        assert!(part(&ran, name).contains(" ok "), "{}", ran.stdout);
    }
    assert!(part(&ran, "reader token").contains("reads `small_data`, writes nothing"));
}

#[test]
fn the_doctor_leaves_the_writers_secret_alone_unless_asked() {
    let world = world();
    world.set_tag(Some("false"));
    let ran = world.doctor(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(part(&ran, "writes").contains("`false`"), "{}", ran.stdout);
    let asked = &world.aws.lock().unwrap().asked;
    assert!(!asked.iter().any(|it| it.contains(&arn("writer"))), "{asked:?}");
}

#[test]
fn the_doctor_misses_credentials() {
    let mut world = world();
    world.forget_credentials();
    missing(&world, ("credentials", "no AWS credentials were found"), &[]);
}

#[test]
fn the_doctor_misses_a_secret_that_is_denied_missing_or_without_a_token() {
    let world = world();
    world.set_secret("reader", Err("AccessDeniedException"));
    missing(&world, ("reader token", "refused by the test"), &[]);
    world.set_secret("reader", Err("ResourceNotFoundException"));
    missing(&world, ("reader token", "refused by the test"), &[]);
    world.set_secret("reader", Ok(r#"{"engine":"timestream-influxdb"}"#.to_owned()));
    missing(&world, ("reader token", "it has no `token`"), &[]);
}

#[test]
fn the_doctor_misses_an_instance_that_may_not_be_seen() {
    let world = world();
    world.aws.lock().unwrap().tags = Err("AccessDeniedException");
    missing(&world, ("instance", "`list tags` was answered with 400"), &[]);
}

#[test]
fn the_doctor_misses_a_host_that_does_not_answer() {
    let mut world = world();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", taken.local_addr().unwrap());
    drop(taken);
    world.set_output("influxdb_url", json!(url));
    missing(&world, ("influxdb", "found no connection"), &[]);
}

#[test]
fn the_doctor_misses_a_token_that_influxdb_does_not_know() {
    let world = world();
    world.set_secret("reader", Ok(World::secret_with("another")));
    missing(&world, ("reader token", "InfluxDB does not accept it"), &[]);
}

#[test]
fn the_doctor_misses_a_reader_that_may_write() {
    let world = world();
    let writer = world.aws.lock().unwrap().secrets[&arn("writer")].clone();
    world.set_secret("reader", writer);
    missing(&world, ("reader token", "it may write"), &[]);
}

#[test]
fn the_doctor_misses_a_writer_that_may_not_write() {
    let world = world();
    let reader = world.aws.lock().unwrap().secrets[&arn("reader")].clone();
    world.set_secret("writer", reader);
    missing(&world, ("writer token", "writes nothing"), &["--allow-writes"]);
}

#[test]
fn the_doctor_misses_a_bucket_that_is_not_there() {
    let mut world = world();
    world.set_output("influxdb_bucket", json!("other_data"));
    missing(&world, ("bucket", "`other_data` is not there"), &[]);
}

#[test]
fn the_doctor_misses_the_right_to_write_where_it_is_asked_for() {
    let mut world = world();
    world.set_tag(Some("false"));
    missing(&world, ("writes", "`cutover:allow-writes` of `false`"), &["--allow-writes"]);
    world.set_tag(None);
    missing(&world, ("writes", "has no tag"), &["--allow-writes"]);
    world.set_tag(Some("true"));
    world.set_output("writes_allowed", json!(false));
    missing(&world, ("writes", "`writes_allowed` is false"), &["--allow-writes"]);
}

#[test]
fn the_doctor_misses_outputs_that_are_not_whole() {
    let mut world = world();
    world.outputs.remove("influxdb_url");
    world.set_output("name", json!("n"));
    let ran = world.doctor(&[]);
    assert_eq!(ran.code, 5, "{}", ran.stdout);
    assert!(ran.stderr.contains("`influxdb_url` is missing"), "{}", ran.stderr);
}

/// Runs the runner's script in a world whose scenarios it finds, as a job of Batch does.
fn runner(world: &World, shards: &str, index: Option<&str>) -> Ran {
    let script = root().join("tools/runner/run");
    assert!(script.metadata().unwrap().permissions().mode() & 0o111 != 0);
    let mut command = Command::new(script);
    command.args(["--shards", shards, "--tag", "test", "--source", "standin"]);
    command.current_dir(world.sandbox.path("."));
    command.env("PATH", path_behind(world.sandbox.path("bin")));
    world.dress(&mut command);
    let outputs = serde_json::Value::Object(world.outputs.clone());
    command.env("CUTOVER_STACK_OUTPUT", outputs.to_string());
    command.env("CUTOVER_WORK", world.sandbox.path("work")).env("CUTOVER_ALLOW_WRITES", "true");
    command.env_remove("CUTOVER_RESULTS").env_remove("AWS_BATCH_JOB_ARRAY_INDEX");
    command.envs(index.map(|index| ("AWS_BATCH_JOB_ARRAY_INDEX", index)));
    Ran::from(command.output().unwrap())
}

/// A world with a folder of scenarios, and the binary where the script looks for it.
fn world_of_the_runner() -> World {
    let world = world();
    std::fs::create_dir(world.sandbox.path("scenarios")).unwrap();
    std::fs::create_dir(world.sandbox.path("bin")).unwrap();
    for name in ["small.yaml", "load.csv"] {
        world.sandbox.write(&format!("scenarios/{name}"), &world.sandbox.read(name));
    }
    symlink(env!("CARGO_BIN_EXE_cutover"), world.sandbox.path("bin/cutover")).unwrap();
    world
}

#[test]
fn the_runners_script_runs_the_real_binary_against_the_stack() {
    let world = world_of_the_runner();
    let ran = runner(&world, "1", None);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(world.sandbox.report("work/report").start.target, TargetKind::Deployed);
}

#[test]
fn the_runners_script_runs_each_job_of_an_array_as_a_shard() {
    let world = world_of_the_runner();
    let load = "  - load:
      write: { open: { rate: 2_000 points/s }, batch: 20, points: { series: 3 } }
      duration: 500ms
      expect: [ { on: write, errors: \"< 1%\", min_samples: 50 } ]
      prove: [no_acknowledged_write_lost]
";
    let text = world.sandbox.read("scenarios/small.yaml");
    world.sandbox.write("scenarios/small.yaml", &format!("{text}{load}"));
    // A token that may make the bucket of the load, and one that may read from it.
    for token in ["reader", "writer"] {
        world.set_secret(token, Ok(World::secret_with(OPERATOR)));
    }
    for (index, shard) in [("0", "1/2"), ("1", "2/2")] {
        let ran = runner(&world, "2", Some(index));
        // A shard that did its part is no failed job, though it proves nothing.
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        let report = world.sandbox.report("work/report");
        assert_eq!(report.start.shard.map(|it| it.to_string()).as_deref(), Some(shard));
        assert_eq!(report.exit, Exit::NothingJudged);
        let to = world.sandbox.path(&format!("shard-{index}"));
        std::fs::rename(world.sandbox.path("work/report"), to).unwrap();
    }
    let ran = world.sandbox.run(&["merge", "shard-0", "shard-1", "--out", "merged"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("points acknowledged 1,000"), "{}", ran.stdout);
}
