//! The stand-in through its HTTP API. Most tests call its router in memory, under a fixed clock;
//! `wire` and `quirks` go over connections.

#![expect(clippy::unwrap_used, reason = "a test ends where its expectation does")]

mod accounts;
mod api;
mod flux_answers;
mod flux_cases;
mod hostile;
mod influxql;
mod kept;
mod quirks;
mod wire;
mod writes;

use axum::Router;
use axum::body::Body;
use cutover_cases::Request as Case;
use cutover_model::Clock;
use cutover_standin_influxdb::{Config, InfluxdbStandin};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

/// 2023-01-10T00:00:00Z, a Tuesday.
pub(crate) const NOW_NS: i64 = 1_673_308_800_000_000_000;

/// What the server answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// Status, code and message of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), text("code"), text("message"))
    }
}

/// A client of one stand-in.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) router: Router,
    pub(crate) token: Option<&'static str>,
}

impl Client {
    /// A stand-in that has not been set up.
    pub(crate) fn fresh() -> Self {
        Self::with_limit(1 << 20)
    }

    pub(crate) fn with_limit(max_body_bytes: usize) -> Self {
        Self::of(Config { max_body_bytes, ..Config::new(Clock::fixed(NOW_NS)) })
    }

    pub(crate) fn of(config: Config) -> Self {
        Self { router: InfluxdbStandin::new(config).router(), token: Some("Token secret") }
    }

    /// A stand-in with organisation `o`, bucket `b` and token `secret`.
    pub(crate) async fn ready() -> Self {
        let client = Self::fresh();
        client.set_up().await;
        client
    }

    pub(crate) async fn set_up(&self) -> Answer {
        let body = json!({
            "username": "u", "password": "password", "org": "o", "bucket": "b", "token": "secret",
        });
        self.post("/api/v2/setup", body.to_string()).await
    }

    pub(crate) async fn send(
        &self,
        request: http::request::Builder,
        body: impl Into<Body>,
    ) -> Answer {
        let request = match self.token {
            Some(token) => request.header("authorization", token),
            None => request,
        };
        let request = request.body(body.into()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// Sends a request of a case; a header `authorization` of its own replaces the client's.
    pub(crate) async fn ask(&self, case: &Case) -> cutover_cases::Answer {
        let mut request = Request::builder().method(case.method.as_str()).uri(&case.path);
        let own = |name: &str| case.headers.iter().any(|(it, _)| it.eq_ignore_ascii_case(name));
        for (name, value) in case.headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(name, value);
        }
        let token = self.token.filter(|_| !own("authorization"));
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        let request = request.body(Body::from(case.body.clone())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        cutover_cases::Answer { status, body: String::from_utf8_lossy(&bytes).into_owned() }
    }

    /// The identifier of organisation `o`.
    pub(crate) async fn org_id(&self) -> String {
        let orgs = self.get("/api/v2/orgs?org=o").await.json();
        orgs["orgs"][0]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path), Body::empty()).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(Request::post(path), body).await
    }

    pub(crate) async fn write(&self, body: impl Into<Body>) -> Answer {
        self.post("/api/v2/write?org=o&bucket=b", body).await
    }

    pub(crate) async fn query(&self, script: &str) -> Answer {
        let request = Request::post("/api/v2/query?org=o");
        self.send(request.header("content-type", "application/vnd.flux"), script.to_owned()).await
    }

    /// The rows of bucket `b`, one text a row: time and value.
    pub(crate) async fn rows(&self) -> Vec<String> {
        let script = "from(bucket: \"b\") |> range(start: 0, stop: 2100-01-01T00:00:00Z) \
                      |> keep(columns: [\"_time\", \"_value\", \"_field\"])";
        let text = self.query(script).await.text;
        let rows = text.lines().filter_map(|line| line.strip_prefix(",_result,"));
        rows.filter_map(|row| row.split_once(',')).map(|(_, row)| row.to_owned()).collect()
    }
}
