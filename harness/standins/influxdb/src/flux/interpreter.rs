//! Evaluation of the syntax tree.
//!
//! [`Interpreter::run`] evaluates a script's statements and gathers its results: the streams that
//! `yield` names and those that stand alone as statements. Functions of the script are closures
//! over an [`Env`]; built-in functions come from the table in `builtins`.

mod call;

use std::sync::Arc;

pub(crate) use self::call::Lambda;

use super::ast::{
    Assignment, Expr, ExprKind, File, FunctionExpr, LogicalOperator, Name, Property, Statement,
    StringPart,
};
use super::builtins::{self, Builtin};
use super::error::{FluxError, FluxErrorCode};
use super::operators;
use super::outside;
use super::stream::{Execution, Site, Stream};
use super::value::{Record, Value};

/// How deep calls may nest while they are evaluated, counted in the expressions that are nested in
/// their bodies. What is evaluated lies on the stack.
const MAX_DEPTH: usize = 900;

/// How many scalars a value may hold.
const MAX_WEIGHT: u64 = 4_000_000;

/// Texts up to this length are not worth counting.
const SHORT_TEXT: usize = 64;

/// The options of packages that a script may set. Those of the planner change how a server computes
/// and not what.
const OPTIONS: &[&str] = &[
    "monitor.log",
    "monitor.write",
    "planner.disableLogicalRules",
    "planner.disablePhysicalRules",
    "schema._from",
    "testing.load",
    "testing.tags",
];

/// A function value.
#[derive(Debug)]
pub(crate) enum Function {
    /// One of the script's, with what it can see.
    Own {
        expr: Arc<FunctionExpr>,
        env: Option<Arc<Env>>,
    },
    Builtin(&'static Builtin),
}

/// Names and their values: a scope and the ones around it.
#[derive(Clone, Debug)]
pub(crate) struct Env {
    names: Vec<(Name, Value)>,
    outer: Option<Arc<Env>>,
}

impl Env {
    /// A scope with one name.
    pub(crate) fn of(name: Name, value: Value, outer: Option<&Arc<Self>>) -> Arc<Self> {
        Arc::new(Self { names: vec![(name, value)], outer: outer.cloned() })
    }

    fn get(&self, wanted: &str) -> Option<&Value> {
        let own = self.names.iter().find(|(name, _)| **name == *wanted);
        match own {
            Some((_, value)) => Some(value),
            None => self.outer.as_ref()?.get(wanted),
        }
    }
}

/// A result of a script.
#[derive(Clone, Debug)]
pub(crate) struct NamedStream {
    pub(crate) name: Arc<str>,
    pub(crate) stream: Stream,
}

/// Evaluates expressions. Cloned into the functions that call back from streams.
#[derive(Clone, Debug)]
pub(crate) struct Interpreter {
    pub(crate) execution: Arc<Execution>,
    /// Options that the script has set.
    options: Arc<Vec<(Name, Value)>>,
    results: Arc<std::sync::Mutex<Vec<NamedStream>>>,
    depth: usize,
    /// The script's call that led into a function which the stand-in defines in Flux.
    library_call: Option<Site>,
}

impl Interpreter {
    pub(crate) fn new(execution: Arc<Execution>) -> Self {
        let (options, results) = (Arc::default(), Arc::default());
        Self { execution, options, results, depth: 0, library_call: None }
    }

    /// Evaluates a script and gives its results in the order in which it names them.
    pub(crate) fn run(mut self, file: &File) -> Result<Vec<NamedStream>, FluxError> {
        let mut env = None;
        for import in &file.imports {
            let package = builtins::package(&import.path)
                .ok_or_else(|| outside::unknown_package(&import.path, import.span))?;
            let last = import.path.rsplit('/').next().unwrap_or_default();
            let name = import.alias.clone().unwrap_or_else(|| Name::from(last));
            env = Some(Env::of(name, Value::Record(Arc::new(package.clone())), env.as_ref()));
        }
        for statement in &file.statements {
            match statement {
                Statement::Expression(expr) => {
                    let value = self.eval(expr, env.as_ref())?;
                    if let Value::Stream(stream) = value
                        && !stream.yielded
                    {
                        self.add_result(Arc::from("_result"), &stream)?;
                    }
                }
                Statement::Assignment(assigned) => {
                    let value = self.eval(&assigned.value, env.as_ref())?;
                    env = Some(Env::of(Name::clone(&assigned.name), value, env.as_ref()));
                }
                Statement::Option(assigned) => {
                    let value = self.eval(&assigned.value, env.as_ref())?;
                    self.set_option(assigned, &value)?;
                    if assigned.package.is_none() {
                        env = Some(Env::of(Name::clone(&assigned.name), value, env.as_ref()));
                    }
                }
                Statement::Return(expr) => {
                    return Err(FluxError::compilation(expr.span, "return outside of a function"));
                }
            }
        }
        let results = std::mem::take(&mut *self.results());
        if results.is_empty() {
            return Err(FluxError::whole(
                FluxErrorCode::Invalid,
                "error in query specification while starting program: this Flux script returns \
                 no streaming data. Consider adding a \"yield\" or invoking streaming functions \
                 directly, without performing an assignment",
            ));
        }
        Ok(results)
    }

    /// Sets an option; one of a package goes by the name that the script has for the package.
    fn set_option(&mut self, assigned: &Assignment, value: &Value) -> Result<(), FluxError> {
        let name = match &assigned.package {
            Some(package) => Name::from(format!("{package}.{}", assigned.name)),
            None => Name::clone(&assigned.name),
        };
        // An option of the script's own is a name like others.
        if assigned.package.is_some() && !OPTIONS.contains(&&*name) {
            let message = format!("option `{name}` is not in the stand-in's Flux");
            return Err(FluxError::compilation(assigned.span, message));
        }
        let mut options = (*self.options).clone();
        options.retain(|(own, _)| *own != name);
        options.push((name, value.clone()));
        self.options = Arc::new(options);
        Ok(())
    }

    fn results(&self) -> std::sync::MutexGuard<'_, Vec<NamedStream>> {
        self.results.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Makes a stream a result. Names must differ.
    pub(crate) fn add_result(&self, name: Arc<str>, stream: &Stream) -> Result<(), FluxError> {
        let stream = builtins::shown(stream)?;
        let mut results = self.results();
        if results.iter().any(|known| known.name == name) {
            let message = if &*name == "_result" {
                format!(
                    "failed to initialize execute state: tried to produce more than one result \
                     with the name \"{name}\""
                )
            } else {
                format!(
                    "error in building plan while starting program: found more than one call to \
                     yield() with the name \"{name}\""
                )
            };
            return Err(FluxError::whole(FluxErrorCode::Invalid, message));
        }
        results.push(NamedStream { name, stream });
        Ok(())
    }

    /// An option, if the script has set it.
    pub(crate) fn option(&self, wanted: &str) -> Option<&Value> {
        self.options.iter().find(|(name, _)| **name == *wanted).map(|(_, value)| value)
    }

    /// What `now()` is for this query.
    pub(crate) fn now(&self) -> Result<i64, FluxError> {
        let Some(option) = self.option("now").cloned() else { return Ok(self.execution.now_ns) };
        match self.call(&option, Vec::new())? {
            Value::Time(now_ns) => Ok(now_ns),
            other => Err(FluxError::new(format!("now is a {}, not a time", other.type_word()))),
        }
    }

    /// An interpreter for something nested in what this one evaluates.
    fn deeper(&self, height: usize) -> Result<Self, FluxError> {
        let depth = self.depth + 1 + height;
        if depth > MAX_DEPTH {
            return Err(FluxError::new("the script nests its calls too deep"));
        }
        Ok(Self { depth, ..self.clone() })
    }

    /// Refuses a value that is too large: one that holds itself many times over, or the last of
    /// many long texts.
    pub(crate) fn bounded(&self, value: Value) -> Result<Value, FluxError> {
        match &value {
            Value::String(text) if text.len() > SHORT_TEXT => {
                self.execution.count_text(text.len() as u64)?;
            }
            Value::Array(_) | Value::Dict(_) | Value::Record(_) => {
                let mut room = MAX_WEIGHT;
                value.weigh(&mut room);
                if room == 0 {
                    let message = format!("a value holds more than {MAX_WEIGHT} others");
                    return Err(FluxError::whole(FluxErrorCode::Internal, message));
                }
            }
            _ => {}
        }
        Ok(value)
    }

    /// Evaluates an expression.
    pub(crate) fn eval(&self, expr: &Expr, env: Option<&Arc<Env>>) -> Result<Value, FluxError> {
        Ok(match &expr.kind {
            ExprKind::Identifier(name) => return Self::identifier(name, expr, env),
            ExprKind::Integer(value) => Value::Int(*value),
            ExprKind::Float(value) => Value::Float(*value),
            ExprKind::String(value) => Value::String(Arc::clone(value)),
            ExprKind::Duration(value) => Value::Duration(*value),
            ExprKind::Time(value) => Value::Time(*value),
            ExprKind::Regex(value) => Value::Regex(Arc::clone(value)),
            ExprKind::Interpolated(parts) => return self.bounded(self.interpolate(parts, env)?),
            ExprKind::Array(elements) => {
                let values = elements.iter().map(|element| self.eval(element, env));
                let values = Value::Array(Arc::new(values.collect::<Result<_, _>>()?));
                return self.bounded(values);
            }
            ExprKind::Dict(pairs) => {
                let pairs = pairs
                    .iter()
                    .map(|(key, value)| Ok((self.eval(key, env)?, self.eval(value, env)?)));
                let pairs = builtins::sorted_pairs(pairs.collect::<Result<_, FluxError>>()?);
                return self.bounded(Value::Dict(Arc::new(pairs)));
            }
            ExprKind::Record { with, properties } => {
                return self.bounded(self.record(with.as_deref(), properties, env)?);
            }
            ExprKind::Function(function) => {
                let (expr, env) = (Arc::clone(function), env.cloned());
                Value::Function(Arc::new(Function::Own { expr, env }))
            }
            ExprKind::Call { .. } => return self.call_expr(expr, None, env),
            ExprKind::Pipe { source, call } => {
                let piped = self.eval(source, env)?;
                return self.call_expr(call, Some(piped), env);
            }
            ExprKind::Member { object, name } => {
                let object = self.eval(object, env)?;
                return object.member(name);
            }
            ExprKind::Index { object, index } => {
                let (object, index) = (self.eval(object, env)?, self.eval(index, env)?);
                return element(&object, &index);
            }
            ExprKind::Unary { operator, operand } => {
                let operand = self.eval(operand, env)?;
                return operators::unary(*operator, operand);
            }
            ExprKind::Binary { operator, left, right } => {
                let (one, other) = (self.eval(left, env)?, self.eval(right, env)?);
                let result = operators::binary(*operator, &one, &other).map_err(|error| {
                    // What a literal is decides what the other operand has to be.
                    if left.is_literal() { error.turned(&one, &other) } else { error }
                });
                return self.bounded(result?);
            }
            ExprKind::Logical { operator, operands } => {
                return self.logical(*operator, operands, env);
            }
            ExprKind::Conditional { test, yes, no } => {
                return self.conditional(test, yes, no, env);
            }
        })
    }

    fn identifier(name: &Name, expr: &Expr, env: Option<&Arc<Env>>) -> Result<Value, FluxError> {
        if let Some(value) = env.and_then(|env| env.get(name)) {
            return Ok(value.clone());
        }
        builtins::universe(name).ok_or_else(|| outside::undefined(name, expr.span))
    }

    fn interpolate(
        &self,
        parts: &[StringPart],
        env: Option<&Arc<Env>>,
    ) -> Result<Value, FluxError> {
        let mut text = String::new();
        for part in parts {
            match part {
                StringPart::Text(part) => text.push_str(part),
                StringPart::Expression(expr) => match self.eval(expr, env)? {
                    Value::Null(_) => {
                        return Err(FluxError::new("invalid interpolation type"));
                    }
                    value => text.push_str(&value.to_string()),
                },
            }
        }
        Ok(Value::String(Arc::from(text)))
    }

    fn record(
        &self,
        base: Option<&Expr>,
        properties: &[Property],
        env: Option<&Arc<Env>>,
    ) -> Result<Value, FluxError> {
        let mut record = match base.map(|base| self.eval(base, env)).transpose()? {
            None | Some(Value::Null(_)) => Record::default(),
            Some(Value::Record(base)) => (*base).clone(),
            Some(Value::Row(row)) => Record::from(&row),
            Some(other) => {
                let message = format!("cannot extend a {}", other.type_word());
                return Err(FluxError::new(message));
            }
        };
        for property in properties {
            record.set(Name::clone(&property.key), self.eval(&property.value, env)?);
        }
        Ok(Value::Record(Arc::new(record)))
    }

    fn conditional(
        &self,
        test: &Expr,
        yes: &Expr,
        no: &Expr,
        env: Option<&Arc<Env>>,
    ) -> Result<Value, FluxError> {
        let (chosen, other) = match self.eval(test, env)? {
            Value::Bool(true) => (yes, no),
            Value::Bool(false) | Value::Null(_) => (no, yes),
            other => return Err(FluxError::types("bool", other.type_word())),
        };
        Ok(match self.eval(chosen, env)? {
            // Both branches have one type, which a column without a value shows.
            Value::Null(None) => {
                let other = self.eval(other, env).ok();
                Value::Null(other.and_then(|other| other.column_type()))
            }
            value => value,
        })
    }

    /// Null on the left side decides `and` as false does, and leaves `or` to the right side.
    fn logical(
        &self,
        operator: LogicalOperator,
        operands: &[Expr],
        env: Option<&Arc<Env>>,
    ) -> Result<Value, FluxError> {
        let mut result = Value::Bool(operator == LogicalOperator::And);
        for operand in operands {
            match (operator, &result) {
                (LogicalOperator::And, Value::Bool(true)) => {}
                (LogicalOperator::And, _) => return Ok(Value::Bool(false)),
                (LogicalOperator::Or, Value::Bool(true)) => return Ok(result),
                (LogicalOperator::Or, _) => {}
            }
            result = self.eval(operand, env)?;
            if !matches!(result, Value::Bool(_) | Value::Null(_)) {
                return Err(FluxError::types("bool", result.type_word()));
            }
        }
        Ok(result)
    }
}

fn element(object: &Value, index: &Value) -> Result<Value, FluxError> {
    match (object, index) {
        (Value::Array(values), Value::Int(index)) => {
            let found = usize::try_from(*index).ok().and_then(|index| values.get(index));
            found.cloned().ok_or_else(|| {
                let length = values.len();
                FluxError::new(format!("cannot access element {index} of array of length {length}"))
            })
        }
        (object, Value::String(name)) => object.member(name),
        (object, index) => {
            let (object, index) = (object.type_word(), index.type_word());
            Err(FluxError::new(format!("cannot index a {object} with a {index}")))
        }
    }
}
