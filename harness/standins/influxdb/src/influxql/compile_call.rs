//! Checks the arguments of functions that aggregate, select or transform.

use super::ast::{Call, Expr};
use super::compile::{Compiler, check_count};
use super::condition::kind_of;
use super::error::{Outcome, QueryError};
use super::format::format_duration;

fn refuse<T>(message: impl Into<String>) -> Outcome<T> {
    Err(QueryError::new(message))
}

impl Compiler {
    /// Checks one call and notes what it means for the statement.
    pub(super) fn call(&mut self, call: &Call, wildcards: &mut bool) -> Outcome<()> {
        let name = call.name.as_str();
        match name {
            "percentile" => {
                check_count(name, 2, call.args.len())?;
                if !matches!(call.args[1], Expr::Integer(_) | Expr::Number(_)) {
                    return refuse("expected float argument in percentile()");
                }
                self.symbol(name, &call.args[0], *wildcards)
            }
            "distinct" => self.distinct(&call.args, true),
            "top" | "bottom" => self.top_bottom(call),
            "derivative" | "non_negative_derivative" | "elapsed" => {
                check_range(name, call.args.len())?;
                if let Some(unit) = call.args.get(1) {
                    let wrong = format!(
                        "second argument to {name} must be a duration, got {}",
                        kind_of(unit)
                    );
                    check_unit(unit, &wrong)?;
                }
                self.transformation(call, 1, wildcards)
            }
            "difference" | "non_negative_difference" | "cumulative_sum" => {
                check_count(name, 1, call.args.len())?;
                self.transformation(call, 1, wildcards)
            }
            "moving_average" => {
                check_count(name, 2, call.args.len())?;
                let Expr::Integer(width) = call.args[1] else {
                    let kind = kind_of(&call.args[1]);
                    return refuse(format!(
                        "second argument for moving_average must be an integer, got {kind}"
                    ));
                };
                if width <= 1 {
                    return refuse(format!(
                        "moving_average window must be greater than 1, got {width}"
                    ));
                }
                self.transformation(call, width, wildcards)
            }
            "integral" => {
                check_range(name, call.args.len())?;
                if let Some(unit) = call.args.get(1) {
                    check_unit(unit, "second argument must be a duration")?;
                }
                self.only_selectors = false;
                self.symbol(name, &call.args[0], *wildcards)
            }
            _ => self.aggregate(call, *wildcards),
        }
    }

    fn aggregate(&mut self, call: &Call, wildcards: bool) -> Outcome<()> {
        match call.name.as_str() {
            "max" | "min" | "first" | "last" => {}
            "count" | "sum" | "mean" | "median" | "mode" | "stddev" | "spread" => {
                self.only_selectors = false;
            }
            other => return refuse(format!("undefined function {other}()")),
        }
        check_count(&call.name, 1, call.args.len())?;
        if call.name == "count" {
            match &call.args[0] {
                Expr::Call(inner) if inner.name == "distinct" => {
                    return self.distinct(&inner.args, false);
                }
                Expr::Distinct(_) => {
                    self.only_selectors = false;
                    return Ok(());
                }
                _ => {}
            }
        }
        self.symbol(&call.name, &call.args[0], wildcards)
    }

    /// The argument must name fields.
    fn symbol(&mut self, function: &str, arg: &Expr, wildcards: bool) -> Outcome<()> {
        match arg {
            Expr::Ref(_) => Ok(()),
            Expr::Wildcard(_) if !wildcards => {
                refuse(format!("unsupported expression with wildcard: {function}()"))
            }
            Expr::Regex(_) if !wildcards => {
                refuse(format!("unsupported expression with regex field: {function}()"))
            }
            Expr::Wildcard(_) | Expr::Regex(_) => {
                self.only_selectors = false;
                Ok(())
            }
            _ => refuse(format!("expected field argument in {function}()")),
        }
    }

    /// A function over consecutive points or, within windows, over an aggregate.
    fn transformation(&mut self, call: &Call, extra: i64, wildcards: &mut bool) -> Outcome<()> {
        let name = &call.name;
        self.only_selectors = false;
        self.extra_intervals = self.extra_intervals.max(extra);
        match &call.args[0] {
            Expr::Call(_) if self.interval_ns == 0 => {
                refuse(format!("{name} aggregate requires a GROUP BY interval"))
            }
            Expr::Call(inner) if inner.name == "distinct" => self.distinct(&inner.args, false),
            inner @ Expr::Call(_) => self.expr(inner, wildcards),
            _ if self.interval_ns != 0 && !self.inherited_interval => {
                refuse(format!("aggregate function required inside the call to {name}"))
            }
            arg => self.symbol(name, arg, *wildcards),
        }
    }

    fn distinct(&mut self, args: &[Expr], alone: bool) -> Outcome<()> {
        let [arg] = args else {
            return refuse(if args.is_empty() {
                "distinct function requires at least one argument"
            } else {
                "distinct function can only have one argument"
            });
        };
        if !matches!(arg, Expr::Ref(_)) {
            return refuse("expected field argument in distinct()");
        }
        self.has_distinct |= alone;
        self.only_selectors = false;
        Ok(())
    }

    fn top_bottom(&mut self, call: &Call) -> Outcome<()> {
        if let Some(other) = &self.top_bottom {
            return refuse(format!(
                "selector function {other}() cannot be combined with other functions"
            ));
        }
        let name = &call.name;
        let [field, extra @ .., limit] = call.args.as_slice() else {
            let got = call.args.len();
            return refuse(format!(
                "invalid number of arguments for {name}, expected at least 2, got {got}"
            ));
        };
        let Expr::Integer(limit) = limit else {
            return refuse(format!("expected integer as last argument in {name}(), found {limit}"));
        };
        if *limit <= 0 {
            return refuse(format!("limit ({limit}) in {name} function must be at least 1"));
        }
        if self.limit > 0 && *limit > self.limit {
            let most = self.limit;
            return refuse(format!(
                "limit ({limit}) in {name} function can not be larger than the LIMIT ({most}) in \
                 the select statement"
            ));
        }
        if !matches!(field, Expr::Ref(_)) {
            return refuse(format!(
                "expected first argument to be a field in {name}(), found {field}"
            ));
        }
        for arg in extra {
            if !matches!(arg, Expr::Ref(_)) {
                return refuse(format!("only fields or tags are allowed in {name}(), found {arg}"));
            }
            self.has_fields = true;
        }
        self.top_bottom = Some(name.clone());
        Ok(())
    }
}

fn check_range(name: &str, got: usize) -> Outcome<()> {
    if (1..=2).contains(&got) {
        return Ok(());
    }
    refuse(format!(
        "invalid number of arguments for {name}, expected at least 1 but no more than 2, got {got}"
    ))
}

fn check_unit(unit: &Expr, wrong: &str) -> Outcome<()> {
    match unit {
        Expr::Duration(length_ns) if *length_ns <= 0 => {
            let text = format_duration(*length_ns);
            refuse(format!("duration argument must be positive, got {text}"))
        }
        Expr::Duration(_) => Ok(()),
        _ => refuse(wrong),
    }
}
