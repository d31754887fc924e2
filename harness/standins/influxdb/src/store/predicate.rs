//! The predicate of a delete request: comparisons of tags, joined by AND.
//!
//! [`Predicate::parse`] reads the text as the server does; what it knows but does not support (OR,
//! regular expressions, deletion by field) is told apart from what it cannot read.

use std::iter::Peekable;
use std::str::CharIndices;

/// Parentheses may nest this deep.
const MAX_DEPTH: usize = 64;

/// Comparisons that all have to hold. An empty list matches every series.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Predicate {
    rules: Vec<TagRule>,
}

#[derive(Debug, PartialEq)]
struct TagRule {
    key: String,
    equal: bool,
    value: String,
}

/// Why a predicate is refused, in the server's words.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum PredicateError {
    #[error("the logical operator OR is not supported yet at position {0}")]
    Or(usize),
    #[error("operator: {operator:?} at position: {at} is not supported yet")]
    Regex { operator: String, at: usize },
    #[error("invalid operator {operator:?} at position: {at}")]
    Operator { operator: String, at: usize },
    #[error("bad tag key, at position {0}")]
    TagKey(usize),
    #[error("bad tag value: {value:?}, at position {at}")]
    TagValue { value: String, at: usize },
    #[error("bad logical expression, at position {0}")]
    Expression(usize),
    #[error("extra ( seen")]
    Unclosed,
    #[error("extra ) seen")]
    Unopened,
    #[error("delete by field is not supported")]
    Field,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Ident(String),
    Literal(String),
    Symbol(&'static str),
    And,
    Or,
    /// Anything else, a text in single quotes for one.
    Other(String),
    End,
}

impl Predicate {
    /// Reads a predicate. An empty text is one that matches everything.
    pub(crate) fn parse(text: &str) -> Result<Self, PredicateError> {
        let tokens = tokenize(text);
        let mut parser = Parser { tokens: &tokens, at: 0, rules: Vec::new() };
        if tokens.len() > 1 {
            parser.conjunction(0)?;
        }
        let rules = parser.rules;
        if rules.iter().any(|rule| rule.key == "_field" && rule.equal) {
            return Err(PredicateError::Field);
        }
        Ok(Self { rules })
    }

    /// Whether a series is meant. As on the server a comparison with a tag that the series does not
    /// have never holds, nor does `!=` with the measurement or a field.
    pub(super) fn matches<'a>(
        &self,
        measurement: &str,
        tag: impl Fn(&str) -> Option<&'a str>,
    ) -> bool {
        self.rules.iter().all(|rule| {
            let value = match rule.key.as_str() {
                "_measurement" if rule.equal => Some(measurement),
                "_measurement" => None,
                key => tag(key),
            };
            value.is_some_and(|value| (value == rule.value) == rule.equal)
        })
    }
}

struct Parser<'a> {
    tokens: &'a [(usize, Token)],
    at: usize,
    rules: Vec<TagRule>,
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> (usize, &'a Token) {
        let (position, token) = &self.tokens[self.at.min(self.tokens.len() - 1)];
        self.at += 1;
        (*position, token)
    }

    fn conjunction(&mut self, depth: usize) -> Result<(), PredicateError> {
        loop {
            match self.next() {
                (_, Token::Ident(_)) => {
                    self.at -= 1;
                    self.rule()?;
                }
                (_, Token::Symbol("(")) if depth < MAX_DEPTH => {
                    self.conjunction(depth + 1)?;
                    match self.next() {
                        (_, Token::Symbol(")")) => {}
                        _ => return Err(PredicateError::Unclosed),
                    }
                }
                (position, _) => return Err(PredicateError::Expression(position)),
            }
            match self.next() {
                (_, Token::And) => {}
                (position, Token::Or) => return Err(PredicateError::Or(position)),
                (_, Token::Symbol(")")) if depth == 0 => return Err(PredicateError::Unopened),
                (_, Token::Symbol(")") | Token::End) => {
                    self.at -= 1;
                    return Ok(());
                }
                (position, _) => return Err(PredicateError::Expression(position)),
            }
        }
    }

    fn rule(&mut self) -> Result<(), PredicateError> {
        let (position, key) = self.next();
        let Token::Ident(key) = key else { return Err(PredicateError::TagKey(position)) };
        let (at, operator) = self.next();
        let equal = match operator {
            Token::Symbol("=") => true,
            Token::Symbol("!=") => false,
            Token::Symbol(operator @ ("=~" | "!~")) => {
                return Err(PredicateError::Regex { operator: (*operator).to_owned(), at });
            }
            Token::End => {
                return Err(PredicateError::Operator { operator: "EOF".to_owned(), at });
            }
            other => {
                return Err(PredicateError::Operator { operator: other.text().to_owned(), at });
            }
        };
        let mut value = String::new();
        loop {
            match self.next() {
                (_, Token::Symbol("-")) => "-".clone_into(&mut value),
                (_, Token::Ident(text) | Token::Literal(text)) => {
                    value.push_str(text);
                    break;
                }
                (at, other) => {
                    let value = other.text().to_owned();
                    return Err(PredicateError::TagValue { value, at });
                }
            }
        }
        self.rules.push(TagRule { key: key.clone(), equal, value });
        Ok(())
    }
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Self::Ident(text) | Self::Literal(text) | Self::Other(text) => text,
            Self::Symbol(symbol) => symbol,
            Self::And => "AND",
            Self::Or => "OR",
            Self::End => "",
        }
    }
}

fn tokenize(text: &str) -> Vec<(usize, Token)> {
    let mut tokens = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, first)) = chars.next() {
        let token = match first {
            first if first.is_whitespace() => continue,
            '"' => quoted(&mut chars, '"')
                .map_or_else(|| Token::Other(text[at..].to_owned()), Token::Ident),
            '\'' => Token::Other(quoted(&mut chars, '\'').unwrap_or_default()),
            'a'..='z' | 'A'..='Z' | '_' => word(take(text, at, &mut chars, is_word)),
            '0'..='9' => Token::Literal(take(text, at, &mut chars, |next| {
                next.is_ascii_alphanumeric() || next == '.' || next == 'µ'
            })),
            '(' => Token::Symbol("("),
            ')' => Token::Symbol(")"),
            '-' => Token::Symbol("-"),
            '=' if chars.next_if(|next| next.1 == '~').is_some() => Token::Symbol("=~"),
            '=' => Token::Symbol("="),
            '!' if chars.next_if(|next| next.1 == '=').is_some() => Token::Symbol("!="),
            '!' if chars.next_if(|next| next.1 == '~').is_some() => Token::Symbol("!~"),
            other => Token::Other(other.to_string()),
        };
        tokens.push((at, token));
    }
    tokens.push((text.len(), Token::End));
    tokens
}

fn is_word(next: char) -> bool {
    next.is_ascii_alphanumeric() || next == '_'
}

fn word(text: String) -> Token {
    match text.to_ascii_lowercase().as_str() {
        "and" => Token::And,
        "or" => Token::Or,
        "true" | "false" => Token::Literal(text.to_ascii_lowercase()),
        "name" => Token::Ident("name".to_owned()),
        _ => Token::Ident(text),
    }
}

fn take(
    text: &str,
    from: usize,
    chars: &mut Peekable<CharIndices<'_>>,
    part: impl Fn(char) -> bool,
) -> String {
    while chars.next_if(|(_, next)| part(*next)).is_some() {}
    let to = chars.peek().map_or(text.len(), |(at, _)| *at);
    text[from..to].to_owned()
}

/// The rest of a quoted text; `None` when its end is missing.
fn quoted(chars: &mut Peekable<CharIndices<'_>>, quote: char) -> Option<String> {
    let mut text = String::new();
    while let Some((_, next)) = chars.next() {
        match next {
            next if next == quote => return Some(text),
            '\\' => match chars.next()?.1 {
                'n' => text.push('\n'),
                escaped @ ('\\' | '"' | '\'') => text.push(escaped),
                _ => return None,
            },
            next => text.push(next),
        }
    }
    None
}
