//! Types of whole scripts. The expectations were read off a server of release 2.7.12.

use super::check;
use crate::flux::parser::parse;

fn refusal(script: &str) -> String {
    check(&parse(script).unwrap()).err().map_or(String::new(), |error| error.to_string())
}

#[test]
fn an_operand_of_another_type_is_refused_with_its_place() {
    assert_eq!(refusal("x = 1 + \"a\""), "error @1:9-1:12: expected int but found string");
}

#[test]
fn a_function_that_fits_is_not_refused() {
    assert_eq!(refusal("f = (a, b=1) => a + b\nx = f(a: 2)"), "");
}

/// Scripts of one line and what is wrong with them.
const REFUSALS: &[(&str, &str)] = &[
    ("x = 1 + \"a\"", "error @1:9-1:12: expected int but found string"),
    ("x = true + false", "error @1:5-1:17: bool is not Addable"),
    ("x = -\"a\"", "error @1:6-1:9: string is not Negatable"),
    ("x = if 1 then 2 else 3", "error @1:8-1:9: expected bool but found int"),
    ("x = if true then 2 else \"a\"", "error @1:25-1:28: expected int but found string"),
    ("x = {a: 1}.b", "error @1:5-1:11: record is missing label b"),
    ("x = [1][\"a\"]", "error @1:5-1:8: expected {A with a: B} (record) but found [int] (array)"),
    (
        "f = (x) => x + 1 y = f(x: \"a\")",
        "error @1:27-1:30: expected int but found string \
      (argument x)",
    ),
    (
        "f = (x) => x.a + 1 z = f(x: {b: 1})",
        "error @1:29-1:35: record is missing label a \
      (argument x)",
    ),
    (
        "f = (a) => (b) => a + b x = f(a: 1)(b: \"x\")",
        "error @1:40-1:43: expected int but found \
      string (argument b)",
    ),
    ("x = [\"a\": 1, 2: 3]", "error @1:14-1:15: expected string but found int"),
    (
        "x = length(arr: \"abc\")",
        "error @1:17-1:22: expected [A] (array) but found string \
      (argument arr)",
    ),
    ("limit(n: 1)", "error @1:1-1:12: missing required argument tables"),
    (
        "x = 2023-01-01T00:00:00Z + 1h",
        "error @1:28-1:30: expected time but found duration\n\n\
      error @1:5-1:30: time is not Addable",
    ),
];

#[test]
fn types_that_do_not_go_together_are_refused_with_their_place() {
    for (script, expected) in REFUSALS {
        assert_eq!(refusal(script), *expected, "{script}");
    }
}

#[test]
fn what_only_the_bucket_knows_is_left_open() {
    let script = "from(bucket: \"b\") |> range(start: -1h) \
                  |> map(fn: (r) => ({r with x: r._value + 1, y: r.a + r.b})) \
                  |> filter(fn: (r) => r.x > 1 and r.y == \"a\")";
    assert_eq!(refusal(script), "");
}

#[test]
fn a_function_takes_each_type_that_its_body_takes() {
    assert_eq!(refusal("f = (x) => x + x a = f(x: 1) b = f(x: \"a\") c = f(x: 1.5)"), "");
}

#[test]
fn a_long_record_is_shown_with_a_line_for_each_field() {
    let script = "x = {a: 1, b: 1, c: 1, d: 1, e: 1} + 1";
    let record = "{\n    e: int,\n    d: int,\n    c: int,\n    b: int,\n    a: int,\n} (record)";
    let expected = format!(
        "error @1:38-1:39: expected {record} but found int\n\n\
         error @1:5-1:39: {record} is not Addable"
    );
    assert_eq!(refusal(script), expected);
}
