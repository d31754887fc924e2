//! What the dialect means, each expression against the value that it has with the service.

use crate::server::{self, NOW_S, Server, record};

/// Each expression with its value.
async fn check(server: &Server, cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        assert_eq!(server.value(&format!("SELECT {expression}")).await, *expected, "{expression}");
    }
}

#[tokio::test]
async fn times_are_binned_from_the_epoch() {
    let time = "TIMESTAMP '2023-05-17 13:47:59.987654321'";
    let server = server::start().await;
    let cases = [
        ("1h", "2023-05-17 13:00:00.000000000"),
        ("5m", "2023-05-17 13:45:00.000000000"),
        ("30s", "2023-05-17 13:47:30.000000000"),
        ("1d", "2023-05-17 00:00:00.000000000"),
        // The epoch was a Thursday.
        ("7d", "2023-05-11 00:00:00.000000000"),
        ("1ms", "2023-05-17 13:47:59.987000000"),
        ("1us", "2023-05-17 13:47:59.987654000"),
        ("1ns", "2023-05-17 13:47:59.987654321"),
        ("INTERVAL '1' HOUR", "2023-05-17 13:00:00.000000000"),
    ];
    for (interval, expected) in cases {
        check(&server, &[(&format!("bin({time}, {interval})"), expected)]).await;
    }
    check(&server, &[("bin(from_nanoseconds(-1), 1h)", "1969-12-31 23:00:00.000000000")]).await;
}

#[tokio::test]
async fn the_present_and_spans_before_it() {
    let server = server::start().await;
    check(
        &server,
        &[
            ("now()", "2024-01-01 00:00:00.123000000"),
            ("current_timestamp", "2024-01-01 00:00:00.123000000"),
            ("ago(1h)", "2023-12-31 23:00:00.123000000"),
            ("ago(1d) + 1m", "2023-12-31 00:01:00.123000000"),
            ("now() - ago(36h)", "1 12:00:00.000000000"),
            ("current_date", "2024-01-01"),
        ],
    )
    .await;
}

#[tokio::test]
async fn times_are_cut_moved_and_told_apart() {
    let server = server::start().await;
    check(
        &server,
        &[
            (
                "date_trunc('hour', TIMESTAMP '2023-05-17 13:47:59')",
                "2023-05-17 13:00:00.000000000",
            ),
            (
                "date_trunc('week', TIMESTAMP '2023-05-17 13:47:59')",
                "2023-05-15 00:00:00.000000000",
            ),
            (
                "date_trunc('month', TIMESTAMP '2023-05-17 13:47:59')",
                "2023-05-01 00:00:00.000000000",
            ),
            (
                "date_add('month', 1, TIMESTAMP '2023-01-31 10:00:00')",
                "2023-02-28 10:00:00.000000000",
            ),
            ("date_add('day', -1, TIMESTAMP '2023-01-01')", "2022-12-31 00:00:00.000000000"),
            ("date_diff('hour', TIMESTAMP '2023-01-01', TIMESTAMP '2023-01-02 01:59:59')", "25"),
            ("date_diff('month', TIMESTAMP '2023-01-31', TIMESTAMP '2023-03-30')", "1"),
            ("hour(TIMESTAMP '2023-05-17 13:47:59')", "13"),
            ("day_of_week(TIMESTAMP '2023-05-17 13:47:59')", "3"),
            ("extract(year FROM TIMESTAMP '2023-05-17 13:47:59')", "2023"),
            ("week(TIMESTAMP '2023-01-01 00:00:00')", "52"),
        ],
    )
    .await;
}

#[tokio::test]
async fn times_turn_into_numbers_and_text_and_back() {
    let server = server::start().await;
    check(
        &server,
        &[
            ("to_milliseconds(TIMESTAMP '1970-01-01 00:00:01.999999999')", "1999"),
            ("to_nanoseconds(TIMESTAMP '2023-01-01 00:00:00.000000001')", "1672531200000000001"),
            ("from_milliseconds(1672531200001)", "2023-01-01 00:00:00.001000000"),
            ("from_nanoseconds(1672531200000000001)", "2023-01-01 00:00:00.000000001"),
            ("from_unixtime(1672531200)", "2023-01-01 00:00:00.000000000"),
            ("to_unixtime(TIMESTAMP '2023-01-01 00:00:00.5')", "1.6725312005E9"),
            ("from_iso8601_timestamp('2023-01-01T03:00:00Z')", "2023-01-01 03:00:00.000000000"),
            (
                "from_iso8601_timestamp('2023-01-01T00:00:00-03:00')",
                "2023-01-01 03:00:00.000000000",
            ),
            ("from_iso8601_timestamp('2023-01-01')", "2023-01-01 00:00:00.000000000"),
            ("to_iso8601(TIMESTAMP '2023-01-01')", "2023-01-01T00:00:00.000000000Z"),
            ("CAST(TIMESTAMP '2023-01-01' AS VARCHAR)", "2023-01-01 00:00:00.000000000"),
            ("CAST('2023-01-01 10:00:00' AS TIMESTAMP)", "2023-01-01 10:00:00.000000000"),
            ("DATE '2023-01-01'", "2023-01-01"),
        ],
    )
    .await;
}

#[tokio::test]
async fn numbers_are_computed_and_written_as_the_service_does() {
    let server = server::start().await;
    check(
        &server,
        &[
            ("7 / 2", "3"),
            ("-7 / 2", "-3"),
            ("-7 % 3", "-1"),
            ("mod(7, 4)", "3"),
            ("7 / 2.0", "3.5"),
            ("1.0 / 0.0", "Infinity"),
            ("nan()", "NaN"),
            ("-infinity()", "-Infinity"),
            ("10000000000.0", "1.0E10"),
            ("0.00001", "1.0E-5"),
            ("CAST(2.5 AS BIGINT)", "3"),
            ("CAST(-2.5 AS BIGINT)", "-3"),
            ("CAST(2.4 AS INTEGER)", "2"),
            ("CAST(12345678.0 AS VARCHAR)", "1.2345678E7"),
            ("CAST('0.1' AS DOUBLE)", "0.1"),
            ("round(2.5)", "3.0"),
            ("round(-2.5)", "-3.0"),
            ("power(2, 10)", "1024.0"),
            ("greatest(1, 3, 2)", "3"),
            ("greatest(1, NULL)", "NULL"),
            ("abs(-5)", "5"),
        ],
    )
    .await;
}

#[tokio::test]
async fn text_functions() {
    let server = server::start().await;
    check(
        &server,
        &[
            ("'a' || 'b'", "ab"),
            ("concat('a', 'b', 'c')", "abc"),
            ("concat('a', NULL)", "NULL"),
            ("length('été')", "3"),
            ("upper('se')", "SE"),
            ("substr('sudeste', 4)", "este"),
            ("substr('sudeste', 1, 3)", "sud"),
            ("strpos('sudeste', 'este')", "4"),
            ("replace('a-b', '-', '+')", "a+b"),
            ("trim('  a ')", "a"),
            ("regexp_like('SE-1', '^[A-Z]+-')", "true"),
            ("'SE' LIKE 'S_'", "true"),
            ("'SE' LIKE 's%'", "false"),
            ("'it''s'", "it's"),
        ],
    )
    .await;
}

#[tokio::test]
async fn conditions() {
    let server = server::start().await;
    check(
        &server,
        &[
            ("if(1 = 1, 'yes', 'no')", "yes"),
            ("if(1 = 2, 'yes')", "NULL"),
            ("CASE WHEN 1 = 2 THEN 1 ELSE 2 END", "2"),
            ("coalesce(NULL, 2)", "2"),
            ("nullif(2, 2)", "NULL"),
            ("NULL = NULL", "NULL"),
            ("1 IN (1, 2)", "true"),
            ("NOT true", "false"),
            ("2 BETWEEN 1 AND 3", "true"),
        ],
    )
    .await;
}

async fn with_values() -> Server {
    let server = server::start_with_table().await;
    let records = (0..10).map(|number| record("SE", NOW_S - number, number as f64));
    server.put(records.collect()).await;
    server.put(vec![record("S", NOW_S, 100.0)]).await;
    server
}

#[tokio::test]
async fn aggregates() {
    let server = with_values().await;
    let cases = [
        ("count(*)", "10"),
        ("count(DISTINCT region)", "1"),
        ("count_if(measure_value::double > 6)", "3"),
        ("avg(measure_value::double)", "4.5"),
        ("sum(measure_value::double)", "45.0"),
        ("min(measure_value::double)", "0.0"),
        ("max(time)", "2024-01-01 00:00:00.000000000"),
        ("approx_percentile(measure_value::double, 0.5)", "4.5"),
        ("max_by(to_unixtime(time), measure_value::double)", "1.704067191E9"),
        ("min_by(region, measure_value::double)", "SE"),
        ("arbitrary(region)", "SE"),
        ("bool_and(measure_value::double >= 0)", "true"),
        ("every(measure_value::double > 0)", "false"),
        ("stddev_pop(measure_value::double)", "2.8722813232690143"),
        ("variance(measure_value::double)", "9.166666666666666"),
        ("count(*) FILTER (WHERE measure_value::double < 3)", "3"),
        ("avg(CAST(measure_value::double AS BIGINT))", "4.5"),
    ];
    for (expression, expected) in cases {
        let sql = format!("SELECT {expression} FROM \"ons\".\"load_curve\" WHERE region = 'SE'");
        assert_eq!(server.value(&sql).await, expected, "{expression}");
    }
}

#[tokio::test]
async fn the_geometric_mean() {
    let server = server::start().await;
    let sql = "SELECT round(geometric_mean(x), 6) FROM (VALUES (1.0), (4.0), (16.0)) t(x)";
    assert_eq!(server.value(sql).await, "4.0");
}

#[tokio::test]
async fn nulls_come_last_in_both_directions() {
    let server = server::start().await;
    let values = "(VALUES (2), (NULL), (1)) t(x)";
    let rows = server.rows(&format!("SELECT x FROM {values} ORDER BY x")).await;
    assert_eq!(rows, [["1"], ["2"], ["NULL"]]);
    let rows = server.rows(&format!("SELECT x FROM {values} ORDER BY x DESC")).await;
    assert_eq!(rows, [["2"], ["1"], ["NULL"]]);
    let rows = server.rows(&format!("SELECT x FROM {values} ORDER BY x NULLS FIRST")).await;
    assert_eq!(rows, [["NULL"], ["1"], ["2"]]);
}

#[tokio::test]
async fn names_are_found_in_any_case() {
    let server = with_values().await;
    let sql = r#"SELECT REGION, Time, Measure_Value::Double AS Mw FROM "ONS"."Load_Curve"
        WHERE "Region" = 'S'"#;
    assert_eq!(server.rows(sql).await, [["S", "2024-01-01 00:00:00.000000000", "100.0"]]);
    let names: Vec<String> = server.columns(sql).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["region", "time", "Mw"]);
}

#[tokio::test]
async fn ordinary_words_are_names() {
    let words = [
        "value",
        "date",
        "hour",
        "year",
        "zone",
        "load",
        "type",
        "level",
        "key",
        "name",
        "source",
        "unit",
        "station",
        "timestamp",
        "state",
        "version",
        "position",
        "data",
        "count",
        "bin",
    ];
    let server = server::start_with_table().await;
    let mut named = record("SE", NOW_S, 1.0);
    named.dimensions = Some(words.map(|word| server::dimension(word, word)).into());
    server.put(vec![named]).await;
    for word in words {
        let sql = format!(
            "SELECT {word} AS a FROM \"ons\".\"load_curve\" WHERE {word} = '{word}' ORDER BY {word}"
        );
        assert_eq!(server.value(&sql).await, word);
    }
}

#[tokio::test]
async fn columns_without_a_name_are_numbered() {
    let server = with_values().await;
    let sql = r#"SELECT region, count(*), 1 + 1, region FROM "ons"."load_curve" GROUP BY region"#;
    let names: Vec<String> = server.columns(sql).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["region", "_col1", "_col2", "region"]);
}

#[tokio::test]
async fn the_single_measure_column_can_be_quoted() {
    let server = with_values().await;
    let sql = r#"SELECT "measure_value::double" FROM "ons"."load_curve" WHERE region = 'S'"#;
    assert_eq!(server.value(sql).await, "100.0");
    assert_eq!(server.columns(sql).await[0].0, "measure_value::double");
}

#[tokio::test]
async fn queries_nest_join_and_combine() {
    let server = with_values().await;
    // `TABLE` and `VALUE` are short for what the sentences below would be too long with.
    let cases = [
        "WITH s AS (SELECT * FROM TABLE WHERE region = 'S') SELECT count(*) FROM s",
        "SELECT count(*) FROM TABLE a JOIN TABLE b ON a.time = b.time AND a.region < b.region",
        "SELECT count(*) FROM TABLE WHERE VALUE = (SELECT max(VALUE) FROM TABLE)",
        "SELECT count(*) FROM (SELECT region FROM TABLE WHERE region = 'S' UNION SELECT 'S')",
        "SELECT x FROM (SELECT row_number() OVER (ORDER BY time DESC, region) AS x, region \
         FROM TABLE) WHERE region = 'S'",
        "SELECT count(DISTINCT region) - 1 FROM TABLE WHERE region IN (SELECT region FROM TABLE)",
    ];
    for case in cases {
        let sql = case.replace("TABLE", "\"ons\".\"load_curve\"");
        let sql = sql.replace("VALUE", "measure_value::double");
        assert_eq!(server.value(&sql).await, "1", "{sql}");
    }
}

#[tokio::test]
async fn every_clause_of_a_query() {
    let server = server::start().await;
    // Readings of two meters; the last of each is missing.
    let t = "(VALUES ('a', 1, 10), ('a', 2, 20), ('a', 3, NULL), ('b', 1, 5), ('b', 2, NULL)) \
             t(meter, n, x)";
    let u = "(VALUES ('a', 1), ('c', 2)) u(meter, k)";
    let cases = [
        (format!("SELECT meter FROM {t} GROUP BY 1 HAVING sum(x) > 10 ORDER BY 1"), "a"),
        (format!("SELECT DISTINCT meter FROM {t} ORDER BY meter DESC"), "b a"),
        (format!("SELECT n FROM {t} ORDER BY n DESC, meter LIMIT 2"), "3 2"),
        (format!("SELECT n FROM {t} ORDER BY n DESC, meter OFFSET 4"), "1"),
        (format!("SELECT k FROM {u} LEFT JOIN {t} ON u.meter = t.meter WHERE n IS NULL"), "2"),
        (format!("SELECT count(*) FROM {t} FULL JOIN {u} ON u.meter = t.meter"), "6"),
        (format!("SELECT count(*) FROM {t} CROSS JOIN {u}"), "10"),
        (format!("SELECT n FROM {t} JOIN {u} USING (meter) ORDER BY n"), "1 2 3"),
        (
            format!("SELECT k FROM {u} WHERE EXISTS (SELECT 1 FROM {t} WHERE t.meter = u.meter)"),
            "1",
        ),
        (format!("SELECT k FROM {u} WHERE meter NOT IN (SELECT meter FROM {t})"), "2"),
        (
            format!(
                "SELECT k + (SELECT max(n) FROM {t} WHERE t.meter = u.meter) FROM {u} ORDER BY 1"
            ),
            "4 NULL",
        ),
        (format!("SELECT n FROM {t} WHERE x = (SELECT max(x) FROM {t})"), "2"),
        (
            format!(
                "SELECT lag(x) OVER (PARTITION BY meter ORDER BY n) FROM {t} ORDER BY meter, n"
            ),
            "NULL 10 20 NULL 5",
        ),
        (
            format!(
                "SELECT sum(n) OVER (ORDER BY meter, n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) \
                 FROM {t} ORDER BY meter, n"
            ),
            "1 3 5 4 3",
        ),
        (format!("SELECT n FROM {t} INTERSECT SELECT k FROM {u} ORDER BY 1"), "1 2"),
        (format!("SELECT n FROM {t} EXCEPT SELECT k FROM {u}"), "3"),
        (format!("WITH a AS (SELECT n FROM {t}) SELECT count(*) FROM a x, a y"), "25"),
        (
            format!(
                "SELECT CASE WHEN x IS NULL THEN 'no' ELSE 'yes' END AS known FROM {t} \
                 GROUP BY CASE WHEN x IS NULL THEN 'no' ELSE 'yes' END ORDER BY known"
            ),
            "no yes",
        ),
        (format!("SELECT count(x) FROM {t}"), "3"),
        (format!("SELECT avg(x) FROM {t}"), "11.666666666666666"),
        (format!("SELECT count(DISTINCT n) FROM {t} WHERE n BETWEEN 2 AND 3"), "2"),
        (format!("SELECT max_by(n, x) FROM {t} WHERE meter = 'a'"), "2"),
        (format!("SELECT max(y) FROM (SELECT sum(x) AS y FROM {t} GROUP BY meter)"), "30"),
    ];
    for (sql, expected) in cases {
        let rows = server.rows(&sql).await;
        let values: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(values.join(" "), expected, "{sql}");
    }
}

#[tokio::test]
async fn what_is_not_supported_is_refused_by_name() {
    let server = with_values().await;
    let cases = [
        ("SELECT foo(1)", "line 1:8: Function 'foo' is not supported"),
        (
            "SELECT interpolate_linear(1)",
            "line 1:8: Function 'interpolate_linear' is not supported",
        ),
        // These exist in DataFusion, and not with the service.
        ("SELECT date_bin('1h', now())", "line 1:8: Function 'date_bin' is not supported"),
        ("SELECT to_timestamp(1)", "line 1:8: Function 'to_timestamp' is not supported"),
        ("SELECT \"$varchar\"(1)", "line 1:8: Function '$varchar' is not supported"),
        ("SELECT 'a' ILIKE 'A'", "line 1:12: ILIKE is not supported"),
        ("SELECT bin(now(), 1mo) FROM (VALUES (1)) t(x)", "bin needs an interval of fixed length"),
        ("SELECT 1::double", "line 1:9: '::' is supported in measure_value::type only; use CAST"),
        ("SELECT concat(*)", "line 1:8: Function 'concat' takes expressions only"),
        ("SELECT ago()", "line 1:8: Function 'ago' takes 1 arguments, not 0"),
        ("SELECT sum('x')", "Unexpected parameters for function sum"),
        ("SELECT ?", "line 1:8: parameter '?' is not supported"),
        (
            "SELECT hour('x')",
            "Unexpected parameters (varchar) for function hour. Expected: hour(timestamp)",
        ),
        ("SHOW FUNCTIONS", "line 1:1: this form of SHOW is not supported"),
    ];
    for (sql, expected) in cases {
        let request = server.query.query().query_string(sql).send().await;
        let error = request.err().unwrap_or_else(|| panic!("`{sql}` was answered"));
        let error = error.into_service_error();
        let message = error.meta().message().unwrap();
        assert!(message.starts_with(expected), "`{sql}`: {message}");
    }
}

#[tokio::test]
async fn text_is_not_compared_with_numbers() {
    let server = with_values().await;
    for condition in ["region = 1", "1 < region", "region IN (1, 2)", "measure_value::double = 'x'"]
    {
        let sql = format!("SELECT 1 FROM \"ons\".\"load_curve\" WHERE {condition}");
        assert!(server.refusal(&sql).await.contains("varchar"), "{condition}");
    }
}

#[tokio::test]
async fn what_fails_while_running_is_told_as_such() {
    let server = with_values().await;
    let column = "CAST(measure_value::double AS BIGINT)";
    let cases = [
        format!("SELECT 1 / ({column} - {column}) FROM \"ons\".\"load_curve\""),
        "SELECT CAST('x' AS BIGINT)".to_owned(),
        "SELECT from_iso8601_timestamp('x')".to_owned(),
        "SELECT sum(x) FROM (VALUES (9223372036854775807), (1)) t(x)".to_owned(),
        "SELECT x + 1 FROM (VALUES (9223372036854775807)) t(x)".to_owned(),
        "SELECT x * 2 FROM (VALUES (9223372036854775807)) t(x)".to_owned(),
        "SELECT x - 2 FROM (VALUES (-9223372036854775807)) t(x)".to_owned(),
    ];
    for sql in cases {
        let answer = server.query.query().query_string(&sql).send().await;
        let error = answer.err().unwrap_or_else(|| panic!("`{sql}` was answered"));
        let error = error.into_service_error();
        assert!(error.is_query_execution_exception(), "`{sql}`: {error:?}");
    }
}

#[tokio::test]
async fn a_query_just_within_the_limits_is_answered() {
    let server = with_values().await;
    let table = "\"ons\".\"load_curve\"";
    let cases = [
        (format!("SELECT 1{}", "+1".repeat(150)), "151"),
        (format!("SELECT count(*) FROM {table} WHERE true{}", " AND region = 'S'".repeat(74)), "1"),
        (format!("SELECT {}1{}", "abs(".repeat(40), ")".repeat(40)), "1"),
        (format!("SELECT count(*) FROM (SELECT 1{})", " UNION ALL SELECT 1".repeat(149)), "150"),
        (
            format!("SELECT count(*) FROM {table} WHERE region IN ('S'{})", ", 'x'".repeat(5_000)),
            "1",
        ),
    ];
    for (sql, expected) in cases {
        let start: String = sql.chars().take(60).collect();
        assert_eq!(server.value(&sql).await, expected, "{start}");
    }
}

#[tokio::test]
async fn hostile_queries_are_refused_and_the_server_lives() {
    let server = with_values().await;
    let hostile = [
        format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000)),
        format!("SELECT 1{}", "+1".repeat(100_000)),
        format!("SELECT {}1", "-".repeat(10_000)),
        format!("SELECT {}true", "NOT ".repeat(10_000)),
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(10_000)),
        format!("SELECT 1 FROM (VALUES (1)) t{}", ", (VALUES (1)) t".repeat(10_000)),
        format!("SELECT {}1{}", "abs(".repeat(5_000), ")".repeat(5_000)),
        format!("SELECT {}1{}", "CASE WHEN true THEN ".repeat(5_000), " END".repeat(5_000)),
    ];
    for sql in hostile {
        let start: String = sql.chars().take(20).collect();
        assert!(server.query.query().query_string(sql).send().await.is_err(), "{start}");
    }
    assert_eq!(server.value("SELECT 1").await, "1");
}
