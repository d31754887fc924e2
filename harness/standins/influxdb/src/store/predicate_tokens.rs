//! The words of a predicate, as the scanner of the server's older query language finds them.
//!
//! [`tokenize`] gives each [`Word`] with the place that the server's messages state for it, which
//! is not always where the word begins.

use std::iter::Peekable;
use std::str::Chars;

/// Words that are no names unless they are quoted.
const KEYWORDS: &[&str] = &[
    "ALL",
    "ALTER",
    "ANALYZE",
    "AND",
    "ANY",
    "AS",
    "ASC",
    "BEGIN",
    "BY",
    "CARDINALITY",
    "CONTINUOUS",
    "CREATE",
    "DATABASE",
    "DATABASES",
    "DEFAULT",
    "DELETE",
    "DESC",
    "DESTINATIONS",
    "DIAGNOSTICS",
    "DISTINCT",
    "DROP",
    "DURATION",
    "END",
    "EVERY",
    "EXACT",
    "EXPLAIN",
    "FALSE",
    "FIELD",
    "FOR",
    "FROM",
    "GRANT",
    "GRANTS",
    "GROUP",
    "GROUPS",
    "IN",
    "INF",
    "INSERT",
    "INTO",
    "KEY",
    "KEYS",
    "KILL",
    "LIMIT",
    "MEASUREMENT",
    "MEASUREMENTS",
    "NAME",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "PASSWORD",
    "POLICIES",
    "POLICY",
    "PRIVILEGES",
    "QUERIES",
    "QUERY",
    "READ",
    "REPLICATION",
    "RESAMPLE",
    "RETENTION",
    "REVOKE",
    "SELECT",
    "SERIES",
    "SET",
    "SHARD",
    "SHARDS",
    "SHOW",
    "SLIMIT",
    "SOFFSET",
    "STATS",
    "SUBSCRIPTION",
    "SUBSCRIPTIONS",
    "TAG",
    "TO",
    "TRUE",
    "USER",
    "USERS",
    "VALUES",
    "VERBOSE",
    "WHERE",
    "WITH",
    "WRITE",
];

/// Symbols of two characters and of one, the longer first.
const SYMBOLS: &[&str] = &[
    "<>", "--", "=~", "!=", "!~", ">=", "<=", "::", "=", ">", "<", "(", ")", "-", "+", "*", "/",
    "%", "&", "|", "^", ",", ";", ":", ".",
];

/// A word and where the server says that it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub(super) at: Place,
    pub(super) token: Token,
}

/// A line and a character in it, both counted from zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) char: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Ident(String),
    /// A number or a duration, as it is written.
    Number(String),
    /// In capitals.
    Keyword(&'static str),
    Symbol(&'static str),
    /// A text in single quotes, or one whose end is missing.
    Text(String),
    /// What runs from `--` to the end of its line.
    Comment,
    /// A character that begins no word.
    Illegal(String),
    End,
}

impl Token {
    /// What the server calls a word of this kind.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Ident(_) => "IDENT",
            Self::Number(text) if text.contains('.') => "NUMBER",
            Self::Number(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => "INTEGER",
            Self::Number(_) => "DURATIONVAL",
            Self::Keyword(word) => word,
            Self::Symbol(symbol) => symbol,
            Self::Text(_) => "STRING",
            Self::Comment => "COMMENT",
            Self::Illegal(_) => "ILLEGAL",
            Self::End => "EOF",
        }
    }

    /// What the server keeps of how a word is written, which for most is nothing.
    pub(super) fn literal(&self) -> &str {
        match self {
            Self::Ident(text) | Self::Number(text) | Self::Text(text) | Self::Illegal(text) => text,
            _ => "",
        }
    }
}

struct Scanner<'a> {
    rest: Peekable<Chars<'a>>,
    at: Place,
    /// Where the character before stands.
    before: Place,
}

impl Scanner<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.rest.next()?;
        self.before = self.at;
        if next == '\n' {
            self.at = Place { line: self.at.line + 1, char: 0 };
        } else {
            self.at.char += 1;
        }
        Some(next)
    }

    fn next_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        let next = *self.rest.peek()?;
        if wanted(next) { self.next() } else { None }
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> String {
        std::iter::from_fn(|| self.next_if(&wanted)).collect()
    }

    /// The server reads the end together with a name or a blank before it, and then again as a
    /// word of its own, which it takes for one character further on.
    fn read_end(&mut self) {
        if self.rest.peek().is_none() {
            self.at.char += 1;
        }
    }

    /// The rest of a quoted text, and whether it ended as it should.
    fn quoted(&mut self, quote: char) -> (String, bool) {
        let mut text = String::new();
        while let Some(next) = self.next() {
            match next {
                next if next == quote => return (text, true),
                '\n' => return (text, false),
                '\\' => match self.next() {
                    Some('n') => text.push('\n'),
                    Some(escaped @ ('\\' | '"' | '\'')) => text.push(escaped),
                    _ => return (text, false),
                },
                next => text.push(next),
            }
        }
        (text, false)
    }

    fn begins_decimals(&self) -> bool {
        let mut ahead = self.rest.clone();
        ahead.next() == Some('.') && ahead.next().is_some_and(|next| next.is_ascii_digit())
    }

    fn number(&mut self) -> String {
        let mut text = self.take(|next| next.is_ascii_digit());
        if self.next_if(|next| next == '.').is_some() {
            let decimals = self.take(|next| next.is_ascii_digit());
            return if decimals.is_empty() { text } else { format!("{text}.{decimals}") };
        }
        if self.rest.peek().is_some_and(|next| next.is_ascii_alphabetic() || *next == 'µ') {
            text += &self.take(|next| next.is_ascii_alphanumeric() || next == 'µ');
        }
        text
    }

    fn symbol(&mut self) -> Token {
        let Some(first) = self.next() else { return Token::End };
        let second = self.rest.peek().copied();
        let fits = |symbol: &&&str| {
            let mut chars = symbol.chars();
            chars.next() == Some(first) && chars.next().is_none_or(|next| Some(next) == second)
        };
        let Some(symbol) = SYMBOLS.iter().find(fits) else {
            return Token::Illegal(first.to_string());
        };
        if symbol.len() == 2 {
            self.next();
        }
        match *symbol {
            "<>" => Token::Symbol("!="),
            "--" => {
                self.take(|next| next != '\n');
                Token::Comment
            }
            symbol => Token::Symbol(symbol),
        }
    }
}

/// The words of a text, with [`Token::End`] behind the last.
pub(super) fn tokenize(text: &str) -> Vec<Word> {
    let start = Place::default();
    let mut scanner = Scanner { rest: text.chars().peekable(), at: start, before: start };
    let mut words = Vec::new();
    loop {
        let blank = scanner.take(|next| matches!(next, ' ' | '\t' | '\n'));
        if !blank.is_empty() {
            scanner.read_end();
        }
        let (mut at, before) = (scanner.at, scanner.before);
        let token = match scanner.rest.peek().copied() {
            None => break,
            Some(quote @ ('"' | '\'')) => {
                scanner.next();
                let (text, whole) = scanner.quoted(quote);
                if whole && quote == '"' {
                    Token::Ident(text)
                } else {
                    // The server takes a step back before it looks where it is.
                    at = before;
                    Token::Text(text)
                }
            }
            Some(first) if first.is_ascii_alphabetic() || first == '_' => {
                let text = scanner.take(|next| next.is_ascii_alphanumeric() || next == '_');
                scanner.read_end();
                word(text)
            }
            Some(first) if first.is_ascii_digit() || scanner.begins_decimals() => {
                Token::Number(scanner.number())
            }
            Some(_) => scanner.symbol(),
        };
        words.push(Word { at, token });
    }
    words.push(Word { at: scanner.at, token: Token::End });
    words
}

fn word(text: String) -> Token {
    let capitals = text.to_ascii_uppercase();
    match KEYWORDS.binary_search(&capitals.as_str()) {
        Ok(at) => Token::Keyword(KEYWORDS[at]),
        Err(_) => Token::Ident(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keywords_are_in_order_so_that_they_are_found() {
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn a_quoted_keyword_is_a_name() {
        let tokens: Vec<Token> = tokenize("user \"user\"").into_iter().map(|w| w.token).collect();
        assert_eq!(tokens, [Token::Keyword("USER"), Token::Ident("user".to_owned()), Token::End]);
    }
}
