//! The same client over real sockets, on the loopback.

use cutover_clients::influx::{Encoding, InfluxClient, Precision, WriteOutcome};
use cutover_clients::{Applied, ClientError, Http};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::fixture::{TIMEOUTS, TOKEN, endpoint, read_head};

/// A server that gives one answer to one connection and closes it, and a client of it.
async fn saying(answer: &'static str) -> InfluxClient {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    InfluxClient::new(endpoint(&url), Http::sockets(TIMEOUTS).unwrap()).unwrap()
}

async fn write(client: &InfluxClient) -> Result<WriteOutcome, ClientError> {
    client.write("b", Precision::Seconds, "m f=1i 1\n".into(), Encoding::Plain).await
}

#[tokio::test]
async fn a_write_over_a_socket_is_stored() {
    let client = saying("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(write(&client).await.unwrap(), WriteOutcome::Stored);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let client =
        saying("HTTP/1.1 307 Temporary Redirect\r\nlocation: /\r\ncontent-length: 0\r\n\r\n").await;
    assert!(matches!(write(&client).await.unwrap(), WriteOutcome::Failed { status: 307, .. }));
}

#[tokio::test]
async fn a_port_without_a_listener_was_surely_not_applied() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = InfluxClient::new(endpoint(&url), Http::sockets(TIMEOUTS).unwrap()).unwrap();
    let error = write(&client).await.unwrap_err();
    assert!(matches!(error, ClientError::NotConnected { .. }), "{error:?}");
    assert_eq!(error.applied(), Applied::No);
    assert!(!format!("{error:?}").contains(TOKEN));
}

#[tokio::test]
async fn a_connection_that_closes_without_an_answer_leaves_the_outcome_unknown() {
    let client = saying("").await;
    assert_eq!(write(&client).await.unwrap_err().applied(), Applied::Unknown);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error() {
    let client = saying("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n#datatype,string\r\n").await;
    let error = client.query("buckets()").await.unwrap().next().await.unwrap_err();
    assert!(matches!(error, ClientError::Interrupted { .. }), "{error:?}");
}
