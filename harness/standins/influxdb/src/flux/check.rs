//! A look over a whole script before it runs: names that nothing defines.
//!
//! The language is lexically scoped, so a name is known or not wherever it stands. What is refused
//! here is refused even on a path that would never be taken.

use super::ast::{Body, Expr, ExprKind, File, FunctionExpr, Name, Statement, StringPart};
use super::builtins;
use super::error::FluxError;
use super::outside;

/// Refuses imports, names and members of packages that do not exist.
pub(crate) fn check(file: &File) -> Result<(), FluxError> {
    let mut checker = Checker { scopes: vec![Vec::new()] };
    for import in &file.imports {
        if builtins::package(&import.path).is_none() {
            return Err(outside::unknown_package(&import.path, import.span));
        }
        let last = import.path.rsplit('/').next().unwrap_or_default();
        let name = import.alias.clone().unwrap_or_else(|| Name::from(last));
        checker.define(name, Some(import.path.clone()));
    }
    checker.statements(&file.statements)
}

struct Checker {
    /// Names by scope, innermost last; the path of those that stand for a package.
    scopes: Vec<Vec<(Name, Option<String>)>>,
}

impl Checker {
    fn define(&mut self, name: Name, package: Option<String>) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.push((name, package));
        }
    }

    fn find(&self, wanted: &str) -> Option<&(Name, Option<String>)> {
        let scopes = self.scopes.iter().rev();
        scopes.flat_map(|scope| scope.iter().rev()).find(|(name, _)| **name == *wanted)
    }

    fn statements(&mut self, statements: &[Statement]) -> Result<(), FluxError> {
        for statement in statements {
            match statement {
                Statement::Expression(expr) | Statement::Return(expr) => self.expr(expr)?,
                Statement::Assignment(assigned) | Statement::Option(assigned) => {
                    self.expr(&assigned.value)?;
                    self.define(Name::clone(&assigned.name), None);
                }
            }
        }
        Ok(())
    }

    fn all<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) -> Result<(), FluxError> {
        exprs.into_iter().try_for_each(|expr| self.expr(expr))
    }

    fn expr(&mut self, expr: &Expr) -> Result<(), FluxError> {
        match &expr.kind {
            ExprKind::Identifier(name) => self.identifier(name, expr),
            ExprKind::Interpolated(parts) => parts.iter().try_for_each(|part| match part {
                StringPart::Text(_) => Ok(()),
                StringPart::Expression(expr) => self.expr(expr),
            }),
            ExprKind::Array(elements) | ExprKind::Logical { operands: elements, .. } => {
                self.all(elements)
            }
            ExprKind::Dict(pairs) => {
                pairs.iter().try_for_each(|(key, value)| self.all([key, value]))
            }
            ExprKind::Record { with, properties } => {
                self.all(with.as_deref())?;
                self.all(properties.iter().map(|property| &property.value))
            }
            ExprKind::Function(function) => self.function(function),
            ExprKind::Call { callee, arguments } => {
                self.expr(callee)?;
                self.all(arguments.iter().map(|argument| &argument.value))
            }
            ExprKind::Pipe { source, call } => self.all([&**source, call]),
            ExprKind::Member { object, name } => self.member(object, name, expr),
            ExprKind::Index { object, index } => self.all([&**object, index]),
            ExprKind::Unary { operand, .. } => self.expr(operand),
            ExprKind::Binary { left, right, .. } => self.all([&**left, right]),
            ExprKind::Conditional { test, yes, no } => self.all([&**test, yes, no]),
            ExprKind::Integer(_)
            | ExprKind::Float(_)
            | ExprKind::String(_)
            | ExprKind::Duration(_)
            | ExprKind::Time(_)
            | ExprKind::Regex(_) => Ok(()),
        }
    }

    fn identifier(&self, name: &Name, expr: &Expr) -> Result<(), FluxError> {
        if self.find(name).is_some() || builtins::universe(name).is_some() {
            return Ok(());
        }
        Err(outside::undefined(name, expr.span))
    }

    fn member(&mut self, object: &Expr, name: &Name, expr: &Expr) -> Result<(), FluxError> {
        if let ExprKind::Identifier(package) = &object.kind
            && let Some((_, Some(path))) = self.find(package)
        {
            let known = builtins::package(path);
            if known.is_some_and(|package| package.get(name).is_none()) {
                let message = format!(
                    "record is missing label {name}: `{package}.{name}` is not in the \
                     stand-in's Flux"
                );
                return Err(FluxError::compilation(expr.span, message));
            }
        }
        self.expr(object)
    }

    fn function(&mut self, function: &FunctionExpr) -> Result<(), FluxError> {
        for parameter in &function.parameters {
            self.all(parameter.default.as_ref())?;
        }
        let names = function.parameters.iter();
        self.scopes.push(names.map(|parameter| (Name::clone(&parameter.name), None)).collect());
        let result = match &function.body {
            Body::Expression(expr) => self.expr(expr),
            Body::Block(statements) => self.statements(statements),
        };
        self.scopes.pop();
        result
    }
}
