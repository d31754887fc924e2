//! Serving a stand-in on a real socket, for a target or for any other client.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use cutover_model::Clock;
use cutover_standin_influxdb::{InfluxdbStandin, QuirkControl};
use cutover_standin_timestream::TimestreamStandin;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long open requests may go on after the stop was asked for.
const GRACE: Duration = Duration::from_secs(2);

/// A server that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Serving {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops it: open requests get a short while to end. `false` when they did not and were cut.
    pub async fn stop(mut self) -> bool {
        // The server waits for the other end to be dropped.
        drop(self.stop.take());
        timeout(GRACE, &mut self.task).await.is_ok()
    }

    fn start(address: SocketAddr, listener: TcpListener, router: Router) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let until = async move {
                // Dropping the handle stops the server as well.
                drop(stopped.await);
            };
            // `serve` only ends by the signal: accept errors are retried inside.
            drop(axum::serve(listener, router).with_graceful_shutdown(until).await);
        });
        Self { address, stop: Some(stop), task }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves an empty InfluxDB stand-in at `listen`.
pub async fn influxdb_standin(
    listen: SocketAddr,
    clock: &Clock,
    quirk_control: QuirkControl,
) -> std::io::Result<Serving> {
    let listener = TcpListener::bind(listen).await?;
    let config = cutover_standin_influxdb::Config::new(clock.clone());
    let standin =
        InfluxdbStandin::new(cutover_standin_influxdb::Config { quirk_control, ..config });
    Ok(Serving::start(listener.local_addr()?, listener, standin.router()))
}

/// Serves an empty Timestream stand-in at `listen`.
pub async fn timestream_standin(listen: SocketAddr, clock: &Clock) -> std::io::Result<Serving> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let standin = TimestreamStandin::new(cutover_standin_timestream::Config {
        clock: clock.clone(),
        advertised_address: address.to_string(),
    });
    Ok(Serving::start(address, listener, standin.router()))
}
