# What `cutover --target deployed` reads from `terraform output -json`, and people, too. A name below is a
# promise: `cutover` reads each of `local.stack_output` by it, and so does the runner, which gets the same
# map. There is no secret among them, only the ARNs of secrets.

locals {
  stack_output = {
    name        = local.name
    environment = var.environment
    region      = local.region
    account_id  = local.account_id

    influxdb_url               = module.influxdb.url
    influxdb_endpoint          = module.influxdb.endpoint
    influxdb_port              = module.influxdb.port
    influxdb_instance_id       = module.influxdb.id
    influxdb_instance_name     = module.influxdb.name
    influxdb_organization      = module.influxdb.organization
    influxdb_bucket            = module.influxdb.bucket
    influxdb_auth_secret_arn   = module.influxdb.auth_secret_arn
    influxdb_token_secret_arns = module.influxdb.token_secret_arns
    influxdb_token_documents   = module.influxdb.token_documents
    influxdb_log_bucket        = module.influxdb.log_bucket

    writes_allowed = var.allow_writes
    stack_tags     = module.influxdb.tags

    appconfig_application_id = module.traffic_switching.application_id
    appconfig_environment_id = module.traffic_switching.environment_ids[var.environment]
    appconfig_profile_id     = module.traffic_switching.profile_id
    appconfig_strategy_ids   = module.traffic_switching.strategy_ids

    metric_namespace          = module.traffic_switching.metric_namespace
    influxdb_metric_namespace = module.monitoring.influxdb_namespace
    traffic_alarm_names       = module.traffic_switching.alarm_names
    composite_alarm_name      = module.traffic_switching.composite_alarm_name
    influxdb_alarm_names      = module.monitoring.alarm_names
  }
}

output "name" {
  description = "Name of the stack, the prefix of all names in it."
  value       = local.stack_output.name
}

output "environment" {
  description = "Environment of the stack, and name of the AppConfig environment."
  value       = local.stack_output.environment
}

output "region" {
  description = "Region of the stack."
  value       = local.stack_output.region
}

output "account_id" {
  description = "Account of the stack."
  value       = local.stack_output.account_id
}

output "influxdb_url" {
  description = "URL of InfluxDB's HTTPS API, with its port."
  value       = local.stack_output.influxdb_url
}

output "influxdb_endpoint" {
  description = "Host of InfluxDB, without scheme and port."
  value       = local.stack_output.influxdb_endpoint
}

output "influxdb_port" {
  description = "Port of InfluxDB's HTTPS API."
  value       = local.stack_output.influxdb_port
}

output "influxdb_instance_id" {
  description = "Id of the instance, by which the service's API addresses it."
  value       = local.stack_output.influxdb_instance_id
}

output "influxdb_instance_name" {
  description = "Name of the instance, the value of the dimension DbInstanceName."
  value       = local.stack_output.influxdb_instance_name
}

output "influxdb_organization" {
  description = "Name of the organisation."
  value       = local.stack_output.influxdb_organization
}

output "influxdb_bucket" {
  description = "Name of the first bucket."
  value       = local.stack_output.influxdb_bucket
}

output "influxdb_auth_secret_arn" {
  description = "Secret that the service keeps: organisation, bucket, user and password of the administrator."
  value       = local.stack_output.influxdb_auth_secret_arn
}

output "influxdb_token_secret_arns" {
  description = "Secrets of the scoped tokens: reader and writer."
  value       = local.stack_output.influxdb_token_secret_arns
}

output "influxdb_token_documents" {
  description = "What each secret of a token holds beside the token, in the format of AWS's rotation functions. Nothing in it is secret."
  value       = local.stack_output.influxdb_token_documents
}

output "influxdb_log_bucket" {
  description = "Bucket of the engine's logs; null without delivery."
  value       = local.stack_output.influxdb_log_bucket
}

output "writes_allowed" {
  description = "Whether `cutover` may write to this stack, given --allow-writes. The instance carries it as the tag cutover:allow-writes."
  value       = local.stack_output.writes_allowed
}

output "stack_tags" {
  description = "Tags of the instance: cutover:stack, cutover:environment, cutover:allow-writes and your own."
  value       = local.stack_output.stack_tags
}

output "appconfig_application_id" {
  description = "Id of the AppConfig application."
  value       = local.stack_output.appconfig_application_id
}

output "appconfig_environment_id" {
  description = "Id of the AppConfig environment of this stack."
  value       = local.stack_output.appconfig_environment_id
}

output "appconfig_profile_id" {
  description = "Id of the profile that holds the flags."
  value       = local.stack_output.appconfig_profile_id
}

output "appconfig_strategy_ids" {
  description = "Ids of the deployment strategies: instant, canary and gradual."
  value       = local.stack_output.appconfig_strategy_ids
}

output "metric_namespace" {
  description = "Namespace of the application's own metrics."
  value       = local.stack_output.metric_namespace
}

output "influxdb_metric_namespace" {
  description = "Namespace in which AWS publishes the instance's metrics."
  value       = local.stack_output.influxdb_metric_namespace
}

output "traffic_alarm_names" {
  description = "Names of the five alarms that send traffic back, by what they watch."
  value       = local.stack_output.traffic_alarm_names
}

output "composite_alarm_name" {
  description = "Name of the alarm that stands for those five."
  value       = local.stack_output.composite_alarm_name
}

output "influxdb_alarm_names" {
  description = "Names of the alarms on the instance and on the application's use of it."
  value       = local.stack_output.influxdb_alarm_names
}

# What the runner cannot know of itself.

output "results_bucket" {
  description = "Bucket of reports and evidence; null without the runner."
  value       = one(module.runner[*].results_bucket)
}

output "job_queue_arn" {
  description = "Queue that takes runs; null without the runner."
  value       = one(module.runner[*].job_queue_arn)
}

output "job_definition_arn" {
  description = "Definition of a run; null without the runner."
  value       = one(module.runner[*].job_definition_arn)
}

output "runner_shards" {
  description = "Parallel jobs of one run; null without the runner."
  value       = one(module.runner[*].shards)
}

output "repository_url" {
  description = "Where to push the harness's image; null when it comes from elsewhere."
  value       = one(module.runner[*].repository_url)
}

# For people and for other Terraform.

output "vpc_id" {
  description = "Id of the VPC."
  value       = module.network.vpc_id
}

output "private_subnet_ids" {
  description = "Ids of the private subnets."
  value       = module.network.private_subnet_ids
}

output "client_security_group_id" {
  description = "Security group that lets its members reach InfluxDB."
  value       = module.network.client_security_group_id
}

output "policy_arns" {
  description = "IAM policies: reader, writer and operator."
  value       = module.influxdb.policy_arns
}

output "notification_topic_arn" {
  description = "Topic of all notifications."
  value       = module.monitoring.topic_arn
}

output "kms_key_arn" {
  description = "Key that encrypts all that the stack stores."
  value       = aws_kms_key.this.arn
}

output "dashboard_names" {
  description = "Dashboards: traffic (both backends) and operations."
  value       = { traffic = module.traffic_switching.dashboard_name, operations = module.monitoring.dashboard_name }
}
