//! Mistakes in the functions of a script, and where the answer says that they are.

use super::{answer, refusal, rows};

const V: &str = "$R |> filter(fn: (r) => r._field == \"v\")";

#[test]
fn a_function_that_is_computed_by_column_is_placed_nowhere() {
    let message = refusal(&format!("{V} |> map(fn: (r) => ({{r with x: r._value + 1}}))"));
    assert_eq!(message, "runtime error: type conflict: int != float");
}

#[test]
fn a_function_that_is_called_row_by_row_is_placed_at_its_call() {
    let message = refusal(&format!("{V} |> map(fn: (r) => ({{r with x: int(v: r._field)}}))"));
    let expected = "map: failed to evaluate map function: cannot convert string \"v\" to int \
                    due to invalid syntax";
    assert!(message.starts_with("runtime error @1:") && message.ends_with(expected), "{message}");
}

#[test]
fn a_mistake_in_a_function_of_the_library_is_placed_at_the_script_s_call() {
    let script = format!("{V} |> stateDuration(fn: (r) => true, timeColumn: \"x\")");
    let message = refusal(&script);
    assert!(message.ends_with(": stateDuration: column \"x\" does not exist"), "{message}");
}

#[test]
fn calls_of_the_script_s_functions_are_told_from_the_outside_in() {
    let script = "f = (x) => int(v: x) y = f(x: \"a\")";
    let expected = "error calling function \"f\" @1:26-1:35: error calling function \"int\" \
                    @1:12-1:21: cannot convert string \"a\" to int due to invalid syntax";
    assert_eq!(refusal(script), expected);
}

#[test]
fn a_condition_is_not_computed_for_rows_that_are_already_out() {
    let script = "$R |> filter(fn: (r) => r._field == \"n\") \
                  |> filter(fn: (r) => r._value > 1 and 1 / (r._value - 1) == 1)";
    assert!(answer(script).is_ok());
}

#[test]
fn the_branch_that_is_not_taken_makes_no_mistake() {
    let script = "$R |> filter(fn: (r) => r._field == \"n\") \
                  |> map(fn: (r) => ({r with x: if r._value == 1 then 0 else 1 / (r._value - 1)}))";
    assert!(answer(script).is_ok());
}

#[test]
fn a_name_that_flux_has_not_is_undefined_and_one_that_the_stand_in_has_not_is_refused() {
    assert_eq!(refusal("frob()"), "error @1:1-1:5: undefined identifier frob");
    assert!(refusal("$R |> to(bucket: \"b\")").contains("`to` is not in the stand-in's Flux"));
    assert_eq!(refusal("import \"frob\" $R"), "error @1:1-1:14: invalid import path frob");
}

#[test]
fn groups_of_several_types_give_the_first_before_the_mistake() {
    let text = answer("$R |> filter(fn: (r) => r.h == \"a\") |> group()").unwrap();
    let expected = "schema collision: cannot group integer and float types together,";
    assert!(text.contains(",_result,0,") && text.trim_end().ends_with(expected), "{text}");
}

#[test]
fn what_fails_over_pieces_of_tables_has_no_place() {
    let pieces = "$R |> map(fn: (r) => ({r with x: 1}))";
    let renamed = "rename error: column \"nope\" doesn't exist";
    for stages in ["", "|> limit(n: 1)", "|> timeShift(duration: 1h)"] {
        let script = format!("{pieces} {stages} |> rename(columns: {{nope: \"b\"}})");
        assert_eq!(refusal(&script), renamed, "{stages}");
    }
    let sorted = refusal(&format!("{pieces} |> sort() |> rename(columns: {{nope: \"b\"}})"));
    assert_eq!(sorted, format!("runtime error @1:133-1:161: rename: {renamed}"));
}

#[test]
fn pieces_of_different_types_are_the_mistake_of_whoever_puts_them_together() {
    let pieces = "$R |> filter(fn: (r) => r._measurement == \"m\") \
                  |> map(fn: (r) => ({_value: r._value, y: length(arr: [r._field])}))";
    for (stages, place) in [
        ("", "@1:132-1:196: map"),
        ("|> limit(n: 1)", "@1:200-1:211: limit"),
        ("|> limit(n: 1) |> sort()", "@1:215-1:221: sort"),
        ("|> mean()", "@1:200-1:206: mean"),
    ] {
        let told = refusal(&format!("{pieces} {stages}"));
        let start = format!("runtime error {place}: schema collision detected");
        assert!(told.starts_with(&start), "{stages}: {told}");
    }
}

#[test]
fn a_condition_on_nothing_but_literals_holds_for_all_rows() {
    let with = rows("$R |> filter(fn: (r) => exists r.h and (1.5 > -3 or r._value > 1.0))");
    assert_eq!(with, rows("$R |> filter(fn: (r) => exists r.h and true)"));
}
