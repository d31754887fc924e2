//! The document of `terraform output -json`, read output by output with every mistake kept.
//!
//! The main type is [`Outputs`]. Messages name outputs and kinds of values; no value is told, since
//! somebody else's document may hold secrets.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Outputs that are for people and other Terraform. They are known and not read.
pub(super) const FOR_PEOPLE: [&str; 7] = [
    "client_security_group_id",
    "dashboard_names",
    "kms_key_arn",
    "notification_topic_arn",
    "policy_arns",
    "private_subnet_ids",
    "vpc_id",
];

/// Whether an output may be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It must be there.
    Always,
    /// It may be null, and Terraform leaves out what is null.
    Nullable,
}

/// Outputs of which no stack can be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum StackError {
    /// It is another document.
    #[error("this is not what `terraform output -json` writes: {0}")]
    NoOutputs(String),
    /// Some outputs are missing or are not what they should be.
    #[error("{} of the stack cannot be used", outputs(.0.len()))]
    Outputs(Vec<OutputProblem>),
}

/// What is wrong with one output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputProblem {
    /// Its name.
    pub output: String,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for OutputProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.output, self.problem)
    }
}

impl StackError {
    /// One line for each mistake.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::NoOutputs(_) => Vec::new(),
            Self::Outputs(problems) => problems.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A document while it is read.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    values: Map<String, Value>,
    asked: BTreeMap<&'static str, Need>,
    problems: Vec<OutputProblem>,
}

impl Outputs {
    pub(super) fn parse(text: &str) -> Result<Self, StackError> {
        let document: Value = serde_json::from_str(text).map_err(|error| {
            StackError::NoOutputs(format!(
                "it is no JSON (line {}, column {})",
                error.line(),
                error.column()
            ))
        })?;
        let Value::Object(entries) = document else {
            return Err(StackError::NoOutputs(format!("it is {}", kind(&document))));
        };
        let mut outputs = Self::default();
        for (name, entry) in entries {
            match entry {
                Value::Object(mut entry) if entry.contains_key("value") => {
                    let value = entry.remove("value").unwrap_or_default();
                    outputs.values.insert(name, value);
                }
                _ => outputs.problem(&name, "has no `value`".to_owned()),
            }
        }
        Ok(outputs)
    }

    /// An output that must be a text that is not empty.
    pub(super) fn text(&mut self, name: &'static str) -> String {
        let text: String = self.value(name, "a text");
        if text.is_empty() && matches!(self.values.get(name), Some(Value::String(_))) {
            self.problem(name, "is empty".to_owned());
        }
        text
    }

    /// An output that must be an address to which a token can be sent.
    pub(super) fn url(&mut self, name: &'static str) -> String {
        let url = self.text(name);
        if !url.is_empty() && !is_private(&url) {
            let problem = "must be `https://HOST:PORT`: a token would travel in the open";
            self.problem(name, problem.to_owned());
        }
        url
    }

    /// An output that must be there.
    pub(super) fn value<T>(&mut self, name: &'static str, wanted: &str) -> T
    where
        T: Default + DeserializeOwned,
    {
        self.asked.insert(name, Need::Always);
        if let Some(value) = self.values.get(name).cloned() {
            return self.typed(name, wanted, &value).unwrap_or_default();
        }
        // One that has no `value` has been named already.
        if !self.problems.iter().any(|known| known.output == name) {
            self.problem(name, "is missing".to_owned());
        }
        T::default()
    }

    /// An output that may be null or absent.
    pub(super) fn nullable<T>(&mut self, name: &'static str, wanted: &str) -> Option<T>
    where
        T: DeserializeOwned,
    {
        self.asked.insert(name, Need::Nullable);
        let value = self.values.get(name).filter(|value| !value.is_null())?.clone();
        self.typed(name, wanted, &value)
    }

    /// The names that were asked for.
    pub(super) fn asked(self) -> BTreeMap<&'static str, Need> {
        self.asked
    }

    /// Whether all was well. Names that nobody knows are told where something is missing: one may
    /// be the other, misspelt.
    pub(super) fn finish(mut self) -> Result<(), StackError> {
        if self.problems.is_empty() {
            return Ok(());
        }
        let unknown: Vec<String> =
            self.values.keys().filter(|it| self.is_unknown(it)).cloned().collect();
        for name in unknown {
            self.problem(&name, "is no output of a stack".to_owned());
        }
        Err(StackError::Outputs(self.problems))
    }

    fn is_unknown(&self, name: &str) -> bool {
        !self.asked.contains_key(name) && !FOR_PEOPLE.contains(&name)
    }

    fn typed<T: DeserializeOwned>(&mut self, name: &str, wanted: &str, value: &Value) -> Option<T> {
        let typed = T::deserialize(value);
        if typed.is_err() {
            self.problem(name, format!("must be {wanted}, and is {}", kind(value)));
        }
        typed.ok()
    }

    fn problem(&mut self, output: &str, problem: String) {
        self.problems.push(OutputProblem { output: output.to_owned(), problem });
    }
}

/// What a value is, without telling it.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map of another shape",
    }
}

fn outputs(count: usize) -> String {
    if count == 1 { "1 output".to_owned() } else { format!("{count} outputs") }
}

/// Whether what is sent there can be read by nobody on the way: by TLS, or since it stays on this
/// machine.
fn is_private(url: &str) -> bool {
    let authority = |rest: &str| rest.split('/').next().unwrap_or_default().to_owned();
    if let Some(rest) = url.strip_prefix("https://") {
        return !authority(rest).is_empty();
    }
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = authority(rest);
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_tls_is_private_on_this_machine_alone() {
        assert!(is_private("https://db.example.com:8086"));
        assert!(is_private("http://127.0.0.1:8086") && is_private("http://[::1]:8086"));
        assert!(!is_private("http://db.example.com:8086") && !is_private("db.example.com"));
        assert!(!is_private("http://127.0.0.1@db.example.com") && !is_private("https://"));
    }
}
