//! Flux queries over a body that streams, stalls, breaks off or fails at its end.

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use cutover_clients::ClientError;
use cutover_clients::influx::{FluxReader, FluxValue, InfluxClient};
use cutover_net::Link;
use tokio::time::Instant;

use crate::fixture::{TIMEOUTS, influx_at, influx_saying};

const FLUX: &str = r#"from(bucket: "b") |> range(start: 0)"#;

const BODY: &str = "#datatype,string,long,long\r\n#group,false,false,false\r\n\
                    #default,_result,,\r\n,result,table,n\r\n,,0,1\r\n,,0,2\r\n\r\n";

/// A chunk of 72 bytes, without the last chunk that would end the body.
const ONE_PART: &str = "48\r\n#datatype,string,long,long\r\n#default,_result,,\r\n\
                        ,result,table,n\r\n,,0,1\r\n\r\n";

/// The values of `n` until the end or the first error.
async fn read_all(mut reader: FluxReader) -> (Vec<i64>, Option<ClientError>) {
    let mut values = Vec::new();
    loop {
        match reader.next().await {
            Ok(Some(chunk)) => values.extend(chunk.rows().map(|row| match row.value(2).unwrap() {
                FluxValue::Integer(n) => n,
                other => panic!("`n` is {other:?}"),
            })),
            Ok(None) => return (values, None),
            Err(error) => return (values, Some(error)),
        }
    }
}

async fn ask(client: &InfluxClient) -> (Vec<i64>, Option<ClientError>) {
    read_all(client.query(FLUX).await.unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn a_query_asks_for_annotations_and_reads_its_rows() {
    let answer = |headers: HeaderMap, body: String| async move {
        assert_eq!(headers["content-type"], "application/json");
        let sent: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(sent["query"], FLUX);
        let annotations = serde_json::json!(["datatype", "group", "default"]);
        assert_eq!(sent["dialect"]["annotations"], annotations);
        BODY
    };
    let (_network, client) = influx_at(Router::new().route("/api/v2/query", post(answer)));
    let (values, error) = ask(&client).await;
    assert_eq!((values, error.is_none()), (vec![1, 2], true));
}

#[tokio::test(start_paused = true)]
async fn rows_are_there_before_the_answer_has_ended() {
    let (_network, client) =
        influx_saying(&["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", ONE_PART]);
    let start = Instant::now();
    let mut reader = client.query(FLUX).await.unwrap();
    assert_eq!(start.elapsed().as_millis(), 0, "the head is enough");
    let chunk = reader.next().await.unwrap().unwrap();
    assert_eq!(chunk.len(), 1);
    assert_eq!(start.elapsed().as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_is_cut_between_two_parts_is_read_whole() {
    let (_network, client) = influx_saying(&[
        "HTTP/1.1 200 OK\r\ncontent-length: 75\r\n\r\n#datatype,string,long,long\r\n#default,_re",
        "sult,,\r\n,result,table,n\r\n,,0,12",
        "34\r\n",
    ]);
    let (values, error) = ask(&client).await;
    assert_eq!((values, error.is_none()), (vec![1234], true));
}

#[tokio::test(start_paused = true)]
async fn a_body_shorter_than_its_length_is_an_error_after_its_rows() {
    let (_network, client) =
        influx_saying(&["HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n", BODY]);
    let (values, error) = ask(&client).await;
    assert_eq!(values, [1, 2]);
    assert!(matches!(error, Some(ClientError::Interrupted { .. })), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn parts_without_a_last_one_are_an_error_after_their_rows() {
    let (_network, client) =
        influx_saying(&["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", ONE_PART]);
    let (values, error) = ask(&client).await;
    assert_eq!(values, [1]);
    assert!(matches!(error, Some(ClientError::Interrupted { .. })), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_body_whose_end_proves_nothing_is_refused() {
    let (_network, client) = influx_saying(&["HTTP/1.1 200 OK\r\n\r\n", BODY]);
    let error = client.query(FLUX).await.err();
    assert!(matches!(error, Some(ClientError::Malformed { .. })), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_whole_body_with_half_a_record_is_truncated() {
    let answer = || async { &BODY[..BODY.len() - 4] };
    let (_network, client) = influx_at(Router::new().route("/api/v2/query", post(answer)));
    let (values, error) = ask(&client).await;
    assert_eq!(values, [1]);
    assert!(matches!(error, Some(ClientError::Truncated { .. })), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_times_out() {
    let (network, client) = influx_saying(&["HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n"]);
    let mut reader = client.query(FLUX).await.unwrap();
    // The server closes after a second, long before the limit; the cut keeps that back.
    let _cut = network.cut(&Link::between("client", "server"));
    let start = Instant::now();
    let error = reader.next().await.unwrap_err();
    assert!(matches!(error, ClientError::TimedOut { .. }), "{error:?}");
    assert_eq!(start.elapsed(), TIMEOUTS.idle);
}

#[tokio::test(start_paused = true)]
async fn an_error_table_after_rows_is_an_error_and_stays_one() {
    let answer = || async {
        format!(
            "{BODY}#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n\
                 ,error,reference\r\n,runtime error: boom,\r\n"
        )
    };
    let (_network, client) = influx_at(Router::new().route("/api/v2/query", post(answer)));
    let mut reader = client.query(FLUX).await.unwrap();
    assert_eq!(reader.next().await.unwrap().unwrap().len(), 2);
    let error = reader.next().await.unwrap_err();
    assert_eq!(error.to_string(), "the query failed at the server: runtime error: boom");
    assert!(reader.next().await.is_err(), "there is no quiet end after an error");
}

#[tokio::test(start_paused = true)]
async fn a_query_that_does_not_compile_tells_the_servers_reason() {
    let refusal = r#"{"code":"invalid","message":"error @1:21-1:25: undefined identifier rnge"}"#;
    let answer = move || async move { (StatusCode::BAD_REQUEST, refusal) };
    let (_network, client) = influx_at(Router::new().route("/api/v2/query", post(answer)));
    let error = client.query(FLUX).await.err().unwrap();
    assert!(error.to_string().contains("undefined identifier rnge"), "{error}");
    assert!(!error.is_transient());
}

#[tokio::test(start_paused = true)]
async fn a_throttled_query_tells_how_long() {
    let answer = || async { (StatusCode::SERVICE_UNAVAILABLE, [("Retry-After", "3")], "") };
    let (_network, client) = influx_at(Router::new().route("/api/v2/query", post(answer)));
    let error = client.query(FLUX).await.err().unwrap();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
    assert!(error.is_transient());
}
