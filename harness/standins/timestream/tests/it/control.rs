//! The operations on databases and tables.

use aws_sdk_timestreamwrite::operation::create_database::CreateDatabaseError;
use aws_sdk_timestreamwrite::operation::create_table::CreateTableError;
use aws_sdk_timestreamwrite::operation::delete_database::DeleteDatabaseError;
use aws_sdk_timestreamwrite::operation::describe_table::DescribeTableError;
use aws_sdk_timestreamwrite::types::{RetentionProperties, TableStatus};

use crate::server::{self, DATABASE, NOW_S, TABLE};

#[tokio::test]
async fn discovery_gives_the_advertised_address_to_both_clients() {
    let server = server::start().await;
    let write = server.write.describe_endpoints().send().await.unwrap();
    let query = server.query.describe_endpoints().send().await.unwrap();
    assert_eq!(write.endpoints()[0].address(), server.address);
    assert_eq!(query.endpoints()[0].address(), server.address);
}

#[tokio::test]
async fn a_database_is_described_as_it_was_created() {
    let server = server::start().await;
    let created = server.write.create_database().database_name(DATABASE).send().await.unwrap();
    let described = server.write.describe_database().database_name(DATABASE).send().await.unwrap();
    assert_eq!(created.database(), described.database());
    let database = described.database().unwrap();
    assert_eq!(database.database_name(), Some(DATABASE));
    assert_eq!(database.arn(), Some("arn:aws:timestream:us-east-1:000000000000:database/ons"));
    assert_eq!(database.table_count(), 0);
    assert_eq!(database.creation_time().unwrap().secs(), NOW_S);
}

#[tokio::test]
async fn a_second_database_of_one_name_is_a_conflict() {
    let server = server::start().await;
    server.write.create_database().database_name(DATABASE).send().await.unwrap();
    let error = server.write.create_database().database_name(DATABASE).send().await.unwrap_err();
    assert!(matches!(error.into_service_error(), CreateDatabaseError::ConflictException(_)));
}

#[tokio::test]
async fn a_second_table_of_one_name_is_a_conflict() {
    let server = server::start_with_table().await;
    let again = server.write.create_table().database_name(DATABASE).table_name(TABLE).send().await;
    let error = again.unwrap_err().into_service_error();
    assert!(matches!(error, CreateTableError::ConflictException(_)));
}

#[tokio::test]
async fn a_name_outside_the_pattern_is_a_validation_error() {
    let server = server::start().await;
    for name in ["ab", "with space", "semi;colon", "näme", &"x".repeat(257)] {
        let error = server.write.create_database().database_name(name).send().await.unwrap_err();
        let error = error.into_service_error();
        assert!(matches!(error, CreateDatabaseError::ValidationException(_)), "`{name}`");
    }
}

#[tokio::test]
async fn a_table_has_the_default_retention_and_is_active() {
    let server = server::start().await;
    server.write.create_database().database_name(DATABASE).send().await.unwrap();
    let table = server.write.create_table().database_name(DATABASE).table_name(TABLE).send().await;
    let table = table.unwrap().table.unwrap();
    let retention = table.retention_properties().unwrap();
    assert_eq!(retention.memory_store_retention_period_in_hours(), 6);
    assert_eq!(retention.magnetic_store_retention_period_in_days(), 73_000);
    assert!(!table.magnetic_store_write_properties().unwrap().enable_magnetic_store_writes());
    assert_eq!(table.table_status(), Some(&TableStatus::Active));
}

#[tokio::test]
async fn retention_is_told_as_it_was_set_and_updated() {
    let server = server::start_with_table().await;
    let retention = RetentionProperties::builder()
        .memory_store_retention_period_in_hours(24)
        .magnetic_store_retention_period_in_days(2_557)
        .build()
        .unwrap();
    let update = server.write.update_table().database_name(DATABASE).table_name(TABLE);
    update.retention_properties(retention.clone()).send().await.unwrap();
    let table = server.write.describe_table().database_name(DATABASE).table_name(TABLE);
    let table = table.send().await.unwrap().table.unwrap();
    assert_eq!(table.retention_properties(), Some(&retention));
    assert!(table.magnetic_store_write_properties().unwrap().enable_magnetic_store_writes());
}

#[tokio::test]
async fn a_retention_beyond_the_limits_is_a_validation_error() {
    let server = server::start_with_table().await;
    for (hours, days) in [(0, 1), (8_767, 1), (1, 0), (1, 73_001)] {
        let retention = RetentionProperties::builder()
            .memory_store_retention_period_in_hours(hours)
            .magnetic_store_retention_period_in_days(days)
            .build()
            .unwrap();
        let table = server.write.create_table().database_name(DATABASE).table_name("other");
        let error = table.retention_properties(retention).send().await.unwrap_err();
        let error = error.into_service_error();
        assert!(matches!(error, CreateTableError::ValidationException(_)), "{hours}, {days}");
    }
}

#[tokio::test]
async fn a_database_with_tables_cannot_be_deleted() {
    let server = server::start_with_table().await;
    let error = server.write.delete_database().database_name(DATABASE).send().await.unwrap_err();
    assert!(matches!(error.into_service_error(), DeleteDatabaseError::ValidationException(_)));
}

#[tokio::test]
async fn a_deleted_table_is_gone() {
    let server = server::start_with_table().await;
    let delete = server.write.delete_table().database_name(DATABASE).table_name(TABLE);
    delete.send().await.unwrap();
    let describe = server.write.describe_table().database_name(DATABASE).table_name(TABLE);
    let error = describe.send().await.unwrap_err().into_service_error();
    assert!(matches!(error, DescribeTableError::ResourceNotFoundException(_)));
    server.write.delete_database().database_name(DATABASE).send().await.unwrap();
}

#[tokio::test]
async fn lists_come_in_pages_and_in_order() {
    let server = server::start().await;
    for number in (0..25).rev() {
        let name = format!("database-{number:02}");
        server.write.create_database().database_name(name).send().await.unwrap();
    }
    let first = server.write.list_databases().send().await.unwrap();
    assert_eq!(first.databases().len(), 20);
    let mut names = Vec::new();
    let mut pages = server.write.list_databases().max_results(7).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        assert!(page.databases().len() <= 7);
        names.extend(page.databases().iter().map(|item| item.database_name().unwrap().to_owned()));
    }
    let expected: Vec<String> = (0..25).map(|number| format!("database-{number:02}")).collect();
    assert_eq!(names, expected);
}

#[tokio::test]
async fn tables_are_listed_for_one_database_or_for_all() {
    let server = server::start_with_table().await;
    server.write.create_database().database_name("other").send().await.unwrap();
    server.write.create_table().database_name("other").table_name("abc").send().await.unwrap();
    let one = server.write.list_tables().database_name("other").send().await.unwrap();
    let all = server.write.list_tables().send().await.unwrap();
    let names = |tables: &[aws_sdk_timestreamwrite::types::Table]| -> Vec<String> {
        tables.iter().map(|table| table.table_name().unwrap().to_owned()).collect()
    };
    assert_eq!(names(one.tables()), ["abc"]);
    assert_eq!(names(all.tables()), [TABLE, "abc"]);
}

#[tokio::test]
async fn a_list_token_that_was_not_given_out_is_refused() {
    let server = server::start().await;
    let error = server.write.list_databases().next_token("zz").send().await.unwrap_err();
    assert!(error.into_service_error().is_validation_exception());
}

#[tokio::test]
async fn the_account_is_priced_by_bytes() {
    let server = server::start().await;
    let settings = server.query.describe_account_settings().send().await.unwrap();
    assert_eq!(settings.query_pricing_model().unwrap().as_str(), "BYTES_SCANNED");
}
