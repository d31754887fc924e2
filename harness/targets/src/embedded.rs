//! The embedded target: both stores are stand-ins in this process, on loopback sockets.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use cutover_clients::influx::{InfluxClient, InfluxEndpoint, Retention, SetupRequest};
use cutover_clients::timestream::{Credentials, TimestreamAddress, TimestreamEndpoint};
use cutover_clients::{Http, Timeouts};
use cutover_model::{Clock, Secret, Timing};

use crate::serve::{Serving, influxdb_standin, timestream_standin};
use crate::{AcquireCause, Capabilities, ReleaseError, Target};

/// The stand-ins of an embedded target are reached from this process only and live as long as it,
/// so that their credentials keep no secret; they are typed as secrets like any other.
const TOKEN: &str = "embedded-stand-in-token";
const PASSWORD: &str = "embedded-stand-in-password";

/// What was started for a target.
#[derive(Debug)]
pub(crate) struct Lease {
    source: Serving,
    destination: Serving,
}

impl Lease {
    pub(crate) async fn release(self) -> Result<(), Vec<ReleaseError>> {
        let (source, destination) = tokio::join!(self.source.stop(), self.destination.stop());
        let left = [(source, "Timestream stand-in"), (destination, "InfluxDB stand-in")]
            .into_iter()
            .filter(|(stopped, _)| !stopped)
            .map(|(_, what)| ReleaseError { what })
            .collect::<Vec<_>>();
        if left.is_empty() { Ok(()) } else { Err(left) }
    }
}

pub(crate) async fn acquire(clock: &Clock) -> Result<Target, AcquireCause> {
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let source = timestream_standin(any_port, clock).await.map_err(AcquireCause::Bind)?;
    let destination = influxdb_standin(any_port, clock).await.map_err(AcquireCause::Bind)?;
    let endpoint = InfluxEndpoint {
        url: destination.url(),
        org: "cutover".to_owned(),
        token: Secret::new(TOKEN),
    };
    set_up(&endpoint).await.map_err(AcquireCause::Setup)?;
    Ok(Target {
        source: TimestreamEndpoint {
            address: TimestreamAddress::fixed(source.url()),
            region: "us-east-1".to_owned(),
            credentials: Credentials::unchecked(),
        },
        destination: endpoint,
        capabilities: Capabilities { timing: Timing::Indicative },
        lease: Lease { source, destination },
    })
}

async fn set_up(endpoint: &InfluxEndpoint) -> Result<(), cutover_clients::ClientError> {
    let timeouts = Timeouts {
        connect: Duration::from_secs(2),
        answer: Duration::from_secs(10),
        idle: Duration::from_secs(10),
    };
    let client = InfluxClient::new(endpoint.clone(), Http::sockets(timeouts)?)?;
    let request = SetupRequest {
        username: "cutover".to_owned(),
        password: Secret::new(PASSWORD),
        bucket: "cutover".to_owned(),
        retention: Retention::Infinite,
    };
    client.setup(&request).await.map(|_| ())
}
