# Where the harness runs: jobs of AWS Batch on Fargate, in the private subnets from which InfluxDB can be
# reached. One run is one job, or an array of jobs when it is sharded.

data "aws_region" "current" {}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  region     = data.aws_region.current.region
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition

  image = var.image != null ? var.image : "${aws_ecr_repository.this[0].repository_url}:${var.image_tag}"
}

resource "aws_ecr_repository" "this" {
  count = var.image == null ? 1 : 0

  name                 = "${var.name}/cutover"
  image_tag_mutability = "IMMUTABLE"

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.kms_key_arn
  }

  image_scanning_configuration {
    scan_on_push = true
  }

  tags = var.tags
}

resource "aws_ecr_lifecycle_policy" "this" {
  count = var.image == null ? 1 : 0

  repository = aws_ecr_repository.this[0].name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Keep the last 20 images"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 20 }
      action       = { type = "expire" }
    }]
  })
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${var.name}/runner"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn

  tags = var.tags
}

resource "aws_batch_compute_environment" "this" {
  name  = "${var.name}-runner"
  type  = "MANAGED"
  state = "ENABLED"

  compute_resources {
    type               = "FARGATE"
    max_vcpus          = var.vcpus * var.shards
    subnets            = var.subnet_ids
    security_group_ids = var.security_group_ids
  }

  tags = var.tags
}

resource "aws_batch_job_queue" "this" {
  name     = "${var.name}-runner"
  state    = "ENABLED"
  priority = 1

  compute_environment_order {
    order               = 1
    compute_environment = aws_batch_compute_environment.this.arn
  }

  tags = var.tags
}

resource "aws_batch_job_definition" "this" {
  name                  = "${var.name}-runner"
  type                  = "container"
  platform_capabilities = ["FARGATE"]
  propagate_tags        = true

  # What a job is submitted with unless it says otherwise.
  parameters = {
    tag    = var.scenario_tag
    shards = tostring(var.shards)
  }

  container_properties = jsonencode({
    image            = local.image
    command          = ["--tag", "Ref::tag", "--shards", "Ref::shards"]
    user             = "10001:10001"
    jobRoleArn       = aws_iam_role.job.arn
    executionRoleArn = aws_iam_role.execution.arn

    readonlyRootFilesystem = true
    privileged             = false
    linuxParameters        = { initProcessEnabled = true }

    runtimePlatform              = { operatingSystemFamily = "LINUX", cpuArchitecture = var.architecture }
    fargatePlatformConfiguration = { platformVersion = "LATEST" }
    networkConfiguration         = { assignPublicIp = "DISABLED" }

    resourceRequirements = [
      { type = "VCPU", value = tostring(var.vcpus) },
      { type = "MEMORY", value = tostring(var.memory_mib) },
    ]

    # The only place that a job can write to; it ends with the job.
    volumes     = [{ name = "work" }]
    mountPoints = [{ sourceVolume = "work", containerPath = "/work", readOnly = false }]

    environment = [
      { name = "AWS_REGION", value = local.region },
      { name = "CUTOVER_ALLOW_WRITES", value = tostring(var.allow_writes) },
      { name = "CUTOVER_RESULTS", value = "s3://${aws_s3_bucket.results.bucket}/runs" },
      # Without a database to read, the source is the stand-in.
      { name = "CUTOVER_SOURCE", value = length(var.source_database_arns) > 0 ? "liveanalytics" : "standin" },
      { name = "CUTOVER_STACK_OUTPUT", value = jsonencode({ for name, value in var.stack_output : name => { sensitive = false, value = value } }) },
    ]

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = aws_cloudwatch_log_group.this.name
        "awslogs-region"        = local.region
        "awslogs-stream-prefix" = "run"
      }
    }
  })

  # A failed check is an answer, and is not asked again; a job that Fargate could not start is.
  retry_strategy {
    attempts = 2

    evaluate_on_exit {
      action           = "RETRY"
      on_status_reason = "Timeout waiting for network interface*"
    }

    evaluate_on_exit {
      action       = "EXIT"
      on_exit_code = "*"
    }
  }

  timeout {
    attempt_duration_seconds = var.timeout_minutes * 60
  }

  tags = var.tags
}
