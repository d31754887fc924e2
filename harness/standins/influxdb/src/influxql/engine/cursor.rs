//! Puts the points of names and calls together into rows.
//!
//! [`Engine::cursor`] maps each name and call of the fields to a slot, has their points computed,
//! and [`Cursor`] then walks them row by row.

use super::build::{Kind, is_selector, points_type};
use super::options::Options;
use super::points::Points;
use super::read::Engine;
use crate::influxql::ast::{Call, DataType, Expr, Field, Measurement, Select, Source, VarRef};
use crate::influxql::ast::{Order, SystemSource};
use crate::influxql::error::Outcome;
use crate::influxql::eval::{Division, Eval, Missing};
use crate::influxql::math::is_math;
use crate::influxql::value::Value;

/// One row; its time stands apart.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) time_ns: i64,
    pub(crate) series: u32,
    pub(crate) values: Vec<Value>,
}

/// The slots that names and calls were given.
#[derive(Default)]
struct Mapper {
    slots: Vec<(String, DataType)>,
    calls: Vec<(Call, usize)>,
    refs: Vec<(VarRef, usize)>,
}

impl Mapper {
    /// The expression with slots in the place of names and calls.
    fn map(&mut self, expr: &Expr) -> Expr {
        match expr {
            Expr::Call(call) if !is_math(&call.name) => {
                let known = self.slot(expr, points_type(call));
                if known.1 {
                    self.calls.push((call.clone(), known.0));
                }
                Expr::Slot(known.0)
            }
            Expr::Ref(name) => {
                let known = self.slot(expr, name.data_type);
                if known.1 {
                    self.refs.push((name.clone(), known.0));
                }
                Expr::Slot(known.0)
            }
            Expr::Call(call) => Expr::Call(Call {
                name: call.name.clone(),
                args: call.args.iter().map(|arg| self.map(arg)).collect(),
            }),
            Expr::Binary(binary) => {
                let (left, right) = (self.map(&binary.left), self.map(&binary.right));
                Expr::binary(binary.op, left, right)
            }
            Expr::Paren(inner) => Expr::Paren(Box::new(self.map(inner))),
            other => other.clone(),
        }
    }

    /// The slot of an expression, and whether it is new.
    fn slot(&mut self, expr: &Expr, data_type: DataType) -> (usize, bool) {
        let text = expr.to_string();
        if let Some(slot) = self.slots.iter().position(|(known, _)| *known == text) {
            return (slot, false);
        }
        self.slots.push((text, data_type));
        (self.slots.len() - 1, true)
    }
}

/// Points and the slots that they fill.
struct Scanner {
    points: Points,
    next: usize,
    value_slot: Option<usize>,
    aux_slots: Vec<usize>,
}

/// Walks the rows of a SELECT.
pub(crate) struct Cursor {
    scanners: Vec<Scanner>,
    exprs: Vec<Expr>,
    /// The names of the columns, `time` included where it is shown.
    pub(crate) columns: Vec<String>,
    types: Vec<DataType>,
    row: Vec<Value>,
    series: Option<u32>,
    default: Option<Value>,
    direction: Order,
}

impl Engine<'_> {
    /// Computes what a statement shows.
    pub(super) fn cursor(&self, select: &Select, mut options: Options) -> Outcome<Cursor> {
        let mut mapper = Mapper::default();
        let mut exprs = Vec::new();
        for Field { expr, .. } in &select.fields {
            exprs.push(mapper.map(expr));
            if select.target.is_none() {
                exprs.extend(expr.extra_columns().iter().map(|arg| mapper.map(arg)));
            }
        }
        let mut refs = mapper.refs.clone();
        refs.sort_by(|(left, _), (right, _)| left.cmp(right));
        options.aux = refs.iter().map(|(name, _)| name.clone()).collect();
        let aux_slots: Vec<usize> = refs.iter().map(|(_, slot)| *slot).collect();
        let mut scanners = Vec::new();
        if mapper.calls.is_empty() {
            let known = options.aux.iter().any(|name| name.data_type != DataType::Unknown);
            if known {
                let points = self.auxiliary(select, &options)?;
                scanners.push(Scanner { points, next: 0, value_slot: None, aux_slots });
            }
        } else {
            let alone = mapper.calls.len() == 1 && is_selector(&mapper.calls[0].0.name);
            let kind = if alone { Kind::Selector } else { Kind::Aggregate };
            for (call, slot) in &mapper.calls {
                if points_type(call) == DataType::Unknown {
                    continue;
                }
                let points = self.field(call, &select.sources, &options, kind)?;
                let aux_slots = aux_slots.clone();
                scanners.push(Scanner { points, next: 0, value_slot: Some(*slot), aux_slots });
            }
        }
        Ok(Cursor {
            scanners,
            exprs,
            columns: select.column_names(),
            row: vec![Value::Null; mapper.slots.len()],
            types: mapper.slots.into_iter().map(|(_, data_type)| data_type).collect(),
            series: None,
            default: options.default_value(),
            direction: options.direction(),
        })
    }

    /// The points of a statement without functions: whatever has a value of one of its names.
    fn auxiliary(&self, select: &Select, options: &Options) -> Outcome<Points> {
        let mut parts = Vec::new();
        for source in &select.sources {
            let found = match source {
                Source::Measurement(measurement) => match measurement.system {
                    Some(system) => Some(self.system(measurement, system, options)?),
                    None => self.read(measurement, None, options)?,
                },
                Source::SubQuery(inner) => self.subquery(inner, None, options)?,
            };
            parts.extend(found);
        }
        let points = match parts.len() {
            0 => Points::new(DataType::Float, options.aux.len()),
            1 => parts.remove(0),
            _ => self.merge_sorted(parts, options),
        };
        let points = if options.dedupe { points.deduped() } else { points };
        Ok(points.page(options.rows))
    }

    /// Joins what several sources gave, in order of series and time.
    fn merge_sorted(&self, parts: Vec<Points>, options: &Options) -> Points {
        let mut all = Points::new(DataType::Float, options.aux.len());
        for part in parts {
            all.append(part);
        }
        let mut order: Vec<usize> = (0..all.heads.len()).collect();
        let shown: Vec<u32> = all
            .heads
            .iter()
            .map(|head| self.table.borrow_mut().subset(head.series, &options.dimensions))
            .collect();
        let table = self.table.borrow();
        order.sort_by(|&left, &right| {
            let times = all.heads[left].time_ns.cmp(&all.heads[right].time_ns);
            let times = if options.ascending { times } else { times.reverse() };
            table.order(shown[left], shown[right], options.direction()).then(times)
        });
        all.reordered(&order)
    }

    fn system(
        &self,
        source: &Measurement,
        system: SystemSource,
        options: &Options,
    ) -> Outcome<Points> {
        match system {
            SystemSource::FieldKeys => Ok(self.field_keys(source, options)),
            SystemSource::Series => self.series_keys(source, options),
        }
    }
}

impl Cursor {
    /// The next row.
    pub(crate) fn next(&mut self, engine: &Engine<'_>) -> Option<Row> {
        let (time_ns, series) = self.earliest(engine)?;
        if self.series != Some(series) {
            self.row.fill(Value::Null);
            self.series = Some(series);
        }
        for scanner in &mut self.scanners {
            scanner.scan((time_ns, series), &mut self.row, (&self.types, self.default.as_ref()));
        }
        let find = |expr: &Expr| match expr {
            Expr::Slot(slot) => self.row[*slot].clone(),
            _ => Value::Null,
        };
        let eval = Eval { find, missing: Missing::False, division: Division::Float };
        let values = self.exprs.iter().map(|expr| eval.value(expr)).collect();
        Some(Row { time_ns, series, values })
    }

    /// The time and series of the next row: those of whichever points come first.
    fn earliest(&self, engine: &Engine<'_>) -> Option<(i64, u32)> {
        let heads =
            self.scanners.iter().filter_map(|scanner| scanner.points.heads.get(scanner.next));
        let table = engine.table.borrow();
        let first = heads.min_by(|left, right| {
            let times = left.time_ns.cmp(&right.time_ns);
            let ascending = self.direction == Order::Ascending;
            let times = if ascending { times } else { times.reverse() };
            table.order(left.series, right.series, self.direction).then(times)
        });
        first.map(|head| (head.time_ns, head.series))
    }

    /// The place of a column among the values, by its name.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }
}

impl Scanner {
    /// Puts the point of this time and series into its slots, or what stands for a lack of it.
    fn scan(
        &mut self,
        (time_ns, series): (i64, u32),
        row: &mut [Value],
        (types, default): (&[DataType], Option<&Value>),
    ) {
        let missing = |slot: usize| default.map(|value| value.clone().cast(types[slot]));
        let head = self.points.heads.get(self.next);
        let Some(head) = head.filter(|head| head.time_ns == time_ns && head.series == series)
        else {
            for slot in self.value_slot.iter().chain(&self.aux_slots) {
                if let Some(value) = missing(*slot) {
                    row[*slot] = value;
                }
            }
            return;
        };
        let own = self.value_slot.iter().map(|slot| (*slot, &head.value));
        let aux = self.aux_slots.iter().copied().zip(self.points.aux(self.next));
        for (slot, value) in own.chain(aux) {
            let found = if value.is_null() { missing(slot) } else { Some(value.clone()) };
            if let Some(value) = found {
                row[slot] = value;
            }
        }
        self.next += 1;
    }
}
