//! Folds what is constant in an expression: arithmetic of literals, `now()`, instants and lengths
//! of time.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::ast::{Binary, Call, Expr};
use super::eval::{Division, apply, float_arithmetic, integer_arithmetic, literal_value};
use super::math;
use super::token::Op;
use super::value::{Value, integer_of};
use crate::flux::time::{Date, parse_any_rfc3339};

const DAY_NS: i128 = 86_400_000_000_000;
const NS_PER_S: i128 = 1_000_000_000;

/// What is known when an expression is folded.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reducer<'a> {
    /// What `now()` is, where it may stand.
    pub(crate) now_ns: Option<i64>,
    /// The zone of instants that name none.
    pub(crate) zone: Option<&'a TimeZone>,
    /// Whether mathematical functions of literals are folded.
    pub(crate) math: bool,
}

impl Reducer<'_> {
    /// Folds an expression and takes off parentheses around the whole of it.
    pub(crate) fn reduce(self, expr: &Expr) -> Expr {
        match self.fold(expr) {
            Expr::Paren(inner) => *inner,
            other => other,
        }
    }

    /// Folds an expression.
    pub(crate) fn fold(self, expr: &Expr) -> Expr {
        match expr {
            Expr::Binary(binary) => self.binary(binary),
            Expr::Call(call) => self.call(call),
            Expr::Paren(inner) => match self.fold(inner) {
                binary @ Expr::Binary(_) => Expr::Paren(Box::new(binary)),
                other => other,
            },
            other => other.clone(),
        }
    }

    fn call(self, call: &Call) -> Expr {
        let args: Vec<Expr> = call.args.iter().map(|arg| self.fold(arg)).collect();
        if args.iter().all(Expr::is_literal) {
            if let (Some(now_ns), "now", true) = (self.now_ns, &*call.name, args.is_empty()) {
                return Expr::Time(now_ns.into());
            }
            let values: Vec<Value> = args.iter().map(literal_value).collect();
            if self.math
                && let Some(value) = math::apply(&call.name, &values)
            {
                return match value {
                    Value::Float(number) => Expr::Number(number),
                    Value::Integer(number) => Expr::Integer(number),
                    _ => Expr::Nil,
                };
            }
        }
        Expr::Call(Call { name: call.name.clone(), args })
    }

    fn binary(self, binary: &Binary) -> Expr {
        let op = binary.op;
        let (left, right) = (self.fold(&binary.left), self.fold(&binary.right));
        match (op, &left, &right) {
            (Op::And, Expr::Boolean(false), _) | (Op::And, _, Expr::Boolean(false)) => {
                return Expr::Boolean(false);
            }
            (Op::Or, Expr::Boolean(true), _) | (Op::Or, _, Expr::Boolean(true)) => {
                return Expr::Boolean(true);
            }
            (Op::And, Expr::Boolean(true), _) | (Op::Or, Expr::Boolean(false), _) => return right,
            (Op::And, _, Expr::Boolean(true)) | (Op::Or, _, Expr::Boolean(false)) => return left,
            _ => {}
        }
        self.literals(op, &left, &right).unwrap_or_else(|| Expr::binary(op, left, right))
    }

    /// The result for two literals, where there is one.
    fn literals(self, op: Op, left: &Expr, right: &Expr) -> Option<Expr> {
        use Expr as E;
        match (left, right) {
            (E::Nil, _) | (E::String(_), E::Nil) => {
                matches!(op, Op::Eq | Op::Neq).then_some(E::Boolean(false))
            }
            (left, E::Nil) if left.is_literal() => Some(E::Boolean(false)),
            (E::Duration(left), right) => self.duration(op, *left, right),
            (E::Integer(left), E::Duration(right)) => time_shift(op, (*left).into(), *right),
            (E::Integer(left), E::Time(_)) => self.duration(op, *left, right),
            (E::Integer(left), E::String(text)) => {
                self.duration(op, *left, &E::Time(self.instant(text).ok()?))
            }
            (E::Integer(left), E::Integer(right)) if op == Op::Div => {
                float_arithmetic(op, *left as f64, *right as f64).map(E::Number)
            }
            (E::Boolean(_), E::Boolean(_))
            | (
                E::Integer(_) | E::Number(_) | E::Unsigned(_),
                E::Integer(_) | E::Number(_) | E::Unsigned(_),
            ) => plain(op, left, right),
            (E::String(left), right) => self.text(op, left, right),
            (E::Time(left), right) => self.time(op, *left, right),
            _ => None,
        }
    }

    fn duration(self, op: Op, left: i64, right: &Expr) -> Option<Expr> {
        match right {
            Expr::Duration(right) => match op {
                Op::Add | Op::Sub => integer_arithmetic(op, left, *right).map(Expr::Duration),
                _ => compare(op, &left, right),
            },
            Expr::Number(_) | Expr::Integer(_) => {
                let factor = match right {
                    Expr::Number(number) => integer_of(*number),
                    Expr::Integer(number) => *number,
                    _ => return None,
                };
                let zero = matches!(right, Expr::Number(0.0) | Expr::Integer(0)) || factor == 0;
                match op {
                    Op::Mul => Some(Expr::Duration(left.wrapping_mul(factor))),
                    Op::Div if zero => Some(Expr::Duration(0)),
                    Op::Div => Some(Expr::Duration(left.wrapping_div(factor))),
                    _ => None,
                }
            }
            Expr::Time(right) if op == Op::Add => Some(Expr::Time(right + i128::from(left))),
            Expr::String(text) => self.duration(op, left, &Expr::Time(self.instant(text).ok()?)),
            _ => None,
        }
    }

    fn text(self, op: Op, left: &str, right: &Expr) -> Option<Expr> {
        match right {
            Expr::String(right) => match op {
                Op::Eq | Op::Neq => {
                    let equal = match (self.instant(left), self.instant(right)) {
                        (Ok(left), Ok(right)) => left == right,
                        _ => left == right,
                    };
                    Some(Expr::Boolean(equal == (op == Op::Eq)))
                }
                Op::Add => Some(Expr::String(format!("{left}{right}"))),
                _ => self.time(op, self.instant(left).ok()?, &Expr::String(right.clone())),
            },
            Expr::Duration(_) | Expr::Time(_) | Expr::Integer(_) => {
                self.time(op, self.instant(left).ok()?, right)
            }
            _ => None,
        }
    }

    fn time(self, op: Op, left: i128, right: &Expr) -> Option<Expr> {
        match right {
            Expr::Duration(length) | Expr::Integer(length) => time_shift(op, left, *length),
            Expr::Time(right) if op == Op::Sub => {
                let clamped = (left - right).clamp(i64::MIN.into(), i64::MAX.into());
                i64::try_from(clamped).ok().map(Expr::Duration)
            }
            Expr::Time(right) => compare(op, &left, right),
            Expr::String(text) => self.time(op, left, &Expr::Time(self.instant(text).ok()?)),
            _ => None,
        }
    }

    /// The instant that a text names: a date, a date and a time of day, or RFC 3339.
    pub(crate) fn instant(self, text: &str) -> Result<i128, NotAnInstant> {
        let date = text.get(..10).and_then(parse_date).ok_or(NotAnInstant::Shape)?;
        if !(1..=12).contains(&date.month) || !(1..=date.days_in_month()).contains(&date.day) {
            return Err(NotAnInstant::Invalid);
        }
        let rest = &text[10..];
        let local = if rest.is_empty() { Some(0) } else { parse_clock(rest) };
        match local {
            Some(in_day_ns) => {
                let local_ns = i128::from(date.days()) * DAY_NS + in_day_ns;
                Ok(self.zone.map_or(local_ns, |zone| local_instant(zone, local_ns)))
            }
            None => parse_any_rfc3339(text).ok_or(NotAnInstant::Invalid),
        }
    }
}

/// Why a text is not an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAnInstant {
    /// It does not begin like a date.
    Shape,
    /// It does, but there is no such instant.
    Invalid,
}

fn plain(op: Op, left: &Expr, right: &Expr) -> Option<Expr> {
    match apply(op, literal_value(left), literal_value(right), Division::Float) {
        Value::Float(number) => Some(Expr::Number(number)),
        Value::Integer(number) => Some(Expr::Integer(number)),
        Value::Unsigned(number) => Some(Expr::Unsigned(number)),
        Value::Boolean(value) => Some(Expr::Boolean(value)),
        _ => None,
    }
}

fn compare<T: PartialOrd>(op: Op, left: &T, right: &T) -> Option<Expr> {
    let result = match op {
        Op::Eq => left == right,
        Op::Neq => left != right,
        Op::Lt => left < right,
        Op::Lte => left <= right,
        Op::Gt => left > right,
        Op::Gte => left >= right,
        _ => return None,
    };
    Some(Expr::Boolean(result))
}

fn time_shift(op: Op, time_ns: i128, length_ns: i64) -> Option<Expr> {
    match op {
        Op::Add => Some(Expr::Time(time_ns + i128::from(length_ns))),
        Op::Sub => Some(Expr::Time(time_ns - i128::from(length_ns))),
        _ => None,
    }
}

/// `2023-01-31`, and whether there is such a day.
fn parse_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        let part = bytes.get(range)?;
        let plain = part.iter().all(u8::is_ascii_digit);
        plain.then(|| part.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
    };
    if bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let date = Date { year: digits(0..4)?, month: digits(5..7)?, day: digits(8..10)? };
    Some(date)
}

/// ` 12:30:59.25` as nanoseconds since midnight.
fn parse_clock(text: &str) -> Option<i128> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, fraction),
        None => (text, ""),
    };
    let mut parts = clock.strip_prefix(' ')?.split(':');
    let mut part = |limit: i128| {
        let text = parts.next()?;
        let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i128>().ok().filter(|value| plain && *value < limit)
    };
    let (hour, minute, second) = (part(24)?, part(60)?, part(60)?);
    if parts.next().is_some() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanoseconds: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let fraction_ns: i128 = nanoseconds.parse().ok()?;
    Some(((hour * 60 + minute) * 60 + second) * NS_PER_S + fraction_ns)
}

/// The offset of a zone from UTC at an instant, in nanoseconds.
pub(crate) fn zone_offset(zone: &TimeZone, time_ns: i128) -> i64 {
    let second = i64::try_from(time_ns.div_euclid(NS_PER_S)).unwrap_or_default();
    let timestamp = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
    i64::from(zone.to_offset(timestamp).seconds()) * 1_000_000_000
}

/// The instant of a local time; where a zone skips it, the server's choice.
fn local_instant(zone: &TimeZone, local_ns: i128) -> i128 {
    let guess_ns = local_ns - i128::from(zone_offset(zone, local_ns));
    local_ns - i128::from(zone_offset(zone, guess_ns))
}
