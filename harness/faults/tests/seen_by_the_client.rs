//! Each fault, as the client of a service behind the proxy sees it, and what the service sees.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use cutover_faults::{FaultKind, Faults, Proxy, Scope};
use cutover_model::Ratio;
use http::header::{CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;

const ANSWER: &str = ",result,table,_value\r\n,,0,41\r\n";

/// A service that counts the writes it applies, behind a proxy.
struct Bench {
    faults: Faults,
    proxy: Proxy,
    client: Client<HttpConnector, Body>,
    applied: Arc<AtomicU64>,
}

impl Bench {
    async fn new() -> Self {
        let applied = Arc::new(AtomicU64::new(0));
        let target = format!("http://{}", serve(router(applied.clone())).await);
        let faults = Faults::new(7);
        let proxy = Proxy::start(&target, &faults).await.unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { faults, proxy, client, applied }
    }

    async fn post(&self, path: &str) -> Result<Response<hyper::body::Incoming>, Error> {
        let uri = format!("{}{path}", self.proxy.url());
        let body = Body::from("m,k=v f=1 1");
        self.client.request(Request::post(uri).body(body).unwrap()).await
    }

    async fn write(&self) -> Result<StatusCode, Error> {
        self.post("/api/v2/write").await.map(|response| response.status())
    }

    async fn query(&self) -> String {
        text(self.post("/api/v2/query").await.unwrap()).await
    }

    fn applied(&self) -> u64 {
        self.applied.load(Ordering::SeqCst)
    }

    fn hits(&self) -> u64 {
        self.faults.observed()[0].hits
    }
}

fn router(applied: Arc<AtomicU64>) -> Router {
    let write = move |_: Bytes| async move {
        applied.fetch_add(1, Ordering::SeqCst);
        StatusCode::NO_CONTENT
    };
    let query = || async { ([(CONTENT_TYPE, "text/csv; charset=utf-8")], ANSWER) };
    let host = |headers: HeaderMap| async move { headers[HOST].to_str().unwrap().to_owned() };
    Router::new()
        .route("/api/v2/write", post(write))
        .route("/api/v2/query", post(query))
        .route("/host", get(host))
        .route("/echo", post(|body: Body| async { body }))
}

async fn serve(router: Router) -> std::net::SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}

async fn text(response: Response<hyper::body::Incoming>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().into()).unwrap()
}

#[tokio::test]
async fn without_a_fault_the_answer_is_the_services_own() {
    let bench = Bench::new().await;
    assert_eq!(bench.write().await.unwrap(), StatusCode::NO_CONTENT);
    assert_eq!(bench.applied(), 1);
    assert_eq!(bench.query().await, ANSWER);
}

#[tokio::test]
async fn an_http_error_is_seen_with_its_status_and_nothing_is_applied() {
    let bench = Bench::new().await;
    let _fault = bench.faults.inject(
        FaultKind::HttpError {
            status: StatusCode::SERVICE_UNAVAILABLE,
            ratio: Ratio::ONE,
            retry_after: Some(Duration::from_millis(1_500)),
        },
        Scope::writes(),
    );
    let response = bench.post("/api/v2/write").await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[RETRY_AFTER], "2");
    assert!(text(response).await.contains(r#""code":"service unavailable""#));
    assert_eq!((bench.applied(), bench.hits()), (0, 1));
    assert_eq!(bench.query().await, ANSWER);
}

#[tokio::test]
async fn a_share_of_errors_is_seen_as_often_as_it_is_counted() {
    let bench = Bench::new().await;
    let ratio = Ratio::from_percent(30.0).unwrap();
    let status = StatusCode::TOO_MANY_REQUESTS;
    let kind = FaultKind::HttpError { status, ratio, retry_after: None };
    let _fault = bench.faults.inject(kind, Scope::all());
    let mut seen = 0;
    for _ in 0..200 {
        seen += u64::from(bench.write().await.unwrap() == status);
    }
    assert_eq!(seen, bench.hits());
    assert_eq!(bench.applied(), 200 - seen);
    assert!((40..80).contains(&seen), "{seen} of 200");
}

#[tokio::test]
async fn added_latency_is_seen_and_the_write_is_applied() {
    let bench = Bench::new().await;
    let add = Duration::from_millis(40);
    let kind = FaultKind::Latency { add, ratio: Ratio::ONE };
    let _fault = bench.faults.inject(kind, Scope::all());
    let start = tokio::time::Instant::now();
    assert_eq!(bench.write().await.unwrap(), StatusCode::NO_CONTENT);
    assert!(start.elapsed() >= add);
    assert_eq!((bench.applied(), bench.hits()), (1, 1));
}

#[tokio::test]
async fn a_refused_connection_is_seen_without_an_answer_and_nothing_is_applied() {
    let bench = Bench::new().await;
    let kind = FaultKind::RefuseConnections { ratio: Ratio::ONE };
    let _fault = bench.faults.inject(kind, Scope::all());
    bench.write().await.unwrap_err();
    assert_eq!((bench.applied(), bench.hits()), (0, 1));
}

#[tokio::test]
async fn a_swallowed_write_is_acknowledged_and_not_applied() {
    let bench = Bench::new().await;
    let kind = FaultKind::SwallowWrites { ratio: Ratio::ONE };
    let _fault = bench.faults.inject(kind, Scope::all());
    assert_eq!(bench.write().await.unwrap(), StatusCode::NO_CONTENT);
    assert_eq!((bench.applied(), bench.hits()), (0, 1));
    assert_eq!(bench.query().await, ANSWER);
}

#[tokio::test]
async fn a_lost_acknowledgement_is_seen_without_an_answer_though_the_write_is_applied() {
    let bench = Bench::new().await;
    let kind = FaultKind::AckLost { ratio: Ratio::ONE };
    let _fault = bench.faults.inject(kind, Scope::writes());
    bench.write().await.unwrap_err();
    assert_eq!((bench.applied(), bench.hits()), (1, 1));
}

#[tokio::test]
async fn a_wrong_answer_is_seen_with_one_other_digit() {
    let bench = Bench::new().await;
    let kind = FaultKind::WrongAnswer { ratio: Ratio::ONE };
    let _fault = bench.faults.inject(kind, Scope::queries());
    assert_eq!(bench.query().await, ANSWER.replace("41", "31"));
    assert_eq!(bench.hits(), 1);
}

#[tokio::test]
async fn a_fault_is_no_longer_seen_once_its_guard_is_dropped() {
    let bench = Bench::new().await;
    let kind = FaultKind::RefuseConnections { ratio: Ratio::ONE };
    drop(bench.faults.inject(kind, Scope::all()));
    assert_eq!(bench.write().await.unwrap(), StatusCode::NO_CONTENT);
    assert_eq!(bench.hits(), 0);
}

#[tokio::test]
async fn the_service_is_asked_by_its_own_name() {
    let target = serve(router(Arc::default())).await;
    let proxy = Proxy::start(&format!("http://{target}/"), &Faults::new(7)).await.unwrap();
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let uri = format!("{}/host", proxy.url()).parse().unwrap();
    assert_eq!(text(client.get(uri).await.unwrap()).await, target.to_string());
}

#[tokio::test]
async fn a_large_body_streams_through_unchanged() {
    let bench = Bench::new().await;
    let sent: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let uri = format!("{}/echo", bench.proxy.url());
    let request = Request::post(uri).body(Body::from(sent.clone())).unwrap();
    let response = bench.client.request(request).await.unwrap();
    let received = response.into_body().collect().await.unwrap().to_bytes();
    assert!(received == sent, "{} of {} bytes", received.len(), sent.len());
}

#[tokio::test]
async fn a_service_that_is_not_there_is_seen_without_an_answer() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let proxy = Proxy::start(&target, &Faults::new(7)).await.unwrap();
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    client.get(proxy.url().parse().unwrap()).await.unwrap_err();
}

#[tokio::test]
async fn a_dropped_proxy_closes_its_port() {
    let bench = Bench::new().await;
    let Bench { proxy, .. } = bench;
    let address = proxy.url().replace("http://", "");
    drop(proxy);
    let closed = async {
        while tokio::net::TcpStream::connect(&address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), closed).await.unwrap();
}

#[tokio::test]
async fn targets_that_are_not_plain_http_are_refused() {
    for target in ["https://127.0.0.1:1", "127.0.0.1:1", "http://h/?q=1", "/", ""] {
        let refused = Proxy::start(target, &Faults::new(7)).await.unwrap_err().to_string();
        assert!(refused.starts_with(&format!("`{target}` is not the address")), "{refused}");
    }
}
