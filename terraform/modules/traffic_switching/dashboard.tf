# Both backends side by side.

locals {
  region = data.aws_region.current.region

  charts = [
    { title = "Requests a minute", metric = "RequestCount", stat = "Sum" },
    { title = "Errors a minute", metric = "ErrorCount", stat = "Sum" },
    { title = "Latency, 95th percentile (ms)", metric = "Latency", stat = "p95" },
    { title = "Latency, median (ms)", metric = "Latency", stat = "p50" },
    { title = "Connection failures a minute", metric = "ConnectionFailures", stat = "Sum" },
    { title = "Answers that differ", metric = "ComparisonMismatch", stat = "Sum" },
  ]

  widgets = concat(
    [{
      type   = "alarm"
      x      = 0
      y      = 0
      width  = 24
      height = 3
      properties = {
        title  = "Rules that send traffic back"
        alarms = concat([for key in sort(keys(local.alarms)) : aws_cloudwatch_metric_alarm.this[key].arn], [aws_cloudwatch_composite_alarm.unhealthy.arn])
      }
    }],
    [for index, chart in local.charts : {
      type   = "metric"
      x      = (index % 2) * 12
      y      = 3 + floor(index / 2) * 6
      width  = 12
      height = 6
      properties = {
        title  = chart.title
        view   = "timeSeries"
        region = local.region
        stat   = chart.stat
        period = 60
        metrics = [for backend in ["timestream", "influxdb"] :
          [var.metric_namespace, chart.metric, "Backend", backend, { label = backend }]
        ]
      }
    }]
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "${var.name}-traffic"
  dashboard_body = jsonencode({ widgets = local.widgets })
}
