//! Which series a condition lets through, and what of it is left to ask of their points.

use std::sync::Arc;

use super::points::tag;
use crate::influxql::ast::{Binary, DataType, Expr, VarRef};
use crate::influxql::reduce::Reducer;
use crate::influxql::token::Op;

/// What a condition says of a series.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Choice {
    Out,
    /// In, as far as its points pass what is left of the condition.
    In(Option<Expr>),
}

/// A series that a condition is asked about.
pub(super) struct Candidate<'a> {
    pub(super) measurement: &'a str,
    pub(super) tags: &'a [(Arc<str>, Arc<str>)],
    /// Whether the measurement has a field of a name.
    pub(super) has_field: &'a dyn Fn(&str) -> bool,
}

impl Candidate<'_> {
    /// What an optional condition says.
    pub(super) fn choose(&self, condition: Option<&Expr>) -> Choice {
        condition.map_or(Choice::In(None), |condition| self.ask(condition))
    }

    fn ask(&self, expr: &Expr) -> Choice {
        match expr {
            Expr::Binary(binary) => match binary.op {
                Op::And => both(self.ask(&binary.left), self.ask(&binary.right)),
                Op::Or => either(self.ask(&binary.left), self.ask(&binary.right)),
                _ => self.compare(expr, binary),
            },
            Expr::Paren(inner) => self.ask(inner),
            Expr::Boolean(true) => Choice::In(None),
            _ => Choice::Out,
        }
    }

    fn is_field(&self, name: &VarRef) -> bool {
        name.name != "_name"
            && match name.data_type {
                DataType::Unknown => (self.has_field)(&name.name),
                DataType::Tag => false,
                _ => true,
            }
    }

    fn compare(&self, expr: &Expr, binary: &Binary) -> Choice {
        let left_over = || Choice::In(Some(expr.clone()));
        if matches!(binary.left, Expr::Binary(_)) || matches!(binary.right, Expr::Binary(_)) {
            return left_over();
        }
        let ((Expr::Ref(key), value) | (value, Expr::Ref(key))) = (&binary.left, &binary.right)
        else {
            return left_over();
        };
        if self.is_field(key) || matches!(value, Expr::Ref(other) if self.is_field(other)) {
            return left_over();
        }
        let own = tag(self.tags, &key.name).map(|value| &**value);
        let chosen = match value {
            Expr::String(text) if key.name == "_name" => {
                let same = self.measurement == text;
                (binary.op == Op::Eq && same) || (binary.op == Op::Neq && !same)
            }
            // Anything but an equality is an inequality here, as on the server.
            Expr::String(text) => (own.unwrap_or_default() == text) == (binary.op == Op::Eq),
            Expr::Regex(pattern) => {
                let text =
                    if key.name == "_name" { self.measurement } else { own.unwrap_or_default() };
                pattern.is_match(text) == (binary.op == Op::EqRegex)
            }
            // The server looks whether both tags are there, not whether they are equal.
            Expr::Ref(other) => {
                let other = tag(self.tags, &other.name).is_some();
                own.is_some() && other == (binary.op == Op::Eq)
            }
            _ => return left_over(),
        };
        if chosen { Choice::In(None) } else { Choice::Out }
    }
}

fn both(left: Choice, right: Choice) -> Choice {
    match (left, right) {
        (Choice::In(Some(left)), Choice::In(Some(right))) => {
            let joined = Expr::binary(Op::And, left, right);
            Choice::In(Some(Reducer::default().reduce(&joined)))
        }
        (Choice::In(left), Choice::In(right)) => Choice::In(left.or(right)),
        _ => Choice::Out,
    }
}

fn either(left: Choice, right: Choice) -> Choice {
    match (left, right) {
        (Choice::In(Some(left)), Choice::In(Some(right))) => {
            let joined = Expr::binary(Op::Or, left, right);
            Choice::In(Some(Reducer::default().reduce(&joined)))
        }
        (Choice::In(_), Choice::In(_)) => Choice::In(None),
        (Choice::Out, chosen) | (chosen, Choice::Out) => chosen,
    }
}
