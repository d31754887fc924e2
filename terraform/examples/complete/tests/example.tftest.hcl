# The example plans, and tells what `cutover` reads.

mock_provider "aws" {
  source = "../../tests/mocks"
}

mock_provider "random" {
  mock_resource "random_password" {
    override_during = plan
    defaults        = { result = "madeUpPassword1" }
  }
}

override_resource {
  target          = module.stack.module.network.aws_subnet.private["0"]
  override_during = plan
  values          = { id = "subnet-0a" }
}

override_resource {
  target          = module.stack.module.network.aws_subnet.private["1"]
  override_during = plan
  values          = { id = "subnet-0b" }
}

override_resource {
  target          = module.stack.module.network.aws_subnet.public["0"]
  override_during = plan
  values          = { id = "subnet-0c" }
}

override_resource {
  target          = module.stack.module.network.aws_subnet.public["1"]
  override_during = plan
  values          = { id = "subnet-0d" }
}

run "plan" {
  command = plan

  assert {
    condition     = output.name == "ons-staging" && output.composite_alarm_name == "ons-staging-influxdb-unhealthy"
    error_message = "the stack must be the example's"
  }

  assert {
    condition     = output.runner_shards == 4 && output.writes_allowed && startswith(output.influxdb_url, "https://")
    error_message = "the stack must have what the example says"
  }
}

run "region_by_another_name_is_refused" {
  command = plan

  variables {
    region = "Virginia"
  }

  expect_failures = [var.region]
}
