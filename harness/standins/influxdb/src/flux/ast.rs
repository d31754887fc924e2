//! The syntax tree of a script, with the place of each part.

use std::fmt;
use std::sync::Arc;

use regex::Regex;

use super::duration::Duration;

/// A place in a script: line and byte of the line, both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// From the first byte of something to the byte after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: Position,
    pub(crate) end: Position,
}

impl Span {
    pub(crate) fn to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start, self.end)
    }
}

pub(crate) type Name = Arc<str>;

/// A script.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) imports: Vec<Import>,
    pub(crate) statements: Vec<Statement>,
}

#[derive(Debug)]
pub(crate) struct Import {
    pub(crate) alias: Option<Name>,
    pub(crate) path: String,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) enum Statement {
    Expression(Expr),
    Assignment(Assignment),
    Option(Assignment),
    Return(Expr),
}

/// `name = value`, for an option also `package.name = value`.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) package: Option<Name>,
    pub(crate) name: Name,
    pub(crate) value: Expr,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) span: Span,
    /// How many expressions are nested in each other here. The parser bounds it, so that walking
    /// and dropping the tree cannot exhaust the stack.
    pub(crate) height: usize,
}

impl Expr {
    pub(crate) fn is_literal(&self) -> bool {
        matches!(
            self.kind,
            ExprKind::Integer(_)
                | ExprKind::Float(_)
                | ExprKind::String(_)
                | ExprKind::Duration(_)
                | ExprKind::Time(_)
                | ExprKind::Regex(_)
        )
    }

    /// Whether any name that stands in it passes a test, whatever the name means there.
    pub(crate) fn names_any(&self, test: &dyn Fn(&str) -> bool) -> bool {
        let any = |exprs: &[&Self]| exprs.iter().any(|expr| expr.names_any(test));
        match &self.kind {
            ExprKind::Identifier(name) => test(name),
            ExprKind::Integer(_)
            | ExprKind::Float(_)
            | ExprKind::String(_)
            | ExprKind::Duration(_)
            | ExprKind::Time(_)
            | ExprKind::Regex(_) => false,
            ExprKind::Interpolated(parts) => parts.iter().any(|part| match part {
                StringPart::Text(_) => false,
                StringPart::Expression(expr) => expr.names_any(test),
            }),
            ExprKind::Array(elements) | ExprKind::Logical { operands: elements, .. } => {
                elements.iter().any(|element| element.names_any(test))
            }
            ExprKind::Dict(pairs) => pairs.iter().any(|(key, value)| any(&[key, value])),
            ExprKind::Record { with, properties } => {
                with.as_ref().is_some_and(|with| with.names_any(test))
                    || properties.iter().any(|property| property.value.names_any(test))
            }
            ExprKind::Function(function) => function.names_any(test),
            ExprKind::Call { callee, arguments } => {
                callee.names_any(test)
                    || arguments.iter().any(|argument| argument.value.names_any(test))
            }
            ExprKind::Pipe { source, call } => any(&[source, call]),
            ExprKind::Member { object, .. } => object.names_any(test),
            ExprKind::Index { object, index } => any(&[object, index]),
            ExprKind::Unary { operand, .. } => operand.names_any(test),
            ExprKind::Binary { left, right, .. } => any(&[left, right]),
            ExprKind::Conditional { test: condition, yes, no } => any(&[condition, yes, no]),
        }
    }
}

impl FunctionExpr {
    fn names_any(&self, test: &dyn Fn(&str) -> bool) -> bool {
        let defaults = self.parameters.iter().filter_map(|parameter| parameter.default.as_ref());
        let in_body = match &self.body {
            Body::Expression(expr) => expr.names_any(test),
            Body::Block(statements) => statements.iter().any(|statement| match statement {
                Statement::Expression(expr) | Statement::Return(expr) => expr.names_any(test),
                Statement::Assignment(assigned) | Statement::Option(assigned) => {
                    assigned.value.names_any(test)
                }
            }),
        };
        in_body || defaults.into_iter().any(|default| default.names_any(test))
    }
}

#[derive(Debug)]
pub(crate) enum ExprKind {
    Identifier(Name),
    Integer(i64),
    Float(f64),
    String(Arc<str>),
    /// A string with `${…}` in it.
    Interpolated(Vec<StringPart>),
    Duration(Duration),
    Time(i64),
    Regex(Arc<Regex>),
    Array(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    Record {
        with: Option<Box<Expr>>,
        properties: Vec<Property>,
    },
    Function(Arc<FunctionExpr>),
    Call {
        callee: Box<Expr>,
        arguments: Vec<Property>,
    },
    /// `source |> call`
    Pipe {
        source: Box<Expr>,
        call: Box<Expr>,
    },
    Member {
        object: Box<Expr>,
        name: Name,
    },
    Index {
        object: Box<Expr>,
        index: Box<Expr>,
    },
    Unary {
        operator: UnaryOperator,
        operand: Box<Expr>,
    },
    Binary {
        operator: BinaryOperator,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// Two or more operands joined by one operator; long chains stay flat.
    Logical {
        operator: LogicalOperator,
        operands: Vec<Expr>,
    },
    Conditional {
        test: Box<Expr>,
        yes: Box<Expr>,
        no: Box<Expr>,
    },
}

#[derive(Debug)]
pub(crate) enum StringPart {
    Text(String),
    Expression(Expr),
}

/// `key: value` in a record or a call.
#[derive(Debug)]
pub(crate) struct Property {
    pub(crate) key: Name,
    pub(crate) value: Expr,
}

#[derive(Debug)]
pub(crate) struct FunctionExpr {
    /// The name under which the stand-in itself defines the function, if it does.
    pub(crate) library: Option<&'static str>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Body,
    /// How many expressions are nested in each other in the body.
    pub(crate) height: usize,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: Name,
    pub(crate) default: Option<Expr>,
    /// Whether it takes what is piped in.
    pub(crate) piped: bool,
}

#[derive(Debug)]
pub(crate) enum Body {
    Expression(Expr),
    Block(Vec<Statement>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnaryOperator {
    Plus,
    Minus,
    Not,
    Exists,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogicalOperator {
    And,
    Or,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    MatchesNot,
}

impl BinaryOperator {
    /// The operator as it is written.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Power => "^",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Matches => "=~",
            Self::MatchesNot => "!~",
        }
    }
}
