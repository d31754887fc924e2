//! Operators where the service differs: it compares text with text only, and integers that
//! overflow are an error.
//!
//! [`Operators`] is asked by the planner for each operator; [`check`] looks at the finished plan
//! for what the planner does not ask about.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::kernels::numeric;
use arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{InList, ScalarFunction};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Between, Expr, ExprSchemable, LogicalPlan, ScalarUDF};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::udf::{Kind, Simple, type_name};

/// Plans binary operators.
#[derive(Debug)]
pub(super) struct Operators {
    add: Arc<ScalarUDF>,
    subtract: Arc<ScalarUDF>,
    multiply: Arc<ScalarUDF>,
}

impl Operators {
    pub(super) fn new() -> Self {
        Self {
            add: checked("$add", |args| Ok(numeric::add(&args[0], &args[1])?)),
            subtract: checked("$subtract", |args| Ok(numeric::sub(&args[0], &args[1])?)),
            multiply: checked("$multiply", |args| Ok(numeric::mul(&args[0], &args[1])?)),
        }
    }

    /// The function that computes an operator on integers without wrapping round.
    fn on_integers(&self, op: &BinaryOperator) -> Option<&Arc<ScalarUDF>> {
        match op {
            BinaryOperator::Plus => Some(&self.add),
            BinaryOperator::Minus => Some(&self.subtract),
            BinaryOperator::Multiply => Some(&self.multiply),
            _ => None,
        }
    }
}

impl ExprPlanner for Operators {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let left = expr.left.get_type(schema)?;
        let right = expr.right.get_type(schema)?;
        let joins = matches!(
            expr.op,
            BinaryOperator::And | BinaryOperator::Or | BinaryOperator::StringConcat
        );
        if !joins {
            check_pair(&left, &right, &expr.op.to_string(), is_arithmetic(&expr.op))?;
        }
        if left.is_integer()
            && right.is_integer()
            && let Some(function) = self.on_integers(&expr.op)
        {
            let args = vec![expr.left, expr.right];
            let call = ScalarFunction::new_udf(Arc::clone(function), args);
            return Ok(PlannerResult::Planned(Expr::ScalarFunction(call)));
        }
        Ok(PlannerResult::Original(expr))
    }
}

/// Refuses `BETWEEN` and `IN` over types that do not compare.
pub(super) fn check(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        let inputs = node.inputs();
        let schema =
            if inputs.is_empty() { node.schema().as_ref().clone() } else { merge_schema(&inputs) };
        node.apply_expressions(|expr| {
            expr.apply(|inner| check_expr(inner, &schema).map(|()| TreeNodeRecursion::Continue))
        })
    })?;
    Ok(())
}

fn check_expr(expr: &Expr, schema: &DFSchema) -> Result<()> {
    let (subject, others, op) = match expr {
        Expr::Between(Between { expr, low, high, .. }) => {
            (expr, vec![low.as_ref(), high.as_ref()], "BETWEEN")
        }
        Expr::InList(InList { expr, list, .. }) => (expr, list.iter().collect(), "IN"),
        _ => return Ok(()),
    };
    let left = subject.get_type(schema)?;
    others.into_iter().try_for_each(|other| check_pair(&left, &other.get_type(schema)?, op, false))
}

/// Types of one class compare with each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Boolean,
    Number,
    Text,
    Time,
    Other,
}

impl Class {
    fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Self::Boolean,
            DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => Self::Text,
            DataType::Timestamp(..) | DataType::Date32 => Self::Time,
            number if number.is_numeric() => Self::Number,
            _ => Self::Other,
        }
    }
}

fn check_pair(left: &DataType, right: &DataType, op: &str, arithmetic: bool) -> Result<()> {
    let classes = [Class::of(left), Class::of(right)];
    let apart = match classes {
        // Neither a null nor an interval is judged here.
        [Class::Other, _] | [_, Class::Other] => false,
        // A time compares with its text.
        [Class::Text | Class::Time, Class::Text]
        | [Class::Text, Class::Time]
        | [Class::Boolean, Class::Boolean] => arithmetic,
        [left, right] => left != right,
    };
    if apart {
        return plan_err!("Cannot apply operator: {} {op} {}", type_name(left), type_name(right));
    }
    Ok(())
}

fn is_arithmetic(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo
    )
}

fn checked(name: &'static str, body: fn(&[ArrayRef]) -> Result<ArrayRef>) -> Arc<ScalarUDF> {
    const TAKES: &[Kind] = &[Kind::BigInt, Kind::BigInt];
    let simple = Simple { name, takes: TAKES, gives: DataType::Int64, body };
    Arc::new(simple.into_udf().1)
}
