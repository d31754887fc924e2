//! The lines of a CSV text, cut into cells.

use std::sync::Arc;

/// A line's cells.
pub(super) type Line = Vec<String>;

/// Lines one by one. A quoted cell may hold line breaks; a quote that stands where it does not
/// belong is part of the text; empty lines are passed over.
pub(super) struct Lines {
    text: Arc<str>,
    at: usize,
    peeked: Option<Line>,
}

impl Lines {
    pub(super) fn new(text: Arc<str>) -> Self {
        // Editors put a mark before the text.
        let at = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
        Self { text, at, peeked: None }
    }

    pub(super) fn peek(&mut self) -> Option<&Line> {
        if self.peeked.is_none() {
            self.peeked = self.read();
        }
        self.peeked.as_ref()
    }

    fn read(&mut self) -> Option<Line> {
        loop {
            if self.at >= self.text.len() {
                return None;
            }
            let line = self.line();
            if line.len() > 1 || line.first().is_some_and(|cell| !cell.is_empty()) {
                return Some(line);
            }
        }
    }

    fn line(&mut self) -> Line {
        let mut cells = Vec::new();
        loop {
            let rest = &self.text[self.at..];
            let (cell, length) = if let Some(quoted) = rest.strip_prefix('"') {
                let (cell, length) = quoted_cell(quoted);
                (cell, length + 1)
            } else {
                let length = rest.find([',', '\n']).unwrap_or(rest.len());
                let ends_line = !rest[length..].starts_with(',');
                let cell = &rest[..length];
                let cell = if ends_line { cell.trim_end_matches('\r') } else { cell };
                (cell.to_owned(), length)
            };
            cells.push(cell);
            let ends_line = !rest[length..].starts_with(',');
            self.at += (length + 1).min(rest.len());
            if ends_line {
                return cells;
            }
            if self.at >= self.text.len() {
                cells.push(String::new());
                return cells;
            }
        }
    }
}

/// A cell up to the quote that ends it, and how many bytes that is.
fn quoted_cell(text: &str) -> (String, usize) {
    let mut cell = String::new();
    let mut at = 0;
    while let Some(found) = text[at..].find('"') {
        cell.push_str(&text[at..at + found]);
        at += found + 1;
        let rest = &text[at..];
        if rest.starts_with('"') {
            cell.push('"');
            at += 1;
        } else if rest.is_empty() || rest.starts_with([',', '\n']) {
            return (cell.replace("\r\n", "\n"), at);
        } else if rest.starts_with("\r\n") {
            return (cell.replace("\r\n", "\n"), at + 1);
        } else {
            cell.push('"');
        }
    }
    cell.push_str(&text[at..]);
    (cell.replace("\r\n", "\n"), text.len())
}

impl Iterator for Lines {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        self.peeked.take().or_else(|| self.read())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<Line> {
        Lines::new(Arc::from(text)).collect()
    }

    #[test]
    fn a_quoted_cell_holds_commas_quotes_and_line_breaks() {
        assert_eq!(lines("a,\"b\"\",\r\nc\",d\r\n"), [["a", "b\",\nc", "d"]]);
    }

    #[test]
    fn a_quote_in_the_middle_is_text() {
        assert_eq!(lines("a\"b,\"c\"d\"\n"), [["a\"b", "c\"d"]]);
    }

    #[test]
    fn empty_lines_are_passed_over_and_the_last_needs_no_end() {
        assert_eq!(lines("\n\na,\n\r\nb,c"), [["a", ""], ["b", "c"]]);
    }
}
