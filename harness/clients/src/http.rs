//! The transport under both clients: real sockets or the in-memory network.
//!
//! The main type is [`Http`]. It sends one request and streams its answer; it knows no protocol
//! above HTTP, and it neither retries nor follows redirects, which would send the token elsewhere.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cutover_net::{Dial, HttpClient, Network};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::error::{Cause, ClientError, is_connect};

/// How much of a refusal's body is read for its message.
const MESSAGE_CAP: usize = 8 * 1024;

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// From sending a request to the head of its answer.
    pub answer: Duration,
    /// Between two parts of an answer's body.
    pub idle: Duration,
}

/// How requests travel.
#[derive(Clone, Debug)]
pub struct Http {
    pub(crate) transport: Transport,
    pub(crate) timeouts: Timeouts,
}

#[derive(Clone, Debug)]
pub(crate) enum Transport {
    Sockets(reqwest::Client),
    InMemory(HttpClient),
}

impl Http {
    /// Real sockets: HTTP/1.1, TLS where the address says so, no proxy.
    pub fn sockets(timeouts: Timeouts) -> Result<Self, ClientError> {
        let client = reqwest::Client::builder()
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(concat!("cutover/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(timeouts.connect)
            .pool_idle_timeout(Duration::from_secs(30))
            .build()
            .map_err(|cause| ClientError::invalid("the HTTP client", cause.to_string()))?;
        Ok(Self { transport: Transport::Sockets(client), timeouts })
    }

    /// The in-memory network, as the process on host `from`.
    pub fn in_memory(network: &Network, from: &str, timeouts: Timeouts) -> Self {
        let client = HttpClient::new(Dial::new(network, from, timeouts.connect));
        Self { transport: Transport::InMemory(client), timeouts }
    }

    /// Sends one request and waits for the head of its answer.
    pub(crate) async fn send(
        &self,
        operation: &'static str,
        request: Request<Bytes>,
    ) -> Result<Answer, ClientError> {
        let limit = self.timeouts.answer;
        let sending = self.send_unlimited(operation, request);
        let answer = timeout(limit, sending).await;
        let (status, headers, source) =
            answer.map_err(|_| ClientError::TimedOut { operation, limit })??;
        let idle = self.timeouts.idle;
        Ok(Answer { status, headers, body: Body { operation, idle, source } })
    }

    async fn send_unlimited(
        &self,
        operation: &'static str,
        request: Request<Bytes>,
    ) -> Result<(StatusCode, HeaderMap, BodySource), ClientError> {
        match &self.transport {
            Transport::Sockets(client) => {
                let request = reqwest::Request::try_from(request).map_err(|cause| {
                    ClientError::invalid(operation, format!("is no request: {cause}"))
                })?;
                let sent = client.execute(request).await;
                let mut answer = sent.map_err(|cause| {
                    let connecting = cause.is_connect();
                    failed(operation, connecting, cause.without_url().into())
                })?;
                let headers = std::mem::take(answer.headers_mut());
                Ok((answer.status(), headers, BodySource::Sockets(answer)))
            }
            Transport::InMemory(client) => {
                let sent = client.send(request.map(Full::new)).await;
                let answer =
                    sent.map_err(|cause| failed(operation, is_connect(&cause), cause.into()))?;
                let (head, body) = answer.into_parts();
                Ok((head.status, head.headers, BodySource::InMemory(body)))
            }
        }
    }
}

fn failed(operation: &'static str, connecting: bool, cause: Cause) -> ClientError {
    if connecting {
        ClientError::NotConnected { operation, cause }
    } else {
        ClientError::Interrupted { operation, cause }
    }
}

/// The head of an answer, with its body to come.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

/// The body of an answer, part by part.
pub(crate) struct Body {
    pub(crate) operation: &'static str,
    idle: Duration,
    source: BodySource,
}

enum BodySource {
    Sockets(reqwest::Response),
    InMemory(Incoming),
}

impl Answer {
    /// Whether the end of the body can be told from a broken connection.
    pub(crate) fn declares_its_end(&self) -> bool {
        self.headers.contains_key(header::CONTENT_LENGTH)
            || self.headers.contains_key(header::TRANSFER_ENCODING)
    }

    /// The `Retry-After` header, where it is a number of seconds. A date would need the server's
    /// clock and is taken as no statement.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let value = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?;
        value.trim().parse().ok().map(Duration::from_secs)
    }

    /// Reads the whole body as JSON of type `T`.
    pub(crate) async fn json<T: serde::de::DeserializeOwned>(
        mut self,
        cap: usize,
    ) -> Result<T, ClientError> {
        let operation = self.body.operation;
        let text = self.body.read(cap).await?;
        serde_json::from_slice(&text)
            .map_err(|cause| ClientError::Malformed { operation, problem: cause.to_string() })
    }

    /// Turns a refusal into words, as far as they can be had: a body that breaks off still says
    /// something.
    pub(crate) async fn refusal(mut self) -> Refusal {
        let mut text = BytesMut::new();
        while text.len() < MESSAGE_CAP {
            let Ok(Some(part)) = self.body.chunk().await else { break };
            text.extend_from_slice(&part);
        }
        text.truncate(MESSAGE_CAP);
        let (code, message) = read_refusal(&text);
        let status = self.status.as_u16();
        Refusal { status, code, message, retry_after: self.retry_after() }
    }
}

impl Body {
    /// The next part, or `None` at the declared end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, ClientError> {
        let (operation, limit) = (self.operation, self.idle);
        let next = timeout(limit, self.source.chunk()).await;
        next.map_err(|_| ClientError::TimedOut { operation, limit })?
            .map_err(|cause| ClientError::Interrupted { operation, cause })
    }

    /// The whole body, refused when it is longer than `cap`.
    pub(crate) async fn read(&mut self, cap: usize) -> Result<Bytes, ClientError> {
        let mut whole = BytesMut::new();
        while let Some(part) = self.chunk().await? {
            if whole.len() + part.len() > cap {
                let problem = format!("it is longer than {cap} bytes");
                return Err(ClientError::Malformed { operation: self.operation, problem });
            }
            whole.extend_from_slice(&part);
        }
        Ok(whole.freeze())
    }
}

impl BodySource {
    async fn chunk(&mut self) -> Result<Option<Bytes>, Cause> {
        match self {
            Self::Sockets(answer) => {
                Ok(answer.chunk().await.map_err(reqwest::Error::without_url)?)
            }
            Self::InMemory(body) => loop {
                let Some(frame) = body.frame().await.transpose()? else { return Ok(None) };
                // Trailers carry nothing for us.
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            },
        }
    }
}

/// What a server said when it did not do as asked.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) retry_after: Option<Duration>,
}

impl Refusal {
    pub(crate) fn into_error(self, operation: &'static str) -> ClientError {
        let Self { status, code, message, retry_after } = self;
        ClientError::Answered { operation, status, code, message, retry_after }
    }
}

/// InfluxDB refuses with `{"code": …, "message": …}`; what stands between may say anything.
fn read_refusal(body: &[u8]) -> (String, String) {
    #[derive(serde::Deserialize)]
    struct Wire {
        #[serde(default)]
        code: String,
        #[serde(alias = "error")]
        message: String,
    }
    if let Ok(Wire { code, message }) = serde_json::from_slice(body) {
        return (code, message);
    }
    (String::new(), String::from_utf8_lossy(body).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_refusal_gives_its_message() {
        let body = br#"{"code":"invalid","message":"unable to parse 'x'"}"#;
        assert_eq!(read_refusal(body), ("invalid".to_owned(), "unable to parse 'x'".to_owned()));
    }

    #[test]
    fn a_refusal_in_plain_text_is_kept() {
        assert_eq!(read_refusal(b"no healthy upstream\n").1, "no healthy upstream");
    }
}
