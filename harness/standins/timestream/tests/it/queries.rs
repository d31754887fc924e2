//! The queries that the migrated application makes, and what every answer carries.

use crate::server::{self, NOW_S, Server, record};

const HOUR: i64 = 3_600;

/// Two regions, a value each half hour over a day: `SE` counts 0, 1, 2 …, `S` is always 10.
async fn with_a_day() -> Server {
    let server = server::start_with_table().await;
    let start = NOW_S - 24 * HOUR;
    let records = (0..48).flat_map(|half| {
        let time = start + half * HOUR / 2;
        [record("SE", time, half as f64), record("S", time, 10.0)]
    });
    server.put(records.collect()).await;
    server
}

#[tokio::test]
async fn the_mean_by_hour_in_a_region() {
    let server = with_a_day().await;
    let sql = r#"SELECT bin(time, 1h) AS hour, avg(measure_value::double) FROM "ons"."load_curve"
        WHERE region = 'SE' AND time BETWEEN '2023-12-31 00:00:00' AND '2023-12-31 01:59:59'
        GROUP BY bin(time, 1h) ORDER BY hour"#;
    assert_eq!(
        server.rows(sql).await,
        [["2023-12-31 00:00:00.000000000", "0.5"], ["2023-12-31 01:00:00.000000000", "2.5"],]
    );
    let columns = server.columns(sql).await;
    let expected = [("hour", "TIMESTAMP"), ("_col1", "DOUBLE")];
    assert_eq!(columns, expected.map(|(name, kind)| (name.to_owned(), kind.to_owned())));
}

#[tokio::test]
async fn the_greatest_value_and_when_it_was() {
    let server = with_a_day().await;
    let sql = r#"SELECT max(measure_value::double), max_by(time, measure_value::double),
        min_by(time, measure_value::double) FROM "ons"."load_curve" WHERE region = 'SE'"#;
    assert_eq!(
        server.rows(sql).await,
        [["47.0", "2023-12-31 23:30:00.000000000", "2023-12-31 00:00:00.000000000"]]
    );
}

#[tokio::test]
async fn the_sum_by_region() {
    let server = with_a_day().await;
    // The clock is a little after midnight, so the first value of the day before is too old.
    let sql = r#"SELECT region, sum(measure_value::double) AS total FROM "ons"."load_curve"
        WHERE time >= ago(1d) AND time < now() GROUP BY region ORDER BY region"#;
    assert_eq!(server.rows(sql).await, [["S", "470.0"], ["SE", "1128.0"]]);
}

#[tokio::test]
async fn a_table_without_rows_gives_no_rows() {
    let server = server::start_with_table().await;
    assert!(server.rows(r#"SELECT time FROM "ons"."load_curve""#).await.is_empty());
    assert_eq!(server.value(r#"SELECT count(*) FROM "ons"."load_curve""#).await, "0");
}

#[tokio::test]
async fn an_unknown_column_is_named_with_its_position() {
    let server = with_a_day().await;
    assert_eq!(
        server.refusal("SELECT Regio\nFROM \"ons\".\"load_curve\"").await,
        "line 1:8: Column 'Regio' does not exist"
    );
}

#[tokio::test]
async fn an_unknown_table_or_database_is_named_with_its_position() {
    let server = with_a_day().await;
    assert_eq!(
        server.refusal(r#"SELECT 1 FROM "ons"."curve""#).await,
        "line 1:21: Table 'curve' does not exist"
    );
    assert_eq!(
        server.refusal(r#"SELECT 1 FROM "nowhere"."load_curve""#).await,
        "line 1:15: Database 'nowhere' does not exist"
    );
    assert!(server.refusal("SELECT 1 FROM load_curve").await.contains("\"database\".\"table\""));
}

#[tokio::test]
async fn statements_that_are_no_queries_are_refused() {
    let server = with_a_day().await;
    let statements = [
        r#"INSERT INTO "ons"."load_curve" VALUES (1)"#,
        r#"DELETE FROM "ons"."load_curve""#,
        r#"DROP TABLE "ons"."load_curve""#,
        r#"CREATE TABLE "ons"."x" AS SELECT 1"#,
        "EXPLAIN SELECT 1",
        "SET a = 1",
        "COPY x TO 'y'",
        "UNLOAD (SELECT 1) TO 's3://bucket/'",
        "SELECT 1; SELECT 2",
        "THIS IS NOT SQL",
        ";",
        "SELECT",
    ];
    for statement in statements {
        assert!(!server.refusal(statement).await.is_empty(), "{statement}");
    }
    assert_eq!(server.value(r#"SELECT count(*) FROM "ons"."load_curve""#).await, "96");
}

#[tokio::test]
async fn the_schema_is_shown() {
    let server = with_a_day().await;
    assert_eq!(server.rows("SHOW DATABASES").await, [["ons"]]);
    assert_eq!(server.rows("SHOW TABLES FROM \"ons\"").await, [["load_curve"]]);
    assert_eq!(
        server.rows("DESCRIBE ons.load_curve").await,
        [
            ["region", "varchar", "DIMENSION"],
            ["measure_name", "varchar", "MEASURE_NAME"],
            ["time", "timestamp", "TIMESTAMP"],
            ["measure_value::double", "double", "MEASURE_VALUE"],
        ]
    );
    assert_eq!(
        server.rows("SHOW MEASURES FROM \"ons\".\"load_curve\"").await,
        [["load", "double", r#"[{"dimension_name":"region","data_type":"varchar"}]"#]]
    );
}

#[tokio::test]
async fn bytes_are_metered_from_ten_million_up() {
    let server = with_a_day().await;
    let sql = r#"SELECT measure_value::double FROM "ons"."load_curve""#;
    let answer = server.query.query().query_string(sql).send().await.unwrap();
    let status = answer.query_status().unwrap();
    assert_eq!(status.cumulative_bytes_scanned(), 96 * 8);
    assert_eq!(status.cumulative_bytes_metered(), 10_000_000);
    assert_eq!(status.progress_percentage().to_string(), "100");
}

#[tokio::test]
async fn a_query_reads_what_was_written_before_it_and_nothing_else() {
    let server = server::start_with_table().await;
    for count in 1..=20 {
        server.put(vec![record("SE", NOW_S - count, 1.0)]).await;
        let sql = r#"SELECT count(*) FROM "ons"."load_curve""#;
        assert_eq!(server.value(sql).await, count.to_string());
    }
}

#[tokio::test]
async fn a_finished_query_can_be_cancelled_and_an_unknown_one_cannot() {
    let server = server::start().await;
    let answer = server.query.query().query_string("SELECT 1").send().await.unwrap();
    server.query.cancel_query().query_id(answer.query_id()).send().await.unwrap();
    let error = server.query.cancel_query().query_id("Q1").send().await.unwrap_err();
    assert!(error.into_service_error().is_validation_exception());
}
