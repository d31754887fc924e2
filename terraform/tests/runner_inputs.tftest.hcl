# What the runner takes, at its edges, and what it refuses.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                     = "stack"
  subnet_ids               = ["subnet-0a", "subnet-0b"]
  security_group_ids       = ["sg-0a"]
  instance_arn             = "arn:aws:timestream-influxdb:us-east-1:111122223333:db-instance/abc"
  token_secret_arns        = { reader = "arn:aws:secretsmanager:us-east-1:111122223333:secret:reader", writer = "arn:aws:secretsmanager:us-east-1:111122223333:secret:writer" }
  appconfig_application_id = "app1234"
  notification_topic_arn   = "arn:aws:sns:us-east-1:111122223333:stack-notifications"
  kms_key_arn              = "arn:aws:kms:us-east-1:111122223333:key/k"
}

run "edges_are_accepted_wide" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    name                  = "aaaaaaaaaaaaaaaaaaaaaaaa"
    image                 = "example.org:5000/tools/cutover@sha256:0000000000000000000000000000000000000000000000000000000000000000"
    architecture          = "ARM64"
    vcpus                 = 16
    memory_mib            = 122880
    shards                = 100
    scenario_tag          = "ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt"
    schedule              = "rate(1 day)"
    schedule_timezone     = "America/Argentina/Buenos_Aires"
    timeout_minutes       = 1440
    security_group_ids    = ["sg-0a", "sg-0b", "sg-0c", "sg-0d", "sg-0e"]
    source_database_arns  = ["arn:aws:timestream:us-east-1:111122223333:database/energy"]
    metric_namespace      = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
    result_retention_days = 3650
    log_retention_days    = 3653
  }

  assert {
    condition     = jsondecode(aws_batch_job_definition.this.container_properties).runtimePlatform.cpuArchitecture == "ARM64"
    error_message = "the architecture is planned"
  }

  assert {
    condition     = jsondecode(aws_scheduler_schedule.nightly[0].target[0].input).ArrayProperties.Size == 100
    error_message = "a hundred shards are accepted"
  }

  assert {
    condition     = length(aws_s3_bucket.results.bucket) <= 63
    error_message = "the name of the results bucket fits into what S3 allows"
  }
}

run "edges_are_accepted_narrow" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    name                  = "a"
    image                 = "cutover:1"
    architecture          = "X86_64"
    vcpus                 = 1
    memory_mib            = 2048
    shards                = 1
    scenario_tag          = "t"
    schedule              = "cron(0 3 * * ? *)"
    schedule_timezone     = "UTC"
    timeout_minutes       = 10
    subnet_ids            = ["subnet-0a"]
    source_database_arns  = []
    metric_namespace      = "n"
    result_retention_days = 30
    log_retention_days    = 30
  }

  assert {
    condition     = aws_batch_job_definition.this.timeout[0].attempt_duration_seconds == 600
    error_message = "the shortest time is accepted"
  }

  assert {
    condition     = aws_scheduler_schedule.nightly[0].schedule_expression_timezone == "UTC"
    error_message = "the zone is planned"
  }
}

run "most_memory_of_1_cpus_is_accepted" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    vcpus      = 1
    memory_mib = 8192
  }

  assert {
    condition     = jsondecode(aws_batch_job_definition.this.container_properties).resourceRequirements == [{ type = "VCPU", value = "1" }, { type = "MEMORY", value = "8192" }]
    error_message = "size and memory are planned"
  }
}

run "most_memory_of_2_cpus_is_accepted" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    vcpus      = 2
    memory_mib = 16384
  }

  assert {
    condition     = jsondecode(aws_batch_job_definition.this.container_properties).resourceRequirements == [{ type = "VCPU", value = "2" }, { type = "MEMORY", value = "16384" }]
    error_message = "size and memory are planned"
  }
}

run "most_memory_of_4_cpus_is_accepted" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    vcpus      = 4
    memory_mib = 30720
  }

  assert {
    condition     = jsondecode(aws_batch_job_definition.this.container_properties).resourceRequirements == [{ type = "VCPU", value = "4" }, { type = "MEMORY", value = "30720" }]
    error_message = "size and memory are planned"
  }
}

run "most_memory_of_8_cpus_is_accepted" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    vcpus      = 8
    memory_mib = 61440
  }

  assert {
    condition     = jsondecode(aws_batch_job_definition.this.container_properties).resourceRequirements == [{ type = "VCPU", value = "8" }, { type = "MEMORY", value = "61440" }]
    error_message = "size and memory are planned"
  }
}

run "most_memory_of_16_cpus_is_accepted" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    vcpus      = 16
    memory_mib = 122880
  }

  assert {
    condition     = jsondecode(aws_batch_job_definition.this.container_properties).resourceRequirements == [{ type = "VCPU", value = "16" }, { type = "MEMORY", value = "122880" }]
    error_message = "size and memory are planned"
  }
}

run "name_with_capitals_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    name = "Stack"
  }

  expect_failures = [var.name]
}

run "name_of_25_characters_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    name = "aaaaaaaaaaaaaaaaaaaaaaaaa"
  }

  expect_failures = [var.name]
}

run "name_with_double_hyphen_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    name = "a--b"
  }

  expect_failures = [var.name]
}

run "image_without_a_tag_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    image = "example.org/cutover"
  }

  expect_failures = [var.image]
}

run "image_with_the_tag_latest_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    image = "example.org/cutover:latest"
  }

  expect_failures = [var.image]
}

run "tag_latest_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    image_tag = "latest"
  }

  expect_failures = [var.image_tag]
}

run "tag_of_129_characters_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    image_tag = "111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
  }

  expect_failures = [var.image_tag]
}

run "architecture_by_another_name_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    architecture = "amd64"
  }

  expect_failures = [var.architecture]
}

run "three_cpus_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    vcpus      = 3
    memory_mib = 8192
  }

  expect_failures = [var.vcpus]
}

run "two_cpus_with_too_little_memory_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    memory_mib = 3072
  }

  expect_failures = [var.memory_mib]
}

run "two_cpus_with_too_much_memory_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    memory_mib = 17408
  }

  expect_failures = [var.memory_mib]
}

run "memory_between_two_steps_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    memory_mib = 4608
  }

  expect_failures = [var.memory_mib]
}

run "eight_cpus_with_memory_between_two_steps_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    memory_mib = 17408
    vcpus      = 8
  }

  expect_failures = [var.memory_mib]
}

run "sixteen_cpus_with_too_much_memory_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    memory_mib = 131072
    vcpus      = 16
  }

  expect_failures = [var.memory_mib]
}

run "no_shard_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    shards = 0
  }

  expect_failures = [var.shards]
}

run "shards_of_101_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    shards = 101
  }

  expect_failures = [var.shards]
}

run "half_a_shard_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    shards = 1.5
  }

  expect_failures = [var.shards]
}

run "tag_with_a_capital_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    scenario_tag = "Nightly"
  }

  expect_failures = [var.scenario_tag]
}

run "tag_of_64_characters_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    scenario_tag = "tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt"
  }

  expect_failures = [var.scenario_tag]
}

run "cron_of_five_fields_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    schedule = "cron(0 3 * * *)"
  }

  expect_failures = [var.schedule]
}

run "time_without_cron_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    schedule = "03:00"
  }

  expect_failures = [var.schedule]
}

run "timezone_as_an_offset_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    schedule_timezone = "-03:00"
  }

  expect_failures = [var.schedule_timezone]
}

run "timeout_of_9_minutes_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    timeout_minutes = 9
  }

  expect_failures = [var.timeout_minutes]
}

run "timeout_of_1441_minutes_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    timeout_minutes = 1441
  }

  expect_failures = [var.timeout_minutes]
}

run "no_subnet_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    subnet_ids = []
  }

  expect_failures = [var.subnet_ids]
}

run "one_subnet_twice_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    subnet_ids = ["subnet-0a", "subnet-0a"]
  }

  expect_failures = [var.subnet_ids]
}

run "no_security_group_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    security_group_ids = []
  }

  expect_failures = [var.security_group_ids]
}

run "six_security_groups_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    security_group_ids = ["sg-0a", "sg-0b", "sg-0c", "sg-0d", "sg-0e", "sg-0f"]
  }

  expect_failures = [var.security_group_ids]
}

run "tokens_without_a_reader_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    token_secret_arns = { writer = "w" }
  }

  expect_failures = [var.token_secret_arns]
}

run "tokens_without_a_writer_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    token_secret_arns = { reader = "r" }
  }

  expect_failures = [var.token_secret_arns]
}

run "source_by_its_name_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    source_database_arns = ["energy"]
  }

  expect_failures = [var.source_database_arns]
}

run "source_that_is_a_table_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    source_database_arns = ["arn:aws:timestream:us-east-1:111122223333:database/energy/table/consumption"]
  }

  expect_failures = [var.source_database_arns]
}

run "namespace_of_aws_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    metric_namespace = "AWS/Own"
  }

  expect_failures = [var.metric_namespace]
}

run "namespace_of_256_characters_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    metric_namespace = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
  }

  expect_failures = [var.metric_namespace]
}

run "results_for_29_days_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    result_retention_days = 29
  }

  expect_failures = [var.result_retention_days]
}

run "results_for_3651_days_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    result_retention_days = 3651
  }

  expect_failures = [var.result_retention_days]
}

run "log_retention_days_of_31_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    log_retention_days = 31
  }

  expect_failures = [var.log_retention_days]
}

run "topic_that_is_an_address_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    notification_topic_arn = "operations@example.org"
  }

  expect_failures = [var.notification_topic_arn]
}

run "key_that_is_no_arn_is_refused" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    kms_key_arn = "alias/stack"
  }

  expect_failures = [var.kms_key_arn]
}
