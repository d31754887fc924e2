//! HTTP over the network: hyper's client against axum under hyper's server.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use cutover_net::{Dial, HttpClient, Link, Network};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Frame;
use tokio::time::{Instant, sleep, timeout};

const MINUTE: Duration = Duration::from_mins(1);

fn app() -> Router {
    Router::new()
        .route("/echo", post(|body: Bytes| async move { body }))
        .route("/slow", get(|| async { sleep(MINUTE).await }))
}

fn client(network: &Network) -> HttpClient {
    HttpClient::new(Dial::new(network, "client", MINUTE))
}

fn echo(text: &'static str) -> Request<Full<Bytes>> {
    Request::post("http://server:8086/echo").body(Full::from(text)).unwrap()
}

fn slow() -> Request<Full<Bytes>> {
    Request::get("http://server:8086/slow").body(Full::default()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_request_is_served_and_its_answer_streams() {
    let network = Network::new(Duration::from_millis(5));
    network.serve("server", 8086, app()).unwrap();
    let answer = client(&network).send(echo("hello")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "hello");
}

#[tokio::test(start_paused = true)]
async fn a_second_request_uses_the_connection_of_the_first() {
    let network = Network::new(Duration::from_millis(5));
    network.serve("server", 8086, app()).unwrap();
    let client = client(&network);
    client.send(echo("one")).await.unwrap().into_body().collect().await.unwrap();
    let start = Instant::now();
    client.send(echo("two")).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(start.elapsed().as_millis(), 10, "there is no round trip for a new connection");
}

#[tokio::test(start_paused = true)]
async fn an_answer_tells_no_wall_clock() {
    let network = Network::default();
    network.serve("server", 8086, app()).unwrap();
    let answer = client(&network).send(echo("x")).await.unwrap();
    assert_eq!(answer.headers().get("date"), None);
}

#[tokio::test(start_paused = true)]
async fn a_refused_connect_is_told_from_a_broken_request() {
    let network = Network::default();
    assert!(client(&network).send(echo("x")).await.unwrap_err().is_connect());
    network.serve("server", 8086, app()).unwrap();
    let client = client(&network);
    let sending = tokio::spawn(async move { client.send(slow()).await });
    sleep(Duration::from_secs(1)).await;
    network.reset(&Link::between("client", "server"));
    assert!(!sending.await.unwrap().unwrap_err().is_connect());
}

#[tokio::test(start_paused = true)]
async fn a_crash_breaks_the_requests_in_flight() {
    let network = Network::default();
    network.serve("server", 8086, app()).unwrap();
    let client = client(&network);
    let sending = tokio::spawn(async move { client.send(slow()).await });
    sleep(Duration::from_secs(1)).await;
    network.crash("server");
    let broken = timeout(MINUTE / 2, sending).await.expect("nobody waits for the dead");
    assert!(broken.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_restarted_server_is_reached_by_the_same_client() {
    let network = Network::default();
    network.serve("server", 8086, app()).unwrap();
    let client = client(&network);
    client.send(echo("x")).await.unwrap().into_body().collect().await.unwrap();
    network.crash("server");
    sleep(Duration::from_secs(1)).await;
    network.serve("server", 8086, app()).unwrap();
    assert_eq!(client.send(echo("x")).await.unwrap().status(), StatusCode::OK);
}

/// A body that says one thing and then nothing more.
struct Stalling(bool);

impl hyper::body::Body for Stalling {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"first")))))
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_is_an_error_and_not_an_end() {
    let network = Network::default();
    let app = Router::new().route("/stall", get(|| async { Body::new(Stalling(false)) }));
    network.serve("server", 8086, app).unwrap();
    let request = Request::get("http://server:8086/stall").body(Full::default()).unwrap();
    let mut body = client(&network).send(request).await.unwrap().into_body();
    assert!(body.frame().await.unwrap().is_ok());
    network.crash("server");
    assert!(timeout(MINUTE, body.frame()).await.expect("the crash is seen").unwrap().is_err());
}
