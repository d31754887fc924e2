//! YAML text to a validated scenario, with every mistake placed.
//!
//! [`load`] reads files and folders into [`Scenario`](cutover_model::Scenario)s, or says
//! everything that is wrong with all of them in one go, each as a [`Diagnostic`] with its place,
//! the line and a remedy. [`json_schema`] describes the same files for editors.
//!
//! A file passes three shapes. `node` turns text into a tree with places; `reader` turns the tree
//! into the types of `wire`, which are as optional as the file is; `lower` turns those into the
//! model, where nothing is optional and every reference holds. The wire types are declared once,
//! with their help texts, and both the reader and the schema are made from the declaration.
//!
//! Nothing is run here, and of data files only the header line is looked at.

mod data_file;
mod diagnostic;
mod files;
mod lower;
mod mistakes;
mod name;
mod node;
mod reader;
mod schema;
#[cfg(test)]
mod schema_agreement;
mod shape;
mod size;
mod suggest;
mod value;
mod wire;

pub use diagnostic::{Diagnostic, Severity, Snippet};
pub use files::{LoadErrors, Loaded, load, load_text};
pub use schema::{json_schema, query_json_schema};
