//! What queries answer. The expectations were read off a server of release 2.7.12.

mod bounds;
mod functions;
mod mistakes;

use cutover_model::Clock;

use super::time::parse_rfc3339;
use super::*;
use crate::accounts::NewBucket;
use crate::line_protocol::{Precision, parse};
use crate::store::{Retention, shard_duration_ns};
use crate::{Config, InfluxdbStandin};

const LINES: &str = "\
m,h=a v=1,n=1i 2023-01-01T00:00:00Z
m,h=a v=2,n=2i 2023-01-01T00:30:00Z
m,h=a v=6 2023-01-01T02:10:00Z
m,h=b v=10 2023-01-01T00:15:00Z
m v=7 2023-01-01T00:45:00Z
s,h=a t=\"x\",b=true 2023-01-01T00:00:00Z
s,h=a t=\"\",b=false 2023-01-01T01:00:00Z";

const RANGE: &str = "from(bucket: \"b\") \
                     |> range(start: 2023-01-01T00:00:00Z, stop: 2023-01-01T03:00:00Z)";

fn server(config: Config) -> (Arc<Server>, Id) {
    let server = InfluxdbStandin::new(config).server;
    let org = server.accounts_mut().add_org("o", 0).id;
    let new = NewBucket {
        org,
        name: "b".to_owned(),
        description: String::new(),
        system: false,
        retention_s: 0,
        shard_group_s: 604_800,
    };
    let bucket = server.accounts_mut().add_bucket(new, 0).id;
    let retention = Retention { period_ns: 0, shard_group_ns: shard_duration_ns(0) };
    server.store_mut().create(bucket, retention);
    let lines = LINES.lines().map(|line| {
        let (point, time) = line.rsplit_once(' ').unwrap();
        format!("{point} {}\n", parse_rfc3339(time).unwrap())
    });
    let lines: String = lines.collect();
    let batch = parse(lines.as_bytes(), Precision::Nanoseconds, 0).unwrap();
    server.store_mut().write(bucket, &batch, 0).unwrap();
    (server, org)
}

fn now_ns() -> i64 {
    parse_rfc3339("2023-01-01T03:00:00Z").unwrap()
}

fn answer_with(config: Config, script: &str) -> Result<String, FluxError> {
    let (server, org) = server(config);
    let dialect = Dialect { annotations: Vec::new(), delimiter: b',', header: true };
    let script = script.replace("$R", RANGE);
    let permissions = Permissions::operator();
    let query = Query { script, externs: None, org, now_ns: now_ns(), dialect, permissions };
    let answer = run(&server, query)?;
    let bytes: Vec<u8> = answer.flat_map(|chunk| chunk.to_vec()).collect();
    Ok(String::from_utf8(bytes).unwrap())
}

fn answer(script: &str) -> Result<String, FluxError> {
    answer_with(Config::new(Clock::fixed(now_ns())), script)
}

/// The rows of an answer without result, table and annotations, one text a row.
fn rows(script: &str) -> Vec<String> {
    let text = answer(script).unwrap();
    let lines = text.lines().filter(|line| line.starts_with(",_result,") || line.starts_with(",,"));
    lines.map(|line| line.splitn(4, ',').nth(3).unwrap_or_default().to_owned()).collect()
}

fn refusal(script: &str) -> String {
    answer(script).unwrap_err().to_string()
}

fn values(script: &str) -> Vec<String> {
    rows(&format!("{script} |> keep(columns: [\"_value\"])"))
}

#[test]
fn series_come_one_table_each_in_order_of_their_names() {
    let columns = "|> keep(columns: [\"_field\", \"h\", \"_value\"]) |> limit(n: 1)";
    let script = format!("$R |> filter(fn: (r) => r._measurement == \"m\") {columns}");
    assert_eq!(rows(&script), ["1,n,a", "7,v", "1,v,a", "10,v,b"]);
}

#[test]
fn a_block_of_csv_begins_with_its_annotations() {
    let (server, org) = server(Config::new(Clock::fixed(now_ns())));
    let names = ["datatype", "group", "default"];
    let annotations = names.iter().filter_map(|name| Annotation::from_name(name)).collect();
    let dialect = Dialect { annotations, delimiter: b',', header: true };
    let script = RANGE.to_owned() + " |> filter(fn: (r) => r._field == \"n\") |> limit(n: 1)";
    let permissions = Permissions::operator();
    let query = Query { script, externs: None, org, now_ns: now_ns(), dialect, permissions };
    let bytes: Vec<u8> = run(&server, query).unwrap().flat_map(|chunk| chunk.to_vec()).collect();
    let expected = "#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,long,\
                    string,string,string\r\n\
                    #group,false,false,true,true,false,false,true,true,true\r\n\
                    #default,_result,,,,,,,,\r\n\
                    ,result,table,_start,_stop,_time,_value,_field,_measurement,h\r\n\
                    ,,0,2023-01-01T00:00:00Z,2023-01-01T03:00:00Z,2023-01-01T00:00:00Z,1,n,m,a\r\n\
                    \r\n";
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn an_answer_without_tables_is_an_empty_line() {
    assert_eq!(answer("$R |> filter(fn: (r) => r.h == \"nobody\")").unwrap(), "\r\n");
}

#[test]
fn range_leaves_out_its_stop_and_defaults_to_now() {
    let script = |range: &str| {
        format!("from(bucket: \"b\") |> range({range}) |> filter(fn: (r) => r._field == \"n\")")
    };
    let short = script("start: 2023-01-01T00:00:00Z, stop: 2023-01-01T00:30:00Z");
    assert_eq!(values(&short), ["1"]);
    assert_eq!(values(&script("start: -150m")), ["2"]);
    assert_eq!(values(&script("start: 0")), ["1", "2"]);
    assert!(refusal(&script("start: 1, stop: 1")).ends_with("cannot query an empty range"));
}

#[test]
fn a_filter_on_a_tag_that_a_series_lacks_treats_it_as_empty_in_the_store() {
    let script = |test: &str| format!("$R |> filter(fn: (r) => r._field == \"v\" and {test})");
    assert_eq!(values(&script("r.h != \"a\"")), ["7", "10"]);
    assert_eq!(values(&script("r.h !~ /a/")), ["7", "10"]);
    assert_eq!(values(&script("exists r.h and r.h != \"a\"")), ["10"]);
    assert_eq!(values(&script("r.h == \"\"")).len(), 0);
    assert_eq!(values(&script("not exists r.h")), ["7"]);
}

#[test]
fn a_comparison_with_null_is_neither_true_nor_false() {
    // The name is not a literal, so the condition is not the store's.
    let script = "a = \"a\" $R |> filter(fn: (r) => r._field == \"v\" and r.h != a)";
    assert_eq!(values(script), ["10"]);
}

#[test]
fn a_value_of_another_type_passes_no_comparison_in_the_store() {
    let script = |test: &str| format!("$R |> filter(fn: (r) => {test})");
    assert_eq!(values(&script("r._value == \"\"")), [""]);
    assert_eq!(values(&script("r._value != \"\"")), ["x"]);
    assert_eq!(values(&script("r._value > 6")), ["7", "10"]);
    assert_eq!(values(&script("r._value == true")), ["true"]);
}

#[test]
fn a_comparison_of_different_types_outside_the_store_is_a_mistake() {
    // The literal stands on the left, so the condition is not the store's. Two tables pass first.
    let text = answer("$R |> filter(fn: (r) => 6 < r._value)").unwrap();
    let expected = ",error,reference\r\n,runtime error @1:88-1:119: filter: cannot compile @ \
                    1:99-1:118: unsupported binary expression int < bool,\r\n";
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn integers_and_floats_compare_but_do_not_add() {
    assert_eq!(values("$R |> filter(fn: (r) => r._field == \"v\" and r._value > 6)"), ["7", "10"]);
    let sum = "$R |> filter(fn: (r) => r._field == \"v\") \
               |> map(fn: (r) => ({_value: r._value + 1}))";
    assert!(refusal(sum).contains("type conflict: int != float"));
}

#[test]
fn windows_are_stamped_with_their_stop_and_clipped_to_the_range() {
    let script = "from(bucket: \"b\") \
                  |> range(start: 2023-01-01T00:10:00Z, stop: 2023-01-01T02:20:00Z) \
                  |> filter(fn: (r) => r._field == \"v\" and r.h == \"a\") \
                  |> aggregateWindow(every: 1h, fn: sum) |> keep(columns: [\"_time\", \"_value\"])";
    let expected = ["2,2023-01-01T01:00:00Z", ",2023-01-01T02:00:00Z", "6,2023-01-01T02:20:00Z"];
    assert_eq!(rows(script), expected);
}

#[test]
fn window_starts_can_stamp_as_well() {
    let script = "$R |> filter(fn: (r) => r._field == \"v\" and r.h == \"a\") \
                  |> aggregateWindow(every: 1h, fn: mean, timeSrc: \"_start\", createEmpty: false) \
                  |> keep(columns: [\"_time\", \"_value\"])";
    assert_eq!(rows(script), ["1.5,2023-01-01T00:00:00Z", "6,2023-01-01T02:00:00Z"]);
}

#[test]
fn an_empty_window_counts_zero_and_has_no_mean() {
    let script = |function: &str| {
        format!(
            "$R |> filter(fn: (r) => r._field == \"v\" and r.h == \"a\") \
             |> aggregateWindow(every: 1h, fn: {function})"
        )
    };
    assert_eq!(values(&script("count")), ["2", "0", "1"]);
    assert_eq!(values(&script("mean")), ["1.5", "", "6"]);
    assert_eq!(values(&script("last")), ["2", "", "6"]);
}

#[test]
fn a_function_of_the_script_sees_each_window() {
    let script = "$R |> filter(fn: (r) => r._field == \"v\" and r.h == \"a\") \
                  |> aggregateWindow(every: 1h, \
                     fn: (tables=<-, column) => tables |> max(column: column))";
    assert_eq!(values(script), ["2", "", "6"]);
}

#[test]
fn weeks_begin_on_thursday_and_months_on_the_first() {
    let script = |every: &str| {
        format!(
            "from(bucket: \"b\") |> range(start: 2022-12-20T00:00:00Z, stop: 2023-02-10T00:00:00Z) \
             |> filter(fn: (r) => r._field == \"n\") \
             |> aggregateWindow(every: {every}, fn: sum, createEmpty: false) \
             |> keep(columns: [\"_time\"])"
        )
    };
    assert_eq!(rows(&script("1w")), ["2023-01-05T00:00:00Z"]);
    assert_eq!(rows(&script("1mo")), ["2023-02-01T00:00:00Z"]);
}

#[test]
fn pivot_makes_one_row_of_one_instant() {
    let script = "$R |> filter(fn: (r) => r._measurement == \"m\" and r.h == \"a\") \
                  |> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\") \
                  |> keep(columns: [\"_time\", \"n\", \"v\"])";
    let expected =
        ["2023-01-01T00:00:00Z,1,1", "2023-01-01T00:30:00Z,2,2", "2023-01-01T02:10:00Z,,6"];
    assert_eq!(rows(script), expected);
}

#[test]
fn a_pivot_of_several_types_can_be_grouped_and_sorted() {
    let script = "$R |> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], \
                  valueColumn: \"_value\") |> group() |> sort(columns: [\"h\", \"_time\"]) \
                  |> keep(columns: [\"h\", \"v\", \"t\"])";
    assert_eq!(rows(script).len(), 7);
}

#[test]
fn tables_of_two_types_cannot_be_grouped() {
    let script = "$R |> filter(fn: (r) => r.h == \"a\") |> map(fn: (r) => r) |> group()";
    assert!(refusal(script).contains("schema collision detected: column \"_value\" is both"));
}

#[test]
fn limit_sort_and_count_work_table_by_table() {
    let all = "$R |> filter(fn: (r) => r._field == \"v\")";
    assert_eq!(values(&format!("{all} |> limit(n: 1)")), ["7", "1", "10"]);
    assert_eq!(values(&format!("{all} |> count()")), ["1", "3", "1"]);
    let sorted = format!("{all} |> sort(desc: true) |> limit(n: 1)");
    assert_eq!(values(&sorted), ["7", "6", "10"]);
}

#[test]
fn nulls_sort_first_in_either_direction() {
    let tables = "import \"array\" import \"internal/debug\" \
                  array.from(rows: [{_value: 2}, {_value: 1}]) |> map(fn: (r) => \
                  ({_value: if r._value == 1 then debug.null(type: \"int\") else r._value}))";
    assert_eq!(values(&format!("{tables} |> sort()")), ["", "2"]);
    assert_eq!(values(&format!("{tables} |> sort(desc: true)")), ["", "2"]);
}

#[test]
fn a_float_has_no_exponent_and_a_text_keeps_its_quotes() {
    let script = "import \"array\" array.from(rows: [{a: 0.0000001, b: \"x,\\\"y\", c: 2.5}])";
    assert_eq!(rows(script), ["0.0000001,\"x,\"\"y\",2.5"]);
}

#[test]
fn results_are_named_by_yield() {
    let script = "$R |> filter(fn: (r) => r._field == \"n\") |> yield(name: \"x\") |> count()";
    let text = answer(script).unwrap();
    assert!(text.contains(",x,0,") && text.contains(",_result,0,"), "{text}");
    assert!(refusal("$R $R").contains("more than one result with the name \"_result\""));
}

#[test]
fn functions_close_over_names_and_have_defaults() {
    let script = "k = 2 f = (tables=<-, n=k) => { m = n - 1 return tables |> limit(n: m) } \
                  $R |> filter(fn: (r) => r._field == \"n\") |> f()";
    assert_eq!(values(script), ["1"]);
}

#[test]
fn the_now_option_moves_the_end_of_the_range() {
    let script = "option now = () => 2023-01-01T00:20:00Z from(bucket: \"b\") \
                  |> range(start: -1h) |> filter(fn: (r) => r._field == \"n\")";
    assert_eq!(values(script), ["1"]);
}

#[test]
fn what_is_not_there_is_refused_by_name_and_place() {
    for (script, expected) in [
        ("import \"sql\" $R", "invalid import path sql: the package is not in the stand-in's Flux"),
        ("import \"array\" array.frob()", "`array.frob` is not in the stand-in's Flux"),
        ("from(bucket: \"b\", host: \"x\")", "argument `host` of `from` is not in the stand-in's"),
        (
            "option task = {name: \"x\"} option a.b = 1",
            "option `a.b` is not in the stand-in's Flux",
        ),
    ] {
        let message = refusal(script);
        assert!(message.contains(expected), "{script}: {message}");
        assert!(message.starts_with("compilation failed: error @1:"), "{script}: {message}");
    }
}

#[test]
fn what_is_not_there_is_refused_even_where_it_would_not_run() {
    assert!(refusal("f = () => frob() $R").contains("undefined identifier frob"));
}

#[test]
fn arguments_are_checked_with_their_places() {
    for (script, expected) in [
        ("from(bucket: 1)", "error @1:14-1:15: expected string but found int (argument bucket)"),
        ("limit(n: 1)", "error @1:1-1:12: missing required argument tables"),
        ("from(bucket: \"b\") |> range()", "error @1:22-1:29: missing required argument start"),
        ("from()", "error calling function \"from\" @1:1-1:7: must specify bucket or bucketID"),
    ] {
        assert_eq!(refusal(script), expected);
    }
    let filter = refusal("$R |> filter(fn: (x) => x.h == \"a\")");
    assert!(filter.contains("found unexpected argument x (Expected `r`)"), "{filter}");
}

#[test]
fn a_bucket_that_is_not_there_is_not_found() {
    let error = answer("from(bucket: \"x\") |> range(start: -1h)").unwrap_err();
    assert_eq!(error.code(), FluxErrorCode::NotFound);
}

#[test]
fn a_read_without_a_range_is_refused() {
    let expected = "cannot submit unbounded read to \"b\"; try bounding 'from' with a call to \
                    'range'";
    assert!(refusal("from(bucket: \"b\")").ends_with(expected));
    assert!(refusal("from(bucket: \"b\") |> window(every: 1h)").ends_with(expected));
}

#[test]
fn a_script_without_a_result_is_refused() {
    for script in ["", "1 + 1", "x = 1", "// nothing"] {
        assert!(refusal(script).contains("this Flux script returns no streaming data"));
    }
}

#[test]
fn a_mistake_after_the_first_result_is_told_in_a_table() {
    let script = "$R |> filter(fn: (r) => r._field == \"n\") |> yield(name: \"good\") \
                  $R |> filter(fn: (r) => r._field == \"t\") |> mean() |> yield(name: \"bad\")";
    let text = answer(script).unwrap();
    assert!(text.contains(",good,0,"), "{text}");
    let last = text.lines().last().unwrap();
    assert!(text.contains("\r\n,error,reference\r\n"), "{text}");
    assert!(last.contains("unsupported input type for mean aggregate: string"), "{last}");
}

#[test]
fn a_query_beyond_its_memory_is_stopped() {
    let config = Config { max_query_cells: 10, ..Config::new(Clock::fixed(now_ns())) };
    let error = answer_with(config, "$R |> group(columns: [\"h\", \"_field\"])").unwrap_err();
    assert!(error.to_string().contains("memory allocation limit reached"), "{error}");
    let windows = "$R |> aggregateWindow(every: 1ns, fn: count)";
    assert!(refusal(windows).contains("memory allocation limit reached"));
}
