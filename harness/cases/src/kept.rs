//! Kept cases: generated queries that two servers once answered differently, made small.

use serde::{Deserialize, Serialize};

use crate::compare::{self, Difference, TableOrder};
use crate::exchange::{Answer, Request};

/// A query with its data and a real server's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCase {
    /// What was wrong when it was kept: the class of difference.
    pub class: String,
    /// The seed and number that it was generated from.
    pub origin: String,
    /// The language of the query.
    pub language: Language,
    /// The instant of `now()`.
    pub now: String,
    /// What is stored in bucket `b`, one line of line protocol each.
    pub lines: Vec<String>,
    /// The query, one line each.
    pub query: Vec<String>,
    /// The real server's status.
    pub status: u16,
    /// The real server's body, one line each.
    pub answer: Vec<String>,
}

/// A query language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// `/api/v2/query`.
    Flux,
    /// `/query`.
    InfluxQl,
}

impl KeptCase {
    /// The request that asks the query about bucket `bucket`.
    pub fn request(&self, bucket: &str) -> Request {
        let query = self.query.join("\n");
        match self.language {
            Language::Flux => {
                let script =
                    query.replace("from(bucket: \"b\")", &format!("from(bucket: \"{bucket}\")"));
                Request::flux(&script, Some(&self.now))
            }
            Language::InfluxQl => Request::influxql(bucket, &query),
        }
    }

    /// The real server's answer.
    pub fn real(&self) -> Answer {
        let body = self.answer.iter().fold(String::new(), |body, line| body + line + "\n");
        Answer { status: self.status, body }
    }

    /// Holds an answer against the real server's.
    pub fn judge(&self, answer: &Answer) -> Result<(), Difference> {
        let order = match self.language {
            Language::Flux if !table_order_is_defined(&self.query.join("\n")) => TableOrder::Free,
            Language::Flux | Language::InfluxQl => TableOrder::Counts,
        };
        compare::answers(answer, &self.real(), order)
    }
}

/// Whether a script's tables come in an order that does not depend on which of several inputs is
/// read first.
pub fn table_order_is_defined(script: &str) -> bool {
    !["union(", "join(", "join."].iter().any(|call| script.contains(call))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> KeptCase {
        KeptCase {
            class: "cells".to_owned(),
            origin: "seed 1, query 2".to_owned(),
            language: Language::Flux,
            now: "2023-01-10T00:00:00Z".to_owned(),
            lines: vec!["m v=1 1".to_owned()],
            query: vec!["from(bucket: \"b\")".to_owned(), "|> range(start: 0)".to_owned()],
            status: 400,
            answer: vec!["{\"code\":\"invalid\",\"message\":\"no\"}".to_owned()],
        }
    }

    #[test]
    fn the_query_is_asked_of_the_bucket_that_holds_its_data() {
        let body = String::from_utf8(kept().request("w7").body).unwrap();
        assert!(body.contains("from(bucket: \\\"w7\\\")"), "{body}");
    }

    #[test]
    fn another_wording_of_the_same_refusal_is_a_difference() {
        let answer =
            Answer { status: 400, body: "{\"code\":\"invalid\",\"message\":\"na\"}".to_owned() };
        assert_eq!(kept().judge(&answer).unwrap_err().class, compare::Class::Wording);
    }
}
