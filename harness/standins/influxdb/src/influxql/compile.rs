//! Checks a SELECT before any data is looked at, and finds out what it needs.
//!
//! [`compile`] is the entry; `compile_call` checks the arguments of functions.

use super::ast::{Expr, Fill, Select, Source, Zone};
use super::condition::{self, MAX_TIME_NS, TimeRange};
use super::error::{Outcome, QueryError};
use super::math;
use super::reduce::Reducer;

/// The functions that the server knows and the stand-in does not.
const OUTSIDE: [&str; 14] = [
    "sample",
    "holt_winters",
    "holt_winters_with_fit",
    "exponential_moving_average",
    "double_exponential_moving_average",
    "triple_exponential_moving_average",
    "relative_strength_index",
    "triple_exponential_derivative",
    "kaufmans_efficiency_ratio",
    "kaufmans_adaptive_moving_average",
    "chande_momentum_oscillator",
    "count_hll",
    "sum_hll",
    "merge_hll",
];

/// From year 1, whence the server counts whole windows here, to 1970.
const YEAR_ONE_TO_EPOCH_NS: i128 = 62_135_596_800 * 1_000_000_000;

/// A checked statement and the span of time that it reads.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    pub(crate) select: Select,
    pub(crate) range: TimeRange,
    /// How many windows more are read for functions that look back.
    pub(crate) extra_intervals: i64,
}

/// What is found out about a statement on the way.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is found out by itself, and they go together in any way"
)]
#[derive(Debug)]
pub(super) struct Compiler {
    now_ns: i64,
    range: TimeRange,
    condition: Option<Expr>,
    pub(super) interval_ns: i64,
    pub(super) inherited_interval: bool,
    pub(super) extra_intervals: i64,
    ascending: bool,
    pub(super) call_count: usize,
    pub(super) only_selectors: bool,
    pub(super) has_distinct: bool,
    pub(super) has_fields: bool,
    pub(super) top_bottom: Option<String>,
    fill: Fill,
    field_count: usize,
    pub(super) limit: i64,
}

fn refuse<T>(message: impl Into<String>) -> Outcome<T> {
    Err(QueryError::new(message))
}

/// Checks a statement.
pub(crate) fn compile(select: &Select, now_ns: i64) -> Outcome<Compiled> {
    let mut select = select.clone();
    let mut compiler = Compiler::prepare(&mut select, now_ns)?;
    compiler.compile(&mut select)?;
    select.condition = compiler.condition.take();
    for field in &mut select.fields {
        if let Expr::Distinct(name) = &field.expr {
            let args = vec![Expr::Ref(super::ast::VarRef::untyped(name))];
            field.expr = Expr::Call(super::ast::Call { name: "distinct".to_owned(), args });
            select.is_raw = false;
        }
        if let Expr::Call(call) = &mut field.expr {
            for arg in &mut call.args {
                if let Expr::Distinct(name) = arg {
                    let args = vec![Expr::Ref(super::ast::VarRef::untyped(name))];
                    *arg = Expr::Call(super::ast::Call { name: "distinct".to_owned(), args });
                }
            }
        }
    }
    let is_time = |expr: &Expr| matches!(expr, Expr::Ref(name) if name.name == "time");
    if let Some(field) = select.fields.iter().rfind(|field| is_time(&field.expr)) {
        select.time_alias.clone_from(&field.alias);
    }
    select.fields.retain(|field| !is_time(&field.expr));
    Ok(Compiled { select, range: compiler.range, extra_intervals: compiler.extra_intervals })
}

impl Compiler {
    /// Splits the condition and reads the dimensions.
    fn prepare(select: &mut Select, now_ns: i64) -> Outcome<Self> {
        let zone = select.zone.as_ref();
        let (condition, mut range) =
            condition::split(select.condition.as_ref(), Some(now_ns), zone)?;
        if let Some(condition) = &condition {
            check_condition(condition)?;
        }
        let interval_ns = compile_dimensions(select, now_ns)?;
        if range.max.is_none() {
            // Windows end with the present unless the statement says otherwise.
            let last = if interval_ns == 0 { MAX_TIME_NS } else { now_ns };
            range.max = Some(last.into());
        }
        Ok(Self {
            now_ns,
            range,
            condition,
            interval_ns,
            inherited_interval: false,
            extra_intervals: 0,
            ascending: select.ascending(),
            call_count: 0,
            only_selectors: true,
            has_distinct: false,
            has_fields: false,
            top_bottom: None,
            fill: select.fill,
            field_count: 0,
            limit: select.rows.limit,
        })
    }

    fn compile(&mut self, select: &mut Select) -> Outcome<()> {
        let reducer = Reducer { math: true, ..Reducer::default() };
        for field in &mut select.fields {
            if matches!(&field.expr, Expr::Ref(name) if name.name == "time") {
                continue;
            }
            field.expr = reducer.reduce(&field.expr);
            self.field_count += 1;
            let mut wildcards = true;
            self.expr(&field.expr, &mut wildcards)?;
        }
        self.check_fields()?;
        for source in &mut select.sources {
            if let Source::SubQuery(inner) = source {
                inner.omit_time = true;
                self.subquery(inner)?;
            }
        }
        Ok(())
    }

    fn subquery(&self, select: &mut Select) -> Outcome<()> {
        let mut inner = Self::prepare(select, self.now_ns)?;
        let reducer = Reducer {
            now_ns: Some(self.now_ns),
            zone: select.zone.as_ref().map(|zone| &zone.zone),
            math: true,
        };
        select.condition = select.condition.as_ref().map(|expr| reducer.reduce(expr));
        if select.order.is_some() && inner.ascending != self.ascending {
            return refuse("subqueries must be ordered in the same direction as the query itself");
        }
        inner.ascending = self.ascending;
        inner.range = inner.range.intersect(self.range);
        if inner.interval_ns != 0 && inner.fill == Fill::Null {
            inner.fill = Fill::None;
        }
        if self.interval_ns != 0 && inner.interval_ns == 0 {
            inner.interval_ns = self.interval_ns;
            inner.inherited_interval = true;
        }
        inner.compile(select)
    }

    /// Checks an expression of a field. Once there is an operator, wildcards are out of place.
    pub(super) fn expr(&mut self, expr: &Expr, wildcards: &mut bool) -> Outcome<()> {
        match expr {
            Expr::Ref(_) => {
                self.has_fields = true;
                Ok(())
            }
            Expr::Wildcard(_) | Expr::Regex(_) => {
                self.has_fields = true;
                let kind = if matches!(expr, Expr::Regex(_)) { "regex" } else { "wildcard" };
                if *wildcards {
                    return Ok(());
                }
                refuse(format!("unable to use {kind} in a binary expression"))
            }
            Expr::Call(call) if math::is_math(&call.name) => {
                let expected = math::argument_count(&call.name).unwrap_or(1);
                check_count(&call.name, expected, call.args.len())?;
                let args = call.args.iter().filter(|arg| !arg.is_literal());
                args.into_iter().try_for_each(|arg| self.expr(arg, wildcards))
            }
            Expr::Call(call) => {
                if OUTSIDE.contains(&call.name.as_str()) {
                    return Err(QueryError::outside(&format!("`{}()`", call.name)));
                }
                self.call_count += 1;
                self.call(call, wildcards)
            }
            Expr::Distinct(_) => {
                self.call_count += 1;
                self.has_distinct = true;
                self.only_selectors = false;
                Ok(())
            }
            Expr::Binary(binary) => {
                *wildcards = false;
                match (binary.left.is_literal(), binary.right.is_literal()) {
                    (true, true) => refuse("cannot perform a binary expression on two literals"),
                    (true, false) => self.expr(&binary.right, wildcards),
                    (false, true) => self.expr(&binary.left, wildcards),
                    (false, false) => {
                        self.expr(&binary.left, wildcards)?;
                        self.expr(&binary.right, wildcards)
                    }
                }
            }
            Expr::Paren(inner) => self.expr(inner, wildcards),
            _ => refuse("field must contain at least one variable"),
        }
    }

    fn check_fields(&self) -> Outcome<()> {
        if self.field_count == 0 {
            return refuse("at least 1 non-time field must be queried");
        }
        if let Some(function) = &self.top_bottom
            && self.call_count > 1
        {
            return refuse(format!(
                "selector function {function}() cannot be combined with other functions"
            ));
        }
        if self.call_count == 0 {
            match self.fill {
                Fill::None => return refuse("fill(none) must be used with a function"),
                Fill::Linear => return refuse("fill(linear) must be used with a function"),
                _ => {}
            }
            if self.interval_ns != 0 && !self.inherited_interval {
                return refuse("GROUP BY requires at least one aggregate function");
            }
        }
        if self.has_distinct && (self.call_count != 1 || self.has_fields) {
            return refuse(
                "aggregate function distinct() cannot be combined with other functions or fields",
            );
        }
        if self.has_fields && !self.only_selectors {
            return refuse("mixing aggregate and non-aggregate queries is not supported");
        }
        if self.has_fields && self.call_count > 1 {
            return refuse(
                "mixing multiple selector functions with tags or fields is not supported",
            );
        }
        Ok(())
    }
}

pub(super) fn check_count(name: &str, expected: usize, got: usize) -> Outcome<()> {
    if expected == got {
        return Ok(());
    }
    refuse(format!("invalid number of arguments for {name}, expected {expected}, got {got}"))
}

/// A condition may call mathematical functions alone.
fn check_condition(expr: &Expr) -> Outcome<()> {
    match expr {
        Expr::Binary(binary) => {
            check_condition(&binary.left)?;
            check_condition(&binary.right)
        }
        Expr::Call(call) => {
            let Some(count) = math::argument_count(&call.name) else {
                return refuse(format!("invalid function call in condition: {call}"));
            };
            // The server forgets here that `log` takes two.
            let expected = if call.name == "log" { 1 } else { count };
            check_count(&call.name, expected, call.args.len())?;
            call.args.iter().try_for_each(check_condition)
        }
        _ => Ok(()),
    }
}

/// Checks what a statement groups by, puts a number in the place of `now()` as an offset, and
/// gives the length of the windows.
fn compile_dimensions(select: &mut Select, now_ns: i64) -> Outcome<i64> {
    let mut interval_ns = 0;
    let Select { dimensions, zone, .. } = select;
    for dimension in dimensions {
        let mut reduced = Reducer::default().reduce(dimension);
        match &mut reduced {
            Expr::Ref(name) if name.name.eq_ignore_ascii_case("time") => {
                return refuse("time() is a function and expects at least one argument");
            }
            Expr::Call(call) => {
                if call.name != "time" {
                    return refuse("only time() calls allowed in dimensions");
                }
                if call.args.is_empty() || call.args.len() > 2 {
                    return refuse("time dimension expected 1 or 2 arguments");
                }
                let Expr::Duration(length_ns) = call.args[0] else {
                    return refuse("time dimension must have duration argument");
                };
                if interval_ns != 0 {
                    return refuse("multiple time dimensions not allowed");
                }
                interval_ns = length_ns;
                if let Some(offset) = call.args.get_mut(1) {
                    *offset = window_offset(offset, (length_ns, now_ns), zone.as_ref())?;
                }
            }
            Expr::Ref(_) | Expr::Wildcard(_) | Expr::Regex(_) => {}
            _ => return refuse("only time and tag dimensions allowed"),
        }
        *dimension = reduced;
    }
    Ok(interval_ns)
}

fn window_offset(
    offset: &Expr,
    (length_ns, now_ns): (i64, i64),
    zone: Option<&Zone>,
) -> Outcome<Expr> {
    match offset {
        Expr::Duration(_) => Ok(offset.clone()),
        Expr::Call(call) if call.name != "now" => {
            refuse("time dimension offset function must be now()")
        }
        Expr::Call(call) if !call.args.is_empty() => {
            refuse("time dimension offset now() function requires no arguments")
        }
        Expr::Call(_) => {
            let since_year_one = i128::from(now_ns) + YEAR_ONE_TO_EPOCH_NS;
            let rest = since_year_one.rem_euclid(i128::from(length_ns.max(1)));
            let rest = i64::try_from(rest).expect("a remainder is less than its divisor");
            Ok(Expr::Duration(rest))
        }
        Expr::String(text) => {
            let reducer = Reducer { zone: zone.map(|zone| &zone.zone), ..Reducer::default() };
            if reducer.instant(text).is_err() {
                return refuse("time dimension offset must be duration or now()");
            }
            refuse(format!("invalid time dimension offset: {offset}"))
        }
        _ => refuse("time dimension offset must be duration or now()"),
    }
}
