//! Results as CSV, with the server's headers and its habits.
//!
//! Headers are written once a statement, and again when the columns change. A failed statement
//! leaves nothing at all.

use super::format::plain_float;
use super::result::{Cell, Epoch, Series, StatementResult};
use super::value::Value;

/// Writes the parts of an answer one after another.
#[derive(Debug, Default)]
pub(crate) struct CsvWriter {
    text: Vec<u8>,
    statement: Option<usize>,
    /// The header, and then the last row: what a cell cannot be written as stays as it was.
    record: Vec<String>,
}

impl CsvWriter {
    /// Adds the results of one part.
    pub(crate) fn add(&mut self, results: &[StatementResult], epoch: Option<Epoch>) {
        for result in results {
            let Some(first) = result.series.first() else { continue };
            if self.statement != Some(result.statement) {
                if self.statement.is_some() {
                    self.text.push(b'\n');
                }
                self.statement = Some(result.statement);
                self.header(first);
            }
            let mut before: Option<&Series> = None;
            for series in &result.series {
                if before.is_some_and(|before| before.columns != series.columns) {
                    self.text.push(b'\n');
                    self.header(series);
                }
                before = Some(series);
                self.rows(series, epoch);
            }
        }
    }

    /// The whole text.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.text
    }

    fn header(&mut self, series: &Series) {
        self.record = vec!["name".to_owned(), "tags".to_owned()];
        self.record.extend(series.columns.iter().cloned());
        self.write_record();
    }

    fn rows(&mut self, series: &Series, epoch: Option<Epoch>) {
        let tags: Vec<String> = series
            .tags
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| format!("{}={}", escape(key), escape(value)))
            .collect();
        self.record[0].clone_from(&series.name);
        self.record[1] = tags.join(",");
        for row in series.rows() {
            for (place, cell) in row.iter().enumerate() {
                let text = match cell {
                    Cell::Time(time_ns) => {
                        epoch.map_or(*time_ns, |epoch| epoch.count(*time_ns)).to_string()
                    }
                    Cell::Count(_) => continue,
                    Cell::Value(Value::Null) => String::new(),
                    Cell::Value(Value::Float(number)) if number.is_nan() => String::new(),
                    Cell::Value(Value::Float(number)) => plain_float(*number),
                    Cell::Value(Value::Integer(number)) => number.to_string(),
                    Cell::Value(Value::Unsigned(number)) => number.to_string(),
                    Cell::Value(Value::String(text)) => text.to_string(),
                    Cell::Value(Value::Boolean(value)) => value.to_string(),
                };
                if let Some(own) = self.record.get_mut(place + 2) {
                    *own = text;
                }
            }
            self.write_record();
        }
    }

    fn write_record(&mut self) {
        for (index, text) in self.record.iter().enumerate() {
            if index > 0 {
                self.text.push(b',');
            }
            if needs_quotes(text) {
                self.text.push(b'"');
                self.text.extend_from_slice(text.replace('"', "\"\"").as_bytes());
                self.text.push(b'"');
            } else {
                self.text.extend_from_slice(text.as_bytes());
            }
        }
        self.text.push(b'\n');
    }
}

/// A tag as line protocol writes it.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for read in text.chars() {
        if matches!(read, ',' | '=' | ' ') {
            escaped.push('\\');
        }
        escaped.push(read);
    }
    escaped
}

fn needs_quotes(text: &str) -> bool {
    text == "\\."
        || text.contains([',', '"', '\r', '\n'])
        || text.chars().next().is_some_and(char::is_whitespace)
}
