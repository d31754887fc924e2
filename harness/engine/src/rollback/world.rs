//! The drill's world: two stand-ins on an in-memory network, set up at the start and read back
//! at the end.
//!
//! The main type is [`World`]. Both stand-ins are served by hyper to the harness's own clients;
//! the InfluxDB stand-in sits behind a layer of faults.

use std::time::Duration;

use cutover_clients::influx::{FluxValue, InfluxClient, InfluxEndpoint, Retention, SetupRequest};
use cutover_clients::timestream::{
    Credentials, TableRetention, TimestreamAddress, TimestreamClient, TimestreamEndpoint,
    TimestreamValue,
};
use cutover_clients::{ClientError, Http, Timeouts};
use cutover_faults::{Faults, serve_connection};
use cutover_model::{Clock, FieldValue, Secret};
use cutover_net::{Dial, Network};
use cutover_standin_influxdb::InfluxdbStandin;
use cutover_standin_timestream::TimestreamStandin;
use tokio::time::Instant;

use super::error::DrillError;
use super::history::StoredPoint;
use super::names::{BUCKET, DEVICE, EPOCH_NS, ID, MEASUREMENT, REQUEST_LIMIT, at_ns};
use super::stores::Stores;

/// The hosts of the two stores.
const TIMESTREAM: &str = "timestream";
const INFLUXDB: &str = "influxdb";
/// The port of both.
const PORT: u16 = 80;
/// How long a byte travels, in each direction.
const LINK_LATENCY: Duration = Duration::from_millis(1);

/// Two stores on a network.
pub(super) struct World {
    network: Network,
    clock: Clock,
    seed: u64,
}

impl World {
    /// Starts both stores. The InfluxDB misbehaves as `faults` say.
    pub(super) fn start(faults: &Faults, seed: u64) -> Result<Self, DrillError> {
        let start = Instant::now();
        let clock = Clock::new(move || at_ns(start.elapsed()));
        let network = Network::new(LINK_LATENCY);
        let timestream = TimestreamStandin::new(cutover_standin_timestream::Config {
            clock: clock.clone(),
            advertised_address: format!("{TIMESTREAM}:{PORT}"),
        });
        network
            .serve(TIMESTREAM, PORT, timestream.router())
            .map_err(|cause| DrillError::Serve { host: TIMESTREAM, cause })?;
        let config = cutover_standin_influxdb::Config::new(clock.clone());
        let service = faults.wrap(InfluxdbStandin::new(config).router());
        let mut listener = network
            .listen(INFLUXDB, PORT)
            .map_err(|cause| DrillError::Serve { host: INFLUXDB, cause })?;
        let host = Dial::new(&network, INFLUXDB, REQUEST_LIMIT);
        network.spawn(INFLUXDB, async move {
            while let Ok(stream) = listener.accept().await {
                host.spawn(serve_connection(stream, service.clone()));
            }
        });
        Ok(Self { network, clock, seed })
    }

    /// The way of the process on `host` to both stores.
    pub(super) async fn stores(&self, host: &str, number: u64) -> Result<Stores, DrillError> {
        let timeouts = Timeouts {
            connect: Duration::from_secs(5),
            answer: REQUEST_LIMIT,
            idle: REQUEST_LIMIT,
        };
        let http = || Http::in_memory(&self.network, host, timeouts);
        let source = TimestreamClient::connect(
            TimestreamEndpoint {
                address: TimestreamAddress::fixed(format!("http://{TIMESTREAM}")),
                region: "us-east-1".to_owned(),
                credentials: Credentials::unchecked(),
            },
            http(),
            self.clock.clone(),
            cutover_model::draw::draw(self.seed, number, 0),
        );
        let source = source.await.map_err(|cause| store_error("reach", SOURCE, cause))?;
        let endpoint = InfluxEndpoint {
            url: format!("http://{INFLUXDB}"),
            org: "drill".to_owned(),
            token: Secret::new("drill-token"),
        };
        let destination = InfluxClient::new(endpoint, http())
            .map_err(|cause| store_error("reach", DESTINATION, cause))?;
        Ok(Stores { source, destination })
    }
}

const SOURCE: &str = "source";
const DESTINATION: &str = "destination";

/// Makes the database, the table and the bucket.
pub(super) async fn set_up(stores: &Stores) -> Result<(), DrillError> {
    let source = |cause| store_error("set up", SOURCE, cause);
    stores.source.create_database(BUCKET).await.map_err(source)?;
    let retention = TableRetention { memory_hours: 24, magnetic_days: 365 };
    stores.source.create_table(BUCKET, MEASUREMENT, retention).await.map_err(source)?;
    let request = SetupRequest {
        username: "drill".to_owned(),
        password: Secret::new("drill-password"),
        bucket: BUCKET.to_owned(),
        retention: Retention::Infinite,
    };
    let set_up = stores.destination.setup(&request).await;
    set_up.map(drop).map_err(|cause| store_error("set up", DESTINATION, cause))
}

/// Reads everything that the source holds.
pub(super) async fn read_source(stores: &Stores) -> Result<Vec<StoredPoint>, DrillError> {
    let sql = format!("SELECT {DEVICE}, time, {ID} FROM \"{BUCKET}\".\"{MEASUREMENT}\"");
    let mut pages = stores.source.query(&sql);
    let mut points = Vec::new();
    loop {
        let page = pages.next_page().await;
        let page = page.map_err(|cause| store_error("read back", SOURCE, cause))?;
        let Some(page) = page else { break };
        for row in page.rows {
            let point = match row.as_slice() {
                [
                    TimestreamValue::Field(FieldValue::Text(device)),
                    TimestreamValue::Timestamp(time_ns),
                    TimestreamValue::Field(FieldValue::Integer(id)),
                ] => point(device, *time_ns, *id),
                _ => None,
            };
            points.push(point.ok_or_else(|| DrillError::StrangeRow {
                store: SOURCE,
                what: format!("{row:?}"),
            })?);
        }
    }
    points.sort_unstable();
    Ok(points)
}

/// Reads everything that the destination holds.
pub(super) async fn read_destination(stores: &Stores) -> Result<Vec<StoredPoint>, DrillError> {
    let failed = |cause| store_error("read back", DESTINATION, cause);
    let start = cutover_clients::format_rfc3339(EPOCH_NS - 1_000_000_000);
    let flux = format!(
        "from(bucket: \"{BUCKET}\") |> range(start: {start}) \
         |> filter(fn: (r) => r._measurement == \"{MEASUREMENT}\" and r._field == \"{ID}\")"
    );
    let mut answer = stores.destination.query(&flux).await.map_err(failed)?;
    let mut points = Vec::new();
    while let Some(chunk) = answer.next().await.map_err(failed)? {
        let column = |name| chunk.schema().position(name);
        let columns = (column(DEVICE), column("_time"), column("_value"));
        let (Some(device), Some(time), Some(id)) = columns else {
            let what = format!("{:?}", chunk.schema());
            return Err(DrillError::StrangeRow { store: DESTINATION, what });
        };
        for row in chunk.rows() {
            let cells = (row.value(device), row.value(time), row.value(id));
            let point = match cells {
                (
                    Ok(FluxValue::Text(device)),
                    Ok(FluxValue::Time(time)),
                    Ok(FluxValue::Integer(id)),
                ) => point(device, time, id),
                _ => None,
            };
            points.push(point.ok_or_else(|| DrillError::StrangeRow {
                store: DESTINATION,
                what: format!("{row:?}"),
            })?);
        }
    }
    points.sort_unstable();
    Ok(points)
}

fn point(device: &str, time_ns: i64, id: i64) -> Option<StoredPoint> {
    let device = device.strip_prefix("device-")?.parse().ok()?;
    Some(StoredPoint { id: u64::try_from(id).ok()?, device, time_ns })
}

fn store_error(what: &'static str, store: &'static str, cause: ClientError) -> DrillError {
    DrillError::Store { what, store, cause }
}
