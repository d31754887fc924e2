//! Calls: of the script's own functions and of built-in ones, from scripts and from Rust.

use std::sync::Arc;

use super::{Env, Function, Interpreter};
use crate::flux::ast::{Body, Expr, ExprKind, FunctionExpr, Name, Span, Statement};
use crate::flux::builtins::{Argument, Arguments, Call};
use crate::flux::error::FluxError;
use crate::flux::stream::Site;
use crate::flux::value::{Row, Value};

impl Interpreter {
    /// Evaluates a call, with what is piped into it.
    pub(super) fn call_expr(
        &self,
        expr: &Expr,
        piped: Option<Value>,
        env: Option<&Arc<Env>>,
    ) -> Result<Value, FluxError> {
        let ExprKind::Call { callee, arguments } = &expr.kind else {
            unreachable!("the parser lets nothing but a call stand behind a pipe");
        };
        let mut interpreter = self.deeper(0)?;
        let function = match interpreter.eval(callee, env)? {
            Value::Function(function) => function,
            other => {
                let message = format!("expected function but found {}", other.type_word());
                return Err(FluxError::semantic(callee.span, message));
            }
        };
        let values = arguments.iter().map(|argument| {
            let (name, span) = (Name::clone(&argument.key), argument.value.span);
            Ok(Argument { name, value: interpreter.eval(&argument.value, env)?, span })
        });
        let arguments = Arguments::new(values.collect::<Result<Vec<_>, FluxError>>()?, piped);
        match &*function {
            Function::Own { expr: own, env } => {
                let scope = interpreter.bind(own, env.as_ref(), arguments, expr.span)?;
                interpreter.library_call = own.library.map(|function| {
                    let call = Site::new(function, expr.span);
                    self.library_call.unwrap_or(call)
                });
                interpreter.body(own, scope.as_ref()).map_err(|error| {
                    match (own.library, &callee.kind) {
                        (Some(function), _) => error.in_library_call(function, expr.span),
                        (None, ExprKind::Identifier(name) | ExprKind::Member { name, .. }) => {
                            error.in_call(name, expr.span)
                        }
                        _ => error,
                    }
                })
            }
            Function::Builtin(builtin) => {
                let own = Site::new(builtin.name, expr.span);
                let site = self.library_call.unwrap_or(own);
                let arguments = arguments.checked(builtin, expr.span)?;
                let call = Call { builtin, interpreter: &interpreter, arguments, site };
                let result = (builtin.run)(&call).and_then(|value| interpreter.bounded(value));
                result.map_err(|error| error.in_call(site.function, site.span))
            }
        }
    }

    /// The same interpreter for what a function calls on behalf of the script.
    pub(crate) fn in_library_call(&self, site: Site) -> Self {
        Self { library_call: Some(site), ..self.clone() }
    }

    /// Calls a function with named arguments from Rust.
    pub(crate) fn call(
        &self,
        function: &Value,
        arguments: Vec<(Name, Value)>,
    ) -> Result<Value, FluxError> {
        let Value::Function(function) = function else {
            return Err(FluxError::new(format!("{} is not a function", function.type_word())));
        };
        let interpreter = self.deeper(0)?;
        let arguments = Arguments::unplaced(arguments);
        match &**function {
            Function::Own { expr, env } => {
                let scope = interpreter.bind(expr, env.as_ref(), arguments, expr.span)?;
                interpreter.body(expr, scope.as_ref())
            }
            Function::Builtin(builtin) => {
                let own = Site::new(builtin.name, Span::default());
                let site = self.library_call.unwrap_or(own);
                let arguments = arguments.checked(builtin, site.span)?;
                (builtin.run)(&Call { builtin, interpreter: &interpreter, arguments, site })
            }
        }
    }

    /// Calls a function whose first argument also counts as what is piped in.
    pub(crate) fn call_piped(
        &self,
        lambda: &Lambda,
        mut arguments: Vec<(Name, Value)>,
    ) -> Result<Value, FluxError> {
        let Function::Own { expr, env } = &*lambda.function else {
            return lambda.call(arguments);
        };
        let (_, piped) = arguments.swap_remove(0);
        let interpreter = self.deeper(0)?;
        // A function that does not care for an argument need not name it.
        arguments.retain(|(name, _)| expr.parameters.iter().any(|own| own.name == *name));
        let arguments = Arguments::unplaced(arguments).with_piped(piped);
        let scope = interpreter.bind(expr, env.as_ref(), arguments, expr.span)?;
        interpreter.body(expr, scope.as_ref())
    }

    /// Gives the parameters of one of the script's functions their values.
    fn bind(
        &self,
        function: &FunctionExpr,
        outer: Option<&Arc<Env>>,
        mut arguments: Arguments,
        call: Span,
    ) -> Result<Option<Arc<Env>>, FluxError> {
        self.execution.count_call()?;
        let mut names = Vec::with_capacity(function.parameters.len());
        for parameter in &function.parameters {
            let piped = if parameter.piped { arguments.take_piped() } else { None };
            let given = arguments.take(&parameter.name).or(piped);
            let value = match (given, &parameter.default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.eval(default, outer)?,
                (None, None) => {
                    let message = format!("missing required argument {}", parameter.name);
                    return Err(FluxError::semantic(call, message));
                }
            };
            names.push((Name::clone(&parameter.name), value));
        }
        if let Some(extra) = arguments.first_left() {
            return Err(FluxError::semantic(call, format!("found unexpected argument {extra}")));
        }
        Ok(Some(Arc::new(Env { names, outer: outer.cloned() })))
    }

    fn body(&self, function: &FunctionExpr, env: Option<&Arc<Env>>) -> Result<Value, FluxError> {
        let interpreter = self.deeper(function.height)?;
        let statements = match &function.body {
            Body::Expression(expr) => return interpreter.eval(expr, env),
            Body::Block(statements) => statements,
        };
        let mut env = env.cloned();
        for statement in statements {
            match statement {
                Statement::Return(expr) => return interpreter.eval(expr, env.as_ref()),
                Statement::Expression(expr) => {
                    interpreter.eval(expr, env.as_ref())?;
                }
                Statement::Assignment(assigned) => {
                    let value = interpreter.eval(&assigned.value, env.as_ref())?;
                    env = Some(Env::of(Name::clone(&assigned.name), value, env.as_ref()));
                }
                Statement::Option(assigned) => {
                    let message = "options are set at the top of a script only";
                    return Err(FluxError::compilation(assigned.span, message));
                }
            }
        }
        Err(FluxError::compilation(function.span, "missing return statement in block"))
    }
}

/// One of the script's functions, ready to be called for row after row.
#[derive(Clone, Debug)]
pub(crate) struct Lambda {
    pub(crate) interpreter: Interpreter,
    pub(crate) function: Arc<Function>,
}

impl Lambda {
    /// Where the script defines the function.
    pub(crate) fn span(&self) -> Span {
        match &*self.function {
            Function::Own { expr, .. } => expr.span,
            Function::Builtin(_) => Span::default(),
        }
    }

    /// Calls the function with one row under its parameter's name.
    pub(crate) fn call_row(&self, row: Row) -> Result<Value, FluxError> {
        let name = match &*self.function {
            Function::Own { expr, .. } => expr.parameters.first().map(|own| Name::clone(&own.name)),
            Function::Builtin(_) => None,
        };
        self.call(vec![(name.unwrap_or_else(|| Name::from("r")), Value::Row(row))])
    }

    pub(crate) fn call(&self, arguments: Vec<(Name, Value)>) -> Result<Value, FluxError> {
        self.interpreter.call(&Value::Function(Arc::clone(&self.function)), arguments)
    }
}
