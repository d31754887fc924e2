//! A proxy that misbehaves, in front of any HTTP service.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use http::header::{self, HeaderMap, HeaderName};
use http::uri::{PathAndQuery, Scheme};
use http::{Request, Response, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::Service;

use crate::handle::Faults;
use crate::layer::{Dropped, FaultService};
use crate::serve::serve_until;

/// Headers that are for one connection and not to be passed on.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// Forwards HTTP/1.1 from a port of this machine to a service, with faults in between. A service
/// that cannot be reached shows as a connection that is closed without an answer.
///
/// Dropping it closes the port; requests under way are still answered.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    /// Its end is the sign to stop.
    _running: watch::Sender<()>,
}

/// A proxy that could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The address cannot be forwarded to.
    #[error(
        "`{target}` is not the address of a plain HTTP service, such as `http://127.0.0.1:8086`"
    )]
    Target {
        /// The address.
        target: String,
    },
    /// No port of this machine could be had.
    #[error("failed to listen on a port of the loopback interface")]
    Listen(#[source] io::Error),
}

impl Proxy {
    /// Starts a proxy to `target`, a base address with `http://`, on a free port.
    pub async fn start(target: &str, faults: &Faults) -> Result<Self, ProxyError> {
        let refused = || ProxyError::Target { target: target.to_owned() };
        let forward = Forward::to(target).ok_or_else(refused)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(ProxyError::Listen)?;
        let address = listener.local_addr().map_err(ProxyError::Listen)?;
        let (running, stop) = watch::channel(());
        tokio::spawn(accept(listener, faults.wrap(forward), stop));
        Ok(Self { address, _running: running })
    }

    /// The address to use instead of the target's.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn accept(
    listener: TcpListener,
    service: FaultService<Forward>,
    mut stop: watch::Receiver<()>,
) {
    loop {
        let accepted = tokio::select! {
            biased;
            // Nothing is ever sent; this ends when the proxy is dropped.
            _ = stop.changed() => return,
            accepted = listener.accept() => accepted,
        };
        // A connection that was gone before it was accepted is no reason to stop.
        if let Ok((stream, _)) = accepted {
            tokio::spawn(serve(stream, service.clone(), stop.clone()));
        }
    }
}

async fn serve(stream: TcpStream, service: FaultService<Forward>, mut stop: watch::Receiver<()>) {
    // Without it small answers would wait for acknowledgements, and the proxy would add latency.
    if stream.set_nodelay(true).is_ok() {
        serve_until(stream, service, async move { stop.changed().await }).await;
    }
}

/// Sends requests on to a service.
#[derive(Clone, Debug)]
struct Forward {
    client: Client<HttpConnector, Body>,
    base: Uri,
}

impl Forward {
    fn to(target: &str) -> Option<Self> {
        let base: Uri = target.parse().ok()?;
        if base.scheme() != Some(&Scheme::HTTP) || base.query().is_some() {
            return None;
        }
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Some(Self { client, base })
    }

    fn uri(&self, asked: &Uri) -> Result<Uri, http::Error> {
        let path = asked.path_and_query().map_or("/", PathAndQuery::as_str);
        let path = format!("{}{path}", self.base.path().trim_end_matches('/'));
        let mut parts = self.base.clone().into_parts();
        parts.path_and_query = Some(path.parse()?);
        Ok(Uri::from_parts(parts)?)
    }
}

impl Service<Request<Body>> for Forward {
    type Response = Response<Body>;
    type Error = Dropped;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Dropped>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Dropped>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let uri = self.uri(request.uri());
        let client = self.client.clone();
        Box::pin(async move {
            *request.uri_mut() = uri.map_err(|_| Dropped)?;
            *request.version_mut() = Version::HTTP_11;
            remove_hop_by_hop(request.headers_mut());
            // The service is asked by its own name, and the proxy has answered `Expect` itself.
            request.headers_mut().remove(header::HOST);
            request.headers_mut().remove(header::EXPECT);
            let mut response = client.request(request).await.map_err(|_| Dropped)?;
            remove_hop_by_hop(response.headers_mut());
            Ok(response.map(Body::new))
        })
    }
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_owned())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}
