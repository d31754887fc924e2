//! Write requests, and what a real server answered and stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::compare::{self, Class, Difference, TableOrder};
use crate::exchange::{Answer, Request, without_chance};

/// Requests to one new bucket, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteCase {
    /// What is tried.
    pub name: String,
    /// How long the bucket keeps, in seconds; 0 for ever.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retention_s: u64,
    /// The requests.
    pub steps: Vec<WriteStep>,
    /// Whether the stored times depend on the clock and are left out of what is read back.
    #[serde(default, skip_serializing_if = "is_false")]
    pub times_vary: bool,
    /// What a real server did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub real: Option<Recorded>,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteStep {
    /// The path, where `{bucket}`, `{bucket_id}` and `{org_id}` are filled in; the common one when
    /// it is not given.
    #[serde(default = "common_path", skip_serializing_if = "is_common_path")]
    pub path: String,
    /// Another method than POST.
    #[serde(default = "post", skip_serializing_if = "is_post")]
    pub method: String,
    /// Headers; `authorization` replaces the sender's own, and an empty one takes it away.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body, part by part.
    pub body: Vec<Part>,
}

/// A part of a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Part {
    /// As it stands, with `{now-1h}` for an instant in nanoseconds: a sign and a number of `s`,
    /// `h` or `d` counted from the clock.
    Text(String),
    /// Bytes in hexadecimal.
    Hex {
        /// Two digits a byte.
        hex: String,
    },
    /// A text many times over.
    Repeated {
        /// The text.
        repeat: String,
        /// How often.
        times: usize,
    },
}

/// What a server did with a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// Status, code and message of each step.
    pub answers: Vec<(u16, String, String)>,
    /// The bucket read back, one line each.
    pub stored: Vec<String>,
}

/// What a case's placeholders stand for.
#[derive(Clone, Debug)]
pub struct Names<'a> {
    /// The bucket's name.
    pub bucket: &'a str,
    /// Its identifier.
    pub bucket_id: &'a str,
    /// The identifier of organisation `o`.
    pub org_id: &'a str,
    /// The clock.
    pub now_ns: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

fn common_path() -> String {
    "/api/v2/write?org=o&bucket={bucket}".to_owned()
}

fn is_common_path(path: &str) -> bool {
    path == common_path()
}

fn post() -> String {
    "POST".to_owned()
}

fn is_post(method: &str) -> bool {
    method == "POST"
}

impl WriteCase {
    /// Its requests, filled in.
    pub fn requests(&self, names: &Names<'_>) -> Vec<Request> {
        self.steps.iter().map(|step| step.request(names)).collect()
    }

    /// The request that reads back what is stored.
    pub fn read_back(&self, bucket: &str) -> Request {
        let without_times = if self.times_vary { " |> drop(columns: [\"_time\"])" } else { "" };
        let script = format!(
            "from(bucket: \"{bucket}\") \
             |> range(start: 1678-01-01T00:00:00Z, stop: 2262-01-01T00:00:00Z){without_times}"
        );
        Request::flux(&script, None)
    }

    /// What a server did, as it is recorded.
    pub fn recorded(answers: &[Answer], stored: &Answer) -> Recorded {
        let told = |answer: &Answer| match answer.refusal() {
            Some(refusal) => (answer.status, refusal.code, without_chance(&refusal.message)),
            None => (answer.status, String::new(), without_chance(&answer.body)),
        };
        let stored = stored.body.lines().map(|line| line.trim_end_matches('\r').to_owned());
        Recorded { answers: answers.iter().map(told).collect(), stored: stored.collect() }
    }
}

impl Recorded {
    /// Holds what one server did against what this one did.
    pub fn judge(&self, found: &Self) -> Result<(), Difference> {
        for (at, (one, other)) in found.answers.iter().zip(&self.answers).enumerate() {
            let class =
                if (one.0, &one.1) == (other.0, &other.1) { Class::Wording } else { Class::Status };
            if one != other {
                let place = format!("request {}: {one:?}, not {other:?}", at + 1);
                return Err(Difference { class, place });
            }
        }
        let tables = |recorded: &Self| {
            compare::readable(
                &recorded.stored.iter().fold(String::new(), |all, line| all + line + "\n"),
            )
        };
        compare::as_served(&tables(found)?, &tables(self)?, TableOrder::Counts)
    }
}

impl WriteStep {
    fn request(&self, names: &Names<'_>) -> Request {
        let path = self
            .path
            .replace("{bucket}", names.bucket)
            .replace("{bucket_id}", names.bucket_id)
            .replace("{org_id}", names.org_id);
        let body = self.body.iter().flat_map(|part| part.bytes(names.now_ns)).collect();
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), value.clone()));
        Request { method: self.method.clone(), path, headers: headers.collect(), body }
    }
}

impl Part {
    fn bytes(&self, now_ns: i64) -> Vec<u8> {
        match self {
            Self::Text(text) => at_clock(text, now_ns).into_bytes(),
            Self::Repeated { repeat, times } => repeat.repeat(*times).into_bytes(),
            Self::Hex { hex } => {
                let pairs = hex.as_bytes().chunks(2);
                let digits = pairs.map(|pair| std::str::from_utf8(pair).unwrap_or_default());
                digits.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
            }
        }
    }
}

/// Fills in the instants of a text.
fn at_clock(text: &str, now_ns: i64) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, placed)) = rest.split_once("{now") {
        let Some((offset, after)) = placed.split_once('}') else { break };
        filled.push_str(before);
        filled.push_str(&now_ns.saturating_add(offset_ns(offset)).to_string());
        rest = after;
    }
    filled + rest
}

/// `-7d` in nanoseconds; nothing is no offset.
fn offset_ns(offset: &str) -> i64 {
    let (number, unit) = offset.split_at(offset.len().saturating_sub(1));
    let seconds = match unit {
        "d" => 86_400,
        "h" => 3_600,
        _ => 1,
    };
    number.parse::<i64>().unwrap_or(0).saturating_mul(seconds * 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names<'static> {
        Names { bucket: "w1", bucket_id: "b1", org_id: "o1", now_ns: 100_000_000_000_000 }
    }

    fn case(text: &str) -> WriteCase {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn placeholders_are_filled_in() {
        let case = case(
            r#"{"name": "n", "steps": [{"path": "/w?b={bucket_id}", "body": ["m v=1 {now-1h}"]}]}"#,
        );
        let requests = case.requests(&names());
        assert_eq!(requests[0].path, "/w?b=b1");
        assert_eq!(requests[0].body, b"m v=1 96400000000000");
    }

    #[test]
    fn parts_make_one_body() {
        let case = case(
            r#"{"name": "n",
                "steps": [{"body": ["m v=\"", {"repeat": "a", "times": 3}, {"hex": "22ff"}]}]}"#,
        );
        assert_eq!(case.requests(&names())[0].body, b"m v=\"aaa\"\xff");
    }

    #[test]
    fn another_message_is_a_difference_of_wording() {
        let recorded = |message: &str| Recorded {
            answers: vec![(400, "invalid".to_owned(), message.to_owned())],
            stored: Vec::new(),
        };
        let difference = recorded("a").judge(&recorded("b")).unwrap_err();
        assert_eq!(difference.class, Class::Wording);
    }
}
