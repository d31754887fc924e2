//! Carries out a SELECT over the store.
//!
//! [`Catalog`] says what there is; [`Engine`] reads and computes; [`Cursor`] gives the rows.
//! `read` reads and merges series, `aggregate` works on whole columns, `reduce` on the points of
//! a window, `stream` from point to point, `fill` on what is missing, and `build` puts them
//! together for the calls of a statement. `subquery` turns rows back into points.

mod aggregate;
mod build;
mod catalog;
mod column;
mod cursor;
mod fill;
mod filter;
mod heap;
mod index;
mod options;
mod points;
mod read;
mod reduce;
mod stream;
mod subquery;
mod system;

pub(crate) use self::catalog::{Catalog, policy_not_found};
pub(crate) use self::cursor::Cursor;
pub(crate) use self::index::{ShardIndex, measurements_matching};
pub(crate) use self::read::Engine;

use self::options::Options;
use super::ast::Select;
use super::error::Outcome;

/// The series of a row: the measurement's name and its tags.
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) tags: Vec<(String, String)>,
}

impl Engine<'_> {
    /// Computes the rows of a statement whose names have their types, over a span of time.
    pub(crate) fn select(&self, select: &Select, range: (i64, i64)) -> Outcome<Cursor> {
        let mut options = Options::of(select)?;
        (options.start_ns, options.end_ns) = range;
        self.cursor(select, options)
    }

    /// What a row's series is called.
    pub(crate) fn shown(&self, series: u32) -> Shown {
        let table = self.table.borrow();
        let key = table.key(series);
        let text = |(tag, value): &(std::sync::Arc<str>, std::sync::Arc<str>)| {
            (tag.to_string(), value.to_string())
        };
        Shown { name: key.name.to_string(), tags: key.tags.iter().map(text).collect() }
    }
}
