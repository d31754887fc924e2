//! What the server keeps: databases and tables, and in each table its rows by identity.
//!
//! [`Catalog`] is the whole; a [`Table`] takes checked [`Record`]s and gives out immutable
//! [`Snapshot`]s in Arrow's columns. Nothing here knows HTTP or SQL.

mod catalog;
mod chunk;
mod record;
mod retention;
mod table;

pub(crate) use catalog::{Catalog, Database, TableEntry};
pub(crate) use record::{Measures, Record};
pub(crate) use retention::{MagneticWrites, Retention, Tier};
pub(crate) use table::{Rejection, Snapshot, Table};
