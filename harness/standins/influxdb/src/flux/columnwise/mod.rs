//! Functions of rows, evaluated a column at a time.
//!
//! [`RowFunction`] calls one of the script's functions for many rows of a table at once: each part
//! of its body is computed for all rows before the next part is looked at. Both branches of a
//! condition are computed for all rows. Where that meets a mistake, or something that has no value
//! per column, the rows are evaluated one by one by the interpreter instead, so the answer and its
//! mistakes are always the interpreter's.

mod kernels;
mod vector;

use std::sync::Arc;

pub(crate) use self::vector::Vector;

use self::kernels::Logic;
use super::ast::{
    BinaryOperator, Body, Expr, ExprKind, FunctionExpr, Name, Property, Statement, StringPart,
};
use super::builtins::{Argument, Arguments, Call};
use super::error::FluxError;
use super::interpreter::{Env, Function, Interpreter, Lambda};
use super::operators;
use super::stream::Site;
use super::table::{Column, Data, Table};
use super::value::{Row, Value};

/// How many rows are evaluated together: their intermediate columns fit into a near cache.
pub(crate) const CHUNK_ROWS: usize = 4096;

/// Why the rows have to be evaluated one by one.
struct NotByColumn;

type Columnwise<T> = Result<T, NotByColumn>;

impl From<FluxError> for NotByColumn {
    /// The interpreter tells of the mistake when it comes to the row that has it.
    fn from(_: FluxError) -> Self {
        Self
    }
}

/// One of the script's functions, called for many rows.
#[derive(Clone, Debug)]
pub(crate) struct RowFunction {
    lambda: Lambda,
    /// What the server calls its evaluation when it fails, if it says so.
    name: Option<&'static str>,
}

impl RowFunction {
    /// A function whose one parameter is a row.
    pub(crate) fn new(lambda: Lambda, name: Option<&'static str>) -> Self {
        Self { lambda, name }
    }

    /// Words a mistake as the server does.
    fn told(&self, error: FluxError) -> FluxError {
        let Function::Own { expr, .. } = &*self.lambda.function else { return error };
        if self.logic() == Logic::ThreeValued {
            return error.in_vectors();
        }
        error.in_rows(self.name, expr.span)
    }

    /// Whether the server's `map` computes it a column at a time.
    pub(crate) fn is_vectorized(&self) -> bool {
        matches!(&*self.lambda.function, Function::Own { expr, .. } if is_vectorized(expr))
    }

    fn logic(&self) -> Logic {
        let of_vectors = self.name == Some("map") && self.is_vectorized();
        if of_vectors { Logic::ThreeValued } else { Logic::Sided }
    }

    /// The results for the rows from one up to but not including another.
    pub(crate) fn results(
        &self,
        table: &Arc<Table>,
        from: usize,
        to: usize,
    ) -> Result<Vector, FluxError> {
        if let Function::Own { expr, env } = &*self.lambda.function
            && let [parameter] = expr.parameters.as_slice()
        {
            let logic = self.logic();
            let interpreter = &self.lambda.interpreter;
            let rows = Rows { interpreter, table, from, to, logic, depth: 0 };
            let bound = vec![(Name::clone(&parameter.name), Vector::Row)];
            if let Ok(results) = rows.call(expr, env.as_ref(), bound) {
                return Ok(results);
            }
        }
        let row = |index| {
            let row = Row { table: Arc::clone(table), index };
            self.lambda.call_row(row).map_err(|error| self.told(error))
        };
        Ok(Vector::from_values((from..to).map(row).collect::<Result<_, _>>()?))
    }

    /// Takes out the rows, counted from `from`, for which an expression of the function's body does
    /// not hold. It is not computed for rows that are already out.
    pub(crate) fn narrow(
        &self,
        expr: &Expr,
        table: &Arc<Table>,
        from: usize,
        kept: &mut [bool],
    ) -> Result<(), FluxError> {
        let Function::Own { expr: own, env } = &*self.lambda.function else {
            return Err(FluxError::new("a condition is a function of the script"));
        };
        let name = own.parameters.first().map(|parameter| Name::clone(&parameter.name));
        let name = name.unwrap_or_else(|| Name::from("r"));
        let interpreter = &self.lambda.interpreter;
        let to = from + kept.len();
        let rows = Rows { interpreter, table, from, to, logic: Logic::Sided, depth: 0 };
        let names = vec![(Name::clone(&name), Vector::Row)];
        let scope = Scope { names, outer: env.as_ref() };
        interpreter.execution.count_calls(kept.len() as u64)?;
        if let Ok(results) = rows.eval(expr, &scope)
            && let Some(flags) = rows.flat(&results).flags(kept.len())
        {
            kept.iter_mut().zip(flags).for_each(|(kept, flag)| *kept &= flag);
            return Ok(());
        }
        for (at, kept) in kept.iter_mut().enumerate().filter(|(_, kept)| **kept) {
            let row = Value::Row(Row { table: Arc::clone(table), index: from + at });
            let env = Env::of(Name::clone(&name), row, env.as_ref());
            let value = interpreter.eval(expr, Some(&env));
            *kept = value.and_then(|value| is_true(&value)).map_err(|error| self.told(error))?;
        }
        Ok(())
    }

    /// The results of the whole function, as conditions.
    pub(crate) fn flags(
        &self,
        table: &Arc<Table>,
        from: usize,
        to: usize,
    ) -> Result<Vec<bool>, FluxError> {
        let results = self.results(table, from, to)?;
        if let Some(flags) = results.flat(table, from, to).flags(to - from) {
            return Ok(flags);
        }
        (0..to - from).map(|at| is_true(&results.value(at, table, from))).collect()
    }
}

/// Whether a condition holds; null is not true.
pub(crate) fn is_true(value: &Value) -> Result<bool, FluxError> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::Null(_) => Ok(false),
        other => Err(FluxError::types("bool", other.type_word())),
    }
}

/// Whether the server computes a function a column at a time, which shows in how it words mistakes.
fn is_vectorized(function: &FunctionExpr) -> bool {
    let (Body::Expression(body), [row]) = (&function.body, function.parameters.as_slice()) else {
        return false;
    };
    let ExprKind::Record { properties, .. } = &body.kind else { return false };
    &*row.name == "r" && properties.iter().all(|property| is_vector(&property.value, &row.name))
}

fn is_vector(expr: &Expr, row: &str) -> bool {
    match &expr.kind {
        ExprKind::Integer(_) | ExprKind::Float(_) | ExprKind::String(_) | ExprKind::Time(_) => true,
        ExprKind::Identifier(name) => matches!(&**name, "true" | "false"),
        ExprKind::Member { object, .. } => {
            matches!(&object.kind, ExprKind::Identifier(name) if **name == *row)
        }
        ExprKind::Unary { operand, .. } => is_vector(operand, row),
        ExprKind::Binary { operator, left, right } => {
            !matches!(operator, BinaryOperator::Matches | BinaryOperator::MatchesNot)
                && is_vector(left, row)
                && is_vector(right, row)
        }
        ExprKind::Logical { operands, .. } => operands.iter().all(|part| is_vector(part, row)),
        ExprKind::Conditional { test, yes, no } => {
            [test, yes, no].iter().all(|part| is_vector(part, row))
        }
        ExprKind::Call { callee, arguments } => {
            matches!(&callee.kind, ExprKind::Identifier(name) if &**name == "float")
                && arguments.iter().all(|argument| is_vector(&argument.value, row))
        }
        _ => false,
    }
}

/// Names with a value a row, over names with one value.
struct Scope<'a> {
    names: Vec<(Name, Vector)>,
    outer: Option<&'a Arc<Env>>,
}

impl Scope<'_> {
    fn get(&self, wanted: &str) -> Option<&Vector> {
        self.names.iter().rev().find(|(name, _)| **name == *wanted).map(|(_, vector)| vector)
    }
}

/// The rows that are being evaluated.
struct Rows<'a> {
    interpreter: &'a Interpreter,
    table: &'a Arc<Table>,
    from: usize,
    to: usize,
    logic: Logic,
    depth: usize,
}

/// How deep calls may be nested before the interpreter takes over, counted as it counts.
const MAX_DEPTH: usize = 300;

impl Rows<'_> {
    fn count(&self) -> usize {
        self.to - self.from
    }

    fn value(&self, vector: &Vector, at: usize) -> Value {
        vector.value(at, self.table, self.from)
    }

    /// Calls one of the script's functions with all its parameters bound.
    fn call(
        &self,
        function: &FunctionExpr,
        outer: Option<&Arc<Env>>,
        names: Vec<(Name, Vector)>,
    ) -> Columnwise<Vector> {
        let depth = self.depth + 1 + function.height;
        if depth > MAX_DEPTH {
            return Err(NotByColumn);
        }
        let rows = Rows { depth, ..*self };
        let mut scope = Scope { names, outer };
        let result = match &function.body {
            Body::Expression(expr) => rows.eval(expr, &scope)?,
            Body::Block(statements) => rows.block(statements, &mut scope)?,
        };
        self.interpreter.execution.count_calls(self.count() as u64)?;
        Ok(result)
    }

    fn block(&self, statements: &[Statement], scope: &mut Scope<'_>) -> Columnwise<Vector> {
        for statement in statements {
            match statement {
                Statement::Return(expr) => return self.eval(expr, scope),
                Statement::Assignment(assigned) => {
                    let value = self.eval(&assigned.value, scope)?;
                    scope.names.push((Name::clone(&assigned.name), value));
                }
                Statement::Expression(_) | Statement::Option(_) => return Err(NotByColumn),
            }
        }
        Err(NotByColumn)
    }

    fn eval(&self, expr: &Expr, scope: &Scope<'_>) -> Columnwise<Vector> {
        Ok(match &expr.kind {
            ExprKind::Identifier(name) => match scope.get(name) {
                Some(vector) => vector.clone(),
                None => Vector::Same(self.interpreter.eval(expr, scope.outer)?),
            },
            ExprKind::Integer(_)
            | ExprKind::Float(_)
            | ExprKind::String(_)
            | ExprKind::Duration(_)
            | ExprKind::Time(_)
            | ExprKind::Regex(_) => Vector::Same(self.interpreter.eval(expr, None)?),
            ExprKind::Member { object, name } => {
                self.eval(object, scope)?.member(name, self.table).ok_or(NotByColumn)?
            }
            ExprKind::Unary { operator, operand } => {
                let operand = self.eval(operand, scope)?;
                self.each(&[operand], |values| operators::unary(*operator, values[0].clone()))?
            }
            ExprKind::Binary { operator, left, right } => {
                let (left, right) = (self.eval(left, scope)?, self.eval(right, scope)?);
                let fast = kernels::binary(*operator, &self.flat(&left), &self.flat(&right));
                match fast {
                    Some(result) => result,
                    None => self.each(&[left, right], |values| {
                        operators::binary(*operator, &values[0], &values[1])
                    })?,
                }
            }
            ExprKind::Logical { operator, operands } => {
                let operands = operands.iter().map(|operand| self.eval(operand, scope));
                let operands = operands.collect::<Columnwise<Vec<_>>>()?;
                let flat: Vec<Vector> = operands.iter().map(|operand| self.flat(operand)).collect();
                kernels::logical(self.logic, *operator, &flat, self.count()).ok_or(NotByColumn)?
            }
            ExprKind::Conditional { test, yes, no } => self.conditional(test, yes, no, scope)?,
            ExprKind::Record { with, properties } => {
                self.record(with.as_deref(), properties, scope)?
            }
            ExprKind::Interpolated(parts) => self.interpolated(parts, scope)?,
            ExprKind::Array(elements) => {
                let elements = elements.iter().map(|element| self.eval(element, scope));
                let elements = elements.collect::<Columnwise<Vec<_>>>()?;
                self.each(&elements, |values| Ok(Value::Array(Arc::new(values.to_vec()))))?
            }
            ExprKind::Call { callee, arguments } => {
                self.call_expr(expr, callee, arguments, None, scope)?
            }
            ExprKind::Pipe { source, call } => {
                let ExprKind::Call { callee, arguments } = &call.kind else {
                    return Err(NotByColumn);
                };
                let piped = self.eval(source, scope)?;
                self.call_expr(call, callee, arguments, Some(piped), scope)?
            }
            ExprKind::Function(_) | ExprKind::Dict(_) | ExprKind::Index { .. } => {
                if scope.names.is_empty() || !mentions(expr, scope) {
                    Vector::Same(self.interpreter.eval(expr, scope.outer)?)
                } else {
                    return Err(NotByColumn);
                }
            }
        })
    }

    /// A vector with the cells of its source, if it has one.
    fn flat(&self, vector: &Vector) -> Vector {
        vector.flat(self.table, self.from, self.to)
    }

    /// Computes a value of each row, or one value when all operands have one.
    fn each(
        &self,
        operands: &[Vector],
        work: impl Fn(&[Value]) -> Result<Value, FluxError>,
    ) -> Columnwise<Vector> {
        let constants: Option<Vec<Value>> = operands.iter().map(Vector::same).collect();
        if let Some(constants) = constants {
            return Ok(Vector::Same(work(&constants)?));
        }
        let mut values = Vec::with_capacity(operands.len());
        let mut results = Vec::with_capacity(self.count());
        for at in 0..self.count() {
            values.clear();
            values.extend(operands.iter().map(|operand| self.value(operand, at)));
            results.push(self.interpreter.bounded(work(&values)?)?);
        }
        Ok(Vector::from_values(results))
    }

    fn conditional(
        &self,
        test: &Expr,
        yes: &Expr,
        no: &Expr,
        scope: &Scope<'_>,
    ) -> Columnwise<Vector> {
        let flags = self.flat(&self.eval(test, scope)?);
        let (chosen, always) = if let Some(value) = flags.same() {
            let always = is_true(&value)?;
            (self.eval(if always { yes } else { no }, scope)?, always)
        } else {
            let flags = flags.flags(self.count()).ok_or(NotByColumn)?;
            let (yes, no) = (self.eval(yes, scope)?, self.eval(no, scope)?);
            let chosen = flags.iter().enumerate().map(|(at, flag)| {
                let from = if *flag { &yes } else { &no };
                self.value(from, at)
            });
            (Vector::from_values(chosen.collect()), !flags.contains(&false))
        };
        // The interpreter finds the type of a null by the other branch. A column at a time, the
        // server does not look at that branch when all rows take the first.
        let seen = always && self.logic == Logic::ThreeValued;
        if chosen.is_untyped() && !seen { Err(NotByColumn) } else { Ok(chosen) }
    }

    fn record(
        &self,
        base: Option<&Expr>,
        properties: &[Property],
        scope: &Scope<'_>,
    ) -> Columnwise<Vector> {
        let mut entries = match base.map(|base| self.eval(base, scope)).transpose()? {
            None => Vec::new(),
            Some(base) => base.entries(self.table).ok_or(NotByColumn)?,
        };
        for property in properties {
            let value = self.eval(&property.value, scope)?;
            match entries.iter_mut().find(|(name, _)| *name == property.key) {
                Some((_, old)) => *old = value,
                None => entries.push((Name::clone(&property.key), value)),
            }
        }
        Ok(Vector::Record(Arc::new(entries)))
    }

    fn interpolated(&self, parts: &[StringPart], scope: &Scope<'_>) -> Columnwise<Vector> {
        let parts = parts.iter().map(|part| match part {
            StringPart::Text(text) => Ok(Vector::Same(Value::string(text))),
            StringPart::Expression(expr) => self.eval(expr, scope),
        });
        let parts = parts.collect::<Columnwise<Vec<_>>>()?;
        self.each(&parts, |values| {
            let mut text = String::new();
            for value in values {
                if value.is_null() {
                    return Err(FluxError::new("invalid interpolation type"));
                }
                text.push_str(&value.to_string());
            }
            Ok(Value::String(Arc::from(text)))
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one expression, taken apart once")]
    fn call_expr(
        &self,
        expr: &Expr,
        callee: &Expr,
        arguments: &[Property],
        piped: Option<Vector>,
        scope: &Scope<'_>,
    ) -> Columnwise<Vector> {
        let Some(Value::Function(function)) = self.eval(callee, scope)?.same() else {
            return Err(NotByColumn);
        };
        let given = arguments
            .iter()
            .map(|argument| Ok((Name::clone(&argument.key), self.eval(&argument.value, scope)?)));
        let given = given.collect::<Columnwise<Vec<_>>>()?;
        match &*function {
            Function::Own { expr: own, env } => {
                let bound = self.bind(own, env.as_ref(), given, piped)?;
                self.call(own, env.as_ref(), bound)
            }
            Function::Builtin(builtin) => {
                let vectors: Vec<Vector> =
                    given.iter().map(|(_, vector)| vector.clone()).chain(piped.clone()).collect();
                let site = Site::new(builtin.name, expr.span);
                self.each(&vectors, |values| {
                    let named = arguments.iter().zip(values).map(|(argument, value)| Argument {
                        name: Name::clone(&argument.key),
                        value: value.clone(),
                        span: argument.value.span,
                    });
                    let piped = values.get(arguments.len()).cloned();
                    let arguments = Arguments::new(named.collect(), piped);
                    let arguments = arguments.checked(builtin, expr.span)?;
                    let interpreter = self.interpreter;
                    (builtin.run)(&Call { builtin, interpreter, arguments, site })
                })
            }
        }
    }

    /// Gives the parameters of one of the script's functions their values.
    fn bind(
        &self,
        function: &FunctionExpr,
        env: Option<&Arc<Env>>,
        mut given: Vec<(Name, Vector)>,
        mut piped: Option<Vector>,
    ) -> Columnwise<Vec<(Name, Vector)>> {
        let mut bound = Vec::with_capacity(function.parameters.len());
        for parameter in &function.parameters {
            let at = given.iter().position(|(name, _)| *name == parameter.name);
            let value = match at {
                Some(at) => given.swap_remove(at).1,
                None if parameter.piped => piped.take().ok_or(NotByColumn)?,
                None => {
                    let default = parameter.default.as_ref().ok_or(NotByColumn)?;
                    Vector::Same(self.interpreter.eval(default, env)?)
                }
            };
            bound.push((Name::clone(&parameter.name), value));
        }
        if given.is_empty() && piped.is_none() { Ok(bound) } else { Err(NotByColumn) }
    }
}

/// Whether an expression may use a name that has a value a row.
fn mentions(expr: &Expr, scope: &Scope<'_>) -> bool {
    expr.names_any(&|name| scope.get(name).is_some())
}

/// Compares a column with one value, where that can be done for all rows at once.
pub(crate) fn compare_with(
    operator: BinaryOperator,
    column: &Column,
    value: &Value,
) -> Option<Vec<bool>> {
    let cells = Vector::Cells(column.data.clone());
    match kernels::binary(operator, &cells, &Vector::Same(value.clone()))? {
        Vector::Cells(Data::Bool(flags)) => flags.dense().map(<[bool]>::to_vec),
        _ => None,
    }
}
