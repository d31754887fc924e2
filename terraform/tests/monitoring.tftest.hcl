# What monitoring plans: an alarm for each limit of the guide and of the runbooks, who is told, what it may cost.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                = "stack"
  instance_name       = "energy-db"
  notification_emails = ["operations@example.org"]
  budget_tag          = { key = "cutover:stack", value = "stack" }
  kms_key_arn         = "arn:aws:kms:us-east-1:111122223333:key/k"
  tags                = { team = "energy" }
}

run "alarms_on_cpu" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  assert {
    condition = { for k, a in { for k, a in aws_cloudwatch_metric_alarm.instance : k => a if startswith(k, "influxdb-cpu-") } : k => [a.metric_name, a.statistic, a.comparison_operator, a.threshold, a.period, a.evaluation_periods, a.datapoints_to_alarm, a.treat_missing_data] } == {
      influxdb-cpu-critical = ["CPUUtilization", "Average", "GreaterThanThreshold", 90, 300, 1, 1, "missing"]
      influxdb-cpu-warning  = ["CPUUtilization", "Average", "GreaterThanThreshold", 70, 300, 3, 3, "missing"]
    }
    error_message = "the alarms on cpu must have the limits of the guide and of the runbooks"
  }
}

run "alarms_on_memory" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  assert {
    condition = { for k, a in { for k, a in aws_cloudwatch_metric_alarm.instance : k => a if startswith(k, "influxdb-memory-") } : k => [a.metric_name, a.statistic, a.comparison_operator, a.threshold, a.period, a.evaluation_periods, a.datapoints_to_alarm, a.treat_missing_data] } == {
      influxdb-memory-critical = ["MemoryUtilization", "Average", "GreaterThanThreshold", 90, 300, 1, 1, "missing"]
      influxdb-memory-high     = ["MemoryUtilization", "Average", "GreaterThanThreshold", 80, 300, 3, 3, "missing"]
      influxdb-memory-warning  = ["MemoryUtilization", "Average", "GreaterThanThreshold", 70, 300, 3, 3, "missing"]
    }
    error_message = "the alarms on memory must have the limits of the guide and of the runbooks"
  }
}

run "alarms_on_disk" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  assert {
    condition = { for k, a in { for k, a in aws_cloudwatch_metric_alarm.instance : k => a if startswith(k, "influxdb-disk-") } : k => [a.metric_name, a.statistic, a.comparison_operator, a.threshold, a.period, a.evaluation_periods, a.datapoints_to_alarm, a.treat_missing_data] } == {
      influxdb-disk-critical = ["DiskUtilization", "Maximum", "GreaterThanThreshold", 85, 300, 1, 1, "missing"]
      influxdb-disk-warning  = ["DiskUtilization", "Maximum", "GreaterThanThreshold", 70, 300, 1, 1, "missing"]
    }
    error_message = "the alarms on disk must have the limits of the guide and of the runbooks"
  }
}

run "alarms_on_iops" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  assert {
    condition = { for k, a in { for k, a in aws_cloudwatch_metric_alarm.instance : k => a if startswith(k, "influxdb-iops-") } : k => [a.metric_name, a.statistic, a.comparison_operator, a.threshold, a.period, a.evaluation_periods, a.datapoints_to_alarm, a.treat_missing_data] } == {
      influxdb-iops-critical = ["TotalIOpsPerSec", "Average", "GreaterThanThreshold", 2700, 300, 2, 2, "missing"]
      influxdb-iops-warning  = ["TotalIOpsPerSec", "Average", "GreaterThanThreshold", 2100, 300, 3, 3, "missing"]
    }
    error_message = "the alarms on iops must have the limits of the guide and of the runbooks"
  }
}

run "alarms_on_the_life_of_the_engine" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  assert {
    condition = { for k, a in { for k, a in aws_cloudwatch_metric_alarm.instance : k => a if contains(["influxdb-gone", "influxdb-restarted", "influxdb-write-timeouts"], k) } : k => [a.metric_name, a.statistic, a.comparison_operator, a.threshold, a.period, a.evaluation_periods, a.datapoints_to_alarm, a.treat_missing_data] } == {
      influxdb-restarted      = ["EngineUptime", "Minimum", "LessThanThreshold", 300, 60, 1, 1, "notBreaching"]
      influxdb-gone           = ["EngineUptime", "SampleCount", "LessThanThreshold", 1, 300, 2, 2, "breaching"]
      influxdb-write-timeouts = ["WriteTimeouts", "Average", "GreaterThanThreshold", 1, 300, 1, 1, "notBreaching"]
    }
    error_message = "a restart, an instance that is gone and timeouts must fire"
  }
}

run "alarms_on_the_instance_look_where_aws_publishes" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.instance) == ["influxdb-cpu-critical", "influxdb-cpu-warning", "influxdb-disk-critical", "influxdb-disk-warning", "influxdb-gone", "influxdb-iops-critical", "influxdb-iops-warning", "influxdb-memory-critical", "influxdb-memory-high", "influxdb-memory-warning", "influxdb-restarted", "influxdb-write-timeouts"]
    error_message = "each alarm on the instance must be planned"
  }

  assert {
    condition     = alltrue([for a in values(aws_cloudwatch_metric_alarm.instance) : a.namespace == "AWS/Timestream/InfluxDB" && a.dimensions == tomap({ DbInstanceName = "energy-db" })])
    error_message = "each alarm must look into the namespace and the dimension that AWS publishes under"
  }

  assert {
    condition     = alltrue([for a in values(aws_cloudwatch_metric_alarm.instance) : a.actions_enabled != false && a.extended_statistic == null && length(a.metric_query) == 0])
    error_message = "each alarm must act"
  }

  assert {
    condition     = alltrue([for k, a in aws_cloudwatch_metric_alarm.instance : a.alarm_name == "stack-${k}" && a.alarm_actions == toset([aws_sns_topic.this.arn]) && a.ok_actions == toset([aws_sns_topic.this.arn]) && a.tags["team"] == "energy"])
    error_message = "each alarm must have its name, carry the tags and notify when it fires and when it ends"
  }
}

run "iops_of_t2" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    storage_type = "InfluxIOIncludedT2"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.instance["influxdb-iops-critical"].threshold == 10800 && aws_cloudwatch_metric_alarm.instance["influxdb-iops-warning"].threshold == 8400
    error_message = "the alarms must measure against the IOPS of the storage"
  }
}

run "iops_of_t3" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    storage_type = "InfluxIOIncludedT3"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.instance["influxdb-iops-critical"].threshold == 14400 && aws_cloudwatch_metric_alarm.instance["influxdb-iops-warning"].threshold == 11200
    error_message = "the alarms must measure against the IOPS of the storage"
  }
}

run "alarms_on_series" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    buckets = ["consumption_data", "generation_data"]
  }

  assert {
    condition     = { for k, a in aws_cloudwatch_metric_alarm.cardinality : k => [a.dimensions["Bucket"], a.threshold] } == { "influxdb-series-critical-consumption_data" = ["consumption_data", 10000000], "influxdb-series-warning-consumption_data" = ["consumption_data", 5000000], "influxdb-series-critical-generation_data" = ["generation_data", 10000000], "influxdb-series-warning-generation_data" = ["generation_data", 5000000] }
    error_message = "each bucket must have a warning at 5 and an alarm at 10 million series"
  }

  assert {
    condition     = alltrue([for a in values(aws_cloudwatch_metric_alarm.cardinality) : a.namespace == "AWS/Timestream/InfluxDB" && a.metric_name == "SeriesCardinality" && a.statistic == "Maximum" && a.comparison_operator == "GreaterThanThreshold" && a.period == 300 && a.evaluation_periods == 1 && a.datapoints_to_alarm == 1 && a.treat_missing_data == "missing" && a.dimensions["DbInstanceName"] == "energy-db" && length(a.dimensions) == 2])
    error_message = "the alarms on series must look at the bucket of the instance"
  }

  assert {
    condition     = alltrue([for k, a in aws_cloudwatch_metric_alarm.cardinality : a.alarm_name == "stack-${k}" && a.alarm_actions == toset([aws_sns_topic.this.arn]) && a.ok_actions == toset([aws_sns_topic.this.arn]) && a.tags["team"] == "energy"])
    error_message = "each alarm must have its name, carry the tags and notify when it fires and when it ends"
  }
}

run "alarm_on_queries_that_fail" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.query_errors.alarm_name == "stack-influxdb-query-errors" && aws_cloudwatch_metric_alarm.query_errors.comparison_operator == "GreaterThanThreshold" && aws_cloudwatch_metric_alarm.query_errors.threshold == 1 && aws_cloudwatch_metric_alarm.query_errors.evaluation_periods == 1 && aws_cloudwatch_metric_alarm.query_errors.datapoints_to_alarm == 1 && aws_cloudwatch_metric_alarm.query_errors.treat_missing_data == "notBreaching"
    error_message = "more than 1 % of the queries must fire"
  }

  assert {
    condition     = [for q in aws_cloudwatch_metric_alarm.query_errors.metric_query : [q.id, q.expression] if q.return_data == true] == [["share", "IF(FILL(success, 0) + FILL(runtime_error, 0) + FILL(compile_error, 0) + FILL(queue_error, 0) > 0, 100 * FILL(runtime_error, 0) / (FILL(success, 0) + FILL(runtime_error, 0) + FILL(compile_error, 0) + FILL(queue_error, 0)), 0)"]]
    error_message = "the share must be that of runtime errors in all queries"
  }

  assert {
    condition     = { for q in aws_cloudwatch_metric_alarm.query_errors.metric_query : q.id => [q.metric[0].namespace, q.metric[0].metric_name, q.metric[0].stat, q.metric[0].period, q.metric[0].dimensions["DbInstanceName"], q.metric[0].dimensions["Result"], q.return_data] if length(q.metric) > 0 } == { for r in ["success", "runtime_error", "compile_error", "queue_error"] : r => ["AWS/Timestream/InfluxDB", "QueryRequestsTotal", "Sum", 300, "energy-db", r, false] }
    error_message = "all results of queries must be counted"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.query_errors.alarm_actions == toset([aws_sns_topic.this.arn]) && aws_cloudwatch_metric_alarm.query_errors.ok_actions == toset([aws_sns_topic.this.arn]) && aws_cloudwatch_metric_alarm.query_errors.tags["team"] == "energy" && aws_cloudwatch_metric_alarm.query_errors.metric_name == null && aws_cloudwatch_metric_alarm.query_errors.namespace == null
    error_message = "the alarm must notify"
  }
}

run "alarms_of_the_runbooks" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  assert {
    condition = { for k, a in aws_cloudwatch_metric_alarm.application : k => [a.metric_name, a.statistic, a.comparison_operator, a.threshold, a.period, a.evaluation_periods, a.datapoints_to_alarm, a.treat_missing_data] } == {
      influxdb-response-time     = ["Latency", "Average", "GreaterThanThreshold", 5000, 300, 2, 2, "notBreaching"]
      influxdb-connection-errors = ["ConnectionFailures", "Sum", "GreaterThanThreshold", 5, 300, 1, 1, "notBreaching"]
      influxdb-too-few-points    = ["PointsWritten", "Sum", "LessThanThreshold", 1000, 900, 2, 2, "breaching"]
    }
    error_message = "response time, connections and points must have the limits of the runbooks"
  }

  assert {
    condition     = alltrue([for a in values(aws_cloudwatch_metric_alarm.application) : a.namespace == "ONS/TrafficSwitching" && a.dimensions == tomap({ Backend = "influxdb" })])
    error_message = "AWS publishes none of these: the application's own metrics must be looked at"
  }

  assert {
    condition     = { for k, a in aws_cloudwatch_metric_alarm.application : k => a.actions_enabled } == { influxdb-response-time = true, influxdb-connection-errors = true, influxdb-too-few-points = false }
    error_message = "too few points must not notify before InfluxDB is written to"
  }

  assert {
    condition     = alltrue([for k, a in aws_cloudwatch_metric_alarm.application : a.alarm_name == "stack-${k}" && a.alarm_actions == toset([aws_sns_topic.this.arn]) && a.ok_actions == toset([aws_sns_topic.this.arn]) && a.tags["team"] == "energy"])
    error_message = "each alarm must have its name, carry the tags and notify when it fires and when it ends"
  }
}

run "too_few_points_notify_once_writes_are_expected" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    expect_writes = true
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.application["influxdb-too-few-points"].actions_enabled && aws_cloudwatch_metric_alarm.application["influxdb-too-few-points"].treat_missing_data == "breaching"
    error_message = "nothing written must notify"
  }
}

run "namespaces_reach_every_alarm" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    influxdb_namespace = "AWS/Other"
    metric_namespace   = "Own/Metrics"
  }

  assert {
    condition     = alltrue([for a in concat(values(aws_cloudwatch_metric_alarm.instance), values(aws_cloudwatch_metric_alarm.cardinality)) : a.namespace == "AWS/Other"]) && alltrue([for q in aws_cloudwatch_metric_alarm.query_errors.metric_query : q.metric[0].namespace == "AWS/Other" if length(q.metric) > 0]) && output.influxdb_namespace == "AWS/Other"
    error_message = "every alarm on the instance must follow the namespace"
  }

  assert {
    condition     = alltrue([for a in values(aws_cloudwatch_metric_alarm.application) : a.namespace == "Own/Metrics"])
    error_message = "every alarm on the application must follow the namespace"
  }

  assert {
    condition     = strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "AWS/Other") && strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "Own/Metrics") && !strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "AWS/Timestream/InfluxDB") && !strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "ONS/TrafficSwitching")
    error_message = "the dashboard must follow the namespaces"
  }
}

run "notifications" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  assert {
    condition     = aws_sns_topic.this.name == "stack-notifications" && aws_sns_topic.this.kms_master_key_id == "arn:aws:kms:us-east-1:111122223333:key/k" && aws_sns_topic.this.tags["team"] == "energy"
    error_message = "the topic must be encrypted with the key"
  }

  assert {
    condition     = { for k, s in aws_sns_topic_subscription.email : k => [s.protocol, s.endpoint, s.topic_arn] } == { "operations@example.org" = ["email", "operations@example.org", aws_sns_topic.this.arn] }
    error_message = "the addresses must be subscribed"
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.topic.statement : coalesce(s.sid, "-") => [
      coalesce(s.effect, "Allow"),
      sort(s.actions),
      sort(coalesce(s.resources, [])),
      [for p in s.principals : "${p.type} ${join(" ", sort(p.identifiers))}"],
      sort([for c in s.condition : "${c.test} ${c.variable} ${join(" ", c.values)}"]),
      ] } == {
      OwnServices = [
        "Allow",
        sort(["sns:Publish"]),
        sort([aws_sns_topic.this.arn]),
        ["Service budgets.amazonaws.com cloudwatch.amazonaws.com"],
        sort(["StringEquals aws:SourceAccount 111122223333"]),
      ]
      FailedRuns = [
        "Allow",
        sort(["sns:Publish"]),
        sort([aws_sns_topic.this.arn]),
        ["Service events.amazonaws.com"],
        sort(["ArnLike aws:SourceArn arn:aws:events:us-east-1:111122223333:rule/stack-*"]),
      ]
      TlsOnly = [
        "Deny",
        sort(["sns:Publish"]),
        sort([aws_sns_topic.this.arn]),
        ["* *"],
        sort(["Bool aws:SecureTransport false"]),
      ]
    }
    error_message = "only this account's alarms, budgets and rules may publish"
  }
}

run "budget" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    monthly_budget_usd = 750
  }

  assert {
    condition     = aws_budgets_budget.this[0].name == "stack-monthly" && aws_budgets_budget.this[0].budget_type == "COST" && aws_budgets_budget.this[0].limit_amount == "750" && aws_budgets_budget.this[0].limit_unit == "USD" && aws_budgets_budget.this[0].time_unit == "MONTHLY" && aws_budgets_budget.this[0].tags["team"] == "energy"
    error_message = "the budget must be of the stack's costs a month, in dollars"
  }

  assert {
    condition     = [for f in aws_budgets_budget.this[0].cost_filter : "${f.name} ${join(" ", f.values)}"] == ["TagKeyValue user:cutover:stack$stack"]
    error_message = "the budget must count what carries the tag of the stack, and nothing else"
  }

  assert {
    condition     = { for n in aws_budgets_budget.this[0].notification : n.notification_type => [n.threshold, n.threshold_type, n.comparison_operator, tolist(n.subscriber_sns_topic_arns)] } == { ACTUAL = [80, "PERCENTAGE", "GREATER_THAN", tolist([aws_sns_topic.this.arn])], FORECASTED = [100, "PERCENTAGE", "GREATER_THAN", tolist([aws_sns_topic.this.arn])] }
    error_message = "the budget must notify at 80 % spent and when the forecast exceeds it"
  }
}

run "dashboard" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  assert {
    condition     = aws_cloudwatch_dashboard.this.dashboard_name == "stack-operations"
    error_message = "the dashboard must have its name"
  }

  assert {
    condition     = toset(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[0].properties.alarms) == toset(concat(values(aws_cloudwatch_metric_alarm.instance)[*].arn, values(aws_cloudwatch_metric_alarm.cardinality)[*].arn, [aws_cloudwatch_metric_alarm.query_errors.arn], values(aws_cloudwatch_metric_alarm.application)[*].arn))
    error_message = "the dashboard must show all alarms"
  }

  assert {
    condition     = [for w in slice(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets, 1, length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets)) : [for m in w.properties.metrics : m[1]]] == [["CPUUtilization", "MemoryUtilization", "DiskUtilization"], ["TotalIOpsPerSec", "ReadOpsPerSec", "WriteOpsPerSec"], ["QueryRequestsTotal", "QueryRequestsTotal", "QueryRequestsTotal", "QueryRequestsTotal"], ["SeriesCardinality", "SeriesCardinality", "SeriesCardinality"], ["HeapMemoryUsage", "ActiveMemoryAllocation"], ["EngineUptime", "WriteTimeouts", "TaskExecutionFailures"], ["Latency"], ["PointsWritten"]]
    error_message = "the dashboard must show metrics that are published"
  }

  assert {
    condition     = alltrue(flatten([for w in slice(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets, 1, 7) : [for m in w.properties.metrics : m[0] == "AWS/Timestream/InfluxDB" && m[2] == "DbInstanceName" && m[3] == "energy-db"]])) && alltrue(flatten([for w in slice(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets, 7, 9) : [for m in w.properties.metrics : m[0] == "ONS/TrafficSwitching" && m[2] == "Backend" && m[3] == "influxdb"]]))
    error_message = "each chart must look at the instance or at its backend"
  }

  assert {
    condition     = [for w in slice(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets, 1, length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets)) : w.properties.stat] == ["Average", "Average", "Sum", "Maximum", "Average", "Maximum", "p95", "Sum"] && alltrue([for w in slice(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets, 1, length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets)) : w.properties.region == "us-east-1" && w.properties.period == 300])
    error_message = "each chart must have its statistic, region and period"
  }

  assert {
    condition     = length(distinct([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [w.x, w.y]])) == length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) && alltrue([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : w.x + w.width <= 24])
    error_message = "no chart may lie on another"
  }
}

run "outputs" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  assert {
    condition     = output.topic_arn == aws_sns_topic.this.arn && output.dashboard_name == "stack-operations" && output.budget_name == "stack-monthly" && output.influxdb_namespace == "AWS/Timestream/InfluxDB"
    error_message = "topic, dashboard, budget and namespace must be told"
  }

  assert {
    condition     = output.alarm_names == sort(concat(values(aws_cloudwatch_metric_alarm.instance)[*].alarm_name, values(aws_cloudwatch_metric_alarm.cardinality)[*].alarm_name, [aws_cloudwatch_metric_alarm.query_errors.alarm_name], values(aws_cloudwatch_metric_alarm.application)[*].alarm_name)) && length(output.alarm_names) == 22
    error_message = "all alarms must be told"
  }
}

run "no_budget" {
  command = plan

  module {
    source = "./modules/monitoring"
  }

  variables {
    monthly_budget_usd = null
  }

  assert {
    condition     = length(aws_budgets_budget.this) == 0 && output.budget_name == null
    error_message = "no budget may be planned when it is not asked for"
  }
}
