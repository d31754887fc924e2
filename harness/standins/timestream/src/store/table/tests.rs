//! Tests of the table: identity, versions, columns, snapshots.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;

use super::super::record::Measures;
use super::*;

fn record(region: &str, time_ns: i64, value: f64) -> Record {
    Record {
        dimensions: vec![("region".to_owned(), region.to_owned())],
        measure_name: "load".to_owned(),
        time_ns,
        version: 1,
        measures: Measures::Single(Value::Double(value)),
    }
}

fn multi(values: &[(&str, Value)]) -> Record {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Record { measures: Measures::Multi(values), ..record("SE", 1, 0.0) }
}

fn column(snapshot: &Snapshot, name: &str) -> Vec<Option<f64>> {
    let columns = snapshot.batches.iter().map(|(batch, _)| batch.column_by_name(name).unwrap());
    columns.flat_map(|column| column.as_primitive::<Float64Type>().iter()).collect()
}

#[test]
fn the_same_value_again_is_accepted_and_stored_once() {
    let mut table = Table::default();
    table.upsert(&record("SE", 1, 2.0)).unwrap();
    table.upsert(&record("SE", 1, 2.0)).unwrap();
    assert_eq!(column(&table.snapshot(), "measure_value::double"), [Some(2.0)]);
}

#[test]
fn another_value_of_the_same_version_is_rejected_with_the_existing_version() {
    let mut table = Table::default();
    table.upsert(&Record { version: 7, ..record("SE", 1, 2.0) }).unwrap();
    let rejection = table.upsert(&Record { version: 7, ..record("SE", 1, 3.0) }).unwrap_err();
    assert_eq!(rejection.existing_version, Some(7));
    assert_eq!(column(&table.snapshot(), "measure_value::double"), [Some(2.0)]);
}

#[test]
fn a_higher_version_replaces_the_value_in_place() {
    let mut table = Table::default();
    table.upsert(&record("SE", 1, 2.0)).unwrap();
    table.upsert(&record("SE", 2, 4.0)).unwrap();
    table.upsert(&Record { version: 2, ..record("SE", 1, 3.0) }).unwrap();
    assert_eq!(column(&table.snapshot(), "measure_value::double"), [Some(3.0), Some(4.0)]);
}

#[test]
fn a_repeat_of_a_higher_version_raises_the_version() {
    let mut table = Table::default();
    table.upsert(&record("SE", 1, 2.0)).unwrap();
    table.upsert(&Record { version: 5, ..record("SE", 1, 2.0) }).unwrap();
    let rejection = table.upsert(&Record { version: 4, ..record("SE", 1, 3.0) }).unwrap_err();
    assert_eq!(rejection.existing_version, Some(5));
}

#[test]
fn the_order_of_dimensions_is_no_part_of_the_identity() {
    let mut table = Table::default();
    let mut first = record("SE", 1, 2.0);
    first.dimensions.push(("area".to_owned(), "south".to_owned()));
    let mut second = first.clone();
    second.dimensions.reverse();
    table.upsert(&first).unwrap();
    table.upsert(&second).unwrap();
    assert_eq!(column(&table.snapshot(), "measure_value::double").len(), 1);
}

#[test]
fn measure_name_and_absent_dimensions_are_part_of_the_identity() {
    let mut table = Table::default();
    table.upsert(&record("SE", 1, 2.0)).unwrap();
    table.upsert(&Record { measure_name: "other".to_owned(), ..record("SE", 1, 3.0) }).unwrap();
    table.upsert(&Record { dimensions: Vec::new(), ..record("SE", 1, 4.0) }).unwrap();
    assert_eq!(column(&table.snapshot(), "measure_value::double").len(), 3);
}

#[test]
fn a_replacing_record_leaves_no_measure_of_the_replaced_one() {
    let mut table = Table::default();
    table.upsert(&multi(&[("a", Value::Double(1.0)), ("b", Value::Double(2.0))])).unwrap();
    table.upsert(&Record { version: 2, ..multi(&[("a", Value::Double(1.5))]) }).unwrap();
    assert_eq!(column(&table.snapshot(), "a"), [Some(1.5)]);
    assert_eq!(column(&table.snapshot(), "b"), [None]);
}

#[test]
fn dropping_a_measure_is_a_change_and_not_a_repeat() {
    let mut table = Table::default();
    table.upsert(&multi(&[("a", Value::Double(1.0)), ("b", Value::Double(2.0))])).unwrap();
    assert!(table.upsert(&multi(&[("a", Value::Double(1.0))])).is_err());
}

#[test]
fn a_measure_of_another_type_is_rejected_and_leaves_no_column() {
    let mut table = Table::default();
    table.upsert(&multi(&[("a", Value::Double(1.0))])).unwrap();
    let wrong = [("new", Value::BigInt(1)), ("a", Value::BigInt(1))];
    let rejection = table.upsert(&Record { version: 2, ..multi(&wrong) }).unwrap_err();
    assert_eq!(rejection.reason, "The name 'a' is already a measure of type DOUBLE in this table.");
    assert_eq!(table.column_list().len(), 4);
}

#[test]
fn a_measure_named_as_a_dimension_is_rejected() {
    let mut table = Table::default();
    table.upsert(&record("SE", 1, 2.0)).unwrap();
    let clash = Record { time_ns: 2, ..multi(&[("region", Value::Double(1.0))]) };
    assert!(table.upsert(&clash).is_err());
}

#[test]
fn a_second_spelling_of_a_column_is_rejected() {
    let mut table = Table::default();
    table.upsert(&multi(&[("Load", Value::Double(1.0))])).unwrap();
    let other = Record { time_ns: 2, ..multi(&[("load", Value::Double(1.0))]) };
    assert!(table.upsert(&other).is_err());
}

#[test]
fn a_snapshot_does_not_change_under_later_writes() {
    let mut table = Table::default();
    table.upsert(&record("SE", 1, 2.0)).unwrap();
    let before = table.snapshot();
    table.upsert(&Record { version: 2, ..record("SE", 1, 3.0) }).unwrap();
    table.upsert(&record("SE", 2, 4.0)).unwrap();
    assert_eq!(column(&before, "measure_value::double"), [Some(2.0)]);
    assert_eq!(column(&table.snapshot(), "measure_value::double"), [Some(3.0), Some(4.0)]);
}

#[test]
fn a_later_column_is_null_in_the_rows_before_it() {
    let mut table = Table::default();
    table.upsert(&multi(&[("a", Value::Double(1.0))])).unwrap();
    table.snapshot();
    let later = Record { time_ns: 2, ..multi(&[("b", Value::Double(2.0))]) };
    table.upsert(&later).unwrap();
    assert_eq!(column(&table.snapshot(), "b"), [None, Some(2.0)]);
}

#[test]
fn a_write_rebuilds_only_the_chunk_that_it_touches() {
    let mut table = Table::default();
    for time in 0..5_000 {
        table.upsert(&record("SE", time, 1.0)).unwrap();
    }
    let before = table.snapshot();
    table.upsert(&record("SE", 5_000, 1.0)).unwrap();
    let after = table.snapshot();
    let shared = |number: usize| {
        let [left, right] = [&before, &after].map(|snapshot| &snapshot.batches[number].0);
        left.column(0).to_data().ptr_eq(&right.column(0).to_data())
    };
    assert_eq!([shared(0), shared(1), shared(2)], [true, true, false]);
}

#[test]
fn select_star_has_dimensions_then_measure_name_then_time_then_measures() {
    let mut table = Table::default();
    table.upsert(&record("SE", 1, 2.0)).unwrap();
    assert_eq!(table.snapshot().names, ["region", "measure_name", "time", "measure_value::double"]);
}
