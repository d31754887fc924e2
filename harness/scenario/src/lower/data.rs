//! Data sets: files that exist, columns that they have, and rows that do not collide.

use std::path::Path;

use cutover_model::scenario::{DataFormat, DataSet, FieldColumn, TagColumn, TimeColumn};
use cutover_model::{DataName, FieldType};

use super::Lowering;
use crate::data_file::{self, FileMistake};
use crate::diagnostic::{excerpt, shown_path};
use crate::name::joined;
use crate::reader::{At, Named};
use crate::suggest::{listing, suggest};
use crate::wire::data::{CsvWire, DataWire, FieldTypeWire, FieldWire, ParquetWire, TimeWire};
use crate::wire::entries;
use crate::wire::scalar::Slug;

/// The format of a Parquet timestamp, which has none.
const NO_FORMAT: &str = "";

impl Lowering<'_> {
    /// The data sets that can be made, in the order of the file.
    pub(super) fn data_sets(&mut self, declared: &[Named<Slug, DataWire>]) -> Vec<DataSet> {
        let mut sets: Vec<DataSet> = Vec::new();
        for (name, wire) in declared {
            let set = wire.as_ref().and_then(|wire| self.data_set(&name.value.0, &wire.value));
            let Some(set) = set else { continue };
            // One reason is enough, and many sets must not cost their square in messages.
            if let Some((message, help)) = sets.iter().find_map(|earlier| collision(earlier, &set))
            {
                self.mistakes.error(&name.place, message, help);
            }
            sets.push(set);
        }
        sets
    }

    fn data_set(&mut self, name: &str, wire: &DataWire) -> Option<DataSet> {
        let DataWire { csv, parquet, time, bucket, measurement, tags, fields } = wire;
        self.check_keys(wire);
        let format = match csv {
            Some(csv) => csv_format(&csv.value),
            None => DataFormat::Parquet,
        };
        let file = match (csv, parquet) {
            (Some(At { value: CsvWire { path, .. }, .. }), _)
            | (None, Some(At { value: ParquetWire { path }, .. })) => path.as_ref(),
            (None, None) => None,
        };
        let path = file.map(|file| joined(self.folder(), &file.value.0));
        if let (Some(file), Some(path)) = (file, &path) {
            match data_file::columns(path, format) {
                Ok(Some(header)) => self.check_columns(wire, &header, path),
                Ok(None) => {}
                Err(FileMistake { message, help }) => {
                    self.mistakes.error(&file.place, message, help);
                }
            }
        }
        let time = self.time_column(time.as_ref()?, format);
        let tag = |(tag, column): &(At<_>, Option<At<_>>)| tag_column(tag, column.as_ref());
        let field = |(key, wire): &(At<_>, Option<At<_>>)| field_column(key, wire.as_ref());
        let tags: Option<Vec<TagColumn>> = entries(tags.as_ref()).iter().map(tag).collect();
        let mut tags = tags?;
        tags.sort_by(|one, other| one.tag.cmp(&other.tag));
        Some(DataSet {
            name: DataName::new(name),
            path: path?,
            format,
            time: time?,
            bucket: bucket.as_ref()?.value.0.clone(),
            measurement: measurement.as_ref()?.value.0.clone(),
            tags,
            fields: entries(fields.as_ref()).iter().map(field).collect::<Option<_>>()?,
        })
    }

    /// The folder that paths of this file start from.
    pub(super) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    fn check_keys(&mut self, wire: &DataWire) {
        let tags = entries(wire.tags.as_ref());
        for (field, _) in entries(wire.fields.as_ref()) {
            if tags.iter().any(|(tag, _)| tag.value.0 == field.value.0) {
                let message = format!("`{}` is the key of a tag and of a field", field.value.0);
                let help = "give one of them another key: a query could not tell them apart";
                self.mistakes.error(&field.place, message, help);
            }
        }
    }

    fn check_columns(&mut self, wire: &DataWire, header: &[String], path: &Path) {
        let time = wire.time.as_ref().and_then(|time| time.value.column.as_ref());
        let tags = entries(wire.tags.as_ref()).iter().filter_map(|(_, column)| column.as_ref());
        let fields = entries(wire.fields.as_ref())
            .iter()
            .filter_map(|(_, field)| field.as_ref()?.value.column.as_ref());
        for column in time.into_iter().chain(tags).chain(fields) {
            let name = column.value.0.as_str();
            let count = header.iter().filter(|known| *known == name).count();
            if count == 1 {
                continue;
            }
            let file = shown_path(path);
            let message = match count {
                0 => format!("`{file}` has no column `{}`", excerpt(name)),
                _ => format!("`{file}` has the column `{}` {count} times", excerpt(name)),
            };
            let known = || header.iter().map(String::as_str);
            let help = match (suggest(name, known()), header) {
                (Some(meant), _) if count == 0 => format!("did you mean `{meant}`?"),
                (_, [only]) if only.contains([';', ',', '\t', '|']) => {
                    format!("the header is `{}`: is the `delimiter` right?", excerpt(only))
                }
                _ => format!("the header has {}", listing(known())),
            };
            self.mistakes.error(&column.place, message, help);
        }
    }

    fn time_column(&mut self, wire: &At<TimeWire>, format: DataFormat) -> Option<TimeColumn> {
        let TimeWire { column, format: notation, zone } = &wire.value;
        let needed = matches!(format, DataFormat::Csv { .. }) && notation.is_none();
        if needed && !self.mistakes.mention(&wire.place, "format") {
            let message = "`time` lacks the key `format`";
            let help = "add `format`: how the instant is written, `\"%Y-%m-%d %H:%M:%S\"`";
            self.mistakes.error(&wire.place, message, help);
        }
        let notation = notation.as_ref().map_or(NO_FORMAT, |format| &format.value.0);
        Some(TimeColumn {
            column: column.as_ref()?.value.0.clone(),
            format: notation.to_owned(),
            zone: zone.as_ref()?.value.0.clone(),
        })
    }
}

fn csv_format(wire: &CsvWire) -> DataFormat {
    DataFormat::Csv { delimiter: wire.delimiter.as_ref().map_or(b',', |byte| byte.value.0) }
}

fn tag_column(
    tag: &At<crate::wire::scalar::SeriesKey>,
    column: Option<&At<crate::wire::scalar::Column>>,
) -> Option<TagColumn> {
    Some(TagColumn { tag: tag.value.0.clone(), column: column?.value.0.clone() })
}

fn field_column(
    key: &At<crate::wire::scalar::SeriesKey>,
    wire: Option<&At<FieldWire>>,
) -> Option<FieldColumn> {
    let FieldWire { column, field_type } = &wire?.value;
    Some(FieldColumn {
        field: key.value.0.clone(),
        column: column.as_ref()?.value.0.clone(),
        field_type: field_type_of(&field_type.as_ref()?.value),
    })
}

/// The model's word for a field type.
pub(super) fn field_type_of(wire: &FieldTypeWire) -> FieldType {
    match wire {
        FieldTypeWire::Float => FieldType::Float,
        FieldTypeWire::Integer => FieldType::Integer,
        FieldTypeWire::Text => FieldType::Text,
        FieldTypeWire::Boolean => FieldType::Boolean,
    }
}

/// Why two data sets cannot both go where they say, and what to do.
fn collision(earlier: &DataSet, set: &DataSet) -> Option<(String, String)> {
    if (&earlier.bucket, &earlier.measurement) != (&set.bucket, &set.measurement) {
        return None;
    }
    let shared = format!("`{}` shares `{}/{}`", set.name, set.bucket, set.measurement);
    let with = format!("{shared} with `{}`", earlier.name);
    for field in &set.fields {
        let twin = earlier.fields.iter().find(|other| other.field == field.field);
        if let Some(twin) = twin.filter(|twin| twin.field_type != field.field_type) {
            let message = format!(
                "{with}, where the field `{}` is {} and not {}",
                field.field,
                twin.field_type.word(),
                field.field_type.word()
            );
            return Some((message, "InfluxDB keeps one type per field: rename one".to_owned()));
        }
    }
    let is_tag = |set: &DataSet, key: &str| set.tags.iter().any(|tag| tag.tag == key);
    let field_of = |one: &DataSet, other: &DataSet| {
        let field = one.fields.iter().find(|field| is_tag(other, &field.field));
        field.map(|field| field.field.clone())
    };
    if let Some(key) = field_of(set, earlier).or_else(|| field_of(earlier, set)) {
        let message = format!("{with}, where `{key}` is a tag of one and a field of the other");
        return Some((message, "give one of them another key".to_owned()));
    }
    let overlap = set
        .fields
        .iter()
        .find(|field| earlier.fields.iter().any(|other| other.field == field.field))?;
    let same_rows =
        earlier.path == set.path && earlier.time == set.time && earlier.tags == set.tags;
    same_rows.then(|| {
        let message = format!("{with} row by row: each would overwrite `{}`", overlap.field);
        (message, "rename the field, or put one into another measurement".to_owned())
    })
}
