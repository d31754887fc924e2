//! The JSON Schema of scenario and query files, for editors.
//!
//! It is made from the declarations that files are read by, so that an editor and `cutover
//! validate` agree. What the schema cannot say (references between parts of a file, files that
//! must exist) only the validation says.

use serde_json::{Map, Value as Json, json};

use crate::reader::Wire;
use crate::shape::{ChoiceShape, RecordShape, Rule};
use crate::wire::query::QueryWire;
use crate::wire::scenario::ScenarioWire;

/// The JSON Schema of a scenario file.
pub fn json_schema() -> Json {
    document::<ScenarioWire>("A cutover scenario")
}

/// The JSON Schema of a file with a query pair.
pub fn query_json_schema() -> Json {
    document::<QueryWire>("A query in SQL and in Flux")
}

fn document<T: Wire>(title: &str) -> Json {
    let mut schemas = Schemas::default();
    let root = T::schema(&mut schemas);
    // Draft 7 is what the YAML language servers of today read in full.
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": title,
        "allOf": [root],
        "definitions": schemas.definitions,
    })
}

/// The definitions that a schema has collected so far.
#[derive(Default)]
pub(crate) struct Schemas {
    definitions: Map<String, Json>,
}

impl Schemas {
    /// Defines a map with declared keys; `values` gives the schema of each, in order.
    pub(crate) fn record(
        &mut self,
        shape: &RecordShape,
        values: impl FnOnce(&mut Self) -> Vec<Json>,
    ) -> Json {
        self.define(shape.name, |schemas| {
            let properties: Map<_, _> = shape
                .keys
                .iter()
                .zip(values(schemas))
                .map(|(key, value)| (key.name.to_owned(), described(key.doc, value)))
                .collect();
            let required: Vec<_> =
                shape.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
            let mut schema = json!({
                "description": shape.doc.trim(),
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            });
            for rule in shape.rules {
                let (word, names) = match rule {
                    Rule::ExactlyOneOf(names) => ("oneOf", names),
                    Rule::AtLeastOneOf(names) => ("anyOf", names),
                };
                let options: Vec<_> =
                    names.iter().map(|name| json!({ "required": [name] })).collect();
                schema[word] = options.into();
            }
            schema
        })
    }

    /// Defines a choice; `values` gives the schema of each case, in order.
    pub(crate) fn choice(
        &mut self,
        shape: &ChoiceShape,
        values: impl FnOnce(&mut Self) -> Vec<Json>,
    ) -> Json {
        self.define(shape.name, |schemas| {
            let words = shape
                .words
                .iter()
                .map(|word| json!({ "const": word.name, "description": word.doc.trim() }));
            let cases = shape.cases.iter().zip(values(schemas)).map(|(case, value)| {
                json!({
                    "description": case.doc.trim(),
                    "type": "object",
                    "properties": { case.name: value },
                    "required": [case.name],
                    "additionalProperties": false,
                })
            });
            let options: Vec<_> = words.chain(cases).collect();
            json!({ "description": shape.doc.trim(), "oneOf": options })
        })
    }

    /// Defines a scalar.
    pub(crate) fn scalar(&mut self, name: &'static str, doc: &str, schema: Json) -> Json {
        self.define(name, |_| described(doc, schema))
    }

    fn define(&mut self, name: &str, schema: impl FnOnce(&mut Self) -> Json) -> Json {
        let name = name.trim_end_matches("Wire");
        if !self.definitions.contains_key(name) {
            // Reserves the place, so that the definitions stand in the order of the file.
            self.definitions.insert(name.to_owned(), Json::Null);
            let schema = schema(self);
            self.definitions.insert(name.to_owned(), schema);
        }
        json!({ "$ref": format!("#/definitions/{name}") })
    }
}

/// The schema with a description. Beside a reference, draft 7 would not see it.
fn described(doc: &str, schema: Json) -> Json {
    let doc = doc.trim();
    match schema {
        Json::Object(mut object) if !object.contains_key("$ref") => {
            object.insert("description".to_owned(), doc.into());
            object.into()
        }
        schema => json!({ "description": doc, "allOf": [schema] }),
    }
}
