//! The stand-in on a socket, by itself: `cargo run --release --example serve -- 127.0.0.1:8086`.
//!
//! For measurements side by side with a real server, without building the whole command line.

use cutover_model::Clock;
use cutover_standin_influxdb::{Config, InfluxdbStandin};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8086".to_owned());
    let clock = Clock::new(|| {
        i64::try_from(jiff::Timestamp::now().as_nanosecond()).expect("the clock is before 2262")
    });
    let router = InfluxdbStandin::new(Config::new(clock)).router();
    axum::serve(tokio::net::TcpListener::bind(address).await?, router).await
}
