//! Temporary.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let clock = cutover_model::Clock::new(|| jiff::Timestamp::now().as_nanosecond() as i64);
    let standin = cutover_standin_influxdb::InfluxdbStandin::new(
        cutover_standin_influxdb::Config::new(clock),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:18087").await.unwrap();
    axum::serve(listener, standin.router()).await.unwrap();
}
