//! The type of each expression of a script.

use std::sync::Arc;

use super::library::Library;
use super::problem::Problem;
use super::solver::Solver;
use super::ty::{Basic, Function, Kind, PIPE, Scheme, Type};
use crate::flux::ast::{
    BinaryOperator, Body, Expr, ExprKind, FunctionExpr, Import, Name, Property, Span, Statement,
    StringPart, UnaryOperator,
};

/// How many fields a record may have for its type to be followed.
const MAX_FIELDS: usize = 80;

/// Where the server says that an expression stands: a pipe stands where its last call does.
fn place(expr: &Expr) -> Span {
    match &expr.kind {
        ExprKind::Pipe { call, .. } => call.span,
        _ => expr.span,
    }
}

/// What a name stands for.
enum Meaning {
    Value(Arc<Scheme>),
    /// A parameter: it has one type, wherever it is used.
    Parameter(Type),
    Package(String),
}

/// Infers types, statement by statement.
pub(super) struct Inference<'a> {
    solver: Solver,
    scopes: Vec<Vec<(Name, Meaning)>>,
    library: Option<&'a Library>,
    mistakes: Vec<(Span, Problem)>,
}

impl<'a> Inference<'a> {
    pub(super) fn new(library: Option<&'a Library>) -> Self {
        let (solver, mistakes) = (Solver::default(), Vec::new());
        Self { solver, scopes: vec![Vec::new()], library, mistakes }
    }

    pub(super) fn import(&mut self, import: &Import) {
        let last = import.path.rsplit('/').next().unwrap_or_default();
        let name = import.alias.clone().unwrap_or_else(|| Name::from(last));
        self.define(name, Meaning::Package(import.path.clone()));
    }

    /// Looks at statements; gives the type of what they return.
    pub(super) fn statements(&mut self, statements: &[Statement]) -> Type {
        for statement in statements {
            match statement {
                Statement::Return(expr) => return self.expr(expr),
                Statement::Expression(expr) => {
                    self.expr(expr);
                }
                Statement::Assignment(assigned) => self.assign(&assigned.name, &assigned.value),
                Statement::Option(assigned) => match assigned.package {
                    None => self.assign(&assigned.name, &assigned.value),
                    Some(_) => {
                        self.expr(&assigned.value);
                    }
                },
            }
        }
        Type::Unknown
    }

    /// The mistakes with their places, in the server's words. When there was too much to look at,
    /// nothing is known to be a mistake.
    pub(super) fn mistakes(mut self) -> Vec<(Span, Arc<str>)> {
        if self.solver.gave_up {
            return Vec::new();
        }
        let mistakes = std::mem::take(&mut self.mistakes).into_iter();
        mistakes.map(|(at, problem)| (at, Arc::from(problem.text(&mut self.solver)))).collect()
    }

    /// The names that the statements have defined, with their types.
    pub(super) fn defined(mut self) -> Vec<(Name, Arc<Scheme>)> {
        let names = self.scopes.pop().unwrap_or_default();
        let values = names.into_iter().filter_map(|(name, meaning)| match meaning {
            Meaning::Value(scheme) => Some((name, scheme)),
            _ => None,
        });
        values.collect()
    }

    fn define(&mut self, name: Name, meaning: Meaning) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.push((name, meaning));
        }
    }

    fn assign(&mut self, name: &Name, value: &Expr) {
        let ty = self.expr(value);
        let scheme = self.generalized(&ty);
        self.define(Name::clone(name), Meaning::Value(Arc::new(scheme)));
    }

    fn generalized(&mut self, ty: &Type) -> Scheme {
        let mut fixed = Vec::new();
        for (_, meaning) in self.scopes.iter().flatten() {
            match meaning {
                Meaning::Parameter(ty) => self.solver.unknowns(ty, &mut fixed),
                // A value within a function may hold on to the types of its parameters.
                Meaning::Value(scheme) if self.scopes.len() > 1 => {
                    self.solver.unknowns(&scheme.ty, &mut fixed);
                }
                _ => {}
            }
        }
        self.solver.generalized(ty, &fixed)
    }

    /// Asks two types to be one; the second is that of what stands at `at`.
    fn same(&mut self, wanted: &Type, found: &Type, at: Span) -> Type {
        let mut problems = Vec::new();
        self.solver.unify(wanted, found, &mut problems);
        if problems.is_empty() {
            return wanted.clone();
        }
        self.mistakes.extend(problems.into_iter().map(|problem| (at, problem)));
        Type::Unknown
    }

    fn constrain(&mut self, kind: Kind, ty: &Type, at: Span) {
        if let Err(problem) = self.solver.constrain(kind, ty) {
            self.mistakes.push((at, problem));
        }
    }

    fn expr(&mut self, expr: &Expr) -> Type {
        if self.solver.gave_up {
            return Type::Unknown;
        }
        match &expr.kind {
            ExprKind::Identifier(name) => self.identifier(name),
            ExprKind::Integer(_) => Type::INT,
            ExprKind::Float(_) => Type::Basic(Basic::Float),
            ExprKind::String(_) => Type::STRING,
            ExprKind::Duration(_) => Type::Basic(Basic::Duration),
            ExprKind::Time(_) => Type::Basic(Basic::Time),
            ExprKind::Regex(_) => Type::Basic(Basic::Regexp),
            ExprKind::Interpolated(parts) => {
                for part in parts {
                    if let StringPart::Expression(part) = part {
                        let ty = self.expr(part);
                        self.constrain(Kind::Stringable, &ty, place(part));
                    }
                }
                Type::STRING
            }
            ExprKind::Array(elements) => {
                let mut all = None;
                for element in elements {
                    let ty = self.expr(element);
                    all = Some(match all {
                        None => ty,
                        Some(all) => self.same(&all, &ty, place(element)),
                    });
                }
                Type::Array(Arc::new(all.unwrap_or_else(|| self.solver.fresh())))
            }
            ExprKind::Dict(pairs) => {
                let (key, value) = (self.solver.fresh(), self.solver.fresh());
                for (own_key, own_value) in pairs {
                    let (key_ty, value_ty) = (self.expr(own_key), self.expr(own_value));
                    self.same(&key, &key_ty, place(own_key));
                    self.same(&value, &value_ty, place(own_value));
                }
                self.constrain(Kind::Comparable, &key, expr.span);
                Type::Dict(Arc::new((key, value)))
            }
            ExprKind::Record { with, properties } => self.record(with.as_deref(), properties),
            ExprKind::Function(function) => self.function(function),
            ExprKind::Call { .. } => self.call(expr, None),
            ExprKind::Pipe { source, call } => self.call(call, Some(source)),
            ExprKind::Member { object, name } => self.member(object, name),
            ExprKind::Index { object, index } => self.index(object, index),
            ExprKind::Unary { operator, operand } => self.unary(*operator, operand),
            ExprKind::Binary { operator, left, right } => {
                self.binary(*operator, left, right, expr.span)
            }
            ExprKind::Logical { operands, .. } => {
                let types: Vec<Type> = operands.iter().map(|operand| self.expr(operand)).collect();
                for (operand, ty) in operands.iter().zip(&types) {
                    self.same(&Type::BOOL, ty, place(operand));
                }
                Type::BOOL
            }
            ExprKind::Conditional { test, yes, no } => {
                let condition = self.expr(test);
                self.same(&Type::BOOL, &condition, place(test));
                let (one, other) = (self.expr(yes), self.expr(no));
                self.same(&one, &other, place(no))
            }
        }
    }

    fn identifier(&mut self, wanted: &Name) -> Type {
        let scopes = self.scopes.iter().rev();
        let found = scopes.flat_map(|scope| scope.iter().rev()).find(|(name, _)| name == wanted);
        let scheme = match found {
            Some((_, Meaning::Parameter(ty))) => return ty.clone(),
            Some((_, Meaning::Package(_))) => return Type::Unknown,
            Some((_, Meaning::Value(scheme))) => Arc::clone(scheme),
            None => match (&**wanted, self.in_library("", wanted)) {
                ("true" | "false", _) => return Type::BOOL,
                ("inf", _) => return Type::Basic(Basic::Duration),
                (_, Some(scheme)) => scheme,
                (_, None) => return Type::Unknown,
            },
        };
        self.solver.instance(&scheme)
    }

    fn in_library(&self, path: &str, name: &Name) -> Option<Arc<Scheme>> {
        self.library?.get(path)?.get(name).cloned()
    }

    fn record(&mut self, with: Option<&Expr>, properties: &[Property]) -> Type {
        if properties.len() > MAX_FIELDS {
            self.solver.gave_up = true;
            return Type::Unknown;
        }
        let base = match with {
            Some(base) => self.expr(base),
            None => Type::Empty,
        };
        properties.iter().rev().fold(base, |rest, property| {
            let value = self.expr(&property.value);
            Type::extend(&property.key, value, rest)
        })
    }

    fn member(&mut self, object: &Expr, name: &Name) -> Type {
        if let ExprKind::Identifier(package) = &object.kind {
            let scopes = self.scopes.iter().rev();
            let found = scopes.flat_map(|scope| scope.iter().rev()).find(|(own, _)| own == package);
            if let Some((_, Meaning::Package(path))) = found {
                return match self.in_library(path, name) {
                    Some(scheme) => self.solver.instance(&scheme),
                    None => Type::Unknown,
                };
            }
        }
        let ty = self.expr(object);
        let mut rest = self.solver.shallow(&ty);
        while let Type::Extend(field) = &rest {
            if field.label == *name {
                return field.value.clone();
            }
            rest = self.solver.shallow(&field.rest);
        }
        let value = self.solver.fresh();
        let wanted = Type::extend(name, value.clone(), self.solver.fresh());
        self.same(&wanted, &ty, place(object));
        value
    }

    fn index(&mut self, object: &Expr, index: &Expr) -> Type {
        if let ExprKind::String(name) = &index.kind {
            return self.member(object, name);
        }
        let (array, at) = (self.expr(object), self.expr(index));
        self.same(&Type::INT, &at, place(index));
        let element = self.solver.fresh();
        self.same(&Type::Array(Arc::new(element.clone())), &array, place(object));
        element
    }

    fn unary(&mut self, operator: UnaryOperator, operand: &Expr) -> Type {
        let ty = self.expr(operand);
        match operator {
            UnaryOperator::Not => {
                self.same(&Type::BOOL, &ty, place(operand));
                Type::BOOL
            }
            UnaryOperator::Exists => Type::BOOL,
            UnaryOperator::Plus | UnaryOperator::Minus => {
                self.constrain(Kind::Negatable, &ty, place(operand));
                ty
            }
        }
    }

    fn binary(&mut self, operator: BinaryOperator, left: &Expr, right: &Expr, at: Span) -> Type {
        use BinaryOperator as Op;
        let (one, other) = (self.expr(left), self.expr(right));
        let kinds: &[Kind] = match operator {
            Op::Add | Op::Subtract | Op::Multiply | Op::Divide | Op::Power | Op::Modulo => {
                let kind = match operator {
                    Op::Add => Kind::Addable,
                    Op::Subtract => Kind::Subtractable,
                    _ => Kind::Divisible,
                };
                let ty = self.same(&one, &other, place(right));
                self.constrain(kind, &one, at);
                return ty;
            }
            Op::Matches | Op::MatchesNot => {
                self.same(&Type::STRING, &one, place(left));
                self.same(&Type::Basic(Basic::Regexp), &other, place(right));
                return Type::BOOL;
            }
            Op::Equal | Op::NotEqual => &[Kind::Equatable],
            Op::Less | Op::Greater => &[Kind::Comparable],
            Op::LessOrEqual | Op::GreaterOrEqual => &[Kind::Equatable, Kind::Comparable],
        };
        for (ty, at) in [(&one, place(left)), (&other, place(right))] {
            for kind in kinds {
                self.constrain(*kind, ty, at);
            }
        }
        Type::BOOL
    }

    fn function(&mut self, function: &FunctionExpr) -> Type {
        let mut ty = Function::default();
        let mut names = Vec::new();
        for parameter in &function.parameters {
            let own = self.solver.fresh();
            let name = Name::clone(&parameter.name);
            names.push((Name::clone(&name), Meaning::Parameter(own.clone())));
            if parameter.default.is_some() {
                ty.optional.insert(name, own);
            } else if parameter.piped {
                ty.pipe = Some((name, own));
            } else {
                ty.required.insert(name, own);
            }
        }
        self.scopes.push(names);
        ty.result = Some(match &function.body {
            Body::Expression(expr) => self.expr(expr),
            Body::Block(statements) => self.statements(statements),
        });
        self.scopes.pop();
        let ty = Type::Function(Arc::new(ty));
        self.defaults(function, &ty);
        ty
    }

    /// Asks the defaults of parameters to be what the function can take.
    fn defaults(&mut self, function: &FunctionExpr, ty: &Type) {
        if function.parameters.iter().all(|parameter| parameter.default.is_none()) {
            return;
        }
        let mut given = Function { result: Some(self.solver.fresh()), ..Function::default() };
        for parameter in &function.parameters {
            let name = Name::clone(&parameter.name);
            match &parameter.default {
                Some(default) => {
                    let ty = self.expr(default);
                    given.optional.insert(name, ty);
                }
                None if parameter.piped => given.pipe = Some((name, self.solver.fresh())),
                None => {
                    given.required.insert(name, self.solver.fresh());
                }
            }
        }
        let scheme = self.generalized(ty);
        let wanted = self.solver.instance(&scheme);
        self.same(&wanted, &Type::Function(Arc::new(given)), function.span);
    }

    fn call(&mut self, expr: &Expr, piped: Option<&Expr>) -> Type {
        let ExprKind::Call { callee, arguments } = &expr.kind else { return Type::Unknown };
        let result = self.solver.fresh();
        let callee_ty = self.expr(callee);
        let mut given = Function { result: Some(result.clone()), ..Function::default() };
        for argument in arguments {
            let ty = self.expr(&argument.value);
            given.required.insert(Name::clone(&argument.key), ty);
        }
        given.pipe = piped.map(|piped| (Name::from(PIPE), self.expr(piped)));
        if self.solver.gave_up {
            return Type::Unknown;
        }
        match self.solver.shallow(&callee_ty) {
            Type::Function(wanted) => {
                for (name, problem) in self.solver.unify_functions(&wanted, &given) {
                    let argument = name
                        .and_then(|name| arguments.iter().find(|argument| argument.key == name));
                    let at = argument.map_or(expr.span, |argument| place(&argument.value));
                    self.mistakes.push((at, problem));
                }
            }
            other => {
                self.same(&other, &Type::Function(Arc::new(given)), expr.span);
            }
        }
        result
    }
}
