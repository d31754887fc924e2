//! The Flux project's cases: inputs, a script, and the tables that its author expects.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;

use crate::compare::{self, Class, Difference};
use crate::csv::{ResultSet, read};
use crate::exchange::{Answer, Request};

/// A case as it stands in the file.
#[derive(Clone, Debug, Deserialize)]
pub struct FluxCase {
    /// Where it comes from.
    pub name: String,
    /// The functions that its script calls.
    pub functions: Vec<String>,
    /// How its input reaches the script.
    pub mode: FluxMode,
    /// Annotated CSV to be stored, by bucket.
    #[serde(default)]
    inputs: BTreeMap<String, String>,
    /// Annotated CSV to be read as it is.
    #[serde(default)]
    input_csv: Option<String>,
    flux_query: String,
    expected_csv: String,
}

/// How a case's input reaches its script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FluxMode {
    /// Stored in buckets first.
    Bucket,
    /// Read by the script as ready tables.
    Tables,
    /// Part of the script.
    Inline,
}

impl FluxCase {
    /// The lines to be stored before the script runs, by bucket.
    pub fn stored(&self) -> Vec<(&str, String)> {
        let inputs = self.inputs.iter().filter(|_| self.mode == FluxMode::Bucket);
        inputs
            .filter_map(|(bucket, csv)| Some((bucket.as_str(), lines(&read(csv).ok()?))))
            .collect()
    }

    /// The script as it is asked.
    pub fn script(&self) -> String {
        if self.mode != FluxMode::Tables {
            return self.flux_query.clone();
        }
        let source = |csv: &str| {
            let csv = escaped(csv, "\\\"").replace("${", "\\${");
            format!("csv.from(csv: \"{csv}\")")
        };
        let read = |bucket: &str| format!("from(bucket: \"{bucket}\")");
        let mut script = self.flux_query.clone();
        for (bucket, csv) in &self.inputs {
            script = script.replace(&read(bucket), &source(csv));
        }
        if let Some(csv) = &self.input_csv {
            script = script.replace(&read("test"), &source(csv));
        }
        let imported = script.contains("import \"csv\"");
        if imported { script } else { format!("import \"csv\"\n{script}") }
    }

    /// The request that asks it.
    pub fn request(&self) -> Request {
        Request::flux(&self.script(), None)
    }

    /// Holds an answer against the expected tables.
    pub fn judge(&self, answer: &Answer) -> Result<(), Difference> {
        if answer.status != 200 {
            let message = answer.refusal().map_or_else(|| answer.body.clone(), |it| it.message);
            let place = format!("{}: {message}", answer.status);
            return Err(Difference { class: Class::Status, place });
        }
        let wanted = compare::readable(&self.expected_csv)?;
        compare::by_rule(&compare::readable(&answer.body)?, &wanted)
    }
}

/// The columns that a point has by itself; every other text column is a tag.
const OWN_COLUMNS: [&str; 6] = ["_time", "_start", "_stop", "_measurement", "_field", "_value"];

/// The points of tables as line protocol.
fn lines(set: &ResultSet) -> String {
    let mut lines = String::new();
    for table in &set.tables {
        let at = |label: &str| table.columns.iter().position(|column| column.label == label);
        let Some((value, time)) = at("_value").zip(at("_time")) else { continue };
        for row in &table.rows {
            let cell = |label: &str| at(label).and_then(|at| row[at].as_deref());
            let (Some(measurement), Some(field)) = (cell("_measurement"), cell("_field")) else {
                continue;
            };
            let datatype = table.columns[value].datatype.as_str();
            let Some(value) = field_value(row[value].as_deref(), datatype) else { continue };
            let Some(Ok(time)) = row[time].as_deref().map(str::parse::<jiff::Timestamp>) else {
                continue;
            };
            lines.push_str(&escaped(measurement, ", "));
            let mut tags: Vec<(&str, &str)> = table
                .columns
                .iter()
                .zip(row)
                .filter(|(column, _)| !OWN_COLUMNS.contains(&column.label.as_str()))
                .filter_map(|(column, tag)| Some((column.label.as_str(), tag.as_deref()?)))
                .collect();
            tags.sort_unstable();
            for (label, tag) in tags {
                append(&mut lines, &[",", &escaped(label, ", ="), "=", &escaped(tag, ", =")]);
            }
            let field = escaped(field, ", =");
            append(&mut lines, &[" ", &field, "=", &value, " "]);
            writeln!(lines, "{}", time.as_nanosecond()).expect("a text takes every write");
        }
    }
    lines
}

fn append(text: &mut String, parts: &[&str]) {
    for part in parts {
        text.push_str(part);
    }
}

/// A field's value in line protocol; an empty string where a text column has no cell.
fn field_value(cell: Option<&str>, datatype: &str) -> Option<String> {
    match datatype {
        "string" => Some(format!("\"{}\"", escaped(cell.unwrap_or_default(), "\"\\"))),
        "long" => cell.map(|cell| format!("{cell}i")),
        "unsignedLong" => cell.map(|cell| format!("{cell}u")),
        _ => cell.map(str::to_owned),
    }
}

fn escaped(text: &str, special: &str) -> String {
    let mut escaped = String::new();
    for next in text.chars() {
        if special.contains(next) {
            escaped.push('\\');
        }
        escaped.push(next);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(mode: &str) -> FluxCase {
        let csv = "#datatype,string,long,dateTime:RFC3339,string,string,long\n\
                   #group,false,false,false,true,true,false\n#default,_result,,,,,\n\
                   ,result,table,_time,_measurement,_field,_value\n\
                   ,,0,1970-01-01T00:00:01Z,m m,f,5\n";
        let case = serde_json::json!({
            "name": "c", "functions": [], "mode": mode, "inputs": { "test": csv },
            "input_csv": csv, "flux_query": "from(bucket: \"test\")", "expected_csv": csv,
        });
        serde_json::from_value(case).unwrap()
    }

    #[test]
    fn an_input_becomes_lines_with_its_type_and_time() {
        assert_eq!(case("bucket").stored(), [("test", "m\\ m f=5i 1000000000\n".to_owned())]);
    }

    #[test]
    fn ready_tables_are_part_of_the_script() {
        let script = case("tables").script();
        assert!(script.starts_with("import \"csv\"\ncsv.from(csv: \"#datatype,"), "{script}");
    }

    #[test]
    fn a_refusal_is_not_the_expected_answer() {
        let answer = Answer { status: 400, body: "{\"message\":\"no\"}".to_owned() };
        assert_eq!(case("bucket").judge(&answer).unwrap_err().class, Class::Status);
    }
}
