//! The clients of one scenario's two stores.

use cutover_clients::influx::{InfluxClient, InfluxEndpoint};
use cutover_clients::timestream::{TimestreamClient, TimestreamEndpoint};
use cutover_clients::{ClientError, Http};

use crate::cx::RunCx;

/// Both stores of a scenario, through their wire protocols.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) source: TimestreamClient,
    /// The destination, with a token that may write to the scenario's buckets.
    pub(crate) destination: InfluxClient,
    /// The destination, with a token that may read from them and do nothing else.
    pub(crate) reader: InfluxClient,
    endpoint: InfluxEndpoint,
    http: Http,
}

impl Stores {
    pub(crate) async fn connect(
        source: TimestreamEndpoint,
        (writer, reader): (InfluxEndpoint, InfluxEndpoint),
        cx: &RunCx,
        seed: u64,
    ) -> Result<Self, ClientError> {
        let http = Http::sockets(cx.timeouts)?;
        let source =
            TimestreamClient::connect(source, http.clone(), cx.clock.clone(), seed).await?;
        let endpoint = writer;
        let destination = InfluxClient::new(endpoint.clone(), http.clone())?;
        let reader = InfluxClient::new(reader, http.clone())?;
        Ok(Self { source, destination, reader, endpoint, http })
    }

    /// Where the destination itself is.
    pub(crate) fn destination_url(&self) -> &str {
        &self.endpoint.url
    }

    /// The same destination, reached through a proxy at `url`.
    pub(crate) fn destination_through(&self, url: String) -> Result<InfluxClient, ClientError> {
        InfluxClient::new(InfluxEndpoint { url, ..self.endpoint.clone() }, self.http.clone())
    }
}
