//! Regular expressions: the server's syntax on the library that is at hand.
//!
//! The server's classes `\\w`, `\\d`, `\\s` and its word boundaries know ASCII alone; its messages
//! about mistakes quote the expression.

use std::fmt::Write;
use std::sync::Arc;

use regex::Regex;

/// A regular expression, compared by its text.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    text: Arc<str>,
    regex: Arc<Regex>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Pattern {
    /// Compiles an expression; the error is the server's.
    pub(crate) fn compile(text: &str) -> Result<Self, String> {
        let regex = Regex::new(&translate(text)).map_err(|error| explain(text, &error))?;
        Ok(Self { text: Arc::from(text), regex: Arc::new(regex) })
    }

    /// Whether any part of a text matches.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The expression as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// The expression with ASCII classes in the place of the library's wider ones.
fn translate(text: &str) -> String {
    let mut translated = String::with_capacity(text.len());
    let mut chars = text.chars();
    let mut in_class = false;
    while let Some(read) = chars.next() {
        match read {
            '\\' => match chars.next() {
                Some('d') => translated.push_str("[0-9]"),
                Some('D') => translated.push_str("[^0-9]"),
                Some('w') => translated.push_str("[0-9A-Za-z_]"),
                Some('W') => translated.push_str("[^0-9A-Za-z_]"),
                Some('s') => translated.push_str("[\\t\\n\\f\\r ]"),
                Some('S') => translated.push_str("[^\\t\\n\\f\\r ]"),
                Some(bound @ ('b' | 'B')) if !in_class => {
                    // Writing to a string cannot fail.
                    let _infallible = write!(translated, "(?-u:\\{bound})");
                }
                Some('Q') if !in_class => {
                    let rest = chars.as_str();
                    let (quoted, after) = rest.split_once("\\E").unwrap_or((rest, ""));
                    translated.push_str(&regex::escape(quoted));
                    chars = after.chars();
                }
                Some(other) => translated.extend(['\\', other]),
                None => translated.push('\\'),
            },
            '[' if in_class && !chars.as_str().starts_with(':') => translated.push_str("\\["),
            '[' => {
                in_class = true;
                translated.push('[');
                if let Some(rest) = chars.as_str().strip_prefix('^') {
                    translated.push('^');
                    chars = rest.chars();
                }
                if let Some(rest) = chars.as_str().strip_prefix(']') {
                    translated.push_str("\\]");
                    chars = rest.chars();
                }
            }
            ']' => {
                in_class = false;
                translated.push(']');
            }
            // The library reads two of these in a class as an operation on sets.
            '&' | '~' if in_class => translated.extend(['\\', read]),
            other => translated.push(other),
        }
    }
    translated
}

/// What is wrong with an expression, in the server's words where they are known.
fn explain(text: &str, error: &regex::Error) -> String {
    let explained = error.to_string();
    let last = explained.lines().last().unwrap_or_default().trim_start_matches("error: ");
    let from = |read: &[char]| text.find(read).map_or(text, |at| &text[at..]);
    let reason = match last {
        "unclosed character class" => format!("missing closing ]: `{}`", from(&['['])),
        "unclosed group" => format!("missing closing ): `{text}`"),
        "unopened group" => format!("unexpected ): `{text}`"),
        "repetition operator missing expression" => {
            let operator = from(&['*', '+', '?']).chars().next().unwrap_or('*');
            format!("missing argument to repetition operator: `{operator}`")
        }
        "unrecognized escape sequence" => {
            let escape: String = from(&['\\']).chars().take(2).collect();
            format!("invalid escape sequence: `{escape}`")
        }
        other => other.to_owned(),
    };
    format!("error parsing regexp: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::compile(pattern).unwrap().is_match(text)
    }

    #[test]
    fn classes_and_boundaries_know_ascii_alone() {
        assert!(!matches(r"^\w+$", "S\u{e3}o"));
        assert!(matches(r"^[\w-]+$", "a-b_1"));
        assert!(!matches(r"\d", "\u{661}"));
        assert!(matches(r"^[^\s]+$", "ab"));
        assert!(matches(r"\bab\b", "x ab y"));
    }

    #[test]
    fn brackets_and_quoted_parts_mean_what_they_mean_on_the_server() {
        assert!(matches(r"^[[]$", "["));
        assert!(matches(r"^[]a]+$", "]a"));
        assert!(matches(r"^[&&~]+$", "&~"));
        assert!(matches(r"^\Qa.b\E$", "a.b"));
        assert!(!matches(r"^\Qa.b\E$", "axb"));
        assert!(matches(r"^[[:alpha:]]+$", "ab"));
    }

    #[test]
    fn mistakes_are_worded_like_the_server_s() {
        let wrong = |text: &str| Pattern::compile(text).unwrap_err();
        assert_eq!(wrong("a[b"), "error parsing regexp: missing closing ]: `[b`");
        assert_eq!(wrong("(a"), "error parsing regexp: missing closing ): `(a`");
        assert_eq!(wrong("a)"), "error parsing regexp: unexpected ): `a)`");
        let repetition = "error parsing regexp: missing argument to repetition operator: `*`";
        assert_eq!(wrong("*a"), repetition);
    }
}
