//! What a join's functions say: the columns that `on` compares, and those that `as` reads.

use std::sync::Arc;

use crate::flux::ast::{
    BinaryOperator, Body, Expr, ExprKind, LogicalOperator, Name, Statement, StringPart,
};
use crate::flux::builtins::Call;
use crate::flux::error::{FluxError, FluxErrorCode};
use crate::flux::interpreter::Function;

/// Columns of the left and of the right that have to be equal.
#[derive(Clone, Debug)]
pub(super) struct Pairs {
    labels: [Vec<Arc<str>>; 2],
}

impl Pairs {
    /// Rows of one instant.
    pub(super) fn of_time() -> Self {
        let time = || vec![Arc::from("_time")];
        Self { labels: [time(), time()] }
    }

    /// The columns that the argument `on` compares.
    pub(super) fn of_call(call: &Call<'_>) -> Result<Self, FluxError> {
        let lambda = call.lambda_of("on", &["l", "r"])?;
        let mut pairs = Self { labels: [Vec::new(), Vec::new()] };
        match &*lambda.function {
            Function::Own { expr, .. } => match body(&expr.body) {
                Some(expr) => pairs.add(expr)?,
                None => {
                    return Err(unsupported(
                        "function body should be a single logical expression that compares \
                         columns from each table",
                    ));
                }
            },
            Function::Builtin(_) => {
                return Err(unsupported("illegal expression type in join predicate"));
            }
        }
        Ok(pairs)
    }

    /// The columns of one side: 0 is the left.
    pub(super) fn labels(&self, side: usize) -> &[Arc<str>] {
        &self.labels[side]
    }

    fn add(&mut self, expr: &Expr) -> Result<(), FluxError> {
        match &expr.kind {
            ExprKind::Logical { operator: LogicalOperator::And, operands } => {
                operands.iter().try_for_each(|operand| self.add(operand))
            }
            ExprKind::Logical { .. } => Err(unsupported_operator("or")),
            ExprKind::Binary { operator: BinaryOperator::Equal, left, right } => {
                let (one, other) = (member(left, "left")?, member(right, "right")?);
                let (left, right) = match (&*one.0, &*other.0) {
                    ("l", "r") => (one.1, other.1),
                    ("r", "l") => (other.1, one.1),
                    _ => {
                        return Err(unsupported(
                            "binary expression operands must reference `l` or `r` only, and may \
                             not reference the same object",
                        ));
                    }
                };
                self.labels[0].push(left);
                self.labels[1].push(right);
                Ok(())
            }
            ExprKind::Binary { operator, .. } => Err(unsupported_operator(operator.text())),
            other => Err(unsupported(&format!(
                "illegal expression type in join predicate: {}",
                node_type(other)
            ))),
        }
    }
}

fn unsupported_operator(operator: &str) -> FluxError {
    unsupported(&format!("unsupported operator in join predicate: {operator}"))
}

fn unsupported(reason: &str) -> FluxError {
    let message = format!(
        "error in building plan while starting program: error in join function - some \
         expressions are not yet supported in the `on` parameter: {reason}"
    );
    FluxError::whole(FluxErrorCode::Invalid, message)
}

/// `name.label`
fn member(expr: &Expr, side: &str) -> Result<(Name, Arc<str>), FluxError> {
    if let ExprKind::Member { object, name } = &expr.kind
        && let ExprKind::Identifier(object) = &object.kind
    {
        return Ok((Name::clone(object), Arc::clone(name)));
    }
    match node_type(&expr.kind) {
        node if node.ends_with("Literal") => {
            Err(unsupported(&format!("illegal expression type in join predicate: {node}")))
        }
        _ => Err(unsupported(&format!("{side} side of comparison is not a member expression"))),
    }
}

/// The server's word for what stands where it does not belong.
fn node_type(kind: &ExprKind) -> &'static str {
    match kind {
        ExprKind::Integer(_) => "IntegerLiteral",
        ExprKind::Float(_) => "FloatLiteral",
        ExprKind::String(_) => "StringLiteral",
        ExprKind::Duration(_) => "DurationLiteral",
        ExprKind::Time(_) => "DateTimeLiteral",
        ExprKind::Regex(_) => "RegexpLiteral",
        ExprKind::Interpolated(_) => "StringExpression",
        ExprKind::Array(_) => "ArrayExpression",
        ExprKind::Dict(_) => "DictExpression",
        ExprKind::Record { .. } => "ObjectExpression",
        ExprKind::Function(_) => "FunctionExpression",
        ExprKind::Call { .. } | ExprKind::Pipe { .. } => "CallExpression",
        ExprKind::Member { .. } => "MemberExpression",
        ExprKind::Index { .. } => "IndexExpression",
        ExprKind::Unary { .. } => "UnaryExpression",
        ExprKind::Binary { .. } => "BinaryExpression",
        ExprKind::Logical { .. } => "LogicalExpression",
        ExprKind::Conditional { .. } => "ConditionalExpression",
        ExprKind::Identifier(_) => "IdentifierExpression",
    }
}

/// The one expression that a function's body is.
fn body(body: &Body) -> Option<&Expr> {
    match body {
        Body::Expression(expr) => Some(expr),
        Body::Block(statements) => match statements.as_slice() {
            [Statement::Return(expr)] => Some(expr),
            _ => None,
        },
    }
}

/// The members that a function reads of one of its parameters.
pub(super) fn members(function: &Function, parameter: usize) -> Vec<Name> {
    let mut found = Vec::new();
    if let Function::Own { expr, .. } = function
        && let Some(parameter) = expr.parameters.get(parameter)
    {
        let of_parameter = |expr: &Expr| {
            if let ExprKind::Member { object, name } = &expr.kind
                && let ExprKind::Identifier(object) = &object.kind
                && *object == parameter.name
            {
                found.push(Name::clone(name));
            }
        };
        match &expr.body {
            Body::Expression(expr) => walk(expr, &mut { of_parameter }),
            Body::Block(statements) => walk_statements(statements, &mut { of_parameter }),
        }
    }
    found
}

fn walk_statements(statements: &[Statement], visit: &mut impl FnMut(&Expr)) {
    for statement in statements {
        match statement {
            Statement::Expression(expr) | Statement::Return(expr) => walk(expr, visit),
            Statement::Assignment(assigned) | Statement::Option(assigned) => {
                walk(&assigned.value, visit);
            }
        }
    }
}

/// Visits an expression and all within it. A function within may call its parameters the same, so
/// what it reads is its own affair.
fn walk(expr: &Expr, visit: &mut impl FnMut(&Expr)) {
    visit(expr);
    match &expr.kind {
        ExprKind::Interpolated(parts) => {
            for part in parts {
                if let StringPart::Expression(expr) = part {
                    walk(expr, visit);
                }
            }
        }
        ExprKind::Array(elements) | ExprKind::Logical { operands: elements, .. } => {
            for element in elements {
                walk(element, visit);
            }
        }
        ExprKind::Dict(pairs) => {
            for (key, value) in pairs {
                walk(key, visit);
                walk(value, visit);
            }
        }
        ExprKind::Record { with, properties } => {
            if let Some(base) = with {
                walk(base, visit);
            }
            for property in properties {
                walk(&property.value, visit);
            }
        }
        ExprKind::Call { callee, arguments } => {
            walk(callee, visit);
            for argument in arguments {
                walk(&argument.value, visit);
            }
        }
        ExprKind::Pipe { source: one, call: other }
        | ExprKind::Index { object: one, index: other }
        | ExprKind::Binary { left: one, right: other, .. } => {
            walk(one, visit);
            walk(other, visit);
        }
        ExprKind::Member { object: one, .. } | ExprKind::Unary { operand: one, .. } => {
            walk(one, visit);
        }
        ExprKind::Conditional { test, yes, no } => {
            for part in [test, yes, no] {
                walk(part, visit);
            }
        }
        ExprKind::Function(_)
        | ExprKind::Identifier(_)
        | ExprKind::Integer(_)
        | ExprKind::Float(_)
        | ExprKind::String(_)
        | ExprKind::Duration(_)
        | ExprKind::Time(_)
        | ExprKind::Regex(_) => {}
    }
}
