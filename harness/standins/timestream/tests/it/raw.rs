//! Raw requests, as a client without the SDK's model sends them.

use axum::body::{Body, to_bytes};
use cutover_model::Clock;
use cutover_standin_timestream::{Config, TimestreamStandin};
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::server::NOW_NS;

const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=key/20240101/us-east-1/timestream/\
                             aws4_request, SignedHeaders=host, Signature=0";

fn standin() -> TimestreamStandin {
    let advertised_address = "127.0.0.1:1".to_owned();
    TimestreamStandin::new(Config { clock: Clock::fixed(NOW_NS), advertised_address })
}

async fn answer(standin: &TimestreamStandin, request: Request<Body>) -> (Response<()>, Value) {
    let (parts, body) = standin.router().oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (Response::from_parts(parts, ()), serde_json::from_slice(&body).unwrap())
}

fn request(operation: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post("/")
        .header("Content-Type", "application/x-amz-json-1.0")
        .header("X-Amz-Target", format!("Timestream_20181101.{operation}"))
        .header("Authorization", AUTHORIZATION)
        .body(body.into())
        .unwrap()
}

async fn send(standin: &TimestreamStandin, operation: &str, body: Value) -> (StatusCode, Value) {
    let (response, body) = answer(standin, request(operation, body.to_string())).await;
    (response.status(), body)
}

#[tokio::test]
async fn a_whole_life_of_a_table_in_plain_json() {
    let standin = standin();
    let database = json!({ "DatabaseName": "ons" });
    let (status, answer) = send(&standin, "CreateDatabase", database).await;
    assert_eq!((status.as_u16(), &answer["Database"]["DatabaseName"]), (200, &json!("ons")));
    let table = json!({ "DatabaseName": "ons", "TableName": "load" });
    assert_eq!(send(&standin, "CreateTable", table).await.0.as_u16(), 200);
    let records = json!({
        "DatabaseName": "ons", "TableName": "load",
        "Records": [{
            "Dimensions": [{ "Name": "region", "Value": "SE", "DimensionValueType": "VARCHAR" }],
            "MeasureName": "load", "MeasureValue": "1.5", "MeasureValueType": "DOUBLE",
            "Time": "1704067200000", "TimeUnit": "MILLISECONDS", "Version": 1,
        }],
    });
    let (_, answer) = send(&standin, "WriteRecords", records).await;
    let counted = json!({ "Total": 1, "MemoryStore": 1, "MagneticStore": 0 });
    assert_eq!(answer, json!({ "RecordsIngested": counted }));
    let sql = "SELECT region, time, measure_value::double AS load, measure_value::double + null \
               FROM \"ons\".\"load\"";
    let (status, answer) = send(&standin, "Query", json!({ "QueryString": sql })).await;
    assert_eq!(status.as_u16(), 200);
    assert_eq!(
        answer["Rows"],
        json!([{ "Data": [
            { "ScalarValue": "SE" },
            { "ScalarValue": "2024-01-01 00:00:00.000000000" },
            { "ScalarValue": "1.5" },
            { "NullValue": true },
        ] }])
    );
    assert_eq!(
        answer["ColumnInfo"][2],
        json!({ "Name": "load", "Type": { "ScalarType": "DOUBLE" } })
    );
    assert_eq!(answer["QueryStatus"]["CumulativeBytesMetered"], 10_000_000);
}

#[tokio::test]
async fn an_answer_has_a_request_id_and_the_protocols_content_type() {
    let (response, _) = answer(&standin(), request("ListDatabases", "{}")).await;
    assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.0");
    assert!(response.headers().contains_key("x-amzn-requestid"));
    assert!(!response.headers().contains_key("x-amzn-errortype"));
}

#[tokio::test]
async fn an_error_names_its_type_in_body_and_header() {
    let body = json!({ "QueryString": "SELECT" }).to_string();
    let (response, body) = answer(&standin(), request("Query", body)).await;
    assert_eq!(response.status().as_u16(), 400);
    assert_eq!(response.headers()["x-amzn-errortype"], "ValidationException");
    assert_eq!(body["__type"], "com.amazonaws.timestream.v20181101#ValidationException");
    assert!(body["Message"].is_string());
}

#[tokio::test]
async fn a_request_without_credentials_is_refused() {
    let mut unsigned = request("ListDatabases", "{}");
    unsigned.headers_mut().remove("Authorization");
    let (response, _) = answer(&standin(), unsigned).await;
    assert_eq!(response.headers()["x-amzn-errortype"], "MissingAuthenticationTokenException");
}

#[tokio::test]
async fn an_operation_that_does_not_exist_here_is_refused_by_name() {
    let (response, body) = answer(&standin(), request("CreateBatchLoadTask", "{}")).await;
    assert_eq!(response.headers()["x-amzn-errortype"], "UnknownOperationException");
    assert!(body["Message"].as_str().unwrap().contains("CreateBatchLoadTask"));
}

#[tokio::test]
async fn a_get_or_a_request_without_a_target_is_refused() {
    let get = Request::get("/").body(Body::empty()).unwrap();
    assert_eq!(answer(&standin(), get).await.0.status().as_u16(), 400);
    let post = Request::post("/").header("Authorization", "x").body(Body::from("{}")).unwrap();
    assert_eq!(answer(&standin(), post).await.0.status().as_u16(), 400);
}

#[tokio::test]
async fn a_body_that_is_no_such_json_is_a_serialization_error() {
    for body in ["{", "[]", "\u{0}", r#"{"QueryString": 1}"#, r#"{"MaxRows": "x"}"#] {
        let (response, _) = answer(&standin(), request("Query", body)).await;
        assert_eq!(response.headers()["x-amzn-errortype"], "SerializationException", "`{body}`");
    }
}

#[tokio::test]
async fn a_missing_member_is_named() {
    let (_, body) = send(&standin(), "WriteRecords", json!({ "DatabaseName": "ons" })).await;
    assert!(body["Message"].as_str().unwrap().contains("'tableName'"));
}

#[tokio::test]
async fn rejected_records_have_their_status_and_their_list() {
    let standin = standin();
    send(&standin, "CreateDatabase", json!({ "DatabaseName": "ons" })).await;
    send(&standin, "CreateTable", json!({ "DatabaseName": "ons", "TableName": "load" })).await;
    let time = "1704067200000";
    let record =
        |value: &str| json!({ "MeasureName": "load", "MeasureValue": value, "Time": time });
    let records = json!({
        "DatabaseName": "ons", "TableName": "load",
        "Records": [record("1"), record("2")],
    });
    let (status, body) = send(&standin, "WriteRecords", records).await;
    assert_eq!(status.as_u16(), 419);
    assert_eq!(body["RejectedRecords"][0]["RecordIndex"], 1);
    assert_eq!(body["RejectedRecords"][0]["ExistingVersion"], 1);
    assert!(body["RejectedRecords"][0]["Reason"].is_string());
}
