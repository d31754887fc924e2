# Two plans that tools/terraform-test holds, attribute by attribute, against tests/plans/*.txt: what no
# assertion speaks of is seen there, and so is what goes from one module to another.

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

# Every variable has another value than its default, so that one that is not passed on shows.
run "plan_of_the_complete_stack" {
  command = plan

  variables {
    project     = "ons"
    environment = "staging"
    tags        = { owner = "energy-data" }

    allow_writes           = true
    vpc_cidr               = "10.8.0.0/16"
    availability_zones     = ["us-east-1b", "us-east-1c"]
    public_subnet_cidrs    = ["10.8.1.0/24", "10.8.2.0/24"]
    private_subnet_cidrs   = ["10.8.10.0/24", "10.8.20.0/24"]
    nat_mode               = "per-zone"
    client_security_groups = { router = "sg-0123456789abcdef0" }

    influxdb_instance_type         = "db.influx.2xlarge"
    influxdb_storage_type          = "InfluxIOIncludedT2"
    influxdb_allocated_storage_gib = 400
    influxdb_organization          = "energy"
    influxdb_bucket                = "generation_data"
    influxdb_buckets               = ["consumption_data", "generation_data"]
    influxdb_username              = "root"
    influxdb_password              = "givenPassword1"
    influxdb_port                  = 9086
    influxdb_multi_az              = true
    influxdb_parameter_group_id    = "group1"
    influxdb_maintenance_window    = "Sun:03:00-Sun:07:00"
    timezone                       = "America/Manaus"

    metric_namespace          = "Own/Metrics"
    influxdb_metric_namespace = "AWS/Other"
    expect_writes             = true
    notification_emails       = ["operations@example.org"]
    monthly_budget_usd        = 6000

    runner_image_tag     = "1.2.3"
    runner_shards        = 4
    runner_vcpus         = 4
    runner_memory_mib    = 8192
    runner_scenario_tag  = "soak"
    runner_schedule      = "cron(30 2 * * ? *)"
    source_database_arns = ["arn:aws:timestream:us-east-1:111122223333:database/energy"]
  }

  assert {
    condition     = output.name == "ons-staging"
    error_message = "the plan beside this is of another stack"
  }
}

run "plan_of_the_default_stack" {
  command = plan

  assert {
    condition     = output.name == "cutover-staging"
    error_message = "the plan beside this is of another stack"
  }
}
