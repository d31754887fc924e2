//! Cases of the Flux project: see `tests/data/README.md` for where they come from and how answers
//! are compared.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::Client;

const CASES: &str = include_str!("../data/flux_cases.jsonl");

/// A row: its cells by column, those that are not null.
type Row = BTreeMap<String, String>;

/// The tables of an annotated CSV: rows by the text of the group key.
type Tables = BTreeMap<String, Vec<Row>>;

/// A block of annotated CSV.
#[derive(Default)]
struct Block {
    annotations: BTreeMap<String, Vec<String>>,
    header: Vec<String>,
}

impl Block {
    fn annotation(&self, name: &str, at: usize) -> &str {
        self.annotations.get(name).and_then(|cells| cells.get(at)).map_or("", String::as_str)
    }
}

/// Calls `row` with each row, its types and its group key.
fn each_row(csv: &str, mut row: impl FnMut(&Row, &BTreeMap<String, String>, String)) {
    let mut block = Block::default();
    for line in csv.lines().map(|line| line.trim_end_matches('\r')).filter(|line| !line.is_empty())
    {
        let cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        if let Some(name) = cells[0].strip_prefix('#') {
            if !block.header.is_empty() {
                block = Block::default();
            }
            block.annotations.insert(name.to_owned(), cells);
        } else if block.header.is_empty() {
            block.header = cells;
        } else {
            let (mut own, mut types, mut key) = (Row::new(), BTreeMap::new(), Row::new());
            for (at, label) in block.header.iter().enumerate().skip(3) {
                let given = cells.get(at).map_or("", String::as_str);
                let text = if given.is_empty() { block.annotation("default", at) } else { given };
                let datatype = block.annotation("datatype", at);
                if block.annotation("group", at) == "true" {
                    key.insert(label.clone(), text.to_owned());
                }
                if !text.is_empty() {
                    own.insert(label.clone(), text.to_owned());
                }
                types.insert(label.clone(), datatype.to_owned());
            }
            row(&own, &types, format!("{key:?}"));
        }
    }
}

fn tables(csv: &str) -> Tables {
    let mut tables = Tables::new();
    each_row(csv, |row, _, key| tables.entry(key).or_default().push(row.clone()));
    tables
}

fn same_cell(left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(left), Ok(right)) => (left - right).abs() <= 1e-6 || left.is_nan() && right.is_nan(),
        _ => false,
    }
}

fn same(found: &Tables, wanted: &Tables) -> bool {
    found.keys().eq(wanted.keys())
        && found.values().zip(wanted.values()).all(|(found, wanted)| {
            found.len() == wanted.len()
                && found.iter().zip(wanted).all(|(found, wanted)| {
                    found.keys().eq(wanted.keys())
                        && found.values().zip(wanted.values()).all(|(one, two)| same_cell(one, two))
                })
        })
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

/// The points of an annotated CSV as line protocol.
fn lines(csv: &str) -> String {
    let mut lines = String::new();
    each_row(csv, |row, types, _| {
        let Some(value) = row.get("_value") else { return };
        let value = match types["_value"].as_str() {
            "string" => format!("\"{}\"", escaped(value, "\"\\")),
            "long" => format!("{value}i"),
            "unsignedLong" => format!("{value}u"),
            _ => value.clone(),
        };
        let time: jiff::Timestamp = row["_time"].parse().unwrap();
        lines.push_str(&escaped(&row["_measurement"], ", "));
        for (label, tag) in row.iter().filter(|(label, _)| !label.starts_with('_')) {
            write!(lines, ",{}={}", escaped(label, ", ="), escaped(tag, ", =")).unwrap();
        }
        let field = escaped(&row["_field"], ", =");
        writeln!(lines, " {field}={value} {}", time.as_nanosecond()).unwrap();
    });
    lines
}

async fn store(client: &Client, bucket: &str, csv: &str) {
    let orgs = client.get("/api/v2/orgs?org=o").await.json();
    let body = json!({ "orgID": orgs["orgs"][0]["id"], "name": bucket });
    assert_eq!(client.post("/api/v2/buckets", body.to_string()).await.status, 201);
    let path = format!("/api/v2/write?org=o&bucket={bucket}");
    let answer = client.post(&path, lines(csv)).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
}

/// Runs a case; gives what is wrong.
async fn run(case: &Value) -> Result<(), String> {
    let client = Client::ready().await;
    let text = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
    let mut script = text("flux_query");
    if case["mode"] == "tables" {
        let csv = text("input_csv").replace('"', "\\\"");
        let source = format!("csv.from(csv: \"{csv}\")");
        script = script.replace("from(bucket: \"test\")", &source);
        if !script.contains("import \"csv\"") {
            script.insert_str(0, "import \"csv\"\n");
        }
    } else if let Some(inputs) = case["inputs"].as_object() {
        for (bucket, csv) in inputs {
            store(&client, bucket, csv.as_str().unwrap_or_default()).await;
        }
    }
    let body = json!({
        "query": script, "dialect": { "annotations": ["datatype", "group", "default"] },
    });
    let answer = client.post("/api/v2/query?org=o", body.to_string()).await;
    if answer.status != 200 {
        return Err(answer.text);
    }
    if same(&tables(&answer.text), &tables(&text("expected_csv"))) {
        return Ok(());
    }
    Err(format!("found\n{}wanted\n{}", answer.text, text("expected_csv")))
}

#[tokio::test]
async fn the_cases_of_the_flux_project_come_out_as_expected() {
    let mut failures = Vec::new();
    let mut count = 0;
    for line in CASES.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        count += 1;
        if let Err(failure) = run(&case).await {
            failures.push(format!("{}: {failure}", case["name"]));
        }
    }
    assert!(count >= 30, "there are {count} cases only");
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
