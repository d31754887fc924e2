//! Servers and clients for the tests, on the in-memory network.

use std::time::Duration;

use axum::Router;
use cutover_clients::influx::{InfluxClient, InfluxEndpoint};
use cutover_clients::{Http, Timeouts};
use cutover_model::Secret;
use cutover_net::Network;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

pub(crate) const TOKEN: &str = "s3cr3t-token";

pub(crate) const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(1),
    answer: Duration::from_secs(10),
    idle: Duration::from_secs(5),
};

pub(crate) fn http(network: &Network) -> Http {
    Http::in_memory(network, "client", TIMEOUTS)
}

pub(crate) fn endpoint(url: &str) -> InfluxEndpoint {
    InfluxEndpoint { url: url.to_owned(), org: "ons & co".to_owned(), token: Secret::new(TOKEN) }
}

/// A client of `http://server:8086`, where nothing runs yet.
pub(crate) fn influx(network: &Network) -> InfluxClient {
    InfluxClient::new(endpoint("http://server:8086"), http(network)).unwrap()
}

/// A network on which `app` is served, and a client of it.
pub(crate) fn influx_at(app: Router) -> (Network, InfluxClient) {
    let network = Network::default();
    network.serve("server", 8086, app).unwrap();
    let client = influx(&network);
    (network, client)
}

/// A network on which each connection is answered with `parts`, a virtual second apart, and then
/// closed.
pub(crate) fn influx_saying(parts: &'static [&'static str]) -> (Network, InfluxClient) {
    let network = Network::default();
    let mut listener = network.listen("server", 8086).unwrap();
    network.spawn("server", async move {
        while let Ok(mut stream) = listener.accept().await {
            read_head(&mut stream).await;
            for part in parts {
                stream.write_all(part.as_bytes()).await.unwrap();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            drop(stream.shutdown().await);
        }
    });
    let client = influx(&network);
    (network, client)
}

/// Reads a request up to the end of its head, which is where an answer may begin.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
}
