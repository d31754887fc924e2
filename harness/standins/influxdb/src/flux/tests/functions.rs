//! Functions of tables, one after another.

use super::{refusal, rows, values};

const A: &str = "$R |> filter(fn: (r) => r._field == \"v\" and r.h == \"a\")";

fn of_a(call: &str) -> Vec<String> {
    values(&format!("{A} |> {call}"))
}

#[test]
fn a_difference_leaves_out_the_first_row_unless_it_is_kept() {
    assert_eq!(of_a("difference()"), ["1", "4"]);
    assert_eq!(of_a("difference(keepFirst: true)"), ["", "1", "4"]);
}

#[test]
fn a_fall_has_no_difference_when_it_shall_not_be_negative() {
    let falling = "map(fn: (r) => ({r with _value: -r._value})) |> difference";
    assert_eq!(of_a(&format!("{falling}(nonNegative: true)")), ["", ""]);
    assert_eq!(of_a(&format!("{falling}()")), ["-1", "-4"]);
}

#[test]
fn a_derivative_is_per_unit_of_time() {
    assert_eq!(of_a("derivative(unit: 30m)"), ["1", "1.2"]);
}

#[test]
fn a_month_is_the_twelfth_part_of_a_year_where_it_is_a_unit() {
    assert_eq!(of_a("derivative(unit: 1mo) |> limit(n: 1)"), ["1461"]);
}

#[test]
fn elapsed_counts_whole_units_since_the_row_before() {
    let script = format!("{A} |> elapsed(unit: 1h) |> keep(columns: [\"elapsed\"])");
    assert_eq!(rows(&script), ["0", "1"]);
}

#[test]
fn a_cumulative_sum_adds_up_row_by_row() {
    assert_eq!(of_a("cumulativeSum()"), ["1", "3", "9"]);
}

#[test]
fn an_increase_starts_at_zero() {
    assert_eq!(of_a("increase()"), ["0", "1", "5"]);
}

#[test]
fn a_moving_average_of_too_few_rows_is_the_mean_of_them() {
    assert_eq!(of_a("movingAverage(n: 2)"), ["1.5", "4"]);
    assert_eq!(of_a("movingAverage(n: 5)"), ["3"]);
}

#[test]
fn an_integral_is_the_area_under_the_line() {
    assert_eq!(of_a("integral(unit: 30m)"), ["14.833333333333334"]);
}

#[test]
fn a_histogram_counts_up_to_each_bound() {
    let bins = "histogram(bins: [1.0, 2.0, 8.0]) |> keep(columns: [\"le\", \"_value\"])";
    assert_eq!(rows(&format!("{A} |> {bins}")), ["1,1", "2,2", "8,3"]);
}

#[test]
fn a_value_above_all_bounds_of_a_histogram_is_a_mistake() {
    let message = refusal(&format!("{A} |> histogram(bins: [1.0])"));
    assert!(
        message.ends_with("found value greater than any bin, 1 1 2.000000 1.000000"),
        "{message}"
    );
}

#[test]
fn the_quantile_of_a_histogram_lies_between_its_bounds() {
    let script = "import \"array\" \
                  array.from(rows: [{le: 1.0, _value: 1.0}, {le: 3.0, _value: 3.0}]) \
                  |> histogramQuantile(quantile: 0.5)";
    assert_eq!(values(script), ["1.5"]);
}

#[test]
fn the_mode_is_null_when_all_values_are_equally_frequent() {
    assert_eq!(of_a("mode()"), [""]);
    assert_eq!(of_a("map(fn: (r) => ({r with _value: r._value > 1.0})) |> mode()"), ["true"]);
}

#[test]
fn a_reduction_carries_a_record_from_row_to_row() {
    let script = format!(
        "{A} |> reduce(fn: (r, accumulator) => ({{n: accumulator.n + 1, s: accumulator.s + \
         r._value}}), identity: {{n: 0, s: 0.0}}) |> keep(columns: [\"n\", \"s\"])"
    );
    assert_eq!(rows(&script), ["3,9"]);
}

#[test]
fn a_state_is_counted_and_timed_while_it_lasts() {
    let script =
        |call: &str, column: &str| rows(&format!("{A} |> {call} |> keep(columns: [\"{column}\"])"));
    let counts = script("stateCount(fn: (r) => r._value > 1.0)", "stateCount");
    assert_eq!(counts, ["-1", "1", "2"]);
    let spans = script("stateDuration(fn: (r) => r._value > 1.0, unit: 1m)", "stateDuration");
    assert_eq!(spans, ["-1", "0", "100"]);
}

#[test]
fn a_shift_of_time_moves_the_range_as_well() {
    let script = format!("{A} |> limit(n: 1) |> timeShift(duration: 1h)");
    let columns = "|> keep(columns: [\"_start\", \"_time\"])";
    assert_eq!(rows(&format!("{script} {columns}")), ["2023-01-01T01:00:00Z,2023-01-01T01:00:00Z"]);
}

#[test]
fn times_are_cut_to_the_start_of_their_unit() {
    let script = format!("{A} |> truncateTimeColumn(unit: 1h) |> keep(columns: [\"_time\"])");
    let expected = ["2023-01-01T00:00:00Z", "2023-01-01T00:00:00Z", "2023-01-01T02:00:00Z"];
    assert_eq!(rows(&script), expected);
}

#[test]
fn hours_can_be_chosen_over_midnight() {
    assert_eq!(of_a("hourSelection(start: 23, stop: 1)"), ["1", "2"]);
}

#[test]
fn the_highest_are_chosen_of_groups_and_then_of_all() {
    let all = "$R |> filter(fn: (r) => r._field == \"v\")";
    let highest = "highestMax(n: 2, groupColumns: [\"h\"])";
    assert_eq!(values(&format!("{all} |> {highest}")), ["10", "7"]);
    assert_eq!(values(&format!("{all} |> bottom(n: 1)")), ["7", "1", "10"]);
}

#[test]
fn a_record_that_is_not_found_is_empty() {
    let script = format!(
        "x = {A} |> findRecord(fn: (key) => key.h == \"none\", idx: 0) \
         {A} |> limit(n: 1) |> map(fn: (r) => ({{r with y: exists x._value}}))"
    );
    assert_eq!(rows(&format!("{script} |> keep(columns: [\"y\"])")), ["false"]);
}

#[test]
fn a_column_of_a_table_becomes_an_array() {
    let script = format!(
        "x = {A} |> findColumn(fn: (key) => key.h == \"a\", column: \"_value\") \
         {A} |> limit(n: length(arr: x) - 2) |> map(fn: (r) => ({{r with _value: x[2]}}))"
    );
    assert_eq!(values(&script), ["6"]);
}

#[test]
fn a_join_names_columns_of_both_sides_by_their_streams() {
    let script = "l = $R |> filter(fn: (r) => r._field == \"v\" and r.h == \"a\") \
                  r = $R |> filter(fn: (r) => r._field == \"n\") \
                  join(tables: {l: l, r: r}, on: [\"_time\", \"h\"]) \
                  |> keep(columns: [\"_value_l\", \"_value_r\"])";
    assert_eq!(rows(script), ["1,1", "2,2"]);
}

#[test]
fn names_of_the_bucket_can_be_looked_up() {
    let look_up = |call: &str| {
        let range = "start: 2023-01-01T00:00:00Z, stop: 2023-01-01T03:00:00Z";
        rows(&format!(
            "import \"influxdata/influxdb/schema\" schema.{call}(bucket: \"b\", {range})"
        ))
    };
    assert_eq!(look_up("measurements"), ["m", "s"]);
    assert_eq!(look_up("fieldKeys"), ["b", "n", "t", "v"]);
    assert_eq!(look_up("tagKeys"), ["_start", "_stop", "_field", "_measurement", "h"]);
}

#[test]
fn buckets_are_listed_by_name() {
    assert_eq!(rows("buckets() |> keep(columns: [\"name\", \"retentionPeriod\"])"), ["b,0"]);
}

#[test]
fn rows_of_a_pivot_come_in_order_of_their_first_appearance() {
    let script = "$R |> filter(fn: (r) => r._field == \"v\" and exists r.h) \
                  |> pivot(rowKey: [\"_time\"], columnKey: [\"h\"], valueColumn: \"_value\") \
                  |> keep(columns: [\"a\", \"b\"])";
    assert_eq!(rows(script), ["1,", "2,", "6,", ",10"]);
}

#[test]
fn the_store_counts_values_of_all_types_together() {
    assert_eq!(values("$R |> group() |> count()"), ["11"]);
}
