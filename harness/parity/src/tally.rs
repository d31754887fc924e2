//! Counts differences, keeps the first ones as witnesses and feeds the searches for patterns.
//!
//! The main type is [`Tally`]; it ends as an [`Outcome`]. All of its state is bounded: by the
//! number of fields, the limit on witnesses and the limits of the pattern searches.

use std::collections::BTreeMap;
use std::sync::Arc;

use cutover_model::FieldType;

use crate::cell::Cell;
use crate::column::same_cell;
use crate::comparison::Limits;
use crate::diagnosis::{Diagnosis, Pattern};
use crate::digest::timeless_word;
use crate::outcome::{Difference, DifferenceClass, FieldOutcome, Outcome, Side};
use crate::schema::{Schema, within};
use crate::shift::ShiftVotes;
use crate::stream::{Head, Stream};
use crate::time_patterns::TimePatterns;

#[derive(Debug)]
pub(crate) struct Tally {
    schema: Arc<Schema>,
    limits: Limits,
    matched: u64,
    differing: u64,
    counts: BTreeMap<DifferenceClass, u64>,
    fields: Vec<FieldTally>,
    witnesses: BTreeMap<DifferenceClass, Vec<Difference>>,
    times: TimePatterns,
    shift: ShiftVotes,
}

#[derive(Debug, Default)]
struct FieldTally {
    outcome: FieldOutcome,
    /// Cells that the source has in rows that exist on both sides.
    paired: u64,
    /// Cells that changed their type and kept their value, by both types.
    retyped: BTreeMap<(FieldType, FieldType), u64>,
    rounded: u64,
}

impl Tally {
    pub(crate) fn new(schema: &Arc<Schema>, limits: Limits) -> Self {
        let field = |name: &String| FieldTally {
            outcome: FieldOutcome { name: name.clone(), ..FieldOutcome::default() },
            ..FieldTally::default()
        };
        Self {
            schema: Arc::clone(schema),
            limits,
            matched: 0,
            differing: 0,
            counts: BTreeMap::new(),
            fields: schema.fields.iter().map(|schema| field(&schema.name)).collect(),
            witnesses: BTreeMap::new(),
            times: TimePatterns::default(),
            shift: ShiftVotes::default(),
        }
    }

    /// Counts cells of a type that the schema does not declare.
    pub(crate) fn off_type(&mut self, side: Side, batch: &crate::batch::RowBatch) {
        for (index, field) in self.fields.iter_mut().enumerate() {
            let cells = batch.columns()[index].off_type(self.schema.fields[index].field_type);
            match side {
                Side::Source => field.outcome.source_off_type += cells,
                Side::Destination => field.outcome.destination_off_type += cells,
            }
        }
    }

    pub(crate) fn missing(&mut self, rows: &Head<'_>) {
        self.whole_rows(DifferenceClass::MissingRow, rows);
        for row in rows.rows.clone() {
            let time_ns = rows.batch.times()[row];
            self.times.missing(rows.series, time_ns);
            self.shift.source(timeless_word(rows.batch, row, rows.series), time_ns);
        }
    }

    pub(crate) fn extra(&mut self, rows: &Head<'_>) {
        self.whole_rows(DifferenceClass::ExtraRow, rows);
        for row in rows.rows.clone() {
            let time_ns = rows.batch.times()[row];
            self.times.extra(rows.series, time_ns);
            self.shift.destination(timeless_word(rows.batch, row, rows.series), time_ns);
        }
    }

    pub(crate) fn duplicate(&mut self, side: Side, rows: &Head<'_>) {
        let class = match side {
            Side::Source => DifferenceClass::DuplicateSourceRow,
            Side::Destination => DifferenceClass::DuplicateDestinationRow,
        };
        self.whole_rows(class, rows);
    }

    /// Takes note of rows that exist on both sides, before their cells are looked at.
    pub(crate) fn paired(&mut self, source: &Head<'_>) {
        self.matched += source.rows.len() as u64;
        self.times.paired(source.series, source.times());
        for (field, column) in self.fields.iter_mut().zip(source.batch.columns()) {
            field.paired += column.present(source.rows.start, source.rows.len());
        }
    }

    /// Compares two rows that are not the same cell by cell; each head is one row long.
    pub(crate) fn unequal_pair(&mut self, source: &Head<'_>, destination: &Head<'_>) {
        let (row, other) = (source.rows.start, destination.rows.start);
        let mut differs = false;
        for field in 0..self.fields.len() {
            let ours = source.batch.columns()[field].cell(row);
            let theirs = destination.batch.columns()[field].cell(other);
            if same_cell(ours, theirs) {
                continue;
            }
            if let Some(class) = self.classify(field, ours, theirs) {
                differs = true;
                self.count(class, 1);
                self.witness(class, || Difference {
                    class,
                    tags: source.batch.tags(source.run),
                    time_ns: source.batch.times()[row],
                    field: Some(source.batch.schema().fields[field].name.clone()),
                    source: ours.map(Into::into),
                    destination: theirs.map(Into::into),
                });
            }
        }
        if differs {
            self.differing += 1;
            let time_ns = source.batch.times()[row];
            self.shift.source(timeless_word(source.batch, row, source.series), time_ns);
            let word = timeless_word(destination.batch, other, destination.series);
            self.shift.destination(word, time_ns);
        }
    }

    /// The class of two cells that are not the same; none if the tolerance lets them pass.
    fn classify(
        &mut self,
        field: usize,
        source: Option<Cell<'_>>,
        destination: Option<Cell<'_>>,
    ) -> Option<DifferenceClass> {
        let tally = &mut self.fields[field];
        let outcome = &mut tally.outcome;
        Some(match (source, destination) {
            (None, None) => return None,
            (Some(_), None) => {
                outcome.missing += 1;
                DifferenceClass::MissingField
            }
            (None, Some(_)) => {
                outcome.extra += 1;
                DifferenceClass::ExtraField
            }
            (Some(a), Some(b)) if a.field_type() != b.field_type() => {
                outcome.type_differs += 1;
                if keeps_value(a, b) {
                    *tally.retyped.entry((a.field_type(), b.field_type())).or_default() += 1;
                }
                DifferenceClass::TypeDiffers
            }
            (Some(a), Some(b)) if within(self.schema.fields[field].tolerance, a, b) => {
                outcome.within_tolerance += 1;
                return None;
            }
            (Some(a), Some(b)) => {
                outcome.value_differs += 1;
                tally.rounded += u64::from(rounded_by_float(a, b));
                DifferenceClass::ValueDiffers
            }
        })
    }

    fn whole_rows(&mut self, class: DifferenceClass, rows: &Head<'_>) {
        self.count(class, rows.rows.len() as u64);
        for row in rows.rows.clone().take(self.limits.max_witnesses) {
            self.witness(class, || Difference {
                class,
                tags: rows.batch.tags(rows.run),
                time_ns: rows.batch.times()[row],
                field: None,
                source: None,
                destination: None,
            });
        }
    }

    fn count(&mut self, class: DifferenceClass, by: u64) {
        *self.counts.entry(class).or_default() += by;
    }

    fn witness(&mut self, class: DifferenceClass, difference: impl FnOnce() -> Difference) {
        let witnesses = self.witnesses.entry(class).or_default();
        if witnesses.len() < self.limits.max_witnesses {
            witnesses.push(difference());
        }
    }

    fn diagnoses(&self) -> Vec<Diagnosis> {
        let times = self.times.diagnose();
        let shift = self.shift.diagnose();
        // Both may fit, as when every time has the same odd nanoseconds; the cut is the better
        // name unless it explains fewer rows.
        let time = match (times, shift) {
            (Some(times), Some(shift)) if shift.explained > times.explained => Some(shift),
            (Some(times), _) => Some(times),
            (None, shift) => shift,
        };
        time.into_iter().chain(self.fields.iter().flat_map(FieldTally::diagnoses)).collect()
    }

    pub(crate) fn into_outcome(self, source: &Stream, destination: &Stream) -> Outcome {
        Outcome {
            source_rows: source.rows(),
            destination_rows: destination.rows(),
            matched: self.matched,
            differing: self.differing,
            diagnoses: self.diagnoses(),
            counts: self.counts,
            fields: self.fields.into_iter().map(FieldTally::into_outcome).collect(),
            witnesses: self.witnesses.into_values().flatten().collect(),
            source_digest: source.digest(),
            destination_digest: destination.digest(),
        }
    }
}

impl FieldTally {
    fn diagnoses(&self) -> Vec<Diagnosis> {
        let field = || self.outcome.name.clone();
        let retyped = self.retyped.iter().map(|((from, to), cells)| Diagnosis {
            pattern: Pattern::TypeChanged { field: field(), from: *from, to: *to },
            explained: *cells,
            of: self.outcome.different(),
        });
        let rounded = (self.rounded > 0).then(|| Diagnosis {
            pattern: Pattern::IntegerRounded { field: field() },
            explained: self.rounded,
            of: self.outcome.different(),
        });
        retyped.chain(rounded).collect()
    }

    fn into_outcome(self) -> FieldOutcome {
        let FieldOutcome { within_tolerance, missing, value_differs, type_differs, .. } =
            self.outcome;
        let unequal = within_tolerance + missing + value_differs + type_differs;
        FieldOutcome { equal: self.paired - unequal, ..self.outcome }
    }
}

/// Whether a value of another type is what the source's value becomes when it is written as that
/// type; beyond 2^53 an integer becomes the nearest float.
fn keeps_value(source: Cell<'_>, destination: Cell<'_>) -> bool {
    match (source, destination) {
        (Cell::Text(text), other) | (other, Cell::Text(text)) => text_of(other, text),
        (Cell::Boolean(flag), other) | (other, Cell::Boolean(flag)) => {
            as_float(other).is_some_and(|value| value.to_bits() == f64::from(flag).to_bits())
        }
        (Cell::Integer(a), Cell::Unsigned(b)) | (Cell::Unsigned(b), Cell::Integer(a)) => {
            i128::from(a) == i128::from(b)
        }
        (a, b) => match (as_float(a), as_float(b)) {
            (Some(a), Some(b)) => a.to_bits() == b.to_bits(),
            _ => false,
        },
    }
}

/// Whether a text reads as the value.
fn text_of(value: Cell<'_>, text: &str) -> bool {
    match value {
        Cell::Boolean(flag) => text.parse() == Ok(flag),
        Cell::Integer(number) => text.parse() == Ok(number),
        Cell::Unsigned(number) => text.parse() == Ok(number),
        Cell::Float(number) => {
            text.parse::<f64>().is_ok_and(|read| Cell::Float(read).same(Cell::Float(number)))
        }
        Cell::Text(other) => other == text,
    }
}

fn as_float(cell: Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Float(value) => Some(value),
        Cell::Integer(value) => Some(value as f64),
        Cell::Unsigned(value) => Some(value as f64),
        Cell::Text(_) | Cell::Boolean(_) => None,
    }
}

/// Whether an integer became what is left of it after passing through a float.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the fault looked for")]
fn rounded_by_float(source: Cell<'_>, destination: Cell<'_>) -> bool {
    match (source, destination) {
        (Cell::Integer(a), Cell::Integer(b)) => a != b && (a as f64) as i64 == b,
        (Cell::Unsigned(a), Cell::Unsigned(b)) => a != b && (a as f64) as u64 == b,
        _ => false,
    }
}
