//! CSV to tables, for `csv.from`.
//!
//! The counterpart of [`csv`](super::csv), for the CSV that a script holds. [`Tables`] gives one
//! table after another, so that a mistake further down does not take those before it. In annotated
//! CSV each block begins with its annotations and its header, and a change of the `table` column
//! begins a new table; raw CSV is one table of strings.

mod decode;
mod lines;

use std::sync::Arc;

use self::decode::Kind;
use self::lines::{Line, Lines};
use super::error::{FluxError, FluxErrorCode};
use super::table::{ColumnBuilder, GroupKey, Table};
use super::value::{ColumnType, Value};

/// The columns of annotated CSV that tell of results and tables and are none of the data.
const LEADING_COLUMNS: usize = 3;

/// How a text is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Annotated,
    Raw,
}

/// The tables of a text.
pub(super) struct Tables {
    lines: Lines,
    mode: Mode,
    block: Option<Block>,
    /// The one result that a text may hold.
    result: Option<String>,
    done: bool,
}

/// What the annotations and the header say.
struct Block {
    result: String,
    table: String,
    /// How many cells a line has.
    cells: usize,
    /// Where the data begins in a line.
    first: usize,
    columns: Vec<Labelled>,
}

struct Labelled {
    label: Arc<str>,
    kind: Kind,
    keyed: bool,
    default: Value,
}

/// A mistake that the server puts at no place in the script.
fn failed(code: FluxErrorCode, message: &str) -> FluxError {
    FluxError::whole(code, format!("error in csv.from(): {message}"))
}

fn bad_metadata(code: FluxErrorCode, message: &str) -> FluxError {
    failed(code, &format!("failed to read metadata: {message}"))
}

const WRONG_NUMBER: &str = "wrong number of fields";

impl Tables {
    pub(super) fn new(text: Arc<str>, mode: Mode) -> Self {
        Self { lines: Lines::new(text), mode, block: None, result: None, done: false }
    }

    fn read(&mut self) -> Result<Option<Table>, FluxError> {
        let block = match self.block.take() {
            Some(block) => Some(block),
            None => self.next_block()?,
        };
        let Some(block) = block else { return Ok(None) };
        let table = self.table(&block)?;
        let same_block = match self.lines.peek() {
            Some(next) => self.mode == Mode::Raw || next.first().is_none_or(String::is_empty),
            None => return Ok(Some(table)).inspect(|_| self.done = true),
        };
        self.block = same_block.then_some(block);
        Ok(Some(table))
    }

    /// The next block, which has to be of the one result.
    fn next_block(&mut self) -> Result<Option<Block>, FluxError> {
        let block = match self.mode {
            Mode::Annotated => self.annotated_block()?,
            Mode::Raw => self.raw_block(),
        };
        let Some(block) = block else { return Ok(None) };
        if *self.result.get_or_insert_with(|| block.result.clone()) != block.result {
            let message = "csv.from() can only parse 1 result";
            return Err(failed(FluxErrorCode::Invalid, message));
        }
        Ok(Some(block))
    }

    /// All columns are strings and none has a default.
    fn raw_block(&mut self) -> Option<Block> {
        let header = self.lines.next()?;
        let column = |label: &String| Labelled {
            label: Arc::from(label.as_str()),
            kind: Kind::Plain(ColumnType::String),
            keyed: false,
            default: Value::Null(Some(ColumnType::String)),
        };
        Some(Block {
            result: "_result".to_owned(),
            table: "0".to_owned(),
            cells: header.len(),
            first: 0,
            columns: header.iter().map(column).collect(),
        })
    }

    fn annotated_block(&mut self) -> Result<Option<Block>, FluxError> {
        let mut annotations: [Option<Line>; 3] = [None, None, None];
        let mut cells = None;
        while annotations.iter().any(Option::is_none) {
            let missing = |line: Option<&Line>| missing_annotation(&annotations, line.is_none());
            let Some(line) = self.lines.next() else {
                return if cells.is_none() { Ok(None) } else { Err(missing(None)) };
            };
            if *cells.get_or_insert(line.len()) != line.len() {
                let message = format!("failed to read annotations: {WRONG_NUMBER}");
                return Err(bad_metadata(FluxErrorCode::Invalid, &message));
            }
            let name = line.first().map_or("", String::as_str);
            let at = match name.trim_start_matches('#') {
                "datatype" => 0,
                "group" => 1,
                "default" => 2,
                // Other annotations are passed over.
                _ if name.starts_with('#') => continue,
                _ => return Err(missing(Some(&line))),
            };
            if line.len() < LEADING_COLUMNS {
                let name = name.trim_start_matches('#');
                let message = format!("failed to read \"{name}\" annotation: {WRONG_NUMBER}");
                return Err(bad_metadata(FluxErrorCode::Invalid, &message));
            }
            annotations[at] = Some(line);
        }
        let annotations = annotations.map(Option::unwrap_or_default);
        self.header(&annotations).map(Some)
    }

    fn header(&mut self, [datatypes, groups, defaults]: &[Line; 3]) -> Result<Block, FluxError> {
        let header = self
            .lines
            .next()
            .ok_or_else(|| bad_metadata(FluxErrorCode::Invalid, "missing expected header row"))?;
        if header.len() != datatypes.len() {
            let message = format!("failed to read header row: {WRONG_NUMBER}");
            return Err(bad_metadata(FluxErrorCode::Invalid, &message));
        }
        if header.get(1).is_some_and(|label| label == "error") {
            let message = self.lines.next().and_then(|line| line.get(1).cloned());
            let message = message.unwrap_or_else(|| "unexpected EOF".to_owned());
            return Err(failed(FluxErrorCode::Internal, &message));
        }
        let table = defaults[2].clone();
        if !table.is_empty() && table.parse::<i64>().is_err() {
            let message = "default Table ID is not an integer";
            return Err(bad_metadata(FluxErrorCode::Internal, message));
        }
        let columns = (LEADING_COLUMNS..header.len()).map(|at| {
            let label = &header[at];
            let kind = Kind::of(&datatypes[at]).map_err(|reason| {
                let message = format!("column \"{label}\" has invalid datatype: {reason}");
                bad_metadata(FluxErrorCode::Invalid, &message)
            })?;
            let default = kind.decode(&defaults[at]).map_err(|reason| {
                let message = format!("column \"{label}\" has invalid default value: {reason}");
                bad_metadata(FluxErrorCode::Invalid, &message)
            })?;
            let keyed = groups[at] == "true";
            Ok(Labelled { label: Arc::from(label.as_str()), kind, keyed, default })
        });
        Ok(Block {
            result: defaults[1].clone(),
            table,
            cells: header.len(),
            first: LEADING_COLUMNS,
            columns: columns.collect::<Result<_, FluxError>>()?,
        })
    }

    /// The rows up to the next table, annotation or end.
    fn table(&mut self, block: &Block) -> Result<Table, FluxError> {
        let annotated = self.mode == Mode::Annotated;
        let mut growing = Growing::new(block);
        while let Some(line) = self.lines.peek() {
            let annotation = annotated && line.first().is_some_and(|cell| !cell.is_empty());
            if annotation && line.len() != block.cells {
                break;
            }
            if line.len() != block.cells {
                return Err(failed(FluxErrorCode::Internal, WRONG_NUMBER));
            }
            if annotated {
                // What stands before the first row's table is not looked at.
                let id = growing.id.get_or_insert_with(|| line[2].clone());
                if annotation || !line[2].is_empty() && line[2] != *id {
                    break;
                }
            }
            growing.push(block, &line[block.first..])?;
            self.lines.next();
        }
        if annotated && growing.rows == 0 && block.table.is_empty() {
            return Err(failed(FluxErrorCode::Invalid, "missing table ID"));
        }
        Ok(growing.finish(block))
    }
}

fn missing_annotation(annotations: &[Option<Line>; 3], at_end: bool) -> FluxError {
    let advice =
        "onsider using the mode: \"raw\" for csv that is not expected to have annotations.";
    let initial = if at_end { "C" } else { "c" };
    match annotations {
        [None, ..] => bad_metadata(
            FluxErrorCode::Invalid,
            &format!("missing expected annotation datatype. {initial}{advice}"),
        ),
        [_, None, _] => bad_metadata(FluxErrorCode::Internal, "missing expected annotation group"),
        _ => bad_metadata(FluxErrorCode::Internal, "missing expected annotation default"),
    }
}

/// A table that grows by lines.
struct Growing {
    id: Option<String>,
    key: Option<GroupKey>,
    builders: Vec<ColumnBuilder>,
    rows: usize,
}

impl Growing {
    fn new(block: &Block) -> Self {
        let builder =
            |column: &Labelled| ColumnBuilder::new(&column.label, column.kind.column_type());
        let builders = block.columns.iter().map(builder).collect();
        Self { id: None, key: None, builders, rows: 0 }
    }

    fn push(&mut self, block: &Block, cells: &[String]) -> Result<(), FluxError> {
        let decode = |(column, cell): (&Labelled, &String)| {
            if cell.is_empty() {
                return Ok(column.default.clone());
            }
            column.kind.decode(cell).map_err(|reason| failed(FluxErrorCode::Internal, &reason))
        };
        let values = block.columns.iter().zip(cells).map(decode);
        let values = values.collect::<Result<Vec<Value>, _>>()?;
        self.key.get_or_insert_with(|| key_of(block, values.iter()));
        for (builder, value) in self.builders.iter_mut().zip(values) {
            builder.push(value)?;
        }
        self.rows += 1;
        Ok(())
    }

    fn finish(self, block: &Block) -> Table {
        let defaults = block.columns.iter().map(|column| &column.default);
        let key = self.key.unwrap_or_else(|| key_of(block, defaults));
        let columns = self.builders.into_iter().map(ColumnBuilder::finish).collect();
        Table::new(key, columns, self.rows)
    }
}

fn key_of<'a>(block: &Block, values: impl Iterator<Item = &'a Value>) -> GroupKey {
    let keyed = block.columns.iter().zip(values).filter(|(column, _)| column.keyed);
    keyed.map(|(column, value)| (Arc::clone(&column.label), value.clone())).collect()
}

impl Iterator for Tables {
    type Item = Result<Table, FluxError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let table = self.read().transpose();
        self.done |= !matches!(table, Some(Ok(_)));
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "#datatype,string,long,double,string\n#group,false,false,false,true\n\
                        #default,_result,,,\n,result,table,_value,t\n,,0,1.5,a\n,,0,,a\n,,1,2,b\n";

    fn read(text: &str, mode: Mode) -> Vec<Result<Table, FluxError>> {
        Tables::new(Arc::from(text), mode).collect()
    }

    #[test]
    fn a_change_of_the_table_column_begins_a_new_table() {
        let rows = read(TEXT, Mode::Annotated).into_iter().map(|table| table.unwrap().rows);
        assert_eq!(rows.collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn an_empty_cell_is_null() {
        let tables = read(TEXT, Mode::Annotated);
        assert!(tables[0].as_ref().unwrap().column("_value").unwrap().is_null(1));
    }

    #[test]
    fn a_text_without_annotations_is_refused() {
        assert!(read(",result,table,_value\n,,0,1\n", Mode::Annotated)[0].is_err());
    }

    #[test]
    fn a_broken_line_does_not_take_the_tables_before_it() {
        let tables = read(&format!("{TEXT},,2\n"), Mode::Annotated);
        assert_eq!(tables.iter().filter(|table| table.is_ok()).count(), 1);
        assert!(tables.last().unwrap().is_err());
    }

    #[test]
    fn raw_text_is_one_table_of_strings() {
        let tables = read("a,b\n1,2\nx,y\n", Mode::Raw);
        assert_eq!(tables[0].as_ref().unwrap().rows, 2);
        assert_eq!(tables.len(), 1);
    }
}
