# What the database plans: the instance, where its logs go, its secrets, and who may fetch them.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "random" {
  mock_resource "random_password" {
    override_during = plan
    defaults        = { result = "madeUpPassword1" }
  }
}

variables {
  name               = "stack"
  subnet_ids         = ["subnet-0a", "subnet-0b"]
  security_group_ids = ["sg-0a"]
  kms_key_arn        = "arn:aws:kms:us-east-1:111122223333:key/k"
  tags               = { team = "energy" }
}

run "instance_by_default" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.name == "stack" && aws_timestreaminfluxdb_db_instance.this.db_instance_type == "db.influx.large" && aws_timestreaminfluxdb_db_instance.this.db_storage_type == "InfluxIOIncludedT1" && aws_timestreaminfluxdb_db_instance.this.allocated_storage == 100
    error_message = "the instance must have its name, size and storage"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.organization == "ons" && aws_timestreaminfluxdb_db_instance.this.bucket == "consumption_data" && aws_timestreaminfluxdb_db_instance.this.username == "admin"
    error_message = "the instance must have its organisation, bucket and user"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.deployment_type == "SINGLE_AZ" && aws_timestreaminfluxdb_db_instance.this.publicly_accessible == false && aws_timestreaminfluxdb_db_instance.this.network_type == "IPV4" && aws_timestreaminfluxdb_db_instance.this.port == 8086
    error_message = "the instance must be private, without a standby, on 8086"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.vpc_subnet_ids == toset(["subnet-0a", "subnet-0b"]) && aws_timestreaminfluxdb_db_instance.this.vpc_security_group_ids == toset(["sg-0a"])
    error_message = "the instance must be in its subnets, behind its security group"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.db_parameter_group_identifier == null
    error_message = "without a parameter group the service takes its own"
  }

  assert {
    condition     = length(aws_timestreaminfluxdb_db_instance.this.maintenance_schedule) == 1 && aws_timestreaminfluxdb_db_instance.this.maintenance_schedule[0].preferred_maintenance_window == "Sun:04:00-Sun:06:00" && aws_timestreaminfluxdb_db_instance.this.maintenance_schedule[0].timezone == "America/Sao_Paulo"
    error_message = "maintenance must be on Sunday night, in local time"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.tags == tomap({ team = "energy", Name = "stack", "cutover:allow-writes" = "false" })
    error_message = "the instance must carry the tags, and refuse writes by default"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.timeouts.create == "60m" && aws_timestreaminfluxdb_db_instance.this.timeouts.update == "60m" && aws_timestreaminfluxdb_db_instance.this.timeouts.delete == "60m"
    error_message = "a standby takes more than the half hour that the provider waits by itself"
  }
}

run "instance_as_it_is_told" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    db_instance_type      = "db.influx.4xlarge"
    storage_type          = "InfluxIOIncludedT3"
    allocated_storage_gib = 800
    organization          = "o"
    bucket                = "first"
    username              = "root"
    password              = "givenPassword1"
    multi_az              = true
    publicly_accessible   = true
    network_type          = "DUAL"
    port                  = 9999
    parameter_group_id    = "group1"
    maintenance_window    = "Sat:01:00-Sat:05:00"
    maintenance_timezone  = "UTC"
    allow_writes          = true
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.db_instance_type == "db.influx.4xlarge" && aws_timestreaminfluxdb_db_instance.this.db_storage_type == "InfluxIOIncludedT3" && aws_timestreaminfluxdb_db_instance.this.allocated_storage == 800
    error_message = "size and storage must reach the instance"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.organization == "o" && aws_timestreaminfluxdb_db_instance.this.bucket == "first" && aws_timestreaminfluxdb_db_instance.this.username == "root" && aws_timestreaminfluxdb_db_instance.this.password == "givenPassword1"
    error_message = "organisation, bucket, user and password must reach the instance"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.deployment_type == "WITH_MULTIAZ_STANDBY" && aws_timestreaminfluxdb_db_instance.this.publicly_accessible && aws_timestreaminfluxdb_db_instance.this.network_type == "DUAL" && aws_timestreaminfluxdb_db_instance.this.port == 9999 && aws_timestreaminfluxdb_db_instance.this.db_parameter_group_identifier == "group1"
    error_message = "standby, address, network, port and parameter group must reach the instance"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.maintenance_schedule[0].preferred_maintenance_window == "Sat:01:00-Sat:05:00" && aws_timestreaminfluxdb_db_instance.this.maintenance_schedule[0].timezone == "UTC"
    error_message = "the window must reach the instance"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.tags["cutover:allow-writes"] == "true"
    error_message = "that writes are allowed must be on the instance"
  }

  assert {
    condition     = length(random_password.this) == 0
    error_message = "no password is made when one is given"
  }
}

run "password_is_made_of_letters_and_digits" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  assert {
    condition     = random_password.this[0].special == false && random_password.this[0].length == 40
    error_message = "a made password must be of 40 letters and digits: the service takes no punctuation"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.password == random_password.this[0].result
    error_message = "the made password must be the instance's"
  }
}

run "maintenance_left_to_the_service" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    maintenance_window = null
  }

  assert {
    condition     = length(aws_timestreaminfluxdb_db_instance.this.maintenance_schedule) == 0
    error_message = "without a window no schedule may be planned"
  }
}

run "logs_are_delivered" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  assert {
    condition     = length(aws_timestreaminfluxdb_db_instance.this.log_delivery_configuration) == 1 && aws_timestreaminfluxdb_db_instance.this.log_delivery_configuration[0].s3_configuration[0].bucket_name == aws_s3_bucket.logs[0].bucket && aws_timestreaminfluxdb_db_instance.this.log_delivery_configuration[0].s3_configuration[0].enabled
    error_message = "the instance must deliver its logs to the bucket of the module"
  }

  assert {
    condition     = aws_s3_bucket.logs[0].bucket == "stack-logs-111122223333"
    error_message = "the log bucket must have its name"
  }

  assert {
    condition     = aws_s3_bucket.logs[0].tags["team"] == "energy" && aws_s3_bucket.logs[0].force_destroy != true
    error_message = "the log bucket must carry the tags, and not be emptied by a plan"
  }
}

run "log_bucket_is_private_encrypted_and_expires" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    log_retention_days = 14
  }

  assert {
    condition     = [for b in aws_s3_bucket_public_access_block.logs : [b.bucket == aws_s3_bucket.logs[0].id, b.block_public_acls, b.block_public_policy, b.ignore_public_acls, b.restrict_public_buckets]] == [[true, true, true, true, true]]
    error_message = "the log bucket must block all public access"
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.logs[0].rule[0].object_ownership == "BucketOwnerEnforced" && aws_s3_bucket_ownership_controls.logs[0].bucket == aws_s3_bucket.logs[0].id
    error_message = "the log bucket must know no ACLs"
  }

  assert {
    condition     = [for r in aws_s3_bucket_server_side_encryption_configuration.logs[0].rule : r.apply_server_side_encryption_by_default[0].sse_algorithm] == ["AES256"] && aws_s3_bucket_server_side_encryption_configuration.logs[0].bucket == aws_s3_bucket.logs[0].id
    error_message = "the log bucket must be encrypted"
  }

  assert {
    condition     = aws_s3_bucket_versioning.logs[0].versioning_configuration[0].status == "Enabled" && aws_s3_bucket_versioning.logs[0].bucket == aws_s3_bucket.logs[0].id
    error_message = "the log bucket must keep versions"
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.logs[0].bucket == aws_s3_bucket.logs[0].id && [for r in aws_s3_bucket_lifecycle_configuration.logs[0].rule : [r.status, r.expiration[0].days, r.noncurrent_version_expiration[0].noncurrent_days, r.abort_incomplete_multipart_upload[0].days_after_initiation]] == [["Enabled", 14, 7, 7]]
    error_message = "logs must expire, their old versions and unfinished uploads, too"
  }
}

run "log_bucket_policy" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.logs[0].statement : coalesce(s.sid, "-") => [
      coalesce(s.effect, "Allow"),
      sort(s.actions),
      sort(coalesce(s.resources, [])),
      [for p in s.principals : "${p.type} ${join(" ", sort(p.identifiers))}"],
      sort([for c in s.condition : "${c.test} ${c.variable} ${join(" ", c.values)}"]),
      ] } == {
      InfluxLogs = [
        "Allow",
        sort(["s3:PutObject"]),
        sort(["${aws_s3_bucket.logs[0].arn}/InfluxLogs/*"]),
        ["Service timestream-influxdb.amazonaws.com"],
        sort([]),
      ]
      TlsOnly = [
        "Deny",
        sort(["s3:*"]),
        sort([aws_s3_bucket.logs[0].arn, "${aws_s3_bucket.logs[0].arn}/*"]),
        ["* *"],
        sort(["Bool aws:SecureTransport false"]),
      ]
    }
    error_message = "the service must be able to write below InfluxLogs, and nobody without TLS"
  }

  assert {
    condition     = aws_s3_bucket_policy.logs[0].bucket == aws_s3_bucket.logs[0].id
    error_message = "the policy must be on the log bucket"
  }
}

run "no_log_delivery" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  variables {
    log_delivery = false
  }

  assert {
    condition     = length(aws_timestreaminfluxdb_db_instance.this.log_delivery_configuration) == 0
    error_message = "no delivery may be planned when it is not asked for"
  }

  assert {
    condition     = length(aws_s3_bucket.logs) + length(aws_s3_bucket_policy.logs) + length(aws_s3_bucket_public_access_block.logs) + length(aws_s3_bucket_lifecycle_configuration.logs) == 0
    error_message = "no bucket may be planned without delivery"
  }

  assert {
    condition     = output.log_bucket == null
    error_message = "no bucket may be told without delivery"
  }
}

run "secrets_of_tokens" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  assert {
    condition     = keys(aws_secretsmanager_secret.token) == ["reader", "writer"] && { for n, s in aws_secretsmanager_secret.token : n => s.name } == { reader = "stack/influxdb/token/reader", writer = "stack/influxdb/token/writer" }
    error_message = "reader and writer must have a secret each"
  }

  assert {
    condition     = alltrue([for s in values(aws_secretsmanager_secret.token) : s.kms_key_id == "arn:aws:kms:us-east-1:111122223333:key/k" && s.recovery_window_in_days == 30 && s.tags["team"] == "energy"])
    error_message = "the secrets must be encrypted with the key and be restorable for a month"
  }

  assert {
    condition     = { for n, s in aws_secretsmanager_secret.token : n => s.tags["cutover:token"] } == { reader = "reader", writer = "writer" }
    error_message = "each secret must say whose it is"
  }
}

run "secrets_of_tokens_are_in_the_format_of_the_rotation" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  assert {
    condition     = jsonencode(output.token_documents["reader"]) == jsonencode({ engine = "timestream-influxdb", org = "ons", adminSecretArn = aws_timestreaminfluxdb_db_instance.this.influx_auth_parameters_secret_arn, type = "custom", dbIdentifier = aws_timestreaminfluxdb_db_instance.this.id, readBuckets = ["consumption_data", "generation_data", "transmission_data"], writeBuckets = [] })
    error_message = "the reader's document must be in the format of AWS's rotation functions, and write nothing"
  }

  assert {
    condition     = output.token_documents["writer"].writeBuckets == tolist(["consumption_data", "generation_data", "transmission_data"]) && output.token_documents["writer"].readBuckets == tolist(["consumption_data", "generation_data", "transmission_data"]) && output.token_documents["writer"].type == "custom"
    error_message = "the writer's document must read and write the three buckets"
  }

  assert {
    condition     = alltrue([for d in output.token_documents : !contains(keys(d), "token")])
    error_message = "no document may have a token: there is none before the instance"
  }
}

run "policy_of_the_reader" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.reader.statement : coalesce(s.sid, "-") => [
      coalesce(s.effect, "Allow"),
      sort(s.actions),
      sort(coalesce(s.resources, [])),
      [for p in s.principals : "${p.type} ${join(" ", sort(p.identifiers))}"],
      sort([for c in s.condition : "${c.test} ${c.variable} ${join(" ", c.values)}"]),
      ] } == {
      FetchReaderToken = [
        "Allow",
        sort(["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]),
        sort([aws_secretsmanager_secret.token["reader"].arn]),
        [],
        sort([]),
      ]
      DecryptToken = [
        "Allow",
        sort(["kms:Decrypt"]),
        sort(["arn:aws:kms:us-east-1:111122223333:key/k"]),
        [],
        sort(["StringEquals kms:ViaService secretsmanager.us-east-1.amazonaws.com"]),
      ]
      SeeInstance = [
        "Allow",
        sort(["timestream-influxdb:GetDbInstance", "timestream-influxdb:ListTagsForResource"]),
        sort([aws_timestreaminfluxdb_db_instance.this.arn]),
        [],
        sort([]),
      ]
    }
    error_message = "the reader must be able to fetch its own token, see the instance, and nothing else"
  }

  assert {
    condition     = aws_iam_policy.reader.name == "stack-influxdb-reader" && aws_iam_policy.reader.tags["team"] == "energy"
    error_message = "the policy of the reader must have its name"
  }
}

run "policy_of_the_writer" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.writer.statement : coalesce(s.sid, "-") => [
      coalesce(s.effect, "Allow"),
      sort(s.actions),
      sort(coalesce(s.resources, [])),
      [for p in s.principals : "${p.type} ${join(" ", sort(p.identifiers))}"],
      sort([for c in s.condition : "${c.test} ${c.variable} ${join(" ", c.values)}"]),
      ] } == {
      FetchWriterToken = [
        "Allow",
        sort(["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]),
        sort([aws_secretsmanager_secret.token["writer"].arn]),
        [],
        sort([]),
      ]
      DecryptToken = [
        "Allow",
        sort(["kms:Decrypt"]),
        sort(["arn:aws:kms:us-east-1:111122223333:key/k"]),
        [],
        sort(["StringEquals kms:ViaService secretsmanager.us-east-1.amazonaws.com"]),
      ]
      SeeInstance = [
        "Allow",
        sort(["timestream-influxdb:GetDbInstance", "timestream-influxdb:ListTagsForResource"]),
        sort([aws_timestreaminfluxdb_db_instance.this.arn]),
        [],
        sort([]),
      ]
    }
    error_message = "the writer must be able to fetch its own token, see the instance, and nothing else"
  }

  assert {
    condition     = aws_iam_policy.writer.name == "stack-influxdb-writer" && aws_iam_policy.writer.tags["team"] == "energy"
    error_message = "the policy of the writer must have its name"
  }
}

run "policy_of_the_operator" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.operator.statement : coalesce(s.sid, "-") => [
      coalesce(s.effect, "Allow"),
      sort(s.actions),
      sort(coalesce(s.resources, [])),
      [for p in s.principals : "${p.type} ${join(" ", sort(p.identifiers))}"],
      sort([for c in s.condition : "${c.test} ${c.variable} ${join(" ", c.values)}"]),
      ] } == {
      FetchAdministrator = [
        "Allow",
        sort(["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]),
        sort([aws_timestreaminfluxdb_db_instance.this.influx_auth_parameters_secret_arn]),
        [],
        sort([]),
      ]
      KeepTokens = [
        "Allow",
        sort(["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]),
        sort([aws_secretsmanager_secret.token["reader"].arn, aws_secretsmanager_secret.token["writer"].arn]),
        [],
        sort([]),
      ]
      UseKey = [
        "Allow",
        sort(["kms:Decrypt", "kms:GenerateDataKey"]),
        sort(["arn:aws:kms:us-east-1:111122223333:key/k"]),
        [],
        sort(["StringEquals kms:ViaService secretsmanager.us-east-1.amazonaws.com"]),
      ]
      SeeAndBackUpInstance = [
        "Allow",
        sort(["timestream-influxdb:GetDbInstance", "timestream-influxdb:ListTagsForResource", "timestream-influxdb:CreateDbBackup"]),
        sort([aws_timestreaminfluxdb_db_instance.this.arn]),
        [],
        sort([]),
      ]
      SeeBackups = [
        "Allow",
        sort(["timestream-influxdb:GetDbBackup", "timestream-influxdb:ListDbBackups", "timestream-influxdb:ListDbInstances"]),
        sort(["*"]),
        [],
        sort([]),
      ]
    }
    error_message = "the operator must be able to make tokens and backups, and neither delete nor restore"
  }

  assert {
    condition     = aws_iam_policy.operator.name == "stack-influxdb-operator" && aws_iam_policy.operator.tags["team"] == "energy"
    error_message = "the policy of the operator must have its name"
  }
}

run "outputs" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  assert {
    condition     = output.id == aws_timestreaminfluxdb_db_instance.this.id && output.arn == aws_timestreaminfluxdb_db_instance.this.arn && output.name == "stack" && output.endpoint == aws_timestreaminfluxdb_db_instance.this.endpoint && output.port == 8086
    error_message = "the instance must be told by its id, ARN, name, host and port"
  }

  assert {
    condition     = output.url == "https://${aws_timestreaminfluxdb_db_instance.this.endpoint}:8086"
    error_message = "the URL must have https and the port"
  }

  assert {
    condition     = output.organization == "ons" && output.bucket == "consumption_data" && output.storage_type == "InfluxIOIncludedT1" && output.tags["cutover:allow-writes"] == "false"
    error_message = "organisation, bucket, storage and tags must be told"
  }

  assert {
    condition     = output.auth_secret_arn == aws_timestreaminfluxdb_db_instance.this.influx_auth_parameters_secret_arn && output.token_secret_arns == { reader = aws_secretsmanager_secret.token["reader"].arn, writer = aws_secretsmanager_secret.token["writer"].arn } && output.log_bucket == aws_s3_bucket.logs[0].bucket
    error_message = "the secrets and the log bucket must be told"
  }

  assert {
    condition     = output.policy_arns == { reader = aws_iam_policy.reader.arn, writer = aws_iam_policy.writer.arn, operator = aws_iam_policy.operator.arn }
    error_message = "each policy must be told under its own name"
  }
}

# Neither a plan nor a mocked AWS shows what follows, so it is held to the text.
run "what_no_plan_shows" {
  command = plan

  module {
    source = "./modules/influxdb"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.name == "stack" && length(regexall("(?m)^    prevent_destroy = true$", file("./modules/influxdb/main.tf"))) == 1
    error_message = "the database must not be destroyed by a plan"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.name == "stack" && length(regexall("(?m)^    ignore_changes = \\[password\\]$", file("./modules/influxdb/main.tf"))) == 1
    error_message = "another password must not replace the database"
  }

  assert {
    condition     = aws_timestreaminfluxdb_db_instance.this.name == "stack" && length(regexall("(?m)^  depends_on = \\[aws_s3_bucket_policy.logs\\]$", file("./modules/influxdb/main.tf"))) == 1
    error_message = "the log bucket must let the service write before the instance is made"
  }

  assert {
    condition     = aws_iam_policy.reader.name == "stack-influxdb-reader" && length(regexall("policy      = data.aws_iam_policy_document.reader.json", file("./modules/influxdb/iam.tf"))) == 1
    error_message = "the policy of the reader must be its own"
  }

  assert {
    condition     = aws_iam_policy.writer.name == "stack-influxdb-writer" && length(regexall("policy      = data.aws_iam_policy_document.writer.json", file("./modules/influxdb/iam.tf"))) == 1
    error_message = "the policy of the writer must be its own"
  }

  assert {
    condition     = aws_iam_policy.operator.name == "stack-influxdb-operator" && length(regexall("policy      = data.aws_iam_policy_document.operator.json", file("./modules/influxdb/iam.tf"))) == 1
    error_message = "the policy of the operator must be its own"
  }

  assert {
    condition     = length(aws_s3_bucket_policy.logs) == 1 && length(regexall("policy = data.aws_iam_policy_document.logs.0..json", file("./modules/influxdb/logs.tf"))) == 1
    error_message = "the log bucket must have its policy"
  }
}
