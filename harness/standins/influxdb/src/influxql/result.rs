//! What a query answers: results of statements, their series and their rows.

use super::ast::Zone;
use super::value::Value;

/// One place of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// An instant in nanoseconds.
    Time(i64),
    Value(Value),
    /// A count that the server's CSV does not know how to write.
    Count(i64),
}

impl Cell {
    pub(crate) fn text(text: &str) -> Self {
        Self::Value(Value::String(text.into()))
    }
}

/// Rows of one series.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) columns: Vec<String>,
    /// Row after row, as many as there are columns each.
    pub(crate) cells: Vec<Cell>,
    /// Whether more rows of this series follow in another part.
    pub(crate) partial: bool,
}

impl Series {
    /// A series of rows without tags.
    pub(crate) fn plain(name: &str, columns: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            tags: Vec::new(),
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            cells: Vec::new(),
            partial: false,
        }
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &[Cell]> {
        self.cells.chunks(self.columns.len().max(1))
    }
}

/// The result of a statement, or a part of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StatementResult {
    pub(crate) statement: usize,
    pub(crate) series: Vec<Series>,
    /// Whether more parts of this statement follow.
    pub(crate) partial: bool,
    pub(crate) error: Option<String>,
    /// The zone in which instants are written.
    pub(crate) zone: Option<Zone>,
}

impl StatementResult {
    pub(crate) fn failed(statement: usize, error: impl Into<String>) -> Self {
        Self { statement, error: Some(error.into()), ..Self::default() }
    }
}

/// The unit in which instants are counted, instead of being written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch(i64);

impl Epoch {
    /// The unit of this name; one that is not known is a nanosecond.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(Self(match name {
            "" => return None,
            "u" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => 1,
        }))
    }

    pub(crate) fn count(self, time_ns: i64) -> i64 {
        time_ns / self.0
    }
}

/// Joins the parts of each statement, as an answer in one piece shows them.
pub(crate) fn gather(parts: Vec<StatementResult>) -> Vec<StatementResult> {
    let mut results: Vec<StatementResult> = Vec::new();
    for part in parts {
        match results.last_mut().filter(|last| last.statement == part.statement) {
            Some(last) if part.error.is_some() => *last = part,
            Some(last) => {
                for series in part.series {
                    let same = last
                        .series
                        .last_mut()
                        .filter(|known| known.name == series.name && known.tags == series.tags);
                    match same {
                        Some(known) => {
                            known.cells.extend(series.cells);
                            known.partial = series.partial;
                        }
                        None => last.series.push(series),
                    }
                }
                last.partial = part.partial;
            }
            None => results.push(part),
        }
    }
    results
}
