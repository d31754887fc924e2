//! HTTP/1.1 over the network: hyper's client, and hyper's server under an axum router.
//!
//! The main types are [`HttpClient`] and [`Network::serve`]. Both run the code that runs over
//! sockets; only the bytes take another way.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;

use crate::network::{Network, Shared, connect};
use crate::stream::Stream;

/// Opens connections from one host, for hyper's client. It does not keep the network alive.
#[derive(Clone, Debug)]
pub struct Dial {
    shared: Weak<Shared>,
    from: String,
    limit: Duration,
}

impl Dial {
    /// A connector for the process on host `from`; a connect that takes longer than `limit` fails.
    pub fn new(network: &Network, from: &str, limit: Duration) -> Self {
        Self { shared: network.downgrade(), from: from.to_owned(), limit }
    }

    /// Connects to a port of a host.
    pub async fn connect(&self, to: &str, port: u16) -> io::Result<Stream> {
        let connecting = connect(self.shared.clone(), &self.from, to, port);
        let limited = tokio::time::timeout(self.limit, connecting).await;
        limited.unwrap_or_else(|_| {
            let message = format!("`{to}:{port}` did not answer within {:?}", self.limit);
            Err(io::Error::new(io::ErrorKind::TimedOut, message))
        })
    }

    /// Runs a task of this host: it ends with the host's crash or with the network.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(shared) = self.shared.upgrade() {
            shared.spawn(&self.from, task);
        }
    }
}

impl tower::Service<Uri> for Dial {
    type Response = TokioIo<Stream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Stream>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dial = self.clone();
        Box::pin(async move {
            if uri.scheme_str() != Some("http") {
                let message =
                    format!("`{uri}` is not plain HTTP, which is all that is spoken here");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
            let host = uri.host().ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidInput, format!("`{uri}` names no host"))
            })?;
            Ok(TokioIo::new(dial.connect(host, uri.port_u16().unwrap_or(80)).await?))
        })
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// So that hyper's connection tasks end with the process that opened the connections.
impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Dial {
    fn execute(&self, task: F) {
        self.spawn(task);
    }
}

/// Sends requests from one host, over connections that are kept and used again. Clones share them.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: Arc<Client<Dial, Full<Bytes>>>,
}

impl HttpClient {
    /// A client for the process on the host of `dial`.
    pub fn new(dial: Dial) -> Self {
        let client = Client::builder(dial.clone())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            // Closing idle connections would walk a hash map, in an order of its own.
            .pool_idle_timeout(None)
            .build(dial);
        Self { client: Arc::new(client) }
    }

    /// Sends one request and returns once the head of the answer is here; the body streams.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Error> {
        self.client.request(request).await
    }
}

impl Network {
    /// Listens on a port of `host` and serves `app` there, in tasks that belong to that host.
    ///
    /// Answers carry no `Date` header: it would tell the wall clock.
    pub fn serve(&self, host: &str, port: u16, app: Router) -> io::Result<()> {
        let mut listener = self.listen(host, port)?;
        let (shared, owner) = (self.downgrade(), host.to_owned());
        self.spawn(host, async move {
            while let Ok(stream) = listener.accept().await {
                let Some(shared) = shared.upgrade() else { return };
                shared.spawn(&owner, serve_connection(stream, app.clone()));
            }
        });
        Ok(())
    }
}

async fn serve_connection(stream: Stream, app: Router) {
    let serving = hyper::server::conn::http1::Builder::new()
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    // How a connection ends is the client's to tell: a reset is a fault that somebody planned.
    drop(serving.await);
}
