//! What the buckets behind a statement's sources hold, shard group by shard group.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::column::data_type;
use crate::accounts::Id;
use crate::influxql::ast::{DataType, Measurement, Select, Source, SystemSource};
use crate::influxql::error::{Outcome, QueryError};
use crate::influxql::types::Names;
use crate::store::{FieldType, MeasurementSurvey, SeriesSurvey, ShardSurvey, Store};

/// The names that stand for something about a series rather than for a field of it.
pub(super) const VIRTUAL_FIELDS: [&str; 4] = ["_name", "_tagKey", "_tagValue", "_seriesKey"];

/// A series with its key as line protocol writes it.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) key: String,
    pub(super) survey: SeriesSurvey,
}

/// A measurement within a shard group: its series in order of their keys.
#[derive(Debug)]
pub(super) struct ShardMeasurement {
    pub(super) fields: BTreeMap<Arc<str>, FieldType>,
    pub(super) series: Vec<Series>,
}

/// A shard group.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) start_ns: i64,
    pub(super) measurements: BTreeMap<Arc<str>, ShardMeasurement>,
}

/// The bucket that serves a database and retention policy.
#[derive(Debug)]
pub(super) struct Mapped {
    pub(super) bucket: Id,
    pub(super) shards: Vec<Shard>,
}

/// Buckets by database and retention policy.
pub(crate) type Buckets = BTreeMap<(String, String), Id>;

/// All buckets that a statement reads.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    mapped: BTreeMap<(String, String), Mapped>,
}

impl Catalog {
    /// The buckets that a statement reads; `find` knows that of a database and policy.
    pub(crate) fn buckets(
        select: &Select,
        find: &dyn Fn(&str, &str) -> Outcome<Id>,
    ) -> Outcome<Buckets> {
        let mut wanted = BTreeMap::new();
        collect(select, &mut wanted);
        wanted
            .into_keys()
            .map(|path: (String, String)| Ok((path.clone(), find(&path.0, &path.1)?)))
            .collect()
    }

    /// Looks up what a statement reads.
    pub(crate) fn of(select: &Select, range: (i64, i64), store: &Store, buckets: &Buckets) -> Self {
        let mut wanted = BTreeMap::new();
        collect(select, &mut wanted);
        let mut catalog = Self::default();
        for (path, measurements) in wanted {
            let Some(&bucket) = buckets.get(&path) else { continue };
            let shards = store.survey(bucket, range, |name| {
                measurements.iter().any(|measurement| measurement.means(name))
            });
            let shards = shards.into_iter().map(Shard::of).collect();
            catalog.mapped.insert(path, Mapped { bucket, shards });
        }
        catalog
    }

    /// The bucket of a source.
    pub(super) fn mapped(&self, measurement: &Measurement) -> Option<&Mapped> {
        let Measurement { database, retention_policy, .. } = measurement;
        self.mapped.get(&(database.clone(), retention_policy.clone()))
    }

    /// The names of the measurements of a source.
    pub(super) fn names(&self, measurement: &Measurement) -> BTreeSet<Arc<str>> {
        let shards = self.mapped(measurement).map_or(&[][..], |mapped| &mapped.shards);
        let names = shards.iter().flat_map(|shard| shard.measurements.keys());
        names.filter(|name| measurement.means(name)).cloned().collect()
    }

    fn parts(&self, measurement: &Measurement) -> impl Iterator<Item = &ShardMeasurement> {
        let shards = self.mapped(measurement).map_or(&[][..], |mapped| &mapped.shards);
        let all = shards.iter().flat_map(|shard| &shard.measurements);
        let means = |name: &str| measurement.means(name);
        let found: Vec<_> = all.filter(|(name, _)| means(name)).collect();
        found.into_iter().map(|(_, part)| part)
    }

    /// The type of a name of a source: of several, the highest.
    pub(crate) fn type_of(&self, measurement: &Measurement, name: &str) -> DataType {
        let mut found = DataType::Unknown;
        let some = self.mapped(measurement).is_some_and(|mapped| !mapped.shards.is_empty());
        if some && VIRTUAL_FIELDS.contains(&name) {
            return DataType::String;
        }
        match measurement.system {
            Some(SystemSource::FieldKeys) if some && matches!(name, "fieldKey" | "fieldType") => {
                return DataType::String;
            }
            Some(SystemSource::Series) if some && name == "key" => return DataType::String,
            Some(_) => return DataType::Unknown,
            None => {}
        }
        for part in self.parts(measurement) {
            found = found.or_higher(part.type_of(name));
        }
        found
    }

    /// All names of a source.
    pub(crate) fn names_of(&self, measurement: &Measurement) -> Names {
        let mut names = Names::default();
        for part in self.parts(measurement) {
            for (name, field_type) in &part.fields {
                names.add_field(name, data_type(*field_type));
            }
            for series in &part.series {
                for (key, _) in series.survey.tags.iter() {
                    if !names.tags.contains(&**key) {
                        names.tags.insert(key.to_string());
                    }
                }
            }
        }
        names
    }
}

fn collect(select: &Select, wanted: &mut BTreeMap<(String, String), Vec<Measurement>>) {
    for source in &select.sources {
        match source {
            Source::Measurement(measurement) => {
                let Measurement { database, retention_policy, .. } = measurement;
                let path = (database.clone(), retention_policy.clone());
                wanted.entry(path).or_default().push(measurement.clone());
            }
            Source::SubQuery(inner) => collect(inner, wanted),
        }
    }
}

impl Measurement {
    /// Whether the source stands for the measurement of this name.
    pub(crate) fn means(&self, name: &str) -> bool {
        match &self.regex {
            Some(pattern) => pattern.is_match(name),
            None => self.name == name || (self.name.is_empty() && self.system.is_some()),
        }
    }
}

impl Shard {
    /// A shard group as the store describes it.
    pub(crate) fn of(survey: ShardSurvey) -> Self {
        let measurements = survey.measurements.into_iter().map(|measurement| {
            let MeasurementSurvey { name, fields, series } = measurement;
            let keyed = series
                .into_iter()
                .map(|survey| Series { key: series_key(&name, &survey.tags), survey });
            let mut series: Vec<Series> = keyed.collect();
            series.sort_by(|left, right| left.key.cmp(&right.key));
            let fields = fields.into_iter().collect();
            (name, ShardMeasurement { fields, series })
        });
        Self { start_ns: survey.start_ns, measurements: measurements.collect() }
    }
}

impl ShardMeasurement {
    /// The type of a name here. A field hides a tag of the same name.
    pub(super) fn type_of(&self, name: &str) -> DataType {
        if let Some(field_type) = self.fields.get(name) {
            return data_type(*field_type);
        }
        let tagged = |series: &Series| series.survey.tags.iter().any(|(key, _)| **key == *name);
        if self.series.iter().any(tagged) { DataType::Tag } else { DataType::Unknown }
    }
}

/// A series as line protocol names it.
fn series_key(name: &str, tags: &[(Arc<str>, Arc<str>)]) -> String {
    let escape = |key: &mut String, text: &str, special: &[char]| {
        for read in text.chars() {
            if special.contains(&read) {
                key.push('\\');
            }
            key.push(read);
        }
    };
    let mut key = String::new();
    escape(&mut key, name, &[',', ' ']);
    for (tag, value) in tags {
        key.push(',');
        escape(&mut key, tag, &[',', '=', ' ']);
        key.push('=');
        escape(&mut key, value, &[',', '=', ' ']);
    }
    key
}

/// The error for a retention policy that is not there.
pub(crate) fn policy_not_found(policy: &str) -> QueryError {
    QueryError::new(format!("retention policy not found: {policy}"))
}
