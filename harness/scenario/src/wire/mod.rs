//! What files may hold, as options: declarations from which reader and schema are made.
//!
//! Everything here is as the file says it. Defaults, and what the parts mean together, come with
//! [`lower`](super::lower).

pub(crate) mod arrival;
pub(crate) mod data;
pub(crate) mod find_rate;
pub(crate) mod latency;
pub(crate) mod load;
pub(crate) mod parity;
pub(crate) mod query;
pub(crate) mod rollback;
pub(crate) mod scalar;
pub(crate) mod scenario;
pub(crate) mod target;

use serde_json::{Value as Json, json};

use crate::node::Node;
use crate::reader::{At, Named, Reader, Wire};
use crate::schema::Schemas;

/// A list of at least `LEAST` items.
#[derive(Debug)]
pub(crate) struct List<T, const LEAST: usize>(pub(crate) Vec<At<T>>);

impl<T: Wire, const LEAST: usize> Wire for List<T, LEAST> {
    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        reader.list(node, LEAST).map(Self)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        json!({ "type": "array", "items": T::schema(schemas), "minItems": LEAST })
    }
}

/// The items of a list that may be left out.
pub(crate) fn items<T, const LEAST: usize>(list: Option<&At<List<T, LEAST>>>) -> &[At<T>] {
    list.map_or(&[], |list| &list.value.0)
}

/// A map of at least `LEAST` entries, whose keys the file chooses. A value that could not be read
/// is absent, so that its name is known all the same.
#[derive(Debug)]
pub(crate) struct Names<K, T, const LEAST: usize>(pub(crate) Vec<Named<K, T>>);

impl<K: Wire, T: Wire, const LEAST: usize> Wire for Names<K, T, LEAST> {
    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        reader.map(node, LEAST).map(Self)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        json!({
            "type": "object",
            "propertyNames": K::schema(schemas),
            "additionalProperties": T::schema(schemas),
            "minProperties": LEAST,
        })
    }
}

/// The entries of a map that may be left out.
pub(crate) fn entries<K, T, const LEAST: usize>(
    map: Option<&At<Names<K, T, LEAST>>>,
) -> &[Named<K, T>] {
    map.map_or(&[], |map| &map.value.0)
}
