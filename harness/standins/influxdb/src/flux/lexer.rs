//! Text to tokens, one at a time.
//!
//! [`Lexer`] gives the token at an offset. The parser asks for the next one when it needs it, since
//! only it knows whether a slash begins a regular expression and where an interpolated string goes
//! on.

use super::ast::{Position, Span};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Identifier,
    Integer,
    Float,
    Duration,
    Time,
    Quote,
    /// A keyword, an operator or a bracket.
    Fixed(&'static str),
    End,
    Illegal,
}

/// The server's words for keywords, operators and brackets.
const NAMES: [(&str, &str); 42] = [
    ("and", "AND"),
    ("or", "OR"),
    ("not", "NOT"),
    ("import", "IMPORT"),
    ("package", "PACKAGE"),
    ("return", "RETURN"),
    ("option", "OPTION"),
    ("builtin", "BUILTIN"),
    ("testcase", "TESTCASE"),
    ("if", "IF"),
    ("then", "THEN"),
    ("else", "ELSE"),
    ("exists", "EXISTS"),
    ("==", "EQ"),
    ("<=", "LTE"),
    (">=", "GTE"),
    ("!=", "NEQ"),
    ("=~", "REGEXEQ"),
    ("!~", "REGEXNEQ"),
    ("=>", "ARROW"),
    ("<-", "PIPE_RECEIVE"),
    ("|>", "PIPE_FORWARD"),
    ("=", "ASSIGN"),
    ("<", "LT"),
    (">", "GT"),
    ("+", "ADD"),
    ("-", "SUB"),
    ("*", "MUL"),
    ("/", "DIV"),
    ("%", "MOD"),
    ("^", "POW"),
    ("(", "LPAREN"),
    (")", "RPAREN"),
    ("[", "LBRACK"),
    ("]", "RBRACK"),
    ("{", "LBRACE"),
    ("}", "RBRACE"),
    (":", "COLON"),
    (",", "COMMA"),
    (".", "DOT"),
    ("?", "QUESTION_MARK"),
    ("|", "ILLEGAL"),
];

/// The server's word for a keyword, an operator or a bracket.
pub(crate) fn fixed_name(fixed: &str) -> &'static str {
    NAMES.iter().find(|(own, _)| *own == fixed).map_or("ILLEGAL", |(_, name)| name)
}

impl Kind {
    /// The server's word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Identifier => "IDENT",
            Self::Integer => "INT",
            Self::Float => "FLOAT",
            Self::Duration => "DURATION",
            Self::Time => "TIME",
            Self::Quote => "STRING",
            Self::Fixed(fixed) => fixed_name(fixed),
            Self::End => "EOF",
            Self::Illegal => "ILLEGAL",
        }
    }
}

/// A token: bytes `start` to `end` of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// What a string goes on with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StringPiece {
    /// Text up to the closing quote.
    Last(String),
    /// Text up to `${`.
    BeforeExpression(String),
}

const KEYWORDS: [&str; 13] = [
    "and", "or", "not", "import", "package", "return", "option", "builtin", "testcase", "if",
    "then", "else", "exists",
];

/// Operators and brackets, longer ones first.
const SYMBOLS: [&str; 30] = [
    "==", "<=", ">=", "!=", "=~", "!~", "=>", "<-", "|>", "=", "<", ">", "+", "-", "*", "/", "%",
    "^", "(", ")", "[", "]", "{", "}", ":", ",", ".", "?", "@", "|",
];

const DURATION_UNITS: [&str; 11] = ["mo", "ms", "us", "µs", "ns", "y", "w", "d", "h", "m", "s"];

/// Reads one script.
#[derive(Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let newlines = memchr::memchr_iter(b'\n', text.as_bytes());
        let line_starts = std::iter::once(0).chain(newlines.map(|at| at + 1)).collect();
        Self { text, line_starts }
    }

    /// The text of a token.
    pub(crate) fn text(&self, token: Token) -> &'a str {
        &self.text[token.start..token.end]
    }

    /// The place of bytes `start` to `end`.
    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        Span { start: self.position(start), end: self.position(end) }
    }

    fn position(&self, offset: usize) -> Position {
        let line = self.line_starts.partition_point(|&start| start <= offset);
        Position { line, column: offset - self.line_starts[line - 1] + 1 }
    }

    /// The first token at or after `offset`.
    pub(crate) fn token(&self, offset: usize) -> Token {
        let start = self.skip_blank(offset);
        let rest = &self.text[start..];
        let (kind, length) = match rest.as_bytes().first() {
            None => (Kind::End, 0),
            Some(b'"') => (Kind::Quote, 1),
            Some(b'0'..=b'9') => number(rest),
            Some(b'.') if rest[1..].starts_with(|next: char| next.is_ascii_digit()) => {
                (Kind::Float, 1 + digits(&rest[1..]))
            }
            _ => word_or_symbol(rest),
        };
        Token { kind, start, end: start + length }
    }

    fn skip_blank(&self, mut at: usize) -> usize {
        loop {
            let rest = &self.text[at..];
            at += rest.len() - rest.trim_start().len();
            if !self.text[at..].starts_with("//") {
                return at;
            }
            let line = memchr::memchr(b'\n', &self.text.as_bytes()[at..]);
            at = line.map_or(self.text.len(), |length| at + length + 1);
        }
    }

    /// A regular expression whose opening slash is at `start`: its text and the byte after it.
    pub(crate) fn regex(&self, start: usize) -> Option<(String, usize)> {
        let mut text = String::new();
        let mut chars = self.text[start + 1..].char_indices();
        while let Some((at, next)) = chars.next() {
            match next {
                '/' if text.is_empty() => return None,
                '/' => return Some((text, start + 1 + at + 1)),
                '\\' => match chars.next() {
                    Some((_, '/')) => text.push('/'),
                    Some((_, escaped)) => text.extend(['\\', escaped]),
                    None => return None,
                },
                next => text.push(next),
            }
        }
        None
    }

    /// The next piece of a string, from `offset` on, and the byte after it. `None` means that the
    /// string does not end or holds an escape that does not exist.
    pub(crate) fn string_piece(&self, offset: usize) -> Option<(StringPiece, usize)> {
        let bytes = self.text.as_bytes();
        let mut piece = Vec::new();
        let mut at = offset;
        loop {
            match *bytes.get(at)? {
                b'"' => {
                    let text = String::from_utf8_lossy(&piece).into_owned();
                    return Some((StringPiece::Last(text), at + 1));
                }
                b'$' if bytes.get(at + 1) == Some(&b'{') => {
                    let text = String::from_utf8_lossy(&piece).into_owned();
                    return Some((StringPiece::BeforeExpression(text), at + 2));
                }
                b'\\' => {
                    let (byte, length) = escape(&bytes[at + 1..])?;
                    piece.extend_from_slice(byte.as_ref());
                    at += 1 + length;
                }
                byte => {
                    piece.push(byte);
                    at += 1;
                }
            }
        }
    }
}

/// What an escape stands for and how many bytes follow its backslash.
fn escape(rest: &[u8]) -> Option<(Vec<u8>, usize)> {
    let one = |byte: u8| Some((vec![byte], 1));
    match rest.first()? {
        b'n' => one(b'\n'),
        b'r' => one(b'\r'),
        b't' => one(b'\t'),
        b'\\' => one(b'\\'),
        b'"' => one(b'"'),
        b'$' if rest.get(1) == Some(&b'{') => Some((b"${".to_vec(), 2)),
        b'x' => {
            let digits = std::str::from_utf8(rest.get(1..3)?).ok()?;
            Some((vec![u8::from_str_radix(digits, 16).ok()?], 3))
        }
        _ => None,
    }
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// A date or time, a duration, a float or an integer: whichever takes most of the text.
fn number(text: &str) -> (Kind, usize) {
    if let Some(length) = date_time(text) {
        return (Kind::Time, length);
    }
    let whole = digits(text);
    if text[whole..].starts_with('.') {
        return (Kind::Float, whole + 1 + digits(&text[whole + 1..]));
    }
    let mut length = 0;
    loop {
        let count = digits(&text[length..]);
        let rest = &text[length + count..];
        let unit = DURATION_UNITS.iter().find(|unit| rest.starts_with(**unit));
        match unit {
            Some(unit) if count > 0 => length += count + unit.len(),
            _ => break,
        }
    }
    if length > 0 { (Kind::Duration, length) } else { (Kind::Integer, whole) }
}

fn date_time(text: &str) -> Option<usize> {
    let shape = |part: &str, shape: &str| {
        part.len() >= shape.len()
            && part.bytes().zip(shape.bytes()).all(|(byte, expected)| match expected {
                b'0' => byte.is_ascii_digit(),
                expected => byte == expected,
            })
    };
    if !shape(text, "0000-00-00") {
        return None;
    }
    if !shape(&text[10..], "T00:00:00") {
        return Some(10);
    }
    let mut length = 19;
    if text[length..].starts_with('.') {
        length += 1 + digits(&text[length + 1..]);
    }
    let rest = &text[length..];
    if rest.starts_with('Z') {
        length += 1;
    } else if shape(rest, "+00:00") || shape(rest, "-00:00") {
        length += 6;
    }
    Some(length)
}

fn word_or_symbol(text: &str) -> (Kind, usize) {
    let is_part = |next: char| next == '_' || next.is_alphanumeric();
    if text.starts_with(|first: char| first == '_' || first.is_alphabetic()) {
        let length = text.find(|next: char| !is_part(next)).unwrap_or(text.len());
        let keyword = KEYWORDS.iter().find(|keyword| **keyword == &text[..length]);
        return (keyword.map_or(Kind::Identifier, |keyword| Kind::Fixed(keyword)), length);
    }
    let symbol = SYMBOLS.iter().find(|symbol| text.starts_with(**symbol));
    match symbol {
        Some(symbol) => (Kind::Fixed(symbol), symbol.len()),
        None => (Kind::Illegal, text.chars().next().map_or(0, char::len_utf8)),
    }
}
