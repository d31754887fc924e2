//! A script in parts, so that it can be made smaller.

use std::fmt;

/// A script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    /// Statements before the first pipe.
    pub(crate) options: Vec<String>,
    /// The pipes, each with a name of its own.
    pub(crate) pipes: Vec<Pipe>,
}

/// A source and the stages that its tables flow through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pipe {
    /// The name that later pipes know it by; one without is a result.
    pub(crate) name: Option<String>,
    /// Where its tables come from.
    pub(crate) source: Stage,
    /// What they flow through.
    pub(crate) stages: Vec<Stage>,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    /// The function, with its package.
    pub(crate) call: String,
    /// Its arguments.
    pub(crate) arguments: Vec<Argument>,
}

/// An argument with what may stand in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Argument {
    /// The parameter.
    pub(crate) name: String,
    /// The expression.
    pub(crate) text: String,
    /// Expressions that are simpler.
    pub(crate) simpler: Vec<String>,
    /// Whether the call does without.
    pub(crate) optional: bool,
}

impl Stage {
    /// A call without arguments.
    pub(crate) fn new(call: &str) -> Self {
        Self { call: call.to_owned(), arguments: Vec::new() }
    }

    /// With an argument that it needs.
    pub(crate) fn with(mut self, name: &str, text: impl Into<String>) -> Self {
        let (name, text) = (name.to_owned(), text.into());
        self.arguments.push(Argument { name, text, simpler: Vec::new(), optional: false });
        self
    }

    /// With an argument that it does without.
    pub(crate) fn with_optional(mut self, name: &str, text: impl Into<String>) -> Self {
        let (name, text) = (name.to_owned(), text.into());
        self.arguments.push(Argument { name, text, simpler: Vec::new(), optional: true });
        self
    }

    /// With what may stand in place of the last argument.
    pub(crate) fn or(mut self, simpler: impl IntoIterator<Item = String>) -> Self {
        if let Some(argument) = self.arguments.last_mut() {
            argument.simpler.extend(simpler);
        }
        self
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<String> =
            self.arguments.iter().map(|it| format!("{}: {}", it.name, it.text)).collect();
        write!(f, "{}({})", self.call, shown.join(", "))
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name} = ")?;
        }
        write!(f, "{}", self.source)?;
        self.stages.iter().try_for_each(|stage| write!(f, "\n    |> {stage}"))
    }
}

/// Packages by how their names stand before a point.
const PACKAGES: [(&str, &str); 11] = [
    ("array.", "array"),
    ("date.", "date"),
    ("experimental.", "experimental"),
    ("interpolate.", "interpolate"),
    ("join.", "join"),
    ("math.", "math"),
    ("regexp.", "regexp"),
    ("schema.", "influxdata/influxdb/schema"),
    ("strings.", "strings"),
    ("timezone.", "timezone"),
    ("types.", "types"),
];

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self
            .options
            .iter()
            .cloned()
            .chain(self.pipes.iter().map(ToString::to_string))
            .collect();
        let body = parts.join("\n");
        for (used, package) in PACKAGES {
            // Not within a longer name, such as a column that ends so.
            let starts = body.match_indices(used).map(|(at, _)| at);
            let whole = |at: usize| {
                !body[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
            };
            if starts.into_iter().any(whole) {
                writeln!(f, "import \"{package}\"")?;
            }
        }
        f.write_str(&body)
    }
}

impl Script {
    /// Whether the real server can be asked this without harm to itself: `fill` straight on what
    /// comes from storage can end its process when a later stage fails.
    pub(crate) fn is_safe(&self) -> bool {
        const READS: [&str; 5] = ["range", "filter", "group", "window", "fill"];
        self.pipes.iter().all(|pipe| {
            pipe.stages.iter().enumerate().filter(|(_, stage)| stage.call == "fill").all(
                |(at, _)| {
                    let before = &pipe.stages[..at];
                    before.iter().any(|stage| !READS.contains(&stage.call.as_str()))
                },
            )
        })
    }

    /// Whether every name that a pipe uses is given before it, and something is a result.
    pub(crate) fn is_whole(&self) -> bool {
        let mut known: Vec<&str> = Vec::new();
        for pipe in &self.pipes {
            let uses = |it: &Argument| {
                let names = ["a", "b"].into_iter();
                names
                    .filter(|name| {
                        ["tables", "left", "right"].contains(&it.name.as_str())
                            && mentions(&it.text, name)
                    })
                    .collect()
            };
            let used: Vec<&str> =
                pipe.source.arguments.iter().flat_map(|it| -> Vec<&str> { uses(it) }).collect();
            if used.iter().any(|name| !known.contains(name)) {
                return false;
            }
            known.extend(pipe.name.as_deref());
        }
        self.pipes.last().is_some_and(|pipe| pipe.name.is_none())
    }
}

/// Whether a list or record of tables names a pipe.
fn mentions(text: &str, name: &str) -> bool {
    text.split(|it: char| !it.is_alphanumeric() && it != '_').any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipe(calls: &[&str]) -> Script {
        let stages = calls.iter().map(|call| Stage::new(call)).collect();
        let source = Stage::new("from").with("bucket", "\"b\"");
        Script { options: Vec::new(), pipes: vec![Pipe { name: None, source, stages }] }
    }

    #[test]
    fn only_packages_that_are_used_are_imported() {
        let mut script = pipe(&["range"]);
        script.pipes[0].stages.push(Stage::new("map").with("fn", "(r) => date.hour(t: r._time)"));
        assert!(script.to_string().starts_with("import \"date\"\nfrom("), "{script}");
    }

    #[test]
    fn a_fill_straight_on_a_read_is_not_asked() {
        assert!(!pipe(&["range", "filter", "fill"]).is_safe());
        assert!(pipe(&["range", "sort", "fill"]).is_safe());
    }
}
