# What traffic switching takes, at its edges, and what it refuses.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name        = "stack"
  kms_key_arn = "arn:aws:kms:us-east-1:111122223333:key/k"
}

run "edges_are_accepted_wide" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    name                    = "aaaaaaaaaaaaaaaaaaaaaaaa"
    environments            = ["a", "bccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"]
    strategies              = { only = { duration_minutes = 1440, growth_percent = 100, bake_minutes = 1440, growth_type = "EXPONENTIAL" } }
    metric_namespace        = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
    period_seconds          = 300
    notification_topic_arns = []
  }

  assert {
    condition     = aws_appconfig_deployment_strategy.this["only"].final_bake_time_in_minutes == 1440
    error_message = "the longest bake is accepted"
  }

  assert {
    condition     = length(aws_appconfig_environment.this) == 2
    error_message = "both environments are planned"
  }
}

run "edges_are_accepted_narrow" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    name             = "a"
    environments     = ["a"]
    strategies       = { only = { duration_minutes = 0, growth_percent = 1, bake_minutes = 5 } }
    metric_namespace = "n"
  }

  assert {
    condition     = aws_appconfig_deployment_strategy.this["only"].final_bake_time_in_minutes == 5
    error_message = "the shortest bake is accepted"
  }

  assert {
    condition     = aws_appconfig_deployment_strategy.this["only"].growth_type == "LINEAR"
    error_message = "growth is linear unless said otherwise"
  }
}

run "name_with_capitals_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    name = "Stack"
  }

  expect_failures = [var.name]
}

run "name_of_25_characters_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    name = "aaaaaaaaaaaaaaaaaaaaaaaaa"
  }

  expect_failures = [var.name]
}

run "name_with_double_hyphen_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    name = "a--b"
  }

  expect_failures = [var.name]
}

run "no_environment_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    environments = []
  }

  expect_failures = [var.environments]
}

run "environment_with_a_capital_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    environments = ["Staging"]
  }

  expect_failures = [var.environments]
}

run "environment_of_65_characters_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    environments = ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]
  }

  expect_failures = [var.environments]
}

run "no_strategy_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    strategies = {}
  }

  expect_failures = [var.strategies]
}

run "deployment_of_1441_minutes_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    strategies = { only = { duration_minutes = 1441, growth_percent = 10, bake_minutes = 10 } }
  }

  expect_failures = [var.strategies]
}

run "deployment_before_its_start_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    strategies = { only = { duration_minutes = -1, growth_percent = 10, bake_minutes = 10 } }
  }

  expect_failures = [var.strategies]
}

run "deployment_of_half_a_minute_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    strategies = { only = { duration_minutes = 0.5, growth_percent = 10, bake_minutes = 10 } }
  }

  expect_failures = [var.strategies]
}

run "bake_of_4_minutes_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    strategies = { only = { duration_minutes = 10, growth_percent = 10, bake_minutes = 4 } }
  }

  expect_failures = [var.strategies]
}

run "bake_of_1441_minutes_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    strategies = { only = { duration_minutes = 10, growth_percent = 10, bake_minutes = 1441 } }
  }

  expect_failures = [var.strategies]
}

run "bake_of_half_a_minute_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    strategies = { only = { duration_minutes = 10, growth_percent = 10, bake_minutes = 5.5 } }
  }

  expect_failures = [var.strategies]
}

run "growth_of_nothing_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    strategies = { only = { duration_minutes = 10, growth_percent = 0, bake_minutes = 10 } }
  }

  expect_failures = [var.strategies]
}

run "growth_of_101_percent_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    strategies = { only = { duration_minutes = 10, growth_percent = 101, bake_minutes = 10 } }
  }

  expect_failures = [var.strategies]
}

run "growth_of_another_type_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    strategies = { only = { duration_minutes = 10, growth_percent = 10, bake_minutes = 10, growth_type = "SUDDEN" } }
  }

  expect_failures = [var.strategies]
}

run "namespace_of_aws_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    metric_namespace = "AWS/Timestream/InfluxDB"
  }

  expect_failures = [var.metric_namespace]
}

run "empty_namespace_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    metric_namespace = ""
  }

  expect_failures = [var.metric_namespace]
}

run "namespace_of_256_characters_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    metric_namespace = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
  }

  expect_failures = [var.metric_namespace]
}

run "period_of_61_seconds_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    period_seconds = 61
  }

  expect_failures = [var.period_seconds]
}

run "period_of_30_seconds_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    period_seconds = 30
  }

  expect_failures = [var.period_seconds]
}

run "topic_that_is_an_address_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    notification_topic_arns = ["operations@example.org"]
  }

  expect_failures = [var.notification_topic_arns]
}

run "key_that_is_no_arn_is_refused" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    kms_key_arn = "alias/stack"
  }

  expect_failures = [var.kms_key_arn]
}
