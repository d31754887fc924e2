//! The types of names and expressions, before any row is read.

use std::collections::{BTreeMap, BTreeSet};

use super::ast::{Binary, DataType, Expr, Measurement, Select, Source};
use super::error::{Outcome, QueryError};
use super::eval::{Division, apply};
use super::value::Value;

/// The names that sources offer: fields with their types, and tags.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) fields: BTreeMap<String, DataType>,
    pub(crate) tags: BTreeSet<String>,
}

impl Names {
    /// Adds a field, or raises its type.
    pub(crate) fn add_field(&mut self, name: &str, data_type: DataType) {
        let known = self.fields.entry(name.to_owned()).or_insert(DataType::Unknown);
        *known = known.or_higher(data_type);
    }
}

/// Finds types; `of_field` knows those of a measurement's names.
pub(crate) struct Typing<'a> {
    pub(crate) sources: &'a [Source],
    pub(crate) of_field: &'a dyn Fn(&Measurement, &str) -> DataType,
}

impl Typing<'_> {
    /// The type of an expression, unknown where its parts do not go together.
    pub(crate) fn of(&self, expr: &Expr) -> DataType {
        self.check(expr).unwrap_or(DataType::Unknown)
    }

    /// The type of an expression, or what does not go together in it.
    pub(crate) fn check(&self, expr: &Expr) -> Outcome<DataType> {
        Ok(match expr {
            Expr::Ref(name) => match name.data_type {
                DataType::Unknown | DataType::AnyField => self.of_name(&name.name)?,
                known => known,
            },
            Expr::Call(call) => {
                let args: Outcome<Vec<DataType>> =
                    call.args.iter().map(|arg| self.check(arg)).collect();
                call_type(&call.name, args?.first().copied().unwrap_or(DataType::Unknown))
            }
            Expr::Binary(binary) => self.binary(expr, binary)?,
            Expr::Paren(inner) => self.check(inner)?,
            Expr::Number(_) => DataType::Float,
            Expr::Integer(_) => DataType::Integer,
            Expr::Unsigned(_) => DataType::Unsigned,
            Expr::String(_) => DataType::String,
            Expr::Boolean(_) => DataType::Boolean,
            _ => DataType::Unknown,
        })
    }

    fn of_name(&self, name: &str) -> Outcome<DataType> {
        let mut found = DataType::Unknown;
        for source in self.sources {
            match source {
                Source::Measurement(measurement) => {
                    found = found.or_higher((self.of_field)(measurement, name));
                }
                Source::SubQuery(select) => {
                    if let Some(expr) = select.column_expr(name) {
                        let inner = Typing { sources: &select.sources, of_field: self.of_field };
                        found = found.or_higher(inner.check(&expr)?);
                    }
                    let grouped =
                        |dimension: &Expr| matches!(dimension, Expr::Ref(tag) if tag.name == name);
                    if found == DataType::Unknown && select.dimensions.iter().any(grouped) {
                        found = DataType::Tag;
                    }
                }
            }
        }
        Ok(found)
    }

    fn binary(&self, expr: &Expr, binary: &Binary) -> Outcome<DataType> {
        let (left, right) = (self.check(&binary.left)?, self.check(&binary.right)?);
        let wrong =
            |message: String| Err(QueryError::new(format!("type error: {expr}: {message}")));
        let op = binary.op.text();
        let sides = match (left, right) {
            (DataType::Unsigned, DataType::Integer) => Some((&binary.left, &binary.right)),
            (DataType::Integer, DataType::Unsigned) => Some((&binary.right, &binary.left)),
            _ => None,
        };
        if let Some((unsigned, integer)) = sides {
            if unsigned.is_literal() {
                return wrong(format!("cannot use {op} with an integer and unsigned literal"));
            }
            if !integer.is_literal() {
                return wrong(format!(
                    "cannot use {op} between an integer and unsigned, an explicit cast is required"
                ));
            }
        }
        if left == DataType::Unknown || right == DataType::Unknown {
            return Ok(if left == DataType::Unknown { right } else { left });
        }
        // The server tries the operator on the zeros of both types.
        let result = apply(binary.op, Value::zero(left), Value::zero(right), Division::Whole);
        match result.data_type() {
            DataType::Unknown => wrong(format!("incompatible types: {left} and {right}")),
            known => Ok(known),
        }
    }
}

/// The type of what a function gives for an argument of a type.
pub(crate) fn call_type(name: &str, arg: DataType) -> DataType {
    match name {
        "mean"
        | "median"
        | "integral"
        | "stddev"
        | "derivative"
        | "non_negative_derivative"
        | "moving_average" => DataType::Float,
        "count" | "elapsed" => DataType::Integer,
        _ => arg,
    }
}

impl Select {
    /// The expression of a column by its name, or of an argument of `top` or `bottom` that
    /// becomes a column.
    pub(crate) fn column_expr(&self, name: &str) -> Option<Expr> {
        for field in &self.fields {
            if field.name() == name {
                return Some(field.expr.clone());
            }
            let extra = field.expr.extra_columns().iter();
            let named = |arg: &&Expr| matches!(arg, Expr::Ref(arg) if arg.name == name);
            if let Some(arg) = extra.clone().find(named) {
                return Some(arg.clone());
            }
        }
        None
    }
}

impl Expr {
    /// The arguments of `top` and `bottom` between the field and the limit: columns of their own.
    pub(crate) fn extra_columns(&self) -> &[Self] {
        match self {
            Self::Call(call) if matches!(&*call.name, "top" | "bottom") && call.args.len() > 2 => {
                &call.args[1..call.args.len() - 1]
            }
            _ => &[],
        }
    }
}
