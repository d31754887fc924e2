//! Annotated CSV as a server sends it, read into tables.
//!
//! The main type is [`ResultSet`]. Blocks with a schema of their own follow each other after a
//! blank line; an error that came after the first rows is a table `error,reference` of its own.

use std::collections::BTreeMap;

/// All tables of an answer, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResultSet {
    /// The tables.
    pub tables: Vec<Table>,
    /// The error that ended the rows.
    pub error: Option<String>,
}

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The name of the result that it belongs to.
    pub result: String,
    /// Its number within the answer.
    pub number: String,
    /// Its columns, without `result` and `table`.
    pub columns: Vec<Column>,
    /// Its rows: a cell for each column, `None` where it is null or an empty string.
    pub rows: Vec<Vec<Option<String>>>,
    /// The group key: values by label, in the order of the columns.
    pub key: Vec<(String, String)>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its label.
    pub label: String,
    /// Its type as annotated, such as `double`.
    pub datatype: String,
    /// Whether it is part of the group key.
    pub in_key: bool,
}

/// Text that is no annotated CSV.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    /// A row without annotations above.
    #[error("row {row} has a header without a `#datatype` above it")]
    NoAnnotations {
        /// Counted from 1.
        row: usize,
    },
    /// A quoted cell that does not end.
    #[error("the text ends within a quoted cell")]
    OpenQuote,
}

/// Reads annotated CSV with the annotations `datatype`, `group` and `default`.
pub fn read(text: &str) -> Result<ResultSet, CsvError> {
    let mut set = ResultSet::default();
    let mut block = Block::default();
    for (at, cells) in records(text)?.into_iter().enumerate() {
        let blank = cells.iter().all(String::is_empty);
        let annotation = cells[0].strip_prefix('#').map(str::to_owned);
        match annotation {
            _ if blank && (cells.len() == 1 || block.header.is_none()) => {}
            None if is_error_header(&cells) => {
                block.close(&mut set);
                block.error = true;
                block.open(&cells);
            }
            Some(name) => {
                if block.header.is_some() {
                    block.close(&mut set);
                }
                block.annotations.insert(name, cells);
            }
            None if block.header.is_none() => {
                if !block.annotations.contains_key("datatype") {
                    return Err(CsvError::NoAnnotations { row: at + 1 });
                }
                block.open(&cells);
            }
            None if block.error => set.error = cells.into_iter().find(|cell| !cell.is_empty()),
            None => block.row(&cells, &mut set),
        }
    }
    block.close(&mut set);
    Ok(set)
}

/// Whether a row is the header of an error, which may come without annotations.
fn is_error_header(cells: &[String]) -> bool {
    let words: Vec<&str> =
        cells.iter().map(String::as_str).filter(|cell| !cell.is_empty()).collect();
    words == ["error", "reference"]
}

/// A block that is being read.
#[derive(Default)]
struct Block {
    annotations: BTreeMap<String, Vec<String>>,
    header: Option<Vec<String>>,
    columns: Vec<(usize, Column)>,
    rows_seen: bool,
    error: bool,
}

impl Block {
    fn annotation(&self, name: &str, at: usize) -> &str {
        self.annotations.get(name).and_then(|cells| cells.get(at)).map_or("", String::as_str)
    }

    fn open(&mut self, header: &[String]) {
        let own = header
            .iter()
            .enumerate()
            .filter(|(at, label)| *at > 0 && !matches!(label.as_str(), "result" | "table"));
        self.columns = own
            .map(|(at, label)| {
                let datatype = self.annotation("datatype", at).to_owned();
                let in_key = self.annotation("group", at) == "true";
                (at, Column { label: label.clone(), datatype, in_key })
            })
            .collect();
        self.header = Some(header.to_vec());
    }

    /// The cell of a row by its place, or the default of its column.
    fn cell<'a>(&'a self, cells: &'a [String], at: usize) -> &'a str {
        match cells.get(at).map_or("", String::as_str) {
            "" => self.annotation("default", at),
            given => given,
        }
    }

    fn named(&self, cells: &[String], name: &str) -> String {
        let header = self.header.as_deref().unwrap_or_default();
        let at = header.iter().position(|label| label == name);
        at.map_or_else(String::new, |at| self.cell(cells, at).to_owned())
    }

    fn table(&self, cells: &[String]) -> Table {
        let keys = self.columns.iter().filter(|(_, column)| column.in_key);
        Table {
            result: self.named(cells, "result"),
            number: self.named(cells, "table"),
            columns: self.columns.iter().map(|(_, column)| column.clone()).collect(),
            rows: Vec::new(),
            key: keys
                .map(|(at, column)| (column.label.clone(), self.cell(cells, *at).to_owned()))
                .collect(),
        }
    }

    fn row(&mut self, cells: &[String], set: &mut ResultSet) {
        let (result, number) = (self.named(cells, "result"), self.named(cells, "table"));
        let open = set.tables.last().is_some_and(|table| {
            self.rows_seen && table.result == result && table.number == number
        });
        if !open {
            set.tables.push(self.table(cells));
        }
        self.rows_seen = true;
        let row = self.columns.iter().map(|(at, _)| {
            let text = self.cell(cells, *at);
            (!text.is_empty()).then(|| text.to_owned())
        });
        let row = row.collect();
        if let Some(table) = set.tables.last_mut() {
            table.rows.push(row);
        }
    }

    /// Ends the block; one without a row is an empty table.
    fn close(&mut self, set: &mut ResultSet) {
        if self.header.is_some() && !self.rows_seen && !self.error {
            set.tables.push(self.table(&[]));
        }
        *self = Self::default();
    }
}

/// The records of a CSV, with quotes undone. A blank line is a record of one empty cell.
fn records(text: &str) -> Result<Vec<Vec<String>>, CsvError> {
    let (mut records, mut cells, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            '\r' if !quoted && letters.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                cells.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut cells));
            }
            other => cell.push(other),
        }
    }
    if quoted {
        return Err(CsvError::OpenQuote);
    }
    if !cell.is_empty() || !cells.is_empty() {
        cells.push(cell);
        records.push(cells);
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_TABLES: &str = "#datatype,string,long,string,double\r\n\
        #group,false,false,true,false\r\n#default,_result,,,\r\n,result,table,t,_value\r\n\
        ,,0,a,1\r\n,,0,a,\r\n,,1,\"b,\"\"c\",2\r\n\r\n";

    #[test]
    fn rows_are_split_into_tables_by_their_number() {
        let set = read(TWO_TABLES).unwrap();
        assert_eq!(set.tables.iter().map(|table| table.rows.len()).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn a_quoted_cell_keeps_its_comma_and_its_quote() {
        let set = read(TWO_TABLES).unwrap();
        assert_eq!(set.tables[1].key, [("t".to_owned(), "b,\"c".to_owned())]);
    }

    #[test]
    fn a_block_without_rows_is_an_empty_table_with_its_key() {
        let text = "#datatype,string,long,string\r\n#group,false,false,true\r\n\
                    #default,_result,0,a\r\n,result,table,t\r\n\r\n";
        let set = read(text).unwrap();
        assert_eq!(set.tables[0].key, [("t".to_owned(), "a".to_owned())]);
        assert!(set.tables[0].rows.is_empty());
    }

    #[test]
    fn an_error_after_rows_is_found() {
        let text = format!("{TWO_TABLES}error,reference\r\nit broke,897\r\n");
        assert_eq!(read(&text).unwrap().error.as_deref(), Some("it broke"));
    }

    #[test]
    fn an_annotated_error_is_found() {
        let text = "#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n\
                    ,error,reference\r\n,it broke,897\r\n";
        assert_eq!(read(text).unwrap().error.as_deref(), Some("it broke"));
    }

    #[test]
    fn a_quote_that_stays_open_is_an_error() {
        assert!(matches!(read("a,\"b"), Err(CsvError::OpenQuote)));
    }
}
