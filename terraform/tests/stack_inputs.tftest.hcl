# What the stack itself takes, at its edges, and what it refuses. The rest is held by its modules.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "random" {
  mock_resource "random_password" {
    override_during = plan
    defaults        = { result = "madeUpPassword1" }
  }
}

override_resource {
  target          = module.network.aws_subnet.private["0"]
  override_during = plan
  values          = { id = "subnet-0a" }
}

override_resource {
  target          = module.network.aws_subnet.private["1"]
  override_during = plan
  values          = { id = "subnet-0b" }
}

override_resource {
  target          = module.network.aws_subnet.public["0"]
  override_during = plan
  values          = { id = "subnet-0c" }
}

override_resource {
  target          = module.network.aws_subnet.public["1"]
  override_during = plan
  values          = { id = "subnet-0d" }
}

run "edges_are_accepted" {
  command = plan

  variables {
    project              = "abcdefghijkl"
    environment          = "abcdefghijk"
    influxdb_bucket      = "only"
    influxdb_buckets     = ["only"]
    nat_mode             = "single"
    runner_image         = "example.org/cutover:1"
    source_database_arns = ["arn:aws:timestream:us-east-1:111122223333:database/energy"]
    tags                 = { cutover = "yes" }
  }

  assert {
    condition     = length(output.name) == 24 && output.name == "abcdefghijkl-abcdefghijk"
    error_message = "the longest names are accepted"
  }

  assert {
    condition     = output.repository_url == null
    error_message = "with NAT an image from anywhere is accepted"
  }
}

run "shortest_names_are_accepted" {
  command = plan

  variables {
    project     = "ab"
    environment = "cd"
  }

  assert {
    condition     = output.name == "ab-cd"
    error_message = "the shortest names are accepted"
  }
}

run "project_of_13_characters_is_refused" {
  command = plan

  variables {
    project = "abcdefghijklm"
  }

  expect_failures = [var.project]
}

run "project_of_one_character_is_refused" {
  command = plan

  variables {
    project = "a"
  }

  expect_failures = [var.project]
}

run "project_with_a_hyphen_is_refused" {
  command = plan

  variables {
    project = "a-b"
  }

  expect_failures = [var.project]
}

run "environment_of_12_characters_is_refused" {
  command = plan

  variables {
    environment = "abcdefghijkl"
  }

  expect_failures = [var.environment]
}

run "environment_of_one_character_is_refused" {
  command = plan

  variables {
    environment = "a"
  }

  expect_failures = [var.environment]
}

run "environment_with_a_capital_is_refused" {
  command = plan

  variables {
    environment = "Staging"
  }

  expect_failures = [var.environment]
}

run "tag_of_aws_is_refused" {
  command = plan

  variables {
    tags = { "aws:name" = "x" }
  }

  expect_failures = [var.tags]
}

run "tag_of_the_stack_itself_is_refused" {
  command = plan

  variables {
    tags = { "cutover:allow-writes" = "true" }
  }

  expect_failures = [var.tags]
}

run "first_bucket_that_is_not_among_the_buckets_is_refused" {
  command = plan

  variables {
    influxdb_bucket = "other"
  }

  expect_failures = [var.influxdb_buckets]
}

run "image_from_elsewhere_without_nat_is_refused" {
  command = plan

  variables {
    runner_image = "example.org/cutover:1"
  }

  expect_failures = [var.runner_image]
}

run "source_without_nat_is_refused" {
  command = plan

  variables {
    source_database_arns = ["arn:aws:timestream:us-east-1:111122223333:database/energy"]
  }

  expect_failures = [var.source_database_arns]
}
