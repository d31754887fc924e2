//! Requests for those who send them by other means than this client.
//!
//! A load generator has a path of its own to the server; what a write or a query looks like is
//! still said here alone. The main type is [`PreparedRequest`]; [`decode_answer`] reads what comes
//! back.

use cutover_model::Secret;

use super::client::{InfluxClient, path_and_query, push_encoded};
use super::csv::CsvDecoder;
use super::query::query_body;
use super::table::FluxChunk;
use super::write::Precision;
use crate::error::ClientError;

/// A `POST` without its body.
#[derive(Clone, Debug)]
pub struct PreparedRequest {
    /// The server's address: `http://host:port`.
    pub base: String,
    /// The path with its query, encoded.
    pub path: String,
    /// The headers. A value may be the token.
    pub headers: Vec<(&'static str, Secret)>,
}

impl InfluxClient {
    /// Writes of line protocol, as [`write`](Self::write) sends them. The answer to one that was
    /// stored is 204.
    pub fn prepared_write(&self, bucket: &str, precision: Precision) -> PreparedRequest {
        let query = [("org", self.org()), ("bucket", bucket), ("precision", precision.name())];
        self.prepared("/api/v2/write", &query, "text/plain; charset=utf-8")
    }

    /// Flux queries, as [`query`](Self::query) sends them. The body is a [`flux_body`], the
    /// answer 200.
    pub fn prepared_query(&self) -> PreparedRequest {
        self.prepared("/api/v2/query", &[("org", self.org())], "application/json")
    }

    /// InfluxQL queries over the 1.x interface. The body is an [`influxql_body`], the answer 200.
    /// A query names its bucket: `FROM "bucket".."measurement"`.
    pub fn prepared_influxql(&self) -> PreparedRequest {
        let query = [("org", self.org()), ("epoch", "ns")];
        self.prepared("/query", &query, "application/x-www-form-urlencoded")
    }

    fn prepared(
        &self,
        path: &str,
        query: &[(&'static str, &str)],
        content: &str,
    ) -> PreparedRequest {
        let headers = vec![
            ("authorization", Secret::new(format!("Token {}", self.inner.token.expose()))),
            ("content-type", Secret::new(content.to_owned())),
            ("accept", Secret::new("application/csv".to_owned())),
        ];
        let base = self.inner.base.clone();
        PreparedRequest { base, path: path_and_query(path, query), headers }
    }
}

/// The body of a Flux query.
pub fn flux_body(flux: &str) -> Vec<u8> {
    query_body(flux).into_bytes()
}

/// The body of an InfluxQL query.
pub fn influxql_body(query: &str) -> Vec<u8> {
    let mut body = "q=".to_owned();
    push_encoded(&mut body, query);
    body.into_bytes()
}

/// The rows of a whole answer to a Flux query.
///
/// # Errors
///
/// The error that the server wrote into its answer, or an answer that is none.
pub fn decode_answer(body: &[u8]) -> Result<Vec<FluxChunk>, ClientError> {
    let mut decoder = CsvDecoder::new();
    decoder.feed(body)?;
    decoder.finish()?;
    Ok(std::iter::from_fn(|| decoder.take()).collect())
}
