# What the database takes, at its edges, and what it refuses: the rules of the service.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "random" {}

variables {
  name               = "stack"
  subnet_ids         = ["subnet-0a", "subnet-0b"]
  security_group_ids = ["sg-0a"]
  kms_key_arn        = "arn:aws:kms:us-east-1:111122223333:key/k"
}

run "longest_values_are_accepted" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    name                  = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    bucket                = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    organization          = "oooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo"
    username              = "uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu"
    password              = "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
    port                  = 65535
    allocated_storage_gib = 15360
    storage_type          = "InfluxIOIncludedT3"
    db_instance_type      = "db.influx.24xlarge"
    subnet_ids            = ["subnet-0a", "subnet-0b", "subnet-0c"]
    security_group_ids    = ["sg-0a", "sg-0b", "sg-0c", "sg-0d", "sg-0e"]
    multi_az              = true
    network_type          = "DUAL"
    parameter_group_id    = "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
    maintenance_window    = "Sat:23:59-Sun:23:59"
    maintenance_timezone  = "America/Argentina/Buenos_Aires"
    log_retention_days    = 3650
    secret_recovery_days  = 30
    tokens                = { reader = { read_buckets = ["b"] }, writer = { write_buckets = ["b"] }, everything = { type = "allAccess" } }
  }

  assert {
    condition     = length(aws_timestreaminfluxdb_db_instance.this.name) == 40 && aws_timestreaminfluxdb_db_instance.this.allocated_storage == 15360 && aws_timestreaminfluxdb_db_instance.this.port == 65535
    error_message = "the largest values are accepted"
  }

  assert {
    condition     = local.token_documents["everything"].type == "allAccess" && !can(local.token_documents["everything"].readBuckets)
    error_message = "a token for everything names no buckets"
  }

  assert {
    condition     = length(aws_s3_bucket.logs[0].bucket) <= 63
    error_message = "the name of the log bucket fits into what S3 allows"
  }
}

run "shortest_values_are_accepted" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    name                  = "abc"
    bucket                = "bb"
    organization          = "o"
    username              = "u"
    password              = "abcd1234"
    port                  = 1024
    allocated_storage_gib = 20
    storage_type          = "InfluxIOIncludedT1"
    db_instance_type      = "db.influx.medium"
    subnet_ids            = ["subnet-0a"]
    network_type          = "IPV4"
    parameter_group_id    = "abc"
    maintenance_window    = "Sun:22:30-Mon:00:30"
    maintenance_timezone  = "UTC"
    log_retention_days    = 1
    secret_recovery_days  = 7
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.allocated_storage == 20 && aws_timestreaminfluxdb_db_instance.this.port == 1024
    error_message = "the smallest values are accepted"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.maintenance_schedule[0].preferred_maintenance_window == "Sun:22:30-Mon:00:30"
    error_message = "a window of two hours over midnight is accepted"
  }
}

run "standby_with_two_subnets_and_t2_with_400_gib_are_accepted" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    multi_az              = true
    storage_type          = "InfluxIOIncludedT2"
    allocated_storage_gib = 400
    port                  = 2374
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.deployment_type == "WITH_MULTIAZ_STANDBY"
    error_message = "the standby is planned"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.db_storage_type == "InfluxIOIncludedT2"
    error_message = "the storage is planned"
  }
}

run "port_2377_beside_a_reserved_one_is_accepted" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    port = 2377
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.port == 2377
    error_message = "a port beside a reserved one is accepted"
  }
}

run "port_7787_beside_a_reserved_one_is_accepted" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    port = 7787
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.port == 7787
    error_message = "a port beside a reserved one is accepted"
  }
}

run "port_7800_beside_a_reserved_one_is_accepted" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    port = 7800
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.port == 7800
    error_message = "a port beside a reserved one is accepted"
  }
}

run "port_8089_beside_a_reserved_one_is_accepted" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    port = 8089
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.port == 8089
    error_message = "a port beside a reserved one is accepted"
  }
}

run "port_8091_beside_a_reserved_one_is_accepted" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    port = 8091
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.port == 8091
    error_message = "a port beside a reserved one is accepted"
  }
}

run "port_51677_beside_a_reserved_one_is_accepted" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    port = 51677
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.port == 51677
    error_message = "a port beside a reserved one is accepted"
  }
}

run "port_51681_beside_a_reserved_one_is_accepted" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    port = 51681
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.port == 51681
    error_message = "a port beside a reserved one is accepted"
  }
}

run "size_large_is_accepted" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    db_instance_type = "db.influx.large"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.db_instance_type == "db.influx.large"
    error_message = "the size is planned"
  }
}

run "size_xlarge_is_accepted" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    db_instance_type = "db.influx.xlarge"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.db_instance_type == "db.influx.xlarge"
    error_message = "the size is planned"
  }
}

run "size_2xlarge_is_accepted" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    db_instance_type = "db.influx.2xlarge"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.db_instance_type == "db.influx.2xlarge"
    error_message = "the size is planned"
  }
}

run "size_4xlarge_is_accepted" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    db_instance_type = "db.influx.4xlarge"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.db_instance_type == "db.influx.4xlarge"
    error_message = "the size is planned"
  }
}

run "size_8xlarge_is_accepted" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    db_instance_type = "db.influx.8xlarge"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.db_instance_type == "db.influx.8xlarge"
    error_message = "the size is planned"
  }
}

run "size_12xlarge_is_accepted" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    db_instance_type = "db.influx.12xlarge"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.db_instance_type == "db.influx.12xlarge"
    error_message = "the size is planned"
  }
}

run "size_16xlarge_is_accepted" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    db_instance_type = "db.influx.16xlarge"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.db_instance_type == "db.influx.16xlarge"
    error_message = "the size is planned"
  }
}

run "name_of_two_characters_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    name = "ab"
  }

  expect_failures = [var.name]
}

run "name_of_41_characters_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  }

  expect_failures = [var.name]
}

run "name_with_a_digit_first_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    name = "1stack"
  }

  expect_failures = [var.name]
}

run "name_with_double_hyphen_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    name = "a--b"
  }

  expect_failures = [var.name]
}

run "name_with_trailing_hyphen_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    name = "stack-"
  }

  expect_failures = [var.name]
}

run "name_with_underscore_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    name = "my_stack"
  }

  expect_failures = [var.name]
}

run "size_without_its_prefix_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    db_instance_type = "large"
  }

  expect_failures = [var.db_instance_type]
}

run "size_that_does_not_exist_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    db_instance_type = "db.influx.3xlarge"
  }

  expect_failures = [var.db_instance_type]
}

run "general_purpose_storage_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    storage_type = "gp2"
  }

  expect_failures = [var.storage_type]
}

run "storage_of_19_gib_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    allocated_storage_gib = 19
  }

  expect_failures = [var.allocated_storage_gib]
}

run "storage_of_15361_gib_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    allocated_storage_gib = 15361
  }

  expect_failures = [var.allocated_storage_gib]
}

run "half_a_gib_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    allocated_storage_gib = 20.5
  }

  expect_failures = [var.allocated_storage_gib]
}

run "t2_with_399_gib_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    allocated_storage_gib = 399
    storage_type          = "InfluxIOIncludedT2"
  }

  expect_failures = [var.allocated_storage_gib]
}

run "t3_with_399_gib_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    allocated_storage_gib = 399
    storage_type          = "InfluxIOIncludedT3"
  }

  expect_failures = [var.allocated_storage_gib]
}

run "bucket_of_one_character_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    bucket = "b"
  }

  expect_failures = [var.bucket]
}

run "bucket_of_65_characters_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    bucket = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
  }

  expect_failures = [var.bucket]
}

run "bucket_with_leading_underscore_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    bucket = "_system"
  }

  expect_failures = [var.bucket]
}

run "bucket_with_a_quote_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    bucket = "a\"b"
  }

  expect_failures = [var.bucket]
}

run "empty_organization_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    organization = ""
  }

  expect_failures = [var.organization]
}

run "organization_of_65_characters_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    organization = "ooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo"
  }

  expect_failures = [var.organization]
}

run "username_with_a_digit_first_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    username = "1admin"
  }

  expect_failures = [var.username]
}

run "username_with_double_hyphen_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    username = "ad--min"
  }

  expect_failures = [var.username]
}

run "username_with_trailing_hyphen_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    username = "admin-"
  }

  expect_failures = [var.username]
}

run "username_of_65_characters_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    username = "uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu"
  }

  expect_failures = [var.username]
}

run "password_of_7_characters_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    password = "abcd123"
  }

  expect_failures = [var.password]
}

run "password_of_65_characters_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    password = "ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
  }

  expect_failures = [var.password]
}

run "password_with_punctuation_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    password = "correct-horse"
  }

  expect_failures = [var.password]
}

run "port_1023_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    port = 1023
  }

  expect_failures = [var.port]
}

run "port_65536_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    port = 65536
  }

  expect_failures = [var.port]
}

run "half_a_port_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    port = 8086.5
  }

  expect_failures = [var.port]
}

run "port_2375_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    port = 2375
  }

  expect_failures = [var.port]
}

run "port_2376_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    port = 2376
  }

  expect_failures = [var.port]
}

run "port_7788_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    port = 7788
  }

  expect_failures = [var.port]
}

run "port_7799_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    port = 7799
  }

  expect_failures = [var.port]
}

run "port_8090_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    port = 8090
  }

  expect_failures = [var.port]
}

run "port_51678_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    port = 51678
  }

  expect_failures = [var.port]
}

run "port_51680_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    port = 51680
  }

  expect_failures = [var.port]
}

run "no_subnet_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    subnet_ids = []
  }

  expect_failures = [var.subnet_ids]
}

run "four_subnets_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    subnet_ids = ["subnet-0a", "subnet-0b", "subnet-0c", "subnet-0d"]
  }

  expect_failures = [var.subnet_ids]
}

run "one_subnet_twice_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    subnet_ids = ["subnet-0a", "subnet-0a"]
  }

  expect_failures = [var.subnet_ids]
}

run "standby_with_one_subnet_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    subnet_ids = ["subnet-0a"]
    multi_az   = true
  }

  expect_failures = [var.subnet_ids]
}

run "no_security_group_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    security_group_ids = []
  }

  expect_failures = [var.security_group_ids]
}

run "six_security_groups_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    security_group_ids = ["sg-0a", "sg-0b", "sg-0c", "sg-0d", "sg-0e", "sg-0f"]
  }

  expect_failures = [var.security_group_ids]
}

run "network_type_ipv6_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    network_type = "IPV6"
  }

  expect_failures = [var.network_type]
}

run "parameter_group_of_two_characters_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    parameter_group_id = "pg"
  }

  expect_failures = [var.parameter_group_id]
}

run "parameter_group_of_65_characters_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    parameter_group_id = "ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
  }

  expect_failures = [var.parameter_group_id]
}

run "parameter_group_with_a_dot_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    parameter_group_id = "default.influxdb2"
  }

  expect_failures = [var.parameter_group_id]
}

run "window_of_the_runbooks_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    maintenance_window = "sun:04:00-sun:05:00"
  }

  expect_failures = [var.maintenance_window]
}

run "window_at_25_o_clock_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    maintenance_window = "Sun:25:00-Mon:03:00"
  }

  expect_failures = [var.maintenance_window]
}

run "window_of_119_minutes_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    maintenance_window = "Sun:04:00-Sun:05:59"
  }

  expect_failures = [var.maintenance_window]
}

run "window_of_24_hours_and_a_minute_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    maintenance_window = "Sun:04:00-Mon:04:01"
  }

  expect_failures = [var.maintenance_window]
}

run "window_that_ends_where_it_begins_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    maintenance_window = "Sun:04:00-Sun:04:00"
  }

  expect_failures = [var.maintenance_window]
}

run "timezone_as_an_offset_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    maintenance_timezone = "-03:00"
  }

  expect_failures = [var.maintenance_timezone]
}

run "logs_for_no_day_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    log_retention_days = 0
  }

  expect_failures = [var.log_retention_days]
}

run "logs_for_3651_days_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    log_retention_days = 3651
  }

  expect_failures = [var.log_retention_days]
}

run "logs_for_half_a_day_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    log_retention_days = 1.5
  }

  expect_failures = [var.log_retention_days]
}

run "token_with_a_capital_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    tokens = { reader = { read_buckets = ["b"] }, writer = { write_buckets = ["b"] }, Extra = { type = "allAccess" } }
  }

  expect_failures = [var.tokens]
}

run "operator_token_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    tokens = { reader = { read_buckets = ["b"] }, writer = { write_buckets = ["b"] }, operator = { type = "operator" } }
  }

  expect_failures = [var.tokens]
}

run "token_for_no_bucket_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    tokens = { reader = { read_buckets = ["b"] }, writer = { write_buckets = ["b"] }, idle = {} }
  }

  expect_failures = [var.tokens]
}

run "tokens_without_a_reader_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    tokens = { writer = { write_buckets = ["b"] } }
  }

  expect_failures = [var.tokens]
}

run "tokens_without_a_writer_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    tokens = { reader = { read_buckets = ["b"] } }
  }

  expect_failures = [var.tokens]
}

run "reader_that_writes_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    tokens = { reader = { read_buckets = ["b"], write_buckets = ["b"] }, writer = { write_buckets = ["b"] } }
  }

  expect_failures = [var.tokens]
}

run "reader_with_every_right_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    tokens = { reader = { type = "allAccess" }, writer = { write_buckets = ["b"] } }
  }

  expect_failures = [var.tokens]
}

run "recovery_of_6_days_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    secret_recovery_days = 6
  }

  expect_failures = [var.secret_recovery_days]
}

run "recovery_of_31_days_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    secret_recovery_days = 31
  }

  expect_failures = [var.secret_recovery_days]
}

run "key_that_is_no_arn_is_refused" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    kms_key_arn = "alias/stack"
  }

  expect_failures = [var.kms_key_arn]
}
