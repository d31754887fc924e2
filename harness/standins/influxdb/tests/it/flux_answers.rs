//! Scripts with the answers that a real server gave: see `tests/data/README.md`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Client;

const ANSWERS: &str = include_str!("../data/flux_answers.jsonl");

/// A row: its cells by column.
type Row = BTreeMap<String, Cell>;

/// A cell with what the annotations say of its column.
#[derive(Debug, PartialEq)]
struct Cell {
    datatype: String,
    in_key: bool,
    text: String,
}

/// The lines of a CSV, cut into cells.
fn lines(csv: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut cell, mut quoted) =
        (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = csv.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => line.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                line.push(std::mem::take(&mut cell));
                lines.push(std::mem::take(&mut line));
            }
            letter => cell.push(letter),
        }
    }
    lines
}

/// The rows of an annotated CSV in their order, by result and group key.
fn rows(csv: &str) -> BTreeMap<String, Vec<Row>> {
    let mut tables: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    let (mut annotations, mut header) = (BTreeMap::new(), Vec::new());
    for line in lines(csv).into_iter().filter(|line| line.len() > 1) {
        if let Some(name) = line[0].strip_prefix('#') {
            if !header.is_empty() {
                annotations = BTreeMap::new();
                header = Vec::new();
            }
            annotations.insert(name.to_owned(), line);
        } else if header.is_empty() {
            header = line;
        } else {
            let annotation = |name: &str, at: usize| annotations[name][at].clone();
            let mut result = String::new();
            let mut row = Row::new();
            for (at, label) in header.iter().enumerate().skip(1) {
                let given = line[at].clone();
                let text = if given.is_empty() { annotation("default", at) } else { given };
                let datatype = annotation("datatype", at);
                let in_key = annotation("group", at) == "true";
                match label.as_str() {
                    "result" => result = text,
                    "table" => {}
                    label => {
                        row.insert(label.to_owned(), Cell { datatype, in_key, text });
                    }
                }
            }
            let key: Vec<_> = row.iter().filter(|(_, cell)| cell.in_key).collect();
            tables.entry(format!("{result} {key:?}")).or_default().push(row);
        }
    }
    tables
}

fn same_cell(one: &Cell, other: &Cell) -> bool {
    if one == other {
        return true;
    }
    let number = |cell: &Cell| cell.text.parse::<f64>().ok().filter(|_| cell.datatype == "double");
    let close = |(one, other): (f64, f64)| (one - other).abs() <= 1e-12 * one.abs().max(1e-300);
    one.in_key == other.in_key && number(one).zip(number(other)).is_some_and(close)
}

fn same(found: &str, wanted: &str) -> bool {
    let (found, wanted) = (rows(found), rows(wanted));
    let same_row = |(one, other): (&Row, &Row)| {
        one.keys().eq(other.keys())
            && one.values().zip(other.values()).all(|(one, other)| same_cell(one, other))
    };
    found.keys().eq(wanted.keys())
        && found.values().zip(wanted.values()).all(|(found, wanted)| {
            found.len() == wanted.len() && found.iter().zip(wanted).all(same_row)
        })
}

/// Runs a script; gives what differs from the real server's answer.
async fn run(client: &Client, answer: &Value) -> Result<(), String> {
    let body = json!({
        "query": answer["script"], "dialect": { "annotations": ["datatype", "group", "default"] },
    });
    let found = client.post("/api/v2/query?org=o", body.to_string()).await;
    let agrees = if let Some(csv) = answer["csv"].as_str() {
        found.status == 200 && same(&found.text, csv)
    } else {
        let status = answer["status"].as_u64();
        let body: Value = serde_json::from_str(&found.text).unwrap_or_default();
        status == Some(u64::from(found.status.as_u16()))
            && body["code"] == answer["code"]
            && body["message"] == answer["message"]
    };
    if agrees { Ok(()) } else { Err(format!("{answer:#}\nfound {} {}", found.status, found.text)) }
}

#[tokio::test]
async fn packages_answer_as_a_real_server_did() {
    let client = Client::ready().await;
    let mut failures = Vec::new();
    let mut count = 0;
    for line in ANSWERS.lines() {
        count += 1;
        if let Err(failure) = run(&client, &serde_json::from_str(line).unwrap()).await {
            failures.push(failure);
        }
    }
    assert!(count >= 700, "there are {count} answers only");
    assert!(failures.is_empty(), "{} of {count}:\n{}", failures.len(), failures.join("\n\n"));
}
