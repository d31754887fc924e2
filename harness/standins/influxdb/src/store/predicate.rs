//! The predicate of a delete request: comparisons of tags, joined by AND.
//!
//! [`Predicate::parse`] reads the text as the server does, which reads it twice: first as a
//! predicate, where comparisons may stand side by side and AND anywhere, then as an expression of
//! its older query language ([`check_expression`]), which is strict. What is known but not
//! supported (OR, regular expressions, deletion by field) is told apart from what cannot be read.

use super::predicate_tokens::{Place, Token, Word, tokenize};

/// Parentheses may nest this deep.
const MAX_DEPTH: usize = 64;

/// What the older query language wants where it finds something else.
const OPERAND: &str = "identifier, string, number, bool";

/// The key that stands for the measurement.
const MEASUREMENT: &str = "_measurement";

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
    #[error("the logical operator '\\x00' is invalid")]
    NoOperator,
    #[error("extra ( seen")]
    Unclosed,
    #[error("extra ) seen")]
    Unopened,
    #[error("found {found}, expected {expected} at line {}, char {}", at.line + 1, at.char + 1)]
    Syntax { found: String, expected: &'static str, at: Place },
    #[error("invalid duration")]
    Duration,
    #[error("delete by field is not supported")]
    Field,
}

impl Predicate {
    /// Reads a predicate. An empty text is one that matches everything.
    pub(crate) fn parse(text: &str) -> Result<Self, PredicateError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let words = tokenize(text);
        let mut parser = Parser { words: &words, at: 0, open: 0, joined: true, rules: Vec::new() };
        parser.group(0)?;
        if !parser.joined {
            return Err(PredicateError::NoOperator);
        }
        let rules = parser.rules;
        check_expression(&words)?;
        if rules.iter().any(|rule| rule.key == "_field" && rule.equal) {
            return Err(PredicateError::Field);
        }
        Ok(Self { rules })
    }

    /// Whether a series is meant. As on the server a comparison with a tag that the series does not
    /// have never holds, nor does one with a field.
    pub(super) fn matches<'a>(
        &self,
        measurement: &'a str,
        tag: impl Fn(&str) -> Option<&'a str>,
    ) -> bool {
        self.rules.iter().all(|rule| {
            let value = match rule.key.as_str() {
                MEASUREMENT => Some(measurement),
                key => tag(key),
            };
            value.is_some_and(|value| (value == rule.value) == rule.equal)
        })
    }

    /// The measurement that ends the search. When a predicate names just one, the server leaves
    /// shards alone that do not have it, and in the others stops behind it, in order of names. It
    /// does so whether the measurement is to be equal or not.
    pub(super) fn last_measurement(&self) -> Option<&str> {
        let mut named = self.rules.iter().filter(|rule| rule.key == MEASUREMENT);
        let only = named.next().filter(|_| named.next().is_none());
        only.map(|rule| rule.value.as_str())
    }
}

struct Parser<'a> {
    words: &'a [Word],
    at: usize,
    open: usize,
    /// Whether every two parts that stand side by side have an AND near them.
    joined: bool,
    rules: Vec<TagRule>,
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> &'a Word {
        let word = &self.words[self.at.min(self.words.len() - 1)];
        self.at += 1;
        word
    }

    /// Reads up to the closing parenthesis of this group or to the end.
    fn group(&mut self, depth: usize) -> Result<(), PredicateError> {
        let (mut parts, mut and_seen) = (0_usize, false);
        loop {
            let word = self.next();
            match &word.token {
                Token::Ident(_) | Token::Number(_) | Token::Keyword("NAME") => {
                    self.at -= 1;
                    self.rule()?;
                    parts += 1;
                }
                Token::Keyword("AND") => and_seen = true,
                Token::Keyword("OR") => return Err(PredicateError::Or(word.at.char)),
                Token::Symbol("(") if depth < MAX_DEPTH => {
                    self.open += 1;
                    let outside = self.open - 1;
                    self.group(depth + 1)?;
                    if self.open != outside {
                        return Err(PredicateError::Unclosed);
                    }
                    parts += 1;
                }
                Token::Symbol(")") => {
                    self.open = self.open.checked_sub(1).ok_or(PredicateError::Unopened)?;
                    break;
                }
                Token::End => break,
                _ => return Err(PredicateError::Expression(word.at.char)),
            }
        }
        self.joined &= parts < 2 || and_seen;
        Ok(())
    }

    fn rule(&mut self) -> Result<(), PredicateError> {
        let word = self.next();
        let key = match &word.token {
            Token::Ident(key) => key.clone(),
            Token::Keyword("NAME") => "name".to_owned(),
            _ => return Err(PredicateError::TagKey(word.at.char)),
        };
        let word = self.next();
        let at = word.at.char;
        let equal = match &word.token {
            Token::Symbol("=") => true,
            Token::Symbol("!=") => false,
            Token::Symbol(operator @ ("=~" | "!~")) => {
                return Err(PredicateError::Regex { operator: (*operator).to_owned(), at });
            }
            other => {
                return Err(PredicateError::Operator { operator: other.name().to_owned(), at });
            }
        };
        let mut value = String::new();
        loop {
            let word = self.next();
            match &word.token {
                Token::Symbol("-") => "-".clone_into(&mut value),
                Token::Ident(text) | Token::Number(text) => {
                    value.push_str(text);
                    break;
                }
                Token::Keyword(word @ ("TRUE" | "FALSE")) => {
                    value = word.to_ascii_lowercase();
                    break;
                }
                other => {
                    let value = other.literal().to_owned();
                    return Err(PredicateError::TagValue { value, at: word.at.char });
                }
            }
        }
        self.rules.push(TagRule { key, equal, value });
        Ok(())
    }
}

/// Finds what the older query language does not take in a text that is a predicate otherwise. It
/// stops without a complaint at the first word that continues no expression.
fn check_expression(words: &[Word]) -> Result<(), PredicateError> {
    let end = words.len() - 1;
    let word = |at: usize| &words[at.min(end)];
    let found = |word: &Word, expected| {
        let literal = word.token.literal();
        let found = if literal.is_empty() { word.token.name() } else { literal }.to_owned();
        Err(PredicateError::Syntax { found, expected, at: word.at })
    };
    let (mut at, mut open) = (0, 0_usize);
    loop {
        // An operand, behind as many parentheses and signs as there may be.
        match &word(at).token {
            Token::Symbol("(") => {
                open += 1;
                at += 1;
                continue;
            }
            Token::Symbol("-") => {
                at += 1;
                continue;
            }
            Token::Number(text) if word(at).token.name() == "DURATIONVAL" => {
                check_duration(text)?;
                at += 1;
            }
            Token::Ident(_) | Token::Number(_) | Token::Keyword("TRUE" | "FALSE") => at += 1,
            _ => return found(word(at), OPERAND),
        }
        // What closes, and the operator that joins another operand.
        loop {
            match &word(at).token {
                Token::Symbol(")") if open > 0 => {
                    open -= 1;
                    at += 1;
                }
                Token::Keyword("AND") | Token::Symbol("=" | "!=") => {
                    at += 1;
                    break;
                }
                _ if open > 0 => return found(word(at), ")"),
                _ => return Ok(()),
            }
        }
    }
}

/// Refuses a length of time that is not whole numbers with units.
fn check_duration(text: &str) -> Result<(), PredicateError> {
    let mut rest = text;
    while !rest.is_empty() {
        let unit = rest.trim_start_matches(|next: char| next.is_ascii_digit());
        let known = ["ns", "ms", "u", "µ", "s", "m", "h", "d", "w"];
        let behind = known.iter().find_map(|name| unit.strip_prefix(name));
        rest = behind.filter(|_| unit.len() < rest.len()).ok_or(PredicateError::Duration)?;
    }
    Ok(())
}
