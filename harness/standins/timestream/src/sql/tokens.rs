//! The first step of a query: tokens, with what only this dialect writes turned into standard SQL.
//!
//! [`Tokens::read`] turns interval literals such as `1h` into `INTERVAL '…'`, and
//! `measure_value::double` into the quoted name of a column. Names lose their case, since they
//! have none in this dialect; [`Tokens::spelling`] remembers how the query wrote them. Anything
//! that the parser would read in another sense than the service does is refused here, with its
//! position.

use std::collections::BTreeMap;

use datafusion::sql::sqlparser::dialect::Dialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{
    Location, Span, Token, TokenWithSpan, Tokenizer, Word,
};

use crate::error::ApiError;
use crate::value::ScalarType;

/// How many operators deep an expression may be. The planner works recursively, and much more
/// slowly on deep expressions than on many.
const MAX_DEPTH: usize = 150;

/// The lexical rules of the service: double quotes for names, single quotes for strings.
#[derive(Debug)]
pub(super) struct TimestreamDialect;

impl Dialect for TimestreamDialect {
    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_'
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"'
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }
}

/// A query's tokens, ready for the parser.
#[derive(Debug)]
pub(super) struct Tokens {
    /// Without white space and comments.
    pub(super) list: Vec<TokenWithSpan>,
    /// Names in lower case, with the way in which the query writes them.
    spellings: BTreeMap<String, String>,
    /// Names in lower case that the query gives with `AS`, as it writes them.
    aliases: BTreeMap<String, String>,
}

impl Tokens {
    pub(super) fn read(query: &str) -> Result<Self, ApiError> {
        let read = Tokenizer::new(&TimestreamDialect, query).tokenize_with_location();
        let read = read.map_err(|error| at(error.location, &error.message))?;
        let mut tokens = Self {
            list: Vec::with_capacity(read.len()),
            spellings: BTreeMap::new(),
            aliases: BTreeMap::new(),
        };
        let mut rest = read.as_slice();
        while let [token, after @ ..] = rest {
            rest = tokens.take(token, after)?;
        }
        tokens.drop_final_semicolon();
        tokens.check_depth()?;
        Ok(tokens)
    }

    /// How the query writes a name that it gives with `AS`.
    pub(super) fn alias(&self, lower: &str) -> Option<&str> {
        self.aliases.get(lower).map(String::as_str)
    }

    /// How the query writes a name.
    pub(super) fn spelling(&self, lower: &str) -> Option<&str> {
        self.spellings.get(lower).map(String::as_str)
    }

    /// Where the query first has a name.
    pub(super) fn position(&self, lower: &str) -> Option<Location> {
        let is_name = |token: &Token| matches!(token, Token::Word(word) if word.value == lower);
        let named = self.list.iter().find(|token| is_name(&token.token));
        named.map(|token| token.span.start)
    }

    /// The keywords and names from `start` on, in lower case, and whether each was quoted.
    pub(super) fn words(&self) -> impl Iterator<Item = Option<&Word>> {
        self.list.iter().map(|token| match &token.token {
            Token::Word(word) => Some(word),
            _ => None,
        })
    }

    /// Takes one token and whatever belongs to it, and returns the rest.
    fn take<'a>(
        &mut self,
        token: &TokenWithSpan,
        after: &'a [TokenWithSpan],
    ) -> Result<&'a [TokenWithSpan], ApiError> {
        let start = token.span.start;
        match &token.token {
            Token::Whitespace(_) | Token::EOF => Ok(after),
            Token::Number(number, _) => self.take_number(number, token.span, after),
            Token::Word(word) => self.take_word(word, token.span, after),
            Token::DoubleColon => {
                Err(at(start, "'::' is supported in measure_value::type only; use CAST"))
            }
            Token::Placeholder(text) => {
                Err(at(start, &format!("parameter '{text}' is not supported")))
            }
            _ => {
                self.list.push(token.clone());
                Ok(after)
            }
        }
    }

    /// A number, or the interval literal that it begins.
    fn take_number<'a>(
        &mut self,
        number: &str,
        span: Span,
        after: &'a [TokenWithSpan],
    ) -> Result<&'a [TokenWithSpan], ApiError> {
        // White space is a token, so a word that is next follows without a gap.
        let [TokenWithSpan { token: Token::Word(unit), .. }, rest @ ..] = after else {
            self.push(Token::Number(number.to_owned(), false), span);
            return Ok(after);
        };
        let literal = format!("{number}{}", unit.value);
        let interval = interval(number, &unit.value.to_lowercase());
        let interval = interval
            .filter(|_| unit.quote_style.is_none())
            .ok_or_else(|| at(span.start, &format!("'{literal}' is no interval literal")))?;
        self.push(word("interval", None, Keyword::INTERVAL), span);
        self.push(Token::SingleQuotedString(interval), span);
        Ok(rest)
    }

    /// A keyword or a name.
    fn take_word<'a>(
        &mut self,
        source: &Word,
        span: Span,
        after: &'a [TokenWithSpan],
    ) -> Result<&'a [TokenWithSpan], ApiError> {
        let lower = source.value.to_lowercase();
        if lower == "measure_value"
            && source.quote_style.is_none()
            && let [colons, kind, rest @ ..] = after
            && colons.token == Token::DoubleColon
        {
            let name = measure_column(&kind.token).ok_or_else(|| {
                at(kind.span.start, &format!("'{}' is no type of measure_value", kind.token))
            })?;
            self.push(word(name, Some('"'), Keyword::NoKeyword), span);
            return Ok(rest);
        }
        if self.follows_as() {
            self.aliases.entry(lower.clone()).or_insert_with(|| source.value.clone());
        }
        self.spellings.entry(lower.clone()).or_insert_with(|| source.value.clone());
        // `time` is the column unless a string follows: the parser would look for a literal first.
        let is_time = source.keyword == Keyword::TIME && !next_is_string(after);
        let quote = if is_time { Some('"') } else { source.quote_style };
        let keyword = if is_time { Keyword::NoKeyword } else { source.keyword };
        self.push(word(&lower, quote, keyword), span);
        Ok(after)
    }

    fn push(&mut self, token: Token, span: Span) {
        self.list.push(TokenWithSpan { token, span });
    }

    fn follows_as(&self) -> bool {
        let last = self.list.last().map(|token| &token.token);
        matches!(last, Some(Token::Word(word)) if word.keyword == Keyword::AS)
    }

    fn drop_final_semicolon(&mut self) {
        while self.list.last().is_some_and(|token| token.token == Token::SemiColon) {
            self.list.pop();
        }
    }

    /// Refuses expressions that are too deep, as far as operators make them so: the parser itself
    /// bounds how deep parentheses are nested.
    fn check_depth(&self) -> Result<(), ApiError> {
        // For each open parenthesis, the operators since the last comma, and the set operators.
        let mut levels = vec![Level::default()];
        for token in &self.list {
            match &token.token {
                Token::LParen => levels.push(Level::default()),
                Token::RParen => drop(levels.pop()),
                _ => {}
            }
            // A query with more closing than opening parentheses is the parser's to refuse.
            let Some(level) = levels.last_mut() else { return Ok(()) };
            match &token.token {
                Token::Comma => level.operators = 0,
                Token::Word(word) if combines(word.keyword) => level.combined += 1,
                other if is_operator(other) => level.operators += 1,
                _ => {}
            }
            let depth: usize = levels.iter().map(|level| level.operators + level.combined).sum();
            if depth > MAX_DEPTH {
                let message =
                    format!("an expression of more than {MAX_DEPTH} operators is not supported");
                return Err(at(token.span.start, &message));
            }
        }
        Ok(())
    }
}

/// What makes a query deep between one pair of parentheses.
#[derive(Default)]
struct Level {
    operators: usize,
    combined: usize,
}

/// A refusal that tells the position first, as the service does.
pub(super) fn at(position: Location, message: &str) -> ApiError {
    if position.line == 0 {
        return ApiError::validation(message);
    }
    ApiError::validation(format!("line {}:{}: {message}", position.line, position.column))
}

fn word(value: &str, quote_style: Option<char>, keyword: Keyword) -> Token {
    Token::Word(Word { value: value.to_owned(), quote_style, keyword })
}

fn measure_column(token: &Token) -> Option<&'static str> {
    let Token::Word(word) = token else { return None };
    let name = word.value.to_lowercase();
    let scalar = ScalarType::ALL.into_iter().find(|scalar| scalar.sql_name() == name)?;
    Some(scalar.measure_column())
}

fn next_is_string(after: &[TokenWithSpan]) -> bool {
    let next = after.iter().find(|token| !matches!(token.token, Token::Whitespace(_)));
    matches!(next.map(|token| &token.token), Some(Token::SingleQuotedString(_)))
}

/// The text of a standard interval for `1h` and its like.
fn interval(number: &str, unit: &str) -> Option<String> {
    let count: i64 = number.parse().ok()?;
    let ns = match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60 * 1_000_000_000,
        "h" => 3_600 * 1_000_000_000,
        "d" => 86_400 * 1_000_000_000,
        "w" => 7 * 86_400 * 1_000_000_000,
        // Months and years have no fixed length.
        "mo" => return i32::try_from(count).ok().map(|count| format!("{count} months")),
        "y" => return i32::try_from(count).ok().map(|count| format!("{count} years")),
        _ => return None,
    };
    let ns = count.checked_mul(ns)?;
    Some(format!("{ns} nanoseconds"))
}

/// Whether a keyword combines queries or tables: each makes the plan one level deeper.
fn combines(keyword: Keyword) -> bool {
    matches!(keyword, Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::JOIN)
}

fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(word.keyword, Keyword::AND | Keyword::OR | Keyword::NOT),
        Token::Plus
        | Token::Minus
        | Token::Mul
        | Token::Div
        | Token::Mod
        | Token::StringConcat
        | Token::Eq
        | Token::Neq
        | Token::Lt
        | Token::LtEq
        | Token::Gt
        | Token::GtEq => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(query: &str) -> String {
        let tokens = Tokens::read(query).unwrap().list;
        tokens.iter().map(|token| token.token.to_string()).collect::<Vec<_>>().join(" ")
    }

    fn refusal(query: &str) -> String {
        Tokens::read(query).unwrap_err().message
    }

    #[test]
    fn interval_literals_become_standard_intervals() {
        let cases = [
            ("1h", "interval '3600000000000 nanoseconds'"),
            ("5m", "interval '300000000000 nanoseconds'"),
            ("30s", "interval '30000000000 nanoseconds'"),
            ("1d", "interval '86400000000000 nanoseconds'"),
            ("1ms", "interval '1000000 nanoseconds'"),
            ("1us", "interval '1000 nanoseconds'"),
            ("1ns", "interval '1 nanoseconds'"),
            ("2mo", "interval '2 months'"),
        ];
        for (literal, interval) in cases {
            assert_eq!(rewritten(&format!("bin(t, {literal})")), format!("bin ( t , {interval} )"));
        }
    }

    #[test]
    fn a_number_is_no_interval_when_a_space_follows() {
        assert_eq!(rewritten("SELECT 1 h"), "select 1 h");
    }

    #[test]
    fn text_in_strings_and_quoted_names_is_left_alone() {
        assert_eq!(
            rewritten("SELECT '1h', 'measure_value::double', \"a-1h\""),
            "select '1h' , 'measure_value::double' , \"a-1h\""
        );
    }

    #[test]
    fn comments_are_no_tokens() {
        assert_eq!(rewritten("SELECT 1 -- 1h\n/* 2x */ + 2"), "select 1 + 2");
    }

    #[test]
    fn measure_value_with_a_type_is_a_column() {
        assert_eq!(
            rewritten("SELECT a.Measure_Value::DOUBLE"),
            "select a . \"measure_value::double\""
        );
    }

    #[test]
    fn a_cast_with_two_colons_is_refused_with_its_position() {
        assert_eq!(
            refusal("SELECT\n  x::double"),
            "line 2:4: '::' is supported in measure_value::type only; use CAST"
        );
    }

    #[test]
    fn an_unknown_unit_is_refused_with_its_position() {
        assert_eq!(refusal("SELECT 1x"), "line 1:8: '1x' is no interval literal");
        assert_eq!(refusal("SELECT 1h30m"), "line 1:8: '1h30m' is no interval literal");
        assert_eq!(refusal("SELECT 1.5h"), "line 1:8: '1.5h' is no interval literal");
    }

    #[test]
    fn names_lose_their_case_and_keep_their_spelling() {
        let tokens = Tokens::read("SELECT Region AS Zone").unwrap();
        assert_eq!(tokens.spelling("region"), Some("Region"));
        assert_eq!(tokens.alias("zone"), Some("Zone"));
        assert_eq!(tokens.alias("region"), None);
    }

    #[test]
    fn an_expression_that_is_too_deep_is_refused() {
        let deep = " + 1".repeat(MAX_DEPTH + 1);
        assert!(refusal(&format!("SELECT 1{deep}")).contains("operators"));
        assert!(refusal(&format!("SELECT 1 + (1{})", &deep[4..])).contains("operators"));
        let calls = " + f(1, 1)".repeat(MAX_DEPTH + 1);
        assert!(refusal(&format!("SELECT 1{calls}")).contains("operators"));
    }

    #[test]
    fn many_small_expressions_are_not_deep() {
        let wide = ", 1 + 1".repeat(MAX_DEPTH + 1);
        assert!(Tokens::read(&format!("SELECT 1{wide}")).is_ok());
    }

    #[test]
    fn an_unterminated_string_is_refused_with_its_position() {
        assert!(refusal("SELECT 'a").starts_with("line 1:8:"));
    }
}
