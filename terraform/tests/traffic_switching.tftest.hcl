# What traffic switching plans: the flags, the five alarms with their wiring, and the dashboard.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                    = "stack"
  kms_key_arn             = "arn:aws:kms:us-east-1:111122223333:key/k"
  notification_topic_arns = ["arn:aws:sns:us-east-1:111122223333:stack-notifications"]
  tags                    = { team = "energy" }
}

run "appconfig" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  assert {
    condition     = aws_appconfig_application.this.name == "stack-traffic" && aws_appconfig_application.this.tags["team"] == "energy"
    error_message = "the application must have its name"
  }

  assert {
    condition     = keys(aws_appconfig_environment.this) == ["staging"] && aws_appconfig_environment.this["staging"].name == "staging" && aws_appconfig_environment.this["staging"].application_id == aws_appconfig_application.this.id
    error_message = "the environment must be in the application"
  }

  assert {
    condition     = aws_appconfig_configuration_profile.flags.application_id == aws_appconfig_application.this.id && aws_appconfig_configuration_profile.flags.type == "AWS.AppConfig.FeatureFlags" && aws_appconfig_configuration_profile.flags.location_uri == "hosted" && aws_appconfig_configuration_profile.flags.name == "traffic-flags"
    error_message = "the profile must be one of feature flags that AppConfig hosts"
  }

  assert {
    condition     = aws_appconfig_configuration_profile.flags.kms_key_identifier == "arn:aws:kms:us-east-1:111122223333:key/k"
    error_message = "the flags must be encrypted with the key"
  }
}

run "environments_as_they_are_told" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    environments = ["staging", "production"]
  }

  assert {
    condition     = { for n, e in aws_appconfig_environment.this : n => length(e.monitor) } == { production = 5, staging = 5 }
    error_message = "each environment must have all five monitors"
  }

  assert {
    condition     = keys(output.environment_ids) == ["production", "staging"]
    error_message = "each environment must be told"
  }
}

run "first_version_of_the_flags" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  assert {
    condition = jsondecode(aws_appconfig_hosted_configuration_version.initial[0].content) == {
      version = "1"
      flags = {
        use_influxdb_for_data_ingestion     = { name = "use_influxdb_for_data_ingestion" }
        use_influxdb_for_api_queries        = { name = "use_influxdb_for_api_queries" }
        enable_query_performance_monitoring = { name = "enable_query_performance_monitoring" }
        influxdb_traffic_percentage = {
          name       = "influxdb_traffic_percentage"
          attributes = { percentage = { constraints = { type = "number", minimum = 0, maximum = 100, required = true } } }
        }
      }
      values = {
        use_influxdb_for_data_ingestion     = { enabled = false }
        use_influxdb_for_api_queries        = { enabled = false }
        enable_query_performance_monitoring = { enabled = true }
        influxdb_traffic_percentage         = { enabled = true, percentage = 0 }
      }
    }
    error_message = "the first version must be a valid document of feature flags with all traffic on Timestream"
  }

  assert {
    condition     = aws_appconfig_hosted_configuration_version.initial[0].content_type == "application/json" && aws_appconfig_hosted_configuration_version.initial[0].application_id == aws_appconfig_application.this.id && aws_appconfig_hosted_configuration_version.initial[0].configuration_profile_id == aws_appconfig_configuration_profile.flags.configuration_profile_id
    error_message = "the first version must be in the profile"
  }
}

run "no_first_version" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    create_initial_flags = false
  }

  assert {
    condition     = length(aws_appconfig_hosted_configuration_version.initial) == 0 && output.initial_version == null
    error_message = "no version may be planned when it is not asked for"
  }
}

run "strategies" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  assert {
    condition     = { for n, s in aws_appconfig_deployment_strategy.this : n => [s.name, s.deployment_duration_in_minutes, s.growth_factor, s.growth_type, s.final_bake_time_in_minutes, s.replicate_to] } == { instant = ["stack-instant", 0, 100, "LINEAR", 10, "NONE"], canary = ["stack-canary", 20, 10, "EXPONENTIAL", 10, "NONE"], gradual = ["stack-gradual", 60, 20, "LINEAR", 30, "NONE"] }
    error_message = "the strategies must spread and bake as they are described"
  }

  assert {
    condition     = alltrue([for s in values(aws_appconfig_deployment_strategy.this) : s.tags["team"] == "energy"])
    error_message = "the strategies must carry the tags"
  }
}

run "alarm_influxdb_migration_error_rate" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-migration-error-rate"].alarm_name == "stack-influxdb-migration-error-rate"
    error_message = "the alarm must have its name"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-migration-error-rate"].comparison_operator == "GreaterThanThreshold" && aws_cloudwatch_metric_alarm.this["influxdb-migration-error-rate"].threshold == 5 && aws_cloudwatch_metric_alarm.this["influxdb-migration-error-rate"].evaluation_periods == 2 && aws_cloudwatch_metric_alarm.this["influxdb-migration-error-rate"].datapoints_to_alarm == 2
    error_message = "the alarm must have its limit and its count of periods"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-migration-error-rate"].treat_missing_data == "notBreaching" && aws_cloudwatch_metric_alarm.this["influxdb-migration-error-rate"].actions_enabled
    error_message = "no traffic must be no failure, and the alarm must act"
  }

  assert {
    condition     = { for q in aws_cloudwatch_metric_alarm.this["influxdb-migration-error-rate"].metric_query : q.id => [q.metric[0].namespace, q.metric[0].metric_name, q.metric[0].stat, q.metric[0].period, q.metric[0].dimensions["Backend"]] if length(q.metric) > 0 } == { influxdb_requests = ["ONS/TrafficSwitching", "RequestCount", "Sum", 60, "influxdb"], influxdb_errors = ["ONS/TrafficSwitching", "ErrorCount", "Sum", 60, "influxdb"] }
    error_message = "the alarm must look at the application's own metrics of the right backend"
  }

  assert {
    condition     = [for q in aws_cloudwatch_metric_alarm.this["influxdb-migration-error-rate"].metric_query : [q.id, q.expression] if q.return_data == true] == [["verdict", "IF(influxdb_requests > 0, 100 * FILL(influxdb_errors, 0) / influxdb_requests, 0)"]]
    error_message = "exactly one query must return data, and it must be the verdict"
  }

  assert {
    condition     = alltrue([for q in aws_cloudwatch_metric_alarm.this["influxdb-migration-error-rate"].metric_query : q.return_data != null && alltrue([for m in q.metric : length(m.dimensions) == 1])])
    error_message = "each query must say whether it returns data, and have the one dimension"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-migration-error-rate"].metric_name == null && aws_cloudwatch_metric_alarm.this["influxdb-migration-error-rate"].namespace == null && aws_cloudwatch_metric_alarm.this["influxdb-migration-error-rate"].period == null && aws_cloudwatch_metric_alarm.this["influxdb-migration-error-rate"].statistic == null
    error_message = "an alarm on queries must not name a metric itself"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-migration-error-rate"].alarm_actions == toset(["arn:aws:sns:us-east-1:111122223333:stack-notifications"]) && aws_cloudwatch_metric_alarm.this["influxdb-migration-error-rate"].ok_actions == toset(["arn:aws:sns:us-east-1:111122223333:stack-notifications"]) && aws_cloudwatch_metric_alarm.this["influxdb-migration-error-rate"].tags["team"] == "energy"
    error_message = "the alarm must notify when it fires and when it ends"
  }
}

run "alarm_influxdb_migration_latency" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-migration-latency"].alarm_name == "stack-influxdb-migration-latency"
    error_message = "the alarm must have its name"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-migration-latency"].comparison_operator == "GreaterThanThreshold" && aws_cloudwatch_metric_alarm.this["influxdb-migration-latency"].threshold == 10000 && aws_cloudwatch_metric_alarm.this["influxdb-migration-latency"].evaluation_periods == 2 && aws_cloudwatch_metric_alarm.this["influxdb-migration-latency"].datapoints_to_alarm == 2
    error_message = "the alarm must have its limit and its count of periods"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-migration-latency"].treat_missing_data == "notBreaching" && aws_cloudwatch_metric_alarm.this["influxdb-migration-latency"].actions_enabled
    error_message = "no traffic must be no failure, and the alarm must act"
  }

  assert {
    condition     = { for q in aws_cloudwatch_metric_alarm.this["influxdb-migration-latency"].metric_query : q.id => [q.metric[0].namespace, q.metric[0].metric_name, q.metric[0].stat, q.metric[0].period, q.metric[0].dimensions["Backend"]] if length(q.metric) > 0 } == { influxdb_latency = ["ONS/TrafficSwitching", "Latency", "p95", 60, "influxdb"] }
    error_message = "the alarm must look at the application's own metrics of the right backend"
  }

  assert {
    condition     = one([for q in aws_cloudwatch_metric_alarm.this["influxdb-migration-latency"].metric_query : q.id if q.return_data == true]) == "influxdb_latency" && alltrue([for q in aws_cloudwatch_metric_alarm.this["influxdb-migration-latency"].metric_query : q.expression == null])
    error_message = "exactly one query must return data, and it must be the verdict"
  }

  assert {
    condition     = alltrue([for q in aws_cloudwatch_metric_alarm.this["influxdb-migration-latency"].metric_query : q.return_data != null && alltrue([for m in q.metric : length(m.dimensions) == 1])])
    error_message = "each query must say whether it returns data, and have the one dimension"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-migration-latency"].metric_name == null && aws_cloudwatch_metric_alarm.this["influxdb-migration-latency"].namespace == null && aws_cloudwatch_metric_alarm.this["influxdb-migration-latency"].period == null && aws_cloudwatch_metric_alarm.this["influxdb-migration-latency"].statistic == null
    error_message = "an alarm on queries must not name a metric itself"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-migration-latency"].alarm_actions == toset(["arn:aws:sns:us-east-1:111122223333:stack-notifications"]) && aws_cloudwatch_metric_alarm.this["influxdb-migration-latency"].ok_actions == toset(["arn:aws:sns:us-east-1:111122223333:stack-notifications"]) && aws_cloudwatch_metric_alarm.this["influxdb-migration-latency"].tags["team"] == "energy"
    error_message = "the alarm must notify when it fires and when it ends"
  }
}

run "alarm_influxdb_connection_failures" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-connection-failures"].alarm_name == "stack-influxdb-connection-failures"
    error_message = "the alarm must have its name"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-connection-failures"].comparison_operator == "GreaterThanThreshold" && aws_cloudwatch_metric_alarm.this["influxdb-connection-failures"].threshold == 10 && aws_cloudwatch_metric_alarm.this["influxdb-connection-failures"].evaluation_periods == 1 && aws_cloudwatch_metric_alarm.this["influxdb-connection-failures"].datapoints_to_alarm == 1
    error_message = "the alarm must have its limit and its count of periods"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-connection-failures"].treat_missing_data == "notBreaching" && aws_cloudwatch_metric_alarm.this["influxdb-connection-failures"].actions_enabled
    error_message = "no traffic must be no failure, and the alarm must act"
  }

  assert {
    condition     = { for q in aws_cloudwatch_metric_alarm.this["influxdb-connection-failures"].metric_query : q.id => [q.metric[0].namespace, q.metric[0].metric_name, q.metric[0].stat, q.metric[0].period, q.metric[0].dimensions["Backend"]] if length(q.metric) > 0 } == { influxdb_connection_failures = ["ONS/TrafficSwitching", "ConnectionFailures", "Sum", 300, "influxdb"] }
    error_message = "the alarm must look at the application's own metrics of the right backend"
  }

  assert {
    condition     = one([for q in aws_cloudwatch_metric_alarm.this["influxdb-connection-failures"].metric_query : q.id if q.return_data == true]) == "influxdb_connection_failures" && alltrue([for q in aws_cloudwatch_metric_alarm.this["influxdb-connection-failures"].metric_query : q.expression == null])
    error_message = "exactly one query must return data, and it must be the verdict"
  }

  assert {
    condition     = alltrue([for q in aws_cloudwatch_metric_alarm.this["influxdb-connection-failures"].metric_query : q.return_data != null && alltrue([for m in q.metric : length(m.dimensions) == 1])])
    error_message = "each query must say whether it returns data, and have the one dimension"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-connection-failures"].metric_name == null && aws_cloudwatch_metric_alarm.this["influxdb-connection-failures"].namespace == null && aws_cloudwatch_metric_alarm.this["influxdb-connection-failures"].period == null && aws_cloudwatch_metric_alarm.this["influxdb-connection-failures"].statistic == null
    error_message = "an alarm on queries must not name a metric itself"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-connection-failures"].alarm_actions == toset(["arn:aws:sns:us-east-1:111122223333:stack-notifications"]) && aws_cloudwatch_metric_alarm.this["influxdb-connection-failures"].ok_actions == toset(["arn:aws:sns:us-east-1:111122223333:stack-notifications"]) && aws_cloudwatch_metric_alarm.this["influxdb-connection-failures"].tags["team"] == "energy"
    error_message = "the alarm must notify when it fires and when it ends"
  }
}

run "alarm_traffic_switch_success_rate" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["traffic-switch-success-rate"].alarm_name == "stack-traffic-switch-success-rate"
    error_message = "the alarm must have its name"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["traffic-switch-success-rate"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.this["traffic-switch-success-rate"].threshold == 95 && aws_cloudwatch_metric_alarm.this["traffic-switch-success-rate"].evaluation_periods == 3 && aws_cloudwatch_metric_alarm.this["traffic-switch-success-rate"].datapoints_to_alarm == 3
    error_message = "the alarm must have its limit and its count of periods"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["traffic-switch-success-rate"].treat_missing_data == "notBreaching" && aws_cloudwatch_metric_alarm.this["traffic-switch-success-rate"].actions_enabled
    error_message = "no traffic must be no failure, and the alarm must act"
  }

  assert {
    condition     = { for q in aws_cloudwatch_metric_alarm.this["traffic-switch-success-rate"].metric_query : q.id => [q.metric[0].namespace, q.metric[0].metric_name, q.metric[0].stat, q.metric[0].period, q.metric[0].dimensions["Backend"]] if length(q.metric) > 0 } == { influxdb_requests = ["ONS/TrafficSwitching", "RequestCount", "Sum", 60, "influxdb"], influxdb_errors = ["ONS/TrafficSwitching", "ErrorCount", "Sum", 60, "influxdb"], timestream_requests = ["ONS/TrafficSwitching", "RequestCount", "Sum", 60, "timestream"], timestream_errors = ["ONS/TrafficSwitching", "ErrorCount", "Sum", 60, "timestream"] }
    error_message = "the alarm must look at the application's own metrics of the right backend"
  }

  assert {
    condition     = [for q in aws_cloudwatch_metric_alarm.this["traffic-switch-success-rate"].metric_query : [q.id, q.expression] if q.return_data == true] == [["verdict", "IF(FILL(influxdb_requests, 0) + FILL(timestream_requests, 0) > 0, 100 - 100 * (FILL(influxdb_errors, 0) + FILL(timestream_errors, 0)) / (FILL(influxdb_requests, 0) + FILL(timestream_requests, 0)), 100)"]]
    error_message = "exactly one query must return data, and it must be the verdict"
  }

  assert {
    condition     = alltrue([for q in aws_cloudwatch_metric_alarm.this["traffic-switch-success-rate"].metric_query : q.return_data != null && alltrue([for m in q.metric : length(m.dimensions) == 1])])
    error_message = "each query must say whether it returns data, and have the one dimension"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["traffic-switch-success-rate"].metric_name == null && aws_cloudwatch_metric_alarm.this["traffic-switch-success-rate"].namespace == null && aws_cloudwatch_metric_alarm.this["traffic-switch-success-rate"].period == null && aws_cloudwatch_metric_alarm.this["traffic-switch-success-rate"].statistic == null
    error_message = "an alarm on queries must not name a metric itself"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["traffic-switch-success-rate"].alarm_actions == toset(["arn:aws:sns:us-east-1:111122223333:stack-notifications"]) && aws_cloudwatch_metric_alarm.this["traffic-switch-success-rate"].ok_actions == toset(["arn:aws:sns:us-east-1:111122223333:stack-notifications"]) && aws_cloudwatch_metric_alarm.this["traffic-switch-success-rate"].tags["team"] == "energy"
    error_message = "the alarm must notify when it fires and when it ends"
  }
}

run "alarm_influxdb_latency_comparison" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-latency-comparison"].alarm_name == "stack-influxdb-latency-comparison"
    error_message = "the alarm must have its name"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-latency-comparison"].comparison_operator == "GreaterThanThreshold" && aws_cloudwatch_metric_alarm.this["influxdb-latency-comparison"].threshold == 10000 && aws_cloudwatch_metric_alarm.this["influxdb-latency-comparison"].evaluation_periods == 3 && aws_cloudwatch_metric_alarm.this["influxdb-latency-comparison"].datapoints_to_alarm == 3
    error_message = "the alarm must have its limit and its count of periods"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-latency-comparison"].treat_missing_data == "notBreaching" && aws_cloudwatch_metric_alarm.this["influxdb-latency-comparison"].actions_enabled
    error_message = "no traffic must be no failure, and the alarm must act"
  }

  assert {
    condition     = { for q in aws_cloudwatch_metric_alarm.this["influxdb-latency-comparison"].metric_query : q.id => [q.metric[0].namespace, q.metric[0].metric_name, q.metric[0].stat, q.metric[0].period, q.metric[0].dimensions["Backend"]] if length(q.metric) > 0 } == { influxdb_latency = ["ONS/TrafficSwitching", "Latency", "p95", 60, "influxdb"], timestream_latency = ["ONS/TrafficSwitching", "Latency", "p95", 60, "timestream"] }
    error_message = "the alarm must look at the application's own metrics of the right backend"
  }

  assert {
    condition     = [for q in aws_cloudwatch_metric_alarm.this["influxdb-latency-comparison"].metric_query : [q.id, q.expression] if q.return_data == true] == [["verdict", "influxdb_latency - timestream_latency"]]
    error_message = "exactly one query must return data, and it must be the verdict"
  }

  assert {
    condition     = alltrue([for q in aws_cloudwatch_metric_alarm.this["influxdb-latency-comparison"].metric_query : q.return_data != null && alltrue([for m in q.metric : length(m.dimensions) == 1])])
    error_message = "each query must say whether it returns data, and have the one dimension"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-latency-comparison"].metric_name == null && aws_cloudwatch_metric_alarm.this["influxdb-latency-comparison"].namespace == null && aws_cloudwatch_metric_alarm.this["influxdb-latency-comparison"].period == null && aws_cloudwatch_metric_alarm.this["influxdb-latency-comparison"].statistic == null
    error_message = "an alarm on queries must not name a metric itself"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["influxdb-latency-comparison"].alarm_actions == toset(["arn:aws:sns:us-east-1:111122223333:stack-notifications"]) && aws_cloudwatch_metric_alarm.this["influxdb-latency-comparison"].ok_actions == toset(["arn:aws:sns:us-east-1:111122223333:stack-notifications"]) && aws_cloudwatch_metric_alarm.this["influxdb-latency-comparison"].tags["team"] == "energy"
    error_message = "the alarm must notify when it fires and when it ends"
  }
}

run "five_alarms_and_no_other" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.this) == ["influxdb-connection-failures", "influxdb-latency-comparison", "influxdb-migration-error-rate", "influxdb-migration-latency", "traffic-switch-success-rate"]
    error_message = "the five named alarms must be planned"
  }
}

run "namespace_and_period_reach_every_alarm" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  variables {
    metric_namespace = "Own/Namespace"
    period_seconds   = 300
  }

  assert {
    condition     = alltrue(flatten([for a in values(aws_cloudwatch_metric_alarm.this) : [for q in a.metric_query : q.metric[0].namespace == "Own/Namespace" if length(q.metric) > 0]]))
    error_message = "every alarm must look into the namespace that it is told"
  }

  assert {
    condition     = { for k, a in aws_cloudwatch_metric_alarm.this : k => distinct([for q in a.metric_query : q.metric[0].period if length(q.metric) > 0]) } == { for k, a in aws_cloudwatch_metric_alarm.this : k => tolist([300]) }
    error_message = "every alarm must have the period that it is told"
  }

  assert {
    condition     = output.metric_namespace == "Own/Namespace" && strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "Own/Namespace") && !strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "ONS/TrafficSwitching")
    error_message = "the dashboard and the output must follow"
  }
}

run "monitors_are_wired" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  assert {
    condition     = toset(aws_appconfig_environment.this["staging"].monitor[*].alarm_arn) == toset(values(aws_cloudwatch_metric_alarm.this)[*].arn) && length(aws_appconfig_environment.this["staging"].monitor) == 5
    error_message = "each of the five alarms must be a monitor of the environment"
  }

  assert {
    condition     = alltrue([for m in aws_appconfig_environment.this["staging"].monitor : m.alarm_role_arn == aws_iam_role.monitor.arn])
    error_message = "each monitor must have the role that sees alarms"
  }
}

run "role_of_the_monitors" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.monitor.statement : coalesce(s.sid, "-") => [
      coalesce(s.effect, "Allow"),
      sort(s.actions),
      sort(coalesce(s.resources, [])),
      [for p in s.principals : "${p.type} ${join(" ", sort(p.identifiers))}"],
      sort([for c in s.condition : "${c.test} ${c.variable} ${join(" ", c.values)}"]),
      ] } == {
      SeeAlarms = [
        "Allow",
        sort(["cloudwatch:DescribeAlarms"]),
        sort(["*"]),
        [],
        sort([]),
      ]
    }
    error_message = "the role must see alarms, and do nothing else"
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.monitor_trust.statement : coalesce(s.sid, "-") => [
      coalesce(s.effect, "Allow"),
      sort(s.actions),
      sort(coalesce(s.resources, [])),
      [for p in s.principals : "${p.type} ${join(" ", sort(p.identifiers))}"],
      sort([for c in s.condition : "${c.test} ${c.variable} ${join(" ", c.values)}"]),
      ] } == {
      "-" = [
        "Allow",
        sort(["sts:AssumeRole"]),
        sort([]),
        ["Service appconfig.amazonaws.com"],
        sort([]),
      ]
    }
    error_message = "the role must trust AppConfig"
  }

  assert {
    condition     = aws_iam_role.monitor.name == "stack-appconfig-monitor" && aws_iam_role_policy.monitor.role == aws_iam_role.monitor.id && aws_iam_role.monitor.tags["team"] == "energy"
    error_message = "the policy must be on the role"
  }
}

run "composite" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  assert {
    condition     = aws_cloudwatch_composite_alarm.unhealthy.alarm_name == "stack-influxdb-unhealthy" && aws_cloudwatch_composite_alarm.unhealthy.actions_enabled && aws_cloudwatch_composite_alarm.unhealthy.alarm_actions == toset(["arn:aws:sns:us-east-1:111122223333:stack-notifications"]) && aws_cloudwatch_composite_alarm.unhealthy.tags["team"] == "energy"
    error_message = "the composite must have its name and notify"
  }

  assert {
    condition     = aws_cloudwatch_composite_alarm.unhealthy.alarm_rule == "ALARM(\"stack-influxdb-connection-failures\") OR ALARM(\"stack-influxdb-latency-comparison\") OR ALARM(\"stack-influxdb-migration-error-rate\") OR ALARM(\"stack-influxdb-migration-latency\") OR ALARM(\"stack-traffic-switch-success-rate\")"
    error_message = "the composite must fire when any of the five does"
  }
}

run "dashboard" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  assert {
    condition     = aws_cloudwatch_dashboard.this.dashboard_name == "stack-traffic"
    error_message = "the dashboard must have its name"
  }

  assert {
    condition     = toset(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[0].properties.alarms) == toset(concat(values(aws_cloudwatch_metric_alarm.this)[*].arn, [aws_cloudwatch_composite_alarm.unhealthy.arn]))
    error_message = "the dashboard must show all alarms"
  }

  assert {
    condition     = [for w in slice(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets, 1, length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets)) : [w.properties.metrics[0][1], w.properties.stat]] == [["RequestCount", "Sum"], ["ErrorCount", "Sum"], ["Latency", "p95"], ["Latency", "p50"], ["ConnectionFailures", "Sum"], ["ComparisonMismatch", "Sum"]]
    error_message = "the dashboard must show each metric of the application"
  }

  assert {
    condition     = alltrue([for w in slice(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets, 1, length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets)) : w.type == "metric" && w.properties.region == "us-east-1" && [for m in w.properties.metrics : [m[0], m[1], m[2], m[3]]] == [for b in ["timestream", "influxdb"] : ["ONS/TrafficSwitching", w.properties.metrics[0][1], "Backend", b]]])
    error_message = "each chart must show both backends"
  }

  assert {
    condition     = length(distinct([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [w.x, w.y]])) == length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) && alltrue([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : w.x + w.width <= 24])
    error_message = "no chart may lie on another"
  }
}

run "outputs" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  assert {
    condition     = output.application_id == aws_appconfig_application.this.id && output.environment_ids == { staging = aws_appconfig_environment.this["staging"].environment_id } && output.profile_id == aws_appconfig_configuration_profile.flags.configuration_profile_id && output.initial_version == aws_appconfig_hosted_configuration_version.initial[0].version_number
    error_message = "the ids that a deployment takes must be told"
  }

  assert {
    condition     = output.strategy_ids == { for n, s in aws_appconfig_deployment_strategy.this : n => s.id }
    error_message = "the strategies must be told"
  }

  assert {
    condition     = output.alarm_names == { influxdb-connection-failures = "stack-influxdb-connection-failures", influxdb-latency-comparison = "stack-influxdb-latency-comparison", influxdb-migration-error-rate = "stack-influxdb-migration-error-rate", influxdb-migration-latency = "stack-influxdb-migration-latency", traffic-switch-success-rate = "stack-traffic-switch-success-rate" } && output.alarm_arns == { for k, a in aws_cloudwatch_metric_alarm.this : k => a.arn } && output.composite_alarm_name == "stack-influxdb-unhealthy"
    error_message = "the alarms must be told"
  }

  assert {
    condition     = output.metric_namespace == "ONS/TrafficSwitching" && output.dashboard_name == "stack-traffic"
    error_message = "namespace and dashboard must be told"
  }
}

# Neither a plan nor a mocked AWS shows what follows, so it is held to the text.
run "what_no_plan_shows" {
  command = plan

  module {
    source = "./modules/traffic_switching"
  }

  assert {
    condition     = length(aws_appconfig_hosted_configuration_version.initial) == 1 && length(regexall("(?m)^    ignore_changes = \\[content\\]$", file("./modules/traffic_switching/main.tf"))) == 1
    error_message = "Terraform must not take back what cutover deployed"
  }
}
