# The five rules that send traffic back, on the application's own metrics: AWS publishes no response time,
# error or connection of InfluxDB. No data is no failure: without traffic nothing has to go back.

locals {
  # One metric of one backend, as the alarms and the dashboard name it.
  metrics = {
    influxdb_requests            = { metric = "RequestCount", backend = "influxdb", stat = "Sum" }
    influxdb_errors              = { metric = "ErrorCount", backend = "influxdb", stat = "Sum" }
    influxdb_latency             = { metric = "Latency", backend = "influxdb", stat = "p95" }
    influxdb_connection_failures = { metric = "ConnectionFailures", backend = "influxdb", stat = "Sum" }
    timestream_requests          = { metric = "RequestCount", backend = "timestream", stat = "Sum" }
    timestream_errors            = { metric = "ErrorCount", backend = "timestream", stat = "Sum" }
    timestream_latency           = { metric = "Latency", backend = "timestream", stat = "p95" }
  }

  alarms = {
    influxdb-migration-error-rate = {
      description = "More than 5 % of the requests to InfluxDB fail"
      metrics     = ["influxdb_requests", "influxdb_errors"]
      expression  = "IF(influxdb_requests > 0, 100 * FILL(influxdb_errors, 0) / influxdb_requests, 0)"
      comparison  = "GreaterThanThreshold"
      threshold   = 5
      periods     = 2
      period      = var.period_seconds
    }
    influxdb-migration-latency = {
      description = "One request in twenty to InfluxDB takes more than 10 s"
      metrics     = ["influxdb_latency"]
      expression  = null
      comparison  = "GreaterThanThreshold"
      threshold   = 10000
      periods     = 2
      period      = var.period_seconds
    }
    influxdb-connection-failures = {
      description = "More than 10 connections to InfluxDB failed in five minutes"
      metrics     = ["influxdb_connection_failures"]
      expression  = null
      comparison  = "GreaterThanThreshold"
      threshold   = 10
      periods     = 1
      period      = 300
    }
    traffic-switch-success-rate = {
      description = "Less than 95 % of all requests, over both backends, succeed"
      metrics     = ["influxdb_requests", "influxdb_errors", "timestream_requests", "timestream_errors"]
      expression = join("", [
        "IF(FILL(influxdb_requests, 0) + FILL(timestream_requests, 0) > 0, ",
        "100 - 100 * (FILL(influxdb_errors, 0) + FILL(timestream_errors, 0)) / (FILL(influxdb_requests, 0) + FILL(timestream_requests, 0)), ",
        "100)",
      ])
      comparison = "LessThanThreshold"
      threshold  = 95
      periods    = 3
      period     = var.period_seconds
    }
    influxdb-latency-comparison = {
      description = "One request in twenty takes over 10 s longer on InfluxDB than on Timestream"
      metrics     = ["influxdb_latency", "timestream_latency"]
      expression  = "influxdb_latency - timestream_latency"
      comparison  = "GreaterThanThreshold"
      threshold   = 10000
      periods     = 3
      period      = var.period_seconds
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.periods
  treat_missing_data  = "notBreaching"
  actions_enabled     = true
  alarm_actions       = var.notification_topic_arns
  ok_actions          = var.notification_topic_arns

  # Exactly one query returns data: the expression, or the one metric of an alarm without.
  dynamic "metric_query" {
    for_each = each.value.expression == null ? [] : [each.value.expression]

    content {
      id          = "verdict"
      label       = each.value.description
      expression  = metric_query.value
      return_data = true
    }
  }

  dynamic "metric_query" {
    for_each = { for key in each.value.metrics : key => local.metrics[key] }

    content {
      id          = metric_query.key
      return_data = each.value.expression == null

      metric {
        namespace   = var.metric_namespace
        metric_name = metric_query.value.metric
        stat        = metric_query.value.stat
        period      = each.value.period
        dimensions  = { Backend = metric_query.value.backend }
      }
    }
  }

  tags = var.tags
}

# One name for "traffic must go back", for people and for `cutover`. The five notify by themselves.
resource "aws_cloudwatch_composite_alarm" "unhealthy" {
  alarm_name        = "${var.name}-influxdb-unhealthy"
  alarm_description = "At least one rule that sends traffic back to Timestream fires"
  alarm_rule        = join(" OR ", [for key in sort(keys(local.alarms)) : "ALARM(\"${aws_cloudwatch_metric_alarm.this[key].alarm_name}\")"])
  actions_enabled   = true
  alarm_actions     = var.notification_topic_arns

  tags = var.tags
}
