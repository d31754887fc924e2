# The whole stack: that each part gets what it needs of the others, and what is told to `cutover`. The
# attributes of all planned resources are beside this, in tests/plans, and compared by tools/terraform-test.

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

run "stack_by_default" {
  command = plan

  assert {
    condition     = output.name == "cutover-staging" && output.environment == "staging" && output.region == "us-east-1" && output.account_id == "111122223333"
    error_message = "the stack must be told by name, environment, region and account"
  }

  assert {
    condition     = output.influxdb_url == "https://${module.influxdb.endpoint}:8086" && output.influxdb_endpoint == module.influxdb.endpoint && output.influxdb_port == 8086
    error_message = "the URL must have https, the host and the port"
  }

  assert {
    condition     = output.influxdb_instance_id == module.influxdb.id && output.influxdb_instance_name == "cutover-staging" && output.influxdb_organization == "ons" && output.influxdb_bucket == "consumption_data"
    error_message = "the instance must be told by its id and name, and its organisation and bucket"
  }

  assert {
    condition     = output.influxdb_auth_secret_arn == module.influxdb.auth_secret_arn && output.influxdb_token_secret_arns == module.influxdb.token_secret_arns && keys(output.influxdb_token_secret_arns) == ["reader", "writer"]
    error_message = "the secrets must be told by their ARNs"
  }

  assert {
    condition     = output.influxdb_log_bucket == "cutover-staging-logs-111122223333" && output.results_bucket == "cutover-staging-results-111122223333-us-east-1"
    error_message = "both buckets must be told"
  }

  assert {
    condition     = output.appconfig_application_id == module.traffic_switching.application_id && output.appconfig_environment_id == module.traffic_switching.environment_ids["staging"] && output.appconfig_profile_id == module.traffic_switching.profile_id && keys(output.appconfig_strategy_ids) == ["canary", "gradual", "instant"]
    error_message = "what a deployment of flags takes must be told"
  }

  assert {
    condition     = output.metric_namespace == "ONS/TrafficSwitching" && output.influxdb_metric_namespace == "AWS/Timestream/InfluxDB"
    error_message = "both namespaces must be told"
  }

  assert {
    condition     = output.job_queue_arn == module.runner[0].job_queue_arn && output.job_definition_arn == module.runner[0].job_definition_arn && output.runner_shards == 1 && output.repository_url == module.runner[0].repository_url
    error_message = "what a run is submitted with must be told"
  }
}

run "alarms_are_told_by_name" {
  command = plan

  assert {
    condition     = output.traffic_alarm_names == { influxdb-connection-failures = "cutover-staging-influxdb-connection-failures", influxdb-latency-comparison = "cutover-staging-influxdb-latency-comparison", influxdb-migration-error-rate = "cutover-staging-influxdb-migration-error-rate", influxdb-migration-latency = "cutover-staging-influxdb-migration-latency", traffic-switch-success-rate = "cutover-staging-traffic-switch-success-rate" }
    error_message = "the five alarms must be told by their names"
  }

  assert {
    condition     = output.composite_alarm_name == "cutover-staging-influxdb-unhealthy" && output.influxdb_alarm_names == module.monitoring.alarm_names && length(output.influxdb_alarm_names) == 24
    error_message = "the composite and the alarms on the instance must be told"
  }

  assert {
    condition     = output.dashboard_names == { traffic = "cutover-staging-traffic", operations = "cutover-staging-operations" } && output.notification_topic_arn == module.monitoring.topic_arn
    error_message = "dashboards and topic must be told"
  }
}

run "network_and_policies_are_told" {
  command = plan

  assert {
    condition     = output.vpc_id == module.network.vpc_id && output.private_subnet_ids == module.network.private_subnet_ids && output.client_security_group_id == module.network.client_security_group_id
    error_message = "the network must be told"
  }

  assert {
    condition     = output.policy_arns == module.influxdb.policy_arns && output.kms_key_arn == aws_kms_key.this.arn
    error_message = "policies and key must be told"
  }
}

run "writes_are_refused_by_default" {
  command = plan

  variables {
    tags = { owner = "energy" }
  }

  assert {
    condition     = output.writes_allowed == false && output.stack_tags["cutover:allow-writes"] == "false" && output.stack_tags["cutover:stack"] == "cutover-staging" && output.stack_tags["cutover:environment"] == "staging" && output.stack_tags["owner"] == "energy"
    error_message = "a stack must refuse writes unless it says otherwise, and carry its tags"
  }
}

run "writes_are_allowed_when_it_is_said" {
  command = plan

  variables {
    allow_writes = true
  }

  assert {
    condition     = output.writes_allowed && output.stack_tags["cutover:allow-writes"] == "true"
    error_message = "that writes are allowed must be told and be on the instance"
  }
}

run "names_and_port_reach_everything" {
  command = plan

  variables {
    project                   = "ons"
    environment               = "production"
    influxdb_port             = 9999
    influxdb_organization     = "o"
    influxdb_bucket           = "b1"
    influxdb_buckets          = ["b1", "b2"]
    metric_namespace          = "Own/Metrics"
    influxdb_metric_namespace = "AWS/Other"
  }

  assert {
    condition     = output.name == "ons-production" && output.influxdb_instance_name == "ons-production" && output.composite_alarm_name == "ons-production-influxdb-unhealthy" && output.appconfig_environment_id == module.traffic_switching.environment_ids["production"]
    error_message = "project and environment must be in every name"
  }

  assert {
    condition     = output.influxdb_url == "https://${module.influxdb.endpoint}:9999" && output.influxdb_port == 9999
    error_message = "the port must be in the URL"
  }

  assert {
    condition     = output.influxdb_organization == "o" && output.influxdb_bucket == "b1" && jsonencode(output.influxdb_token_documents["writer"].writeBuckets) == jsonencode(["b1", "b2"]) && jsonencode(output.influxdb_token_documents["reader"].readBuckets) == jsonencode(["b1", "b2"]) && jsonencode(output.influxdb_token_documents["reader"].writeBuckets) == "[]"
    error_message = "the buckets must be those that the tokens are for"
  }

  assert {
    condition     = output.metric_namespace == "Own/Metrics" && output.influxdb_metric_namespace == "AWS/Other"
    error_message = "the namespaces must be the given ones"
  }

  assert {
    condition     = aws_kms_alias.this.name == "alias/ons-production"
    error_message = "the key must have the name of the stack"
  }
}

run "stack_without_a_runner" {
  command = plan

  variables {
    runner_enabled = false
  }

  assert {
    condition     = length(module.runner) == 0 && output.results_bucket == null && output.job_queue_arn == null && output.job_definition_arn == null && output.runner_shards == null && output.repository_url == null
    error_message = "without a runner there is none to tell of"
  }
}

run "stack_without_log_delivery" {
  command = plan

  variables {
    influxdb_log_delivery = false
  }

  assert {
    condition     = output.influxdb_log_bucket == null
    error_message = "without delivery there is no bucket to tell of"
  }
}

run "runner_as_it_is_told" {
  command = plan

  variables {
    runner_shards = 4
    runner_image  = "111122223333.dkr.ecr.us-east-1.amazonaws.com/cutover:1.0.0"
  }

  assert {
    condition     = output.runner_shards == 4 && module.runner[0].image == "111122223333.dkr.ecr.us-east-1.amazonaws.com/cutover:1.0.0" && output.repository_url == null
    error_message = "shards and image must reach the runner"
  }
}

run "key" {
  command = plan

  override_data {
    target          = data.aws_iam_policy_document.key
    override_during = plan
    values          = { json = "{\"Id\":\"key\"}" }
  }

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.deletion_window_in_days == 30 && aws_kms_key.this.tags["cutover:stack"] == "cutover-staging"
    error_message = "the key must rotate, and be lost no sooner than in a month"
  }

  assert {
    condition     = jsondecode(aws_kms_key.this.policy).Id == "key" && aws_kms_alias.this.name == "alias/cutover-staging" && aws_kms_alias.this.target_key_id == aws_kms_key.this.key_id
    error_message = "the key must have its policy and its name"
  }
}

run "policy_of_the_key" {
  command = plan

  assert {
    condition = { for s in data.aws_iam_policy_document.key.statement : coalesce(s.sid, "-") => [
      coalesce(s.effect, "Allow"),
      sort(s.actions),
      sort(coalesce(s.resources, [])),
      [for p in s.principals : "${p.type} ${join(" ", sort(p.identifiers))}"],
      sort([for c in s.condition : "${c.test} ${c.variable} ${join(" ", c.values)}"]),
      ] } == {
      Account = [
        "Allow",
        sort(["kms:*"]),
        sort(["*"]),
        ["AWS arn:aws:iam::111122223333:root"],
        sort([]),
      ]
      Logs = [
        "Allow",
        sort(["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]),
        sort(["*"]),
        ["Service logs.us-east-1.amazonaws.com"],
        sort(["ArnLike kms:EncryptionContext:aws:logs:arn arn:aws:logs:us-east-1:111122223333:log-group:/cutover-staging/*"]),
      ]
      Notifications = [
        "Allow",
        sort(["kms:Decrypt", "kms:GenerateDataKey*"]),
        sort(["*"]),
        ["Service budgets.amazonaws.com cloudwatch.amazonaws.com events.amazonaws.com"],
        sort(["StringEquals aws:SourceAccount 111122223333"]),
      ]
    }
    error_message = "the key must be the account's, and be used by its logs and notifications only"
  }
}
