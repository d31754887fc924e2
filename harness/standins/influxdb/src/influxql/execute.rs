//! Carries out the statements of a query one after another.
//!
//! [`Execution::run`] gives the results in parts, in order. After a statement that fails, the
//! others are not carried out.

use super::ast::{
    Call, Cardinality, Expr, Field, KeyChoice, Measurement, Page, Scope, Select, Source, Statement,
    SystemSource, VarRef,
};
use super::compile::compile;
use super::condition::MIN_TIME_NS;
use super::engine::{Catalog, Engine, Shown, policy_not_found};
use super::error::{Outcome, QueryError};
use super::pattern::Pattern;
use super::result::{Cell, Series, StatementResult};
use super::rewrite::Schema;
use super::token::Op;
use super::types::Typing;
use crate::Server;
use crate::accounts::{Action, Id, Kind, Permission, Permissions};
use crate::dbrp::{Filter, Mapping};

/// What whoever may not write is told; the statements behind are carried out nevertheless.
const NOT_PERMITTED: &str = "insufficient permissions";

/// What a query is asked with.
pub(crate) struct Execution<'a> {
    pub(crate) server: &'a Server,
    pub(crate) org: Id,
    pub(crate) permissions: &'a Permissions,
    /// The database of sources that name none; may be empty.
    pub(crate) database: &'a str,
    /// The retention policy of sources that name none; may be empty.
    pub(crate) retention_policy: &'a str,
    /// The most rows of one part of a result.
    pub(crate) chunk_rows: usize,
}

fn refuse<T>(message: impl Into<String>) -> Outcome<T> {
    Err(QueryError::new(message))
}

impl Execution<'_> {
    /// Carries out the statements.
    pub(crate) fn run(&self, statements: &[Statement]) -> Vec<StatementResult> {
        let mut results = Vec::new();
        for (index, statement) in statements.iter().enumerate() {
            match self.statement(index, statement) {
                Ok(parts) => results.extend(parts),
                Err(error) => {
                    results.push(StatementResult::failed(index, error.to_string()));
                    // The server says this under the number of the statement that failed.
                    let rest = statements.len() - 1 - index;
                    let skipped = StatementResult::failed(index, "not executed");
                    results.extend(std::iter::repeat_n(skipped, rest));
                    break;
                }
            }
        }
        results
    }

    fn statement(&self, index: usize, statement: &Statement) -> Outcome<Vec<StatementResult>> {
        let one = |series: Vec<Series>| {
            Ok(vec![StatementResult { statement: index, series, ..StatementResult::default() }])
        };
        match statement {
            Statement::Select(select) => {
                check_system_sources(select)?;
                self.select(index, select)
            }
            Statement::Explain => Err(QueryError::outside("`EXPLAIN`")),
            Statement::ShowDatabases => one(self.show_databases()),
            Statement::ShowRetentionPolicies { database } => {
                one(self.show_retention_policies(database)?)
            }
            Statement::ShowMeasurements(show) => one(self.show_measurements(show)?),
            Statement::ShowTagKeys(scope) => Ok(part_each(index, self.show_tag_keys(scope)?)),
            Statement::ShowTagValues { scope, keys } => {
                Ok(part_each(index, self.show_tag_values(scope, keys)?))
            }
            Statement::ShowFieldKeys(scope) => self.select(index, &field_keys(scope)),
            Statement::ShowSeries(scope) => self.select(index, &series_keys(scope)),
            Statement::ShowCardinality { what, scope, exact } => {
                self.select(index, &cardinality(what, scope, *exact)?)
            }
            Statement::Delete { sources, condition } => {
                let mapping = self.default_mapping(self.database)?;
                if !self.may(Action::Write, mapping.bucket) {
                    return Ok(vec![StatementResult::failed(index, NOT_PERMITTED)]);
                }
                self.delete(mapping.bucket, sources, condition.as_ref())?;
                Ok(Vec::new())
            }
            Statement::DropMeasurement { name } => {
                let mapping = self.default_mapping(self.database)?;
                if !self.may(Action::Write, mapping.bucket) {
                    return Ok(vec![StatementResult::failed(index, NOT_PERMITTED)]);
                }
                self.drop_measurement(mapping.bucket, name);
                Ok(Vec::new())
            }
            Statement::NotImplemented(name) => refuse(format!("not implemented: {name}")),
        }
    }

    /// Whether the caller may read a bucket or write to it.
    fn may(&self, action: Action, bucket: Id) -> bool {
        self.permissions.allow(Permission::of_org(action, Kind::Buckets, (bucket, self.org)))
    }

    /// The mappings that a filter lets through, of buckets that the caller may read.
    pub(super) fn mappings(&self, filter: &Filter<'_>) -> Vec<Mapping> {
        let accounts = self.server.accounts();
        let mut found = self.server.dbrps().find(self.org, &accounts, filter);
        found.retain(|mapping| self.may(Action::Read, mapping.bucket));
        found
    }

    /// Puts databases and retention policies where a statement leaves them out.
    fn normalize(&self, select: &mut Select) -> Outcome<()> {
        for source in &mut select.sources {
            match source {
                Source::Measurement(measurement) => self.normalize_measurement(measurement)?,
                Source::SubQuery(inner) => self.normalize(inner)?,
            }
        }
        Ok(())
    }

    fn normalize_measurement(&self, measurement: &mut Measurement) -> Outcome<()> {
        let Measurement { database, retention_policy, name, regex, system } = measurement;
        if name.is_empty() && regex.is_none() && system.is_none() {
            return refuse("invalid measurement");
        }
        if database.is_empty() {
            self.database.clone_into(database);
        }
        if database.is_empty() {
            return refuse("database name required");
        }
        let filter = Filter { database: Some(database), ..Filter::default() };
        let mappings = self.mappings(&filter);
        if mappings.is_empty() {
            return refuse(format!("database not found: {database}"));
        }
        if retention_policy.is_empty() {
            self.retention_policy.clone_into(retention_policy);
        }
        if retention_policy.is_empty() {
            let default = mappings.into_iter().find(|mapping| mapping.default);
            match default {
                Some(mapping) => *retention_policy = mapping.retention_policy,
                None => {
                    return refuse(format!("default retention policy not set for: {database}"));
                }
            }
        }
        Ok(())
    }

    fn bucket(&self, database: &str, policy: &str) -> Outcome<Id> {
        let filter = Filter {
            database: Some(database),
            retention_policy: Some(policy),
            ..Filter::default()
        };
        let found = self.mappings(&filter);
        match found.as_slice() {
            [mapping] => Ok(mapping.bucket),
            [] => Err(policy_not_found(policy)),
            more => refuse(format!("finding DBRP mappings: expected 1, found {}", more.len())),
        }
    }

    fn select(&self, index: usize, select: &Select) -> Outcome<Vec<StatementResult>> {
        let mut select = select.clone();
        self.normalize(&mut select)?;
        let now_ns = self.server.config.clock.now_ns();
        let compiled = compile(&select, now_ns)?;
        let (start_ns, end_ns) = (compiled.range.min_ns(), compiled.range.max_ns());
        let (interval_ns, _) = compiled.select.interval();
        let extra_ns = interval_ns.saturating_mul(compiled.extra_intervals);
        let mapped = if compiled.select.ascending() {
            (start_ns.saturating_sub(extra_ns).max(MIN_TIME_NS), end_ns)
        } else {
            (start_ns, end_ns.saturating_add(extra_ns))
        };
        let find = |database: &str, policy: &str| self.bucket(database, policy);
        let catalog = {
            let buckets = Catalog::buckets(&compiled.select, &find)?;
            Catalog::of(&compiled.select, mapped, &self.server.store(), &buckets)
        };
        let schema = Schema {
            of_field: &|measurement, name| catalog.type_of(measurement, name),
            names: &|measurement| catalog.names_of(measurement),
        };
        let select = schema.rewrite(&compiled.select)?;
        let typing = Typing { sources: &[], of_field: &|_, _| super::ast::DataType::Unknown };
        for field in &select.fields {
            typing.check(&field.expr)?;
        }
        let engine = Engine::new(self.server, &catalog, now_ns);
        if select.target.is_some() {
            return refuse("not implemented: SELECT INTO");
        }
        let mut cursor = engine.select(&select, (start_ns, end_ns))?;
        let mut parts: Vec<StatementResult> = Vec::new();
        let mut last = None;
        let mut rows = 0;
        while let Some(row) = cursor.next(&engine) {
            let same = last == Some(row.series);
            if !same || rows >= self.chunk_rows {
                if let Some(part) = parts.last_mut() {
                    part.partial = true;
                    part.series.iter_mut().for_each(|series| series.partial = same);
                }
                let Shown { name, tags } = engine.shown(row.series);
                let columns = cursor.columns.clone();
                let cells = Vec::new();
                let series = vec![Series { name, tags, columns, cells, partial: false }];
                let zone = select.zone.clone();
                let statement = index;
                parts.push(StatementResult { statement, series, zone, ..Default::default() });
                last = Some(row.series);
                rows = 0;
            }
            rows += 1;
            engine.charge_row(cursor.columns.len())?;
            let Some(series) = parts.last_mut().and_then(|part| part.series.last_mut()) else {
                continue;
            };
            if !select.omit_time {
                series.cells.push(Cell::Time(row.time_ns));
            }
            series.cells.extend(row.values.into_iter().map(Cell::Value));
        }
        if parts.is_empty() {
            parts.push(StatementResult { statement: index, ..StatementResult::default() });
        }
        Ok(parts)
    }
}

/// A part of the result for each series, or an empty one.
fn part_each(statement: usize, series: Vec<Series>) -> Vec<StatementResult> {
    let part =
        |series: Vec<Series>| StatementResult { statement, series, ..StatementResult::default() };
    if series.is_empty() {
        return vec![part(series)];
    }
    series.into_iter().map(|series| part(vec![series])).collect()
}

/// The lists about the server itself have statements of their own.
fn check_system_sources(select: &Select) -> Outcome<()> {
    for source in &select.sources {
        let Source::Measurement(measurement) = source else { continue };
        let command = match measurement.name.as_str() {
            "_fieldKeys" => "SHOW FIELD KEYS",
            "_measurements" => "SHOW MEASUREMENTS",
            "_series" => "SHOW SERIES",
            "_tagKeys" => "SHOW TAG KEYS",
            "_tags" => "SHOW TAG VALUES",
            "_name" | "_tagKey" => "the appropriate meta command",
            _ => continue,
        };
        let name = &measurement.name;
        return refuse(format!("unable to use system source '{name}': use {command} instead"));
    }
    Ok(())
}

/// The sources of a statement as lists about the server.
fn system_sources(scope: &Scope, system: SystemSource) -> Vec<Source> {
    let listed = |measurement: Measurement| {
        let database = if measurement.database.is_empty() {
            scope.database.clone()
        } else {
            measurement.database
        };
        Source::Measurement(Measurement { database, system: Some(system), ..measurement })
    };
    if scope.sources.is_empty() {
        return vec![listed(Measurement::default())];
    }
    let measurements = scope.sources.iter().filter_map(|source| match source {
        Source::Measurement(measurement) => Some(measurement.clone()),
        Source::SubQuery(_) => None,
    });
    measurements.map(listed).collect()
}

fn column(name: &str) -> Field {
    Field::plain(Expr::Ref(VarRef::untyped(name)))
}

fn field_keys(scope: &Scope) -> Select {
    Select {
        fields: vec![column("fieldKey"), column("fieldType")],
        sources: system_sources(scope, SystemSource::FieldKeys),
        condition: source_condition(&scope.sources, None),
        order: scope.order,
        rows: scope.rows,
        omit_time: true,
        dedupe: true,
        is_raw: true,
        ..Select::default()
    }
}

fn series_keys(scope: &Scope) -> Select {
    let base = Select {
        condition: scope.condition.clone(),
        order: scope.order,
        rows: scope.rows,
        omit_time: true,
        strip_name: true,
        dedupe: true,
        is_raw: true,
        ..Select::default()
    };
    if scope.condition.as_ref().is_some_and(Expr::has_time) {
        // Bounds of time ask for the points themselves.
        let key = Field { alias: "key".to_owned(), ..column("_seriesKey") };
        return Select { fields: vec![key], sources: all_sources(scope), ..base };
    }
    let sources = system_sources(scope, SystemSource::Series);
    let condition = source_condition(&sources, base.condition.as_ref());
    Select { fields: vec![column("key")], sources, condition, ..base }
}

/// The sources of a statement, or all measurements where it names none.
fn all_sources(scope: &Scope) -> Vec<Source> {
    if scope.sources.is_empty() {
        let all = Pattern::compile(".+").expect("the expression is well-formed");
        return vec![Source::Measurement(Measurement {
            database: scope.database.clone(),
            regex: Some(all),
            ..Measurement::default()
        })];
    }
    let mut sources = scope.sources.clone();
    for source in &mut sources {
        if let Source::Measurement(measurement) = source
            && measurement.database.is_empty()
        {
            measurement.database.clone_from(&scope.database);
        }
    }
    sources
}

/// The names of sources as a part of a condition.
pub(super) fn source_condition(sources: &[Source], condition: Option<&Expr>) -> Option<Expr> {
    let named = sources.iter().filter_map(|source| {
        let Source::Measurement(Measurement { name, regex, .. }) = source else { return None };
        let own = Expr::Ref(VarRef::untyped("_name"));
        match regex {
            Some(pattern) => Some(Expr::binary(Op::EqRegex, own, Expr::Regex(pattern.clone()))),
            None if name.is_empty() => None,
            None => Some(Expr::binary(Op::Eq, own, Expr::String(name.clone()))),
        }
    });
    let names = named.reduce(|left, right| Expr::binary(Op::Or, left, right));
    let paren = |expr: Expr| Expr::Paren(Box::new(expr));
    match (names, condition) {
        (Some(names), Some(condition)) => {
            Some(Expr::binary(Op::And, paren(names), paren(condition.clone())))
        }
        (names, condition) => names.or_else(|| condition.cloned()),
    }
}

/// What a choice of tag keys says as a condition.
pub(super) fn key_condition(keys: &KeyChoice) -> Expr {
    let key = || Expr::Ref(VarRef::untyped("_tagKey"));
    let equal = |name: &String| Expr::binary(Op::Eq, key(), Expr::String(name.clone()));
    match keys {
        KeyChoice::In(names) => names
            .iter()
            .map(equal)
            .reduce(|left, right| Expr::binary(Op::Or, left, right))
            .unwrap_or(Expr::Boolean(false)),
        KeyChoice::Equal(name) => equal(name),
        KeyChoice::NotEqual(name) => Expr::binary(Op::Neq, key(), Expr::String(name.clone())),
        KeyChoice::Match(pattern) => Expr::binary(Op::EqRegex, key(), Expr::Regex(pattern.clone())),
        KeyChoice::NoMatch(pattern) => {
            Expr::binary(Op::NeqRegex, key(), Expr::Regex(pattern.clone()))
        }
    }
}

/// A cardinality as the count of distinct values of a list.
fn cardinality(what: &Cardinality, scope: &Scope, exact: bool) -> Outcome<Select> {
    let has_time = scope.condition.as_ref().is_some_and(Expr::has_time);
    let estimated = !exact && scope.is_whole_database();
    let (name, counted) = match what {
        Cardinality::Series if estimated => {
            return refuse("not implemented: SHOW SERIES CARDINALITY");
        }
        Cardinality::Measurements if estimated => {
            return refuse("not implemented: SHOW MEASUREMENT CARDINALITY");
        }
        Cardinality::Series => ("SHOW SERIES EXACT CARDINALITY", "_seriesKey"),
        Cardinality::Measurements => ("SHOW MEASUREMENT EXACT CARDINALITY", "_name"),
        Cardinality::TagKeys => ("SHOW TAG KEY EXACT CARDINALITY", "_tagKey"),
        Cardinality::FieldKeys => ("SHOW FIELD KEY CARDINALITY", "fieldKey"),
        Cardinality::TagValues(_) => ("", "_tagValue"),
    };
    if has_time && !name.is_empty() {
        return refuse(format!("{name} doesn't support time in WHERE clause"));
    }
    let distinct = Call { name: "distinct".to_owned(), args: vec![column(counted).expr] };
    let count = Call { name: "count".to_owned(), args: vec![Expr::Call(distinct)] };
    let mut condition = scope.condition.clone();
    if let Cardinality::TagValues(keys) = what {
        let keys = key_condition(keys);
        let paren = |expr: Expr| Expr::Paren(Box::new(expr));
        condition = Some(match condition {
            Some(own) => Expr::binary(Op::And, paren(own), paren(keys)),
            None => keys,
        });
    }
    let sources = if *what == Cardinality::FieldKeys {
        let all = Scope { sources: all_sources(scope), ..Scope::default() };
        let listed = Scope { database: scope.database.clone(), ..all };
        let inner = field_keys(&listed);
        vec![Source::SubQuery(Box::new(Select { rows: Page::default(), ..inner }))]
    } else {
        all_sources(scope)
    };
    Ok(Select {
        fields: vec![Field { expr: Expr::Call(count), alias: "count".to_owned() }],
        sources,
        condition,
        dimensions: scope.dimensions.clone(),
        rows: scope.rows,
        omit_time: true,
        strip_name: *what == Cardinality::Measurements,
        ..Select::default()
    })
}
