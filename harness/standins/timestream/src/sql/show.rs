//! The statements about the schema: `SHOW DATABASES`, `SHOW TABLES`, `SHOW MEASURES`, `DESCRIBE`.
//!
//! Also where a query's table name is looked up, since queries, unlike the write API, find a table
//! by its name in any case. `LIKE` patterns are not supported.

use std::sync::{Arc, PoisonError};

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::sql::sqlparser::tokenizer::Token;
use serde_json::json;

use super::tokens::{Tokens, at};
use super::{Output, OutputColumn, World};
use crate::error::ApiError;
use crate::store::{Catalog, Database, TableEntry};

/// The answer, when the statement is one of these.
pub(super) fn answer(tokens: &Tokens, world: World<'_>) -> Result<Option<Output>, ApiError> {
    let words: Vec<&str> = tokens.words().map(|word| word.map_or("", |word| &word.value)).collect();
    match words.as_slice() {
        ["show", "databases"] => Ok(Some(databases(world))),
        ["show", "tables", "from" | "in", ..] => {
            let [name] = names(tokens, 3)?;
            tables(tokens, world, &name).map(Some)
        }
        ["show", "measures", "from" | "in", ..] => {
            let [database, table] = names(tokens, 3)?;
            measures(tokens, world, (&database, &table)).map(Some)
        }
        ["describe" | "desc", ..] => {
            let [database, table] = names(tokens, 1)?;
            columns(tokens, world, (&database, &table)).map(Some)
        }
        ["show", ..] => Err(unsupported(tokens, "this form of SHOW")),
        _ => Ok(None),
    }
}

/// Runs `read` on the table that a query names.
pub(super) fn with_table<T>(
    world: World<'_>,
    tokens: &Tokens,
    (database, table): (&str, &str),
    read: impl FnOnce(&mut TableEntry) -> T,
) -> Result<T, ApiError> {
    let spelled = tokens.spelling(table).unwrap_or(table);
    with_database(world, tokens, database, |found| match found.table_in_query(spelled) {
        Some(entry) => Ok(read(entry)),
        None => Err(missing(tokens, "Table", table)),
    })?
}

fn with_database<T>(
    world: World<'_>,
    tokens: &Tokens,
    name: &str,
    read: impl FnOnce(&mut Database) -> T,
) -> Result<T, ApiError> {
    let mut catalog = world.catalog.lock().unwrap_or_else(PoisonError::into_inner);
    let catalog: &mut Catalog = &mut catalog;
    match catalog.database_in_query(tokens.spelling(name).unwrap_or(name)) {
        Some(database) => Ok(read(database)),
        None => Err(missing(tokens, "Database", name)),
    }
}

fn missing(tokens: &Tokens, what: &str, name: &str) -> ApiError {
    let spelling = tokens.spelling(name).unwrap_or(name);
    let message = format!("{what} '{spelling}' does not exist");
    match tokens.position(name) {
        Some(position) => at(position, &message),
        None => ApiError::validation(message),
    }
}

fn unsupported(tokens: &Tokens, what: &str) -> ApiError {
    let message = format!("{what} is not supported");
    match tokens.list.first() {
        Some(token) => at(token.span.start, &message),
        None => ApiError::validation(message),
    }
}

/// The `N` names, with dots between them, that the tokens from `start` on are.
fn names<const N: usize>(tokens: &Tokens, start: usize) -> Result<[String; N], ApiError> {
    let rest = tokens.list.get(start..).unwrap_or_default();
    let mut found = Vec::with_capacity(N);
    for (number, token) in rest.iter().enumerate() {
        match &token.token {
            Token::Word(word) if number % 2 == 0 => found.push(word.value.clone()),
            Token::Period if number % 2 == 1 => {}
            other => {
                return Err(at(token.span.start, &format!("'{other}' is not supported here")));
            }
        }
    }
    let even = rest.len() % 2 == 0;
    found.try_into().ok().filter(|_| !even).ok_or_else(|| {
        let expected = if N == 1 { "\"database\"" } else { "\"database\".\"table\"" };
        unsupported(tokens, &format!("a name other than {expected} in this statement"))
    })
}

fn databases(world: World<'_>) -> Output {
    let catalog = world.catalog.lock().unwrap_or_else(PoisonError::into_inner);
    text_output(["Database"], catalog.databases.keys().map(|name| [name.clone()]))
}

fn tables(tokens: &Tokens, world: World<'_>, name: &str) -> Result<Output, ApiError> {
    with_database(world, tokens, name, |database| {
        text_output(["Table"], database.tables.keys().map(|name| [name.clone()]))
    })
}

fn measures(tokens: &Tokens, world: World<'_>, name: (&str, &str)) -> Result<Output, ApiError> {
    with_table(world, tokens, name, |entry| {
        let rows = entry.rows.measure_list().into_iter().map(|(name, kind, dimensions)| {
            let dimensions: Vec<_> = dimensions
                .into_iter()
                .map(|name| json!({ "dimension_name": name, "data_type": "varchar" }))
                .collect();
            let dimensions = serde_json::Value::from(dimensions).to_string();
            [name.to_owned(), kind.to_owned(), dimensions]
        });
        text_output(["measure_name", "data_type", "dimensions"], rows)
    })
}

fn columns(tokens: &Tokens, world: World<'_>, name: (&str, &str)) -> Result<Output, ApiError> {
    with_table(world, tokens, name, |entry| {
        let rows = entry.rows.column_list().into_iter().map(|(name, kind)| {
            [name, kind.type_name().to_owned(), kind.attribute_name().to_owned()]
        });
        text_output(["Column", "Type", "Timestream attribute type"], rows)
    })
}

fn text_output<const N: usize>(
    names: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Output {
    let rows: Vec<[String; N]> = rows.collect();
    let columns =
        names.map(|name| OutputColumn { name: name.to_owned(), data_type: DataType::Utf8 });
    let fields: Vec<Field> =
        names.iter().map(|name| Field::new(*name, DataType::Utf8, false)).collect();
    let arrays = (0..N).map(|number| {
        let values = rows.iter().map(|row| Some(row[number].as_str()));
        Arc::new(values.collect::<StringArray>()) as ArrayRef
    });
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays.collect())
        .expect("the columns have one length and the schema's type");
    Output { columns: columns.into(), batches: vec![batch], bytes_scanned: 0 }
}
