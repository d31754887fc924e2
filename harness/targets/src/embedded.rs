//! The embedded target's destination: a stand-in in this process, on a loopback socket.

use std::net::{Ipv4Addr, SocketAddr};

use cutover_clients::influx::InfluxEndpoint;
use cutover_model::Clock;
use cutover_standin_influxdb::QuirkControl;

use crate::serve::{Serving, influxdb_standin};
use crate::setup::{SetUpError, Starting};

/// A stand-in for InfluxDB that serves.
#[derive(Debug)]
pub(crate) struct Embedded {
    pub(crate) serving: Serving,
    pub(crate) endpoint: InfluxEndpoint,
}

/// A stand-in that could not be served.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No port.
    #[error("no port could be opened on the loopback interface")]
    Bind(#[source] std::io::Error),
    /// It is not ready.
    #[error("the InfluxDB stand-in could not be set up")]
    SetUp(#[source] SetUpError),
}

impl Embedded {
    pub(crate) async fn start(clock: &Clock) -> Result<Self, EmbeddedError> {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let serving = influxdb_standin(any_port, clock, QuirkControl::Off)
            .await
            .map_err(EmbeddedError::Bind)?;
        let starting = Starting::at(serving.url()).map_err(EmbeddedError::SetUp)?;
        loop {
            if let Some(ready) = starting.ask().await.map_err(EmbeddedError::SetUp)? {
                return Ok(Self { serving, endpoint: ready.endpoint });
            }
        }
    }
}
