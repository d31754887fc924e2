//! Tests of loads over TLS, against a server on a thread of its own.
//!
//! The certificate in `testdata` is for `sink.test`, signed by the authority beside it, for a
//! century; its key is no secret.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use cutover_model::{Clock, Shard};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::super::*;
use crate::{Labelled, OutcomeCounts, Rate, RunError, RunOptions, Schedule, Stop};

const AUTHORITY: &[u8] = include_bytes!("testdata/authority.pem");
const BODY: &[u8] = &[b'x'; 100_000];

/// Answers each request on each connection, until the test's process ends.
fn server() -> u16 {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("testdata/server.pem"));
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("testdata/server-key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.unwrap()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, socket.unwrap());
            std::thread::spawn(move || {
                let mut input = [0; 4096];
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", BODY.len());
                // A request of these tests arrives in one record.
                while stream.read(&mut input).is_ok_and(|read| read > 0) {
                    stream.write_all(head.as_bytes()).unwrap();
                    stream.write_all(BODY).unwrap();
                }
            });
        }
    });
    port
}

fn load(port: u16, server_name: &str, roots: Roots) -> HttpLoad {
    let request = HttpRequest {
        method: Method::Get,
        path: "/".into(),
        headers: vec![],
        body: Body::Empty { work: 1 },
        gzip: None,
        answer: Answer { status: 200, body: BodyRule::Equals(BODY.to_vec()) },
    };

    HttpLoad {
        endpoint: Endpoint {
            host: "127.0.0.1".into(),
            port,
            tls: Some(Tls { server_name: server_name.into(), roots }),
        },
        requests: vec![Labelled { label: "get".into(), weight: 1, operation: request }],
        pace: Pace::Open(Schedule::constant(Rate::per_second(200), 1).unwrap()),
        options: RunOptions {
            duration: Duration::from_millis(100),
            warm_up: Duration::ZERO,
            timeout: Duration::from_secs(5),
            connections: 4,
            shard: Shard::WHOLE,
        },
        threads: 2,
        wall: Clock::fixed(0),
        abort: vec![],
    }
}

fn counts(load: HttpLoad) -> OutcomeCounts {
    let recording = run_http(load, &Stop::new()).unwrap();
    recording.operations["get"].measured.outcomes.clone()
}

fn all_fail_over_tls(load: HttpLoad) -> bool {
    let counts = counts(load);
    counts.errors.get("no TLS") == Some(&20) && counts.total() == 20
}

#[test]
fn answers_come_whole_over_tls() {
    let counts = counts(load(server(), "sink.test", Roots::Pem(AUTHORITY.to_vec())));
    assert_eq!((counts.ok, counts.total()), (20, 20), "{counts:?}");
}

#[test]
fn a_certificate_for_another_name_is_a_failure_of_tls() {
    assert!(all_fail_over_tls(load(server(), "other.test", Roots::Pem(AUTHORITY.to_vec()))));
}

#[test]
fn a_certificate_of_an_unknown_authority_is_a_failure_of_tls() {
    let other = include_bytes!("testdata/server.pem").to_vec();
    assert!(all_fail_over_tls(load(server(), "sink.test", Roots::Pem(other))));
}

#[test]
fn a_server_that_speaks_no_tls_is_a_failure_of_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            drop(socket.read(&mut [0; 1024]));
            drop(socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
        }
    });
    assert!(all_fail_over_tls(load(port, "sink.test", Roots::Pem(AUTHORITY.to_vec()))));
}

#[test]
fn authorities_that_are_none_are_refused() {
    for pem in [&b""[..], b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"] {
        let load = load(1, "sink.test", Roots::Pem(pem.to_vec()));
        assert_eq!(run_http(load, &Stop::new()), Err(RunError::NoRoot));
    }
}

#[test]
fn a_server_name_that_is_none_is_refused() {
    let load = load(1, "not a name", Roots::Pem(AUTHORITY.to_vec()));
    assert!(matches!(run_http(load, &Stop::new()), Err(RunError::NotHttp(_))));
}
