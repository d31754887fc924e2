//! The index of a bucket as the SHOW statements see it: measurements, series and their tags.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::catalog::Shard;
use super::filter::{Candidate, Choice};
use crate::influxql::ast::{Binary, Expr};
use crate::influxql::error::{Outcome, QueryError};
use crate::influxql::token::Op;
use crate::store::ShardSurvey;

/// Tags in order of their keys.
pub(crate) type TagList = [(Arc<str>, Arc<str>)];

/// All shard groups of a bucket within a span of time.
#[derive(Debug)]
pub(crate) struct ShardIndex {
    shards: Vec<Shard>,
}

impl ShardIndex {
    pub(crate) fn of(surveys: Vec<ShardSurvey>) -> Self {
        Self { shards: surveys.into_iter().map(Shard::of).collect() }
    }

    /// The measurements, in order.
    pub(crate) fn names(&self) -> BTreeSet<Arc<str>> {
        self.shards.iter().flat_map(|shard| shard.measurements.keys().cloned()).collect()
    }

    fn has_field(&self, name: &str, field: &str) -> bool {
        let parts = self.shards.iter().filter_map(|shard| shard.measurements.get(name));
        parts.into_iter().any(|part| part.fields.contains_key(field))
    }

    /// Whether a condition lets a series through.
    pub(crate) fn is_chosen(&self, name: &str, tags: &TagList, condition: Option<&Expr>) -> bool {
        let has_field = |field: &str| self.has_field(name, field);
        let candidate = Candidate { measurement: name, tags, has_field: &has_field };
        candidate.choose(condition) != Choice::Out
    }

    /// The tags of the series of a measurement that a condition lets through, with what of it
    /// could not be answered by them.
    pub(crate) fn series(
        &self,
        name: &str,
        condition: Option<&Expr>,
    ) -> Vec<(&TagList, Option<Expr>)> {
        let has_field = |field: &str| self.has_field(name, field);
        let mut chosen = Vec::new();
        for shard in &self.shards {
            let Some(part) = shard.measurements.get(name) else { continue };
            for series in &part.series {
                let tags: &TagList = &series.survey.tags;
                let candidate = Candidate { measurement: name, tags, has_field: &has_field };
                if let Choice::In(left_over) = candidate.choose(condition) {
                    chosen.push((tags, left_over));
                }
            }
        }
        chosen
    }

    /// The measurements that have a tag key and for which a value that passes is there, or, where
    /// `present` is false, is not there.
    fn with_tag(&self, key: &str, passes: &dyn Fn(&str) -> bool, present: Present) -> Names {
        let mut names = Names::new();
        for name in self.names() {
            let (mut tagged, mut passing) = (false, false);
            for (tags, _) in self.series(&name, None) {
                for (_, value) in tags.iter().filter(|(own, _)| **own == *key) {
                    tagged = true;
                    passing |= passes(value);
                }
            }
            if tagged && passing == (present == Present::Yes) {
                names.insert(name);
            }
        }
        names
    }
}

type Names = BTreeSet<Arc<str>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Present {
    Yes,
    No,
}

/// The measurements for which a condition on names and tags holds.
pub(crate) fn measurements_matching(
    shards: &ShardIndex,
    condition: Option<&Expr>,
) -> Outcome<BTreeSet<Arc<str>>> {
    match condition {
        None => Ok(shards.names()),
        Some(condition) => matching(shards, condition),
    }
}

fn matching(shards: &ShardIndex, condition: &Expr) -> Outcome<Names> {
    match condition {
        Expr::Paren(inner) => matching(shards, inner),
        Expr::Binary(binary) => match binary.op {
            Op::And | Op::Or => {
                let left = matching(shards, &binary.left)?;
                let right = matching(shards, &binary.right)?;
                Ok(if binary.op == Op::And { &left & &right } else { &left | &right })
            }
            Op::Eq | Op::Neq | Op::EqRegex | Op::NeqRegex => comparing(shards, binary),
            _ => Err(QueryError::new("invalid tag comparison operator")),
        },
        other => Err(QueryError::new(format!("invalid measurement expression {other}"))),
    }
}

fn comparing(shards: &ShardIndex, binary: &Binary) -> Outcome<Names> {
    let op = binary.op.text();
    let Expr::Ref(key) = &binary.left else {
        return Err(QueryError::new(format!("left side of '{op}' must be a tag key")));
    };
    let passes: Box<dyn Fn(&str) -> bool> = match &binary.right {
        Expr::Regex(pattern) if binary.op.is_regex() => {
            let pattern = pattern.clone();
            Box::new(move |text: &str| pattern.is_match(text))
        }
        _ if binary.op.is_regex() => {
            let message = format!("right side of '{op}' must be a regular expression");
            return Err(QueryError::new(message));
        }
        Expr::String(wanted) => {
            let wanted = wanted.clone();
            Box::new(move |text: &str| text == wanted)
        }
        _ => {
            let message = format!("right side of '{op}' must be a tag value string");
            return Err(QueryError::new(message));
        }
    };
    let positive = matches!(binary.op, Op::Eq | Op::EqRegex);
    if key.name == "_name" {
        let names = shards.names().into_iter();
        return Ok(names.filter(|name| passes(name) == positive).collect());
    }
    let present = if positive { Present::Yes } else { Present::No };
    Ok(shards.with_tag(&key.name, &*passes, present))
}
