//! Tokens to a syntax tree, by recursive descent.
//!
//! [`parse`] is the entry. The first mistake ends it, with its place. Hostile input is bounded:
//! nesting by [`MAX_DEPTH`], as on the server, long chains of one operator by [`MAX_HEIGHT`], and
//! the number of statements. Expressions are in the module `expression`, literals in `literal`.

mod expression;
mod literal;

use super::ast::{
    Assignment, Body, Expr, ExprKind, File, FunctionExpr, Import, Name, Parameter, Position, Span,
    Statement,
};
use super::error::FluxError;
use super::lexer::{Kind, Lexer, Token, fixed_name};

/// How deep brackets and blocks may nest.
const MAX_DEPTH: usize = 80;

/// How many expressions may be nested in one by chains such as `a + a + a` and `a |> b() |> c()`.
const MAX_HEIGHT: usize = 250;

const MAX_STATEMENTS: usize = 2000;

/// Reads a script.
pub(crate) fn parse(text: &str) -> Result<File, FluxError> {
    let lexer = Lexer::new(text);
    let token = lexer.token(0);
    Parser { lexer, token, depth: 0, statements: 0 }.file()
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The token that comes next.
    token: Token,
    depth: usize,
    statements: usize,
}

impl Parser<'_> {
    fn advance(&mut self) -> Token {
        let token = self.token;
        self.token = self.lexer.token(token.end);
        token
    }

    fn next_is(&self, fixed: &'static str) -> bool {
        self.token.kind == Kind::Fixed(fixed)
    }

    fn accept(&mut self, fixed: &'static str) -> bool {
        let found = self.next_is(fixed);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, fixed: &'static str) -> Result<Token, FluxError> {
        if self.next_is(fixed) { Ok(self.advance()) } else { Err(self.expected(fixed_name(fixed))) }
    }

    /// What something that begins at `start` has to go on with.
    fn expect_from(&mut self, start: Position, fixed: &'static str) -> Result<Token, FluxError> {
        if self.next_is(fixed) {
            Ok(self.advance())
        } else {
            Err(self.expected_from(start, fixed_name(fixed)))
        }
    }

    fn name(&mut self) -> Result<Name, FluxError> {
        if self.token.kind != Kind::Identifier {
            return Err(self.expected("IDENT"));
        }
        let token = self.advance();
        Ok(Name::from(self.lexer.text(token)))
    }

    fn span(&self, token: Token) -> Span {
        self.lexer.span(token.start, token.end)
    }

    fn span_from(&self, start: Position, last: Token) -> Span {
        Span { start, end: self.span(last).end }
    }

    fn expected(&self, wanted: &str) -> FluxError {
        self.expected_from(self.span(self.token).start, wanted)
    }

    /// What comes next is not what something that begins at `start` has to go on with.
    fn expected_from(&self, start: Position, wanted: &str) -> FluxError {
        let at = self.span_from(start, self.token);
        let name = self.token.kind.name();
        let message = if self.token.kind == Kind::End {
            format!("expected {wanted}, got EOF")
        } else {
            let (text, place) = (self.lexer.text(self.token), self.span(self.token).start);
            format!("expected {wanted}, got {name} ({text}) at {place}")
        };
        FluxError::compilation(at, message)
    }

    fn mistake(&self, token: Token, message: &str) -> FluxError {
        FluxError::compilation(self.span(token), message)
    }

    /// Runs `part` one level deeper.
    fn nested<T>(
        &mut self,
        part: impl FnOnce(&mut Self) -> Result<T, FluxError>,
    ) -> Result<T, FluxError> {
        if self.depth >= MAX_DEPTH {
            return Err(self.mistake(self.token, "Program is nested too deep"));
        }
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }

    /// Makes an expression over parts of these heights.
    fn expr<'e>(
        kind: ExprKind,
        span: Span,
        height_of_parts: impl IntoIterator<Item = &'e usize>,
    ) -> Result<Expr, FluxError> {
        let height = 1 + height_of_parts.into_iter().max().copied().unwrap_or(0);
        if height > MAX_HEIGHT {
            return Err(FluxError::compilation(span, "Program is nested too deep"));
        }
        Ok(Expr { kind, span, height })
    }

    fn file(&mut self) -> Result<File, FluxError> {
        if self.accept("package") {
            self.name()?;
        }
        let mut imports = Vec::new();
        while self.next_is("import") {
            imports.push(self.import()?);
        }
        let mut statements = Vec::new();
        while self.token.kind != Kind::End {
            statements.push(self.statement()?);
        }
        Ok(File { imports, statements })
    }

    fn import(&mut self) -> Result<Import, FluxError> {
        let first = self.expect("import")?;
        let alias = if self.token.kind == Kind::Identifier { Some(self.name()?) } else { None };
        let path = self.token;
        if path.kind != Kind::Quote {
            return Err(self.expected("STRING"));
        }
        let literal = self.string()?;
        let ExprKind::String(text) = literal.kind else {
            return Err(self.mistake(path, "an import path cannot be interpolated"));
        };
        let span = self.span(first).to(literal.span);
        Ok(Import { alias, path: text.as_ref().to_owned(), span })
    }

    fn statement(&mut self) -> Result<Statement, FluxError> {
        self.statements += 1;
        if self.statements > MAX_STATEMENTS {
            return Err(self.mistake(self.token, "the script has too many statements"));
        }
        for unsupported in ["builtin", "testcase", "@"] {
            if self.next_is(unsupported) {
                let message = format!("`{unsupported}` is not in the stand-in's Flux");
                return Err(self.mistake(self.token, &message));
            }
        }
        if self.next_is("option") {
            return self.option();
        }
        if self.accept("return") {
            return Ok(Statement::Return(self.expression()?));
        }
        if !self.begins_expression() {
            let text = self.lexer.text(self.token);
            return Err(self.mistake(self.token, &format!("invalid statement: {text}")));
        }
        let expression = self.expression()?;
        match expression.kind {
            ExprKind::Identifier(name) if self.accept("=") => {
                let value = self.expression()?;
                let span = expression.span.to(value.span);
                Ok(Statement::Assignment(Assignment { package: None, name, value, span }))
            }
            kind => Ok(Statement::Expression(Expr { kind, ..expression })),
        }
    }

    /// Whether what comes next can begin an expression.
    fn begins_expression(&self) -> bool {
        match self.token.kind {
            Kind::Fixed(fixed) => {
                matches!(fixed, "if" | "not" | "exists" | "+" | "-" | "/" | "(" | "[" | "{")
            }
            Kind::End | Kind::Illegal => false,
            _ => true,
        }
    }

    fn option(&mut self) -> Result<Statement, FluxError> {
        let keyword = self.advance();
        let start = self.span(self.token);
        let mut name = self.name()?;
        let mut package = None;
        if self.accept(".") {
            package = Some(std::mem::replace(&mut name, self.name()?));
        }
        if !self.accept("=") {
            return Err(self.mistake(keyword, "invalid statement: option"));
        }
        let value = self.expression()?;
        let span = start.to(value.span);
        Ok(Statement::Option(Assignment { package, name, value, span }))
    }

    /// A function literal, from its opening parenthesis on.
    fn function(&mut self) -> Result<Expr, FluxError> {
        let start = self.span(self.token).start;
        self.expect("(")?;
        let mut parameters = Vec::new();
        while !self.next_is(")") {
            parameters.push(self.parameter()?);
            if !self.accept(",") {
                break;
            }
        }
        self.expect(")")?;
        self.expect("=>")?;
        let (body, end, height) = if self.next_is("{") {
            let (statements, end, height) = self.nested(Self::block)?;
            (Body::Block(statements), end, height)
        } else {
            let body = self.nested(Self::expression)?;
            let (end, height) = (body.span.end, body.height);
            (Body::Expression(body), end, height)
        };
        let span = Span { start, end };
        let defaults = parameters.iter().filter_map(|parameter| parameter.default.as_ref());
        let heights: Vec<usize> = defaults.map(|default| default.height).chain([height]).collect();
        let function = FunctionExpr { library: None, parameters, body, height, span };
        Self::expr(ExprKind::Function(std::sync::Arc::new(function)), span, &heights)
    }

    fn parameter(&mut self) -> Result<Parameter, FluxError> {
        if self.accept("<-") {
            return Ok(Parameter { name: self.name()?, default: None, piped: true });
        }
        let name = self.name()?;
        if !self.accept("=") {
            return Ok(Parameter { name, default: None, piped: false });
        }
        if self.accept("<-") {
            return Ok(Parameter { name, default: None, piped: true });
        }
        Ok(Parameter { name, default: Some(self.nested(Self::expression)?), piped: false })
    }

    fn block(&mut self) -> Result<(Vec<Statement>, Position, usize), FluxError> {
        let first = self.expect("{")?;
        let start = self.span(first).start;
        let mut statements = Vec::new();
        while !self.next_is("}") && self.token.kind != Kind::End {
            statements.push(self.statement()?);
        }
        let last = self.expect_from(start, "}")?;
        let height = statements.iter().map(|statement| match statement {
            Statement::Expression(expr) | Statement::Return(expr) => expr.height,
            Statement::Assignment(assigned) | Statement::Option(assigned) => assigned.value.height,
        });
        let height = height.max().unwrap_or(0);
        Ok((statements, self.span(last).end, height))
    }
}

#[cfg(test)]
mod tests;
