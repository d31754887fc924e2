//! SHOW statements that are answered from the catalogue alone, and statements that delete.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ast::{Expr, KeyChoice, PolicyChoice, Scope, ShowMeasurements, Source};
use super::condition::{self, MAX_TIME_NS, MIN_TIME_NS};
use super::engine::{ShardIndex, measurements_matching};
use super::error::{Outcome, QueryError};
use super::eval::{Division, Eval, Missing};
use super::execute::{Execution, key_condition, source_condition};
use super::reduce::Reducer;
use super::result::{Cell, Series};
use super::token::Op;
use super::value::Value;
use crate::accounts::Id;
use crate::dbrp::{Filter, Mapping};

/// Tag keys with their values, by measurement.
type KeysAndValues = BTreeMap<Arc<str>, BTreeMap<Arc<str>, BTreeSet<Arc<str>>>>;

fn refuse<T>(message: impl Into<String>) -> Outcome<T> {
    Err(QueryError::new(message))
}

impl Execution<'_> {
    pub(super) fn show_databases(&self) -> Vec<Series> {
        let mut series = Series::plain("databases", &["name"]);
        let mut seen = BTreeSet::new();
        for mapping in self.mappings(&Filter::default()) {
            if seen.insert(mapping.database.clone()) {
                series.cells.push(Cell::text(&mapping.database));
            }
        }
        vec![series]
    }

    pub(super) fn show_retention_policies(&self, database: &str) -> Outcome<Vec<Series>> {
        let database = self.database_of(database)?;
        let columns = ["name", "duration", "shardGroupDuration", "replicaN", "default"];
        let mut series = Series::plain("", &columns);
        let filter = Filter { database: Some(database), ..Filter::default() };
        for mapping in self.mappings(&filter) {
            series.cells.extend([
                Cell::text(&mapping.retention_policy),
                Cell::text("0s"),
                Cell::text("168h0m0s"),
                Cell::Count(1),
                Cell::Value(Value::Boolean(mapping.default)),
            ]);
        }
        Ok(vec![series])
    }

    fn database_of<'n>(&'n self, named: &'n str) -> Outcome<&'n str> {
        let database = if named.is_empty() { self.database } else { named };
        if database.is_empty() { refuse("database name required") } else { Ok(database) }
    }

    pub(super) fn default_mapping(&self, database: &str) -> Outcome<Mapping> {
        let filter = Filter { database: Some(database), default: Some(true), ..Filter::default() };
        let mut found = self.mappings(&filter);
        match found.len() {
            0 => refuse(format!("default retention policy not set for: {database}")),
            1 => Ok(found.remove(0)),
            more => refuse(format!("finding DBRP mappings: expected 1, found {more}")),
        }
    }

    pub(super) fn show_measurements(&self, show: &ShowMeasurements) -> Outcome<Vec<Series>> {
        if show.condition.as_ref().is_some_and(Expr::has_time) {
            return refuse("SHOW MEASUREMENTS doesn't support time in WHERE clause");
        }
        let sources: Vec<Source> = show.source.iter().cloned().collect();
        let condition = source_condition(&sources, show.condition.as_ref());
        let database = match &show.database {
            Some(named) => Some(self.database_of(named)?),
            None => None,
        };
        if database.is_none() {
            match show.retention_policy {
                PolicyChoice::All => {}
                PolicyChoice::Named(_) => {
                    return refuse(
                        "query 'SHOW MEASUREMENTS ON *.rp' not supported. use 'ON *.*' or specify \
                         a database",
                    );
                }
                PolicyChoice::Default => {
                    return refuse(
                        "query 'SHOW MEASUREMENTS ON *' not supported. use 'ON *.*' or specify a \
                         database",
                    );
                }
            }
        }
        let mut filter = Filter { database, ..Filter::default() };
        match &show.retention_policy {
            PolicyChoice::Default => filter.default = Some(true),
            PolicyChoice::Named(policy) => filter.retention_policy = Some(policy),
            PolicyChoice::All => {}
        }
        let names_only = show.retention_policy == PolicyChoice::Default;
        let mut mappings = self.mappings(&filter);
        mappings.sort_by(|left, right| {
            (&left.database, &left.retention_policy)
                .cmp(&(&right.database, &right.retention_policy))
        });
        let mut rows = Vec::new();
        for mapping in &mappings {
            let shards = self.shards(mapping.bucket, (MIN_TIME_NS, MAX_TIME_NS));
            for name in measurements_matching(&shards, condition.as_ref())? {
                rows.push((name, mapping));
            }
        }
        let rows = show.rows.cut(rows);
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let columns: &[&str] =
            if names_only { &["name"] } else { &["name", "database", "retention policy"] };
        let mut series = Series::plain("measurements", columns);
        for (name, mapping) in rows {
            series.cells.push(Cell::text(&name));
            if !names_only {
                series.cells.push(Cell::text(&mapping.database));
                series.cells.push(Cell::text(&mapping.retention_policy));
            }
        }
        Ok(vec![series])
    }

    fn shards(&self, bucket: Id, range: (i64, i64)) -> ShardIndex {
        ShardIndex::of(self.server.store().survey(bucket, range, |_| true))
    }

    pub(super) fn show_tag_keys(&self, scope: &Scope) -> Outcome<Vec<Series>> {
        let found = self.keys_and_values(scope, None)?;
        let mut all = Vec::new();
        for (name, keys) in found {
            let shown = scope.rows.cut(keys.into_keys().collect());
            if shown.is_empty() {
                continue;
            }
            let mut series = Series::plain(&name, &["tagKey"]);
            series.cells.extend(shown.iter().map(|key| Cell::text(key)));
            all.push(series);
        }
        Ok(all)
    }

    pub(super) fn show_tag_values(&self, scope: &Scope, keys: &KeyChoice) -> Outcome<Vec<Series>> {
        let found = self.keys_and_values(scope, Some(&key_condition(keys)))?;
        let mut all = Vec::new();
        for (name, keys) in found {
            let pairs = keys.into_iter().flat_map(|(key, values)| {
                values.into_iter().map(move |value| (Arc::clone(&key), value))
            });
            let shown = scope.rows.cut(pairs.collect());
            if shown.is_empty() {
                continue;
            }
            let mut series = Series::plain(&name, &["key", "value"]);
            for (key, value) in shown {
                series.cells.extend([Cell::text(&key), Cell::text(&value)]);
            }
            all.push(series);
        }
        Ok(all)
    }

    /// The tag keys, and their values, of the series that a statement means.
    fn keys_and_values(&self, scope: &Scope, keys: Option<&Expr>) -> Outcome<KeysAndValues> {
        let database = self.database_of(&scope.database)?;
        let mapping = self.default_mapping(database)?;
        let now_ns = self.server.config.clock.now_ns();
        let (condition, range) = condition::split(scope.condition.as_ref(), Some(now_ns), None)?;
        let shards = self.shards(mapping.bucket, (range.min_ns(), range.max_ns()));
        let names = source_condition(&scope.sources, None);
        let names = measurements_matching(&shards, names.as_ref())?;
        if let Some(condition) = &condition {
            check_quotes(condition)?;
        }
        let (values, condition) = condition.map_or((None, None), split_values);
        let mut found = KeysAndValues::new();
        for name in names {
            let mut own = BTreeMap::new();
            for (tags, left_over) in shards.series(&name, condition.as_ref()) {
                if let Some(left_over) = left_over {
                    let message = format!("expression too complex for metaquery: {left_over}");
                    return refuse(message);
                }
                for (key, value) in tags {
                    let find = |expr: &Expr| match expr {
                        Expr::Ref(name) if name.name == "_tagKey" => Value::String(Arc::clone(key)),
                        Expr::Ref(name) if name.name == "value" => Value::String(Arc::clone(value)),
                        _ => Value::Null,
                    };
                    let eval = Eval { find, missing: Missing::False, division: Division::Whole };
                    let wanted = |expr: Option<&Expr>| expr.is_none_or(|expr| eval.is_true(expr));
                    if wanted(keys) && wanted(values.as_ref()) {
                        let values: &mut BTreeSet<Arc<str>> =
                            own.entry(Arc::clone(key)).or_default();
                        values.insert(Arc::clone(value));
                    }
                }
            }
            if !own.is_empty() {
                found.insert(name, own);
            }
        }
        Ok(found)
    }

    pub(super) fn delete(
        &self,
        bucket: Id,
        sources: &[Source],
        condition: Option<&Expr>,
    ) -> Outcome<()> {
        let now_ns = self.server.config.clock.now_ns();
        let reducer = Reducer { now_ns: Some(now_ns), ..Reducer::default() };
        let condition = condition.map(|condition| reducer.reduce(condition));
        let (condition, range) = condition::split(condition.as_ref(), None, None)?;
        let shards = self.shards(bucket, (MIN_TIME_NS, MAX_TIME_NS));
        let named = |name: &str| {
            sources.is_empty()
                || sources.iter().any(|source| match source {
                    Source::Measurement(measurement) => measurement.means(name),
                    Source::SubQuery(_) => false,
                })
        };
        for name in shards.names() {
            let mut series = shards.series(&name, condition.as_ref()).into_iter();
            if named(&name) && series.any(|(_, left_over)| left_over.is_some()) {
                return refuse("shard 1: fields not supported in WHERE clause during deletion");
            }
        }
        let wanted = |name: &str, tags: &[(Arc<str>, Arc<str>)]| {
            named(name) && shards.is_chosen(name, tags, condition.as_ref())
        };
        let range = (range.min_ns(), range.max_ns());
        self.server.store_mut().delete_where(bucket, range, wanted);
        Ok(())
    }

    pub(super) fn drop_measurement(&self, bucket: Id, dropped: &str) {
        let all = (i64::MIN, i64::MAX);
        let mut store = self.server.store_mut();
        store.delete_where(bucket, all, |measurement, _| measurement == dropped);
    }
}

/// Refuses two names beside each other: a tag value in the wrong quotes.
fn check_quotes(condition: &Expr) -> Outcome<()> {
    match condition {
        Expr::Binary(binary) => match binary.op {
            Op::Eq | Op::Neq => match (&binary.left, &binary.right) {
                (Expr::Ref(_), Expr::Ref(_)) => refuse(format!(
                    "bad WHERE clause for metaquery; one term must be a string literal tag value \
                     within single quotes: {condition}"
                )),
                _ => Ok(()),
            },
            Op::And | Op::Or => {
                check_quotes(&binary.left)?;
                check_quotes(&binary.right)
            }
            _ => Ok(()),
        },
        Expr::Paren(inner) => check_quotes(inner),
        _ => Ok(()),
    }
}

/// Splits what a condition says of `value`, the value itself, from the rest of its conjunction.
fn split_values(condition: Expr) -> (Option<Expr>, Option<Expr>) {
    match condition {
        Expr::Binary(binary) if binary.op == Op::And => {
            let (left_values, left) = split_values(binary.left);
            let (right_values, right) = split_values(binary.right);
            let join = |left: Option<Expr>, right: Option<Expr>| match (left, right) {
                (Some(left), Some(right)) => Some(Expr::binary(Op::And, left, right)),
                (left, right) => left.or(right),
            };
            (join(left_values, right_values), join(left, right))
        }
        Expr::Paren(inner) => split_values(*inner),
        Expr::Binary(binary)
            if matches!(&binary.left, Expr::Ref(name) if name.name == "value")
                && matches!(binary.op, Op::Eq | Op::Neq | Op::EqRegex | Op::NeqRegex) =>
        {
            (Some(Expr::Binary(binary)), None)
        }
        other => (None, Some(other)),
    }
}
