//! Splits a WHERE into the span of time it names and the rest.

use super::ast::{Expr, Zone};
use super::error::{Outcome, QueryError};
use super::reduce::{NotAnInstant, Reducer, zone_offset};
use super::token::Op;
use crate::flux::time::Date;

/// The earliest instant; it stands for no bound at all.
pub(crate) const MIN_TIME_NS: i64 = i64::MIN + 2;
/// The latest instant.
pub(crate) const MAX_TIME_NS: i64 = i64::MAX - 1;

/// A span of time, both ends included. A missing end is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TimeRange {
    pub(crate) min: Option<i128>,
    pub(crate) max: Option<i128>,
}

impl TimeRange {
    /// What lies in both spans.
    pub(crate) fn intersect(self, other: Self) -> Self {
        let later = |one: Option<i128>, two: Option<i128>| match (one, two) {
            (Some(one), Some(two)) => Some(one.max(two)),
            (one, two) => one.or(two),
        };
        let earlier = |one: Option<i128>, two: Option<i128>| match (one, two) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        Self { min: later(self.min, other.min), max: earlier(self.max, other.max) }
    }

    /// The lower end in 64 bits.
    pub(crate) fn min_ns(self) -> i64 {
        self.min.map_or(MIN_TIME_NS, clamp)
    }

    /// The upper end in 64 bits.
    pub(crate) fn max_ns(self) -> i64 {
        self.max.map_or(MAX_TIME_NS, clamp)
    }
}

fn clamp(time_ns: i128) -> i64 {
    let held = time_ns.clamp(MIN_TIME_NS.into(), i64::MAX.into());
    i64::try_from(held).expect("the value was clamped to 64 bits")
}

/// The condition without what it says of time, and the span of time.
pub(crate) fn split(
    condition: Option<&Expr>,
    now_ns: Option<i64>,
    zone: Option<&Zone>,
) -> Outcome<(Option<Expr>, TimeRange)> {
    let Some(condition) = condition else { return Ok((None, TimeRange::default())) };
    let reducer = Reducer { now_ns, zone: zone.map(|zone| &zone.zone), math: false };
    let (rest, range) = split_expr(condition, reducer)?;
    let rest = match rest {
        Some(Expr::Paren(inner)) => Some(*inner),
        other => other,
    };
    Ok((rest.filter(|expr| *expr != Expr::Boolean(true)), range))
}

fn is_time(expr: &Expr) -> bool {
    matches!(expr, Expr::Ref(name) if name.name.to_lowercase() == "time")
}

fn split_expr(condition: &Expr, reducer: Reducer<'_>) -> Outcome<(Option<Expr>, TimeRange)> {
    let constant = Reducer::default();
    match condition {
        Expr::Binary(binary) if matches!(binary.op, Op::And | Op::Or) => {
            let (left, left_range) = split_expr(&binary.left, reducer)?;
            let (right, right_range) = split_expr(&binary.right, reducer)?;
            // Spans are intersected even under OR, which makes no sense of its own with them.
            let range = left_range.intersect(right_range);
            let joined = match (left, right) {
                (Some(left), Some(right)) => {
                    Some(constant.fold(&Expr::binary(binary.op, left, right)))
                }
                (left, right) => left.or(right),
            };
            Ok((joined, range))
        }
        Expr::Binary(binary) if is_time(&binary.left) => {
            Ok((None, range_of(binary.op, &binary.right, reducer)?))
        }
        Expr::Binary(binary) if is_time(&binary.right) => {
            let op = match binary.op {
                Op::Gt => Op::Lt,
                Op::Lt => Op::Gt,
                Op::Gte => Op::Lte,
                Op::Lte => Op::Gte,
                other => other,
            };
            Ok((None, range_of(op, &binary.left, reducer)?))
        }
        Expr::Binary(_) => Ok((Some(reducer.fold(condition)), TimeRange::default())),
        Expr::Paren(inner) => {
            let (rest, range) = split_expr(inner, reducer)?;
            let rest = rest.map(|rest| constant.fold(&Expr::Paren(Box::new(rest))));
            Ok((rest, range))
        }
        Expr::Boolean(_) => Ok((Some(condition.clone()), TimeRange::default())),
        other => Err(QueryError::new(format!("invalid condition expression: {other}"))),
    }
}

/// The span that a comparison of `time` with an expression names.
fn range_of(op: Op, bound: &Expr, reducer: Reducer<'_>) -> Outcome<TimeRange> {
    let reduced = match bound {
        Expr::String(text) => match reducer.instant(text) {
            Ok(time_ns) => Expr::Time(time_ns),
            Err(NotAnInstant::Shape) => bound.clone(),
            Err(NotAnInstant::Invalid) => {
                return Err(QueryError::new("invalid timestamp string"));
            }
        },
        _ => reducer.reduce(bound),
    };
    let time_ns = match reduced {
        Expr::Time(time_ns) => {
            check_bounds(time_ns, reducer)?;
            time_ns
        }
        Expr::Duration(time_ns) | Expr::Integer(time_ns) => time_ns.into(),
        Expr::Number(number) => super::value::integer_of(number).into(),
        other => {
            let kind = kind_of(&other);
            let message = format!("invalid operation: time and {kind} are not compatible");
            return Err(QueryError::new(message));
        }
    };
    let (min, max) = match op {
        Op::Gt => (Some(time_ns + 1), None),
        Op::Gte => (Some(time_ns), None),
        Op::Lt => (None, Some(time_ns - 1)),
        Op::Lte => (None, Some(time_ns)),
        Op::Eq => (Some(time_ns), Some(time_ns)),
        other => {
            let message = format!("invalid time comparison operator: {}", other.text());
            return Err(QueryError::new(message));
        }
    };
    Ok(TimeRange { min, max })
}

fn check_bounds(time_ns: i128, reducer: Reducer<'_>) -> Outcome<()> {
    let wrong = if time_ns > MAX_TIME_NS.into() {
        "overflows"
    } else if time_ns <= MIN_TIME_NS.into() {
        "underflows"
    } else {
        return Ok(());
    };
    let offset_ns = reducer.zone.map_or(0, |zone| zone_offset(zone, time_ns));
    let text = format_second(time_ns, offset_ns);
    Err(QueryError::new(format!("time {text} {wrong} time literal")))
}

/// An instant to the second, which may be one that 64 bits cannot count.
fn format_second(time_ns: i128, offset_ns: i64) -> String {
    let seconds = (time_ns + i128::from(offset_ns)).div_euclid(1_000_000_000);
    let days = i64::try_from(seconds.div_euclid(86_400)).unwrap_or_default();
    let in_day = seconds.rem_euclid(86_400);
    let Date { year, month, day } = Date::from_days(days);
    let (hour, minute, second) = (in_day / 3600, in_day / 60 % 60, in_day % 60);
    let zone = format_offset(offset_ns);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}")
}

/// `Z`, or `+01:00`.
pub(crate) fn format_offset(offset_ns: i64) -> String {
    if offset_ns == 0 {
        return "Z".to_owned();
    }
    let sign = if offset_ns < 0 { '-' } else { '+' };
    let minutes = offset_ns.abs() / 60_000_000_000;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// What the server's messages call a kind of expression.
pub(crate) fn kind_of(expr: &Expr) -> &'static str {
    match expr {
        Expr::Ref(_) => "*influxql.VarRef",
        Expr::Call(_) => "*influxql.Call",
        Expr::Distinct(_) => "*influxql.Distinct",
        Expr::Binary(_) => "*influxql.BinaryExpr",
        Expr::Paren(_) => "*influxql.ParenExpr",
        Expr::Wildcard(_) => "*influxql.Wildcard",
        Expr::Regex(_) => "*influxql.RegexLiteral",
        Expr::Number(_) => "*influxql.NumberLiteral",
        Expr::Integer(_) => "*influxql.IntegerLiteral",
        Expr::Unsigned(_) => "*influxql.UnsignedLiteral",
        Expr::String(_) => "*influxql.StringLiteral",
        Expr::Boolean(_) => "*influxql.BooleanLiteral",
        Expr::Duration(_) => "*influxql.DurationLiteral",
        Expr::Time(_) => "*influxql.TimeLiteral",
        Expr::Nil | Expr::Slot(_) => "*influxql.NilLiteral",
    }
}
