//! Expressions: operands, calls, operators by precedence, regular expressions.
//!
//! Long rows of AND or OR become balanced trees, so that a condition over thousands of values is
//! no deeper than a short one; everything else is joined from the left, as the server does.

use super::{MAX_DEPTH, ParseError, Parser, mistake, operator, parse_duration, unexpected};
use crate::influxql::ast::{Call, DataType, Expr, VarRef, Wildcard};
use crate::influxql::pattern::Pattern;
use crate::influxql::scanner::{Scanned, is_space};
use crate::influxql::token::{Keyword, Op, Position, Token};

/// An expression and how deep it is.
struct Sized {
    expr: Expr,
    depth: u32,
}

impl Sized {
    fn leaf(expr: Expr) -> Self {
        Self { expr, depth: 1 }
    }
}

impl Parser<'_> {
    /// Reads one expression.
    pub(super) fn expr(&mut self) -> Result<Expr, ParseError> {
        self.sized_expr().map(|sized| sized.expr)
    }

    fn sized_expr(&mut self) -> Result<Sized, ParseError> {
        let first = self.next();
        self.back();
        self.expressions += 1;
        if self.expressions > MAX_DEPTH {
            return Err(too_deep(first.position));
        }
        let mut operands = vec![self.operand()?];
        let mut ops = Vec::new();
        while let Some(op) = operator(self.next().token) {
            let operand = if op.is_regex() {
                match self.regex()? {
                    Some(pattern) => Sized::leaf(Expr::Regex(pattern)),
                    None => return Err(unexpected(&self.next(), "regex")),
                }
            } else {
                self.operand()?
            };
            ops.push(op);
            operands.push(operand);
        }
        self.back();
        self.expressions -= 1;
        let joined = join(operands, ops);
        if joined.depth > MAX_DEPTH {
            drop_deep(joined.expr);
            return Err(too_deep(first.position));
        }
        Ok(joined)
    }

    fn operand(&mut self) -> Result<Sized, ParseError> {
        let found = self.next();
        let literal = match found.token {
            Token::LeftParen => {
                let inner = self.sized_expr()?;
                self.expect(Token::RightParen)?;
                let expr = Expr::Paren(Box::new(inner.expr));
                return Ok(Sized { expr, depth: inner.depth + 1 });
            }
            Token::Ident => {
                if self.next_raw().token == Token::LeftParen {
                    return self.call(&found.text);
                }
                self.back();
                self.back();
                Expr::Ref(self.var_ref()?)
            }
            Token::Keyword(Keyword::Distinct) => return self.distinct(),
            Token::String => Expr::String(found.text),
            Token::Number => {
                let number = found.text.parse();
                Expr::Number(number.map_err(|_| mistake("unable to parse number", found.position))?)
            }
            Token::Integer => integer(&found)?,
            Token::True => Expr::Boolean(true),
            Token::False => Expr::Boolean(false),
            Token::Duration => Expr::Duration(parse_duration(&found.text).map_err(ParseError)?),
            Token::Op(Op::Mul) => Expr::Wildcard(self.wildcard()?),
            Token::Regex => Expr::Regex(compile(&found)?),
            Token::BoundParameter => {
                let name = found.text.trim_start_matches('$');
                let message = if name.is_empty() {
                    "empty bound parameter".to_owned()
                } else {
                    format!("missing parameter: {name}")
                };
                return Err(ParseError(message));
            }
            Token::Op(sign @ (Op::Add | Op::Sub)) => return self.signed(sign),
            _ => return Err(unexpected(&found, "identifier, string, number, bool")),
        };
        Ok(Sized::leaf(literal))
    }

    fn distinct(&mut self) -> Result<Sized, ParseError> {
        let found = self.next_raw();
        match found.token {
            Token::LeftParen => self.call("distinct"),
            Token::Space => Ok(Sized::leaf(Expr::Distinct(self.ident()?))),
            _ => Err(unexpected(&found, "(, identifier")),
        }
    }

    fn wildcard(&mut self) -> Result<Wildcard, ParseError> {
        if self.next_raw().token != Token::DoubleColon {
            self.back();
            return Ok(Wildcard::All);
        }
        let found = self.next_raw();
        match found.token {
            Token::Keyword(Keyword::Field) => Ok(Wildcard::Fields),
            Token::Keyword(Keyword::Tag) => Ok(Wildcard::Tags),
            _ => Err(unexpected(&found, "field, tag")),
        }
    }

    /// What follows a sign: a number takes it, anything else is multiplied by it.
    fn signed(&mut self, sign: Op) -> Result<Sized, ParseError> {
        let found = self.next();
        let allowed = matches!(
            found.token,
            Token::Number | Token::Integer | Token::Duration | Token::LeftParen | Token::Ident
        );
        if !allowed {
            return Err(unexpected(&found, "identifier, number, duration, ("));
        }
        self.back();
        let operand = self.operand()?;
        let factor: i8 = if sign == Op::Sub { -1 } else { 1 };
        let expr = match operand.expr {
            Expr::Number(number) => Expr::Number(number * f64::from(factor)),
            Expr::Integer(number) => Expr::Integer(number.wrapping_mul(factor.into())),
            Expr::Duration(length) => Expr::Duration(length.wrapping_mul(factor.into())),
            Expr::Unsigned(number) if sign == Op::Sub => {
                // One more than the largest signed number has a negative.
                if number != 1 << 63 {
                    let message = format!("constant -{number} underflows int64");
                    return Err(ParseError(message));
                }
                Expr::Integer(i64::MIN)
            }
            Expr::Unsigned(number) => Expr::Unsigned(number),
            other => Expr::binary(Op::Mul, Expr::Integer(factor.into()), other),
        };
        Ok(Sized { expr, depth: operand.depth + 1 })
    }

    pub(super) fn var_ref(&mut self) -> Result<VarRef, ParseError> {
        let name = self.path()?.join(".");
        if self.next_raw().token != Token::DoubleColon {
            self.back();
            return Ok(VarRef { name, data_type: DataType::Unknown });
        }
        let found = self.next_raw();
        let data_type = match found.token {
            Token::Keyword(Keyword::Field) => DataType::AnyField,
            Token::Keyword(Keyword::Tag) => DataType::Tag,
            Token::Ident => match found.text.to_ascii_lowercase().as_str() {
                "float" => DataType::Float,
                "integer" => DataType::Integer,
                "unsigned" => DataType::Unsigned,
                "string" => DataType::String,
                "boolean" => DataType::Boolean,
                _ => {
                    let types = "float, integer, unsigned, string, boolean, field, tag";
                    return Err(unexpected(&found, types));
                }
            },
            _ => return Err(unexpected(&found, "float, integer, string, boolean, field, tag")),
        };
        Ok(VarRef { name, data_type })
    }

    /// The arguments of a function whose name and opening parenthesis were read.
    fn call(&mut self, name: &str) -> Result<Sized, ParseError> {
        let name = name.to_lowercase();
        let mut args = Vec::new();
        let mut depth = 0;
        if let Some(pattern) = self.regex()? {
            args.push(Expr::Regex(pattern));
        } else {
            if self.next_raw().token == Token::RightParen {
                return Ok(Sized::leaf(Expr::Call(Call { name, args })));
            }
            self.back();
            let arg = self.sized_expr()?;
            depth = arg.depth;
            args.push(arg.expr);
        }
        while self.accept(Token::Comma) {
            if let Some(pattern) = self.regex()? {
                args.push(Expr::Regex(pattern));
                continue;
            }
            let arg = self.sized_expr()?;
            depth = depth.max(arg.depth);
            args.push(arg.expr);
        }
        let found = self.next_raw();
        if found.token != Token::RightParen {
            return Err(unexpected(&found, ")"));
        }
        Ok(Sized { expr: Expr::Call(Call { name, args }), depth: depth + 1 })
    }

    /// Reads a regular expression, if one comes next.
    pub(super) fn regex(&mut self) -> Result<Option<Pattern>, ParseError> {
        if is_space(self.scanner.peek_char()) {
            self.skip_space();
        }
        match self.scanner.peek_char() {
            '$' => {
                let bound = self.next_raw();
                self.back();
                if bound.token != Token::Regex {
                    return Ok(None);
                }
            }
            '/' => {}
            _ => return Ok(None),
        }
        let found = self.next_regex();
        match found.token {
            Token::Regex => compile(&found).map(Some),
            Token::BadRegex => Err(mistake(&format!("bad regex: {}", found.text), found.position)),
            _ => Err(unexpected(&found, "regex")),
        }
    }
}

fn too_deep(position: Position) -> ParseError {
    let message = "an expression this deep is not in the stand-in's InfluxQL";
    mistake(message, position)
}

fn integer(found: &Scanned) -> Result<Expr, ParseError> {
    if let Ok(number) = found.text.parse() {
        return Ok(Expr::Integer(number));
    }
    let wide = found.text.parse().map(Expr::Unsigned);
    wide.map_err(|_| mistake("unable to parse integer", found.position))
}

fn compile(found: &Scanned) -> Result<Pattern, ParseError> {
    Pattern::compile(&found.text).map_err(|message| mistake(&message, found.position))
}

/// Joins operands by precedence.
fn join(mut operands: Vec<Sized>, mut ops: Vec<Op>) -> Sized {
    for precedence in [5, 4, 3] {
        (operands, ops) = join_level(operands, ops, precedence);
    }
    for op in [Op::And, Op::Or] {
        (operands, ops) = join_runs(operands, ops, op);
    }
    operands.pop().expect("an expression has at least one operand")
}

/// Joins what stands beside operators of one precedence, from the left.
fn join_level(operands: Vec<Sized>, ops: Vec<Op>, precedence: u8) -> (Vec<Sized>, Vec<Op>) {
    let mut joined: Vec<Sized> = Vec::with_capacity(operands.len());
    let mut left_over = Vec::with_capacity(ops.len());
    let mut ops = ops.into_iter();
    for operand in operands {
        if joined.is_empty() {
            joined.push(operand);
            continue;
        }
        let op = ops.next().expect("there is an operator between two operands");
        if op.precedence() == precedence {
            let left = joined.pop().expect("the first operand was pushed");
            joined.push(pair(op, left, operand));
        } else {
            left_over.push(op);
            joined.push(operand);
        }
    }
    (joined, left_over)
}

/// Joins each row of operands between which `op` stands into a balanced tree.
fn join_runs(operands: Vec<Sized>, ops: Vec<Op>, op: Op) -> (Vec<Sized>, Vec<Op>) {
    let mut joined = Vec::new();
    let mut run = Vec::new();
    let mut left_over = Vec::new();
    let mut ops = ops.into_iter();
    for operand in operands {
        run.push(operand);
        match ops.next() {
            Some(next) if next == op => {}
            next => {
                joined.push(balance(std::mem::take(&mut run), op));
                left_over.extend(next);
            }
        }
    }
    (joined, left_over)
}

fn balance(mut run: Vec<Sized>, op: Op) -> Sized {
    while run.len() > 1 {
        let mut halved = Vec::with_capacity(run.len().div_ceil(2));
        let mut items = run.into_iter();
        while let Some(left) = items.next() {
            halved.push(match items.next() {
                Some(right) => pair(op, left, right),
                None => left,
            });
        }
        run = halved;
    }
    run.pop().expect("a run has at least one operand")
}

fn pair(op: Op, left: Sized, right: Sized) -> Sized {
    let depth = left.depth.max(right.depth) + 1;
    Sized { expr: Expr::binary(op, left.expr, right.expr), depth }
}

/// Drops a long chain of operators without going down it call by call.
fn drop_deep(expr: Expr) {
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        match expr {
            Expr::Binary(binary) => open.extend([binary.left, binary.right]),
            Expr::Paren(inner) => open.push(*inner),
            Expr::Call(call) => open.extend(call.args),
            _ => {}
        }
    }
}
