//! Serving one connection, and closing it when the service says that there is no answer.

use std::pin::pin;

use axum::body::Body;
use http::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tower::Service;

use crate::layer::{Dropped, FaultService};

/// Serves HTTP/1.1 on `io` until the client leaves or a fault closes the connection.
///
/// Answers carry no `Date` header of the server's: it would tell the wall clock.
pub async fn serve_connection<I, S>(io: I, service: FaultService<S>)
where
    I: AsyncRead + AsyncWrite + Unpin,
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Error: Into<Dropped>,
    S::Future: Send,
{
    serve_until(io, service, std::future::pending::<()>()).await;
}

/// As [`serve_connection`], but ends after the request under way once `stop` is ready.
pub(crate) async fn serve_until<I, S>(io: I, service: FaultService<S>, stop: impl Future)
where
    I: AsyncRead + AsyncWrite + Unpin,
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Error: Into<Dropped>,
    S::Future: Send,
{
    let service = TowerToHyperService::new(service);
    let serving = hyper::server::conn::http1::Builder::new()
        .auto_date_header(false)
        .serve_connection(TokioIo::new(io), service);
    let (mut serving, stop) = (pin!(serving), pin!(stop));
    tokio::select! {
        biased;
        // How a connection ends is the client's to tell: a reset is a fault that somebody planned.
        _ = serving.as_mut() => return,
        _ = stop => {}
    }
    serving.as_mut().graceful_shutdown();
    drop(serving.await);
}
