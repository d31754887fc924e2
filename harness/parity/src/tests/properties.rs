//! Properties of whole comparisons, each over random rows, mutations and batches.
//!
//! An oracle made of maps says what a comparison has to find; it shares nothing with the merge.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use cutover_model::{FieldType, FieldValue, Row, Tags};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::{
    Comparison, Difference, DifferenceClass, Digest, FieldSchema, Limits, Outcome, RowBatch,
    Schema, Side, Tolerance,
};

const MAX_WITNESSES: usize = 5;

fn schema() -> Arc<Schema> {
    let field = |name: &str, field_type| FieldSchema {
        name: name.into(),
        field_type,
        tolerance: Tolerance::Exact,
    };
    Arc::new(Schema {
        tags: vec!["region".into(), "plant".into()],
        fields: vec![
            field("mw", FieldType::Float),
            field("count", FieldType::Integer),
            field("state", FieldType::Text),
            field("on", FieldType::Boolean),
        ],
    })
}

/// The order in which a comparison wants the rows.
type Key = (Option<String>, Option<String>, i64);

fn key(row: &Row) -> Key {
    (row.tags.get("region").cloned(), row.tags.get("plant").cloned(), row.time_ns)
}

fn field_value() -> impl Strategy<Value = FieldValue> {
    prop_oneof![
        any::<f64>().prop_map(FieldValue::Float),
        select(vec![0.0, -0.0, f64::NAN, f64::INFINITY, 1e16]).prop_map(FieldValue::Float),
        any::<i64>().prop_map(FieldValue::Integer),
        any::<u64>().prop_map(FieldValue::Unsigned),
        "[a-zé ]{0,3}".prop_map(FieldValue::Text),
        any::<bool>().prop_map(FieldValue::Boolean),
    ]
}

fn row() -> impl Strategy<Value = Row> {
    let tag = |key: &'static str| {
        proptest::option::of("[a-c]").prop_map(move |value| Some((key.to_owned(), value?)))
    };
    let fields = (
        proptest::option::of(field_value()),
        proptest::option::of(any::<i64>().prop_map(FieldValue::Integer)),
        proptest::option::of("[a-c]{0,3}".prop_map(FieldValue::Text)),
        proptest::option::of(any::<bool>().prop_map(FieldValue::Boolean)),
    );
    (tag("region"), tag("plant"), -9_i64..9, fields).prop_map(|(region, plant, time, fields)| {
        let names = ["mw", "count", "state", "on"];
        let values = [fields.0, fields.1, fields.2, fields.3];
        Row {
            time_ns: time * 1_000_000_007,
            tags: region.into_iter().chain(plant).collect::<Tags>(),
            fields: names
                .into_iter()
                .zip(values)
                .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                .collect(),
        }
    })
}

/// Rows with distinct keys, in order.
fn rows(at_least: usize) -> impl Strategy<Value = Vec<Row>> {
    proptest::collection::vec(row(), at_least..30).prop_map(|rows| {
        let by_key: BTreeMap<Key, Row> = rows.into_iter().map(|row| (key(&row), row)).collect();
        by_key.into_values().collect()
    })
}

/// Rows in order, and the same rows in any order.
fn shuffled_rows() -> impl Strategy<Value = (Vec<Row>, Vec<Row>)> {
    rows(0).prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(1_usize..20, 1..6)
}

fn batches(rows: &[Row], cuts: &[usize]) -> Vec<RowBatch> {
    let (mut batches, mut rest) = (Vec::new(), rows);
    for cut in cuts.iter().cycle() {
        if rest.is_empty() {
            return batches;
        }
        let (taken, left) = rest.split_at((*cut).min(rest.len()));
        let mut batch = RowBatch::new(&schema());
        for row in taken {
            batch.push(row).unwrap();
        }
        batches.push(batch);
        rest = left;
    }
    batches
}

/// Compares two lists of rows, reading in the order that the comparison wants.
fn compare(source: Vec<RowBatch>, destination: Vec<RowBatch>) -> Outcome {
    let limits = Limits { max_witnesses: MAX_WITNESSES };
    let mut comparison = Comparison::new(schema(), limits).unwrap();
    let (mut source, mut destination) = (source.into_iter(), destination.into_iter());
    while let Some(side) = comparison.wants() {
        let next = match side {
            Side::Source => source.next(),
            Side::Destination => destination.next(),
        };
        match next {
            Some(batch) => comparison.push(side, batch).unwrap(),
            None => comparison.end(side),
        }
    }
    comparison.finish().unwrap()
}

fn whole(source: &[Row], destination: &[Row]) -> Outcome {
    compare(batches(source, &[1000]), batches(destination, &[1000]))
}

/// What there is to find, by maps: all differences in the order of reports.
fn oracle(source: &[Row], destination: &[Row]) -> Vec<Difference> {
    let mut found = Vec::new();
    let whole_row = |class, row: &Row| Difference {
        class,
        tags: row.tags.clone(),
        time_ns: row.time_ns,
        field: None,
        source: None,
        destination: None,
    };
    let mut by_key = [BTreeMap::new(), BTreeMap::new()];
    let duplicate = [DifferenceClass::DuplicateSourceRow, DifferenceClass::DuplicateDestinationRow];
    for ((rows, map), class) in [source, destination].iter().zip(&mut by_key).zip(duplicate) {
        for row in *rows {
            match map.entry(key(row)) {
                Entry::Vacant(entry) => drop(entry.insert(row)),
                Entry::Occupied(_) => found.push(whole_row(class, row)),
            }
        }
    }
    let [ours, theirs] = by_key;
    let missing = ours.iter().filter(|(key, _)| !theirs.contains_key(*key));
    found.extend(missing.map(|(_, row)| whole_row(DifferenceClass::MissingRow, row)));
    let extra = theirs.iter().filter(|(key, _)| !ours.contains_key(*key));
    found.extend(extra.map(|(_, row)| whole_row(DifferenceClass::ExtraRow, row)));
    for (key, row) in &ours {
        let Some(other) = theirs.get(key) else { continue };
        for field in &schema().fields {
            let values = (row.fields.get(&field.name), other.fields.get(&field.name));
            let class = match values {
                (Some(_), None) => DifferenceClass::MissingField,
                (None, Some(_)) => DifferenceClass::ExtraField,
                (Some(a), Some(b)) if a.field_type() != b.field_type() => {
                    DifferenceClass::TypeDiffers
                }
                // The shortest text of a float tells it from every other, -0.0 and NaN included.
                (Some(a), Some(b)) if a.to_string() != b.to_string() => {
                    DifferenceClass::ValueDiffers
                }
                _ => continue,
            };
            found.push(Difference {
                class,
                tags: row.tags.clone(),
                time_ns: row.time_ns,
                field: Some(field.name.clone()),
                source: values.0.cloned(),
                destination: values.1.cloned(),
            });
        }
    }
    found.sort_by_key(|difference| difference.class);
    found
}

/// Witnesses as text, in which one NaN is like another.
fn texts<'a>(differences: impl IntoIterator<Item = &'a Difference>) -> Vec<String> {
    differences.into_iter().map(|difference| format!("{difference:?}")).collect()
}

/// The first few of each class.
fn first_of_each(found: &[Difference]) -> Vec<&Difference> {
    found
        .chunk_by(|a, b| a.class == b.class)
        .flat_map(|class| class.iter().take(MAX_WITNESSES))
        .collect()
}

/// A destination that lost, gained, repeated and changed some rows of the source.
fn mutated(source: &[Row], changes: Vec<(Index, u8, Row)>) -> Vec<Row> {
    let mut destination = source.to_vec();
    for (place, kind, other) in changes {
        if destination.is_empty() {
            break;
        }
        let place = place.index(destination.len());
        match kind {
            0 => drop(destination.remove(place)),
            1 => destination.push(other),
            2 => destination.push(destination[place].clone()),
            3 => destination[place].fields = other.fields,
            _ => destination[place].time_ns += 1,
        }
    }
    destination.sort_by_key(key);
    destination
}

fn changes() -> impl Strategy<Value = Vec<(Index, u8, Row)>> {
    proptest::collection::vec((any::<Index>(), 0_u8..5, row()), 0..12)
}

proptest! {
    #[test]
    fn equal_streams_cut_anywhere_never_differ(
        rows in rows(0), ours in cuts(), theirs in cuts(),
    ) {
        let outcome = compare(batches(&rows, &ours), batches(&rows, &theirs));
        prop_assert!(outcome.is_clean());
        prop_assert_eq!(outcome.matched, rows.len() as u64);
        prop_assert_eq!(outcome.source_digest, outcome.destination_digest);
        prop_assert_eq!(outcome.diagnoses, vec![]);
    }

    #[test]
    fn a_comparison_finds_what_the_oracle_finds(
        rows in rows(0), changes in changes(), ours in cuts(), theirs in cuts(),
    ) {
        let destination = mutated(&rows, changes);
        let outcome = compare(batches(&rows, &ours), batches(&destination, &theirs));
        let expected = oracle(&rows, &destination);
        for class in DifferenceClass::ALL {
            let there = expected.iter().filter(|difference| difference.class == class).count();
            prop_assert_eq!(outcome.count(class), there as u64, "{}", class);
        }
        prop_assert_eq!(texts(&outcome.witnesses), texts(first_of_each(&expected)));
    }

    #[test]
    fn counts_add_up_to_the_rows_of_each_side(
        rows in rows(0), changes in changes(), swap: bool,
    ) {
        let destination = mutated(&rows, changes);
        let outcome =
            if swap { whole(&destination, &rows) } else { whole(&rows, &destination) };
        let pairs = outcome.matched;
        prop_assert!(outcome.differing <= pairs);
        let count = |class| outcome.count(class);
        prop_assert_eq!(
            outcome.source_rows,
            pairs + outcome.missing() + count(DifferenceClass::DuplicateSourceRow)
        );
        prop_assert_eq!(
            outcome.destination_rows,
            pairs + outcome.extra() + count(DifferenceClass::DuplicateDestinationRow)
        );
    }

    #[test]
    fn the_outcome_does_not_depend_on_where_batches_are_cut(
        rows in rows(0), changes in changes(), ours in cuts(), theirs in cuts(),
    ) {
        let destination = mutated(&rows, changes);
        let cut = compare(batches(&rows, &ours), batches(&destination, &theirs));
        prop_assert_eq!(format!("{cut:?}"), format!("{:?}", whole(&rows, &destination)));
    }

    #[test]
    fn the_digest_is_free_of_order_and_batches(
        (rows, shuffled) in shuffled_rows(), cut in cuts(),
    ) {
        let digest = |batches: Vec<RowBatch>| {
            let mut sum = Digest::default();
            for batch in &batches {
                sum.add(Digest::of(batch));
            }
            sum
        };
        prop_assert_eq!(digest(batches(&rows, &[1000])), digest(batches(&shuffled, &cut)));
    }

    #[test]
    fn digests_differ_where_rows_differ(rows in rows(0), changes in changes()) {
        let outcome = whole(&rows, &mutated(&rows, changes));
        prop_assert_eq!(outcome.is_clean(), outcome.source_digest == outcome.destination_digest);
    }

    #[test]
    fn sorting_a_shuffled_batch_restores_the_order((rows, shuffled) in shuffled_rows()) {
        let mut batch = batches(&shuffled, &[1000]).pop().unwrap_or(RowBatch::new(&schema()));
        batch.sort();
        let sorted: Vec<_> = (0..batch.len()).map(|row| batch.row(row)).collect();
        prop_assert_eq!(format!("{sorted:?}"), format!("{rows:?}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_outcome_survives_json(rows in rows(0), changes in changes()) {
        let outcome = whole(&rows, &mutated(&rows, changes));
        let json = serde_json::to_string(&outcome).unwrap();
        let back: Outcome = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(format!("{back:?}"), format!("{outcome:?}"));
    }
}

/// One planted fault: what to do to a row, and the class and field that have to come out.
#[derive(Clone, Copy, Debug)]
enum Plant {
    Drop,
    Add,
    Repeat,
    OneUlp,
    OneMore,
    OneNanosecondLater,
    OtherTag,
    NoTag,
    IntegerToFloat,
    ToNull,
    FromNull,
    OtherCase,
    EmptyText,
    NegativeZero,
    Flip,
}

const PLANTS: [Plant; 15] = [
    Plant::Drop,
    Plant::Add,
    Plant::Repeat,
    Plant::OneUlp,
    Plant::OneMore,
    Plant::OneNanosecondLater,
    Plant::OtherTag,
    Plant::NoTag,
    Plant::IntegerToFloat,
    Plant::ToNull,
    Plant::FromNull,
    Plant::OtherCase,
    Plant::EmptyText,
    Plant::NegativeZero,
    Plant::Flip,
];

/// A row that every plant can be planted in.
fn fertile(row: &mut Row, plant: Plant) {
    let big = (1_i64 << 60) + 1;
    row.tags.insert("region".into(), "b".into());
    let zero = matches!(plant, Plant::NegativeZero);
    row.fields.insert("mw".into(), FieldValue::Float(if zero { 0.0 } else { 72_391.5 }));
    row.fields.insert("count".into(), FieldValue::Integer(big));
    row.fields.insert("state".into(), FieldValue::Text("open".into()));
    row.fields.insert("on".into(), FieldValue::Boolean(true));
    if matches!(plant, Plant::FromNull) {
        row.fields.remove("mw");
    }
}

/// Plants the fault and names what must be found.
fn planted(
    rows: &mut Vec<Row>,
    place: usize,
    plant: Plant,
) -> Vec<(DifferenceClass, &'static str)> {
    use DifferenceClass::{
        DuplicateDestinationRow, ExtraField, ExtraRow, MissingField, MissingRow, TypeDiffers,
        ValueDiffers,
    };
    let row = &mut rows[place];
    let mut set = |field: &str, value| drop(row.fields.insert(field.to_owned(), value));
    match plant {
        Plant::OneUlp => set("mw", FieldValue::Float(72_391.5_f64.next_up())),
        Plant::NegativeZero => set("mw", FieldValue::Float(-0.0)),
        Plant::FromNull => set("mw", FieldValue::Float(0.0)),
        Plant::OneMore => set("count", FieldValue::Integer((1 << 60) + 2)),
        Plant::IntegerToFloat => set("count", FieldValue::Float(((1_i64 << 60) + 1) as f64)),
        Plant::OtherCase => set("state", FieldValue::Text("Open".into())),
        Plant::EmptyText => set("state", FieldValue::Text(String::new())),
        Plant::Flip => set("on", FieldValue::Boolean(false)),
        Plant::ToNull => drop(row.fields.remove("on")),
        Plant::OneNanosecondLater => row.time_ns += 1,
        Plant::OtherTag => drop(row.tags.insert("region".into(), "zz".into())),
        Plant::NoTag => drop(row.tags.insert("plant".into(), "zz".into())),
        Plant::Drop => drop(rows.remove(place)),
        Plant::Add => {
            let added = Row { time_ns: row.time_ns + 1, ..row.clone() };
            rows.push(added);
        }
        Plant::Repeat => {
            let repeated = row.clone();
            rows.push(repeated);
        }
    }
    rows.sort_by_key(key);
    match plant {
        Plant::Drop => vec![(MissingRow, "")],
        Plant::Add => vec![(ExtraRow, "")],
        Plant::Repeat => vec![(DuplicateDestinationRow, "")],
        Plant::OneNanosecondLater | Plant::OtherTag | Plant::NoTag => {
            vec![(MissingRow, ""), (ExtraRow, "")]
        }
        Plant::OneUlp | Plant::NegativeZero => vec![(ValueDiffers, "mw")],
        Plant::OneMore => vec![(ValueDiffers, "count")],
        Plant::OtherCase | Plant::EmptyText => vec![(ValueDiffers, "state")],
        Plant::Flip => vec![(ValueDiffers, "on")],
        Plant::IntegerToFloat => vec![(TypeDiffers, "count")],
        Plant::ToNull => vec![(MissingField, "on")],
        Plant::FromNull => vec![(ExtraField, "mw")],
    }
}

proptest! {
    #[test]
    fn a_single_planted_fault_is_found_with_its_class_and_place(
        rows in rows(1),
        place: Index,
        plant in select(PLANTS.to_vec()),
        ours in cuts(),
        theirs in cuts(),
    ) {
        let mut source = rows;
        let place = place.index(source.len());
        fertile(&mut source[place], plant);
        // The row may have moved onto the key of another one.
        let row = source[place].clone();
        source.retain(|other| key(other) != key(&row));
        source.push(row.clone());
        source.sort_by_key(key);
        let place = source.iter().position(|other| key(other) == key(&row)).unwrap();

        let mut destination = source.clone();
        let expected = planted(&mut destination, place, plant);
        let outcome = compare(batches(&source, &ours), batches(&destination, &theirs));
        let found: Vec<_> = outcome
            .witnesses
            .iter()
            .map(|witness| (witness.class, witness.field.as_deref().unwrap_or("")))
            .collect();
        prop_assert_eq!(&found, &expected);
        for witness in &outcome.witnesses {
            if witness.class != DifferenceClass::ExtraRow {
                prop_assert_eq!(&witness.tags, &row.tags);
                prop_assert_eq!(witness.time_ns, row.time_ns);
            }
        }
        prop_assert_ne!(outcome.source_digest, outcome.destination_digest);
    }
}
