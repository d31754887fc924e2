//! The databases and tables by name, in the order in which lists and `SHOW` tell them.

use std::collections::BTreeMap;

use super::retention::{MagneticWrites, Retention};
use super::table::Table;

/// All databases.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    pub(crate) databases: BTreeMap<String, Database>,
}

/// A database and its tables.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) created_ns: i64,
    pub(crate) updated_ns: i64,
    pub(crate) tables: BTreeMap<String, TableEntry>,
}

/// A table with what the control plane knows about it.
#[derive(Debug)]
pub(crate) struct TableEntry {
    pub(crate) created_ns: i64,
    pub(crate) updated_ns: i64,
    pub(crate) retention: Retention,
    pub(crate) magnetic_writes: MagneticWrites,
    pub(crate) rows: Table,
}

impl Catalog {
    /// The database that a query names: exactly, or by the only name that differs in case.
    pub(crate) fn database_in_query(&mut self, name: &str) -> Option<&mut Database> {
        find_ignoring_case(&mut self.databases, name)
    }
}

impl Database {
    /// The table that a query names: exactly, or by the only name that differs in case.
    pub(crate) fn table_in_query(&mut self, name: &str) -> Option<&mut TableEntry> {
        find_ignoring_case(&mut self.tables, name)
    }
}

fn find_ignoring_case<'a, V>(map: &'a mut BTreeMap<String, V>, name: &str) -> Option<&'a mut V> {
    let exact = map.contains_key(name);
    let mut found = map
        .iter_mut()
        .filter(|(key, _)| if exact { *key == name } else { key.eq_ignore_ascii_case(name) });
    let (_, only) = found.next()?;
    found.next().is_none().then_some(only)
}
