//! Reading a stack's outputs, deciding on writes, and reading a token, without any account.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::guard::decide;
use super::token::token_of;
use super::*;

/// A stack without runner and log delivery, as Terraform writes it: what is null is left out.
fn document() -> Value {
    let secret = "arn:aws:secretsmanager:us-east-1:111122223333:secret:s";
    let outputs = json!({
        "name": "ons-staging", "environment": "staging", "region": "us-east-1",
        "account_id": "111122223333",
        "influxdb_url": "https://db.example.com:8086", "influxdb_endpoint": "db.example.com",
        "influxdb_port": 8086, "influxdb_instance_id": "abc123",
        "influxdb_instance_name": "ons-staging", "influxdb_organization": "ons",
        "influxdb_bucket": "consumption_data", "influxdb_auth_secret_arn": secret,
        "influxdb_token_secret_arns": { "reader": secret, "writer": secret },
        "influxdb_token_documents": {
            "reader": { "readBuckets": ["consumption_data"], "type": "custom" },
            "writer": { "writeBuckets": ["consumption_data"], "type": "custom" },
        },
        "writes_allowed": true, "stack_tags": { "cutover:allow-writes": "true" },
        "appconfig_application_id": "app", "appconfig_environment_id": "env",
        "appconfig_profile_id": "profile", "appconfig_strategy_ids": { "instant": "s1" },
        "metric_namespace": "ONS/TrafficSwitching",
        "influxdb_metric_namespace": "AWS/Timestream/InfluxDB",
        "traffic_alarm_names": { "latency": "a" }, "composite_alarm_name": "c",
        "influxdb_alarm_names": ["a", "b"],
    });
    let Value::Object(outputs) = outputs else { unreachable!("it is written above") };
    outputs
        .into_iter()
        .map(|(name, value)| {
            (name, json!({ "sensitive": false, "type": "string", "value": value }))
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn stack() -> Stack {
    Stack::parse(&document().to_string()).unwrap()
}

fn problems(document: &Value) -> Vec<String> {
    Stack::parse(&document.to_string()).unwrap_err().lines()
}

#[test]
fn a_stack_without_runner_and_logs_is_complete() {
    let stack = stack();
    assert_eq!((stack.influxdb.log_bucket, stack.runner), (None, StackRunner::default()));
    assert_eq!(stack.influxdb.port, 8086);
}

#[test]
fn the_runners_map_without_types_is_read_too() {
    let mut document = document();
    for entry in document.as_object_mut().unwrap().values_mut() {
        entry.as_object_mut().unwrap().remove("type");
    }
    document["influxdb_log_bucket"] = json!({ "sensitive": false, "value": null });
    assert_eq!(Stack::parse(&document.to_string()).unwrap(), stack());
}

#[test]
fn every_missing_mistyped_and_misspelt_output_is_named_in_one_pass() {
    let mut document = document();
    let outputs = document.as_object_mut().unwrap();
    let region = outputs.remove("region").unwrap();
    outputs.insert("regoin".to_owned(), region);
    outputs.remove("name");
    outputs["influxdb_port"]["value"] = json!("8086");
    outputs["writes_allowed"]["value"] = json!("false");
    outputs["influxdb_token_secret_arns"]["value"] = json!({ "reader": "arn" });
    outputs["influxdb_bucket"]["value"] = json!("");
    outputs["environment"] = json!("staging");
    assert_eq!(
        problems(&document),
        [
            "`environment` has no `value`",
            "`name` is missing",
            "`region` is missing",
            "`influxdb_port` must be a port, and is a text",
            "`influxdb_bucket` is empty",
            "`influxdb_token_secret_arns` must be a map with the ARNs `reader` and `writer`, and \
             is a map of another shape",
            "`writes_allowed` must be true or false, and is a text",
            "`regoin` is no output of a stack",
        ]
    );
}

#[test]
fn outputs_of_other_terraform_beside_a_complete_stack_are_fine() {
    let mut document = document();
    document["their_own"] = json!({ "sensitive": true, "value": "x" });
    assert_eq!(Stack::parse(&document.to_string()).unwrap(), stack());
}

#[test]
fn no_problem_tells_a_value() {
    let mut document = document();
    document["influxdb_port"]["value"] = json!("hunter2");
    let error = Stack::parse(&document.to_string()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn an_address_that_would_send_the_token_in_the_open_is_refused() {
    let mut document = document();
    document["influxdb_url"]["value"] = json!("http://db.example.com:8086");
    let told = problems(&document);
    assert!(told[0].starts_with("`influxdb_url` must be `https://HOST:PORT`"), "{told:?}");
}

#[test]
fn another_document_is_told_from_outputs() {
    for text in ["", "[]", "Warning: no outputs found", "null"] {
        let error = Stack::parse(text).unwrap_err();
        assert!(matches!(error, StackError::NoOutputs(_)), "{text}: {error}");
    }
}

#[test]
fn no_outputs_at_all_name_every_output_that_must_be_there() {
    let needed = Stack::outputs().into_values().filter(|need| *need == Need::Always).count();
    assert_eq!(problems(&json!({})).len(), needed);
}

const YES: &str = "true";

fn tag(value: &str) -> WritesTag {
    WritesTag::Is(Some(value.to_owned()))
}

#[test]
fn writing_takes_the_user_the_outputs_and_the_tag() {
    let (allowing, mut forbidding) = (stack(), stack());
    forbidding.writes_allowed = false;
    let mut granted = Vec::new();
    for asked in [AllowWrites::Asked, AllowWrites::NotAsked] {
        for stack in [&allowing, &forbidding] {
            for tag in [
                tag(YES),
                tag("false"),
                tag("True"),
                tag(""),
                WritesTag::Is(None),
                WritesTag::Unasked,
                WritesTag::Unreadable("no".to_owned()),
            ] {
                if decide(asked, stack, &tag) == Permission::Granted {
                    granted.push((asked, stack.writes_allowed, tag));
                }
            }
        }
    }
    assert_eq!(granted, [(AllowWrites::Asked, true, tag(YES))]);
}

#[test]
fn everything_that_stands_against_writing_is_told() {
    let mut stack = stack();
    stack.writes_allowed = false;
    let decided = decide(AllowWrites::NotAsked, &stack, &tag("false"));
    let told = decided.refusal().unwrap();
    for part in
        ["`--allow-writes`", "`writes_allowed` is false", "`cutover:allow-writes` of `false`"]
    {
        assert!(told.contains(part), "{told}");
    }
}

fn token(text: &str) -> Result<Secret, TokenProblem> {
    token_of(&Secret::new(text), &stack())
}

#[test]
fn a_secret_in_the_format_of_the_rotation_functions_gives_its_token() {
    let text = json!({
        "engine": "timestream-influxdb", "org": "ons", "dbIdentifier": "abc123",
        "type": "custom", "token": "t0ken==",
    });
    assert_eq!(token(&text.to_string()).unwrap(), Secret::new("t0ken=="));
}

#[test]
fn a_secret_without_a_token_is_told_from_one_of_another_shape() {
    assert_eq!(token("{}"), Err(TokenProblem::NoToken));
    assert_eq!(token(r#"{"token": " "}"#), Err(TokenProblem::NoToken));
    assert_eq!(token(r#"{"token": 7}"#), Err(TokenProblem::NoToken));
    assert_eq!(token("t0ken=="), Err(TokenProblem::NoObject));
    assert_eq!(token("[]"), Err(TokenProblem::NoObject));
}

#[test]
fn a_secret_of_another_database_is_refused() {
    let other = r#"{"token": "t", "dbIdentifier": "other"}"#;
    assert_eq!(token(other), Err(TokenProblem::Foreign { key: "dbIdentifier" }));
    let other = r#"{"token": "t", "org": "other"}"#;
    assert_eq!(token(other), Err(TokenProblem::Foreign { key: "org" }));
}

/// The names that a block of HCL sets: `name = …` at the depth of its first line.
fn names_of(block: &str) -> BTreeSet<&str> {
    let lines = block.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| Some(line.split_once(" = ")?.0.trim())).collect()
}

/// `terraform/outputs.tf`, as far as it is about names.
fn outputs_tf() -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
    let text = include_str!("../../../../terraform/outputs.tf");
    let after = text.split_once("stack_output = {").unwrap().1;
    let map = names_of(after.split_once("\n  }").unwrap().0);
    let blocks = text.split("\noutput \"").skip(1);
    (map, blocks.map(|block| block.split_once('"').unwrap().0).collect())
}

#[test]
fn every_output_that_is_read_is_one_of_terraforms() {
    let (_, declared) = outputs_tf();
    let read: BTreeSet<_> = Stack::outputs().into_keys().collect();
    let unknown: Vec<_> = read.difference(&declared).collect();
    assert_eq!(unknown, Vec::<&&str>::new());
}

#[test]
fn the_runner_is_told_every_output_that_must_be_there_and_no_other() {
    let (told, _) = outputs_tf();
    let outputs = Stack::outputs();
    let unread: Vec<_> = told.iter().filter(|name| !outputs.contains_key(*name)).collect();
    assert_eq!(unread, Vec::<&&str>::new());
    let needed = outputs.into_iter().filter(|(_, need)| *need == Need::Always);
    let untold: Vec<_> = needed.filter(|(name, _)| !told.contains(name)).collect();
    assert_eq!(untold, []);
}

#[test]
fn every_output_of_terraforms_is_read_or_known_to_be_for_people() {
    let (_, declared) = outputs_tf();
    let outputs = Stack::outputs();
    let unread = declared.into_iter().filter(|name| !outputs.contains_key(name));
    let unknown: Vec<_> = unread.filter(|name| !outputs::FOR_PEOPLE.contains(name)).collect();
    assert_eq!(unknown, Vec::<&str>::new());
}
