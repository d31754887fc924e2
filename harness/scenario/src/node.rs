//! YAML text as a tree of [`Node`]s that know their places. The one module that sees the YAML
//! library.
//!
//! The tree keeps what the text says and decides nothing: which keys exist and what a value means
//! is the business of [`reader`](super::reader). Budgets bound what a hostile file can cost.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy, Spanned};

use crate::diagnostic::{Mistake, Span, excerpt};

/// Scalars, lists and maps that one file may hold, aliases expanded.
const MAX_NODES: usize = 50_000;
/// How deep lists and maps may be nested.
const MAX_DEPTH: usize = 32;
/// How many aliases one file may use.
const MAX_ALIASES: usize = 1_000;

/// One value of a file, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One entry of a map. A key can occur twice: the reader says so.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) node: Node,
}

/// The key of an entry, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// A value that is neither list nor map, as it was written.
#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    /// The text without quotes.
    pub(crate) text: String,
    pub(crate) kind: ScalarKind,
}

/// What YAML 1.2 takes a scalar for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScalarKind {
    Null,
    Boolean,
    Number,
    /// Text without quotes, which could be meant as something else.
    PlainText,
    /// Text in quotes, or a block.
    QuotedText,
}

impl Node {
    /// What the node is, for messages: ``the number `5` ``, `a list`.
    pub(crate) fn describe(&self) -> String {
        match &self.value {
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
            Value::Scalar(scalar) => scalar.describe(),
        }
    }
}

impl Scalar {
    /// What the scalar is, for messages.
    pub(crate) fn describe(&self) -> String {
        let text = excerpt(&self.text);
        match self.kind {
            ScalarKind::Null => "nothing".to_owned(),
            ScalarKind::Boolean => format!("the boolean `{text}`"),
            ScalarKind::Number => format!("the number `{text}`"),
            ScalarKind::PlainText | ScalarKind::QuotedText => format!("the text `{text}`"),
        }
    }
}

/// Reads `text`. What is no YAML, or more than the budgets allow, is one mistake.
pub(crate) fn parse(text: &str) -> Result<Node, Mistake> {
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_nodes: MAX_NODES,
            max_depth: MAX_DEPTH,
            max_aliases: MAX_ALIASES,
            max_anchors: MAX_ALIASES,
            max_recorded_anchor_events: MAX_NODES,
        },
        // Every pair reaches the reader, which reports each double key at its place.
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        strict_booleans: true,
        reject_unsupported_tags: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    };
    let tree: Spanned<RawValue> =
        serde_yaml::from_str_with_options(text, options).map_err(|error| refused(text, &error))?;
    Ok(placed(text, tree))
}

/// What the library reads, before typed scalars get their text back.
enum RawValue {
    Null,
    Boolean(bool),
    Number(String),
    Text(String),
    List(Vec<Spanned<RawValue>>),
    Map(Vec<(Spanned<String>, Spanned<RawValue>)>),
}

struct RawVisitor;

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

impl<'de> Visitor<'de> for RawVisitor {
    type Value = RawValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawValue, E> {
        Ok(RawValue::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawValue, E> {
        Ok(RawValue::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawValue, E> {
        Ok(RawValue::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawValue, E> {
        Ok(RawValue::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawValue, E> {
        Ok(RawValue::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<RawValue, E> {
        Ok(RawValue::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RawValue, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(RawValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<RawValue, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(RawValue::Map(map))
    }
}

fn placed(text: &str, raw: Spanned<RawValue>) -> Node {
    // The place of an aliased value is where it is written, since that is what has to change.
    let place = raw.defined;
    let written = written(text, place);
    let value = match raw.value {
        RawValue::Null => scalar(written.unwrap_or_default(), ScalarKind::Null),
        RawValue::Boolean(value) => {
            let text = written.map_or_else(|| value.to_string(), str::to_owned);
            scalar(&text, ScalarKind::Boolean)
        }
        RawValue::Number(value) => scalar(written.unwrap_or(&value), ScalarKind::Number),
        RawValue::Text(value) => {
            let plain = written.is_some_and(|written| written == value);
            let kind = if plain { ScalarKind::PlainText } else { ScalarKind::QuotedText };
            scalar(&value, kind)
        }
        RawValue::List(items) => {
            Value::List(items.into_iter().map(|item| placed(text, item)).collect())
        }
        RawValue::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, node)| Entry {
                    key: Key { span: span_at(text, key.defined), text: key.value },
                    node: placed(text, node),
                })
                .collect(),
        ),
    };
    Node { span: span_at(text, place), value }
}

fn scalar(text: &str, kind: ScalarKind) -> Value {
    Value::Scalar(Scalar { text: text.to_owned(), kind })
}

/// The text at `place`, as the file has it.
fn written(text: &str, place: serde_yaml::Location) -> Option<&str> {
    let start = usize::try_from(place.span().byte_offset()?).ok()?;
    let length = usize::try_from(place.span().byte_len()?).ok()?;
    text.get(start..start.checked_add(length)?).map(str::trim_end)
}

fn span_at(text: &str, place: serde_yaml::Location) -> Span {
    let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let width = written(text, place)
        .map_or(1, |written| written.lines().next().unwrap_or_default().chars().count());
    Span { line: narrow(place.line()), column: narrow(place.column()), width: narrow(width as u64) }
}

fn refused(text: &str, error: &serde_yaml::Error) -> Mistake {
    let span = error.location().map_or(Span::START, |place| span_at(text, place));
    // The library ends its messages with the place, which the diagnostic shows by itself.
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let mistake = |message: &str, help: &str| Mistake::error(span, message).with_help(help);
    match error.without_snippet() {
        serde_yaml::Error::Budget { .. } => too_large(span),
        serde_yaml::Error::AliasError { error, .. }
            if matches!(**error, serde_yaml::Error::Budget { .. }) =>
        {
            too_large(span)
        }
        serde_yaml::Error::MultipleDocuments { .. } => {
            mistake("a second document starts here", "put each scenario into a file of its own")
        }
        serde_yaml::Error::UnknownAnchor { .. } => {
            mistake("this alias has no anchor", "put text that starts with `*` in quotes")
        }
        serde_yaml::Error::RecursiveReferencesRequireWeakTypes { .. } => {
            mistake("this alias stands within its own anchor", "write the value out")
        }
        serde_yaml::Error::NullIntoString { .. } => mistake("a key is missing", "name it"),
        serde_yaml::Error::Unexpected { .. } => mistake("a key must be text", "put it in quotes"),
        _ if message.starts_with("recursion limit") => too_large(span),
        _ => match help_for(message) {
            Some(help) => mistake(&format!("no YAML: {message}"), help),
            None => Mistake::error(span, format!("no YAML: {message}")),
        },
    }
}

fn too_large(span: Span) -> Mistake {
    let message = format!(
        "the file is larger or deeper than a scenario can be: {MAX_NODES} values, {MAX_DEPTH} \
         levels, {MAX_ALIASES} aliases"
    );
    Mistake::error(span, message).with_help("split it into several scenarios")
}

/// What to do about a syntax error, where the library's words do not say it.
fn help_for(message: &str) -> Option<&'static str> {
    let about = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if about(&["tab"]) {
        Some("indent with spaces: YAML does not take tabs")
    } else if about(&["block scalar"]) {
        Some("put text that starts with `>` or `|` in quotes: `\"> 5%\"`")
    } else if about(&["unexpected character"]) {
        Some("put text that starts with this character in quotes")
    } else if about(&["mapping values are not allowed", "illegal placement of ':'"]) {
        Some(
            "close what is open above, indent the keys of one map alike, and put text that holds \
              `: ` in quotes",
        )
    } else if about(&["quoted scalar"]) {
        Some("close the quotes, and double a quote within single ones")
    } else if about(&["unclosed quote"]) {
        Some("close the quotes")
    } else if about(&["unclosed bracket"]) {
        Some("close the bracket")
    } else if about(&["did not find expected key", "did not find expected '-'"]) {
        Some("indent the entries of one map or list alike")
    } else if about(&["unsupported tag"]) {
        Some("leave the tag out: every value has the type that its place asks for")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(text: &str) -> Vec<Entry> {
        match parse(text).unwrap().value {
            Value::Map(entries) => entries,
            other => panic!("no map: {other:?}"),
        }
    }

    #[test]
    fn a_number_keeps_the_text_that_it_was_written_with() {
        let entries = map("a: 1_000\nb: 0.10\nc: .nan\nd: '5'\ne: 5m\n");
        let scalars: Vec<_> = entries
            .iter()
            .map(|entry| match &entry.node.value {
                Value::Scalar(scalar) => (scalar.text.as_str(), scalar.kind),
                other => panic!("no scalar: {other:?}"),
            })
            .collect();
        let (number, quoted) = (ScalarKind::Number, ScalarKind::QuotedText);
        let plain = ScalarKind::PlainText;
        let expected =
            [("1_000", number), ("0.10", number), (".nan", number), ("5", quoted), ("5m", plain)];
        assert_eq!(scalars, expected);
    }

    #[test]
    fn a_key_that_occurs_twice_is_there_twice() {
        assert_eq!(map("a: 1\na: 2\n").len(), 2);
    }

    #[test]
    fn an_aliased_value_stands_where_it_is_written() {
        let entries = map("a: &x { b: 1 }\nc: *x\n");
        assert_eq!(entries[1].node.span, entries[0].node.span);
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(map("é: ü\n")[0].node.span, Span { line: 1, column: 4, width: 1 });
    }

    #[test]
    fn hostile_files_are_refused_at_their_place() {
        let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 0..9 {
            let inner = if level == 0 { "*a".to_owned() } else { format!("*b{}", level - 1) };
            let list = vec![inner; 10].join(",");
            bomb = format!("{bomb}b{level}: &b{level} [{list}]\n");
        }
        let quadratic = format!("a: &a [{}]\nb: [{}]\n", "x,".repeat(9_000), "*a,".repeat(900));
        for text in
            ["[".repeat(100_000), "- ".repeat(20_000), "{a: ".repeat(50_000), bomb, quadratic]
        {
            let mistake = parse(&text).unwrap_err();
            assert!(mistake.message.contains("larger or deeper"), "{mistake:?}");
        }
    }

    #[test]
    fn a_second_document_is_refused() {
        let mistake = parse("a: 1\n---\nb: 2\n").unwrap_err();
        assert_eq!((mistake.span.line, mistake.span.column), (3, 1));
    }
}
