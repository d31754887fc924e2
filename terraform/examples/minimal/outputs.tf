# `cutover` reads these: the stack's own outputs, under their own names.

output "name" {
  description = "Name of the stack, the prefix of all names in it."
  value       = module.stack.name
}

output "environment" {
  description = "Environment of the stack, and name of the AppConfig environment."
  value       = module.stack.environment
}

output "region" {
  description = "Region of the stack."
  value       = module.stack.region
}

output "account_id" {
  description = "Account of the stack."
  value       = module.stack.account_id
}

output "influxdb_url" {
  description = "URL of InfluxDB's HTTPS API, with its port."
  value       = module.stack.influxdb_url
}

output "influxdb_endpoint" {
  description = "Host of InfluxDB, without scheme and port."
  value       = module.stack.influxdb_endpoint
}

output "influxdb_port" {
  description = "Port of InfluxDB's HTTPS API."
  value       = module.stack.influxdb_port
}

output "influxdb_instance_id" {
  description = "Id of the instance, by which the service's API addresses it."
  value       = module.stack.influxdb_instance_id
}

output "influxdb_instance_name" {
  description = "Name of the instance, the value of the dimension DbInstanceName."
  value       = module.stack.influxdb_instance_name
}

output "influxdb_organization" {
  description = "Name of the organisation."
  value       = module.stack.influxdb_organization
}

output "influxdb_bucket" {
  description = "Name of the first bucket."
  value       = module.stack.influxdb_bucket
}

output "influxdb_auth_secret_arn" {
  description = "Secret that the service keeps: organisation, bucket, user and password of the administrator."
  value       = module.stack.influxdb_auth_secret_arn
}

output "influxdb_token_secret_arns" {
  description = "Secrets of the scoped tokens: reader and writer."
  value       = module.stack.influxdb_token_secret_arns
}

output "influxdb_token_documents" {
  description = "What each secret of a token holds beside the token, in the format of AWS's rotation functions. Nothing in it is secret."
  value       = module.stack.influxdb_token_documents
}

output "influxdb_log_bucket" {
  description = "Bucket of the engine's logs; null without delivery."
  value       = module.stack.influxdb_log_bucket
}

output "writes_allowed" {
  description = "Whether `cutover` may write to this stack, given --allow-writes. The instance carries it as the tag cutover:allow-writes."
  value       = module.stack.writes_allowed
}

output "stack_tags" {
  description = "Tags of the instance: cutover:stack, cutover:environment, cutover:allow-writes and your own."
  value       = module.stack.stack_tags
}

output "appconfig_application_id" {
  description = "Id of the AppConfig application."
  value       = module.stack.appconfig_application_id
}

output "appconfig_environment_id" {
  description = "Id of the AppConfig environment of this stack."
  value       = module.stack.appconfig_environment_id
}

output "appconfig_profile_id" {
  description = "Id of the profile that holds the flags."
  value       = module.stack.appconfig_profile_id
}

output "appconfig_strategy_ids" {
  description = "Ids of the deployment strategies: instant, canary and gradual."
  value       = module.stack.appconfig_strategy_ids
}

output "metric_namespace" {
  description = "Namespace of the application's own metrics."
  value       = module.stack.metric_namespace
}

output "influxdb_metric_namespace" {
  description = "Namespace in which AWS publishes the instance's metrics."
  value       = module.stack.influxdb_metric_namespace
}

output "traffic_alarm_names" {
  description = "Names of the five alarms that send traffic back, by what they watch."
  value       = module.stack.traffic_alarm_names
}

output "composite_alarm_name" {
  description = "Name of the alarm that stands for those five."
  value       = module.stack.composite_alarm_name
}

output "influxdb_alarm_names" {
  description = "Names of the alarms on the instance and on the application's use of it."
  value       = module.stack.influxdb_alarm_names
}

output "results_bucket" {
  description = "Bucket of reports and evidence; null without the runner."
  value       = module.stack.results_bucket
}

output "job_queue_arn" {
  description = "Queue that takes runs; null without the runner."
  value       = module.stack.job_queue_arn
}

output "job_definition_arn" {
  description = "Definition of a run; null without the runner."
  value       = module.stack.job_definition_arn
}

output "runner_shards" {
  description = "Parallel jobs of one run; null without the runner."
  value       = module.stack.runner_shards
}

output "repository_url" {
  description = "Where to push the harness's image; null when it comes from elsewhere."
  value       = module.stack.repository_url
}

output "vpc_id" {
  description = "Id of the VPC."
  value       = module.stack.vpc_id
}

output "private_subnet_ids" {
  description = "Ids of the private subnets."
  value       = module.stack.private_subnet_ids
}

output "client_security_group_id" {
  description = "Security group that lets its members reach InfluxDB."
  value       = module.stack.client_security_group_id
}

output "policy_arns" {
  description = "IAM policies: reader, writer and operator."
  value       = module.stack.policy_arns
}

output "notification_topic_arn" {
  description = "Topic of all notifications."
  value       = module.stack.notification_topic_arn
}

output "kms_key_arn" {
  description = "Key that encrypts all that the stack stores."
  value       = module.stack.kms_key_arn
}

output "dashboard_names" {
  description = "Dashboards: traffic (both backends) and operations."
  value       = module.stack.dashboard_names
}
