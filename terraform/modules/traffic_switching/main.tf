# The flags that say where traffic goes, and the alarms that send it back.
#
# Terraform makes what stays: the application, its environments, the profile, the strategies and a first
# version of the flags. Deployments are made by whoever moves traffic, else both would fight over the share of traffic.

data "aws_region" "current" {}

resource "aws_appconfig_application" "this" {
  name        = "${var.name}-traffic"
  description = "Where reads and writes of ${var.name} go during the migration to InfluxDB"

  tags = var.tags
}

resource "aws_appconfig_environment" "this" {
  for_each = var.environments

  application_id = aws_appconfig_application.this.id
  name           = each.key
  description    = "Watched by the alarms of ${var.name} while a version of the flags is deployed and bakes"

  # AppConfig takes at most five.
  dynamic "monitor" {
    for_each = aws_cloudwatch_metric_alarm.this

    content {
      alarm_arn      = monitor.value.arn
      alarm_role_arn = aws_iam_role.monitor.arn
    }
  }

  tags = var.tags
}

resource "aws_appconfig_configuration_profile" "flags" {
  application_id     = aws_appconfig_application.this.id
  name               = "traffic-flags"
  description        = "Ingestion, queries and the share of traffic that InfluxDB serves"
  location_uri       = "hosted"
  type               = "AWS.AppConfig.FeatureFlags"
  kms_key_identifier = var.kms_key_arn

  tags = var.tags
}

locals {
  percentage_flag = "influxdb_traffic_percentage"
  switches = {
    use_influxdb_for_data_ingestion     = false
    use_influxdb_for_api_queries        = false
    enable_query_performance_monitoring = true
  }

  # AppConfig's own format: a disabled flag has no attributes for its readers, so the percentage is always
  # enabled.
  flags = {
    version = "1"
    flags = merge(
      { for name in keys(local.switches) : name => { name = name } },
      {
        (local.percentage_flag) = {
          name = local.percentage_flag
          attributes = {
            percentage = { constraints = { type = "number", minimum = 0, maximum = 100, required = true } }
          }
        }
      }
    )
    values = merge(
      { for name, enabled in local.switches : name => { enabled = enabled } },
      { (local.percentage_flag) = { enabled = true, percentage = 0 } }
    )
  }
}

resource "aws_appconfig_hosted_configuration_version" "initial" {
  count = var.create_initial_flags ? 1 : 0

  application_id           = aws_appconfig_application.this.id
  configuration_profile_id = aws_appconfig_configuration_profile.flags.configuration_profile_id
  description              = "All traffic on Timestream"
  content_type             = "application/json"
  content                  = jsonencode(local.flags)

  lifecycle {
    # Later versions are not Terraform's; another text here must not put traffic back to its beginning.
    ignore_changes = [content]
  }
}

resource "aws_appconfig_deployment_strategy" "this" {
  for_each = var.strategies

  name                           = "${var.name}-${each.key}"
  description                    = "Over ${each.value.duration_minutes} minutes, then ${each.value.bake_minutes} minutes under the alarms"
  deployment_duration_in_minutes = each.value.duration_minutes
  growth_factor                  = each.value.growth_percent
  growth_type                    = each.value.growth_type
  final_bake_time_in_minutes     = each.value.bake_minutes
  replicate_to                   = "NONE"

  tags = var.tags
}

data "aws_iam_policy_document" "monitor_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["appconfig.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "monitor" {
  # checkov:skip=CKV_AWS_356: AppConfig describes alarms without naming one, as its own guide has it.
  statement {
    sid       = "SeeAlarms"
    actions   = ["cloudwatch:DescribeAlarms"]
    resources = ["*"]
  }
}

resource "aws_iam_role" "monitor" {
  name               = "${var.name}-appconfig-monitor"
  description        = "Lets AppConfig see the alarms that take a version of the flags back"
  assume_role_policy = data.aws_iam_policy_document.monitor_trust.json

  tags = var.tags
}

resource "aws_iam_role_policy" "monitor" {
  name   = "see-alarms"
  role   = aws_iam_role.monitor.id
  policy = data.aws_iam_policy_document.monitor.json
}
