//! Expressions, from the loosest operator to the tightest.

use super::Parser;
use crate::flux::ast::{
    BinaryOperator, Expr, ExprKind, LogicalOperator, Name, Position, Property, Span, UnaryOperator,
};
use crate::flux::error::FluxError;
use crate::flux::lexer::{Kind, Token};

/// Binary operators by how tightly they bind, loosest first.
const BINARY: [&[(&str, BinaryOperator)]; 4] = [
    &[
        ("==", BinaryOperator::Equal),
        ("!=", BinaryOperator::NotEqual),
        ("<=", BinaryOperator::LessOrEqual),
        (">=", BinaryOperator::GreaterOrEqual),
        ("<", BinaryOperator::Less),
        (">", BinaryOperator::Greater),
        ("=~", BinaryOperator::Matches),
        ("!~", BinaryOperator::MatchesNot),
    ],
    &[("+", BinaryOperator::Add), ("-", BinaryOperator::Subtract)],
    &[
        ("*", BinaryOperator::Multiply),
        ("/", BinaryOperator::Divide),
        ("%", BinaryOperator::Modulo),
    ],
    &[("^", BinaryOperator::Power)],
];

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Result<Expr, FluxError> {
        self.nested(|parser| if parser.next_is("if") { parser.conditional() } else { parser.or() })
    }

    fn conditional(&mut self) -> Result<Expr, FluxError> {
        let first = self.expect("if")?;
        let start = self.span(first).start;
        let test = self.expression()?;
        self.expect_from(start, "then")?;
        let yes = self.expression()?;
        self.expect_from(start, "else")?;
        let no = self.expression()?;
        let span = Span { start, end: no.span.end };
        let heights = [test.height, yes.height, no.height];
        let (test, yes, no) = (Box::new(test), Box::new(yes), Box::new(no));
        Self::expr(ExprKind::Conditional { test, yes, no }, span, &heights)
    }

    fn or(&mut self) -> Result<Expr, FluxError> {
        self.logical("or", LogicalOperator::Or, Self::and)
    }

    fn and(&mut self) -> Result<Expr, FluxError> {
        self.logical("and", LogicalOperator::And, Self::not_or_exists)
    }

    fn logical(
        &mut self,
        word: &'static str,
        operator: LogicalOperator,
        operand: impl Fn(&mut Self) -> Result<Expr, FluxError>,
    ) -> Result<Expr, FluxError> {
        let first = operand(self)?;
        if !self.next_is(word) {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.accept(word) {
            operands.push(operand(self)?);
        }
        let span = operands[0].span.to(operands[operands.len() - 1].span);
        let heights: Vec<usize> = operands.iter().map(|operand| operand.height).collect();
        Self::expr(ExprKind::Logical { operator, operands }, span, &heights)
    }

    fn not_or_exists(&mut self) -> Result<Expr, FluxError> {
        let operator = match self.token.kind {
            Kind::Fixed("not") => UnaryOperator::Not,
            Kind::Fixed("exists") => UnaryOperator::Exists,
            _ => return self.binary(0),
        };
        let first = self.advance();
        let operand = self.nested(Self::not_or_exists)?;
        self.unary(first, operator, operand)
    }

    fn unary(
        &self,
        first: Token,
        operator: UnaryOperator,
        operand: Expr,
    ) -> Result<Expr, FluxError> {
        let (span, height) = (self.span(first).to(operand.span), operand.height);
        let operand = Box::new(operand);
        Self::expr(ExprKind::Unary { operator, operand }, span, &[height])
    }

    fn binary(&mut self, level: usize) -> Result<Expr, FluxError> {
        let Some(operators) = BINARY.get(level) else { return self.pipe() };
        let mut left = self.binary(level + 1)?;
        loop {
            let Kind::Fixed(text) = self.token.kind else { return Ok(left) };
            let Some((_, operator)) = operators.iter().find(|(own, _)| *own == text) else {
                return Ok(left);
            };
            self.advance();
            let right = self.binary(level + 1)?;
            let span = left.span.to(right.span);
            let heights = [left.height, right.height];
            let (operator, boxed, right) = (*operator, Box::new(left), Box::new(right));
            left = Self::expr(ExprKind::Binary { operator, left: boxed, right }, span, &heights)?;
        }
    }

    fn pipe(&mut self) -> Result<Expr, FluxError> {
        let mut source = self.sign()?;
        while self.accept("|>") {
            let first = self.token;
            let call = self.sign()?;
            if !matches!(call.kind, ExprKind::Call { .. }) {
                return Err(self.mistake(first, "pipe destination must be a function call"));
            }
            let span = source.span.to(call.span);
            let heights = [source.height, call.height];
            let (boxed, call) = (Box::new(source), Box::new(call));
            source = Self::expr(ExprKind::Pipe { source: boxed, call }, span, &heights)?;
        }
        Ok(source)
    }

    fn sign(&mut self) -> Result<Expr, FluxError> {
        let operator = match self.token.kind {
            Kind::Fixed("-") => UnaryOperator::Minus,
            Kind::Fixed("+") => UnaryOperator::Plus,
            _ => return self.postfix(),
        };
        let first = self.advance();
        let operand = self.nested(Self::sign)?;
        self.unary(first, operator, operand)
    }

    fn postfix(&mut self) -> Result<Expr, FluxError> {
        let mut object = self.primary()?;
        loop {
            let start = object.span.start;
            let height = object.height;
            if self.accept(".") {
                let last = self.token;
                let name = self.name()?;
                let kind = ExprKind::Member { object: Box::new(object), name };
                object = Self::expr(kind, self.span_from(start, last), &[height])?;
            } else if self.accept("(") {
                let arguments = self.properties(start)?;
                let last = self.expect_from(start, ")")?;
                let heights: Vec<usize> = arguments
                    .iter()
                    .map(|argument| argument.value.height)
                    .chain([height])
                    .collect();
                let kind = ExprKind::Call { callee: Box::new(object), arguments };
                object = Self::expr(kind, self.span_from(start, last), &heights)?;
            } else if self.accept("[") {
                let index = self.expression()?;
                let last = self.expect_from(start, "]")?;
                let heights = [height, index.height];
                let kind = match index.kind {
                    // `r["a"]` is `r.a`.
                    ExprKind::String(name) => ExprKind::Member { object: Box::new(object), name },
                    kind => {
                        let index = Box::new(Expr { kind, ..index });
                        ExprKind::Index { object: Box::new(object), index }
                    }
                };
                object = Self::expr(kind, self.span_from(start, last), &heights)?;
            } else {
                return Ok(object);
            }
        }
    }

    /// `key: value, …` up to a closing bracket, in something that begins at `start`. A key alone
    /// stands for `key: key`.
    pub(super) fn properties(&mut self, start: Position) -> Result<Vec<Property>, FluxError> {
        let mut properties = Vec::new();
        while !self.next_is(")") && !self.next_is("}") {
            properties.push(self.property()?);
            if !self.accept(",") {
                break;
            }
        }
        if !matches!(self.token.kind, Kind::Fixed(")" | "}") | Kind::End) {
            let message =
                format!("expected comma in property list, got {}", self.token.kind.name());
            return Err(FluxError::compilation(self.span_from(start, self.token), message));
        }
        Ok(properties)
    }

    /// What is wrong with something that is no property.
    fn no_property(&mut self) -> FluxError {
        let first = self.token;
        let start = self.span(first).start;
        match first.kind {
            Kind::Fixed(",") => {
                let at = Span { start, end: start };
                FluxError::compilation(at, "missing property in property list")
            }
            Kind::Fixed(":") => {
                while !self.ends_property() || self.token == first {
                    self.advance();
                }
                let at = Span { start, end: self.span(self.token).start };
                FluxError::compilation(at, "missing property key")
            }
            kind => {
                let (name, text) = (kind.name(), self.lexer.text(first));
                while !self.ends_property() {
                    self.advance();
                }
                let at = Span { start, end: self.span(self.token).start };
                let message = format!("unexpected token for property key: {name} ({text})");
                FluxError::compilation(at, message)
            }
        }
    }

    /// Whether a property ends with what comes next.
    fn ends_property(&self) -> bool {
        matches!(self.token.kind, Kind::Fixed("," | ":" | ")" | "}" | "]") | Kind::End)
    }

    fn property(&mut self) -> Result<Property, FluxError> {
        let token = self.token;
        if !matches!(token.kind, Kind::Quote | Kind::Identifier) {
            return Err(self.no_property());
        }
        let key: Name = if token.kind == Kind::Quote {
            match self.string()?.kind {
                ExprKind::String(text) => text,
                _ => return Err(self.mistake(token, "a property key cannot be interpolated")),
            }
        } else {
            self.name()?
        };
        if self.accept(":") {
            if matches!(self.token.kind, Kind::Fixed("," | ":" | ")" | "}" | "]")) {
                return Err(self.mistake(token, "missing property value"));
            }
            return Ok(Property { key, value: self.expression()? });
        }
        if token.kind == Kind::Quote {
            let message = format!("string literal key {key} must have a value");
            return Err(self.mistake(token, &message));
        }
        let kind = ExprKind::Identifier(Name::clone(&key));
        Ok(Property { key, value: Self::expr(kind, self.span(token), &[])? })
    }
}
