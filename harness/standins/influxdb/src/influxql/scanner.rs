//! Cuts the text of a query into tokens.
//!
//! [`Scanner`] gives one token after another, white space included, and takes back up to three of
//! them. Its places are the server's, down to the habit of counting the end of the text once as
//! itself and from then on as one further.

use super::token::{Op, Position, Token};

/// What stands for the end of the text, as on the server: a query ends at a zero character.
const END: char = '\0';

/// A token, where it begins, and its text where it has one.
#[derive(Clone, Debug)]
pub(crate) struct Scanned {
    pub(crate) token: Token,
    pub(crate) position: Position,
    pub(crate) text: String,
}

/// Reads characters with their places and takes back the last three.
#[derive(Debug)]
struct Reader<'a> {
    rest: std::str::Chars<'a>,
    position: Position,
    ended: bool,
    recent: [(char, Position); 3],
    at: usize,
    unread: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        let none = (END, Position::default());
        Self {
            rest: text.chars(),
            position: Position::default(),
            ended: false,
            recent: [none; 3],
            at: 0,
            unread: 0,
        }
    }

    fn read(&mut self) -> (char, Position) {
        if self.unread > 0 {
            self.unread -= 1;
            return self.current();
        }
        let mut read = self.rest.next().unwrap_or(END);
        if read == '\r' {
            // A carriage return alone or before a line feed is one line feed.
            if self.rest.as_str().starts_with('\n') {
                self.rest.next();
            }
            read = '\n';
        }
        self.at = (self.at + 1) % self.recent.len();
        self.recent[self.at] = (read, self.position);
        if read == '\n' {
            self.position = Position { line: self.position.line + 1, char: 0 };
        } else if !self.ended {
            self.position.char += 1;
        }
        self.ended |= read == END;
        self.current()
    }

    fn unread(&mut self) {
        self.unread += 1;
    }

    fn current(&self) -> (char, Position) {
        let size = self.recent.len();
        self.recent[(self.at + size - self.unread % size) % size]
    }

    fn peek(&mut self) -> char {
        let (read, _) = self.read();
        if read != END {
            self.unread();
        }
        read
    }
}

/// Gives tokens and takes back the last three.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    reader: Reader<'a>,
    recent: [Scanned; 3],
    at: usize,
    unread: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let none =
            || Scanned { token: Token::Eof, position: Position::default(), text: String::new() };
        Self { reader: Reader::new(text), recent: [none(), none(), none()], at: 0, unread: 0 }
    }

    /// The next token.
    pub(crate) fn scan(&mut self) -> Scanned {
        self.buffered(Self::cut)
    }

    /// The next token, where a slash begins a regular expression.
    pub(crate) fn scan_regex(&mut self) -> Scanned {
        self.buffered(Self::cut_regex)
    }

    /// Takes back the last token.
    pub(crate) fn unscan(&mut self) {
        self.unread += 1;
    }

    /// The next character behind the tokens that were cut, those taken back included.
    pub(crate) fn peek_char(&mut self) -> char {
        self.reader.peek()
    }

    fn buffered(&mut self, cut: fn(&mut Self) -> Scanned) -> Scanned {
        let size = self.recent.len();
        if self.unread > 0 {
            self.unread -= 1;
        } else {
            self.at = (self.at + 1) % size;
            self.recent[self.at] = cut(self);
        }
        self.recent[(self.at + size - self.unread % size) % size].clone()
    }

    fn cut(&mut self) -> Scanned {
        let (first, position) = self.reader.read();
        if is_space(first) {
            return self.cut_space(first, position);
        }
        if is_letter(first) || first == '_' || first == '"' {
            self.reader.unread();
            return self.cut_ident(Lookup::Keywords);
        }
        if first.is_ascii_digit() {
            return self.cut_number(first, position);
        }
        let plain = |token| Scanned { token, position, text: String::new() };
        match first {
            END => plain(Token::Eof),
            '\'' => self.cut_string(),
            '.' => {
                let (second, _) = self.reader.read();
                self.reader.unread();
                if second.is_ascii_digit() {
                    return self.cut_number(first, position);
                }
                plain(Token::Dot)
            }
            '$' => {
                let found = self.cut_ident(Lookup::None);
                let token =
                    if found.token == Token::Ident { Token::BoundParameter } else { found.token };
                Scanned { token, position, text: format!("${}", found.text) }
            }
            '-' if self.follows('-') => {
                self.skip_line();
                plain(Token::Comment)
            }
            '/' if self.follows('*') => {
                plain(if self.skip_comment() { Token::Comment } else { Token::Illegal })
            }
            _ => match self.sign(first) {
                Some(token) => plain(token),
                None => Scanned { token: Token::Illegal, position, text: first.to_string() },
            },
        }
    }

    /// Whether the next character is this one; it is read then, and only then.
    fn follows(&mut self, wanted: char) -> bool {
        let (read, _) = self.reader.read();
        if read != wanted {
            self.reader.unread();
        }
        read == wanted
    }

    fn sign(&mut self, first: char) -> Option<Token> {
        let op = match first {
            '+' => Op::Add,
            '-' => Op::Sub,
            '*' => Op::Mul,
            '/' => Op::Div,
            '%' => Op::Mod,
            '&' => Op::BitAnd,
            '|' => Op::BitOr,
            '^' => Op::BitXor,
            '=' if self.follows('~') => Op::EqRegex,
            '=' => Op::Eq,
            '!' if self.follows('=') => Op::Neq,
            '!' if self.follows('~') => Op::NeqRegex,
            '>' if self.follows('=') => Op::Gte,
            '>' => Op::Gt,
            '<' if self.follows('=') => Op::Lte,
            '<' if self.follows('>') => Op::Neq,
            '<' => Op::Lt,
            '(' => return Some(Token::LeftParen),
            ')' => return Some(Token::RightParen),
            ',' => return Some(Token::Comma),
            ';' => return Some(Token::Semicolon),
            ':' if self.follows(':') => return Some(Token::DoubleColon),
            ':' => return Some(Token::Colon),
            _ => return None,
        };
        Some(Token::Op(op))
    }

    fn cut_space(&mut self, first: char, position: Position) -> Scanned {
        let mut text = String::from(first);
        loop {
            let (read, _) = self.reader.read();
            if read == END {
                break;
            }
            if !is_space(read) {
                self.reader.unread();
                break;
            }
            text.push(read);
        }
        Scanned { token: Token::Space, position, text }
    }

    fn skip_line(&mut self) {
        while !matches!(self.reader.read().0, '\n' | END) {}
    }

    /// Whether the comment has an end.
    fn skip_comment(&mut self) -> bool {
        let mut star = false;
        loop {
            match self.reader.read().0 {
                '/' if star => return true,
                END => return false,
                read => star = read == '*',
            }
        }
    }

    fn cut_ident(&mut self, lookup: Lookup) -> Scanned {
        let (_, position) = self.reader.read();
        self.reader.unread();
        let mut text = String::new();
        loop {
            let (read, _) = self.reader.read();
            if read == END {
                break;
            }
            if read == '"' {
                let quoted = self.cut_string();
                if matches!(quoted.token, Token::BadString | Token::BadEscape) {
                    return quoted;
                }
                return Scanned { token: Token::Ident, position, text: quoted.text };
            }
            if !is_ident_char(read) {
                self.reader.unread();
                break;
            }
            text.push(read);
        }
        if matches!(lookup, Lookup::Keywords) {
            let token = Token::of_word(&text);
            if token != Token::Ident {
                return Scanned { token, position, text: String::new() };
            }
        }
        Scanned { token: Token::Ident, position, text }
    }

    /// Cuts a quoted text whose opening quote was just read.
    fn cut_string(&mut self) -> Scanned {
        self.reader.unread();
        let (_, position) = self.reader.current();
        let (quote, _) = self.reader.read();
        let mut text = String::new();
        loop {
            let (read, _) = self.reader.read();
            if read == quote {
                return Scanned { token: Token::String, position, text };
            }
            match read {
                END | '\n' => return Scanned { token: Token::BadString, position, text },
                '\\' => match self.reader.read().0 {
                    'n' => text.push('\n'),
                    escaped @ ('\\' | '"' | '\'') => text.push(escaped),
                    other => {
                        let (_, position) = self.reader.current();
                        let text = format!("\\{other}");
                        return Scanned { token: Token::BadEscape, position, text };
                    }
                },
                other => text.push(other),
            }
        }
    }

    fn cut_regex(&mut self) -> Scanned {
        let (_, position) = self.reader.current();
        let bad = Scanned { token: Token::BadRegex, position, text: String::new() };
        if self.reader.read().0 != '/' {
            return bad;
        }
        let mut text = String::new();
        loop {
            match self.reader.read().0 {
                '/' => return Scanned { token: Token::Regex, position, text },
                END | '\n' => return bad,
                '\\' => match self.reader.read().0 {
                    END => return bad,
                    '/' => text.push('/'),
                    _ => {
                        self.reader.unread();
                        text.push('\\');
                    }
                },
                other => text.push(other),
            }
        }
    }

    fn cut_number(&mut self, first: char, position: Position) -> Scanned {
        self.reader.unread();
        let mut text = String::new();
        if first != '.' {
            self.digits(&mut text);
        }
        if self.follows('.') {
            let (digit, _) = self.reader.read();
            if digit.is_ascii_digit() {
                text.push('.');
                text.push(digit);
                self.digits(&mut text);
            } else {
                self.reader.unread();
            }
            return Scanned { token: Token::Number, position, text };
        }
        let is_unit = |read: char| is_letter(read) || read == 'µ';
        let (read, _) = self.reader.read();
        if !is_unit(read) {
            self.reader.unread();
            return Scanned { token: Token::Integer, position, text };
        }
        text.push(read);
        loop {
            let (read, _) = self.reader.read();
            if !(is_unit(read) || read.is_ascii_digit()) {
                self.reader.unread();
                return Scanned { token: Token::Duration, position, text };
            }
            text.push(read);
        }
    }

    fn digits(&mut self, text: &mut String) {
        loop {
            let (read, _) = self.reader.read();
            if !read.is_ascii_digit() {
                self.reader.unread();
                return;
            }
            text.push(read);
        }
    }
}

/// Whether a bare word may be a keyword.
#[derive(Clone, Copy)]
enum Lookup {
    Keywords,
    None,
}

pub(crate) fn is_space(read: char) -> bool {
    matches!(read, ' ' | '\t' | '\n')
}

fn is_letter(read: char) -> bool {
    read.is_ascii_alphabetic()
}

/// Whether a name may hold this character without quotes.
pub(crate) fn is_ident_char(read: char) -> bool {
    read.is_ascii_alphanumeric() || read == '_'
}
