//! The operations on databases and tables, and `DescribeEndpoints`.
//!
//! Each takes the shared state and a request's body and gives the answer's. Tables are `ACTIVE` at
//! once and gone at once.

use serde_json::{Value, json};

use crate::Shared;
use crate::error::{ApiError, ErrorKind};
use crate::store::{Catalog, Database, MagneticWrites, Retention, Table, TableEntry};
use crate::wire::{self, ListRequest, MagneticWire, ResourceRequest};

const ARN_PREFIX: &str = "arn:aws:timestream:us-east-1:000000000000:database";
const MAX_DATABASES: usize = 500;
const MAX_TABLES: usize = 50_000;
/// The largest page of a list, and the size when the request names none.
const MAX_RESULTS: i64 = 20;

pub(crate) fn describe_endpoints(shared: &Shared) -> Value {
    let address = &shared.config.advertised_address;
    json!({ "Endpoints": [{ "Address": address, "CachePeriodInMinutes": 1440 }] })
}

pub(crate) fn create_database(shared: &Shared, body: &[u8]) -> Result<Value, ApiError> {
    let request: ResourceRequest = wire::parse(body)?;
    let name = new_name(request.database_name, "databaseName")?;
    let now = shared.config.clock.now_ns();
    let mut catalog = shared.catalog();
    if catalog.databases.contains_key(&name) {
        let message = format!("The database {name} already exists.");
        return Err(ApiError::new(ErrorKind::Conflict, message));
    }
    if catalog.databases.len() >= MAX_DATABASES {
        return Err(over_quota(MAX_DATABASES, "databases"));
    }
    let database = Database { created_ns: now, updated_ns: now, tables: [].into() };
    let answer = json!({ "Database": database_json(&name, &database) });
    catalog.databases.insert(name, database);
    Ok(answer)
}

pub(crate) fn describe_database(shared: &Shared, body: &[u8]) -> Result<Value, ApiError> {
    let request: ResourceRequest = wire::parse(body)?;
    let name = wire::required(request.database_name, "databaseName")?;
    let mut catalog = shared.catalog();
    let database = database(&mut catalog, &name)?;
    Ok(json!({ "Database": database_json(&name, database) }))
}

/// The only thing to update on a database is its key, which is not kept.
pub(crate) fn update_database(shared: &Shared, body: &[u8]) -> Result<Value, ApiError> {
    let request: ResourceRequest = wire::parse(body)?;
    let name = wire::required(request.database_name, "databaseName")?;
    let mut catalog = shared.catalog();
    let database = database(&mut catalog, &name)?;
    database.updated_ns = shared.config.clock.now_ns();
    Ok(json!({ "Database": database_json(&name, database) }))
}

pub(crate) fn delete_database(shared: &Shared, body: &[u8]) -> Result<Value, ApiError> {
    let request: ResourceRequest = wire::parse(body)?;
    let name = wire::required(request.database_name, "databaseName")?;
    let mut catalog = shared.catalog();
    if !database(&mut catalog, &name)?.tables.is_empty() {
        return Err(ApiError::validation(format!(
            "Database {name} cannot be deleted while it still has tables."
        )));
    }
    catalog.databases.remove(&name);
    Ok(json!({}))
}

pub(crate) fn list_databases(shared: &Shared, body: &[u8]) -> Result<Value, ApiError> {
    let request: ListRequest = wire::parse(body)?;
    let catalog = shared.catalog();
    let all = catalog.databases.iter().map(|(name, database)| (name, (name, database)));
    let (page, next_token) = list_page(all, &request)?;
    let databases: Vec<Value> =
        page.into_iter().map(|(name, database)| database_json(name, database)).collect();
    Ok(list_answer(json!({ "Databases": databases }), next_token))
}

pub(crate) fn create_table(shared: &Shared, body: &[u8]) -> Result<Value, ApiError> {
    let request: ResourceRequest = wire::parse(body)?;
    let database_name = wire::required(request.database_name, "databaseName")?;
    let name = new_name(request.table_name, "tableName")?;
    let retention =
        Retention::default().updated(&request.retention_properties.unwrap_or_default())?;
    let now = shared.config.clock.now_ns();
    let mut catalog = shared.catalog();
    let tables: usize = catalog.databases.values().map(|database| database.tables.len()).sum();
    let database = database(&mut catalog, &database_name)?;
    if database.tables.contains_key(&name) {
        let message = format!("The table {name} already exists.");
        return Err(ApiError::new(ErrorKind::Conflict, message));
    }
    if tables >= MAX_TABLES {
        return Err(over_quota(MAX_TABLES, "tables"));
    }
    let table = TableEntry {
        created_ns: now,
        updated_ns: now,
        retention,
        magnetic_writes: magnetic_writes(request.magnetic_store_write_properties.as_ref())
            .unwrap_or_default(),
        rows: Table::default(),
    };
    let answer = json!({ "Table": table_json(&database_name, &name, &table) });
    database.tables.insert(name, table);
    Ok(answer)
}

pub(crate) fn describe_table(shared: &Shared, body: &[u8]) -> Result<Value, ApiError> {
    let request: ResourceRequest = wire::parse(body)?;
    let database_name = wire::required(request.database_name, "databaseName")?;
    let name = wire::required(request.table_name, "tableName")?;
    let mut catalog = shared.catalog();
    let table = table(&mut catalog, &database_name, &name)?;
    Ok(json!({ "Table": table_json(&database_name, &name, table) }))
}

pub(crate) fn update_table(shared: &Shared, body: &[u8]) -> Result<Value, ApiError> {
    let request: ResourceRequest = wire::parse(body)?;
    let database_name = wire::required(request.database_name, "databaseName")?;
    let name = wire::required(request.table_name, "tableName")?;
    let mut catalog = shared.catalog();
    let table = table(&mut catalog, &database_name, &name)?;
    table.retention = table.retention.updated(&request.retention_properties.unwrap_or_default())?;
    if let Some(writes) = magnetic_writes(request.magnetic_store_write_properties.as_ref()) {
        table.magnetic_writes = writes;
    }
    table.updated_ns = shared.config.clock.now_ns();
    Ok(json!({ "Table": table_json(&database_name, &name, table) }))
}

pub(crate) fn delete_table(shared: &Shared, body: &[u8]) -> Result<Value, ApiError> {
    let request: ResourceRequest = wire::parse(body)?;
    let database_name = wire::required(request.database_name, "databaseName")?;
    let name = wire::required(request.table_name, "tableName")?;
    let mut catalog = shared.catalog();
    let database = database(&mut catalog, &database_name)?;
    database.tables.remove(&name).ok_or_else(|| no_such_table(&name))?;
    Ok(json!({}))
}

/// The tables of one database, or of all when the request names none.
pub(crate) fn list_tables(shared: &Shared, body: &[u8]) -> Result<Value, ApiError> {
    let request: ListRequest = wire::parse(body)?;
    let mut catalog = shared.catalog();
    if let Some(name) = &request.database_name {
        database(&mut catalog, name)?;
    }
    let asked = request.database_name.as_ref();
    let databases =
        catalog.databases.iter().filter(|(name, _)| asked.is_none_or(|asked| asked == *name));
    let keyed: Vec<(String, (&String, &String, &TableEntry))> = databases
        .flat_map(|(database, entry)| {
            let tables = entry.tables.iter();
            // No name contains a slash, so this orders and identifies as the pair does.
            tables.map(move |(name, table)| (format!("{database}/{name}"), (database, name, table)))
        })
        .collect();
    let all = keyed.iter().map(|(key, value)| (key, *value));
    let (page, next_token) = list_page(all, &request)?;
    let tables: Vec<Value> =
        page.into_iter().map(|(database, name, table)| table_json(database, name, table)).collect();
    Ok(list_answer(json!({ "Tables": tables }), next_token))
}

/// The database that a request names, exactly.
pub(crate) fn database<'a>(
    catalog: &'a mut Catalog,
    name: &str,
) -> Result<&'a mut Database, ApiError> {
    let found = catalog.databases.get_mut(name);
    found.ok_or_else(|| ApiError::not_found(format!("The database {name} does not exist.")))
}

/// The table that a request names, exactly.
pub(crate) fn table<'a>(
    catalog: &'a mut Catalog,
    database_name: &str,
    name: &str,
) -> Result<&'a mut TableEntry, ApiError> {
    let tables = &mut database(catalog, database_name)?.tables;
    tables.get_mut(name).ok_or_else(|| no_such_table(name))
}

fn no_such_table(name: &str) -> ApiError {
    ApiError::not_found(format!("The table {name} does not exist."))
}

fn over_quota(limit: usize, what: &str) -> ApiError {
    let message = format!("The account already has {limit} {what}.");
    ApiError::new(ErrorKind::ServiceQuotaExceeded, message)
}

/// A name for something to be created.
fn new_name(name: Option<String>, member: &str) -> Result<String, ApiError> {
    let name = wire::required(name, member)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if (3..=256).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(name);
    }
    Err(ApiError::validation(format!(
        "1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: \
         Member must have 3 to 256 characters and satisfy regular expression pattern: \
         [a-zA-Z0-9_.-]+"
    )))
}

fn magnetic_writes(wire: Option<&MagneticWire>) -> Option<MagneticWrites> {
    let enabled = wire?.enable_magnetic_store_writes?;
    Some(if enabled { MagneticWrites::Enabled } else { MagneticWrites::Disabled })
}

/// One page of `all`, which is in the order of its keys, and the token of the next.
fn list_page<'a, T>(
    all: impl Iterator<Item = (&'a String, T)>,
    request: &ListRequest,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let limit = request.max_results.unwrap_or(MAX_RESULTS);
    let limit = usize::try_from(limit).ok().filter(|_| (1..=MAX_RESULTS).contains(&limit));
    let limit = limit.ok_or_else(|| {
        ApiError::validation(format!("MaxResults must be from 1 to {MAX_RESULTS}."))
    })?;
    let after = request.next_token.as_deref().map(decode_list_token).transpose()?;
    let mut rest = all.filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after));
    let mut page = Vec::new();
    let mut last = None;
    for (key, value) in rest.by_ref().take(limit) {
        last = Some(key.clone());
        page.push(value);
    }
    let next_token = rest.next().and(last).map(|key| encode_list_token(&key));
    Ok((page, next_token))
}

/// A list's token is the last name told, in hexadecimal so that no client takes it for a name.
fn encode_list_token(key: &str) -> String {
    key.bytes().fold(String::new(), |token, byte| token + &format!("{byte:02x}"))
}

fn decode_list_token(token: &str) -> Result<String, ApiError> {
    let digits = token.as_bytes();
    let pairs = digits.chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    let bytes: Option<Vec<u8>> = pairs.collect();
    let key = bytes.filter(|bytes| !bytes.is_empty()).map(String::from_utf8);
    key.and_then(Result::ok).ok_or_else(|| ApiError::validation("The NextToken is invalid."))
}

fn list_answer(mut answer: Value, next_token: Option<String>) -> Value {
    if let Some(token) = next_token {
        answer["NextToken"] = token.into();
    }
    answer
}

fn database_json(name: &str, database: &Database) -> Value {
    json!({
        "Arn": format!("{ARN_PREFIX}/{name}"),
        "DatabaseName": name,
        "TableCount": database.tables.len(),
        "KmsKeyId": "arn:aws:kms:us-east-1:000000000000:key/cutover",
        "CreationTime": epoch_seconds(database.created_ns),
        "LastUpdatedTime": epoch_seconds(database.updated_ns),
    })
}

fn table_json(database: &str, name: &str, table: &TableEntry) -> Value {
    json!({
        "Arn": format!("{ARN_PREFIX}/{database}/table/{name}"),
        "TableName": name,
        "DatabaseName": database,
        "TableStatus": "ACTIVE",
        "RetentionProperties": {
            "MemoryStoreRetentionPeriodInHours": table.retention.memory_hours,
            "MagneticStoreRetentionPeriodInDays": table.retention.magnetic_days,
        },
        "MagneticStoreWriteProperties": {
            "EnableMagneticStoreWrites": table.magnetic_writes == MagneticWrites::Enabled,
        },
        "CreationTime": epoch_seconds(table.created_ns),
        "LastUpdatedTime": epoch_seconds(table.updated_ns),
    })
}

/// AWS JSON tells times as seconds with a fraction, to the millisecond.
fn epoch_seconds(ns: i64) -> f64 {
    (ns / 1_000_000) as f64 / 1_000.0
}
