//! Random data and random queries, the same each time for a seed and a number.
//!
//! [`DataSet::generate`] makes points, [`flux::script`] and [`influxql::statement`] make queries
//! about them that are mostly valid. What a real server does badly is left out by construction:
//! see [`Script::is_safe`].

mod columns;
mod data;
mod expressions;
pub(crate) mod flux;
pub(crate) mod influxql;
mod rows;
mod script;
mod shape;
mod windows;

pub(crate) use self::data::{DataSet, time_literal};
pub(crate) use self::script::Script;
