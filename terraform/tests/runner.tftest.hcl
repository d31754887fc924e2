# What the runner plans: the job and its rights, its results, and the nightly run.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                     = "stack"
  subnet_ids               = ["subnet-0a", "subnet-0b"]
  security_group_ids       = ["sg-0a"]
  instance_arn             = "arn:aws:timestream-influxdb:us-east-1:111122223333:db-instance/abc"
  appconfig_application_id = "app1234"
  notification_topic_arn   = "arn:aws:sns:us-east-1:111122223333:stack-notifications"
  kms_key_arn              = "arn:aws:kms:us-east-1:111122223333:key/k"
  tags                     = { team = "energy" }
  token_secret_arns = {
    reader = "arn:aws:secretsmanager:us-east-1:111122223333:secret:reader"
    writer = "arn:aws:secretsmanager:us-east-1:111122223333:secret:writer"
  }
}

run "compute_and_queue" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    vcpus      = 4
    memory_mib = 8192
    shards     = 3
  }

  assert {
    condition     = aws_batch_compute_environment.this.name == "stack-runner" && aws_batch_compute_environment.this.type == "MANAGED" && aws_batch_compute_environment.this.state == "ENABLED" && aws_batch_compute_environment.this.tags["team"] == "energy"
    error_message = "the compute environment must be managed"
  }

  assert {
    condition     = aws_batch_compute_environment.this.compute_resources[0].type == "FARGATE" && aws_batch_compute_environment.this.compute_resources[0].subnets == toset(["subnet-0a", "subnet-0b"]) && aws_batch_compute_environment.this.compute_resources[0].security_group_ids == toset(["sg-0a"])
    error_message = "jobs must run on Fargate, in the private subnets, as clients of InfluxDB"
  }

  assert {
    condition     = aws_batch_compute_environment.this.compute_resources[0].max_vcpus == 12
    error_message = "all shards of one run must have room, and no more"
  }

  assert {
    condition     = aws_batch_job_queue.this.name == "stack-runner" && aws_batch_job_queue.this.state == "ENABLED" && aws_batch_job_queue.this.priority == 1 && aws_batch_job_queue.this.tags["team"] == "energy" && [for c in aws_batch_job_queue.this.compute_environment_order : [c.order, c.compute_environment]] == [[1, aws_batch_compute_environment.this.arn]]
    error_message = "the queue must lead to the compute environment"
  }
}

run "job" {
  command = plan

  module {
    source = "./modules/runner"
  }

  assert {
    condition     = aws_batch_job_definition.this.name == "stack-runner" && aws_batch_job_definition.this.type == "container" && aws_batch_job_definition.this.platform_capabilities == toset(["FARGATE"]) && aws_batch_job_definition.this.propagate_tags && aws_batch_job_definition.this.tags["team"] == "energy"
    error_message = "the definition must be of a container on Fargate"
  }

  assert {
    condition     = aws_batch_job_definition.this.parameters == tomap({ tag = "nightly", shards = "1" })
    error_message = "the parameters must be the tag of the scenarios and the count of shards"
  }

  assert {
    condition     = jsondecode(aws_batch_job_definition.this.container_properties).command == ["--tag", "Ref::tag", "--shards", "Ref::shards"]
    error_message = "the command must use the parameters"
  }

  assert {
    condition     = jsondecode(aws_batch_job_definition.this.container_properties).image == "${aws_ecr_repository.this[0].repository_url}:0.1.0"
    error_message = "the image must come from the repository of the module"
  }

  assert {
    condition     = jsondecode(aws_batch_job_definition.this.container_properties).jobRoleArn == aws_iam_role.job.arn && jsondecode(aws_batch_job_definition.this.container_properties).executionRoleArn == aws_iam_role.execution.arn
    error_message = "the job must have its own role, and be started by the other"
  }

  assert {
    condition     = jsondecode(aws_batch_job_definition.this.container_properties).resourceRequirements == [{ type = "VCPU", value = "2" }, { type = "MEMORY", value = "4096" }]
    error_message = "the job must have its CPUs and memory"
  }

  assert {
    condition     = jsondecode(aws_batch_job_definition.this.container_properties).runtimePlatform == { operatingSystemFamily = "LINUX", cpuArchitecture = "X86_64" } && jsondecode(aws_batch_job_definition.this.container_properties).fargatePlatformConfiguration.platformVersion == "LATEST"
    error_message = "the job must run on the architecture of the image"
  }
}

run "job_is_confined" {
  command = plan

  module {
    source = "./modules/runner"
  }

  assert {
    condition     = jsondecode(aws_batch_job_definition.this.container_properties).user == "10001:10001" && !startswith(jsondecode(aws_batch_job_definition.this.container_properties).user, "0")
    error_message = "the job must not run as root"
  }

  assert {
    condition     = jsondecode(aws_batch_job_definition.this.container_properties).readonlyRootFilesystem == true && jsondecode(aws_batch_job_definition.this.container_properties).privileged == false && jsondecode(aws_batch_job_definition.this.container_properties).linuxParameters.initProcessEnabled == true
    error_message = "the job must not write to its image, nor have privileges"
  }

  assert {
    condition     = jsondecode(aws_batch_job_definition.this.container_properties).networkConfiguration.assignPublicIp == "DISABLED"
    error_message = "the job must have no public address"
  }

  assert {
    condition     = jsondecode(aws_batch_job_definition.this.container_properties).volumes == [{ name = "work" }] && jsondecode(aws_batch_job_definition.this.container_properties).mountPoints == [{ sourceVolume = "work", containerPath = "/work", readOnly = false }]
    error_message = "the one place that the job writes to must be /work"
  }
}

run "job_logs_and_environment" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    stack_output = { influxdb_url = "https://x:8086" }
  }

  assert {
    condition     = jsondecode(aws_batch_job_definition.this.container_properties).logConfiguration.logDriver == "awslogs" && jsondecode(aws_batch_job_definition.this.container_properties).logConfiguration.options == { awslogs-group = "/stack/runner", awslogs-region = "us-east-1", awslogs-stream-prefix = "run" }
    error_message = "the job must log to its log group"
  }

  assert {
    condition     = { for e in jsondecode(aws_batch_job_definition.this.container_properties).environment : e.name => e.value if e.name != "CUTOVER_STACK_OUTPUT" } == { AWS_REGION = "us-east-1", CUTOVER_ALLOW_WRITES = "false", CUTOVER_RESULTS = "s3://stack-results-111122223333-us-east-1/runs", CUTOVER_SOURCE = "standin" }
    error_message = "the job must know the region and where results go"
  }

  assert {
    condition     = jsondecode(one([for e in jsondecode(aws_batch_job_definition.this.container_properties).environment : e.value if e.name == "CUTOVER_STACK_OUTPUT"])) == { influxdb_url = { sensitive = false, value = "https://x:8086" } }
    error_message = "the job must get the stack's outputs in the form of `terraform output -json`"
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.name == "/stack/runner" && aws_cloudwatch_log_group.this.retention_in_days == 365 && aws_cloudwatch_log_group.this.kms_key_id == "arn:aws:kms:us-east-1:111122223333:key/k" && aws_cloudwatch_log_group.this.tags["team"] == "energy"
    error_message = "the logs must be encrypted with the key and kept for a year"
  }
}

run "job_ends" {
  command = plan

  module {
    source = "./modules/runner"
  }

  assert {
    condition     = aws_batch_job_definition.this.timeout[0].attempt_duration_seconds == 10800
    error_message = "a job that does not end must be stopped"
  }

  assert {
    condition     = aws_batch_job_definition.this.retry_strategy[0].attempts == 2 && [for e in aws_batch_job_definition.this.retry_strategy[0].evaluate_on_exit : "${e.action} ${e.on_status_reason == null ? "" : e.on_status_reason}${e.on_exit_code == null ? "" : e.on_exit_code}"] == ["RETRY Timeout waiting for network interface*", "EXIT *"]
    error_message = "a failed check must not be asked again, a job that could not start must"
  }
}

run "repository" {
  command = plan

  module {
    source = "./modules/runner"
  }

  assert {
    condition     = aws_ecr_repository.this[0].name == "stack/cutover" && aws_ecr_repository.this[0].image_tag_mutability == "IMMUTABLE" && aws_ecr_repository.this[0].image_scanning_configuration[0].scan_on_push && aws_ecr_repository.this[0].tags["team"] == "energy"
    error_message = "images must be scanned, and a tag must stay what it was"
  }

  assert {
    condition     = aws_ecr_repository.this[0].encryption_configuration[0].encryption_type == "KMS" && aws_ecr_repository.this[0].encryption_configuration[0].kms_key == "arn:aws:kms:us-east-1:111122223333:key/k"
    error_message = "images must be encrypted with the key"
  }

  assert {
    condition     = aws_ecr_lifecycle_policy.this[0].repository == aws_ecr_repository.this[0].name && [for r in jsondecode(aws_ecr_lifecycle_policy.this[0].policy).rules : [r.selection.countType, r.selection.countNumber, r.selection.tagStatus, r.action.type]] == [["imageCountMoreThan", 20, "any", "expire"]]
    error_message = "old images must expire"
  }
}

run "image_from_elsewhere" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    image = "example.org/cutover:1.0.0"
  }

  assert {
    condition     = jsondecode(aws_batch_job_definition.this.container_properties).image == "example.org/cutover:1.0.0" && output.image == "example.org/cutover:1.0.0"
    error_message = "the job must run the image that it is told"
  }

  assert {
    condition     = length(aws_ecr_repository.this) == 0 && length(aws_ecr_lifecycle_policy.this) == 0 && output.repository_url == null
    error_message = "no repository may be planned for an image from elsewhere"
  }

  assert {
    condition     = [for s in data.aws_iam_policy_document.execution.statement : s.sid] == ["WriteLogs"]
    error_message = "no right to pull may be planned for an image from elsewhere"
  }
}

run "results_bucket" {
  command = plan

  module {
    source = "./modules/runner"
  }

  assert {
    condition     = aws_s3_bucket.results.bucket == "stack-results-111122223333-us-east-1" && aws_s3_bucket.results.tags["team"] == "energy" && aws_s3_bucket.results.force_destroy != true
    error_message = "the results bucket must have its name, and not be emptied by a plan"
  }

  assert {
    condition     = [for b in [aws_s3_bucket_public_access_block.results] : [b.bucket == aws_s3_bucket.results.id, b.block_public_acls, b.block_public_policy, b.ignore_public_acls, b.restrict_public_buckets]] == [[true, true, true, true, true]]
    error_message = "the results bucket must block all public access"
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.results.rule[0].object_ownership == "BucketOwnerEnforced" && aws_s3_bucket_ownership_controls.results.bucket == aws_s3_bucket.results.id
    error_message = "the results bucket must know no ACLs"
  }

  assert {
    condition     = [for r in aws_s3_bucket_server_side_encryption_configuration.results.rule : [r.bucket_key_enabled, r.apply_server_side_encryption_by_default[0].sse_algorithm, r.apply_server_side_encryption_by_default[0].kms_master_key_id]] == [[true, "aws:kms", "arn:aws:kms:us-east-1:111122223333:key/k"]] && aws_s3_bucket_server_side_encryption_configuration.results.bucket == aws_s3_bucket.results.id
    error_message = "results must be encrypted with the key"
  }

  assert {
    condition     = aws_s3_bucket_versioning.results.versioning_configuration[0].status == "Enabled" && aws_s3_bucket_versioning.results.bucket == aws_s3_bucket.results.id
    error_message = "the results bucket must keep versions"
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.results.bucket == aws_s3_bucket.results.id && [for r in aws_s3_bucket_lifecycle_configuration.results.rule : [r.status, r.expiration[0].days, r.noncurrent_version_expiration[0].noncurrent_days, r.abort_incomplete_multipart_upload[0].days_after_initiation]] == [["Enabled", 400, 30, 7]]
    error_message = "results must expire, their old versions and unfinished uploads, too"
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.results.statement : coalesce(s.sid, "-") => [
      coalesce(s.effect, "Allow"),
      sort(s.actions),
      sort(coalesce(s.resources, [])),
      [for p in s.principals : "${p.type} ${join(" ", sort(p.identifiers))}"],
      sort([for c in s.condition : "${c.test} ${c.variable} ${join(" ", c.values)}"]),
      ] } == {
      TlsOnly = [
        "Deny",
        sort(["s3:*"]),
        sort([aws_s3_bucket.results.arn, "${aws_s3_bucket.results.arn}/*"]),
        ["* *"],
        sort(["Bool aws:SecureTransport false"]),
      ]
    }
    error_message = "nobody may reach results without TLS"
  }

  assert {
    condition     = aws_s3_bucket_policy.results.bucket == aws_s3_bucket.results.id
    error_message = "the policy must be on the results bucket"
  }
}

run "rights_of_a_job_that_reads" {
  command = plan

  module {
    source = "./modules/runner"
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.job.statement : coalesce(s.sid, "-") => [
      coalesce(s.effect, "Allow"),
      sort(s.actions),
      sort(coalesce(s.resources, [])),
      [for p in s.principals : "${p.type} ${join(" ", sort(p.identifiers))}"],
      sort([for c in s.condition : "${c.test} ${c.variable} ${join(" ", c.values)}"]),
      ] } == {
      StoreResults = [
        "Allow",
        sort(["s3:AbortMultipartUpload", "s3:PutObject"]),
        sort(["${aws_s3_bucket.results.arn}/runs/*"]),
        [],
        sort([]),
      ]
      ReadResults = [
        "Allow",
        sort(["s3:GetObject"]),
        sort(["${aws_s3_bucket.results.arn}/runs/*"]),
        [],
        sort([]),
      ]
      ListResults = [
        "Allow",
        sort(["s3:ListBucket"]),
        sort([aws_s3_bucket.results.arn]),
        [],
        sort(["StringLike s3:prefix runs/*"]),
      ]
      UseKey = [
        "Allow",
        sort(["kms:Decrypt", "kms:GenerateDataKey"]),
        sort(["arn:aws:kms:us-east-1:111122223333:key/k"]),
        [],
        sort(["StringEquals kms:ViaService appconfig.us-east-1.amazonaws.com s3.us-east-1.amazonaws.com secretsmanager.us-east-1.amazonaws.com"]),
      ]
      FetchTokens = [
        "Allow",
        sort(["secretsmanager:GetSecretValue"]),
        sort([var.token_secret_arns["reader"]]),
        [],
        sort([]),
      ]
      SeeInstance = [
        "Allow",
        sort(["timestream-influxdb:GetDbInstance", "timestream-influxdb:ListTagsForResource"]),
        sort(["arn:aws:timestream-influxdb:us-east-1:111122223333:db-instance/abc"]),
        [],
        sort([]),
      ]
      SeeMetricsAndAlarms = [
        "Allow",
        sort(["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics"]),
        sort(["*"]),
        [],
        sort([]),
      ]
      PublishMetrics = [
        "Allow",
        sort(["cloudwatch:PutMetricData"]),
        sort(["*"]),
        [],
        sort(["StringEquals cloudwatch:namespace ONS/TrafficSwitching"]),
      ]
      ReadFlags = [
        "Allow",
        sort(["appconfig:GetApplication", "appconfig:GetConfigurationProfile", "appconfig:GetDeployment", "appconfig:GetEnvironment", "appconfig:GetHostedConfigurationVersion", "appconfig:GetLatestConfiguration", "appconfig:ListDeployments", "appconfig:ListHostedConfigurationVersions", "appconfig:StartConfigurationSession"]),
        sort(["arn:aws:appconfig:us-east-1:111122223333:application/app1234", "arn:aws:appconfig:us-east-1:111122223333:application/app1234/*"]),
        [],
        sort([]),
      ]
      NeverDestroy = [
        "Deny",
        sort(["appconfig:Delete*", "kms:DisableKey", "kms:ScheduleKeyDeletion", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutBucketPolicy", "s3:PutLifecycleConfiguration", "secretsmanager:DeleteSecret", "timestream-influxdb:Delete*", "timestream-influxdb:RestoreFromDbBackup", "timestream-influxdb:UpdateDbInstance", "timestream:Delete*"]),
        sort(["*"]),
        [],
        sort([]),
      ]
    }
    error_message = "a job must read, store results, publish to one namespace, and be denied to take anything down"
  }

  assert {
    condition     = aws_iam_role.job.name == "stack-runner-job" && aws_iam_role.job.tags["team"] == "energy"
    error_message = "the role must have its name"
  }
}

run "rights_of_a_job_that_writes" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    allow_writes = true
  }

  assert {
    condition     = one([for e in jsondecode(aws_batch_job_definition.this.container_properties).environment : e.value if e.name == "CUTOVER_ALLOW_WRITES"]) == "true"
    error_message = "the job must know that it may write"
  }
  assert {
    condition = { for s in data.aws_iam_policy_document.job.statement : coalesce(s.sid, "-") => [
      coalesce(s.effect, "Allow"),
      sort(s.actions),
      sort(coalesce(s.resources, [])),
      [for p in s.principals : "${p.type} ${join(" ", sort(p.identifiers))}"],
      sort([for c in s.condition : "${c.test} ${c.variable} ${join(" ", c.values)}"]),
      ] } == {
      StoreResults = [
        "Allow",
        sort(["s3:AbortMultipartUpload", "s3:PutObject"]),
        sort(["${aws_s3_bucket.results.arn}/runs/*"]),
        [],
        sort([]),
      ]
      ReadResults = [
        "Allow",
        sort(["s3:GetObject"]),
        sort(["${aws_s3_bucket.results.arn}/runs/*"]),
        [],
        sort([]),
      ]
      ListResults = [
        "Allow",
        sort(["s3:ListBucket"]),
        sort([aws_s3_bucket.results.arn]),
        [],
        sort(["StringLike s3:prefix runs/*"]),
      ]
      UseKey = [
        "Allow",
        sort(["kms:Decrypt", "kms:GenerateDataKey"]),
        sort(["arn:aws:kms:us-east-1:111122223333:key/k"]),
        [],
        sort(["StringEquals kms:ViaService appconfig.us-east-1.amazonaws.com s3.us-east-1.amazonaws.com secretsmanager.us-east-1.amazonaws.com"]),
      ]
      FetchTokens = [
        "Allow",
        sort(["secretsmanager:GetSecretValue"]),
        sort([var.token_secret_arns["reader"], var.token_secret_arns["writer"]]),
        [],
        sort([]),
      ]
      SeeInstance = [
        "Allow",
        sort(["timestream-influxdb:GetDbInstance", "timestream-influxdb:ListTagsForResource"]),
        sort(["arn:aws:timestream-influxdb:us-east-1:111122223333:db-instance/abc"]),
        [],
        sort([]),
      ]
      SeeMetricsAndAlarms = [
        "Allow",
        sort(["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics"]),
        sort(["*"]),
        [],
        sort([]),
      ]
      PublishMetrics = [
        "Allow",
        sort(["cloudwatch:PutMetricData"]),
        sort(["*"]),
        [],
        sort(["StringEquals cloudwatch:namespace ONS/TrafficSwitching"]),
      ]
      ReadFlags = [
        "Allow",
        sort(["appconfig:GetApplication", "appconfig:GetConfigurationProfile", "appconfig:GetDeployment", "appconfig:GetEnvironment", "appconfig:GetHostedConfigurationVersion", "appconfig:GetLatestConfiguration", "appconfig:ListDeployments", "appconfig:ListHostedConfigurationVersions", "appconfig:StartConfigurationSession"]),
        sort(["arn:aws:appconfig:us-east-1:111122223333:application/app1234", "arn:aws:appconfig:us-east-1:111122223333:application/app1234/*"]),
        [],
        sort([]),
      ]
      ShiftTraffic = [
        "Allow",
        sort(["appconfig:CreateHostedConfigurationVersion", "appconfig:StartDeployment", "appconfig:StopDeployment"]),
        sort(["arn:aws:appconfig:us-east-1:111122223333:application/app1234", "arn:aws:appconfig:us-east-1:111122223333:application/app1234/*", "arn:aws:appconfig:us-east-1:111122223333:deploymentstrategy/*"]),
        [],
        sort([]),
      ]
      NeverDestroy = [
        "Deny",
        sort(["appconfig:Delete*", "kms:DisableKey", "kms:ScheduleKeyDeletion", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutBucketPolicy", "s3:PutLifecycleConfiguration", "secretsmanager:DeleteSecret", "timestream-influxdb:Delete*", "timestream-influxdb:RestoreFromDbBackup", "timestream-influxdb:UpdateDbInstance", "timestream:Delete*"]),
        sort(["*"]),
        [],
        sort([]),
      ]
    }
    error_message = "a job that writes must also fetch the writer's token and shift traffic, and still take nothing down"
  }
}

run "rights_of_a_job_that_reads_the_source" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    source_database_arns = ["arn:aws:timestream:us-east-1:111122223333:database/energy"]
  }

  assert {
    condition     = one([for e in jsondecode(aws_batch_job_definition.this.container_properties).environment : e.value if e.name == "CUTOVER_SOURCE"]) == "liveanalytics"
    error_message = "a job with a database to read must read it"
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.job.statement : coalesce(s.sid, "-") => [
      coalesce(s.effect, "Allow"),
      sort(s.actions),
      sort(coalesce(s.resources, [])),
      [for p in s.principals : "${p.type} ${join(" ", sort(p.identifiers))}"],
      sort([for c in s.condition : "${c.test} ${c.variable} ${join(" ", c.values)}"]),
      ] } == {
      StoreResults = [
        "Allow",
        sort(["s3:AbortMultipartUpload", "s3:PutObject"]),
        sort(["${aws_s3_bucket.results.arn}/runs/*"]),
        [],
        sort([]),
      ]
      ReadResults = [
        "Allow",
        sort(["s3:GetObject"]),
        sort(["${aws_s3_bucket.results.arn}/runs/*"]),
        [],
        sort([]),
      ]
      ListResults = [
        "Allow",
        sort(["s3:ListBucket"]),
        sort([aws_s3_bucket.results.arn]),
        [],
        sort(["StringLike s3:prefix runs/*"]),
      ]
      UseKey = [
        "Allow",
        sort(["kms:Decrypt", "kms:GenerateDataKey"]),
        sort(["arn:aws:kms:us-east-1:111122223333:key/k"]),
        [],
        sort(["StringEquals kms:ViaService appconfig.us-east-1.amazonaws.com s3.us-east-1.amazonaws.com secretsmanager.us-east-1.amazonaws.com"]),
      ]
      FetchTokens = [
        "Allow",
        sort(["secretsmanager:GetSecretValue"]),
        sort([var.token_secret_arns["reader"]]),
        [],
        sort([]),
      ]
      SeeInstance = [
        "Allow",
        sort(["timestream-influxdb:GetDbInstance", "timestream-influxdb:ListTagsForResource"]),
        sort(["arn:aws:timestream-influxdb:us-east-1:111122223333:db-instance/abc"]),
        [],
        sort([]),
      ]
      SeeMetricsAndAlarms = [
        "Allow",
        sort(["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics"]),
        sort(["*"]),
        [],
        sort([]),
      ]
      PublishMetrics = [
        "Allow",
        sort(["cloudwatch:PutMetricData"]),
        sort(["*"]),
        [],
        sort(["StringEquals cloudwatch:namespace ONS/TrafficSwitching"]),
      ]
      ReadFlags = [
        "Allow",
        sort(["appconfig:GetApplication", "appconfig:GetConfigurationProfile", "appconfig:GetDeployment", "appconfig:GetEnvironment", "appconfig:GetHostedConfigurationVersion", "appconfig:GetLatestConfiguration", "appconfig:ListDeployments", "appconfig:ListHostedConfigurationVersions", "appconfig:StartConfigurationSession"]),
        sort(["arn:aws:appconfig:us-east-1:111122223333:application/app1234", "arn:aws:appconfig:us-east-1:111122223333:application/app1234/*"]),
        [],
        sort([]),
      ]
      ReadSource = [
        "Allow",
        sort(["timestream:DescribeTable", "timestream:ListMeasures", "timestream:ListTables", "timestream:Select"]),
        sort(["arn:aws:timestream:us-east-1:111122223333:database/energy", "arn:aws:timestream:us-east-1:111122223333:database/energy/table/*"]),
        [],
        sort([]),
      ]
      FindSource = [
        "Allow",
        sort(["timestream:DescribeAccountSettings", "timestream:DescribeEndpoints", "timestream:SelectValues"]),
        sort(["*"]),
        [],
        sort([]),
      ]
      NeverDestroy = [
        "Deny",
        sort(["appconfig:Delete*", "kms:DisableKey", "kms:ScheduleKeyDeletion", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutBucketPolicy", "s3:PutLifecycleConfiguration", "secretsmanager:DeleteSecret", "timestream-influxdb:Delete*", "timestream-influxdb:RestoreFromDbBackup", "timestream-influxdb:UpdateDbInstance", "timestream:Delete*"]),
        sort(["*"]),
        [],
        sort([]),
      ]
    }
    error_message = "a job that reads the source must read its databases, and change nothing"
  }
}

run "rights_to_start_a_job" {
  command = plan

  module {
    source = "./modules/runner"
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.execution.statement : coalesce(s.sid, "-") => [
      coalesce(s.effect, "Allow"),
      sort(s.actions),
      sort(coalesce(s.resources, [])),
      [for p in s.principals : "${p.type} ${join(" ", sort(p.identifiers))}"],
      sort([for c in s.condition : "${c.test} ${c.variable} ${join(" ", c.values)}"]),
      ] } == {
      WriteLogs = [
        "Allow",
        sort(["logs:CreateLogStream", "logs:PutLogEvents"]),
        sort(["${aws_cloudwatch_log_group.this.arn}:*"]),
        [],
        sort([]),
      ]
      PullImage = [
        "Allow",
        sort(["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]),
        sort([aws_ecr_repository.this[0].arn]),
        [],
        sort([]),
      ]
      LogInToRegistry = [
        "Allow",
        sort(["ecr:GetAuthorizationToken"]),
        sort(["*"]),
        [],
        sort([]),
      ]
    }
    error_message = "the role that starts jobs must pull the image, write logs, and nothing else"
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.task_trust.statement : coalesce(s.sid, "-") => [
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
        ["Service ecs-tasks.amazonaws.com"],
        sort(["StringEquals aws:SourceAccount 111122223333"]),
      ]
    }
    error_message = "both roles must trust the tasks of this account"
  }

  assert {
    condition     = aws_iam_role.execution.name == "stack-runner-start" && aws_iam_role.execution.tags["team"] == "energy"
    error_message = "the role must have its name"
  }
}

run "nightly_run_of_one_job" {
  command = plan

  module {
    source = "./modules/runner"
  }

  assert {
    condition     = aws_scheduler_schedule.nightly[0].name == "stack-nightly" && aws_scheduler_schedule.nightly[0].schedule_expression == "cron(0 3 * * ? *)" && aws_scheduler_schedule.nightly[0].schedule_expression_timezone == "America/Sao_Paulo" && aws_scheduler_schedule.nightly[0].state == "ENABLED" && aws_scheduler_schedule.nightly[0].flexible_time_window[0].mode == "OFF"
    error_message = "the nightly run must start at three, in local time"
  }

  assert {
    condition     = aws_scheduler_schedule.nightly[0].kms_key_arn == "arn:aws:kms:us-east-1:111122223333:key/k"
    error_message = "the schedule must be encrypted with the key"
  }

  assert {
    condition     = aws_scheduler_schedule.nightly[0].target[0].arn == "arn:aws:scheduler:::aws-sdk:batch:submitJob" && aws_scheduler_schedule.nightly[0].target[0].role_arn == aws_iam_role.schedule[0].arn
    error_message = "the schedule must submit a job, in its role"
  }

  assert {
    condition     = jsondecode(aws_scheduler_schedule.nightly[0].target[0].input) == { JobName = "stack-nightly", JobQueue = aws_batch_job_queue.this.arn, JobDefinition = aws_batch_job_definition.this.arn_prefix, Parameters = { tag = "nightly", shards = "1" } }
    error_message = "a run of one shard must be one job: Batch knows no array of one"
  }

  assert {
    condition     = aws_scheduler_schedule.nightly[0].target[0].retry_policy[0].maximum_retry_attempts == 2 && aws_scheduler_schedule.nightly[0].target[0].retry_policy[0].maximum_event_age_in_seconds == 3600
    error_message = "a run that could not be submitted must be tried again, within the hour"
  }
}

run "nightly_run_of_four_shards" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    shards            = 4
    scenario_tag      = "soak"
    schedule          = "rate(1 day)"
    schedule_timezone = "UTC"
  }

  assert {
    condition     = jsondecode(aws_scheduler_schedule.nightly[0].target[0].input).ArrayProperties == { Size = 4 } && jsondecode(aws_scheduler_schedule.nightly[0].target[0].input).Parameters == { tag = "soak", shards = "4" }
    error_message = "the size of the array must be the count of shards, and the tag a parameter"
  }

  assert {
    condition     = aws_batch_job_definition.this.parameters == tomap({ tag = "soak", shards = "4" }) && output.shards == 4
    error_message = "the definition must say the same"
  }

  assert {
    condition     = aws_scheduler_schedule.nightly[0].schedule_expression == "rate(1 day)" && aws_scheduler_schedule.nightly[0].schedule_expression_timezone == "UTC"
    error_message = "the schedule must be the given one"
  }
}

run "nightly_run_of_two_shards_is_an_array" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    shards = 2
  }

  assert {
    condition     = jsondecode(aws_scheduler_schedule.nightly[0].target[0].input).ArrayProperties == { Size = 2 }
    error_message = "two shards must be an array of two"
  }
}

run "rights_of_the_schedule" {
  command = plan

  module {
    source = "./modules/runner"
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.schedule.statement : coalesce(s.sid, "-") => [
      coalesce(s.effect, "Allow"),
      sort(s.actions),
      sort(coalesce(s.resources, [])),
      [for p in s.principals : "${p.type} ${join(" ", sort(p.identifiers))}"],
      sort([for c in s.condition : "${c.test} ${c.variable} ${join(" ", c.values)}"]),
      ] } == {
      SubmitRun = [
        "Allow",
        sort(["batch:SubmitJob"]),
        sort([aws_batch_job_queue.this.arn, aws_batch_job_definition.this.arn_prefix, "${aws_batch_job_definition.this.arn_prefix}:*"]),
        [],
        sort([]),
      ]
      ReadSchedule = [
        "Allow",
        sort(["kms:Decrypt"]),
        sort(["arn:aws:kms:us-east-1:111122223333:key/k"]),
        [],
        sort(["StringEquals kms:ViaService scheduler.us-east-1.amazonaws.com"]),
      ]
    }
    error_message = "the schedule must submit this job to this queue, and nothing else"
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.schedule_trust.statement : coalesce(s.sid, "-") => [
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
        ["Service scheduler.amazonaws.com"],
        sort(["StringEquals aws:SourceAccount 111122223333"]),
      ]
    }
    error_message = "the role must trust the scheduler of this account"
  }

  assert {
    condition     = aws_iam_role.schedule[0].name == "stack-runner-schedule" && aws_iam_role.schedule[0].tags["team"] == "energy"
    error_message = "the role must have its name"
  }
}

run "no_nightly_run" {
  command = plan

  module {
    source = "./modules/runner"
  }

  variables {
    schedule = null
  }

  assert {
    condition     = length(aws_scheduler_schedule.nightly) == 0 && length(aws_iam_role.schedule) == 0 && length(aws_iam_role_policy.schedule) == 0 && output.schedule_name == null
    error_message = "no schedule and no role for it may be planned when it is not asked for"
  }
}

run "failed_runs_are_told" {
  command = plan

  module {
    source = "./modules/runner"
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.failed.event_pattern) == { source = ["aws.batch"], detail-type = ["Batch Job State Change"], detail = { status = ["FAILED"], jobQueue = [aws_batch_job_queue.this.arn] } }
    error_message = "the rule must match failed jobs of this queue"
  }

  assert {
    condition     = aws_cloudwatch_event_rule.failed.name == "stack-run-failed" && aws_cloudwatch_event_rule.failed.state != "DISABLED" && aws_cloudwatch_event_rule.failed.tags["team"] == "energy"
    error_message = "the rule must have a name that the topic accepts"
  }

  assert {
    condition     = aws_cloudwatch_event_target.failed.rule == "stack-run-failed" && aws_cloudwatch_event_target.failed.arn == "arn:aws:sns:us-east-1:111122223333:stack-notifications"
    error_message = "the rule must tell the topic"
  }
}

run "outputs" {
  command = plan

  module {
    source = "./modules/runner"
  }

  assert {
    condition     = output.job_queue_arn == aws_batch_job_queue.this.arn && output.job_definition_arn == aws_batch_job_definition.this.arn && output.shards == 1 && output.job_role_arn == aws_iam_role.job.arn
    error_message = "queue, definition and role must be told"
  }

  assert {
    condition     = output.results_bucket == "stack-results-111122223333-us-east-1" && output.log_group_name == "/stack/runner" && output.schedule_name == "stack-nightly" && output.repository_url == aws_ecr_repository.this[0].repository_url && output.image == "${aws_ecr_repository.this[0].repository_url}:0.1.0"
    error_message = "bucket, logs, schedule, repository and image must be told"
  }
}
