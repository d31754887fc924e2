//! InfluxDB 2 over its HTTP API.
//!
//! The main type is [`InfluxClient`]: health, set-up, buckets, writes, Flux queries and deletes.
//! [`line_protocol`] turns rows into what [`InfluxClient::write`] sends; [`csv`] turns what
//! [`InfluxClient::query`] gets into [`FluxChunk`]s. `InfluxQL` and tasks are left out.

mod authorizations;
mod buckets;
mod client;
pub mod csv;
mod influxql;
pub mod line_protocol;
mod prepared;
mod query;
mod table;
mod write;

pub use self::authorizations::{Access, Authorization};
pub use self::buckets::{Bucket, BucketOutcome, Retention};
pub use self::client::{
    Health, HealthStatus, InfluxClient, InfluxEndpoint, SetupOutcome, SetupRequest,
};
pub use self::influxql::decode_influxql;
pub use self::prepared::{PreparedRequest, decode_answer, flux_body, influxql_body};
pub use self::query::FluxReader;
pub use self::table::{FluxChunk, FluxColumn, FluxRow, FluxSchema, FluxType, FluxValue};
pub use self::write::{Encoding, Precision, WriteOutcome};
