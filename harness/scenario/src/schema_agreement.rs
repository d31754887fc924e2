//! The reader and the JSON Schema say the same of any document.
//!
//! Documents are made by damaging shipped files. Where the shape is damaged (keys and kinds of
//! value), both must agree. Where a scalar is changed, the schema must take whatever the reader
//! takes: a pattern cannot count, so it may take more.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{LazyLock, Mutex};

use proptest::prelude::*;
use regex::Regex;
use serde_json::{Map, Value as Json, json};

use crate::diagnostic::Span;
use crate::node::{self, Entry, Key, Node, Scalar, ScalarKind, Value};
use crate::reader::{Reader, Wire};
use crate::schema::{json_schema, query_json_schema};
use crate::wire::query::QueryWire;
use crate::wire::scenario::ScenarioWire;

/// The document as tools of YAML 1.2 see it.
fn as_json(node: &Node) -> Json {
    match &node.value {
        Value::List(items) => items.iter().map(as_json).collect(),
        Value::Map(entries) => {
            let pairs = entries.iter().map(|entry| (entry.key.text.clone(), as_json(&entry.node)));
            Json::Object(pairs.collect::<Map<_, _>>())
        }
        Value::Scalar(scalar) => match scalar.kind {
            ScalarKind::Null => Json::Null,
            ScalarKind::Boolean => json!(scalar.text == "true"),
            // With `_` it is a string there.
            ScalarKind::Number => {
                serde_json::from_str(&scalar.text).unwrap_or_else(|_| scalar.text.clone().into())
            }
            ScalarKind::PlainText | ScalarKind::QuotedText => scalar.text.clone().into(),
        },
    }
}

/// As much of JSON Schema as ours uses. An unknown word panics.
struct Validator {
    root: Json,
    patterns: HashMap<String, Regex>,
}

impl Validator {
    fn new(root: Json) -> Self {
        Self { root, patterns: HashMap::new() }
    }

    fn takes(&mut self, document: &Json) -> bool {
        let all = self.root["allOf"].clone();
        self.all(&all, document)
    }

    fn all(&mut self, schemas: &Json, value: &Json) -> bool {
        schemas.as_array().unwrap().clone().iter().all(|schema| self.holds(schema, value))
    }

    fn count(&mut self, schemas: &Json, value: &Json) -> usize {
        let schemas = schemas.as_array().unwrap().clone();
        schemas.iter().filter(|schema| self.holds(schema, value)).count()
    }

    fn holds(&mut self, schema: &Json, value: &Json) -> bool {
        let words = schema.as_object().unwrap();
        words.iter().all(|(word, wanted)| self.word(word, wanted, schema, value))
    }

    fn word(&mut self, word: &str, wanted: &Json, schema: &Json, value: &Json) -> bool {
        let number = |json: &Json| json.as_f64().unwrap();
        let length = value.as_str().map(|text| text.chars().count() as f64);
        match word {
            "description" | "title" | "properties" => true,
            "$ref" => {
                let name = wanted.as_str().unwrap().strip_prefix("#/definitions/").unwrap();
                let definition = self.root["definitions"][name].clone();
                self.holds(&definition, value)
            }
            "type" => match wanted.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "number" => value.is_number(),
                "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
                other => panic!("unknown type {other}"),
            },
            "const" => value == wanted,
            "allOf" => self.all(wanted, value),
            "anyOf" => self.count(wanted, value) > 0,
            "oneOf" => self.count(wanted, value) == 1,
            "not" => !self.holds(wanted, value),
            "required" => value.as_object().is_none_or(|object| {
                wanted
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|key| object.contains_key(key.as_str().unwrap()))
            }),
            "items" => value
                .as_array()
                .is_none_or(|items| items.iter().all(|item| self.holds(wanted, item))),
            "additionalProperties" => self.properties(wanted, schema, value),
            "propertyNames" => value.as_object().is_none_or(|object| {
                object.keys().all(|key| self.holds(wanted, &key.clone().into()))
            }),
            "minItems" => value.as_array().is_none_or(|items| items.len() as f64 >= number(wanted)),
            "minProperties" => {
                value.as_object().is_none_or(|object| object.len() as f64 >= number(wanted))
            }
            "minimum" => value.as_f64().is_none_or(|value| value >= number(wanted)),
            "maximum" => value.as_f64().is_none_or(|value| value <= number(wanted)),
            "exclusiveMinimum" => value.as_f64().is_none_or(|value| value > number(wanted)),
            "minLength" => length.is_none_or(|length| length >= number(wanted)),
            "maxLength" => length.is_none_or(|length| length <= number(wanted)),
            "pattern" => {
                let pattern = wanted.as_str().unwrap();
                let regex = self
                    .patterns
                    .entry(pattern.to_owned())
                    .or_insert_with(|| Regex::new(pattern).unwrap());
                value.as_str().is_none_or(|text| regex.is_match(text))
            }
            other => panic!("unknown word {other}"),
        }
    }

    fn properties(&mut self, others: &Json, schema: &Json, value: &Json) -> bool {
        let Some(object) = value.as_object() else { return true };
        object.iter().all(|(key, value)| match schema["properties"].get(key) {
            Some(property) => self.holds(property, value),
            None if others == &Json::Bool(false) => false,
            None => self.holds(others, value),
        })
    }
}

fn reader_takes<T: Wire>(document: &Node) -> bool {
    let mut reader = Reader::new("the document");
    let read = reader.read::<T>(document);
    read.is_some() && reader.mistakes.errors() == 0
}

fn shipped(file: &str) -> Node {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let path = harness.parent().unwrap().join("scenarios").join(file);
    node::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn scalar(text: &str, kind: ScalarKind) -> Node {
    Node { span: Span::START, value: Value::Scalar(Scalar { text: text.to_owned(), kind }) }
}

/// How many nodes there are, the root included.
fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::Scalar(_) => 0,
        Value::List(items) => items.iter().map(size).sum::<usize>(),
        Value::Map(entries) => entries.iter().map(|entry| size(&entry.node)).sum::<usize>(),
    }
}

/// The `nth` node in depth-first order.
fn nth<'n>(node: &'n mut Node, left: &mut usize) -> Option<&'n mut Node> {
    if *left == 0 {
        return Some(node);
    }
    *left -= 1;
    match &mut node.value {
        Value::Scalar(_) => None,
        Value::List(items) => items.iter_mut().find_map(|item| nth(item, left)),
        Value::Map(entries) => entries.iter_mut().find_map(|entry| nth(&mut entry.node, left)),
    }
}

/// Damages the shape at a node: another kind of value, a key less, more or renamed, nothing left.
fn damage(node: &mut Node, how: usize, which: usize) {
    match (&mut node.value, how) {
        (Value::Map(entries), 0) if !entries.is_empty() => {
            entries.remove(which % entries.len());
        }
        (Value::Map(entries), 1) if !entries.is_empty() => {
            let at = which % entries.len();
            entries[at].key.text.push_str("_x");
        }
        (Value::Map(entries), 2) => entries.push(Entry {
            key: Key { text: "another_key".to_owned(), span: Span::START },
            node: scalar("true", ScalarKind::Boolean),
        }),
        (Value::List(items), 0) if !items.is_empty() => {
            items.remove(which % items.len());
        }
        (value, 3) => *value = Value::List(Vec::new()),
        (value, 4) => *value = Value::Map(Vec::new()),
        (value, 5) => *value = scalar("", ScalarKind::Null).value,
        (value, _) => *value = scalar("true", ScalarKind::Boolean).value,
    }
}

const SCENARIOS: [&str; 4] = [
    "smoke/ons_load_curve.yaml",
    "smoke/ons_energy_balance.yaml",
    "load/acceptance.yaml",
    "rollback/four_triggers.yaml",
];

static DOCUMENTS: LazyLock<Vec<Node>> =
    LazyLock::new(|| SCENARIOS.iter().map(|file| shipped(file)).collect());
static SCENARIO_SCHEMA: LazyLock<Mutex<Validator>> =
    LazyLock::new(|| Mutex::new(Validator::new(json_schema())));
static QUERY_SCHEMA: LazyLock<Mutex<Validator>> =
    LazyLock::new(|| Mutex::new(Validator::new(query_json_schema())));

/// Scalars of every form, right in some place and wrong in others.
const SCALARS: [&str; 44] = [
    "0",
    "1",
    "5",
    "10_000",
    "-1",
    "1.5",
    "1e-9",
    ".nan",
    ".inf",
    "1e999",
    "400",
    "503",
    "700",
    "5s",
    "0s",
    "2m30s",
    "1.5h",
    "30s2m",
    "5 s",
    "5m5m",
    "0%",
    "8%",
    "99.9%",
    "120%",
    "8 %",
    "20/s",
    "10_000 points/s",
    "0/s",
    "3 periods",
    "1 period",
    "< 5s",
    "<= 1.20",
    "> 5%",
    ">= 99.9%",
    "> 10",
    "> 5_000/s",
    "exact",
    "destination",
    "write",
    "load_curve",
    "_x",
    "time",
    "a b",
    "",
];

/// Up to three damages: which node, how, and which of its entries.
fn damages() -> impl Strategy<Value = Vec<(prop::sample::Index, usize, usize)>> {
    prop::collection::vec((any::<prop::sample::Index>(), 0_usize..7, 0_usize..8), 1..4)
}

fn many_cases() -> ProptestConfig {
    ProptestConfig { cases: 1_000, failure_persistence: None, ..Default::default() }
}

proptest! {
    #![proptest_config(many_cases())]

    #[test]
    fn a_damaged_shape_is_refused_by_both_or_by_none(
        file in 0..SCENARIOS.len(),
        damages in damages(),
    ) {
        let mut document = DOCUMENTS[file].clone();
        for (at, how, which) in damages {
            let mut left = at.index(size(&document));
            if let Some(node) = nth(&mut document, &mut left) {
                damage(node, how, which);
            }
        }
        let found = as_json(&document);
        let schema = SCENARIO_SCHEMA.lock().unwrap().takes(&found);
        prop_assert_eq!(schema, reader_takes::<ScenarioWire>(&document), "{}", found);
    }

    #[test]
    fn a_scalar_that_the_reader_takes_is_taken_by_the_schema(
        file in 0..SCENARIOS.len(),
        at in any::<prop::sample::Index>(),
        text in prop::sample::select(&SCALARS[..]),
    ) {
        let mut document = DOCUMENTS[file].clone();
        let mut left = at.index(size(&document));
        let written = node::parse(text).unwrap_or_else(|_| scalar(text, ScalarKind::QuotedText));
        if let Some(node) = nth(&mut document, &mut left) {
            node.value = written.value;
        }
        let found = as_json(&document);
        if reader_takes::<ScenarioWire>(&document) {
            prop_assert!(SCENARIO_SCHEMA.lock().unwrap().takes(&found), "{}", found);
        }
    }

    #[test]
    fn a_damaged_query_is_refused_by_both_or_by_none(
        at in any::<prop::sample::Index>(),
        how in 0_usize..7,
        which in 0_usize..8,
    ) {
        let mut document = shipped("queries/generation_trend.yaml");
        let mut left = at.index(size(&document));
        if let Some(node) = nth(&mut document, &mut left) {
            damage(node, how, which);
        }
        let found = as_json(&document);
        let schema = QUERY_SCHEMA.lock().unwrap().takes(&found);
        prop_assert_eq!(schema, reader_takes::<QueryWire>(&document), "{}", found);
    }
}

#[test]
fn every_shipped_file_is_taken_by_the_schema() {
    for file in SCENARIOS {
        assert!(Validator::new(json_schema()).takes(&as_json(&shipped(file))), "{file}");
    }
    for file in ["consumption_peak", "generation_trend", "transmission_losses"] {
        let document = as_json(&shipped(&format!("queries/{file}.yaml")));
        assert!(Validator::new(query_json_schema()).takes(&document), "{file}");
    }
}
