# The nightly run, and who hears of it when it fails.

data "aws_iam_policy_document" "schedule_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

data "aws_iam_policy_document" "schedule" {
  # The definition with any of its revisions.
  statement {
    sid     = "SubmitRun"
    actions = ["batch:SubmitJob"]
    resources = [
      aws_batch_job_queue.this.arn,
      aws_batch_job_definition.this.arn_prefix,
      "${aws_batch_job_definition.this.arn_prefix}:*",
    ]
  }

  # The schedule's own text is encrypted.
  statement {
    sid       = "ReadSchedule"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["scheduler.${local.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "schedule" {
  count = var.schedule == null ? 0 : 1

  name               = "${var.name}-runner-schedule"
  description        = "Lets the schedule submit the nightly run"
  assume_role_policy = data.aws_iam_policy_document.schedule_trust.json

  tags = var.tags
}

resource "aws_iam_role_policy" "schedule" {
  count = var.schedule == null ? 0 : 1

  name   = "submit"
  role   = aws_iam_role.schedule[0].id
  policy = data.aws_iam_policy_document.schedule.json
}

resource "aws_scheduler_schedule" "nightly" {
  count = var.schedule == null ? 0 : 1

  name                         = "${var.name}-nightly"
  description                  = "The nightly run of the scenarios with the tag ${var.scenario_tag}"
  schedule_expression          = var.schedule
  schedule_expression_timezone = var.schedule_timezone
  state                        = "ENABLED"
  kms_key_arn                  = var.kms_key_arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = "arn:${local.partition}:scheduler:::aws-sdk:batch:submitJob"
    role_arn = aws_iam_role.schedule[0].arn

    # An array has at least two jobs, so that a single shard is a job without one.
    input = jsonencode(merge(
      {
        JobName       = "${var.name}-nightly"
        JobQueue      = aws_batch_job_queue.this.arn
        JobDefinition = aws_batch_job_definition.this.arn_prefix
        Parameters    = { tag = var.scenario_tag, shards = tostring(var.shards) }
      },
      var.shards > 1 ? { ArrayProperties = { Size = var.shards } } : {}
    ))

    retry_policy {
      maximum_retry_attempts       = 2
      maximum_event_age_in_seconds = 3600
    }
  }
}

resource "aws_cloudwatch_event_rule" "failed" {
  name        = "${var.name}-run-failed"
  description = "A run of the harness did not pass"

  event_pattern = jsonencode({
    source        = ["aws.batch"]
    "detail-type" = ["Batch Job State Change"]
    detail = {
      status   = ["FAILED"]
      jobQueue = [aws_batch_job_queue.this.arn]
    }
  })

  tags = var.tags
}

resource "aws_cloudwatch_event_target" "failed" {
  rule = aws_cloudwatch_event_rule.failed.name
  arn  = var.notification_topic_arn
}
