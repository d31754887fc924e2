//! The clients of one scenario's two stores.

use cutover_clients::influx::{InfluxClient, InfluxEndpoint};
use cutover_clients::timestream::TimestreamClient;
use cutover_clients::{ClientError, Http};
use cutover_targets::Target;

use crate::cx::RunCx;

/// Both stores of a scenario, through their wire protocols.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) source: TimestreamClient,
    pub(crate) destination: InfluxClient,
    endpoint: InfluxEndpoint,
    http: Http,
}

impl Stores {
    pub(crate) async fn connect(
        target: &Target,
        cx: &RunCx,
        seed: u64,
    ) -> Result<Self, ClientError> {
        let http = Http::sockets(cx.timeouts)?;
        let source =
            TimestreamClient::connect(target.source.clone(), http.clone(), cx.clock.clone(), seed)
                .await?;
        let endpoint = target.destination.clone();
        let destination = InfluxClient::new(endpoint.clone(), http.clone())?;
        Ok(Self { source, destination, endpoint, http })
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
