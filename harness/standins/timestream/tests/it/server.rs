//! A stand-in behind a loopback listener, and SDK clients for it.

use aws_credential_types::Credentials;
use aws_sdk_timestreamquery as query;
use aws_sdk_timestreamquery::types::{ColumnInfo, Datum, Row};
use aws_sdk_timestreamwrite as write;
use aws_sdk_timestreamwrite::types::{
    Dimension, MagneticStoreWriteProperties, MeasureValueType, Record, TimeUnit,
};
use cutover_model::Clock;
use cutover_standin_timestream::{Config, TimestreamStandin};

use crate::transport::Transport;

/// 2024-01-01T00:00:00Z.
pub(crate) const NOW_S: i64 = 1_704_067_200;
pub(crate) const NOW_NS: i64 = NOW_S * 1_000_000_000;

pub(crate) const DATABASE: &str = "ons";
pub(crate) const TABLE: &str = "load_curve";

pub(crate) struct Server {
    pub(crate) write: write::Client,
    pub(crate) query: query::Client,
    pub(crate) address: String,
}

/// A server whose clock stands still.
pub(crate) async fn start() -> Server {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let standin = TimestreamStandin::new(Config {
        clock: Clock::fixed(NOW_NS + 123_456_789),
        advertised_address: address.clone(),
    });
    let router = standin.router();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let url = format!("http://{address}");
    let credentials = Credentials::new("key", "secret", None, None, "test");
    let write = write::Config::builder()
        .behavior_version(write::config::BehaviorVersion::latest())
        .region(write::config::Region::new("us-east-1"))
        .credentials_provider(credentials.clone())
        .endpoint_url(&url)
        .http_client(Transport::new())
        .retry_config(write::config::retry::RetryConfig::disabled())
        .build();
    let query = query::Config::builder()
        .behavior_version(query::config::BehaviorVersion::latest())
        .region(query::config::Region::new("us-east-1"))
        .credentials_provider(credentials)
        .endpoint_url(&url)
        .http_client(Transport::new())
        .retry_config(query::config::retry::RetryConfig::disabled())
        .build();
    Server {
        write: write::Client::from_conf(write),
        query: query::Client::from_conf(query),
        address,
    }
}

/// A server with a table that takes old records.
pub(crate) async fn start_with_table() -> Server {
    let server = start().await;
    server.write.create_database().database_name(DATABASE).send().await.unwrap();
    create_table(&server, TABLE).await;
    server
}

pub(crate) async fn create_table(server: &Server, name: &str) {
    let magnetic =
        MagneticStoreWriteProperties::builder().enable_magnetic_store_writes(true).build().unwrap();
    let table = server.write.create_table().database_name(DATABASE).table_name(name);
    table.magnetic_store_write_properties(magnetic).send().await.unwrap();
}

impl Server {
    /// Writes records, a hundred at a time.
    pub(crate) async fn put(&self, records: Vec<Record>) {
        for batch in records.chunks(100) {
            let request = self.write.write_records().database_name(DATABASE).table_name(TABLE);
            request.set_records(Some(batch.to_vec())).send().await.unwrap();
        }
    }

    /// The first page of a query, as rows of text; `NULL` for null.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let answer = self.query.query().query_string(sql).send().await;
        let answer = answer.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        answer.rows().iter().map(texts).collect()
    }

    /// The only value of a query.
    pub(crate) async fn value(&self, sql: &str) -> String {
        let rows = self.rows(sql).await;
        assert_eq!((rows.len(), rows[0].len()), (1, 1), "{sql}");
        rows[0][0].clone()
    }

    /// Names and types of a query's columns.
    pub(crate) async fn columns(&self, sql: &str) -> Vec<(String, String)> {
        let answer = self.query.query().query_string(sql).send().await.unwrap();
        answer.column_info().iter().map(name_and_type).collect()
    }

    /// The message of the `ValidationException` that a query ends in.
    pub(crate) async fn refusal(&self, sql: &str) -> String {
        let error = self.query.query().query_string(sql).send().await;
        let error = match error {
            Ok(_) => panic!("`{sql}` was answered"),
            Err(error) => error.into_service_error(),
        };
        match error {
            query::operation::query::QueryError::ValidationException(refusal) => {
                refusal.message().unwrap().to_owned()
            }
            other => panic!("`{sql}`: {other:?}"),
        }
    }
}

pub(crate) fn texts(row: &Row) -> Vec<String> {
    row.data().iter().map(text).collect()
}

fn text(datum: &Datum) -> String {
    match (datum.scalar_value(), datum.null_value()) {
        (Some(text), None) => text.to_owned(),
        (None, Some(true)) => "NULL".to_owned(),
        _ => panic!("{datum:?}"),
    }
}

fn name_and_type(column: &ColumnInfo) -> (String, String) {
    let scalar = column.r#type().unwrap().scalar_type().unwrap().as_str();
    (column.name().unwrap().to_owned(), scalar.to_owned())
}

pub(crate) fn dimension(name: &str, value: &str) -> Dimension {
    Dimension::builder().name(name).value(value).build().unwrap()
}

/// A measure of one value, in seconds.
pub(crate) fn record(region: &str, time_s: i64, value: f64) -> Record {
    Record::builder()
        .dimensions(dimension("region", region))
        .measure_name("load")
        .measure_value(value.to_string())
        .measure_value_type(MeasureValueType::Double)
        .time(time_s.to_string())
        .time_unit(TimeUnit::Seconds)
        .build()
}
