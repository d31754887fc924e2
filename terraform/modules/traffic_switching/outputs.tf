output "application_id" {
  description = "Id of the AppConfig application."
  value       = aws_appconfig_application.this.id
}

output "environment_ids" {
  description = "Ids of the AppConfig environments, by name."
  value       = { for name, environment in aws_appconfig_environment.this : name => environment.environment_id }
}

output "profile_id" {
  description = "Id of the profile that holds the flags."
  value       = aws_appconfig_configuration_profile.flags.configuration_profile_id
}

output "strategy_ids" {
  description = "Ids of the deployment strategies, by name."
  value       = { for name, strategy in aws_appconfig_deployment_strategy.this : name => strategy.id }
}

output "initial_version" {
  description = "Number of the first version of the flags; null when Terraform made none."
  value       = one(aws_appconfig_hosted_configuration_version.initial[*].version_number)
}

output "alarm_names" {
  description = "Names of the five alarms that send traffic back, by what they watch."
  value       = { for key, alarm in aws_cloudwatch_metric_alarm.this : key => alarm.alarm_name }
}

output "alarm_arns" {
  description = "ARNs of the five alarms, by what they watch."
  value       = { for key, alarm in aws_cloudwatch_metric_alarm.this : key => alarm.arn }
}

output "composite_alarm_name" {
  description = "Name of the alarm that stands for all five."
  value       = aws_cloudwatch_composite_alarm.unhealthy.alarm_name
}

output "metric_namespace" {
  description = "Namespace of the application's own metrics."
  value       = var.metric_namespace
}

output "dashboard_name" {
  description = "Name of the dashboard of both backends."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
