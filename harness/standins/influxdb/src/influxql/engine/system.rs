//! The lists that SHOW FIELD KEYS and SHOW SERIES read as if they were measurements.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::column::data_type;
use super::filter::{Candidate, Choice};
use super::options::Options;
use super::points::{Head, Points, SeriesKey};
use super::read::Engine;
use crate::influxql::ast::{DataType, Expr, Measurement};
use crate::influxql::error::{Outcome, QueryError};
use crate::influxql::token::Op;
use crate::influxql::value::Value;

impl Engine<'_> {
    /// The fields of the measurements of a source and their types, each once.
    pub(super) fn field_keys(&self, source: &Measurement, options: &Options) -> Points {
        let mut found: BTreeSet<(Arc<str>, Arc<str>, &'static str)> = BTreeSet::new();
        let shards = self.catalog.mapped(source).map_or(&[][..], |mapped| &mapped.shards);
        for (name, part) in shards.iter().flat_map(|shard| &shard.measurements) {
            if !source.means(name) {
                continue;
            }
            for (field, field_type) in &part.fields {
                let word = data_type(*field_type).word();
                found.insert((Arc::clone(name), Arc::clone(field), word));
            }
        }
        let mut points = Points::new(DataType::Float, options.aux.len());
        let mut add = |(name, field, word): (Arc<str>, Arc<str>, &'static str)| {
            let series = self.table.borrow_mut().number(SeriesKey { name, tags: Vec::new() });
            let aux = options.aux.iter().map(|column| match column.name.as_str() {
                "fieldKey" => Value::String(Arc::clone(&field)),
                "fieldType" => Value::String(Arc::from(word)),
                _ => Value::Null,
            });
            points.push(Head { series, count: 1, time_ns: 0, value: Value::Null }, aux);
        };
        if options.ascending {
            found.into_iter().for_each(&mut add);
        } else {
            found.into_iter().rev().for_each(&mut add);
        }
        points
    }

    /// The keys of the series that pass the condition, each once.
    pub(super) fn series_keys(&self, source: &Measurement, options: &Options) -> Outcome<Points> {
        if let Some(condition) = &options.condition {
            check_operators(condition)?;
        }
        let mut found: BTreeSet<(Arc<str>, String)> = BTreeSet::new();
        let shards = self.catalog.mapped(source).map_or(&[][..], |mapped| &mapped.shards);
        for (name, part) in shards.iter().flat_map(|shard| &shard.measurements) {
            for series in &part.series {
                let has_field = |field: &str| part.fields.contains_key(field);
                let tags = &series.survey.tags;
                let candidate = Candidate { measurement: name, tags, has_field: &has_field };
                if candidate.choose(options.condition.as_ref()) != Choice::Out {
                    found.insert((Arc::clone(name), series.key.clone()));
                }
            }
        }
        let nameless = SeriesKey { name: Arc::from(""), tags: Vec::new() };
        let series = self.table.borrow_mut().number(nameless);
        let mut points = Points::new(DataType::Float, options.aux.len());
        for (_, key) in found {
            let aux = options.aux.iter().map(|column| match column.name.as_str() {
                "key" => Value::String(Arc::from(key.as_str())),
                _ => Value::Null,
            });
            points.push(Head { series, count: 1, time_ns: 0, value: Value::Null }, aux);
        }
        Ok(points)
    }
}

fn check_operators(condition: &Expr) -> Outcome<()> {
    let mut wrong = false;
    condition.walk(&mut |expr| {
        if let Expr::Binary(binary) = expr {
            let known = matches!(
                binary.op,
                Op::Eq | Op::Neq | Op::EqRegex | Op::NeqRegex | Op::And | Op::Or
            );
            wrong |= !known;
        }
    });
    if wrong { Err(QueryError::new("invalid tag comparison operator")) } else { Ok(()) }
}
