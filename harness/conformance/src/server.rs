//! One server under question, asked over HTTP.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use cutover_cases::{Answer, Request};
use cutover_model::Clock;
use cutover_targets::process::{Influxd, ProcessError};
use cutover_targets::{Leases, QuirkControl, Serving, influxdb_standin};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

const TOKEN: &str = "conformance";

/// How long an answer may take. Generated queries are small, and so is what they read.
const LIMIT: Duration = Duration::from_secs(20);

/// A server that is set up with organisation `o` and bucket `b`.
#[derive(Clone, Debug)]
pub struct Server {
    base: String,
    token: String,
    org_id: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// A server that did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Not in time.
    #[error("`{base}` did not answer within {limit:?}")]
    TimedOut {
        /// Its address.
        base: String,
        /// The limit.
        limit: Duration,
    },
    /// The connection broke.
    #[error("`{base}` broke the connection off: {cause}")]
    Broken {
        /// Its address.
        base: String,
        /// What the client saw.
        cause: String,
    },
    /// It answers and does not do as it was told.
    #[error("`{base}` refuses its set-up: {status} {body}")]
    Refused {
        /// Its address.
        base: String,
        /// The status.
        status: u16,
        /// What it says.
        body: String,
    },
    /// No port for the stand-in.
    #[error("no port could be opened on the loopback interface")]
    Bind(#[source] std::io::Error),
}

impl Server {
    /// Sets a new server up.
    pub async fn connect(base: &str) -> Result<Self, ServerError> {
        let setup = json!({
            "username": "u", "password": "password1", "org": "o", "bucket": "b", "token": TOKEN,
        });
        let server = Self::unset(base, TOKEN);
        let answer = server.ask(&Request::json("/api/v2/setup", &setup)).await?;
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        server.with_org(answer, &body["org"]["id"])
    }

    /// Takes over a server that is set up, with its token for everything. Its organisation is
    /// named as everywhere here: the older paths find one by the token alone.
    pub async fn join(base: &str, token: &str, org: &str) -> Result<Self, ServerError> {
        let server = Self::unset(base, token);
        let answer = server.ask(&Request::get(&format!("/api/v2/orgs?org={org}"))).await?;
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let id = body["orgs"][0]["id"].as_str().unwrap_or_default();
        let mut rename = Request::json(&format!("/api/v2/orgs/{id}"), &json!({ "name": "o" }));
        "PATCH".clone_into(&mut rename.method);
        let answer = server.ask(&rename).await?;
        let id = json!(id);
        server.with_org(answer, &id)
    }

    fn unset(base: &str, token: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let (base, token) = (base.to_owned(), token.to_owned());
        Self { base, token, org_id: String::new(), client }
    }

    fn with_org(mut self, answer: Answer, id: &Value) -> Result<Self, ServerError> {
        match id.as_str() {
            Some(id) if answer.status < 300 => id.clone_into(&mut self.org_id),
            _ => return Err(self.refused(answer)),
        }
        Ok(self)
    }

    /// Asks, with the token of the set-up unless the request brings a header of its own.
    pub async fn ask(&self, request: &Request) -> Result<Answer, ServerError> {
        let limit = LIMIT;
        let asked = timeout(limit, self.send(request)).await;
        asked.map_err(|_| ServerError::TimedOut { base: self.base.clone(), limit })?
    }

    async fn send(&self, request: &Request) -> Result<Answer, ServerError> {
        let uri = format!("{}{}", self.base, request.path);
        let mut wire = http::Request::builder().method(request.method.as_str()).uri(uri);
        let own = request.headers.iter().any(|(name, _)| name == "authorization");
        for (name, value) in request.headers.iter().filter(|(_, value)| !value.is_empty()) {
            wire = wire.header(name, value);
        }
        if !own {
            wire = wire.header("authorization", format!("Token {}", self.token));
        }
        let body = Full::new(Bytes::from(request.body.clone()));
        let wire = wire.body(body).map_err(|error| self.broken(&error))?;
        let response = self.client.request(wire).await.map_err(|error| self.broken(&error))?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map_err(|error| self.broken(&error))?;
        let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        Ok(Answer { status, body })
    }

    /// Makes a bucket and gives its identifier.
    pub async fn make_bucket(&self, name: &str, retention_s: u64) -> Result<String, ServerError> {
        let answer = self.ask(&Request::make_bucket(&self.org_id, name, retention_s)).await?;
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        match body["id"].as_str() {
            Some(id) if answer.status == 201 => Ok(id.to_owned()),
            _ => Err(self.refused(answer)),
        }
    }

    /// Makes a bucket and stores lines in it.
    pub async fn fill_bucket(&self, name: &str, lines: &[String]) -> Result<String, ServerError> {
        let id = self.make_bucket(name, 0).await?;
        // An empty body is refused by neither, but asks for nothing.
        if !lines.is_empty() {
            let answer = self.ask(&Request::write(name, lines.join("\n"))).await?;
            if answer.status != 204 {
                return Err(self.refused(answer));
            }
        }
        Ok(id)
    }

    /// Takes a bucket away again.
    pub async fn drop_bucket(&self, id: &str) -> Result<(), ServerError> {
        let mut request = Request::get(&format!("/api/v2/buckets/{id}"));
        "DELETE".clone_into(&mut request.method);
        self.ask(&request).await.map(|_| ())
    }

    /// The identifier of organisation `o`.
    pub fn org_id(&self) -> &str {
        &self.org_id
    }

    fn broken(&self, error: &dyn std::error::Error) -> ServerError {
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        ServerError::Broken { base: self.base.clone(), cause }
    }

    fn refused(&self, answer: Answer) -> ServerError {
        let Answer { status, body } = answer;
        ServerError::Refused { base: self.base.clone(), status, body }
    }
}

/// A stand-in with threads of its own: one that works on an answer without end must not keep the
/// side that asks from giving up.
#[derive(Debug)]
pub struct Standin {
    /// How it is asked.
    pub server: Server,
    clock: Clock,
    runtime: Option<Runtime>,
    _serving: Serving,
}

impl Standin {
    /// Serves a new stand-in and sets it up.
    pub async fn start(clock: &Clock) -> Result<Self, ServerError> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(ServerError::Bind)?;
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let its_clock = clock.clone();
        let serving = runtime
            .spawn(async move { influxdb_standin(any_port, &its_clock, QuirkControl::Off).await });
        let serving = serving.await.expect("serving does not panic").map_err(ServerError::Bind)?;
        let server = Server::connect(&serving.url()).await?;
        Ok(Self { server, clock: clock.clone(), runtime: Some(runtime), _serving: serving })
    }

    /// A new one in its place.
    pub async fn restart(&mut self) -> Result<(), ServerError> {
        *self = Self::start(&self.clock).await?;
        Ok(())
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        // Not waited for: an answer without end would be waited for without end.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The two servers that are held against each other.
#[derive(Debug)]
pub struct Pair {
    /// The stand-in.
    pub standin: Standin,
    /// The real one.
    pub real: Server,
    /// What the real server says that it is.
    pub version: String,
    program: PathBuf,
    leases: Leases,
    influxd: Influxd,
}

/// A pair that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// No real server.
    #[error("the real server cannot be had")]
    Real(#[source] ProcessError),
    /// A server that does not become ready.
    #[error("a server cannot be set up")]
    SetUp(#[source] ServerError),
    /// A real server that does not stop.
    #[error("the real server does not stop")]
    Stop(#[source] cutover_targets::CleanError),
}

impl Pair {
    /// Starts both.
    pub async fn start(program: &Path, clock: &Clock, leases: Leases) -> Result<Self, PairError> {
        let standin = Standin::start(clock).await.map_err(PairError::SetUp)?;
        let (influxd, real) = start_real(program, &leases).await?;
        let (program, version) = (program.to_owned(), influxd.version().to_owned());
        Ok(Self { standin, real, version, program, leases, influxd })
    }

    /// A real server in place of one that died or that still works on what it was asked.
    pub async fn restart_real(&mut self) -> Result<(), PairError> {
        let (influxd, real) = start_real(&self.program, &self.leases).await?;
        self.real = real;
        // The one before may be beyond stopping in order; what it leaves is named by the leases.
        drop(std::mem::replace(&mut self.influxd, influxd));
        Ok(())
    }

    /// Stops the real server in order; the stand-in ends with the value.
    pub async fn stop(self) -> Result<(), PairError> {
        self.influxd.stop().await.map_err(PairError::Stop)
    }
}

async fn start_real(program: &Path, leases: &Leases) -> Result<(Influxd, Server), PairError> {
    let influxd = Influxd::start(program, leases).await.map_err(PairError::Real)?;
    let endpoint = influxd.endpoint();
    let server = Server::join(&endpoint.url, endpoint.token.expose(), &endpoint.org).await;
    Ok((influxd, server.map_err(PairError::SetUp)?))
}
