//! Query pairs: found by name, read once, and safe to fill in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cutover_model::scenario::{Answer, InfluxQl, QueryPair, QueryParameter, Tolerance};

use super::Lowering;
use super::parity::tolerance_of;
use crate::diagnostic::{Diagnostic, excerpt, shown_path};
use crate::files;
use crate::mistakes::{Mistakes, Place};
use crate::name::joined;
use crate::reader::{At, Reader};
use crate::suggest::{listing, suggest};
use crate::wire::entries;
use crate::wire::query::{AnswerWire, ColumnsWire, QueryWire, ValueColumnsWire};
use crate::wire::scalar::{Block, QueryName};

/// How many folders above a scenario are searched for queries.
const MAX_LEVELS: usize = 16;

/// The query files that were read so far, with what is wrong with them.
#[derive(Default)]
pub(crate) struct Library {
    pairs: BTreeMap<PathBuf, Option<QueryPair>>,
    diagnostics: Vec<Diagnostic>,
}

impl Library {
    /// The pair in `file`, unless something in it is wrong.
    fn pair(&mut self, file: &Path) -> Option<QueryPair> {
        if let Some(known) = self.pairs.get(file) {
            return known.clone();
        }
        let pair = self.read(file);
        self.pairs.insert(file.to_owned(), pair.clone());
        pair
    }

    fn read(&mut self, file: &Path) -> Option<QueryPair> {
        match files::read(file) {
            Ok(text) => {
                let (pair, diagnostics) = query_pair(file, &text);
                self.diagnostics.extend(diagnostics);
                pair
            }
            Err(diagnostic) => {
                self.diagnostics.push(*diagnostic);
                None
            }
        }
    }

    /// What is wrong with the files, in the order in which they were read.
    pub(crate) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }
}

impl Lowering<'_> {
    /// The pairs that a step uses, unless something is wrong with one.
    pub(super) fn queries(&mut self, uses: &[Option<&At<QueryName>>]) -> Option<Vec<QueryPair>> {
        let mut pairs = Vec::new();
        let mut named = BTreeSet::new();
        for name in uses.iter().copied().flatten() {
            if self.mistakes.are_many() {
                return None;
            }
            if !named.insert(name.value.0.as_str()) {
                let message = format!("the query `{}` is used twice", name.value.0);
                self.mistakes.error(&name.place, message, "remove one: each is asked in turn");
            }
            match find(self.folder(), &name.value.0) {
                Ok(file) => {
                    let pair = self.library.pair(&file);
                    if let Some(pair) = &pair {
                        self.check_bucket(pair, name);
                    }
                    pairs.extend(pair);
                }
                Err(help) => {
                    let message = format!("there is no query `{}`", excerpt(&name.value.0));
                    self.mistakes.error(&name.place, message, help);
                }
            }
        }
        (pairs.len() == uses.len()).then_some(pairs)
    }
}

impl Lowering<'_> {
    /// Warns of a query that reads none of the buckets with data.
    fn check_bucket(&mut self, pair: &QueryPair, name: &At<QueryName>) {
        let migrated = || self.sets.iter().filter(|set| set.migrated).filter_map(|set| set.wire);
        let mut buckets = migrated().filter_map(|wire| wire.value.bucket.as_ref());
        // A bucket that is a parameter can be any.
        let mut asked = pair.flux.split("bucket:").skip(1).map(str::trim_start);
        let unclear = asked.any(|bucket| bucket.starts_with("\"${")) || migrated().next().is_none();
        if !unclear && buckets.all(|bucket| !pair.flux.contains(&format!("\"{}\"", bucket.value.0)))
        {
            let message = format!("`{}` reads no bucket that is migrated before", name.value.0);
            let help = "seed and migrate its data in this scenario, or it finds nothing";
            self.mistakes.warning(&name.place, message, help);
        }
    }
}

/// The file of a query: below the folder, or below the nearest one above it that has `queries`.
/// Otherwise, help.
fn find(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let mut level = PathBuf::new();
    for _ in 0..MAX_LEVELS {
        let root = joined(folder, &level);
        let file = root.join(format!("{name}.yaml"));
        if file.is_file() {
            return Ok(file);
        }
        if root.join("queries").is_dir() {
            return Err(similar(&root, name));
        }
        level.push("..");
    }
    Err("no folder above this file has a folder `queries`".to_owned())
}

fn similar(root: &Path, name: &str) -> String {
    let known: BTreeSet<String> = std::fs::read_dir(root.join("queries"))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|file| Some(format!("queries/{}", file.strip_suffix(".yaml")?)))
        .take(1_000)
        .collect();
    let known = || known.iter().map(String::as_str);
    // `consumption_peak` alone is a likely slip, too.
    let meant = suggest(name, known()).or_else(|| suggest(&format!("queries/{name}"), known()));
    match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("`{}` has {}", shown_path(root), listing(known())),
    }
}

/// The pair that `text` holds, and what is wrong with it.
pub(crate) fn query_pair(file: &Path, text: &str) -> (Option<QueryPair>, Vec<Diagnostic>) {
    let mut reader = Reader::new("the query");
    let wire = files::wire::<QueryWire>(text, &mut reader);
    let mut mistakes = reader.mistakes;
    let pair = wire.and_then(|wire| lowered(file, &wire.value, &mut mistakes));
    let pair = pair.filter(|_| mistakes.errors() == 0);
    (pair, mistakes.into_diagnostics(file, text))
}

fn lowered(file: &Path, wire: &QueryWire, mistakes: &mut Mistakes) -> Option<QueryPair> {
    let QueryWire { version, id, title, parameters, sql, flux, influxql, answer } = wire;
    if let Some(id) = id {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        if id.value.0 != stem {
            let message = format!("the id `{}` is not the name of the file", id.value.0);
            mistakes.error(&id.place, message, format!("write `id: {}`", excerpt(&stem)));
        }
    }
    let parameters = entries(parameters.as_ref());
    let names: Vec<&str> = parameters.iter().map(|(name, _)| name.value.0.as_str()).collect();
    for (key, text) in [("sql", sql), ("flux", flux), ("influxql", influxql)] {
        let Some(text) = text else { continue };
        check_placeholders(key, text, &names, mistakes);
        for (name, _) in parameters {
            let placeholder = format!("${{{}}}", name.value.0);
            if !text.value.0.contains(&placeholder) {
                let message = format!("`{}` does not occur in `{key}`", name.value.0);
                let help = format!("write `{placeholder}` there too, or the answers cannot agree");
                mistakes.error(&name.place, message, help);
            }
        }
    }
    let parameters = parameters
        .iter()
        .filter_map(|(name, values)| {
            let values = values.as_ref()?.value.0.iter().map(|value| value.value.0.clone());
            Some(QueryParameter { name: name.value.0.clone(), values: values.collect() })
        })
        .collect();
    version.as_ref()?;
    title.as_ref()?;
    Some(QueryPair {
        id: id.as_ref()?.value.0.clone(),
        file: file.to_owned(),
        parameters,
        sql: sql.as_ref()?.value.0.clone(),
        flux: flux.as_ref()?.value.0.clone(),
        influxql: influxql_of(influxql.as_ref(), answer.as_ref(), mistakes),
        answer: answer_of(&answer.as_ref()?.value)?,
    })
}

/// Refuses every `${…}` in a query that names no parameter.
fn check_placeholders(key: &str, text: &At<Block>, names: &[&str], mistakes: &mut Mistakes) {
    let place: &Place = &text.place;
    for (start, _) in text.value.0.match_indices("${") {
        let rest = &text.value.0[start + 2..];
        let Some(name) = rest.split_once('}').map(|(name, _)| name) else {
            mistakes.error(place, format!("`{key}` has a `${{` without a `}}`"), "close it");
            continue;
        };
        if names.contains(&name) {
            continue;
        }
        let help = match suggest(name, names.iter().copied()) {
            Some(meant) => format!("did you mean `${{{meant}}}`?"),
            None => "declare it under `parameters` with its values".to_owned(),
        };
        let message = format!("`{key}` has the unknown parameter `${{{}}}`", excerpt(name));
        mistakes.error(place, message, help);
    }
}

/// The InfluxQL of a pair, which needs a column of its own for the value, and the other way round.
fn influxql_of(
    text: Option<&At<Block>>,
    answer: Option<&At<AnswerWire>>,
    mistakes: &mut Mistakes,
) -> Option<InfluxQl> {
    let value = &answer?.value.value.as_ref()?;
    match (text, &value.value.influxql) {
        (Some(text), Some(value)) => {
            Some(InfluxQl { text: text.value.0.clone(), value: value.value.0.clone() })
        }
        (Some(_), None) => {
            let message = "`value` does not say which column of the InfluxQL's answer it is";
            mistakes.error(&value.place, message, "add `influxql: NAME` beside `flux`");
            None
        }
        (None, Some(column)) => {
            let message = "this names a column of an InfluxQL query that is not there";
            mistakes.error(&column.place, message, "add the query under `influxql`, or remove it");
            None
        }
        (None, None) => None,
    }
}

fn answer_of(wire: &AnswerWire) -> Option<Answer> {
    let AnswerWire { time, value, tolerance } = wire;
    let columns = |wire: &ColumnsWire| {
        let ColumnsWire { sql, flux } = wire;
        Some((sql.as_ref()?.value.0.clone(), flux.as_ref()?.value.0.clone()))
    };
    let ValueColumnsWire { sql, flux, influxql: _ } = &value.as_ref()?.value;
    let (sql_value, flux_value) = (sql.as_ref()?.value.0.clone(), flux.as_ref()?.value.0.clone());
    let (sql_time, flux_time) = match time {
        Some(time) => columns(&time.value).map(|(sql, flux)| (Some(sql), Some(flux)))?,
        None => (None, None),
    };
    let tolerance =
        tolerance.as_ref().map_or(Tolerance::Exact, |tolerance| tolerance_of(&tolerance.value));
    Some(Answer { sql_time, sql_value, flux_time, flux_value, tolerance })
}
