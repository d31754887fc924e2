//! The client itself: where the server is, how a request is made, and whether the server is well.
//!
//! The main type is [`InfluxClient`]. What it asks for lives beside it in `buckets`, `write` and
//! `query`; all of it passes through [`InfluxClient::call`], which is where the token goes in and
//! where no refusal lets it out again.

use std::sync::Arc;

use bytes::Bytes;
use cutover_model::Secret;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use serde::Deserialize;

use super::buckets::Retention;
use crate::error::ClientError;
use crate::http::{Answer, Http, Refusal, Transport};

/// How long an answer in JSON may be.
pub(super) const JSON_CAP: usize = 4 * 1024 * 1024;

/// Where an InfluxDB is, and who asks it.
#[derive(Clone, Debug)]
pub struct InfluxEndpoint {
    /// Scheme, host, port and perhaps a path: `http://127.0.0.1:8086`.
    pub url: String,
    /// The organisation's name.
    pub org: String,
    /// The API token.
    pub token: Secret,
}

/// A client of one InfluxDB organisation. Clones share their connections.
#[derive(Clone, Debug)]
pub struct InfluxClient {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) base: String,
    pub(super) org: String,
    pub(super) token: Secret,
    authorization: HeaderValue,
    http: Http,
}

/// A request as this API knows it: everything but the token.
pub(super) struct Call<'a> {
    pub(super) operation: &'static str,
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) query: &'a [(&'static str, &'a str)],
    pub(super) headers: &'a [(header::HeaderName, &'static str)],
    pub(super) body: Bytes,
}

/// What the server says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether it can serve.
    pub status: HealthStatus,
    /// Its version, empty where it tells none.
    pub version: String,
    /// Its own words.
    pub message: String,
}

/// Whether a server can serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthStatus {
    /// It can.
    Pass,
    /// It says that it cannot.
    Fail,
}

/// The first user, organisation and bucket of a new server. The organisation and the token are the
/// endpoint's own.
#[derive(Clone, Debug)]
pub struct SetupRequest {
    /// The first user's name.
    pub username: String,
    /// The first user's password, of at least eight characters.
    pub password: Secret,
    /// The first bucket.
    pub bucket: String,
    /// How long the first bucket keeps its data.
    pub retention: Retention,
}

/// How a set-up ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetupOutcome {
    /// The server is set up now, with this operator token.
    Done {
        /// The token that the server gave, which is the endpoint's unless the server differs.
        token: Secret,
    },
    /// The server had been set up before, and nothing was changed.
    AlreadySetUp,
}

impl InfluxClient {
    /// A client of the organisation at `endpoint`. Nothing is sent yet.
    pub fn new(endpoint: InfluxEndpoint, http: Http) -> Result<Self, ClientError> {
        let InfluxEndpoint { url, org, token } = endpoint;
        let base = checked_base(&url, &http)?;
        let mut authorization = HeaderValue::try_from(format!("Token {}", token.expose()))
            .map_err(|_| {
                ClientError::invalid("token", "contains a character that no header can carry")
            })?;
        authorization.set_sensitive(true);
        Ok(Self { inner: Arc::new(Inner { base, org, token, authorization, http }) })
    }

    /// The organisation's name.
    pub fn org(&self) -> &str {
        &self.inner.org
    }

    /// Asks the server for its health. A server that says it is not well is an answer, not an
    /// error.
    pub async fn health(&self) -> Result<Health, ClientError> {
        #[derive(Deserialize)]
        struct Wire {
            status: String,
            #[serde(default)]
            version: String,
            #[serde(default)]
            message: String,
        }
        let answer = self.call(Call::get("health", "/health", &[])).await?;
        match answer.status {
            StatusCode::OK => {
                let Wire { status, version, message } = answer.json(JSON_CAP).await?;
                let pass = status == "pass";
                let status = if pass { HealthStatus::Pass } else { HealthStatus::Fail };
                Ok(Health { status, version, message })
            }
            // A proxy may say so for the server, in any form.
            StatusCode::SERVICE_UNAVAILABLE => {
                let message = self.refusal(answer, &[]).await.message;
                Ok(Health { status: HealthStatus::Fail, version: String::new(), message })
            }
            _ => Err(self.refused("health", answer).await),
        }
    }

    /// Whether the server has finished starting.
    pub async fn ready(&self) -> Result<bool, ClientError> {
        #[derive(Deserialize)]
        struct Wire {
            status: String,
        }
        let answer = self.call(Call::get("ready", "/ready", &[])).await?;
        match answer.status {
            StatusCode::OK => {
                let Wire { status } = answer.json(JSON_CAP).await?;
                Ok(status == "ready")
            }
            StatusCode::SERVICE_UNAVAILABLE => Ok(false),
            _ => Err(self.refused("ready", answer).await),
        }
    }

    /// Sets up a new server with its first user, organisation, bucket and token.
    pub async fn setup(&self, request: &SetupRequest) -> Result<SetupOutcome, ClientError> {
        #[derive(Deserialize)]
        struct Wire {
            auth: Auth,
        }
        #[derive(Deserialize)]
        struct Auth {
            token: String,
        }
        let SetupRequest { username, password, bucket, retention } = request;
        let body = serde_json::json!({
            "username": username,
            "password": password.expose(),
            "org": self.inner.org,
            "bucket": bucket,
            "retentionPeriodSeconds": retention.seconds()?,
            "token": self.inner.token.expose(),
        });
        let answer = self.call(Call::post_json("setup", "/api/v2/setup", &body)).await?;
        if answer.status == StatusCode::CREATED {
            let Wire { auth } = answer.json(JSON_CAP).await?;
            return Ok(SetupOutcome::Done { token: Secret::new(auth.token) });
        }
        let refusal = self.refusal(answer, &[password]).await;
        if refusal.is_conflict() {
            return Ok(SetupOutcome::AlreadySetUp);
        }
        Err(refusal.into_error("setup"))
    }

    /// Sends one call and waits for the head of its answer.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Answer, ClientError> {
        let Call { operation, method, path, query, headers, body } = call;
        let uri = format!("{}{}", self.inner.base, path_and_query(path, query));
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::AUTHORIZATION, self.inner.authorization.clone());
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request
            .body(body)
            .map_err(|cause| ClientError::invalid(operation, format!("is no request: {cause}")))?;
        self.inner.http.send(operation, request).await
    }

    /// Reads what the server said when it refused.
    pub(super) async fn refused(&self, operation: &'static str, answer: Answer) -> ClientError {
        self.refusal(answer, &[]).await.into_error(operation)
    }

    /// Reads a refusal, without the token and without `secrets`, which a server may have echoed.
    pub(super) async fn refusal(&self, answer: Answer, secrets: &[&Secret]) -> Refusal {
        let mut refusal = answer.refusal().await;
        for secret in secrets.iter().copied().chain([&self.inner.token]) {
            if !secret.expose().is_empty() {
                refusal.message = refusal.message.replace(secret.expose(), "***");
                refusal.code = refusal.code.replace(secret.expose(), "***");
            }
        }
        refusal
    }
}

impl<'a> Call<'a> {
    pub(super) fn get(
        operation: &'static str,
        path: &'a str,
        query: &'a [(&'static str, &'a str)],
    ) -> Self {
        Self { operation, method: Method::GET, path, query, headers: &[], body: Bytes::new() }
    }

    pub(super) fn post_json(
        operation: &'static str,
        path: &'a str,
        body: &serde_json::Value,
    ) -> Self {
        Self {
            operation,
            method: Method::POST,
            path,
            query: &[],
            headers: &[(header::CONTENT_TYPE, "application/json")],
            body: body.to_string().into(),
        }
    }
}

impl Refusal {
    /// InfluxDB says 422 for what exists already, with a code that tells it from a bad request.
    pub(super) fn is_conflict(&self) -> bool {
        self.status == 409 || (self.status == 422 && self.code == "conflict")
    }
}

/// The base of all addresses: scheme, host and port, and a path without its last slash.
fn checked_base(url: &str, http: &Http) -> Result<String, ClientError> {
    // A user in the address is a secret, so this one message does not show the address.
    let subject = if url.contains('@') { "url" } else { url };
    let invalid = |problem: &str| ClientError::invalid(subject, problem);
    let uri: Uri = url.parse().map_err(|_| invalid("is no address"))?;
    let authority = uri.authority().ok_or_else(|| invalid("has no host"))?;
    if authority.as_str().contains('@') {
        return Err(invalid("has a user in it, where only the token speaks for one"));
    }
    if uri.query().is_some() {
        return Err(invalid("has a query in it"));
    }
    match (uri.scheme_str(), &http.transport) {
        (Some("http"), _) | (Some("https"), Transport::Sockets(_)) => {}
        (Some("https"), Transport::InMemory(_)) => {
            return Err(invalid("asks for TLS, which the in-memory network does not speak"));
        }
        _ => return Err(invalid("is neither `http://…` nor `https://…`")),
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// Percent-encodes everything but the characters that mean themselves everywhere.
pub(super) fn path_and_query(path: &str, query: &[(&'static str, &str)]) -> String {
    let mut whole = path.to_owned();
    for (position, (key, value)) in query.iter().enumerate() {
        whole.push(if position == 0 { '?' } else { '&' });
        whole.push_str(key);
        whole.push('=');
        push_encoded(&mut whole, value);
    }
    whole
}

pub(super) fn push_encoded(out: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}
