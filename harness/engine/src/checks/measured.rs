//! The destination as the measured path reaches it.
//!
//! [`drive`] runs a load over HTTP on threads of its own while the rest of the run goes on;
//! [`endpoint_of`] and [`request_of`] say in its words what the client would send.

use std::sync::Arc;

use cutover_clients::influx::PreparedRequest;
use cutover_load::{
    Answer, Body, BodyRule, Endpoint, Header, HttpLoad, HttpRequest, Method, Recording, Roots,
    RunError, Stop, Tls, run_http,
};
use tokio::sync::watch;

use super::CollectError;

/// Where a request goes to.
pub(super) fn endpoint_of(request: &PreparedRequest) -> Result<Endpoint, CollectError> {
    let none = || CollectError::Shape {
        store: "destination",
        problem: format!("`{}` is no address of a server", request.base),
    };
    let uri: http::Uri = request.base.parse().map_err(|_| none())?;
    let host = uri.host().ok_or_else(none)?.trim_matches(['[', ']']).to_owned();
    let secure = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let tls = secure.then(|| Tls { server_name: host.clone(), roots: Roots::System });
    Ok(Endpoint { host, port, tls })
}

/// A request with its body, and the answer that is due.
pub(super) fn request_of(
    request: PreparedRequest,
    body: Body,
    (status, rule): (u16, BodyRule),
) -> HttpRequest {
    let headers = request.headers.into_iter();
    let base = request.base.parse::<http::Uri>().ok();
    let prefix = base.as_ref().map_or("", |base| base.path().trim_end_matches('/'));
    HttpRequest {
        method: Method::Post,
        path: format!("{prefix}{}", request.path),
        headers: headers.map(|(name, value)| Header { name: name.to_owned(), value }).collect(),
        body,
        gzip: None,
        answer: Answer { status, body: rule },
    }
}

/// Runs a load to its end, or until it or the run is to stop.
pub(crate) async fn drive(
    load: HttpLoad,
    flag: Arc<Stop>,
    mut stop: watch::Receiver<bool>,
) -> Result<Recording, CollectError> {
    let seen = Arc::clone(&flag);
    let mut running = tokio::task::spawn_blocking(move || run_http(load, &seen));
    let stopped = async {
        // An error says that nobody is left to say stop: the load goes on to its end.
        if stop.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let ended = tokio::select! {
        ended = &mut running => ended,
        () = stopped => {
            flag.stop();
            running.await
        }
    };
    Ok(ended.map_err(|_| RunError::Panicked)??)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(base: &str) -> Result<Endpoint, CollectError> {
        let (path, headers) = ("/".to_owned(), Vec::new());
        endpoint_of(&PreparedRequest { base: base.to_owned(), path, headers })
    }

    #[test]
    fn an_address_is_taken_apart() {
        let plain = endpoint("http://127.0.0.1:8086").unwrap();
        assert_eq!((plain.host.as_str(), plain.port), ("127.0.0.1", 8086));
        assert!(plain.tls.is_none());
        let secure = endpoint("https://db.example").unwrap();
        assert_eq!((secure.host.as_str(), secure.port), ("db.example", 443));
        assert_eq!(secure.tls.unwrap().server_name, "db.example");
        assert_eq!(endpoint("http://[::1]:8086").unwrap().host, "::1");
    }

    #[test]
    fn what_is_no_address_is_told() {
        let error = endpoint("nothing at all").unwrap_err();
        assert!(error.to_string().contains("destination"), "{error}");
    }
}
