//! A request in full and the answer to it, free of any transport.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

/// A request, but for the token that the sender adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// The path with its query string.
    pub path: String,
    /// Headers; one named `authorization` stands for the sender's own.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// Asks without a body.
    pub fn get(path: &str) -> Self {
        let (method, path) = ("GET".to_owned(), path.to_owned());
        Self { method, path, headers: Vec::new(), body: Vec::new() }
    }

    /// Sends a body.
    pub fn post(path: &str, body: impl Into<Vec<u8>>) -> Self {
        let (method, path) = ("POST".to_owned(), path.to_owned());
        Self { method, path, headers: Vec::new(), body: body.into() }
    }

    /// Sends JSON.
    pub fn json(path: &str, body: &Value) -> Self {
        Self::post(path, body.to_string()).with_header("content-type", "application/json")
    }

    /// With one header more.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Makes a bucket; a `retention_s` of 0 keeps for ever.
    pub fn make_bucket(org_id: &str, name: &str, retention_s: u64) -> Self {
        let rules = match retention_s {
            0 => json!([]),
            seconds => json!([{ "type": "expire", "everySeconds": seconds }]),
        };
        let body = json!({ "orgID": org_id, "name": name, "retentionRules": rules });
        Self::json("/api/v2/buckets", &body)
    }

    /// Stores lines in a bucket of organisation `o`.
    pub fn write(bucket: &str, lines: impl Into<Vec<u8>>) -> Self {
        Self::post(&format!("/api/v2/write?org=o&bucket={bucket}"), lines)
    }

    /// Asks a script with all annotations, at a stated time.
    pub fn flux(script: &str, now: Option<&str>) -> Self {
        let mut body = json!({
            "query": script,
            "dialect": { "annotations": ["datatype", "group", "default"] },
        });
        if let Some(now) = now {
            body["now"] = json!(now);
        }
        Self::json("/api/v2/query?org=o", &body)
    }

    /// Asks a statement of the older language about a database.
    pub fn influxql(database: &str, statement: &str) -> Self {
        let form = format!("db={}&q={}", encoded(database), encoded(statement));
        Self::post("/query", form).with_header("content-type", "application/x-www-form-urlencoded")
    }
}

/// Percent-encoded for a form or a query string.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                encoded.push(digit.to_ascii_uppercase());
            }
        }
        encoded
    })
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// A refusal's code and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `invalid`, `not found` and so on; empty where there is none.
    pub code: String,
    /// In words.
    pub message: String,
}

impl Answer {
    /// What is wrong, when the answer is a refusal in JSON.
    pub fn refusal(&self) -> Option<Refusal> {
        let body: Value = serde_json::from_str(&self.body).ok()?;
        let text = |key: &str| body[key].as_str().map(str::to_owned);
        let message = text("message").or_else(|| text("error"))?;
        Some(Refusal { code: text("code").unwrap_or_default(), message })
    }

    /// Whether the stand-in says that the request is outside what it runs.
    pub fn is_outside(&self) -> bool {
        self.body.contains(crate::OUTSIDE)
    }
}

/// A message without what differs from run to run: identifiers, the bounds of retention, the times
/// of points where they hang on the clock, and the order of columns, which is not compared either.
pub(crate) fn without_chance(message: &str) -> String {
    static ID: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\b[0-9a-f]{16}\b").expect("the pattern is a constant"));
    static BOUND: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(Bound at|point \S+ at) [0-9T:.Z-]+").expect("the pattern is a constant")
    });
    static NUMBERS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"column \d+ and \d+ have the same name").expect("the pattern is a constant")
    });
    static COLUMNS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"received table with columns \[([^\]]*)\]").expect("the pattern is a constant")
    });
    let message = ID.replace_all(message, "<id>");
    let message = BOUND.replace_all(&message, "$1 <time>");
    let message = NUMBERS.replace_all(&message, "column <n> and <n> have the same name");
    let sorted = |found: &regex::Captures<'_>| {
        let mut labels: Vec<&str> = found[1].split(' ').collect();
        labels.sort_unstable();
        format!("received table with columns [{}]", labels.join(" "))
    };
    COLUMNS.replace_all(&message, sorted).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_survives_its_form() {
        let request = Request::influxql("d", "SELECT \"a b\"");
        assert_eq!(request.body, b"db=d&q=SELECT%20%22a%20b%22");
    }

    #[test]
    fn identifiers_and_bounds_are_masked_in_messages() {
        let masked = without_chance("Bound at 2019-11-23T11:11:52.67Z for 73673b27e00ed031");
        assert_eq!(masked, "Bound at <time> for <id>");
    }

    #[test]
    fn the_order_of_columns_does_not_show_in_messages() {
        let one = without_chance("received table with columns [b a] not having key columns [c]");
        let other = without_chance("received table with columns [a b] not having key columns [c]");
        assert_eq!(one, other);
        let masked = without_chance("column 2 and 11 have the same name (\"a\")");
        assert_eq!(masked, "column <n> and <n> have the same name (\"a\")");
    }
}
