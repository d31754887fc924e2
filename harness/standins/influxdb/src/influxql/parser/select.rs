//! SELECT: fields, sources, conditions, grouping, filling, order, limits and zone.

use jiff::tz::TimeZone;

use super::{MAX_SUBQUERIES, ParseError, Parser, mistake, unexpected};
use crate::influxql::ast::{
    Expr, Field, Fill, Measurement, Order, Page, Select, Source, Statement, Zone,
};
use crate::influxql::token::{Keyword, Token};

impl Parser<'_> {
    pub(super) fn select_statement(&mut self) -> Result<Statement, ParseError> {
        Ok(Statement::Select(Box::new(self.select()?)))
    }

    /// Reads a SELECT whose first word was read.
    pub(super) fn select(&mut self) -> Result<Select, ParseError> {
        let fields = self.fields()?;
        let target = self.target()?;
        self.expect_word(Keyword::From)?;
        let sources = self.sources_with_subqueries()?;
        let condition = self.condition()?;
        let dimensions = self.dimensions()?;
        let fill = self.fill()?;
        let order = self.order_by()?;
        let rows = self.page(Keyword::Limit, Keyword::Offset)?;
        let series = self.page(Keyword::Slimit, Keyword::Soffset)?;
        let zone = self.zone()?;
        let is_call = |field: &Field| {
            let mut found = false;
            field.expr.walk(&mut |expr| found |= matches!(expr, Expr::Call(_)));
            found
        };
        let is_raw = !fields.iter().any(is_call);
        Ok(Select {
            fields,
            target,
            sources,
            condition,
            dimensions,
            fill,
            order,
            rows,
            series,
            zone,
            is_raw,
            ..Select::default()
        })
    }

    fn fields(&mut self) -> Result<Vec<Field>, ParseError> {
        let mut fields = Vec::new();
        loop {
            fields.push(self.field()?);
            if self.next_raw().token != Token::Comma {
                self.back();
                return Ok(fields);
            }
        }
    }

    fn field(&mut self) -> Result<Field, ParseError> {
        let expr = match self.regex()? {
            Some(pattern) => Expr::Regex(pattern),
            None => self.field_expr()?,
        };
        let alias = if self.accept_word(Keyword::As) { self.ident()? } else { String::new() };
        self.skip_space();
        Ok(Field { expr, alias })
    }

    fn field_expr(&mut self) -> Result<Expr, ParseError> {
        let position = self.next().position;
        self.back();
        let expr = self.expr()?;
        let mut wrong = None;
        expr.walk(&mut |part| match part {
            Expr::Binary(binary) if binary.op.is_condition() => {
                wrong.get_or_insert(binary.op);
            }
            _ => {}
        });
        match wrong {
            None => Ok(expr),
            Some(op) => Err(ParseError(format!(
                "invalid operator {} in SELECT clause at line {}, char {}; operator is intended \
                 for WHERE clause",
                op.text(),
                position.line + 1,
                position.char + 1
            ))),
        }
    }

    fn target(&mut self) -> Result<Option<String>, ParseError> {
        if !self.accept_word(Keyword::Into) {
            return Ok(None);
        }
        let names = self.path()?;
        if names.len() < 3 && self.scanner.peek_char() == ':' {
            self.expect(Token::Colon)?;
            self.expect_word(Keyword::Measurement)?;
        }
        Ok(Some(names.join(".")))
    }

    pub(super) fn sources(&mut self) -> Result<Vec<Source>, ParseError> {
        let mut sources = vec![self.source()?];
        while self.accept(Token::Comma) {
            sources.push(self.source()?);
        }
        Ok(sources)
    }

    fn sources_with_subqueries(&mut self) -> Result<Vec<Source>, ParseError> {
        let mut sources = vec![self.source_or_subquery()?];
        while self.accept(Token::Comma) {
            sources.push(self.source_or_subquery()?);
        }
        Ok(sources)
    }

    fn source_or_subquery(&mut self) -> Result<Source, ParseError> {
        if let Some(pattern) = self.regex()? {
            let regex = Some(pattern);
            return Ok(Source::Measurement(Measurement { regex, ..Measurement::default() }));
        }
        let found = self.next();
        if found.token != Token::LeftParen {
            self.back();
            return self.source();
        }
        self.subqueries += 1;
        if self.subqueries > MAX_SUBQUERIES {
            let message = "subqueries this deep are not in the stand-in's InfluxQL";
            return Err(mistake(message, found.position));
        }
        self.expect_word(Keyword::Select)?;
        let select = self.select()?;
        self.expect(Token::RightParen)?;
        self.subqueries -= 1;
        Ok(Source::SubQuery(Box::new(select)))
    }

    pub(super) fn source(&mut self) -> Result<Source, ParseError> {
        let mut measurement = Measurement::default();
        if let Some(pattern) = self.regex()? {
            measurement.regex = Some(pattern);
            return Ok(Source::Measurement(measurement));
        }
        let mut names = self.path()?;
        if names.len() < 3 {
            measurement.regex = self.regex()?;
        }
        if measurement.regex.is_none() {
            measurement.name = names.pop().unwrap_or_default();
        }
        measurement.retention_policy = names.pop().unwrap_or_default();
        measurement.database = names.pop().unwrap_or_default();
        Ok(Source::Measurement(measurement))
    }

    pub(super) fn condition(&mut self) -> Result<Option<Expr>, ParseError> {
        if self.accept_word(Keyword::Where) { self.expr().map(Some) } else { Ok(None) }
    }

    pub(super) fn dimensions(&mut self) -> Result<Vec<Expr>, ParseError> {
        let mut dimensions = Vec::new();
        if !self.accept_word(Keyword::Group) {
            return Ok(dimensions);
        }
        self.expect_word(Keyword::By)?;
        loop {
            if let Some(pattern) = self.regex()? {
                dimensions.push(Expr::Regex(pattern));
            } else {
                dimensions.push(self.expr()?);
                self.skip_space();
            }
            if self.next_raw().token != Token::Comma {
                self.back();
                return Ok(dimensions);
            }
        }
    }

    /// Whether a call of this name comes next.
    fn at_call(&mut self, name: &str) -> bool {
        let found = self.next();
        self.back();
        found.token == Token::Ident && found.text.eq_ignore_ascii_case(name)
    }

    fn fill(&mut self) -> Result<Fill, ParseError> {
        if !self.at_call("fill") {
            return Ok(Fill::Null);
        }
        let refuse = |message: &str| Err(ParseError(message.to_owned()));
        let Expr::Call(call) = self.expr()? else {
            return refuse("fill must be a function call");
        };
        let [arg] = call.args.as_slice() else {
            return refuse("fill requires an argument, e.g.: 0, null, none, previous, linear");
        };
        match (arg.to_string().as_str(), arg) {
            ("null", _) => Ok(Fill::Null),
            ("none", _) => Ok(Fill::None),
            ("previous", _) => Ok(Fill::Previous),
            ("linear", _) => Ok(Fill::Linear),
            (_, Expr::Integer(number)) => Ok(Fill::Integer(*number)),
            (_, Expr::Number(number)) => Ok(Fill::Float(*number)),
            _ => refuse("expected number argument in fill()"),
        }
    }

    fn zone(&mut self) -> Result<Option<Zone>, ParseError> {
        if !self.at_call("tz") {
            return Ok(None);
        }
        let refuse = |message: &str| Err(ParseError(message.to_owned()));
        let Expr::Call(call) = self.expr()? else {
            return refuse("tz must be a function call");
        };
        let [arg] = call.args.as_slice() else {
            return refuse("tz requires exactly one argument");
        };
        let Expr::String(name) = arg else {
            return refuse("expected string argument in tz()");
        };
        let zone = match name.as_str() {
            "" | "UTC" => Some(TimeZone::UTC),
            other => TimeZone::get(other).ok().filter(|zone| zone.iana_name() == Some(other)),
        };
        match zone {
            Some(zone) => Ok(Some(Zone { name: name.clone(), zone })),
            None => Err(ParseError(format!("unable to find time zone {name}"))),
        }
    }

    pub(super) fn page(&mut self, limit: Keyword, offset: Keyword) -> Result<Page, ParseError> {
        Ok(Page { limit: self.count(limit)?, offset: self.count(offset)? })
    }

    fn count(&mut self, word: Keyword) -> Result<i64, ParseError> {
        if !self.accept_word(word) {
            return Ok(0);
        }
        let found = self.next();
        if found.token != Token::Integer {
            return Err(unexpected(&found, "integer"));
        }
        // A number too large counts as the largest, as on the server.
        Ok(found.text.parse().unwrap_or(i64::MAX))
    }

    pub(super) fn order_by(&mut self) -> Result<Option<Order>, ParseError> {
        if !self.accept_word(Keyword::Order) {
            return Ok(None);
        }
        self.expect_word(Keyword::By)?;
        let only_time = || ParseError("only ORDER BY time supported at this time".to_owned());
        let found = self.next();
        let order = match found.token {
            Token::Keyword(Keyword::Asc) => Order::Ascending,
            Token::Keyword(Keyword::Desc) => Order::Descending,
            Token::Ident => {
                let order = self.direction();
                if found.text != "time" {
                    return Err(only_time());
                }
                order
            }
            _ => return Err(unexpected(&found, "identifier, ASC, DESC")),
        };
        let mut more = false;
        while self.accept(Token::Comma) {
            self.ident()?;
            self.direction();
            more = true;
        }
        if more { Err(only_time()) } else { Ok(Some(order)) }
    }

    fn direction(&mut self) -> Order {
        if self.accept_word(Keyword::Desc) {
            return Order::Descending;
        }
        self.accept_word(Keyword::Asc);
        Order::Ascending
    }
}
