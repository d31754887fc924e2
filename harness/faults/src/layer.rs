//! The layer that misbehaves, around a router or any other HTTP service.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use tower::{BoxError, Layer, Service, ServiceExt};

use crate::csv_digit::alter_digit;
use crate::fault::FaultKind;
use crate::handle::{FaultId, Faults, Hit};

/// Wraps a service so that it misbehaves as its [`Faults`] say.
#[derive(Clone, Debug)]
pub struct FaultLayer {
    faults: Faults,
}

/// A service that misbehaves. Its error stands for a connection that is closed without an answer.
#[derive(Clone, Debug)]
pub struct FaultService<S> {
    faults: Faults,
    inner: S,
}

/// There will be no answer: the connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is dropped without an answer")
    }
}

impl std::error::Error for Dropped {}

impl From<Infallible> for Dropped {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl FaultLayer {
    pub(crate) fn new(faults: Faults) -> Self {
        Self { faults }
    }
}

impl<S> Layer<S> for FaultLayer {
    type Service = FaultService<S>;

    fn layer(&self, inner: S) -> FaultService<S> {
        FaultService { faults: self.faults.clone(), inner }
    }
}

impl<S, B> Service<Request<B>> for FaultService<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Error: Into<Dropped>,
    S::Future: Send,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Dropped;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Dropped>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Dropped>> {
        // The inner service is asked when its turn comes, which may be never.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let hits = self.faults.decide(request.method(), request.uri().path());
        let service = self.clone();
        Box::pin(service.answer(request.map(Body::new), hits))
    }
}

impl<S> FaultService<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Error: Into<Dropped>,
{
    async fn answer(
        self,
        request: Request<Body>,
        hits: Vec<Hit>,
    ) -> Result<Response<Body>, Dropped> {
        let mut end = None;
        for hit in hits {
            match hit.kind {
                FaultKind::Latency { add, .. } => {
                    self.faults.count_hit(hit.id);
                    tokio::time::sleep(add).await;
                }
                _ => end = end.or(Some(hit)),
            }
        }
        let Some(Hit { id, kind, chance }) = end else { return self.forward(request).await };
        match kind {
            FaultKind::HttpError { status, retry_after, .. } => {
                self.faults.count_hit(id);
                read_to_end(request).await;
                Ok(error_answer(status, retry_after))
            }
            FaultKind::SwallowWrites { .. } => {
                self.faults.count_hit(id);
                read_to_end(request).await;
                Ok(empty_answer(StatusCode::NO_CONTENT))
            }
            FaultKind::RefuseConnections { .. } => {
                self.faults.count_hit(id);
                Err(Dropped)
            }
            FaultKind::AckLost { .. } => self.lose_answer(request, id).await,
            FaultKind::WrongAnswer { .. } => self.alter_answer(request, (id, chance)).await,
            FaultKind::Latency { .. } => self.forward(request).await,
        }
    }

    async fn forward(self, request: Request<Body>) -> Result<Response<Body>, Dropped> {
        self.inner.oneshot(request).await.map_err(Into::into)
    }

    async fn lose_answer(
        self,
        request: Request<Body>,
        id: FaultId,
    ) -> Result<Response<Body>, Dropped> {
        let faults = self.faults.clone();
        let response = self.forward(request).await?;
        // The service has done its work once its answer is complete, not once it has begun.
        drop(response.into_body().collect().await);
        faults.count_hit(id);
        Err(Dropped)
    }

    async fn alter_answer(
        self,
        mut request: Request<Body>,
        (id, chance): (FaultId, u64),
    ) -> Result<Response<Body>, Dropped> {
        let faults = self.faults.clone();
        // A digit cannot be altered in a compressed answer.
        request.headers_mut().remove(ACCEPT_ENCODING);
        let response = self.forward(request).await?;
        let is_csv = response.headers().get(CONTENT_TYPE).is_some_and(is_csv);
        if !is_csv || response.headers().contains_key(CONTENT_ENCODING) {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
        let altered = alter_digit(&body, chance);
        if altered.is_some() {
            faults.count_hit(id);
        }
        // A digit takes the place of a digit, so the length in the head still holds.
        Ok(Response::from_parts(head, Body::from(altered.map_or(body, Bytes::from))))
    }
}

fn is_csv(content_type: &HeaderValue) -> bool {
    // Answers to InfluxQL are called so.
    let names = ["text/csv", "application/csv"];
    content_type.to_str().is_ok_and(|text| names.iter().any(|name| text.starts_with(name)))
}

/// Reads what the client sends, so that it is there to hear the answer.
async fn read_to_end(request: Request<Body>) {
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
}

fn empty_answer(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn error_answer(status: StatusCode, retry_after: Option<Duration>) -> Response<Body> {
    let code = status.canonical_reason().unwrap_or("error").to_lowercase();
    let body = format!(r#"{{"code":"{code}","message":"an injected fault"}}"#);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    if let Some(after) = retry_after {
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
