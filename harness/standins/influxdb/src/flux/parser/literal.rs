//! Literals, names and everything in brackets.

use std::sync::Arc;

use regex::Regex;

use super::Parser;
use crate::flux::ast::{Expr, ExprKind, Name, StringPart};
use crate::flux::duration::Duration;
use crate::flux::error::FluxError;
use crate::flux::lexer::{Kind, StringPiece, Token};
use crate::flux::time::{parse_date, parse_rfc3339};

const NS_PER_DAY: i64 = 86_400_000_000_000;

/// What is wrong with a regular expression, without the marks below it.
fn on_one_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let words = text.split_whitespace().filter(|word| !word.bytes().all(|byte| byte == b'^'));
    words.collect::<Vec<_>>().join(" ")
}

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Result<Expr, FluxError> {
        let token = self.token;
        let kind = match token.kind {
            Kind::Identifier => ExprKind::Identifier(self.name()?),
            Kind::Integer => {
                let text = self.lexer.text(token);
                let invalid = |reason: &str| {
                    self.mistake(token, &format!("invalid integer literal \"{text}\": {reason}"))
                };
                if text.len() > 1 && text.starts_with('0') {
                    return Err(invalid("nonzero value cannot start with 0"));
                }
                let value = text.parse().map_err(|_| invalid("value out of range"))?;
                self.advance();
                ExprKind::Integer(value)
            }
            Kind::Float => {
                let invalid = |_| self.mistake(token, "float literal cannot be read");
                let value = self.lexer.text(token).parse().map_err(invalid)?;
                self.advance();
                ExprKind::Float(value)
            }
            Kind::Duration => {
                let value = Duration::parse(self.lexer.text(token))
                    .ok_or_else(|| self.mistake(token, "duration literal is out of range"))?;
                self.advance();
                ExprKind::Duration(value)
            }
            Kind::Time => ExprKind::Time(self.time()?),
            Kind::Quote => return self.string(),
            Kind::Fixed("/") => return self.regex(),
            Kind::Fixed("[") => return self.nested(Self::list),
            Kind::Fixed("{") => return self.nested(Self::record),
            Kind::Fixed("(") => return self.parenthesis(),
            _ => return Err(self.no_expression()),
        };
        Self::expr(kind, self.span(token), &[])
    }

    fn no_expression(&self) -> FluxError {
        let found = self.token.kind.name();
        let message = format!("invalid expression: invalid token for primary expression: {found}");
        self.mistake(self.token, &message)
    }

    fn time(&mut self) -> Result<i64, FluxError> {
        let token = self.advance();
        let text = self.lexer.text(token);
        let parsed = if text.len() == 10 {
            parse_date(text.as_bytes()).and_then(|date| date.days().checked_mul(NS_PER_DAY))
        } else {
            parse_rfc3339(text)
        };
        parsed.ok_or_else(|| {
            self.mistake(
                token,
                "invalid expression: invalid date time literal, missing time offset",
            )
        })
    }

    fn regex(&mut self) -> Result<Expr, FluxError> {
        let first = self.token;
        let Some((text, end)) = self.lexer.regex(first.start) else {
            return Err(self.no_expression());
        };
        let token = Token { end, ..first };
        let regex = Regex::new(&text).map_err(|error| self.mistake(token, &on_one_line(&error)))?;
        self.token = token;
        self.advance();
        Self::expr(ExprKind::Regex(Arc::new(regex)), self.span(token), &[])
    }

    /// A string; with `${…}` in it, an interpolated one.
    pub(super) fn string(&mut self) -> Result<Expr, FluxError> {
        let first = self.token;
        let mut parts = Vec::new();
        let mut at = first.end;
        loop {
            let Some((piece, end)) = self.lexer.string_piece(at) else {
                return Err(self.mistake(first, "the string has no end or an unknown escape"));
            };
            let (text, more) = match piece {
                StringPiece::Last(text) => (text, false),
                StringPiece::BeforeExpression(text) => (text, true),
            };
            if !more {
                let token = Token { end, ..first };
                self.token = token;
                self.advance();
                let span = self.span(token);
                if parts.is_empty() {
                    return Self::expr(ExprKind::String(Arc::from(text)), span, &[]);
                }
                parts.push(StringPart::Text(text));
                let heights: Vec<usize> = parts
                    .iter()
                    .map(|part| match part {
                        StringPart::Text(_) => 0,
                        StringPart::Expression(expr) => expr.height,
                    })
                    .collect();
                return Self::expr(ExprKind::Interpolated(parts), span, &heights);
            }
            parts.push(StringPart::Text(text));
            self.token = self.lexer.token(end);
            parts.push(StringPart::Expression(self.nested(Self::expression)?));
            // The piece goes on right behind the brace, blanks included.
            if !self.next_is("}") {
                return Err(self.expected("}"));
            }
            at = self.token.end;
        }
    }

    /// An array or, when its elements are pairs, a dictionary.
    fn list(&mut self) -> Result<Expr, FluxError> {
        let start = self.span(self.token).start;
        self.expect("[")?;
        if self.accept(":") {
            let last = self.expect_from(start, "]")?;
            return Self::expr(ExprKind::Dict(Vec::new()), self.span_from(start, last), &[]);
        }
        let (mut elements, mut pairs, mut heights) = (Vec::new(), Vec::new(), Vec::new());
        while !self.next_is("]") {
            let element = self.expression()?;
            heights.push(element.height);
            let is_pair = self.next_is(":");
            if is_pair != elements.is_empty() && !(elements.is_empty() && pairs.is_empty()) {
                return Err(self.expected_from(start, if is_pair { "COMMA" } else { "COLON" }));
            }
            if self.accept(":") {
                let value = self.expression()?;
                heights.push(value.height);
                pairs.push((element, value));
            } else {
                elements.push(element);
            }
            if self.next_is("]") {
                break;
            }
            self.expect_from(start, ",")?;
        }
        let last = self.expect_from(start, "]")?;
        let kind = if pairs.is_empty() { ExprKind::Array(elements) } else { ExprKind::Dict(pairs) };
        Self::expr(kind, self.span_from(start, last), &heights)
    }

    fn record(&mut self) -> Result<Expr, FluxError> {
        let start = self.span(self.token).start;
        self.expect("{")?;
        let mut with = None;
        if self.token.kind == Kind::Identifier {
            let after = self.lexer.token(self.token.end);
            if after.kind == Kind::Identifier && self.lexer.text(after) == "with" {
                let token = self.token;
                let name: Name = self.name()?;
                self.advance();
                let base = Self::expr(ExprKind::Identifier(name), self.span(token), &[])?;
                with = Some(Box::new(base));
            }
        }
        let properties = self.properties(start)?;
        let last = self.expect_from(start, "}")?;
        let heights: Vec<usize> =
            properties.iter().map(|property| property.value.height).chain([1]).collect();
        let kind = ExprKind::Record { with, properties };
        Self::expr(kind, self.span_from(start, last), &heights)
    }

    /// A function literal or an expression in parentheses.
    fn parenthesis(&mut self) -> Result<Expr, FluxError> {
        if self.begins_function() {
            return self.nested(Self::function);
        }
        self.nested(|parser| {
            let start = parser.span(parser.token).start;
            parser.expect("(")?;
            let inner = parser.expression()?;
            let last = parser.expect_from(start, ")")?;
            Ok(Expr { span: parser.span_from(start, last), ..inner })
        })
    }

    /// Whether the parenthesis that comes next opens a list of parameters.
    fn begins_function(&self) -> bool {
        let first = self.lexer.token(self.token.end);
        match first.kind {
            Kind::Fixed("<-") => true,
            Kind::Fixed(")") => self.lexer.token(first.end).kind == Kind::Fixed("=>"),
            Kind::Identifier => {
                let second = self.lexer.token(first.end);
                match second.kind {
                    Kind::Fixed("=" | ",") => true,
                    Kind::Fixed(")") => self.lexer.token(second.end).kind == Kind::Fixed("=>"),
                    _ => false,
                }
            }
            _ => false,
        }
    }
}
