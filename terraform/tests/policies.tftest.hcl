# Which policy is where. A document that names a resource is written when the resource is there, so these
# runs apply, to a mocked AWS. The database refuses to be destroyed, so that its policies are held to
# their names by the rules of tools/tfstub instead.

mock_provider "aws" {
  source = "./tests/mocks-apply"
}

variables {
  name        = "stack"
  kms_key_arn = "arn:aws:kms:us-east-1:111122223333:key/k"
}

run "network" {
  command = apply

  module {
    source = "./modules/network"
  }

  override_data {
    target = data.aws_iam_policy_document.interface_endpoint
    values = { json = "{\"Id\":\"interface_endpoint\"}" }
  }
  override_data {
    target = data.aws_iam_policy_document.s3_endpoint
    values = { json = "{\"Id\":\"s3_endpoint\"}" }
  }
  override_data {
    target = data.aws_iam_policy_document.flow
    values = { json = "{\"Id\":\"flow\"}" }
  }
  override_data {
    target = data.aws_iam_policy_document.flow_trust
    values = { json = "{\"Id\":\"flow_trust\"}" }
  }

  assert {
    condition     = jsondecode(aws_vpc_endpoint.s3.policy).Id == "s3_endpoint"
    error_message = "the S3 endpoint must have its policy"
  }

  assert {
    condition     = alltrue([for endpoint in values(aws_vpc_endpoint.interface) : jsondecode(endpoint.policy).Id == "interface_endpoint"])
    error_message = "each interface endpoint must have its policy"
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.flow.policy).Id == "flow" && aws_iam_role_policy.flow.role == aws_iam_role.flow.id
    error_message = "the role of the flow logs must have its policy"
  }

  assert {
    condition     = jsondecode(aws_iam_role.flow.assume_role_policy).Id == "flow_trust"
    error_message = "the role of the flow logs must trust its service"
  }
}

run "traffic_switching" {
  command = apply

  module {
    source = "./modules/traffic_switching"
  }

  override_data {
    target = data.aws_iam_policy_document.monitor
    values = { json = "{\"Id\":\"monitor\"}" }
  }
  override_data {
    target = data.aws_iam_policy_document.monitor_trust
    values = { json = "{\"Id\":\"monitor_trust\"}" }
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.monitor.policy).Id == "monitor" && aws_iam_role_policy.monitor.role == aws_iam_role.monitor.id
    error_message = "the monitoring role must have its policy"
  }

  assert {
    condition     = jsondecode(aws_iam_role.monitor.assume_role_policy).Id == "monitor_trust"
    error_message = "the monitoring role must trust AppConfig"
  }

  assert {
    condition     = jsondecode(aws_appconfig_hosted_configuration_version.initial[0].content).values.influxdb_traffic_percentage.percentage == 0
    error_message = "the first version must leave all traffic on Timestream"
  }
}

run "monitoring" {
  command = apply

  module {
    source = "./modules/monitoring"
  }

  variables {
    instance_name = "stack"
    budget_tag    = { key = "cutover:stack", value = "stack" }
  }

  override_data {
    target = data.aws_iam_policy_document.topic
    values = { json = "{\"Id\":\"topic\"}" }
  }

  assert {
    condition     = jsondecode(aws_sns_topic_policy.this.policy).Id == "topic" && aws_sns_topic_policy.this.arn == aws_sns_topic.this.arn
    error_message = "the topic must have its policy"
  }
}

run "runner" {
  command = apply

  module {
    source = "./modules/runner"
  }

  variables {
    subnet_ids               = ["subnet-0a"]
    security_group_ids       = ["sg-0a"]
    instance_arn             = "arn:aws:timestream-influxdb:us-east-1:111122223333:db-instance/abc"
    token_secret_arns        = { reader = "r", writer = "w" }
    appconfig_application_id = "app1234"
    notification_topic_arn   = "arn:aws:sns:us-east-1:111122223333:stack-notifications"
  }

  override_data {
    target = data.aws_iam_policy_document.job
    values = { json = "{\"Id\":\"job\"}" }
  }
  override_data {
    target = data.aws_iam_policy_document.execution
    values = { json = "{\"Id\":\"execution\"}" }
  }
  override_data {
    target = data.aws_iam_policy_document.task_trust
    values = { json = "{\"Id\":\"task_trust\"}" }
  }
  override_data {
    target = data.aws_iam_policy_document.schedule
    values = { json = "{\"Id\":\"schedule\"}" }
  }
  override_data {
    target = data.aws_iam_policy_document.schedule_trust
    values = { json = "{\"Id\":\"schedule_trust\"}" }
  }
  override_data {
    target = data.aws_iam_policy_document.results
    values = { json = "{\"Id\":\"results\"}" }
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.job.policy).Id == "job" && aws_iam_role_policy.job.role == aws_iam_role.job.id
    error_message = "the role of the jobs must have its policy"
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.execution.policy).Id == "execution" && aws_iam_role_policy.execution.role == aws_iam_role.execution.id
    error_message = "the role that starts jobs must have its policy"
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.schedule[0].policy).Id == "schedule" && aws_iam_role_policy.schedule[0].role == aws_iam_role.schedule[0].id
    error_message = "the role of the schedule must have its policy"
  }

  assert {
    condition     = jsondecode(aws_iam_role.job.assume_role_policy).Id == "task_trust" && jsondecode(aws_iam_role.execution.assume_role_policy).Id == "task_trust"
    error_message = "the roles of the tasks must trust Fargate"
  }

  assert {
    condition     = jsondecode(aws_iam_role.schedule[0].assume_role_policy).Id == "schedule_trust"
    error_message = "the role of the schedule must trust the scheduler"
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.results.policy).Id == "results" && aws_s3_bucket_policy.results.bucket == aws_s3_bucket.results.id
    error_message = "the results bucket must have its policy"
  }
}
