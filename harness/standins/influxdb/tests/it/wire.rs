//! The stand-in over connections: sockets, several requests on one of them, compressed answers.

use std::io::Read;

use axum::Router;
use bytes::Bytes;
use flate2::read::GzDecoder;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Client;

const SCRIPT: &str = "from(bucket: \"b\") |> range(start: 0)";

/// A connection to a stand-in, in memory.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

/// What came over a connection.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Connection {
    pub(crate) async fn open(router: Router) -> Self {
        let (near, far) = tokio::io::duplex(1 << 16);
        let service = TowerToHyperService::new(router);
        let serving = hyper::server::conn::http1::Builder::new();
        tokio::spawn(serving.serve_connection(TokioIo::new(far), service));
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(near)).await.unwrap();
        tokio::spawn(connection);
        Self { sender }
    }

    /// Sends a request of the client with token `secret` and reads the whole answer.
    pub(crate) async fn send(
        &mut self,
        request: http::request::Builder,
        body: &str,
    ) -> Result<Received, hyper::Error> {
        let request = request.header("authorization", "Token secret").header("host", "standin");
        let body = Full::new(Bytes::from(body.to_owned()));
        let response = self.sender.send_request(request.body(body).unwrap()).await?;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await?.to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Received { status: parts.status, headers: parts.headers, text })
    }

    pub(crate) async fn write(&mut self, lines: &str) -> Result<Received, hyper::Error> {
        self.send(Request::post("/api/v2/write?org=o&bucket=b"), lines).await
    }

    /// Sends the query and reads no more than the head of its answer.
    pub(crate) async fn begin_query(&mut self) -> Incoming {
        let request = Request::post("/api/v2/query?org=o")
            .header("authorization", "Token secret")
            .header("content-type", "application/vnd.flux")
            .body(Full::new(Bytes::from_static(SCRIPT.as_bytes())))
            .unwrap();
        self.sender.send_request(request).await.unwrap().into_body()
    }

    pub(crate) async fn query(&mut self) -> Result<Received, hyper::Error> {
        let request = Request::post("/api/v2/query?org=o");
        self.send(request.header("content-type", "application/vnd.flux"), SCRIPT).await
    }
}

async fn listen(client: &Client) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = client.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    TcpStream::connect(address).await.unwrap()
}

async fn read_until(socket: &mut TcpStream, enough: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !enough(&text) {
        let read = socket.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the connection ended after: {text}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    text
}

#[tokio::test]
async fn two_requests_in_one_segment_get_two_answers_in_order() {
    let client = Client::ready().await;
    let mut socket = listen(&client).await;
    let line = "m v=1 1";
    let requests = format!(
        "POST /api/v2/write?org=o&bucket=b HTTP/1.1\r\nhost: x\r\nauthorization: Token secret\r\n\
         content-length: {}\r\n\r\n{line}GET /health HTTP/1.1\r\nhost: x\r\n\r\n",
        line.len()
    );
    socket.write_all(requests.as_bytes()).await.unwrap();
    let text = read_until(&mut socket, |text| text.contains("ready for queries")).await;
    let starts: Vec<usize> =
        ["HTTP/1.1 204", "HTTP/1.1 200"].iter().map(|start| text.find(start).unwrap()).collect();
    assert_eq!(starts[0], 0);
    assert!(starts[0] < starts[1]);
    assert_eq!(client.rows().await.len(), 1);
}

#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let client = Client::ready().await;
    let mut socket = listen(&client).await;
    for _ in 0..3 {
        socket.write_all(b"GET /ping HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let answer = read_until(&mut socket, |text| text.ends_with("\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 204 No Content\r\n"), "{answer}");
    }
}

async fn query_with(client: &Client, accept: &str, points: usize) -> (HeaderMap, Bytes) {
    let lines: Vec<String> = (0..points).map(|time| format!("m v={time} {time}")).collect();
    client.write(lines.join("\n")).await;
    let request = Request::post("/api/v2/query?org=o")
        .header("authorization", "Token secret")
        .header("content-type", "application/vnd.flux")
        .header("accept-encoding", accept)
        .body(axum::body::Body::from("from(bucket: \"b\") |> range(start: 0)"))
        .unwrap();
    let response = tower::ServiceExt::oneshot(client.router.clone(), request).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts.headers, body.collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn a_long_answer_is_compressed_for_who_takes_it() {
    let client = Client::ready().await;
    let (_, plain) = query_with(&client, "identity", 2000).await;
    for accept in ["gzip", "br, gzip;q=0.5", "GZIP"] {
        let (headers, body) = query_with(&client, accept, 2000).await;
        assert_eq!(headers["content-encoding"], "gzip", "{accept}");
        let mut inflated = Vec::new();
        GzDecoder::new(&*body).read_to_end(&mut inflated).unwrap();
        assert_eq!(inflated, plain);
    }
}

#[tokio::test]
async fn answers_stay_plain_when_they_are_short_or_gzip_is_not_taken() {
    let client = Client::ready().await;
    for (accept, points) in [("gzip", 3), ("gzip;q=0", 2000), ("deflate", 2000), ("*", 2000)] {
        let (headers, body) = query_with(&client, accept, points).await;
        assert!(!headers.contains_key("content-encoding"), "{accept}");
        assert_eq!(headers["vary"], "Accept-Encoding");
        assert!(body.starts_with(b",result,table,"), "{accept}");
    }
}

#[tokio::test]
async fn browsers_are_answered_before_they_have_a_token() {
    let client = Client { token: None, ..Client::ready().await };
    let preflight = Request::options("/api/v2/write").header("origin", "http://x");
    let answer = client.send(preflight, "").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.headers["access-control-allow-origin"], "http://x");
    assert_eq!(client.send(Request::options("/api/v2/write"), "").await.status, 405);
}

#[tokio::test]
async fn a_head_gets_what_the_part_of_the_server_gives_to_it() {
    let client = Client::ready().await;
    for (path, status) in [
        ("/health", 200),
        ("/ping", 204),
        ("/api/v2/write", 405),
        ("/api/v2/buckets", 405),
        ("/nothing", 404),
    ] {
        assert_eq!(client.send(Request::head(path), "").await.status, status, "{path}");
    }
}

#[tokio::test]
async fn only_half_of_the_api_tells_which_methods_it_takes() {
    let client = Client::ready().await;
    let write = client.get("/api/v2/write").await;
    assert_eq!(write.headers["allow"], "OPTIONS, POST");
    assert_eq!(write.refusal().2, "allow: OPTIONS, POST");
    let buckets = client.send(Request::put("/api/v2/buckets"), "").await;
    assert_eq!(buckets.status, 405);
    assert!(!buckets.headers.contains_key("allow"));
    assert!(buckets.text.is_empty());
}

#[tokio::test]
async fn metrics_count_requests_writes_and_resources() {
    let client = Client::ready().await;
    client.write("m v=1 1\nm v=2 2").await;
    client.write("m v=").await;
    client.query("from(bucket: \"b\") |> range(start: 0)").await;
    let answer = client.get("/metrics").await;
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/plain; version="));
    let org = client.get("/api/v2/orgs").await.json()["orgs"][0]["id"].clone();
    let org = org.as_str().unwrap();
    for expected in [
        "http_api_requests_total{handler=\"platform\",method=\"POST\",path=\"/api/v2/write\",\
         response_code=\"204\",status=\"2XX\",user_agent=\"unknown\"} 1"
            .to_owned(),
        format!(
            "http_write_request_bytes{{endpoint=\"/api/v2/write\",org_id=\"{org}\",status=\"204\"\
             }} 15"
        ),
        format!(
            "http_write_request_count{{endpoint=\"/api/v2/write\",org_id=\"{org}\",status=\"400\"\
             }} 1"
        ),
        format!(
            "http_query_request_count{{endpoint=\"/api/v2/query\",org_id=\"{org}\",status=\"200\"\
             }} 1"
        ),
        "influxdb_buckets_total 3".to_owned(),
        "influxdb_tokens_total 1".to_owned(),
        "storage_writer_req_points_sum{path=\"\"} 2".to_owned(),
    ] {
        assert!(answer.text.lines().any(|line| line == expected), "{expected}\n{}", answer.text);
    }
}
