# What the operator on duty looks at: the instance as AWS sees it, and what the application sees of it.

locals {
  charts = [
    { title = "CPU, memory and disk (%)", metrics = [for metric in ["CPUUtilization", "MemoryUtilization", "DiskUtilization"] : [var.influxdb_namespace, metric, "DbInstanceName", var.instance_name]], stat = "Average" },
    { title = "IOPS of ${local.provisioned_iops}", metrics = [for metric in ["TotalIOpsPerSec", "ReadOpsPerSec", "WriteOpsPerSec"] : [var.influxdb_namespace, metric, "DbInstanceName", var.instance_name]], stat = "Average" },
    { title = "Queries by result", metrics = [for result in local.query_results : [var.influxdb_namespace, "QueryRequestsTotal", "DbInstanceName", var.instance_name, "Result", result]], stat = "Sum" },
    { title = "Series by bucket", metrics = [for bucket in sort(var.buckets) : [var.influxdb_namespace, "SeriesCardinality", "DbInstanceName", var.instance_name, "Bucket", bucket]], stat = "Maximum" },
    { title = "Memory of the engine (bytes)", metrics = [for metric in ["HeapMemoryUsage", "ActiveMemoryAllocation"] : [var.influxdb_namespace, metric, "DbInstanceName", var.instance_name]], stat = "Average" },
    { title = "Uptime (s), write timeouts, failed tasks", metrics = [for metric in ["EngineUptime", "WriteTimeouts", "TaskExecutionFailures"] : [var.influxdb_namespace, metric, "DbInstanceName", var.instance_name]], stat = "Maximum" },
    { title = "Application: latency (ms)", metrics = [[var.metric_namespace, "Latency", "Backend", "influxdb"]], stat = "p95" },
    { title = "Application: points written", metrics = [[var.metric_namespace, "PointsWritten", "Backend", "influxdb"]], stat = "Sum" },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "${var.name}-operations"
  dashboard_body = jsonencode({
    widgets = concat(
      [{
        type   = "alarm"
        x      = 0
        y      = 0
        width  = 24
        height = 4
        properties = {
          title  = "Alarms"
          alarms = local.alarm_arns
        }
      }],
      [for index, chart in local.charts : {
        type   = "metric"
        x      = (index % 2) * 12
        y      = 4 + floor(index / 2) * 6
        width  = 12
        height = 6
        properties = {
          title   = chart.title
          view    = "timeSeries"
          region  = local.region
          stat    = chart.stat
          period  = 300
          metrics = chart.metrics
        }
      }]
    )
  })
}
