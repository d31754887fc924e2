//! Makes the rows of a subquery the points of the query around it.

use super::cursor::{Cursor, Row};
use super::options::Options;
use super::points::{Head, Points, tag};
use super::read::Engine;
use crate::influxql::ast::{DataType, Expr, Select, VarRef};
use crate::influxql::error::Outcome;
use crate::influxql::eval::{Division, Eval, Missing};
use crate::influxql::value::Value;

/// Where a value of the outer query comes from.
#[derive(Clone, Debug)]
enum Origin {
    /// A column of the subquery, as a type.
    Column(usize, DataType),
    /// A tag by which the subquery groups.
    Tag(String),
    Nothing,
}

impl Engine<'_> {
    /// The points of a subquery. Without the column that is asked for there are none.
    pub(super) fn subquery(
        &self,
        select: &Select,
        main: Option<&VarRef>,
        options: &Options,
    ) -> Outcome<Option<Points>> {
        let driver = match main {
            None => None,
            Some(main) => match origin(select, main) {
                Origin::Nothing => return Ok(None),
                Origin::Column(_, DataType::Unknown | DataType::AnyField) => {
                    return Ok(Some(Points::new(DataType::Float, options.aux.len())));
                }
                found => Some(found),
            },
        };
        let aux: Vec<Origin> = options.aux.iter().map(|name| origin(select, name)).collect();
        let inner = Options::of_subquery(select, options, self.now_ns)?;
        let data_type = match &driver {
            None => DataType::Float,
            Some(Origin::Column(_, DataType::Tag) | Origin::Tag(_)) => DataType::String,
            Some(Origin::Column(_, data_type)) => *data_type,
            Some(Origin::Nothing) => DataType::Unknown,
        };
        let outer_grouping = options.grouping();
        let regroup = outer_grouping.len() != inner.grouping().len();
        let mut cursor = self.cursor(select, inner)?;
        let filter = options.condition.as_ref().map(|condition| {
            let names = condition.names().into_iter();
            let origins = names.map(|name| (name.name.clone(), filter_origin(&cursor, &name)));
            (condition, origins.collect::<Vec<_>>())
        });
        let mut points = Points::new(data_type, aux.len());
        while let Some(row) = cursor.next(self) {
            if let Some((condition, origins)) = &filter
                && !self.passes(condition, origins, &row)
            {
                continue;
            }
            let value = driver.as_ref().map_or(Value::Null, |driver| {
                self.value(driver, &row).try_cast(data_type).unwrap_or_default()
            });
            let mut series = row.series;
            if regroup {
                series = self.table.borrow_mut().subset(series, &outer_grouping);
            }
            self.charge(1, aux.len())?;
            let head = Head { series, count: 1, time_ns: row.time_ns, value };
            points.push(head, aux.iter().map(|origin| self.value(origin, &row)));
        }
        Ok(Some(points))
    }

    fn value(&self, origin: &Origin, row: &Row) -> Value {
        match origin {
            Origin::Nothing => Value::Null,
            Origin::Column(index, data_type) => {
                row.values.get(*index).cloned().unwrap_or_default().cast(*data_type)
            }
            Origin::Tag(name) => {
                let table = self.table.borrow();
                let value = tag(&table.key(row.series).tags, name).cloned();
                Value::String(value.unwrap_or_else(|| "".into()))
            }
        }
    }

    fn passes(&self, condition: &Expr, origins: &[(String, Origin)], row: &Row) -> bool {
        let find = |expr: &Expr| {
            let Expr::Ref(name) = expr else { return Value::Null };
            let found = origins.iter().find(|(own, _)| *own == name.name);
            found.map_or(Value::Null, |(_, origin)| self.value(origin, row))
        };
        Eval { find, missing: Missing::False, division: Division::Whole }.is_true(condition)
    }
}

/// Where a name of the outer query is found in a subquery.
fn origin(select: &Select, name: &VarRef) -> Origin {
    let mut index = 0;
    for field in &select.fields {
        if field.name() == name.name {
            return Origin::Column(index, name.data_type);
        }
        let extra = field.expr.extra_columns();
        let named = |arg: &Expr| matches!(arg, Expr::Ref(arg) if arg.name == name.name);
        if let Some(place) = extra.iter().position(named) {
            return Origin::Column(index + place + 1, DataType::String);
        }
        index += 1 + extra.len();
    }
    let groups = |dimension: &Expr| matches!(dimension, Expr::Ref(tag) if tag.name == name.name);
    if select.dimensions.iter().any(groups) {
        return Origin::Tag(name.name.clone());
    }
    Origin::Nothing
}

/// Where a name of the outer condition is found: a column by its final name, else a tag.
fn filter_origin(cursor: &Cursor, name: &VarRef) -> Origin {
    match cursor.place(&name.name) {
        Some(place) => Origin::Column(place, name.data_type),
        None => Origin::Tag(name.name.clone()),
    }
}
