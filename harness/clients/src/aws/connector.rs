//! The AWS SDK's transport: the same [`Http`] that carries everything else.
//!
//! The main type is [`Connector`]. So the SDK reads no proxy from the environment, speaks over the
//! in-memory network where it is told to, and what breaks on the way is classed in one place: a
//! [`ClientError`] travels through the SDK unharmed and [`super::error`] takes it out again.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use tokio::time::timeout;

use crate::error::ClientError;
use crate::http::Http;

/// How long an answer may be. Pages end at 1 MB, and JSON adds to that.
const ANSWER_CAP: usize = 64 * 1024 * 1024;

/// What a request is called until [`super::error`] puts its name there.
const OPERATION: &str = "aws";

/// An HTTP client for the SDK over our own.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    http: Http,
    /// What the SDK sets itself, as it does where it looks for credentials.
    limit: Option<Duration>,
}

impl Connector {
    pub(crate) fn new(http: Http) -> Self {
        Self { http, limit: None }
    }

    async fn send_within(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let Some(limit) = self.limit else { return self.send(request).await };
        let late = || broken(ClientError::TimedOut { operation: OPERATION, limit });
        timeout(limit, self.send(request)).await.map_err(|_| late())?
    }

    async fn send(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request =
            request.try_into_http1x().map_err(|cause| ConnectorError::user(cause.into()))?;
        let (head, body) = request.into_parts();
        let body = body.bytes().map(Bytes::copy_from_slice);
        let body = body.ok_or_else(|| ConnectorError::user("the body is no text".into()))?;
        let answer = self.http.send(OPERATION, http::Request::from_parts(head, body)).await;
        let mut answer = answer.map_err(broken)?;
        let body = answer.body.read(ANSWER_CAP).await.map_err(broken)?;
        let mut whole = http::Response::new(SdkBody::from(body));
        *whole.status_mut() = answer.status;
        *whole.headers_mut() = answer.headers;
        HttpResponse::try_from(whole).map_err(|cause| ConnectorError::other(cause.into(), None))
    }
}

fn broken(error: ClientError) -> ConnectorError {
    ConnectorError::io(error.into())
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().send_within(request))
    }
}

impl HttpClient for Connector {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        // The limits are those of our own transport, unless the SDK wants an answer sooner.
        let limit = settings.connect_timeout().zip(settings.read_timeout());
        let limit = limit.map(|(connect, read)| connect + read);
        SharedHttpConnector::new(Self { limit, ..self.clone() })
    }
}
