# What monitoring takes, at its edges, and what it refuses.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name          = "stack"
  instance_name = "stack"
  budget_tag    = { key = "cutover:stack", value = "stack" }
  kms_key_arn   = "arn:aws:kms:us-east-1:111122223333:key/k"
}

run "edges_are_accepted_wide" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    name                = "aaaaaaaaaaaaaaaaaaaaaaaa"
    instance_name       = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    buckets             = ["bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"]
    influxdb_namespace  = "AWS/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
    metric_namespace    = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
    notification_emails = ["a@b.c"]
    monthly_budget_usd  = 1
  }

  assert {
    condition     = aws_budgets_budget.this[0].limit_amount == "1"
    error_message = "the smallest budget is accepted"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.cardinality) == 2
    error_message = "one bucket has two alarms"
  }
}

run "edges_are_accepted_narrow" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    name                = "a"
    instance_name       = "abc"
    buckets             = []
    influxdb_namespace  = "AWS/T"
    metric_namespace    = "n"
    notification_emails = []
    monthly_budget_usd  = null
  }

  assert {
    condition     = length(aws_budgets_budget.this) == 0
    error_message = "no budget is an accepted choice"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.cardinality) == 0
    error_message = "no bucket has no alarm"
  }

  assert {
    condition     = length(aws_sns_topic_subscription.email) == 0
    error_message = "nobody is told"
  }
}

run "name_with_capitals_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    name = "Stack"
  }

  expect_failures = [var.name]
}

run "name_of_25_characters_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    name = "aaaaaaaaaaaaaaaaaaaaaaaaa"
  }

  expect_failures = [var.name]
}

run "name_with_double_hyphen_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    name = "a--b"
  }

  expect_failures = [var.name]
}

run "instance_by_its_arn_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    instance_name = "arn:aws:timestream-influxdb:us-east-1:111122223333:db-instance/abc"
  }

  expect_failures = [var.instance_name]
}

run "instance_name_of_two_characters_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    instance_name = "ab"
  }

  expect_failures = [var.instance_name]
}

run "instance_name_of_41_characters_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    instance_name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  }

  expect_failures = [var.instance_name]
}

run "general_purpose_storage_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    storage_type = "gp2"
  }

  expect_failures = [var.storage_type]
}

run "bucket_of_one_character_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    buckets = ["b"]
  }

  expect_failures = [var.buckets]
}

run "bucket_of_65_characters_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    buckets = ["bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"]
  }

  expect_failures = [var.buckets]
}

run "instance_namespace_outside_aws_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    influxdb_namespace = "ONS/TrafficSwitching"
  }

  expect_failures = [var.influxdb_namespace]
}

run "instance_namespace_of_256_characters_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    influxdb_namespace = "AWS/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
  }

  expect_failures = [var.influxdb_namespace]
}

run "namespace_of_aws_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    metric_namespace = "AWS/Own"
  }

  expect_failures = [var.metric_namespace]
}

run "empty_namespace_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    metric_namespace = ""
  }

  expect_failures = [var.metric_namespace]
}

run "namespace_of_256_characters_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    metric_namespace = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
  }

  expect_failures = [var.metric_namespace]
}

run "address_without_a_host_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    notification_emails = ["operations"]
  }

  expect_failures = [var.notification_emails]
}

run "budget_of_nothing_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    monthly_budget_usd = 0
  }

  expect_failures = [var.monthly_budget_usd]
}

run "budget_of_an_empty_value_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    budget_tag = { key = "cutover:stack", value = "" }
  }

  expect_failures = [var.budget_tag]
}

run "budget_of_an_empty_key_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    budget_tag = { key = "", value = "stack" }
  }

  expect_failures = [var.budget_tag]
}

run "key_that_is_no_arn_is_refused" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    kms_key_arn = "alias/stack"
  }

  expect_failures = [var.kms_key_arn]
}
