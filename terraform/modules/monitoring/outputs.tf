locals {
  alarms = concat(
    values(aws_cloudwatch_metric_alarm.instance),
    values(aws_cloudwatch_metric_alarm.cardinality),
    [aws_cloudwatch_metric_alarm.query_errors],
    values(aws_cloudwatch_metric_alarm.application),
  )
  alarm_arns = local.alarms[*].arn
}

output "topic_arn" {
  description = "Topic of all notifications."
  value       = aws_sns_topic.this.arn
}

output "alarm_names" {
  description = "Names of all alarms of this module, in order."
  value       = sort(local.alarms[*].alarm_name)
}

output "influxdb_namespace" {
  description = "Namespace in which AWS publishes the instance's metrics."
  value       = var.influxdb_namespace
}

output "dashboard_name" {
  description = "Name of the operations dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "budget_name" {
  description = "Name of the monthly budget; null without one."
  value       = one(aws_budgets_budget.this[*].name)
}
