//! `/metrics`: what is known of requests, writes and resources, in Prometheus' text format.
//!
//! [`Metrics`] counts, [`record`] tells it of each request, and [`show`] writes the counts under
//! the server's own names. What the server tells of its runtime, its files and its caches has no
//! counterpart here and is left out.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use tokio::time::Instant;

use super::VERSION;
use super::request::{self, Parameters, parameter};
use crate::Server;
use crate::accounts::Id;

/// Upper bounds of the durations of requests, in seconds.
const SECONDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Upper bounds of the numbers of points of a write.
const POINTS: [f64; 5] = [10.0, 100.0, 1000.0, 10_000.0, 100_000.0];

/// So many kinds of request are told apart; whoever invents user agents makes no more.
const MAX_KINDS: usize = 1000;

/// A user agent's name is cut to this length.
const MAX_AGENT_CHARS: usize = 64;

/// The counts of one server.
#[derive(Debug, Default)]
pub(crate) struct Metrics(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    requests: BTreeMap<Kind, Histogram>,
    usage: BTreeMap<(&'static str, Id, u16), Usage>,
    points_requested: Histogram,
    points_stored: Histogram,
    points_dropped: Histogram,
}

/// What requests are told apart by: method, path, status and user agent.
type Kind = (String, String, u16, String);

/// How much one endpoint was used for one organisation with one outcome.
#[derive(Clone, Copy, Debug, Default)]
struct Usage {
    count: u64,
    request_bytes: u64,
    response_bytes: u64,
}

#[derive(Debug, Default)]
struct Histogram {
    /// How many values were at most each bound, the last being none.
    within: Vec<u64>,
    count: u64,
    sum: f64,
}

impl Histogram {
    fn observe(&mut self, value: f64, bounds: &[f64]) {
        self.within.resize(bounds.len(), 0);
        for (within, bound) in self.within.iter_mut().zip(bounds) {
            *within += u64::from(value <= *bound);
        }
        self.count += 1;
        self.sum += value;
    }
}

/// How long the body of a stored write was after decompression; travels with its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct WrittenBytes(pub(super) usize);

impl Metrics {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the points of a write.
    pub(super) fn wrote(&self, points: usize, dropped: usize) {
        let mut counts = self.lock();
        counts.points_requested.observe(points as f64, &POINTS);
        if points > dropped {
            counts.points_stored.observe((points - dropped) as f64, &POINTS);
        }
        if dropped > 0 {
            counts.points_dropped.observe(dropped as f64, &POINTS);
        }
    }

    fn requested(&self, kind: Kind, took: Duration) {
        // The server keeps no count of what it refuses.
        if !matches!(kind.2 / 100, 2 | 5) {
            return;
        }
        let mut counts = self.lock();
        if counts.requests.len() < MAX_KINDS || counts.requests.contains_key(&kind) {
            counts.requests.entry(kind).or_default().observe(took.as_secs_f64(), &SECONDS);
        }
    }

    fn used(&self, key: (&'static str, Id, u16), add: Usage) {
        let mut counts = self.lock();
        let usage = counts.usage.entry(key).or_default();
        usage.count += add.count;
        usage.request_bytes += add.request_bytes;
        usage.response_bytes += add.response_bytes;
    }
}

/// Counts a request and its answer.
pub(super) async fn record(
    State(server): State<Arc<Server>>,
    parameters: Parameters,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let method = request.method().to_string();
    let path = request.uri().path().to_owned();
    let agent = agent(request.headers());
    let sent = length(request.headers());
    let response = next.run(request).await;
    let status = response.status();
    let kind = (method, template(&path), status.as_u16(), agent);
    server.metrics.requested(kind, started.elapsed());
    let Some((endpoint, org)) = used(&server, &path, &parameters) else { return response };
    let written = response.extensions().get::<WrittenBytes>().map(|bytes| bytes.0 as u64);
    let request_bytes = if endpoint == QUERY { sent } else { written.unwrap_or(0) };
    // Release 1 counts every write that succeeds as 200.
    let shown =
        if endpoint == WRITE_1 && status == StatusCode::NO_CONTENT { 200 } else { status.as_u16() };
    let key = (endpoint, org, shown);
    let known = response.body().size_hint().exact();
    let usage = Usage { count: 1, request_bytes, response_bytes: known.unwrap_or(0) };
    server.metrics.used(key, usage);
    if known.is_some() { response } else { count_body(&server, key, response) }
}

const QUERY: &str = "/api/v2/query";
const WRITE_2: &str = "/api/v2/write";
const WRITE_1: &str = "/write";

/// The endpoint whose use is counted and the organisation for which, if there is one.
fn used(server: &Server, path: &str, parameters: &Parameters) -> Option<(&'static str, Id)> {
    let endpoint = [QUERY, WRITE_2, WRITE_1].into_iter().find(|known| *known == path)?;
    let accounts = server.accounts();
    if endpoint == WRITE_1 && parameter(parameters, "org").is_none() {
        return accounts.orgs().next().map(|org| (endpoint, org.id));
    }
    let org = request::organization(&accounts, parameters).ok()?;
    Some((endpoint, org.id))
}

/// Counts the bytes of an answer as they are sent.
fn count_body(server: &Arc<Server>, key: (&'static str, Id, u16), response: Response) -> Response {
    let server = Arc::clone(server);
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
            server.metrics.used(key, Usage { response_bytes: bytes, ..Usage::default() });
            frame
        }))
    })
}

fn length(headers: &HeaderMap) -> u64 {
    let text = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The name of a client, without its release.
fn agent(headers: &HeaderMap) -> String {
    let text = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let name = text.unwrap_or_default().split(['/', ' ']).next().unwrap_or_default();
    if name.is_empty() {
        "unknown".to_owned()
    } else {
        name.chars().take(MAX_AGENT_CHARS).collect()
    }
}

/// A path with `:id` for identifiers.
fn template(path: &str) -> String {
    let parts = path.split('/').map(|part| if Id::parse(part).is_some() { ":id" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// `/metrics`, for anybody and by any method.
pub(super) async fn show(State(server): State<Arc<Server>>) -> Response {
    let mut text = String::new();
    write_all(&mut text, &server).expect("a string takes all that is written to it");
    let kind = "text/plain; version=0.0.4; charset=utf-8; escaping=values";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

fn write_all(text: &mut String, server: &Server) -> fmt::Result {
    let counts = server.metrics.lock();
    write_requests(text, &counts)?;
    write_usage(text, "query", &counts, |endpoint| endpoint == QUERY)?;
    write_usage(text, "write", &counts, |endpoint| endpoint != QUERY)?;
    let (buckets, orgs, tokens, users) = {
        let accounts = server.accounts();
        (
            accounts.buckets().count(),
            accounts.orgs().count(),
            accounts.authorizations().count(),
            accounts.users().count(),
        )
    };
    let total = |text: &mut String, name: &str, what: &str, value: usize| {
        head(text, name, &format!("Number of total {what} on the server"), "counter")?;
        writeln!(text, "{name} {value}")
    };
    total(text, "influxdb_buckets_total", "buckets", buckets)?;
    head(text, "influxdb_info", "Information about the influxdb environment.", "gauge")?;
    writeln!(text, "influxdb_info{{version={VERSION:?}}} 1")?;
    total(text, "influxdb_organizations_total", "organizations", orgs)?;
    total(text, "influxdb_tokens_total", "tokens", tokens)?;
    head(text, "influxdb_uptime_seconds", "influxdb process uptime in seconds", "gauge")?;
    let up_ns = server.config.clock.now_ns().saturating_sub(server.started_ns);
    writeln!(text, "influxdb_uptime_seconds {}", up_ns as f64 / 1e9)?;
    total(text, "influxdb_users_total", "users", users)?;
    write_points(text, &counts)
}

fn head(text: &mut String, name: &str, help: &str, kind: &str) -> fmt::Result {
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

fn write_requests(text: &mut String, counts: &Counts) -> fmt::Result {
    let labels = |(method, path, status, agent): &Kind| {
        format!(
            "handler=\"platform\",method={method:?},path={path:?},response_code=\"{status}\",\
             status=\"{}XX\",user_agent={agent:?}",
            status / 100
        )
    };
    let name = "http_api_request_duration_seconds";
    head(text, name, "Time taken to respond to HTTP request", "histogram")?;
    for (kind, took) in &counts.requests {
        write_histogram(text, name, &labels(kind), (took, &SECONDS))?;
    }
    head(text, "http_api_requests_total", "Number of http requests received", "counter")?;
    for (kind, took) in &counts.requests {
        writeln!(text, "http_api_requests_total{{{}}} {}", labels(kind), took.count)?;
    }
    Ok(())
}

fn write_usage(
    text: &mut String,
    what: &str,
    counts: &Counts,
    wanted: impl Fn(&str) -> bool,
) -> fmt::Result {
    let columns = [
        ("request_bytes", "Count of bytes received"),
        ("request_count", "Total number of query requests"),
        ("response_bytes", "Count of bytes returned"),
    ];
    for (at, (column, help)) in columns.into_iter().enumerate() {
        let name = format!("http_{what}_{column}");
        let mut rows =
            counts.usage.iter().filter(|((endpoint, ..), _)| wanted(endpoint)).peekable();
        if rows.peek().is_some() {
            head(text, &name, help, "counter")?;
        }
        for ((endpoint, org, status), usage) in rows {
            let labels = format!("endpoint={endpoint:?},org_id=\"{org}\",status=\"{status}\"");
            let Usage { count, request_bytes, response_bytes } = *usage;
            let value = [request_bytes, count, response_bytes][at];
            writeln!(text, "{name}{{{labels}}} {value}")?;
        }
    }
    Ok(())
}

fn write_points(text: &mut String, counts: &Counts) -> fmt::Result {
    for (name, help, points) in [
        (
            "storage_writer_dropped_points",
            "Histogram of number of points dropped due to partial writes",
            &counts.points_dropped,
        ),
        (
            "storage_writer_ok_points",
            "Histogram of number of points in successful shard write requests",
            &counts.points_stored,
        ),
        (
            "storage_writer_req_points",
            "Histogram of number of points requested to be written",
            &counts.points_requested,
        ),
    ] {
        head(text, name, help, "histogram")?;
        write_histogram(text, name, "path=\"\"", (points, &POINTS))?;
    }
    Ok(())
}

fn write_histogram(
    text: &mut String,
    name: &str,
    labels: &str,
    (histogram, bounds): (&Histogram, &[f64]),
) -> fmt::Result {
    for (at, bound) in bounds.iter().enumerate() {
        let within = histogram.within.get(at).copied().unwrap_or(0);
        writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {within}")?;
    }
    writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", histogram.count)?;
    writeln!(text, "{name}_sum{{{labels}}} {}", histogram.sum)?;
    writeln!(text, "{name}_count{{{labels}}} {}", histogram.count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_do_not_tell_paths_apart() {
        assert_eq!(template("/api/v2/buckets/0c0ffee000000001"), "/api/v2/buckets/:id");
        assert_eq!(template("/api/v2/write"), "/api/v2/write");
    }

    #[test]
    fn invented_user_agents_make_no_more_than_so_many_counts() {
        let metrics = Metrics::default();
        for number in 0..2 * MAX_KINDS {
            let kind = ("GET".to_owned(), "/ping".to_owned(), 204, number.to_string());
            metrics.requested(kind, Duration::ZERO);
        }
        assert_eq!(metrics.lock().requests.len(), MAX_KINDS);
    }
}
