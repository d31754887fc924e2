//! Reads the text of a query into statements.
//!
//! [`parse_query`] is the entry. This file holds what all statements share: tokens with bound
//! parameters put in, names, lists and the wording of mistakes. `expression` reads expressions,
//! `select` reads SELECT, `show` what lists metadata, `administration` what 2.x no longer does.

mod administration;
mod expression;
mod select;
mod show;

use std::collections::BTreeMap;

use super::ast::{Source, Statement};
use super::format::quote_path;
use super::scanner::{Scanned, Scanner};
use super::token::{Keyword, Op, Position, Token};

/// How deep expressions may nest. The server has no limit but its memory.
const MAX_DEPTH: u32 = 200;
/// How deep subqueries may nest.
const MAX_SUBQUERIES: u32 = 16;

/// Why a query could not be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ParseError(pub(crate) String);

/// What is put in place of `$name`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bound {
    pub(crate) token: Token,
    pub(crate) text: String,
}

/// Values for bound parameters.
pub(crate) type Parameters = BTreeMap<String, Bound>;

/// Reads all statements of a query.
pub(crate) fn parse_query(
    text: &str,
    parameters: &Parameters,
) -> Result<Vec<Statement>, ParseError> {
    let mut parser =
        Parser { scanner: Scanner::new(text), parameters, expressions: 0, subqueries: 0 };
    let mut statements = Vec::new();
    let mut separated = true;
    loop {
        let found = parser.next();
        match found.token {
            Token::Eof => return Ok(statements),
            Token::Semicolon => separated = true,
            _ if !separated => return Err(unexpected(&found, ";")),
            _ => {
                parser.back();
                statements.push(parser.statement()?);
                separated = false;
            }
        }
    }
}

/// `found …, expected …`, with the place.
fn unexpected(found: &Scanned, expected: &str) -> ParseError {
    let text = if found.text.is_empty() { found.token.text() } else { &found.text };
    mistake(&format!("found {text}, expected {expected}"), found.position)
}

/// A message with the place, counted from one.
fn mistake(message: &str, position: Position) -> ParseError {
    let (line, char) = (position.line + 1, position.char + 1);
    ParseError(format!("{message} at line {line}, char {char}"))
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    parameters: &'a Parameters,
    /// How many expressions are open.
    expressions: u32,
    /// How many subqueries are open.
    subqueries: u32,
}

impl Parser<'_> {
    fn statement(&mut self) -> Result<Statement, ParseError> {
        use Keyword as K;
        let words = [
            K::Select,
            K::Delete,
            K::Show,
            K::Create,
            K::Drop,
            K::Explain,
            K::Grant,
            K::Revoke,
            K::Alter,
            K::Set,
            K::Kill,
        ];
        match self.one_of(&words)? {
            K::Select => self.select_statement(),
            K::Delete => self.delete(),
            K::Show => self.show(),
            K::Create => self.create(),
            K::Drop => self.drop(),
            K::Explain => self.explain(),
            K::Grant => self.grant(),
            K::Revoke => self.revoke(),
            K::Alter => self.alter(),
            K::Set => self.set_password(),
            _ => self.kill(),
        }
    }

    /// The next token, white space included, with a bound parameter put in.
    fn next_raw(&mut self) -> Scanned {
        let scanned = self.scanner.scan();
        self.bind(scanned)
    }

    fn next_regex(&mut self) -> Scanned {
        let scanned = self.scanner.scan_regex();
        self.bind(scanned)
    }

    fn bind(&self, scanned: Scanned) -> Scanned {
        if scanned.token != Token::BoundParameter {
            return scanned;
        }
        let name = scanned.text.trim_start_matches('$');
        match self.parameters.get(name) {
            Some(bound) if !name.is_empty() => {
                Scanned { token: bound.token, text: bound.text.clone(), ..scanned }
            }
            _ => scanned,
        }
    }

    /// The next token that is neither white space nor a comment.
    fn next(&mut self) -> Scanned {
        loop {
            let scanned = self.next_raw();
            if !matches!(scanned.token, Token::Space | Token::Comment) {
                return scanned;
            }
        }
    }

    fn back(&mut self) {
        self.scanner.unscan();
    }

    fn skip_space(&mut self) {
        if self.next_raw().token != Token::Space {
            self.back();
        }
    }

    /// Reads the next token if it is this one.
    fn accept(&mut self, wanted: Token) -> bool {
        let accepted = self.next().token == wanted;
        if !accepted {
            self.back();
        }
        accepted
    }

    fn accept_word(&mut self, wanted: Keyword) -> bool {
        self.accept(Token::Keyword(wanted))
    }

    fn expect(&mut self, wanted: Token) -> Result<(), ParseError> {
        let found = self.next();
        if found.token == wanted { Ok(()) } else { Err(unexpected(&found, wanted.text())) }
    }

    fn expect_word(&mut self, wanted: Keyword) -> Result<(), ParseError> {
        self.expect(Token::Keyword(wanted))
    }

    fn one_of(&mut self, words: &[Keyword]) -> Result<Keyword, ParseError> {
        let found = self.next();
        match found.token {
            Token::Keyword(word) if words.contains(&word) => Ok(word),
            _ => {
                let texts: Vec<&str> = words.iter().map(|word| word.text()).collect();
                Err(unexpected(&found, &texts.join(", ")))
            }
        }
    }

    fn ident(&mut self) -> Result<String, ParseError> {
        let found = self.next();
        if found.token == Token::Ident {
            Ok(found.text)
        } else {
            Err(unexpected(&found, "identifier"))
        }
    }

    fn idents(&mut self) -> Result<Vec<String>, ParseError> {
        let mut names = vec![self.ident()?];
        while self.accept(Token::Comma) {
            names.push(self.ident()?);
        }
        Ok(names)
    }

    /// Names joined by dots: at most three.
    fn path(&mut self) -> Result<Vec<String>, ParseError> {
        let mut names = vec![self.ident()?];
        loop {
            if self.next_raw().token != Token::Dot {
                self.back();
                break;
            }
            match self.scanner.peek_char() {
                '/' | ':' => break,
                '.' => names.push(String::new()),
                _ => names.push(self.ident()?),
            }
        }
        if names.len() > 3 {
            let message = format!("too many segments in {}", quote_path(&names));
            return Err(mistake(&message, Position::default()));
        }
        Ok(names)
    }

    fn string(&mut self) -> Result<String, ParseError> {
        let found = self.next();
        if found.token == Token::String {
            Ok(found.text)
        } else {
            Err(unexpected(&found, "string"))
        }
    }

    fn strings(&mut self) -> Result<Vec<String>, ParseError> {
        let mut texts = vec![self.string()?];
        while self.accept(Token::Comma) {
            texts.push(self.string()?);
        }
        Ok(texts)
    }

    /// A whole number from `min` to what 32 bits hold.
    fn positive(&mut self, min: i64) -> Result<i64, ParseError> {
        let max = i64::from(i32::MAX);
        let found = self.next();
        if found.token != Token::Integer {
            return Err(unexpected(&found, "integer"));
        }
        let number: i64 = found.text.parse().map_err(|_| {
            let text = format!("strconv.Atoi: parsing {:?}: value out of range", found.text);
            mistake(&text, found.position)
        })?;
        if (min..=max).contains(&number) {
            return Ok(number);
        }
        let text = format!("invalid value {number}: must be {min} <= n <= {max}");
        Err(mistake(&text, found.position))
    }

    fn unsigned(&mut self) -> Result<u64, ParseError> {
        let found = self.next();
        if found.token != Token::Integer {
            return Err(unexpected(&found, "integer"));
        }
        found.text.parse().map_err(|_| {
            let text = format!("strconv.ParseUint: parsing {:?}: value out of range", found.text);
            mistake(&text, found.position)
        })
    }

    /// A length of time, where `INF` is none.
    fn duration(&mut self) -> Result<i64, ParseError> {
        let found = self.next();
        match found.token {
            Token::Keyword(Keyword::Inf) => Ok(0),
            Token::Duration => {
                parse_duration(&found.text).map_err(|message| mistake(&message, found.position))
            }
            _ => Err(unexpected(&found, "duration")),
        }
    }

    /// Sources of a statement that deletes: names alone.
    fn plain_sources(&mut self) -> Result<Vec<Source>, ParseError> {
        let sources = self.sources()?;
        for source in &sources {
            let Source::Measurement(measurement) = source else { continue };
            // A retention policy is refused in preference to a database.
            let place = Position::default();
            if !measurement.retention_policy.is_empty() {
                return Err(mistake("retention policy not supported", place));
            }
            if !measurement.database.is_empty() {
                return Err(mistake("database not supported", place));
            }
        }
        Ok(sources)
    }

    fn delete(&mut self) -> Result<Statement, ParseError> {
        let first = self.next();
        let mut sources = Vec::new();
        if first.token == Token::Keyword(Keyword::From) {
            sources = self.plain_sources()?;
        } else {
            self.back();
        }
        let condition = self.condition()?;
        if condition.is_none() && sources.is_empty() {
            return Err(unexpected(&first, "FROM, WHERE"));
        }
        Ok(Statement::Delete { sources, condition })
    }

    fn explain(&mut self) -> Result<Statement, ParseError> {
        self.accept_word(Keyword::Analyze);
        self.accept_word(Keyword::Verbose);
        self.expect_word(Keyword::Select)?;
        self.select()?;
        Ok(Statement::Explain)
    }
}

/// Reads a length of time such as `1h30m`, in nanoseconds.
pub(crate) fn parse_duration(text: &str) -> Result<i64, String> {
    let invalid = || "invalid duration".to_owned();
    if text.len() < 2 {
        return Err(invalid());
    }
    let mut rest = text;
    let mut total: i64 = 0;
    let mut last = "";
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let count: i64 = number.parse().map_err(|_| invalid())?;
        let units = [
            ("ns", 1),
            ("ms", 1_000_000),
            ("u", 1_000),
            ("µ", 1_000),
            ("m", 60_000_000_000),
            ("s", 1_000_000_000),
            ("h", 3_600_000_000_000),
            ("d", 86_400_000_000_000),
            ("w", 604_800_000_000_000),
        ];
        let unit = units.into_iter().find(|(unit, _)| after.starts_with(unit));
        let (unit, unit_ns) = unit.ok_or_else(invalid)?;
        // The server's sum wraps around; it looks at the sign at the end.
        total = total.wrapping_add(count.wrapping_mul(unit_ns));
        last = &rest[..digits + unit.len()];
        rest = &after[unit.len()..];
    }
    if total < 0 {
        return Err(format!("overflowed duration {last}: choose a smaller duration or INF"));
    }
    Ok(total)
}

/// The operator of a token, where it is one.
fn operator(token: Token) -> Option<Op> {
    match token {
        Token::Op(op) => Some(op),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
