//! The built-in functions, in one table.
//!
//! Each [`Builtin`] has its package, its name, its parameters and a function in Rust. [`Call`] is
//! what that function gets; its accessors check the types of arguments. What is not in the table is
//! not in the stand-in's Flux.

mod aggregate;
mod aggregate_window;
mod bitwise;
mod change;
mod classic_join;
mod collections;
mod columns;
mod convert;
mod date;
mod describe;
mod digest;
mod experimental;
mod find;
mod generate;
mod group;
mod growing;
mod histogram_quantile;
mod holt_winters;
mod http;
mod inline;
mod join;
mod location;
mod lookup;
mod map;
mod math;
mod moving;
mod packages;
mod pivot;
mod predicate;
mod prelude;
mod promql;
mod reduce;
mod regexp;
mod rows;
mod sampledata;
mod select;
mod shift;
mod simplex;
mod source;
mod statistics;
mod strings;
mod system;
mod window;

use std::cmp::Ordering;
use std::sync::Arc;

pub(crate) use self::group::{Merge, shown};
pub(crate) use self::packages::{package, universe};
pub(crate) use self::prelude::PRELUDE;
pub(crate) use self::source::{Filtered, StorageRead};

use super::ast::{Name, Span};
use super::duration::Duration;
use super::error::FluxError;
use super::interpreter::{Function, Interpreter, Lambda};
use super::stream::{Site, Stream};
use super::value::{Record, Value};

/// What a built-in function does.
type Run = fn(&Call<'_>) -> Result<Value, FluxError>;

/// A built-in function.
#[derive(Debug)]
pub(crate) struct Builtin {
    /// The import path; empty for what needs no import.
    pub(crate) package: &'static str,
    pub(crate) name: &'static str,
    pub(crate) parameters: &'static [Parameter],
    pub(crate) run: Run,
}

/// A value that a package has under a name.
pub(crate) struct Constant {
    package: &'static str,
    name: &'static str,
    value: fn() -> Value,
}

/// A parameter of a built-in function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    name: &'static str,
    kind: ParameterKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ParameterKind {
    /// Takes what is piped in.
    Piped,
    Required,
    Optional,
}

const fn piped(name: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Piped }
}

const fn required(name: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Required }
}

const fn optional(name: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Optional }
}

/// Pairs in order of their keys; of equal keys the last counts.
pub(crate) fn sorted_pairs(mut pairs: Vec<(Value, Value)>) -> Vec<(Value, Value)> {
    pairs.reverse();
    pairs.sort_by(|left, right| left.0.order(&right.0));
    pairs.dedup_by(|later, first| later.0.order(&first.0) == Ordering::Equal);
    pairs
}

/// An argument of a call and where its value stands.
#[derive(Debug)]
pub(crate) struct Argument {
    pub(crate) name: Name,
    pub(crate) value: Value,
    pub(crate) span: Span,
}

/// The arguments of a call, by name.
#[derive(Debug)]
pub(crate) struct Arguments {
    named: Vec<Argument>,
    piped: Option<Value>,
}

impl Arguments {
    pub(crate) fn new(named: Vec<Argument>, piped: Option<Value>) -> Self {
        Self { named, piped }
    }

    /// The arguments of a call that no script makes.
    pub(crate) fn unplaced(named: Vec<(Name, Value)>) -> Self {
        let named = named.into_iter();
        let named = named.map(|(name, value)| Argument { name, value, span: Span::default() });
        Self { named: named.collect(), piped: None }
    }

    pub(crate) fn with_piped(self, piped: Value) -> Self {
        Self { piped: Some(piped), ..self }
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.named.iter().position(|own| *own.name == *name)?;
        Some(self.named.swap_remove(at).value)
    }

    pub(crate) fn take_piped(&mut self) -> Option<Value> {
        self.piped.take()
    }

    /// The name of an argument that nothing has taken.
    pub(crate) fn first_left(&self) -> Option<&str> {
        let named = self.named.first().map(|argument| &*argument.name);
        named.or(self.piped.as_ref().map(|_| "<-"))
    }

    /// Matches the arguments with a builtin's parameters.
    pub(crate) fn checked(mut self, builtin: &Builtin, span: Span) -> Result<Self, FluxError> {
        if let Some(piped) = self.piped.take() {
            let parameter = builtin.parameters.iter().find(|own| own.kind == ParameterKind::Piped);
            let Some(parameter) = parameter else {
                let message = format!("function {} does not take a piped argument", builtin.name);
                return Err(FluxError::semantic(span, message));
            };
            self.named.push(Argument { name: Name::from(parameter.name), value: piped, span });
        }
        match self.misfits(builtin, span).into_iter().reduce(|first, next| first.and(&next)) {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }

    /// What is wrong with the names of the arguments.
    fn misfits(&self, builtin: &Builtin, span: Span) -> Vec<FluxError> {
        let given = |name: &str| self.named.iter().any(|argument| *argument.name == *name);
        let known = |name: &str| builtin.parameters.iter().any(|own| *own.name == *name);
        let absent = builtin.parameters.iter().filter(|parameter| !given(parameter.name));
        let expected: Vec<&str> = absent.clone().map(|parameter| parameter.name).collect();
        let expected = match expected.as_slice() {
            [] => String::new(),
            names => format!(" (Expected {})", one_of(names.iter().copied())),
        };
        let unexpected = self.named.iter().filter(|argument| !known(&argument.name));
        let unexpected = unexpected.map(|argument| {
            let message = format!("found unexpected argument {}{expected}", argument.name);
            FluxError::semantic(argument.span, message)
        });
        let mut missing: Vec<&str> = absent
            .filter(|parameter| parameter.kind != ParameterKind::Optional)
            .map(|parameter| parameter.name)
            .collect();
        missing.sort_unstable();
        let missing = missing
            .into_iter()
            .map(|name| FluxError::semantic(span, format!("missing required argument {name}")));
        unexpected.chain(missing).collect()
    }
}

/// `a`; `a` or `b`; one of `a`, `b` or `c`.
fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        [only] => only.clone(),
        [rest @ .., last] => format!("one of {} or {last}", rest.join(", ")),
    }
}

/// A call of a builtin.
pub(crate) struct Call<'a> {
    pub(crate) builtin: &'static Builtin,
    pub(crate) interpreter: &'a Interpreter,
    pub(crate) arguments: Arguments,
    pub(crate) site: Site,
}

impl Call<'_> {
    /// An argument that was given and is not null.
    fn value(&self, name: &str) -> Option<&Value> {
        self.given(name).filter(|value| !value.is_null())
    }

    /// An argument that was given, null or not.
    fn given(&self, name: &str) -> Option<&Value> {
        let found = self.arguments.named.iter().find(|argument| *argument.name == *name);
        found.map(|argument| &argument.value)
    }

    fn wrong(&self, name: &str, expected: &str, found: &Value) -> FluxError {
        let found = found.type_word();
        self.misfit(name, &format!("expected {expected} but found {found}"))
    }

    /// A mistake in the type of an argument.
    fn misfit(&self, name: &str, message: &str) -> FluxError {
        let argument = self.arguments.named.iter().find(|argument| *argument.name == *name);
        let span = argument.map_or(self.site.span, |argument| argument.span);
        FluxError::semantic(span, format!("{message} (argument {name})"))
    }

    /// A required argument.
    fn required(&self, name: &str) -> Result<&Value, FluxError> {
        self.value(name).ok_or_else(|| {
            let message = format!("argument {name} is null");
            FluxError::new(message)
        })
    }

    fn stream(&self, name: &str) -> Result<Stream, FluxError> {
        match self.required(name)? {
            Value::Stream(stream) => Ok(stream.clone()),
            other => Err(self.wrong(name, "stream", other)),
        }
    }

    fn string(&self, name: &str) -> Result<Option<Arc<str>>, FluxError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(Arc::clone(text))),
            Some(other) => Err(self.wrong(name, "string", other)),
        }
    }

    fn string_or(&self, name: &str, default: &str) -> Result<Arc<str>, FluxError> {
        Ok(self.string(name)?.unwrap_or_else(|| Arc::from(default)))
    }

    fn bool_or(&self, name: &str, default: bool) -> Result<bool, FluxError> {
        match self.value(name) {
            None => Ok(default),
            Some(Value::Bool(value)) => Ok(*value),
            Some(other) => Err(self.wrong(name, "bool", other)),
        }
    }

    fn int(&self, name: &str) -> Result<Option<i64>, FluxError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Int(value)) => Ok(Some(*value)),
            Some(other) => Err(self.wrong(name, "int", other)),
        }
    }

    fn float(&self, name: &str) -> Result<Option<f64>, FluxError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Float(value)) => Ok(Some(*value)),
            Some(other) => Err(self.wrong(name, "float", other)),
        }
    }

    fn duration(&self, name: &str) -> Result<Option<Duration>, FluxError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Duration(value)) => Ok(Some(*value)),
            Some(other) => Err(self.wrong(name, "duration", other)),
        }
    }

    fn array(&self, name: &str) -> Result<Option<Arc<Vec<Value>>>, FluxError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Array(values)) => Ok(Some(Arc::clone(values))),
            Some(other) => Err(self.wrong(name, "array", other)),
        }
    }

    fn strings(&self, name: &str) -> Result<Option<Vec<Arc<str>>>, FluxError> {
        let Some(values) = self.array(name)? else { return Ok(None) };
        let text = |value: &Value| match value {
            Value::String(text) => Ok(Arc::clone(text)),
            other => Err(self.wrong(name, "string", other)),
        };
        values.iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    fn record(&self, name: &str) -> Result<Option<Arc<Record>>, FluxError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Record(record)) => Ok(Some(Arc::clone(record))),
            Some(other) => Err(self.wrong(name, "record", other)),
        }
    }

    fn lambda(&self, name: &str) -> Result<Option<Lambda>, FluxError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Function(function)) => {
                let interpreter = self.interpreter.clone();
                Ok(Some(Lambda { interpreter, function: Arc::clone(function) }))
            }
            Some(other) => Err(self.wrong(name, "function", other)),
        }
    }

    fn required_lambda(&self, name: &str) -> Result<Lambda, FluxError> {
        self.required(name)?;
        self.lambda(name)?.ok_or_else(|| FluxError::new(format!("argument {name} is null")))
    }

    /// A function that is called with exactly these arguments.
    fn lambda_of(&self, name: &str, parameters: &[&str]) -> Result<Lambda, FluxError> {
        let lambda = self.required_lambda(name)?;
        let Function::Own { expr, .. } = &*lambda.function else { return Ok(lambda) };
        let span = expr.span;
        for own in &expr.parameters {
            if own.default.is_none() && !parameters.contains(&&*own.name) {
                let expected = one_of(parameters.iter().copied());
                let message = format!(
                    "found unexpected argument {} (Expected {expected}) (argument {name})",
                    own.name
                );
                return Err(FluxError::semantic(span, message));
            }
        }
        for wanted in parameters {
            if !expr.parameters.iter().any(|own| *own.name == **wanted) {
                let message = format!("missing required argument {wanted} (argument {name})");
                return Err(FluxError::semantic(span, message));
            }
        }
        Ok(lambda)
    }

    /// An instant given as a time, as a duration from now, or as seconds since the epoch.
    fn instant(&self, name: &str) -> Result<Option<i64>, FluxError> {
        Ok(match self.value(name) {
            None => None,
            Some(Value::Time(time_ns)) => Some(*time_ns),
            Some(Value::Duration(duration)) => Some(duration.after(self.interpreter.now()?)),
            Some(Value::Int(seconds)) => Some(seconds.saturating_mul(1_000_000_000)),
            Some(other) => {
                let found = other.type_word();
                return Err(FluxError::new(format!("value is not a time, got {found}")));
            }
        })
    }
}

impl Call<'_> {
    /// Calls a function that needs no import.
    fn apply<const N: usize>(
        &self,
        function: &str,
        arguments: [(&str, Value); N],
    ) -> Result<Value, FluxError> {
        let function = universe(function)
            .ok_or_else(|| FluxError::new(format!("{function} is not in the stand-in's Flux")))?;
        let arguments = arguments.into_iter().map(|(name, value)| (Name::from(name), value));
        self.interpreter.call(&function, arguments.collect())
    }
}
