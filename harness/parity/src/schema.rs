//! What the compared rows look like, and how far two values may lie apart.
//!
//! The main type is [`Schema`]: the tags in the order that sorts the streams, and the fields with
//! their [`Tolerance`]. A tag and a field may share a name; two tags or two fields may not.

use std::collections::BTreeSet;

use cutover_model::FieldType;
use cutover_model::scenario::Tolerance;
use serde::{Deserialize, Serialize};

use crate::cell::Cell;

/// The columns of both streams.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// The tag keys, in the order by which the streams are sorted.
    pub tags: Vec<String>,
    /// The fields that are compared.
    pub fields: Vec<FieldSchema>,
}

/// One compared field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldSchema {
    /// The field key.
    pub name: String,
    /// The type that the field should have. A cell of another type is data, not an error.
    pub field_type: FieldType,
    /// How far the destination may lie from the source.
    pub tolerance: Tolerance,
}

/// A schema that cannot be compared by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A tag key is listed twice.
    #[error("the tag `{0}` is listed twice")]
    RepeatedTag(String),
    /// A field key is listed twice.
    #[error("the field `{0}` is listed twice")]
    RepeatedField(String),
    /// A tolerance is negative, infinite or not a number.
    #[error("the tolerance of the field `{0}` is not a finite number of at least 0")]
    Tolerance(String),
}

impl Schema {
    /// Refuses repeated names and tolerances that could never or always agree.
    pub fn check(&self) -> Result<(), SchemaError> {
        let mut seen = BTreeSet::new();
        if let Some(tag) = self.tags.iter().find(|tag| !seen.insert(tag.as_str())) {
            return Err(SchemaError::RepeatedTag(tag.clone()));
        }
        seen.clear();
        for field in &self.fields {
            if !seen.insert(field.name.as_str()) {
                return Err(SchemaError::RepeatedField(field.name.clone()));
            }
            let valid = match field.tolerance {
                Tolerance::Exact | Tolerance::Ulps(_) => true,
                Tolerance::Absolute(by) | Tolerance::Relative(by) => by.is_finite() && by >= 0.0,
            };
            if !valid {
                return Err(SchemaError::Tolerance(field.name.clone()));
            }
        }
        Ok(())
    }

    /// The place of a field in [`Schema::fields`], which is also its column in a batch.
    pub fn field_index(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}

/// Whether two cells of one type, already known to be unequal, still agree.
pub(crate) fn within(tolerance: Tolerance, source: Cell<'_>, destination: Cell<'_>) -> bool {
    match (source, destination) {
        (Cell::Float(a), Cell::Float(b)) => tolerance.allows_floats(a, b),
        (Cell::Integer(a), Cell::Integer(b)) => tolerance.allows_integers(a.into(), b.into()),
        (Cell::Unsigned(a), Cell::Unsigned(b)) => tolerance.allows_integers(a.into(), b.into()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(fields: Vec<FieldSchema>) -> Schema {
        Schema { tags: vec!["region".into()], fields }
    }

    fn field(name: &str, tolerance: Tolerance) -> FieldSchema {
        FieldSchema { name: name.into(), field_type: FieldType::Float, tolerance }
    }

    #[test]
    fn a_field_listed_twice_is_refused() {
        let schema = schema(vec![field("v", Tolerance::Exact), field("v", Tolerance::Exact)]);
        assert_eq!(schema.check(), Err(SchemaError::RepeatedField("v".into())));
    }

    #[test]
    fn a_tag_listed_twice_is_refused() {
        let schema = Schema { tags: vec!["a".into(), "a".into()], fields: vec![] };
        assert_eq!(schema.check(), Err(SchemaError::RepeatedTag("a".into())));
    }

    #[test]
    fn a_tolerance_that_is_not_a_number_is_refused() {
        let schema = schema(vec![field("v", Tolerance::Absolute(f64::NAN))]);
        assert_eq!(schema.check(), Err(SchemaError::Tolerance("v".into())));
    }
}
