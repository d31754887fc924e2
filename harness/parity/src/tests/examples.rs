//! Facts about the merge that one example shows best.

use std::sync::Arc;

use cutover_model::FieldType;

use crate::{
    Cell, Comparison, ComparisonError, DifferenceClass, FieldSchema, Limits, OutOfOrder, Outcome,
    Pattern, Place, RowBatch, Schema, Side, Tolerance, UnknownColumn,
};

const HOUR_NS: i64 = 3_600_000_000_000;
/// 2023-01-01T00:00:00Z.
const START_NS: i64 = 1_672_531_200_000_000_000;

fn schema(tolerance: Tolerance) -> Arc<Schema> {
    let field = |name: &str, field_type| FieldSchema { name: name.into(), field_type, tolerance };
    Arc::new(Schema {
        tags: vec!["region".into()],
        fields: vec![field("mw", FieldType::Float), field("count", FieldType::Integer)],
    })
}

fn exact() -> Arc<Schema> {
    schema(Tolerance::Exact)
}

/// Rows of one series with times and floats.
fn batch(region: &str, rows: impl IntoIterator<Item = (i64, f64)>) -> RowBatch {
    let mut batch = RowBatch::new(&exact());
    for (time_ns, mw) in rows {
        batch.begin_row(&[Some(region)], time_ns);
        batch.set(0, Cell::Float(mw));
    }
    batch
}

fn comparison() -> Comparison {
    Comparison::new(exact(), Limits::default()).unwrap()
}

fn compare(source: RowBatch, destination: RowBatch) -> Outcome {
    let mut comparison = comparison();
    comparison.push_source(source).unwrap();
    comparison.push_destination(destination).unwrap();
    comparison.finish().unwrap()
}

/// An hour of rows, one each second and a few nanoseconds.
fn odd_times() -> impl Iterator<Item = (i64, f64)> + Clone {
    (0..3600).map(|row| (START_NS + row * 1_000_123_457 + 456_789, row as f64 * 0.25))
}

fn moved(by: impl Fn(i64) -> i64) -> RowBatch {
    batch("SE", odd_times().map(|(time_ns, mw)| (by(time_ns), mw)))
}

fn only_diagnosis(outcome: &Outcome) -> (Pattern, u64, u64) {
    assert_eq!(outcome.diagnoses.len(), 1, "{:?}", outcome.diagnoses);
    let diagnosis = outcome.diagnoses[0].clone();
    (diagnosis.pattern, diagnosis.explained, diagnosis.of)
}

#[test]
fn a_row_that_goes_back_in_time_breaks_the_comparison_and_names_its_place() {
    let mut comparison = comparison();
    comparison.push_source(batch("SE", [(1, 0.0), (5, 0.0)])).unwrap();
    let error = comparison.push_source(batch("SE", [(4, 0.0)])).unwrap_err();
    let place = |time_ns| Place { tags: [("region".into(), "SE".into())].into(), time_ns };
    let expected = OutOfOrder { side: Side::Source, row: 3, previous: place(5), found: place(4) };
    assert_eq!(error, ComparisonError::OutOfOrder(expected));
    assert_eq!(
        error.to_string(),
        "row 3 of the source is out of order: `region=SE at 4` follows `region=SE at 5`"
    );
    assert_eq!(comparison.finish().unwrap_err(), error);
}

#[test]
fn a_series_that_comes_back_breaks_the_comparison() {
    let mut rows = batch("SE", [(1, 0.0)]);
    rows.begin_row(&[Some("N")], 2);
    assert!(matches!(
        comparison().push_destination(rows),
        Err(ComparisonError::OutOfOrder(OutOfOrder { row: 2, .. }))
    ));
}

#[test]
fn an_absent_tag_comes_before_every_value() {
    let mut rows = RowBatch::new(&exact());
    rows.begin_row(&[None], 9);
    rows.begin_row(&[Some("")], 1);
    rows.begin_row(&[Some("N")], 1);
    assert_eq!(compare(rows.clone(), rows).matched, 3);
}

#[test]
fn a_duplicate_across_two_batches_is_found() {
    let mut comparison = comparison();
    comparison.push_destination(batch("SE", [(1, 0.0), (2, 0.0)])).unwrap();
    comparison.push_destination(batch("SE", [(2, 0.0), (3, 0.0)])).unwrap();
    comparison.push_source(batch("SE", [(1, 0.0), (2, 0.0), (3, 0.0)])).unwrap();
    let outcome = comparison.finish().unwrap();
    assert_eq!(outcome.count(DifferenceClass::DuplicateDestinationRow), 1);
    assert_eq!(outcome.matched, 3);
}

#[test]
fn rows_after_the_end_of_their_side_are_refused() {
    let mut comparison = comparison();
    comparison.end(Side::Source);
    let late = comparison.push_source(batch("SE", [(1, 0.0)]));
    assert_eq!(late, Err(ComparisonError::AfterEnd(Side::Source)));
}

#[test]
fn a_batch_of_another_schema_is_refused() {
    let rows = RowBatch::new(&schema(Tolerance::Ulps(1)));
    let refused = comparison().push_source(rows);
    assert_eq!(refused, Err(ComparisonError::OtherSchema(Side::Source)));
}

#[test]
fn a_row_with_an_unknown_field_is_refused_by_name() {
    let mut row = batch("SE", [(1, 0.0)]).row(0);
    row.fields.insert("la_unload".into(), cutover_model::FieldValue::Integer(1));
    let refused = RowBatch::new(&exact()).push(&row);
    assert_eq!(refused, Err(UnknownColumn::Field("la_unload".into())));
}

#[test]
fn reading_in_the_wanted_order_holds_no_more_than_one_batch() {
    let mut comparison = comparison();
    let (mut next, mut most) = ([0, 0], 0);
    while let Some(side) = comparison.wants() {
        let (place, step) = match side {
            Side::Source => (0, 7),
            Side::Destination => (1, 100),
        };
        let start = next[place];
        if start >= 10_000 {
            comparison.end(side);
            continue;
        }
        next[place] = start + step;
        let rows = (start..start + step).map(|row| (row, 0.0));
        comparison.push(side, batch("SE", rows)).unwrap();
        most = most.max(comparison.buffered_rows());
    }
    assert!(most <= 100, "{most} rows were held");
}

#[test]
fn a_series_that_one_side_lacks_is_not_held() {
    let mut comparison = comparison();
    comparison.push_source(batch("A", (0..1000).map(|row| (row, 0.0)))).unwrap();
    comparison.push_destination(batch("B", [(0, 0.0)])).unwrap();
    assert_eq!(comparison.buffered_rows(), 1);
}

#[test]
fn the_order_begins_anew_with_each_window() {
    let mut comparison = comparison();
    for window in 0..3 {
        for region in ["N", "SE"] {
            let rows = || batch(region, [(window * HOUR_NS, 1.0)]);
            comparison.push_source(rows()).unwrap();
            comparison.push_destination(rows()).unwrap();
        }
        comparison.next_window();
    }
    let outcome = comparison.finish().unwrap();
    assert_eq!((outcome.matched, outcome.is_clean()), (6, true));
}

#[test]
fn rows_that_wait_at_the_end_of_a_window_are_missing() {
    let mut comparison = comparison();
    comparison.push_source(batch("SE", [(1, 0.0)])).unwrap();
    comparison.next_window();
    comparison.push_destination(batch("SE", [(1, 0.0)])).unwrap();
    let outcome = comparison.finish().unwrap();
    assert_eq!((outcome.missing(), outcome.extra()), (1, 1));
}

#[test]
fn witnesses_are_limited_by_class_and_counts_are_not() {
    let mut comparison = Comparison::new(exact(), Limits { max_witnesses: 2 }).unwrap();
    comparison.push_source(batch("A", (0..5000).map(|row| (row, 0.0)))).unwrap();
    comparison.push_source(batch("B", [(1, 1.0)])).unwrap();
    comparison.push_destination(batch("B", [(1, 2.0)])).unwrap();
    let outcome = comparison.finish().unwrap();
    assert_eq!((outcome.missing(), outcome.different()), (5000, 1));
    let classes: Vec<_> = outcome.witnesses.iter().map(|witness| witness.class).collect();
    let missing = DifferenceClass::MissingRow;
    assert_eq!(classes, [missing, missing, DifferenceClass::ValueDiffers]);
}

#[test]
fn a_cell_within_tolerance_is_counted_as_such_and_not_as_a_difference() {
    let schema = schema(Tolerance::Absolute(0.5));
    let mut comparison = Comparison::new(Arc::clone(&schema), Limits::default()).unwrap();
    for (side, values) in [(Side::Source, [1.0, 2.0, 3.0]), (Side::Destination, [1.0, 2.5, 3.6])] {
        let mut rows = RowBatch::new(&schema);
        for (time_ns, mw) in (0..).zip(values) {
            rows.begin_row(&[None], time_ns);
            rows.set(0, Cell::Float(mw));
        }
        comparison.push(side, rows).unwrap();
    }
    let outcome = comparison.finish().unwrap();
    let field = &outcome.fields[0];
    assert_eq!((field.equal, field.within_tolerance, field.value_differs), (1, 1, 1));
    assert_eq!((outcome.matched, outcome.differing), (3, 1));
}

#[test]
fn cells_of_another_type_than_declared_are_counted_even_if_both_sides_agree() {
    let mut rows = RowBatch::new(&exact());
    rows.begin_row(&[None], 1);
    rows.set(1, Cell::Unsigned(7));
    let outcome = compare(rows.clone(), rows);
    assert!(outcome.is_clean());
    let field = &outcome.fields[1];
    assert_eq!((field.source_off_type, field.destination_off_type), (1, 1));
}

#[test]
fn times_cut_to_a_unit_are_named() {
    for unit_ns in [1_000, 1_000_000, 1_000_000_000] {
        let outcome = compare(moved(|time| time), moved(|time| time - time % unit_ns));
        let (pattern, explained, of) = only_diagnosis(&outcome);
        assert_eq!((pattern, explained), (Pattern::TimeTruncated { unit_ns }, of));
        assert!(of > 3500, "{of}");
    }
}

#[test]
fn times_cut_so_that_rows_fell_onto_each_other_are_named() {
    let quarter_ms = (0..4000).map(|row| (START_NS + row * 250_000, row as f64));
    // The store keeps the last of the rows that share a time.
    let kept = quarter_ms.clone().skip(3).step_by(4).map(|(time, mw)| (time - 750_000, mw));
    let outcome = compare(batch("SE", quarter_ms), batch("SE", kept));
    assert_eq!((outcome.missing(), outcome.different()), (3000, 1000));
    let expected = (Pattern::TimeTruncated { unit_ns: 1_000_000 }, 3000, 3000);
    assert_eq!(only_diagnosis(&outcome), expected);
}

#[test]
fn rows_lost_next_to_others_are_not_taken_for_cut_times() {
    let all = (0..4000).map(|row| (START_NS + row * 250_000, row as f64));
    let kept = all.clone().enumerate().filter(|(row, _)| row % 100 != 1).map(|(_, row)| row);
    let outcome = compare(batch("SE", all), batch("SE", kept));
    assert_eq!((outcome.missing(), outcome.diagnoses), (40, vec![]));
}

#[test]
fn a_few_cut_times_among_lost_rows_are_counted_apart() {
    let source = moved(|time| time);
    let lost = odd_times().enumerate().filter(|(row, _)| row % 50 != 3);
    let cut = lost
        .map(|(row, (time, mw))| (if row % 500 == 0 { time - time % 1_000_000 } else { time }, mw));
    let outcome = compare(source, batch("SE", cut));
    let (pattern, explained, of) = only_diagnosis(&outcome);
    assert_eq!((pattern, explained), (Pattern::TimeTruncated { unit_ns: 1_000_000 }, 8));
    assert_eq!(of, outcome.missing());
}

#[test]
fn a_unit_that_was_misread_is_named() {
    for factor in [1_000, 1_000_000, 1_000_000_000] {
        let hourly = (0..48).map(|row| (START_NS + row * HOUR_NS, row as f64));
        let misread = hourly.clone().map(|(time, mw)| (time / factor, mw));
        let outcome = compare(batch("SE", hourly), batch("SE", misread));
        let expected = (Pattern::TimeDivided { factor }, 48, 48);
        assert_eq!(only_diagnosis(&outcome), expected);
    }
}

#[test]
fn a_shift_that_leaves_the_grid_is_named() {
    let outcome = compare(moved(|time| time), moved(|time| time - 1));
    let expected = (Pattern::TimeShifted { by_ns: -1 }, 3600, 3600);
    assert_eq!(only_diagnosis(&outcome), expected);
}

#[test]
fn a_shift_along_the_grid_is_named_though_nearly_every_key_is_in_place() {
    let hourly = |shift: i64| {
        batch("SE", (0..48).map(move |row| (START_NS + (row + shift) * HOUR_NS, row as f64)))
    };
    let outcome = compare(hourly(0), hourly(3));
    assert_eq!((outcome.missing(), outcome.extra(), outcome.differing), (3, 3, 45));
    let (pattern, explained, of) = only_diagnosis(&outcome);
    assert_eq!((pattern, explained, of), (Pattern::TimeShifted { by_ns: 3 * HOUR_NS }, 48, 48));
}

#[test]
fn two_rows_whose_values_were_swapped_are_not_called_a_shift() {
    let rows = |values: [f64; 4]| batch("SE", (0..).zip(values));
    let outcome = compare(rows([1.0, 2.0, 3.0, 4.0]), rows([1.0, 3.0, 2.0, 4.0]));
    assert_eq!((outcome.differing, outcome.diagnoses), (2, vec![]));
}

/// Rows of one series whose second field is this cell.
fn counts<'a>(cells: impl IntoIterator<Item = Cell<'a>>) -> RowBatch {
    let mut batch = RowBatch::new(&exact());
    for (time_ns, cell) in (0..).zip(cells) {
        batch.begin_row(&[None], time_ns);
        batch.set(1, cell);
    }
    batch
}

#[test]
fn integers_that_became_floats_are_named_even_where_the_value_did_not_survive() {
    let integers = [1, -5, 0, (1 << 53) + 1];
    let floats = integers.map(|value| Cell::Float(value as f64));
    let outcome = compare(counts(integers.map(Cell::Integer)), counts(floats));
    let field = "count".into();
    let expected = Pattern::TypeChanged { field, from: FieldType::Integer, to: FieldType::Float };
    assert_eq!(only_diagnosis(&outcome), (expected, 4, 4));
}

#[test]
fn integers_rounded_by_a_float_are_named() {
    let integers = [1, (1 << 53) + 1, (1 << 60) - 1];
    let rounded = [1, 1 << 53, 1 << 60].map(Cell::Integer);
    let outcome = compare(counts(integers.map(Cell::Integer)), counts(rounded));
    let expected = Pattern::IntegerRounded { field: "count".into() };
    assert_eq!(only_diagnosis(&outcome), (expected, 2, 2));
}

#[test]
fn cut_times_and_changed_types_are_both_named() {
    let rows = |unit: i64, cell: fn(i64) -> Cell<'static>| {
        let mut batch = RowBatch::new(&exact());
        for row in 0..100 {
            let time_ns = START_NS + row * 1_000_000_000 + 123_456_789;
            batch.begin_row(&[None], time_ns - time_ns % unit);
            batch.set(1, cell(row));
        }
        batch
    };
    // The first row has whole milliseconds and keeps its key.
    let outcome = {
        let mut source = rows(1, Cell::Integer);
        let mut destination = rows(1_000_000, |row| Cell::Float(row as f64));
        for (batch, cell) in [(&mut source, Cell::Integer(1)), (&mut destination, Cell::Float(1.0))]
        {
            batch.begin_row(&[Some("N")], START_NS);
            batch.set(1, cell);
        }
        compare(source, destination)
    };
    let patterns: Vec<_> =
        outcome.diagnoses.into_iter().map(|diagnosis| diagnosis.pattern).collect();
    let retyped = Pattern::TypeChanged {
        field: "count".into(),
        from: FieldType::Integer,
        to: FieldType::Float,
    };
    assert_eq!(patterns, [Pattern::TimeTruncated { unit_ns: 1_000_000 }, retyped]);
}
