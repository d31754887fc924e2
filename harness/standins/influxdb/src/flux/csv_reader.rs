//! Annotated CSV to tables, for `csv.from`.
//!
//! The counterpart of [`csv`](super::csv), for the CSV that a script holds. Each block begins with
//! its annotations and its header; a change of the `table` column begins a new table.

use std::sync::Arc;

use super::error::FluxError;
use super::table::{ColumnBuilder, Table};
use super::time::{parse_date, parse_rfc3339};
use super::value::{ColumnType, Value};

/// The columns that tell of results and tables and are none of the data.
const LEADING_COLUMNS: usize = 3;

/// Reads a whole text.
pub(super) fn read_annotated(text: &str) -> Result<Vec<Table>, FluxError> {
    let mut reader = Reader { tables: Vec::new(), block: Block::default() };
    for line in records(text.trim_start()) {
        reader.line(&line)?;
    }
    reader.finish()?;
    Ok(reader.tables)
}

struct Reader {
    tables: Vec<Table>,
    block: Block,
}

#[derive(Default)]
struct Block {
    datatypes: Vec<String>,
    groups: Vec<String>,
    defaults: Vec<String>,
    header: Vec<Arc<str>>,
    table: Option<Growing>,
}

struct Growing {
    id: String,
    columns: Vec<ColumnBuilder>,
    rows: usize,
}

impl Reader {
    fn line(&mut self, cells: &[String]) -> Result<(), FluxError> {
        let Some(first) = cells.first() else { return Ok(()) };
        if cells.iter().all(String::is_empty) && cells.len() == 1 {
            return Ok(());
        }
        if first.starts_with('#') {
            if !self.block.header.is_empty() {
                self.finish()?;
                self.block = Block::default();
            }
            match first.as_str() {
                "#datatype" => self.block.datatypes = cells.to_vec(),
                "#group" => self.block.groups = cells.to_vec(),
                "#default" => self.block.defaults = cells.to_vec(),
                _ => {}
            }
            return Ok(());
        }
        if self.block.header.is_empty() {
            if self.block.datatypes.is_empty() {
                let message = "failed to read metadata: missing expected annotation datatype";
                return Err(FluxError::new(message));
            }
            self.block.header = cells.iter().map(|cell| Arc::from(cell.as_str())).collect();
            return Ok(());
        }
        self.row(cells)
    }

    fn row(&mut self, cells: &[String]) -> Result<(), FluxError> {
        let id = self.block.cell(cells, 2);
        if self.block.table.as_ref().is_some_and(|table| table.id != id) {
            self.finish()?;
        }
        if self.block.table.is_none() {
            self.block.table = Some(self.block.new_table(id)?);
        }
        let values: Vec<String> = (LEADING_COLUMNS..self.block.header.len())
            .map(|at| self.block.cell(cells, at))
            .collect();
        let Some(table) = &mut self.block.table else { return Ok(()) };
        for (column, text) in table.columns.iter_mut().zip(&values) {
            let value = decode(text, column.kind())
                .ok_or_else(|| FluxError::new(format!("failed to read \"{text}\" in csv")))?;
            column.push(value)?;
        }
        table.rows += 1;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), FluxError> {
        let block = &mut self.block;
        let table = match block.table.take() {
            Some(table) => table,
            // A block without rows is an empty table, whose group key is in the defaults.
            None if !block.header.is_empty() && self.tables.is_empty() => {
                block.new_table(String::new())?
            }
            None => return Ok(()),
        };
        let keyed = block.keyed();
        let columns = table.columns.into_iter().map(ColumnBuilder::finish).collect();
        self.tables.push(Table::keyed(&keyed, columns, table.rows));
        Ok(())
    }
}

impl Block {
    fn cell(&self, cells: &[String], at: usize) -> String {
        let given = cells.get(at).filter(|cell| !cell.is_empty());
        given.or(self.defaults.get(at)).cloned().unwrap_or_default()
    }

    fn keyed(&self) -> Vec<Arc<str>> {
        let marked = |at: &usize| self.groups.get(*at).is_some_and(|group| group == "true");
        let columns = LEADING_COLUMNS..self.header.len();
        columns.filter(marked).map(|at| Arc::clone(&self.header[at])).collect()
    }

    fn new_table(&self, id: String) -> Result<Growing, FluxError> {
        let columns = (LEADING_COLUMNS..self.header.len()).map(|at| {
            let datatype = self.datatypes.get(at).map_or("", String::as_str);
            let kind = column_type(datatype).ok_or_else(|| {
                FluxError::new(format!("unsupported data type \"{datatype}\" in csv"))
            })?;
            Ok(ColumnBuilder::new(&self.header[at], kind))
        });
        Ok(Growing { id, columns: columns.collect::<Result<_, FluxError>>()?, rows: 0 })
    }
}

fn column_type(datatype: &str) -> Option<ColumnType> {
    match datatype.split(':').next()? {
        "boolean" => Some(ColumnType::Bool),
        "long" => Some(ColumnType::Int),
        "unsignedLong" => Some(ColumnType::UInt),
        "double" => Some(ColumnType::Float),
        "string" => Some(ColumnType::String),
        "dateTime" => Some(ColumnType::Time),
        _ => None,
    }
}

fn decode(text: &str, kind: ColumnType) -> Option<Value> {
    if text.is_empty() {
        return Some(Value::Null(Some(kind)));
    }
    match kind {
        ColumnType::Bool => match text {
            "true" | "TRUE" | "True" | "t" | "T" | "1" => Some(Value::Bool(true)),
            "false" | "FALSE" | "False" | "f" | "F" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        ColumnType::Int => text.parse().ok().map(Value::Int),
        ColumnType::UInt => text.parse().ok().map(Value::UInt),
        ColumnType::Float => text.parse().ok().map(Value::Float),
        ColumnType::String => Some(Value::string(text)),
        ColumnType::Time => {
            let date = || {
                let days = parse_date(text.as_bytes())?.days();
                days.checked_mul(86_400_000_000_000)
            };
            parse_rfc3339(text).or_else(date).map(Value::Time)
        }
    }
}

/// The lines of a CSV text, each cut into cells. A quoted cell may hold line breaks.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut chars = text.chars().peekable();
    let mut quoted = false;
    while let Some(next) = chars.next() {
        match next {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            ',' if !quoted => line.push(std::mem::take(&mut cell)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                line.push(std::mem::take(&mut cell));
                lines.push(std::mem::take(&mut line));
            }
            other => cell.push(other),
        }
    }
    if !cell.is_empty() || !line.is_empty() {
        line.push(cell);
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "#datatype,string,long,double,string\n#group,false,false,false,true\n\
                        #default,_result,,,\n,result,table,_value,t\n,,0,1.5,a\n,,0,,a\n,,1,2,b\n";

    #[test]
    fn a_change_of_the_table_column_begins_a_new_table() {
        let tables = read_annotated(TEXT).unwrap();
        assert_eq!(tables.iter().map(|table| table.rows).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn an_empty_cell_is_null() {
        let tables = read_annotated(TEXT).unwrap();
        assert!(tables[0].column("_value").unwrap().is_null(1));
    }

    #[test]
    fn a_text_without_annotations_is_refused() {
        assert!(read_annotated(",result,table,_value\n,,0,1\n").is_err());
    }
}
