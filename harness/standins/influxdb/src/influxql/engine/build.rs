//! Carries out the calls of a SELECT: each becomes points, one a row.

use super::aggregate::{Aggregation, Function, Origin, unsupported};
use super::fill;
use super::options::Options;
use super::points::Points;
use super::read::Engine;
use super::reduce::{Reduction, reduce};
use super::stream::{Sign, Step, step};
use crate::influxql::ast::{Call, DataType, Expr, Fill, Page, Source, VarRef};
use crate::influxql::condition::MIN_TIME_NS;
use crate::influxql::error::{Outcome, QueryError};
use crate::influxql::types::{Typing, call_type};
use crate::influxql::value::integer_of;

const NS_PER_S: i64 = 1_000_000_000;

/// Whether the calls of a statement are one selector, whose points keep their times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Selector,
    Aggregate,
}

/// Whether a function gives one of the points that it looks at.
pub(super) fn is_selector(name: &str) -> bool {
    matches!(name, "first" | "last" | "min" | "max" | "percentile" | "top" | "bottom")
}

/// The type of what an expression of typed names gives.
pub(super) fn type_of(expr: &Expr) -> DataType {
    Typing { sources: &[], of_field: &|_, _| DataType::Unknown }.of(expr)
}

impl Engine<'_> {
    /// The points of one call, under the statement's limit.
    pub(super) fn field(
        &self,
        call: &Call,
        sources: &[Source],
        options: &Options,
        kind: Kind,
    ) -> Outcome<Points> {
        Ok(self.call(call, sources, options, kind)?.page(options.rows))
    }

    /// The points of a name: what functions work on.
    fn name(&self, name: &VarRef, sources: &[Source], options: &Options) -> Outcome<Points> {
        let mut parts = Vec::new();
        for source in sources {
            let found = match source {
                Source::Measurement(measurement) => self.read(measurement, Some(name), options)?,
                Source::SubQuery(select) => self.subquery(select, Some(name), options)?,
            };
            parts.extend(found);
        }
        Ok(self.merge_windows(parts, options))
    }

    /// Joins what several sources gave: by series and window, within one source after source.
    pub(super) fn merge_windows(&self, mut parts: Vec<Points>, options: &Options) -> Points {
        if parts.len() < 2 {
            return parts.pop().unwrap_or_else(|| Points::new(DataType::Float, options.aux.len()));
        }
        let data_type = parts[0].data_type;
        let mut all = Points::new(data_type, options.aux.len());
        parts.into_iter().filter(|part| part.data_type == data_type).for_each(|part| {
            all.append(part);
        });
        let keys: Vec<(u32, i64)> = all
            .heads
            .iter()
            .map(|head| {
                let mut table = self.table.borrow_mut();
                let shown = table.subset(head.series, &options.dimensions);
                (shown, options.window(head.time_ns).0)
            })
            .collect();
        let table = self.table.borrow();
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by(|left, right| {
            let (left, right) = (keys[*left], keys[*right]);
            let windows = left.1.cmp(&right.1);
            let windows = if options.ascending { windows } else { windows.reverse() };
            table.order(left.0, right.0, options.direction()).then(windows)
        });
        all.reordered(&order)
    }

    /// The points of what stands in a function's parentheses.
    fn argument(
        &self,
        call: &Call,
        sources: &[Source],
        options: &Options,
        kind: Kind,
    ) -> Outcome<Points> {
        match call.args.first() {
            Some(Expr::Ref(name)) => self.name(name, sources, options),
            Some(Expr::Call(inner)) => self.call(inner, sources, options, kind),
            _ => Err(QueryError::new(format!("invalid expression type in {call}"))),
        }
    }

    fn call(
        &self,
        call: &Call,
        sources: &[Source],
        options: &Options,
        kind: Kind,
    ) -> Outcome<Points> {
        if matches!(call.name.as_str(), "top" | "bottom") {
            return self.top_bottom(call, sources, options);
        }
        let mut options = options.clone();
        options.rows = Page::default();
        let unit = match call.args.get(1) {
            Some(Expr::Duration(unit_ns)) => Some(*unit_ns),
            _ => None,
        };
        let by_interval = if options.interval_ns > 0 { options.interval_ns } else { NS_PER_S };
        let steps = match call.name.as_str() {
            "derivative" => Step::Derivative(unit.unwrap_or(by_interval), Sign::Any),
            "non_negative_derivative" => {
                Step::Derivative(unit.unwrap_or(by_interval), Sign::NotNegative)
            }
            "difference" => Step::Difference(Sign::Any),
            "non_negative_difference" => Step::Difference(Sign::NotNegative),
            "elapsed" => Step::Elapsed(unit.unwrap_or(1)),
            "moving_average" => Step::MovingAverage(count_argument(call)),
            "cumulative_sum" => Step::CumulativeSum,
            "integral" => Step::Integral(unit.unwrap_or(NS_PER_S)),
            "distinct" => {
                options.ordered = true;
                let input = self.argument(call, sources, &options, kind)?;
                let distinct = reduce(self, &input, Reduction::Distinct, &options)?;
                return Ok(at_windows(distinct, &options));
            }
            _ => return self.windowed(call, sources, &options, kind),
        };
        options.ordered = true;
        let looks_back = !matches!(steps, Step::CumulativeSum | Step::Integral(_));
        if looks_back && options.interval_ns != 0 {
            // One window more is read for the first result.
            if options.ascending {
                options.start_ns = options.start_ns.wrapping_sub(options.interval_ns);
            } else {
                options.end_ns = options.end_ns.wrapping_add(options.interval_ns);
            }
        }
        let input = self.argument(call, sources, &options, kind)?;
        step(self, &input, steps, &options)
    }

    /// A function with one result a window; windows are filled.
    fn windowed(
        &self,
        call: &Call,
        sources: &[Source],
        options: &Options,
        kind: Kind,
    ) -> Outcome<Points> {
        let points = self.reduced(call, sources, options, kind)?;
        if kind == Kind::Selector && options.interval_ns == 0 {
            return Ok(points);
        }
        let points = at_windows(points, options);
        if options.interval_ns == 0 || options.fill == Fill::None {
            return Ok(points);
        }
        if call.name == "count" && options.fill == Fill::Null {
            let mut options = options.clone();
            options.fill = Fill::Integer(0);
            return fill::fill(self, &points, &options);
        }
        fill::fill(self, &points, options)
    }

    fn reduced(
        &self,
        call: &Call,
        sources: &[Source],
        options: &Options,
        kind: Kind,
    ) -> Outcome<Points> {
        let reduction = match call.name.as_str() {
            "median" => Reduction::Median,
            "mode" => Reduction::Mode,
            "stddev" => Reduction::Stddev,
            "spread" => Reduction::Spread,
            "percentile" => Reduction::Percentile(match call.args.get(1) {
                Some(Expr::Number(percent)) => *percent,
                Some(Expr::Integer(percent)) => *percent as f64,
                _ => 0.0,
            }),
            "count" if matches!(call.args.first(), Some(Expr::Call(_))) => Reduction::Count,
            name => {
                let function = Function::named(name)
                    .ok_or_else(|| QueryError::new(format!("unsupported call: {name}")))?;
                return self.aggregated(function, call, sources, (options, kind));
            }
        };
        let mut options = options.clone();
        options.ordered |= matches!(reduction, Reduction::Median | Reduction::Percentile(_));
        let input = self.argument(call, sources, &options, kind)?;
        reduce(self, &input, reduction, &options)
    }

    fn aggregated(
        &self,
        function: Function,
        call: &Call,
        sources: &[Source],
        (options, kind): (&Options, Kind),
    ) -> Outcome<Points> {
        let Some(Expr::Ref(field)) = call.args.first() else {
            return Err(QueryError::new(format!("invalid expression type in {call}")));
        };
        let mut parts = Aggregation::new(self, function, field.data_type, options);
        for source in sources {
            match source {
                Source::Measurement(measurement) => parts.add_source(measurement, field)?,
                Source::SubQuery(_) => {
                    let one = std::slice::from_ref(source);
                    let mut options = options.clone();
                    options.ordered = false;
                    let points = self.argument(call, one, &options, kind)?;
                    parts.add_points(&points)?;
                }
            }
        }
        let origin = match sources {
            [Source::SubQuery(_)] => Origin::OneSubquery,
            _ => Origin::Sources,
        };
        Ok(parts.finish(origin))
    }

    fn top_bottom(&self, call: &Call, sources: &[Source], options: &Options) -> Outcome<Points> {
        let limit = count_argument_last(call);
        let top = call.name == "top";
        let reduction = if top { Reduction::Top(limit) } else { Reduction::Bottom(limit) };
        let extra = &call.args[1..call.args.len() - 1];
        let Some(Expr::Ref(field)) = call.args.first() else {
            return Err(QueryError::new(format!("invalid expression type in {call}")));
        };
        let input = if extra.is_empty() {
            // The server leaves the limit of the rows in force here.
            self.name(field, sources, options)?
        } else {
            // Of each combination of the listed tags the best point alone takes part.
            let mut inner = options.clone();
            inner.rows = Page::default();
            inner.fill = Fill::None;
            inner.group_by.extend(extra.iter().filter_map(|arg| match arg {
                Expr::Ref(name) => Some(name.name.clone()),
                _ => None,
            }));
            let function = if top { Function::Max } else { Function::Min };
            let args = vec![call.args[0].clone()];
            let best = Call { name: if top { "max" } else { "min" }.to_owned(), args };
            self.aggregated(function, &best, sources, (&inner, Kind::Selector))?
        };
        if !input.data_type.is_numeric() {
            return Err(unsupported(&call.name, input.data_type));
        }
        reduce(self, &input, reduction, options)
    }
}

/// The type of the points that a call gives.
pub(super) fn points_type(call: &Call) -> DataType {
    let arg = call.args.first().map_or(DataType::Unknown, type_of);
    call_type(&call.name, arg)
}

fn whole(arg: Option<&Expr>) -> usize {
    let number = match arg {
        Some(Expr::Integer(number)) => *number,
        Some(Expr::Number(number)) => integer_of(*number),
        _ => 0,
    };
    usize::try_from(number).unwrap_or_default()
}

fn count_argument(call: &Call) -> usize {
    whole(call.args.get(1))
}

fn count_argument_last(call: &Call) -> usize {
    whole(call.args.last())
}

/// Puts each point at the beginning of its window. The beginning of all time is shown as 1970.
fn at_windows(mut points: Points, options: &Options) -> Points {
    for head in &mut points.heads {
        let start_ns = options.window(head.time_ns).0;
        head.time_ns = if start_ns == MIN_TIME_NS { 0 } else { start_ns };
    }
    points
}
