# What a job may do, what Fargate may do to start it, and what the schedule may do to submit it.

data "aws_iam_policy_document" "task_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

# --- the job

data "aws_iam_policy_document" "job" {
  statement {
    sid       = "StoreResults"
    actions   = ["s3:PutObject", "s3:AbortMultipartUpload"]
    resources = ["${aws_s3_bucket.results.arn}/runs/*"]
  }

  # A run is compared with earlier ones.
  statement {
    sid       = "ReadResults"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.results.arn}/runs/*"]
  }

  statement {
    sid       = "ListResults"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.results.arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["runs/*"]
    }
  }

  statement {
    sid       = "UseKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = [for service in ["appconfig", "s3", "secretsmanager"] : "${service}.${local.region}.amazonaws.com"]
    }
  }

  statement {
    sid       = "FetchTokens"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = concat([var.token_secret_arns["reader"]], var.allow_writes ? [var.token_secret_arns["writer"]] : [])
  }

  statement {
    sid       = "SeeInstance"
    actions   = ["timestream-influxdb:GetDbInstance", "timestream-influxdb:ListTagsForResource"]
    resources = [var.instance_arn]
  }

  # None of these knows a resource.
  statement {
    sid       = "SeeMetricsAndAlarms"
    actions   = ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics"]
    resources = ["*"]
  }

  statement {
    sid       = "PublishMetrics"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = [var.metric_namespace]
    }
  }

  statement {
    sid = "ReadFlags"
    actions = [
      "appconfig:GetApplication",
      "appconfig:GetConfigurationProfile",
      "appconfig:GetDeployment",
      "appconfig:GetEnvironment",
      "appconfig:GetHostedConfigurationVersion",
      "appconfig:GetLatestConfiguration",
      "appconfig:ListDeployments",
      "appconfig:ListHostedConfigurationVersions",
      "appconfig:StartConfigurationSession",
    ]
    resources = [local.application_arn, "${local.application_arn}/*"]
  }

  dynamic "statement" {
    for_each = var.allow_writes ? ["ShiftTraffic"] : []

    content {
      sid     = statement.value
      actions = ["appconfig:CreateHostedConfigurationVersion", "appconfig:StartDeployment", "appconfig:StopDeployment"]
      resources = [
        local.application_arn,
        "${local.application_arn}/*",
        "arn:${local.partition}:appconfig:${local.region}:${local.account_id}:deploymentstrategy/*",
      ]
    }
  }

  dynamic "statement" {
    for_each = length(var.source_database_arns) > 0 ? ["ReadSource"] : []

    content {
      sid       = statement.value
      actions   = ["timestream:DescribeTable", "timestream:ListMeasures", "timestream:ListTables", "timestream:Select"]
      resources = flatten([for arn in var.source_database_arns : [arn, "${arn}/table/*"]])
    }
  }

  # These know no resource; SelectValues is a query that reads no table.
  dynamic "statement" {
    for_each = length(var.source_database_arns) > 0 ? ["FindSource"] : []

    content {
      sid       = statement.value
      actions   = ["timestream:DescribeAccountSettings", "timestream:DescribeEndpoints", "timestream:SelectValues"]
      resources = ["*"]
    }
  }

  # Whatever else is ever allowed to this role, it takes nothing down.
  statement {
    sid    = "NeverDestroy"
    effect = "Deny"
    actions = [
      "appconfig:Delete*",
      "kms:DisableKey",
      "kms:ScheduleKeyDeletion",
      "s3:DeleteBucket",
      "s3:DeleteBucketPolicy",
      "s3:DeleteObject",
      "s3:DeleteObjectVersion",
      "s3:PutBucketPolicy",
      "s3:PutLifecycleConfiguration",
      "secretsmanager:DeleteSecret",
      "timestream-influxdb:Delete*",
      "timestream-influxdb:RestoreFromDbBackup",
      "timestream-influxdb:UpdateDbInstance",
      "timestream:Delete*",
    ]
    resources = ["*"]
  }
}

locals {
  application_arn = "arn:${local.partition}:appconfig:${local.region}:${local.account_id}:application/${var.appconfig_application_id}"
}

resource "aws_iam_role" "job" {
  name               = "${var.name}-runner-job"
  description        = "What a run of the harness may do; it can take nothing down"
  assume_role_policy = data.aws_iam_policy_document.task_trust.json

  tags = var.tags
}

resource "aws_iam_role_policy" "job" {
  name   = "run"
  role   = aws_iam_role.job.id
  policy = data.aws_iam_policy_document.job.json
}

# --- starting it

data "aws_iam_policy_document" "execution" {
  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }

  dynamic "statement" {
    for_each = aws_ecr_repository.this

    content {
      sid       = "PullImage"
      actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      resources = [statement.value.arn]
    }
  }

  dynamic "statement" {
    for_each = aws_ecr_repository.this

    content {
      sid       = "LogInToRegistry"
      actions   = ["ecr:GetAuthorizationToken"]
      resources = ["*"]
    }
  }
}

resource "aws_iam_role" "execution" {
  name               = "${var.name}-runner-start"
  description        = "Lets Fargate pull the image and write the logs of a run"
  assume_role_policy = data.aws_iam_policy_document.task_trust.json

  tags = var.tags
}

resource "aws_iam_role_policy" "execution" {
  name   = "start"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.execution.json
}
