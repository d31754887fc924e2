# Alarms on the instance, with the thresholds of AWS's guide, and the four of the runbooks. Where AWS
# publishes no metric (response time, connections, points), the application's own takes its place.

locals {
  provisioned_iops = {
    InfluxIOIncludedT1 = 3000
    InfluxIOIncludedT2 = 12000
    InfluxIOIncludedT3 = 16000
  }[var.storage_type]

  above = "GreaterThanThreshold"
  below = "LessThanThreshold"

  # Metrics that AWS publishes under the dimension DbInstanceName.
  instance_alarms = {
    influxdb-cpu-critical    = { metric = "CPUUtilization", stat = "Average", comparison = local.above, threshold = 90, period = 300, periods = 1, missing = "missing", says = "CPU above 90 % for 5 minutes" }
    influxdb-cpu-warning     = { metric = "CPUUtilization", stat = "Average", comparison = local.above, threshold = 70, period = 300, periods = 3, missing = "missing", says = "CPU above 70 % for 15 minutes" }
    influxdb-memory-critical = { metric = "MemoryUtilization", stat = "Average", comparison = local.above, threshold = 90, period = 300, periods = 1, missing = "missing", says = "Memory above 90 % for 5 minutes" }
    influxdb-memory-high     = { metric = "MemoryUtilization", stat = "Average", comparison = local.above, threshold = 80, period = 300, periods = 3, missing = "missing", says = "Memory above 80 % for 15 minutes" }
    influxdb-memory-warning  = { metric = "MemoryUtilization", stat = "Average", comparison = local.above, threshold = 70, period = 300, periods = 3, missing = "missing", says = "Memory above 70 % for 15 minutes" }
    influxdb-disk-critical   = { metric = "DiskUtilization", stat = "Maximum", comparison = local.above, threshold = 85, period = 300, periods = 1, missing = "missing", says = "Disk above 85 %; storage does not grow by itself" }
    influxdb-disk-warning    = { metric = "DiskUtilization", stat = "Maximum", comparison = local.above, threshold = 70, period = 300, periods = 1, missing = "missing", says = "Disk above 70 %; storage does not grow by itself" }
    influxdb-iops-critical   = { metric = "TotalIOpsPerSec", stat = "Average", comparison = local.above, threshold = floor(local.provisioned_iops * 0.9), period = 300, periods = 2, missing = "missing", says = "More than 90 % of the storage's IOPS for 10 minutes" }
    influxdb-iops-warning    = { metric = "TotalIOpsPerSec", stat = "Average", comparison = local.above, threshold = floor(local.provisioned_iops * 0.7), period = 300, periods = 3, missing = "missing", says = "More than 70 % of the storage's IOPS for 15 minutes" }
    influxdb-restarted       = { metric = "EngineUptime", stat = "Minimum", comparison = local.below, threshold = 300, period = 60, periods = 1, missing = "notBreaching", says = "The engine started less than 5 minutes ago" }
    influxdb-gone            = { metric = "EngineUptime", stat = "SampleCount", comparison = local.below, threshold = 1, period = 300, periods = 2, missing = "breaching", says = "The instance has published nothing for 10 minutes" }
    influxdb-write-timeouts  = { metric = "WriteTimeouts", stat = "Average", comparison = local.above, threshold = 1, period = 300, periods = 1, missing = "notBreaching", says = "More than 1 % of the writes time out" }
  }

  # Series per bucket: the dimension Bucket is added.
  cardinality_alarms = merge([for bucket in var.buckets : {
    "influxdb-series-critical-${bucket}" = { bucket = bucket, threshold = 10000000, says = "More than 10 million series in ${bucket}" }
    "influxdb-series-warning-${bucket}"  = { bucket = bucket, threshold = 5000000, says = "More than 5 million series in ${bucket}" }
  }]...)

  # The application's own metrics of its InfluxDB backend.
  application_alarms = {
    influxdb-response-time     = { metric = "Latency", stat = "Average", comparison = local.above, threshold = 5000, period = 300, periods = 2, missing = "notBreaching", enabled = true, says = "InfluxDB answers in more than 5 s on average" }
    influxdb-connection-errors = { metric = "ConnectionFailures", stat = "Sum", comparison = local.above, threshold = 5, period = 300, periods = 1, missing = "notBreaching", enabled = true, says = "More than 5 connections to InfluxDB failed in 5 minutes" }
    # Nothing published is nothing written.
    influxdb-too-few-points = { metric = "PointsWritten", stat = "Sum", comparison = local.below, threshold = 1000, period = 900, periods = 2, missing = "breaching", enabled = var.expect_writes, says = "Fewer than 1,000 points written in 15 minutes, twice" }
  }

  query_results = ["success", "runtime_error", "compile_error", "queue_error"]
  all_queries   = join(" + ", [for result in local.query_results : "FILL(${result}, 0)"])
}

resource "aws_cloudwatch_metric_alarm" "instance" {
  for_each = local.instance_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.says
  namespace           = var.influxdb_namespace
  metric_name         = each.value.metric
  dimensions          = { DbInstanceName = var.instance_name }
  statistic           = each.value.stat
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.periods
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  tags = var.tags
}

resource "aws_cloudwatch_metric_alarm" "cardinality" {
  for_each = local.cardinality_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.says
  namespace           = var.influxdb_namespace
  metric_name         = "SeriesCardinality"
  dimensions          = { DbInstanceName = var.instance_name, Bucket = each.value.bucket }
  statistic           = "Maximum"
  comparison_operator = local.above
  threshold           = each.value.threshold
  period              = 300
  evaluation_periods  = 1
  datapoints_to_alarm = 1
  treat_missing_data  = "missing"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  tags = var.tags
}

resource "aws_cloudwatch_metric_alarm" "query_errors" {
  alarm_name          = "${var.name}-influxdb-query-errors"
  alarm_description   = "More than 1 % of the queries end in a runtime error"
  comparison_operator = local.above
  threshold           = 1
  evaluation_periods  = 1
  datapoints_to_alarm = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  metric_query {
    id          = "share"
    label       = "Queries that end in a runtime error (%)"
    expression  = "IF(${local.all_queries} > 0, 100 * FILL(runtime_error, 0) / (${local.all_queries}), 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = toset(local.query_results)

    content {
      id          = metric_query.key
      return_data = false

      metric {
        namespace   = var.influxdb_namespace
        metric_name = "QueryRequestsTotal"
        stat        = "Sum"
        period      = 300
        dimensions  = { DbInstanceName = var.instance_name, Result = metric_query.key }
      }
    }
  }

  tags = var.tags
}

resource "aws_cloudwatch_metric_alarm" "application" {
  for_each = local.application_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.says
  namespace           = var.metric_namespace
  metric_name         = each.value.metric
  dimensions          = { Backend = "influxdb" }
  statistic           = each.value.stat
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.periods
  treat_missing_data  = each.value.missing
  actions_enabled     = each.value.enabled
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  tags = var.tags
}
