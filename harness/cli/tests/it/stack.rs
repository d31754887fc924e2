//! `cutover stack`: a real Terraform where there is one, and a script in its part for what a real
//! one cannot be made to do without an account.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, path_behind};

/// A sandbox with `terraform/main.tf`, and a `bin` that comes first on PATH.
struct Stack {
    sandbox: Sandbox,
}

/// Two resources that the Terraform binary itself provides.
const MAIN: &str = r#"variable "organization" { default = "ons" }
variable "extra" { default = true }
resource "terraform_data" "database" { triggers_replace = var.organization }
resource "terraform_data" "extra" { count = var.extra ? 1 : 0 }
output "name" { value = "ons-staging" }
output "influxdb_log_bucket" { value = null }
output "password" {
  value     = "hunter2"
  sensitive = true
}
"#;

impl Stack {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        std::fs::create_dir(sandbox.path("terraform")).unwrap();
        std::fs::create_dir(sandbox.path("bin")).unwrap();
        sandbox.write("terraform/main.tf", MAIN);
        Self { sandbox }
    }

    /// A script in the part of Terraform. It writes down what it was told, a line each.
    fn with(script: &str) -> Self {
        let stack = Self::new();
        let script = format!("#!/bin/sh\nfor it; do echo \"$it\"; done >>\"$0.told\"\n{script}\n");
        stack.sandbox.write("bin/terraform", &script);
        let rights = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(stack.sandbox.path("bin/terraform"), rights).unwrap();
        stack
    }

    /// One whose plans do what `changes` says.
    fn planning(changes: &Value) -> Self {
        let document = json!({ "planned_values": {}, "resource_changes": changes });
        let stack = Self::with(
            r#"case "$1" in
show) cat "$(dirname "$0")/plan.json" ;;
plan) for it; do case "$it" in -out=*) echo saved >"${it#-out=}" ;; esac; done ;;
esac"#,
        );
        stack.sandbox.write("bin/plan.json", &document.to_string());
        stack
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.sandbox.command(&[&["stack"], args].concat());
        command.env("PATH", path_behind(self.sandbox.path("bin")));
        // Neither a person's settings nor a check for updates.
        command.env("CHECKPOINT_DISABLE", "1").env("TF_CLI_CONFIG_FILE", "/dev/null");
        command.env_remove("TF_DATA_DIR").env_remove("TF_WORKSPACE").env_remove("TF_CLI_ARGS");
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().unwrap())
    }

    /// What the script was told.
    fn told(&self) -> Vec<String> {
        self.sandbox.read("bin/terraform.told").lines().map(str::to_owned).collect()
    }

    fn plan(&self) -> PathBuf {
        self.sandbox.path("terraform/stack.tfplan")
    }
}

fn change(kind: &str, actions: &[&str]) -> Value {
    json!([{
        "address": format!("module.influxdb.{kind}.this"), "type": kind,
        "action_reason": "replace_because_cannot_update",
        "change": { "actions": actions, "replace_paths": [["organization"]],
                    "before": { "password": "hunter2" } },
    }])
}

const DATABASE: &str = "aws_timestreaminfluxdb_db_instance";

/// A stack for the real Terraform; `None`, and a word about it, where there is none.
#[expect(clippy::print_stdout, reason = "a test that is left out says so")]
fn real() -> Option<Stack> {
    let found = Command::new("terraform").arg("version").output();
    if found.is_ok_and(|it| it.status.success()) {
        return Some(Stack::new());
    }
    println!("skipped: 1 test of `cutover stack`: terraform is not on PATH");
    None
}

#[test]
fn a_real_terraform_is_planned_applied_and_read() {
    let Some(stack) = real() else { return };
    let ran = stack.run(&["init"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = stack.run(&["plan"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("  create   terraform_data.database\n"), "{}", ran.stdout);
    let rights = stack.plan().metadata().unwrap().permissions().mode();
    assert_eq!(rights & 0o777, 0o600);
    let ran = stack.run(&["apply"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(!stack.plan().exists());
    let ran = stack.run(&["output", "--out", "stack.json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let outputs: Value = serde_json::from_str(&stack.sandbox.read("stack.json")).unwrap();
    assert_eq!(outputs["name"]["value"], "ons-staging");
    // What is null is left out by Terraform, and what is sensitive by us.
    assert_eq!(outputs.as_object().unwrap().len(), 1, "{outputs}");
    assert!(ran.stderr.contains("`password`") && !ran.stderr.contains("hunter2"));
}

#[test]
fn a_real_terraform_tells_what_is_replaced_and_destroyed_and_its_exit_codes_are_passed_on() {
    let Some(stack) = real() else { return };
    stack.run(&["init"]);
    stack.run(&["plan"]);
    assert_eq!(stack.run(&["apply"]).code, 0);
    let change = ["--", "-detailed-exitcode", "-var", "organization=other", "-var", "extra=false"];
    let ran = stack.run(&[&["plan"], &change[..]].concat());
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    let replaced = [
        "  REPLACE  terraform_data.database",
        "because `triggers_replace` cannot be changed in place
  DESTROY  terraform_data.extra[0]",
    ]
    .join(", ");
    assert!(ran.stdout.contains(&replaced), "{}", ran.stdout);
    let ran = stack.run(&["plan", "--", "-no-such-option"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(!stack.plan().exists());
}

#[test]
fn a_plan_of_another_state_is_stale_to_a_real_terraform() {
    let Some(stack) = real() else { return };
    stack.run(&["init"]);
    stack.run(&["plan"]);
    std::fs::copy(stack.plan(), stack.sandbox.path("again.tfplan")).unwrap();
    assert_eq!(stack.run(&["apply"]).code, 0);
    let ran = stack.run(&["apply", "--plan", "again.tfplan"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stderr.contains("Saved plan is stale"), "{}", ran.stderr);
    assert!(ran.stderr.contains("cutover stack plan"), "{}", ran.stderr);
}

#[test]
fn a_plan_that_would_lose_the_database_is_refused_and_not_kept() {
    for actions in [&["delete"][..], &["delete", "create"], &["create", "delete"]] {
        for kind in [DATABASE, "aws_timestreaminfluxdb_db_cluster"] {
            let stack = Stack::planning(&change(kind, actions));
            let ran = stack.run(&["plan"]);
            assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
            assert!(ran.stderr.contains(&format!("module.influxdb.{kind}.this")), "{}", ran.stderr);
            assert!(ran.stderr.contains("`organization` cannot be changed"), "{}", ran.stderr);
            assert!(ran.stderr.contains("--allow-replace"), "{}", ran.stderr);
            assert!(!stack.plan().exists());
            assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("hunter2"));
        }
    }
}

#[test]
fn with_allow_replace_the_database_may_go() {
    let stack = Stack::planning(&change(DATABASE, &["delete", "create"]));
    assert_eq!(stack.run(&["plan", "--allow-replace"]).code, 0);
    assert!(stack.plan().exists());
    assert_eq!(stack.run(&["apply", "--allow-replace"]).code, 0);
}

#[test]
fn apply_looks_at_the_plan_again() {
    let stack = Stack::planning(&change(DATABASE, &["delete", "create"]));
    stack.run(&["plan", "--allow-replace"]);
    let ran = stack.run(&["apply"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(!stack.told().contains(&"apply".to_owned()), "{:?}", stack.told());
}

#[test]
fn a_plan_that_changes_the_database_in_place_goes_on() {
    let stack = Stack::planning(&change(DATABASE, &["update"]));
    assert_eq!(stack.run(&["plan"]).code, 0);
}

#[test]
fn further_arguments_are_passed_on_and_the_plan_is_always_ours() {
    let stack = Stack::planning(&json!([]));
    stack.run(&["plan", "--", "-out=theirs", "-var", "a=b"]);
    let told = stack.told();
    assert_eq!(told[..4], ["plan", "-out=theirs", "-var", "a=b"]);
    assert!(told[4].ends_with("/terraform/stack.tfplan"), "{told:?}");
    stack.run(&["apply", "--", "-parallelism=3"]);
    let told = stack.told();
    assert!(told.windows(2).any(|it| it == ["apply", "-parallelism=3"]), "{told:?}");
    assert!(told.last().unwrap().ends_with("/terraform/stack.tfplan"), "{told:?}");
}

#[test]
fn a_plan_that_is_not_there_is_refused() {
    let stack = Stack::planning(&json!([]));
    let ran = stack.run(&["apply"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("there is no saved plan"), "{}", ran.stderr);
    assert!(ran.stderr.contains("cutover stack plan"), "{}", ran.stderr);
}

#[test]
fn a_plan_that_is_older_than_the_configuration_is_refused() {
    let stack = Stack::planning(&json!([]));
    stack.run(&["plan"]);
    let later = std::time::Duration::from_secs(1);
    let planned = stack.plan().metadata().unwrap().modified().unwrap();
    let main =
        std::fs::File::options().write(true).open(stack.sandbox.path("terraform/main.tf")).unwrap();
    main.set_modified(planned + later).unwrap();
    let ran = stack.run(&["apply"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("stale") && ran.stderr.contains("main.tf"), "{}", ran.stderr);
}

#[test]
fn an_exit_code_of_terraform_is_passed_on() {
    for code in [1, 2, 7] {
        let stack = Stack::with(&format!("exit {code}"));
        assert_eq!(stack.run(&["init"]).code, code);
        assert_eq!(stack.run(&["plan"]).code, code);
        assert_eq!(stack.run(&["output"]).code, code);
        assert!(!stack.plan().exists());
    }
}

#[test]
fn what_terraform_says_is_passed_on() {
    let stack = Stack::with("echo to-out; echo to-err >&2");
    let ran = stack.run(&["init"]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("to-out\n", "to-err\n"));
}

#[test]
fn outputs_of_a_stack_that_was_never_applied_are_refused() {
    let ran = Stack::with("echo '{}'").run(&["output"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("cutover stack apply"), "{}", ran.stderr);
}

#[test]
fn no_terraform_on_path_is_an_error_with_a_remedy() {
    let mut command = Stack::new().command(&["plan"]);
    let stack = Stack::new();
    command.current_dir(stack.sandbox.path(".")).env("PATH", "/nonexistent");
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.code, 5);
    assert!(ran.stderr.contains("there is no `terraform` on PATH"), "{}", ran.stderr);
    assert!(ran.stderr.contains("install Terraform"), "{}", ran.stderr);
}

#[test]
fn a_folder_without_terraform_in_it_is_bad_input() {
    let ran = Stack::new().run(&["plan", "--dir", "bin"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("there is no Terraform in `bin`"), "{}", ran.stderr);
}

/// Sends a signal to a running `stack init` once its Terraform says that it is there.
fn signalled(script: &str, name: &str) -> (Option<i32>, String) {
    let stack = Stack::with(script);
    let mut child =
        stack.command(&["init"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert_eq!(lines.next().as_deref(), Some("ready"));
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let said: Vec<String> = lines.collect();
    (child.wait().unwrap().code(), said.join("\n"))
}

#[test]
fn a_termination_is_passed_on_and_terraform_ends_by_itself() {
    let script = "trap 'echo state saved; exit 9' TERM; echo ready\n\
        while :; do read it <\"$0\"; done";
    assert_eq!(signalled(script, "-TERM"), (Some(9), "state saved".to_owned()));
}

#[test]
fn an_interrupt_is_left_to_terraform_which_ends_by_itself() {
    // In a terminal, Terraform gets the interrupt as well; here it only has to be waited for.
    let script = "echo ready; n=0; while [ $n -lt 20000 ]; do n=$((n + 1)); done\n\
        echo state saved; exit 9";
    assert_eq!(signalled(script, "-INT"), (Some(9), "state saved".to_owned()));
}
