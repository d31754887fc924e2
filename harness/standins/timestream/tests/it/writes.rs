//! `WriteRecords` through the SDK.

use aws_sdk_timestreamwrite::operation::write_records::WriteRecordsError;
use aws_sdk_timestreamwrite::types::{
    MeasureValue, MeasureValueType, Record, RejectedRecord, TimeUnit,
};

use crate::server::{self, DATABASE, NOW_S, Server, TABLE, dimension, record};

async fn send(server: &Server, records: Vec<Record>) -> Result<(i32, i32, i32), WriteRecordsError> {
    let request = server.write.write_records().database_name(DATABASE).table_name(TABLE);
    let answer = request.set_records(Some(records)).send().await;
    let answer = answer.map_err(aws_sdk_timestreamwrite::error::SdkError::into_service_error)?;
    let ingested = answer.records_ingested().unwrap();
    Ok((ingested.total(), ingested.memory_store(), ingested.magnetic_store()))
}

async fn rejected(server: &Server, records: Vec<Record>) -> Vec<RejectedRecord> {
    match send(server, records).await.unwrap_err() {
        WriteRecordsError::RejectedRecordsException(rejection) => {
            rejection.rejected_records().to_vec()
        }
        other => panic!("{other:?}"),
    }
}

async fn invalid(server: &Server, records: Vec<Record>) -> String {
    match send(server, records).await.unwrap_err() {
        WriteRecordsError::ValidationException(refusal) => refusal.message().to_owned(),
        other => panic!("{other:?}"),
    }
}

fn typed(kind: MeasureValueType, value: &str) -> Record {
    let mut typed = record("SE", NOW_S, 0.0);
    typed.measure_name = Some(kind.as_str().to_lowercase());
    typed.measure_value = Some(value.to_owned());
    typed.measure_value_type = Some(kind);
    typed
}

fn versioned(value: f64, version: i64) -> Record {
    let mut versioned = record("SE", NOW_S, value);
    versioned.version = Some(version);
    versioned
}

#[tokio::test]
async fn records_are_counted_by_the_store_that_takes_them() {
    let server = server::start_with_table().await;
    let records = vec![record("SE", NOW_S, 1.0), record("SE", NOW_S - 86_400, 2.0)];
    assert_eq!(send(&server, records).await.unwrap(), (2, 1, 1));
}

#[tokio::test]
async fn all_five_types_are_read_as_they_were_written() {
    let server = server::start_with_table().await;
    let mut at = typed(MeasureValueType::Timestamp, "1672531200");
    at.time_unit = Some(TimeUnit::Seconds);
    let records = vec![
        typed(MeasureValueType::Bigint, "9223372036854775807"),
        typed(MeasureValueType::Boolean, "true"),
        typed(MeasureValueType::Double, "0.1"),
        at,
        typed(MeasureValueType::Varchar, "a \"quoted\"\nline \\ and é"),
    ];
    send(&server, records).await.unwrap();
    let sql = r#"SELECT measure_value::bigint, measure_value::boolean, measure_value::double,
        measure_value::timestamp, measure_value::varchar FROM "ons"."load_curve"
        ORDER BY measure_name"#;
    assert_eq!(
        server.rows(sql).await,
        [
            ["9223372036854775807", "NULL", "NULL", "NULL", "NULL"],
            ["NULL", "true", "NULL", "NULL", "NULL"],
            ["NULL", "NULL", "0.1", "NULL", "NULL"],
            ["NULL", "NULL", "NULL", "2023-01-01 00:00:00.000000000", "NULL"],
            ["NULL", "NULL", "NULL", "NULL", "a \"quoted\"\nline \\ and é"],
        ]
    );
}

#[tokio::test]
async fn a_multi_measure_record_is_one_row() {
    let server = server::start_with_table().await;
    let value = |name: &str, value: &str, kind: MeasureValueType| {
        MeasureValue::builder().name(name).value(value).r#type(kind).build().unwrap()
    };
    let record = Record::builder()
        .dimensions(dimension("region", "SE"))
        .measure_name("balance")
        .measure_value_type(MeasureValueType::Multi)
        .measure_values(value("hydro", "24661.5", MeasureValueType::Double))
        .measure_values(value("plants", "12", MeasureValueType::Bigint))
        .measure_values(value("verified", "false", MeasureValueType::Boolean))
        .measure_values(value("note", "ok", MeasureValueType::Varchar))
        .measure_values(value("read_at", "1704067200001", MeasureValueType::Timestamp))
        .time(format!("{}", NOW_S * 1_000))
        .build();
    send(&server, vec![record]).await.unwrap();
    let sql = r#"SELECT * FROM "ons"."load_curve""#;
    let names: Vec<String> = server.columns(sql).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["region", "measure_name", "time", "hydro", "plants", "verified", "note", "read_at"]
    );
    let time = "2024-01-01 00:00:00.000000000";
    let read_at = "2024-01-01 00:00:00.001000000";
    assert_eq!(
        server.rows(sql).await,
        [["SE", "balance", time, "24661.5", "12", "false", "ok", read_at]]
    );
}

#[tokio::test]
async fn all_four_units_tell_the_same_time() {
    let server = server::start_with_table().await;
    let units = [
        (TimeUnit::Seconds, ""),
        (TimeUnit::Milliseconds, "000"),
        (TimeUnit::Microseconds, "000000"),
        (TimeUnit::Nanoseconds, "000000000"),
    ];
    for (unit, zeros) in units {
        let mut record = record(unit.as_str(), NOW_S, 1.0);
        record.time = Some(format!("{NOW_S}{zeros}"));
        record.time_unit = Some(unit);
        send(&server, vec![record]).await.unwrap();
    }
    let sql = r#"SELECT DISTINCT time FROM "ons"."load_curve""#;
    assert_eq!(server.rows(sql).await, [["2024-01-01 00:00:00.000000000"]]);
}

#[tokio::test]
async fn nanoseconds_are_kept() {
    let server = server::start_with_table().await;
    let mut record = record("SE", NOW_S, 1.0);
    record.time = Some(format!("{NOW_S}123456789"));
    record.time_unit = Some(TimeUnit::Nanoseconds);
    send(&server, vec![record]).await.unwrap();
    let sql = r#"SELECT time, to_nanoseconds(time) FROM "ons"."load_curve""#;
    assert_eq!(server.rows(sql).await, [["2024-01-01 00:00:00.123456789", "1704067200123456789"]]);
}

#[tokio::test]
async fn common_attributes_are_merged_into_every_record() {
    let server = server::start_with_table().await;
    let common = Record::builder()
        .dimensions(dimension("region", "SE"))
        .measure_name("load")
        .time(NOW_S.to_string())
        .time_unit(TimeUnit::Seconds)
        .build();
    let own = |plant: &str, value: &str| {
        Record::builder().dimensions(dimension("plant", plant)).measure_value(value).build()
    };
    let request = server.write.write_records().database_name(DATABASE).table_name(TABLE);
    let request = request.common_attributes(common);
    request.records(own("a", "1.5")).records(own("b", "2.5")).send().await.unwrap();
    let sql = r#"SELECT region, plant, measure_name, measure_value::double
        FROM "ons"."load_curve" ORDER BY plant"#;
    assert_eq!(server.rows(sql).await, [["SE", "a", "load", "1.5"], ["SE", "b", "load", "2.5"]]);
}

#[tokio::test]
async fn another_value_without_a_higher_version_is_rejected_and_the_rest_is_stored() {
    let server = server::start_with_table().await;
    send(&server, vec![versioned(1.0, 3)]).await.unwrap();
    let records = vec![record("S", NOW_S, 5.0), versioned(2.0, 3), versioned(2.0, 2)];
    let rejected = rejected(&server, records).await;
    let told: Vec<(i32, Option<i64>)> =
        rejected.iter().map(|one| (one.record_index(), one.existing_version())).collect();
    assert_eq!(told, [(1, Some(3)), (2, Some(3))]);
    assert_eq!(
        rejected[1].reason(),
        Some(
            "The record version 2 is lower than the existing version 3. A higher version is \
             required to update the measure value."
        )
    );
    let sql = r#"SELECT region, measure_value::double FROM "ons"."load_curve" ORDER BY region"#;
    assert_eq!(server.rows(sql).await, [["S", "5.0"], ["SE", "1.0"]]);
}

#[tokio::test]
async fn the_same_value_again_is_accepted() {
    let server = server::start_with_table().await;
    send(&server, vec![versioned(1.0, 3)]).await.unwrap();
    assert_eq!(send(&server, vec![versioned(1.0, 3)]).await.unwrap(), (1, 1, 0));
    assert_eq!(server.value(r#"SELECT count(*) FROM "ons"."load_curve""#).await, "1");
}

#[tokio::test]
async fn a_higher_version_replaces_the_value() {
    let server = server::start_with_table().await;
    send(&server, vec![versioned(1.0, 1)]).await.unwrap();
    send(&server, vec![versioned(2.0, 2)]).await.unwrap();
    let sql = r#"SELECT measure_value::double FROM "ons"."load_curve""#;
    assert_eq!(server.rows(sql).await, [["2.0"]]);
}

#[tokio::test]
async fn a_value_that_is_not_of_its_type_is_rejected_by_itself() {
    let server = server::start_with_table().await;
    let wrong = [
        (MeasureValueType::Bigint, "abc"),
        (MeasureValueType::Bigint, "1.5"),
        (MeasureValueType::Bigint, "9223372036854775808"),
        (MeasureValueType::Boolean, "1"),
        (MeasureValueType::Double, "NaN"),
        (MeasureValueType::Double, "Infinity"),
        (MeasureValueType::Timestamp, "2023-01-01"),
    ];
    let mut records: Vec<Record> =
        wrong.into_iter().map(|(kind, text)| typed(kind, text)).collect();
    records.push(record("SE", NOW_S, 1.0));
    let rejected = rejected(&server, records).await;
    let indexes: Vec<i32> = rejected.iter().map(RejectedRecord::record_index).collect();
    assert_eq!(indexes, [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(server.value(r#"SELECT count(*) FROM "ons"."load_curve""#).await, "1");
}

#[tokio::test]
async fn a_time_outside_the_window_is_rejected() {
    let server = server::start_with_table().await;
    server.write.create_table().database_name(DATABASE).table_name("memory").send().await.unwrap();
    let old = record("SE", NOW_S - 7 * 3_600, 1.0);
    let future = record("SE", NOW_S + 16 * 60, 1.0);
    let request = server.write.write_records().database_name(DATABASE).table_name("memory");
    let error = request.records(old).records(future).send().await.unwrap_err().into_service_error();
    let WriteRecordsError::RejectedRecordsException(rejection) = error else { panic!("{error:?}") };
    assert_eq!(rejection.rejected_records().len(), 2);
    assert!(rejection.rejected_records()[0].reason().unwrap().contains("outside the time range"));
}

#[tokio::test]
async fn a_malformed_record_refuses_the_whole_request() {
    let server = server::start_with_table().await;
    let good = record("S", NOW_S, 1.0);
    let with = |change: fn(&mut Record)| {
        let mut changed = record("SE", NOW_S, 1.0);
        change(&mut changed);
        changed
    };
    let cases = [
        with(|record| record.time = None),
        with(|record| record.time = Some("-1".to_owned())),
        with(|record| record.time = Some("9223372036855".to_owned())),
        with(|record| record.measure_name = Some(String::new())),
        with(|record| record.measure_value = Some(String::new())),
        with(|record| record.measure_value = Some("x".repeat(2_049))),
        with(|record| record.measure_value_type = Some("DECIMAL".into())),
        with(|record| record.time_unit = Some("MINUTES".into())),
        with(|record| record.version = Some(0)),
        with(|record| record.dimensions = Some(vec![dimension("", "x")])),
        with(|record| record.dimensions = Some(vec![dimension("region", "")])),
        with(|record| record.dimensions = Some(vec![dimension("time", "x")])),
        with(|record| record.dimensions = Some(vec![dimension("a:b", "x")])),
        with(|record| record.dimensions = Some(vec![dimension("a", "x"), dimension("a", "y")])),
    ];
    for case in cases {
        let described = format!("{case:?}");
        assert!(!invalid(&server, vec![good.clone(), case]).await.is_empty(), "{described}");
    }
    assert_eq!(server.value(r#"SELECT count(*) FROM "ons"."load_curve""#).await, "0");
}

#[tokio::test]
async fn more_than_a_hundred_records_are_refused() {
    let server = server::start_with_table().await;
    let records: Vec<Record> = (0..101).map(|second| record("SE", NOW_S - second, 1.0)).collect();
    invalid(&server, records.clone()).await;
    invalid(&server, Vec::new()).await;
    assert_eq!(send(&server, records[..100].to_vec()).await.unwrap().0, 100);
}

#[tokio::test]
async fn more_than_128_dimensions_are_refused() {
    let server = server::start_with_table().await;
    let dimensions = |count: usize| -> Record {
        let mut many = record("SE", NOW_S, 1.0);
        let names = (0..count).map(|number| dimension(&format!("d{number}"), "x"));
        many.dimensions = Some(names.collect());
        many
    };
    invalid(&server, vec![dimensions(129)]).await;
    send(&server, vec![dimensions(128)]).await.unwrap();
}

#[tokio::test]
async fn a_missing_table_or_database_is_told_as_such() {
    let server = server::start_with_table().await;
    for (database, table) in [("nowhere", TABLE), (DATABASE, "nothing")] {
        let request = server.write.write_records().database_name(database).table_name(table);
        let error = request.records(record("SE", NOW_S, 1.0)).send().await.unwrap_err();
        let error = error.into_service_error();
        assert!(matches!(error, WriteRecordsError::ResourceNotFoundException(_)), "{error:?}");
    }
}
