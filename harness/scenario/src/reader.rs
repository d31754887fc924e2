//! From a tree of nodes to wire types, with every mistake noted on the way.
//!
//! A [`Wire`] type says how it is read and how the JSON Schema describes it. The types in
//! [`wire`](super::wire) are declared with the macros of [`shape`](super::shape), so that the
//! reader, the schema and the help texts all come from one declaration. What the values mean
//! together is not looked at here: see [`lower`](super::lower).

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::diagnostic::{Mistake, Span, excerpt};
use crate::mistakes::{Mistakes, Place};
use crate::node::{Entry, Node, Scalar, ScalarKind, Value};
use crate::schema::Schemas;
use crate::shape::{ChoiceShape, Complaint, Form, RecordShape, Rule, first_sentence};
use crate::suggest::{alternatives, listing, suggest};

/// What a file may hold at one place.
pub(crate) trait Wire: Sized {
    /// Reads the node, or says what is wrong with it and returns nothing.
    fn read(node: &Node, reader: &mut Reader) -> Option<Self>;

    /// The JSON Schema of the same.
    fn schema(schemas: &mut Schemas) -> Json;
}

/// A value with the place where it was written.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// The declared entries of a map that has been looked through.
pub(crate) struct Fields<'n> {
    entries: Vec<(&'static str, &'n Node)>,
}

/// The one case of a choice that a node holds.
pub(crate) struct Case<'n> {
    pub(crate) name: &'static str,
    /// What belongs to the case. A word by itself has nothing.
    pub(crate) node: Option<&'n Node>,
}

/// A key that the file chose, with its value if that could be read.
pub(crate) type Named<K, T> = (At<K>, Option<At<T>>);

enum Segment {
    Key(String),
    Index(usize),
}

/// Walks one document, knows where it is, and collects what is wrong.
pub(crate) struct Reader {
    segments: Vec<Segment>,
    pub(crate) mistakes: Mistakes,
    /// What the document as a whole is called in messages.
    document: &'static str,
}

impl Reader {
    /// A reader at the root of a document, which messages call `document`.
    pub(crate) fn new(document: &'static str) -> Self {
        Self { segments: Vec::new(), mistakes: Mistakes::default(), document }
    }

    /// Reads a node where the reader stands.
    pub(crate) fn read<T: Wire>(&mut self, node: &Node) -> Option<At<T>> {
        if self.mistakes.are_many() {
            return None;
        }
        let value = T::read(node, self)?;
        Some(At { value, place: Place { span: node.span, path: self.path() } })
    }

    /// Reads the value of a declared key, if the map has it.
    pub(crate) fn field<T: Wire>(&mut self, fields: &Fields<'_>, key: &str) -> Option<At<T>> {
        let (_, node) = fields.entries.iter().find(|(name, _)| *name == key)?;
        self.below(Segment::Key(key.to_owned()), |reader| reader.read(node))
    }

    /// Looks through a map with declared keys. `None` when it is no map.
    pub(crate) fn record<'n>(&mut self, node: &'n Node, shape: &RecordShape) -> Option<Fields<'n>> {
        let names = || shape.keys.iter().map(|key| key.name);
        let Value::Map(entries) = &node.value else {
            self.wrong_type(node, &format!("a map with the keys {}", listing(names())));
            return None;
        };
        let entries = self.without_doubles(entries);
        let mut fields = Fields { entries: Vec::new() };
        let mut meant = Vec::new();
        for entry in entries {
            if self.mistakes.are_many() {
                break;
            }
            match shape.keys.iter().find(|key| key.name == entry.key.text) {
                Some(key) => fields.entries.push((key.name, &entry.node)),
                None => meant.extend(self.unknown_key(entry, shape)),
            }
        }
        for key in shape.keys.iter().filter(|key| key.required && !meant.contains(&key.name)) {
            if !fields.has(key.name) {
                let message = format!("{} lacks the key `{}`", self.subject(), key.name);
                let help = format!("add `{}`: {}", key.name, first_sentence(key.doc));
                self.complain(node.span, message, Some(help));
            }
        }
        for rule in shape.rules {
            self.check_rule(*rule, node, &fields, &meant);
        }
        Some(fields)
    }

    /// Says that a key is not declared. Returns the one that was probably meant.
    fn unknown_key(&mut self, entry: &Entry, shape: &RecordShape) -> Option<&'static str> {
        let names = || shape.keys.iter().map(|key| key.name);
        let meant = suggest(&entry.key.text, names());
        let help = if entry.key.text == "<<" {
            "merge keys are not part of YAML 1.2: write the keys out".to_owned()
        } else if let Some(meant) = meant {
            format!("did you mean `{meant}`?")
        } else {
            format!("the keys of {} are {}", self.subject(), listing(names()))
        };
        let message = format!("unknown key `{}`", excerpt(&entry.key.text));
        self.below(Segment::Key(entry.key.text.clone()), |reader| {
            reader.complain(entry.key.span, message, Some(help));
        });
        meant
    }

    fn check_rule(&mut self, rule: Rule, node: &Node, fields: &Fields<'_>, meant: &[&str]) {
        let (names, only_one) = match rule {
            Rule::ExactlyOneOf(names) => (names, true),
            Rule::AtLeastOneOf(names) => (names, false),
        };
        let present: Vec<_> =
            fields.entries.iter().filter(|(name, _)| names.contains(name)).collect();
        let choice = alternatives(names.iter().copied());
        if present.is_empty() && !meant.iter().any(|name| names.contains(name)) {
            let message = format!("{} needs {choice}", self.subject());
            let help = if only_one { "add one of them" } else { "add at least one of them" };
            self.complain(node.span, message, Some(help.to_owned()));
        } else if let (true, [(first, _), (second, at), ..]) = (only_one, &present[..]) {
            let message = format!("{} has both `{first}` and `{second}`", self.subject());
            self.complain(at.span, message, Some(format!("keep one of {choice}")));
        }
    }

    /// Reads a word, or a map with one key. `None` when it is neither, or another one.
    pub(crate) fn choice<'n>(&mut self, node: &'n Node, shape: &ChoiceShape) -> Option<Case<'n>> {
        let words = || shape.words.iter().map(|word| word.name);
        let cases = || shape.cases.iter().map(|case| case.name);
        match &node.value {
            Value::Scalar(scalar) if scalar.kind != ScalarKind::Null => {
                if let Some(word) = words().find(|word| *word == scalar.text) {
                    return Some(Case { name: word, node: None });
                }
                self.unknown_word(node, scalar, shape);
                None
            }
            Value::Map(entries) if !shape.cases.is_empty() => {
                let entries = self.without_doubles(entries);
                let [entry] = entries[..] else {
                    let span = entries.get(1).map_or(node.span, |second| second.key.span);
                    let message =
                        format!("{} must have one key, and has {}", self.subject(), entries.len());
                    let help = format!("write one of {}", alternatives(cases()));
                    self.complain(span, message, Some(help));
                    return None;
                };
                if let Some(case) = cases().find(|case| *case == entry.key.text) {
                    return Some(Case { name: case, node: Some(&entry.node) });
                }
                let message = format!("unknown key `{}`", excerpt(&entry.key.text));
                let help = did_you_mean(&entry.key.text, &cases().collect::<Vec<_>>());
                self.complain(entry.key.span, message, Some(help));
                None
            }
            _ => {
                self.wrong_type(node, &shape.expected());
                None
            }
        }
    }

    fn unknown_word(&mut self, node: &Node, scalar: &Scalar, shape: &ChoiceShape) {
        if let Some(case) = shape.cases.iter().find(|case| case.name == scalar.text) {
            let message = format!("{} needs a value for `{}`", self.subject(), case.name);
            let help = format!("write `{}: …`: {}", case.name, first_sentence(case.doc));
            return self.complain(node.span, message, Some(help));
        }
        let message = format!(
            "{} must be {}, and is {}",
            self.subject(),
            shape.expected(),
            scalar.describe()
        );
        let known: Vec<_> = shape.words.iter().chain(shape.cases).map(|word| word.name).collect();
        let help = suggest(&scalar.text, known.iter().copied())
            .map(|meant| format!("did you mean `{meant}`?"));
        self.complain(node.span, message, help);
    }

    /// Reads what belongs to a case of a choice.
    pub(crate) fn case<T: Wire>(&mut self, case: &Case<'_>) -> Option<At<T>> {
        let node = case.node?;
        self.below(Segment::Key(case.name.to_owned()), |reader| reader.read(node))
    }

    /// Reads a scalar with `parse`, which sees its text.
    pub(crate) fn scalar<T>(
        &mut self,
        node: &Node,
        what: &str,
        form: Form,
        parse: impl FnOnce(&str) -> Result<T, Complaint>,
    ) -> Option<T> {
        let Value::Scalar(scalar) = &node.value else {
            self.wrong_type(node, what);
            return None;
        };
        if let Some((found, help)) = misfit(scalar, form) {
            let message = format!("{} must be {what}, and is {found}", self.subject());
            self.complain(node.span, message, help);
            return None;
        }
        match parse(&scalar.text) {
            Ok(value) => Some(value),
            Err(Complaint { what, help }) => {
                let message = format!("{} {what}", self.subject());
                self.complain(node.span, message, help);
                None
            }
        }
    }

    /// Reads a list with at least `least` items. Items that cannot be read are left out.
    pub(crate) fn list<T: Wire>(&mut self, node: &Node, least: usize) -> Option<Vec<At<T>>> {
        let Value::List(items) = &node.value else {
            self.wrong_type(node, "a list");
            return None;
        };
        self.check_length(node, items.len(), least);
        let mut list = Vec::new();
        for (index, item) in items.iter().enumerate() {
            list.extend(self.below(Segment::Index(index), |reader| reader.read(item)));
        }
        Some(list)
    }

    /// Reads a map whose keys the file chooses, with at least `least` entries. An entry whose key
    /// cannot be read is left out; one whose value cannot be read keeps its key.
    pub(crate) fn map<K: Wire, T: Wire>(
        &mut self,
        node: &Node,
        least: usize,
    ) -> Option<Vec<Named<K, T>>> {
        let Value::Map(entries) = &node.value else {
            self.wrong_type(node, "a map of names");
            return None;
        };
        self.check_length(node, entries.len(), least);
        let mut map = Vec::new();
        for entry in self.without_doubles(entries) {
            let text = entry.key.text.clone();
            let scalar = Scalar { text: text.clone(), kind: ScalarKind::QuotedText };
            let key = Node { span: entry.key.span, value: Value::Scalar(scalar) };
            self.below(Segment::Key(text), |reader| {
                let key = reader.read(&key);
                let value = reader.read(&entry.node);
                map.extend(key.map(|key| (key, value)));
            });
        }
        Some(map)
    }

    fn check_length(&mut self, node: &Node, length: usize, least: usize) {
        if length < least {
            let (message, help) = if length == 0 {
                let help = "with nothing in it the scenario would prove nothing";
                (format!("{} is empty", self.subject()), Some(help.to_owned()))
            } else {
                let entries = format!("at least {least} entries, and has {length}");
                (format!("{} needs {entries}", self.subject()), None)
            };
            self.complain(node.span, message, help);
        }
    }

    /// The entries with each key once. Says which ones come again.
    fn without_doubles<'n>(&mut self, entries: &'n [Entry]) -> Vec<&'n Entry> {
        let mut first: BTreeMap<&str, Span> = BTreeMap::new();
        let mut kept = Vec::new();
        for entry in entries {
            let (text, span) = (entry.key.text.as_str(), entry.key.span);
            if let Some(earlier) = first.get(text) {
                let message = format!("the key `{}` occurs twice", excerpt(text));
                let help = format!("it is on line {} already: remove one", earlier.line);
                self.below(Segment::Key(text.to_owned()), |reader| {
                    reader.complain(span, message, Some(help));
                });
            } else {
                first.insert(text, span);
                kept.push(entry);
            }
        }
        kept
    }

    fn wrong_type(&mut self, node: &Node, expected: &str) {
        let nothing = matches!(&node.value, Value::Scalar(Scalar { kind: ScalarKind::Null, .. }));
        let message = if nothing && self.segments.is_empty() {
            format!("{} is empty", self.subject())
        } else if nothing {
            format!("{} has no value", self.subject())
        } else {
            format!("{} must be {expected}, and is {}", self.subject(), node.describe())
        };
        let help = match &node.value {
            _ if nothing => Some(format!("give it {expected}")),
            Value::Scalar(scalar) if expected == "a list" => {
                Some(format!("write `[{}]`", excerpt(&scalar.text)))
            }
            _ => None,
        };
        self.complain(node.span, message, help);
    }

    fn complain(&mut self, span: Span, message: String, help: Option<String>) {
        let mistake = Mistake { help, ..Mistake::error(span, message).at_path(self.path()) };
        self.mistakes.add(mistake);
    }

    fn below<R>(&mut self, segment: Segment, read: impl FnOnce(&mut Self) -> R) -> R {
        self.segments.push(segment);
        let result = read(self);
        self.segments.pop();
        result
    }

    /// Where the reader stands: `steps[3].latency`.
    fn path(&self) -> String {
        path_of(&self.segments)
    }

    /// What messages call the place where the reader stands: `` `expect[0]` ``.
    fn subject(&self) -> String {
        let last_key = self.segments.iter().rposition(|segment| matches!(segment, Segment::Key(_)));
        match last_key {
            None => self.document.to_owned(),
            Some(from) => format!("`{}`", path_of(&self.segments[from..])),
        }
    }
}

impl Fields<'_> {
    fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, _)| *name == key)
    }
}

/// What a scalar is that cannot be right because of the way it is written, with help.
fn misfit(scalar: &Scalar, form: Form) -> Option<(String, Option<String>)> {
    let found = scalar.describe();
    let quote = || Some(format!("put it in quotes: `\"{}\"`", excerpt(&scalar.text)));
    match (form, scalar.kind) {
        (_, ScalarKind::Null) => Some((found, Some("give it a value".to_owned()))),
        (Form::Number, ScalarKind::QuotedText) => {
            Some((found, Some("write a number, without quotes".to_owned())))
        }
        (Form::Number, ScalarKind::PlainText | ScalarKind::Boolean)
        | (Form::Unit, ScalarKind::Boolean) => Some((found, None)),
        (Form::Text, ScalarKind::Boolean | ScalarKind::Number) => Some((found, quote())),
        (Form::Text, ScalarKind::PlainText) if reads_as_boolean(&scalar.text) => {
            Some((format!("`{}`, a boolean to YAML 1.1", scalar.text), quote()))
        }
        _ => None,
    }
}

/// Whether YAML 1.1, which other tools still read, takes the word for a boolean.
fn reads_as_boolean(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "yes" | "no" | "on" | "off" | "y" | "n")
}

fn did_you_mean(text: &str, known: &[&str]) -> String {
    match suggest(text, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("write one of {}", alternatives(known.iter().copied())),
    }
}

fn path_of(segments: &[Segment]) -> String {
    let text = |(position, segment): (usize, &Segment)| match segment {
        Segment::Index(index) => format!("[{index}]"),
        Segment::Key(key) if position == 0 => excerpt(key),
        Segment::Key(key) => format!(".{}", excerpt(key)),
    };
    segments.iter().enumerate().map(text).collect()
}
