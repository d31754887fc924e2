//! The AWS SDK's transport: the same [`Http`] that carries everything else.
//!
//! The main type is [`Connector`]. So the SDK reads no proxy from the environment, speaks over the
//! in-memory network where it is told to, and what breaks on the way is classed in one place: a
//! [`ClientError`] travels through the SDK unharmed and [`super::error`] takes it out again.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use crate::error::ClientError;
use crate::http::Http;

/// How long an answer may be. Pages end at 1 MB, and JSON adds to that.
const ANSWER_CAP: usize = 64 * 1024 * 1024;

/// What a request is called until [`super::error`] puts its name there.
const OPERATION: &str = "timestream";

/// An HTTP client for the SDK over our own.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    http: Http,
}

impl Connector {
    pub(super) fn new(http: Http) -> Self {
        Self { http }
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
        HttpConnectorFuture::new(self.clone().send(request))
    }
}

impl HttpClient for Connector {
    fn http_connector(
        &self,
        // The limits are those of our own transport.
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
